/* Terminal attributes by ioctl. */
#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "internal/cancel.h"

int tcgetattr(int fd, struct termios *t)
{
    return ioctl(fd, TCGETS, t);
}

int tcsetattr(int fd, int action, const struct termios *t)
{
    if (action < TCSANOW || action > TCSAFLUSH) {
        errno = EINVAL;
        return -1;
    }
    return ioctl(fd, (unsigned long)(TCSETS + action), t);
}

int tcsendbreak(int fd, int duration)
{
    (void)duration; /* POSIX leaves its meaning open */
    return ioctl(fd, TCSBRK, 0);
}

int tcdrain(int fd)
{
    return (int)syscall_cancel(SYS_ioctl, fd, TCSBRK, 1);
}

int tcflush(int fd, int queue)
{
    return ioctl(fd, TCFLSH, queue);
}

int tcflow(int fd, int action)
{
    return ioctl(fd, TCXONC, action);
}

pid_t tcgetsid(int fd)
{
    int session;
    return ioctl(fd, TIOCGSID, &session) < 0 ? -1 : session;
}

speed_t cfgetospeed(const struct termios *t)
{
    return t->c_cflag & CBAUD;
}

speed_t cfgetispeed(const struct termios *t)
{
    return cfgetospeed(t);
}

int cfsetospeed(struct termios *t, speed_t speed)
{
    if (speed & ~(speed_t)CBAUD) {
        errno = EINVAL;
        return -1;
    }
    t->c_cflag = (t->c_cflag & ~(tcflag_t)CBAUD) | speed;
    return 0;
}

/* Speed 0 means "the output's". */
int cfsetispeed(struct termios *t, speed_t speed)
{
    return speed ? cfsetospeed(t, speed) : 0;
}

void cfmakeraw(struct termios *t)
{
    t->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    t->c_oflag &= ~(tcflag_t)OPOST;
    t->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    t->c_cflag = (t->c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    t->c_cc[VMIN] = 1;
    t->c_cc[VTIME] = 0;
}

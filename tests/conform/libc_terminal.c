/* musl: <termios.h>: speeds, raw mode, and what is asked of descriptors that are no terminals. */
#define _GNU_SOURCE
#include <termios.h>

#include "tap.h"

TEST(speeds_are_kept_in_the_modes)
{
    struct termios t = {0};
    works(cfsetospeed(&t, B9600));
    same(cfgetospeed(&t), B9600);
    works(cfsetispeed(&t, B9600));
    same(cfgetispeed(&t), B9600);
    fails(cfsetospeed(&t, 12345), EINVAL);
    same(cfgetospeed(&t), B9600);
}

TEST(raw_is_a_set_of_modes)
{
    struct termios t = {.c_iflag = ICRNL | IXON | IXANY,
                        .c_oflag = OPOST,
                        .c_cflag = CS7 | PARENB | CREAD,
                        .c_lflag = ICANON | ECHO | ISIG | TOSTOP};
    cfmakeraw(&t);
    same(t.c_iflag, IXANY);
    same(t.c_oflag, 0);
    same(t.c_cflag, CS8 | CREAD);
    same(t.c_lflag, TOSTOP);
    same(t.c_cc[VMIN], 1);
    same(t.c_cc[VTIME], 0);
}

TEST(a_pipe_is_no_terminal)
{
    struct termios t;
    int p[2];
    works(pipe(p));
    fails(tcgetattr(p[0], &t), ENOTTY);
    fails(tcdrain(p[1]), ENOTTY);
    fails(tcflow(p[1], TCOON), ENOTTY);
    fails(tcsendbreak(p[1], 0), ENOTTY);
    fails(tcflush(p[1], TCIFLUSH), ENOTTY);
    fails(tcgetsid(p[0]), ENOTTY);
    fails(tcgetpgrp(p[0]), ENOTTY);
    fails(tcsetpgrp(p[0], getpgrp()), ENOTTY);
    works(close(p[0]));
    fails(tcgetattr(p[0], &t), EBADF);
}

int main(void)
{
    return tap_run("libc_terminal");
}

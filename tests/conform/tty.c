/* musl:
 * Terminals: canonical and raw reading, sessions, job control, hanging up. Each test has a session of its own
 * on a terminal: a fresh pseudo terminal where the kernel has them, else the first serial line, taken over
 * from whoever has it. What is typed is typed with TIOCSTI, and echo is off.
 */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#ifndef TIOCVHANGUP
#define TIOCVHANGUP 0x5437
#endif
#define PATIENCE 60000 /* milliseconds */

static int t; /* the terminal */
static struct termios tio;
static char buf[5000];
static volatile int caught;

/* The byte that another process sends; 0 when it doesn't. */
static char word_from(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char word = 0;

    if (poll(&p, 1, PATIENCE) == 1)
        (void)!read(fd, &word, 1);
    return word;
}

static void note(int signo)
{
    caught = signo;
}

static int open_terminal(int flags)
{
    static char name[32] = "/dev/ttyS0";
    int number, unlocked = 0;

    if (strcmp(name, "/dev/ttyS0") == 0) {
        int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
        if (master >= 0) {
            works(ioctl(master, TIOCSPTLCK, &unlocked));
            works(ioctl(master, TIOCGPTN, &number));
            snprintf(name, sizeof(name), "/dev/pts/%d", number);
        }
    }
    return works(open(name, flags));
}

static void set_modes(tcflag_t iflag, tcflag_t lflag, cc_t min, cc_t time)
{
    tio.c_iflag = iflag;
    tio.c_oflag = 0;
    tio.c_lflag = lflag;
    tio.c_cc[VMIN] = min;
    tio.c_cc[VTIME] = time;
    works(tcsetattr(t, TCSANOW, &tio));
}

/* A session, and the terminal for it. */
static void begin(void)
{
    signal(SIGHUP, SIG_IGN);
    setsid();
    t = open_terminal(O_RDWR | O_NOCTTY);
    works(ioctl(t, TIOCSCTTY, 1));
    works(tcgetattr(t, &tio));
    works(tcflush(t, TCIOFLUSH));
    set_modes(ICRNL, ICANON | ISIG | IEXTEN, 1, 0);
}

static void type(const char *keys)
{
    for (; *keys; keys++)
        works(ioctl(t, TIOCSTI, keys));
}

/* Run what follows in a background process group; *STATUS is what waitpid said when it stopped or ended. */
#define BACKGROUND(status) for (pid_t pid_ = background(status); pid_ == 0; _exit(0))

static pid_t background(int *status)
{
    pid_t pid = works(fork());

    if (pid == 0) {
        works(setpgid(0, 0));
        return 0;
    }
    works(waitpid(pid, status, WUNTRACED));
    if (WIFSTOPPED(*status)) {
        works(kill(pid, SIGKILL));
        works(waitpid(pid, NULL, 0));
    }
    return pid;
}

TEST(a_session_leader_acquires_it_by_opening)
{
    begin();
    works(ioctl(t, TIOCNOTTY));
    fails(open("/dev/tty", O_RDWR), ENXIO);
    fails(tcgetsid(t), ENOTTY);
    close(open_terminal(O_RDWR | O_NOCTTY));
    fails(open("/dev/tty", O_RDWR), ENXIO);
    int fd = open_terminal(O_RDWR);
    same(tcgetsid(fd), getpid());
    same(tcgetpgrp(fd), getpgrp());
    works(open("/dev/tty", O_RDWR));
}

TEST(canonical_read_returns_a_line)
{
    int waiting;

    begin();
    type("one\rtwo\npart");
    works(ioctl(t, FIONREAD, &waiting));
    same(waiting, 8);
    same(read(t, buf, 2), 2);
    same(read(t, buf, 100), 2);
    same(read(t, buf, 100), 4);
    same(memcmp(buf, "two\n", 4), 0);
    works(fcntl(t, F_SETFL, O_NONBLOCK));
    fails(read(t, buf, 100), EAGAIN);
    type("\004");
    same(read(t, buf, 100), 4);
    type("\004");
    same(read(t, buf, 100), 0);
}

TEST(editing_keys)
{
    begin();
    type("abc\177d\n");
    same(read(t, buf, 100), 4);
    same(memcmp(buf, "abd\n", 4), 0);
    type("one two \027\n");
    same(read(t, buf, 100), 5);
    type("gone\025x\n");
    same(read(t, buf, 100), 2);
    type("\026\003\n");
    same(read(t, buf, 100), 2);
    same(buf[0], 3);
}

TEST(longest_line_keeps_its_end)
{
    begin();
    for (int i = 0; i < 5000; i++)
        type("x");
    type("\n");
    same(read(t, buf, sizeof(buf)), 4096);
    same(buf[4095], '\n');
}

TEST(raw_read_waits_for_min)
{
    pid_t pid;

    begin();
    set_modes(0, 0, 3, 0);
    type("ab");
    struct pollfd p = {.fd = t, .events = POLLIN};
    same(poll(&p, 1, 0), 0);
    CHILD (pid) {
        pause_a_little();
        type("c");
    }
    same(read(t, buf, 100), 3);
    exits(pid, 0);
    type("defgh");
    same(read(t, buf, 2), 2);
    same(read(t, buf, 100), 3);
}

TEST(raw_read_with_time)
{
    begin();
    set_modes(0, 0, 0, 1);
    same(read(t, buf, 100), 0);
    type("a");
    same(read(t, buf, 100), 1);
    set_modes(0, 0, 5, 1);
    type("ab");
    same(read(t, buf, 100), 2); /* a tenth of a second after the last */
    set_modes(0, 0, 0, 0);
    same(read(t, buf, 100), 0);
    works(fcntl(t, F_SETFL, O_NONBLOCK));
    same(read(t, buf, 100), 0);
    set_modes(0, 0, 1, 0);
    fails(read(t, buf, 100), EAGAIN);
}

TEST(what_was_typed_survives_the_change_to_raw)
{
    begin();
    type("line\npart");
    set_modes(0, 0, 1, 0);
    same(read(t, buf, 100), 9);
    same(memcmp(buf, "line\npart", 9), 0);
}

TEST(interrupt_keys_signal_the_foreground_group)
{
    begin();
    signal(SIGINT, note);
    signal(SIGQUIT, note);
    signal(SIGTSTP, note);
    type("lost\003");
    same(caught, SIGINT);
    type("\034");
    same(caught, SIGQUIT);
    type("\032");
    same(caught, SIGTSTP);
    type("kept\n");
    same(read(t, buf, 100), 5);
}

TEST(background_read_is_stopped)
{
    int status;

    begin();
    BACKGROUND(&status)
    (void)!read(t, buf, 10);
    same(WIFSTOPPED(status) ? WSTOPSIG(status) : 0, SIGTTIN);
    BACKGROUND(&status)
    {
        signal(SIGTTIN, SIG_IGN);
        fails(read(t, buf, 10), EIO);
    }
    same(status, 0);
}

TEST(background_write_is_stopped_with_tostop)
{
    int status;

    begin();
    BACKGROUND(&status)
    same(write(t, "", 0), 0);
    same(status, 0);
    set_modes(ICRNL, ICANON | TOSTOP, 1, 0);
    BACKGROUND(&status)
    (void)!write(t, "x", 1);
    same(WIFSTOPPED(status) ? WSTOPSIG(status) : 0, SIGTTOU);
}

TEST(background_changes_are_stopped)
{
    int status;

    begin();
    BACKGROUND(&status)
    tcsetattr(t, TCSANOW, &tio);
    same(WIFSTOPPED(status) ? WSTOPSIG(status) : 0, SIGTTOU);
    BACKGROUND(&status)
    tcsetpgrp(t, getpid());
    same(WIFSTOPPED(status) ? WSTOPSIG(status) : 0, SIGTTOU);
    BACKGROUND(&status)
    {
        signal(SIGTTOU, SIG_IGN);
        works(tcsetpgrp(t, getpid()));
        same(tcgetpgrp(t), getpid());
    }
    same(status, 0);
}

TEST(orphaned_group_gets_eio)
{
    int p[2];
    pid_t pid;
    char verdict = 0;

    begin();
    works(pipe(p));
    CHILD (pid) {
        pid_t parent = getpid(), orphan = works(fork());
        if (orphan == 0) {
            works(setpgid(0, 0));
            wait_until(getppid() != parent);
            verdict = read(t, buf, 1) == -1 && errno == EIO ? 'y' : 'n';
            same(write(p[1], &verdict, 1), 1);
            _exit(0);
        }
    }
    exits(pid, 0);
    same(word_from(p[0]), 'y');
}

TEST(foreground_must_be_a_group_of_the_session)
{
    begin();
    fails(tcsetpgrp(t, 1), EPERM);
    fails(tcsetpgrp(t, -1), EINVAL);
    fails(tcsetpgrp(t, 0x7fffff), ESRCH);
    fails(ioctl(t, TIOCSPGRP, NOWHERE), EFAULT);
    works(tcsetpgrp(t, getpgrp()));
}

TEST(window_size_change_is_signalled)
{
    struct winsize w = {.ws_row = 31, .ws_col = 101}, got;

    begin();
    signal(SIGWINCH, note);
    works(ioctl(t, TIOCSWINSZ, &w));
    same(caught, SIGWINCH);
    caught = 0;
    works(ioctl(t, TIOCSWINSZ, &w));
    same(caught, 0); /* nothing new */
    works(ioctl(t, TIOCGWINSZ, &got));
    same(got.ws_row, 31);
    same(got.ws_col, 101);
}

TEST(signal_interrupts_a_read)
{
    struct sigaction act = {.sa_handler = note};
    pid_t pid, reader = getpid();

    begin();
    works(sigaction(SIGUSR1, &act, NULL));
    CHILD (pid)
        for (int i = 0; i < 50; i++) {
            pause_a_little();
            kill(reader, SIGUSR1);
        }
    fails(read(t, buf, 10), EINTR);
    signal(SIGUSR1, SIG_IGN);
    exits(pid, 0);
}

TEST(leader_s_end_takes_the_terminal_away)
{
    int p[2];
    pid_t pid;

    begin();
    works(pipe(p));
    CHILD (pid) {
        begin(); /* another session takes it over */
        pid_t follower = works(fork());
        if (follower == 0) {
            signal(SIGHUP, note);
            same(write(p[1], "r", 1), 1);
            wait_until(caught == SIGHUP);
            wait_until(open("/dev/tty", O_RDWR) < 0);
            same(errno, ENXIO);
            same(write(p[1], "y", 1), 1);
            _exit(0);
        }
        same(word_from(p[0]), 'r');
    }
    exits(pid, 0);
    same(word_from(p[0]), 'y');
}

TEST(hangup_kills_what_was_open)
{
    begin();
    signal(SIGHUP, note);
    works(ioctl(t, TIOCVHANGUP));
    same(caught, SIGHUP);
    same(read(t, buf, 1), 0);
    fails(write(t, "x", 1), EIO);
    fails(tcgetattr(t, &tio), EIO);
    fails(tcsetpgrp(t, getpgrp()), ENOTTY);
    struct pollfd end = {.fd = t, .events = POLLIN};
    same(poll(&end, 1, 0), 1);
    check(end.revents & POLLHUP, "POLLHUP");
    fails(open("/dev/tty", O_RDWR), ENXIO);
}

TEST(a_line_sends_sigio_to_the_owner)
{
    struct sigaction a = {.sa_handler = note};
    begin();
    caught = 0;
    works(sigaction(SIGIO, &a, NULL));
    works(fcntl(t, F_SETOWN, getpid()));
    same(fcntl(t, F_GETOWN), getpid());
    works(fcntl(t, F_SETFL, fcntl(t, F_GETFL) | O_ASYNC));
    same(caught, 0);
    type("a\n");
    wait_until(caught == SIGIO);
    works(sigaction(SIGUSR1, &a, NULL));
    works(fcntl(t, F_SETSIG, SIGUSR1));
    works(tcflush(t, TCIFLUSH));
    caught = 0;
    type("b\n");
    wait_until(caught == SIGUSR1);
    works(fcntl(t, F_SETFL, fcntl(t, F_GETFL) & ~O_ASYNC));
    caught = 0;
    type("c\n");
    char c[10];
    same(read(t, c, sizeof(c)), 2); /* there it was, in silence */
    same(caught, 0);
}

TEST(it_has_no_offset)
{
    begin();
    fails(lseek(t, 0, SEEK_SET), ESPIPE);
    fails(pread(t, buf, 1, 0), ESPIPE);
    fails(ioctl(t, 0x12345, 0), ENOTTY);
    fails(ioctl(t, TCGETS, NOWHERE), EFAULT);
    fails(ioctl(t, TCFLSH, 9), EINVAL);
    fails(write(t, NOWHERE, 1), EFAULT);
}

int main(void)
{
    return tap_run("tty");
}

/*
 * probe NAME [WORD...]: a program for a shell to run. It tells the driver (drive.c), by a socket that it closes when
 * it ends, what it finds itself to be: process, parent, group, session, the terminal's foreground group,
 * the signals it ignores and blocks, the terminal's modes, and the words it was given. Then it does as told:
 *
 *     exit N    kill N (a signal to itself)    read (a byte of standard input)    write (a byte to standard output)
 *     raw       takes echo, lines and signals off the terminal
 *     cooked    the opposite    modes    tells them
 *
 * After write, whose answer may not come if nobody reads, it goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "meeting.h"

#define SWITCHES (ECHO | ICANON | ISIG)

static int driver, terminal;

static unsigned long ignored(void)
{
    unsigned long set = 0;

    for (int number = 1; number < 32; number++) {
        struct sigaction now;
        if (sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
            set |= 1ul << number;
    }
    return set;
}

static unsigned long blocked(void)
{
    unsigned long set = 0;
    sigset_t now;

    sigprocmask(SIG_BLOCK, NULL, &now);
    for (int number = 1; number < 32; number++)
        set |= sigismember(&now, number) ? 1ul << number : 0;
    return set;
}

static unsigned modes(void)
{
    struct termios now;

    return tcgetattr(terminal, &now) == 0 ? now.c_lflag & SWITCHES : 0;
}

static void introduce(int argc, char **argv)
{
    char text[MEETING_TEXT];
    int n = snprintf(
        text, sizeof(text),
        "%s pid=%d ppid=%d group=%d session=%d foreground=%d ignored=%lx blocked=%lx modes=%o words=",
        argv[1], getpid(), getppid(), getpgrp(), getsid(0), tcgetpgrp(terminal), ignored(),
        blocked(), modes());

    for (int i = 2; i < argc && n < (int)sizeof(text) - 1; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%s", i > 2 ? "," : "", argv[i]);
    send(driver, text, strlen(text), MSG_NOSIGNAL);
}

static void answer(long result)
{
    char text[32];

    snprintf(text, sizeof(text), "%ld", result < 0 ? -errno : result);
    send(driver, text, strlen(text), MSG_NOSIGNAL);
}

static void set_modes(int on)
{
    struct termios now;

    tcgetattr(terminal, &now);
    now.c_lflag = on ? now.c_lflag | SWITCHES : now.c_lflag & ~(tcflag_t)SWITCHES;
    answer(tcsetattr(terminal, TCSANOW, &now));
}

static void obey(const char *order)
{
    char byte = 'x';

    if (strncmp(order, "exit ", 5) == 0)
        _exit(atoi(order + 5));
    if (strncmp(order, "kill ", 5) == 0)
        raise(atoi(order + 5));
    else if (strcmp(order, "read") == 0)
        answer(read(STDIN_FILENO, &byte, 1));
    else if (strcmp(order, "write") == 0)
        answer(write(STDOUT_FILENO, &byte, 1));
    else if (strcmp(order, "modes") == 0)
        answer(modes());
    else
        set_modes(strcmp(order, "cooked") == 0);
}

int main(int argc, char **argv)
{
    struct sockaddr_un address;
    char order[64];
    ssize_t got;

    if (argc < 2)
        return 2;
    terminal = open(MEETING_TERMINAL, O_RDWR | O_NOCTTY | O_CLOEXEC);
    driver = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (driver < 0 || connect(driver, (struct sockaddr *)&address, meeting_place(&address)) < 0)
        return 3;
    introduce(argc, argv);
    for (;;) {
        got = recv(driver, order, sizeof(order) - 1, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return 4;
        order[got] = '\0';
        obey(order);
    }
}

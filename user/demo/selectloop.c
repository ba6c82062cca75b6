/*
 * One loop for three sources: a terminal, a pipe and a socket, whichever speaks. select() waits for all of them
 * at once. See selectloop.txt.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "demo.h"

enum { TERMINAL, PIPE, SOCKET, SOURCES };
static const char *const names[SOURCES] = {"terminal", "pipe", "socket"};

#define TURNS 6

/* The others: in each turn that they are given one of them speaks, and in the last two they end. */
static _Noreturn void speak(int pipe_fd, int socket_fd, int turns)
{
    char turn;

    for (int i = 0; need(read(turns, &turn, 1)) == 1; i++) {
        if (i >= TURNS - 2)
            need(close(i % 2 == 0 ? pipe_fd : socket_fd));
        else if (i % 2 == 0)
            need(write(pipe_fd, "from the pipe", 13));
        else
            need(write(socket_fd, "from the socket", 15));
    }
    _exit(0);
}

/* The largest open one, plus 1, as select wants it; 0: none is open. */
static int fill(fd_set *set, const int fds[SOURCES])
{
    int top = 0;

    FD_ZERO(set);
    for (int i = 0; i < SOURCES; i++)
        if (fds[i] >= 0) {
            FD_SET(fds[i], set);
            top = fds[i] >= top ? fds[i] + 1 : top;
        }
    return top;
}

/* Read what FD has; 0 at its end. */
static int listen_to(int fd, const char *name)
{
    char buffer[100];
    ssize_t n = read(fd, buffer, sizeof buffer);

    if (n <= 0) {
        printf("%s: ended\n", name);
        close(fd);
        return 0;
    }
    if (buffer[n - 1] == '\n')
        n--;
    printf("%s: \"%.*s\"\n", name, (int)n, buffer);
    return 1;
}

int main(int argc, char **argv)
{
    int fds[SOURCES], pipe_ends[2], sockets[2], turns[2], given = 0, heard[SOURCES] = {0}, top;
    fd_set ready;
    pid_t child;

    (void)argv;
    need(pipe(pipe_ends));
    need(pipe(turns));
    need(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
    child = fork_clean();
    if (child == 0) {
        need(close(turns[1]));
        speak(pipe_ends[1], sockets[1], turns[0]);
    }
    need(close(pipe_ends[1]));
    need(close(sockets[1]));
    need(close(turns[0]));
    fds[TERMINAL] = argc > 1 && isatty(STDIN_FILENO) ? STDIN_FILENO : -1;
    fds[PIPE] = pipe_ends[0];
    fds[SOCKET] = sockets[0];
    while ((top = fill(&ready, fds)) > 0) {
        if (given++ < TURNS)
            need(write(turns[1], "", 1));
        need(select(top, &ready, NULL, NULL, NULL));
        for (int i = 0; i < SOURCES; i++) {
            if (fds[i] < 0 || !FD_ISSET(fds[i], &ready))
                continue;
            if (listen_to(fds[i], names[i]))
                heard[i]++;
            else
                fds[i] = -1;
        }
    }
    need(close(turns[1]));
    claim(end_of(child) == 0 && heard[PIPE] > 0 && heard[SOCKET] > 0);
    return shown();
}

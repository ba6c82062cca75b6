/*
 * poll and epoll on a pipe: who sleeps in them is woken, and by what.
 *
 *     polls N     N: bytes written, 2 to 60
 */
#include "scene.h"

#include <poll.h>
#include <sys/epoll.h>

static int ends[2];
static unsigned char buffer[PAGE];

static int poll_for(int fd, short events, int timeout)
{
    struct pollfd p = {.fd = fd, .events = events};
    int n = poll(&p, 1, timeout);

    return n <= 0 ? n : p.revents;
}

static int reader(void *key)
{
    close(ends[1]);
    lab_report(key, "%x", (unsigned)poll_for(ends[0], POLLIN, -1));
    return 0;
}

static int writer(void *key)
{
    close(ends[0]);
    lab_report(key, "%x", (unsigned)poll_for(ends[1], POLLOUT, -1));
    return 0;
}

static void fill_up(void)
{
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 100000 && write(ends[1], buffer, 64) == 64; i++)
        ;
}

enum event { WRITE, READ, CLOSE_READER, CLOSE_WRITER };

/* PART polls and sleeps; then EVENT happens. */
static void woken_by(int (*part)(void *), char *key, enum event event)
{
    pipe(ends);
    if (part == writer)
        fill_up();
    pid_t pid = start(part, key);
    char state = settle(pid);
    switch (event) {
    case WRITE: write(ends[1], buffer, 1); break;
    case READ: read(ends[0], buffer, PAGE); break;
    case CLOSE_READER: close(ends[0]); break;
    case CLOSE_WRITER: close(ends[1]); break;
    }
    lab_report("fate", "%s %c %s", key, state, fate(pid));
    close(ends[0]);
    close(ends[1]);
}

/* Edges: one for each arrival, and none for what is only left over. */
static void edges(int n)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET}, out;
    int set = epoll_create1(0);

    pipe2(ends, O_NONBLOCK);
    epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event);
    write(ends[1], buffer, (size_t)n);
    int first = epoll_wait(set, &out, 1, 0);
    int again = epoll_wait(set, &out, 1, 0);
    read(ends[0], buffer, 1);
    int left_over = epoll_wait(set, &out, 1, 0);
    write(ends[1], buffer, 1);
    int second = epoll_wait(set, &out, 1, 0);
    lab_report("edges", "%d %d %d %d", first, again, left_over, second);
    close(set);
    close(ends[0]);
    close(ends[1]);
}

/* A FIFO that nobody has written to is not hung up; afterwards it is, until the next writer comes. */
static void hangups(void)
{
    unsigned seen[4];

    mkfifo("/tmp/polled", 0600);
    int in = open("/tmp/polled", O_RDONLY | O_NONBLOCK);
    seen[0] = (unsigned)poll_for(in, POLLIN, 0);
    int out = open("/tmp/polled", O_WRONLY | O_NONBLOCK);
    seen[1] = (unsigned)poll_for(in, POLLIN, 0);
    close(out);
    seen[2] = (unsigned)poll_for(in, POLLIN, 0);
    out = open("/tmp/polled", O_WRONLY | O_NONBLOCK);
    seen[3] = (unsigned)poll_for(in, POLLIN, 0);
    lab_report("hangups", "%x %x %x %x", seen[0], seen[1], seen[2], seen[3]);
    close(in);
    close(out);
    unlink("/tmp/polled");
}

int main(int argc, char **argv)
{
    (void)argc;
    signal(SIGPIPE, SIG_IGN);
    woken_by(reader, "bytes", WRITE);
    woken_by(reader, "end", CLOSE_WRITER);
    woken_by(writer, "room", READ);
    woken_by(writer, "nobody", CLOSE_READER);
    edges(atoi(argv[1]));
    hangups();
    return 0;
}

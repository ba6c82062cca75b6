/* musl: what SIGIO says of a socket: data, room, an error, the urgent byte, and the end one way or both. */
#define _GNU_SOURCE
#include "inet_stream.h"

#include <sys/epoll.h>

#define SIG SIGRTMIN

static siginfo_t info;

/* FD tells this process by SIG, which is blocked and waits in the queue. */
static void tell_by(int fd)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIG);
    works(sigprocmask(SIG_BLOCK, &set, NULL));
    works(fcntl(fd, F_SETOWN, getpid()));
    works(fcntl(fd, F_SETSIG, SIG));
    works(fcntl(fd, F_SETFL, works(fcntl(fd, F_GETFL)) | O_ASYNC));
}

/* The code of the next signal; 0 when none is there within MS milliseconds, -1: however long it takes. */
static int next_code(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIG);
    if (sigtimedwait(&set, &info, ms < 0 ? NULL : &t) != SIG)
        return 0;
    return info.si_code;
}

/* CODE comes as the next news of FD, with the band BAND. */
static void told(int fd, int code, long band)
{
    same(next_code(-1), code);
    same(info.si_fd, fd);
    same(info.si_band, band);
}

#define IN POLL_IN, POLLIN | POLLRDNORM
#define OUT POLL_OUT, POLLOUT | POLLWRNORM | POLLWRBAND
#define ERR POLL_ERR, POLLERR
#define PRI POLL_PRI, POLLPRI | POLLRDBAND
#define HUP POLL_HUP, POLLHUP | POLLERR

static void forget(void)
{
    while (next_code(0))
        ;
}

static int a, b; /* the two ends; A tells */

static void local_pair(int type)
{
    int fd[2];
    works(socketpair(AF_UNIX, type, 0, fd));
    a = fd[0], b = fd[1];
    tell_by(a);
}

static void tcp_pair(void)
{
    int end[2];
    stream_pair(end);
    b = end[0], a = end[1];
    tell_by(a);
}

/* --- the Internet's streams --- */

TEST(a_listener_says_that_somebody_calls)
{
    int listener = stream_listener(5), fd = inet_fresh(TCP);
    tell_by(listener);
    works(inet_connect(fd, LOOP, inet_port(listener)));
    told(listener, IN);
}

TEST(a_call_that_is_answered_may_be_written_to)
{
    int listener = stream_listener(5), fd = inet_fresh(TCP);
    tell_by(fd);
    works(inet_connect(fd, LOOP, inet_port(listener)));
    told(fd, OUT);
}

TEST(a_call_that_is_refused_is_an_error)
{
    int fd = inet_fresh(TCP);
    tell_by(fd);
    fails(inet_connect(fd, LOOP, inet_closed_port(TCP)), ECONNREFUSED);
    told(fd, ERR);
}

TEST(data_says_in_and_reading_it_nothing)
{
    char c;
    tcp_pair();
    same(write(b, "x", 1), 1);
    told(a, IN);
    same(read(a, &c, 1), 1);
    same(next_code(0), 0);
}

TEST(the_peers_end_says_in)
{
    tcp_pair();
    works(shutdown(b, SHUT_WR));
    told(a, IN);
    forget();
    works(shutdown(a, SHUT_WR));
    same(next_code(0), 0); /* one's own doing is no news */
}

TEST(the_peers_end_after_ones_own_hangs_up)
{
    tcp_pair();
    works(shutdown(a, SHUT_WR));
    same(next_code(0), 0);
    works(shutdown(b, SHUT_WR));
    told(a, HUP);
}

TEST(a_reset_is_an_error)
{
    tcp_pair();
    stream_reset(b);
    told(a, ERR);
}

TEST(the_urgent_byte_is_pri)
{
    tcp_pair();
    signal(SIGURG, SIG_IGN);
    same(send(b, "x", 1, MSG_OOB), 1);
    told(a, PRI);
}

TEST(room_says_out)
{
    static char big[65536];
    tcp_pair();
    works(fcntl(a, F_SETFL, O_NONBLOCK | O_ASYNC));
    while (write(a, big, sizeof(big)) > 0)
        ;
    forget();
    while (!next_code(0))
        check(recv(b, big, sizeof(big), 0) > 0, "there is more, or room would have been told of");
    same(info.si_code, POLL_OUT);
}

/* --- local ones --- */

TEST(a_local_end_one_way_says_in_and_both_ways_hup)
{
    static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};
    for (int i = 0; i < 2; i++) {
        local_pair(types[i]);
        works(shutdown(b, SHUT_WR));
        told(a, IN);
        same(next_code(0), 0);
        works(close(b));
        told(a, HUP);
        same(next_code(0), 0);
        works(close(a));
    }
}

TEST(a_local_peer_that_goes_hangs_up)
{
    local_pair(SOCK_STREAM);
    works(close(b));
    told(a, HUP);
    local_pair(SOCK_STREAM);
    works(shutdown(b, SHUT_RDWR));
    told(a, HUP);
    same(next_code(0), 0);
}

TEST(a_local_peer_that_reads_no_more_is_no_news)
{
    local_pair(SOCK_STREAM);
    works(shutdown(b, SHUT_RD));
    same(next_code(0), 0);
    works(shutdown(a, SHUT_RDWR));
    same(next_code(0), 0);
}

TEST(a_local_datagram_says_in_and_its_senders_end_nothing)
{
    local_pair(SOCK_DGRAM);
    same(write(b, "x", 1), 1);
    told(a, IN);
    works(close(b));
    same(next_code(0), 0);
}

/* --- edges --- */

/* A set that watches FD for edges of EVENTS; what it has to say at first is taken. */
static int edges_of(int fd, uint32_t events)
{
    struct epoll_event e = {.events = events | EPOLLET, .data.fd = fd};
    int set = works(epoll_create1(0));
    works(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e));
    epoll_wait(set, &e, 1, 0);
    return set;
}

static uint32_t next_edge(int set, int ms)
{
    struct epoll_event e;
    return works(epoll_wait(set, &e, 1, ms)) ? e.events : 0;
}

/* Half of what is there is read: what is left is no news, and that there is room is nobody's. */
static void read_half(int set)
{
    char two[2];
    same(write(b, "12", 2), 2);
    same(next_edge(set, -1) & EPOLLIN, EPOLLIN);
    same(read(a, two, 1), 1);
    same(next_edge(set, 0), 0);
    same(read(a, two, 1), 1);
    same(next_edge(set, 0), 0);
}

TEST(what_a_reader_leaves_is_no_edge)
{
    tcp_pair();
    read_half(edges_of(a, EPOLLIN | EPOLLOUT));
    local_pair(SOCK_STREAM);
    read_half(edges_of(a, EPOLLIN));
}

TEST(a_caller_that_is_left_waiting_is_no_edge)
{
    int listener = stream_listener(5), set = edges_of(listener, EPOLLIN);
    for (int i = 0; i < 2; i++)
        works(inet_connect(inet_fresh(TCP), LOOP, inet_port(listener)));
    same(next_edge(set, -1), EPOLLIN);
    works(accept(listener, NULL, NULL));
    same(next_edge(set, 0), 0);
}

int main(void)
{
    return tap_run("sigio_sockets");
}

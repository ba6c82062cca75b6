/* How connections begin and end: states, both calling, half-close, resets, lingering, TIME-WAIT, and ports. */
#define _GNU_SOURCE
#include "inet.h"
#include "inet_stream.h"

#include <sys/time.h>
#include <time.h>

static long milliseconds(void)
{
    struct timespec now;
    works(clock_gettime(CLOCK_MONOTONIC, &now));
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void closes_to(int fd, int state)
{
    wait_until(stream_state(fd) == state);
}

/* --- states --- */

TEST(the_one_who_closes_first_waits)
{
    int end[2];
    stream_pair(end);
    works(shutdown(end[0], SHUT_WR));
    closes_to(end[0], TCP_FIN_WAIT2);
    closes_to(end[1], TCP_CLOSE_WAIT);
    works(shutdown(end[1], SHUT_WR));
    closes_to(end[1], TCP_CLOSE);
    /* What is left of the first in TIME-WAIT is no socket any more. */
    check(stream_state(end[0]) == TCP_CLOSE || stream_state(end[0]) == TCP_TIME_WAIT, "state %d",
          stream_state(end[0]));
}

TEST(half_closed_moves_much)
{
    int end[2];
    char c;
    stream_pair(end);
    works(shutdown(end[0], SHUT_WR));
    same(read(end[1], &c, 1), 0);
    stream_move(end[1], end[0], 300000);
    same(read(end[1], &c, 1), 0); /* the end stays the end */
}

TEST(data_before_the_end_comes_first)
{
    int end[2];
    char c[8];
    stream_pair(end);
    same(write(end[0], "last", 4), 4);
    works(close(end[0]));
    closes_to(end[1], TCP_CLOSE_WAIT);
    same(read(end[1], c, 8), 4);
    same(read(end[1], c, 8), 0);
    same(read(end[1], c, 8), 0);
}

TEST(writing_after_the_peers_end_is_allowed)
{
    int end[2];
    char c[8];
    stream_pair(end);
    works(shutdown(end[1], SHUT_WR));
    closes_to(end[0], TCP_CLOSE_WAIT);
    same(inet_ready(end[0], 0), POLLIN | POLLOUT | POLLRDHUP);
    same(write(end[0], "still", 5), 5);
    inet_await(end[1]);
    same(read(end[1], c, 8), 5);
}

TEST(dup_keeps_a_connection)
{
    int end[2], copy;
    char c;
    stream_pair(end);
    copy = works(dup(end[0]));
    works(close(end[0]));
    fails(recv(end[1], &c, 1, MSG_DONTWAIT), EAGAIN);
    same(write(copy, "x", 1), 1);
    inet_await(end[1]);
    same(read(end[1], &c, 1), 1);
    works(close(copy));
    inet_await(end[1]);
    same(read(end[1], &c, 1), 0);
}

TEST(shutdown_ends_it_for_copies_too)
{
    int end[2], copy;
    char c;
    stream_pair(end);
    copy = works(dup(end[0]));
    works(shutdown(copy, SHUT_WR));
    fails(send(end[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    inet_await(end[1]);
    same(read(end[1], &c, 1), 0);
}

/* The first to call hears no refusal (who wants a higher TTL hears nothing), until the other calls too. */
TEST(both_may_call)
{
    int a = inet_bound(TCP, LOOP), b = inet_bound(TCP, LOOP);
    char c;
    works(fcntl(a, F_SETFL, O_NONBLOCK));
    works(inet_set(a, IPPROTO_IP, IP_MINTTL, 255));
    fails(inet_connect(a, LOOP, inet_port(b)), EINPROGRESS);
    same(stream_state(a), TCP_SYN_SENT);
    works(inet_set(a, IPPROTO_IP, IP_MINTTL, 0));
    works(inet_connect(b, LOOP, inet_port(a)));
    same(stream_state(b), TCP_ESTABLISHED);
    wait_until(stream_state(a) == TCP_ESTABLISHED);
    works(inet_connect(a, LOOP, inet_port(b))); /* it has ended well */
    same(write(a, "a", 1), 1);
    same(read(b, &c, 1), 1);
    same(c, 'a');
    stream_move(b, a, 100000);
}

/* --- resets --- */

TEST(data_for_a_closed_socket_is_reset)
{
    int end[2];
    char c;
    stream_pair(end);
    works(close(end[1]));
    inet_await(end[0]);
    same(read(end[0], &c, 1), 0); /* an orderly end so far */
    same(write(end[0], "x", 1), 1);
    wait_until(inet_ready(end[0], 0) & POLLERR);
    same(inet_option(end[0], SOL_SOCKET, SO_ERROR), EPIPE); /* it had been told */
}

TEST(a_reset_behind_the_peers_end_is_for_who_sends)
{
    int end[2];
    char c;
    stream_pair(end);
    same(send(end[1], "z", 1, 0), 1);
    works(close(end[1]));
    wait_until(inet_ready(end[0], 0) & POLLRDHUP);
    same(write(end[0], "x", 1), 1);
    wait_until(inet_ready(end[0], 0) & POLLERR);
    same(read(end[0], &c, 1), 1);
    same(read(end[0], &c, 1), 0); /* nothing that was sent is missing */
    same(read(end[0], &c, 1), 0);
    same(inet_option(end[0], SOL_SOCKET, SO_ERROR), EPIPE);
    fails(send(end[0], "x", 1, MSG_NOSIGNAL), EPIPE);
}

TEST(unread_bytes_reset_even_after_the_peers_end)
{
    int end[2];
    stream_pair(end);
    same(write(end[0], "x", 1), 1);
    works(shutdown(end[0], SHUT_WR));
    closes_to(end[1], TCP_CLOSE_WAIT);
    works(close(end[1]));
    wait_until(inet_ready(end[0], 0) & POLLERR);
    same(inet_option(end[0], SOL_SOCKET, SO_ERROR), ECONNRESET);
}

TEST(what_was_read_before_a_reset_counts)
{
    int end[2];
    char c[8];
    stream_pair(end);
    same(write(end[1], "abc", 3), 3);
    inet_await(end[0]);
    stream_reset(end[1]);
    wait_until(inet_ready(end[0], 0) & POLLERR);
    same(read(end[0], c, 8), 3);
    fails(read(end[0], c, 8), ECONNRESET);
    same(read(end[0], c, 8), 0);
}

TEST(an_accepted_connection_may_be_dead)
{
    int l = stream_listener(1), fd = inet_fresh(TCP), other;
    char c;
    works(inet_connect(fd, LOOP, inet_port(l)));
    same(write(fd, "x", 1), 1);
    inet_await(l);
    stream_reset(fd);
    works(fcntl(l, F_SETFL, O_NONBLOCK));
    other = works(accept(l, NULL, NULL)); /* it stays in the queue */
    same(read(other, &c, 1), 1);
    fails(read(other, &c, 1), ECONNRESET);
}

/* Those who are waiting to be accepted; it may then listen again. */
TEST(shutting_a_listener_for_reading_resets_its_callers)
{
    int l = stream_listener(4), fd[3];
    char c;
    for (int i = 0; i < 3; i++) {
        fd[i] = inet_fresh(TCP);
        works(inet_connect(fd[i], LOOP, inet_port(l)));
    }
    works(shutdown(l, SHUT_WR));
    same(inet_ready(fd[0], 0), POLLOUT);
    works(shutdown(l, SHUT_RD));
    for (int i = 0; i < 3; i++) {
        inet_await(fd[i]);
        fails(read(fd[i], &c, 1), ECONNRESET);
    }
    works(listen(l, 4));
    int again = inet_fresh(TCP);
    works(inet_connect(again, LOOP, inet_port(l)));
    works(accept(l, NULL, NULL));
}

TEST(reset_wakes_a_writer)
{
    int end[2];
    static char much[1 << 20];
    pid_t pid;
    stream_pair(end);
    works(inet_set(end[0], SOL_SOCKET, SO_SNDBUF, 8192));
    CHILD (pid) {
        works(close(end[0]));
        wait_until(inet_ready(end[1], 0) & POLLIN);
        pause_a_little();
        stream_reset(end[1]);
    }
    works(close(end[1]));
    ssize_t n, sent = 0;
    while ((n = send(end[0], much, sizeof(much), MSG_NOSIGNAL)) > 0)
        sent += n;
    check(errno == ECONNRESET || errno == EPIPE, "errno %d after %zd bytes", errno, sent);
    exits(pid, 0);
}

/* --- lingering --- */

TEST(close_does_not_wait)
{
    int end[2];
    static char much[1 << 20];
    stream_pair(end);
    works(fcntl(end[0], F_SETFL, O_NONBLOCK));
    ssize_t sent = works(send(end[0], much, sizeof(much), 0)), got = 0, n;
    works(close(end[0]));
    while ((n = works(read(end[1], much, sizeof(much)))) > 0)
        got += n;
    same(got, sent);
}

TEST(linger_waits_for_the_peer)
{
    int end[2];
    static char much[1 << 20];
    struct linger l = {1, 100};
    int closed[2];
    pid_t pid;
    char c;
    stream_pair(end);
    works(pipe(closed));
    works(setsockopt(end[0], SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
    works(inet_set(end[0], SOL_SOCKET, SO_SNDBUF, 65536));
    works(inet_set(end[1], SOL_SOCKET, SO_RCVBUF, 65536));
    works(fcntl(end[0], F_SETFL, O_NONBLOCK));
    while (send(end[0], much, sizeof(much), 0) > 0)
        ;
    works(fcntl(end[0], F_SETFL, 0));
    CHILD (pid) {
        works(close(end[0]));
        works(close(closed[0]));
        works(close(closed[1]));
        pause_a_little();
        while (works(read(end[1], much, sizeof(much))) > 0)
            ;
    }
    works(close(closed[1]));
    same(read(closed[0], &c, 1), 0); /* who closes last lingers: that must not be the child */
    works(close(end[1]));
    long before = milliseconds();
    works(close(end[0]));
    works(close(closed[0]));
    check(milliseconds() - before < 90000, "it lingered though all was acknowledged");
    exits(pid, 0);
}

TEST(linger_has_an_end)
{
    int end[2];
    static char much[1 << 20];
    struct linger l = {1, 1};
    stream_pair(end);
    works(setsockopt(end[0], SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
    works(fcntl(end[0], F_SETFL, O_NONBLOCK));
    while (send(end[0], much, sizeof(much), 0) > 0)
        ;
    works(fcntl(end[0], F_SETFL, 0));
    long before = milliseconds();
    works(close(end[0])); /* nobody reads */
    long took = milliseconds() - before;
    check(took >= 900 && took < 60000, "%ld ms", took);
}

/* --- ports --- */

TEST(ephemeral_ports_are_ephemeral)
{
    int l = stream_listener(64), seen = 0, last = 0;
    for (int i = 0; i < 40; i++) {
        int fd = inet_fresh(TCP);
        works(inet_connect(fd, LOOP, inet_port(l)));
        int port = inet_port(fd);
        check(port >= 32768, "port %d", port);
        seen += port - last > 4 || last - port > 4;
        last = port;
    }
    check(seen > 20, "they can be guessed");
}

/* A peer that has closed first may remember a call for a while, and refuse another from the same port. */
TEST(calls_to_one_place_take_other_ports)
{
    enum { CALLS = 1000 };
    static unsigned char taken[65536];
    const struct linger now = {1, 0};
    int l = stream_listener(4);

    for (int i = 0; i < CALLS; i++) {
        int fd = inet_fresh(TCP);
        works(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
        works(inet_connect(fd, LOOP, inet_port(l)));
        int port = inet_port(fd);
        check(!taken[port], "port %d again, at call %d", port, i);
        taken[port] = 1;
        works(close(works(accept(l, NULL, NULL))));
        works(close(fd));
    }
}

TEST(a_listeners_port_is_shared_with_its_children)
{
    int l = stream_listener(1), fd = inet_fresh(TCP), port = inet_port(l), again;
    works(inet_connect(fd, LOOP, port));
    int other = works(accept(l, NULL, NULL));
    same(inet_port(other), port);
    works(close(l));
    again = inet_fresh(TCP);
    fails(inet_bind(again, LOOP, port), EADDRINUSE); /* the child is still there */
    works(inet_set(again, SOL_SOCKET, SO_REUSEADDR, 1));
    fails(inet_bind(again, LOOP, port), EADDRINUSE); /* it didn't agree */
}

TEST(reuseaddr_takes_a_childs_port)
{
    int l = inet_fresh(TCP), fd = inet_fresh(TCP), again = inet_fresh(TCP);
    works(inet_set(l, SOL_SOCKET, SO_REUSEADDR, 1));
    works(inet_bind(l, LOOP, 0));
    works(listen(l, 1));
    int port = inet_port(l);
    works(inet_connect(fd, LOOP, port));
    works(accept(l, NULL, NULL));
    works(inet_set(again, SOL_SOCKET, SO_REUSEADDR, 1));
    fails(inet_bind(again, LOOP, port), EADDRINUSE); /* while it listens */
    works(close(l));
    works(inet_bind(again, LOOP, port));
    works(listen(again, 1));
}

TEST(time_wait_keeps_a_port_from_servers)
{
    int l = stream_listener(1), fd = inet_fresh(TCP), port = inet_port(l), again = inet_fresh(TCP);
    works(inet_set(l, SOL_SOCKET, SO_REUSEADDR, 1)); /* what is left of it must agree too */
    works(inet_connect(fd, LOOP, port));
    int other = works(accept(l, NULL, NULL));
    works(shutdown(other, SHUT_WR)); /* the server ends it first */
    closes_to(other, TCP_FIN_WAIT2);
    works(close(other));
    works(close(fd));
    works(close(l));
    fails(inet_bind(again, LOOP, port), EADDRINUSE);
    works(inet_set(again, SOL_SOCKET, SO_REUSEADDR, 1));
    works(inet_bind(again, LOOP, port));
    works(listen(again, 1));
}

TEST(reuseaddr_of_bound_sockets)
{
    int a = inet_fresh(TCP), b = inet_fresh(TCP);
    works(inet_set(a, SOL_SOCKET, SO_REUSEADDR, 1));
    works(inet_set(b, SOL_SOCKET, SO_REUSEADDR, 1));
    works(inet_bind(a, LOOP, 0));
    works(inet_bind(b, LOOP, inet_port(a))); /* both agree, and none listens */
    works(listen(a, 1));
    fails(listen(b, 1), EADDRINUSE);
}

TEST(reuseport_shares_callers)
{
    int a = inet_fresh(TCP), b = inet_fresh(TCP), c = inet_fresh(TCP), got[2] = {0, 0};
    works(inet_set(a, SOL_SOCKET, SO_REUSEPORT, 1));
    works(inet_set(b, SOL_SOCKET, SO_REUSEPORT, 1));
    works(inet_bind(a, LOOP, 0));
    int port = inet_port(a);
    fails(inet_bind(c, LOOP, port), EADDRINUSE); /* who didn't ask */
    works(inet_bind(b, LOOP, port));
    works(listen(a, 100));
    works(listen(b, 100));
    for (int i = 0; i < 60; i++) {
        works(inet_connect(inet_fresh(TCP), LOOP, port));
        struct pollfd p[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
        same(poll(p, 2, 60000), 1);
        int which = p[1].revents != 0;
        works(accept(which ? b : a, NULL, NULL));
        got[which]++;
    }
    check(got[0] && got[1], "%d and %d", got[0], got[1]);
}

TEST(another_address_is_another_port)
{
    int a = inet_bound(TCP, LOOP), b = inet_fresh(TCP), c = inet_fresh(TCP), port = inet_port(a);
    works(inet_bind(b, LOOP + 1, port));
    fails(inet_bind(c, INADDR_ANY, port), EADDRINUSE);
}

TEST(the_nearer_listener_answers)
{
    int any = inet_bound(TCP, INADDR_ANY), near = inet_fresh(TCP), port = inet_port(any);
    works(inet_set(any, SOL_SOCKET, SO_REUSEADDR, 1));
    works(inet_set(near, SOL_SOCKET, SO_REUSEADDR, 1));
    works(inet_bind(near, LOOP + 9, port));
    works(listen(near, 4));
    fails(listen(any, 4), EADDRINUSE); /* for one of them listens there already */
    works(inet_connect(inet_fresh(TCP), LOOP + 9, port));
    inet_await(near);
    fails(inet_connect(inet_fresh(TCP), LOOP, port), ECONNREFUSED);
}

TEST(a_call_may_choose_its_port)
{
    int l = stream_listener(1), fd = inet_bound(TCP, LOOP + 5), port = inet_port(fd);
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    works(inet_connect(fd, LOOP, inet_port(l)));
    works(accept(l, (struct sockaddr *)&from, &len));
    same(ntohs(from.sin_port), port);
    same(ntohl(from.sin_addr.s_addr), LOOP + 5);
}

TEST(the_same_tuple_lives_again)
{
    /* The caller ends it first and waits; a younger call from the same port may begin meanwhile. */
    int l = stream_listener(4), port = inet_port(l), fd, other, own = 0;
    struct timespec second = {1, 100000000};
    char c;
    for (int i = 0; i < 2; i++) {
        fd = inet_fresh(TCP);
        works(inet_set(fd, SOL_SOCKET, SO_REUSEADDR, 1));
        works(inet_bind(fd, LOOP, own));
        own = inet_port(fd);
        works(inet_connect(fd, LOOP, port));
        other = works(accept(l, NULL, NULL));
        works(shutdown(fd, SHUT_WR));
        same(read(other, &c, 1), 0);
        works(close(other));
        works(close(fd));
        works(nanosleep(&second, NULL)); /* its timestamps must have moved: RFC 6191 */
    }
}

/* --- urgent data --- */

static volatile sig_atomic_t urgents;
static void on_urgent(int signo)
{
    urgents += signo == SIGURG;
}

TEST(sigurg_goes_to_the_owner)
{
    int end[2];
    char c;
    struct sigaction sa = {.sa_handler = on_urgent};
    works(sigaction(SIGURG, &sa, NULL));
    stream_pair(end);
    same(send(end[0], "1", 1, MSG_OOB), 1);
    struct pollfd p = {end[1], POLLPRI, 0};
    same(poll(&p, 1, 60000), 1);
    same(urgents, 0); /* nobody owns it */
    works(fcntl(end[1], F_SETOWN, getpid()));
    same(fcntl(end[1], F_GETOWN), getpid());
    same(send(end[0], "2", 1, MSG_OOB), 1);
    wait_until(urgents > 0);
    same(recv(end[1], &c, 1, MSG_OOB), 1);
    same(c, '2');
}

TEST(urgent_in_line)
{
    int end[2], mark;
    char c[8];
    stream_pair(end);
    works(inet_set(end[1], SOL_SOCKET, SO_OOBINLINE, 1));
    same(write(end[0], "ab", 2), 2);
    same(send(end[0], "!", 1, MSG_OOB), 1);
    same(write(end[0], "cd", 2), 2);
    wait_until((works(ioctl(end[1], FIONREAD, &mark)), mark == 5 || mark == 2));
    fails(recv(end[1], c, 1, MSG_OOB), EINVAL);
    same(read(end[1], c, 8), 2); /* up to the mark */
    works(ioctl(end[1], SIOCATMARK, &mark));
    same(mark, 1);
    wait_until(recv(end[1], c, 8, MSG_PEEK) == 3);
    same(read(end[1], c, 8), 3);
    same(memcmp(c, "!cd", 3), 0);
    works(ioctl(end[1], SIOCATMARK, &mark));
    same(mark, 0);
}

TEST(only_the_last_byte_is_urgent)
{
    int end[2];
    char c[8];
    stream_pair(end);
    same(send(end[0], "abc", 3, MSG_OOB), 3);
    struct pollfd p = {end[1], POLLPRI, 0};
    same(poll(&p, 1, 60000), 1);
    same(recv(end[1], c, 8, MSG_OOB), 1);
    same(c[0], 'c');
    fails(recv(end[1], c, 8, MSG_OOB), EINVAL); /* once */
    same(read(end[1], c, 8), 2);
    same(memcmp(c, "ab", 2), 0);
}

TEST(urgent_may_be_peeked)
{
    int end[2];
    char c;
    stream_pair(end);
    same(send(end[0], "u", 1, MSG_OOB), 1);
    struct pollfd p = {end[1], POLLPRI, 0};
    same(poll(&p, 1, 60000), 1);
    same(recv(end[1], &c, 1, MSG_OOB | MSG_PEEK), 1);
    same(recv(end[1], &c, 1, MSG_OOB), 1);
    same(c, 'u');
}

int main(void)
{
    return tap_run("tcp_ends");
}

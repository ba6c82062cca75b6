/* musl: UDP: who is told, and how, that a datagram or an error has come; and which ports the kernel chooses. */
#define _GNU_SOURCE
#include "inet_datagram.h"

#include <pthread.h>
#include <sys/epoll.h>

static volatile int count, last_code, last_fd;

static void note(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    last_code = info->si_code;
    last_fd = info->si_fd;
    count++;
}

/* FD tells this process by SIG when something happens. */
static void tell_by(int fd, int sig)
{
    struct sigaction a = {.sa_flags = SA_SIGINFO | SA_RESTART};
    a.sa_sigaction = note;
    works(sigaction(sig, &a, NULL));
    works(fcntl(fd, F_SETOWN, getpid()));
    works(fcntl(fd, F_SETSIG, sig));
    works(fcntl(fd, F_SETFL, O_ASYNC));
}

static void await_signal(int n)
{
    while (count < n)
        sched_yield();
}

TEST(a_datagram_is_told_by_a_signal)
{
    int to = inet_bound(UDP, LOOP), fd = inet_fresh(UDP);
    tell_by(to, SIGUSR1);
    for (int i = 1; i <= 20; i++) {
        works(inet_send_to(fd, LOOP, inet_port(to), "x", 1));
        await_signal(i);
        same(last_code, POLL_IN);
        same(last_fd, to);
        same(recv(to, big, 10, MSG_DONTWAIT), 1);
    }
    same(count, 20);
}

TEST(a_refusal_is_told_by_a_signal)
{
    int fd = inet_fresh(UDP);
    works(inet_connect(fd, LOOP, inet_closed_port(UDP)));
    tell_by(fd, SIGUSR1);
    same(send(fd, "x", 1, 0), 1);
    await_signal(1);
    same(last_code, POLL_ERR);
    same(last_fd, fd);
    same(inet_ready(fd, 0) & POLLERR, POLLERR);
    fails(recv(fd, big, 1, 0), ECONNREFUSED);
}

TEST(who_does_not_ask_gets_no_signal)
{
    int to = inet_bound(UDP, LOOP), fd = inet_fresh(UDP);
    tell_by(to, SIGUSR1);
    works(fcntl(to, F_SETFL, 0));
    works(inet_send_to(fd, LOOP, inet_port(to), "x", 1));
    inet_await(to);
    same(count, 0);
}

/* A set that watches FD for EVENTS. */
static int watching(int fd, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.fd = fd};
    int set = works(epoll_create1(0));
    works(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e));
    return set;
}

static uint32_t next_event(int set, int timeout)
{
    struct epoll_event e;
    int n = works(epoll_wait(set, &e, 1, timeout));
    return n ? e.events : 0;
}

TEST(epoll_tells_as_long_as_there_is_something)
{
    int to = inet_bound(UDP, LOOP), fd = inet_fresh(UDP), set = watching(to, EPOLLIN);
    same(next_event(set, 0), 0);
    works(inet_send_to(fd, LOOP, inet_port(to), "1", 1));
    works(inet_send_to(fd, LOOP, inet_port(to), "2", 1));
    same(next_event(set, -1), EPOLLIN);
    same(recv(to, big, 10, 0), 1);
    same(next_event(set, -1), EPOLLIN);
    same(recv(to, big, 10, 0), 1);
    same(next_event(set, 0), 0);
}

TEST(an_edge_is_told_once_and_each_datagram_is_one)
{
    int to = inet_bound(UDP, LOOP), fd = inet_fresh(UDP), set = watching(to, EPOLLIN | EPOLLET);
    works(inet_send_to(fd, LOOP, inet_port(to), "1", 1));
    same(next_event(set, -1), EPOLLIN);
    same(next_event(set, 0), 0);
    works(inet_send_to(fd, LOOP, inet_port(to), "2", 1));
    same(next_event(set, -1), EPOLLIN);
    same(next_event(set, 0), 0);
    same(recv(to, big, 10, 0), 1);
    same(next_event(set, 0), 0); /* the other one is no news */
}

TEST(epoll_tells_of_errors_unasked)
{
    int fd = inet_fresh(UDP), set;
    works(inet_connect(fd, LOOP, inet_closed_port(UDP)));
    set = watching(fd, 0);
    same(send(fd, "x", 1, 0), 1);
    same(next_event(set, -1), EPOLLERR);
    fails(recv(fd, big, 1, MSG_DONTWAIT), ECONNREFUSED);
    same(next_event(set, 0), 0);
}

static void *poll_it(void *arg)
{
    struct pollfd p = {*(int *)arg, POLLIN, 0};
    works(poll(&p, 1, -1));
    same(p.revents, POLLIN);
    return NULL;
}

TEST(a_datagram_wakes_all_who_poll)
{
    int to = inet_bound(UDP, LOOP), fd = inet_fresh(UDP);
    pthread_t all[4];
    for (int i = 0; i < 4; i++)
        same(pthread_create(&all[i], NULL, poll_it, &to), 0);
    works(inet_send_to(fd, LOOP, inet_port(to), "x", 1));
    for (int i = 0; i < 4; i++)
        same(pthread_join(all[i], NULL), 0);
}

static void *read_it(void *arg)
{
    char c;
    same(recv(*(int *)arg, &c, 1, 0), 1);
    return NULL;
}

TEST(as_many_readers_go_on_as_datagrams_come)
{
    int to = inet_bound(UDP, LOOP), fd = inet_fresh(UDP);
    pthread_t all[8];
    for (int i = 0; i < 8; i++)
        same(pthread_create(&all[i], NULL, read_it, &to), 0);
    for (int i = 0; i < 8; i++)
        works(inet_send_to(fd, LOOP, inet_port(to), "x", 1));
    for (int i = 0; i < 8; i++)
        same(pthread_join(all[i], NULL), 0);
    fails(recv(to, big, 1, MSG_DONTWAIT), EAGAIN);
}

TEST(who_must_not_wait_does_not)
{
    int fd = works(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    works(inet_bind(fd, LOOP, 0));
    fails(recv(fd, big, 1, 0), EAGAIN);
    works(fcntl(fd, F_SETFL, 0));
    struct timeval tv = {0, 1000};
    works(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
    fails(recv(fd, big, 1, 0), EAGAIN);
}

#define CHOSEN 100

/* From the range that the system has for it: here 49152 to 65535 (RFC 6335, section 6). */
TEST(ports_are_chosen_at_random)
{
    int port[CHOSEN], first = 0, last = 0, steps = 0;
    FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
    check(f && fscanf(f, "%d %d", &first, &last) == 2, "the range");
    fclose(f);
    for (int i = 0; i < CHOSEN; i++) {
        port[i] = inet_port(inet_bound(UDP, LOOP));
        check(port[i] >= first && port[i] <= last, "%d is not in %d to %d", port[i], first, last);
        for (int j = 0; j < i; j++)
            check(port[i] != port[j], "%d twice", port[i]);
        steps += i > 0 && abs(port[i] - port[i - 1]) <= 4;
    }
    check(steps < CHOSEN / 4, "%d of %d are neighbours", steps, CHOSEN);
}

int main(void)
{
    return tap_run("udp_waits");
}

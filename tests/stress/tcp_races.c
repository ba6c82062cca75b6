/*
 * tcp_races [SEED [SECONDS [ROUNDS [NAME]]]]: TCP on the loopback where two sides, or many threads on the same
 * descriptors, meet at the worst moment.
 *
 * For the long run: tools/run --debug --smp 4 --timeout 3600 -- build/tests/stress/tcp_races 1 3600 20000
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include "tcp_pairs.h"

static char block[1 << 16];

/* --- two processes --- */

/* Callers come while the listener accepts some and closes: each is served or refused, none waits. */
static void connect_against_close(void)
{
    int port, l = listener(&port, 8);
    pid_t pid;
    char byte;

    PARTNER(pid)
    {
        close(l);
        for (int i = 0; i < 4; i++) {
            int c = fresh(0);
            if (call(c, port) == 0) {
                ssize_t n = read(c, &byte, 1);
                need(n == 0 || n == 1 || errno == ECONNRESET);
            } else {
                need(errno == ECONNREFUSED || errno == ECONNRESET);
            }
            close(c);
        }
    }
    for (uint64_t i = draw(3); i > 0; i--) {
        int fd = accept(l, NULL, NULL);
        need(fd >= 0);
        if (draw(2))
            need(send(fd, "x", 1, MSG_NOSIGNAL) == 1 || is_broken());
        close(fd);
    }
    hesitate();
    if (draw(2))
        shutdown(l, SHUT_RDWR);
    close(l);
    partner_ends(pid);
}

/* Both call each other. Who calls first may be refused, for nobody calls at the other end yet. */
static void both_call(void)
{
    int port[2], fd[2] = {bound(&port[0]), bound(&port[1])};
    pid_t pid;
    char byte = 0;

    PARTNER(pid)
    {
        close(fd[0]);
        if (call(fd[1], port[0]) == 0)
            need(send(fd[1], "b", 1, MSG_NOSIGNAL) == 1 && read(fd[1], &byte, 1) == 1 &&
                 byte == 'a');
        else
            need(errno == ECONNREFUSED);
    }
    close(fd[1]);
    if (call(fd[0], port[1]) == 0)
        need(send(fd[0], "a", 1, MSG_NOSIGNAL) == 1 && read(fd[0], &byte, 1) == 1 && byte == 'b');
    else
        need(errno == ECONNREFUSED);
    close(fd[0]);
    partner_ends(pid);
}

/* Both end it at once, in each way there is, with and without something unread. */
static void end_against_end(void)
{
    int end[2];
    pid_t pid;
    struct linger now = {1, 0};

    make_pair(end);
    for (int i = 0; i < 2; i++)
        if (draw(2))
            need(send(end[i], block, 1 + draw(3000), 0) > 0);
    PARTNER(pid)
    {
        close(end[0]);
        if (draw(3) == 0)
            shutdown(end[1], SHUT_WR);
        if (draw(3) == 0)
            need(setsockopt(end[1], SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
        hesitate();
        if (draw(2)) {
            ssize_t n;
            while ((n = read(end[1], block, sizeof block)) > 0)
                ;
            need(n == 0 || is_broken());
        }
    }
    close(end[1]);
    if (draw(2))
        shutdown(end[0], (int)draw(3));
    if (draw(3) == 0)
        need(setsockopt(end[0], SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
    hesitate();
    close(end[0]);
    partner_ends(pid);
}

/* All that was sent before an orderly end arrives, once and in order, through small buffers and both ways at once. */
static void data_against_data(void)
{
    enum { TOTAL = 150000 };
    int end[2];
    pid_t pid;

    make_pair(end);
    for (int i = 0; i < 2; i++) {
        if (draw(2))
            set(end[i], SO_RCVBUF, 2048 << draw(5));
        if (draw(2))
            set(end[i], SO_SNDBUF, 4096 << draw(4));
    }
    pid = partner_begin();
    int fd = end[pid == 0];
    close(end[pid != 0]);
    need(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    for (long sent = 0, got = 0, over = 0; !over || sent < TOTAL;) {
        struct pollfd p = {fd, (short)(POLLIN | (sent < TOTAL ? POLLOUT : 0)), 0};
        need(poll(&p, 1, PATIENCE * 1000) == 1);
        if (p.revents & POLLOUT && sent < TOTAL) {
            size_t n = 1 + draw(draw(2) ? 100 : sizeof block);
            n = n < (size_t)(TOTAL - sent) ? n : (size_t)(TOTAL - sent);
            for (size_t i = 0; i < n; i++)
                block[i] = (char)((sent + (long)i) * 7 >> 3);
            ssize_t done = send(fd, block, n, MSG_NOSIGNAL);
            need(done > 0 || errno == EAGAIN);
            sent += done > 0 ? done : 0;
            if (sent == TOTAL)
                need(shutdown(fd, SHUT_WR) == 0);
        }
        if (p.revents & POLLIN) {
            ssize_t n = recv(fd, block, 1 + draw(sizeof block), 0);
            need(n >= 0 || errno == EAGAIN);
            for (ssize_t i = 0; i < n; i++)
                need(block[i] == (char)((got + i) * 7 >> 3));
            over = n == 0;
            got += n > 0 ? n : 0;
            need(!over || got == TOTAL);
        }
    }
    close(fd);
    if (pid == 0)
        _exit(0);
    partner_ends(pid);
}

/*
 * An urgent byte comes in the middle of a read: the others all come, and it does where it stands in line. Out of
 * line who reads on before he asks for it loses it.
 */
static void urgent_against_read(void)
{
    int end[2], in_line = (int)draw(2);
    pid_t pid;
    long got = 0, urgent = 0;
    ssize_t n;
    char byte;

    make_pair(end);
    set(end[0], SO_OOBINLINE, in_line);
    PARTNER(pid)
    {
        close(end[0]);
        for (int i = 0; i < 10; i++) {
            need(send(end[1], block, 100, 0) == 100);
            hesitate();
            if (i == 5)
                need(send(end[1], "!", 1, MSG_OOB) == 1);
        }
    }
    close(end[1]);
    while ((n = recv(end[0], block, 1 + draw(300), 0)) > 0) {
        got += n;
        if (recv(end[0], &byte, 1, MSG_OOB) == 1) {
            need(byte == '!' && !in_line);
            urgent++;
        }
    }
    need(n == 0 && got == 1000 + in_line && urgent <= 1);
    close(end[0]);
    partner_ends(pid);
}

/* An edge that comes while the set is being asked is told the next time. */
static void epoll_against_data(void)
{
    enum { BYTES = 60000 };
    int end[2], set = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN | EPOLLET};
    pid_t pid;
    ssize_t n = -1;

    make_pair(end);
    need(set >= 0 && fcntl(end[0], F_SETFL, O_NONBLOCK) == 0);
    need(epoll_ctl(set, EPOLL_CTL_ADD, end[0], &e) == 0);
    PARTNER(pid)
    {
        close(end[0]);
        for (int left = BYTES; left > 0;) {
            int part = 1 + (int)draw((uint64_t)left);
            need(send(end[1], block, (size_t)part, 0) == part);
            left -= part;
            hesitate();
        }
    }
    close(end[1]);
    for (long got = 0; n != 0;) {
        need(epoll_wait(set, &e, 1, PATIENCE * 1000) == 1);
        while ((n = recv(end[0], block, sizeof block, 0)) > 0)
            got += n;
        need((n == 0 && got == BYTES) || (n < 0 && errno == EAGAIN));
    }
    close(set);
    close(end[0]);
    partner_ends(pid);
}

/* --- many threads on the same descriptors --- */

#define THREADS 6
#define SLOTS 8
#define STEPS 60

/* Sockets that all threads use, close and replace; a descriptor's number may be another socket by the next call. */
static struct storm {
    int slot[SLOTS]; /* atomic */
    int port;        /* const while threads run */
    uint64_t seed;   /* const while threads run */
} storm;

static int some_slot(void)
{
    return __atomic_load_n(&storm.slot[draw(SLOTS)], __ATOMIC_SEQ_CST);
}

static void replace(int fd)
{
    int old = __atomic_exchange_n(&storm.slot[draw(SLOTS)], fd, __ATOMIC_SEQ_CST);

    if (old >= 0)
        close(old);
}

static void ask(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLPRI, 0};
    int one = 1, error;

    switch (draw(6)) {
    case 0: getpeername(fd, (struct sockaddr *)&a, &len); break;
    case 1: poll(&p, 1, (int)draw(2)); break;
    case 2: getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, (len = sizeof error, &len)); break;
    case 3: setsockopt(fd, IPPROTO_TCP, 1 + (int)draw(2) * 2, &one, sizeof one); break;
    case 4: setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one); break;
    default: getsockopt(fd, IPPROTO_TCP, 11, block, (len = 256, &len)); break; /* TCP_INFO */
    }
}

static void step(int listening)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    struct linger now = {1, 0};
    char bytes[512] = {0};
    int fd;

    switch (draw(11)) {
    case 0: replace(fd = fresh(SOCK_NONBLOCK)); break;
    case 1:
    case 2: call(some_slot(), storm.port); break;
    case 3:
        if ((fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0)
            replace(fd);
        break;
    case 4:
        send(some_slot(), bytes, 1 + draw(sizeof bytes), MSG_NOSIGNAL | (draw(8) ? 0 : MSG_OOB));
        break;
    case 5: recv(some_slot(), bytes, 1 + draw(sizeof bytes), draw(4) ? 0 : MSG_PEEK); break;
    case 6: shutdown(some_slot(), (int)draw(3)); break;
    case 7: ask(some_slot()); break;
    case 8: connect(some_slot(), &nowhere, sizeof nowhere); break;
    case 9: setsockopt(some_slot(), SOL_SOCKET, SO_LINGER, &now, sizeof now); break;
    default: replace(-1); break;
    }
}

static void *storm_thread(void *arg)
{
    int listening = (int)(intptr_t)arg;

    random_state = __atomic_add_fetch(&storm.seed, 0x9e3779b97f4a7c15u, __ATOMIC_SEQ_CST) | 1;
    for (int i = 0; i < STEPS; i++)
        step(listening);
    return NULL;
}

/* All that can be done to a socket, by all at once. What comes of each call is open; that it comes back is not. */
static void storm_of_threads(void)
{
    pthread_t threads[THREADS];
    int l = listener(&storm.port, 4);

    need(fcntl(l, F_SETFL, O_NONBLOCK) == 0);
    storm.seed = draw(UINT64_MAX);
    for (int i = 0; i < SLOTS; i++)
        storm.slot[i] = fresh(SOCK_NONBLOCK);
    for (int i = 0; i < THREADS; i++)
        need(pthread_create(&threads[i], NULL, storm_thread, (void *)(intptr_t)l) == 0);
    for (int i = 0; i < THREADS; i++)
        need(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < SLOTS; i++)
        if (storm.slot[i] >= 0)
            close(storm.slot[i]);
    close(l);
}

static void *blocked_reader(void *arg)
{
    char bytes[64];
    int fd = (int)(intptr_t)arg;
    ssize_t n;

    while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
        ;
    return (void *)(intptr_t)(n == 0 || is_broken() || errno == ENOTCONN);
}

static void *blocked_writer(void *arg)
{
    int fd = (int)(intptr_t)arg;

    while (send(fd, block, 5000, MSG_NOSIGNAL) > 0)
        ;
    return (void *)(intptr_t)is_broken();
}

/* Threads that wait in one socket, to read and to write, are all woken when it, or its peer, is over. */
static void waiters_against_end(void)
{
    enum { EACH = 2 };
    static void *(*const waits[])(void *) = {blocked_reader, blocked_writer};
    pthread_t threads[2 * EACH];
    struct linger now = {1, 0};
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    int end[2];
    void *fine;

    make_pair(end);
    for (int i = 0; i < 2 * EACH; i++)
        need(pthread_create(&threads[i], NULL, waits[i % 2], (void *)(intptr_t)end[0]) == 0);
    hesitate();
    switch (draw(3)) {
    case 0:
        need(setsockopt(end[1], SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
        close(end[1]);
        end[1] = -1;
        break;
    case 1: need(shutdown(end[0], SHUT_RDWR) == 0); break;
    default: need(connect(end[0], &nowhere, sizeof nowhere) == 0); break;
    }
    for (int i = 0; i < 2 * EACH; i++) {
        need(pthread_join(threads[i], &fine) == 0);
        need(fine);
    }
    close(end[0]);
    if (end[1] >= 0)
        close(end[1]);
}

static void *peeker(void *arg)
{
    char bytes[6];

    return (void *)(intptr_t)(recv((int)(intptr_t)arg, bytes, 6, MSG_PEEK | MSG_WAITALL) == 6);
}

static void *taker(void *arg)
{
    char bytes[3];

    return (void *)(intptr_t)(recv((int)(intptr_t)arg, bytes, 3, 0) == 3);
}

/* Who only looks, and wants more than is there, keeps nothing from who would take it. */
static void peek_against_read(void)
{
    enum { LOOK = 3 };
    pthread_t look[LOOK], take;
    int end[2];
    void *fine;

    make_pair(end);
    for (int i = 0; i < LOOK; i++)
        need(pthread_create(&look[i], NULL, peeker, (void *)(intptr_t)end[0]) == 0);
    hesitate();
    need(pthread_create(&take, NULL, taker, (void *)(intptr_t)end[0]) == 0);
    hesitate();
    if (draw(4) == 0)
        usleep(2000); /* both sleep by now */
    need(send(end[1], block, 3, 0) == 3);
    need(pthread_join(take, &fine) == 0);
    need(fine);
    need(send(end[1], block, 6, 0) == 6);
    for (int i = 0; i < LOOK; i++) {
        need(pthread_join(look[i], &fine) == 0);
        need(fine);
    }
    close(end[0]);
    close(end[1]);
}

static void *blocked_caller(void *arg)
{
    const int *call_of = arg; /* the descriptor, the port */

    /* A Linux after 6.5 says EPIPE. */
    return (void *)(intptr_t)(call(call_of[0], call_of[1]) < 0 && is_broken());
}

/* Who waits for an answer that never comes is told that the call is over, whatever of it was shut down. */
static void call_against_shutdown(void)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    int calls[2], l = listener(&calls[1], 1), silent = 255, how = (int)draw(4);
    struct tcp_info i;
    socklen_t len = sizeof i;
    pthread_t thread;
    void *fine;

    need(setsockopt(l, IPPROTO_IP, IP_MINTTL, &silent, sizeof silent) == 0);
    calls[0] = fresh(0);
    need(pthread_create(&thread, NULL, blocked_caller, calls) == 0);
    do
        need(getsockopt(calls[0], IPPROTO_TCP, TCP_INFO, &i, &len) == 0);
    while (i.tcpi_state != TCP_SYN_SENT);
    hesitate();
    need((how < 3 ? shutdown(calls[0], how) : connect(calls[0], &nowhere, sizeof nowhere)) == 0);
    need(pthread_join(thread, &fine) == 0);
    need(fine);
    close(calls[0]);
    close(l);
}

/* As many callers as threads that accept: each connection is accepted once. */
static void *accept_one(void *arg)
{
    int fd = accept((int)(intptr_t)arg, NULL, NULL);

    need(fd >= 0);
    need(send(fd, "x", 1, 0) == 1);
    close(fd);
    return NULL;
}

static void accept_against_accept(void)
{
    enum { CALLS = 4 };
    pthread_t threads[CALLS];
    int port, l = listener(&port, CALLS), fd[CALLS];
    char byte;

    for (int i = 0; i < CALLS; i++)
        need(pthread_create(&threads[i], NULL, accept_one, (void *)(intptr_t)l) == 0);
    for (int i = 0; i < CALLS; i++) {
        fd[i] = fresh(0);
        hesitate();
        need(call(fd[i], port) == 0);
    }
    for (int i = 0; i < CALLS; i++) {
        need(read(fd[i], &byte, 1) == 1 && read(fd[i], &byte, 1) == 0);
        need(pthread_join(threads[i], NULL) == 0);
        close(fd[i]);
    }
    close(l);
}

/* --- a listener that is one no more, and one again --- */

static struct {
    int fd, port, closed; /* const while threads run: the listener; its port; one where nobody listens */
    uint64_t seed;        /* atomic */
} wavering;

static void *waver(void *arg)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    int fd;

    (void)arg;
    random_state = __atomic_add_fetch(&wavering.seed, 0x9e3779b97f4a7c15u, __ATOMIC_SEQ_CST) | 1;
    for (int i = 0; i < STEPS; i++) {
        switch (draw(6)) {
        case 0: listen(wavering.fd, (int)draw(4)); break;
        case 1: connect(wavering.fd, &nowhere, sizeof nowhere); break;
        case 2: shutdown(wavering.fd, SHUT_RD); break;
        case 3: call(wavering.fd, wavering.closed); break;
        case 4:
            fd = fresh(SOCK_NONBLOCK);
            call(fd, wavering.port);
            hesitate();
            close(fd);
            break;
        default:
            if ((fd = accept(wavering.fd, NULL, NULL)) >= 0)
                close(fd);
        }
    }
    return NULL;
}

/* One socket listens, forgets that, and calls, while others call it: nobody is left in a table at the end. */
static void listen_against_call(void)
{
    pthread_t threads[THREADS];
    int nobody = bound(&wavering.closed);

    wavering.fd = listener(&wavering.port, 4);
    wavering.seed = draw(UINT64_MAX);
    need(fcntl(wavering.fd, F_SETFL, O_NONBLOCK) == 0);
    for (int i = 0; i < THREADS; i++)
        need(pthread_create(&threads[i], NULL, waver, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        need(pthread_join(threads[i], NULL) == 0);
    close(wavering.fd);
    close(nobody);
}

static const struct race races[] = {
    {"connect_against_close", connect_against_close},
    {"both_call", both_call},
    {"end_against_end", end_against_end},
    {"data_against_data", data_against_data},
    {"urgent_against_read", urgent_against_read},
    {"epoll_against_data", epoll_against_data},
    {"storm_of_threads", storm_of_threads},
    {"waiters_against_end", waiters_against_end},
    {"peek_against_read", peek_against_read},
    {"call_against_shutdown", call_against_shutdown},
    {"accept_against_accept", accept_against_accept},
    {"listen_against_call", listen_against_call},
};

int main(int argc, char **argv)
{
    return play_all(races, sizeof races / sizeof races[0], argc, argv);
}

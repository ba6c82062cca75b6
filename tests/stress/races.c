/*
 * races [SEED [SECONDS [ROUNDS [NAME]]]]: pipes where two sides meet at the worst moment.
 *
 * Each race is played for ROUNDS rounds (or until its share of the seconds is over) by processes that
 * are made once: the main one, and a partner that shares its descriptors. A round begins for both at the same
 * moment, give or take a few random steps, for that is where races are. Whoever waits in vain says so after
 * some seconds: a lost wakeup is a failure and not a hang.
 *
 *     main:     make a pipe, begin(), act ..., finish()      partner: for each round: act
 *
 * For the long run: tools/run --debug --smp 4 --timeout 3600 -- build/tests/stress/races 1 3600 20000
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 120 /* seconds until somebody who waits gives up */
#define DEFAULT_ROUNDS 500
#define WRITERS 64
#define PAGE 4096

/* What main and partner know of each other. */
static struct shared {
    long round;   /* atomic: main: this one has begun */
    long done;    /* atomic: partner: so many are over */
    long events;  /* atomic: what the partner counts */
    bool stop;    /* atomic: main: there is no further round */
    int pipe[2];  /* of the round */
    long size;    /* of the round */
    long written; /* by the partner */
} * shared;

static const char *race;
static uint64_t random_state;
static long rounds;
static time_t end_of_race;
static char block[1 << 18];

#define get(field) __atomic_load_n(&shared->field, __ATOMIC_ACQUIRE)
#define set(field, value) __atomic_store_n(&shared->field, (value), __ATOMIC_RELEASE)

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 11) % below;
}

static _Noreturn void fail(const char *what)
{
    printf("races: %s: round %ld: %s (errno %d: %s)\n", race, get(round), what, errno,
           strerror(errno));
    fflush(stdout);
    _exit(99);
}

static void need(bool condition, const char *what)
{
    if (!condition)
        fail(what);
}

static time_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

static void wait_for(const long *value, long least, const char *what)
{
    time_t late = now() + PATIENCE;

    for (long i = 1; __atomic_load_n(value, __ATOMIC_ACQUIRE) < least; i++) {
        sched_yield();
        if (i % 1000 == 0 && (now() > late || waitpid(-1, NULL, WNOHANG) > 0)) {
            errno = 0;
            fail(what);
        }
    }
}

/* A few steps, or a turn for others, so that rounds don't all go the same way. */
static void dawdle(void)
{
    if (draw(8) == 0)
        sched_yield();
    for (volatile uint64_t n = draw(draw(4) ? 100 : 5000); n; n--)
        ;
}

static pid_t fork_with_our_files(void)
{
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);

    need(pid >= 0, "clone");
    return pid;
}

/* --- rounds ----------------------------------------------------------------------------------------- */

static bool over(long round)
{
    return round >= rounds || now() >= end_of_race;
}

static void begin(long round)
{
    set(round, round + 1);
    dawdle();
}

static void finish(long round)
{
    wait_for(&shared->done, round + 1, "the partner does not come to an end");
}

static _Noreturn void be_partner(void (*act)(void))
{
    for (long round = 0;; round++) {
        time_t late = now() + PATIENCE;
        for (long i = 1; get(round) <= round; i++) {
            if (get(stop))
                _exit(0);
            sched_yield();
            need(i % 1000 || now() <= late, "main does not begin");
        }
        dawdle();
        act();
        set(done, round + 1);
    }
}

static pid_t start_partner(void (*act)(void))
{
    memset(shared, 0, sizeof(*shared));
    pid_t pid = fork_with_our_files();
    if (pid == 0) {
        random_state ^= 0x9e3779b97f4a7c15;
        be_partner(act);
    }
    return pid;
}

static void reap(pid_t pid)
{
    int status;

    need(waitpid(pid, &status, 0) == pid, "waitpid");
    errno = 0;
    need(status == 0, "a process ended badly");
}

static void stop_partner(pid_t pid)
{
    set(stop, true);
    reap(pid);
}

static void new_pipe(int flags)
{
    need(pipe2(shared->pipe, flags) == 0, "pipe2");
}

static void close_both(void)
{
    need(close(shared->pipe[0]) == 0 && close(shared->pipe[1]) == 0, "close");
}

/* --- the last reader goes while somebody writes ------------------------------------------------------- */

static void write_to_the_leaving(void)
{
    long n = shared->size, got = write(shared->pipe[1], block, (size_t)n);

    need(got > 0 || (got < 0 && errno == EPIPE), "neither bytes nor EPIPE");
    need(got == n || got < 0 || n > 65536, "a part, though all of it fits");
    if (got >= 0)
        got = write(shared->pipe[1], block, (size_t)n);
    set(events, get(events) + 1);
}

/* Until the writer has written so much: then it is about to fall asleep, or does. */
static void wait_for_bytes(int n)
{
    time_t late = now() + PATIENCE;

    for (int waiting = 0; waiting < n; need(now() <= late, "the writer does not write"))
        need(ioctl(shared->pipe[0], FIONREAD, &waiting) == 0, "FIONREAD");
}

static void last_reader_closes(void)
{
    pid_t partner = start_partner(write_to_the_leaving);

    for (long i = 0; !over(i); i++) {
        new_pipe(0);
        shared->size = (long)(draw(3) ? 1 + draw(PAGE) : 200000);
        begin(i);
        if (draw(2))
            wait_for_bytes(shared->size < 65536 ? (int)shared->size : 65536);
        need(close(shared->pipe[0]) == 0, "close");
        finish(i);
        need(write(shared->pipe[1], "x", 1) < 0 && errno == EPIPE, "EPIPE afterwards");
        need(close(shared->pipe[1]) == 0, "close");
    }
    stop_partner(partner);
}

/* --- a poll begins while the byte comes --------------------------------------------------------------- */

static void poll_and_read(void)
{
    struct pollfd entry = {shared->pipe[0], POLLIN, 0};
    char c;

    need(poll(&entry, 1, PATIENCE * 1000) == 1, "the byte woke nobody");
    need(entry.revents == POLLIN, "POLLIN");
    need(read(shared->pipe[0], &c, 1) == 1 && c == 'p', "the byte");
}

static void poll_against_write(void)
{
    pid_t partner = start_partner(poll_and_read);

    new_pipe(0);
    for (long i = 0; !over(i); i++) {
        begin(i);
        need(write(shared->pipe[1], "p", 1) == 1, "write");
        finish(i);
    }
    stop_partner(partner);
    close_both();
}

/* --- an edge while a part is read ----------------------------------------------------------------------- */

static int edge_set = -1;

/* Every write is an event of its own, however much is still unread. */
static void take_an_edge(void)
{
    struct epoll_event e;
    int waiting = 0;

    need(epoll_wait(edge_set, &e, 1, PATIENCE * 1000) == 1, "the write was no edge");
    set(events, get(events) + 1);
    need(ioctl(shared->pipe[0], FIONREAD, &waiting) == 0 && waiting > 0, "FIONREAD");
    size_t n = waiting > 1000 ? (size_t)waiting - 2 : 1; /* the next write's edge wants bytes */
    need(read(shared->pipe[0], block, n) == (ssize_t)n, "read");
}

static void edge_against_partial_read(void)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLET};
    long written = 0;

    new_pipe(0);
    int ends[2] = {shared->pipe[0], shared->pipe[1]};
    edge_set = epoll_create1(0);
    need(edge_set >= 0 && epoll_ctl(edge_set, EPOLL_CTL_ADD, ends[0], &e) == 0, "epoll");
    pid_t partner = start_partner(take_an_edge);
    memcpy(shared->pipe, ends, sizeof(ends));
    for (long i = 0; !over(i); i++) {
        begin(i);
        need(write(ends[1], "ab", 2) == 2, "write");
        wait_for(&shared->events, ++written, "the write was no edge"); /* not for the read */
    }
    finish(written - 1);
    stop_partner(partner);
    close_both();
    close(edge_set);
}

/* --- a signal while a write is blocked ------------------------------------------------------------------ */

static char byte_at(long place)
{
    return (char)(place * 131 >> 3);
}

static void nothing(int sig)
{
    (void)sig;
}

/* Write one piece of an endless stream, from where the last one really ended. */
static void write_interrupted(void)
{
    long n = shared->size, at = get(written);

    for (long i = 0; i < n; i++)
        block[i] = byte_at(at + i);
    ssize_t got = write(shared->pipe[1], block, (size_t)n);
    need(got > 0 || (got < 0 && errno == EINTR), "neither bytes nor EINTR");
    if (got > 0)
        set(written, at + got);
}

static void read_some(long *at, size_t most)
{
    static char got[100000];
    ssize_t n = read(shared->pipe[0], got, most < sizeof(got) ? most : sizeof(got));

    need(n > 0 || errno == EAGAIN, "read");
    for (ssize_t i = 0; i < n; i++)
        need(got[i] == byte_at((*at)++), "a byte that was not written here");
}

static void blocked_writer_against_signal(void)
{
    struct sigaction act = {.sa_handler = nothing};
    long at = 0;

    need(sigaction(SIGUSR1, &act, NULL) == 0, "sigaction");
    pid_t partner = start_partner(write_interrupted);
    new_pipe(0);
    for (long i = 0; !over(i); i++) {
        shared->size = (long)(1 + draw(100000));
        begin(i);
        if (draw(2))
            read_some(&at, 1 + draw(70000));
        dawdle();
        need(kill(partner, SIGUSR1) == 0, "kill");
        time_t late = now() + PATIENCE;
        for (int waiting; get(done) <= i;) { /* the signal may have come before the write */
            need(ioctl(shared->pipe[0], FIONREAD, &waiting) == 0, "FIONREAD");
            if (waiting)
                read_some(&at, 1 + draw(70000));
            need(now() <= late, "the writer does not come back");
        }
        for (int waiting; ioctl(shared->pipe[0], FIONREAD, &waiting) == 0 && waiting;)
            read_some(&at, (size_t)waiting);
        errno = 0;
        need(at == get(written), "what was written is not what was read");
    }
    stop_partner(partner);
    close_both();
}

/* --- many writers --------------------------------------------------------------------------------------- */

struct record {
    uint32_t size, writer, number;
    char text[PAGE - 12];
};

static void write_records(int fd, uint32_t writer, long count)
{
    struct record r = {.writer = writer};

    for (r.number = 0; r.number < count; r.number++) {
        r.size = (uint32_t)(12 + draw(draw(2) ? PAGE - 11 : 60));
        memset(r.text, (int)('a' + (writer + r.number) % 26), r.size - 12);
        need(write(fd, &r, r.size) == (ssize_t)r.size, "a record of less than a page");
    }
}

static bool read_all(int fd, void *to, size_t n)
{
    for (size_t have = 0; have < n;) {
        ssize_t got = read(fd, (char *)to + have, n - have);
        if (got == 0 && have == 0)
            return false;
        need(got > 0, "the stream ends within a record");
        have += (size_t)got;
    }
    return true;
}

static void atomic_writers(void)
{
    static uint32_t next[WRITERS];
    pid_t pid[WRITERS];
    struct record r;
    long count = rounds / WRITERS + 1;
    int ends[2];

    memset(next, 0, sizeof(next));
    need(pipe(ends) == 0, "pipe");
    for (uint32_t i = 0; i < WRITERS; i++) {
        pid[i] = fork();
        need(pid[i] >= 0, "fork");
        if (pid[i] == 0) {
            random_state += i * 0x9e3779b97f4a7c15;
            close(ends[0]);
            write_records(ends[1], i, count);
            _exit(0);
        }
    }
    close(ends[1]);
    while (read_all(ends[0], &r, 12)) {
        errno = 0;
        need(r.size >= 12 && r.size <= PAGE && r.writer < WRITERS, "a record's head");
        need(r.number == next[r.writer]++, "a writer's records in their order");
        need(r.size == 12 || read_all(ends[0], r.text, r.size - 12), "a record's text");
        for (uint32_t i = 0; i < r.size - 12; i++)
            need(r.text[i] == (char)('a' + (r.writer + r.number) % 26), "records that mix");
    }
    for (int i = 0; i < WRITERS; i++)
        reap(pid[i]);
    close(ends[0]);
}

static void writers_of_three_sizes(void)
{
    static const size_t sizes[3] = {1, PAGE, 65536};
    pid_t pid[3];
    int ends[2];
    long count = rounds / 10 + 1;
    size_t sum = 0;

    need(pipe(ends) == 0, "pipe");
    for (int i = 0; i < 3; i++) {
        pid[i] = fork();
        need(pid[i] >= 0, "fork");
        if (pid[i] == 0) {
            close(ends[0]);
            for (long n = 0; n < count; n++)
                need(write(ends[1], block, sizes[i]) == (ssize_t)sizes[i], "a whole write");
            _exit(0);
        }
    }
    close(ends[1]);
    for (;;) {
        struct pollfd entry = {ends[0], POLLIN, 0};
        need(poll(&entry, 1, PATIENCE * 1000) == 1, "writers that sleep though there is room");
        ssize_t n = read(ends[0], block, 1 + draw(9000));
        need(n >= 0, "read");
        if (n == 0)
            break;
        sum += (size_t)n;
        dawdle();
    }
    need(sum == (size_t)count * (1 + PAGE + 65536), "all bytes");
    for (int i = 0; i < 3; i++)
        reap(pid[i]);
    close(ends[0]);
}

/* --- splice, tee and sizes that change -------------------------------------------------------------------- */

/* A stream goes through a and b; on the way each pipe is resized and what is in b is also looked at. */
static void splice_chain(void)
{
    int a[2], b[2], look[2];
    long size = rounds * 500, at = 0;
    pid_t pid[2];

    need(pipe(a) == 0 && pipe(b) == 0 && pipe(look) == 0, "pipe");
    pid[0] = fork();
    if (pid[0] == 0) {
        close(a[0]), close(b[0]), close(b[1]);
        for (long done = 0; done < size;) {
            long n = (long)(1 + draw(20000));
            n = n < size - done ? n : size - done;
            for (long i = 0; i < n; i++)
                block[i] = byte_at(done + i);
            need(write(a[1], block, (size_t)n) == n, "write");
            done += n;
        }
        _exit(0);
    }
    pid[1] = fork();
    if (pid[1] == 0) {
        close(a[1]), close(b[0]);
        while (splice(a[0], NULL, b[1], NULL, 1 + draw(30000), 0) > 0)
            if (draw(4) == 0)
                (void)fcntl(b[1], F_SETPIPE_SZ, PAGE << draw(6));
        _exit(0);
    }
    need(pid[0] > 0 && pid[1] > 0, "fork");
    close(a[0]), close(a[1]), close(b[1]);
    for (;;) {
        static char got[40000], seen[40000];
        ssize_t shown = tee(b[0], look[1], 1 + draw(3000), SPLICE_F_NONBLOCK);
        need(shown <= 0 || read(look[0], seen, sizeof(seen)) == shown, "what tee gave");
        ssize_t n = read(b[0], got, 1 + draw(sizeof(got)));
        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n; i++)
            need(got[i] == byte_at(at + i) && (i >= shown || seen[i] == got[i]), "a byte");
        at += n;
    }
    need(at == size, "all bytes");
    for (int i = 0; i < 2; i++)
        reap(pid[i]);
    close(b[0]), close(look[0]), close(look[1]);
}

static int circle[2][2];

static void splice_back(void)
{
    ssize_t n = splice(circle[1][0], NULL, circle[0][1], NULL, 5000, SPLICE_F_NONBLOCK);

    need(n > 0 || (n < 0 && errno == EAGAIN), "splice back");
}

/* Two who splice in opposite directions take the same two locks. */
static void splice_in_a_circle(void)
{
    int waiting[2];

    need(pipe(circle[0]) == 0 && pipe(circle[1]) == 0, "pipe");
    pid_t partner = start_partner(splice_back);
    need(write(circle[0][1], block, 10000) == 10000, "write");
    for (long i = 0; !over(i); i++) {
        begin(i);
        ssize_t n = splice(circle[0][0], NULL, circle[1][1], NULL, 5000, SPLICE_F_NONBLOCK);
        need(n > 0 || (n < 0 && errno == EAGAIN), "splice");
        finish(i);
    }
    stop_partner(partner);
    for (int i = 0; i < 2; i++)
        need(ioctl(circle[i][0], FIONREAD, &waiting[i]) == 0, "FIONREAD");
    need(waiting[0] + waiting[1] == 10000, "bytes got lost in the circle");
    for (int i = 0; i < 2; i++)
        close(circle[i][0]), close(circle[i][1]);
}

/* --- all of them ------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    void (*run)(void);
} races[] = {
    {"last_reader_closes", last_reader_closes},
    {"poll_against_write", poll_against_write},
    {"edge_against_partial_read", edge_against_partial_read},
    {"blocked_writer_against_signal", blocked_writer_against_signal},
    {"atomic_writers", atomic_writers},
    {"writers_of_three_sizes", writers_of_three_sizes},
    {"splice_chain", splice_chain},
    {"splice_in_a_circle", splice_in_a_circle},
};
#define RACES (sizeof races / sizeof races[0])

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    long seconds = argc > 2 ? atol(argv[2]) : 60;
    const char *only = argc > 4 ? argv[4] : NULL;

    rounds = argc > 3 ? atol(argv[3]) : DEFAULT_ROUNDS;
    signal(SIGPIPE, SIG_IGN);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < RACES; i++) {
        race = races[i].name;
        if (only && strcmp(only, race) != 0)
            continue;
        random_state = seed * 0x9e3779b97f4a7c15 + i + 1;
        for (int n = 0; n < 8; n++)
            draw(2);
        end_of_race = now() + 1 + seconds / (long)(only ? 1 : RACES);
        races[i].run();
        printf("races: %s: done\n", race);
        fflush(stdout);
    }
    return 0;
}

/*
 * signals [SEED [SECONDS [ROUNDS [NAME]]]]: signals that come at the worst moment.
 *
 * Each race is played for ROUNDS rounds (or until its share of the seconds is over) by a process of its own, while
 * the main one watches that rounds go by: where nothing moves any more a signal or a wakeup was lost.
 * Real-time signals are counted, so that one which is lost or comes twice shows.
 *
 * For the long run: tools/run --debug --smp 4 --timeout 36000 -- build/tests/stress/signals 1 36000 20000
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 120 /* seconds without a round */
#define DEFAULT_ROUNDS 500
#define COUNTED (SIGRTMIN + 1) /* the signal that is counted */
#define QUIT_CODE 7

static struct shared {
    long round;   /* atomic: the player's */
    long handled; /* atomic: signals that arrived, wherever */
    long ready;   /* atomic: how far the other side is */
    long stop;    /* atomic */
    long turns;   /* atomic: a child's loop */
} * shared;

static const char *race, *own_path;
static uint64_t random_state;
static long rounds;
static time_t end_of_race;

#define get(field) __atomic_load_n(&shared->field, __ATOMIC_SEQ_CST)
#define set(field, value) __atomic_store_n(&shared->field, (value), __ATOMIC_SEQ_CST)
#define add(field, value) __atomic_add_fetch(&shared->field, (value), __ATOMIC_SEQ_CST)

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 11) % below;
}

static _Noreturn void fail(const char *what, long value)
{
    printf("signals: %s: round %ld: %s (%ld; errno %d: %s)\n", race, get(round), what, value, errno,
           strerror(errno));
    fflush(stdout);
    _exit(99);
}

static void need(bool condition, const char *what, long value)
{
    if (!condition)
        fail(what, value);
}

static time_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

/* A few steps, or a turn for others, so that rounds don't all go the same way. */
static void dawdle(void)
{
    if (draw(8) == 0)
        sched_yield();
    for (volatile uint64_t n = draw(draw(4) ? 100 : 5000); n; n--)
        ;
}

static void wait_for(const long *value, long least)
{
    while (__atomic_load_n(value, __ATOMIC_SEQ_CST) < least)
        sched_yield();
}

static pid_t fork_player(void)
{
    pid_t pid = fork();

    need(pid >= 0, "fork", pid);
    if (pid == 0)
        random_state ^= (uint64_t)getpid() << 32;
    return pid;
}

static int reap(pid_t pid)
{
    int status = -1;

    while (waitpid(pid, &status, 0) != pid)
        need(errno == EINTR, "wait for a child", pid);
    return status;
}

static void count(int sig)
{
    (void)sig;
    add(handled, 1);
}

static void handle(int sig, void (*handler)(int))
{
    struct sigaction a = {.sa_handler = handler, .sa_flags = SA_RESTART};

    need(sigaction(sig, &a, NULL) == 0, "sigaction", sig);
}

static void mask(int how, int sig)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, sig);
    need(pthread_sigmask(how, &set, NULL) == 0, "mask", sig);
}

/* --- exit, exec, fork, stop -------------------------------------------------------------------------- */

/* A child exits as it is killed: one of the two, told once. */
static void against_exit(void)
{
    pid_t pid = fork_player();

    if (pid == 0) {
        dawdle();
        _exit(QUIT_CODE);
    }
    dawdle();
    need(kill(pid, SIGTERM) == 0, "kill a child", pid);
    int status = reap(pid);
    need(status == QUIT_CODE << 8 || status == SIGTERM, "neither exit nor signal", status);
    need(kill(pid, SIGTERM) < 0 && errno == ESRCH, "the dead can be signalled", pid);
}

/* The program that against_exec() starts: how many of COUNTED are pending here? */
static int count_pending(void)
{
    sigset_t last, set;
    int n = 0;

    sigemptyset(&set);
    sigaddset(&set, COUNTED);
    sigemptyset(&last);
    sigaddset(&last, SIGUSR1);
    if (sigwaitinfo(&last, NULL) != SIGUSR1)
        return 99;
    while (sigtimedwait(&set, NULL, &(struct timespec){0, 0}) == COUNTED)
        n++;
    return n;
}

/* Signals sent while a child execs are all there in the new program. */
static void against_exec(void)
{
    pid_t pid;
    int sent = 5 + (int)draw(10);

    mask(SIG_BLOCK, COUNTED);
    mask(SIG_BLOCK, SIGUSR1);
    if ((pid = fork_player()) == 0) {
        dawdle();
        execl(own_path, own_path, "pending", (char *)NULL);
        fail("exec", 0);
    }
    for (int i = 0; i < sent; i++) {
        dawdle();
        need(sigqueue(pid, COUNTED, (union sigval){.sival_int = i}) == 0, "sigqueue", i);
    }
    need(kill(pid, SIGUSR1) == 0, "the last signal", pid);
    int status = reap(pid);
    need(status == sent << 8, "signals lost or made in exec: wait status", status);
}

/* A group is killed while its members fork: none escapes. */
static void against_fork(void)
{
    int p[2];
    char c;

    need(pipe(p) == 0, "pipe", 0);
    pid_t pid = fork_player();
    if (pid == 0) {
        setpgid(0, 0);
        need(write(p[1], "x", 1) == 1, "write", 0);
        for (int i = 0; i < 12; i++)
            if (fork() == 0)
                for (;;)
                    pause();
        for (;;)
            pause();
    }
    close(p[1]);
    need(read(p[0], &c, 1) == 1, "the group's leader", 0);
    dawdle();
    need(kill(-pid, SIGKILL) == 0, "kill the group", pid);
    need(reap(pid) == SIGKILL, "the leader's status", 0);
    need(read(p[0], &c, 1) == 0, "somebody escaped", 0); /* or hangs, which is noticed */
    close(p[0]);
}

/* Stops and continues from two sides at once; in the end the child runs, or dies, as the last says. */
static void against_stop(void)
{
    pid_t pid = fork_player(), other;

    if (pid == 0)
        for (;;) {
            add(turns, 1);
            if (draw(3) == 0)
                getpid();
        }
    if ((other = fork_player()) == 0) {
        for (int i = 0; i < 6; i++) {
            dawdle();
            kill(pid, draw(2) ? SIGSTOP : SIGCONT);
        }
        _exit(0);
    }
    for (int i = 0; i < 6; i++) {
        dawdle();
        kill(pid, draw(2) ? SIGSTOP : SIGCONT);
    }
    need(reap(other) == 0, "the other side", 0);
    if (draw(2)) {
        kill(pid, SIGCONT);
        wait_for(&shared->turns, get(turns) + 1);
    }
    kill(pid, SIGKILL);
    need(reap(pid) == SIGKILL, "status of the killed", 0);
}

/* --- threads ---------------------------------------------------------------------------------------- */

static void *short_life(void *arg)
{
    volatile uint64_t n = (uintptr_t)arg;

    while (n--)
        ;
    return NULL;
}

/* Signals for the process while threads come and go: each is handled by somebody, once. */
static void against_thread_exit(void)
{
    pthread_t t[4];
    long before = get(handled);
    int sent = 0;

    handle(COUNTED, count);
    for (int i = 0; i < 4; i++) {
        need(pthread_create(&t[i], NULL, short_life, (void *)(uintptr_t)draw(3000)) == 0, "thread",
             i);
        need(sigqueue(getpid(), COUNTED, (union sigval){0}) == 0, "sigqueue", sent);
        sent++;
    }
    for (int i = 0; i < 4; i++) {
        need(sigqueue(getpid(), COUNTED, (union sigval){0}) == 0, "sigqueue", sent);
        sent++;
        pthread_join(t[i], NULL);
    }
    wait_for(&shared->handled, before + sent);
    need(get(handled) == before + sent, "handled too often", get(handled) - before - sent);
}

static void *block_and_unblock(void *arg)
{
    volatile uint64_t n = (uintptr_t)arg;

    for (int i = 0; i < 8; i++) {
        mask(SIG_BLOCK, COUNTED);
        for (uint64_t k = n; k; k--)
            ;
        if (i < 7)
            mask(SIG_UNBLOCK, COUNTED);
    }
    add(ready, 1);
    wait_for(&shared->ready, 2);
    mask(SIG_UNBLOCK, COUNTED);
    return NULL;
}

/* The thread that was chosen for a signal blocks it: another takes it, at the latest when it unblocks. */
static void last_unblocked_thread(void)
{
    pthread_t a, b;
    long before = get(handled);
    int sent = 10;

    set(ready, 0);
    handle(COUNTED, count);
    mask(SIG_BLOCK, COUNTED);
    need(pthread_create(&a, NULL, block_and_unblock, (void *)(uintptr_t)draw(200)) == 0, "thread",
         0);
    need(pthread_create(&b, NULL, block_and_unblock, (void *)(uintptr_t)draw(200)) == 0, "thread",
         1);
    for (int i = 0; i < sent; i++) {
        dawdle();
        need(sigqueue(getpid(), COUNTED, (union sigval){0}) == 0, "sigqueue", i);
    }
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    mask(SIG_UNBLOCK, COUNTED);
    wait_for(&shared->handled, before + sent);
    need(get(handled) == before + sent, "handled too often", get(handled) - before - sent);
}

static void *end_soon(void *arg)
{
    volatile uint64_t n = (uintptr_t)arg;

    while (n--)
        ;
    if ((uintptr_t)arg % 3 == 0)
        pthread_exit(NULL);
    if ((uintptr_t)arg % 3 == 1)
        abort();
    for (;;)
        getpid();
}

/* A core file is written while threads leave, run, or want to write one as well. */
static void core_file(void)
{
    pid_t pid = fork_player();

    if (pid == 0) {
        struct rlimit l = {RLIM_INFINITY, RLIM_INFINITY};
        pthread_t t;
        setrlimit(RLIMIT_CORE, &l);
        if (chdir("/tmp") < 0)
            fail("chdir", 0);
        for (int i = 0; i < 3; i++)
            pthread_create(&t, NULL, end_soon, (void *)(uintptr_t)draw(3000));
        dawdle();
        abort();
    }
    dawdle();
    if (draw(4) == 0)
        kill(pid, SIGKILL);
    int status = reap(pid) & 0x7f;
    need(status == SIGABRT || status == SIGKILL, "status", status);
    unlink("/tmp/core");
}

/* --- waiting ---------------------------------------------------------------------------------------- */

/* One signal at a time, each told back: sigsuspend may miss none. */
static void against_sigsuspend(void)
{
    const int times = 20;
    pid_t pid;

    set(ready, 0);
    set(handled, 0);
    mask(SIG_BLOCK, SIGUSR1);
    handle(SIGUSR1, count);
    if ((pid = fork_player()) == 0) {
        sigset_t open;
        sigprocmask(SIG_BLOCK, NULL, &open);
        sigdelset(&open, SIGUSR1);
        for (int i = 1; i <= times; i++) {
            dawdle();
            while (get(handled) < i)
                sigsuspend(&open);
            set(ready, i);
        }
        _exit(0);
    }
    for (int i = 1; i <= times; i++) {
        need(kill(pid, SIGUSR1) == 0, "kill", i);
        wait_for(&shared->ready, i);
        dawdle();
    }
    need(reap(pid) == 0 && get(handled) == times, "handled", get(handled));
}

/* Values in the order in which they were sent, none missing: sigwaitinfo, and a signalfd with poll in turn. */
static void against_sigwait(void)
{
    const int times = 40;
    sigset_t set;
    pid_t pid;

    sigemptyset(&set);
    sigaddset(&set, COUNTED);
    mask(SIG_BLOCK, COUNTED);
    if ((pid = fork_player()) == 0) {
        int fd = signalfd(-1, &set, SFD_NONBLOCK);
        for (int i = 0; i < times; i++) {
            siginfo_t info;
            struct signalfd_siginfo s;
            struct pollfd entry = {fd, POLLIN, 0};
            if (i % 2) {
                need(sigwaitinfo(&set, &info) == COUNTED, "sigwaitinfo", i);
                need(info.si_value.sival_int == i, "not in order", info.si_value.sival_int);
            } else {
                while (poll(&entry, 1, -1) != 1)
                    need(errno == EINTR, "poll", i);
                need(read(fd, &s, sizeof(s)) == sizeof(s), "poll was wrong", i);
                need(s.ssi_int == i, "not in order", s.ssi_int);
            }
        }
        _exit(0);
    }
    for (int i = 0; i < times; i++) {
        dawdle();
        while (sigqueue(pid, COUNTED, (union sigval){.sival_int = i}) < 0)
            need(errno == EAGAIN, "sigqueue", i);
    }
    need(reap(pid) == 0, "the waiter", 0);
}

/* --- timers ----------------------------------------------------------------------------------------- */

/* A timer is set, set anew and deleted while it fires: after that it is silent. */
static void against_timers(void)
{
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = COUNTED};
    struct itimerspec it = {.it_interval.tv_nsec = 20000};
    struct itimerval real = {{0, 100}, {0, 1 + (int)draw(100)}}, off = {{0, 0}, {0, 0}};
    sigset_t set;
    timer_t t;

    handle(COUNTED, count);
    handle(SIGALRM, count);
    need(timer_create(CLOCK_MONOTONIC, &e, &t) == 0, "timer_create", 0);
    need(setitimer(ITIMER_REAL, &real, NULL) == 0, "setitimer", 0);
    for (int i = 0; i < 4; i++) {
        it.it_value.tv_nsec = 1 + (long)draw(60000);
        need(timer_settime(t, 0, &it, NULL) == 0, "timer_settime", i);
        dawdle();
    }
    mask(SIG_BLOCK, COUNTED);
    dawdle();
    need(timer_delete(t) == 0, "timer_delete", 0);
    need(setitimer(ITIMER_REAL, &off, NULL) == 0, "setitimer", 0);
    /* Of one that is pending all the same nothing may be left for who asks. */
    sigemptyset(&set);
    sigaddset(&set, COUNTED);
    need(sigtimedwait(&set, NULL, &(struct timespec){0, 0}) < 0, "a signal of a deleted timer", 0);
    mask(SIG_UNBLOCK, COUNTED);
    long seen = get(handled);
    dawdle();
    need(get(handled) == seen, "a signal after the end", get(handled) - seen);
}

/* A timer that is awaited comes, again and again. */
static void timers_come(void)
{
    struct itimerval it = {{0, 0}, {0, 0}};
    long before = get(handled);

    handle(SIGALRM, count);
    for (int i = 1; i <= 5; i++) {
        it.it_value.tv_usec = 1 + (int)draw(50);
        need(setitimer(ITIMER_REAL, &it, NULL) == 0, "setitimer", i);
        wait_for(&shared->handled, before + i);
    }
}

/* --- all of them ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    void (*play)(void);
} races[] = {
    {"exit", against_exit},
    {"exec", against_exec},
    {"fork", against_fork},
    {"stop", against_stop},
    {"thread_exit", against_thread_exit},
    {"last_unblocked_thread", last_unblocked_thread},
    {"core_file", core_file},
    {"sigsuspend", against_sigsuspend},
    {"sigwait", against_sigwait},
    {"timers", against_timers},
    {"timers_come", timers_come},
};
#define RACES (sizeof(races) / sizeof(races[0]))

static _Noreturn void play(void (*round)(void))
{
    setpgid(0, 0);
    for (long i = 1; i <= rounds && now() < end_of_race; i++) {
        round();
        set(round, i);
    }
    _exit(0);
}

/* Let race I be played; no round for PATIENCE seconds is a failure. */
static void watch(size_t i, time_t seconds)
{
    int status;
    time_t last_change = now();
    long last = 0;

    race = races[i].name;
    memset(shared, 0, sizeof(*shared));
    end_of_race = now() + seconds;
    pid_t pid = fork_player();
    if (pid == 0)
        play(races[i].play);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        if (get(round) != last) {
            last = get(round);
            last_change = now();
        }
        if (now() > last_change + PATIENCE) {
            errno = 0;
            kill(-pid, SIGKILL);
            fail("nothing moves any more", last);
        }
    }
    kill(-pid, SIGKILL);
    need(status == 0, "wait status", status);
    printf("signals: %s: %ld rounds\n", race, get(round));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *only = argc > 4 ? argv[4] : NULL;

    if (argc > 1 && strcmp(argv[1], "pending") == 0)
        return count_pending();
    own_path = argv[0];
    random_state = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1) * 0x9e3779b97f4a7c15UL + 1;
    time_t seconds = argc > 2 ? atol(argv[2]) : 60;
    rounds = argc > 3 ? atol(argv[3]) : DEFAULT_ROUNDS;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < RACES; i++)
        if (!only || strcmp(only, races[i].name) == 0)
            watch(i, only ? seconds : seconds / (time_t)RACES + 1);
    return 0;
}

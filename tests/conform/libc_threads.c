/* musl: Threads: how they begin and end, what is their own, and how they are cancelled. */
#define _GNU_SOURCE
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

#include "tap.h"

static volatile int word;
static int thing;
static int order[8], steps;
static pthread_key_t key;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t never, here;
static __thread int own = 7;

static void step(int what)
{
    order[__atomic_fetch_add(&steps, 1, __ATOMIC_RELAXED)] = what;
}

static void *give_back(void *arg)
{
    return arg;
}

static void *exit_with(void *arg)
{
    pthread_exit(arg);
}

static void *use_own(void *arg)
{
    same(own, 7);
    own = (int)(long)arg;
    pause_a_little();
    same(own, (long)arg);
    return NULL;
}

TEST(join_gives_what_the_thread_returned)
{
    pthread_t a, b;
    void *result;
    same(pthread_create(&a, NULL, give_back, &thing), 0);
    same(pthread_create(&b, NULL, exit_with, &own), 0);
    same(pthread_join(b, &result), 0);
    check(result == &own, "what pthread_exit was given");
    same(pthread_join(a, &result), 0);
    check(result == &thing, "what the function returned");
    check(pthread_equal(pthread_self(), pthread_self()), "we are ourselves");
    check(!pthread_equal(pthread_self(), a), "and nobody else");
}

TEST(thread_variables_are_each_threads_own)
{
    pthread_t threads[4];
    for (long i = 0; i < 4; i++)
        same(pthread_create(&threads[i], NULL, use_own, (void *)i), 0);
    for (int i = 0; i < 4; i++)
        same(pthread_join(threads[i], NULL), 0);
    same(own, 7);
}

static void *note_and_end(void *arg)
{
    __atomic_fetch_add(&word, 1, __ATOMIC_RELAXED);
    return arg;
}

TEST(detached_threads_leave_nothing)
{
    pthread_attr_t attr;
    pthread_t thread;
    int state;
    same(pthread_attr_init(&attr), 0);
    same(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED), 0);
    same(pthread_attr_getdetachstate(&attr, &state), 0);
    same(state, PTHREAD_CREATE_DETACHED);
    same(pthread_attr_setdetachstate(&attr, 17), EINVAL);
    for (int i = 1; i <= 300; i++) {
        same(pthread_create(&thread, i % 2 ? &attr : NULL, note_and_end, NULL), 0);
        if (i % 2 == 0)
            same(pthread_detach(thread), 0);
        wait_until(word == i);
    }
    same(pthread_attr_destroy(&attr), 0);
}

static void *wait_for_post(void *arg)
{
    works(sem_wait(&here));
    return arg;
}

TEST(a_thread_that_runs_is_waited_for_in_vain)
{
    struct timespec past = {0, 0};
    pthread_t thread;
    works(sem_init(&here, 0, 0));
    same(pthread_create(&thread, NULL, wait_for_post, NULL), 0);
    same(pthread_tryjoin_np(thread, NULL), EBUSY);
    same(pthread_timedjoin_np(thread, NULL, &past), ETIMEDOUT);
    works(sem_post(&here));
    same(pthread_timedjoin_np(thread, NULL, NULL), 0);
}

static void *use_stack(void *arg)
{
    volatile char much[100000];
    memset((void *)much, 1, sizeof(much));
    if (arg)
        check((char *)much >= (char *)arg && (char *)much < (char *)arg + 262144, "our stack");
    return NULL;
}

TEST(stacks_are_as_large_as_asked_for)
{
    pthread_attr_t attr;
    pthread_t thread;
    size_t size;
    void *stack, *mine;
    int scope;
    same(pthread_attr_init(&attr), 0);
    same(pthread_attr_setstacksize(&attr, 1), EINVAL);
    same(pthread_attr_setstacksize(&attr, 262144), 0);
    same(pthread_attr_getstacksize(&attr, &size), 0);
    same(size, 262144);
    same(pthread_attr_setguardsize(&attr, 8192), 0);
    same(pthread_attr_getguardsize(&attr, &size), 0);
    same(size, 8192);
    same(pthread_create(&thread, &attr, use_stack, NULL), 0);
    same(pthread_join(thread, NULL), 0);
    works(mine = mmap(NULL, 262144, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    same(pthread_attr_setstack(&attr, mine, 262144), 0);
    same(pthread_attr_getstack(&attr, &stack, &size), 0);
    check(stack == mine && size == 262144, "the stack that was given");
    same(pthread_create(&thread, &attr, use_stack, mine), 0);
    same(pthread_join(thread, NULL), 0);
    same(pthread_attr_setscope(&attr, PTHREAD_SCOPE_SYSTEM), 0);
    same(pthread_attr_setscope(&attr, PTHREAD_SCOPE_PROCESS), ENOTSUP);
    same(pthread_attr_getscope(&attr, &scope), 0);
    same(scope, PTHREAD_SCOPE_SYSTEM);
}

static int overflow(volatile int *depth)
{
    volatile char page[4096];
    page[0] = 1;
    return *depth >= 0 ? overflow(depth) + page[0] : 0;
}

static void *overflow_stack(void *arg)
{
    volatile int depth = 0;
    return overflow(&depth) ? arg : NULL;
}

TEST(a_guard_lies_below_the_stack)
{
    pid_t pid;
    CHILD (pid) {
        pthread_t thread;
        same(pthread_create(&thread, NULL, overflow_stack, NULL), 0);
        pthread_join(thread, NULL);
    }
    dies(pid, SIGSEGV);
}

static void note(void)
{
    pause_a_little();
    word++;
}

static void *count_once(void *arg)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    same(pthread_once(&once, note), 0);
    same(word, 1);
    return arg;
}

TEST(once_is_once)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        same(pthread_create(&threads[i], NULL, count_once, NULL), 0);
    for (int i = 0; i < 4; i++)
        same(pthread_join(threads[i], NULL), 0);
}

static void destroy(void *value)
{
    check(pthread_getspecific(key) == NULL, "the value is gone already");
    word++;
    if (value == &order[0])
        same(pthread_setspecific(key, &order[1]), 0);
}

static void *set_value(void *arg)
{
    check(pthread_getspecific(key) == NULL, "no value yet");
    same(pthread_setspecific(key, arg), 0);
    check(pthread_getspecific(key) == arg, "the value");
    return NULL;
}

TEST(keys_have_values_and_destructors)
{
    pthread_t thread;
    pthread_key_t again;
    same(pthread_key_create(&key, destroy), 0);
    same(pthread_setspecific(key, &own), 0);
    same(pthread_create(&thread, NULL, set_value, &order[0]), 0);
    same(pthread_join(thread, NULL), 0);
    same(word, 2);
    check(pthread_getspecific(key) == &own, "ours is another");
    same(pthread_key_delete(key), 0);
    same(pthread_key_create(&again, NULL), 0);
    check(pthread_getspecific(again) == NULL, "a key begins without a value");
    same(pthread_key_delete(again), 0);
}

TEST(keys_are_as_many_as_the_limit)
{
    pthread_key_t k;
    int n = 0;
    while (n < 2000 && pthread_key_create(&k, NULL) == 0)
        n++;
    check(n >= PTHREAD_KEYS_MAX - 8 && n <= PTHREAD_KEYS_MAX, "%d keys", n);
    same(pthread_key_create(&k, NULL), EAGAIN);
}

static void clean(void *arg)
{
    step((int)(long)arg);
}

static void *sleep_long(void *arg)
{
    pthread_cleanup_push(clean, (void *)1);
    pthread_cleanup_push(clean, (void *)2);
    pthread_cleanup_push(clean, (void *)3);
    pthread_cleanup_pop(0);
    works(sem_post(&here));
    sleep(1000);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return arg;
}

static void *read_long(void *arg)
{
    char byte;
    works(sem_post(&here));
    same(read(*(int *)arg, &byte, 1), 0);
    return NULL;
}

static void *poll_long(void *arg)
{
    struct pollfd p = {*(int *)arg, POLLIN, 0};
    works(sem_post(&here));
    poll(&p, 1, -1);
    return NULL;
}

static void *wait_for_never(void *arg)
{
    works(sem_post(&here));
    sem_wait(&never);
    return arg;
}

static void *join_never(void *arg)
{
    works(sem_post(&here));
    pthread_join(*(pthread_t *)arg, NULL);
    return NULL;
}

static void unlock(void *arg)
{
    step(pthread_mutex_unlock(arg));
}

static void *wait_for_cond(void *arg)
{
    same(pthread_mutex_lock(&mutex), 0);
    pthread_cleanup_push(unlock, &mutex);
    works(sem_post(&here));
    for (;;)
        pthread_cond_wait(&cond, &mutex);
    pthread_cleanup_pop(0);
    return arg;
}

static void *spin_testing(void *arg)
{
    works(sem_post(&here));
    for (;;)
        pthread_testcancel();
    return arg;
}

static void *spin_asynchronously(void *arg)
{
    int old;
    same(pthread_setcanceltype(17, &old), EINVAL);
    same(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old), 0);
    same(old, PTHREAD_CANCEL_DEFERRED);
    works(sem_post(&here));
    for (volatile long n = 0;; n++)
        ;
    return arg;
}

/* A thread of FN is cancelled, while it sleeps if LATE, and ends. */
static void cancel(void *(*fn)(void *), void *arg, bool late)
{
    pthread_t thread;
    void *result;
    works(sem_init(&here, 0, 0));
    same(pthread_create(&thread, NULL, fn, arg), 0);
    works(sem_wait(&here));
    for (int i = 0; late && i < 5; i++)
        pause_a_little();
    same(pthread_cancel(thread), 0);
    same(pthread_join(thread, &result), 0);
    check(result == PTHREAD_CANCELED, "it was cancelled");
}

TEST(calls_that_sleep_are_cancelled)
{
    int fds[2];
    pthread_t self = pthread_self();
    works(pipe(fds));
    works(sem_init(&never, 0, 0));
    for (int late = 0; late < 2; late++) {
        cancel(read_long, &fds[0], late);
        cancel(poll_long, &fds[0], late);
        cancel(wait_for_never, NULL, late);
        cancel(join_never, &self, late);
        cancel(spin_testing, NULL, late);
        cancel(spin_asynchronously, NULL, late);
    }
}

TEST(cancellation_runs_the_cleanup_handlers)
{
    cancel(sleep_long, NULL, true);
    same(steps, 2);
    same(order[0], 2);
    same(order[1], 1);
    steps = 0;
    cancel(wait_for_cond, NULL, true);
    same(steps, 1);
    same(order[0], 0);
    same(pthread_mutex_trylock(&mutex), 0);
}

static void *cancel_again_and_again(void *arg)
{
    char byte;
    for (;;)
        if (read(*(int *)arg, &byte, 1) == 1)
            __atomic_fetch_add(&word, 1, __ATOMIC_RELAXED);
    return NULL;
}

/* What was read was counted: a thread is never cancelled after its call has done something. */
TEST(cancellation_loses_no_byte)
{
    int fds[2], left = 0;
    works(pipe2(fds, O_NONBLOCK));
    works(fcntl(fds[0], F_SETFL, 0));
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        same(pthread_create(&thread, NULL, cancel_again_and_again, &fds[0]), 0);
        same(write(fds[1], "x", 1), 1);
        same(pthread_cancel(thread), 0);
        same(pthread_join(thread, NULL), 0);
    }
    works(fcntl(fds[0], F_SETFL, O_NONBLOCK));
    for (char byte; read(fds[0], &byte, 1) == 1;)
        left++;
    same(word + left, 200);
}

static void *disable(void *arg)
{
    int old;
    same(pthread_setcancelstate(17, &old), EINVAL);
    same(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old), 0);
    same(old, PTHREAD_CANCEL_ENABLE);
    works(sem_post(&here));
    works(sem_wait(&never));
    pthread_testcancel();
    step(1);
    same(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old), 0);
    same(old, PTHREAD_CANCEL_DISABLE);
    step(2);
    pthread_testcancel();
    step(3);
    return arg;
}

TEST(a_thread_may_refuse_for_a_while)
{
    pthread_t thread;
    void *result;
    works(sem_init(&here, 0, 0));
    works(sem_init(&never, 0, 0));
    same(pthread_create(&thread, NULL, disable, NULL), 0);
    works(sem_wait(&here));
    same(pthread_cancel(thread), 0);
    works(sem_post(&never));
    same(pthread_join(thread, &result), 0);
    check(result == PTHREAD_CANCELED, "it was cancelled in the end");
    same(steps, 2);
}

static void in_handler(int sig)
{
    (void)sig;
    works(sem_post(&here));
    while (!word)
        pause_a_little();
}

TEST(a_request_in_a_handler_reaches_the_call_below)
{
    struct sigaction action = {.sa_handler = in_handler, .sa_flags = SA_RESTART};
    int fds[2];
    pthread_t thread;
    void *result;
    works(pipe(fds));
    works(sem_init(&here, 0, 0));
    works(sigaction(SIGUSR1, &action, NULL));
    same(pthread_create(&thread, NULL, read_long, &fds[0]), 0);
    works(sem_wait(&here));
    for (int i = 0; i < 5; i++)
        pause_a_little();
    same(pthread_kill(thread, SIGUSR1), 0);
    works(sem_wait(&here));
    same(pthread_cancel(thread), 0);
    word = 1;
    same(pthread_join(thread, &result), 0);
    check(result == PTHREAD_CANCELED, "it was cancelled");
}

static void note_signal(int sig)
{
    word = own * 100 + sig;
}

static void *wait_for_signal(void *arg)
{
    own = 3;
    works(sem_post(&here));
    while (word == 0)
        pause_a_little();
    return arg;
}

TEST(a_signal_for_one_thread)
{
    pthread_t thread;
    works(sem_init(&here, 0, 0));
    check(signal(SIGUSR1, note_signal) != SIG_ERR, "a handler");
    same(pthread_create(&thread, NULL, wait_for_signal, NULL), 0);
    works(sem_wait(&here));
    same(pthread_kill(thread, 0), 0);
    same(pthread_kill(thread, 65), EINVAL);
    same(pthread_kill(thread, SIGUSR1), 0);
    same(pthread_join(thread, NULL), 0);
    same(word, 300 + SIGUSR1);
}

TEST(masks_are_each_threads_own)
{
    sigset_t set, old;
    works(sigemptyset(&set));
    works(sigaddset(&set, SIGUSR1));
    same(pthread_sigmask(SIG_BLOCK, &set, &old), 0);
    same(sigismember(&old, SIGUSR1), 0);
    same(pthread_sigmask(17, &set, NULL), EINVAL);
    same(pthread_sigmask(SIG_SETMASK, NULL, &old), 0);
    same(sigismember(&old, SIGUSR1), 1);
}

static void prepare1(void)
{
    step(1);
}
static void prepare2(void)
{
    step(2);
}
static void parent1(void)
{
    step(3);
}
static void parent2(void)
{
    step(4);
}
static void child1(void)
{
    step(5);
}
static void child2(void)
{
    step(6);
}

TEST(fork_calls_its_handlers)
{
    pid_t pid;
    same(pthread_atfork(prepare1, parent1, child1), 0);
    same(pthread_atfork(NULL, NULL, NULL), 0);
    same(pthread_atfork(prepare2, parent2, child2), 0);
    CHILD (pid) {
        same(steps, 4);
        check(order[0] == 2 && order[1] == 1 && order[2] == 5 && order[3] == 6,
              "the child's order");
    }
    exits(pid, 0);
    same(steps, 4);
    check(order[0] == 2 && order[1] == 1 && order[2] == 3 && order[3] == 4, "the parent's order");
}

static void *allocate(void *arg)
{
    while (!word)
        free(malloc(100));
    return arg;
}

TEST(a_child_of_many_threads_has_a_heap)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        same(pthread_create(&threads[i], NULL, allocate, NULL), 0);
    for (int i = 0; i < 50; i++) {
        pid_t pid;
        CHILD (pid)
            free(malloc(1000));
        exits(pid, 0);
    }
    word = 1;
    for (int i = 0; i < 2; i++)
        same(pthread_join(threads[i], NULL), 0);
}

TEST(a_threads_clock_counts_its_work)
{
    clockid_t clock;
    struct timespec t;
    same(pthread_getcpuclockid(pthread_self(), &clock), 0);
    works(clock_gettime(clock, &t));
    check(t.tv_sec * 1000000000 + t.tv_nsec > 0, "some time");
}

int main(void)
{
    return tap_run("libc_threads");
}

/* musl: What threads wait for: mutexes, conditions, read-write locks, barriers, spin locks, semaphores. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "tap.h"

#define THREADS 4

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_barrier_t barrier;
static sem_t sem;
static volatile int counter;
static int turn, ready;

static void run_threads(void *(*fn)(void *))
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        same(pthread_create(&threads[i], NULL, fn, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        same(pthread_join(threads[i], NULL), 0);
}

/* CLOCK's time in MILLISECONDS. */
static struct timespec in(clockid_t clock, long milliseconds)
{
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_sec += milliseconds / 1000;
    t.tv_nsec += milliseconds % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static void init_mutex(pthread_mutex_t *m, int type, int shared, int robust)
{
    pthread_mutexattr_t attr;
    int got;
    same(pthread_mutexattr_init(&attr), 0);
    same(pthread_mutexattr_settype(&attr, type), 0);
    same(pthread_mutexattr_setpshared(&attr, shared), 0);
    same(pthread_mutexattr_setrobust(&attr, robust), 0);
    same(pthread_mutexattr_gettype(&attr, &got), 0);
    same(got, type);
    same(pthread_mutexattr_getpshared(&attr, &got), 0);
    same(got, shared);
    same(pthread_mutexattr_getrobust(&attr, &got), 0);
    same(got, robust);
    same(pthread_mutex_init(m, &attr), 0);
    same(pthread_mutexattr_destroy(&attr), 0);
}

static void *count_with_mutex(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        same(pthread_mutex_lock(&mutex), 0);
        counter = counter + 1;
        same(pthread_mutex_unlock(&mutex), 0);
    }
    return arg;
}

TEST(a_mutex_excludes)
{
    run_threads(count_with_mutex);
    same(counter, THREADS * 2000);
    same(pthread_mutex_destroy(&mutex), 0);
}

TEST(a_recursive_mutex_counts)
{
    init_mutex(&mutex, PTHREAD_MUTEX_RECURSIVE, 0, 0);
    same(pthread_mutex_lock(&mutex), 0);
    same(pthread_mutex_lock(&mutex), 0);
    same(pthread_mutex_trylock(&mutex), 0);
    for (int i = 0; i < 3; i++)
        same(pthread_mutex_unlock(&mutex), 0);
    same(pthread_mutex_unlock(&mutex), EPERM);
    run_threads(count_with_mutex);
    same(counter, THREADS * 2000);
}

TEST(an_errorcheck_mutex_checks)
{
    init_mutex(&mutex, PTHREAD_MUTEX_ERRORCHECK, 0, 0);
    same(pthread_mutex_unlock(&mutex), EPERM);
    same(pthread_mutex_lock(&mutex), 0);
    same(pthread_mutex_lock(&mutex), EDEADLK);
    same(pthread_mutex_trylock(&mutex), EBUSY);
    same(pthread_mutex_unlock(&mutex), 0);
}

static void *try_mutex(void *arg)
{
    struct timespec soon = in(CLOCK_REALTIME, 20), bad = {0, 1000000000}, past = {0, 0};
    same(pthread_mutex_trylock(&mutex), EBUSY);
    same(pthread_mutex_timedlock(&mutex, &soon), ETIMEDOUT);
    same(pthread_mutex_timedlock(&mutex, &past), ETIMEDOUT);
    same(pthread_mutex_timedlock(&mutex, &bad), EINVAL);
    return arg;
}

TEST(a_mutex_that_is_held_is_waited_for_in_vain)
{
    pthread_t thread;
    struct timespec soon = in(CLOCK_REALTIME, 20);
    same(pthread_mutex_timedlock(&mutex, &soon), 0);
    same(pthread_mutex_timedlock(&mutex, &soon), ETIMEDOUT);
    same(pthread_create(&thread, NULL, try_mutex, NULL), 0);
    same(pthread_join(thread, NULL), 0);
}

TEST(attributes_refuse_nonsense)
{
    pthread_mutexattr_t attr;
    pthread_condattr_t condattr;
    same(pthread_mutexattr_init(&attr), 0);
    same(pthread_mutexattr_settype(&attr, 17), EINVAL);
    same(pthread_mutexattr_setpshared(&attr, 17), EINVAL);
    same(pthread_mutexattr_setrobust(&attr, 17), EINVAL);
    same(pthread_condattr_init(&condattr), 0);
    same(pthread_condattr_setclock(&condattr, CLOCK_PROCESS_CPUTIME_ID), EINVAL);
    same(pthread_condattr_setpshared(&condattr, 17), EINVAL);
    same(pthread_barrier_init(&barrier, NULL, 0), EINVAL);
    fails(sem_init(&sem, 0, 0x80000000U), EINVAL);
}

static void *die_with_mutex(void *arg)
{
    same(pthread_mutex_lock(arg), 0);
    return NULL;
}

TEST(a_robust_mutex_tells_that_its_owner_died)
{
    pthread_t thread;
    init_mutex(&mutex, PTHREAD_MUTEX_NORMAL, 0, PTHREAD_MUTEX_ROBUST);
    same(pthread_create(&thread, NULL, die_with_mutex, &mutex), 0);
    same(pthread_join(thread, NULL), 0);
    same(pthread_mutex_lock(&mutex), EOWNERDEAD);
    same(pthread_mutex_consistent(&mutex), 0);
    same(pthread_mutex_consistent(&mutex), EINVAL);
    same(pthread_mutex_unlock(&mutex), 0);
    same(pthread_mutex_lock(&mutex), 0);
    same(pthread_mutex_unlock(&mutex), 0);
    same(pthread_create(&thread, NULL, die_with_mutex, &mutex), 0);
    same(pthread_join(thread, NULL), 0);
    same(pthread_mutex_trylock(&mutex), EOWNERDEAD);
    same(pthread_mutex_unlock(&mutex), 0);
    same(pthread_mutex_lock(&mutex), ENOTRECOVERABLE);
}

struct shared {
    pthread_mutex_t mutex, other;
    pthread_cond_t cond;
    pthread_rwlock_t rwlock;
    pthread_barrier_t barrier;
    sem_t sem;
    int value;
};

static struct shared *share(void)
{
    struct shared *s = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    works(s);
    return s;
}

TEST(a_robust_mutex_survives_a_process)
{
    struct shared *s = share();
    pid_t pid;
    init_mutex(&s->mutex, PTHREAD_MUTEX_ERRORCHECK, 1, PTHREAD_MUTEX_ROBUST);
    init_mutex(&s->other, PTHREAD_MUTEX_RECURSIVE, 1, PTHREAD_MUTEX_ROBUST);
    CHILD (pid) {
        same(pthread_mutex_lock(&s->mutex), 0);
        same(pthread_mutex_lock(&s->other), 0);
        same(pthread_mutex_lock(&s->other), 0);
        same(pthread_mutex_unlock(&s->mutex), 0);
        same(pthread_mutex_lock(&s->mutex), 0);
        raise(SIGKILL);
    }
    dies(pid, SIGKILL);
    same(pthread_mutex_lock(&s->mutex), EOWNERDEAD);
    same(pthread_mutex_lock(&s->other), EOWNERDEAD);
    same(pthread_mutex_consistent(&s->other), 0);
    same(pthread_mutex_unlock(&s->other), 0);
    same(pthread_mutex_unlock(&s->other), EPERM);
}

TEST(processes_share_all_of_them)
{
    struct shared *s = share();
    pthread_condattr_t condattr;
    pthread_rwlockattr_t rwattr;
    pthread_barrierattr_t barrierattr;
    int got;
    pid_t pid;
    init_mutex(&s->mutex, PTHREAD_MUTEX_NORMAL, 1, 0);
    same(pthread_condattr_init(&condattr), 0);
    same(pthread_condattr_setpshared(&condattr, PTHREAD_PROCESS_SHARED), 0);
    same(pthread_condattr_getpshared(&condattr, &got), 0);
    same(got, PTHREAD_PROCESS_SHARED);
    same(pthread_cond_init(&s->cond, &condattr), 0);
    same(pthread_condattr_destroy(&condattr), 0);
    same(pthread_rwlockattr_init(&rwattr), 0);
    same(pthread_rwlockattr_setpshared(&rwattr, PTHREAD_PROCESS_SHARED), 0);
    same(pthread_rwlockattr_getpshared(&rwattr, &got), 0);
    same(got, PTHREAD_PROCESS_SHARED);
    same(pthread_rwlock_init(&s->rwlock, &rwattr), 0);
    same(pthread_rwlockattr_destroy(&rwattr), 0);
    same(pthread_barrierattr_init(&barrierattr), 0);
    same(pthread_barrierattr_setpshared(&barrierattr, PTHREAD_PROCESS_SHARED), 0);
    same(pthread_barrierattr_getpshared(&barrierattr, &got), 0);
    same(got, PTHREAD_PROCESS_SHARED);
    same(pthread_barrier_init(&s->barrier, &barrierattr, 2), 0);
    same(pthread_barrierattr_destroy(&barrierattr), 0);
    works(sem_init(&s->sem, 1, 0));
    same(pthread_rwlock_wrlock(&s->rwlock), 0);
    CHILD (pid) {
        same(pthread_mutex_lock(&s->mutex), 0);
        while (s->value == 0)
            same(pthread_cond_wait(&s->cond, &s->mutex), 0);
        s->value = 3;
        same(pthread_cond_signal(&s->cond), 0);
        same(pthread_mutex_unlock(&s->mutex), 0);
        same(pthread_rwlock_rdlock(&s->rwlock), 0);
        same(s->value, 2);
        same(pthread_rwlock_unlock(&s->rwlock), 0);
        pthread_barrier_wait(&s->barrier);
        works(sem_wait(&s->sem));
    }
    pause_a_little();
    same(pthread_mutex_lock(&s->mutex), 0);
    s->value = 1;
    same(pthread_cond_signal(&s->cond), 0);
    while (s->value != 3)
        same(pthread_cond_wait(&s->cond, &s->mutex), 0);
    s->value = 2;
    same(pthread_mutex_unlock(&s->mutex), 0);
    same(pthread_rwlock_unlock(&s->rwlock), 0);
    pthread_barrier_wait(&s->barrier);
    works(sem_post(&s->sem));
    exits(pid, 0);
}

static void *take_turns(void *arg)
{
    int me = (int)(long)arg;
    same(pthread_mutex_lock(&mutex), 0);
    for (int i = 0; i < 200; i++) {
        while (turn % THREADS != me)
            same(pthread_cond_wait(&cond, &mutex), 0);
        turn++;
        same(pthread_cond_broadcast(&cond), 0);
    }
    same(pthread_mutex_unlock(&mutex), 0);
    return NULL;
}

TEST(a_broadcast_wakes_all)
{
    run_threads(take_turns);
    same(turn, THREADS * 200);
    same(pthread_cond_destroy(&cond), 0);
}

static void *consume(void *arg)
{
    same(pthread_mutex_lock(&mutex), 0);
    for (int i = 0; i < 500; i++) {
        while (ready == 0)
            same(pthread_cond_wait(&cond, &mutex), 0);
        ready--;
        counter = counter + 1;
    }
    same(pthread_mutex_unlock(&mutex), 0);
    return arg;
}

TEST(no_signal_is_lost)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        same(pthread_create(&threads[i], NULL, consume, NULL), 0);
    for (int i = 0; i < THREADS * 500; i++) {
        same(pthread_mutex_lock(&mutex), 0);
        ready++;
        same(pthread_mutex_unlock(&mutex), 0);
        same(pthread_cond_signal(&cond), 0);
    }
    for (int i = 0; i < THREADS; i++)
        same(pthread_join(threads[i], NULL), 0);
    same(counter, THREADS * 500);
}

TEST(a_condition_waits_until_its_clock_says)
{
    pthread_condattr_t attr;
    clockid_t clock;
    struct timespec soon = in(CLOCK_MONOTONIC, 20), now, bad = {0, -1};
    same(pthread_condattr_init(&attr), 0);
    same(pthread_condattr_getclock(&attr, &clock), 0);
    same(clock, CLOCK_REALTIME);
    same(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC), 0);
    same(pthread_condattr_getclock(&attr, &clock), 0);
    same(clock, CLOCK_MONOTONIC);
    same(pthread_cond_init(&cond, &attr), 0);
    same(pthread_mutex_lock(&mutex), 0);
    same(pthread_cond_timedwait(&cond, &mutex, &soon), ETIMEDOUT);
    clock_gettime(CLOCK_MONOTONIC, &now);
    check(now.tv_sec > soon.tv_sec || (now.tv_sec == soon.tv_sec && now.tv_nsec >= soon.tv_nsec),
          "it waited until the time");
    same(pthread_cond_timedwait(&cond, &mutex, &bad), EINVAL);
    same(pthread_mutex_trylock(&mutex), EBUSY);
}

static void *read_or_write(void *arg)
{
    for (int i = 0; i < 1000; i++) {
        if (i % 4 == (long)arg) {
            same(pthread_rwlock_wrlock(&rwlock), 0);
            counter = counter + 1;
            counter = counter + 1;
        } else {
            same(pthread_rwlock_rdlock(&rwlock), 0);
            same(counter % 2, 0);
        }
        same(pthread_rwlock_unlock(&rwlock), 0);
    }
    return NULL;
}

TEST(writers_exclude_readers)
{
    run_threads(read_or_write);
    same(counter, THREADS * 250 * 2);
    same(pthread_rwlock_destroy(&rwlock), 0);
}

static void *try_to_write(void *arg)
{
    struct timespec soon = in(CLOCK_REALTIME, 20);
    same(pthread_rwlock_trywrlock(&rwlock), EBUSY);
    same(pthread_rwlock_timedwrlock(&rwlock, &soon), ETIMEDOUT);
    same(pthread_rwlock_tryrdlock(&rwlock), 0);
    same(pthread_rwlock_unlock(&rwlock), 0);
    return arg;
}

static void *try_to_read(void *arg)
{
    struct timespec soon = in(CLOCK_REALTIME, 20);
    same(pthread_rwlock_tryrdlock(&rwlock), EBUSY);
    same(pthread_rwlock_timedrdlock(&rwlock, &soon), ETIMEDOUT);
    return arg;
}

TEST(readers_share_and_writers_do_not)
{
    struct timespec soon = in(CLOCK_REALTIME, 20);
    same(pthread_rwlock_init(&rwlock, NULL), 0);
    same(pthread_rwlock_timedrdlock(&rwlock, &soon), 0);
    run_threads(try_to_write);
    same(pthread_rwlock_unlock(&rwlock), 0);
    same(pthread_rwlock_timedwrlock(&rwlock, &soon), 0);
    run_threads(try_to_read);
    same(pthread_rwlock_unlock(&rwlock), 0);
    same(pthread_rwlock_trywrlock(&rwlock), 0);
}

static void *pass_barrier(void *arg)
{
    for (int round = 1; round <= 100; round++) {
        __atomic_fetch_add(&ready, 1, __ATOMIC_RELAXED);
        int result = pthread_barrier_wait(&barrier);
        if (result == PTHREAD_BARRIER_SERIAL_THREAD)
            __atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED);
        else
            same(result, 0);
        same(__atomic_load_n(&ready, __ATOMIC_RELAXED), round * THREADS);
        pthread_barrier_wait(&barrier);
    }
    return arg;
}

TEST(a_barrier_holds_until_all_have_come)
{
    same(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    run_threads(pass_barrier);
    same(turn, 100);
    same(pthread_barrier_destroy(&barrier), 0);
}

static void *pass_one_barrier(void *arg)
{
    pthread_barrier_wait(arg);
    return NULL;
}

TEST(a_barrier_may_be_destroyed_by_the_first_who_leaves)
{
    for (int i = 0; i < 100; i++) {
        pthread_t thread;
        pthread_barrier_t *b = malloc(sizeof(*b));
        same(pthread_barrier_init(b, NULL, 2), 0);
        same(pthread_create(&thread, NULL, pass_one_barrier, b), 0);
        pthread_barrier_wait(b);
        same(pthread_barrier_destroy(b), 0);
        memset(b, 0xff, sizeof(*b));
        same(pthread_join(thread, NULL), 0);
        free(b);
    }
}

static void *count_with_spin(void *arg)
{
    for (int i = 0; i < 1000; i++) {
        same(pthread_spin_lock(&spin), 0);
        counter = counter + 1;
        same(pthread_spin_unlock(&spin), 0);
    }
    return arg;
}

TEST(a_spin_lock_excludes)
{
    same(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE), 0);
    run_threads(count_with_spin);
    same(counter, THREADS * 1000);
    same(pthread_spin_trylock(&spin), 0);
    same(pthread_spin_trylock(&spin), EBUSY);
    same(pthread_spin_unlock(&spin), 0);
    same(pthread_spin_destroy(&spin), 0);
}

static void *down(void *arg)
{
    for (int i = 0; i < 500; i++) {
        works(sem_wait(&sem));
        __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
    }
    return arg;
}

TEST(every_post_lets_one_pass)
{
    pthread_t threads[THREADS];
    int value;
    works(sem_init(&sem, 0, 0));
    for (int i = 0; i < THREADS; i++)
        same(pthread_create(&threads[i], NULL, down, NULL), 0);
    for (int i = 0; i < THREADS * 500; i++)
        works(sem_post(&sem));
    for (int i = 0; i < THREADS; i++)
        same(pthread_join(threads[i], NULL), 0);
    same(counter, THREADS * 500);
    works(sem_getvalue(&sem, &value));
    same(value, 0);
    works(sem_destroy(&sem));
}

static void nothing(int sig)
{
    (void)sig;
}

TEST(a_semaphore_is_waited_for_in_vain)
{
    struct timespec soon = in(CLOCK_REALTIME, 20), bad = {0, -1};
    struct sigaction action = {.sa_handler = nothing};
    struct itimerval again = {{0, 20000}, {0, 20000}}; /* the first may come before the call */
    int value;
    works(sem_init(&sem, 0, 1));
    works(sem_trywait(&sem));
    fails(sem_trywait(&sem), EAGAIN);
    fails(sem_timedwait(&sem, &soon), ETIMEDOUT);
    fails(sem_timedwait(&sem, &bad), EINVAL);
    works(sigaction(SIGALRM, &action, NULL));
    works(setitimer(ITIMER_REAL, &again, NULL));
    fails(sem_wait(&sem), EINTR);
    works(sem_getvalue(&sem, &value));
    same(value, 0);
    works(sem_init(&sem, 0, 0x7fffffff));
    fails(sem_post(&sem), EOVERFLOW);
}

int main(void)
{
    return tap_run("libc_sync");
}

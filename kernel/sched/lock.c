/*
 * Locks: what is not inline in lock.h, and everything that a debug build checks.
 *
 * A spinlock is one byte: who exchanges it for true and finds false has it. There is no queue and so no
 * order among those who wait. A queue would be fairer, but our CPUs are virtual: the one whose turn it is
 * may not be running on the host, and all behind it would wait for that too, with the lock free. Spinlocks
 * are held by CPUs, with interrupts off, never by threads.
 *
 * A mutex is a word that says which thread holds it. Without competition that word is all there is to
 * it. A thread that finds it taken sets MUTEX_WAITERS in the word and sleeps on m->waiters; the holder then
 * can't give the mutex back with one instruction, takes m->lock, and hands it to the sleeper that came
 * first: the mutex is never free in between, so nobody starves.
 *
 * In a debug build every CPU has a list of the spinlocks it holds and every thread one of its mutexes.
 * Taking a lock is checked against all of them by rank, before waiting: an inversion is found even when no
 * deadlock happens to come of it. The place that took each lock is remembered, for the message.
 */
#include "sched/lock.h"

#include "lib/log.h"
#include "lib/string.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "x86/extable.h"
#include "x86/irq.h"
#include "x86/upcalls.h"

struct mutex_waiter {
    struct list link;      /* m->lock */
    struct thread *thread; /* const */
    bool granted;          /* m->lock: the mutex is ours */
};

#ifdef CONFIG_DEBUG
#define HELD_MAX 16
#define SPINS_MAX 4000000000ULL
static struct held_spinlocks {
    struct spinlock *lock[HELD_MAX]; /* this CPU only */
    int count;                       /* this CPU only */
    struct spinlock *wanted;         /* this CPU only: the one it spins for */
} held_spinlocks[MAX_CPUS];
static struct {
    const char *what; /* this CPU only: what is to be called before anybody sleeps; NULL: nothing */
    uintptr_t since;  /* this CPU only: the call that made it so */
} owed[MAX_CPUS];
#endif

void spin_init(struct spinlock *l, enum lock_rank rank, const char *name)
{
    memset(l, 0, sizeof(*l));
#ifdef CONFIG_DEBUG
    l->rank = rank;
    l->cpu = -1;
    l->name = name;
#else
    (void)rank;
    (void)name;
#endif
}

void mutex_init(struct mutex *m, enum lock_rank rank, const char *name)
{
    m->holder = 0;
    spin_init(&m->lock, RANK_WAIT, name);
    list_init(&m->waiters);
#ifdef CONFIG_DEBUG
    m->rank = rank;
    m->name = name;
    m->where = 0;
    list_init(&m->held);
#else
    (void)rank;
#endif
}

bool mutex_is_held(const struct mutex *m)
{
    return (READ_ONCE(m->holder) & ~MUTEX_WAITERS) == (uintptr_t)current;
}

/*
 * Wait for L with interrupts off. What other CPUs ask of this one is answered meanwhile: who holds the lock
 * may be waiting for that answer.
 */
void spin_lock_contended(struct spinlock *l)
{
    uint64_t spins = 0;

#ifdef CONFIG_DEBUG
    held_spinlocks[cpu_id()].wanted = l;
#endif
    do {
        while (__atomic_load_n(&l->locked, __ATOMIC_RELAXED)) {
            cpu_relax();
            cpu_answer_calls();
#ifdef CONFIG_DEBUG
            if (++spins == SPINS_MAX)
                panic("spinlock %s: waited for ever, taken by CPU %d at %pS", l->name, l->cpu,
                      (void *)l->where);
#endif
        }
    } while (__atomic_exchange_n(&l->locked, true, __ATOMIC_ACQUIRE));
#ifdef CONFIG_DEBUG
    held_spinlocks[cpu_id()].wanted = NULL;
#endif
    (void)spins;
}

/* Take M or note in it that somebody waits: true when we have it. m->lock is held. */
static bool mutex_grab_or_mark(struct mutex *m)
{
    uintptr_t seen = READ_ONCE(m->holder);
    for (;;) {
        uintptr_t want = seen ? seen | MUTEX_WAITERS : (uintptr_t)current;
        if (__atomic_compare_exchange_n(&m->holder, &seen, want, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return seen == 0;
    }
}

void mutex_lock_contended(struct mutex *m)
{
    struct mutex_waiter w = {.thread = current};

    assert(!mutex_is_held(m));
    spin_lock(&m->lock);
    if (mutex_grab_or_mark(m)) {
        spin_unlock(&m->lock);
        return;
    }
    list_push_back(&m->waiters, &w.link);
    current->blocked_on = m;
    while (!w.granted) {
        (void)atomic_xchg(&current->state, THREAD_DEAF);
        spin_unlock(&m->lock);
        schedule();
        spin_lock(&m->lock);
    }
    current->blocked_on = NULL;
    spin_unlock(&m->lock);
}

/* Hand the mutex to the first sleeper. */
void mutex_unlock_contended(struct mutex *m)
{
    assert(mutex_is_held(m));
    spin_lock(&m->lock);
    struct mutex_waiter *w = list_first(&m->waiters, struct mutex_waiter, link);
    if (!w) {
        __atomic_store_n(&m->holder, 0, __ATOMIC_RELEASE);
    } else {
        list_remove(&w->link);
        uintptr_t more = list_empty(&m->waiters) ? 0 : MUTEX_WAITERS;
        __atomic_store_n(&m->holder, (uintptr_t)w->thread | more, __ATOMIC_RELEASE);
        w->granted = true;
        sched_wake(w->thread, WAKE_EVENT);
    }
    spin_unlock(&m->lock);
}

#ifndef CONFIG_DEBUG

void report_locks(void)
{
    log_at(LOG_EMERG, "locks held: only a debug build keeps account of them");
}

bool spin_trylock(struct spinlock *l)
{
    irq_push_off();
    if (!__atomic_exchange_n(&l->locked, true, __ATOMIC_ACQUIRE))
        return true;
    irq_pop_off();
    return false;
}

bool mutex_trylock(struct mutex *m)
{
    uintptr_t free = 0;
    return __atomic_compare_exchange_n(&m->holder, &free, (uintptr_t)current, false,
                                       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

#else

#define caller() ((uintptr_t)__builtin_return_address(0))

/* The ranks of all spinlocks that this CPU holds must be below L's. */
static void check_order(const struct spinlock *l, bool nested, uintptr_t where)
{
    const struct held_spinlocks *h = &held_spinlocks[cpu_id()];
    for (int i = 0; i < h->count; i++) {
        const struct spinlock *held = h->lock[i];
        if (held == l)
            panic("spinlock %s taken again at %pS, held since %pS", l->name, (void *)where,
                  (void *)held->where);
        if (held->rank > l->rank || (held->rank == l->rank && !nested))
            panic("lock order: %s (rank %d) wanted at %pS while %s (rank %d) is held from %pS",
                  l->name, l->rank, (void *)where, held->name, held->rank, (void *)held->where);
    }
}

static void spin_note_taken(struct spinlock *l, uintptr_t where)
{
    struct held_spinlocks *h = &held_spinlocks[cpu_id()];
    if (h->count == HELD_MAX)
        panic("too many spinlocks held, %s the last, at %pS", l->name, (void *)where);
    h->lock[h->count++] = l;
    l->cpu = (int8_t)cpu_id();
    l->where = where;
}

static void spin_acquire(struct spinlock *l, bool nested, uintptr_t where)
{
    if (!l->name)
        panic("spinlock %p used at %pS before spin_init", (void *)l, (void *)where);
    race_point();
    irq_push_off();
    check_order(l, nested, where);
    if (__atomic_exchange_n(&l->locked, true, __ATOMIC_ACQUIRE))
        spin_lock_contended(l);
    spin_note_taken(l, where);
}

void spin_lock(struct spinlock *l)
{
    spin_acquire(l, false, caller());
}

void spin_lock_nested(struct spinlock *l)
{
    spin_acquire(l, true, caller());
}

bool spin_trylock(struct spinlock *l)
{
    irq_push_off();
    if (__atomic_exchange_n(&l->locked, true, __ATOMIC_ACQUIRE)) {
        irq_pop_off();
        return false;
    }
    spin_note_taken(l, caller());
    return true;
}

void spin_unlock(struct spinlock *l)
{
    struct held_spinlocks *h = &held_spinlocks[cpu_id()];
    int i = h->count;
    while (i > 0 && h->lock[i - 1] != l)
        i--;
    if (i == 0)
        panic("spinlock %s released at %pS, but not held by this CPU; last taken by CPU %d at %pS",
              l->name, (void *)caller(), l->cpu, (void *)l->where);
    for (h->count--; i <= h->count; i++)
        h->lock[i - 1] = h->lock[i];
    l->cpu = -1;
    __atomic_store_n(&l->locked, false, __ATOMIC_RELEASE);
    irq_pop_off();
    race_point();
}

bool spin_is_held(const struct spinlock *l)
{
    const struct held_spinlocks *h = &held_spinlocks[cpu_id()];
    for (int i = 0; i < h->count; i++)
        if (h->lock[i] == l)
            return true;
    return false;
}

static void assert_may_sleep_at(uintptr_t where)
{
    irq_push_off();
    const struct held_spinlocks *h = &held_spinlocks[cpu_id()];
    if (h->count)
        panic("might sleep at %pS while spinlock %s is held from %pS", (void *)where,
              h->lock[0]->name, (void *)h->lock[0]->where);
    if (in_interrupt())
        panic("might sleep at %pS while handling an interrupt", (void *)where);
    if (owed[cpu_id()].what)
        panic("might sleep at %pS before %s, which is due since %pS", (void *)where,
              owed[cpu_id()].what, (void *)owed[cpu_id()].since);
    irq_pop_off();
}

void sleep_owes(const char *what)
{
    irq_push_off();
    owed[cpu_id()].what = what;
    owed[cpu_id()].since = caller();
    irq_pop_off();
}

void lock_assert_may_sleep(void)
{
    assert_may_sleep_at(caller());
}

static void mutex_check_order(const struct mutex *m, bool nested, uintptr_t where)
{
    const struct mutex *held;
    list_for_each (held, &current->held_mutexes, held) {
        if (held == m)
            panic("mutex %s taken again at %pS, held since %pS", m->name, (void *)where,
                  (void *)held->where);
        if (held->rank > m->rank || (held->rank == m->rank && !nested))
            panic("lock order: %s (rank %d) wanted at %pS while %s (rank %d) is held from %pS",
                  m->name, m->rank, (void *)where, held->name, held->rank, (void *)held->where);
    }
}

static void mutex_note_taken(struct mutex *m, uintptr_t where)
{
    m->where = where;
    list_push_back(&current->held_mutexes, &m->held);
}

static void mutex_acquire(struct mutex *m, bool nested, uintptr_t where)
{
    if (!m->name)
        panic("mutex %p used at %pS before mutex_init", (void *)m, (void *)where);
    assert_may_sleep_at(where);
    race_point();
    mutex_check_order(m, nested, where);
    uintptr_t free = 0;
    if (!__atomic_compare_exchange_n(&m->holder, &free, (uintptr_t)current, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
        mutex_lock_contended(m);
    mutex_note_taken(m, where);
}

void mutex_lock(struct mutex *m)
{
    mutex_acquire(m, false, caller());
}

void mutex_lock_nested(struct mutex *m)
{
    mutex_acquire(m, true, caller());
}

bool mutex_trylock(struct mutex *m)
{
    uintptr_t free = 0;
    if (!__atomic_compare_exchange_n(&m->holder, &free, (uintptr_t)current, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
        return false;
    mutex_note_taken(m, caller());
    return true;
}

void mutex_unlock(struct mutex *m)
{
    if (!mutex_is_held(m))
        panic("mutex %s released at %pS by a stranger; last taken at %pS", m->name,
              (void *)caller(), (void *)m->where);
    list_remove(&m->held);
    uintptr_t mine = (uintptr_t)current;
    if (!__atomic_compare_exchange_n(&m->holder, &mine, 0, false, __ATOMIC_RELEASE,
                                     __ATOMIC_RELAXED))
        mutex_unlock_contended(m);
    race_point();
}

/* --- the report ----------------------------------------------------------------------------------- */

static void report_spinlock(int cpu, const struct spinlock *lock, bool wanted)
{
    struct spinlock l;
    char name[32];

    if (!kernel_read(&l, lock, sizeof(l))) {
        log_at(LOG_EMERG, "  spinlock %p, by CPU %d: unreadable", (const void *)lock, cpu);
        return;
    }
    kernel_read_text(name, l.name, sizeof(name));
    if (wanted)
        log_at(LOG_EMERG, "  spinlock %p (%s, rank %d) is what CPU %d spins for", (const void *)lock,
               name, l.rank, cpu);
    else
        log_at(LOG_EMERG, "  spinlock %p (%s, rank %d) by CPU %d, taken at %pS", (const void *)lock,
               name, l.rank, cpu, (void *)l.where);
}

/* Mutexes are their threads': report_threads() has them. */
void report_locks(void)
{
    log_at(LOG_EMERG, "spinlocks held:");
    for (int cpu = 0; cpu < num_cpus; cpu++) {
        const struct held_spinlocks *h = &held_spinlocks[cpu];
        for (int i = 0; i < min(h->count, HELD_MAX); i++)
            report_spinlock(cpu, h->lock[i], false);
        if (h->wanted)
            report_spinlock(cpu, h->wanted, true);
    }
}

/* --- races on purpose --------------------------------------------------------------------------- */

static uint64_t race_state[MAX_CPUS]; /* this CPU only: 0 while switched off */

/* Each CPU walks its own sequence, so that one CPU's run depends on the seed and on itself. */
void race_seed(uint64_t seed)
{
    for (int i = 0; i < MAX_CPUS; i++) {
        uint64_t z = seed + (uint64_t)(i + 1) * 0x9e3779b97f4a7c15ULL;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        race_state[i] = (z ^ (z >> 27)) | 1;
    }
}

/*
 * One point in 64 is a short pause; of those, one in 16 asks for the CPU to be given away at the next
 * chance, which is the return to user mode: kernel code counts on running until it sleeps.
 */
void race_point(void)
{
    if (!race_state[0])
        return;
    irq_push_off();
    uint64_t *state = &race_state[cpu_id()];
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    if (x % 64 == 0) {
        for (unsigned n = (x >> 8) % 256; n > 0; n--)
            cpu_relax();
        if ((x >> 16) % 16 == 0 && current)
            atomic_or(&current->work, WORK_RESCHED);
    }
    irq_pop_off();
}

#endif

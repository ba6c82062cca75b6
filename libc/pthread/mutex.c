/*
 * Mutexes. The word is 0, or the id of the thread that holds it; FUTEX_WAITERS in it says that somebody may sleep and
 * must be woken by whoever unlocks. A thread that has slept takes it with that bit set, since it can't know
 * whether others still do.
 *
 * The words are the kernel's for robust mutexes, which hang in a list of their owner's: when it dies, the kernel walks
 * the list and leaves FUTEX_OWNER_DIED. The next to lock it is told (EOWNERDEAD) and must either repair what the
 * mutex guards and say so, or unlock it, after which nobody gets it any more.
 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>

#include "internal/thread.h"
#include "pthread/futex.h"

#define TYPE 3
#define SHARED 4
#define ROBUST 8
#define INCONSISTENT 16                /* its owner's to set and clear */
#define NOT_RECOVERABLE FUTEX_TID_MASK /* no thread has this id */

int pthread_mutex_init(pthread_mutex_t *restrict m, const pthread_mutexattr_t *restrict attr)
{
    *m = (pthread_mutex_t){.__kind = attr ? attr->__kind : PTHREAD_MUTEX_NORMAL};
    return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *m)
{
    unsigned owner = (unsigned)__atomic_load_n(&m->__state, __ATOMIC_RELAXED) & FUTEX_TID_MASK;
    return owner && owner != NOT_RECOVERABLE ? EBUSY : 0;
}

static bool is_shared(const pthread_mutex_t *m)
{
    return m->__kind & (SHARED | ROBUST); /* the kernel's wake when an owner dies is a shared one */
}

static bool is_mine(const pthread_mutex_t *m)
{
    unsigned state = (unsigned)__atomic_load_n(&m->__state, __ATOMIC_RELAXED);
    return (state & FUTEX_TID_MASK) == (unsigned)thread_self()->tid;
}

static struct robust_list *link_of(pthread_mutex_t *m)
{
    return (struct robust_list *)&m->__next;
}

static pthread_mutex_t *mutex_of(struct robust_list *link)
{
    return (pthread_mutex_t *)((char *)link - offsetof(pthread_mutex_t, __next));
}

/* M goes into the list of the thread that has just taken it. Only `next` is for the kernel. */
static void robust_insert(struct __pthread *self, pthread_mutex_t *m)
{
    struct robust_list *head = &self->robust.list, *first = head->next;
    m->__previous = head;
    m->__next = first;
    if (first != head)
        mutex_of(first)->__previous = link_of(m);
    head->next = link_of(m);
}

static void robust_remove(struct __pthread *self, pthread_mutex_t *m)
{
    struct robust_list *next = m->__next, *previous = m->__previous;
    previous->next = next;
    if (next != &self->robust.list)
        mutex_of(next)->__previous = previous;
}

static void robust_register(struct __pthread *self)
{
    if (self->robust.list.next)
        return;
    self->robust.list.next = &self->robust.list;
    self->robust.futex_offset =
        (long)offsetof(pthread_mutex_t, __state) - (long)offsetof(pthread_mutex_t, __next);
    syscall_raw(SYS_set_robust_list, &self->robust, sizeof(self->robust));
}

/* Take M, sleeping if WAIT. The kind does not matter yet; a dead owner is told by its bit in *SEEN. */
static int take(pthread_mutex_t *m, bool wait, const struct timespec *deadline, unsigned *seen)
{
    unsigned self = (unsigned)thread_self()->tid, slept = 0;
    unsigned state = 0;
    for (;;) {
        unsigned owner = state & FUTEX_TID_MASK;
        if (owner == 0) {
            unsigned mine = self | slept | (state & FUTEX_WAITERS);
            if (__atomic_compare_exchange_n((unsigned *)&m->__state, &state, mine, 0,
                                            __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
                *seen = state;
                return 0;
            }
            continue;
        }
        if (owner == NOT_RECOVERABLE)
            return ENOTRECOVERABLE;
        if (!wait)
            return EBUSY;
        if (!time_is_valid(deadline))
            return EINVAL;
        if (!(state & FUTEX_WAITERS) &&
            !__atomic_compare_exchange_n((unsigned *)&m->__state, &state, state | FUTEX_WAITERS, 0,
                                         __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            continue;
        int error = futex_wait(&m->__state, (int)(state | FUTEX_WAITERS), CLOCK_REALTIME, deadline,
                               is_shared(m), false);
        if (error == ETIMEDOUT)
            return error;
        slept = FUTEX_WAITERS;
        state = (unsigned)__atomic_load_n(&m->__state, __ATOMIC_RELAXED);
    }
}

static int take_robust(pthread_mutex_t *m, bool wait, const struct timespec *deadline)
{
    struct __pthread *self = thread_self();
    unsigned seen = 0;
    robust_register(self);
    self->robust.list_op_pending = link_of(m);
    int error = take(m, wait, deadline, &seen);
    if (error == 0) {
        robust_insert(self, m);
        if (seen & FUTEX_OWNER_DIED) {
            m->__kind |= INCONSISTENT;
            m->__depth = 0;
            error = EOWNERDEAD;
        }
    }
    __asm__ volatile("" ::: "memory"); /* a death in between is seen in this order */
    self->robust.list_op_pending = NULL;
    return error;
}

static int lock(pthread_mutex_t *m, bool wait, const struct timespec *deadline)
{
    unsigned seen;
    int type = m->__kind & TYPE;
    if (type != PTHREAD_MUTEX_NORMAL && is_mine(m)) {
        if (type == PTHREAD_MUTEX_ERRORCHECK)
            return wait ? EDEADLK : EBUSY;
        if (m->__depth == UINT_MAX)
            return EAGAIN;
        m->__depth++;
        return 0;
    }
    return m->__kind & ROBUST ? take_robust(m, wait, deadline) : take(m, wait, deadline, &seen);
}

int pthread_mutex_lock(pthread_mutex_t *m)
{
    return lock(m, true, NULL);
}

int pthread_mutex_trylock(pthread_mutex_t *m)
{
    return lock(m, false, NULL);
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict m, const struct timespec *restrict deadline)
{
    return lock(m, true, deadline);
}

static void release(pthread_mutex_t *m, unsigned state, int wake)
{
    bool shared = is_shared(m); /* once it is free, it may be gone */
    if (__atomic_exchange_n((unsigned *)&m->__state, state, __ATOMIC_RELEASE) & FUTEX_WAITERS)
        futex_wake(&m->__state, wake, shared);
}

static void release_robust(pthread_mutex_t *m)
{
    struct __pthread *self = thread_self();
    self->robust.list_op_pending = link_of(m);
    robust_remove(self, m);
    __asm__ volatile("" ::: "memory");
    if (m->__kind & INCONSISTENT)
        release(m, NOT_RECOVERABLE, INT_MAX);
    else
        release(m, 0, 1);
    __asm__ volatile("" ::: "memory");
    self->robust.list_op_pending = NULL;
}

int pthread_mutex_unlock(pthread_mutex_t *m)
{
    if ((m->__kind & (TYPE | ROBUST)) == PTHREAD_MUTEX_NORMAL) {
        release(m, 0, 1);
        return 0;
    }
    if (!is_mine(m))
        return EPERM;
    if (m->__depth > 0)
        m->__depth--;
    else if (m->__kind & ROBUST)
        release_robust(m);
    else
        release(m, 0, 1);
    return 0;
}

int pthread_mutex_consistent(pthread_mutex_t *m)
{
    if (!(m->__kind & ROBUST) || !(m->__kind & INCONSISTENT) || !is_mine(m))
        return EINVAL;
    m->__kind &= ~INCONSISTENT;
    return 0;
}

int pthread_mutexattr_init(pthread_mutexattr_t *attr)
{
    attr->__kind = PTHREAD_MUTEX_DEFAULT;
    return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *attr)
{
    (void)attr;
    return 0;
}

static int set(pthread_mutexattr_t *attr, int mask, int value)
{
    attr->__kind = (attr->__kind & ~mask) | value;
    return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int type)
{
    return type < PTHREAD_MUTEX_NORMAL || type > PTHREAD_MUTEX_ERRORCHECK ? EINVAL
                                                                          : set(attr, TYPE, type);
}

int pthread_mutexattr_gettype(const pthread_mutexattr_t *restrict attr, int *restrict type)
{
    *type = attr->__kind & TYPE;
    return 0;
}

int pthread_mutexattr_setpshared(pthread_mutexattr_t *attr, int shared)
{
    return (unsigned)shared > 1 ? EINVAL : set(attr, SHARED, shared ? SHARED : 0);
}

int pthread_mutexattr_getpshared(const pthread_mutexattr_t *restrict attr, int *restrict shared)
{
    *shared = (attr->__kind & SHARED) != 0;
    return 0;
}

int pthread_mutexattr_setrobust(pthread_mutexattr_t *attr, int robust)
{
    return (unsigned)robust > 1 ? EINVAL : set(attr, ROBUST, robust ? ROBUST : 0);
}

int pthread_mutexattr_getrobust(const pthread_mutexattr_t *restrict attr, int *restrict robust)
{
    *robust = (attr->__kind & ROBUST) != 0;
    return 0;
}

/*
 * select(2) and pselect6(2): poll with three bit maps. The maps of one call are six arrays of words
 * in one piece of memory: what was asked (in, out, ex) and what is ready.
 */
#include <abi/select.h>
#include <abi/time.h>
#include <syscall_protos.h>

#include "fs/pollwait.h"
#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "signal/signal.h"
#include "x86/clock.h"
#include "x86/uaccess.h"

#define IN_EVENTS (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR | POLLNVAL)
#define OUT_EVENTS (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR | POLLNVAL)
#define EX_EVENTS (POLLPRI | POLLNVAL)

#define WORDS_ON_STACK 4

enum { SET_IN, SET_OUT, SET_EX, SETS };

static const unsigned set_events[SETS] = {IN_EVENTS, OUT_EVENTS, EX_EVENTS};

struct select {
    int n;        /* descriptors looked at */
    size_t words; /* of each map */
    uint64_t *asked[SETS], *ready[SETS];
    uint64_t *memory; /* all of them; SMALL or allocated */
    uint64_t small[2 * SETS * WORDS_ON_STACK];
};

/* ---- one descriptor, one round ---- */

static unsigned wanted_events(const struct select *s, int fd)
{
    unsigned events = 0;
    for (int set = 0; set < SETS; set++)
        if (s->asked[set][fd / 64] >> (fd % 64) & 1)
            events |= set_events[set];
    return events;
}

static unsigned note_ready(struct select *s, int fd, unsigned got)
{
    unsigned count = 0;
    for (int set = 0; set < SETS; set++)
        if (got & set_events[set] && s->asked[set][fd / 64] >> (fd % 64) & 1) {
            s->ready[set][fd / 64] |= 1UL << (fd % 64);
            count++;
        }
    return count;
}

/* Bits ready after one round, or -EBADF. */
static long look(struct select *s, struct poll_waits *w, bool join)
{
    long ready = 0;
    for (int fd = 0; fd < s->n; fd++) {
        uint64_t any =
            s->asked[SET_IN][fd / 64] | s->asked[SET_OUT][fd / 64] | s->asked[SET_EX][fd / 64];
        if (!(any >> (fd % 64))) {
            fd |= 63; /* nothing more in this word */
            continue;
        }
        unsigned events = wanted_events(s, fd);
        if (!events)
            continue;
        struct fdref r = fdref_get_any(fd); /* O_PATH: POLLNVAL, which belongs to every set */
        if (!r.file)
            return -EBADF;
        unsigned count = note_ready(s, fd, poll_one(w, r, events, join));
        fdref_put(r);
        ready += count;
        if (count)
            join = false;
    }
    return ready;
}

static long select_loop(struct select *s, nsec_t deadline)
{
    struct poll_waits w;
    poll_waits_init(&w);
    long result = look(s, &w, deadline != 0);
    int why = deadline == 0 ? -ETIMEDOUT : 0;
    while (!result && !why) {
        why = poll_sleep(&w, deadline);
        result = look(s, &w, false);
    }
    if (!result && (why == -ERESTARTSYS || signal_pending(current)))
        result = -ERESTARTNOHAND;
    else if (!result && why != -ETIMEDOUT)
        result = why;
    poll_waits_end(&w);
    return result;
}

/* ---- the maps ---- */

static int sets_alloc(struct select *s, int n)
{
    unsigned size = READ_ONCE(current->proc->fdtable->size);
    s->n = min(n, (int)size); /* beyond the table there is nothing to look at */
    s->words = (size_t)(s->n + 63) / 64;
    s->memory = s->small;
    if (s->words > WORDS_ON_STACK) {
        s->memory = kmalloc(2 * SETS * s->words * sizeof(uint64_t));
        if (!s->memory)
            return -ENOMEM;
    }
    for (int set = 0; set < SETS; set++) {
        s->asked[set] = s->memory + (size_t)set * s->words;
        s->ready[set] = s->memory + (size_t)(SETS + set) * s->words;
    }
    memset(s->memory, 0, 2 * SETS * s->words * sizeof(uint64_t));
    return 0;
}

static int sets_load(struct select *s, unsigned long __user *const from[SETS])
{
    for (int set = 0; set < SETS; set++) {
        if (from[set] && copy_from_user(s->asked[set], from[set], s->words * sizeof(uint64_t)))
            return -EFAULT;
        if (s->n % 64) /* the last word's bits beyond n don't count */
            s->asked[set][s->words - 1] &= (1UL << (s->n % 64)) - 1;
    }
    return 0;
}

static int sets_store(const struct select *s, unsigned long __user *const to[SETS])
{
    for (int set = 0; set < SETS; set++)
        if (to[set] && copy_to_user(to[set], s->ready[set], s->words * sizeof(uint64_t)))
            return -EFAULT;
    return 0;
}

static long do_select(int n, unsigned long __user *const sets[SETS], nsec_t deadline)
{
    struct select s;
    if (n < 0)
        return -EINVAL;
    int error = sets_alloc(&s, n);
    if (error)
        return error;
    long result = sets_load(&s, sets);
    if (!result)
        result = select_loop(&s, deadline);
    if (result >= 0 && sets_store(&s, sets))
        result = -EFAULT;
    if (s.memory != s.small)
        kfree(s.memory);
    return result;
}

/* ---- calls ---- */

static int timeval_deadline(const struct timeval __user *t, nsec_t *deadline)
{
    struct timeval tv;
    *deadline = DEADLINE_NONE;
    if (!t)
        return 0;
    if (copy_from_user(&tv, t, sizeof(tv)))
        return -EFAULT;
    if (tv.tv_sec < 0 || tv.tv_usec < 0)
        return -EINVAL;
    nsec_t s, us;
    if (!__builtin_mul_overflow(tv.tv_sec, NSEC_PER_SEC, &s) &&
        !__builtin_mul_overflow(tv.tv_usec, NSEC_PER_USEC, &us) &&
        !__builtin_add_overflow(s, us, &s))
        *deadline = poll_deadline_in(s);
    return 0;
}

static int store_timeval_left(struct timeval __user *t, nsec_t deadline)
{
    if (!t || deadline == 0 || deadline == DEADLINE_NONE)
        return 0;
    nsec_t left = max(deadline - clock_monotonic(), (nsec_t)0);
    struct timeval tv = {left / NSEC_PER_SEC, left % NSEC_PER_SEC / NSEC_PER_USEC};
    return copy_to_user(t, &tv, sizeof(tv));
}

long sys_select(int nfds, unsigned long __user *readfds, unsigned long __user *writefds,
                unsigned long __user *exceptfds, struct timeval __user *timeout)
{
    nsec_t deadline;
    int error = timeval_deadline(timeout, &deadline);
    if (error)
        return error;
    unsigned long __user *const sets[SETS] = {readfds, writefds, exceptfds};
    long result = do_select(nfds, sets, deadline);
    if (store_timeval_left(timeout, deadline) && result == -ERESTARTNOHAND)
        result = -EINTR;
    return result;
}

static int set_mask(const struct pselect_mask __user *arg)
{
    struct pselect_mask m;
    ksigset_t set;
    if (!arg)
        return 0;
    if (copy_from_user(&m, arg, sizeof(m)))
        return -EFAULT;
    if (!m.ss)
        return 0;
    if (m.ss_len != sizeof(set))
        return -EINVAL;
    if (get_user(set, m.ss))
        return -EFAULT;
    signal_set_blocked_until_return(set);
    return 0;
}

long sys_pselect6(int nfds, unsigned long __user *readfds, unsigned long __user *writefds,
                  unsigned long __user *exceptfds, struct timespec __user *timeout,
                  const struct pselect_mask __user *mask)
{
    nsec_t deadline;
    int error = poll_deadline(timeout, &deadline);
    if (!error)
        error = set_mask(mask);
    if (error)
        return error;
    unsigned long __user *const sets[SETS] = {readfds, writefds, exceptfds};
    long result = do_select(nfds, sets, deadline);
    if (poll_store_left(timeout, deadline) && result == -ERESTARTNOHAND)
        result = -EINTR;
    return result;
}

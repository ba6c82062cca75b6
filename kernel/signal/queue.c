/*
 * What is pending: a set of bits, and beside it a queue of the siginfos that came along. Every thread has such
 * a pair, and every process has one that all its threads share.
 *
 * A standard signal that is pending already is not queued again: two become one. Real-time signals all
 * stay, in the order they came. The bit says whether a signal is pending; the queue may lack an entry for
 * it when memory or the user's limit did not allow one, and the receiver then learns just the number.
 *
 * Entries count against RLIMIT_SIGPENDING of the receiver's real user (proc/users.h). A POSIX timer brings an
 * entry of its own, which is never freed here: when it leaves the queue its timer is told, and goes on.
 */
#include "signal/internal.h"

#include <abi/resource.h>

#include "mm/slab.h"
#include "proc/timers.h"
#include "proc/users.h"

static struct slab_cache *sigqueue_cache; /* const after init */

void sigqueue_init(void)
{
    sigqueue_cache = slab_cache_create("sigqueue", sizeof(struct sigqueue), 0);
}

static struct sigqueue *entry_alloc(const struct proc *p, uint64_t limit)
{
    uid_t uid = p->cred->uid;

    if (!user_count_up(USER_SIGNALS, uid, limit))
        return NULL;
    struct sigqueue *q = slab_alloc(sigqueue_cache);
    if (!q) {
        user_count_down(USER_SIGNALS, uid);
        return NULL;
    }
    q->charged = uid;
    q->own = false;
    q->timer = NULL;
    return q;
}

/* Q leaves its queue; INFO, unless NULL, takes what it says. */
static void entry_take(struct sigqueue *q, siginfo_t *info)
{
    list_remove(&q->link);
    if (q->timer)
        posix_timer_taken(q->timer);
    if (info)
        siginfo_copy(info, &q->info);
    if (q->own)
        return;
    user_count_down(USER_SIGNALS, q->charged);
    slab_free(sigqueue_cache, q);
}

int sigqueue_put(struct proc *p, struct thread *t, int signo, const siginfo_t *info)
{
    ksigset_t *set = t ? &t->pending : &p->pending;
    bool real_time = signo >= KERNEL_SIGRTMIN;
    uint64_t limit = READ_ONCE(p->limits[RLIMIT_SIGPENDING].rlim_cur);

    assert(spin_is_held(&p->signal_lock));
    if (!real_time && *set & SIGMASK(signo))
        return 0;
    /* There are few standard signals, so what kill() and the kernel say of them is worth going beyond. */
    if (!real_time && (!info || info->si_code >= 0))
        limit = UINT64_MAX;
    struct sigqueue *q = entry_alloc(p, limit);
    if (q) {
        if (info) {
            siginfo_copy(&q->info, info);
        } else {
            siginfo_clear(&q->info);
            q->info.si_code = SI_KERNEL;
        }
        q->info.si_signo = signo;
        list_push_back(t ? &t->sigqueue : &p->sigqueue, &q->link);
    } else if (real_time && info && info->si_code != SI_USER) {
        return -EAGAIN; /* its payload is what it was sent for */
    }
    *set |= SIGMASK(signo);
    return 0;
}

void sigqueue_put_own(struct proc *p, struct thread *t, struct sigqueue *q)
{
    assert(spin_is_held(&p->signal_lock) && list_empty(&q->link));
    list_push_back(t ? &t->sigqueue : &p->sigqueue, &q->link);
    *(t ? &t->pending : &p->pending) |= SIGMASK(q->info.si_signo);
}

void sigqueue_put_fault(struct thread *t, const siginfo_t *info)
{
    struct sigqueue *q = t->fault_entry;

    if (!q && (q = slab_alloc(sigqueue_cache))) {
        list_init(&q->link);
        q->own = true;
        q->timer = NULL;
        t->fault_entry = q;
    }
    if (!q || !list_empty(&q->link)) {
        (void)sigqueue_put(t->proc, t, info->si_signo, info);
        return;
    }
    siginfo_copy(&q->info, info);
    sigqueue_put_own(t->proc, t, q);
}

void sigqueue_withdraw(struct proc *p, struct thread *t, struct sigqueue *q)
{
    const struct list *queue = t ? &t->sigqueue : &p->sigqueue;
    const struct sigqueue *other;

    assert(spin_is_held(&p->signal_lock));
    if (list_empty(&q->link))
        return;
    list_remove(&q->link);
    list_for_each (other, queue, link)
        if (other->info.si_signo == q->info.si_signo)
            return;
    *(t ? &t->pending : &p->pending) &= ~SIGMASK(q->info.si_signo);
}

static int lowest(ksigset_t set)
{
    if (set & SET_FAULTS)
        set &= SET_FAULTS;
    return set ? __builtin_ctzll(set) + 1 : 0;
}

int sigqueue_first(const struct thread *t, ksigset_t wanted)
{
    int signo = lowest(t->pending & wanted);
    return signo ? signo : lowest(t->proc->pending & wanted);
}

/* The first entry for SIGNO; the bit stays when there is another. */
static void take(ksigset_t *set, struct list *queue, int signo, siginfo_t *info)
{
    struct sigqueue *q, *found = NULL;

    *set &= ~SIGMASK(signo);
    list_for_each (q, queue, link) {
        if (q->info.si_signo != signo)
            continue;
        if (found) {
            *set |= SIGMASK(signo);
            break;
        }
        found = q;
    }
    if (!found) {
        siginfo_clear(info);
        info->si_signo = signo;
        info->si_code = SI_USER;
        return;
    }
    entry_take(found, info);
}

void sigqueue_take(struct thread *t, int signo, siginfo_t *info)
{
    struct proc *p = t->proc;

    assert(spin_is_held(&p->signal_lock));
    if (t->pending & SIGMASK(signo))
        take(&t->pending, &t->sigqueue, signo, info);
    else
        take(&p->pending, &p->sigqueue, signo, info);
    if (signo == SIGALRM)
        itimer_taken(p);
}

static void discard(ksigset_t *set, struct list *queue, ksigset_t which)
{
    struct sigqueue *q, *next;

    *set &= ~which;
    list_for_each_safe (q, next, queue, link)
        if (which & SIGMASK(q->info.si_signo))
            entry_take(q, NULL);
}

void sigqueue_discard(struct proc *p, ksigset_t set)
{
    struct thread *t;

    if (p->pending & set)
        discard(&p->pending, &p->sigqueue, set);
    list_for_each (t, &p->threads, proc_link)
        if (t->pending & set)
            discard(&t->pending, &t->sigqueue, set);
    if (set & SIGMASK(SIGALRM))
        itimer_taken(p);
}

void signal_flush_thread(struct thread *t)
{
    struct proc *p = t->proc;

    spin_lock(&p->signal_lock);
    discard(&t->pending, &t->sigqueue, ~(ksigset_t)0);
    spin_unlock(&p->signal_lock);
    if (t->fault_entry)
        slab_free(sigqueue_cache, t->fault_entry);
    t->fault_entry = NULL;
}

void signal_flush_proc(struct proc *p)
{
    spin_lock(&p->signal_lock);
    discard(&p->pending, &p->sigqueue, ~(ksigset_t)0);
    spin_unlock(&p->signal_lock);
}

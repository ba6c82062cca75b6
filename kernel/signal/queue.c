/*
 * What is pending: a set of bits, and beside it a queue of the siginfos that came along. Every thread has such
 * a pair, and every process has one that all its threads share.
 *
 * A standard signal that is pending already is not queued again: two become one. Real-time signals all
 * stay, in the order they came. The bit says whether a signal is pending; the queue may lack an entry for
 * it when memory or the user's limit did not allow one, and the receiver then learns just the number.
 *
 * Entries count against RLIMIT_SIGPENDING of the receiver's real user. The counts hang in a list of users
 * that have any, which is short; user 0 always stands in it, so that the usual case allocates nothing.
 */
#include "signal/internal.h"

#include <abi/resource.h>

#include "mm/slab.h"

struct user_count {
    struct list link; /* count_lock */
    uid_t uid;        /* const */
    unsigned queued;  /* count_lock */
};

static struct user_count root_count = {.link = LIST_INIT(root_count.link)};
static struct list *const counts =
    &root_count.link; /* count_lock: the others hang on user 0's link */
static struct spinlock count_lock = SPINLOCK_INIT(RANK_PROC, "sigqueue counts");
static struct slab_cache *sigqueue_cache; /* const after init */

void sigqueue_init(void)
{
    sigqueue_cache = slab_cache_create("sigqueue", sizeof(struct sigqueue), 0);
}

static struct user_count *count_find(uid_t uid)
{
    struct user_count *u;

    if (uid == root_count.uid)
        return &root_count;
    list_for_each (u, counts, link)
        if (u->uid == uid)
            return u;
    return NULL;
}

/* One more for UID, unless it has LIMIT already. */
static bool count_up(uid_t uid, uint64_t limit)
{
    bool done = false;

    spin_lock(&count_lock);
    struct user_count *u = count_find(uid);
    if (!u && limit && (u = kmalloc(sizeof(*u)))) {
        u->uid = uid;
        u->queued = 0;
        list_push_back(counts, &u->link);
    }
    if (u && u->queued < limit) {
        u->queued++;
        done = true;
    }
    spin_unlock(&count_lock);
    return done;
}

static void count_down(uid_t uid)
{
    spin_lock(&count_lock);
    struct user_count *u = count_find(uid);
    assert(u && u->queued > 0);
    if (--u->queued == 0 && u != &root_count) {
        list_remove(&u->link);
        kfree(u);
    }
    spin_unlock(&count_lock);
}

unsigned signal_queued(uid_t uid)
{
    spin_lock(&count_lock);
    const struct user_count *u = count_find(uid);
    unsigned queued = u ? u->queued : 0;
    spin_unlock(&count_lock);
    return queued;
}

static struct sigqueue *entry_alloc(const struct proc *p, uint64_t limit)
{
    uid_t uid = p->cred->uid;

    if (!count_up(uid, limit))
        return NULL;
    struct sigqueue *q = slab_alloc(sigqueue_cache);
    if (!q) {
        count_down(uid);
        return NULL;
    }
    q->charged = uid;
    return q;
}

static void entry_free(struct sigqueue *q)
{
    list_remove(&q->link);
    count_down(q->charged);
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
        q->info = info ? *info : (siginfo_t){.si_code = SI_KERNEL};
        q->info.si_signo = signo;
        list_push_back(t ? &t->sigqueue : &p->sigqueue, &q->link);
    } else if (real_time && info && info->si_code != SI_USER) {
        return -EAGAIN; /* its payload is what it was sent for */
    }
    *set |= SIGMASK(signo);
    return 0;
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
        *info = (siginfo_t){.si_signo = signo, .si_code = SI_USER};
        return;
    }
    *info = found->info;
    entry_free(found);
}

void sigqueue_take(struct thread *t, int signo, siginfo_t *info)
{
    struct proc *p = t->proc;

    assert(spin_is_held(&p->signal_lock));
    if (t->pending & SIGMASK(signo))
        take(&t->pending, &t->sigqueue, signo, info);
    else
        take(&p->pending, &p->sigqueue, signo, info);
}

static void discard(ksigset_t *set, struct list *queue, ksigset_t which)
{
    struct sigqueue *q, *next;

    *set &= ~which;
    list_for_each_safe (q, next, queue, link)
        if (which & SIGMASK(q->info.si_signo))
            entry_free(q);
}

void sigqueue_discard(struct proc *p, ksigset_t set)
{
    struct thread *t;

    if (p->pending & set)
        discard(&p->pending, &p->sigqueue, set);
    list_for_each (t, &p->threads, proc_link)
        if (t->pending & set)
            discard(&t->pending, &t->sigqueue, set);
}

void signal_flush_thread(struct thread *t)
{
    struct proc *p = t->proc;

    spin_lock(&p->signal_lock);
    discard(&t->pending, &t->sigqueue, ~(ksigset_t)0);
    spin_unlock(&p->signal_lock);
}

void signal_flush_proc(struct proc *p)
{
    spin_lock(&p->signal_lock);
    discard(&p->pending, &p->sigqueue, ~(ksigset_t)0);
    spin_unlock(&p->signal_lock);
}

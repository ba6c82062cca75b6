/*
 * SIGIO. With O_ASYNC a file stands on its own wait queues, as poll would put it there, with a wake function that
 * notes what happened and asks for later(): the waker holds the queue's lock, and signals are sent under others
 * that come before it. The signals go out from async_flush(), with no lock held.
 *
 * All of this is in a struct file_async that a file gets at the first word about an owner. It goes with the
 * file: async_forget() first leaves the queues, then the list of those that have something to tell.
 *
 * switch_lock serialises the switching on and off.
 */
#include "fs/async.h"

#include <abi/poll.h>
#include <abi/signal.h>

#include "fs/file.h"
#include "fs/poll.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "sched/later.h"
#include "sched/lock.h"
#include "signal/signal.h"

#define QUEUES_MAX 4 /* that one file's poll operation joins */
#define SET_HAVE_CODES                                                                           \
    (SIGMASK(SIGILL) | SIGMASK(SIGFPE) | SIGMASK(SIGSEGV) | SIGMASK(SIGBUS) | SIGMASK(SIGTRAP) | \
     SIGMASK(SIGCHLD) | SIGMASK(SIGSYS))

struct async_waiter {
    struct waiter waiter;  /* the queue's lock */
    struct waitq *wq;      /* switch_lock */
    struct file_async *of; /* const */
};

struct file_async {
    struct file *file;       /* const */
    struct list link;        /* tell_lock: in tell_list, while there is something to tell */
    unsigned events;         /* tell_lock: what */
    bool urgent;             /* tell_lock: SIGURG too */
    struct pid *owner;       /* the file's lock: a reference is held; NULL for none */
    int type;                /* the file's lock: F_OWNER_* */
    int signo;               /* the file's lock: F_SETSIG */
    uid_t uid, euid;         /* the file's lock: of who named the owner */
    int fd;                  /* the file's lock: by which O_ASYNC was set */
    struct poll_table table; /* switch_lock */
    struct async_waiter waiters[QUEUES_MAX]; /* switch_lock */
    unsigned count;                          /* switch_lock: of those in use; 0: off */
};

static struct mutex switch_lock; /* RANK_ASYNC_MUTEX */
static struct spinlock tell_lock = SPINLOCK_INIT(RANK_ASYNC, "SIGIO");
static struct list tell_list = LIST_INIT(tell_list); /* tell_lock: struct file_async */

static void async_flush(struct later *l);
static struct later flush_later = LATER_INIT(flush_later, async_flush);

void async_init(void)
{
    mutex_init(&switch_lock, RANK_ASYNC_MUTEX, "O_ASYNC");
}

/* --- telling ---------------------------------------------------------------------------------------- */

/* What one signal needs to know, so that the file may go while it is sent. */
struct notice {
    struct pid *to; /* a reference */
    int type, signo, fd;
    uid_t uid, euid;
    unsigned events; /* POLL*; SIGIO tells of some */
    bool urgent;
};

/* The right to signal is that of who named the owner, not of who happens to write. */
static bool may_tell(const struct notice *n, struct proc *p)
{
    const struct cred *c = proc_cred_get(p);
    bool may = n->euid == 0 || n->euid == c->suid || n->euid == c->uid || n->uid == c->suid ||
               n->uid == c->uid;
    cred_put(c);
    return may;
}

/* The kinds of news in EVENTS, a bit 1 << POLL_* each. */
static unsigned kinds_of(unsigned events)
{
    unsigned kinds = events & POLLPRI ? 1 << POLL_PRI : 0;

    /* A socket that is over both ways; what else hangs up says so to who reads and who writes. */
    if ((events & (POLLHUP | POLLRDHUP)) == (POLLHUP | POLLRDHUP))
        return kinds | 1 << POLL_HUP;
    if (events & (POLLIN | POLLRDNORM))
        kinds |= 1 << POLL_IN;
    if (events & (POLLOUT | POLLWRNORM))
        kinds |= 1 << POLL_OUT;
    else if (events & POLLERR)
        kinds |= 1 << POLL_ERR;
    return kinds;
}

/* One signal for the news KIND, a POLL_*. */
static void tell_kind(const struct notice *n, int kind, struct proc *p, struct thread *t)
{
    static const int bands[] = {
        [POLL_IN] = POLLIN | POLLRDNORM,
        [POLL_OUT] = POLLOUT | POLLWRNORM | POLLWRBAND,
        [POLL_ERR] = POLLERR,
        [POLL_PRI] = POLLPRI | POLLRDBAND,
        [POLL_HUP] = POLLHUP | POLLERR,
    };
    /* For these the small codes mean other things. */
    bool has_codes = n->signo && n->signo < KERNEL_SIGRTMIN && SIGMASK(n->signo) & SET_HAVE_CODES;
    siginfo_t info = {.si_signo = n->signo, .si_code = has_codes ? SI_SIGIO : kind};

    info.si_band = bands[kind];
    info.si_fd = n->fd;
    if (n->signo && !signal_send_info(p, t, &info))
        return;
    /* Nothing was asked for, or the queue is full. */
    if (t)
        signal_send_thread(t, SIGIO);
    else
        signal_send_proc(p, SIGIO);
}

static void tell(const struct notice *n, struct proc *p, struct thread *t)
{
    static const int in_turn[] = {POLL_PRI, POLL_HUP, POLL_IN, POLL_OUT, POLL_ERR};
    unsigned kinds = kinds_of(n->events);

    if (!may_tell(n, p))
        return;
    if (n->urgent && t)
        signal_send_thread(t, SIGURG);
    else if (n->urgent)
        signal_send_proc(p, SIGURG);
    for (size_t i = 0; i < ARRAY_SIZE(in_turn); i++)
        if (kinds & 1u << in_turn[i])
            tell_kind(n, in_turn[i], p, t);
}

static void send(const struct notice *n)
{
    struct proc *p;

    spin_lock(&proc_tree_lock);
    if (n->type == F_OWNER_PGRP) {
        list_for_each (p, &n->to->group, group_link)
            tell(n, p, NULL);
    } else if (n->type == F_OWNER_TID) {
        if (n->to->thread)
            tell(n, n->to->thread->proc, n->to->thread);
    } else if (n->to->proc) {
        tell(n, n->to->proc, NULL);
    } else if (n->to->thread) {
        tell(n, n->to->thread->proc, NULL);
    }
    spin_unlock(&proc_tree_lock);
}

/* The next to send, taken off the list. False when there is none. */
static bool next_notice(struct notice *n)
{
    spin_lock(&tell_lock);
    struct file_async *a = list_first(&tell_list, struct file_async, link);
    if (a) {
        list_remove(&a->link);
        spin_lock(&a->file->lock);
        *n = (struct notice){a->owner, a->type, a->signo,  a->fd,
                             a->uid,   a->euid, a->events, a->urgent};
        if (n->to)
            pid_get(n->to);
        spin_unlock(&a->file->lock);
        a->events = 0;
        a->urgent = false;
    }
    spin_unlock(&tell_lock);
    return a;
}

static void async_flush(struct later *l)
{
    struct notice n;

    (void)l;
    while (next_notice(&n)) {
        if (!n.to)
            continue;
        send(&n);
        pid_put(n.to);
    }
}

/* The queue's lock is held. */
static bool async_wake(struct waiter *w, unsigned key)
{
    struct file_async *a = container_of(w, struct async_waiter, waiter)->of;

    if (!key)
        return false; /* who polls looks for himself: there is nothing to tell */
    spin_lock(&tell_lock);
    a->events |= key;
    if (list_empty(&a->link))
        list_push_back(&tell_list, &a->link);
    spin_unlock(&tell_lock);
    later(&flush_later);
    return false;
}

void async_urgent(struct file *f)
{
    spin_lock(&tell_lock);
    struct file_async *a = READ_ONCE(f->async);
    if (a) {
        a->urgent = true;
        if (READ_ONCE(f->flags) & O_ASYNC)
            a->events |= POLLPRI;
        if (list_empty(&a->link))
            list_push_back(&tell_list, &a->link);
        later(&flush_later);
    }
    spin_unlock(&tell_lock);
}

/* --- switching -------------------------------------------------------------------------------------- */

static void join(struct poll_table *pt, struct waitq *wq)
{
    struct file_async *a = container_of(pt, struct file_async, table);

    assert(a->count < QUEUES_MAX);
    struct async_waiter *w = &a->waiters[a->count++];
    waiter_init(&w->waiter, false);
    w->waiter.wake = async_wake;
    w->wq = wq;
    w->of = a;
    waitq_add(wq, &w->waiter);
}

static void leave(struct file_async *a)
{
    while (a->count > 0) {
        struct async_waiter *w = &a->waiters[--a->count];
        spin_lock(w->wq->lock);
        list_remove(&w->waiter.link);
        spin_unlock(w->wq->lock);
    }
}

/* F's, made now if it has none yet; NULL when out of memory. */
static struct file_async *async_of(struct file *f)
{
    if (READ_ONCE(f->async))
        return f->async;
    struct file_async *a = kzalloc(sizeof(*a));
    if (!a)
        return NULL;
    a->file = f;
    a->table.queue = join;
    list_init(&a->link);
    spin_lock(&f->lock);
    struct file_async *other = f->async;
    if (!other)
        f->async = a;
    spin_unlock(&f->lock);
    if (other)
        kfree(a);
    return other ? other : a;
}

/* PID (a reference, which is taken over; NULL: nobody) is told from now on. */
static void set_owner(struct file_async *a, struct pid *pid, int type)
{
    const struct cred *c = current_cred();

    spin_lock(&a->file->lock);
    struct pid *old = a->owner;
    a->owner = pid;
    a->type = type;
    a->uid = c->uid;
    a->euid = c->euid;
    spin_unlock(&a->file->lock);
    if (old)
        pid_put(old);
}

long async_switch(struct file *f, int fd, bool on)
{
    long error = 0;

    if (!f->ops->async_owner)
        return 0;
    mutex_lock(&switch_lock);
    struct file_async *a = on ? async_of(f) : f->async;
    if (on && !a) {
        error = -ENOMEM;
    } else if (on) {
        int type;
        struct pid *owner = a->owner ? NULL : f->ops->async_owner(f, &type);
        if (owner)
            set_owner(a, owner, type);
        spin_lock(&f->lock);
        a->fd = fd;
        f->flags |= O_ASYNC;
        spin_unlock(&f->lock);
        if (!a->count)
            f->ops->poll(f, &a->table);
    } else if (a) {
        leave(a);
        spin_lock(&f->lock);
        f->flags &= ~(unsigned)O_ASYNC;
        spin_unlock(&f->lock);
    }
    mutex_unlock(&switch_lock);
    return error;
}

void async_forget(struct file *f)
{
    struct file_async *a = f->async;

    mutex_lock(&switch_lock);
    leave(a);
    mutex_unlock(&switch_lock);
    spin_lock(&tell_lock);
    list_remove(&a->link);
    WRITE_ONCE(f->async, NULL); /* async_urgent may still come until the file is released */
    spin_unlock(&tell_lock);
    if (a->owner)
        pid_put(a->owner);
    kfree(a);
}

struct pid *async_no_owner(struct file *f, int *type)
{
    (void)f, (void)type;
    return NULL;
}

/* --- the owner -------------------------------------------------------------------------------------- */

long async_set_owner(struct file *f, int type, int id)
{
    struct file_async *a = async_of(f);
    struct pid *new = NULL;

    if (!a)
        return -ENOMEM;
    if (id) {
        spin_lock(&proc_tree_lock);
        new = pid_find_locked(id);
        if (new)
            pid_get(new);
        spin_unlock(&proc_tree_lock);
        if (!new)
            return -ESRCH;
    }
    set_owner(a, new, type);
    return 0;
}

struct f_owner_ex async_get_owner(struct file *f)
{
    struct f_owner_ex o = {F_OWNER_TID, 0};

    spin_lock(&f->lock);
    const struct file_async *a = f->async;
    if (a)
        o = (struct f_owner_ex){a->type, a->owner ? a->owner->nr : 0};
    spin_unlock(&f->lock);
    return o;
}

void async_get_owner_ids(struct file *f, uid_t ids[2])
{
    spin_lock(&f->lock);
    const struct file_async *a = f->async;
    ids[0] = a ? a->uid : 0;
    ids[1] = a ? a->euid : 0;
    spin_unlock(&f->lock);
}

long async_set_signal(struct file *f, unsigned long signo)
{
    if (signo >= _NSIG)
        return -EINVAL;
    struct file_async *a = async_of(f);
    if (!a)
        return -ENOMEM;
    spin_lock(&f->lock);
    a->signo = (int)signo;
    spin_unlock(&f->lock);
    return 0;
}

int async_get_signal(struct file *f)
{
    spin_lock(&f->lock);
    int signo = f->async ? f->async->signo : 0;
    spin_unlock(&f->lock);
    return signo;
}

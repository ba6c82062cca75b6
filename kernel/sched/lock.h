/*
 * Two locks. A spinlock guards a few instructions: it turns interrupts off on this CPU until it is
 * released, and nobody sleeps while holding one. A mutex guards long work: who waits for it sleeps.
 *
 * Every lock has a rank, and locks are taken in rising rank, so no circle of waiting can close. Debug
 * builds check it, as well as sleeping with a spinlock held, double release, and release by a stranger,
 * and name both places. Two locks of one rank may be held together only when the second is taken with
 * spin_lock_nested/mutex_lock_nested, which the caller orders by address or by the tree (parent first).
 */
#pragma once

#include "lib/assert.h"
#include "lib/list.h"
#include "lib/types.h"
#include "x86/cpu.h"

/* Every lock in the kernel, in the order they are taken: outermost first. Sleeping locks come first. */
enum lock_rank {
    /* mutexes */
    RANK_FILE_POS,    /* a shared offset: read, write, readdir run inside it */
    RANK_MOUNT,       /* the mount table, and rename across directories */
    RANK_INODE,       /* one directory or file (parents before children) */
    RANK_PROC_TEXT,   /* one open file of /proc, while its text is made */
    RANK_EPOLL_NEST,  /* which epoll set watches which */
    RANK_EPOLL_MUTEX, /* one epoll set (the watcher before the watched) */
    RANK_TTY_MUTEX,   /* termios changes, and one reader or writer at a time */
    RANK_EXEC,        /* one exec or ptrace-like look at a process at a time */
    RANK_MM,          /* an address space */
    RANK_CLOCK_WATCH, /* who wants to know that the clock was set */
    RANK_ASYNC_MUTEX, /* O_ASYNC switched on or off */
    RANK_ADDRESSES,   /* one change of network addresses at a time */
    RANK_NET_CONFIG,  /* network devices going up and down */
    /* spinlocks */
    RANK_PROC_TREE,  /* parents, groups, sessions, the pid table */
    RANK_SIGNAL,     /* one process's actions and pending sets */
    RANK_SIGACTIONS, /* shared signal actions */
    RANK_FDTABLE,
    RANK_FS_CONTEXT, /* cwd, root, umask */
    RANK_FILE_LOCKS, /* flock and fcntl locks */
    RANK_TTY,        /* line discipline: above its queues */
    RANK_UNIX,       /* local sockets: who is bound, who is connected */
    RANK_FLIGHT,     /* descriptors on their way in messages */
    RANK_SYSV_TABLE, /* which System V objects there are */
    RANK_SYSV,       /* one of them */
    RANK_SYSV_UNDO,  /* what is undone at exit */
    RANK_TCP,        /* one connection */
    RANK_TCP_ACCEPT, /* a listener's children */
    RANK_TCP_TABLE,  /* which connections there are */
    RANK_NOTIFY,     /* who watches which files */
    RANK_INET,       /* which socket has which port */
    RANK_QUEUE,      /* a pipe, a socket's queue */
    RANK_EPOLL,      /* one set's ready list (the watched before the watcher) */
    RANK_ASYNC,      /* files with a SIGIO to send */
    RANK_FILE,       /* an open description's small state */
    RANK_INODE_SPIN, /* times, link counts */
    RANK_DCACHE,     /* names */
    RANK_VMOBJECT,
    RANK_PAGETABLE,
    RANK_FUTEX,    /* a hash bucket */
    RANK_PI,       /* who waits for whom, among futexes that lend priority */
    RANK_PROC,     /* small state of one process: limits, credentials pointer, usage */
    RANK_ROUTE,    /* the routing table */
    RANK_ADDRESS,  /* this machine's addresses */
    RANK_FRAGMENT, /* pieces of packets; groups; how many errors were sent */
    RANK_NEIGHBOR, /* addresses on the link */
    RANK_NETDEV_LIST,
    RANK_NETDEV, /* a device's transmit queue: its driver's locks inside */
    RANK_DEVICE, /* a driver's registers and rings */
    RANK_WAIT,   /* stand-alone wait queues */
    RANK_LATER,  /* work for when no lock is held */
    RANK_TIMER,
    RANK_RUNQUEUE,
    RANK_SLAB,
    RANK_PAGE,
    RANK_KERNEL_MAP, /* kernel address space: stacks, device mappings */
    RANK_IRQ,
    RANK_LOG,
    RANK_MAX
};

struct spinlock {
    bool locked; /* atomic */
#ifdef CONFIG_DEBUG
    uint8_t rank;     /* const after init */
    int8_t cpu;       /* the holder alone: who holds it, -1 for none */
    const char *name; /* const after init */
    uintptr_t where;  /* the holder alone: where it was taken */
#endif
};

#ifdef CONFIG_DEBUG
#define SPINLOCK_INIT(rank_, name_)                 \
    {                                               \
        .rank = (rank_), .cpu = -1, .name = (name_) \
    }
#else
#define SPINLOCK_INIT(rank_, name_) \
    {                               \
        0                           \
    }
#endif

void spin_init(struct spinlock *l, enum lock_rank rank, const char *name);
bool spin_trylock(struct spinlock *l);
void spin_lock_contended(struct spinlock *l); /* the slow half: somebody else holds it */

/* A mutex sleeps uninterruptibly: its holder may sleep, but not for an event from outside the machine. */
struct mutex {
    uintptr_t holder; /* atomic: the struct thread, 0 when free; MUTEX_WAITERS: somebody sleeps */
    struct spinlock lock; /* RANK_WAIT: sleepers come and go under it */
    struct list waiters;  /* lock: struct mutex_waiter, in order of arrival */
#ifdef CONFIG_DEBUG
    uint8_t rank;     /* const after init */
    const char *name; /* const after init */
    uintptr_t where;  /* holder: where it was taken */
    struct list held; /* holder: its thread's list of held mutexes */
#endif
};
#define MUTEX_WAITERS 1UL

void mutex_init(struct mutex *m, enum lock_rank rank, const char *name);
bool mutex_trylock(struct mutex *m);
bool mutex_is_held(const struct mutex *m); /* by the current thread */
/* The slow halves: somebody else holds it; somebody waits for it. */
void mutex_lock_contended(struct mutex *m);
void mutex_unlock_contended(struct mutex *m);

#ifdef CONFIG_DEBUG

void spin_lock(struct spinlock *l);
void spin_lock_nested(struct spinlock *l);
void spin_unlock(struct spinlock *l);
bool spin_is_held(const struct spinlock *l); /* by this CPU */
void mutex_lock(struct mutex *m);
void mutex_lock_nested(struct mutex *m);
void mutex_unlock(struct mutex *m);

/* With seed=N: pause or reschedule now and then, so that races come out. Without, nothing. */
void race_point(void);
void race_seed(uint64_t seed);
/* Panics when a spinlock is held, an interrupt is being handled, or something is owed: here the thread might sleep. */
void lock_assert_may_sleep(void);
/* This CPU has begun what WHAT, a call, must end before anybody sleeps on it; NULL: it has been ended. */
void sleep_owes(const char *what);

#else

/*
 * The release build's locks are a few instructions in their callers: one exchange, or one
 * compare-and-exchange, takes a lock that nobody holds.
 */
static inline void spin_lock(struct spinlock *l)
{
    irq_push_off();
    if (unlikely(__atomic_exchange_n(&l->locked, true, __ATOMIC_ACQUIRE)))
        spin_lock_contended(l);
}

static inline void spin_lock_nested(struct spinlock *l)
{
    spin_lock(l);
}

static inline void spin_unlock(struct spinlock *l)
{
    __atomic_store_n(&l->locked, false, __ATOMIC_RELEASE);
    irq_pop_off();
}

/* For assert alone, which is not there in this build. */
static inline bool spin_is_held(const struct spinlock *l)
{
    (void)l;
    return true;
}

static inline void mutex_lock(struct mutex *m)
{
    uintptr_t free = 0;
    if (unlikely(!__atomic_compare_exchange_n(&m->holder, &free, (uintptr_t)current, false,
                                              __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
        mutex_lock_contended(m);
}

static inline void mutex_lock_nested(struct mutex *m)
{
    mutex_lock(m);
}

static inline void mutex_unlock(struct mutex *m)
{
    uintptr_t mine = (uintptr_t)current;
    if (unlikely(!__atomic_compare_exchange_n(&m->holder, &mine, 0, false, __ATOMIC_RELEASE,
                                              __ATOMIC_RELAXED)))
        mutex_unlock_contended(m);
}

static inline void race_point(void) {}
static inline void lock_assert_may_sleep(void) {}
static inline void sleep_owes(const char *what)
{
    (void)what;
}

#endif

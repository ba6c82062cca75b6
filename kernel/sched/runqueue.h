/*
 * The scheduler's insides, for the files of sched/ alone.
 */
#pragma once

#include "lib/tree.h"
#include "sched/lock.h"
#include "sched/sched.h"
#include "sched/thread.h"

/*
 * One CPU's share: who runs there and who waits to. It is held across the switch from one thread to the
 * next, so whoever has the lock sees nobody half way between two stacks.
 */
struct runqueue {
    struct spinlock lock;         /* RANK_RUNQUEUE */
    struct thread *curr;          /* lock: the one that runs */
    struct thread *idle;          /* const */
    struct tree queue;            /* lock: who else could, in the order of sched_before() */
    unsigned queued;              /* lock; others peek: how many that is */
    uint64_t min_vruntime;        /* lock; others peek: never goes back; where newcomers begin */
    uint64_t rt_order;            /* lock: the next place in line of real-time threads */
    nsec_t clock;                 /* lock: up to when curr's time has been accounted */
    bool tick_due;                /* this CPU only: the tick's time has come in this interrupt */
    bool ticking;                 /* this CPU only: a tick is on its way */
    struct thread *moving;        /* lock: the thread switched away from must go to another CPU */
    nsec_t pulled;                /* when a thread last came or went by balance_tick() */
    struct sched_cpu_stats stats; /* lock */
    nsec_t unsplit;               /* lock: busy time that no tick has called user or system yet */
    uint32_t user_ticks, system_ticks; /* lock */
};

extern struct runqueue runqueues[MAX_CPUS];

/*
 * The tick: how often a busy CPU looks whether somebody else's turn has come, and whether it is in user
 * code or in the kernel. Who has run for SCHED_SLICE makes room for an equal.
 */
#define SCHED_TICK (4 * NSEC_PER_MSEC)
#define SCHED_SLICE (3 * NSEC_PER_MSEC)
/* How far ahead of the others a sleeper may be when it wakes, and how far ahead it must be to take the CPU. */
#define SCHED_SLEEPER_CREDIT (2 * NSEC_PER_MSEC)
#define SCHED_WAKEUP_GRANULARITY (1 * NSEC_PER_MSEC)

/* How often a queue that is longer by one is passed on to another CPU. */
#define SCHED_ROTATE (100 * NSEC_PER_MSEC)

#define RR_SLICE (100 * NSEC_PER_MSEC)

static inline bool policy_is_rt(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* sched/weight.c */
unsigned weight_of(const struct thread *t);
/* TIME as it counts for T: divided by its weight, nice 0 being 1. */
uint64_t weigh(const struct thread *t, nsec_t time);

/* sched/account.c: all with rq->lock held. */
void account_run(struct runqueue *rq, nsec_t now); /* give curr (or idle) the time up to NOW */
void account_tick(struct runqueue *rq, bool user); /* a sample of where curr is */
void load_update(nsec_t now);                      /* any lock */

/* sched/balance.c */
int balance_choose_cpu(struct thread *t); /* for a thread that becomes runnable */
struct thread *balance_steal(
    struct runqueue *rq); /* RQ has nothing: a thread of another's, taken out, or NULL */
void balance_tick(struct runqueue *rq); /* even out with the busiest. rq->lock held */
extern cpumask_t sched_idle_mask;       /* atomic: CPUs that idle */

/* sched/sched.c: rq->lock held. */
bool sched_before(const struct thread *a, const struct thread *b);
void rq_insert(struct runqueue *rq, struct thread *t);
void rq_remove(struct runqueue *rq, struct thread *t);
/* Take T, which is in its queue, for RQ: its virtual runtime is made to fit there. */
void rq_migrate(struct runqueue *from, struct runqueue *to, struct thread *t);

/* Lock the run queue that T belongs to. */
struct runqueue *rq_lock_of(const struct thread *t);

/* sched/timer.c, sched/sched.c: the tick, on this CPU, interrupts off. */
void timer_set_tick(nsec_t when);
void sched_tick_due(void);

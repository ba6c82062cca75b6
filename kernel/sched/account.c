/*
 * Time: who got how much of it, and what of that was user code.
 *
 * How long a thread had the CPU is exact: the clock is read at each switch and nowhere else. How that
 * divides between user code and the kernel would cost a clock reading at each system call; instead a busy
 * CPU's tick looks where it finds the thread, and everything that the thread got since its last tick
 * counts as that. A thread that no tick has met yet is taken to have spent half its time on either side.
 */
#include "lib/atomic.h"
#include "sched/runqueue.h"
#include "x86/clock.h"

/* 1024 / 1.25^nice: one step of nice is a tenth of the CPU between two threads. Below all: SCHED_IDLE. */
static const uint32_t nice_weight[40] = {
    88818, 71054, 56843, 45475, 36380, 29104, 23283, 18626, 14901, 11921, 9537, 7629, 6104, 4883,
    3906,  3125,  2500,  2000,  1600,  1280,  1024,  819,   655,   524,   419,  336,  268,  215,
    172,   137,   110,   88,    70,    56,    45,    36,    29,    23,    18,   15,
};
#define WEIGHT_NICE_0 1024
#define WEIGHT_IDLE 3

unsigned weight_of(const struct thread *t)
{
    return t->policy == SCHED_IDLE ? WEIGHT_IDLE : nice_weight[t->nice + 20];
}

uint64_t weigh(const struct thread *t, nsec_t time)
{
    unsigned weight = weight_of(t);
    return weight == WEIGHT_NICE_0 ? (uint64_t)time : (uint64_t)time * WEIGHT_NICE_0 / weight;
}

void account_run(struct runqueue *rq, nsec_t now)
{
    struct thread *t = rq->curr;
    nsec_t time = now - rq->clock;

    if (time <= 0)
        return;
    rq->clock = now;
    if (t == rq->idle) {
        rq->stats.idle += time;
        return;
    }
    t->unsplit += time;
    rq->unsplit += time;
    if (!t->prio)
        t->vruntime += weigh(t, time);
}

static nsec_t *cpu_bucket(struct runqueue *rq, const struct thread *t, bool user)
{
    if (!user)
        return &rq->stats.system;
    return t->nice > 0 ? &rq->stats.nice : &rq->stats.user;
}

void account_tick(struct runqueue *rq, bool user)
{
    struct thread *t = rq->curr;

    if (t == rq->idle)
        return;
    *(user ? &t->usage.user : &t->usage.system) += t->unsplit;
    *cpu_bucket(rq, t, user) += rq->unsplit;
    t->unsplit = rq->unsplit = 0;
    t->user_ticks += user;
    t->system_ticks += !user;
    rq->user_ticks += user;
    rq->system_ticks += !user;

    /* The tree's first may have waited long: min_vruntime follows the one furthest behind. */
    uint64_t least = t->vruntime;
    struct tree_node *n = tree_first(&rq->queue);
    if (t->prio)
        return;
    if (n) {
        const struct thread *first = tree_entry(n, struct thread, rq_node);
        if (!first->prio && (int64_t)(first->vruntime - least) < 0)
            least = first->vruntime;
    }
    if ((int64_t)(least - rq->min_vruntime) > 0)
        rq->min_vruntime = least;
}

/* The part of TIME that was user code, if it was as the ticks say. */
static nsec_t user_share(nsec_t time, uint32_t user_ticks, uint32_t system_ticks)
{
    if (time <= 0)
        return 0;
    if (!user_ticks && !system_ticks)
        return time / 2;
    return (nsec_t)((uint64_t)time * user_ticks / ((uint64_t)user_ticks + system_ticks));
}

void thread_times(struct thread *t, nsec_t *user, nsec_t *system)
{
    struct runqueue *rq = rq_lock_of(t);

    if (rq->curr == t)
        account_run(rq, clock_monotonic());
    nsec_t in_user = user_share(t->unsplit, t->user_ticks, t->system_ticks);
    t->usage.user += in_user;
    t->usage.system += t->unsplit - in_user;
    t->unsplit = 0;
    *user = t->usage.user;
    *system = t->usage.system;
    spin_unlock(&rq->lock);
}

void sched_cpu_stats(int cpu, struct sched_cpu_stats *s)
{
    struct runqueue *rq = &runqueues[cpu];

    spin_lock(&rq->lock);
    account_run(rq, clock_monotonic());
    nsec_t in_user = user_share(rq->unsplit, rq->user_ticks, rq->system_ticks);
    rq->stats.user += in_user;
    rq->stats.system += rq->unsplit - in_user;
    rq->unsplit = 0;
    *s = rq->stats;
    spin_unlock(&rq->lock);
}

unsigned sched_running_count(void)
{
    unsigned n = 0;
    for (int i = 0; i < num_cpus; i++)
        n += READ_ONCE(runqueues[i].queued) + (READ_ONCE(runqueues[i].curr) != runqueues[i].idle);
    return n;
}

/* --- load average --------------------------------------------------------------------------------- */

/*
 * The number of runnable threads, averaged with a memory of 1, 5 and 15 minutes: every 5 seconds each
 * average moves towards the count by 1 - exp(-5 s / memory). Fixed point with 16 fraction bits. Periods
 * in which no tick came were idle on every CPU.
 */
#define LOAD_PERIOD (5 * NSEC_PER_SEC)
static const uint64_t load_decay[3] = {60296, 64453,
                                       65172}; /* 65536 * exp(-5/60), (-5/300), (-5/900) */

static uint64_t load_avg[3];           /* readers tolerate the middle of a change */
static nsec_t load_next = LOAD_PERIOD; /* atomic: who moves it on does the work */

static void load_decay_once(uint64_t active)
{
    for (int i = 0; i < 3; i++)
        load_avg[i] =
            (load_avg[i] * load_decay[i] + (active << 16) * (65536 - load_decay[i])) >> 16;
}

void load_update(nsec_t now)
{
    nsec_t next = READ_ONCE(load_next);

    if (now < next)
        return;
    nsec_t periods = (now - next) / LOAD_PERIOD + 1;
    if (!__atomic_compare_exchange_n(&load_next, &next, next + periods * LOAD_PERIOD, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return;
    for (nsec_t i = 1; i < periods && i < 1000; i++)
        load_decay_once(0);
    load_decay_once(sched_running_count());
}

void sched_loadavg(uint64_t avg[3])
{
    load_update(clock_monotonic());
    for (int i = 0; i < 3; i++)
        avg[i] = READ_ONCE(load_avg[i]);
}

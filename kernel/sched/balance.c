/*
 * Which CPU a thread runs on. A thread that becomes runnable stays where it ran last if that CPU is
 * idle, goes to an idle one if there is any, and otherwise stays too: its memory is in that CPU's
 * caches. A CPU that runs out of work takes a thread from another; a busy one looks at each tick
 * whether another has two more waiting than itself. One more is no reason to move, yet somebody always
 * has it with three threads on two CPUs: now and then such a difference is passed on, so that everybody
 * comes to have the shorter queue.
 *
 * The idle mask and others' queue lengths are read without their locks: a stale answer costs a moment,
 * not correctness.
 */
#include "lib/atomic.h"
#include "sched/runqueue.h"

cpumask_t sched_idle_mask;

cpumask_t sched_online(void)
{
    return num_cpus >= 64 ? ~0UL : (1UL << num_cpus) - 1;
}

int balance_choose_cpu(struct thread *t)
{
    cpumask_t allowed = t->allowed & sched_online();
    cpumask_t idle = atomic_load(&sched_idle_mask) & allowed;

    if (!allowed) /* can't be: calls refuse such a mask */
        return t->cpu;
    if (idle) {
        int cpu = idle >> t->cpu & 1 ? t->cpu : __builtin_ctzl(idle);
        /* Claimed, so that the next thread to wake looks elsewhere. */
        atomic_and(&sched_idle_mask, ~(1UL << cpu));
        return cpu;
    }
    if (allowed >> t->cpu & 1)
        return t->cpu;
    return allowed >> cpu_id() & 1 ? cpu_id() : __builtin_ctzl(allowed);
}

/* A thread in FROM's queue that may run on CPU. FROM is locked. */
static struct thread *find_movable(struct runqueue *from, int cpu)
{
    for (struct tree_node *n = tree_first(&from->queue); n; n = tree_next(n)) {
        struct thread *t = tree_entry(n, struct thread, rq_node);
        if (t->allowed >> cpu & 1)
            return t;
    }
    return NULL;
}

/* Take a thread out of FROM's queue for TO, whose lock is held. Never waits: two CPUs may try at once. */
static struct thread *take_from(struct runqueue *from, struct runqueue *to)
{
    if (!spin_trylock(&from->lock))
        return NULL;
    struct thread *t = find_movable(from, (int)(to - runqueues));
    if (t) {
        rq_remove(from, t);
        rq_migrate(from, to, t);
    }
    spin_unlock(&from->lock);
    return t;
}

struct thread *balance_steal(struct runqueue *rq)
{
    int here = (int)(rq - runqueues);

    for (int i = 1; i < num_cpus; i++) {
        struct runqueue *other = &runqueues[(here + i) % num_cpus];
        struct thread *t = READ_ONCE(other->queued) ? take_from(other, rq) : NULL;
        if (t)
            return t;
    }
    return NULL;
}

void balance_tick(struct runqueue *rq)
{
    struct runqueue *busiest = NULL;
    bool rotate = rq->clock - rq->pulled >= SCHED_ROTATE;
    unsigned most = rq->queued + !rotate;

    for (int i = 0; i < num_cpus; i++) {
        unsigned queued = READ_ONCE(runqueues[i].queued);
        if (queued > most) {
            most = queued;
            busiest = &runqueues[i];
        }
    }
    struct thread *t = busiest ? take_from(busiest, rq) : NULL;
    if (!t)
        return;
    rq_insert(rq, t);
    rq->pulled = rq->clock;
    WRITE_ONCE(busiest->pulled, rq->clock); /* or it would take one back at its next tick */
}

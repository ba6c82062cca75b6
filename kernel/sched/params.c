/*
 * What may be asked of the scheduler for one thread: its nice value, its policy, the CPUs it may use. A thread
 * that waits in a queue is taken out, changed and put back, so that the queue's order stays true.
 */
#include "lib/atomic.h"
#include "sched/futex.h"
#include "sched/runqueue.h"
#include "x86/cpu.h"

static bool is_queued(const struct runqueue *rq, const struct thread *t)
{
    return t->on_rq && rq->curr != t;
}

int sched_set_nice(struct thread *t, int nice)
{
    if (nice < -20 || nice > 19)
        return -EINVAL;
    struct runqueue *rq = rq_lock_of(t);
    t->nice = nice;
    spin_unlock(&rq->lock);
    return 0;
}

/* T, whose queue is locked, gets another real-time priority (0: none) in the eyes of the queue. */
static void set_prio(struct runqueue *rq, struct thread *t)
{
    int was = t->prio;

    t->prio = max(t->rt_priority, t->lent);
    if (t->prio)
        t->vruntime = rq->rt_order++;
    else if (was)
        t->vruntime = rq->min_vruntime;
}

/* T, which may run, counts for more or less than before: let its CPU look who should. */
static void look_again(struct runqueue *rq, const struct thread *t)
{
    if (!t->on_rq)
        return;
    atomic_or(&rq->curr->work, WORK_RESCHED);
    if (t->cpu != cpu_id())
        cpu_send_resched(t->cpu);
}

bool sched_lend(struct thread *t, int priority)
{
    struct runqueue *rq = rq_lock_of(t);
    bool changed = t->lent != priority;

    if (changed) {
        bool queued = is_queued(rq, t);
        if (queued)
            rq_remove(rq, t);
        t->lent = priority;
        if (t->prio != max(t->rt_priority, priority))
            set_prio(rq, t);
        if (queued)
            rq_insert(rq, t);
        look_again(rq, t);
    }
    spin_unlock(&rq->lock);
    return changed;
}

int sched_set_policy(struct thread *t, int policy, int rt_priority, bool reset_on_fork)
{
    bool rt = policy_is_rt(policy);

    if (!rt && policy != SCHED_NORMAL && policy != SCHED_BATCH && policy != SCHED_IDLE)
        return -EINVAL;
    if (rt ? rt_priority < 1 || rt_priority > 99 : rt_priority != 0)
        return -EINVAL;

    struct runqueue *rq = rq_lock_of(t);
    bool queued = is_queued(rq, t);
    if (queued)
        rq_remove(rq, t);
    t->policy = policy;
    t->rt_priority = rt_priority;
    t->reset_on_fork = reset_on_fork;
    set_prio(rq, t);
    if (queued)
        rq_insert(rq, t);
    look_again(rq, t);
    spin_unlock(&rq->lock);
    futex_priority_changed(t);
    return 0;
}

nsec_t sched_slice(const struct thread *t)
{
    if (t->policy == SCHED_FIFO)
        return 0;
    return t->policy == SCHED_RR ? RR_SLICE : SCHED_TICK;
}

int sched_set_affinity(struct thread *t, cpumask_t mask)
{
    mask &= sched_online();
    if (!mask)
        return -EINVAL;
    struct runqueue *rq = rq_lock_of(t);
    t->allowed = mask;
    bool misplaced = t->on_rq && !(mask >> t->cpu & 1);
    if (misplaced && is_queued(rq, t)) {
        struct runqueue *to = &runqueues[__builtin_ctzl(mask)];
        rq_remove(rq, t);
        rq_migrate(rq, to, t);
        spin_unlock(&rq->lock);
        spin_lock(&to->lock);
        rq_insert(to, t);
        atomic_or(&to->curr->work, WORK_RESCHED);
        if (t->cpu != cpu_id())
            cpu_send_resched(t->cpu);
        rq = to;
    } else if (misplaced && t != current) {
        atomic_or(&t->work, WORK_RESCHED);
        cpu_send_resched(t->cpu);
    }
    spin_unlock(&rq->lock);
    if (misplaced && t == current)
        schedule();
    return 0;
}

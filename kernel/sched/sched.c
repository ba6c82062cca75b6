/*
 * The scheduler.
 *
 * Each CPU has a run queue: one thread that runs (curr) and a tree of those that could. The first of
 * the tree is the one that has had least: real-time threads before all others, by priority and then by
 * their place in line; the others by virtual runtime, which is the time they got, divided by their weight.
 * schedule() is the only way from one thread to the next.
 *
 * Sleeping and waking. A thread that is going to sleep first says so in its own ->state, then looks a last
 * time whether it still should, then calls schedule(). A waker first makes true what the sleeper looks
 * for, then calls sched_wake(), which puts the state back to RUNNING. Both sides have a full barrier between
 * their two steps, so at least one sees the other. Only the thread itself leaves RUNNING; only sched_wake(),
 * with the lock of the run queue, or the thread itself, changing its mind, comes back to it.
 *
 * The run queue's lock is held from the choice of the next thread until that thread, on its own stack,
 * drops it in sched_finish_switch(). Who has the lock of the queue that a thread belongs to (thread->cpu)
 * therefore finds it running, queued or asleep, never in between, and may queue it anywhere at once.
 *
 * A thread in a queue moves to another CPU's under both locks, one after the other: between them it is
 * RUNNING and in no queue, and nobody but the mover touches it.
 */
#include "sched/sched.h"

#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "sched/runqueue.h"
#include "x86/clock.h"
#include "x86/event.h"
#include "x86/upcalls.h"
#include "x86/watchdog.h"

struct runqueue runqueues[MAX_CPUS];
static struct thread boot_idle; /* the boot CPU's idle thread: there before any memory is */

static inline struct runqueue *this_rq(void)
{
    return &runqueues[cpu_id()];
}

bool sched_before(const struct thread *a, const struct thread *b)
{
    if (unlikely(a->prio != b->prio))
        return a->prio > b->prio;
    return (int64_t)(a->vruntime - b->vruntime) < 0;
}

static bool node_before(const struct tree_node *a, const struct tree_node *b)
{
    return sched_before(tree_entry(a, struct thread, rq_node),
                        tree_entry(b, struct thread, rq_node));
}

static struct thread *first_of(const struct runqueue *rq)
{
    return rq->queued ? tree_entry(tree_first(&rq->queue), struct thread, rq_node) : NULL;
}

void rq_insert(struct runqueue *rq, struct thread *t)
{
    assert(spin_is_held(&rq->lock) && t->cpu == (int)(rq - runqueues));
    t->on_rq = true;
    tree_insert(&rq->queue, &t->rq_node, node_before);
    rq->queued++;
}

void rq_remove(struct runqueue *rq, struct thread *t)
{
    assert(spin_is_held(&rq->lock) && t->on_rq && rq->curr != t);
    tree_remove(&rq->queue, &t->rq_node);
    rq->queued--;
}

void rq_migrate(struct runqueue *from, struct runqueue *to, struct thread *t)
{
    if (t->prio)
        t->vruntime = to->rt_order++;
    else
        t->vruntime += READ_ONCE(to->min_vruntime) - READ_ONCE(from->min_vruntime);
    t->cpu = (int)(to - runqueues);
}

struct runqueue *rq_lock_of(const struct thread *t)
{
    for (;;) {
        int cpu = READ_ONCE(t->cpu);
        spin_lock(&runqueues[cpu].lock);
        if (likely(cpu == t->cpu))
            return &runqueues[cpu];
        spin_unlock(&runqueues[cpu].lock);
    }
}

/* As events name it: 0 is an idle thread, or another of the kernel's own. */
static uint64_t thread_number(const struct thread *t)
{
    return t->pid ? (uint32_t)t->pid->nr : 0;
}

/* --- becoming runnable -------------------------------------------------------------------------- */

/* Should T, just queued, have the CPU before the one that runs has used up its slice? */
static bool preempts(const struct thread *t, const struct thread *curr)
{
    if (t->prio || curr->prio)
        return t->prio > curr->prio;
    if (curr->policy == SCHED_IDLE && t->policy != SCHED_IDLE)
        return true;
    if (t->policy == SCHED_BATCH || t->policy == SCHED_IDLE)
        return false;
    return (int64_t)(curr->vruntime - t->vruntime) > SCHED_WAKEUP_GRANULARITY;
}

/* Queue T on RQ, which T->cpu names, and make the CPU look if it should. */
static void activate(struct runqueue *rq, struct thread *t)
{
    if (!t->prio) {
        uint64_t least = rq->min_vruntime - SCHED_SLEEPER_CREDIT;
        if ((int64_t)(t->vruntime - least) < 0)
            t->vruntime = least;
    }
    rq_insert(rq, t);
    if (rq->curr == rq->idle || preempts(t, rq->curr)) {
        atomic_or(&rq->curr->work, WORK_RESCHED);
        if (t->cpu != cpu_id())
            cpu_send_resched(t->cpu);
    }
}

/* Choose a CPU for T, which is RUNNING and in no queue, and queue it. RQ is T's old one, locked; it is released. */
static void place(struct runqueue *rq, struct thread *t)
{
    int cpu = num_cpus == 1 ? t->cpu : balance_choose_cpu(t);

    if (cpu != t->cpu) {
        rq_migrate(rq, &runqueues[cpu], t);
        spin_unlock(&rq->lock);
        rq = &runqueues[cpu];
        spin_lock(&rq->lock);
    }
    activate(rq, t);
    spin_unlock(&rq->lock);
}

bool sched_wake(struct thread *t, unsigned state_mask)
{
    race_point();
    /* The waker's barrier: without it the CPU may look at the state before others can see what it has made true. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!(1u << READ_ONCE(t->state) & state_mask))
        return false;
    struct runqueue *rq = rq_lock_of(t);
    if (!(1u << t->state & state_mask)) {
        spin_unlock(&rq->lock);
        return false;
    }
    event_note(EVENT_WAKE, thread_number(t));
    WRITE_ONCE(t->state, THREAD_RUNNING);
    if (t->on_rq) /* it was on its way to sleep and is told before it got there */
        spin_unlock(&rq->lock);
    else
        place(rq, t);
    return true;
}

void sched_fork(struct thread *child, struct thread *parent)
{
    child->policy = parent->policy;
    child->rt_priority = parent->rt_priority;
    child->nice = parent->nice;
    child->allowed = parent->allowed;
    child->cpu = cpu_id();
    if (parent->reset_on_fork) {
        if (policy_is_rt(child->policy))
            child->policy = SCHED_NORMAL;
        child->rt_priority = 0;
        child->nice = max(child->nice, 0);
    }
    child->prio = child->rt_priority; /* what is lent isn't inherited */
    /* A little behind its parent: forking is no way to get more of the CPU. */
    child->vruntime = parent->vruntime + SCHED_WAKEUP_GRANULARITY;
    if (parent->prio && !child->prio)
        child->vruntime = this_rq()->min_vruntime;
}

void sched_start(struct thread *t)
{
    struct runqueue *rq = rq_lock_of(t);

    if (t->prio)
        t->vruntime = rq->rt_order++;
    t->state = THREAD_RUNNING;
    place(rq, t);
}

void thread_set_work(struct thread *t, uint32_t bits)
{
    atomic_or(&t->work, bits);
    /* Not running now: it will look on its way out. Running: the barrier above makes sure we see that it is. */
    if (t != current && READ_ONCE(t->on_cpu))
        cpu_send_resched(READ_ONCE(t->cpu));
}

/* --- switching ---------------------------------------------------------------------------------- */

/* Take PREV off the CPU in the books: back into the queue if it still wants to run. */
static void put_back(struct runqueue *rq, struct thread *prev)
{
    if (prev == rq->idle)
        return;
    if (prev->state != THREAD_RUNNING) {
        prev->on_rq = false;
        prev->usage.voluntary_switches++;
        return;
    }
    prev->usage.involuntary_switches++;
    if (likely(prev->allowed >> prev->cpu & 1)) {
        rq_insert(rq, prev);
    } else {
        prev->on_rq = false;
        rq->moving = prev;
    }
}

/* Who is to run next: PREV itself, the first in the queue, somebody from another CPU, or the idle thread. */
static struct thread *pick_next(struct runqueue *rq, struct thread *prev)
{
    struct thread *first = first_of(rq);

    if (prev->state == THREAD_RUNNING && prev != rq->idle && prev->allowed >> prev->cpu & 1 &&
        (!first || sched_before(prev, first)))
        return prev;
    put_back(rq, prev);
    if (first)
        rq_remove(rq, first);
    else if (num_cpus == 1 || !(first = balance_steal(rq)))
        return rq->idle;
    if (!first->prio && (int64_t)(first->vruntime - rq->min_vruntime) > 0)
        rq->min_vruntime = first->vruntime;
    return first;
}

void sched_finish_switch(struct thread *prev)
{
    struct runqueue *rq = this_rq();
    struct thread *moving = rq->moving;
    bool dead = prev->state == THREAD_DEAD;

    rq->moving = NULL;
    __atomic_store_n(&prev->on_cpu, false, __ATOMIC_RELEASE);
    spin_unlock(&rq->lock);
    if (unlikely(dead)) {
        thread_free_stack(prev);
        thread_put(prev);
    } else if (unlikely(moving)) {
        place(rq_lock_of(moving), moving);
    }
}

static void switch_to(struct runqueue *rq, struct thread *prev, struct thread *next)
{
    event_note_timed(EVENT_SWITCH,
                     thread_number(next) | (uint64_t)prev->state << EVENT_STATE_SHIFT);
    rq->curr = next;
    rq->stats.switches++;
    /* A full barrier before NEXT looks at its work: see thread_set_work(). */
    (void)atomic_xchg(&next->on_cpu, true);
    next->slice_start = rq->clock;
    if (next == rq->idle) {
        atomic_or(&sched_idle_mask, 1UL << next->cpu);
    } else {
        if (prev == rq->idle)
            atomic_and(&sched_idle_mask, ~(1UL << next->cpu));
        if (!rq->ticking) {
            rq->ticking = true;
            timer_set_tick(rq->clock + SCHED_TICK);
        }
    }
    if (next->mm != prev->mm)
        mm_switch(prev->mm, next->mm);
    prev = context_switch(prev, next);
    sched_finish_switch(prev);
}

void schedule(void)
{
    lock_assert_may_sleep();
    struct thread *prev = current;
    struct runqueue *rq = this_rq();

    spin_lock(&rq->lock);
    account_run(rq, clock_monotonic());
    if (READ_ONCE(prev->work) & WORK_RESCHED)
        atomic_and(&prev->work, ~WORK_RESCHED);
    struct thread *next = pick_next(rq, prev);
    if (next == prev)
        spin_unlock(&rq->lock);
    else
        switch_to(rq, prev, next);
}

/* Let the first in the queue have a turn: stand level with it, and equals who wait go first. */
void sched_yield_now(void)
{
    struct thread *t = current;
    struct runqueue *rq = this_rq();

    if (!READ_ONCE(rq->queued))
        return;
    spin_lock(&rq->lock);
    const struct thread *first = first_of(rq);
    if (t->prio)
        t->vruntime = rq->rt_order++;
    else if (first && !first->prio && (int64_t)(first->vruntime - t->vruntime) > 0)
        t->vruntime = first->vruntime;
    spin_unlock(&rq->lock);
    schedule();
}

_Noreturn void sched_exit(void)
{
    WRITE_ONCE(current->state, THREAD_DEAD);
    schedule();
    panic("a dead thread was scheduled");
}

/* --- interrupts --------------------------------------------------------------------------------- */

void sched_ipi(void)
{
    /* Who sent it has set a bit in ->work; the way back to user mode, or the idle loop, will look. */
}

void sched_tick_due(void)
{
    this_rq()->tick_due = true;
    this_rq()->ticking = false;
}

/* The tick found CURR running: is it somebody else's turn? */
static bool turn_is_over(struct runqueue *rq, struct thread *curr)
{
    const struct thread *first = first_of(rq);
    nsec_t ran = rq->clock - curr->slice_start;

    if (curr->policy == SCHED_RR && ran >= RR_SLICE) {
        curr->vruntime = rq->rt_order++;
        curr->slice_start = rq->clock;
    }
    if (!first)
        return false;
    if (first->prio || curr->prio)
        return sched_before(first, curr);
    return ran >= SCHED_SLICE && !sched_before(curr, first);
}

void sched_account_interrupt(bool user)
{
    struct runqueue *rq = this_rq();
    nsec_t now;

    race_point();
    if (likely(!rq->tick_due))
        return;
    rq->tick_due = false;
    now = clock_monotonic();
    spin_lock(&rq->lock);
    account_run(rq, now);
    account_tick(rq, user);
    if (rq->curr != rq->idle) {
        if (turn_is_over(rq, rq->curr))
            atomic_or(&rq->curr->work, WORK_RESCHED);
        watchdog_tick(user, SCHED_TICK);
        if (num_cpus > 1)
            balance_tick(rq);
        rq->ticking = true;
        timer_set_tick(now + SCHED_TICK);
    }
    struct thread *curr = rq->curr;
    spin_unlock(&rq->lock);
    load_update(now);
    if (curr->proc)
        proc_cpu_tick(curr->proc);
}

/* --- beginnings --------------------------------------------------------------------------------- */

static void idle_thread_init(struct thread *t, int cpu)
{
    struct runqueue *rq = &runqueues[cpu];

    ref_init(&t->ref, 1);
    t->state = THREAD_RUNNING;
    t->cpu = cpu;
    t->on_cpu = true;
    t->policy = SCHED_IDLE;
    t->allowed = 1UL << cpu;
    memcpy(t->comm, "idle", 5);
    list_init(&t->sigqueue);
    timer_init(&t->sleep_timer, NULL);
    t->sleep_timer.cpu = cpu;
#ifdef CONFIG_DEBUG
    list_init(&t->held_mutexes);
#endif
    rq->idle = rq->curr = t;
    this_cpu()->running = t;
}

void sched_init(void)
{
    for (int i = 0; i < MAX_CPUS; i++)
        spin_init(&runqueues[i].lock, RANK_RUNQUEUE, "runqueue");
    idle_thread_init(&boot_idle, 0);
}

_Noreturn void sched_start_ap(void)
{
    int cpu = cpu_id();
    struct thread *t = &boot_idle;

    if (cpu != 0) {
        t = kzalloc(sizeof(*t));
        if (!t)
            panic("no memory for CPU %d's idle thread", cpu);
        idle_thread_init(t, cpu);
    }
    sched_idle();
}

_Noreturn void sched_idle(void)
{
    struct runqueue *rq = this_rq();

    rq->clock = clock_monotonic();
    irq_enable();
    for (;;) {
        irq_disable();
        atomic_or(&sched_idle_mask, 1UL << cpu_id());
        if (READ_ONCE(rq->queued))
            irq_enable();
        else
            cpu_wait_for_interrupt();
        schedule();
    }
}

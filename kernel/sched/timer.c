/*
 * Timers. Each CPU has a tree of those that were armed on it, ordered by expiry, and its event timer is
 * set for the earliest: nothing ticks while nothing is due.
 *
 * Besides the tree a CPU has one time of its own, the scheduler's tick, which comes while the CPU is busy
 * and stops when it idles. It is kept beside the tree because it moves at many switches. The event timer
 * is only ever set to come earlier: an interrupt that finds nothing due sets it anew, and that is cheaper
 * than setting it each time the earliest goes away.
 *
 * A timer belongs to the CPU in timer->cpu, whose lock guards all of it, armed or not. Changing that CPU
 * takes both locks, the lower number first.
 */
#include "sched/timer.h"

#include "sched/lock.h"
#include "sched/runqueue.h"
#include "x86/clock.h"
#include "x86/cpu.h"
#include "x86/upcalls.h"

struct timer_base {
    struct spinlock lock;  /* RANK_TIMER */
    struct tree tree;      /* lock: armed timers */
    struct timer *running; /* lock: whose function is being called */
    nsec_t event;          /* this CPU only: when the event timer will fire */
    nsec_t tick;           /* this CPU only: when the scheduler's next tick is due */
};

static struct timer_base bases[MAX_CPUS];

static bool timer_before(const struct tree_node *a, const struct tree_node *b)
{
    return tree_entry(a, struct timer, node)->expires < tree_entry(b, struct timer, node)->expires;
}

void timer_init_subsystem(void)
{
    for (int i = 0; i < MAX_CPUS; i++) {
        spin_init(&bases[i].lock, RANK_TIMER, "timers");
        bases[i].event = bases[i].tick = INT64_MAX;
    }
}

void timer_init(struct timer *t, void (*fn)(struct timer *))
{
    t->fn = fn;
    t->cpu = 0;
    t->armed = false;
}

/* See that this CPU's event timer fires at WHEN or before. Interrupts off. */
static void event_by(struct timer_base *b, nsec_t when)
{
    if (when < b->event) {
        b->event = when;
        clock_arm(when);
    }
}

/* Lock the base that T belongs to. */
static struct timer_base *base_lock(const struct timer *t)
{
    for (;;) {
        int cpu = READ_ONCE(t->cpu);
        struct timer_base *b = &bases[cpu];
        spin_lock(&b->lock);
        if (likely(cpu == t->cpu))
            return b;
        spin_unlock(&b->lock);
    }
}

static bool timer_detach(struct timer_base *b, struct timer *t)
{
    if (!t->armed)
        return false;
    tree_remove(&b->tree, &t->node);
    t->armed = false;
    return true;
}

/*
 * Move T, disarmed, to this CPU and lock its base. While T's function runs elsewhere T stays there (its end
 * is waited for by looking at one base); that CPU looks at its tree again when the function returns.
 * Interrupts are off already, so that this CPU stays this one.
 */
static struct timer_base *base_lock_here(struct timer *t)
{
    int here = cpu_id();
    for (;;) {
        int cpu = READ_ONCE(t->cpu);
        struct timer_base *low = &bases[min(cpu, here)], *high = &bases[max(cpu, here)];
        spin_lock(&low->lock);
        if (low != high)
            spin_lock_nested(&high->lock);
        bool settled = cpu == t->cpu;
        struct timer_base *keep = &bases[here];
        if (settled) {
            timer_detach(&bases[cpu], t);
            if (bases[cpu].running == t)
                keep = &bases[cpu];
            t->cpu = (int)(keep - bases);
        }
        if (low != high)
            spin_unlock(keep == low ? &high->lock : &low->lock);
        if (settled)
            return keep;
        spin_unlock(&keep->lock);
    }
}

void timer_set(struct timer *t, nsec_t expires)
{
    irq_push_off();
    struct timer_base *b = base_lock_here(t);
    t->expires = expires;
    t->armed = true;
    tree_insert(&b->tree, &t->node, timer_before);
    if (b == &bases[cpu_id()])
        event_by(b, expires);
    spin_unlock(&b->lock);
    irq_pop_off();
}

bool timer_cancel(struct timer *t)
{
    struct timer_base *b = base_lock(t);
    bool was_armed = timer_detach(b, t);
    spin_unlock(&b->lock);
    return was_armed;
}

void timer_cancel_sync(struct timer *t)
{
    for (;;) {
        struct timer_base *b = base_lock(t);
        timer_detach(b, t);
        bool running = b->running == t;
        spin_unlock(&b->lock);
        if (likely(!running))
            return;
        cpu_relax();
    }
}

nsec_t timer_remaining(const struct timer *t)
{
    struct timer_base *b = base_lock(t);
    nsec_t expires = t->armed ? t->expires : 0;
    spin_unlock(&b->lock);
    if (!expires)
        return 0;
    return max(expires - clock_monotonic(), (nsec_t)1);
}

void timer_set_tick(nsec_t when)
{
    struct timer_base *b = &bases[cpu_id()];
    b->tick = when;
    event_by(b, when);
}

/* The earliest timer if it is due, detached. */
static struct timer *take_expired(struct timer_base *b, nsec_t now)
{
    struct tree_node *n = tree_first(&b->tree);
    struct timer *t = n ? tree_entry(n, struct timer, node) : NULL;

    if (!t || t->expires > now)
        return NULL;
    timer_detach(b, t);
    return t;
}

void timer_interrupt(void)
{
    struct timer_base *b = &bases[cpu_id()];
    nsec_t now = clock_monotonic();

    b->event = INT64_MAX;
    spin_lock(&b->lock);
    while ((b->running = take_expired(b, now))) {
        void (*fn)(struct timer *) = b->running->fn;
        struct timer *t = b->running;
        spin_unlock(&b->lock);
        fn(t);
        spin_lock(&b->lock);
    }
    if (b->tick <= now) {
        b->tick = INT64_MAX;
        sched_tick_due();
    }
    struct tree_node *n = tree_first(&b->tree);
    event_by(b, min(b->tick, n ? tree_entry(n, struct timer, node)->expires : INT64_MAX));
    spin_unlock(&b->lock);
}

/*
 * The scheduler from inside: kernel threads that sleep, wake, compete and move. A test starts its threads
 * through a crew, which knows how many still run and on which the test waits for their end.
 */
#include "lib/atomic.h"
#include "sched/runqueue.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sched/timer.h"
#include "sched/wait.h"
#include "tests/kernel/ktest.h"
#include "x86/clock.h"

#define SOON (2 * NSEC_PER_MSEC)
#define PATIENCE (60 * NSEC_PER_SEC)

struct crew {
    struct spinlock lock; /* RANK_WAIT */
    struct waitq done;    /* lock */
    unsigned running;     /* lock */
    void (*work)(struct crew *c, unsigned who);
    unsigned started;   /* lock: gives each its number */
    struct mutex mutex; /* RANK_MM: for the tests' own use */
    struct waitq event; /* lock: likewise */
    long value;         /* lock or mutex: likewise */
    unsigned order[8];  /* lock: who came when */
    unsigned came;      /* lock */
};

static void crew_init(struct crew *c, void (*work)(struct crew *, unsigned))
{
    *c = (struct crew){.work = work};
    spin_init(&c->lock, RANK_WAIT, "crew");
    waitq_init(&c->done, &c->lock);
    waitq_init(&c->event, &c->lock);
    mutex_init(&c->mutex, RANK_MM, "crew");
}

static void crew_member(void *arg)
{
    struct crew *c = arg;

    spin_lock(&c->lock);
    unsigned who = c->started++;
    spin_unlock(&c->lock);
    c->work(c, who);
    spin_lock(&c->lock);
    c->running--;
    wake_all(&c->done, 0);
    spin_unlock(&c->lock);
    sched_exit();
}

static void crew_start(struct crew *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        spin_lock(&c->lock);
        c->running++;
        spin_unlock(&c->lock);
        KEXPECT(!is_err(kthread_create("crew", crew_member, c)));
    }
}

static void crew_join(struct crew *c)
{
    spin_lock(&c->lock);
    int error = wait_event(&c->done, c->running == 0, clock_monotonic() + PATIENCE);
    spin_unlock(&c->lock);
    KEXPECT_EQ(error, 0);
    if (error)
        panic("a test's threads did not end"); /* they stand on this stack */
}

/* --- timers ------------------------------------------------------------------------------------------- */

static struct timer timers[4];
static unsigned fired[4];
static unsigned nfired; /* atomic */

static void note_fired(struct timer *t)
{
    unsigned i = __atomic_fetch_add(&nfired, 1, __ATOMIC_SEQ_CST);
    if (i < ARRAY_SIZE(fired))
        fired[i] = (unsigned)(t - timers);
}

static void wait_for_fired(unsigned n)
{
    nsec_t until = clock_monotonic() + PATIENCE;
    while (READ_ONCE(nfired) < n && clock_monotonic() < until)
        sched_sleep_until(clock_monotonic() + SOON, WAIT_DEAF);
}

KTEST(timer, fires_in_order_of_expiry)
{
    static const unsigned delay[4] = {3, 1, 4, 2};
    nsec_t now = clock_monotonic();

    nfired = 0;
    /* None fires, and all are of one CPU, until all are set. */
    irq_push_off();
    for (unsigned i = 0; i < 4; i++) {
        timer_init(&timers[i], note_fired);
        timer_set(&timers[i], now + delay[i] * 3 * NSEC_PER_MSEC);
    }
    irq_pop_off();
    wait_for_fired(4);
    KEXPECT_EQ(nfired, 4);
    KEXPECT_EQ(fired[0], 1);
    KEXPECT_EQ(fired[1], 3);
    KEXPECT_EQ(fired[2], 0);
    KEXPECT_EQ(fired[3], 2);
}

KTEST(timer, cancelled_does_not_fire)
{
    nfired = 0;
    timer_init(&timers[0], note_fired);
    timer_init(&timers[1], note_fired);
    irq_push_off(); /* it must not fire before it is cancelled */
    timer_set(&timers[0], clock_monotonic() + SOON);
    timer_set(&timers[1], clock_monotonic() + 3 * SOON);
    bool first = timer_cancel(&timers[0]), second = timer_cancel(&timers[0]);
    irq_pop_off();
    KEXPECT(first);
    KEXPECT(!second);
    wait_for_fired(1);
    KEXPECT_EQ(nfired, 1);
    KEXPECT_EQ(fired[0], 1);
}

KTEST(timer, set_again_moves_it)
{
    nfired = 0;
    timer_init(&timers[0], note_fired);
    timer_set(&timers[0], clock_monotonic() + 100 * PATIENCE);
    KEXPECT(timer_remaining(&timers[0]) > PATIENCE);
    timer_set(&timers[0], clock_monotonic() + SOON);
    wait_for_fired(1);
    KEXPECT_EQ(nfired, 1);
    KEXPECT_EQ(timer_remaining(&timers[0]), 0);
}

KTEST(timer, past_time_fires_at_once)
{
    nfired = 0;
    timer_init(&timers[0], note_fired);
    timer_set(&timers[0], 1);
    wait_for_fired(1);
    KEXPECT_EQ(nfired, 1);
}

/* --- sleeping ------------------------------------------------------------------------------------------- */

KTEST(wait, sleep_lasts_as_long_as_asked)
{
    nsec_t start = clock_monotonic();
    KEXPECT_EQ(sched_sleep_until(start + 5 * NSEC_PER_MSEC, WAIT_INTERRUPTIBLE), 0);
    nsec_t slept = clock_monotonic() - start;
    KEXPECT(slept >= 5 * NSEC_PER_MSEC);
}

KTEST(wait, deadline_ends_it)
{
    struct crew c;

    crew_init(&c, NULL);
    spin_lock(&c.lock);
    KEXPECT_EQ(wait_event(&c.event, c.value, clock_monotonic() + SOON), -ETIMEDOUT);
    KEXPECT_EQ(wait_event(&c.event, c.value, 0), -ETIMEDOUT);
    c.value = 1;
    KEXPECT_EQ(wait_event(&c.event, c.value, 0), 0);
    KEXPECT(waitq_is_empty(&c.event));
    spin_unlock(&c.lock);
}

#define ROUNDS 2000

/* Two take turns: odd values are the second's. A lost wakeup leaves both asleep. */
static void take_turns(struct crew *c, unsigned who)
{
    for (int i = 0; i < ROUNDS; i++) {
        spin_lock(&c->lock);
        wait_event_deaf(&c->event, c->value % 2 == (long)who);
        c->value++;
        wake_all(&c->event, 0);
        spin_unlock(&c->lock);
    }
}

KTEST(wait, wakeups_are_never_lost)
{
    struct crew c;

    crew_init(&c, take_turns);
    crew_start(&c, 2);
    crew_join(&c);
    KEXPECT_EQ(c.value, 2 * ROUNDS);
}

static void take_one(struct crew *c, unsigned who)
{
    (void)who;
    spin_lock(&c->lock);
    c->came++;
    wake_all(&c->done, 0);
    KEXPECT_EQ(wait_event_exclusive(&c->event, c->value > 0, DEADLINE_NONE), 0);
    c->value--;
    spin_unlock(&c->lock);
}

KTEST(wait, one_wakeup_wakes_one_exclusive_waiter)
{
    struct crew c;

    crew_init(&c, take_one);
    crew_start(&c, 4);
    spin_lock(&c.lock);
    wait_event_deaf(&c.done, c.came == 4);
    for (unsigned left = 4; left > 0; left--) {
        c.value++;
        wake_one(&c.event, 0);
        KEXPECT_EQ(wait_event(&c.done, c.running == left - 1, clock_monotonic() + PATIENCE), 0);
    }
    KEXPECT_EQ(c.value, 0);
    spin_unlock(&c.lock);
    crew_join(&c);
}

/* --- mutexes -------------------------------------------------------------------------------------------- */

static void add_slowly(struct crew *c, unsigned who)
{
    (void)who;
    for (int i = 0; i < 50; i++) {
        mutex_lock(&c->mutex);
        long before = c->value;
        sched_yield_now();
        if (i % 10 == 0)
            sched_sleep_until(clock_monotonic() + 100 * NSEC_PER_USEC, WAIT_DEAF);
        c->value = before + 1;
        mutex_unlock(&c->mutex);
    }
}

KTEST(mutex, excludes_while_its_holder_sleeps)
{
    struct crew c;

    crew_init(&c, add_slowly);
    crew_start(&c, 4);
    crew_join(&c);
    KEXPECT_EQ(c.value, 200);
    KEXPECT(mutex_trylock(&c.mutex));
    KEXPECT(mutex_is_held(&c.mutex));
    mutex_unlock(&c.mutex);
    KEXPECT(!mutex_is_held(&c.mutex));
}

/* --- who runs --------------------------------------------------------------------------------------------- */

static void come_in_turn(struct crew *c, unsigned who)
{
    (void)who;
    spin_lock(&c->lock);
    c->order[c->came++ % ARRAY_SIZE(c->order)] = (unsigned)current->rt_priority;
    spin_unlock(&c->lock);
}

static void come_with_priority(struct crew *c, unsigned who)
{
    static const int priority[4] = {0, 10, 50, 30};

    KEXPECT_EQ(sched_set_affinity(current, 1), 0);
    if (priority[who])
        KEXPECT_EQ(sched_set_policy(current, SCHED_FIFO, priority[who], false), 0);
    spin_lock(&c->lock);
    c->value++;
    wake_all(&c->done, 0);
    wait_event_deaf(&c->event, c->value >= 5);
    spin_unlock(&c->lock);
    come_in_turn(c, who);
}

KTEST(sched, real_time_runs_by_priority_and_before_others)
{
    struct crew c;

    crew_init(&c, come_with_priority);
    KEXPECT_EQ(sched_set_affinity(current, 1), 0);
    KEXPECT_EQ(sched_set_policy(current, SCHED_FIFO, 99, false), 0);
    crew_start(&c, 4);
    spin_lock(&c.lock);
    wait_event_deaf(&c.done, c.value == 4);
    c.value++;
    wake_all(&c.event, 0);
    spin_unlock(&c.lock);
    KEXPECT_EQ(sched_set_policy(current, SCHED_NORMAL, 0, false), 0);
    KEXPECT_EQ(sched_set_affinity(current, ~0UL), 0);
    crew_join(&c);
    KEXPECT_EQ(c.order[0], 50);
    KEXPECT_EQ(c.order[1], 30);
    KEXPECT_EQ(c.order[2], 10);
    KEXPECT_EQ(c.order[3], 0);
}

KTEST(sched, parameters_out_of_range_are_refused)
{
    KEXPECT_EQ(sched_set_nice(current, 20), -EINVAL);
    KEXPECT_EQ(sched_set_nice(current, -21), -EINVAL);
    KEXPECT_EQ(sched_set_policy(current, SCHED_FIFO, 0, false), -EINVAL);
    KEXPECT_EQ(sched_set_policy(current, SCHED_RR, 100, false), -EINVAL);
    KEXPECT_EQ(sched_set_policy(current, SCHED_NORMAL, 1, false), -EINVAL);
    KEXPECT_EQ(sched_set_policy(current, 77, 0, false), -EINVAL);
    KEXPECT_EQ(sched_set_affinity(current, 0), -EINVAL);
}

KTEST(sched, affinity_moves_the_caller_at_once)
{
    for (int cpu = 0; cpu < num_cpus; cpu++) {
        KEXPECT_EQ(sched_set_affinity(current, 1UL << cpu), 0);
        KEXPECT_EQ(cpu_id(), cpu);
    }
    KEXPECT_EQ(sched_set_affinity(current, ~0UL), 0);
}

KTEST(sched, nice_weighs_time)
{
    struct thread t = {.policy = SCHED_NORMAL};

    KEXPECT_EQ(weigh(&t, 1000), 1000);
    t.nice = 19;
    KEXPECT(weigh(&t, 1000) > 60000);
    t.nice = -20;
    KEXPECT(weigh(&t, 1000) < 20);
    t.policy = SCHED_IDLE;
    KEXPECT(weigh(&t, 1000) > 300000);
}

KTEST(sched, time_is_accounted)
{
    nsec_t start = clock_monotonic(), before = thread_cpu_time(current);

    while (clock_monotonic() - start < 20 * NSEC_PER_MSEC)
        cpu_relax();
    nsec_t got = thread_cpu_time(current) - before, passed = clock_monotonic() - start;
    KEXPECT(got <= passed);
    KEXPECT(got > 0);
    before = thread_cpu_time(current);
    sched_sleep_until(clock_monotonic() + 200 * NSEC_PER_MSEC, WAIT_DEAF);
    KEXPECT(thread_cpu_time(current) - before < 150 * NSEC_PER_MSEC);
}

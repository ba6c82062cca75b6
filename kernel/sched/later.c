/*
 * See later.h. One queue for all CPUs: there is little of this. An entry leaves the queue before its function
 * runs, so one that is asked for again meanwhile runs again.
 */
#include "sched/later.h"

#include "lib/atomic.h"
#include "sched/lock.h"
#include "sched/thread.h"
#include "sched/timer.h"

static void timer_fired(struct timer *t);

static struct spinlock lock = SPINLOCK_INIT(RANK_LATER, "later");
static struct list queue = LIST_INIT(queue);     /* lock */
static struct timer timer = {.fn = timer_fired}; /* see there */

static void timer_fired(struct timer *t)
{
    (void)t;
    later_run();
}

void later(struct later *l)
{
    spin_lock(&lock);
    if (list_empty(&l->link))
        list_push_back(&queue, &l->link);
    spin_unlock(&lock);
    timer_set(&timer, 0);
    if (current->proc)
        atomic_or(&current->work, WORK_LATER);
}

void later_run(void)
{
    for (;;) {
        spin_lock(&lock);
        struct later *l = list_first(&queue, struct later, link);
        if (l)
            list_remove(&l->link);
        spin_unlock(&lock);
        if (!l)
            return;
        l->fn(l);
    }
}

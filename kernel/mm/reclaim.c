/*
 * What happens when a program needs a page and none is to be had.
 *
 * First the caches give back what they hold. If that was not enough, the fattest process is told to
 * die (oom_kill, in proc/) and we sleep a little, again and again, because a process dies in its
 * own time: it may sleep in the kernel, or another CPU may run it. We hold no lock meanwhile that
 * it could need. The patience is limited, so that nobody hangs: a request that can't be met fails,
 * and the process that made it by a page fault is killed itself.
 *
 * A process that is already being killed does not wait: it gets the reserve that the page allocator
 * keeps, because the sooner it is gone the better.
 */
#include "mm/reclaim.h"

#include "lib/assert.h"
#include "mm/kstack.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "x86/clock.h"
#include "x86/cpu.h"

#define PATIENCE 200 /* times */
#define NAP (5 * NSEC_PER_MSEC)

void memory_on_each_cpu(void (*fn)(void *arg), void *arg)
{
    irq_push_off(); /* we stay on this CPU until all have answered */
    fn(arg);
    cpumask_t others = 0;
    for (int cpu = 0; cpu < num_cpus; cpu++)
        if (cpu != cpu_id() && atomic_load(&cpus[cpu].online))
            others |= (cpumask_t)1 << cpu;
    if (others)
        cpu_call(others, fn, arg);
    irq_pop_off();
}

void memory_drain(void)
{
    kstack_drain();
    slab_drain();
    page_drain();
}

unsigned memory_user_flags(void)
{
    return fatal_pending(current) ? 0 : ALLOC_USER;
}

bool memory_make_room(unsigned *tries)
{
    lock_assert_may_sleep();
    if ((*tries)++ == 0) {
        memory_drain();
        return true;
    }
    if (*tries > PATIENCE || fatal_pending(current))
        return false;
    if (!oom_kill())
        return false;
    /*
     * If it was our own process, the signal ends the sleep and the next attempt may use the
     * reserve.
     */
    (void)sched_sleep_until(clock_monotonic() + NAP, WAIT_KILLABLE);
    return true;
}

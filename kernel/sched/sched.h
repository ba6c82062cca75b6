/*
 * The scheduler: one run queue per CPU, a tree ordered by (class, virtual runtime). A thread's virtual
 * runtime grows with the time it gets divided by the weight of its nice value, and the one furthest behind
 * runs. Real-time policies sort before all of that; SCHED_IDLE is a weight below every nice value, so that
 * who runs under it and holds a mutex comes to release it. A CPU with nothing to do steals.
 * User code is preempted; kernel code runs until it sleeps or returns to user mode.
 */
#pragma once

#include "lib/types.h"
#include "sched/thread.h"
#include "sched/wait.h"

void sched_init(void); /* boot CPU: its current code becomes the idle thread. Needs no memory */
_Noreturn void sched_idle(void); /* the rest of a CPU's boot thread's life */

/* Give the CPU away. The state was set by the caller; RUNNING: just let others have a turn. */
void schedule(void);
void sched_yield_now(void); /* sched_yield(2) */

/* Make T runnable if its state is one of those in MASK (bits 1<<enum thread_state). True if it was woken. */
bool sched_wake(struct thread *t, unsigned state_mask);
#define WAKE_EVENT ((1u << THREAD_SLEEPING) | (1u << THREAD_KILLABLE) | (1u << THREAD_DEAF))
#define WAKE_SIGNAL (1u << THREAD_SLEEPING)
#define WAKE_FATAL ((1u << THREAD_SLEEPING) | (1u << THREAD_KILLABLE) | (1u << THREAD_STOPPED))

/* Put a new thread (state not yet RUNNING) on a run queue for the first time. */
void sched_start(struct thread *t);
/* Set work bits of T from anywhere and see that it notices soon (IPI when it runs elsewhere in user mode). */
void thread_set_work(struct thread *t, uint32_t bits);
/* The current thread ends: never returns. Its stack is freed by who runs next. Drops the scheduler's reference. */
_Noreturn void sched_exit(void);

/* Parameters: nice, policy, affinity. -EINVAL when out of range; permissions are the caller's business. */
int sched_set_nice(struct thread *t, int nice);
int sched_set_policy(struct thread *t, int policy, int rt_priority, bool reset_on_fork);
/* T runs as if it had at least this real-time priority (0: none is lent to it). False: it had it before. */
bool sched_lend(struct thread *t, int priority);
int sched_set_affinity(struct thread *t, cpumask_t mask);
/* A child starts with its parent's parameters (reset_on_fork obeyed). */
void sched_fork(struct thread *child, struct thread *parent);

/* CPU time of T up to now: exact in sum; how it divides is what the ticks saw. */
void thread_times(struct thread *t, nsec_t *user, nsec_t *system);
static inline nsec_t thread_cpu_time(struct thread *t)
{
    nsec_t user, system;
    thread_times(t, &user, &system);
    return user + system;
}

struct sched_cpu_stats {
    nsec_t user, nice, system, idle;
    uint64_t switches;
};
void sched_cpu_stats(int cpu, struct sched_cpu_stats *s);
void sched_loadavg(uint64_t avg[3]); /* fixed point, 16 fraction bits as SI_LOAD_SHIFT */
unsigned sched_running_count(void);

/* The CPUs that schedule. */
cpumask_t sched_online(void);
/* The time that a thread of T's policy may run before its equals get their turn (sched_rr_get_interval). */
nsec_t sched_slice(const struct thread *t);

/* Sleep until DEADLINE (CLOCK_MONOTONIC). 0, or -ERESTARTSYS when a signal came. */
int sched_sleep_until(nsec_t deadline, enum wait_mode mode);

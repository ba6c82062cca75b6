/*
 * A process's timers that end in a signal: the three of setitimer(2), its limit on CPU time, and those of
 * timer_create(2). All state is under the process's signal_lock. timerfd is ipc/'s; both stand on sched/timer.h.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"
#include "sched/timer.h"

struct posix_timer;
struct proc;

/* One interval timer. EXPIRES is CLOCK_MONOTONIC for ITIMER_REAL, else the process's own time; 0: off. */
struct interval_timer {
    nsec_t expires;  /* signal_lock */
    nsec_t interval; /* signal_lock */
};

struct proc_timers {
    struct interval_timer interval[3]; /* signal_lock: by ITIMER_x */
    struct timer real;                 /* signal_lock: ITIMER_REAL's */
    bool real_due; /* signal_lock: its SIGALRM waits; the next interval starts when that is taken */
    struct list posix;  /* signal_lock: struct posix_timer */
    int next_id;        /* signal_lock: of the next of those */
    unsigned cpu_armed; /* signal_lock: how many timers wait for the process's own CPU time */
};

void proc_timers_init(struct proc *p);
/* P has no threads any more. No lock held; may sleep. */
void proc_timers_exit(struct proc *p);
/* exec: interval timers stay, the others go. No lock held. */
void posix_timers_exec(struct proc *p);

/* What signal/queue.c tells, signal_lock held: a SIGALRM, or the entry of a timer, has left its queue. */
void itimer_taken(struct proc *p);
void posix_timer_taken(struct posix_timer *t);

/*
 * Called by the scheduler's tick, in interrupt context, for the process that it found running: RLIMIT_CPU,
 * and the timers that count CPU time.
 */
void proc_cpu_tick(struct proc *p);
/* P has had TIME of CPU time; part of it. signal_lock held. */
void posix_timers_cpu_tick(struct proc *p, nsec_t time);

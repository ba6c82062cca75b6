/*
 * Timers: call a function at a time. One balanced tree per CPU, ordered by expiry, behind one spinlock;
 * the machine's event timer is armed for the earliest. No periodic tick exists: an idle CPU sleeps until
 * something is due.
 */
#pragma once

#include "lib/tree.h"
#include "lib/types.h"

struct timer {
    struct tree_node node; /* the CPU's timer lock */
    nsec_t expires;        /* the CPU's timer lock: CLOCK_MONOTONIC */
    void (*fn)(
        struct timer
            *t); /* const while armed: called in interrupt context, no lock held; may re-arm */
    int cpu;     /* the CPU's timer lock: whose tree it is (or was last) in */
    bool armed;  /* the CPU's timer lock */
};

void timer_init_subsystem(void);
void timer_init(struct timer *t, void (*fn)(struct timer *));
/* Arm for EXPIRES; moves the timer when it is armed already. Never sleeps. */
void timer_set(struct timer *t, nsec_t expires);
/* Disarm. True when it was armed. Its function may still be running on another CPU. */
bool timer_cancel(struct timer *t);
/* Disarm and wait until the function is not running anywhere: after this the timer may be freed. */
void timer_cancel_sync(struct timer *t);
/* Time left, 0 when not armed. */
nsec_t timer_remaining(const struct timer *t);

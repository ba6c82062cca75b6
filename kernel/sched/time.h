/*
 * Times as calls pass them, turned into the kernel's nanoseconds and back. What does not fit in 63 bits is as good
 * as never.
 */
#pragma once

#include <abi/time.h>

#include "lib/list.h"
#include "lib/types.h"
#include "sched/wait.h"

/* 0, -EFAULT, or -EINVAL for a negative time or nanoseconds out of range. */
int must_check timespec_from_user(const struct timespec __user *user, nsec_t *time);
int must_check timeval_from_user(const struct timeval __user *user, nsec_t *time);
int must_check timespec_to_user(struct timespec __user *user, nsec_t time);

struct timespec timespec_of(nsec_t time);
struct timeval timeval_of(nsec_t time);
/* -EINVAL as above. */
int must_check nsec_of_timespec(const struct timespec *ts, nsec_t *time);
int must_check nsec_of_timeval(const struct timeval *tv, nsec_t *time);

/* Deadlines (CLOCK_MONOTONIC): TIME from now; or TIME on CLOCK_REALTIME or CLOCK_MONOTONIC. */
nsec_t deadline_after(nsec_t time);
nsec_t deadline_at(int clock, nsec_t time);

/*
 * Who computed with CLOCK_REALTIME wants to know when somebody sets it. The function is called after that,
 * by the thread that did it, no spinlock held. Adding and removing may sleep.
 */
struct clock_watch {
    struct list link;                             /* the watches' mutex */
    void (*clock_was_set)(struct clock_watch *w); /* const */
};
void clock_watch_add(struct clock_watch *w);
void clock_watch_remove(struct clock_watch *w); /* it is not being called any more */
void clock_watch_notify(void);                  /* tell all */
void clock_watch_init(void);

/* See time.h. */
#include "sched/time.h"

#include "sched/lock.h"
#include "x86/clock.h"
#include "x86/uaccess.h"

static struct mutex watch_mutex;                 /* RANK_CLOCK_WATCH */
static struct list watches = LIST_INIT(watches); /* watch_mutex */

int nsec_of_timespec(const struct timespec *ts, nsec_t *time)
{
    if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= NSEC_PER_SEC)
        return -EINVAL;
    if (ts->tv_sec >= INT64_MAX / NSEC_PER_SEC)
        *time = INT64_MAX;
    else
        *time = ts->tv_sec * NSEC_PER_SEC + ts->tv_nsec;
    return 0;
}

int timespec_from_user(const struct timespec __user *user, nsec_t *time)
{
    struct timespec ts;

    if (copy_from_user(&ts, user, sizeof(ts)))
        return -EFAULT;
    return nsec_of_timespec(&ts, time);
}

int nsec_of_timeval(const struct timeval *tv, nsec_t *time)
{
    if (tv->tv_usec < 0 || tv->tv_usec >= NSEC_PER_SEC / NSEC_PER_USEC)
        return -EINVAL;
    struct timespec ts = {tv->tv_sec, tv->tv_usec * NSEC_PER_USEC};
    return nsec_of_timespec(&ts, time);
}

int timeval_from_user(const struct timeval __user *user, nsec_t *time)
{
    struct timeval tv;

    if (copy_from_user(&tv, user, sizeof(tv)))
        return -EFAULT;
    return nsec_of_timeval(&tv, time);
}

struct timespec timespec_of(nsec_t time)
{
    return (struct timespec){time / NSEC_PER_SEC, time % NSEC_PER_SEC};
}

struct timeval timeval_of(nsec_t time)
{
    return (struct timeval){time / NSEC_PER_SEC, time % NSEC_PER_SEC / NSEC_PER_USEC};
}

int timespec_to_user(struct timespec __user *user, nsec_t time)
{
    struct timespec ts = timespec_of(time);
    return copy_to_user(user, &ts, sizeof(ts));
}

nsec_t deadline_after(nsec_t time)
{
    nsec_t now = clock_monotonic();
    return time >= DEADLINE_NONE - now ? DEADLINE_NONE : now + time;
}

nsec_t deadline_at(int clock, nsec_t time)
{
    if (time == INT64_MAX)
        return DEADLINE_NONE;
    if (clock == CLOCK_REALTIME)
        time -= clock_realtime_offset();
    return max(time, (nsec_t)0);
}

void clock_watch_init(void)
{
    mutex_init(&watch_mutex, RANK_CLOCK_WATCH, "clock watches");
}

void clock_watch_add(struct clock_watch *w)
{
    mutex_lock(&watch_mutex);
    list_push_back(&watches, &w->link);
    mutex_unlock(&watch_mutex);
}

void clock_watch_remove(struct clock_watch *w)
{
    mutex_lock(&watch_mutex);
    list_remove(&w->link);
    mutex_unlock(&watch_mutex);
}

void clock_watch_notify(void)
{
    struct clock_watch *w;

    mutex_lock(&watch_mutex);
    list_for_each (w, &watches, link)
        w->clock_was_set(w);
    mutex_unlock(&watch_mutex);
}

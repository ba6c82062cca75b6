/*
 * What each user holds of the things that are limited by user, not by process. Callable from interrupt handlers.
 */
#pragma once

#include "lib/types.h"

enum user_thing {
    USER_SIGNALS,    /* queued siginfos and POSIX timers: RLIMIT_SIGPENDING */
    USER_PIPE_PAGES, /* what its pipes may hold: /proc/sys/fs/pipe-user-pages-* */
    USER_MQUEUE_BYTES, /* what its POSIX message queues may hold: RLIMIT_MSGQUEUE */
    USER_INOTIFIES,  /* descriptors of inotify, and their watches: /proc/sys/fs/inotify */
    USER_WATCHES,
    USER_LOCKED_PAGES, /* of System V segments that it has locked: RLIMIT_MEMLOCK */
    USER_THINGS
};

/* N more for UID, unless it would have more than LIMIT then, or there is no memory to count it. */
bool must_check user_count_add(enum user_thing thing, uid_t uid, uint64_t n, uint64_t limit);
void user_count_sub(enum user_thing thing, uid_t uid, uint64_t n);
static inline bool must_check user_count_up(enum user_thing thing, uid_t uid, uint64_t limit)
{
    return user_count_add(thing, uid, 1, limit);
}
static inline void user_count_down(enum user_thing thing, uid_t uid)
{
    user_count_sub(thing, uid, 1);
}
uint64_t user_count(enum user_thing thing, uid_t uid);

/*
 * What each user holds of the things that are limited by user, not by process. Callable from interrupt handlers.
 */
#pragma once

#include "lib/types.h"

enum user_thing {
    USER_SIGNALS, /* queued siginfos and POSIX timers: RLIMIT_SIGPENDING */
    USER_THINGS
};

/* One more for UID, unless it has LIMIT already, or there is no memory to count it. */
bool must_check user_count_up(enum user_thing thing, uid_t uid, uint64_t limit);
void user_count_down(enum user_thing thing, uid_t uid);
unsigned user_count(enum user_thing thing, uid_t uid);

/*
 * Counts by user. They hang in a list of the users that have any, which is short. User 0's stand apart and need
 * no lock: it is asked for most.
 */
#include "proc/users.h"

#include "lib/atomic.h"
#include "lib/list.h"
#include "mm/slab.h"
#include "sched/lock.h"

struct user {
    struct list link;            /* lock */
    uid_t uid;                   /* const */
    uint64_t count[USER_THINGS]; /* lock */
};

static uint64_t root_count[USER_THINGS];     /* atomic: user 0's */
static struct list users = LIST_INIT(users); /* lock: struct user: all others */
static struct spinlock lock = SPINLOCK_INIT(RANK_PROC, "user counts");

static struct user *find(uid_t uid)
{
    struct user *u;

    list_for_each (u, &users, link)
        if (u->uid == uid)
            return u;
    return NULL;
}

static bool has_nothing(const struct user *u)
{
    for (unsigned i = 0; i < USER_THINGS; i++)
        if (u->count[i])
            return false;
    return true;
}

bool user_count_add(enum user_thing thing, uid_t uid, uint64_t n, uint64_t limit)
{
    bool done = false;

    if (likely(uid == 0)) {
        if (likely(atomic_add(&root_count[thing], n) <= limit))
            return true;
        atomic_sub(&root_count[thing], n);
        return false;
    }
    spin_lock(&lock);
    struct user *u = find(uid);
    if (!u && n <= limit && (u = kzalloc(sizeof(*u)))) {
        u->uid = uid;
        list_push_back(&users, &u->link);
    }
    if (u && n <= limit && u->count[thing] <= limit - n) {
        u->count[thing] += n;
        done = true;
    }
    spin_unlock(&lock);
    return done;
}

void user_count_sub(enum user_thing thing, uid_t uid, uint64_t n)
{
    if (likely(uid == 0)) {
        atomic_sub(&root_count[thing], n);
        return;
    }
    spin_lock(&lock);
    struct user *u = find(uid);
    assert(u && u->count[thing] >= n);
    u->count[thing] -= n;
    if (has_nothing(u)) {
        list_remove(&u->link);
        kfree(u);
    }
    spin_unlock(&lock);
}

uint64_t user_count(enum user_thing thing, uid_t uid)
{
    if (uid == 0)
        return READ_ONCE(root_count[thing]);
    spin_lock(&lock);
    const struct user *u = find(uid);
    uint64_t n = u ? u->count[thing] : 0;
    spin_unlock(&lock);
    return n;
}

/*
 * Futexes that are locks and lend priority: FUTEX_LOCK_PI and its relatives.
 *
 * The word says who has the lock: 0, or a thread id, with FUTEX_WAITERS when the kernel is to be asked at
 * the unlocking. Who finds it taken sleeps here, and the owner is lent the highest real-time priority
 * among those who wait for it, so that nobody in between keeps it from giving the lock back. An owner that
 * itself waits for a lock passes what it was lent on, from owner to owner.
 *
 * There is no object for a lock: each waiter knows the owner, each thread has a list of those who wait
 * for it, and the next owner is sought when it is needed, the most urgent first and equals in their order.
 * The lock changes hands in the kernel, so that nobody slips in between: who unlocks writes the next
 * owner's id into the word. Only a dead owner can't; then the heir is woken, stays in the table as
 * INHERITED so that others find it, and writes the word itself.
 *
 * The bucket's lock guards the word and who stands in the table, as in futex.c; pi_spin, taken inside
 * it, the net of who waits for whom. A thread passes everything on before it dies (futex_pass_on), so an
 * owner in the net is alive.
 *
 * FUTEX_WAIT_REQUEUE_PI is a condition variable's wait: a plain sleeper that has said which lock it will
 * want. FUTEX_CMP_REQUEUE_PI gives the lock to the first of them, if it is free, and makes the others
 * waiters of the lock without waking them.
 */
#include <abi/futex.h>

#include "mm/mm.h"
#include "proc/proc.h"
#include "sched/futex.h"
#include "sched/futex_internal.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "x86/uaccess.h"

#define CHAIN_MAX 1024 /* how many owners are followed */

/* What may come of an attempt, beside a count or an errno. */
#define QUEUED 0
#define GOT_IT 1
#define LOOK_AGAIN (-4096) /* the word has changed meanwhile */

static struct spinlock pi_spin = SPINLOCK_INIT(RANK_PI, "priority inheritance");

static uint32_t my_id(void)
{
    return (uint32_t)current->pid->nr;
}

/* --- the net of who waits for whom; pi_spin held ------------------------------------------------------ */

static int highest_of(const struct thread *owner)
{
    struct futex_waiter *w;
    int most = 0;

    list_for_each (w, &owner->pi_waiters, owner_link)
        most = max(most, READ_ONCE(w->thread->prio));
    return most;
}

/* Those who wait for T are others than before, or count for more or less: so may T, and whom it waits for. */
static void lend(struct thread *t)
{
    for (int n = 0; t && n < CHAIN_MAX && sched_lend(t, highest_of(t)); n++)
        t = t->pi_wait ? t->pi_wait->owner : NULL;
}

/* Does T wait for WHOM, over any number of others, or is it that? */
static bool leads_to(const struct thread *t, const struct thread *whom)
{
    for (int n = 0; n < CHAIN_MAX; n++) {
        if (t == whom)
            return true;
        if (!t->pi_wait || !t->pi_wait->owner)
            return false;
        t = t->pi_wait->owner;
    }
    return true;
}

static void set_owner(struct futex_waiter *w, struct thread *owner)
{
    if (w->owner)
        list_remove(&w->owner_link);
    w->owner = owner;
    if (owner)
        list_push_back(&owner->pi_waiters, &w->owner_link);
}

void futex_priority_changed(struct thread *t)
{
    if (!READ_ONCE(t->pi_wait))
        return;
    spin_lock(&pi_spin);
    if (t->pi_wait && t->pi_wait->owner)
        lend(t->pi_wait->owner);
    spin_unlock(&pi_spin);
}

/* --- one lock; its bucket and pi_spin held ------------------------------------------------------------- */

static struct futex_waiter *first_waiter(struct futex_bucket *b, const struct futex_key *key)
{
    struct futex_waiter *w;

    list_for_each (w, &b->waiters, link)
        if (futex_key_equal(&w->key, key))
            return w;
    return NULL;
}

/* Who gets the lock next; NULL: nobody waits. */
static struct futex_waiter *most_urgent(struct futex_bucket *b, const struct futex_key *key)
{
    struct futex_waiter *w, *best = NULL;

    list_for_each (w, &b->waiters, link)
        if (w->kind == FUTEX_LOCK && futex_key_equal(&w->key, key) &&
            (!best || READ_ONCE(w->thread->prio) > READ_ONCE(best->thread->prio)))
            best = w;
    return best;
}

/* HEIR has the lock that OLD had: all others who wait for it wait for HEIR's thread. */
static void transfer(struct futex_bucket *b, struct futex_waiter *heir, struct thread *old)
{
    struct futex_waiter *w;

    set_owner(heir, NULL);
    heir->thread->pi_wait = NULL;
    list_for_each (w, &b->waiters, link)
        if (w != heir && w->kind == FUTEX_LOCK && futex_key_equal(&w->key, &heir->key))
            set_owner(w, heir->thread);
    lend(old);
    lend(heir->thread);
}

/* The one who has inherited the lock and has not said so in the word. */
static struct futex_waiter *find_heir(struct futex_bucket *b, const struct futex_key *key)
{
    struct futex_waiter *w;

    list_for_each (w, &b->waiters, link)
        if (w->inherited && futex_key_equal(&w->key, key))
            return w;
    return NULL;
}

/* W's thread begins to wait for OWNER. -EDEADLK when that waits for it. */
static int wait_for(struct futex_waiter *w, struct thread *owner)
{
    if (leads_to(owner, w->thread))
        return -EDEADLK;
    set_owner(w, owner);
    w->thread->pi_wait = w;
    lend(owner);
    return QUEUED;
}

static int change(uint32_t __user *word, uint32_t old, uint32_t new)
{
    uint32_t seen;
    int error = cmpxchg_user_u32(word, old, new, &seen);

    return error ? error : seen == old ? 0 : LOOK_AGAIN;
}

/*
 * Whom does one wait for who wants the lock at WORD, which holds VALUE? *OWNER; NULL, and the word is
 * ours to take: nobody. NAMED is the thread whose id VALUE has.
 */
static int find_owner(struct futex_bucket *b, const struct futex_key *key, uint32_t __user *word,
                      uint32_t value, struct thread *named, struct thread **owner)
{
    struct futex_waiter *first = first_waiter(b, key);
    uint32_t id = value & FUTEX_TID_MASK;
    int error;

    *owner = NULL;
    if (first) {
        if (first->kind != FUTEX_LOCK)
            return -EINVAL;
        struct futex_waiter *heir = find_heir(b, key);
        *owner = heir ? heir->thread : first->owner;
        if (!heir && id != (uint32_t)(*owner)->pid->nr && (id || !(value & FUTEX_OWNER_DIED)))
            return -EINVAL;
        return value & FUTEX_WAITERS ? 0 : change(word, value, value | FUTEX_WAITERS);
    }
    if (!id)
        return 0;
    if ((error = change(word, value, value | FUTEX_WAITERS)))
        return error;
    if (!named || named->pi_dead)
        return -ESRCH;
    *owner = named;
    return named->proc ? 0 : -EPERM;
}

/* --- locking ---------------------------------------------------------------------------------------- */

/* One attempt, with W's bucket and pi_spin held: an outcome or an error. */
static int take_or_queue(struct futex_waiter *w, uint32_t __user *word, uint32_t value,
                         struct thread *named, bool try)
{
    struct thread *owner;
    uint32_t seen;

    int error = load_user_u32_nofault(&seen, word);
    if (error || seen != value)
        return error ? error : LOOK_AGAIN;
    if ((value & FUTEX_TID_MASK) == my_id())
        return -EDEADLK;
    error = find_owner(w->bucket, &w->key, word, value, named, &owner);
    if (error)
        return error;
    if (!owner) {
        error = change(word, value, (value & FUTEX_OWNER_DIED) | my_id());
        return error ? error : GOT_IT;
    }
    if (try)
        return -EAGAIN;
    error = wait_for(w, owner);
    if (!error)
        list_push_back(&w->bucket->waiters, &w->link);
    return error;
}

/* Attempts until one tells: GOT_IT, QUEUED, or an error. */
static int take(struct futex_waiter *w, uint32_t __user *word, bool try)
{
    for (;;) {
        uint32_t value;
        int error = get_user(value, word);
        if (error)
            return error;
        uint32_t id = value & FUTEX_TID_MASK;
        struct thread *named = id ? thread_find((pid_t)id) : NULL;

        spin_lock(&w->bucket->lock);
        spin_lock(&pi_spin);
        int result = take_or_queue(w, word, value, named, try);
        spin_unlock(&pi_spin);
        spin_unlock(&w->bucket->lock);
        if (named)
            thread_put(named);
        if (result == -EFAULT && (error = user_fault_in(word, true)))
            return error;
        if (result != -EFAULT && result != LOOK_AGAIN)
            return result;
        if (fatal_pending(current))
            return -ERESTARTNOINTR;
    }
}

/* FROM has the lock no more and can't say so in the word: the next one will. Both locks held. */
static void pass_to_next(struct futex_bucket *b, const struct futex_key *key, struct thread *from)
{
    struct futex_waiter *heir = most_urgent(b, key);

    if (!heir)
        return;
    heir->inherited = true;
    transfer(b, heir, from);
    futex_waiter_wake(heir);
}

/* W has inherited the lock: say so in the word. On an error it is the next one's. */
static int take_inheritance(struct futex_waiter *w, uint32_t __user *word)
{
    struct futex_bucket *b = w->bucket;
    int error = LOOK_AGAIN;
    uint32_t value;

    for (;;) {
        spin_lock(&b->lock);
        while (error == LOOK_AGAIN && !(error = load_user_u32_nofault(&value, word)))
            error = change(word, value, FUTEX_WAITERS | FUTEX_OWNER_DIED | my_id());
        if (error != -EFAULT)
            break;
        spin_unlock(&b->lock);
        error = user_fault_in(word, true);
        if (error) {
            spin_lock(&b->lock);
            break;
        }
        error = LOOK_AGAIN;
    }
    list_remove(&w->link);
    if (error) {
        spin_lock(&pi_spin);
        pass_to_next(b, &w->key, current);
        spin_unlock(&pi_spin);
    }
    spin_unlock(&b->lock);
    return error;
}

/* W's sleep is over with ERROR: has it got the lock? 0, or why not. It is off the table then. */
static int waiter_finish(struct futex_waiter *w, uint32_t __user *word, int error)
{
    struct futex_bucket *b = futex_waiter_lock(w);

    if (w->inherited) {
        spin_unlock(&b->lock);
        return take_inheritance(w, word);
    }
    if (w->locked) {
        error = 0;
    } else {
        struct thread *owner = w->owner;
        list_remove(&w->link);
        spin_lock(&pi_spin);
        set_owner(w, NULL);
        w->thread->pi_wait = NULL;
        if (owner)
            lend(owner);
        spin_unlock(&pi_spin);
    }
    spin_unlock(&b->lock);
    return error;
}

long futex_lock(uint32_t __user *word, bool shared, nsec_t deadline, bool try)
{
    struct futex_waiter w = {.thread = current, .kind = FUTEX_LOCK};
    int error = futex_key_get(&w.key, word, shared);

    if (error)
        return error;
    w.bucket = futex_bucket_of(&w.key);
    int result = take(&w, word, try);
    if (result == QUEUED) {
        result = wait_flag(&w.woken, deadline, WAIT_INTERRUPTIBLE);
        result = waiter_finish(&w, word, result);
        if (result == -ERESTARTSYS)
            result = -ERESTARTNOINTR; /* the time is absolute, so nothing is lost */
    } else if (result == GOT_IT) {
        result = 0;
    }
    futex_key_put(&w.key);
    return result;
}

/* --- unlocking -------------------------------------------------------------------------------------- */

/* One attempt. The bucket and pi_spin are held. */
static int give_back(struct futex_bucket *b, const struct futex_key *key, uint32_t __user *word,
                     uint32_t value)
{
    struct futex_waiter *first = first_waiter(b, key);

    if (!first)
        return change(word, value, 0);
    struct futex_waiter *heir = most_urgent(b, key);
    if (first->kind != FUTEX_LOCK || heir->owner != current)
        return -EINVAL;
    int error = change(word, value, FUTEX_WAITERS | (uint32_t)heir->thread->pid->nr);
    if (error)
        return error;
    list_remove(&heir->link);
    heir->locked = true;
    transfer(b, heir, current);
    futex_waiter_wake(heir);
    return 0;
}

long futex_unlock(uint32_t __user *word, bool shared)
{
    struct futex_key key;
    uint32_t value;
    int error = get_user(value, word);

    if (!error && (value & FUTEX_TID_MASK) != my_id())
        error = -EPERM;
    if (!error)
        error = futex_key_get(&key, word, shared);
    if (error)
        return error;
    struct futex_bucket *b = futex_bucket_of(&key);
    for (;;) {
        spin_lock(&b->lock);
        spin_lock(&pi_spin);
        error = give_back(b, &key, word, value);
        spin_unlock(&pi_spin);
        spin_unlock(&b->lock);
        if (error == -EFAULT && (error = user_fault_in(word, true)))
            break;
        if (error == LOOK_AGAIN)
            error = get_user(value, word);
        else if (!error)
            break;
        if (!error && (value & FUTEX_TID_MASK) != my_id())
            error = -EPERM;
        if (error)
            break;
    }
    futex_key_put(&key);
    return error;
}

/* The most urgent of those who wait for anything of ours, and its bucket, locked with pi_spin inside; NULL. */
static struct futex_bucket *lock_first_heir(bool dying)
{
    struct thread *t = current;

    for (;;) {
        spin_lock(&pi_spin);
        struct futex_waiter *w = list_first(&t->pi_waiters, struct futex_waiter, owner_link);
        struct futex_bucket *b = w ? w->bucket : NULL;
        if (!w)
            t->pi_dead = dying;
        spin_unlock(&pi_spin);
        if (!w)
            return NULL;
        spin_lock(&b->lock);
        spin_lock(&pi_spin);
        w = list_first(&t->pi_waiters, struct futex_waiter, owner_link);
        if (w && w->bucket == b)
            return b;
        spin_unlock(&pi_spin);
        spin_unlock(&b->lock);
    }
}

void futex_pass_on(bool dying)
{
    struct futex_bucket *b;

    while ((b = lock_first_heir(dying))) {
        struct futex_waiter *w = list_first(&current->pi_waiters, struct futex_waiter, owner_link);
        struct futex_key key = w->key;
        pass_to_next(b, &key, current);
        spin_unlock(&pi_spin);
        spin_unlock(&b->lock);
    }
}

/* --- from a condition to a lock ----------------------------------------------------------------------- */

/* The signal or the end of the time found W where ERROR says: never moved, or already at the lock. */
static int moving_error(bool moved, int error)
{
    if (error != -ERESTARTSYS)
        return error;
    return moved ? -EAGAIN : -ERESTARTNOINTR; /* the condition may hold: the caller must look */
}

long futex_wait_moving(uint32_t __user *word, bool shared, uint32_t value, nsec_t deadline,
                       uint32_t __user *lock)
{
    struct futex_waiter w = {.thread = current, .kind = FUTEX_MOVING};
    struct futex_key target;

    if (word == lock)
        return -EINVAL;
    int error = futex_key_get(&target, lock, shared);
    if (error)
        return error;
    w.target = &target;
    error = futex_key_get(&w.key, word, shared);
    if (error)
        goto out;
    if (futex_key_equal(&w.key, &target))
        error = -EINVAL;
    else
        error = futex_waiter_queue(&w, word, value);
    if (!error) {
        error = wait_flag(&w.woken, deadline, WAIT_INTERRUPTIBLE);
        error = waiter_finish(&w, lock, error);
        if (error)
            error = moving_error(w.kind == FUTEX_LOCK, error);
    }
    futex_key_put(&w.key);
out:
    futex_key_put(&target);
    return error;
}

/* What FUTEX_CMP_REQUEUE_PI works on. */
struct move {
    struct futex_key key, target;
    struct futex_bucket *from, *to;
    uint32_t __user *word, *lock;
    uint32_t expected;
    int max; /* how many are moved, the one who may get the lock included */
};

/* The lock is free: it is W's. All locks held. */
static int give_to(struct move *m, struct futex_waiter *w, uint32_t value)
{
    uint32_t flags = (value & FUTEX_OWNER_DIED) | (m->max > 1 ? FUTEX_WAITERS : 0);
    int error = change(m->lock, value, flags | (uint32_t)w->thread->pid->nr);

    if (error)
        return error;
    list_remove(&w->link);
    futex_waiter_move(w, m->to, &m->target);
    list_remove(&w->link);
    w->kind = FUTEX_LOCK;
    w->locked = true;
    futex_waiter_wake(w);
    return 0;
}

/* Move them, from the first on; how many, or an error. All locks held; OWNER has the lock. */
static int move_all(struct move *m, struct thread *owner, int count)
{
    struct futex_waiter *w, *next;

    list_for_each_safe (w, next, &m->from->waiters, link) {
        if (count >= m->max)
            break;
        if (!futex_key_equal(&w->key, &m->key))
            continue;
        if (w->kind != FUTEX_MOVING || !futex_key_equal(w->target, &m->target))
            return -EINVAL;
        if (wait_for(w, owner))
            return -EDEADLK;
        list_remove(&w->link);
        futex_waiter_move(w, m->to, &m->target);
        w->kind = FUTEX_LOCK;
        count++;
    }
    return count;
}

/* One attempt. VALUE is what the lock's word held, NAMED the thread of that id. */
static int move_locked(struct move *m, uint32_t value, struct thread *named)
{
    uint32_t seen;
    struct thread *owner;

    int error = load_user_u32_nofault(&seen, m->word);
    if (!error && seen != m->expected)
        return -EAGAIN;
    struct futex_waiter *first = first_waiter(m->from, &m->key);
    if (error || !first)
        return error;
    if (first->kind != FUTEX_MOVING || !futex_key_equal(first->target, &m->target))
        return -EINVAL;
    if ((error = load_user_u32_nofault(&seen, m->lock)) || seen != value)
        return error ? error : LOOK_AGAIN;
    if ((value & FUTEX_TID_MASK) == (uint32_t)first->thread->pid->nr)
        return -EDEADLK;
    error = find_owner(m->to, &m->target, m->lock, value, named, &owner);
    if (error || owner)
        return error ? error : move_all(m, owner, 0);
    owner = first->thread;
    error = give_to(m, first, value);
    return error ? error : move_all(m, owner, 1);
}

static int move_until_done(struct move *m)
{
    for (;;) {
        uint32_t value;
        int error = get_user(value, m->lock);
        if (error)
            return error;
        uint32_t id = value & FUTEX_TID_MASK;
        struct thread *named = id ? thread_find((pid_t)id) : NULL;

        futex_lock_two(m->from, m->to);
        spin_lock(&pi_spin);
        int result = move_locked(m, value, named);
        spin_unlock(&pi_spin);
        futex_unlock_two(m->from, m->to);
        if (named)
            thread_put(named);
        if (result == -EFAULT && !(error = user_fault_in(m->word, false)))
            error = user_fault_in(m->lock, true);
        if (error || (result != -EFAULT && result != LOOK_AGAIN))
            return error ? error : result;
        if (fatal_pending(current))
            return -EINTR;
    }
}

long futex_move(uint32_t __user *word, uint32_t __user *lock, bool shared, int max_wake,
                int max_move, uint32_t expected)
{
    struct move m = {.word = word, .lock = lock, .expected = expected};

    /* More than one can't get the lock at once. */
    if (max_wake != 1 || max_move < 0 || word == lock)
        return -EINVAL;
    m.max = max_move == INT32_MAX ? max_move : max_move + 1;
    int result = futex_key_get(&m.key, word, shared);
    if (result)
        return result;
    result = futex_key_get(&m.target, lock, shared);
    if (!result) {
        m.from = futex_bucket_of(&m.key);
        m.to = futex_bucket_of(&m.target);
        result = futex_key_equal(&m.key, &m.target) ? -EINVAL : move_until_done(&m);
        futex_key_put(&m.target);
    }
    futex_key_put(&m.key);
    return result;
}

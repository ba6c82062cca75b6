/*
 * futex(2): sleep while a word of user memory holds a value, and wake those who do. User programs build
 * their locks on it: all that needs no waiting happens in user memory, the kernel keeps only the sleepers.
 *
 * Sleepers stand in a hash table under the name of the word: (address space, address) for memory that is
 * private to the address space, (object, offset) for memory that others may have mapped elsewhere. The
 * word is compared under the bucket's lock, which wakers take too: who changes the word and then wakes
 * either finds the sleeper in the bucket, or the sleeper finds the word changed.
 *
 * A waiter lies on its thread's stack and is touched by wakers only under its bucket's lock; so before it
 * goes away the thread takes that lock once more. A requeue moves it to another bucket, with both locked.
 * A page that isn't there can't be brought in under a spinlock: the lock is dropped, the page made, and all
 * begins anew.
 */
#include "sched/futex.h"

#include <abi/futex.h>
#include <abi/time.h>

#include "mm/mm.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "sched/futex_internal.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "signal/signal.h"
#include "x86/clock.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

#define FUTEX_BUCKETS 256
static struct futex_bucket buckets[FUTEX_BUCKETS];

void futex_init(void)
{
    for (int i = 0; i < FUTEX_BUCKETS; i++) {
        spin_init(&buckets[i].lock, RANK_FUTEX, "futex");
        list_init(&buckets[i].waiters);
    }
}

/* --- names ---------------------------------------------------------------------------------------- */

/* The name of the word at ADDR. SHARED: it may be in memory that other address spaces map. */
int futex_key_get(struct futex_key *key, const uint32_t __user *word, bool shared)
{
    uintptr_t addr = (uintptr_t)word;
    struct mm *mm = current->mm;

    if (addr % sizeof(uint32_t))
        return -EINVAL;
    if (!user_range_ok(word, sizeof(uint32_t)))
        return -EFAULT;
    *key = (struct futex_key){.space = mm, .offset = addr};
    if (!shared)
        return 0;
    uint64_t offset;
    int error = mm_shared_key(mm, addr, &key->object, &offset);
    if (!error && key->object) {
        key->space = key->object;
        key->offset = offset;
    }
    return error;
}

void futex_key_put(struct futex_key *key)
{
    if (key->object)
        vmobject_put(key->object);
}

struct futex_bucket *futex_bucket_of(const struct futex_key *key)
{
    uint64_t h = ((uintptr_t)key->space >> 4 ^ key->offset >> 2) * 0x9e3779b97f4a7c15ULL;
    return &buckets[h >> 56];
}
_Static_assert(FUTEX_BUCKETS == 256, "futex_bucket_of() takes the top 8 bits");

void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
    spin_lock(a < b ? &a->lock : &b->lock);
    if (a != b)
        spin_lock_nested(a < b ? &b->lock : &a->lock);
}

void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
    spin_unlock(&a->lock);
    if (a != b)
        spin_unlock(&b->lock);
}

/* --- waking --------------------------------------------------------------------------------------- */

void futex_waiter_wake(struct futex_waiter *w)
{
    atomic_store(&w->woken, true);
    sched_wake(w->thread, WAKE_EVENT);
}

/*
 * Wake up to MAX of those who wait for KEY and share a bit with BITSET; how many. -EINVAL at one who
 * waits for a lock: it is given, not woken for. B is locked.
 */
static int wake_some(struct futex_bucket *b, const struct futex_key *key, int max, uint32_t bitset)
{
    struct futex_waiter *w, *next;
    int woken = 0;

    list_for_each_safe (w, next, &b->waiters, link) {
        if (!futex_key_equal(&w->key, key))
            continue;
        if (w->kind != FUTEX_PLAIN)
            return -EINVAL;
        if (!(w->bitset & bitset))
            continue;
        list_remove(&w->link);
        futex_waiter_wake(w);
        if (++woken >= max)
            break;
    }
    return woken;
}

static long futex_wake(uint32_t __user *word, bool shared, int max, uint32_t bitset)
{
    struct futex_key key;

    if (!bitset)
        return -EINVAL;
    int error = futex_key_get(&key, word, shared);
    if (error)
        return error;
    struct futex_bucket *b = futex_bucket_of(&key);
    spin_lock(&b->lock);
    int woken = wake_some(b, &key, max, bitset);
    spin_unlock(&b->lock);
    futex_key_put(&key);
    return woken;
}

/* --- waiting -------------------------------------------------------------------------------------- */

int futex_waiter_queue(struct futex_waiter *w, const uint32_t __user *word, uint32_t value)
{
    struct futex_bucket *b = futex_bucket_of(&w->key);
    uint32_t seen;

    w->bucket = b;
    for (;;) {
        spin_lock(&b->lock);
        int error = load_user_u32_nofault(&seen, word);
        if (!error && seen == value)
            break;
        spin_unlock(&b->lock);
        if (!error)
            return -EAGAIN;
        if ((error = user_fault_in(word, false)))
            return error;
    }
    list_push_back(&b->waiters, &w->link);
    spin_unlock(&b->lock);
    return 0;
}

struct futex_bucket *futex_waiter_lock(struct futex_waiter *w)
{
    for (;;) {
        struct futex_bucket *b = READ_ONCE(w->bucket);
        spin_lock(&b->lock);
        if (likely(b == w->bucket))
            return b;
        spin_unlock(&b->lock);
    }
}

/* Leave the table. True when W had been woken. */
static bool waiter_leave(struct futex_waiter *w)
{
    struct futex_bucket *b = futex_waiter_lock(w);

    if (!w->woken)
        list_remove(&w->link);
    spin_unlock(&b->lock);
    return w->woken;
}

static long futex_wait_restart(struct restart_block *rb);

static long futex_wait(uint32_t __user *word, bool shared, uint32_t value, nsec_t deadline,
                       uint32_t bitset)
{
    struct futex_waiter w = {.thread = current, .bitset = bitset};

    if (!bitset)
        return -EINVAL;
    int error = futex_key_get(&w.key, word, shared);
    if (error)
        return error;
    error = futex_waiter_queue(&w, word, value);
    if (!error) {
        error = wait_flag(&w.woken, deadline, WAIT_INTERRUPTIBLE);
        if (waiter_leave(&w))
            error = 0;
    }
    futex_key_put(&w.key);
    if (error != -ERESTARTSYS || deadline == DEADLINE_NONE)
        return error;
    current->restart = (struct restart_block){
        .fn = futex_wait_restart,
        .deadline = deadline,
        .arg = {(uintptr_t)word, shared, value, bitset},
    };
    return -ERESTART_RESTARTBLOCK;
}

static long futex_wait_restart(struct restart_block *rb)
{
    return futex_wait((uint32_t __user *)rb->arg[0], rb->arg[1], (uint32_t)rb->arg[2], rb->deadline,
                      (uint32_t)rb->arg[3]);
}

/* --- two words at once ------------------------------------------------------------------------------ */

void futex_waiter_move(struct futex_waiter *w, struct futex_bucket *to, const struct futex_key *key)
{
    /* The reference moves with the name; the old one can't be the last while our caller has its own. */
    if (key->object)
        vmobject_get(key->object);
    if (w->key.object)
        vmobject_put(w->key.object);
    w->key = *key;
    WRITE_ONCE(w->bucket, to);
    list_push_back(&to->waiters, &w->link);
}

/* Move up to MAX waiters from one name to another; how many, or -EINVAL. Both buckets are locked. */
static int requeue_some(struct futex_bucket *from, const struct futex_key *key,
                        struct futex_bucket *to, const struct futex_key *to_key, int max)
{
    struct futex_waiter *w, *next;
    struct list moved = LIST_INIT(moved);
    int count = 0;

    list_for_each_safe (w, next, &from->waiters, link) {
        if (count >= max)
            break;
        if (!futex_key_equal(&w->key, key))
            continue;
        if (w->kind != FUTEX_PLAIN) {
            count = -EINVAL;
            break;
        }
        list_remove(&w->link);
        list_push_back(&moved, &w->link);
        count++;
    }
    list_for_each_safe (w, next, &moved, link) {
        list_remove(&w->link);
        futex_waiter_move(w, to, to_key);
    }
    return count;
}

/* FUTEX_REQUEUE; with EXPECTED, FUTEX_CMP_REQUEUE. Yields how many were woken or moved. */
static long futex_requeue(uint32_t __user *word, uint32_t __user *word2, bool shared, int max_wake,
                          int max_move, const uint32_t *expected)
{
    struct futex_key key, key2;
    uint32_t seen;

    if (max_wake < 0 || max_move < 0)
        return -EINVAL;
    long result = futex_key_get(&key, word, shared);
    if (result)
        return result;
    result = futex_key_get(&key2, word2, shared);
    if (result)
        goto out;
    struct futex_bucket *b = futex_bucket_of(&key), *b2 = futex_bucket_of(&key2);
    for (;;) {
        futex_lock_two(b, b2);
        if (!expected || !(result = load_user_u32_nofault(&seen, word)))
            break;
        futex_unlock_two(b, b2);
        if ((result = user_fault_in(word, false)))
            goto out_both;
    }
    if (expected && seen != *expected) {
        result = -EAGAIN;
    } else {
        int woken = max_wake ? wake_some(b, &key, max_wake, FUTEX_BITSET_MATCH_ANY) : 0;
        int moved = woken < 0 ? woken : requeue_some(b, &key, b2, &key2, max_move);
        result = moved < 0 ? moved : woken + moved;
    }
    futex_unlock_two(b, b2);
out_both:
    futex_key_put(&key2);
out:
    futex_key_put(&key);
    return result;
}

static int sign_extend_12(uint32_t v)
{
    return (int)(v << 20) >> 20;
}

static uint32_t apply_op(unsigned op, uint32_t old, uint32_t arg)
{
    switch (op) {
    case FUTEX_OP_SET: return arg;
    case FUTEX_OP_ADD: return old + arg;
    case FUTEX_OP_OR: return old | arg;
    case FUTEX_OP_ANDN: return old & ~arg;
    default: /* FUTEX_OP_XOR: the caller has checked */ return old ^ arg;
    }
}

static bool compare_op(unsigned cmp, int old, int arg)
{
    switch (cmp) {
    case FUTEX_OP_CMP_EQ: return old == arg;
    case FUTEX_OP_CMP_NE: return old != arg;
    case FUTEX_OP_CMP_LT: return old < arg;
    case FUTEX_OP_CMP_LE: return old <= arg;
    case FUTEX_OP_CMP_GT: return old > arg;
    default: /* FUTEX_OP_CMP_GE */ return old >= arg;
    }
}

/* Change *WORD as ENCODED says, in one step; *OLD is what was there. Never sleeps: -EFAULT. */
static int change_word(uint32_t __user *word, uint32_t encoded, uint32_t *old)
{
    unsigned op = encoded >> 28;
    uint32_t arg = (uint32_t)sign_extend_12(encoded >> 12);
    uint32_t seen;

    if (op & FUTEX_OP_OPARG_SHIFT)
        arg = 1u << (arg & 31);
    int error = load_user_u32_nofault(old, word);
    while (!error) {
        error = cmpxchg_user_u32(word, *old, apply_op(op & 7, *old, arg), &seen);
        if (error || seen == *old)
            break;
        *old = seen;
    }
    return error;
}

/* Wake waiters of WORD, and those of WORD2 if what WORD2 held before the change passes the comparison. */
static long futex_wake_op(uint32_t __user *word, uint32_t __user *word2, bool shared, int max,
                          int max2, uint32_t encoded)
{
    struct futex_key key, key2;
    uint32_t old;

    if ((encoded >> 28 & 7) > FUTEX_OP_XOR || (encoded >> 24 & 15) > FUTEX_OP_CMP_GE)
        return -ENOSYS;
    long result = futex_key_get(&key, word, shared);
    if (result)
        return result;
    result = futex_key_get(&key2, word2, shared);
    if (result)
        goto out;
    struct futex_bucket *b = futex_bucket_of(&key), *b2 = futex_bucket_of(&key2);
    for (;;) {
        futex_lock_two(b, b2);
        if (!(result = change_word(word2, encoded, &old)))
            break;
        futex_unlock_two(b, b2);
        if ((result = user_fault_in(word2, true)))
            goto out_both;
    }
    result = wake_some(b, &key, max, FUTEX_BITSET_MATCH_ANY);
    if (result >= 0 && compare_op(encoded >> 24 & 15, (int)old, sign_extend_12(encoded))) {
        int more = wake_some(b2, &key2, max2, FUTEX_BITSET_MATCH_ANY);
        result = more < 0 ? more : result + more;
    }
    futex_unlock_two(b, b2);
out_both:
    futex_key_put(&key2);
out:
    futex_key_put(&key);
    return result;
}

/* --- calls ---------------------------------------------------------------------------------------- */

/* The time argument of the waiting operations as a deadline. */
static int futex_deadline(int op, unsigned long timeout, nsec_t *deadline)
{
    nsec_t time;

    *deadline = DEADLINE_NONE;
    if (!timeout)
        return 0;
    int error = timespec_from_user((const struct timespec __user *)timeout, &time);
    if (error)
        return error;
    int cmd = op & FUTEX_CMD_MASK;
    bool real = op & FUTEX_CLOCK_REALTIME || cmd == FUTEX_LOCK_PI;
    *deadline = cmd == FUTEX_WAIT ? deadline_after(time)
                                  : deadline_at(real ? CLOCK_REALTIME : CLOCK_MONOTONIC, time);
    return 0;
}

/* The operations that wait, and so have a time. */
static long futex_timed(uint32_t __user *word, int op, uint32_t value, unsigned long timeout,
                        uint32_t __user *word2, uint32_t bitset)
{
    bool shared = !(op & FUTEX_PRIVATE_FLAG);
    nsec_t deadline;
    int error = futex_deadline(op, timeout, &deadline);

    if (error)
        return error;
    switch (op & FUTEX_CMD_MASK) {
    case FUTEX_WAIT: return futex_wait(word, shared, value, deadline, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAIT_BITSET: return futex_wait(word, shared, value, deadline, bitset);
    case FUTEX_WAIT_REQUEUE_PI: return futex_wait_moving(word, shared, value, deadline, word2);
    default: return futex_lock(word, shared, deadline, false);
    }
}

/* These alone may say which clock they mean. */
static bool has_clock(int cmd)
{
    return cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_WAIT_REQUEUE_PI || cmd == FUTEX_LOCK_PI2;
}

long sys_futex(uint32_t __user *uaddr, int op, uint32_t val, unsigned long timeout,
               uint32_t __user *uaddr2, uint32_t val3)
{
    int cmd = op & FUTEX_CMD_MASK;
    bool shared = !(op & FUTEX_PRIVATE_FLAG);
    int val2 = (int)timeout;

    if (op & FUTEX_CLOCK_REALTIME && !has_clock(cmd))
        return -ENOSYS;
    switch (cmd) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAIT_REQUEUE_PI:
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2: return futex_timed(uaddr, op, val, timeout, uaddr2, val3);
    case FUTEX_WAKE: return futex_wake(uaddr, shared, (int)val, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAKE_BITSET: return futex_wake(uaddr, shared, (int)val, val3);
    case FUTEX_REQUEUE: return futex_requeue(uaddr, uaddr2, shared, (int)val, val2, NULL);
    case FUTEX_CMP_REQUEUE: return futex_requeue(uaddr, uaddr2, shared, (int)val, val2, &val3);
    case FUTEX_WAKE_OP: return futex_wake_op(uaddr, uaddr2, shared, (int)val, val2, val3);
    case FUTEX_TRYLOCK_PI: return futex_lock(uaddr, shared, DEADLINE_NONE, true);
    case FUTEX_UNLOCK_PI: return futex_unlock(uaddr, shared);
    case FUTEX_CMP_REQUEUE_PI: return futex_move(uaddr, uaddr2, shared, (int)val, val2, val3);
    default: return -ENOSYS; /* FUTEX_FD, which lost wakeups, among them */
    }
}

long sys_set_robust_list(struct robust_list_head __user *head, size_t len)
{
    if (len != sizeof(struct robust_list_head))
        return -EINVAL;
    current->robust_list = head;
    current->robust_list_len = len;
    return 0;
}

long sys_get_robust_list(pid_t pid, struct robust_list_head __user *__user *head,
                         size_t __user *len)
{
    struct robust_list_head __user *list = current->robust_list;

    if (pid) {
        struct thread *t = thread_find(pid);
        if (!t)
            return -ESRCH;
        bool allowed = t->proc && proc_may_inspect(t->proc);
        list = t->robust_list;
        thread_put(t);
        if (!allowed)
            return -EPERM;
    }
    int error = put_user(sizeof(struct robust_list_head), len);
    return error ? error : put_user(list, head);
}

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
#include "sched/sched.h"
#include "sched/time.h"
#include "signal/signal.h"
#include "x86/clock.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

struct futex_key {
    const void *space;       /* struct mm, or a struct vmobject to which a reference is held */
    uint64_t offset;         /* the address, or the offset in the object */
    struct vmobject *object; /* the reference; NULL for private memory */
};

struct futex_bucket {
    struct spinlock lock; /* RANK_FUTEX */
    struct list waiters;  /* lock: struct futex_waiter */
};

struct futex_waiter {
    struct list link;            /* bucket->lock */
    struct futex_key key;        /* bucket->lock: a requeue changes it */
    struct futex_bucket *bucket; /* bucket->lock; the waiter itself reads it to find the lock */
    struct thread *thread;       /* const */
    uint32_t bitset;             /* const */
    bool woken;                  /* atomic; set under bucket->lock */
};

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
static int key_get(struct futex_key *key, const uint32_t __user *word, bool shared)
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

static void key_put(struct futex_key *key)
{
    if (key->object)
        vmobject_put(key->object);
}

static bool key_equal(const struct futex_key *a, const struct futex_key *b)
{
    return a->space == b->space && a->offset == b->offset;
}

static struct futex_bucket *bucket_of(const struct futex_key *key)
{
    uint64_t h = ((uintptr_t)key->space >> 4 ^ key->offset >> 2) * 0x9e3779b97f4a7c15ULL;
    return &buckets[h >> 56];
}
_Static_assert(FUTEX_BUCKETS == 256, "bucket_of() takes the top 8 bits");

static void lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
    spin_lock(a < b ? &a->lock : &b->lock);
    if (a != b)
        spin_lock_nested(a < b ? &b->lock : &a->lock);
}

static void unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
    spin_unlock(&a->lock);
    if (a != b)
        spin_unlock(&b->lock);
}

/* --- waking --------------------------------------------------------------------------------------- */

/* W's bucket is locked. After this W's thread may return and W be gone as soon as the lock is free. */
static void waiter_wake(struct futex_waiter *w)
{
    list_remove(&w->link);
    atomic_store(&w->woken, true);
    sched_wake(w->thread, WAKE_EVENT);
}

/* Wake up to MAX of those who wait for KEY and share a bit with BITSET; how many. B is locked. */
static int wake_some(struct futex_bucket *b, const struct futex_key *key, int max, uint32_t bitset)
{
    struct futex_waiter *w, *next;
    int woken = 0;

    list_for_each_safe (w, next, &b->waiters, link) {
        if (!key_equal(&w->key, key) || !(w->bitset & bitset))
            continue;
        waiter_wake(w);
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
    int error = key_get(&key, word, shared);
    if (error)
        return error;
    struct futex_bucket *b = bucket_of(&key);
    spin_lock(&b->lock);
    int woken = wake_some(b, &key, max, bitset);
    spin_unlock(&b->lock);
    key_put(&key);
    return woken;
}

/* --- waiting -------------------------------------------------------------------------------------- */

/* Queue W if *WORD still is VALUE. -EAGAIN when it isn't. */
static int waiter_queue(struct futex_waiter *w, const uint32_t __user *word, uint32_t value)
{
    struct futex_bucket *b = bucket_of(&w->key);
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

/* Leave the table. True when W had been woken. */
static bool waiter_leave(struct futex_waiter *w)
{
    for (;;) {
        struct futex_bucket *b = READ_ONCE(w->bucket);
        spin_lock(&b->lock);
        if (likely(b == w->bucket))
            break;
        spin_unlock(&b->lock);
    }
    if (!w->woken)
        list_remove(&w->link);
    spin_unlock(&w->bucket->lock);
    return w->woken;
}

static long futex_wait_restart(struct restart_block *rb);

static long futex_wait(uint32_t __user *word, bool shared, uint32_t value, nsec_t deadline,
                       uint32_t bitset)
{
    struct futex_waiter w = {.thread = current, .bitset = bitset};

    if (!bitset)
        return -EINVAL;
    int error = key_get(&w.key, word, shared);
    if (error)
        return error;
    error = waiter_queue(&w, word, value);
    if (!error) {
        error = wait_flag(&w.woken, deadline, WAIT_INTERRUPTIBLE);
        if (waiter_leave(&w))
            error = 0;
    }
    key_put(&w.key);
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

/* Move up to MAX waiters from one name to another; how many. Both buckets are locked. */
static int requeue_some(struct futex_bucket *from, const struct futex_key *key,
                        struct futex_bucket *to, const struct futex_key *to_key, int max)
{
    struct futex_waiter *w, *next;
    struct list moved = LIST_INIT(moved);
    int count = 0;

    list_for_each_safe (w, next, &from->waiters, link) {
        if (count >= max)
            break;
        if (!key_equal(&w->key, key))
            continue;
        list_remove(&w->link);
        list_push_back(&moved, &w->link);
        /* The reference moves with the name; the old one can't be the last while our caller has its own. */
        if (to_key->object)
            vmobject_get(to_key->object);
        if (w->key.object)
            vmobject_put(w->key.object);
        w->key = *to_key;
        WRITE_ONCE(w->bucket, to);
        count++;
    }
    list_splice_back(&to->waiters, &moved);
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
    long result = key_get(&key, word, shared);
    if (result)
        return result;
    result = key_get(&key2, word2, shared);
    if (result)
        goto out;
    struct futex_bucket *b = bucket_of(&key), *b2 = bucket_of(&key2);
    for (;;) {
        lock_two(b, b2);
        if (!expected || !(result = load_user_u32_nofault(&seen, word)))
            break;
        unlock_two(b, b2);
        if ((result = user_fault_in(word, false)))
            goto out_both;
    }
    if (expected && seen != *expected) {
        result = -EAGAIN;
    } else {
        result = max_wake ? wake_some(b, &key, max_wake, FUTEX_BITSET_MATCH_ANY) : 0;
        result += requeue_some(b, &key, b2, &key2, max_move);
    }
    unlock_two(b, b2);
out_both:
    key_put(&key2);
out:
    key_put(&key);
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
    long result = key_get(&key, word, shared);
    if (result)
        return result;
    result = key_get(&key2, word2, shared);
    if (result)
        goto out;
    struct futex_bucket *b = bucket_of(&key), *b2 = bucket_of(&key2);
    for (;;) {
        lock_two(b, b2);
        if (!(result = change_word(word2, encoded, &old)))
            break;
        unlock_two(b, b2);
        if ((result = user_fault_in(word2, true)))
            goto out_both;
    }
    result = wake_some(b, &key, max, FUTEX_BITSET_MATCH_ANY);
    if (compare_op(encoded >> 24 & 15, (int)old, sign_extend_12(encoded)))
        result += wake_some(b2, &key2, max2, FUTEX_BITSET_MATCH_ANY);
    unlock_two(b, b2);
out_both:
    key_put(&key2);
out:
    key_put(&key);
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
    if ((op & FUTEX_CMD_MASK) == FUTEX_WAIT)
        *deadline = deadline_after(time);
    else
        *deadline = deadline_at(op & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, time);
    return 0;
}

long sys_futex(uint32_t __user *uaddr, int op, uint32_t val, unsigned long timeout,
               uint32_t __user *uaddr2, uint32_t val3)
{
    int cmd = op & FUTEX_CMD_MASK;
    bool shared = !(op & FUTEX_PRIVATE_FLAG);
    nsec_t deadline;
    int error;

    if (op & FUTEX_CLOCK_REALTIME && cmd != FUTEX_WAIT_BITSET)
        return -ENOSYS;
    switch (cmd) {
    case FUTEX_WAIT:
        val3 = FUTEX_BITSET_MATCH_ANY;
        /* fall through */
    case FUTEX_WAIT_BITSET:
        error = futex_deadline(op, timeout, &deadline);
        return error ? error : futex_wait(uaddr, shared, val, deadline, val3);
    case FUTEX_WAKE:
        val3 = FUTEX_BITSET_MATCH_ANY;
        /* fall through */
    case FUTEX_WAKE_BITSET: return futex_wake(uaddr, shared, (int)val, val3);
    case FUTEX_REQUEUE: return futex_requeue(uaddr, uaddr2, shared, (int)val, (int)timeout, NULL);
    case FUTEX_CMP_REQUEUE:
        return futex_requeue(uaddr, uaddr2, shared, (int)val, (int)timeout, &val3);
    case FUTEX_WAKE_OP: return futex_wake_op(uaddr, uaddr2, shared, (int)val, (int)timeout, val3);
    default: /* the priority-inheriting ones among them */ return -ENOSYS;
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

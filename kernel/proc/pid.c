/*
 * Numbers. A bitmap says which are in use, a hash finds the struct pid of one; both, and all that a struct pid
 * links to, are under proc_tree_lock. Numbers are given out in rising order and begin again at
 * PID_RESTART after the highest, so that a number which was just freed is not soon another's.
 */
#include "proc/pid.h"

#include "lib/atomic.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "sched/lock.h"

#define PID_RESTART 300
#define PID_BUCKETS 256
#define PAGES_A_THREAD 32
#define THREADS_LEAST 64UL

struct spinlock proc_tree_lock = SPINLOCK_INIT(RANK_PROC_TREE, "proc_tree");

static uint64_t used[PID_MAX / 64];      /* proc_tree_lock: bit per number */
static struct list buckets[PID_BUCKETS]; /* proc_tree_lock */
static int last_pid;                     /* proc_tree_lock */
static unsigned count;                   /* proc_tree_lock: numbers in use */
static unsigned most;                    /* const after init: so many may be */
static uint64_t given;                   /* proc_tree_lock: numbers since boot */
static struct slab_cache *pid_cache;     /* const after init */

void pid_init(void)
{
    for (int i = 0; i < PID_BUCKETS; i++)
        list_init(&buckets[i]);
    used[0] = 1;
    /* As Linux's threads-max: the kernel stacks and page tables of all shall leave room for their memory. */
    most = (unsigned)min(max(page_total() / PAGES_A_THREAD, THREADS_LEAST), (size_t)PID_MAX);
    pid_cache = slab_cache_create("pid", sizeof(struct pid), 0);
}

static struct list *bucket_of(int nr)
{
    return &buckets[(unsigned)nr % PID_BUCKETS];
}

/* The lowest free number in [FROM, TO), or -1. */
static int find_free(int from, int to)
{
    for (int nr = from; nr < to; nr = ALIGN_DOWN(nr, 64) + 64) {
        uint64_t free = ~used[nr / 64] & ~0UL << nr % 64;
        if (free) {
            int found = ALIGN_DOWN(nr, 64) + __builtin_ctzl(free);
            return found < to ? found : -1;
        }
    }
    return -1;
}

struct pid *pid_alloc(void)
{
    struct pid *p = slab_alloc(pid_cache);

    if (!p)
        return err_ptr(-ENOMEM);
    ref_init(&p->ref, 1);
    p->thread = NULL;
    p->proc = NULL;
    list_init(&p->group);
    list_init(&p->session);
    waitq_init(&p->changed, &proc_tree_lock);
    spin_lock(&proc_tree_lock);
    int nr = count < most ? find_free(last_pid + 1, PID_MAX) : -1;
    if (nr < 0 && count < most)
        nr = find_free(PID_RESTART, PID_MAX);
    if (nr >= 0) {
        last_pid = nr;
        given++;
        count++;
        used[nr / 64] |= 1UL << nr % 64;
        p->nr = nr;
        list_push_front(bucket_of(nr), &p->hash_link);
    }
    spin_unlock(&proc_tree_lock);
    if (nr < 0) {
        slab_free(pid_cache, p);
        return err_ptr(-EAGAIN);
    }
    return p;
}

void pid_get(struct pid *p)
{
    ref_get(&p->ref);
}

void pid_put_locked(struct pid *p)
{
    assert(spin_is_held(&proc_tree_lock));
    if (!ref_put(&p->ref))
        return;
    assert(!p->proc && list_empty(&p->group) && list_empty(&p->session));
    count--;
    used[p->nr / 64] &= ~(1UL << p->nr % 64);
    list_remove(&p->hash_link);
    slab_free(pid_cache, p);
}

void pid_put(struct pid *p)
{
    spin_lock(&proc_tree_lock);
    pid_put_locked(p);
    spin_unlock(&proc_tree_lock);
}

struct pid *pid_find_locked(int nr)
{
    struct pid *p;

    assert(spin_is_held(&proc_tree_lock));
    if (nr <= 0 || nr >= PID_MAX)
        return NULL;
    list_for_each (p, bucket_of(nr), hash_link)
        if (p->nr == nr)
            return p;
    return NULL;
}

struct pid *pid_next_proc_locked(int nr)
{
    assert(spin_is_held(&proc_tree_lock));
    for (nr = max(nr, 1); nr < PID_MAX; nr++) {
        uint64_t word = used[nr / 64] >> nr % 64;
        if (!word) {
            nr |= 63;
            continue;
        }
        nr += __builtin_ctzl(word);
        struct pid *p = pid_find_locked(nr);
        if (p && p->proc)
            return p;
    }
    return NULL;
}

void pid_counts(int *last, uint64_t *total)
{
    spin_lock(&proc_tree_lock);
    *last = last_pid;
    *total = given;
    spin_unlock(&proc_tree_lock);
}

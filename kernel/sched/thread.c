/*
 * Threads as things in memory: made, counted, freed.
 *
 * The first reference is the scheduler's and goes when the thread has been switched away from for the
 * last time; its kernel stack is freed at that moment too, so that a zombie, or a reader of /proc, holds
 * no stack. What is left of a thread is freed with the last reference.
 */
#include "sched/thread.h"

#include "lib/string.h"
#include "mm/kstack.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "proc/pid.h"
#include "proc/proc.h"
#include "sched/sched.h"

static struct slab_cache *thread_cache; /* const after init */

void thread_init(void)
{
    thread_cache = slab_cache_create("thread", sizeof(struct thread), 64);
}

struct thread *thread_alloc(void)
{
    struct thread *t = slab_zalloc(thread_cache);

    if (!t)
        return NULL;
    t->kstack = kstack_alloc();
    if (!t->kstack) {
        slab_free(thread_cache, t);
        return NULL;
    }
    ref_init(&t->ref, 1);
    t->state = THREAD_DEAF; /* not to be woken by anybody before sched_start() */
    t->allowed = ~0UL;
    t->cpu = cpu_id();
    timer_init(&t->sleep_timer, NULL);
    t->sleep_timer.cpu = t->cpu;
    list_init(&t->proc_link);
    list_init(&t->sigqueue);
    list_init(&t->pi_waiters);
    t->altstack.ss_flags = SS_DISABLE;
#ifdef CONFIG_DEBUG
    list_init(&t->held_mutexes);
#endif
    return t;
}

void thread_free_stack(struct thread *t)
{
    arch_thread_destroy(t);
    kstack_free(t->kstack);
    t->kstack = NULL;
}

void thread_put(struct thread *t)
{
    if (!ref_put(&t->ref))
        return;
    if (t->kstack)
        thread_free_stack(t);
    if (t->pid)
        pid_put(t->pid);
    if (t->proc)
        proc_put(t->proc);
    if (t->cred)
        cred_put(t->cred);
    slab_free(thread_cache, t);
}

struct thread *kthread_create(const char *name, void (*fn)(void *), void *arg)
{
    struct thread *t = thread_alloc();

    if (!t)
        return err_ptr(-ENOMEM);
    strlcpy(t->comm, name, sizeof(t->comm));
    arch_thread_init_kernel(t, fn, arg);
    sched_start(t);
    return t;
}

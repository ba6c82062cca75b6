/*
 * Threads by clone(2). One mapping holds a guard, the stack and the TLS area (internal/thread.h).
 * The kernel writes 0 to `alive` and wakes it as a futex when the thread is gone for good (CLONE_CHILD_CLEARTID): that
 * is what pthread_join sleeps on, and only then may the stack be unmapped.
 *
 * `state` decides who frees the mapping: the joiner of a thread that ended joinable, or the thread itself when it
 * was detached before. It then unmaps the stack it stands on, which takes a few instructions of assembly, with all
 * signals blocked: no handler may want that stack.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal/thread.h"
#include "pthread/futex.h"
#include "pthread/thread.h"

#define PAGE 4096UL

static const ksigset_t every_signal = ~(ksigset_t)0;

long __clone(int (*fn)(void *), void *stack, unsigned long flags, void *arg, int *parent_tid,
             int *child_tid, unsigned long tls);

pthread_t pthread_self(void)
{
    return thread_self();
}

int pthread_equal(pthread_t a, pthread_t b)
{
    return a == b;
}

/* munmap(our own stack), then exit: nothing may touch memory in between. */
_Noreturn static void unmap_and_exit(void *map, size_t size)
{
    __asm__ volatile("syscall\n\t"
                     "xor %%edi, %%edi\n\t"
                     "mov %2, %%eax\n\t"
                     "syscall\n\t"
                     "hlt"
                     :
                     : "a"((long)SYS_munmap), "D"(map), "i"(SYS_exit), "S"(size)
                     : "rcx", "r11", "memory");
    __builtin_unreachable();
}

static void block_signals(ksigset_t *before)
{
    syscall_raw(SYS_rt_sigprocmask, SIG_BLOCK, &every_signal, before, sizeof(ksigset_t));
}

static void restore_signals(const ksigset_t *before)
{
    syscall_raw(SYS_rt_sigprocmask, SIG_SETMASK, before, NULL, sizeof(ksigset_t));
}

/* The last thread's end is the process's (POSIX, pthread_exit). */
_Noreturn void pthread_exit(void *result)
{
    struct __pthread *self = thread_self();
    int joinable = THREAD_JOINABLE;
    self->result = result;
    __atomic_fetch_or(&self->cancel, CANCEL_DISABLED, __ATOMIC_RELAXED);
    for (struct __cleanup *c; (c = self->cleanup);)
        __pthread_cleanup_pop(c, 1);
    if (__run_key_destructors)
        __run_key_destructors(self);
    if (__atomic_fetch_sub(&__threads, 1, __ATOMIC_ACQ_REL) == 1)
        exit(0);
    block_signals(NULL);
    __lock_acquire(&self->tid_lock);
    self->tid = 0;
    __lock_release(&self->tid_lock);
    if (!__atomic_compare_exchange_n(&self->state, &joinable, THREAD_ENDED, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE) &&
        self->map) {
        syscall_raw(SYS_set_tid_address, NULL); /* memory that is gone must not be written */
        unmap_and_exit(self->map, self->map_size);
    }
    for (;;)
        syscall_raw(SYS_exit, 0);
}

static int thread_main(void *arg)
{
    struct __pthread *self = arg;
    static const ksigset_t cancel = SIGMASK(SIGCANCEL);
    if (self->unblock_cancel)
        syscall_raw(SYS_rt_sigprocmask, SIG_UNBLOCK, &cancel, NULL, sizeof(ksigset_t));
    pthread_exit(self->start(self->arg));
}

/* Memory for a thread as ATTR wants it, with its structure at the end; the stack's top goes to *TOP. NULL: none. */
static struct __pthread *make_room(const pthread_attr_t *attr, char **top)
{
    size_t guard = (attr->__guard_size + PAGE - 1) & ~(PAGE - 1);
    size_t size = (guard + attr->__stack_size + __tls_size() + PAGE - 1) & ~(PAGE - 1);
    if (attr->__stack) {
        *top = (char *)attr->__stack + attr->__stack_size - __tls_size();
        return __tls_layout(attr->__stack, attr->__stack_size);
    }
    char *map =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    if (guard && mprotect(map, guard, PROT_NONE) < 0) {
        munmap(map, size);
        return NULL;
    }
    *top = map + size - __tls_size();
    struct __pthread *t = __tls_layout(map, size);
    t->map = map;
    t->map_size = size;
    return t;
}

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attr,
                   void *(*start)(void *), void *restrict arg)
{
    static const pthread_attr_t usual = {.__stack_size = STACK_DEFAULT,
                                         .__guard_size = GUARD_DEFAULT};
    const unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                                CLONE_CHILD_CLEARTID;
    char *top;
    struct __pthread *self = thread_self(), *t = make_room(attr ? attr : &usual, &top);
    if (!t)
        return EAGAIN;
    t->canary = self->canary;
    t->alive = 1;
    t->state = attr && attr->__detached ? THREAD_DETACHED : THREAD_JOINABLE;
    t->unblock_cancel = __atomic_load_n(&self->cancel, __ATOMIC_RELAXED) & CANCEL_REQUESTED;
    t->start = start;
    t->arg = arg;
    *thread = t;
    __atomic_fetch_add(&__threads, 1, __ATOMIC_RELAXED);
    if (__clone(thread_main, top, flags, t, &t->tid, &t->alive, (unsigned long)t) < 0) {
        __atomic_fetch_sub(&__threads, 1, __ATOMIC_RELAXED);
        if (t->map)
            munmap(t->map, t->map_size);
        return EAGAIN;
    }
    return 0;
}

/* The futex is a shared one: the kernel's wake at the thread's end is. */
static int join_until(pthread_t t, void **result, const struct timespec *deadline)
{
    int alive, error = 0;
    if (t == thread_self())
        return EDEADLK;
    if (__atomic_load_n(&t->state, __ATOMIC_ACQUIRE) == THREAD_DETACHED)
        return EINVAL;
    if (!time_is_valid(deadline))
        return EINVAL;
    pthread_testcancel();
    while ((alive = __atomic_load_n(&t->alive, __ATOMIC_ACQUIRE)) != 0 && error != ETIMEDOUT)
        error = futex_wait(&t->alive, alive, CLOCK_REALTIME, deadline, true, true);
    if (alive)
        return ETIMEDOUT;
    if (result)
        *result = t->result;
    if (t->map)
        munmap(t->map, t->map_size);
    return 0;
}

int pthread_join(pthread_t t, void **result)
{
    return join_until(t, result, NULL);
}

int pthread_timedjoin_np(pthread_t t, void **result, const struct timespec *deadline)
{
    return join_until(t, result, deadline);
}

int pthread_tryjoin_np(pthread_t t, void **result)
{
    return __atomic_load_n(&t->alive, __ATOMIC_ACQUIRE) ? EBUSY : join_until(t, result, NULL);
}

int pthread_detach(pthread_t t)
{
    int state = THREAD_JOINABLE;
    if (__atomic_compare_exchange_n(&t->state, &state, THREAD_DETACHED, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return 0;
    return state == THREAD_ENDED ? pthread_join(t, NULL) : EINVAL;
}

/* To a thread that has ended, nothing: its id may be another's by now. */
int pthread_kill(pthread_t t, int sig)
{
    ksigset_t before;
    if (sig < 0 || sig >= NSIG)
        return EINVAL;
    block_signals(&before);
    __lock_acquire(&t->tid_lock);
    long error = t->tid ? -syscall_raw(SYS_tgkill, getpid(), t->tid, sig) : 0;
    __lock_release(&t->tid_lock);
    restore_signals(&before);
    return (int)error;
}

int pthread_getcpuclockid(pthread_t t, clockid_t *clock)
{
    *clock = (int)(~(unsigned)t->tid << 3) | CPUCLOCK_PERTHREAD | CPUCLOCK_SCHED;
    return 0;
}

/*
 * Threads by clone(2). One mapping holds a guard page, the stack and the TLS area (internal/thread.h).
 * The kernel writes 0 to `alive` and wakes it as a futex when the thread is gone for good (CLONE_CHILD_CLEARTID): that
 * is what pthread_join sleeps on, and only then may the stack be unmapped.
 *
 * `detached` decides who frees the mapping. It goes from 0 to 1 once: whoever makes that step second
 * (the thread that ends, or the one that detaches it) knows that the other is done with it. A detached
 * thread that ends must unmap the stack it stands on, which takes a few instructions of assembly.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <abi/futex.h>

#include "internal/syscall.h"
#include "internal/thread.h"

#define PAGE 4096UL
#define STACK_DEFAULT (128UL << 10)
#define STACK_MIN 16384UL

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

int pthread_attr_init(pthread_attr_t *attr)
{
    *attr = (pthread_attr_t){.stack_size = STACK_DEFAULT};
    return 0;
}

int pthread_attr_destroy(pthread_attr_t *attr)
{
    (void)attr;
    return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *attr, size_t size)
{
    if (size < STACK_MIN)
        return EINVAL;
    attr->stack_size = size;
    return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *attr, int state)
{
    if (state != PTHREAD_CREATE_JOINABLE && state != PTHREAD_CREATE_DETACHED)
        return EINVAL;
    attr->detached = state;
    return 0;
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

_Noreturn void pthread_exit(void *result)
{
    struct __pthread *self = thread_self();
    self->result = result;
    if (!self->map) /* the first thread: its stack is the process's own, and others may live on */
        syscall_raw(SYS_exit, 0);
    if (__atomic_exchange_n(&self->detached, 1, __ATOMIC_ACQ_REL)) {
        syscall_raw(SYS_set_tid_address,
                    NULL); /* the kernel must not write to memory that is gone */
        unmap_and_exit(self->map, self->map_size);
    }
    for (;;)
        syscall_raw(SYS_exit, 0);
}

static int thread_main(void *arg)
{
    struct __pthread *self = arg;
    pthread_exit(self->start(self->arg));
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
    size_t stack = attr && attr->stack_size ? attr->stack_size : STACK_DEFAULT;
    size_t size = (PAGE + stack + tls_size() + PAGE - 1) & ~(PAGE - 1);
    char *map =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (map == MAP_FAILED)
        return EAGAIN;
    mprotect(map, PAGE, PROT_NONE);
    struct __pthread *t = tls_layout(map, size);
    t->canary = thread_self()->canary;
    t->alive = 1;
    t->detached = attr && attr->detached;
    t->map = map;
    t->map_size = size;
    t->start = start;
    t->arg = arg;
    *thread = t;
    unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                          CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    char *top = map + size - tls_size();
    if (__clone(thread_main, top, flags, t, &t->tid, &t->alive, (unsigned long)t) < 0) {
        munmap(map, size);
        return EAGAIN;
    }
    return 0;
}

/* No private flag: the kernel's wake at the thread's end is a shared one. */
static void wait_until_gone(struct __pthread *t)
{
    int alive;
    while ((alive = __atomic_load_n(&t->alive, __ATOMIC_ACQUIRE)) != 0)
        syscall_raw(SYS_futex, &t->alive, FUTEX_WAIT, alive, 0);
}

int pthread_join(pthread_t t, void **result)
{
    if (t == thread_self())
        return EDEADLK;
    wait_until_gone(t);
    if (result)
        *result = t->result;
    if (t->map)
        munmap(t->map, t->map_size);
    return 0;
}

int pthread_detach(pthread_t t)
{
    if (__atomic_exchange_n(&t->detached, 1, __ATOMIC_ACQ_REL))
        return pthread_join(t, NULL); /* it had ended already: only its stack is left */
    return 0;
}

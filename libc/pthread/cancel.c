/*
 * Cancellation. A request is a bit in the target's structure, which cancellation points test; and a signal,
 * which takes a thread out of a call that sleeps in one (point.asm).
 *
 * The signal may also find the target in a handler of the program's that has itself interrupted such a call. The
 * call will go on after it, so the signal must come back then: it is sent again, blocked in the context that
 * was interrupted, and so arrives when that one ends and the mask below is restored. In plain code it stays
 * blocked, and the next cancellation point finds the bit.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "internal/syscall.h"
#include "internal/thread.h"

extern const char __cancel_point[], __cancel_point_end[], __cancel_now[];
void __restore_rt(void);

static void act(void)
{
    pthread_exit(PTHREAD_CANCELED);
}

static bool is_due(const struct __pthread *self)
{
    int cancel = __atomic_load_n(&self->cancel, __ATOMIC_ACQUIRE);
    return (cancel & (CANCEL_REQUESTED | CANCEL_DISABLED)) == CANCEL_REQUESTED;
}

static void on_signal(int sig, siginfo_t *info, void *frame)
{
    struct __pthread *self = thread_self();
    ucontext_t *context = frame;
    struct sigcontext *registers = &context->uc_mcontext;
    const char *place = (const char *)registers->rip;
    (void)info;
    if (!is_due(self))
        return;
    if (__atomic_load_n(&self->cancel, __ATOMIC_RELAXED) & CANCEL_ASYNCHRONOUS)
        act();
    if ((place >= __cancel_point && place < __cancel_point_end) ||
        (place == __cancel_point_end && (long)registers->rax == -EINTR)) {
        registers->rip = (uint64_t)__cancel_now;
        return;
    }
    context->uc_sigmask |= SIGMASK(sig);
    tgkill(getpid(), self->tid, sig);
}

int pthread_cancel(pthread_t thread)
{
    struct kernel_sigaction action = {.handler = (sighandler_t)(void *)on_signal,
                                      .flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | SA_RESTORER,
                                      .restorer = __restore_rt};
    __atomic_store_n(&__cancelled, act, __ATOMIC_RELEASE);
    syscall_raw(SYS_rt_sigaction, SIGCANCEL, &action, NULL, sizeof(ksigset_t));
    int before = __atomic_fetch_or(&thread->cancel, CANCEL_REQUESTED, __ATOMIC_ACQ_REL);
    if (thread == thread_self()) {
        if (is_due(thread) && before & CANCEL_ASYNCHRONOUS)
            act();
        return 0;
    }
    return before & CANCEL_DISABLED ? 0 : pthread_kill(thread, SIGCANCEL);
}

void pthread_testcancel(void)
{
    if (is_due(thread_self()))
        act();
}

/* Set or clear BIT; whether it was set goes to *OLD. */
static void change(int bit, int on, int *old)
{
    int *cancel = &thread_self()->cancel;
    int before = on ? __atomic_fetch_or(cancel, bit, __ATOMIC_ACQ_REL)
                    : __atomic_fetch_and(cancel, ~bit, __ATOMIC_ACQ_REL);
    if (old)
        *old = (before & bit) != 0;
}

static void act_if_asynchronous(void)
{
    if (is_due(thread_self()) && thread_self()->cancel & CANCEL_ASYNCHRONOUS)
        act();
}

int pthread_setcancelstate(int state, int *old)
{
    if (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE)
        return EINVAL;
    change(CANCEL_DISABLED, state == PTHREAD_CANCEL_DISABLE, old);
    act_if_asynchronous();
    return 0;
}

int pthread_setcanceltype(int type, int *old)
{
    if (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS)
        return EINVAL;
    change(CANCEL_ASYNCHRONOUS, type == PTHREAD_CANCEL_ASYNCHRONOUS, old);
    act_if_asynchronous();
    return 0;
}

void __pthread_cleanup_push(struct __cleanup *c)
{
    c->next = thread_self()->cleanup;
    thread_self()->cleanup = c;
}

void __pthread_cleanup_pop(struct __cleanup *c, int run)
{
    thread_self()->cleanup = c->next;
    if (run)
        c->routine(c->arg);
}

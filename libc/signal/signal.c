/*
 * Dispositions and masks. The kernel wants its own order of struct sigaction and a restorer: the address
 * a handler returns to, which calls rt_sigreturn(2).
 */
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "internal/cancel.h"
#include "internal/thread.h"

void __restore_rt(void);

/* Is SIG a signal, and not one of the library's own? */
static int check(int sig)
{
    if (sig >= 1 && sig < NSIG && !(SIGMASK(sig) & LIBRARY_SIGNALS))
        return 0;
    errno = EINVAL;
    return -1;
}

/* A mask without the library's own signals: cancellation must come through. */
static const sigset_t *allowed(const sigset_t *set, sigset_t *copy)
{
    if (!set)
        return NULL;
    *copy = *set & ~LIBRARY_SIGNALS;
    return copy;
}

int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
    if (check(sig) < 0)
        return -1;
    struct kernel_sigaction new_action, old_action;
    if (act)
        new_action = (struct kernel_sigaction){act->sa_handler, act->sa_flags | SA_RESTORER,
                                               __restore_rt, act->sa_mask};
    long result = __syscall_ret(syscall_raw(SYS_rt_sigaction, sig, act ? &new_action : NULL,
                                            old ? &old_action : NULL, sizeof(ksigset_t)));
    if (result == 0 && old) {
        old->sa_handler = old_action.handler;
        old->sa_flags = old_action.flags & ~SA_RESTORER;
        old->sa_mask = old_action.mask;
    }
    return (int)result;
}

sighandler_t signal(int sig, sighandler_t handler)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART},
                     old = {.sa_handler = SIG_ERR};
    sigaction(sig, &action, &old);
    return old.sa_handler;
}

int raise(int sig)
{
    return tgkill(getpid(), gettid(), sig);
}

int sigqueue(pid_t pid, int sig, union sigval value)
{
    siginfo_t info = {.si_signo = sig, .si_code = SI_QUEUE};

    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value = value;
    return (int)__syscall_ret(syscall_raw(SYS_rt_sigqueueinfo, pid, sig, &info));
}

int killpg(pid_t group, int sig)
{
    if (group < 0) {
        errno = EINVAL;
        return -1;
    }
    return kill(-group, sig);
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    sigset_t copy;
    return (int)-syscall_raw(SYS_rt_sigprocmask, how, allowed(set, &copy), old, sizeof(ksigset_t));
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    int error = pthread_sigmask(how, set, old);
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

int sigpending(sigset_t *set)
{
    return (int)__syscall_ret(syscall_raw(SYS_rt_sigpending, set, sizeof(ksigset_t)));
}

int sigsuspend(const sigset_t *mask)
{
    return (int)syscall_cancel(SYS_rt_sigsuspend, mask, sizeof(ksigset_t));
}

int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    return (int)syscall_cancel(SYS_rt_sigtimedwait, set, info, timeout, sizeof(ksigset_t));
}

int siginterrupt(int sig, int interrupt)
{
    struct sigaction action = {0};
    if (sigaction(sig, NULL, &action) < 0)
        return -1;
    action.sa_flags = interrupt ? action.sa_flags & ~SA_RESTART : action.sa_flags | SA_RESTART;
    return sigaction(sig, &action, NULL);
}

int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
    return sigtimedwait(set, info, NULL);
}

int sigwait(const sigset_t *set, int *sig)
{
    int result;
    do
        result = sigtimedwait(set, NULL, NULL);
    while (result < 0 && errno == EINTR);
    if (result < 0)
        return errno;
    *sig = result;
    return 0;
}

int signalfd(int fd, const sigset_t *set, int flags)
{
    return (int)__syscall_ret(syscall_raw(SYS_signalfd4, fd, set, sizeof(ksigset_t), flags));
}

int sigemptyset(sigset_t *set)
{
    *set = 0;
    return 0;
}

int sigfillset(sigset_t *set)
{
    *set = ~LIBRARY_SIGNALS;
    return 0;
}

int sigaddset(sigset_t *set, int sig)
{
    if (check(sig) < 0)
        return -1;
    *set |= SIGMASK(sig);
    return 0;
}

int sigdelset(sigset_t *set, int sig)
{
    if (check(sig) < 0)
        return -1;
    *set &= ~SIGMASK(sig);
    return 0;
}

int sigismember(const sigset_t *set, int sig)
{
    return check(sig) < 0 ? -1 : (*set & SIGMASK(sig)) != 0;
}

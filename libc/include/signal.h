/* <signal.h>: dispositions, masks and sending. */
#pragma once

#include <abi/signal.h>
#include <abi/time.h>

typedef ksigset_t sigset_t;
typedef volatile int sig_atomic_t;
typedef struct ucontext ucontext_t;

#define NSIG _NSIG
#define SIGRTMIN (KERNEL_SIGRTMIN + 3)
#define SIGRTMAX KERNEL_SIGRTMAX

struct sigaction {
    union {
        void (*sa_handler)(int);
        void (*sa_sigaction)(int, siginfo_t *, void *);
    };
    sigset_t sa_mask;
    unsigned long sa_flags;
};

int kill(pid_t pid, int sig);
int killpg(pid_t group, int sig);
int tgkill(pid_t tgid, pid_t tid, int sig);
int raise(int sig);
int sigqueue(pid_t pid, int sig, union sigval value);
sighandler_t signal(int sig, sighandler_t handler);
int sigaction(int sig, const struct sigaction *act, struct sigaction *old);
int sigprocmask(int how, const sigset_t *set, sigset_t *old);
typedef struct __pthread *pthread_t;
int pthread_kill(pthread_t thread, int sig);
int pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
int sigpending(sigset_t *set);
int sigsuspend(const sigset_t *mask);
int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);
int sigwaitinfo(const sigset_t *set, siginfo_t *info);
int sigwait(const sigset_t *set, int *sig);
void psignal(int sig, const char *text);
void psiginfo(const siginfo_t *info, const char *text);
int siginterrupt(int sig, int interrupt);
int sigaltstack(const stack_t *stack, stack_t *old);
int sigemptyset(sigset_t *set);
int sigfillset(sigset_t *set);
int sigaddset(sigset_t *set, int sig);
int sigdelset(sigset_t *set, int sig);
int sigismember(const sigset_t *set, int sig);

/*
 * system(): a command for the shell, waited for. Until it has ended the caller ignores what the terminal sends
 * to both, and SIGCHLD waits, so that no handler takes the child from us. A thread that is cancelled meanwhile ends at
 * its next cancellation point.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal/thread.h"

int system(const char *command)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
    sigset_t children, before;
    int status = -1;
    struct __pthread *self = thread_self();
    if (!command)
        return access("/bin/sh", X_OK) == 0;
    int cancel = __atomic_fetch_or(&self->cancel, CANCEL_DISABLED, __ATOMIC_RELAXED);
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, &before);
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    pid_t pid = fork();
    if (pid == 0) {
        sigaction(SIGINT, &interrupt, NULL);
        sigaction(SIGQUIT, &quit, NULL);
        sigprocmask(SIG_SETMASK, &before, NULL);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    int error = errno;
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (!(cancel & CANCEL_DISABLED))
        __atomic_fetch_and(&self->cancel, ~CANCEL_DISABLED, __ATOMIC_RELAXED);
    errno = error;
    return status;
}

/* A signal from another process interrupts whatever this one does, and a handler runs. See sigcatch.txt. */
#include <signal.h>

#include "demo.h"

static volatile sig_atomic_t received, from_child;
static pid_t child;

/* Handlers may call few functions (signal-safety(7)): this one only takes notes. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    received++;
    from_child = info->si_code == SI_USER && info->si_pid == child;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigset_t usr1, before;
    pid_t parent = getpid();
    int go[2], status;
    char byte;

    need(pipe(go));
    need(sigaction(SIGUSR1, &action, NULL));
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    need(sigprocmask(SIG_BLOCK, &usr1, &before)); /* until we wait for it */
    child = fork_clean();
    if (child == 0) {
        for (int i = 0; i < 3; i++) {
            if (read(go[0], &byte, 1) != 1)
                _exit(1);
            need(kill(parent, SIGUSR1));
        }
        _exit(0);
    }
    for (int i = 1; i <= 3; i++) {
        need(write(go[1], "", 1));
        while (received < i)
            sigsuspend(&before); /* unblocks it and waits, in one step */
        printf("signal %d came from %s\n", i,
               claim(from_child) ? "our child, by kill()" : "somebody else");
    }
    status = end_of(child);
    printf("the child ended with %d\n", status);
    claim(status == 0 && received == 3);
    return shown();
}

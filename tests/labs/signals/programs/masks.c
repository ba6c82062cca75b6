/*
 * What is blocked while a handler runs, and afterwards.
 *
 *     masks MASK SA_MASK     in hexadecimal: blocked before, and while the handler of SIGUSR1 runs
 */
#include "trip.h"

#include <poll.h>

static uint64_t mask, sa_mask;
static char order[64];
static int depth, deepest, handlers;

void landed(void) {}

static void set_mask(uint64_t to)
{
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &to, NULL, 8);
}

static void report_masks(int number, siginfo_t *info, void *context)
{
    struct ucontext *uc = context;

    (void)number;
    (void)info;
    handlers++;
    lab_report("masks", "%lx %lx", (unsigned long)blocked_now(), (unsigned long)uc->uc_sigmask);
}

static void note(char c)
{
    size_t n = strlen(order);

    if (n < sizeof(order) - 1)
        order[n] = c;
}

/* Others come while it runs: those that are let in run now, the rest when it returns. */
static void nest(int number)
{
    note(number == SIGUSR1 ? '(' : '[');
    if (number == SIGUSR1 && depth++ == 0) {
        raise(SIGUSR1);
        raise(SIGUSR2);
        note('.');
    }
    note(number == SIGUSR1 ? ')' : ']');
}

static void deepen(int number)
{
    deepest = depth > deepest ? depth : deepest;
    if (++depth < 4)
        raise(number);
    depth--;
}

static int one_handler(void *arg)
{
    uint64_t suspended = 1UL << (SIGHUP - 1);
    int fd[2];

    (void)arg;
    set_action(SIGUSR1, report_masks, SA_SIGINFO, sa_mask);
    set_action(SIGUSR2, report_masks, SA_SIGINFO | SA_NODEFER, sa_mask);
    set_mask(mask);
    raise(SIGUSR1);
    raise(SIGUSR2);
    lab_report("after", "%lx %d", (unsigned long)blocked_now(), handlers);

    /* sigsuspend: another mask while it sleeps; the old one is the one to come back to. */
    set_mask(mask | 1UL << (SIGUSR1 - 1));
    raise(SIGUSR1);
    long result = outcome(syscall(SYS_rt_sigsuspend, &suspended, 8));
    lab_report("suspended", "%ld %lx %d", result, (unsigned long)blocked_now(), handlers);
    pipe(fd);
    raise(SIGUSR1);
    struct pollfd p = {.fd = fd[0], .events = POLLIN};
    result = outcome(syscall(SYS_ppoll, &p, 1, NULL, &suspended, 8));
    lab_report("polled", "%ld %lx %d", result, (unsigned long)blocked_now(), handlers);
    return 0;
}

static int nested(void *arg)
{
    (void)arg;
    set_action(SIGUSR1, nest, 0, 0);
    set_action(SIGUSR2, nest, 0, 0);
    raise(SIGUSR1);
    lab_report("let_in", "%s", order);
    memset(order, 0, sizeof(order));
    depth = 0;
    set_action(SIGUSR1, nest, 0, 1UL << (SIGUSR2 - 1));
    raise(SIGUSR1);
    lab_report("held_back", "%s", order);
    memset(order, 0, sizeof(order));
    depth = 1;
    set_action(SIGUSR1, nest, 0, 0);
    set_mask(1UL << (SIGUSR1 - 1) | 1UL << (SIGUSR2 - 1));
    raise(SIGUSR2);
    raise(SIGUSR1);
    set_mask(0);
    lab_report("at_once", "%s", order);
    depth = 0;
    set_action(SIGUSR1, deepen, SA_NODEFER, 0);
    raise(SIGUSR1);
    lab_report("deepest", "%d", deepest);
    return 0;
}

/* No frame can be written: the program gets SIGSEGV instead, and dies of it without a stack to tell it on. */
static int no_room(void *arg)
{
    set_action(SIGUSR1, nest, 0, 0);
    if (arg)
        set_action(SIGSEGV, nest, 0, 0);
    long pid = getpid();
    __asm__ volatile("mov $16, %%rsp; syscall; hlt" ::"a"(SYS_kill), "D"(pid), "S"((long)SIGUSR1)
                     : "memory");
    return 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    mask = strtoul(argv[1], NULL, 16);
    sa_mask = strtoul(argv[2], NULL, 16);
    lab_report("end", "%s", fate(start(one_handler, NULL)));
    lab_report("end", "%s", fate(start(nested, NULL)));
    lab_report("no_room", "%s", fate(start(no_room, NULL)));
    lab_report("no_room", "%s", fate(start(no_room, &mask)));
    return 0;
}

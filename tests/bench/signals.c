/*
 * Signals: choosing an action, a signal to oneself caught on the normal and on the alternate stack, and
 * the fault that becomes SIGSEGV. Of the fault the handler just returns, so the same write faults again
 * and again, until the handler has seen enough and makes the page writable.
 */
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define PAGE 4096
#define CATCHES 5000

static volatile int caught;
static int fault_rounds;
static char *read_only;

static void catch_one(int sig)
{
    (void)sig;
    caught++;
}

static void catch_with(int sig, void (*handler)(int), int flags)
{
    struct sigaction act = {.sa_handler = handler, .sa_flags = flags};

    sigemptyset(&act.sa_mask);
    bench_need(sigaction(sig, &act, NULL) == 0, "sigaction");
}

static void sigaction_row(void)
{
    struct sigaction act = {.sa_handler = catch_one};

    sigemptyset(&act.sa_mask);
    MEASURE(20000)
    sigaction(SIGUSR1, &act, NULL);
}

static void catch_many(void)
{
    pid_t self = getpid();
    int sent = 0;

    caught = 0;
    MEASURE(CATCHES)
    {
        kill(self, SIGUSR1);
        sent++;
    }
    bench_need(caught == sent, "a signal that was caught");
}

static void caught_row(void)
{
    catch_with(SIGUSR1, catch_one, 0);
    catch_many();
}

static void altstack_row(void)
{
    static char stack[16 * PAGE];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    stack_t none = {.ss_flags = SS_DISABLE};

    bench_need(sigaltstack(&alternate, NULL) == 0, "sigaltstack");
    catch_with(SIGUSR1, catch_one, SA_ONSTACK);
    catch_many();
    sigaltstack(&none, NULL);
}

static void catch_fault(int sig)
{
    (void)sig;
    if (++caught == fault_rounds)
        mprotect(read_only, PAGE, PROT_READ | PROT_WRITE);
}

/* Fault ROUNDS times at one write. */
static void fault(int rounds)
{
    bench_need(mprotect(read_only, PAGE, PROT_READ) == 0, "mprotect");
    caught = 0;
    fault_rounds = rounds;
    *(volatile char *)read_only = 1;
    bench_need(caught == rounds, "a fault that was caught");
}

static void segv_row(void)
{
    read_only = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bench_need(read_only != MAP_FAILED, "mmap");
    catch_with(SIGSEGV, catch_fault, 0);
    fault(CATCHES / WARM_UP_SHARE);
    bench_start();
    fault(CATCHES);
    bench_stop(CATCHES);
    signal(SIGSEGV, SIG_DFL);
    munmap(read_only, PAGE);
}

static const struct bench_row rows[] = {
    {"sigaction", sigaction_row},
    {"signal_caught", caught_row},
    {"signal_altstack", altstack_row},
    {"segv_caught", segv_row},
};

BENCH_MAIN(rows)

/*
 * The alternate stack.
 *
 *     stacks SIZE      of the alternate stack, in bytes
 */
#include "trip.h"

#include <sys/resource.h>
#include <setjmp.h>

#define GUARD 0x5a

static unsigned char area[3 * 65536] __attribute__((aligned(4096)));
static unsigned char *const base = area + 65536;
static size_t size;
static jmp_buf back;
static int overflows, depth;

void landed(void) {}

static bool inside(const void *p)
{
    return (const unsigned char *)p > base && (const unsigned char *)p <= base + size;
}

static long set_stack(void *at, size_t n, int flags)
{
    return outcome(sigaltstack(&(stack_t){.ss_sp = at, .ss_size = n, .ss_flags = flags}, NULL));
}

static void report_stack(const char *key)
{
    stack_t now;

    sigaltstack(NULL, &now);
    lab_report(key, "%d %d %lu", now.ss_sp == base, now.ss_flags, (unsigned long)now.ss_size);
}

/* On which stack, how far from its top; what the frame says; may it be changed now? */
static void on_usr1(int number, siginfo_t *info, void *context)
{
    struct ucontext *uc = context;
    char here;

    (void)info;
    lab_report("handler", "%d %d", number, inside(&here));
    lab_report("frame_stack", "%d %d %lu", uc->uc_stack.ss_sp == base, uc->uc_stack.ss_flags,
               (unsigned long)uc->uc_stack.ss_size);
    report_stack("during");
    lab_report("change", "%ld", set_stack(area, 65536, 0));
    report_stack("then");
}

static void *outer;

/* A signal on top of another, whose handler does not ask for the alternate stack: it stays where it is, below. */
static void on_usr2(int number)
{
    char here;

    if (number == SIGUSR1) {
        outer = &here;
        raise(SIGUSR2);
        raise(SIGHUP);
    } else {
        lab_report("above", "%d %d", inside(&here), (char *)outer > &here);
    }
}

static int plain(void *arg)
{
    (void)arg;
    report_stack("first");
    lab_report("set", "%ld %ld %ld", set_stack(base, 2047, 0), set_stack(base, size, 4),
               set_stack(base, size, 0));
    report_stack("set_to");
    set_action(SIGUSR1, on_usr1, SA_SIGINFO | SA_ONSTACK, 0);
    raise(SIGUSR1);
    report_stack("after");
    set_action(SIGUSR1, on_usr2, SA_ONSTACK, 0);
    set_action(SIGUSR2, on_usr2, SA_ONSTACK, 0);
    set_action(SIGHUP, on_usr2, 0, 0);
    raise(SIGUSR1);
    set_action(SIGUSR1, on_usr2, 0, 0);
    raise(SIGUSR1);
    lab_report("off", "%ld", set_stack(NULL, 0, SS_DISABLE));
    report_stack("last");
    set_action(SIGUSR2, on_usr1, SA_SIGINFO | SA_ONSTACK, 0);
    raise(SIGUSR2);
    return 0;
}

/* Which addresses belong to it: asked with the stack pointer there. */
static int flags_at(unsigned char *sp)
{
    static stack_t now;
    long result;

    __asm__ volatile("mov %%rsp, %%rbx; mov %[sp], %%rsp; syscall; mov %%rbx, %%rsp"
                     : "=a"(result)
                     : "a"(SYS_sigaltstack), "D"(NULL), "S"(&now), [sp] "r"(sp)
                     : "rbx", "rcx", "r11", "memory");
    return result ? -1 : now.ss_flags;
}

static int edges(void *arg)
{
    (void)arg;
    set_stack(base, size, 0);
    lab_report("edges", "%d %d %d %d", flags_at(base), flags_at(base + 1), flags_at(base + size),
               flags_at(base + size + 1));
    return 0;
}

static void on_overflow(int number)
{
    char here;

    overflows += inside(&here) ? 1 : 100;
    (void)number;
    siglongjmp(back, 1);
}

static volatile int endless = 1;

static int recurse(int n)
{
    volatile char frame[PAGE];

    frame[0] = (char)n;
    return endless ? recurse(n + 1) + frame[0] : n;
}

/* The program's own stack is full: twice, so the first time has left nothing behind. */
static int overflow(void *arg)
{
    struct rlimit limit = {256 * 1024, 256 * 1024};

    (void)arg;
    setrlimit(RLIMIT_STACK, &limit);
    set_stack(base, size, 0);
    set_action(SIGSEGV, on_overflow, SA_ONSTACK | SA_NODEFER, 0);
    for (int i = 0; i < 2; i++)
        if (!sigsetjmp(back, 1))
            recurse(0);
    lab_report("overflows", "%d", overflows);
    return 0;
}

/* No room for the frame of a signal: SIGSEGV instead, on the alternate stack. */
static int no_room(void *arg)
{
    (void)arg;
    set_stack(base, size, 0);
    set_action(SIGUSR1, on_usr2, 0, 0);
    set_action(SIGSEGV, on_overflow, SA_ONSTACK | SA_NODEFER, 0);
    if (!sigsetjmp(back, 1)) {
        long pid = getpid();
        __asm__ volatile("mov $16, %%rsp; syscall; hlt" ::"a"(SYS_kill), "D"(pid),
                         "S"((long)SIGUSR1)
                         : "memory");
    }
    lab_report("told", "%d", overflows);
    return 0;
}

static unsigned char *shared;

static void on_deeper(int number)
{
    shared[0]++;
    if (depth++ < 1000)
        raise(number);
}

/* The alternate stack itself is full: that is the end, and nothing below it has been touched. */
static int full(void *arg)
{
    (void)arg;
    set_stack(shared + 65536, size, 0);
    set_action(SIGUSR1, on_deeper, SA_ONSTACK | SA_NODEFER, 0);
    raise(SIGUSR1);
    return 0;
}

static void report_full(void)
{
    int touched = 0;

    shared = mmap(NULL, 3 * 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(shared + PAGE, GUARD, 65536 - PAGE);
    const char *end = fate(start(full, NULL));
    for (int i = PAGE; i < 65536; i++)
        touched += shared[i] != GUARD;
    lab_report("full", "%s %d %d", end, shared[0] > 0, touched);
}

static int disarmed(void *arg)
{
    (void)arg;
    lab_report("disarm", "%ld", set_stack(base, size, (int)SS_AUTODISARM));
    set_action(SIGUSR1, on_usr1, SA_SIGINFO | SA_ONSTACK, 0);
    raise(SIGUSR1);
    report_stack("armed_again");
    return 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    size = strtoul(argv[1], NULL, 0);
    lab_report("end", "%s", fate(start(plain, NULL)));
    lab_report("end", "%s", fate(start(edges, NULL)));
    lab_report("end", "%s", fate(start(disarmed, NULL)));
    lab_report("end", "%s", fate(start(overflow, NULL)));
    lab_report("end", "%s", fate(start(no_room, NULL)));
    report_full();
    return 0;
}

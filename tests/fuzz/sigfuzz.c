/*
 * sigfuzz [SEED [FRAMES]]: signal frames as no kernel would write them, given to rt_sigreturn.
 *
 * A child sends itself a signal; the handler spoils the frame it stands on, one field or bit after the other, or
 * has rt_sigreturn called with a stack pointer that points anywhere; and returns. Whatever comes of it
 * ends in the child's own signals: the handler of faults, on an alternate stack, puts the registers from before back,
 * and the next frame is spoilt. A child that dies or hangs is replaced.
 *
 * What must not be: a panic, a child that can't be killed, and in user mode: interrupts off, an I/O privilege level,
 * or the kernel's selectors.
 */
#include "fuzz.h"

#include <sys/syscall.h>
#include <sys/time.h>

#define DEFAULT_FRAMES 20000
#define FRAMES_A_CHILD 400
#define STACK_SIZE 65536
#define PAGE 4096UL
#define RFLAGS_IF (1UL << 9)
#define RFLAGS_IOPL (3UL << 12)
#define RFLAGS_NT (1UL << 14)
#define RFLAGS_VM (1UL << 17)
#define USER_RPL 3

static struct shared {
    long frames;    /* spoilt until now */
    long recovered; /* of them, so many ended in a handler of faults */
    unsigned long bad_flags, bad_selector;
} * shared;

static struct sigcontext good;
static char *writable, *cliff;

static uint64_t a_value(void)
{
    static const uint64_t values[] = {0,
                                      1,
                                      2,
                                      3,
                                      8,
                                      0x10,
                                      0x18,
                                      0x1b,
                                      0x23,
                                      0x2b,
                                      0x33,
                                      0x3b,
                                      0xff,
                                      0xffff,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      0x00007fffffffefff,
                                      0x00007ffffffff000,
                                      0x0000800000000000,
                                      0xffff7fffffffffff,
                                      0xffff800000000000,
                                      0xffff888000000000,
                                      0xffffffff80000000,
                                      0xffffffff80200000,
                                      0x7fffffffffffffff,
                                      0x8000000000000000,
                                      ~0UL};
    switch (below(6)) {
    case 0: return draw() << 32 ^ draw();
    case 1: return 1UL << below(64);
    case 2: return (uint64_t)writable + below(4 * PAGE);
    case 3: return (uint64_t)cliff - below(1024);
    default: return ONE_OF(values);
    }
}

/* Change 1 to 8 bytes or one bit of the N bytes at P. */
static void spoil_bytes(unsigned char *p, size_t n)
{
    size_t at = below(n);
    uint64_t value = a_value();

    if (below(2)) {
        p[at] ^= (unsigned char)(1u << below(8));
        return;
    }
    size_t len = 1UL << below(4);
    if (below(4))
        at = at / len * len;
    for (size_t i = 0; i < len && at + i < n; i++)
        p[at + i] = (unsigned char)(value >> 8 * i);
}

static void spoil(struct ucontext *uc)
{
    struct sigcontext *sc = &uc->uc_mcontext;
    unsigned char *fpu = (unsigned char *)sc->fpstate;
    struct fpx_sw_bytes *sw = &sc->fpstate->sw_reserved;
    uint64_t *words = (uint64_t *)sc, value;

    switch (below(8)) {
    case 0: spoil_bytes((unsigned char *)uc, sizeof(*uc)); break;
    case 1:
        spoil_bytes(fpu,
                    sw->magic1 == FP_XSTATE_MAGIC1 ? sw->extended_size : sizeof(struct fpstate));
        break;
    case 2: spoil_bytes(fpu + 512, 64); break; /* the XSAVE header */
    case 3: spoil_bytes((unsigned char *)sw, sizeof(*sw)); break;
    case 4: sc->eflags ^= below(2) ? 1UL << below(22) : a_value(); break;
    case 5: words[below(18)] = a_value(); break;
    case 6:
        value = a_value();
        memcpy(&sc->cs, &value, sizeof(value)); /* and the three behind it */
        break;
    default: sc->fpstate = (struct fpstate *)a_value(); break;
    }
}

/* What rt_sigreturn finds at RSP is anything. */
static void return_from(uint64_t rsp)
{
    __asm__ volatile("mov %0, %%rsp; syscall" : : "r"(rsp), "a"(SYS_rt_sigreturn) : "memory");
    __builtin_unreachable();
}

static void spoil_frame(int sig, siginfo_t *info, void *context)
{
    struct ucontext *uc = context;

    (void)sig, (void)info;
    good = uc->uc_mcontext;
    shared->frames++;
    if (below(16) == 0) {
        memcpy(writable + PAGE, uc, sizeof(*uc));
        return_from(below(2) ? a_value() : (uint64_t)writable + PAGE);
    }
    for (uint64_t n = 1 + below(3); n; n--)
        spoil(uc);
}

/* A fault, or time has passed without one: go on where the spoilt frame would have led, had it been good. */
static void recover(int sig, siginfo_t *info, void *context)
{
    struct ucontext *uc = context;
    struct fpstate *mine = uc->uc_mcontext.fpstate;

    (void)sig, (void)info;
    shared->recovered++;
    uc->uc_mcontext = good;
    uc->uc_mcontext.fpstate = mine;
    uc->uc_sigmask = 0;
}

static void look_at_oneself(void)
{
    unsigned long flags;
    uint16_t cs, ss;

    __asm__ volatile("pushf; pop %0; mov %%cs, %1; mov %%ss, %2" : "=r"(flags), "=r"(cs), "=r"(ss));
    if (!(flags & RFLAGS_IF) || flags & (RFLAGS_IOPL | RFLAGS_NT | RFLAGS_VM))
        shared->bad_flags = flags;
    if ((cs & 3) != USER_RPL || (ss & 3) != USER_RPL)
        shared->bad_selector = (unsigned long)cs << 16 | ss;
}

static void catch_with(int sig, void (*handler)(int, siginfo_t *, void *), unsigned long flags)
{
    struct sigaction a = {.sa_flags = SA_SIGINFO | flags};

    a.sa_sigaction = handler;
    sigaction(sig, &a, NULL);
}

static _Noreturn void child(void)
{
    static char stack[STACK_SIZE];
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGALRM};
    struct itimerval it = {{0, 20000}, {0, 20000}};
    stack_t s = {.ss_sp = stack, .ss_size = sizeof(stack)};

    setpgid(0, 0);
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    become_nobody();
    limit(RLIMIT_NPROC, 0);
    limit(RLIMIT_CORE, 0);
    sigaltstack(&s, NULL);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        catch_with(faults[i], recover, SA_ONSTACK | SA_NODEFER);
    catch_with(SIGUSR1, spoil_frame, SA_NODEFER);
    setitimer(ITIMER_REAL, &it, NULL);
    for (int i = 0; i < FRAMES_A_CHILD; i++) {
        syscall(SYS_tkill, getpid(), SIGUSR1);
        /* Flags that a program may set are not for us to keep. */
        __asm__ volatile("push $2; popf" : : : "cc");
        look_at_oneself();
    }
    _exit(0);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    long frames = argc > 2 ? atol(argv[2]) : DEFAULT_FRAMES, children = 0;

    random_seed(seed);
    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    writable = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cliff = writable + 4 * PAGE;
    munmap(cliff, PAGE);
    while (shared->frames < frames && !shared->bad_flags && !shared->bad_selector) {
        pid_t pid = fork();
        if (pid < 0)
            die("fork");
        random_seed(seed + (uint64_t)++children);
        if (pid == 0)
            child();
        put_an_end_to(pid);
    }
    kill_leftovers();
    printf("%ld frames by %ld children, %ld ended in a fault; flags %#lx, selectors %#lx\n",
           shared->frames, children, shared->recovered, shared->bad_flags, shared->bad_selector);
    return shared->bad_flags || shared->bad_selector;
}

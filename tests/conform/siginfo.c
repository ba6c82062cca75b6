/* musl: what a siginfo says of each cause: faults and their addresses, senders, children. */
#define _GNU_SOURCE
#include "tap.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static siginfo_t got;
static volatile int count;
static jmp_buf back;

static void note(int sig, siginfo_t *info, void *context)
{
    (void)context;
    got = *info;
    count++;
    check(info->si_signo == sig, "its own number");
}

static void note_and_leave(int sig, siginfo_t *info, void *context)
{
    note(sig, info, context);
    longjmp(back, 1);
}

static void catch_by(int sig, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction a = {.sa_flags = SA_SIGINFO | SA_NODEFER};
    a.sa_sigaction = handler;
    works(sigaction(sig, &a, NULL));
}

/* STATEMENT causes SIG with CODE. */
#define faults(sig, code, statement)   \
    do {                               \
        catch_by(sig, note_and_leave); \
        count = 0;                     \
        if (setjmp(back) == 0) {       \
            statement;                 \
        }                              \
        same(count, 1);                \
        same(got.si_code, code);       \
    } while (0)

static char *map(int prot, size_t pages)
{
    char *p = mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(p != MAP_FAILED, "mapped");
    return p;
}

static void touch(volatile char *p)
{
    (void)*p;
}

/* --- faults ----------------------------------------------------------------------------------------- */

TEST(nothing_mapped_is_maperr)
{
    char *p = map(PROT_READ, 1);
    works(munmap(p, PAGE));
    faults(SIGSEGV, SEGV_MAPERR, touch(p + 5));
    check(got.si_addr == p + 5, "the address");
}

TEST(no_permission_is_accerr)
{
    char *p = map(PROT_READ, 1);
    faults(SIGSEGV, SEGV_ACCERR, *(volatile char *)(p + 7) = 1);
    check(got.si_addr == p + 7, "the address");
    works(mprotect(p, PAGE, PROT_NONE));
    faults(SIGSEGV, SEGV_ACCERR, touch(p));
}

TEST(no_permission_to_execute_is_accerr)
{
    char *p = map(PROT_READ | PROT_WRITE, 1);
    *p = (char)0xc3;
    faults(SIGSEGV, SEGV_ACCERR, ((void (*)(void))p)());
    check(got.si_addr == p, "the address");
}

TEST(a_null_pointer_is_maperr)
{
    faults(SIGSEGV, SEGV_MAPERR, touch(NOWHERE));
    check(got.si_addr == NOWHERE, "the address");
}

TEST(a_kernel_address_is_maperr)
{
    faults(SIGSEGV, SEGV_MAPERR, touch((char *)0xffffffff80000000 + tap_nowhere));
    check(got.si_addr == (char *)0xffffffff80000000 + tap_nowhere, "the address");
}

TEST(a_non_canonical_address_is_the_kernels_word)
{
    faults(SIGSEGV, SI_KERNEL, touch((char *)0x8000000000000000 + tap_nowhere));
    check(got.si_addr == NULL, "no address");
}

TEST(a_privileged_instruction_is_the_kernels_word)
{
    faults(SIGSEGV, SI_KERNEL, __asm__ volatile("hlt"));
    faults(SIGSEGV, SI_KERNEL, __asm__ volatile("cli"));
    faults(SIGSEGV, SI_KERNEL, __asm__ volatile("mov %%cr0, %%rax" ::: "rax"));
}

static void divide(int high, int low, int by)
{
    __asm__ volatile("idivl %2" : "+a"(low), "+d"(high) : "r"(by));
}

TEST(division_by_zero_is_intdiv)
{
    faults(SIGFPE, FPE_INTDIV, divide(0, 1, 0));
    check(*(unsigned char *)got.si_addr == 0xf7, "the instruction");
}

TEST(division_overflow_is_intdiv)
{
    faults(SIGFPE, FPE_INTDIV, divide(-1, -0x7fffffff - 1, -1));
}

TEST(an_invalid_instruction_is_illopn)
{
    faults(SIGILL, ILL_ILLOPN, __asm__ volatile("ud2"));
    check(*(unsigned char *)got.si_addr == 0x0f, "the instruction");
}

TEST(a_breakpoint_is_the_kernels_word)
{
    catch_by(SIGTRAP, note);
    __asm__ volatile("int3");
    same(count, 1);
    same(got.si_code, SI_KERNEL);
}

TEST(a_single_step_is_trap_trace)
{
    catch_by(SIGTRAP, note);
    __asm__ volatile("pushf; orl $0x100, (%%rsp); popf; nop; pushf; andl $~0x100, (%%rsp); popf" ::
                         : "memory", "cc");
    check(count >= 1, "stepped");
    same(got.si_code, TRAP_TRACE);
}

TEST(a_misaligned_access_with_ac_is_adraln)
{
    static char place[32] __attribute__((aligned(16)));
    catch_by(SIGBUS, note_and_leave);
    if (setjmp(back) == 0)
        __asm__ volatile("pushf; orl $0x40000, (%%rsp); popf; movl (%0), %%eax; pushf; andl "
                         "$~0x40000, (%%rsp); popf"
                         :
                         : "r"(place + 1)
                         : "rax", "memory", "cc");
    /* An emulated processor may not check: then nothing has happened. */
    if (count)
        same(got.si_code, BUS_ADRALN);
}

TEST(past_the_end_of_a_mapped_file_is_adrerr)
{
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    works(ftruncate(fd, PAGE));
    char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    touch(p);
    faults(SIGBUS, BUS_ADRERR, touch(p + PAGE + 3));
    check(got.si_addr == p + PAGE + 3, "the address");
    works(ftruncate(fd, 0));
    faults(SIGBUS, BUS_ADRERR, *(volatile char *)p = 1);
}

/* On the x87, for emulated processors may not raise those of SSE. */
TEST(floating_point_exceptions_say_which)
{
    unsigned short no_zero_divide_mask = 0x37b, no_invalid_mask = 0x37e;
    faults(SIGFPE, FPE_FLTDIV,
           __asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp; fwait"
                            :
                            : "m"(no_zero_divide_mask)));
    faults(SIGFPE, FPE_FLTINV,
           __asm__ volatile("fninit; fldcw %0; fldz; fldz; fdivrp; fwait"
                            :
                            : "m"(no_invalid_mask)));
}

/* --- senders ---------------------------------------------------------------------------------------- */

TEST(kill_says_who)
{
    catch_by(SIGUSR1, note);
    works(kill(getpid(), SIGUSR1));
    same(got.si_code, SI_USER);
    same(got.si_pid, getpid());
    same(got.si_uid, getuid());
    same(got.si_errno, 0);
}

TEST(tkill_says_who)
{
    catch_by(SIGUSR1, note);
    works(syscall(SYS_tkill, syscall(SYS_gettid), SIGUSR1));
    same(got.si_code, SI_TKILL);
    same(got.si_pid, getpid());
    works(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1));
    same(got.si_code, SI_TKILL);
    works(raise(SIGUSR1));
    same(got.si_code, SI_TKILL);
}

TEST(another_process_says_who)
{
    pid_t pid;
    catch_by(SIGUSR1, note);
    CHILD (pid)
        works(kill(getppid(), SIGUSR1));
    exits(pid, 0);
    same(count, 1);
    same(got.si_pid, pid);
}

TEST(sigqueue_carries_a_value)
{
    catch_by(SIGUSR1, note);
    works(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_ptr = &got}));
    same(got.si_code, SI_QUEUE);
    check(got.si_value.sival_ptr == &got, "the value");
    same(got.si_pid, getpid());
}

static siginfo_t forged(int code)
{
    siginfo_t i;
    memset(&i, 0, sizeof(i));
    i.si_signo = SIGUSR1;
    i.si_code = code;
    i.si_pid = 12345;
    i.si_value.sival_int = 99;
    return i;
}

TEST(rt_sigqueueinfo_to_oneself_may_say_anything)
{
    siginfo_t i = forged(SI_USER);
    catch_by(SIGUSR1, note);
    works(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &i));
    same(got.si_code, SI_USER);
    same(got.si_pid, 12345);
    i = forged(SI_MESGQ);
    works(syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGUSR1, &i));
    same(got.si_code, SI_MESGQ);
    same(got.si_value.sival_int, 99);
}

TEST(rt_sigqueueinfo_to_others_may_not_pretend)
{
    static const int kernels[] = {SI_USER, SI_KERNEL, SI_TKILL, 1};
    pid_t pid;
    CHILD (pid)
        for (;;)
            pause();
    for (int k = 0; k < 4; k++) {
        siginfo_t i = forged(kernels[k]);
        fails(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &i), EPERM);
        fails(syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGUSR1, &i), EPERM);
    }
    siginfo_t i = forged(SI_QUEUE);
    works(syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGUSR1, &i));
    dies(pid, SIGUSR1);
}

TEST(the_queue_calls_refuse_nonsense)
{
    siginfo_t i = forged(SI_QUEUE);
    fails(syscall(SYS_rt_sigqueueinfo, getpid(), 65, &i), EINVAL);
    fails(syscall(SYS_rt_sigqueueinfo, getpid(), -1, &i), EINVAL);
    fails(syscall(SYS_rt_sigqueueinfo, 0x3fffffff, SIGUSR1, &i), ESRCH);
    fails(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, NOWHERE), EFAULT);
    fails(syscall(SYS_rt_tgsigqueueinfo, 0, getpid(), SIGUSR1, &i), EINVAL);
    fails(syscall(SYS_rt_tgsigqueueinfo, getpid(), -1, SIGUSR1, &i), EINVAL);
    fails(syscall(SYS_rt_tgsigqueueinfo, getppid(), getpid(), SIGUSR1, &i), ESRCH);
    same(syscall(SYS_rt_sigqueueinfo, getpid(), 0, &i), 0);
}

TEST(sigpipe_is_from_oneself)
{
    int p[2];
    catch_by(SIGPIPE, note);
    works(pipe(p));
    works(close(p[0]));
    fails(write(p[1], "x", 1), EPIPE);
    same(count, 1);
    same(got.si_code, SI_USER);
    same(got.si_pid, getpid());
}

/* --- children --------------------------------------------------------------------------------------- */

static void wait_for_sigchld(int code)
{
    wait_until(count > 0 && got.si_code == code);
}

TEST(sigchld_of_an_exit)
{
    pid_t pid;
    catch_by(SIGCHLD, note);
    CHILD (pid)
        _exit(41);
    wait_for_sigchld(CLD_EXITED);
    same(got.si_pid, pid);
    same(got.si_status, 41);
    same(got.si_uid, getuid());
    exits(pid, 41);
}

TEST(sigchld_of_a_kill)
{
    pid_t pid;
    catch_by(SIGCHLD, note);
    CHILD (pid)
        for (;;)
            pause();
    works(kill(pid, SIGKILL));
    wait_for_sigchld(CLD_KILLED);
    same(got.si_status, SIGKILL);
    dies(pid, SIGKILL);
}

TEST(sigchld_of_stop_and_continue)
{
    pid_t pid;
    catch_by(SIGCHLD, note);
    CHILD (pid)
        for (;;)
            pause();
    works(kill(pid, SIGSTOP));
    wait_for_sigchld(CLD_STOPPED);
    same(got.si_status, SIGSTOP);
    same(got.si_pid, pid);
    works(kill(pid, SIGCONT));
    wait_for_sigchld(CLD_CONTINUED);
    same(got.si_status, SIGCONT);
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
}

int main(void)
{
    return tap_run("siginfo");
}

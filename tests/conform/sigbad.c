/* musl: signals with hostile numbers, targets, stacks, handlers and frames. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#define KERNEL ((char *)0xffffffff80000000)
#define NON_CANONICAL ((char *)0x0000800000000000)
#define HAS_RESTORER 0x04000000UL /* SA_RESTORER */
#define ANYBODY 54393

/* What the call itself takes. */
struct raw_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

static pid_t pid;

static void nothing(int sig)
{
    (void)sig;
}

static void sleeper(void)
{
    CHILD (pid)
        for (;;)
            pause();
}

static void end_sleeper(void)
{
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
}

/* --- numbers and targets ----------------------------------------------------------------------------- */

TEST(signals_that_do_not_exist)
{
    static const long numbers[] = {65, 66, 1000, -1, 0x7fffffff, 0x80000000L, 0xffffffffL};
    for (int i = 0; i < 7; i++) {
        fails(syscall(SYS_kill, getpid(), numbers[i]), EINVAL);
        fails(syscall(SYS_tkill, getpid(), numbers[i]), EINVAL);
        fails(syscall(SYS_tgkill, getpid(), getpid(), numbers[i]), EINVAL);
    }
    same(kill(getpid(), 0), 0);
}

TEST(processes_that_do_not_exist)
{
    fails(kill(0x3fffffff, SIGTERM), ESRCH);
    fails(kill(-0x3fffffff, SIGTERM), ESRCH);
    fails(kill((pid_t)0x80000000, SIGTERM), ESRCH);
    fails(syscall(SYS_tkill, 0, SIGTERM), EINVAL);
    fails(syscall(SYS_tkill, -5, SIGTERM), EINVAL);
    fails(syscall(SYS_tgkill, 0, getpid(), SIGTERM), EINVAL);
    fails(syscall(SYS_tgkill, getppid(), getpid(), SIGTERM), ESRCH);
    fails(syscall(SYS_tkill, 0x3fffffff, 0), ESRCH);
}

TEST(the_dead_and_zombies)
{
    siginfo_t info;
    CHILD (pid)
        _exit(0);
    works(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
    same(kill(pid, 0), 0);
    same(kill(pid, SIGKILL), 0);
    same(syscall(SYS_tkill, pid, SIGKILL), 0);
    exits(pid, 0);
    fails(kill(pid, 0), ESRCH);
    fails(syscall(SYS_tkill, pid, 0), ESRCH);
}

TEST(other_users_processes)
{
    pid_t other;
    if (getuid() != 0)
        return;
    sleeper();
    CHILD (other) {
        works(setresuid(ANYBODY, ANYBODY, ANYBODY));
        fails(kill(pid, SIGTERM), EPERM);
        fails(kill(pid, 0), EPERM);
        fails(syscall(SYS_tkill, pid, SIGTERM), EPERM);
        fails(kill(1, SIGTERM), EPERM);
        same(kill(pid, SIGCONT), 0); /* of the same session */
        fails(kill(pid, 65), EINVAL);
    }
    exits(other, 0);
    end_sleeper();
}

TEST(a_process_of_the_same_user)
{
    pid_t other;
    if (getuid() != 0)
        return;
    CHILD (pid) {
        works(setresuid(ANYBODY, ANYBODY, ANYBODY));
        for (;;)
            pause();
    }
    CHILD (other) {
        works(setresuid(ANYBODY, 0, 0));
        works(setresuid(-1, ANYBODY + 1, ANYBODY + 1));
        wait_until(kill(pid, 0) == 0);
        works(kill(pid, SIGTERM));
    }
    exits(other, 0);
    dies(pid, SIGTERM);
}

/* --- stacks ----------------------------------------------------------------------------------------- */

/* Raise SIGUSR1 with the stack pointer at SP. */
static void raise_at(char *sp)
{
    __asm__ volatile("mov %0, %%rsp; syscall"
                     :
                     : "r"(sp), "a"(SYS_tkill), "D"(getpid()), "S"(SIGUSR1)
                     : "rcx", "r11", "memory");
    __builtin_unreachable();
}

static void frame_at(char *sp)
{
    CHILD (pid) {
        signal(SIGUSR1, nothing);
        raise_at(sp);
    }
    dies(pid, SIGSEGV);
}

TEST(a_frame_on_unmapped_memory_kills)
{
    frame_at((char *)(tap_nowhere + 4096));
    frame_at((char *)tap_nowhere);
}

TEST(a_frame_on_read_only_memory_kills)
{
    char *p = mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(p != MAP_FAILED, "mapped");
    frame_at(p + 8 * PAGE);
}

TEST(a_frame_on_kernel_memory_kills)
{
    frame_at(KERNEL + 0x200000);
    frame_at((char *)0xffff888000100000);
    frame_at((char *)-1L);
}

TEST(a_frame_on_non_canonical_addresses_kills)
{
    frame_at(NON_CANONICAL);
    frame_at(NON_CANONICAL + PAGE);
    frame_at((char *)0x7fffffffffffffff);
    frame_at((char *)(1UL << 63));
}

TEST(a_frame_half_on_a_page_that_is_not_there_kills)
{
    char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(p != MAP_FAILED, "mapped");
    works(munmap(p, 2 * PAGE));
    frame_at(p + 2 * PAGE + 900);
}

/* --- handlers and restorers --------------------------------------------------------------------------- */

static void handled_at(void *handler, unsigned long flags, void *restorer)
{
    struct raw_action a = {handler, flags, restorer, 0};
    CHILD (pid) {
        works(syscall(SYS_rt_sigaction, SIGUSR1, &a, NULL, 8));
        raise(SIGUSR1);
    }
    dies(pid, SIGSEGV);
}

TEST(a_handler_that_is_no_code_kills)
{
    handled_at((void *)(tap_nowhere + 64), HAS_RESTORER, (void *)nothing);
    handled_at(KERNEL, HAS_RESTORER, (void *)nothing);
    handled_at(NON_CANONICAL, HAS_RESTORER, (void *)nothing);
    handled_at(&pid, HAS_RESTORER, (void *)nothing);
}

TEST(a_restorer_that_is_no_code_kills)
{
    handled_at((void *)nothing, HAS_RESTORER, NULL);
    handled_at((void *)nothing, HAS_RESTORER, KERNEL);
    handled_at((void *)nothing, HAS_RESTORER, NON_CANONICAL);
}

TEST(an_action_without_restorer_kills)
{
    handled_at((void *)nothing, 0, NULL);
}

/* --- frames ----------------------------------------------------------------------------------------- */

static void return_from(char *sp)
{
    CHILD (pid) {
        __asm__ volatile("mov %0, %%rsp; syscall" : : "r"(sp), "a"(SYS_rt_sigreturn) : "memory");
        __builtin_unreachable();
    }
    dies(pid, SIGSEGV);
}

TEST(sigreturn_without_a_frame_kills)
{
    static char zeroes[4096];
    return_from((char *)(tap_nowhere + 64));
    return_from(KERNEL);
    return_from(NON_CANONICAL);
    return_from((char *)-8L);
    return_from(zeroes + 512);
}

TEST(sigreturn_of_rubbish_kills)
{
    static unsigned char rubbish[8192];
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < sizeof(rubbish); i++)
            rubbish[i] = (unsigned char)(i * 7 + i / 8 * (unsigned)round * 31 + (unsigned)round);
        /* The instruction pointer, which else might be good by accident. */
        memset(rubbish + 512 + 40 + 128, 0x91, 8);
        CHILD (pid) {
            __asm__ volatile("mov %0, %%rsp; syscall"
                             :
                             : "r"(rubbish + 512), "a"(SYS_rt_sigreturn)
                             : "memory");
            __builtin_unreachable();
        }
        int status = tap_reap(pid);
        check(WIFSIGNALED(status), "round %d: %#x", round, (unsigned)status);
    }
}

int main(void)
{
    return tap_run("sigbad");
}

/* musl: actions and their flags, masks while handlers run, the alternate stack, queues and their limit. */
#define _GNU_SOURCE
#include "tap.h"

#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define A_AUTODISARM (1U << 31) /* SS_AUTODISARM */

static volatile int count, depth, deepest;
static volatile int order[128];
static sigset_t mask_inside;
static int status;

static void note(int sig)
{
    order[count++] = sig;
    works(sigprocmask(SIG_BLOCK, NULL, &mask_inside));
}

static void handle(int sig, void (*handler)(int), unsigned flags)
{
    struct sigaction a = {.sa_handler = handler, .sa_flags = (int)flags};
    works(sigaction(sig, &a, NULL));
}

static sigset_t set_of(int a, int b)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, a);
    if (b)
        sigaddset(&set, b);
    return set;
}

static void mask(int how, int a, int b)
{
    sigset_t set = set_of(a, b);
    works(sigprocmask(how, &set, NULL));
}

static bool is_pending(int sig)
{
    sigset_t set;
    works(sigpending(&set));
    return sigismember(&set, sig);
}

/* --- flags ------------------------------------------------------------------------------------------ */

TEST(a_handler_runs_with_its_own_signal_blocked)
{
    handle(SIGUSR1, note, 0);
    works(raise(SIGUSR1));
    same(sigismember(&mask_inside, SIGUSR1), 1);
    same(sigismember(&mask_inside, SIGUSR2), 0);
    works(sigprocmask(SIG_BLOCK, NULL, &mask_inside));
    same(sigismember(&mask_inside, SIGUSR1), 0);
}

TEST(sa_nodefer_leaves_it_open)
{
    handle(SIGUSR1, note, SA_NODEFER);
    works(raise(SIGUSR1));
    same(sigismember(&mask_inside, SIGUSR1), 0);
}

TEST(sa_mask_is_blocked_as_well)
{
    struct sigaction a = {.sa_handler = note};
    sigemptyset(&a.sa_mask);
    sigaddset(&a.sa_mask, SIGUSR2);
    sigaddset(&a.sa_mask, SIGKILL);
    works(sigaction(SIGUSR1, &a, NULL));
    works(raise(SIGUSR1));
    same(sigismember(&mask_inside, SIGUSR2), 1);
    same(sigismember(&mask_inside, SIGKILL), 0);
    works(sigprocmask(SIG_BLOCK, NULL, &mask_inside));
    same(sigismember(&mask_inside, SIGUSR2), 0);
}

static void nest(int sig)
{
    if (++depth > deepest)
        deepest = depth;
    if (deepest < 5)
        raise(sig);
    depth--;
    count++;
}

TEST(with_sa_nodefer_handlers_nest)
{
    handle(SIGUSR1, nest, SA_NODEFER);
    works(raise(SIGUSR1));
    same(deepest, 5);
    same(count, 5);
}

static void again_once(int sig)
{
    depth++;
    if (depth > deepest)
        deepest = depth;
    if (++count == 1)
        raise(sig);
    depth--;
}

TEST(without_it_the_second_runs_after_the_first)
{
    handle(SIGUSR1, again_once, 0);
    works(raise(SIGUSR1));
    same(count, 2);
    same(deepest, 1);
}

TEST(sa_resethand_is_for_one_time)
{
    struct sigaction a;
    pid_t pid;
    handle(SIGUSR1, note, SA_RESETHAND);
    works(raise(SIGUSR1));
    same(count, 1);
    works(sigaction(SIGUSR1, NULL, &a));
    check(a.sa_handler == SIG_DFL, "back to the default");
    CHILD (pid)
        raise(SIGUSR1);
    dies(pid, SIGUSR1);
}

TEST(sigaction_tells_what_was_set)
{
    struct sigaction a = {.sa_handler = note, .sa_flags = SA_RESTART | SA_NODEFER}, old;
    sigemptyset(&a.sa_mask);
    sigaddset(&a.sa_mask, SIGHUP);
    sigaddset(&a.sa_mask, 64);
    works(sigaction(SIGUSR1, &a, NULL));
    works(sigaction(SIGUSR1, NULL, &old));
    check(old.sa_handler == note, "the handler");
    check((old.sa_flags & (SA_RESTART | SA_NODEFER | SA_SIGINFO)) == (SA_RESTART | SA_NODEFER),
          "flags");
    same(sigismember(&old.sa_mask, SIGHUP), 1);
    same(sigismember(&old.sa_mask, 64), 1);
    same(sigismember(&old.sa_mask, SIGINT), 0);
}

TEST(rt_sigaction_refuses_nonsense)
{
    char buf[64] = {0};
    fails(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4), EINVAL);
    fails(syscall(SYS_rt_sigaction, SIGUSR1, NOWHERE, NULL, 8), EFAULT);
    fails(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NOWHERE, 8), EFAULT);
    fails(syscall(SYS_rt_sigaction, 0, buf, NULL, 8), EINVAL);
    fails(syscall(SYS_rt_sigaction, 65, buf, NULL, 8), EINVAL);
    fails(syscall(SYS_rt_sigaction, SIGKILL, buf, NULL, 8), EINVAL);
    same(syscall(SYS_rt_sigaction, SIGKILL, NULL, buf, 8), 0);
    fails(syscall(SYS_rt_sigprocmask, 5, buf, NULL, 8), EINVAL);
    same(syscall(SYS_rt_sigprocmask, 5, NULL, buf, 8), 0);
    fails(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NOWHERE, NULL, 8), EFAULT);
    fails(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 16), EINVAL);
    fails(syscall(SYS_rt_sigpending, NOWHERE, 8), EFAULT);
    fails(syscall(SYS_rt_sigpending, buf, 9), EINVAL);
    fails(syscall(SYS_rt_sigsuspend, NOWHERE, 8), EFAULT);
    fails(syscall(SYS_rt_sigsuspend, buf, 4), EINVAL);
}

TEST(sa_nocldwait_leaves_no_zombies)
{
    pid_t pid;
    handle(SIGCHLD, note, SA_NOCLDWAIT);
    CHILD (pid)
        _exit(3);
    fails(waitpid(pid, &status, 0), ECHILD);
    check(count <= 1, "told at most once");
}

TEST(sa_nocldstop_is_not_told_of_stops)
{
    pid_t pid;
    handle(SIGCHLD, note, SA_NOCLDSTOP);
    CHILD (pid)
        for (;;)
            pause();
    works(kill(pid, SIGSTOP));
    same(waitpid(pid, &status, WUNTRACED), pid);
    works(kill(pid, SIGCONT));
    same(waitpid(pid, &status, WCONTINUED), pid);
    same(count, 0);
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
    wait_until(count == 1);
}

/* --- exec and fork ---------------------------------------------------------------------------------- */

/* Bits of masks are looked for in the digit they are in. */
TEST(exec_resets_handlers_and_keeps_what_is_ignored)
{
    pid_t pid;
    CHILD (pid) {
        handle(SIGUSR1, note, 0);
        signal(SIGUSR2, SIG_IGN);
        mask(SIG_BLOCK, SIGHUP, 0);
        execl("/bin/sh", "sh", "-c",
              "test -n \"$(grep '^SigBlk.*[13579bdf]$' /proc/self/status)\" &&"
              "test -n \"$(grep '^SigIgn.*[89a-f]..$' /proc/self/status)\" &&"
              "test -n \"$(grep '^SigCgt.*[014589cd]..$' /proc/self/status)\"",
              (char *)NULL);
    }
    exits(pid, 0);
}

TEST(pending_signals_survive_exec)
{
    pid_t pid;
    CHILD (pid) {
        mask(SIG_BLOCK, SIGUSR1, 0);
        works(raise(SIGUSR1));
        works(kill(getpid(), SIGUSR1));
        execl("/bin/sh", "sh", "-c",
              "test -n \"$(grep '^SigPnd.*[2367abef]..$' /proc/$$/status)\" &&"
              "test -n \"$(grep '^ShdPnd.*[2367abef]..$' /proc/$$/status)\"",
              (char *)NULL);
    }
    exits(pid, 0);
}

TEST(a_child_inherits_actions)
{
    pid_t pid;
    handle(SIGUSR1, note, 0);
    CHILD (pid) {
        works(raise(SIGUSR1));
        same(count, 1);
    }
    exits(pid, 0);
    same(count, 0);
}

/* --- the alternate stack ---------------------------------------------------------------------------- */

static char *other;
static const size_t other_size = 64 * 1024;
static volatile char *stack_seen;
static stack_t seen;
static jmp_buf back;

static stack_t other_stack(unsigned flags)
{
    if (!other)
        other = mmap(NULL, other_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return (stack_t){.ss_sp = other, .ss_size = other_size, .ss_flags = (int)flags};
}

static bool on_other(void)
{
    return stack_seen >= other && stack_seen < other + other_size;
}

static void note_stack(int sig)
{
    char here;
    stack_seen = &here;
    works(sigaltstack(NULL, &seen));
    count++;
    (void)sig;
}

TEST(sa_onstack_runs_on_the_alternate_stack)
{
    stack_t s = other_stack(0);
    works(sigaltstack(&s, NULL));
    handle(SIGUSR1, note_stack, SA_ONSTACK);
    works(raise(SIGUSR1));
    check(on_other(), "on it");
    same(seen.ss_flags, SS_ONSTACK);
    works(sigaltstack(NULL, &seen));
    same(seen.ss_flags, 0);
    handle(SIGUSR1, note_stack, 0);
    works(raise(SIGUSR1));
    check(!on_other(), "not on it without the flag");
}

static void change_it(int sig)
{
    stack_t s = other_stack(0);
    (void)sig;
    fails(sigaltstack(&s, NULL), EPERM);
    s.ss_flags = SS_DISABLE;
    fails(sigaltstack(&s, NULL), EPERM);
    count++;
}

TEST(while_on_it_it_can_not_be_changed)
{
    stack_t s = other_stack(0);
    works(sigaltstack(&s, NULL));
    handle(SIGUSR1, change_it, SA_ONSTACK);
    works(raise(SIGUSR1));
    same(count, 1);
}

TEST(sigaltstack_refuses_nonsense)
{
    stack_t s = other_stack(0);
    s.ss_size = 2047;
    fails(sigaltstack(&s, NULL), ENOMEM);
    s = other_stack(77);
    fails(sigaltstack(&s, NULL), EINVAL);
    fails(syscall(SYS_sigaltstack, NOWHERE, NULL), EFAULT);
    fails(syscall(SYS_sigaltstack, NULL, NOWHERE), EFAULT);
    works(sigaltstack(NULL, &seen));
    same(seen.ss_flags, SS_DISABLE);
}

TEST(ss_disable_takes_it_away)
{
    stack_t s = other_stack(0);
    works(sigaltstack(&s, NULL));
    s.ss_flags = SS_DISABLE;
    works(sigaltstack(&s, &seen));
    check(seen.ss_sp == other, "it was there");
    handle(SIGUSR1, note_stack, SA_ONSTACK);
    works(raise(SIGUSR1));
    check(!on_other(), "not on it");
}

TEST(ss_autodisarm_takes_it_away_for_the_handler)
{
    stack_t s = other_stack(A_AUTODISARM);
    works(sigaltstack(&s, NULL));
    handle(SIGUSR1, note_stack, SA_ONSTACK);
    works(raise(SIGUSR1));
    check(on_other(), "on it");
    same(seen.ss_flags, SS_DISABLE);
    works(sigaltstack(NULL, &seen));
    check(seen.ss_sp == other && (unsigned)seen.ss_flags == A_AUTODISARM, "it is back");
}

static void leave(int sig)
{
    note_stack(sig);
    longjmp(back, 1);
}

static int fall(volatile int n)
{
    volatile char room[4096];
    room[0] = (char)n;
    return n > 0 ? fall(n + 1) + room[0] : 0;
}

TEST(a_full_stack_is_handled_on_the_other)
{
    stack_t s = other_stack(0);
    struct rlimit l = {512 << 10, RLIM_INFINITY};
    works(setrlimit(RLIMIT_STACK, &l));
    works(sigaltstack(&s, NULL));
    handle(SIGSEGV, leave, SA_ONSTACK | SA_NODEFER);
    if (setjmp(back) == 0)
        fall(1);
    same(count, 1);
    check(on_other(), "on it");
}

TEST(a_full_stack_without_another_kills)
{
    pid_t pid;
    CHILD (pid) {
        struct rlimit l = {512 << 10, RLIM_INFINITY};
        works(setrlimit(RLIMIT_STACK, &l));
        handle(SIGSEGV, leave, 0);
        fall(1);
    }
    dies(pid, SIGSEGV);
}

TEST(a_frame_that_does_not_fit_on_the_alternate_stack_kills)
{
    pid_t pid;
    CHILD (pid) {
        stack_t s = other_stack(0);
        s.ss_size = 2048;
        works(mprotect(other, PAGE, PROT_NONE));
        works(sigaltstack(&s, NULL));
        handle(SIGUSR1, note_stack, SA_ONSTACK);
        raise(SIGUSR1);
    }
    dies(pid, SIGSEGV);
}

static void *thread_asks(void *arg)
{
    works(sigaltstack(NULL, &seen));
    return arg;
}

TEST(a_new_thread_has_no_alternate_stack_a_child_has)
{
    pthread_t t;
    pid_t pid;
    stack_t s = other_stack(0);
    works(sigaltstack(&s, NULL));
    same(pthread_create(&t, NULL, thread_asks, NULL), 0);
    pthread_join(t, NULL);
    same(seen.ss_flags, SS_DISABLE);
    CHILD (pid) {
        works(sigaltstack(NULL, &seen));
        check(seen.ss_sp == other, "inherited");
    }
    exits(pid, 0);
}

/* --- queues ----------------------------------------------------------------------------------------- */

TEST(standard_signals_become_one_real_time_ones_stay)
{
    handle(SIGUSR1, note, 0);
    handle(SIGRTMIN, note, 0);
    mask(SIG_BLOCK, SIGUSR1, SIGRTMIN);
    for (int i = 0; i < 10; i++) {
        works(kill(getpid(), SIGUSR1));
        works(kill(getpid(), SIGRTMIN));
    }
    mask(SIG_UNBLOCK, SIGUSR1, SIGRTMIN);
    same(count, 11);
}

static volatile int values[16];

static void note_value(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    values[count] = info->si_value.sival_int;
    order[count++] = info->si_signo;
}

TEST(real_time_signals_come_in_order)
{
    struct sigaction a = {.sa_flags = SA_SIGINFO};
    a.sa_sigaction = note_value;
    sigfillset(&a.sa_mask);
    works(sigaction(SIGRTMIN + 1, &a, NULL));
    works(sigaction(SIGRTMIN + 2, &a, NULL));
    mask(SIG_BLOCK, SIGRTMIN + 1, SIGRTMIN + 2);
    for (int i = 0; i < 4; i++) {
        works(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 10 + i}));
        works(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i}));
    }
    mask(SIG_UNBLOCK, SIGRTMIN + 1, SIGRTMIN + 2);
    same(count, 8);
    for (int i = 0; i < 4; i++) {
        same(values[i], i);
        same(values[4 + i], 10 + i);
    }
}

TEST(faults_go_first_and_ones_own_before_the_process)
{
    handle(SIGHUP, note, 0);
    handle(SIGUSR1, note, 0);
    handle(SIGUSR2, note, 0);
    sigset_t all;
    sigfillset(&all);
    works(sigprocmask(SIG_BLOCK, &all, NULL));
    works(kill(getpid(), SIGHUP));
    works(syscall(SYS_tkill, getpid(), SIGUSR2));
    works(kill(getpid(), SIGUSR1));
    /* Taken one after the other, not one on top of the other. */
    const int expected[] = {SIGUSR2, SIGHUP, SIGUSR1};
    for (int i = 0; i < 3; i++)
        same(sigwaitinfo(&all, NULL), expected[i]);
}

TEST(the_limit_of_queued_signals_is_eagain)
{
    pid_t pid;
    CHILD (pid) {
        struct rlimit l = {5, 5};
        int sent = 0;
        if (getuid() == 0)
            works(setuid(54394));
        works(setrlimit(RLIMIT_SIGPENDING, &l));
        mask(SIG_BLOCK, SIGRTMIN, SIGUSR1);
        while (sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0)
            check(++sent <= 5, "no more than five");
        same(errno, EAGAIN);
        same(sent, 5);
        works(kill(getpid(), SIGUSR1));
        same(is_pending(SIGUSR1), 1);
        works(kill(getpid(), SIGRTMIN));
        sigset_t set = set_of(SIGRTMIN, 0);
        same(sigwaitinfo(&set, NULL), SIGRTMIN);
        same(sigwaitinfo(&set, NULL), SIGRTMIN); /* SIGUSR1 counts as well */
        works(sigqueue(getpid(), SIGRTMIN, (union sigval){0}));
    }
    exits(pid, 0);
}

TEST(proc_status_shows_what_is_pending)
{
    char text[4096] = "";
    mask(SIG_BLOCK, SIGUSR1, SIGRTMIN);
    works(kill(getpid(), SIGUSR1));
    works(syscall(SYS_tkill, getpid(), SIGRTMIN));
    handle(SIGUSR2, note, 0);
    signal(SIGHUP, SIG_IGN);
    int fd = works(open("/proc/self/status", O_RDONLY));
    works(read(fd, text, sizeof(text) - 1));
    static const struct {
        const char *name;
        int sig;
    } rows[] = {
        {"ShdPnd:", SIGUSR1}, {"SigBlk:", SIGUSR1}, {"SigCgt:", SIGUSR2}, {"SigIgn:", SIGHUP}};
    for (int i = 0; i < 4; i++) {
        const char *at = strstr(text, rows[i].name);
        check(at && strtoull(at + 8, NULL, 16) >> (rows[i].sig - 1) & 1, "%s", rows[i].name);
    }
    check(strtoull(strstr(text, "SigPnd:") + 8, NULL, 16) >> (SIGRTMIN - 1) & 1, "SigPnd:");
    check(strtoull(strstr(text, "SigQ:") + 6, NULL, 10) >= 2, "SigQ:");
}

int main(void)
{
    return tap_run("sigaction");
}

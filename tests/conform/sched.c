/* musl: the scheduling calls, and that nobody starves. */
#define _GNU_SOURCE
#include "tap.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

TEST(yield_works)
{
    for (int i = 0; i < 1000; i++)
        works(sched_yield());
}

TEST(priority_ranges)
{
    same(sched_get_priority_min(SCHED_OTHER), 0);
    same(sched_get_priority_max(SCHED_OTHER), 0);
    same(sched_get_priority_min(SCHED_FIFO), 1);
    same(sched_get_priority_max(SCHED_FIFO), 99);
    same(sched_get_priority_min(SCHED_RR), 1);
    same(sched_get_priority_max(SCHED_RR), 99);
    fails(sched_get_priority_max(77), EINVAL);
    fails(sched_get_priority_min(-1), EINVAL);
}

TEST(policy_is_set_and_read)
{
    struct sched_param param = {.sched_priority = 10};
    same(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
    works(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &param));
    same(syscall(SYS_sched_getscheduler, 0), SCHED_RR);
    param.sched_priority = 0;
    works(syscall(SYS_sched_getparam, 0, &param));
    same(param.sched_priority, 10);
    param.sched_priority = 12;
    works(syscall(SYS_sched_setparam, 0, &param));
    works(syscall(SYS_sched_getparam, getpid(), &param));
    same(param.sched_priority, 12);
    param.sched_priority = 0;
    works(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &param));
    same(syscall(SYS_sched_getscheduler, 0), SCHED_BATCH);
    works(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &param));
}

TEST(policy_arguments_are_checked)
{
    struct sched_param param = {.sched_priority = 0};
    fails(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param), EINVAL);
    param.sched_priority = 100;
    fails(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param), EINVAL);
    param.sched_priority = 1;
    fails(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &param), EINVAL);
    fails(syscall(SYS_sched_setscheduler, 0, 77, &param), EINVAL);
    fails(syscall(SYS_sched_setscheduler, -1, SCHED_OTHER, &param), EINVAL);
    fails(syscall(SYS_sched_getscheduler, 0x3fffffff), ESRCH);
    fails(syscall(SYS_sched_getscheduler, -1), EINVAL);
    fails(syscall(SYS_sched_getparam, 0, NULL), EINVAL);
}

TEST(users_may_not_take_realtime_policies)
{
    struct sched_param param = {.sched_priority = 1};
    struct rlimit none = {0, 0};
    works(setrlimit(RLIMIT_RTPRIO, &none));
    works(syscall(SYS_setresuid, 1000, 1000, 1000));
    fails(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param), EPERM);
}

TEST(affinity_is_read_and_narrowed)
{
    cpu_set_t set, back;
    works(sched_getaffinity(0, sizeof(set), &set));
    check(CPU_COUNT(&set) >= 1, "a processor at least");
    int first = 0;
    while (!CPU_ISSET(first, &set))
        first++;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    works(sched_setaffinity(0, sizeof(one), &one));
    works(sched_getaffinity(0, sizeof(back), &back));
    same(CPU_COUNT(&back), 1);
    check(CPU_ISSET(first, &back), "the one that was asked for");
    same(sched_getcpu(), first);
    CPU_ZERO(&one);
    fails(sched_setaffinity(0, sizeof(one), &one), EINVAL);
    CPU_SET(1000, &one);
    fails(sched_setaffinity(0, sizeof(one), &one), EINVAL);
    fails(sched_getaffinity(0x3fffffff, sizeof(set), &set), ESRCH);
    fails(syscall(SYS_sched_getaffinity, 0, 1, &set), EINVAL);
}

TEST(affinity_moves_between_processors)
{
    cpu_set_t set, one;
    works(sched_getaffinity(0, sizeof(set), &set));
    for (int cpu = 0; cpu < 64; cpu++) {
        if (!CPU_ISSET(cpu, &set))
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        works(sched_setaffinity(0, sizeof(one), &one));
        same(sched_getcpu(), cpu);
    }
}

TEST(nice_adds_up_and_is_clamped)
{
    works(setpriority(PRIO_PROCESS, 0, 0));
    same(nice(5), 5);
    same(getpriority(PRIO_PROCESS, 0), 5);
    works(setpriority(PRIO_PROCESS, 0, 100));
    same(getpriority(PRIO_PROCESS, 0), 19);
    works(setpriority(PRIO_PROCESS, 0, -100));
    same(getpriority(PRIO_PROCESS, 0), -20);
    fails(setpriority(99, 0, 0), EINVAL);
    fails(setpriority(PRIO_PROCESS, 0x3fffffff, 0), ESRCH);
    fails(getpriority(PRIO_PROCESS, 0x3fffffff), ESRCH);
}

TEST(nice_is_inherited)
{
    pid_t pid;
    works(setpriority(PRIO_PROCESS, 0, 7));
    CHILD (pid) {
        same(getpriority(PRIO_PROCESS, 0), 7);
    }
    exits(pid, 0);
}

TEST(round_robin_interval_is_told)
{
    struct timespec ts = {-1, -1};
    works(sched_rr_get_interval(0, &ts));
    check(ts.tv_sec >= 0 && ts.tv_nsec >= 0, "a time");
}

TEST(busy_processes_do_not_starve_others)
{
    enum { BUSY = 8 };
    pid_t pid[BUSY];
    for (int i = 0; i < BUSY; i++)
        CHILD (pid[i]) {
            for (;;)
                __asm__ volatile("");
        }
    for (int i = 0; i < 10; i++)
        pause_a_little();
    for (int i = 0; i < BUSY; i++)
        works(kill(pid[i], SIGKILL));
    for (int i = 0; i < BUSY; i++)
        dies(pid[i], SIGKILL);
}

TEST(busy_processes_all_get_on)
{
    enum { BUSY = 4 };
    volatile unsigned *count =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid[BUSY];
    for (int i = 0; i < BUSY; i++)
        CHILD (pid[i]) {
            for (;;)
                count[i * 16]++;
        }
    for (int i = 0; i < BUSY; i++)
        wait_until(count[i * 16] > 1000);
    for (int i = 0; i < BUSY; i++)
        works(kill(pid[i], SIGKILL));
    for (int i = 0; i < BUSY; i++)
        dies(pid[i], SIGKILL);
}

int main(void)
{
    return tap_run("sched");
}

/* musl: resource limits: reading, setting, and that they hold. Run as root. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static struct rlimit limit;
#define NOBODY 54321 /* a user that has no other process */

static void set(int resource, rlim_t soft, rlim_t hard)
{
    limit = (struct rlimit){soft, hard};
    works(setrlimit(resource, &limit));
}

TEST(what_is_set_is_read_back)
{
    set(RLIMIT_CORE, 1000, 2000);
    works(getrlimit(RLIMIT_CORE, &limit));
    same(limit.rlim_cur, 1000);
    same(limit.rlim_max, 2000);
}

TEST(soft_may_not_pass_hard)
{
    limit = (struct rlimit){11, 10};
    fails(setrlimit(RLIMIT_CORE, &limit), EINVAL);
    fails(getrlimit(16, &limit), EINVAL);
    fails(getrlimit(-1, &limit), EINVAL);
    fails(syscall(SYS_setrlimit, 99, &limit), EINVAL);
}

TEST(users_may_lower_but_not_raise_the_hard_limit)
{
    set(RLIMIT_FSIZE, 1000, 2000);
    works(syscall(SYS_setresuid, 1000, 1000, 1000));
    set(RLIMIT_FSIZE, 2000, 2000);
    set(RLIMIT_FSIZE, 100, 1500);
    limit = (struct rlimit){100, 2000};
    fails(setrlimit(RLIMIT_FSIZE, &limit), EPERM);
}

TEST(limits_are_inherited_by_fork)
{
    pid_t pid;
    set(RLIMIT_NOFILE, 55, 66);
    CHILD (pid) {
        works(getrlimit(RLIMIT_NOFILE, &limit));
        same(limit.rlim_cur, 55);
        same(limit.rlim_max, 66);
        set(RLIMIT_NOFILE, 10, 10);
    }
    exits(pid, 0);
    works(getrlimit(RLIMIT_NOFILE, &limit));
    same(limit.rlim_cur, 55);
}

TEST(prlimit_sets_and_returns_the_old)
{
    struct rlimit new = {7, 8}, old;
    set(RLIMIT_CORE, 5, 9);
    works(prlimit(0, RLIMIT_CORE, &new, &old));
    same(old.rlim_cur, 5);
    same(old.rlim_max, 9);
    works(prlimit(getpid(), RLIMIT_CORE, NULL, &old));
    same(old.rlim_cur, 7);
    fails(prlimit(0x3fffffff, RLIMIT_CORE, NULL, &old), ESRCH);
}

TEST(fsize_limit_kills_by_sigxfsz)
{
    pid_t pid;
    CHILD (pid) {
        set(RLIMIT_FSIZE, 1000, 1000);
        int fd = works(open("f", O_WRONLY | O_CREAT, 0600));
        works(lseek(fd, 1000, SEEK_SET));
        write(fd, "x", 1);
    }
    dies(pid, SIGXFSZ);
}

TEST(fsize_limit_is_efbig_when_the_signal_is_ignored)
{
    static char buf[2000];
    signal(SIGXFSZ, SIG_IGN);
    set(RLIMIT_FSIZE, 1000, 1000);
    int fd = works(open("f", O_WRONLY | O_CREAT, 0600));
    same(write(fd, buf, sizeof(buf)), 1000);
    fails(write(fd, buf, 1), EFBIG);
    fails(ftruncate(fd, 1001), EFBIG);
    works(ftruncate(fd, 1000));
}

TEST(address_space_limit_is_enomem)
{
    set(RLIMIT_AS, 64 << 20, RLIM_INFINITY);
    check(mmap(NULL, 65 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
              errno == ENOMEM,
          "one mapping over the limit: ENOMEM");
    int n = 0;
    while (mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
        n++;
    same(errno, ENOMEM);
    check(n > 40 && n <= 64, "about 64 MiB in all, got %d", n);
}

TEST(data_limit_stops_brk)
{
    char *start = sbrk(0);
    set(RLIMIT_DATA, 4 << 20, RLIM_INFINITY);
    same(syscall(SYS_brk, start + (8 << 20)), start);
    same(syscall(SYS_brk, start + (1 << 20)), start + (1 << 20));
}

TEST(process_limit_stops_fork)
{
    int p[2], n = 0;
    char c;
    works(pipe(p));
    set(RLIMIT_NPROC, 10, 10);
    works(syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY));
    pid_t pid;
    while (n < 50 && (pid = fork()) >= 0) {
        if (pid == 0) {
            works(close(p[1]));
            read(p[0], &c, 1);
            _exit(0);
        }
        n++;
    }
    same(pid, -1);
    same(errno, EAGAIN);
    same(n, 9);
    works(close(p[1]));
    for (int i = 0; i < n; i++)
        works(wait(NULL));
    CHILD (pid) {}
    exits(pid, 0);
}

TEST(root_is_not_bound_by_the_process_limit)
{
    pid_t pid;
    set(RLIMIT_NPROC, 0, 0);
    CHILD (pid) {}
    exits(pid, 0);
}

TEST(memlock_limit_binds_users)
{
    char *p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    set(RLIMIT_MEMLOCK, 8 * PAGE, 8 * PAGE);
    works(syscall(SYS_setresuid, 1000, 1000, 1000));
    works(mlock(p, 8 * PAGE));
    fails(mlock(p, 16 * PAGE), ENOMEM);
    works(munlock(p, 8 * PAGE));
    set(RLIMIT_MEMLOCK, 0, 0);
    fails(mlock(p, PAGE), EPERM);
}

TEST(nice_limit_binds_users)
{
    set(RLIMIT_NICE, 0, 0);
    works(setpriority(PRIO_PROCESS, 0, 5));
    works(syscall(SYS_setresuid, 1000, 1000, 1000));
    works(setpriority(PRIO_PROCESS, 0, 6));
    fails(setpriority(PRIO_PROCESS, 0, 5), EACCES);
    same(getpriority(PRIO_PROCESS, 0), 6);
}

TEST(cpu_limit_kills_a_loop)
{
    pid_t pid;
    CHILD (pid) {
        set(RLIMIT_CPU, 1, 1000); /* where stolen time counts, a second may go by at once */
        for (;;)
            __asm__ volatile("pause");
    }
    dies(pid, SIGXCPU);
}

TEST(usage_of_children_counts_after_they_are_reaped)
{
    struct rusage before, after;
    pid_t pid;
    works(getrusage(RUSAGE_CHILDREN, &before));
    CHILD (pid) {
        struct timespec start, now;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
        do
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        while ((now.tv_sec - start.tv_sec) * 1000000000L + now.tv_nsec - start.tv_nsec < 50000000);
    }
    exits(pid, 0);
    works(getrusage(RUSAGE_CHILDREN, &after));
    long used = (after.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_utime.tv_sec -
                 before.ru_stime.tv_sec) *
                    1000000 +
                after.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_utime.tv_usec -
                before.ru_stime.tv_usec;
    check(used >= 30000, "30 ms at least, got %ld us", used);
    fails(getrusage(5, &after), EINVAL);
}

int main(void)
{
    return tap_run("limits");
}

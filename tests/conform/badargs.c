/*
 * Bad arguments for every call: wild pointers, closed descriptors, impossible lengths. A row is a call with
 * arguments that are right but for one; the tokens below stand for what is made when the test starts.
 */
#include "tap.h"

#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <abi/futex.h>

#define WILD 0xbad00001   /* a pointer to nowhere, of several kinds */
#define FILE_FD 40        /* "file", with text in it */
#define DIR_FD 41         /* "." */
#define PIPE_FD 42        /* a pipe with a byte in it */
#define GOOD ((long)good) /* memory that may be read and written */
#define HERE AT_FDCWD
#define NO_FD 0xbad00002 /* a descriptor that isn't open */

static char good[8192] __attribute__((aligned(4096)));

struct row {
    const char *name;
    long nr;
    long args[6];
};

#define ROW(call, ...)     \
    {                      \
#call, SYS_##call, \
        {                  \
            __VA_ARGS__    \
        }                  \
    }
#define S(text) ((long)(text))

static void make_fixture(void)
{
    int p[2];
    gid_t group = 7;
    make_file("file", "some text, long enough to be read");
    works(symlink("file", "link"));
    works(dup2(works(open("file", O_RDWR)), FILE_FD));
    works(dup2(works(open(".", O_RDONLY | O_DIRECTORY)), DIR_FD));
    works(pipe(p));
    same(write(p[1], "x", 1), 1);
    works(dup2(p[0], PIPE_FD));
    works(syscall(SYS_setgroups, 1, &group));
}

/* Each row with TOKEN replaced by VALUE must fail with ERROR, and nothing may happen to this process. */
static void all_fail(const struct row *rows, size_t count, long token, long value, int error)
{
    for (size_t i = 0; i < count; i++) {
        long a[6];
        for (int k = 0; k < 6; k++)
            a[k] = rows[i].args[k] == token ? value : rows[i].args[k];
        errno = 0;
        long got = syscall(rows[i].nr, a[0], a[1], a[2], a[3], a[4], a[5]);
        if (got != -1 || errno != error)
            tap_fail("row %d, %s: expected errno %d, got %ld, errno %d: %s", (int)i, rows[i].name,
                     error, got, errno, strerror(errno));
    }
}

#define ALL_FAIL(rows, token, value, error) \
    all_fail(rows, sizeof(rows) / sizeof((rows)[0]), token, value, error)

static const struct row wild_rows[] = {
    ROW(read, FILE_FD, WILD, 16),
    ROW(read, PIPE_FD, WILD, 16),
    ROW(write, FILE_FD, WILD, 16),
    ROW(pread64, FILE_FD, WILD, 16, 0),
    ROW(pwrite64, FILE_FD, WILD, 16, 0),
    ROW(readv, FILE_FD, WILD, 1),
    ROW(writev, FILE_FD, WILD, 1),
    ROW(preadv, FILE_FD, WILD, 1, 0, 0),
    ROW(pwritev, FILE_FD, WILD, 1, 0, 0),
    ROW(preadv2, FILE_FD, WILD, 1, 0, 0, 0),
    ROW(pwritev2, FILE_FD, WILD, 1, 0, 0, 0),
    ROW(open, WILD, O_RDONLY),
    ROW(openat, HERE, WILD, O_RDONLY),
    ROW(openat2, HERE, WILD, S(good), 24),
    ROW(openat2, HERE, S("file"), WILD, 24),
    ROW(creat, WILD, 0600),
    ROW(stat, WILD, S(good)),
    ROW(stat, S("file"), WILD),
    ROW(lstat, WILD, S(good)),
    ROW(lstat, S("file"), WILD),
    ROW(fstat, FILE_FD, WILD),
    ROW(newfstatat, HERE, WILD, S(good), 0),
    ROW(newfstatat, HERE, S("file"), WILD, 0),
    ROW(statx, HERE, WILD, 0, 0x7ff, S(good)),
    ROW(statx, HERE, S("file"), 0, 0x7ff, WILD),
    ROW(statfs, WILD, S(good)),
    ROW(statfs, S("."), WILD),
    ROW(fstatfs, FILE_FD, WILD),
    ROW(access, WILD, F_OK),
    ROW(faccessat, HERE, WILD, F_OK),
    ROW(faccessat2, HERE, WILD, F_OK, 0),
    ROW(truncate, WILD, 0),
    ROW(chdir, WILD),
    ROW(chroot, WILD),
    ROW(getcwd, WILD, 4096),
    ROW(rename, WILD, S("x")),
    ROW(rename, S("file"), WILD),
    ROW(renameat, HERE, WILD, HERE, S("x")),
    ROW(renameat2, HERE, S("file"), HERE, WILD, 0),
    ROW(mkdir, WILD, 0755),
    ROW(mkdirat, HERE, WILD, 0755),
    ROW(rmdir, WILD),
    ROW(link, WILD, S("x")),
    ROW(link, S("file"), WILD),
    ROW(linkat, HERE, S("file"), HERE, WILD, 0),
    ROW(unlink, WILD),
    ROW(unlinkat, HERE, WILD, 0),
    ROW(symlink, WILD, S("x")),
    ROW(symlink, S("file"), WILD),
    ROW(symlinkat, S("file"), HERE, WILD),
    ROW(readlink, WILD, S(good), 10),
    ROW(readlink, S("link"), WILD, 10),
    ROW(readlinkat, HERE, S("link"), WILD, 10),
    ROW(chmod, WILD, 0600),
    ROW(fchmodat, HERE, WILD, 0600),
    ROW(chown, WILD, 0, 0),
    ROW(lchown, WILD, 0, 0),
    ROW(fchownat, HERE, WILD, 0, 0, 0),
    ROW(mknod, WILD, S_IFREG | 0600, 0),
    ROW(mknodat, HERE, WILD, S_IFREG | 0600, 0),
    ROW(utime, WILD, 0),
    ROW(utime, S("file"), WILD),
    ROW(utimes, WILD, 0),
    ROW(utimes, S("file"), WILD),
    ROW(utimensat, HERE, WILD, 0, 0),
    ROW(utimensat, HERE, S("file"), WILD, 0),
    ROW(getdents, DIR_FD, WILD, 4096),
    ROW(getdents64, DIR_FD, WILD, 4096),
    ROW(pipe, WILD),
    ROW(pipe2, WILD, 0),
    ROW(poll, WILD, 1, 0),
    ROW(ppoll, WILD, 1, 0, 0, 8),
    ROW(ppoll, S(good), 0, WILD, 0, 8),
    ROW(ppoll, S(good), 0, 0, WILD, 8),
    ROW(select, 1, WILD, 0, 0, 0),
    ROW(select, 1, 0, WILD, 0, 0),
    ROW(select, 0, 0, 0, 0, WILD),
    ROW(pselect6, 1, WILD, 0, 0, 0, 0),
    ROW(pselect6, 0, 0, 0, 0, WILD, 0),
    ROW(pselect6, 0, 0, 0, 0, 0, WILD),
    ROW(ioctl, PIPE_FD, 0x541b, WILD),
    ROW(fcntl, FILE_FD, F_GETLK, WILD),
    ROW(fcntl, FILE_FD, F_SETLK, WILD),
    ROW(sendfile, PIPE_FD + 100, FILE_FD, WILD, 1),
    ROW(copy_file_range, FILE_FD, WILD, FILE_FD, 0, 1, 0),
    ROW(copy_file_range, FILE_FD, 0, FILE_FD, WILD, 1, 0),
    ROW(mount, S("none"), WILD, S("tmpfs"), 0, 0),
    ROW(mount, WILD, S("."), S("tmpfs"), 0, 0),
    ROW(mount, S("none"), S("."), WILD, 0, 0),
    ROW(umount2, WILD, 0),
    ROW(rt_sigaction, SIGUSR1, WILD, 0, 8),
    ROW(rt_sigaction, SIGUSR1, 0, WILD, 8),
    ROW(rt_sigprocmask, 0, WILD, 0, 8),
    ROW(rt_sigprocmask, 0, 0, WILD, 8),
    ROW(rt_sigpending, WILD, 8),
    ROW(rt_sigsuspend, WILD, 8),
    ROW(rt_sigtimedwait, WILD, 0, 0, 8),
    ROW(rt_sigqueueinfo, 1, SIGUSR1, WILD),
    ROW(sigaltstack, WILD, 0),
    ROW(sigaltstack, 0, WILD),
    ROW(nanosleep, WILD, 0),
    ROW(setitimer, 0, WILD, 0),
    ROW(setitimer, 0, 0, WILD),
    ROW(getitimer, 0, WILD),
    ROW(timer_create, 1, WILD, S(good)),
    ROW(timer_create, 1, 0, WILD),
    ROW(timer_settime, 0, 0, WILD, 0),
    ROW(timerfd_settime, FILE_FD, 0, WILD, 0),
    ROW(epoll_ctl, FILE_FD, 1, PIPE_FD, WILD),
    ROW(epoll_pwait2, FILE_FD, GOOD, 1, WILD, 0, 8),
    ROW(clock_nanosleep, 1, 0, WILD, 0),
    ROW(clock_gettime, 0, WILD),
    ROW(clock_gettime, 1, WILD),
    ROW(clock_gettime, 2, WILD),
    ROW(clock_getres, 1, WILD),
    ROW(clock_settime, 0, WILD),
    ROW(gettimeofday, WILD, 0),
    ROW(gettimeofday, 0, WILD),
    ROW(settimeofday, WILD, 0),
    ROW(time, WILD),
    ROW(times, WILD),
    ROW(uname, WILD),
    ROW(sysinfo, WILD),
    ROW(sethostname, WILD, 5),
    ROW(setdomainname, WILD, 5),
    ROW(getrlimit, 1, WILD),
    ROW(setrlimit, 1, WILD),
    ROW(prlimit64, 0, 1, WILD, 0),
    ROW(prlimit64, 0, 1, 0, WILD),
    ROW(getrusage, 0, WILD),
    ROW(getgroups, 10, WILD),
    ROW(setgroups, 1, WILD),
    ROW(getresuid, WILD, S(good), S(good)),
    ROW(getresuid, S(good), S(good), WILD),
    ROW(getresgid, S(good), WILD, S(good)),
    ROW(capget, WILD, 0),
    ROW(capset, WILD, S(good)),
    ROW(sched_setparam, 0, WILD),
    ROW(sched_getparam, 0, WILD),
    ROW(sched_setscheduler, 0, 0, WILD),
    ROW(sched_rr_get_interval, 0, WILD),
    ROW(sched_setaffinity, 0, 8, WILD),
    ROW(sched_getaffinity, 0, 128, WILD),
    ROW(sched_setattr, 0, WILD, 0),
    ROW(sched_getattr, 0, WILD, 56, 0),
    ROW(getcpu, WILD, 0, 0),
    ROW(getcpu, 0, WILD, 0),
    ROW(prctl, 15, WILD),
    ROW(prctl, 16, WILD),
    ROW(prctl, 2, WILD),
    ROW(arch_prctl, 0x1003, WILD),
    ROW(futex, WILD, FUTEX_WAIT, 0, 0),
    ROW(futex, S(good), FUTEX_WAIT, 0, WILD),
    ROW(get_robust_list, 0, WILD, S(good)),
    ROW(get_robust_list, 0, S(good), WILD),
    ROW(execve, WILD, S(good), S(good)),
    ROW(execveat, HERE, WILD, 0, 0, 0),
    ROW(clone3, WILD, 64),
    ROW(getrandom, WILD, 16, 0),
    ROW(mincore, S(good), 4096, WILD),
};

static void wild(long address)
{
    make_fixture();
    int p[2];
    works(pipe(p));
    works(dup2(p[1], PIPE_FD + 100));
    ALL_FAIL(wild_rows, WILD, address, EFAULT);
}

TEST(pointers_near_zero_are_efault)
{
    wild(8);
}

TEST(pointers_into_the_kernel_are_efault)
{
    wild((long)0xffffffff80000000);
}

TEST(pointers_into_the_direct_map_are_efault)
{
    wild((long)0xffff888000000000);
}

TEST(non_canonical_pointers_are_efault)
{
    wild((long)0x8000000000000000);
}

TEST(pointers_at_the_very_top_are_efault)
{
    wild(-8L);
}

TEST(pointers_just_above_the_user_half_are_efault)
{
    wild(0x00007ffffffff000);
}

TEST(pointers_to_prot_none_are_efault)
{
    wild((long)mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static const struct row output_rows[] = {
    ROW(read, FILE_FD, WILD, 16),
    ROW(pread64, FILE_FD, WILD, 16, 0),
    ROW(stat, S("file"), WILD),
    ROW(fstat, FILE_FD, WILD),
    ROW(statx, HERE, S("file"), 0, 0x7ff, WILD),
    ROW(statfs, S("."), WILD),
    ROW(getcwd, WILD, 4096),
    ROW(readlink, S("link"), WILD, 10),
    ROW(getdents64, DIR_FD, WILD, 4096),
    ROW(pipe, WILD),
    ROW(uname, WILD),
    ROW(sysinfo, WILD),
    ROW(clock_gettime, 1, WILD),
    ROW(getrlimit, 1, WILD),
    ROW(getrusage, 0, WILD),
    ROW(getrandom, WILD, 16, 0),
    ROW(rt_sigprocmask, 0, 0, WILD, 8),
};

TEST(read_only_memory_is_efault_for_output)
{
    make_fixture();
    ALL_FAIL(output_rows, WILD,
             (long)mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EFAULT);
}

static const struct row fd_rows[] = {
    ROW(read, NO_FD, GOOD, 1),
    ROW(write, NO_FD, GOOD, 1),
    ROW(close, NO_FD),
    ROW(fstat, NO_FD, GOOD),
    ROW(lseek, NO_FD, 0, SEEK_SET),
    ROW(ioctl, NO_FD, 0x5401, GOOD),
    ROW(pread64, NO_FD, GOOD, 1, 0),
    ROW(pwrite64, NO_FD, GOOD, 1, 0),
    ROW(readv, NO_FD, GOOD, 1),
    ROW(writev, NO_FD, GOOD, 1),
    ROW(preadv, NO_FD, GOOD, 1, 0, 0),
    ROW(pwritev, NO_FD, GOOD, 1, 0, 0),
    ROW(dup, NO_FD),
    ROW(dup2, NO_FD, 50),
    ROW(dup3, NO_FD, 50, 0),
    ROW(fcntl, NO_FD, F_GETFD, 0),
    ROW(flock, NO_FD, 1),
    ROW(fsync, NO_FD),
    ROW(fdatasync, NO_FD),
    ROW(syncfs, NO_FD),
    ROW(ftruncate, NO_FD, 0),
    ROW(fallocate, NO_FD, 0, 0, 1),
    ROW(fadvise64, NO_FD, 0, 0, 0),
    ROW(readahead, NO_FD, 0, 1),
    ROW(getdents, NO_FD, GOOD, 4096),
    ROW(getdents64, NO_FD, GOOD, 4096),
    ROW(fchdir, NO_FD),
    ROW(fchmod, NO_FD, 0600),
    ROW(fchown, NO_FD, 0, 0),
    ROW(fstatfs, NO_FD, GOOD),
    ROW(sendfile, NO_FD, FILE_FD, 0, 1),
    ROW(sendfile, FILE_FD, NO_FD, 0, 1),
    ROW(copy_file_range, NO_FD, 0, FILE_FD, 0, 1, 0),
    ROW(copy_file_range, FILE_FD, 0, NO_FD, 0, 1, 0),
    ROW(openat, NO_FD, S("file"), 0),
    ROW(mkdirat, NO_FD, S("d"), 0700),
    ROW(mknodat, NO_FD, S("n"), S_IFREG, 0),
    ROW(fchownat, NO_FD, S("file"), 0, 0, 0),
    ROW(newfstatat, NO_FD, S("file"), GOOD, 0),
    ROW(unlinkat, NO_FD, S("file"), 0),
    ROW(renameat, NO_FD, S("file"), HERE, S("x")),
    ROW(renameat, HERE, S("file"), NO_FD, S("x")),
    ROW(linkat, NO_FD, S("file"), HERE, S("x"), 0),
    ROW(linkat, HERE, S("file"), NO_FD, S("x"), 0),
    ROW(symlinkat, S("file"), NO_FD, S("x")),
    ROW(readlinkat, NO_FD, S("link"), GOOD, 10),
    ROW(fchmodat, NO_FD, S("file"), 0600),
    ROW(faccessat, NO_FD, S("file"), 0),
    ROW(utimensat, NO_FD, S("file"), 0, 0),
    ROW(utimensat, NO_FD, 0, 0, 0),
    ROW(statx, NO_FD, S("file"), 0, 0x7ff, GOOD),
    ROW(execveat, NO_FD, S("file"), 0, 0, 0),
    ROW(mmap, 0, 4096, PROT_READ, MAP_PRIVATE, NO_FD, 0),
};

TEST(closed_descriptors_are_ebadf)
{
    make_fixture();
    ALL_FAIL(fd_rows, NO_FD, 60, EBADF);
}

TEST(negative_descriptors_are_ebadf)
{
    make_fixture();
    ALL_FAIL(fd_rows, NO_FD, -1, EBADF);
    ALL_FAIL(fd_rows, NO_FD, INT_MIN, EBADF);
}

TEST(huge_descriptors_are_ebadf)
{
    make_fixture();
    ALL_FAIL(fd_rows, NO_FD, INT_MAX, EBADF);
    ALL_FAIL(fd_rows, NO_FD, 1 << 20, EBADF);
}

static const struct row invalid_rows[] = {
    ROW(munmap, GOOD, -4096),
    ROW(readv, FILE_FD, GOOD, -1),
    ROW(writev, FILE_FD, GOOD, 1025),
    ROW(readlink, S("link"), GOOD, -1),
    ROW(readlink, S("link"), GOOD, 0),
    ROW(getgroups, -1, GOOD),
    ROW(setgroups, 65537, GOOD),
    ROW(sethostname, GOOD, -1),
    ROW(pread64, FILE_FD, GOOD, 1, -1),
    ROW(pwrite64, FILE_FD, GOOD, 1, -1),
    ROW(lseek, FILE_FD, -1, SEEK_SET),
    ROW(lseek, FILE_FD, 0, 9),
    ROW(ftruncate, FILE_FD, -1),
    ROW(truncate, S("file"), LONG_MIN),
    ROW(fallocate, FILE_FD, 0, -1, 1),
    ROW(fallocate, FILE_FD, 0, 0, -1),
    ROW(fallocate, FILE_FD, 0, 0, 0),
    ROW(poll, GOOD, -1, 0),
    ROW(select, -1, 0, 0, 0, 0),
    ROW(rt_sigaction, 0, 0, 0, 8),
    ROW(rt_sigaction, 65, 0, 0, 8),
    ROW(rt_sigaction, SIGUSR1, 0, 0, 4),
    ROW(rt_sigprocmask, 0, 0, 0, 9),
    ROW(rt_sigsuspend, GOOD, 7),
    ROW(kill, 1, 99),
    ROW(dup3, FILE_FD, FILE_FD, 0),
    ROW(dup3, FILE_FD, 50, 1),
    ROW(pipe2, GOOD, 1),
    ROW(fcntl, FILE_FD, 9999, 0),
    ROW(flock, FILE_FD, 0x1000),
    ROW(getrlimit, 99, GOOD),
    ROW(prlimit64, 0, 99, 0, GOOD),
    ROW(getrusage, 99, GOOD),
    ROW(setpriority, 9, 0, 0),
    ROW(wait4, -1, 0, 0x100, 0),
    ROW(waitid, P_PID, 1, GOOD, 0, 0),
    ROW(clock_gettime, 77, GOOD),
    ROW(clock_nanosleep, 77, 0, GOOD, 0),
    ROW(utimensat, HERE, S("file"), 0, 0x80),
    ROW(unlinkat, HERE, S("file"), 1),
    ROW(linkat, HERE, S("file"), HERE, S("x"), 1),
    ROW(renameat2, HERE, S("file"), HERE, S("x"), 0x80),
    ROW(newfstatat, HERE, S("file"), GOOD, 1),
    ROW(faccessat2, HERE, S("file"), 0, 1),
    ROW(access, S("file"), 64),
    ROW(futex, GOOD + 1, FUTEX_WAIT, 0, 0),
    ROW(mprotect, GOOD + 1, 4096, PROT_READ),
    ROW(mremap, GOOD + 1, 4096, 4096, 0),
    ROW(madvise, GOOD, 4096, 9999),
    ROW(msync, GOOD, 4096, 64),
    ROW(mlockall, 64),
    ROW(getrandom, GOOD, 16, 64),
    ROW(prctl, 99999, 0, 0, 0, 0),
    ROW(arch_prctl, 99999, 0),
    ROW(clone, 0x800, 0, 0, 0, 0),
    ROW(clone, 0x10000, 0, 0, 0, 0),
    ROW(clone3, GOOD, 8),
    ROW(execveat, HERE, S("file"), 0, 0, 1),
    ROW(sched_setaffinity, 0, 0, GOOD),
    ROW(sched_getaffinity, 0, 4, GOOD),
    ROW(sched_getscheduler, -1),
    ROW(sched_get_priority_max, 99),
    ROW(reboot, 0, 0, 0, 0),
    ROW(openat2, HERE, S("file"), GOOD, 8),
    ROW(syslog, 99, 0, 0),
    ROW(copy_file_range, FILE_FD, 0, FILE_FD, 0, 1, 1),
    ROW(set_robust_list, GOOD, 5),
    ROW(membarrier, 1 << 30, 0, 0),
    ROW(close_range, 10, 5, 0),
    ROW(fadvise64, FILE_FD, 0, 0, 99),
    ROW(umount2, S("."), 0x100),
};

TEST(impossible_values_are_einval)
{
    make_fixture();
    memset(good, 0, sizeof(good));
    ALL_FAIL(invalid_rows, WILD, 0, EINVAL);
}

static const struct row huge_rows[] = {
    ROW(read, FILE_FD, GOOD, -1),
    ROW(write, FILE_FD, GOOD, -1),
    ROW(pread64, FILE_FD, GOOD, LONG_MIN, 0),
    ROW(pwrite64, FILE_FD, GOOD, LONG_MIN, 0),
};

TEST(lengths_beyond_the_address_space_are_efault)
{
    make_fixture();
    ALL_FAIL(huge_rows, WILD, 0, EFAULT);
}

TEST(huge_mappings_are_enomem)
{
    static const struct row rows[] = {
        ROW(mmap, 0, LONG_MAX, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        ROW(mmap, 0, -4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        ROW(mmap, 0, -1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        ROW(mprotect, 0x7fffff000000, 1L << 40, PROT_READ),
        ROW(madvise, 0x10000, 1L << 40, 0),
    };
    ALL_FAIL(rows, WILD, 0, ENOMEM);
}

/* A page with its successor missing: what lies in it may be used up to its last byte. */
static char *page_with_cliff(void)
{
    char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    works(munmap(p + PAGE, PAGE));
    return p + PAGE;
}

TEST(a_path_may_end_with_the_page)
{
    char *cliff = page_with_cliff();
    make_fixture();
    memcpy(cliff - 5, "file", 5);
    works(access(cliff - 5, F_OK));
    memcpy(cliff - 4, "file", 4);
    fails(access(cliff - 4, F_OK), EFAULT);
    fails(open(cliff - 4, O_WRONLY | O_CREAT, 0600), EFAULT);
}

TEST(a_read_that_runs_off_the_page_stops_there)
{
    char *cliff = page_with_cliff();
    make_fixture();
    same(read(FILE_FD, cliff - 4, 16), 4);
    same(memcmp(cliff - 4, "some", 4), 0);
    same(lseek(FILE_FD, 0, SEEK_CUR), 4);
}

TEST(structures_that_run_off_the_page_are_efault)
{
    char *cliff = page_with_cliff();
    make_fixture();
    fails(stat("file", (struct stat *)(cliff - 8)), EFAULT);
    fails(syscall(SYS_uname, cliff - 8), EFAULT);
    fails(syscall(SYS_pipe, cliff - 4), EFAULT);
    fails(syscall(SYS_clock_gettime, 1, cliff - 8), EFAULT);
    fails(syscall(SYS_rt_sigaction, SIGUSR1, cliff - 8, NULL, 8), EFAULT);
    fails(syscall(SYS_nanosleep, cliff - 8, NULL), EFAULT);
}

TEST(a_failed_pipe_leaves_no_descriptors)
{
    int first = works(dup(0));
    works(close(first));
    for (int i = 0; i < 100; i++)
        fails(syscall(SYS_pipe, NOWHERE), EFAULT);
    same(works(dup(0)), first);
}

TEST(a_failed_open_leaves_no_file_open)
{
    struct rlimit limit = {30, 30};
    works(setrlimit(RLIMIT_NOFILE, &limit));
    for (int i = 0; i < 100; i++) {
        fails(open("nowhere", O_RDONLY), ENOENT);
        fails(open(NOWHERE, O_RDONLY), EFAULT);
        fails(open(".", O_RDWR), EISDIR);
    }
    works(open("/dev/null", O_RDONLY));
}

int main(void)
{
    return tap_run("badargs");
}

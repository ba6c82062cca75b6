/* musl: /proc: what it says about a process whose facts the test knows from elsewhere, and who may see it. */
#define _GNU_SOURCE
#include "tap.h"

#include <limits.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static char text[65536];

/* The whole of a file as a string; its length or -errno. */
static long slurp(const char *path)
{
    int fd = open(path, O_RDONLY);
    long n, sum = 0;

    if (fd < 0)
        return -errno;
    while ((n = read(fd, text + sum, sizeof(text) - 1 - (size_t)sum)) > 0)
        sum += n;
    if (n < 0)
        sum = -errno;
    text[sum > 0 ? sum : 0] = '\0';
    close(fd);
    return sum;
}

static const char *of_process(pid_t pid, const char *name)
{
    static char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return path;
}

/* The number behind "NAME:" at the start of a line of text. */
static long field(const char *name)
{
    size_t n = strlen(name);

    for (char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, name, n) == 0 && line[n] == ':')
            return strtol(line + n + 1, NULL, 0);
    return -12345;
}

/* Field N (from 1) of /proc/PID/stat, counted as proc(5) does. */
static long stat_field(int n)
{
    char *s = strrchr(text, ')') + 2;

    for (int i = 3; i < n; i++)
        s = strchr(s, ' ') + 1;
    return strtol(s, NULL, 10);
}

static const char *link_text(const char *path)
{
    static char target[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof(target) - 1);

    target[n > 0 ? n : 0] = '\0';
    return n < 0 ? NULL : target;
}

TEST(self_is_the_reader)
{
    char me[16];

    snprintf(me, sizeof(me), "%d", (int)getpid());
    same_text(link_text("/proc/self"), me);
}

TEST(stat_names_ids_and_has_52_fields)
{
    int fields = 2;

    check(slurp("/proc/self/stat") > 0, "a line");
    same(strtol(text, NULL, 10), getpid());
    same(stat_field(4), getppid());
    same(stat_field(5), getpgrp());
    same(stat_field(6), getsid(0));
    same(stat_field(20), 1); /* threads */
    for (char *s = strrchr(text, ')') + 1; *s; s++)
        fields += *s == ' ';
    same(fields, 52);
    same(text[strlen(text) - 1], '\n');
}

TEST(stat_shows_the_state)
{
    int p[2];
    pid_t pid;

    works(pipe(p));
    CHILD (pid) {
        close(p[1]);
        (void)!read(p[0], text, 1);
    }
    wait_until(slurp(of_process(pid, "stat")) > 0 && strrchr(text, ')')[2] == 'S');
    works(kill(pid, SIGSTOP));
    wait_until(slurp(of_process(pid, "stat")) > 0 && strrchr(text, ')')[2] == 'T');
    works(kill(pid, SIGKILL));
    wait_until(slurp(of_process(pid, "stat")) > 0 && strrchr(text, ')')[2] == 'Z');
    dies(pid, SIGKILL);
    same(slurp(of_process(pid, "stat")), -ENOENT);
}

TEST(status_agrees_with_the_calls)
{
    check(slurp("/proc/self/status") > 0, "a page");
    same(field("Pid"), getpid());
    same(field("Tgid"), getpid());
    same(field("PPid"), getppid());
    same(field("Uid"), getuid());
    same(field("Threads"), 1);
    same(field("Umask"), 022);
    check(field("VmRSS") > 0 && field("VmSize") >= field("VmRSS"), "sizes that make sense");
}

TEST(status_shows_signals)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    works(sigprocmask(SIG_BLOCK, &set, NULL));
    signal(SIGUSR2, SIG_IGN);
    works(raise(SIGUSR1));
    check(slurp("/proc/self/status") > 0, "a page");
    const char *blocked = strstr(text, "SigBlk:\t"), *ignored = strstr(text, "SigIgn:\t");
    same(strtol(blocked + 8, NULL, 16), 1L << (SIGUSR1 - 1));
    same(strtol(ignored + 8, NULL, 16) & (1L << (SIGUSR2 - 1)), 1L << (SIGUSR2 - 1));
    const char *pending = strstr(text, "SigPnd:\t"), *shared = strstr(text, "ShdPnd:\t");
    same(strtol(pending + 8, NULL, 16) | strtol(shared + 8, NULL, 16), 1L << (SIGUSR1 - 1));
}

TEST(comm_is_the_thread_name_and_can_be_changed)
{
    works(prctl(PR_SET_NAME, "first name"));
    slurp("/proc/self/comm");
    same_text(text, "first name\n");
    int fd = works(open("/proc/self/comm", O_WRONLY));
    same(write(fd, "a name of more than fifteen", 27), 27);
    works(close(fd));
    slurp("/proc/self/comm");
    same_text(text, "a name of more \n");
}

TEST(cmdline_and_environ_are_those_of_exec)
{
    int p[2];
    pid_t pid;

    works(pipe(p));
    CHILD (pid) {
        char *argv[] = {"cat", "", "two words", NULL}, *envp[] = {"A=1", "B=", NULL};
        dup2(p[0], 0);
        close(p[1]);
        execve("/proc/self/exe", argv, envp);
    }
    wait_until(slurp(of_process(pid, "cmdline")) == 15);
    same(memcmp(text, "cat\0\0two words", 15), 0);
    same(slurp(of_process(pid, "environ")), 7);
    same(memcmp(text, "A=1\0B=", 7), 0);
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
}

TEST(maps_shows_what_is_mapped)
{
    char line[64];
    char *m = works(mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

    works(mprotect(m + PAGE, PAGE, PROT_READ | PROT_WRITE));
    check(slurp("/proc/self/maps") > 0, "lines");
    snprintf(line, sizeof(line), "%lx-%lx rw-p 00000000 00:00 0", (long)m + PAGE,
             (long)m + 2 * PAGE);
    check(strstr(text, line) != NULL, "the middle page as an area of its own");
    check(strstr(text, "[stack]\n") != NULL, "a stack");
    works(munmap(m, 3 * PAGE));
    check(slurp("/proc/self/maps") > 0, "lines");
    check(!strstr(text, line), "no area after munmap");
}

TEST(maps_names_the_file_and_its_offset)
{
    char cwd[PATH_MAX - 16], end[PATH_MAX], *line;

    make_file("f", "x");
    int fd = works(open("f", O_RDWR));
    works(ftruncate(fd, 4 * PAGE));
    char *m = works(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE));
    check(getcwd(cwd, sizeof(cwd)) != NULL, "a working directory");
    snprintf(end, sizeof(end), " %s/f\n", cwd);
    check(slurp("/proc/self/maps") > 0 && (line = strstr(text, end)), "a line for the file");
    while (line > text && line[-1] != '\n')
        line--;
    same(strtoul(line, NULL, 16), (unsigned long)m);
    check(strstr(line, " r--s 00002000 ") != NULL, "shared, read-only, from its third page");
    works(unlink("f"));
    snprintf(end, sizeof(end), " %s/f (deleted)\n", cwd);
    check(slurp("/proc/self/maps") > 0 && strstr(text, end), "the file as deleted");
}

TEST(fd_links_name_what_is_open)
{
    char path[32], cwd[PATH_MAX - 16], name[PATH_MAX];
    int p[2];

    make_file("f", "text");
    int fd = works(open("f", O_RDONLY));
    check(getcwd(cwd, sizeof(cwd)) != NULL, "a working directory");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    snprintf(name, sizeof(name), "%s/f", cwd);
    same_text(link_text(path), name);
    works(unlink("f"));
    snprintf(name, sizeof(name), "%s/f (deleted)", cwd);
    same_text(link_text(path), name);
    int again = works(open(path, O_RDONLY)); /* the file itself, not the name */
    same(read(again, text, 10), 4);
    works(pipe(p));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
    same(strncmp(link_text(path), "pipe:[", 6), 0);
    works(close(fd));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    fails(readlink(path, text, 10), ENOENT);
}

TEST(pipe_can_be_opened_again_by_its_link)
{
    char path[32];
    int p[2];

    works(pipe(p));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", p[1]);
    int w = works(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600)); /* as a shell's > /dev/fd/1 */
    works(close(p[1]));
    same(write(w, "x", 1), 1);
    works(close(w));
    same(read(p[0], text, 10), 1);
    same(read(p[0], text, 10), 0);
}

TEST(fd_directory_lists_exactly_the_open_ones)
{
    int fd = works(open("/dev/null", O_RDONLY)), seen = 0, others = 0;
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *d;

    check(dir != NULL, "a directory");
    works(fcntl(fd, F_DUPFD, 100));
    while ((d = readdir(dir))) {
        long n = strtol(d->d_name, NULL, 10);
        if (n == 100 || n == fd)
            seen++;
        else if (n > 2 && n != dirfd(dir))
            others++;
    }
    same(seen, 2);
    same(others, 0);
}

TEST(fdinfo_shows_position_and_flags)
{
    char path[40];

    make_file("f", "0123456789");
    int fd = works(open("f", O_RDONLY | O_CLOEXEC | O_APPEND));
    works(lseek(fd, 7, SEEK_SET));
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    check(slurp(path) > 0, "a page");
    same(field("pos"), 7);
    same(field("flags") & (O_CLOEXEC | O_APPEND | O_ACCMODE), O_CLOEXEC | O_APPEND);
}

TEST(cwd_and_root_can_be_followed)
{
    char cwd[PATH_MAX];

    works(mkdir("d", 0755));
    works(chdir("d"));
    check(getcwd(cwd, sizeof(cwd)) != NULL, "a working directory");
    same_text(link_text("/proc/self/cwd"), cwd);
    same_text(link_text("/proc/self/root"), "/");
    make_file("/proc/self/cwd/f", "x");
    works(access("f", F_OK));
}

TEST(a_dead_process_reads_as_gone)
{
    pid_t pid;

    CHILD (pid)
        pause();
    int file = works(open(of_process(pid, "status"), O_RDONLY));
    int dir = works(open(of_process(pid, ""), O_RDONLY | O_DIRECTORY));
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
    fails(read(file, text, 100), ESRCH);
    fails(openat(dir, "status", O_RDONLY), ESRCH);
    fails(open(of_process(pid, "status"), O_RDONLY), ENOENT);
}

TEST(what_was_begun_is_read_to_its_end)
{
    int fd = works(open("/proc/self/status", O_RDONLY));
    char part[64];
    long sum = 0, n;

    while ((n = read(fd, part, 7)) > 0)
        sum += n;
    same(sum, pread(fd, text, sizeof(text), 0));
    same(pread(fd, part, 5, 3), 5);
    same(memcmp(part, text + 3, 5), 0);
    same(lseek(fd, 0, SEEK_SET), 0);
    same(read(fd, part, 5), 5);
    same(memcmp(part, "Name:", 5), 0);
}

static void *sleeper(void *arg)
{
    int *tid = arg;

    prctl(PR_SET_NAME, "sleeper");
    __atomic_store_n(tid, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
    for (;;)
        pause();
    return NULL;
}

TEST(task_lists_the_threads)
{
    char path[64];
    pthread_t t;
    int tid = 0, count = 0;

    same(pthread_create(&t, NULL, sleeper, &tid), 0);
    wait_until(__atomic_load_n(&tid, __ATOMIC_SEQ_CST));
    DIR *dir = opendir("/proc/self/task");
    for (struct dirent *d; (d = readdir(dir));) {
        int n = (int)strtol(d->d_name, NULL, 10);
        count += n == tid || n == getpid();
    }
    same(count, 2);
    snprintf(path, sizeof(path), "/proc/self/task/%d/comm", tid);
    slurp(path);
    same_text(text, "sleeper\n");
    slurp("/proc/self/status");
    same(field("Threads"), 2);
}

TEST(limits_are_those_of_getrlimit)
{
    struct rlimit limit = {.rlim_cur = 123, .rlim_max = 456};

    works(setrlimit(RLIMIT_NOFILE, &limit));
    check(slurp("/proc/self/limits") > 0, "a table");
    check(strstr(
              text,
              "\nMax open files            123                  456                  files     \n"),
          "the line of open files");
}

TEST(strangers_see_little)
{
    pid_t owner = getpid(), pid;

    CHILD (pid) {
        works(setgid(65534));
        works(setuid(65534));
        same(slurp(of_process(owner, "environ")), -EACCES);
        same(slurp(of_process(owner, "maps")), -EACCES);
        fails(open(of_process(owner, "fd"), O_RDONLY | O_DIRECTORY), EACCES);
        fails(readlink(of_process(owner, "exe"), text, 10), EACCES);
        fails(readlink(of_process(owner, "cwd"), text, 10), EACCES);
        check(slurp(of_process(owner, "stat")) > 0, "stat is for all");
        check(slurp(of_process(owner, "cmdline")) > 0, "cmdline is for all");
    }
    exits(pid, 0);
}

TEST(nothing_can_be_made_there)
{
    fails(open("/proc/new", O_CREAT | O_WRONLY, 0600), ENOENT);
    fails(mkdir("/proc/new", 0700), ENOENT);
    fails(unlink("/proc/version"), EPERM);
    fails(open("/proc/self/nothing", O_RDONLY), ENOENT);
    fails(open("/proc/01", O_RDONLY), ENOENT);
    fails(open("/proc/99999999999", O_RDONLY), ENOENT);
}

TEST(every_process_is_listed_once)
{
    DIR *dir = opendir("/proc");
    pid_t pid;
    int me = 0, child = 0;

    CHILD (pid)
        pause();
    for (struct dirent *d; (d = readdir(dir));) {
        int n = (int)strtol(d->d_name, NULL, 10);
        me += n == getpid();
        child += n == pid;
    }
    same(me, 1);
    same(child, 1);
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
}

TEST(the_machine_s_files_have_their_lines)
{
    check(slurp("/proc/meminfo") > 0, "meminfo");
    check(field("MemTotal") > 0 && field("MemFree") > 0 && field("MemAvailable") > 0, "sizes");
    check(field("MemFree") <= field("MemTotal"), "less free than there is");
    check(slurp("/proc/stat") > 0 && strncmp(text, "cpu  ", 5) == 0, "stat begins with cpu");
    check(strstr(text, "\ncpu0 ") && strstr(text, "\nintr ") && strstr(text, "\nctxt ") &&
              strstr(text, "\nbtime ") && strstr(text, "\nprocesses "),
          "the lines of stat");
    check(slurp("/proc/uptime") > 0 && strtol(text, NULL, 10) >= 0 && strchr(text, ' '), "uptime");
    check(slurp("/proc/loadavg") > 0 && strchr(text, '/'), "loadavg");
    check(slurp("/proc/version") > 0 && strncmp(text, "Linux version ", 14) == 0, "version");
    check(slurp("/proc/filesystems") > 0 && strstr(text, "nodev\ttmpfs\n"), "filesystems");
    check(slurp("/proc/mounts") > 0 && strstr(text, " / ") && strstr(text, " /proc proc "),
          "mounts");
    check(slurp("/proc/cpuinfo") > 0 && strstr(text, "processor\t: 0\n"), "cpuinfo");
}

TEST(sys_has_its_values)
{
    check(slurp("/proc/sys/kernel/pid_max") > 0 && strtol(text, NULL, 10) >= 32768, "pid_max");
    check(slurp("/proc/sys/kernel/ostype") > 0, "ostype");
    same_text(text, "Linux\n");
    same(slurp("/proc/sys/kernel/random/boot_id"), 37);
    char first[64];
    strcpy(first, text);
    slurp("/proc/sys/kernel/random/boot_id");
    same_text(text, first);
    same(slurp("/proc/sys/kernel/random/uuid"), 37);
    strcpy(first, text);
    slurp("/proc/sys/kernel/random/uuid");
    check(strcmp(text, first) != 0, "another one each time");
    check(slurp("/proc/sys/fs/pipe-max-size") > 0 && strtol(text, NULL, 10) == 1048576,
          "pipe-max-size");
}

TEST(fdinfo_of_an_epoll_set_names_what_it_watches)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = 0xabc};
    int p[2], set = works(epoll_create1(0));
    char path[64], want[64];
    works(pipe(p));
    works(epoll_ctl(set, EPOLL_CTL_ADD, p[0], &e));
    works(epoll_ctl(set, EPOLL_CTL_ADD, p[1], &e));
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", set);
    check(slurp(path) > 0, "fdinfo");
    for (int i = 0; i < 2; i++) {
        snprintf(want, sizeof(want), "tfd: %8d events: %8x data: %16x", p[i],
                 EPOLLIN | EPOLLERR | EPOLLHUP, 0xabc);
        check(strstr(text, want), "a line \"%s\" in\n%s", want, text);
    }
}

TEST(links_fill_no_more_than_they_are_given)
{
    static const char *const links[] = {"/proc/self",     "/proc/thread-self", "/proc/mounts",
                                        "/proc/self/exe", "/proc/self/cwd",    "/proc/self/fd/0",
                                        "/proc/self/fd/1"};
    int p[2];
    char whole[256], part[256];
    works(pipe(p));
    works(dup2(p[0], 0)); /* a name without a path, at 0 */
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        ssize_t len = works(readlink(links[i], whole, sizeof(whole)));
        for (ssize_t size = 1; size <= len; size++) {
            memset(part, '#', sizeof(part));
            same(readlink(links[i], part, (size_t)size), size);
            check(memcmp(part, whole, (size_t)size) == 0, "the beginning of %s", links[i]);
            for (size_t k = (size_t)size; k < sizeof(part); k++)
                check(part[k] == '#', "%s wrote behind %zd bytes", links[i], size);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 &&
        argv[1][0] == '\0') /* run by cmdline_and_environ_are_those_of_exec: be there, and wait */
        return (int)read(0, text, 1);
    return tap_run("proc");
}

/* musl: What a program is told and tells: arguments, options, other programs, ids, names, errors, jumps, signals. */
#define _GNU_SOURCE
#include <ctype.h>
#include <err.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/fsuid.h>
#include <sys/klog.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "tap.h"

static char self[PATH_MAX]; /* this program's path */

/* What FN writes to standard error goes to TEXT; its wait status. */
static int complaint(void (*fn)(void), char *text, size_t size)
{
    int fds[2];
    pid_t pid;
    works(pipe(fds));
    CHILD (pid) {
        works(dup2(fds[1], 2));
        fn();
    }
    works(close(fds[1]));
    int status = tap_reap(pid);
    ssize_t n = read(fds[0], text, size - 1);
    text[n < 0 ? 0 : n] = '\0';
    works(close(fds[0]));
    return status;
}

static void scan(char **argv, const char *letters, char *result)
{
    int argc = 0, c;
    while (argv[argc])
        argc++;
    optind = 1;
    *result = '\0';
    while (optarg = NULL, (c = getopt(argc, argv, letters)) != -1)
        sprintf(result + strlen(result), "%c%s ", c,
                c == '?' || c == ':' ? ""
                : optarg             ? optarg
                                     : "");
    strcat(result, argv[optind] ? argv[optind] : "-");
}

TEST(options_of_one_letter)
{
    char result[100];
    opterr = 0;
    scan((char *[]){"p", "-ab", "-c", "x", "-dy", "rest", NULL}, "abc:d:", result);
    same_text(result, "a b cx dy rest");
    scan((char *[]){"p", "-a", "--", "-b", NULL}, "ab", result);
    same_text(result, "a -b");
    scan((char *[]){"p", "-x", "-a", NULL}, "a", result);
    same_text(result, "? a -");
    scan((char *[]){"p", "-c", NULL}, ":c:", result);
    same_text(result, ": -");
    same(optopt, 'c');
    scan((char *[]){"p", "-", "-a", NULL}, "a", result);
    same_text(result, "-");
}

/* Run by exec, this program exits with how many arguments it has, 10 more when X is "1" in its environment. */
static int answer(int argc)
{
    const char *x = getenv("X");
    return argc + (x && strcmp(x, "1") == 0 ? 10 : 0);
}

#define RUNS(call, status)      \
    do {                        \
        pid_t pid_;             \
        CHILD (pid_) {          \
            call;               \
            _exit(100 + errno); \
        }                       \
        exits(pid_, status);    \
    } while (0)

TEST(other_programs_begin)
{
    char *argv[] = {"answer", "b", NULL}, *envp[] = {"X=1", NULL};
    int fd = works(open(self, O_RDONLY | O_CLOEXEC));
    works(unsetenv("X"));
    RUNS(execv(self, argv), 2);
    RUNS(execl(self, "answer", "2", "3", (char *)NULL), 3);
    RUNS(execle(self, "answer", (char *)NULL, envp), 11);
    RUNS(fexecve(fd, argv, envp), 12);
    works(symlink(self, "here"));
    works(setenv("PATH", "/nowhere:.", 1));
    RUNS(execvp("here", argv), 2);
    RUNS(execlp("here", "answer", (char *)NULL), 1);
    RUNS(execvpe("here", argv, envp), 12);
    RUNS(execvp("nobody", argv), 100 + ENOENT);
    make_file("denied", "");
    RUNS(execvp("denied", argv), 100 + EACCES);
}

TEST(the_shell_runs_commands)
{
    check(system(NULL) != 0, "there is a shell");
    int status = system("exit 3");
    check(WIFEXITED(status) && WEXITSTATUS(status) == 3, "wait status %#x", (unsigned)status);
    status = system("kill -9 $$");
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "wait status %#x", (unsigned)status);
}

TEST(children_are_waited_for)
{
    struct rusage usage = {.ru_maxrss = -1};
    int status;
    pid_t pid;
    CHILD (pid)
        _exit(3);
    same(wait4(pid, &status, 0, &usage), pid);
    same(WEXITSTATUS(status), 3);
    CHILD (pid)
        _exit(4);
    same(wait3(&status, 0, &usage), pid);
    same(WEXITSTATUS(status), 4);
    check(usage.ru_maxrss >= 0, "what it used");
    fails(wait3(&status, 0, NULL), ECHILD);
}

TEST(ids_change_and_do_not_come_back)
{
    pid_t pid;
    gid_t groups[2] = {10, 11};
    CHILD (pid) {
        works(setgroups(2, groups));
        same(getgroups(0, NULL), 2);
        works(setegid(5));
        same(getegid(), 5);
        works(setregid(6, 7));
        same(getgid(), 6);
        works(setresgid(8, 9, 8));
        same(getegid(), 9);
        same(setfsgid(8), 9);
        works(seteuid(5));
        same(geteuid(), 5);
        works(seteuid(0));
        works(setreuid(0, 6));
        same(geteuid(), 6);
        same(setfsuid(0), 6);
        works(setreuid(6, 6));
        fails(seteuid(0), EPERM);
        fails(chroot("."), EPERM);
        fails(setgroups(2, groups), EPERM);
    }
    exits(pid, 0);
}

TEST(the_root_moves)
{
    pid_t pid;
    works(mkdir("root", 0755));
    make_file("root/f", "");
    CHILD (pid) {
        works(chroot("root"));
        works(access("/f", F_OK));
    }
    exits(pid, 0);
}

TEST(the_machine_has_names)
{
    char name[HOST_NAME_MAX + 1], domain[70];
    struct utsname uts;
    works(uname(&uts));
    works(gethostname(name, sizeof(name)));
    same_text(name, uts.nodename);
    works(getdomainname(domain, sizeof(domain)));
    works(setdomainname(domain, strlen(domain)));
    same(gettid(), getpid());
    check(personality(0xffffffff) >= 0, "a personality");
    fails(klogctl(99, NULL, 0), EINVAL);
    check(getentropy(name, 32) == 0, "random bytes");
    char much[300];
    fails(getentropy(much, 257), EIO);
}

TEST(terminals_have_names)
{
    char name[64];
    int fd = works(open("/dev/null", O_RDWR));
    check(ttyname(fd) == NULL && errno == ENOTTY, "no terminal");
    same(ttyname_r(fd, name, sizeof(name)), ENOTTY);
    same(ttyname_r(-1, name, sizeof(name)), EBADF);
}

TEST(sleeping_is_no_shorter)
{
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    works(usleep(20000));
    clock_gettime(CLOCK_MONOTONIC, &after);
    long elapsed = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
    check(elapsed >= 20000000, "%ld nanoseconds", elapsed);
}

static void warn_of_all(void)
{
    errno = ENOENT;
    warn("%s", "file");
    warnx("%d files", 3);
    errno = EPERM;
    warn(NULL);
    err(4, "the end");
}

static void end_x(void)
{
    errx(5, "%c", 'x');
}

static void by_list(int how, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    errno = ENOENT;
    if (how == 0)
        vwarn(format, args);
    else if (how == 1)
        vwarnx(format, args);
    else if (how == 2)
        verr(6, format, args);
    else
        verrx(7, format, args);
    va_end(args);
}

static void end_by_lists(void)
{
    by_list(0, "%d", 0);
    by_list(1, "%d", 1);
    by_list(2, "%d", 2);
}

static void end_by_list_x(void)
{
    by_list(3, "%d", 3);
}

/* TEXT without the program's name, of which libraries differ in how much they say. */
static void says(const char *text, const char *expected)
{
    char got[500] = "";
    const char *colon;
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        colon = strstr(line, ": ");
        check(colon && strchr(line, '\n'), "a line with a name: %s", line);
        strncat(got, colon + 2, (size_t)(strchr(line, '\n') + 1 - colon - 2));
    }
    same_text(got, expected);
}

TEST(errors_are_told)
{
    char text[500], want[500];
    int status = complaint(warn_of_all, text, sizeof(text));
    sprintf(want, "file: %s\n3 files\n", strerror(ENOENT));
    sprintf(want + strlen(want), "%s\n", strerror(EPERM));
    sprintf(want + strlen(want), "the end: %s\n", strerror(EPERM));
    same(WEXITSTATUS(status), 4);
    says(text, want);
    same(WEXITSTATUS(complaint(end_x, text, sizeof(text))), 5);
    says(text, "x\n");
    same(WEXITSTATUS(complaint(end_by_lists, text, sizeof(text))), 6);
    sprintf(want, "0: %s\n1\n2: %s\n", strerror(ENOENT), strerror(ENOENT));
    says(text, want);
    same(WEXITSTATUS(complaint(end_by_list_x, text, sizeof(text))), 7);
    says(text, "3\n");
}

static jmp_buf plain;
static sigjmp_buf with_mask;

static void jump(int value)
{
    longjmp(plain, value);
}

TEST(jumps_come_back)
{
    volatile int times = 0;
    int got = setjmp(plain);
    if (times++ == 0)
        jump(0);
    same(got, 1);
    got = _setjmp(plain);
    if (times++ < 5)
        _longjmp(plain, times);
    same(got, 5);
}

static void jump_out(int sig)
{
    siglongjmp(with_mask, sig);
}

TEST(jumps_out_of_handlers_restore_the_mask)
{
    sigset_t mask;
    signal(SIGUSR1, jump_out);
    int got = sigsetjmp(with_mask, 1);
    if (got == 0)
        raise(SIGUSR1);
    same(got, SIGUSR1);
    works(sigprocmask(SIG_BLOCK, NULL, &mask));
    same(sigismember(&mask, SIGUSR1), 0);
    got = sigsetjmp(with_mask, 0);
    if (got == 0)
        raise(SIGUSR1);
    works(sigprocmask(SIG_BLOCK, NULL, &mask));
    same(sigismember(&mask, SIGUSR1), 1);
}

static void say_signal(void)
{
    siginfo_t info = {.si_signo = SIGUSR1};
    psignal(SIGHUP, "text");
    psiginfo(&info, "more");
}

static void nothing(int sig)
{
    (void)sig;
}

TEST(signals_have_sets_and_words)
{
    char text[200], want[200];
    struct sigaction action;
    sigset_t set;
    works(sigfillset(&set));
    works(sigdelset(&set, SIGINT));
    same(sigismember(&set, SIGINT), 0);
    same(sigismember(&set, SIGTERM), 1);
    fails(sigdelset(&set, 0), EINVAL);
    complaint(say_signal, text, sizeof(text));
    sprintf(want, "text: %s\n", strsignal(SIGHUP));
    sprintf(want + strlen(want), "more: %s\n", strsignal(SIGUSR1));
    same_text(text, want);
    signal(SIGUSR1, nothing);
    works(siginterrupt(SIGUSR1, 1));
    works(sigaction(SIGUSR1, NULL, &action));
    same(action.sa_flags & SA_RESTART, 0);
    works(siginterrupt(SIGUSR1, 0));
    works(sigaction(SIGUSR1, NULL, &action));
    check(action.sa_flags & SA_RESTART, "restarts");
    fails(killpg(-5, 0), EINVAL);
    works(killpg(getpgrp(), 0));
    fails(sigaction(32, &action, NULL), EINVAL);
}

/* Through pointers: the compiler would do these itself. */
TEST(numbers_and_bits)
{
    int (*volatile abs_)(int) = abs, (*volatile ffs_)(int) = ffs;
    int (*volatile ffsl_)(long) = ffsl, (*volatile ffsll_)(long long) = ffsll;
    long (*volatile labs_)(long) = labs;
    long long (*volatile llabs_)(long long) = llabs;
    intmax_t (*volatile imaxabs_)(intmax_t) = imaxabs;
    int (*volatile isascii_)(int) = (isascii), (*volatile toascii_)(int) = (toascii);
    void (*volatile bzero_)(void *, size_t) = bzero;
    char bytes[] = "abcd";
    same(abs_(-7), 7);
    same(labs_(-8000000000), 8000000000);
    same(llabs_(-9000000000), 9000000000);
    same(imaxabs_(-9000000000), 9000000000);
    same(ffs_(0), 0);
    same(ffs_(0x50), 5);
    same(ffsl_(1L << 40), 41);
    same(ffsll_(1LL << 40), 41);
    same(isascii_(0x141), 0);
    same(toascii_(0x141), 0x41);
    bzero_(bytes + 1, 2);
    same(memcmp(bytes, "a\0\0d", 4), 0);
}

TEST(errors_have_texts)
{
    char text[100], little[4];
    same(strerror_r(ENOENT, text, sizeof(text)), 0);
    same_text(text, strerror(ENOENT));
    same(strerror_r(ENOENT, little, sizeof(little)), ERANGE);
}

TEST(clocks_that_count_are_not_set)
{
    struct timespec t = {0, 0};
    fails(clock_settime(CLOCK_MONOTONIC, &t), EINVAL);
}

TEST(events_are_counted)
{
    eventfd_t value;
    int fd = works(eventfd(3, 0));
    works(eventfd_write(fd, 4));
    works(eventfd_read(fd, &value));
    same(value, 7);
}

static int end(void *arg)
{
    return *(int *)arg;
}

TEST(a_clone_is_a_child)
{
    static char stack[65536] __attribute__((aligned(16)));
    int status = 9;
    pid_t pid = works(clone(end, stack + sizeof(stack), SIGCHLD, &status));
    exits(pid, 9);
}

int main(int argc, char **argv)
{
    if (strcmp(argv[0], "answer") == 0)
        return answer(argc);
    works(readlink("/proc/self/exe", self, sizeof(self) - 1));
    return tap_run("libc_process");
}

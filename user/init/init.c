/*
 * init: process 1, the first program. It never ends while the machine runs.
 *
 * It mounts what every program expects (/proc, /dev, /tmp, /dev/shm), and then does one of two things.
 *
 * Normally it has the network set up, runs /etc/rc once, keeps a shell on the console, starting a new one
 * when that ends, and reaps the orphans that the kernel gives it. `poweroff` and `reboot` ask it by signal (SIGUSR2 and
 * SIGTERM, as busybox's do): it catches none, it waits for them, so that it works where a handler would not.
 *
 * When the initial file system has a folder /.run, tools/run wants one program run and its end
 * reported: run.c, beside this file, does that and switches the machine off.
 *
 * It uses nothing but POSIX, /proc, mount(2) and reboot(2): the same file is process 1 on Linux.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <dirent.h>

#include "init.h"

#define CONSOLE "/dev/console"
#define RESPAWN_PAUSE \
    1 /* seconds: a shell that ends sooner than this is not started again at once */

static char *const shell_argv[] = {"-sh", NULL};
static char *const rc_argv[] = {"/bin/sh", "/etc/rc", NULL};
static char *const shell_env[] = {
    "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/demo",
    "HOME=/root",
    "TERM=vt102",
    "USER=root",
    "SHELL=/bin/sh",
    NULL,
};

void complain(const char *what)
{
    char line[256];
    int length = snprintf(line, sizeof line, "init: %s: %s\n", what, strerror(errno));

    if (length > 0)
        (void)!write(STDERR_FILENO, line, (size_t)length);
}

/* Something other than . and .. in PATH: files that came with the initial file system. */
static int folder_has_files(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    int files = 0;

    if (folder == NULL)
        return 0;
    while ((entry = readdir(folder)) != NULL)
        files += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return files > 0;
}

/* The kernel may have mounted it already (EBUSY), which is as good. */
static void mount_at(const char *type, const char *path, unsigned long flags, const char *words)
{
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        complain(path);
    if (mount(type, path, type, flags, words) < 0 && errno != EBUSY)
        complain(path);
}

/* The names that are not devices but descriptors of whoever looks. */
static void link_descriptors(void)
{
    static const char *const links[][2] = {
        {"/proc/self/fd", "/dev/fd"},
        {"/proc/self/fd/0", "/dev/stdin"},
        {"/proc/self/fd/1", "/dev/stdout"},
        {"/proc/self/fd/2", "/dev/stderr"},
    };

    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        if (symlink(links[i][0], links[i][1]) < 0 && errno != EEXIST)
            complain(links[i][1]);
}

static void mount_all(void)
{
    mount_at("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    mount_at("devtmpfs", "/dev", MS_NOSUID, NULL);
    mount_at("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
    mount_at("mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    if (!folder_has_files("/tmp"))
        mount_at("tmpfs", "/tmp", 0, "mode=1777");
    link_descriptors();
}

/* The console becomes descriptors 0, 1 and 2, whatever the kernel opened for us. */
static void open_console(void)
{
    int fd = open(CONSOLE, O_RDWR | O_NOCTTY);

    if (fd < 0)
        return;
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        dup2(fd, i);
    if (fd > STDERR_FILENO)
        close(fd);
}

static void set_hostname(void)
{
    char name[65];
    int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
    ssize_t length;

    if (fd < 0)
        return;
    length = read(fd, name, sizeof name - 1);
    close(fd);
    if (length > 0 && sethostname(name, (size_t)length - (name[length - 1] == '\n')) < 0)
        complain("sethostname");
}

static void run_rc(void)
{
    pid_t pid;

    if (access("/etc/rc", F_OK) < 0)
        return;
    pid = fork();
    if (pid == 0) {
        execve(rc_argv[0], rc_argv, shell_env);
        complain(rc_argv[0]);
        _exit(127);
    }
    if (pid < 0)
        complain("fork");
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* The signals that init waits for instead of catching; its children start with none blocked. */
static void awaited_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGUSR1);
    sigaddset(set, SIGUSR2);
}

void unblock_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void lead_session(void)
{
    setsid(); /* fails where process 1 leads one already, which is as good */
    if (ioctl(STDOUT_FILENO, TIOCSCTTY, 0) < 0)
        complain(CONSOLE);
}

void open_terminal(void)
{
    int fd = open("/dev/tty", O_RDWR);

    if (fd < 0) {
        complain("/dev/tty");
        return;
    }
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        dup2(fd, i);
    if (fd > STDERR_FILENO)
        close(fd);
}

static pid_t start_shell(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        unblock_signals();
        lead_session();
        open_terminal();
        learn_window_size();
        if (chdir("/root") < 0)
            complain("/root");
        execve("/bin/sh", shell_argv, shell_env);
        complain("/bin/sh");
        _exit(127);
    }
    if (pid < 0)
        complain("fork");
    return pid;
}

_Noreturn void end_machine(int how)
{
    sync();
    if (reboot(how) < 0)
        complain("reboot");
    for (;;)
        pause();
}

static _Noreturn void shut_down(int how)
{
    static const struct timespec grace = {0, 500 * 1000 * 1000};

    kill(-1, SIGTERM);
    nanosleep(&grace, NULL);
    kill(-1, SIGKILL);
    end_machine(how);
}

static void obey(int signal)
{
    if (signal == SIGUSR1)
        shut_down(RB_HALT_SYSTEM);
    if (signal == SIGUSR2)
        shut_down(RB_POWER_OFF);
    if (signal == SIGTERM)
        shut_down(RB_AUTOBOOT);
}

/*
 * Wait until a child ended or somebody asked for something. A kernel that can't wait for signals
 * says ENOSYS: then it is a child, and requests by signal go unheard.
 */
static void wait_for_something(const sigset_t *awaited)
{
    int signal = sigwaitinfo(awaited, NULL);
    siginfo_t info;

    if (signal > 0)
        obey(signal);
    else if (errno == ENOSYS)
        waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
}

static _Noreturn void keep_shell(void)
{
    static const struct timespec pause_time = {RESPAWN_PAUSE, 0};
    sigset_t awaited;
    time_t started = 0;
    pid_t shell = -1;

    awaited_signals(&awaited);
    sigprocmask(SIG_BLOCK, &awaited, NULL);
    for (;;) {
        if (shell < 0) {
            if (started != 0 && time(NULL) - started < RESPAWN_PAUSE)
                nanosleep(&pause_time, NULL);
            started = time(NULL);
            shell = start_shell();
            if (shell < 0)
                continue;
        }
        wait_for_something(&awaited);
        for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;)
            if (pid == shell)
                shell = -1;
    }
}

int main(void)
{
    umask(022);
    mount_all();
    open_console();
    set_hostname();
    if (access(RUN_FOLDER, F_OK) == 0)
        run_for_tools();
    start_network();
    run_rc();
    keep_shell();
}

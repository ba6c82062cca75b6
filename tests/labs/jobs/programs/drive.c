/*
 * drive HOW OP...: sits at a terminal with a shell on it, types, and looks at what processes there are. HOW: terminal
 * (a session whose leader is the shell), background (another program leads the session and has the terminal in
 * its foreground), or script:TEXT (sh -c TEXT, no terminal, standard input from /dev/zero). The shell is user
 * SHELL_USER, who can neither read this program nor what it reports.
 *
 *     type:TEXT      type it, and Enter              key:C             type Ctrl-C, Ctrl-Z ...
 *     meet:NAME      a probe (probe.c) of that name comes: what it tells of itself
 *     order:NAME:O   tell it to do O, and its answer  tell:NAME:O       the same without waiting for an answer
 *     end:NAME       it has ended                    state:NAME:CHARS   it is in one of these states of /proc
 *     signal:NAME:N  send it signal N (-N: its group) fore:NAME         its group has the terminal
 *     holders        which processes have which pipes between probes open, by descriptor
 *     files          how many descriptors the shell has open
 *     cat:PATH       what is in a file               front             make the shell's group the foreground
 *     facts          the shell's group, session and foreground group, and the signals it ignores
 *
 * NAME is a probe's, or sh. Each operation waits for what it asks for, up to PATIENCE, and its result is reported.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

#include "lab.h"
#include "look.h"
#include "meeting.h"

#define PROBES 24
#define SHELL_USER 1000
#define PATIENCE 3000 /* milliseconds; after something did not happen: */
#define IMPATIENCE 400

static struct probe {
    char name[16];
    int fd; /* -1: it has closed it */
    pid_t pid;
    char text[MEETING_TEXT];
} probes[PROBES];
struct wish { /* what is waited for */
    const char *name, *text;
    int number;
};
static int count, listener, terminal, patience = PATIENCE;
static pid_t shell, leader;

/* ---- waiting ---- */

static long now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Repeat TRY until it is true. False: it never was, and there is less patience from now on. */
static bool until(bool (*try)(const struct wish *), const struct wish *wish)
{
    struct timespec pause = {.tv_nsec = 2000000};

    for (long end = now() + patience; !try(wish); nanosleep(&pause, NULL))
        if (now() >= end) {
            patience = IMPATIENCE;
            return false;
        }
    return true;
}

/* ---- probes ---- */

static struct probe *find(const char *name)
{
    for (int i = count - 1; i >= 0; i--) /* the newest of that name */
        if (strcmp(probes[i].name, name) == 0)
            return &probes[i];
    return NULL;
}

static pid_t pid_of(const char *name)
{
    struct probe *p = find(name);

    return strcmp(name, "sh") == 0 ? shell : p != NULL ? p->pid : -1;
}

/* Take what comes in: a new probe, and its first words. */
static void receive_one(void)
{
    struct probe *p = &probes[count];
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0 || count == PROBES)
        return;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    ssize_t got = poll(&ready, 1, patience) == 1 ? recv(fd, p->text, sizeof(p->text) - 1, 0) : -1;
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (got <= 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
        close(fd);
        return;
    }
    p->text[got] = '\0';
    size_t length = strcspn(p->text, " ");
    length = length < sizeof(p->name) ? length : sizeof(p->name) - 1;
    memcpy(p->name, p->text, length);
    p->name[length] = '\0';
    p->fd = fd;
    p->pid = peer.pid;
    count++;
}

static bool has_come(const struct wish *wish)
{
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    int from = wish->number;

    while (poll(&ready, 1, 0) == 1)
        receive_one();
    struct probe *p = find(wish->name);
    return p != NULL && p - probes >= from;
}

/* A probe of that name that was not met before. */
static void meet(const char *name, char *result, size_t size)
{
    static bool met[PROBES];
    struct wish wish = {.name = name};

    for (int i = 0; i < count; i++)
        if (met[i] && strcmp(probes[i].name, name) == 0)
            wish.number = i + 1;
    if (!until(has_come, &wish)) {
        snprintf(result, size, "nobody");
        return;
    }
    met[find(name) - probes] = true;
    snprintf(result, size, "%s", strchr(find(name)->text, ' ') + 1);
}

static void give_order(const char *name, const char *order, bool wait, char *result, size_t size)
{
    struct probe *p = find(name);

    if (p == NULL || send(p->fd, order, strlen(order), MSG_NOSIGNAL) < 0) {
        snprintf(result, size, "gone");
        return;
    }
    snprintf(result, size, "told");
    if (!wait)
        return;
    struct pollfd ready = {.fd = p->fd, .events = POLLIN};
    if (poll(&ready, 1, patience) != 1) {
        patience = IMPATIENCE;
        snprintf(result, size, "silent");
        return;
    }
    ssize_t got = recv(p->fd, result, size - 1, 0);
    snprintf(result + (got > 0 ? got : 0), got > 0 ? 1 : size, "%s", got > 0 ? "" : "gone");
}

/* ---- processes ---- */

static bool is_in_state(const struct wish *wish)
{
    struct status s;

    return status_of(pid_of(wish->name), &s) && strchr(wish->text, s.state) != NULL;
}

static bool has_ended(const struct wish *wish)
{
    struct status s;

    return !status_of(pid_of(wish->name), &s) || s.state == 'Z';
}

static bool has_terminal(const struct wish *wish)
{
    struct status s;

    return status_of(pid_of(wish->name), &s) && s.foreground == s.group;
}

static const char *name_of(pid_t pid, char *text)
{
    for (int i = 0; i < count; i++)
        if (probes[i].pid == pid)
            return probes[i].name;
    if (pid == shell)
        return "sh";
    return snprintf(text, 16, "pid%d", pid), text;
}

static void shell_facts(char *result, size_t size)
{
    char line[128], path[64], ignored[32] = "?";
    struct status s;

    snprintf(path, sizeof(path), "/proc/%d/status", shell);
    FILE *status = fopen(path, "r");
    while (status != NULL && fgets(line, sizeof(line), status) != NULL)
        sscanf(line, "SigIgn: %31s", ignored);
    if (status != NULL)
        fclose(status);
    status_of(shell, &s);
    snprintf(result, size, "pid=%d group=%d session=%d foreground=%d ignored=%s", shell, s.group,
             s.session, s.foreground, ignored);
}

/* ---- the session ---- */

static void type(const char *text)
{
    for (; *text != '\0'; text++)
        lab_must(ioctl(terminal, TIOCSTI, text));
}

/* The first process of the session has the terminal; the shell is another user's. */
static void own_session(void)
{
    setsid();
    int fd = open(MEETING_TERMINAL, O_RDWR | O_NOCTTY);
    if (fd < 0 || ioctl(fd, TIOCSCTTY, 1) < 0)
        _exit(111);
    for (int i = 0; i < 3; i++)
        dup2(fd, i);
    if (fd > 2)
        close(fd);
}

_Noreturn static void become_shell(const char *text)
{
    static char *const environment[] = {"PATH=/lab:/bin", "HOME=/", "TERM=dumb", "PS1=READY> ",
                                        NULL};
    char *const words[] = {"sh", text != NULL ? "-c" : NULL, (char *)(uintptr_t)text, NULL};

    if (setgid(SHELL_USER) < 0 || setuid(SHELL_USER) < 0)
        _exit(112);
    execve("/bin/sh", words, environment);
    _exit(113);
}

/*
 * A leader that has the terminal, with a shell in a group of the background, whose number comes by a pipe. SIGUSR1
 * has it put the shell's group into the foreground.
 */
_Noreturn static void lead(int to)
{
    sigset_t usr1;
    int number;

    own_session();
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        sigprocmask(SIG_UNBLOCK, &usr1, NULL);
        setpgid(0, 0);
        become_shell(NULL);
    }
    setpgid(pid, pid);
    if (write(to, &pid, sizeof(pid)) != sizeof(pid))
        _exit(114);
    close(to);
    for (;;)
        if (sigwait(&usr1, &number) == 0)
            tcsetpgrp(STDIN_FILENO, pid);
}

/* Returns when the shell has been executed: the pipe closes then. */
static void start(const char *how)
{
    int ends[2];
    pid_t number;

    lab_must(pipe2(ends, O_CLOEXEC));
    leader = shell = fork();
    lab_must(shell);
    if (shell == 0) {
        signal(SIGTTOU, SIG_DFL);
        signal(SIGHUP, SIG_DFL);
        if (strcmp(how, "background") == 0)
            lead(ends[1]);
        if (strncmp(how, "script:", 7) == 0)
            dup2(open("/dev/zero", O_RDONLY), STDIN_FILENO);
        else
            own_session();
        become_shell(strncmp(how, "script:", 7) == 0 ? how + 7 : NULL);
    }
    close(ends[1]);
    while (read(ends[0], &number, sizeof(number)) == sizeof(number))
        shell = number;
    close(ends[0]);
}

/* ---- operations ---- */

static void show_file(const char *path, char *result, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = file >= 0 ? read(file, result, size - 1) : -1;

    snprintf(result + (got > 0 ? got : 0), got > 0 ? 1 : size, "%s",
             file < 0 ? "no such file" : "");
    close(file);
}

static void perform(char *op, char *result, size_t size)
{
    char *act = op, *a = "", *b = "";
    pid_t pids[PROBES];
    bool done = true;

    a = strchr(op, ':') != NULL ? strchr(op, ':') + 1 : a;
    if (*a != '\0')
        a[-1] = '\0';
    bool whole = strcmp(act, "type") == 0 || strcmp(act, "cat") == 0;
    if (!whole && strchr(a, ':') != NULL) {
        b = strchr(a, ':') + 1;
        b[-1] = '\0';
    }
    struct wish wish = {.name = a, .text = b};
    snprintf(result, size, "done");
    if (strcmp(act, "type") == 0) {
        type(a);
        type("\r");
    } else if (strcmp(act, "key") == 0) {
        type((char[]){(char)(a[0] & 31), '\0'});
    } else if (strcmp(act, "meet") == 0) {
        meet(a, result, size);
    } else if (strcmp(act, "order") == 0 || strcmp(act, "tell") == 0) {
        give_order(a, b, act[0] == 'o', result, size);
    } else if (strcmp(act, "end") == 0) {
        done = until(has_ended, &wish);
    } else if (strcmp(act, "state") == 0) {
        done = until(is_in_state, &wish);
    } else if (strcmp(act, "fore") == 0) {
        done = until(has_terminal, &wish);
    } else if (strcmp(act, "signal") == 0) {
        pid_t pid = pid_of(a);
        int number = atoi(b);
        done = pid > 0 && kill(number < 0 ? -getpgid(pid) : pid, abs(number)) == 0;
    } else if (strcmp(act, "holders") == 0) {
        for (int i = 0; i < count; i++)
            pids[i] = probes[i].pid;
        list_holders(pids, count, name_of, result, size);
    } else if (strcmp(act, "files") == 0) {
        snprintf(result, size, "%d", count_files(shell));
    } else if (strcmp(act, "cat") == 0) {
        show_file(a, result, size);
    } else if (strcmp(act, "front") == 0) {
        done = kill(leader, SIGUSR1) == 0 && until(has_terminal, &(struct wish){.name = "sh"});
    } else if (strcmp(act, "facts") == 0) {
        shell_facts(result, size);
    } else {
        snprintf(result, size, "no such operation");
    }
    if (!done)
        snprintf(result, size, "no");
}

int main(int argc, char **argv)
{
    static char result[LAB_MAX_VALUE - 64];
    struct sockaddr_un address;
    char key[16];

    signal(SIGHUP, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    lab_must(chmod("/proc/self/exe", 0700));
    lab_must(chmod(LAB_FILE, 0600));
    lab_must(listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    socklen_t length = meeting_place(&address);
    lab_must(bind(listener, (struct sockaddr *)&address, length));
    lab_must(listen(listener, PROBES));
    lab_must(terminal = open(MEETING_TERMINAL, O_RDWR | O_NOCTTY | O_CLOEXEC));
    lab_must(chmod(MEETING_TERMINAL, 0666));
    lab_must(ioctl(terminal, TIOCSWINSZ, &(struct winsize){.ws_row = 30, .ws_col = 200}));
    start(argc > 1 ? argv[1] : "terminal");
    for (int i = 2; i < argc; i++) {
        perform(argv[i], result, sizeof(result));
        snprintf(key, sizeof(key), "op%d", i - 2);
        lab_report(key, "%s", result);
    }
    kill(-getpgid(shell), SIGKILL);
    return 0;
}

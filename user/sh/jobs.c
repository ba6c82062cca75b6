/*
 * Jobs: what was started together and is waited for together, mostly the stages of a pipeline.
 *
 * With job control (an interactive shell) each job is a process group of its own. The terminal sends its
 * signals, Ctrl-C and Ctrl-Z, to the group in the foreground; the shell says which that is by tcsetpgrp.
 * A job that stops goes to the list, `fg` and `bg` continue it. The shell remembers how the terminal was
 * set when the last job ended well, and sets it so again after one that crashed or stopped.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sh.h"

enum state { RUNNING, STOPPED, DONE };
struct process {
    pid_t pid;
    int status; /* as wait(2) gives it */
    enum state state;
};
struct job {
    struct job *next; /* the newest is first */
    int number;       /* 0: it never left the foreground */
    pid_t group;
    struct process *processes;
    int count;
    bool changed, controlled;
    char *text;
    struct termios modes; /* of the terminal when it stopped */
};

static struct job *jobs;
static int terminal = -1;
static pid_t shell_group;
static struct termios shell_modes;

static enum state job_state(const struct job *j)
{
    enum state state = DONE;

    for (int i = 0; i < j->count; i++)
        if (j->processes[i].state < state)
            state = j->processes[i].state;
    return state;
}

static int exit_status(int status)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    return 128 + (WIFSTOPPED(status) ? WSTOPSIG(status) : WTERMSIG(status));
}

static int job_status(const struct job *j)
{
    int status = exit_status(j->processes[j->count - 1].status);

    for (int i = 0; sh.pipefail && status == 0 && i < j->count; i++)
        if (exit_status(j->processes[i].status) != 0)
            status = exit_status(j->processes[i].status);
    return status;
}

static void job_remove(struct job *gone)
{
    for (struct job **j = &jobs; *j != NULL; j = &(*j)->next) {
        if (*j != gone)
            continue;
        *j = gone->next;
        free(gone->processes);
        free(gone->text);
        free(gone);
        return;
    }
}

struct job *job_new(const char *text)
{
    struct job *j = allocate(NULL, sizeof *j);

    *j = (struct job){
        .next = jobs, .text = copy_string(text != NULL ? text : ""), .controlled = sh.option['m']};
    return jobs = j;
}

static void job_number(struct job *job)
{
    if (job->number > 0)
        return;
    for (struct job *j = jobs; j != NULL; j = j->next)
        if (j->number > job->number)
            job->number = j->number;
    job->number++;
}

/* --- starting --------------------------------------------------------------------------------- */

static void begin_child(struct job *job, bool background)
{
    if (job != NULL && job->controlled) {
        pid_t group = job->group != 0 ? job->group : getpid();
        setpgid(0, group);
        if (!background)
            tcsetpgrp(terminal, group);
    }
    trap_in_child();
    if (background && (job == NULL || !job->controlled)) {
        signal(SIGINT, SIG_IGN);
        signal(SIGQUIT, SIG_IGN);
        if (job != NULL && job->count == 0) {
            close(STDIN_FILENO);
            open("/dev/null", O_RDONLY);
        }
    }
    while (jobs != NULL)
        job_remove(jobs);
    sh.option['m'] = sh.option['i'] = false;
    sh.child = true;
    sh.top = NULL;
}

pid_t job_fork(struct job *job, bool background)
{
    pid_t pid = fork();

    if (pid < 0)
        fail("Cannot fork: %s", strerror(errno));
    if (pid == 0)
        begin_child(job, background);
    if (pid == 0 || job == NULL)
        return pid;
    if (job->group == 0)
        job->group = pid;
    if (job->controlled)
        setpgid(pid, job->group);
    job->processes = allocate(job->processes, (size_t)(job->count + 1) * sizeof *job->processes);
    job->processes[job->count++] = (struct process){pid, 0, RUNNING};
    return pid;
}

int job_started(struct job *job)
{
    sh.background = job->processes[job->count - 1].pid;
    job_number(job);
    if (sh.option['i'])
        dprintf(STDERR_FILENO, "[%d] %d\n", job->number, sh.background);
    return 0;
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void note(pid_t pid, int status)
{
    for (struct job *j = jobs; j != NULL; j = j->next) {
        for (int i = 0; i < j->count; i++) {
            struct process *p = &j->processes[i];
            if (p->pid != pid || p->state == DONE)
                continue;
            p->status = status;
            p->state = WIFSTOPPED(status) ? STOPPED : WIFCONTINUED(status) ? RUNNING : DONE;
            j->changed = true;
            return;
        }
    }
}

/* Note what became of one child, or with WNOHANG of none. False: there was nothing to note. */
static bool wait_for_change(int flags)
{
    int status;
    pid_t pid = waitpid(-1, &status, flags | (sh.option['m'] ? WUNTRACED | WCONTINUED : 0));

    if (pid > 0)
        note(pid, status);
    return pid > 0 || (pid < 0 && errno == EINTR);
}

/* Wait for a child that is no job, and note what else happens meanwhile. */
int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return exit_status(status);
}

static void take_terminal(struct job *job)
{
    bool well = job_state(job) == DONE && WIFEXITED(job->processes[job->count - 1].status);

    tcsetpgrp(terminal, shell_group);
    tcgetattr(terminal, well ? &shell_modes : &job->modes);
    if (!well)
        tcsetattr(terminal, TCSADRAIN, &shell_modes);
}

static void say_how_it_ended(int status)
{
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    if (number == SIGINT && sh.option['i'])
        dprintf(STDERR_FILENO, "\n");
    else if (number != 0 && number != SIGINT && number != SIGPIPE)
        dprintf(STDERR_FILENO, "%s%s\n", strsignal(number),
                WCOREDUMP(status) ? " (core dumped)" : "");
}

static void job_print(const struct job *job, bool with_pid, int fd);

/* Wait until JOB, in the foreground, has ended or stopped. */
int job_wait(struct job *job)
{
    int status;
    int how;

    while (job_state(job) == RUNNING && wait_for_change(0))
        ;
    if (job->controlled)
        take_terminal(job);
    status = job_status(job);
    how = job->processes[job->count - 1].status;
    if (job_state(job) == STOPPED) {
        job_number(job);
        dprintf(STDERR_FILENO, "\n");
        job_print(job, false, STDERR_FILENO);
        job->changed = false;
        return sh.status = status;
    }
    say_how_it_ended(how);
    bool interrupted = WIFSIGNALED(how) && WTERMSIG(how) == SIGINT && sh.option['i'];
    job_remove(job);
    if (interrupted)
        abandon(128 + SIGINT);
    return sh.status = status;
}

/* --- the list --------------------------------------------------------------------------------- */

/* %% and %+: the newest stopped job, or the newest; %-: the one before it. */
static struct job *current_job(int which)
{
    for (enum state state = STOPPED;; state = state == STOPPED ? RUNNING : DONE) {
        for (struct job *j = jobs; j != NULL; j = j->next)
            if (j->number > 0 && job_state(j) == state && which-- == 0)
                return j;
        if (state == DONE)
            return NULL;
    }
}

static struct job *find_job(const char *name)
{
    long number;
    char *end;

    if (*name != '%') {
        number = strtol(name, &end, 10);
        for (struct job *j = jobs; j != NULL && *end == '\0'; j = j->next)
            for (int i = 0; i < j->count; i++)
                if (j->processes[i].pid == number)
                    return j;
        return NULL;
    }
    name++;
    if (*name == '\0' || strcmp(name, "%") == 0 || strcmp(name, "+") == 0)
        return current_job(0);
    if (strcmp(name, "-") == 0)
        return current_job(1);
    number = strtol(name, &end, 10);
    for (struct job *j = jobs; j != NULL; j = j->next)
        if (j->number > 0 && (*end == '\0'   ? j->number == number
                              : *name == '?' ? strstr(j->text, name + 1) != NULL
                                             : strncmp(j->text, name, strlen(name)) == 0))
            return j;
    return NULL;
}

static void job_print(const struct job *job, bool with_pid, int fd)
{
    char state[64] = "Running";
    int status = job->processes[job->count - 1].status;
    char mark = job == current_job(0) ? '+' : job == current_job(1) ? '-' : ' ';

    if (job_state(job) == STOPPED)
        snprintf(state, sizeof state, "Stopped");
    else if (job_state(job) == DONE && WIFSIGNALED(status))
        snprintf(state, sizeof state, "%s", strsignal(WTERMSIG(status)));
    else if (job_state(job) == DONE)
        snprintf(state, sizeof state, exit_status(status) ? "Done(%d)" : "Done",
                 exit_status(status));
    if (with_pid)
        dprintf(fd, "[%d] %c %d %-26s %s\n", job->number, mark, job->group, state, job->text);
    else
        dprintf(fd, "[%d] %c %-26s %s\n", job->number, mark, state, job->text);
}

/* Before a prompt: say what changed in the background. */
void job_notices(void)
{
    while (wait_for_change(WNOHANG) && jobs != NULL)
        ;
    for (struct job *j = jobs, *next; j != NULL; j = next) {
        next = j->next;
        if (j->changed && j->number > 0 && job_state(j) != RUNNING)
            job_print(j, false, STDERR_FILENO);
        j->changed = false;
        if (job_state(j) == DONE)
            job_remove(j);
    }
}

/* Be the leader of a group in the foreground of the terminal, which is standard error's. */
void job_control(bool on)
{
    if (on && terminal < 0) {
        terminal = move_high(dup(STDERR_FILENO));
        while ((shell_group = tcgetpgrp(terminal)) >= 0 && shell_group != getpgrp())
            kill(0, SIGTTIN);
        if (shell_group < 0) {
            complain("can't access tty; job control turned off");
            return;
        }
    }
    if (on) {
        for (int i = 0; i < 3; i++)
            signal((int[]){SIGTSTP, SIGTTIN, SIGTTOU}[i], SIG_IGN);
        shell_group = getpid();
        setpgid(0, shell_group);
        tcsetpgrp(terminal, shell_group);
        tcgetattr(terminal, &shell_modes);
    }
    sh.option['m'] = on;
}

/* --- the builtins ----------------------------------------------------------------------------- */

int builtin_jobs(int argc, char **argv)
{
    bool pids = argc > 1 && argv[1][0] == '-';

    flush();
    while (wait_for_change(WNOHANG) && jobs != NULL)
        ;
    for (struct job *j = jobs, *next; j != NULL; j = next) {
        next = j->next;
        if (j->number == 0)
            continue;
        job_print(j, pids, STDOUT_FILENO);
        j->changed = false;
        if (job_state(j) == DONE)
            job_remove(j);
    }
    return 0;
}

static void mark_running(struct job *job)
{
    for (int i = 0; i < job->count; i++)
        if (job->processes[i].state == STOPPED)
            job->processes[i].state = RUNNING;
}

static struct job *job_to_continue(int argc, char **argv)
{
    struct job *job = argc > 1 ? find_job(argv[1]) : current_job(0);

    if (job == NULL || job_state(job) == DONE) {
        complain("%s: No such job: %s", argv[0], argc > 1 ? argv[1] : "%+");
        return NULL;
    }
    if (!job->controlled) {
        complain("%s: job not created under job control", argv[0]);
        return NULL;
    }
    mark_running(job);
    return job;
}

int builtin_fg(int argc, char **argv)
{
    struct job *job = job_to_continue(argc, argv);

    if (job == NULL)
        return 2;
    out("%s\n", job->text);
    flush();
    tcsetpgrp(terminal, job->group);
    if (job->modes.c_cflag != 0)
        tcsetattr(terminal, TCSADRAIN, &job->modes);
    kill(-job->group, SIGCONT);
    return job_wait(job);
}

int builtin_bg(int argc, char **argv)
{
    struct job *job = job_to_continue(argc, argv);

    if (job == NULL)
        return 2;
    out("[%d] %s\n", job->number, job->text);
    kill(-job->group, SIGCONT);
    return 0;
}

/* Wait for JOB in the background; a signal that has a trap ends the waiting: its status then, or -1. */
static int wait_in_background(struct job *job)
{
    sigset_t all, old;
    int number = 0;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    while (job_state(job) == RUNNING && (number = trap_pending()) == 0)
        if (!wait_for_change(WNOHANG))
            sigsuspend(&old);
    sigprocmask(SIG_SETMASK, &old, NULL);
    return number != 0 ? 128 + number : -1;
}

int builtin_wait(int argc, char **argv)
{
    int status = 0, interrupted;

    signal(SIGCHLD, trap_catch); /* so that sigsuspend ends */
    for (int i = 1; i < argc; i++) {
        struct job *job = find_job(argv[i]);
        status = 127;
        if (job == NULL)
            continue;
        if ((interrupted = wait_in_background(job)) >= 0)
            return interrupted;
        status = job_status(job);
        if (job_state(job) == DONE)
            job_remove(job);
    }
    for (struct job *j = jobs, *next; argc == 1 && j != NULL; j = next) {
        next = j->next;
        if ((interrupted = wait_in_background(j)) >= 0)
            return interrupted;
        if (job_state(j) == DONE && !sh.option['i'])
            job_remove(j);
    }
    return status;
}

int builtin_kill(int argc, char **argv)
{
    int number = SIGTERM, i = 1, status = 0;

    if (argc > 1 && strcmp(argv[1], "-l") == 0) {
        for (int n = 1; argc == 2 && n < 32; n++)
            out("%s\n", signal_name(n));
        if (argc > 2)
            out("%s\n", signal_name(atoi(argv[2]) % 128));
        return 0;
    }
    if (argc > 1 && argv[1][0] == '-' && strcmp(argv[1], "--") != 0) {
        const char *name = argv[1] + 1;
        if (strcmp(name, "s") == 0 && argc > 2)
            name = argv[++i];
        number = signal_number(name);
        if (number < 0)
            return complain("kill: invalid signal number or name: %s", name);
        i++;
    }
    i += i < argc && strcmp(argv[i], "--") == 0;
    if (i == argc)
        return complain("kill: Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]...");
    for (; i < argc; i++) {
        struct job *job = *argv[i] == '%' ? find_job(argv[i]) : NULL;
        char *end = "";
        pid_t pid = job == NULL       ? (pid_t)strtol(argv[i], &end, 10)
                    : job->controlled ? -job->group
                                      : job->group;
        if (pid == 0 && (*end != '\0' || *argv[i] == '%')) {
            status = complain("kill: No such job or process: %s", argv[i]) - 1;
        } else if (kill(pid, number) < 0) {
            status = complain("kill: %s: %s", argv[i], strerror(errno)) - 1;
        } else if (job != NULL && job_state(job) == STOPPED && number != SIGSTOP &&
                   number != SIGTSTP) {
            kill(pid, SIGCONT); /* so that it can take the signal */
            mark_running(job);
        }
    }
    return status;
}

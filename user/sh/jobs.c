/*
 * Jobs: what was started together and is waited for together, mostly the stages of a pipeline. At a terminal
 * each is a process group of its own, and the terminal sends Ctrl-C and Ctrl-Z to the group in the foreground:
 * the shell says which by tcsetpgrp. The shell remembers how the terminal was set when the last job ended
 * well, and sets it so again after one that crashed or stopped.
 */
#include <strings.h>
#include <sys/wait.h>
#include <termios.h>

#include "sh.h"

#define RUNNING (-1) /* a status that wait(2) does not give */
#define ENDED(status) (WIFEXITED(status) || WIFSIGNALED(status))
#define JOBS_MAX 1000 /* a script that never waits is not remembered for longer */

struct job {
    struct job *next; /* the newest, which has the highest number, is first */
    int number, count;
    bool changed;
    struct process {
        pid_t pid;
        int status;
    } * processes; /* the first of them leads the group */
    char *text;
    struct termios modes; /* of the terminal when it stopped */
};

static struct job *jobs;
static int terminal = -1;
static struct termios shell_modes;

/* The status of one that runs, else of one that stopped, else of the last. */
static int job_status(const struct job *j)
{
    int status = j->processes[j->count - 1].status;
    for (int i = 0; i < j->count && status != RUNNING; i++)
        if (j->processes[i].status == RUNNING || WIFSTOPPED(j->processes[i].status))
            status = j->processes[i].status;
    return status;
}

static int exit_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status)
                             : 128 + (WIFSTOPPED(status) ? WSTOPSIG(status) : WTERMSIG(status));
}

static void job_remove(struct job *gone)
{
    struct job **j = &jobs;
    while (*j != gone)
        j = &(*j)->next;
    *j = gone->next;
    free(gone->processes);
    free(gone->text);
    free(gone);
}

/* Note what became of a child. False: of none. */
static bool child_changed(int flags)
{
    int status;
    pid_t pid = waitpid(-1, &status, flags | (sh.job_control ? WUNTRACED | WCONTINUED : 0));
    for (struct job *j = jobs; pid > 0 && j != NULL; j = j->next)
        for (int i = 0; i < j->count; i++)
            if (j->processes[i].pid == pid) {
                j->processes[i].status = WIFCONTINUED(status) ? RUNNING : status;
                j->changed = true;
            }
    return pid > 0 || (pid < 0 && errno == EINTR && !sh.interrupted);
}

struct job *job_new(void)
{
    while (child_changed(WNOHANG))
        ;
    for (struct job *j = jobs; j != NULL && jobs->number > JOBS_MAX; j = j->next)
        if (j != jobs && ENDED(job_status(j))) {
            job_remove(j);
            break;
        }
    struct job *j = allocate(NULL, sizeof *j);
    *j = (struct job){.next = jobs, .number = jobs != NULL ? jobs->number + 1 : 1};
    j->text = strcpy(allocate(NULL, strlen(sh.text) + 1), sh.text);
    return jobs = j;
}

static void note_interrupt(int number)
{
    sh.interrupted = number;
}

/* What a shell does with signals: at a terminal they are for the jobs, elsewhere for it too. */
void signals_set(bool at_terminal)
{
    static const int numbers[] = {SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU};
    struct sigaction action = {.sa_handler = at_terminal ? note_interrupt : SIG_DFL};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        sigaction(numbers[i], &action, NULL); /* no SA_RESTART: what waits must notice */
        action.sa_handler = at_terminal ? SIG_IGN : SIG_DFL;
    }
}

/* JOB NULL: a child that is no job, as for $(...). */
pid_t job_fork(struct job *job, bool background)
{
    bool grouped = job != NULL && sh.job_control;
    pid_t pid = fork();
    if (pid < 0)
        fail("Cannot fork: %s", strerror(errno));
    if (job != NULL && pid > 0) {
        job->processes =
            allocate(job->processes, (size_t)(job->count + 1) * sizeof *job->processes);
        job->processes[job->count++] = (struct process){pid, RUNNING};
    }
    if (grouped) /* in both, so that it is done in time for either */
        setpgid(pid, job->count > 0 ? job->processes[0].pid : 0);
    if (pid > 0)
        return pid;
    if (grouped && !background)
        tcsetpgrp(terminal, getpgrp());
    if (sh.option['i'])
        signals_set(false);
    if (background && !sh.job_control) {
        signal(SIGINT, SIG_IGN);
        signal(SIGQUIT, SIG_IGN);
        if (job != NULL && job->count == 0)
            dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    }
    sh.option['i'] = sh.job_control = false;
    sh.top = NULL;
    jobs = NULL;
    return 0;
}

/* Wait for a child that is no job. */
int wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return exit_status(status);
}

static void job_print(const struct job *job, int fd)
{
    int status = job_status(job);
    const char *state = status == RUNNING     ? "Running"
                        : WIFSTOPPED(status)  ? "Stopped"
                        : WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
                                              : "Done";
    char code[24] = "";
    if (ENDED(status) && WIFEXITED(status) && status != 0)
        snprintf(code, sizeof code, "(%d)", WEXITSTATUS(status));
    dprintf(fd, "[%d] %c %s%-16s %s\n", job->number, job == jobs ? '+' : ' ', state, code,
            job->text);
}

/* Wait until JOB, in the foreground, has ended or stopped. */
int job_wait(struct job *job)
{
    while (job_status(job) == RUNNING && (child_changed(0) || sh.interrupted))
        ;
    int status = job_status(job), number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (sh.job_control) {
        tcsetpgrp(terminal, getpgrp());
        tcgetattr(terminal, WIFEXITED(status) ? &shell_modes : &job->modes);
        tcsetattr(terminal, TCSADRAIN, &shell_modes);
    }
    job->changed = false;
    if (WIFSTOPPED(status)) {
        dprintf(STDERR_FILENO, "\n");
        job_print(job, STDERR_FILENO);
        return exit_status(status);
    }
    job_remove(job);
    if (number == SIGINT && sh.option['i'])
        abandon(128 + SIGINT);
    if (number != 0 && number != SIGINT && number != SIGPIPE)
        dprintf(STDERR_FILENO, "%s%s\n", strsignal(number),
                WCOREDUMP(status) ? " (core dumped)" : "");
    return exit_status(status);
}

int job_started(struct job *job)
{
    sh.background = job->processes[job->count - 1].pid;
    if (sh.option['i'])
        dprintf(STDERR_FILENO, "[%d] %d\n", job->number, sh.background);
    return 0;
}

/* Print those that changed, or all, and forget those that ended. */
void jobs_report(bool all, int fd)
{
    while (child_changed(WNOHANG))
        ;
    for (struct job *j = jobs, *next; j != NULL; j = next) {
        next = j->next;
        if (all || (j->changed && job_status(j) != RUNNING))
            job_print(j, fd);
        j->changed = false;
        if (ENDED(job_status(j)))
            job_remove(j);
    }
}

/* Lead a group in the foreground of the terminal, which is standard error's. */
void job_control(void)
{
    pid_t foreground;
    terminal = move_high(dup(STDERR_FILENO));
    while ((foreground = tcgetpgrp(terminal)) >= 0 && foreground != getpgrp())
        kill(0, SIGTTIN);
    if (foreground < 0)
        complain("can't access tty; job control turned off");
    sh.job_control = foreground >= 0;
    signals_set(true);
    setpgid(0, 0);
    tcsetpgrp(terminal, getpgrp());
    tcgetattr(terminal, &shell_modes);
}

/* %N or the number of a process; NAME NULL, %% and %+: the newest. */
static struct job *find_job(const char *name)
{
    int number = name != NULL ? atoi(name + (*name == '%')) : 0;
    struct job *j = jobs;
    if (name == NULL || strcmp(name, "%%") == 0 || strcmp(name, "%+") == 0)
        return jobs;
    for (; j != NULL && (*name != '%' || j->number != number); j = j->next)
        for (int i = 0; i < j->count && *name != '%'; i++)
            if (j->processes[i].pid == number)
                return j;
    return j;
}

static void job_continue(struct job *job)
{
    for (int i = 0; i < job->count; i++)
        if (WIFSTOPPED(job->processes[i].status))
            job->processes[i].status = RUNNING;
    kill(-job->processes[0].pid, SIGCONT);
}

/* fg bg jobs */
int builtin_jobs(int argc, char **argv)
{
    struct job *job = find_job(argc > 1 ? argv[1] : NULL);
    bool foreground = argv[0][0] == 'f';
    if (argv[0][0] == 'j') {
        jobs_report(true, STDOUT_FILENO);
        return 0;
    }
    if (job == NULL || !sh.job_control)
        return complain("%s: no such job", argv[0]);
    dprintf(STDOUT_FILENO, "[%d] %s\n", job->number, job->text);
    if (foreground) {
        tcsetpgrp(terminal, job->processes[0].pid);
        if (job->modes.c_cflag != 0)
            tcsetattr(terminal, TCSADRAIN, &job->modes);
    }
    job_continue(job);
    return foreground ? job_wait(job) : 0;
}

/* For the jobs named, or for all; Ctrl-C ends it. */
int builtin_wait(int argc, char **argv)
{
    int status = 0;
    for (struct job *j = jobs; argc == 1 && j != NULL; j = j->next)
        while (!sh.interrupted && job_status(j) == RUNNING && child_changed(0))
            ;
    for (int i = 1; i < argc; i++) {
        struct job *j = find_job(argv[i]);
        while (j != NULL && !sh.interrupted && job_status(j) == RUNNING && child_changed(0))
            ;
        status = j != NULL && job_status(j) != RUNNING ? exit_status(job_status(j)) : 127;
        if (j != NULL && ENDED(job_status(j)))
            job_remove(j);
    }
    return status;
}

int builtin_kill(int argc, char **argv)
{
    static const char names[][5] = {"0",    "HUP",  "INT",  "QUIT", "ILL",  "TRAP", "ABRT",
                                    "BUS",  "FPE",  "KILL", "USR1", "SEGV", "USR2", "PIPE",
                                    "ALRM", "TERM", "16",   "CHLD", "CONT", "STOP", "TSTP"};
    int number = SIGTERM, i = 1, status = 0;
    if (argc > 1 && argv[1][0] == '-') {
        i = strcmp(argv[1], "-s") == 0 && argc > 2 ? 3 : 2;
        const char *name = i == 3 ? argv[2] : argv[1] + 1;
        number =
            isdigit((unsigned char)*name) ? atoi(name) : (int)(sizeof names / sizeof names[0]) - 1;
        while (number > 0 && !isdigit((unsigned char)*name) && strcasecmp(name, names[number]) != 0)
            number--;
        if (number == 0 && *name != '0')
            return complain("kill: %s: no such signal", name);
    }
    for (; i < argc; i++) {
        struct job *job = *argv[i] == '%' ? find_job(argv[i]) : NULL;
        pid_t pid = job == NULL ? atoi(argv[i]) : job->processes[0].pid * (sh.job_control ? -1 : 1);
        if ((pid == 0 && strcmp(argv[i], "0") != 0) || kill(pid, number) < 0)
            status = complain("kill: %s: no such process, or not yours", argv[i]) - 1;
        else if (job != NULL && WIFSTOPPED(job_status(job)) && number != SIGSTOP)
            job_continue(job); /* so that it takes the signal */
    }
    return status;
}

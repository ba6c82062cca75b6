/*
 * Jobs: what was started together and is waited for together, mostly the stages of a pipeline. At a terminal
 * each is a process group of its own, and the terminal sends Ctrl-C and Ctrl-Z to the group in the foreground:
 * the shell says which by tcsetpgrp. The shell remembers how the terminal was set when the last job ended
 * well, and sets it so again after one that crashed or stopped.
 */
#include <sys/wait.h>
#include <termios.h>

#include "../signames.h"
#include "sh.h"

#define NONE (-2)
#define RUNNING (-1) /* these are statuses that wait(2) does not give */
#define ENDED(status) ((status) >= 0 && !WIFSTOPPED(status))

static struct process {
    struct process *next; /* the newest is first; those of a job are together */
    pid_t pid, group;     /* group: the first process of the job */
    int number;           /* of the job; the newest has the highest */
    int status;
    int told; /* of a job's last process: the status of the job that was last reported */
    char text[];
} * processes;

static int terminal = -1;
static struct termios shell_modes;

/* The status of one that runs, else of one that stopped, else of the last. */
static int job_status(pid_t group)
{
    int status = NONE;
    for (struct process *p = processes; p != NULL; p = p->next)
        if (p->group == group && (status == NONE || p->status == RUNNING ||
                                  (status != RUNNING && WIFSTOPPED(p->status))))
            status = p->status;
    return status;
}

/* STATUS, of wait(2), as $? has it. */
int exit_status(int status)
{
    int number = WIFSTOPPED(status) ? WSTOPSIG(status) : WTERMSIG(status);
    return status == NONE ? 127 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + number;
}

/* If it has ended; returns its status for $?. */
static int job_forget(pid_t group)
{
    int status = job_status(group);
    struct process **p = &processes, *gone;
    while (*p != NULL && (*p)->group != group)
        p = &(*p)->next;
    for (; ENDED(status) && (gone = *p) != NULL && gone->group == group; free(gone))
        *p = gone->next;
    return exit_status(status);
}

/* Note what became of a child. False: of none. */
static bool child_changed(int flags)
{ /* LAB jobs:changes begin */
    int status;
    pid_t pid = waitpid(-1, &status, flags | (sh.top != NULL ? WUNTRACED | WCONTINUED : 0));
    for (struct process *p = processes; pid > 0 && p != NULL; p = p->next)
        if (p->pid == pid && !ENDED(p->status))
            p->status = WIFCONTINUED(status) ? RUNNING : status;
    return pid > 0 || (pid < 0 && errno == EINTR && !sh.interrupted);
} /* LAB jobs:changes end */

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

/* Add a child to the job *GROUP, which is new when that is 0; GROUP NULL: to none, as for $(...). */
pid_t job_fork(pid_t *group, bool background)
{
    bool grouped = group != NULL && sh.top != NULL, first = group != NULL && *group == 0;
    while (first && child_changed(WNOHANG))
        ;
    pid_t pid = fork();
    if (pid < 0)
        fail("Cannot fork: %s", strerror(errno));
    if (pid > 0 && group != NULL) {
        struct process *p = allocate(NULL, sizeof *p + strlen(sh.text) + 1);
        int number = processes != NULL ? processes->number + first : 1;
        *group = first ? pid : *group;
        *p = (struct process){processes, pid, *group, number, RUNNING, RUNNING};
        strcpy(p->text, sh.text);
        processes = p;
    } /* LAB jobs:groups begin */
    if (grouped)
        setpgid(pid, *group); /* both do this and the next: so it is done in time for either */
    if (grouped && !background)
        tcsetpgrp(terminal, *group != 0 ? *group : getpgrp());
    if (pid > 0)
        return pid;
    if (sh.top != NULL)
        signals_set(false);
    if (sh.interrupted) /* for us, while we still had the shell's handler */
        raise(SIGINT);
    if (background && sh.top == NULL) {
        signal(SIGINT, SIG_IGN);
        signal(SIGQUIT, SIG_IGN);
        if (first)
            dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    }
    sh.top = NULL;
    processes = NULL; /* LAB jobs:groups end */
    return 0;
}

/* Wait until the job, in the foreground, has ended or stopped. */
int job_wait(pid_t group, bool background)
{ /* LAB jobs:wait begin */
    if (background) {
        sh.background = processes->pid;
        if (sh.top != NULL)
            dprintf(STDERR_FILENO, "[%d] %d\n", processes->number, sh.background);
        return 0;
    }
    while (job_status(group) == RUNNING) {
        if (sh.interrupted && sh.top != NULL) /* it came before the job had the terminal */
            kill(-group, SIGINT);
        sh.interrupted = false;
        if (!child_changed(0) && !sh.interrupted)
            break;
    }
    int status = job_status(group), number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (sh.top != NULL) {
        tcsetpgrp(terminal, getpgrp());
        if (WIFEXITED(status))
            tcgetattr(terminal, &shell_modes);
        tcsetattr(terminal, TCSADRAIN, &shell_modes);
    }
    if (number == SIGINT && sh.top != NULL)
        sh.interrupted = true;
    else if (number != 0 && number != SIGINT && number != SIGPIPE)
        dprintf(STDERR_FILENO, "%s\n", strsignal(number));
    return job_forget(group);
} /* LAB jobs:wait end */

/* Print ALL, or those that ended or stopped since the last time; and forget those that ended. */
void jobs_report(bool all)
{ /* LAB jobs:report begin */
    while (child_changed(WNOHANG))
        ;
    for (struct process *p = processes, *next; p != NULL; p = next) {
        int status = job_status(p->group);
        char failure[16];
        snprintf(failure, sizeof failure, "Done(%d)", exit_status(status));
        if (all || (status != RUNNING && status != p->told))
            dprintf(all ? STDOUT_FILENO : STDERR_FILENO, "[%d] %c %-16s %s\n", p->number,
                    p == processes ? '+' : ' ',
                    status == RUNNING    ? "Running"
                    : WIFSTOPPED(status) ? "Stopped"
                    : !WIFEXITED(status) ? strsignal(WTERMSIG(status))
                    : status == 0        ? "Done"
                                         : failure,
                    p->text);
        p->told = status;
        for (next = p; next != NULL && next->group == p->group;)
            next = next->next;
        job_forget(p->group);
    }
} /* LAB jobs:report end */

/* Lead a group in the foreground of the terminal, which is standard error's. */
void job_control(void)
{ /* LAB jobs:control begin */
    terminal = move_high(dup(STDERR_FILENO));
    for (pid_t group; (group = tcgetpgrp(terminal)) >= 0 && group != getpgrp();)
        kill(0, SIGTTIN);
    signals_set(true);
    setpgid(0, 0);
    tcsetpgrp(terminal, getpgrp());
    tcgetattr(terminal, &shell_modes);
} /* LAB jobs:control end */

/* %N or the number of a process; %% and %+: the newest. */
static struct process *find_job(const char *name)
{
    bool newest = strcmp(name, "%%") == 0 || strcmp(name, "%+") == 0;
    struct process *p = processes;
    while (p != NULL && !newest &&
           (*name == '%' ? p->number : p->pid) != atoi(name + (*name == '%')))
        p = p->next;
    return p;
}

static void job_continue(pid_t group)
{ /* LAB jobs:continue begin */
    for (struct process *p = processes; p != NULL; p = p->next)
        if (p->group == group && WIFSTOPPED(p->status))
            p->status = p->told = RUNNING;
    kill(-group, SIGCONT);
} /* LAB jobs:continue end */

/* fg bg jobs */
int builtin_jobs(int argc, char **argv)
{ /* LAB jobs:builtins begin */
    struct process *p = find_job(argc > 1 ? argv[1] : "%%");
    if (argv[0][0] == 'j')
        return jobs_report(true), 0;
    if (p == NULL || sh.top == NULL)
        return complain("%s: no such job", argv[0]);
    if (argv[0][0] == 'f')
        tcsetpgrp(terminal, p->group);
    /* Whoever reads this may type at the job. */
    dprintf(STDOUT_FILENO, "[%d] %s\n", p->number, p->text);
    job_continue(p->group);
    return argv[0][0] == 'f' ? job_wait(p->group, false) : 0;
} /* LAB jobs:builtins end */

/* For the jobs named, or for all; Ctrl-C ends it. */
int builtin_wait(int argc, char **argv)
{
    int status = 0;
    for (struct process *p = processes; argc == 1 && p != NULL; p = p->next)
        while (!sh.interrupted && p->status == RUNNING && child_changed(0))
            ;
    for (int i = 1; i < argc; i++) {
        struct process *p = find_job(argv[i]);
        while (p != NULL && !sh.interrupted && job_status(p->group) == RUNNING && child_changed(0))
            ;
        status = job_forget(p != NULL ? p->group : -1);
    }
    return status;
}

int builtin_kill(int argc, char **argv)
{
    int number = SIGTERM, i = 1, status = 0;
    if (argc > 1 && argv[1][0] == '-') {
        i = strcmp(argv[1], "-s") == 0 && argc > 2 ? 3 : 2;
        number = signal_number(i == 3 ? argv[2] : argv[1] + 1);
        if (number < 0)
            return complain("kill: %s: no such signal", argv[i - 1]);
    }
    for (; i < argc; i++) {
        struct process *p = *argv[i] == '%' ? find_job(argv[i]) : NULL;
        pid_t pid = p == NULL ? atoi(argv[i]) : sh.top != NULL ? -p->group : p->group;
        if ((pid == 0 && strcmp(argv[i], "0") != 0) || kill(pid, number) < 0)
            status = complain("kill: %s: no such process, or not yours", argv[i]) - 1;
        else if (p != NULL && WIFSTOPPED(job_status(p->group)) && number != SIGSTOP)
            job_continue(p->group); /* so that it takes the signal */
    }
    return status;
}

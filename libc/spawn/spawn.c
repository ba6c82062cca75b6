/*
 * posix_spawn: fork and exec in one call, with the usual steps between them written down beforehand.
 *
 * The child tells the parent by a pipe what has gone wrong. Its end is closed by exec, so nothing in the
 * pipe but its end means that the program runs. The number of that end must stay out of the way of the
 * descriptors that the actions name: it moves up when one of them wants its number.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum action_kind { CLOSE, DUP2, OPEN, CHDIR, FCHDIR };

struct spawn_action {
    struct spawn_action *next;
    enum action_kind kind;
    int fd, from; /* what is made or closed, or gone to; what it is made of */
    int flags;
    mode_t mode;
    char path[]; /* of OPEN and CHDIR */
};

/* --- the list of actions ---------------------------------------------------------------------- */

int posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions)
{
    actions->first = actions->last = NULL;
    return 0;
}

int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions)
{
    for (struct spawn_action *a = actions->first, *next; a != NULL; a = next) {
        next = a->next;
        free(a);
    }
    actions->first = actions->last = NULL;
    return 0;
}

static int add(posix_spawn_file_actions_t *actions, const struct spawn_action *what,
               const char *path)
{
    struct spawn_action *a;

    if (what->fd < 0 || what->from < 0)
        return EBADF;
    a = malloc(sizeof *a + strlen(path) + 1);
    if (a == NULL)
        return ENOMEM;
    *a = *what;
    strcpy(a->path, path);
    if (actions->last != NULL)
        actions->last->next = a;
    else
        actions->first = a;
    actions->last = a;
    return 0;
}

int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions, int fd, const char *path,
                                     int flags, mode_t mode)
{
    return add(actions, &(struct spawn_action){.kind = OPEN, .fd = fd, .flags = flags, .mode = mode},
               path);
}

int posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *actions, int fd)
{
    return add(actions, &(struct spawn_action){.kind = CLOSE, .fd = fd}, "");
}

int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int from, int to)
{
    return add(actions, &(struct spawn_action){.kind = DUP2, .fd = to, .from = from}, "");
}

int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path)
{
    return add(actions, &(struct spawn_action){.kind = CHDIR}, path);
}

int posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t *actions, int fd)
{
    return add(actions, &(struct spawn_action){.kind = FCHDIR, .fd = fd}, "");
}

/* --- the child: each step gives -1 with errno --------------------------------------------------- */

/* A duplicate onto itself loses close-on-exec: that is what somebody who writes it down wants. */
static int duplicate(int from, int to)
{
    if (from != to)
        return dup2(from, to);
    return fcntl(from, F_SETFD, fcntl(from, F_GETFD) & ~FD_CLOEXEC);
}

static int open_as(const struct spawn_action *a)
{
    int fd = open(a->path, a->flags, a->mode);

    if (fd < 0 || fd == a->fd)
        return fd;
    if (dup2(fd, a->fd) < 0)
        return -1;
    return close(fd);
}

static int act(const struct spawn_action *a)
{
    switch (a->kind) {
    case CLOSE: close(a->fd); return 0; /* one that is closed already is as good */
    case DUP2: return duplicate(a->from, a->fd);
    case OPEN: return open_as(a);
    case CHDIR: return chdir(a->path);
    default: return fchdir(a->fd);
    }
}

static int act_all(const posix_spawn_file_actions_t *actions, int *report)
{
    for (const struct spawn_action *a = actions ? actions->first : NULL; a != NULL; a = a->next) {
        if (a->fd == *report && a->kind != FCHDIR) {
            int moved = fcntl(*report, F_DUPFD_CLOEXEC, a->fd + 1);
            if (moved < 0)
                return -1;
            close(*report);
            *report = moved;
        }
        if (act(a) < 0)
            return -1;
    }
    return 0;
}

/* Handlers are not for the new program; what is in the set of defaults isn't even ignored. */
static void reset_signals(const posix_spawnattr_t *a)
{
    struct sigaction action;

    for (int number = 1; number < NSIG; number++) {
        if (sigaction(number, NULL, &action) < 0 || action.sa_handler == SIG_DFL)
            continue;
        if (action.sa_handler != SIG_IGN ||
            ((a->flags & POSIX_SPAWN_SETSIGDEF) && sigismember(&a->defaults, number))) {
            action.sa_handler = SIG_DFL;
            sigaction(number, &action, NULL);
        }
    }
}

static int obey(const posix_spawnattr_t *a)
{
    if ((a->flags & POSIX_SPAWN_SETSID) && setsid() < 0)
        return -1;
    if ((a->flags & POSIX_SPAWN_SETPGROUP) && setpgid(0, a->group) < 0)
        return -1;
    if (a->flags & POSIX_SPAWN_SETSCHEDULER) {
        if (sched_setscheduler(0, a->policy, &a->parameters) < 0)
            return -1;
    } else if ((a->flags & POSIX_SPAWN_SETSCHEDPARAM) && sched_setparam(0, &a->parameters) < 0) {
        return -1;
    }
    if ((a->flags & POSIX_SPAWN_RESETIDS) && (setegid(getgid()) < 0 || seteuid(getuid()) < 0))
        return -1;
    return 0;
}

struct spawn {
    int (*run)(const char *name, char *const argv[], char *const envp[]);
    const char *name;
    const posix_spawn_file_actions_t *actions;
    const posix_spawnattr_t *attributes;
    char *const *argv, *const *envp;
    sigset_t mask; /* the caller's */
};

static _Noreturn void become(const struct spawn *s, int report)
{
    const posix_spawnattr_t *a = s->attributes;
    int error;

    reset_signals(a);
    if (obey(a) == 0 && act_all(s->actions, &report) == 0) {
        sigprocmask(SIG_SETMASK, a->flags & POSIX_SPAWN_SETSIGMASK ? &a->mask : &s->mask, NULL);
        s->run(s->name, s->argv, s->envp);
    }
    error = errno;
    (void)!write(report, &error, sizeof error);
    _exit(127);
}

/* --- the parent ------------------------------------------------------------------------------- */

static int spawn(pid_t *pid, const struct spawn *s)
{
    int ends[2], error = 0;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return errno;
    child = fork();
    if (child == 0) {
        close(ends[0]);
        become(s, ends[1]);
    }
    if (child < 0)
        error = errno;
    close(ends[1]);
    if (child > 0 && read(ends[0], &error, sizeof error) == sizeof error)
        waitpid(child, NULL, 0);
    close(ends[0]);
    if (error == 0 && pid != NULL)
        *pid = child;
    return error;
}

/* All signals are blocked from before the fork until the child has the dispositions it shall have. */
static int spawn_blocked(pid_t *pid, struct spawn s)
{
    static const posix_spawnattr_t plain;
    sigset_t all;
    int error;

    if (s.attributes == NULL)
        s.attributes = &plain;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &s.mask);
    error = spawn(pid, &s);
    sigprocmask(SIG_SETMASK, &s.mask, NULL);
    return error;
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    return spawn_blocked(pid, (struct spawn){.run = execve,
                                             .name = path,
                                             .actions = actions,
                                             .attributes = attributes,
                                             .argv = argv,
                                             .envp = envp});
}

int posix_spawnp(pid_t *pid, const char *name, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    return spawn_blocked(pid, (struct spawn){.run = execvpe,
                                             .name = name,
                                             .actions = actions,
                                             .attributes = attributes,
                                             .argv = argv,
                                             .envp = envp});
}

/*
 * Redirections; and what a command changes in the shell only for itself (descriptors; variables by x=1 before
 * it; the parameters of a function) is kept on a stack, and undone when it ends or is abandoned.
 */
#include "sh.h"

void undo_push(struct undo state)
{
    state.next = sh.undo;
    sh.undo = stack_alloc(sizeof *sh.undo);
    *sh.undo = state;
}

void undo_to(struct undo *mark)
{
    for (struct undo *u; (u = sh.undo) != mark; sh.undo = u->next) {
        if (u->variable != NULL) {
            variable_set(u->variable->name, u->value)->exported = u->exported;
        } else if (u->is_parameters) {
            free(sh.parameters.owned);
            sh.parameters = u->parameters;
        } else if (u->copy >= 0) {
            dup2(u->copy, u->fd);
            close(u->copy);
        } else {
            close(u->fd);
        }
    }
}

/* A descriptor of our own belongs above those that scripts name, and ends with exec. */
int move_high(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 10);
    if (high >= 0)
        close(fd);
    return high >= 0 ? high : fd;
}

void make_pipe(int ends[2])
{
    if (pipe(ends) < 0)
        fail("cannot make a pipe: %s", strerror(errno));
    ends[0] = move_high(ends[0]);
    ends[1] = move_high(ends[1]);
}

/* The descriptor that the redirection wants; -1 for <&- and >&-, -2 for an error. */
static int open_redirect(const struct redirect *r)
{
    bool here = strncmp(r->op, "<<", 2) == 0, copy = r->op[1] == '&';
    char *word = r->quoted ? r->word : expand(r->word, here ? HERE : PLAIN);
    int fd = -1, ends[2], flags = r->op[1] == '>' ? O_APPEND : O_TRUNC;
    size_t length = strlen(word);
    if (here) { /* a pipe; what may not fit in it is written by a child */
        make_pipe(ends);
        bool child = length > 4096 && job_fork(NULL, true) == 0;
        if (child)
            close(ends[0]);
        if (child || length <= 4096)
            (void)!write(ends[1], word, length);
        if (child)
            _exit(0);
        close(ends[1]);
        return ends[0];
    }
    if (copy && strcmp(word, "-") == 0)
        return -1;
    if (copy)
        fd = length == 1 && isdigit((unsigned char)*word) && fcntl(*word - '0', F_GETFD) >= 0
                 ? *word - '0'
                 : -1;
    else if (*r->op == '<')
        fd = open(word, r->op[1] == '>' ? O_RDWR | O_CREAT : O_RDONLY, 0666);
    else
        fd = open(word, O_WRONLY | O_CREAT | flags, 0666);
    if (fd < 0)
        complain("cannot open %s: %s", word, strerror(errno));
    return fd < 0 ? -2 : fd;
}

/* Do what LIST says, and with SAVE keep what was there. False: it failed, and why was said. */
bool redirect(struct redirect *r, bool save)
{
    for (; r != NULL; r = r->next) {
        int fd = open_redirect(r);
        bool copy = r->op[1] == '&';
        if (fd == -2)
            return false;
        if (save && (fd != r->fd || !copy)) {
            int old = fd == r->fd ? -1 : fcntl(r->fd, F_DUPFD_CLOEXEC, 10);
            undo_push((struct undo){.fd = r->fd, .copy = old});
        }
        if (fd < 0)
            close(r->fd);
        else if (fd != r->fd)
            dup2(fd, r->fd);
        if (fd != r->fd && !copy)
            close(fd);
    }
    return true;
}

/*
 * Redirections; and what a command changes in the shell only for itself (descriptors; variables by x=1 before
 * it; the parameters of a function) is kept on a stack, and undone when it ends or is abandoned.
 */
#include <sys/mman.h>

#include "sh.h"

void undo_push(struct undo state)
{
    state.next = sh.undo;
    sh.undo = stack_alloc(sizeof *sh.undo);
    *sh.undo = state;
}

/* The descriptor FROM, one of our own, becomes TO; -1 closes TO. */
static void move(int from, int to)
{
    if (from != to)
        close(dup2(from, to) >= 0 ? from : to);
}

void undo_to(struct undo *mark)
{
    for (struct undo *u; (u = sh.undo) != mark; sh.undo = u->next) {
        if (u->variable != NULL) {
            variable_export(variable_set(u->variable->name, u->value), u->exported);
        } else if (u->is_parameters) {
            free(sh.parameters.owned);
            sh.parameters = u->parameters;
        } else {
            move(u->copy, u->fd);
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

/* A descriptor of our own for what the redirection wants; -1 for <&- and >&-, -2 for an error. */
static int open_redirect(const struct redirect *r)
{
    bool here = strncmp(r->op, "<<", 2) == 0;
    char *word = r->quoted ? r->word : expand(r->word, here ? HERE : PLAIN);
    int fd, flags = O_WRONLY | O_CREAT | (r->op[1] == '>' ? O_APPEND : O_TRUNC);
    ssize_t length = (ssize_t)strlen(word);
    if (here) { /* a file without a name */
        fd = memfd_create("here-document", 0);
        if (fd >= 0 && (write(fd, word, (size_t)length) < length || lseek(fd, 0, SEEK_SET) < 0))
            fail("cannot make a here-document: %s", strerror(errno));
    } else if (r->op[1] == '&') {
        if (strcmp(word, "-") == 0)
            return -1;
        fd = dup(length == 1 && isdigit((unsigned char)*word) ? *word - '0' : -1);
    } else {
        if (*r->op == '<')
            flags = r->op[1] == '>' ? O_RDWR | O_CREAT : O_RDONLY;
        fd = open(word, flags, 0666);
    }
    return fd >= 0 ? move_high(fd) : -complain("cannot open %s: %s", word, strerror(errno));
}

/* Do what the list R says, and with SAVE keep what was there. False: it failed, and why was said. */
bool redirect(struct redirect *r, bool save)
{
    for (; r != NULL; r = r->next) {
        int fd = open_redirect(r);
        if (fd == -2)
            return false;
        if (save)
            undo_push((struct undo){.fd = r->fd, .copy = fcntl(r->fd, F_DUPFD_CLOEXEC, 10)});
        move(fd, r->fd);
    }
    return true;
}

/*
 * Redirections: open a file, copy a descriptor, close one. For a builtin or a group the shell redirects
 * itself, so it keeps what it replaces on a stack, above descriptor 10, and puts it back afterwards.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sh.h"

static struct saved {
    int fd, copy; /* copy -1: it was closed */
} * saved;
static size_t depth;

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
        fail("Pipe call failed: %s", strerror(errno));
    ends[0] = move_high(ends[0]);
    ends[1] = move_high(ends[1]);
}

/* A here-document is a pipe; one that may not fit is written by a child. */
static int open_here_document(const char *text)
{
    size_t length = strlen(text);
    int ends[2];

    make_pipe(ends);
    if (length <= 4096 || job_fork(NULL, true) == 0) {
        (void)!write(ends[1], text, length);
        if (length > 4096)
            _exit(0);
    }
    close(ends[1]);
    return ends[0];
}

/* With -C an existing regular file is not overwritten by >. */
static int open_output(const char *path)
{
    struct stat status;

    if (!sh.option['C'] || (stat(path, &status) == 0 && !S_ISREG(status.st_mode)))
        return open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    return open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
}

/* The new descriptor that R wants, or -1: said why; or -2: just close. */
static int open_redirect(const struct redirect *r, bool *is_copy)
{
    char *word =
        r->quoted ? r->word
                  : expand(r->word, r->type == T_HERE || r->type == T_HERE_TABS ? AS_HERE_DOCUMENT
                                                                                : AS_STRING);
    int fd = -1;

    switch (r->type) {
    case T_HERE:
    case T_HERE_TABS: return open_here_document(word);
    case '<': fd = open(word, O_RDONLY); break;
    case '>': fd = open_output(word); break;
    case T_CLOBBER: fd = open(word, O_WRONLY | O_CREAT | O_TRUNC, 0666); break;
    case T_APPEND: fd = open(word, O_WRONLY | O_CREAT | O_APPEND, 0666); break;
    case T_READ_WRITE: fd = open(word, O_RDWR | O_CREAT, 0666); break;
    default:
        if (strcmp(word, "-") == 0)
            return -2;
        *is_copy = true;
        fd = isdigit((unsigned char)word[0]) && word[1] == '\0' ? word[0] - '0' : -1;
        if (fd < 0 || fcntl(fd, F_GETFD) < 0) {
            complain("%s: %s", word, fd < 0 ? "Bad fd number" : strerror(errno));
            fd = -1;
        }
        return fd;
    }
    if (fd < 0)
        complain("cannot %s %s: %s", r->type == '<' ? "open" : "create", word, strerror(errno));
    return fd;
}

bool redirect(struct redirect *r, bool save)
{
    for (; r != NULL; r = r->next) {
        bool is_copy = false;
        int fd = open_redirect(r, &is_copy);
        if (fd == -1)
            return false;
        if (fd == r->fd && is_copy)
            continue;
        if (save) {
            saved = allocate(saved, (depth + 1) * sizeof *saved);
            saved[depth++] =
                (struct saved){r->fd, fd == r->fd ? -1 : fcntl(r->fd, F_DUPFD_CLOEXEC, 10)};
        }
        if (fd == -2)
            close(r->fd);
        else if (fd != r->fd) {
            dup2(fd, r->fd);
            if (!is_copy)
                close(fd);
        }
    }
    return true;
}

size_t redirect_depth(void)
{
    return depth;
}

void redirect_undo(size_t to)
{
    for (; depth > to; depth--) {
        struct saved s = saved[depth - 1];
        if (s.copy >= 0) {
            dup2(s.copy, s.fd);
            close(s.copy);
        } else {
            close(s.fd);
        }
    }
}

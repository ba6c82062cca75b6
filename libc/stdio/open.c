/* Opening and closing, positions, and how a file is buffered. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal/start.h"
#include "stdio/file.h"

/* "r", "w", "a", with '+', 'b', 'e', 'x' behind (C17 7.21.5.3, POSIX), as open flags; -1 and EINVAL. */
static int parse_mode(const char *mode)
{
    int flags;
    switch (*mode) {
    case 'r': flags = O_RDONLY; break;
    case 'w': flags = O_WRONLY | O_CREAT | O_TRUNC; break;
    case 'a': flags = O_WRONLY | O_CREAT | O_APPEND; break;
    default: errno = EINVAL; return -1;
    }
    if (strchr(mode, '+'))
        flags = (flags & ~O_ACCMODE) | O_RDWR;
    if (strchr(mode, 'x'))
        flags |= O_EXCL;
    if (strchr(mode, 'e'))
        flags |= O_CLOEXEC;
    return flags;
}

static void file_init(FILE *f, int fd, int flags)
{
    f->fd = fd;
    f->mode = -1;
    f->can_read = (flags & O_ACCMODE) != O_WRONLY;
    f->can_write = (flags & O_ACCMODE) != O_RDONLY;
    f->append = flags & O_APPEND;
    f->eof = f->error = false;
    f->direction = IDLE;
}

static FILE *file_new(int fd, int flags)
{
    FILE *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    file_init(f, fd, flags);
    lock_acquire(&file_list_lock);
    f->next = file_list;
    f->link = &file_list;
    if (file_list)
        file_list->link = &f->next;
    file_list = f;
    lock_release(&file_list_lock);
    return f;
}

FILE *fopen(const char *restrict path, const char *restrict mode)
{
    int flags = parse_mode(mode);
    if (flags < 0)
        return NULL;
    int fd = open(path, flags, 0666);
    if (fd < 0)
        return NULL;
    FILE *f = file_new(fd, flags);
    if (!f)
        close(fd);
    return f;
}

FILE *fdopen(int fd, const char *mode)
{
    int flags = parse_mode(mode);
    int has = flags < 0 ? -1 : fcntl(fd, F_GETFL);
    if (has < 0)
        return NULL;
    if ((flags & O_APPEND) && !(has & O_APPEND))
        fcntl(fd, F_SETFL, has | O_APPEND);
    return file_new(fd, flags);
}

static int file_finish(FILE *f)
{
    int result = file_flush(f);
    if (close(f->fd) < 0)
        result = EOF;
    if (f->owns_buf)
        free(f->buf - UNGET_MAX);
    f->owns_buf = false;
    f->buf = NULL;
    return result;
}

int fclose(FILE *f)
{
    lock_acquire(&f->lock);
    int result = file_finish(f);
    lock_release(&f->lock);
    if (f->is_static) {
        f->fd = -1;
        return result;
    }
    lock_acquire(&file_list_lock);
    *f->link = f->next;
    if (f->next)
        f->next->link = f->link;
    lock_release(&file_list_lock);
    free(f);
    return result;
}

FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict f)
{
    int flags = parse_mode(mode);
    if (flags < 0)
        return NULL;
    lock_acquire(&f->lock);
    int was = f->fd;
    file_finish(f);
    int fd = open(path, flags, 0666);
    if (fd >= 0 && was >= 0 && fd != was && dup3(fd, was, flags & O_CLOEXEC) == was) {
        close(fd);
        fd = was;
    }
    file_init(f, fd, flags);
    lock_release(&f->lock);
    return fd < 0 ? NULL : f;
}

int setvbuf(FILE *restrict f, char *restrict buf, int mode, size_t size)
{
    if (mode != _IOFBF && mode != _IOLBF && mode != _IONBF)
        return -1;
    lock_acquire(&f->lock);
    f->mode = mode;
    if (buf && size > UNGET_MAX && f->direction == IDLE) {
        if (f->owns_buf)
            free(f->buf - UNGET_MAX);
        f->owns_buf = false;
        f->buf = (unsigned char *)buf + UNGET_MAX;
        f->size = size - UNGET_MAX;
        f->pos = f->end = f->buf;
    }
    lock_release(&f->lock);
    return 0;
}

void setbuf(FILE *restrict f, char *restrict buf)
{
    setvbuf(f, buf, buf ? _IOFBF : _IONBF, BUFSIZ);
}

int fseeko(FILE *f, off_t offset, int whence)
{
    int result = -1;
    lock_acquire(&f->lock);
    if (whence == SEEK_CUR && f->direction == READING)
        offset -= f->end - f->pos; /* the program's position is behind the descriptor's */
    if ((f->direction != WRITING || file_flush(f) == 0) && lseek(f->fd, offset, whence) >= 0) {
        f->pos = f->end = f->buf;
        f->direction = IDLE;
        f->eof = false;
        result = 0;
    }
    lock_release(&f->lock);
    return result;
}

int fseek(FILE *f, long offset, int whence)
{
    return fseeko(f, offset, whence);
}

off_t ftello(FILE *f)
{
    lock_acquire(&f->lock);
    bool to_append = f->direction == WRITING && f->append && f->pos != f->buf;
    off_t at = lseek(f->fd, 0, to_append ? SEEK_END : SEEK_CUR);
    if (at >= 0 && f->direction == READING)
        at -= f->end - f->pos;
    else if (at >= 0 && f->direction == WRITING)
        at += f->pos - f->buf;
    lock_release(&f->lock);
    return at;
}

long ftell(FILE *f)
{
    return ftello(f);
}

void rewind(FILE *f)
{
    fseeko(f, 0, SEEK_SET);
    clearerr(f);
}

void clearerr(FILE *f)
{
    f->eof = f->error = false;
}

int feof(FILE *f)
{
    return f->eof;
}
int ferror(FILE *f)
{
    return f->error;
}
int fileno(FILE *f)
{
    return f->fd;
}

int remove(const char *path)
{
    int result = unlink(path);
    return result < 0 && errno == EISDIR ? rmdir(path) : result;
}

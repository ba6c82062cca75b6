/* Opening and closing, and how a file is buffered. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stdio/file.h"

int __file_flags(const char *mode)
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

/* F becomes a file without a past, with FLAGS as open has them. */
static void file_init(FILE *f, int fd, int flags)
{
    f->fd = fd;
    f->ops = &__descriptor_ops;
    f->mode = -1;
    f->can_read = (flags & O_ACCMODE) != O_WRONLY;
    f->can_write = (flags & O_ACCMODE) != O_RDONLY;
    f->append = flags & O_APPEND;
    f->eof = f->error = false;
    f->direction = IDLE;
}

FILE *__file_new(int fd, int flags)
{
    FILE *f = malloc(sizeof(*f) + UNGET_MAX + BUFSIZ);
    if (!f)
        return NULL;
    memset(f, 0, sizeof(*f));
    f->buf = f->pos = f->end = (unsigned char *)(f + 1) + UNGET_MAX;
    f->size = BUFSIZ;
    file_init(f, fd, flags);
    __lock_acquire(&__file_list_lock);
    f->next = __file_list;
    f->link = &__file_list;
    if (__file_list)
        __file_list->link = &f->next;
    __file_list = f;
    __lock_release(&__file_list_lock);
    return f;
}

FILE *fopen(const char *restrict path, const char *restrict mode)
{
    int flags = __file_flags(mode);
    int fd = flags < 0 ? -1 : open(path, flags, 0666);
    if (fd < 0)
        return NULL;
    FILE *f = __file_new(fd, flags);
    if (!f)
        close(fd);
    return f;
}

/* An open descriptor gets the rest of what FLAGS ask for. EINVAL when it can't be used that way. */
static int adopt(int fd, int flags)
{
    int has = fcntl(fd, F_GETFL), access = has & O_ACCMODE;
    if (has < 0)
        return -1;
    if (access != O_RDWR && access != (flags & O_ACCMODE)) {
        errno = EINVAL;
        return -1;
    }
    if ((flags & O_CLOEXEC) && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -1;
    return (flags & O_APPEND) && !(has & O_APPEND) ? fcntl(fd, F_SETFL, has | O_APPEND) : 0;
}

FILE *fdopen(int fd, const char *mode)
{
    int flags = __file_flags(mode);
    if (flags < 0 || adopt(fd, flags) < 0)
        return NULL;
    return __file_new(fd, flags);
}

static int finish(FILE *f)
{
    int result = __file_flush(f);
    if (f->ops->close(f) < 0)
        result = EOF;
    f->fd = -1;
    f->direction = IDLE;
    f->pos = f->end = f->buf;
    return result;
}

int fclose(FILE *f)
{
    int result = WITH_LOCK(f, finish(f));
    if (f->is_static)
        return result;
    __lock_acquire(&__file_list_lock);
    *f->link = f->next;
    if (f->next)
        f->next->link = f->link;
    __lock_release(&__file_list_lock);
    free(f);
    return result;
}

/* The new file takes the old one's descriptor, so that a freopen of stdout is seen by what is exec'ed. */
static int reopen(FILE *f, const char *path, int flags)
{
    if (!path) {
        __file_flush(f);
        if (adopt(f->fd, flags) < 0 || ((flags & O_TRUNC) && ftruncate(f->fd, 0) < 0))
            return -1;
        f->ops->seek(f, 0, SEEK_SET);
        file_init(f, f->fd, flags);
        return 0;
    }
    int was = f->fd;
    finish(f);
    int fd = open(path, flags, 0666);
    if (fd >= 0 && was >= 0 && fd != was && dup3(fd, was, flags & O_CLOEXEC) == was) {
        close(fd);
        fd = was;
    }
    file_init(f, fd, flags);
    return fd < 0 ? -1 : 0;
}

FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict f)
{
    int flags = __file_flags(mode);
    if (flags >= 0 && WITH_LOCK(f, reopen(f, path, flags)) == 0)
        return f;
    int error = errno;
    fclose(f);
    errno = error;
    return NULL;
}

int setvbuf(FILE *restrict f, char *restrict buf, int mode, size_t size)
{
    if (mode != _IOFBF && mode != _IOLBF && mode != _IONBF)
        return -1;
    flockfile(f);
    f->mode = mode;
    if (buf && size > UNGET_MAX && f->direction == IDLE) {
        f->buf = (unsigned char *)buf + UNGET_MAX;
        f->size = size - UNGET_MAX;
        f->pos = f->end = f->buf;
    }
    funlockfile(f);
    return 0;
}

void setbuffer(FILE *f, char *buf, size_t size)
{
    setvbuf(f, buf, buf ? _IOFBF : _IONBF, size);
}

void setbuf(FILE *restrict f, char *restrict buf)
{
    setbuffer(f, buf, BUFSIZ);
}

void setlinebuf(FILE *f)
{
    setvbuf(f, NULL, _IOLBF, 0);
}

/* Where a file is, and what it says of itself. */
#include <errno.h>

#include "stdio/file.h"

/* The program's position is behind the descriptor's when bytes were read ahead. */
off_t __file_seek(FILE *f, off_t offset, int whence)
{
    if (f->direction == WRITING && __file_flush(f) < 0)
        return -1;
    if (whence == SEEK_CUR && f->direction == READING)
        offset -= f->end - f->pos;
    off_t at = f->ops->seek(f, offset, whence);
    if (at < 0)
        return -1;
    f->pos = f->end = f->buf;
    f->direction = IDLE;
    f->eof = false;
    return at;
}

int fseeko(FILE *f, off_t offset, int whence)
{
    return WITH_LOCK(f, __file_seek(f, offset, whence)) < 0 ? -1 : 0;
}

int fseek(FILE *f, long offset, int whence)
{
    return fseeko(f, offset, whence);
}

static off_t position(FILE *f)
{
    bool to_append = f->direction == WRITING && f->append && f->pos != f->buf;
    off_t at = f->ops->seek(f, 0, to_append ? SEEK_END : SEEK_CUR);
    if (at >= 0 && f->direction == READING)
        at -= f->end - f->pos;
    else if (at >= 0 && f->direction == WRITING)
        at += f->pos - f->buf;
    return at;
}

off_t ftello(FILE *f)
{
    return WITH_LOCK(f, position(f));
}

long ftell(FILE *f)
{
    return ftello(f);
}

int fgetpos(FILE *restrict f, fpos_t *restrict position)
{
    *position = ftello(f);
    return *position < 0 ? -1 : 0;
}

int fsetpos(FILE *f, const fpos_t *position)
{
    return fseeko(f, *position, SEEK_SET);
}

void rewind(FILE *f)
{
    fseeko(f, 0, SEEK_SET);
    clearerr(f);
}

void clearerr_unlocked(FILE *f)
{
    f->eof = f->error = false;
}
int feof_unlocked(FILE *f)
{
    return f->eof;
}
int ferror_unlocked(FILE *f)
{
    return f->error;
}
int fileno_unlocked(FILE *f)
{
    if (f->fd < 0)
        errno = EBADF;
    return f->fd;
}

void clearerr(FILE *f)
{
    flockfile(f);
    clearerr_unlocked(f);
    funlockfile(f);
}
int feof(FILE *f)
{
    return WITH_LOCK(f, feof_unlocked(f));
}
int ferror(FILE *f)
{
    return WITH_LOCK(f, ferror_unlocked(f));
}
int fileno(FILE *f)
{
    return WITH_LOCK(f, fileno_unlocked(f));
}

/* The buffer's machinery, and the three files that every program begins with. */
#include "stdio/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal/start.h"

static struct __file standard[3] = {
    {.fd = 0, .can_read = true, .is_static = true, .mode = -1},
    {.fd = 1, .can_write = true, .is_static = true, .mode = -1},
    {.fd = 2, .can_write = true, .is_static = true, .mode = _IONBF},
};
FILE *const stdin = &standard[0];
FILE *const stdout = &standard[1];
FILE *const stderr = &standard[2];

struct lock file_list_lock;
FILE *file_list;

/* stderr's only: unbuffered, yet one printf is one write. */
static unsigned char small_buf[UNGET_MAX + 256];
static unsigned char standard_buf[2][UNGET_MAX + BUFSIZ];

static int fail(FILE *f)
{
    f->error = true;
    return EOF;
}

/* Give F a buffer, and decide how it is buffered: by lines when it is a terminal (C17 7.21.3). */
static int file_prepare(FILE *f)
{
    if (f->buf)
        return 0;
    if (f->mode < 0)
        f->mode = f != stdin && isatty(f->fd) ? _IOLBF : _IOFBF;
    f->size = BUFSIZ;
    if (f == stderr) {
        f->buf = small_buf;
        f->size = sizeof(small_buf) - UNGET_MAX;
    } else if (f->is_static) {
        f->buf = standard_buf[f - standard];
    } else {
        f->buf = malloc(UNGET_MAX + BUFSIZ);
        if (!f->buf)
            return fail(f);
        f->owns_buf = true;
    }
    f->buf += UNGET_MAX;
    f->pos = f->end = f->buf;
    return 0;
}

/* Write what the buffer holds. Bytes that could not be written stay. */
static int drain(FILE *f)
{
    unsigned char *p = f->buf;
    while (p < f->pos) {
        ssize_t n = write(f->fd, p, (size_t)(f->pos - p));
        if (n < 0) {
            memmove(f->buf, p, (size_t)(f->pos - p));
            f->pos -= p - f->buf;
            return fail(f);
        }
        p += n;
    }
    f->pos = f->buf;
    return 0;
}

int file_flush(FILE *f)
{
    if (f->direction == WRITING)
        return drain(f);
    if (f->direction == READING && f->pos != f->end) {
        /* A pipe can't take bytes back: then they stay in the buffer. */
        if (lseek(f->fd, f->pos - f->end, SEEK_CUR) < 0)
            return 0;
        f->pos = f->end = f->buf;
    }
    return 0;
}

int file_start_reading(FILE *f)
{
    if (f->direction == READING)
        return 0;
    if (!f->can_read) {
        errno = EBADF;
        return fail(f);
    }
    if (file_prepare(f) < 0 || file_flush(f) < 0)
        return EOF;
    f->direction = READING;
    f->pos = f->end = f->buf;
    return 0;
}

int file_start_writing(FILE *f)
{
    if (f->direction == WRITING)
        return 0;
    if (!f->can_write) {
        errno = EBADF;
        return fail(f);
    }
    if (file_prepare(f) < 0 || file_flush(f) < 0)
        return EOF;
    f->direction = WRITING;
    f->pos = f->end = f->buf;
    return 0;
}

static bool write_through(FILE *f, const unsigned char *p, size_t n)
{
    while (n) {
        ssize_t done = write(f->fd, p, n);
        if (done < 0) {
            fail(f);
            return false;
        }
        p += done;
        n -= (size_t)done;
    }
    return true;
}

size_t file_write(FILE *f, const void *p, size_t n)
{
    if (n == 0 || file_start_writing(f) < 0)
        return 0;
    size_t room = (size_t)(f->buf + f->size - f->pos);
    if (n > room) {
        if (drain(f) < 0)
            return 0;
        if (n >= f->size)
            return write_through(f, p, n) ? n : 0;
    }
    memcpy(f->pos, p, n);
    f->pos += n;
    if (f->mode == _IONBF || (f->mode == _IOLBF && memrchr(p, '\n', n)))
        return drain(f) < 0 ? 0 : n;
    return n;
}

/* Interactive input is asked for only after what was printed can be seen (C17 5.1.2.3p7). */
static void flush_terminal_output(void)
{
    if (stdout->mode == _IOLBF && stdout->direction == WRITING)
        drain(stdout);
}

int file_getc(FILE *f)
{
    if (f->direction == READING && f->pos < f->end)
        return *f->pos++;
    if (file_start_reading(f) < 0)
        return EOF;
    if (f == stdin)
        flush_terminal_output();
    ssize_t n = read(f->fd, f->buf, f->mode == _IONBF ? 1 : f->size);
    if (n <= 0) {
        if (n < 0)
            f->error = true;
        else
            f->eof = true;
        return EOF;
    }
    f->pos = f->buf;
    f->end = f->buf + n;
    return *f->pos++;
}

int fflush(FILE *f)
{
    if (!f) {
        __flush_all();
        return 0;
    }
    lock_acquire(&f->lock);
    int result = file_flush(f);
    lock_release(&f->lock);
    return result;
}

/* Here, and not with fopen, so that it comes along with every use of stdio and exit() finds it. */
void __flush_all(void)
{
    for (int i = 0; i < 3; i++)
        fflush(&standard[i]);
    lock_acquire(&file_list_lock);
    for (FILE *f = file_list; f; f = f->next)
        fflush(f);
    lock_release(&file_list_lock);
}

/* The buffer's machinery, and the three files that every program begins with. */
#include "stdio/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "internal/start.h"
#include "internal/syscall.h"
#include "internal/thread.h"

/* Not by read() and its like, where a thread may be cancelled: it would keep the file's lock. */
static ssize_t descriptor_read(FILE *f, void *p, size_t n)
{
    return __syscall_ret(syscall_raw(SYS_read, f->fd, p, n));
}
static ssize_t descriptor_write(FILE *f, const void *p, size_t n)
{
    return __syscall_ret(syscall_raw(SYS_write, f->fd, p, n));
}
static off_t descriptor_seek(FILE *f, off_t offset, int whence)
{
    return lseek(f->fd, offset, whence);
}
static int descriptor_close(FILE *f)
{
    return (int)__syscall_ret(syscall_raw(SYS_close, f->fd));
}

const struct file_ops __descriptor_ops = {descriptor_read, descriptor_write, descriptor_seek,
                                          descriptor_close};

/* stderr's is small: unbuffered, yet one printf is one write. */
static unsigned char in_buf[UNGET_MAX + BUFSIZ], out_buf[UNGET_MAX + BUFSIZ],
    error_buf[UNGET_MAX + 256];

#define STANDARD(number, buffer, ...)                                                             \
    {                                                                                             \
        .fd = (number), .ops = &__descriptor_ops, .is_static = true, .buf = (buffer) + UNGET_MAX, \
        .size = sizeof(buffer) - UNGET_MAX, __VA_ARGS__                                           \
    }
static struct __file standard[3] = {
    STANDARD(0, in_buf, .can_read = true, .mode = _IOFBF),
    STANDARD(1, out_buf, .can_write = true, .mode = -1),
    STANDARD(2, error_buf, .can_write = true, .mode = _IONBF),
};
FILE *const stdin = &standard[0];
FILE *const stdout = &standard[1];
FILE *const stderr = &standard[2];

struct lock __file_list_lock;
FILE *__file_list;

/* Only this thread writes itself into `owner`, so what it reads there can't be wrong about itself. */
static bool is_mine(FILE *f)
{
    return __atomic_load_n(&f->owner, __ATOMIC_RELAXED) == thread_self();
}

static void take(FILE *f)
{
    __atomic_store_n(&f->owner, thread_self(), __ATOMIC_RELAXED);
}

void flockfile(FILE *f)
{
    if (!is_mine(f)) {
        __lock_acquire(&f->lock);
        take(f);
    }
    f->depth++;
}

int ftrylockfile(FILE *f)
{
    if (!is_mine(f)) {
        int unlocked = 0;
        if (!__atomic_compare_exchange_n(&f->lock.state, &unlocked, 1, false, __ATOMIC_ACQUIRE,
                                         __ATOMIC_RELAXED))
            return -1;
        take(f);
    }
    f->depth++;
    return 0;
}

void funlockfile(FILE *f)
{
    if (--f->depth)
        return;
    __atomic_store_n(&f->owner, NULL, __ATOMIC_RELAXED);
    __lock_release(&f->lock);
}

static int fail(FILE *f)
{
    f->error = true;
    return EOF;
}

/* How many of N bytes could be written. A write may take a part: the rest is tried again. */
static size_t write_all(FILE *f, const unsigned char *p, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t part = f->ops->write(f, p + done, n - done);
        if (part < 0) {
            f->error = true;
            break;
        }
        done += (size_t)part;
    }
    return done;
}

/* Write what the buffer holds. Bytes that could not be written stay. */
static int drain(FILE *f)
{
    size_t held = (size_t)(f->pos - f->buf), done = write_all(f, f->buf, held);
    memmove(f->buf, f->buf + done, held - done);
    f->pos -= done;
    return done == held ? 0 : EOF;
}

int __file_flush(FILE *f)
{
    if (f->direction == WRITING)
        return drain(f);
    if (f->direction == READING && f->pos != f->end) {
        /* A pipe can't take bytes back: then they stay in the buffer. */
        if (f->ops->seek(f, f->pos - f->end, SEEK_CUR) < 0)
            return 0;
        f->pos = f->end = f->buf;
    }
    return 0;
}

static int start(FILE *f, enum direction direction, bool allowed)
{
    if (f->direction == direction)
        return 0;
    if (!allowed) {
        errno = EBADF;
        return fail(f);
    }
    if (__file_flush(f) < 0)
        return EOF;
    f->direction = direction;
    f->pos = f->end = f->buf;
    return 0;
}

int __file_start_reading(FILE *f)
{
    return start(f, READING, f->can_read);
}

/* The first time, decide how the file is buffered: by lines when it is a terminal (C17 7.21.3). */
int __file_start_writing(FILE *f)
{
    if (f->mode < 0) {
        int before = errno;
        f->mode = isatty(f->fd) ? _IOLBF : _IOFBF;
        errno = before;
    }
    return start(f, WRITING, f->can_write);
}

size_t __file_write(FILE *f, const void *p, size_t n)
{
    if (n == 0 || __file_start_writing(f) < 0)
        return 0;
    size_t room = (size_t)(f->buf + f->size - f->pos);
    if (n > room) {
        if (drain(f) < 0)
            return 0;
        if (n >= f->size)
            return write_all(f, p, n);
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
    if (stdout->mode == _IOLBF && ftrylockfile(stdout) == 0) {
        if (stdout->direction == WRITING)
            drain(stdout);
        funlockfile(stdout);
    }
}

size_t __file_read(FILE *f, void *p, size_t n)
{
    if (f->eof || __file_start_reading(f) < 0)
        return 0;
    if (f == stdin)
        flush_terminal_output();
    ssize_t got = f->ops->read(f, p, n);
    if (got < 0)
        f->error = true;
    else if (got == 0)
        f->eof = true;
    return got > 0 ? (size_t)got : 0;
}

bool __file_fill(FILE *f)
{
    if (f->direction == READING && f->pos < f->end)
        return true;
    if (__file_start_reading(f) < 0)
        return false;
    f->pos = f->end = f->buf;
    f->end += __file_read(f, f->buf, f->mode == _IONBF ? 1 : f->size);
    return f->pos < f->end;
}

int __file_getc(FILE *f)
{
    return __file_fill(f) ? *f->pos++ : EOF;
}

int fflush_unlocked(FILE *f)
{
    return f ? __file_flush(f) : fflush(f);
}

/* A thread that waits for input has its file's lock: neither exit nor fflush(NULL) may wait for that one. */
static int flush_if_possible(FILE *f)
{
    if (f->direction == WRITING)
        flockfile(f);
    else if (ftrylockfile(f) != 0)
        return 0;
    int result = __file_flush(f);
    funlockfile(f);
    return result;
}

static int flush_all(void)
{
    int result = 0;
    for (int i = 0; i < 3; i++)
        result |= flush_if_possible(&standard[i]);
    __lock_acquire(&__file_list_lock);
    for (FILE *f = __file_list; f; f = f->next)
        result |= flush_if_possible(f);
    __lock_release(&__file_list_lock);
    return result;
}

int fflush(FILE *f)
{
    return f ? WITH_LOCK(f, __file_flush(f)) : flush_all();
}

/* Here, and not with fopen, so that it comes along with every use of stdio and exit() finds it. */
void __flush_all(void)
{
    flush_all();
}

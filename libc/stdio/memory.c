/*
 * Files that are memory. fmemopen's is the program's array, of a fixed size; open_memstream's grows with what is
 * written, and after each flush the program finds its address and length in the two variables that it named.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "stdio/file.h"

struct memory {
    struct __file file; /* whose lock guards the rest */
    char *at;
    size_t room, length, position;
    bool owned;    /* `at` is to be freed when the file is closed */
    char **result; /* open_memstream's, else NULL */
    size_t *result_size;
};

/* What the program sees ends at the position, if that lies inside (POSIX, open_memstream). */
static void publish(struct memory *m)
{
    if (m->result) {
        *m->result = m->at;
        *m->result_size = m->position < m->length ? m->position : m->length;
    }
}

static ssize_t memory_read(FILE *f, void *p, size_t n)
{
    struct memory *m = (struct memory *)f;
    size_t left = m->position < m->length ? m->length - m->position : 0;
    if (n > left)
        n = left;
    memcpy(p, m->at + m->position, n);
    m->position += n;
    return (ssize_t)n;
}

/* Room for N bytes at the position and a NUL behind them. */
static bool grow(struct memory *m, size_t n)
{
    size_t need = m->position + n + 1;
    if (need <= m->room)
        return true;
    char *moved = realloc(m->at, need * 2);
    if (!moved)
        return false;
    m->at = moved;
    m->room = need * 2;
    return true;
}

static ssize_t memory_write(FILE *f, const void *p, size_t n)
{
    struct memory *m = (struct memory *)f;
    if (f->append)
        m->position = m->length;
    if (m->result && !grow(m, n))
        return -1;
    if (n > m->room - m->position)
        n = m->room - m->position;
    if (n == 0) {
        errno = ENOSPC;
        return -1;
    }
    if (m->position > m->length)
        memset(m->at + m->length, 0, m->position - m->length);
    memcpy(m->at + m->position, p, n);
    m->position += n;
    if (m->position > m->length) {
        m->length = m->position;
        if (m->length < m->room)
            m->at[m->length] = '\0';
    }
    publish(m);
    return (ssize_t)n;
}

static off_t memory_seek(FILE *f, off_t offset, int whence)
{
    struct memory *m = (struct memory *)f;
    size_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? m->position : m->length;
    off_t at = (off_t)base + offset;
    if ((unsigned)whence > SEEK_END || at < 0 || (!m->result && (size_t)at > m->room)) {
        errno = EINVAL;
        return -1;
    }
    m->position = (size_t)at;
    publish(m);
    return at;
}

static int memory_close(FILE *f)
{
    struct memory *m = (struct memory *)f;
    if (m->owned)
        free(m->at);
    return 0;
}

static const struct file_ops memory_ops = {memory_read, memory_write, memory_seek, memory_close};

static struct memory *memory_new(int flags, void *at, size_t room)
{
    char *allocated = at ? NULL : calloc(1, room);
    struct memory *m = NULL;
    if (at || allocated)
        m = (struct memory *)__file_new(sizeof(*m), -1, flags, &memory_ops);
    if (!m) {
        free(allocated);
        return NULL;
    }
    m->file.mode = _IOFBF;
    m->at = at ? at : allocated;
    m->room = room;
    return m;
}

FILE *fmemopen(void *restrict at, size_t size, const char *restrict mode)
{
    int flags = __file_flags(mode);
    if (flags < 0 || size == 0) {
        errno = EINVAL;
        return NULL;
    }
    struct memory *m = memory_new(flags, at, size);
    if (!m)
        return NULL;
    m->owned = !at;
    if (flags & O_TRUNC)
        m->at[0] = '\0';
    m->length = flags & O_CREAT ? strnlen(m->at, size) : size;
    m->position = flags & O_APPEND ? m->length : 0;
    return &m->file;
}

FILE *open_memstream(char **result, size_t *size)
{
    struct memory *m = memory_new(O_WRONLY, NULL, 64);
    if (!m)
        return NULL;
    m->result = result;
    m->result_size = size;
    publish(m);
    return &m->file;
}

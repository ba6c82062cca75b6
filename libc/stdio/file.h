/*
 * A FILE is one buffer between a program and something that can be read, written and sought: mostly a descriptor,
 * but also a string being scanned (scanf.c), which `ops` tell apart. At any time the buffer
 * holds either bytes read ahead or bytes not yet written:
 *
 *      reading:  buf ... [pos ... end) ... buf+size      what fgetc gives next is *pos
 *      writing:  [buf ... pos) ... buf+size              fflush writes these
 *
 * ISO C lets a program change direction only at a flush or a seek; here either direction first settles the
 * other (unread bytes are given back with lseek, unwritten ones are written).
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "internal/lock.h"

#define UNGET_MAX 8 /* bytes in front of the buffer for ungetc */

enum direction { IDLE, READING, WRITING };

/* What a FILE stands on. Each call as its system call, with errno: they run with the file's lock held. */
struct file_ops {
    ssize_t (*read)(FILE *f, void *p, size_t n);
    ssize_t (*write)(FILE *f, const void *p, size_t n);
    off_t (*seek)(FILE *f, off_t offset, int whence);
    int (*close)(FILE *f);
};

struct __file {
    struct lock lock;        /* guards the rest; flockfile takes it */
    struct __pthread *owner; /* atomic: who holds the lock */
    unsigned depth;          /* how often */
    int fd;                  /* const after open; -1: none */
    pid_t child;             /* popen's, or 0 */
    const struct file_ops *ops;
    bool can_read, can_write; /* const after open */
    bool append;              /* const after open */
    bool eof, error;
    bool is_static; /* stdin, stdout, stderr: not allocated */
    int mode;       /* _IOFBF, _IOLBF, _IONBF; -1 until the first write asks isatty */
    enum direction direction;
    unsigned char *buf; /* UNGET_MAX bytes lie before it */
    size_t size;
    unsigned char *pos, *end;
    struct __file *next, **link; /* __file_list_lock: all open files, for fflush(NULL) and exit */
};

extern const struct file_ops __descriptor_ops;
extern struct lock __file_list_lock;
extern FILE *__file_list; /* __file_list_lock: those that were allocated */

/* Evaluate EXPRESSION with F locked. */
#define WITH_LOCK(f, expression)                       \
    ({                                                 \
        flockfile(f);                                  \
        __typeof__(expression) result_ = (expression); \
        funlockfile(f);                                \
        result_;                                       \
    })

/* With F locked. 0 or EOF with f->error set. */
int __file_flush(FILE *f);
int __file_start_reading(FILE *f);
int __file_start_writing(FILE *f);
/* How many of the N bytes were taken. */
size_t __file_write(FILE *f, const void *p, size_t n);
/* Read up to N bytes to P, past the buffer, which must be empty. 0: the end or an error, and F says which. */
size_t __file_read(FILE *f, void *p, size_t n);
/* Make pos < end, unless there is nothing to read. */
bool __file_fill(FILE *f);
int __file_getc(FILE *f);
off_t __file_seek(FILE *f, off_t offset, int whence);

/* "r", "w", "a" with '+' and the rest, as flags of open; -1 and EINVAL. */
int __file_flags(const char *mode);
/* A FILE of a descriptor, with a buffer. NULL and ENOMEM. */
FILE *__file_new(int fd, int flags);

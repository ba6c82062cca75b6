/*
 * A FILE is a descriptor with one buffer, which at any time holds either bytes read ahead or bytes not yet
 * written:
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

struct __file {
    struct lock lock;         /* guards the rest */
    int fd;                   /* const after open */
    bool can_read, can_write; /* const after open */
    bool append;              /* const after open */
    bool eof, error;
    bool owns_buf;  /* buf was made by us and must be freed */
    bool is_static; /* stdin, stdout, stderr */
    int mode;       /* _IOFBF, _IOLBF, _IONBF; -1 until the first use asks isatty */
    enum direction direction;
    unsigned char *buf; /* UNGET_MAX bytes lie before it; NULL until the first use */
    size_t size;
    unsigned char *pos, *end;
    struct __file *next, **link; /* file_list_lock: all open files, for fflush(NULL) and exit */
};

extern struct lock file_list_lock;
extern FILE *file_list; /* file_list_lock: those that fopen and fdopen made */

/* With f->lock held. 0 or EOF with f->error set. */
int file_flush(FILE *f);
int file_start_reading(FILE *f);
int file_start_writing(FILE *f);
/* How many of the N bytes were taken. */
size_t file_write(FILE *f, const void *p, size_t n);
int file_getc(FILE *f);

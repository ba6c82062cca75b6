/* The two halves of a pipe's work, for the vtable in ipc/pipe.c. */
#pragma once

#include "lib/types.h"

struct file;
struct pipe;
struct uio;

ssize_t pipe_read(struct file *f, struct uio *u, off_t *pos);
ssize_t pipe_write(struct file *f, struct uio *u, off_t *pos);
/* Read from P, at least one byte: bytes, 0 at the end, -EAGAIN instead of sleeping when NONBLOCK. */
ssize_t pipe_read_bytes(struct pipe *p, struct uio *u, bool nonblock);
/* SIGPIPE, as if the program had sent it to itself. */
void signal_broken_pipe(void);

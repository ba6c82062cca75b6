/* The two halves of a pipe's work, for the vtable in ipc/pipe.c. */
#pragma once

#include "lib/types.h"

struct file;
struct uio;

ssize_t pipe_read(struct file *f, struct uio *u, off_t *pos);
ssize_t pipe_write(struct file *f, struct uio *u, off_t *pos);

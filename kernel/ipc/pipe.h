/*
 * Pipes and FIFOs. A pipe is one queue with two doors; a FIFO is a pipe that has a name, and begins to exist
 * when somebody opens it.
 */
#pragma once

#include "ipc/queue.h"

struct file;
struct inode;

#define PIPE_SLOTS 16u /* pages that a pipe holds unless F_SETPIPE_SZ says otherwise */

/*
 * Readers sleep on q.readable until there are bytes or no writer is left; writers sleep on q.writable until
 * what they have fits or no reader is left. q.lock guards everything here but FILES.
 */
struct pipe {
    struct queue q;       /* its own lock */
    unsigned readers;     /* q.lock: open descriptions that can read */
    unsigned writers;     /* q.lock: ... that can write */
    unsigned read_opens;  /* q.lock: counts opens, so that an open and close in between is seen */
    unsigned write_opens; /* q.lock */
    struct waitq opened;  /* q.lock: who opens a FIFO waits here for the other side */
    unsigned files;   /* inode->spin: descriptions, and openers on their way; the last one frees */
    uid_t charged_to; /* const: whose pages q.slots are */
    bool named;       /* const: a FIFO, whose opens wait for each other */
};

extern const struct file_ops pipe_file_ops;

/* The pipe of INODE with one more user; made when there is none yet. NULL: out of memory, or at a limit. */
struct pipe *pipe_attach(struct inode *inode, bool named);
void pipe_detach(struct inode *inode);
/* A door opens (readers, writers counted) or closes. q.lock held. */
void pipe_open_side(struct pipe *p, bool reads, bool writes);
void pipe_close_side(struct pipe *p, bool reads, bool writes);

/* What opening an inode of type FIFO does; for pipes too, by way of /proc/PID/fd. */
int fifo_open(struct inode *i, struct file *f);

void pipe_init(void);

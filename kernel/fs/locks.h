/* Locks on files: what fcntl(2) calls, and what /proc/locks shows. */
#pragma once

#include <abi/fcntl.h>

#include "lib/types.h"

struct file;
struct inode;

long file_lock_get(struct file *f, int cmd, struct flock __user *arg);
long file_lock_set(struct file *f, int fd, int cmd, struct flock __user *arg);

/*
 * One line of /proc/locks. KIND is "FLOCK", "POSIX" or "OFDLCK"; END is INT64_MAX for "EOF"; PID -1
 * for OFD locks.
 */
struct file_lock_info {
    const char *kind;
    bool write;
    int pid;
    dev_t dev;
    ino_t ino;
    off_t start, end;
};
/* EMIT must not sleep. */
void file_locks_for_each(void (*emit)(void *ctx, const struct file_lock_info *l), void *ctx);

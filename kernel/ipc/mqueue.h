/* POSIX message queues: what mqueue.c (the queue), mqueuefs.c (its names) and procfs share. */
#pragma once

#include <abi/mqueue.h>

#include "lib/types.h"

struct file;
struct inode;
struct file_ops;

/* /proc/sys/fs/mqueue; written there. atomic */
struct mqueue_limits {
    uint64_t queues_max, msg_max, msgsize_max, msg_default, msgsize_default;
};
extern struct mqueue_limits mqueue_limits;
extern const struct file_ops mqueue_file_ops;

struct mqueue;
/* ATTR NULL: the default size. err_ptr(-EINVAL, -EOVERFLOW, -EMFILE, -ENOMEM). */
struct mqueue *mqueue_create(const struct mq_attr *attr);
void mqueue_destroy(struct mqueue *q);
void mqueuefs_init(void);

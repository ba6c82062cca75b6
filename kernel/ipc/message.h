/*
 * A message with a type or a priority, for System V and POSIX message queues: bytes in the buffers that all
 * queues are made of (ipc/queue.h), held together, because here it isn't always the oldest that leaves first.
 */
#pragma once

#include "ipc/queue.h"
#include "lib/list.h"
#include "lib/types.h"

struct message {
    struct list link; /* the lock of the queue that holds it; else the owner */
    struct list bufs; /* const once made */
    size_t size;      /* const */
    long type;        /* const: System V's type, or POSIX's priority */
};

/* The N bytes at DATA; err_ptr(-EFAULT, -ENOMEM). May sleep. */
struct message *message_from_user(const void __user *data, size_t n, long type);
/* The first N bytes to DATA: 0 or -EFAULT. May sleep. */
int message_to_user(const struct message *m, void __user *data, size_t n);
struct message *message_clone(const struct message *m); /* err_ptr(-ENOMEM); never sleeps */
void message_free(struct message *m);
void message_free_list(struct list *messages);

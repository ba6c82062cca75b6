/*
 * Who is told that a message has come to an empty queue, and how (mq_notify(3)): a process, once, by a signal, or by
 * 32 bytes of its own in a netlink socket, for which a thread of its C library waits. That is the kernel's half
 * of SIGEV_THREAD; the last byte then says why (MQ_NOTIFY_*).
 */
#pragma once

#include <abi/signal.h>

#include "lib/types.h"

struct file;
struct packet;
struct pid;

/* Owner only; the queue's lock while it is a queue's. */
struct mq_notification {
    struct pid *to; /* a reference; NULL: nobody is to be told, and the rest means nothing */
    struct sigevent event;
    struct file *socket;   /* SIGEV_THREAD: where it waits; a reference; else NULL */
    struct packet *cookie; /* and what it gets, allocated early so that it can't fail */
};

/* The caller's wish: 0, -EINVAL, -EFAULT, -EBADF or -ENOTSOCK (its socket), -ENOMEM. */
int mq_notification_make(const struct sigevent __user *user, struct mq_notification *out);
/* A message has come; the sender is the caller. N is used up, as by the next two. No lock held. */
void mq_notification_tell(struct mq_notification *n);
/* It won't be told any more: a waiting thread hears of that. No lock held. */
void mq_notification_end(struct mq_notification *n);
/* It never was a queue's. No lock held. */
void mq_notification_drop(struct mq_notification *n);

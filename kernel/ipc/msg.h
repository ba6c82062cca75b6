/* What msgsnd and msgrcv share with msgctl. */
#pragma once

#include "ipc/message.h"
#include "ipc/parked.h"
#include "ipc/sysv.h"

struct msg_queue {
    struct sysv o;         /* its lock guards all below */
    struct list messages;  /* struct message, oldest first */
    size_t bytes;          /* in all of them */
    size_t count;          /* of them */
    size_t limit;          /* msg_qbytes: of bytes, and of count */
    time_t stime, rtime;   /* of the last that was sent, received */
    pid_t lspid, lrpid;    /* by whom */
    struct list receivers; /* struct receiver by ->parked.link: none of the messages is for them */
    struct list senders;   /* struct sender by ->parked.link: there is no room for theirs */
};

extern struct sysv_table msg_queues;

static inline struct msg_queue *queue_of(struct sysv *o)
{
    return container_of(o, struct msg_queue, o);
}

/* The queue is locked for these. */
/* Take what senders wait with, as far as there is room. */
void msg_admit(struct msg_queue *q);
/* Rights have changed: those who wait to receive look again. */
void msg_look_again(struct msg_queue *q);
/* Remove it; who waits gets -EIDRM. The messages go to LIST, for the caller to free without the lock. */
void msg_remove(struct msg_queue *q, struct list *list);
/* Messages and bytes in all queues. */
void msg_totals(size_t *messages, size_t *bytes);

/* POSIX message queues. */
#pragma once

#include <abi/types.h>

#define MQ_PRIO_MAX 32768

struct mq_attr {
    long mq_flags;   /* O_NONBLOCK */
    long mq_maxmsg;  /* messages */
    long mq_msgsize; /* bytes in one */
    long mq_curmsgs; /* messages now */
    long __reserved[4];
};

/*
 * SIGEV_THREAD for the kernel: sigev_value.sival_ptr points to so many bytes, which arrive in the netlink socket
 * sigev_signo, the last of them one of these.
 */
#define MQ_COOKIE_SIZE 32
#define MQ_NOTIFY_MESSAGE 1 /* a message has come */
#define MQ_NOTIFY_REMOVED 2 /* the wish is gone: mq_notify(NULL), or the queue was closed */

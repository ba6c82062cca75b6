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

/*
 * Waiting for many: a file's poll operation says what is ready now, and registers the asker on the
 * wait queues whose wakeups may change the answer. poll, select and epoll are all made of this one
 * operation.
 */
#pragma once

#include <abi/poll.h>

#include "lib/types.h"
#include "sched/wait.h"

#define POLL_DEFAULT (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM) /* of files that never block */

struct poll_table {
    /* Join WQ (whose lock the caller of poll_wait holds). */
    void (*queue)(struct poll_table *pt, struct waitq *wq);
};

/* Called by poll operations with *wq->lock held. PT may be NULL: the asker only wants the state. */
static inline void poll_wait(struct poll_table *pt, struct waitq *wq)
{
    if (pt)
        pt->queue(pt, wq);
}

/* <mqueue.h>: POSIX message queues. A queue is a descriptor. */
#pragma once

#include <abi/mqueue.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>

typedef int mqd_t;

/* With O_CREAT: mode_t mode and struct mq_attr *attr (NULL: the default size) follow. */
mqd_t mq_open(const char *name, int flags, ...);
int mq_close(mqd_t queue);
int mq_unlink(const char *name);
int mq_getattr(mqd_t queue, struct mq_attr *attr);
int mq_setattr(mqd_t queue, const struct mq_attr *attr, struct mq_attr *old);
int mq_send(mqd_t queue, const char *data, size_t len, unsigned prio);
int mq_timedsend(mqd_t queue, const char *data, size_t len, unsigned prio,
                 const struct timespec *deadline);
ssize_t mq_receive(mqd_t queue, char *data, size_t len, unsigned *prio);
ssize_t mq_timedreceive(mqd_t queue, char *data, size_t len, unsigned *prio,
                        const struct timespec *deadline);
int mq_notify(mqd_t queue, const struct sigevent *event);

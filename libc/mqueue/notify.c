/*
 * mq_notify. For SIGEV_THREAD a thread waits at a netlink socket, into which the kernel puts a cookie when the
 * message has come, or when it will never be told.
 */
#include <errno.h>
#include <mqueue.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <abi/netlink.h>

#include "internal/syscall.h"

struct waiter {
    int socket;
    void (*function)(union sigval);
    union sigval value;
};

static void *wait_and_call(void *arg)
{
    struct waiter w = *(struct waiter *)arg;
    char cookie[MQ_COOKIE_SIZE];
    ssize_t n;

    free(arg);
    do
        n = recv(w.socket, cookie, sizeof(cookie), 0);
    while (n < 0 && errno == EINTR);
    close(w.socket);
    if (n == sizeof(cookie) && cookie[MQ_COOKIE_SIZE - 1] == MQ_NOTIFY_MESSAGE)
        w.function(w.value);
    return NULL;
}

/* The kernel is asked first: then nobody has to tell a thread that there is nothing to wait for. */
static int notify_by_thread(mqd_t queue, const struct sigevent *event)
{
    char cookie[MQ_COOKIE_SIZE] = {0};
    struct waiter *w = malloc(sizeof(*w));
    pthread_t thread;

    if (!w)
        return -1;
    w->socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    w->function = event->sigev_notify_function;
    w->value = event->sigev_value;
    struct sigevent told = {
        .sigev_notify = SIGEV_THREAD, .sigev_signo = w->socket, .sigev_value.sival_ptr = cookie};
    if (w->socket >= 0 && !__syscall_ret(syscall_raw(SYS_mq_notify, queue, &told))) {
        int error = pthread_create(&thread, event->sigev_notify_attributes, wait_and_call, w);
        if (!error) {
            (void)pthread_detach(thread);
            return 0;
        }
        (void)syscall_raw(SYS_mq_notify, queue, NULL);
        errno = error;
    }
    int error = errno;
    if (w->socket >= 0)
        close(w->socket);
    free(w);
    errno = error;
    return -1;
}

int mq_notify(mqd_t queue, const struct sigevent *event)
{
    if (event && event->sigev_notify == SIGEV_THREAD)
        return notify_by_thread(queue, event);
    return (int)__syscall_ret(syscall_raw(SYS_mq_notify, queue, event));
}

/* How a process is told of a message: see mqueue_notify.h. */
#include "ipc/mqueue_notify.h"

#include <abi/mqueue.h>

#include "fs/fdtable.h"
#include "net/netlink.h"
#include "net/packet.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "signal/signal.h"
#include "x86/uaccess.h"

/* SIGEV_THREAD: the value points to the cookie, and the number is a descriptor. */
static int prepare_thread(struct mq_notification *n)
{
    char cookie[MQ_COOKIE_SIZE];

    if (copy_from_user(cookie, (const char __user *)n->event.sigev_value.sival_ptr, sizeof(cookie)))
        return -EFAULT;
    int error = netlink_get(n->event.sigev_signo, &n->socket);
    if (error)
        return error;
    n->cookie = packet_alloc(0, sizeof(cookie));
    if (!n->cookie) {
        file_put(n->socket);
        return -ENOMEM;
    }
    memcpy(packet_put(n->cookie, sizeof(cookie)), cookie, sizeof(cookie));
    return 0;
}

int mq_notification_make(const struct sigevent __user *user, struct mq_notification *out)
{
    int error = 0;

    *out = (struct mq_notification){.to = NULL};
    if (copy_from_user(&out->event, user, sizeof(out->event)))
        return -EFAULT;
    switch (out->event.sigev_notify) {
    case SIGEV_NONE: break;
    case SIGEV_SIGNAL:
        if (out->event.sigev_signo < 0 || out->event.sigev_signo >= _NSIG)
            error = -EINVAL;
        break;
    case SIGEV_THREAD: error = prepare_thread(out); break;
    default: error = -EINVAL;
    }
    if (error)
        return error;
    out->to = current_proc()->pid;
    pid_get(out->to);
    return 0;
}

static void tell_thread(struct mq_notification *n, char why)
{
    char *cookie = packet_header(n->cookie, MQ_COOKIE_SIZE);

    cookie[MQ_COOKIE_SIZE - 1] = why;
    netlink_deliver(n->socket, n->cookie);
    n->cookie = NULL;
}

static void send_signal(const struct mq_notification *n)
{
    siginfo_t info = {.si_signo = n->event.sigev_signo, .si_code = SI_MESGQ};

    info.si_pid = current_proc()->pid->nr;
    info.si_uid = current_cred()->uid;
    info.si_value = n->event.sigev_value;
    spin_lock(&proc_tree_lock);
    struct proc *p = n->to->proc;
    if (p)
        proc_get(p);
    spin_unlock(&proc_tree_lock);
    if (!p)
        return;
    (void)signal_send_info(p, NULL, &info);
    proc_put(p);
}

void mq_notification_drop(struct mq_notification *n)
{
    if (!n->to)
        return;
    if (n->cookie)
        packet_free(n->cookie);
    if (n->socket)
        file_put(n->socket);
    pid_put(n->to);
    n->to = NULL;
}

void mq_notification_tell(struct mq_notification *n)
{
    if (!n->to)
        return;
    if (n->socket)
        tell_thread(n, MQ_NOTIFY_MESSAGE);
    else if (n->event.sigev_notify == SIGEV_SIGNAL && n->event.sigev_signo)
        send_signal(n);
    mq_notification_drop(n);
}

void mq_notification_end(struct mq_notification *n)
{
    if (n->to && n->socket)
        tell_thread(n, MQ_NOTIFY_REMOVED);
    mq_notification_drop(n);
}

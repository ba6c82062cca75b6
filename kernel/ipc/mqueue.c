/*
 * POSIX message queues: messages that leave by priority, and among equals in order of arrival.
 *
 * As in the System V kind (msg.c), who finds no message or no room parks, and whoever comes next with a
 * message or with room serves the one that has waited longest. A process may ask to be told, once, when a
 * message comes to the empty queue and nobody waits for it.
 *
 * q->lock guards a queue. Who is to be told (mqueue_notify.h) is told after it has been dropped.
 */
#include <abi/fcntl.h>
#include <abi/signal.h>

#include <syscall_protos.h>

#include "fs/fdtable.h"
#include "fs/inode.h"
#include "fs/poll.h"
#include "ipc/message.h"
#include "ipc/mqueue.h"
#include "ipc/mqueue_notify.h"
#include "ipc/parked.h"
#include "lib/printf.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "proc/users.h"
#include "sched/time.h"
#include "signal/signal.h"
#include "x86/uaccess.h"

#define HARD_MSG_MAX 65536
#define HARD_MSGSIZE_MAX (16L << 20)
/* Bytes that Linux counts for each message that a queue may hold, and for each priority that may be among them. */
#define MESSAGE_OVERHEAD 48
#define PRIORITY_OVERHEAD 48

struct mqueue {
    struct spinlock lock;  /* RANK_QUEUE: all below */
    struct list messages;  /* struct message: by falling priority, then in order of arrival */
    long count;            /* of them */
    size_t bytes;          /* in them */
    long maxmsg, msgsize;  /* const */
    uid_t uid;             /* const: who pays */
    struct list receivers; /* struct mq_waiter by ->parked.link: there is no message */
    struct list senders;   /* the same: there is no room */
    struct waitq readable; /* who polls for a message */
    struct waitq writable; /* who polls for room */
    struct mq_notification notify; /* whom to tell, and how */
};

struct mq_waiter {
    struct parked parked;
    struct message *message; /* q->lock: what is sent, or was received */
};

struct mqueue_limits mqueue_limits = {
    .queues_max = 256,
    .msg_max = 10,
    .msgsize_max = 8192,
    .msg_default = 10,
    .msgsize_default = 8192,
};

/* ---- life ---- */

static int check_attr(long maxmsg, long msgsize)
{
    if (maxmsg <= 0 || msgsize <= 0)
        return -EINVAL;
    if (capable(CAP_SYS_RESOURCE)) {
        if (maxmsg > HARD_MSG_MAX || msgsize > HARD_MSGSIZE_MAX)
            return -EINVAL;
    } else if ((uint64_t)maxmsg > mqueue_limits.msg_max ||
               (uint64_t)msgsize > mqueue_limits.msgsize_max) {
        return -EINVAL;
    }
    return 0;
}

static uint64_t charged_bytes(long maxmsg, long msgsize)
{
    return (uint64_t)maxmsg * ((uint64_t)msgsize + MESSAGE_OVERHEAD) +
           (uint64_t)min(maxmsg, (long)MQ_PRIO_MAX) * PRIORITY_OVERHEAD;
}

struct mqueue *mqueue_create(const struct mq_attr *attr)
{
    long maxmsg = (long)min(mqueue_limits.msg_max, mqueue_limits.msg_default);
    long msgsize = (long)min(mqueue_limits.msgsize_max, mqueue_limits.msgsize_default);

    if (attr) {
        maxmsg = attr->mq_maxmsg;
        msgsize = attr->mq_msgsize;
        int error = check_attr(maxmsg, msgsize);
        if (error)
            return err_ptr(error);
    }
    uid_t uid = current_cred()->uid;
    uint64_t bytes = charged_bytes(maxmsg, msgsize);
    if (!user_count_add(USER_MQUEUE_BYTES, uid, bytes, proc_rlimit(RLIMIT_MSGQUEUE)))
        return err_ptr(-EMFILE);
    struct mqueue *q = kzalloc(sizeof(*q));
    if (!q) {
        user_count_sub(USER_MQUEUE_BYTES, uid, bytes);
        return err_ptr(-ENOMEM);
    }
    spin_init(&q->lock, RANK_QUEUE, "mqueue");
    list_init(&q->messages);
    list_init(&q->receivers);
    list_init(&q->senders);
    waitq_init(&q->readable, &q->lock);
    waitq_init(&q->writable, &q->lock);
    q->maxmsg = maxmsg;
    q->msgsize = msgsize;
    q->uid = uid;
    return q;
}

void mqueue_destroy(struct mqueue *q)
{
    message_free_list(&q->messages);
    mq_notification_end(&q->notify);
    user_count_sub(USER_MQUEUE_BYTES, q->uid, charged_bytes(q->maxmsg, q->msgsize));
    kfree(q);
}

static struct mqueue *queue_of(const struct file *f)
{
    return f->inode->private;
}

/* ---- messages: the lock is held ---- */

/* Put M behind all that are as important. */
static void insert(struct mqueue *q, struct message *m)
{
    struct message *at;
    struct list *behind = &q->messages;

    list_for_each (at, &q->messages, link) {
        if (at->type < m->type)
            break;
        behind = &at->link;
    }
    list_insert_after(behind, &m->link);
    q->count++;
    q->bytes += m->size;
    wake_all(&q->readable, POLLIN | POLLRDNORM);
}

/* Nobody is to be told any more: the caller tells or forgets, once the lock is free. */
static struct mq_notification take_notification(struct mqueue *q)
{
    struct mq_notification n = q->notify;

    q->notify = (struct mq_notification){.to = NULL};
    return n;
}

/* M goes to whoever waits longest, or into the queue, which has room then. */
static void deliver(struct mqueue *q, struct message *m, struct mq_notification *n)
{
    struct mq_waiter *w = list_first(&q->receivers, struct mq_waiter, parked.link);

    if (w) {
        w->message = m;
        parked_finish(&w->parked, 0);
        return;
    }
    if (q->count == 0)
        *n = take_notification(q);
    insert(q, m);
}

static struct message *take(struct mqueue *q)
{
    struct message *m = list_first(&q->messages, struct message, link);
    struct mq_waiter *w = list_first(&q->senders, struct mq_waiter, parked.link);

    list_remove(&m->link);
    q->count--;
    q->bytes -= m->size;
    if (w) {
        insert(q, w->message);
        w->message = NULL;
        parked_finish(&w->parked, 0);
    } else {
        wake_all(&q->writable, POLLOUT | POLLWRNORM);
    }
    return m;
}

/* ---- calls ---- */

/* The queue's file behind a descriptor: err_ptr(-EBADF). */
static struct file *get_file(int fd)
{
    struct file *f = fd_get_real(fd);

    if (f && f->ops == &mqueue_file_ops)
        return f;
    if (f)
        file_put(f);
    return err_ptr(-EBADF);
}

static int get_deadline(const struct timespec __user *timeout, nsec_t *deadline)
{
    nsec_t time;

    *deadline = DEADLINE_NONE;
    if (!timeout)
        return 0;
    int error = timespec_from_user(timeout, &time);
    if (!error)
        *deadline = deadline_at(CLOCK_REALTIME, time);
    return error;
}

/* *M is taken over on success, and NULL then. */
static int send(struct file *f, struct message **m, nsec_t deadline, struct mq_notification *n)
{
    struct mqueue *q = queue_of(f);
    struct mq_waiter w = {.message = *m};
    int error = 0;

    spin_lock(&q->lock);
    if (q->count < q->maxmsg) {
        deliver(q, *m, n);
        w.message = NULL;
    } else if (f->flags & O_NONBLOCK) {
        error = -EAGAIN;
    } else {
        park(&w.parked, &q->senders);
        error = parked_wait(&w.parked, &q->lock, deadline);
    }
    *m = w.message;
    spin_unlock(&q->lock);
    return error;
}

long sys_mq_timedsend(int fd, const char __user *data, size_t len, unsigned prio,
                      const struct timespec __user *timeout)
{
    struct mq_notification n = {.to = NULL};
    nsec_t deadline;
    long error = get_deadline(timeout, &deadline);

    if (error)
        return error;
    if (prio >= MQ_PRIO_MAX)
        return -EINVAL;
    struct file *f = get_file(fd);
    if (is_err(f))
        return ptr_err(f);
    if (!FMODE_WRITE(f))
        error = -EBADF;
    else if (len > (size_t)queue_of(f)->msgsize)
        error = -EMSGSIZE;
    struct message *m = error ? NULL : message_from_user(data, len, (long)prio);
    if (is_err(m)) {
        error = ptr_err(m);
    } else if (m) {
        error = send(f, &m, deadline, &n);
        if (m)
            message_free(m);
        mq_notification_tell(&n);
    }
    file_put(f);
    return error;
}

static struct message *receive(struct file *f, nsec_t deadline)
{
    struct mqueue *q = queue_of(f);
    struct mq_waiter w = {.message = NULL};
    int error = 0;

    spin_lock(&q->lock);
    if (q->count) {
        w.message = take(q);
    } else if (f->flags & O_NONBLOCK) {
        error = -EAGAIN;
    } else {
        park(&w.parked, &q->receivers);
        error = parked_wait(&w.parked, &q->lock, deadline);
    }
    spin_unlock(&q->lock);
    return error ? err_ptr(error) : w.message;
}

long sys_mq_timedreceive(int fd, char __user *data, size_t len, unsigned __user *prio,
                         const struct timespec __user *timeout)
{
    nsec_t deadline;
    long result = get_deadline(timeout, &deadline);

    if (result)
        return result;
    struct file *f = get_file(fd);
    if (is_err(f))
        return ptr_err(f);
    if (!FMODE_READ(f))
        result = -EBADF;
    else if (len < (size_t)queue_of(f)->msgsize)
        result = -EMSGSIZE;
    struct message *m = result ? err_ptr(result) : receive(f, deadline);
    file_put(f);
    if (is_err(m))
        return ptr_err(m);
    result = (long)m->size;
    if ((prio && put_user((unsigned)m->type, prio)) || message_to_user(m, data, m->size))
        result = -EFAULT;
    message_free(m);
    return result;
}

/* The caller's wish to be told, if there is one, and not of another process. */
static void forget(struct mqueue *q)
{
    struct mq_notification old = {.to = NULL};

    spin_lock(&q->lock);
    if (q->notify.to == current_proc()->pid)
        old = take_notification(q);
    spin_unlock(&q->lock);
    mq_notification_end(&old);
}

long sys_mq_notify(int fd, const struct sigevent __user *user)
{
    struct mq_notification n = {.to = NULL};
    int error = user ? mq_notification_make(user, &n) : 0;

    if (error)
        return error;
    struct file *f = get_file(fd);
    if (is_err(f)) {
        mq_notification_drop(&n);
        return ptr_err(f);
    }
    struct mqueue *q = queue_of(f);
    if (user) {
        spin_lock(&q->lock);
        if (q->notify.to)
            error = -EBUSY;
        else
            q->notify = n;
        spin_unlock(&q->lock);
        if (error)
            mq_notification_drop(&n);
    } else {
        forget(q);
    }
    file_put(f);
    return error;
}

long sys_mq_getsetattr(int fd, const struct mq_attr __user *user, struct mq_attr __user *old_user)
{
    struct mq_attr attr, old = {0};

    if (user && copy_from_user(&attr, user, sizeof(attr)))
        return -EFAULT;
    if (user && (attr.mq_flags & ~(long)O_NONBLOCK))
        return -EINVAL;
    struct file *f = get_file(fd);
    if (is_err(f))
        return ptr_err(f);
    struct mqueue *q = queue_of(f);
    spin_lock(&q->lock);
    old.mq_flags = f->flags & O_NONBLOCK;
    old.mq_maxmsg = q->maxmsg;
    old.mq_msgsize = q->msgsize;
    old.mq_curmsgs = q->count;
    if (user && (attr.mq_flags & O_NONBLOCK))
        (void)atomic_or(&f->flags, O_NONBLOCK);
    else if (user)
        (void)atomic_and(&f->flags, ~(unsigned)O_NONBLOCK);
    spin_unlock(&q->lock);
    file_put(f);
    return old_user && copy_to_user(old_user, &old, sizeof(old)) ? -EFAULT : 0;
}

/* ---- as a file ---- */

/* What is in the queue and who is to be told, in words. */
static ssize_t mqueue_read(struct file *f, struct uio *u, off_t *pos)
{
    struct mqueue *q = queue_of(f);
    char line[128];

    spin_lock(&q->lock);
    const struct sigevent *event = &q->notify.event;
    bool told = q->notify.to, signals = told && event->sigev_notify == SIGEV_SIGNAL;
    size_t n = (size_t)snprintf(line, sizeof(line),
                                "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", q->bytes,
                                told ? event->sigev_notify : 0, signals ? event->sigev_signo : 0,
                                told ? q->notify.to->nr : 0);
    spin_unlock(&q->lock);
    if (*pos < 0 || (size_t)*pos >= n)
        return 0;
    size_t wanted = min(n - (size_t)*pos, u->left);
    size_t done = uio_copy_out(u, line + *pos, wanted);
    *pos += (off_t)done;
    return done < wanted && !done ? -EFAULT : (ssize_t)done;
}

static unsigned mqueue_poll(struct file *f, struct poll_table *pt)
{
    struct mqueue *q = queue_of(f);
    unsigned ready = 0;

    spin_lock(&q->lock);
    poll_wait(pt, &q->readable);
    poll_wait(pt, &q->writable);
    if (q->count)
        ready |= POLLIN | POLLRDNORM;
    if (q->count < q->maxmsg)
        ready |= POLLOUT | POLLWRNORM;
    spin_unlock(&q->lock);
    return ready;
}

/* A process that closes the queue doesn't want to be told any more. */
static void mqueue_flush(struct file *f)
{
    forget(queue_of(f));
}

static off_t mqueue_lseek(struct file *f, off_t offset, int whence)
{
    return file_lseek_size(f, offset, whence, READ_ONCE(f->inode->size));
}

const struct file_ops mqueue_file_ops = {
    .read = mqueue_read,
    .lseek = mqueue_lseek,
    .poll = mqueue_poll,
    .flush = mqueue_flush,
    .seekable = true,
};

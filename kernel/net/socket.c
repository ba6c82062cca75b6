/*
 * Sockets as open descriptions: making them, and what read, write, poll and ioctl mean for them. The calls
 * that only sockets know are in socket_calls.c.
 */
#include "net/socket.h"

#include <abi/ioctl.h>

#include "fs/async.h"
#include "fs/inode.h"
#include "fs/poll.h"
#include "fs/splice.h"
#include "lib/string.h"
#include "net/inet.h"
#include "proc/proc.h"
#include "signal/signal.h"
#include "x86/clock.h"
#include "x86/uaccess.h"

#define BUFFER_DEFAULT 212992u /* SO_SNDBUF and SO_RCVBUF of a new socket, as on Linux */

static struct socket_family *families; /* const after boot */

void socket_register(struct socket_family *family)
{
    family->next = families;
    families = family;
}

int socket_create(int domain, int type, int protocol, struct socket **out)
{
    if (domain < 0 || domain >= AF_MAX)
        return -EAFNOSUPPORT;
    if (type < 0 || type >= SOCK_TYPE_MAX)
        return -EINVAL;
    for (struct socket_family *f = families; f; f = f->next)
        if (f->domain == domain)
            return f->create(type, protocol, out);
    return -EAFNOSUPPORT;
}

void socket_init(struct socket *s, const struct proto_ops *ops, int domain, int type, int protocol)
{
    s->ops = ops;
    s->domain = domain;
    s->type = type;
    s->protocol = protocol;
    s->send_limit = s->receive_limit = BUFFER_DEFAULT;
    s->low_water = 1;
    queue_init(&s->rx, BUFFER_DEFAULT, UINT32_MAX);
}

/* --- errors and waits --- */

int socket_take_error(struct socket *s)
{
    if (likely(!READ_ONCE(s->error)))
        return 0;
    return -__atomic_exchange_n(&s->error, 0, __ATOMIC_ACQ_REL);
}

void socket_set_error(struct socket *s, int error)
{
    __atomic_store_n(&s->error, error, __ATOMIC_RELEASE);
}

nsec_t socket_deadline(nsec_t timeout)
{
    nsec_t deadline;

    if (!timeout || __builtin_add_overflow(clock_monotonic(), timeout, &deadline))
        return DEADLINE_NONE;
    return deadline;
}

void socket_broken_pipe(const struct message *m)
{
    siginfo_t info = {.si_signo = SIGPIPE, .si_code = SI_USER};

    if (m->flags & MSG_NOSIGNAL)
        return;
    info.si_pid = current_proc()->pid->nr;
    info.si_uid = current_cred()->uid;
    (void)signal_send_info(current_proc(), current, &info);
}

/* --- the description --- */

static void message_for_file(struct message *m, struct file *f, const struct uio *u)
{
    message_init(m, 0, (f->flags & O_NONBLOCK) || (u->flags & RWF_NOWAIT));
    m->data = *u;
}

static ssize_t socket_read(struct file *f, struct uio *u, off_t *pos)
{
    struct socket *s = f->private;
    struct message m;

    (void)pos;
    if (!u->left)
        return 0;
    if (!s->ops->receive)
        return -EOPNOTSUPP;
    message_for_file(&m, f, u);
    ssize_t n = s->ops->receive(s, &m);
    *u = m.data;
    return n;
}

static ssize_t socket_write(struct file *f, struct uio *u, off_t *pos)
{
    struct socket *s = f->private;
    struct message m;

    (void)pos;
    if (!s->ops->send)
        return -EOPNOTSUPP;
    message_for_file(&m, f, u);
    ssize_t n = s->ops->send(s, &m);
    *u = m.data;
    return n;
}

static ssize_t socket_read_pages(struct file *f, struct page_batch *b, size_t n, unsigned max,
                                 off_t *pos, bool nonblock)
{
    struct socket *s = f->private;

    if (f->flags & O_NONBLOCK)
        nonblock = true;
    return s->ops->read_pages ? s->ops->read_pages(s, b, n, max, nonblock)
                              : file_read_copies(f, b, n, max, pos, nonblock);
}

static unsigned socket_poll(struct file *f, struct poll_table *pt)
{
    struct socket *s = f->private;
    return s->ops->poll(s, pt);
}

static long socket_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
    struct socket *s = f->private;
    long result = s->ops->ioctl ? s->ops->ioctl(s, cmd, arg) : -ENOTTY;

    return result == -ENOTTY ? inet_ioctl(cmd, arg)
                             : result; /* any socket will do for interfaces */
}

static void socket_flush(struct file *f)
{
    struct socket *s = f->private;
    if (s->ops->close)
        s->ops->close(s);
}

static void socket_release(struct file *f)
{
    struct socket *s = f->private;

    WRITE_ONCE(s->ino, 0);
    s->ops->release(s);
}

const struct file_ops socket_file_ops = {
    .read = socket_read,
    .write = socket_write,
    .poll = socket_poll,
    .ioctl = socket_ioctl,
    .flush = socket_flush,
    .release = socket_release,
    .splice_from = true,
    .splice_to = true,
    .read_pages = socket_read_pages,
    .async_owner = async_no_owner,
};

struct file *socket_file_create(struct socket *s, unsigned flags)
{
    struct inode *i = inode_alloc_anon(S_IFSOCK | 0777);
    struct file *f =
        i ? file_alloc(&socket_file_ops, O_RDWR | (flags & O_NONBLOCK), s) : err_ptr(-ENOMEM);

    if (is_err(f)) {
        if (i)
            inode_put(i);
        s->ops->release(s);
        return f;
    }
    f->inode = i;
    s->file = f;
    WRITE_ONCE(s->ino, i->ino);
    return f;
}

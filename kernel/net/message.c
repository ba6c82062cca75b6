/*
 * Messages: the calls that send and receive, and control data.
 *
 * A message's address is copied into a sockaddr_storage, its header, vector and control data into a
 * struct message. Results go back in the order that Linux has: the data first, then the address, then
 * the lengths and flags of the header.
 *
 * Control data is what travels beside a message's bytes, a row of (level, type, data) with a header each. A
 * sender's has been copied into the kernel whole; a receiver's is written to the program piece by piece.
 */
#include <abi/limits.h>
#include <syscall_protos.h>

#include "fs/pollwait.h"
#include "fs/vfs.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/socket.h"
#include "x86/clock.h"
#include "x86/uaccess.h"

#define CONTROL_MAX 20480 /* bytes that a sender's control data may have; Linux's optmem_max */

/* --- control data --- */

struct cmsghdr *control_next(const struct message *m, struct cmsghdr *at)
{
    size_t offset = at ? (size_t)((char *)at - m->control) + CMSG_ALIGN(at->cmsg_len) : 0;

    if (offset > m->control_len || m->control_len - offset < sizeof(struct cmsghdr))
        return NULL;
    struct cmsghdr *next = (struct cmsghdr *)(m->control + offset);
    if (next->cmsg_len < sizeof(*next) || next->cmsg_len > m->control_len - offset)
        return err_ptr(-EINVAL);
    return next;
}

int control_put(struct message *m, int level, int type, const void *data, size_t len)
{
    struct cmsghdr header = {CMSG_LEN(len), level, type};

    if (m->control_room < sizeof(header)) {
        m->result |= MSG_CTRUNC;
        return 0;
    }
    if (header.cmsg_len > m->control_room) {
        m->result |= MSG_CTRUNC;
        header.cmsg_len = m->control_room;
    }
    if (copy_to_user(m->control_out, &header, sizeof(header)) ||
        copy_to_user(m->control_out + sizeof(header), data, header.cmsg_len - sizeof(header)))
        return -EFAULT;
    size_t used = min(CMSG_SPACE(len), m->control_room);
    m->control_out += used;
    m->control_room -= used;
    return 0;
}

/* --- one message --- */

static long do_send(struct socket *s, struct message *m)
{
    return s->ops->send ? s->ops->send(s, m) : -EOPNOTSUPP;
}

static long do_receive(struct socket *s, struct message *m)
{
    return s->ops->receive ? s->ops->receive(s, m) : -EOPNOTSUPP;
}

/* What sendto(2) and recvfrom(2) need: one piece of memory to send from or receive into. */
struct transfer {
    struct message m;
    struct iovec one;
    struct fdref r;
};

/* Its socket, with T->r to put; NULL with *ERROR. */
static inline struct socket *transfer_begin(struct transfer *t, int fd, void __user *buf,
                                            size_t count, unsigned flags, long *error)
{
    count = min(count, MAX_RW_COUNT);
    if (!user_range_ok(buf, count)) {
        *error = -EFAULT;
        return NULL;
    }
    struct socket *s = socket_get(fd, &t->r, error);
    if (!s)
        return NULL;
    message_init(&t->m, flags, socket_is_nonblock(t->r));
    uio_init_user(&t->m.data, &t->one, buf, count);
    return s;
}

long sys_sendto(int fd, const void __user *buf, size_t count, unsigned int flags,
                const struct sockaddr __user *addr, int addrlen)
{
    struct transfer t;
    long error;
    struct socket *s = transfer_begin(&t, fd, (void __user *)buf, count, flags, &error);

    if (!s)
        return error;
    if (addr) {
        error = address_from_user(&t.m.name, addr, addrlen);
        t.m.namelen = error ? 0 : (unsigned)addrlen;
    } else {
        error = 0;
    }
    if (!error)
        error = do_send(s, &t.m);
    fdref_put(t.r);
    return error;
}

long sys_recvfrom(int fd, void __user *buf, size_t count, unsigned int flags,
                  struct sockaddr __user *addr, int __user *addrlen)
{
    struct transfer t;
    long error;
    struct socket *s = transfer_begin(&t, fd, buf, count, flags, &error);

    if (!s)
        return error;
    t.m.wants_name = addr != NULL;
    long n = do_receive(s, &t.m);
    fdref_put(t.r);
    if (n >= 0 && addr) {
        error = address_to_user(&t.m.name, t.m.namelen, addr, addrlen);
        if (error)
            return error;
    }
    return n;
}

/* --- messages with a header --- */

/* A header of the program's, copied and checked: the vector in V. */
static int header_get(struct msghdr *h, struct user_vector *v, const struct msghdr __user *user)
{
    if (copy_from_user(h, user, sizeof(*h)))
        return -EFAULT;
    if (!h->msg_name)
        h->msg_namelen = 0;
    if ((int)h->msg_namelen < 0)
        return -EINVAL;
    h->msg_namelen = min(h->msg_namelen, (socklen_t)sizeof(struct sockaddr_storage));
    if (h->msg_iovlen > IOV_MAX)
        return -EMSGSIZE;
    return vector_get(v, h->msg_iov, h->msg_iovlen);
}

static int control_get(struct message *m, const struct msghdr *h)
{
    if (!h->msg_controllen)
        return 0;
    if (h->msg_controllen > CONTROL_MAX)
        return -ENOBUFS;
    m->control = kmalloc(h->msg_controllen);
    if (!m->control)
        return -ENOMEM;
    m->control_len = h->msg_controllen;
    return copy_from_user(m->control, h->msg_control, h->msg_controllen);
}

static long send_one(struct socket *s, struct fdref r, struct msghdr __user *user, unsigned flags)
{
    struct user_vector v;
    struct message m;
    struct msghdr h;
    long error = header_get(&h, &v, user);

    if (error)
        return error;
    message_init(&m, flags, socket_is_nonblock(r));
    m.data = v.u;
    error = address_from_user(&m.name, h.msg_name, (int)h.msg_namelen);
    m.namelen = h.msg_namelen;
    if (!error)
        error = control_get(&m, &h);
    if (!error)
        error = do_send(s, &m);
    kfree(m.control);
    vector_put(&v);
    return error;
}

/* What came beside the data goes back into the program's header. */
static int receive_results(struct message *m, const struct msghdr *h, struct msghdr __user *user,
                           unsigned flags)
{
    if (h->msg_name) {
        size_t n = min(h->msg_namelen, m->namelen);
        if ((n && copy_to_user(h->msg_name, &m->name, n)) ||
            put_user((socklen_t)m->namelen, &user->msg_namelen))
            return -EFAULT;
    }
    size_t used = (size_t)(m->control_out - (char __user *)h->msg_control);
    if (put_user((int)(m->result | (flags & MSG_CMSG_CLOEXEC)), &user->msg_flags) ||
        put_user(used, &user->msg_controllen))
        return -EFAULT;
    return 0;
}

static long receive_one(struct socket *s, struct fdref r, struct msghdr __user *user,
                        unsigned flags)
{
    struct user_vector v;
    struct message m;
    struct msghdr h;
    long n = header_get(&h, &v, user);

    if (n)
        return n;
    message_init(&m, flags, socket_is_nonblock(r));
    m.data = v.u;
    m.wants_name = h.msg_name != NULL;
    m.control_out = h.msg_control;
    m.control_room = h.msg_control ? h.msg_controllen : 0;
    n = do_receive(s, &m);
    vector_put(&v);
    if (n >= 0 && receive_results(&m, &h, user, flags))
        return -EFAULT;
    return n;
}

/* Send or receive one message: send_one, receive_one. */
typedef long message_fn(struct socket *s, struct fdref r, struct msghdr __user *msg, unsigned flags);

static inline long with_socket(int fd, message_fn *fn, struct msghdr __user *msg, unsigned flags)
{
    struct fdref r;
    long n;
    struct socket *s = socket_get(fd, &r, &n);

    if (!s)
        return n;
    n = fn(s, r, msg, flags);
    fdref_put(r);
    return n;
}

long sys_sendmsg(int fd, const struct msghdr __user *msg, unsigned int flags)
{
    return with_socket(fd, send_one, (struct msghdr __user *)msg, flags);
}

long sys_recvmsg(int fd, struct msghdr __user *msg, unsigned int flags)
{
    return with_socket(fd, receive_one, msg, flags);
}

/* --- many messages --- */

/* The same, and the header is told how many bytes it was. */
static long one_of_many(message_fn *fn, struct socket *s, struct fdref r,
                        struct mmsghdr __user *msg, unsigned flags)
{
    long n = fn(s, r, &msg->msg_hdr, flags);

    return n >= 0 && put_user((unsigned)n, &msg->msg_len) ? -EFAULT : n;
}

/* As many as go: how many, or the first one's error. */
static long send_many(struct socket *s, struct fdref r, struct mmsghdr __user *msgs, unsigned count,
                      unsigned flags)
{
    unsigned done = 0;
    long n = 0;

    while (done < count) {
        n = one_of_many(send_one, s, r, &msgs[done], flags);
        if (n < 0)
            break;
        done++;
        if (long_work_must_end())
            break;
    }
    return done ? (long)done : n;
}

/* As many messages as are wanted, or have come before the time is up. */
static long receive_many(struct socket *s, struct fdref r, struct mmsghdr __user *msgs,
                         unsigned count, unsigned flags, nsec_t deadline)
{
    long n = socket_take_error(s);
    unsigned done = 0;

    if (n)
        return n;
    while (done < count) {
        n = one_of_many(receive_one, s, r, &msgs[done], flags & ~MSG_WAITFORONE);
        if (n < 0)
            break;
        done++;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        if (clock_monotonic() >= deadline || long_work_must_end())
            break;
    }
    if (!done)
        return n;
    /* An error after the first message is for the next call. */
    if (n < 0 && n != -EAGAIN && n != -EINTR && n != -ERESTARTSYS)
        socket_set_error(s, (int)-n);
    return done;
}

long sys_sendmmsg(int fd, struct mmsghdr __user *msgs, unsigned int count, unsigned int flags)
{
    struct fdref r;
    long n;
    struct socket *s = socket_get(fd, &r, &n);

    if (!s)
        return n;
    n = send_many(s, r, msgs, min(count, (unsigned)IOV_MAX), flags);
    fdref_put(r);
    return n;
}

long sys_recvmmsg(int fd, struct mmsghdr __user *msgs, unsigned int count, unsigned int flags,
                  struct timespec __user *timeout)
{
    nsec_t deadline = DEADLINE_NONE;
    struct fdref r;
    long n = timeout ? poll_deadline(timeout, &deadline) : 0;

    if (n)
        return n;
    struct socket *s = socket_get(fd, &r, &n);
    if (!s)
        return n;
    n = receive_many(s, r, msgs, min(count, (unsigned)IOV_MAX), flags, deadline);
    fdref_put(r);
    if (n > 0 && poll_store_left(timeout, deadline))
        n = -EFAULT;
    return n;
}

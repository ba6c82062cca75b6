/*
 * The socket calls but for those that move messages (message.c): copying arguments in and results out, in
 * one place for all families.
 */
#include <syscall_protos.h>

#include "lib/string.h"
#include "net/socket.h"
#include "x86/uaccess.h"

#define OPTION_MAX 256 /* bytes of an option's value that are looked at */

/* --- descriptors --- */

struct socket *socket_get(int fd, struct fdref *r, long *error)
{
    *r = fdref_get(fd);
    *error = -EBADF;
    if (!r->file)
        return NULL;
    struct socket *s = socket_of(r->file);
    if (!s) {
        *error = -ENOTSOCK;
        fdref_put(*r);
    }
    return s;
}

/* A descriptor for S, which this takes over. TYPE_FLAGS: SOCK_CLOEXEC, SOCK_NONBLOCK. */
static int socket_open(struct socket *s, int type_flags)
{
    struct file *f = socket_file_create(s, type_flags & SOCK_NONBLOCK);
    if (is_err(f))
        return (int)ptr_err(f);
    int fd = fd_open(f, type_flags & SOCK_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

long sys_socket(int domain, int type, int protocol)
{
    struct socket *s;

    if (type & ~(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK))
        return -EINVAL;
    int error = socket_create(domain, type & SOCK_TYPE_MASK, protocol, &s);
    return error ? error : socket_open(s, type);
}

/* Two sockets, connected, as descriptions. */
static int create_pair(int domain, int type, int protocol, struct file *f[2])
{
    struct socket *a, *b;
    int error = socket_create(domain, type & SOCK_TYPE_MASK, protocol, &a);

    if (error)
        return error;
    if (!a->ops->pair) {
        a->ops->release(a);
        return -EOPNOTSUPP;
    }
    error = socket_create(domain, type & SOCK_TYPE_MASK, protocol, &b);
    if (error) {
        a->ops->release(a);
        return error;
    }
    error = a->ops->pair(a, b);
    f[0] = socket_file_create(a, type & SOCK_NONBLOCK);
    f[1] = socket_file_create(b, type & SOCK_NONBLOCK);
    if (!error && is_err(f[0]))
        error = (int)ptr_err(f[0]);
    if (!error && is_err(f[1]))
        error = (int)ptr_err(f[1]);
    for (int i = 0; error && i < 2; i++)
        if (!is_err(f[i]))
            file_put(f[i]);
    return error;
}

long sys_socketpair(int domain, int type, int protocol, int __user *fds)
{
    struct file *f[2];
    bool cloexec = type & SOCK_CLOEXEC;

    if (type & ~(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK))
        return -EINVAL;
    int error = create_pair(domain, type, protocol, f);
    if (error)
        return error;
    return fd_open_pair(f, cloexec, fds);
}

/* --- addresses --- */

int address_from_user(struct sockaddr_storage *out, const struct sockaddr __user *addr, int len)
{
    if (len < 0 || (size_t)len > sizeof(*out))
        return -EINVAL;
    memset(out, 0, sizeof(*out));
    return len ? copy_from_user(out, addr, (size_t)len) : 0;
}

int address_to_user(const struct sockaddr_storage *a, unsigned len, struct sockaddr __user *addr,
                    int __user *len_user)
{
    int room;

    if (get_user(room, len_user))
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    size_t n = min((unsigned)room, len);
    if (n && copy_to_user(addr, a, n))
        return -EFAULT;
    return put_user((int)len, len_user);
}

long sys_bind(int fd, const struct sockaddr __user *addr, int addrlen)
{
    struct sockaddr_storage a;
    struct fdref r;
    long error;
    struct socket *s = socket_get(fd, &r, &error);

    if (!s)
        return error;
    error = address_from_user(&a, addr, addrlen);
    if (!error)
        error = s->ops->bind ? s->ops->bind(s, &a, (unsigned)addrlen) : -EOPNOTSUPP;
    fdref_put(r);
    return error;
}

long sys_connect(int fd, const struct sockaddr __user *addr, int addrlen)
{
    struct sockaddr_storage a;
    struct fdref r;
    long error;
    struct socket *s = socket_get(fd, &r, &error);

    if (!s)
        return error;
    error = address_from_user(&a, addr, addrlen);
    if (!error)
        error = s->ops->connect ? s->ops->connect(s, &a, (unsigned)addrlen, socket_is_nonblock(r))
                                : -EOPNOTSUPP;
    fdref_put(r);
    return error;
}

long sys_listen(int fd, int backlog)
{
    struct fdref r;
    long error;
    struct socket *s = socket_get(fd, &r, &error);

    if (!s)
        return error;
    unsigned limit = (unsigned)backlog > SOMAXCONN ? SOMAXCONN : (unsigned)backlog;
    error = s->ops->listen ? s->ops->listen(s, limit) : -EOPNOTSUPP;
    fdref_put(r);
    return error;
}

/* The connection NEW becomes the descriptor FD, its peer's name goes to the program. 0 or -errno. */
static long accept_finish(int fd, struct socket *new, struct sockaddr __user *addr,
                          int __user *addrlen, int flags)
{
    struct sockaddr_storage a;
    struct file *f = socket_file_create(new, flags & SOCK_NONBLOCK);

    if (is_err(f))
        return ptr_err(f);
    long error = 0;
    if (addr) {
        int len = new->ops->name(new, SOCKET_CALLER, &a);
        error = len < 0 ? -ECONNABORTED : address_to_user(&a, (unsigned)len, addr, addrlen);
    }
    if (error)
        file_put(f);
    else
        fd_install(fd, f);
    return error;
}

long sys_accept4(int fd, struct sockaddr __user *addr, int __user *addrlen, int flags)
{
    struct socket *new;
    struct fdref r;
    long error;

    if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
        return -EINVAL;
    struct socket *s = socket_get(fd, &r, &error);
    if (!s)
        return error;
    /* First the number: who finds none leaves the connection where it is. */
    int number = fd_reserve(0, flags & SOCK_CLOEXEC);
    error = number < 0 ? number : 0;
    if (!error)
        error = s->ops->accept ? s->ops->accept(s, socket_is_nonblock(r), &new) : -EOPNOTSUPP;
    fdref_put(r);
    if (!error)
        error = accept_finish(number, new, addr, addrlen, flags);
    if (error && number >= 0)
        fd_release(number);
    return error ? error : number;
}

long sys_accept(int fd, struct sockaddr __user *addr, int __user *addrlen)
{
    return sys_accept4(fd, addr, addrlen, 0);
}

static long get_name(int fd, enum socket_end end, struct sockaddr __user *addr, int __user *addrlen)
{
    struct sockaddr_storage a;
    struct fdref r;
    long error;
    struct socket *s = socket_get(fd, &r, &error);

    if (!s)
        return error;
    int len = s->ops->name(s, end, &a);
    fdref_put(r);
    return len < 0 ? len : address_to_user(&a, (unsigned)len, addr, addrlen);
}

long sys_getsockname(int fd, struct sockaddr __user *addr, int __user *addrlen)
{
    return get_name(fd, SOCKET_OWN, addr, addrlen);
}

long sys_getpeername(int fd, struct sockaddr __user *addr, int __user *addrlen)
{
    return get_name(fd, SOCKET_PEER, addr, addrlen);
}

long sys_shutdown(int fd, int how)
{
    struct fdref r;
    long error;
    struct socket *s = socket_get(fd, &r, &error);

    if (!s)
        return error;
    error = -EINVAL;
    if (how >= SHUT_RD && how <= SHUT_RDWR) /* SHUT_x + 1 are the SHUTDOWN_ bits */
        error = s->ops->shutdown ? s->ops->shutdown(s, (unsigned)how + 1) : -EOPNOTSUPP;
    fdref_put(r);
    return error;
}

/* --- options --- */

long sys_setsockopt(int fd, int level, int name, const void __user *value, int length)
{
    uint64_t copy[OPTION_MAX / 8];
    struct fdref r;
    long error;

    if (length < 0)
        return -EINVAL;
    struct socket *s = socket_get(fd, &r, &error);
    if (!s)
        return error;
    unsigned len = min((unsigned)length, (unsigned)OPTION_MAX);
    error = len ? copy_from_user(copy, value, len) : 0;
    if (!error)
        error = socket_set_option(s, level, name, copy, len);
    fdref_put(r);
    return error;
}

long sys_getsockopt(int fd, int level, int name, void __user *value, int __user *length)
{
    uint64_t copy[OPTION_MAX / 8] = {0};
    struct fdref r;
    long error;
    int room;
    struct socket *s = socket_get(fd, &r, &error);

    if (!s)
        return error;
    error = -EFAULT;
    if (get_user(room, length))
        goto out;
    error = -EINVAL;
    if (room < 0)
        goto out;
    unsigned len = min((unsigned)room, (unsigned)OPTION_MAX);
    error = socket_get_option(s, level, name, copy, &len);
    if (error)
        goto out;
    error = -EFAULT;
    if ((len && copy_to_user(value, copy, len)) || put_user((int)len, length))
        goto out;
    error = 0;
out:
    fdref_put(r);
    return error;
}

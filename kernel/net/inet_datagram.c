/* What UDP and raw sockets do alike: both are datagram sockets (net/datagram.h) of the family AF_INET. */
#include "fs/poll.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/inet.h"

int inet_message_address(const struct message *m, struct sockaddr_in *out)
{
    if (m->namelen < sizeof(*out))
        return -EINVAL;
    memcpy(out, &m->name, sizeof(*out));
    return out->sin_family == AF_INET || out->sin_family == AF_UNSPEC ? 0 : -EAFNOSUPPORT;
}

ssize_t inet_receive(struct socket *s, struct message *m)
{
    struct inet_socket *i = inet_of(s);
    struct packet *p;

    if (m->flags & MSG_ERRQUEUE)
        return inet_error_receive(i, m);
    int error = datagram_take(&i->d, m, &p);
    if (error)
        return error < 0 ? error : 0;
    if (m->wants_name)
        m->namelen = (unsigned)inet_name(&m->name, p->ip.source, p->source_port);
    if (unlikely((i->receive_flags & ~INET_RECVERR) || i->d.stamp || i->d.stamp_ns) && inet_give_control(i, m, p)) {
        packet_free(p);
        return -EFAULT;
    }
    return datagram_give(m, p);
}

int inet_shutdown(struct socket *s, unsigned how)
{
    struct inet_socket *i = inet_of(s);

    datagram_shutdown(&i->d, how);
    return READ_ONCE(i->remote) ? 0 : -ENOTCONN;
}

unsigned inet_poll(struct socket *s, struct poll_table *pt)
{
    struct inet_socket *i = inet_of(s);
    unsigned ready = datagram_poll(&i->d, pt);

    return list_empty(&i->errors) ? ready : ready | POLLERR;
}

long inet_queue_ioctl(struct socket *s, unsigned cmd, unsigned long arg)
{
    return datagram_ioctl(&inet_of(s)->d, cmd, arg);
}

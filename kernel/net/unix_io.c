/* Local sockets: which way a message goes, and what can be asked without moving one. */
#include <abi/ioctl.h>

#include "fs/poll.h"
#include "fs/splice.h"
#include "net/unix.h"
#include "x86/uaccess.h"

ssize_t unix_send(struct socket *s, struct message *m)
{
    struct unix_socket *u = unix_of(s);

    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    return unix_has_records(u) ? unix_record_send(u, m) : unix_stream_send(u, m);
}

ssize_t unix_receive(struct socket *s, struct message *m)
{
    struct unix_socket *u = unix_of(s);

    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    return unix_has_records(u) ? unix_record_receive(u, m) : unix_stream_receive(u, m);
}

ssize_t unix_read_pages(struct socket *s, struct page_batch *batch, size_t n, unsigned max,
                        bool nonblock)
{
    struct unix_socket *u = unix_of(s);
    off_t none = 0;

    if (unix_has_records(u))
        return file_read_copies(s->file, batch, n, max, &none, nonblock);
    return unix_stream_read_pages(u, batch, n, max, nonblock);
}

/* --- asking --- */

/*
 * Could U send without waiting? A connection, or one of two datagram sockets that talk to each other, when a
 * quarter at most of what it may have on the way is.
 */
static bool is_writable(struct unix_socket *u, struct poll_table *pt)
{
    if (!unix_connects(u)) {
        struct unix_socket *peer = unix_peer_get(u);
        bool full = false;
        if (peer) {
            spin_lock(&peer->s.rx.lock);
            full = !peer->s.rx.no_readers &&
                   (unix_record_full(u, peer) ||
                    (READ_ONCE(peer->peer) == u && unix_records_cost(peer) * 4 > u->s.send_limit));
            spin_unlock(&peer->s.rx.lock);
            unix_put(peer);
        }
        return !full;
    }
    struct unix_socket *peer = READ_ONCE(u->state) == UNIX_CONNECTED ? u->peer : NULL;
    if (!peer)
        return READ_ONCE(u->state) != UNIX_LISTENING;
    spin_lock(&peer->s.rx.lock);
    poll_wait(pt, &peer->s.rx.writable);
    bool writable = unix_records_cost(peer) * 4 <= u->s.send_limit;
    spin_unlock(&peer->s.rx.lock);
    return writable;
}

unsigned unix_poll(struct socket *s, struct poll_table *pt)
{
    struct unix_socket *u = unix_of(s);
    unsigned ready = 0, shutdown = READ_ONCE(s->shutdown);

    spin_lock(&s->rx.lock);
    poll_wait(pt, &s->rx.readable);
    poll_wait(pt, &u->room);
    if (!queue_is_empty(&s->rx) || !list_empty(&u->pending))
        ready |= POLLIN | POLLRDNORM;
    spin_unlock(&s->rx.lock);
    if (READ_ONCE(s->error))
        ready |= POLLERR;
    if (shutdown == SHUTDOWN_BOTH)
        ready |= POLLHUP;
    if (shutdown & SHUTDOWN_READ)
        ready |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (unix_connects(u) && READ_ONCE(u->state) == UNIX_FRESH)
        ready |= POLLHUP;
    if (is_writable(u, pt))
        ready |= POLLOUT | POLLWRNORM | POLLWRBAND;
    return ready;
}

/* Bytes sent and not yet taken. */
static int bytes_on_the_way(struct unix_socket *u)
{
    struct unix_socket *peer = unix_peer_get(u);

    if (!peer)
        return 0;
    spin_lock(&peer->s.rx.lock);
    int n = (int)peer->s.rx.bytes;
    spin_unlock(&peer->s.rx.lock);
    unix_put(peer);
    return n;
}

/* Bytes that a read would find: of a datagram socket, the first message's. */
static int bytes_to_read(struct unix_socket *u)
{
    struct queue *q = &u->s.rx;
    size_t n = 0;
    struct buf *b;

    spin_lock(&q->lock);
    if (unix_connects(u)) {
        n = q->bytes;
    } else {
        list_for_each (b, &q->bufs, link) {
            n += b->len;
            if (b->flags & BUF_RECORD)
                break;
        }
    }
    spin_unlock(&q->lock);
    return (int)n;
}

long unix_ioctl(struct socket *s, unsigned cmd, unsigned long arg)
{
    struct unix_socket *u = unix_of(s);

    if (cmd != SIOCINQ && cmd != SIOCOUTQ)
        return -ENOTTY;
    if (cmd == SIOCINQ && READ_ONCE(u->state) == UNIX_LISTENING)
        return -EINVAL;
    int n = cmd == SIOCINQ ? bytes_to_read(u) : bytes_on_the_way(u);
    return put_user(n, (int __user *)arg);
}

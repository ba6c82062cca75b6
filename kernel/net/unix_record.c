/*
 * The messages of datagram and seqpacket sockets. Each is a record: its buffers are filled first and put
 * into the receiver's queue all at once, the last marked, so a reader finds the whole of it or nothing.
 *
 * Senders sleep on the receiver's rx.writable. poll on a datagram socket can't stand there: its peer may
 * change and go while it waits. It waits on the socket's own `room`, which the receiver wakes for all
 * sockets that have it as their peer.
 */
#include "fs/poll.h"
#include "lib/string.h"
#include "mm/reclaim.h"
#include "net/unix.h"

#define SMALL_RECORD 1024 /* bytes that fit beside their struct buf */

/* Has PEER's queue no room for a record of U's? PEER's rx.lock held. */
bool unix_record_full(const struct unix_socket *u, const struct unix_socket *peer)
{
    /* Who is connected to us alone may be sent as much as we may have on the way. */
    if (READ_ONCE(peer->peer) != u && peer->messages > DATAGRAM_QUEUE)
        return true;
    return peer->messages && unix_records_cost(peer) >= u->s.send_limit;
}

/* --- sending --- */

static void free_bufs(struct list *bufs)
{
    struct buf *b, *next;

    list_for_each_safe (b, next, bufs, link)
        buf_free(b);
    list_init(bufs);
}

static struct buf *alloc_for(size_t n)
{
    unsigned tries = 0;
    struct buf *b;

    do
        b = n <= SMALL_RECORD ? buf_alloc_small(n) : buf_alloc();
    while (!b && memory_make_room(&tries));
    return b;
}

/* Fill BUFS with all of U, at least one buffer, the last one the record's end. 0, -EFAULT, -ENOMEM. */
static int fill_record(struct list *bufs, struct uio *u, struct scm *scm)
{
    struct buf *b;

    do {
        size_t n = min(u->left, PAGE_SIZE);
        b = alloc_for(n);
        if (!b)
            return -ENOMEM;
        list_push_back(bufs, &b->link);
        if (uio_copy_in(u, b->base, n) < n)
            return -EFAULT;
        b->len = (uint32_t)n;
        if (scm) {
            ref_get(&scm->cargo.ref);
            b->cargo = &scm->cargo;
        }
    } while (u->left);
    b->flags |= BUF_RECORD;
    return 0;
}

/* Nothing can be sent to PEER any more: why. rx.lock held. */
static int record_refused(const struct unix_socket *u, const struct unix_socket *peer)
{
    if (!unix_connects(u) && READ_ONCE(peer->state) == UNIX_CLOSED)
        return -ECONNREFUSED;
    return -EPIPE;
}

/* Put the record into PEER's queue, waiting for room. 0 or -errno; the buffers are taken on 0. */
static int put_record(struct unix_socket *u, struct unix_socket *peer, struct list *bufs,
                      const struct message *m)
{
    struct queue *q = &peer->s.rx;
    struct buf *b;
    int error = 0;

    spin_lock(&q->lock);
    if (!q->no_readers && unix_record_full(u, peer)) {
        error =
            message_nonblock(m)
                ? -EAGAIN
                : wait_event_exclusive(&q->writable, q->no_readers || !unix_record_full(u, peer),
                                       unix_send_deadline(u));
        if (!unix_record_full(u, peer) && !waitq_is_empty(&q->writable))
            wake_next(&q->writable);
    }
    if (q->no_readers)
        error = record_refused(u, peer);
    if (!error) {
        peer->messages++;
        while ((b = list_first(bufs, struct buf, link))) {
            list_remove(&b->link);
            queue_put(q, b);
        }
    }
    spin_unlock(&q->lock);
    if (error == -ERESTARTSYS)
        return socket_interrupted(READ_ONCE(u->s.send_timeout));
    return error == -ETIMEDOUT ? -EAGAIN : error;
}

/* What keeps U from sending N bytes to anybody at all. */
static int check_sender(struct unix_socket *u, size_t n)
{
    if (unix_connects(u) && READ_ONCE(u->state) != UNIX_CONNECTED)
        return -ENOTCONN;
    int error = socket_option(&u->s, SO_PASSCRED) ? unix_autobind(u) : 0;
    if (error)
        return error;
    if (n > READ_ONCE(u->s.send_limit) - 32)
        return -EMSGSIZE;
    return READ_ONCE(u->s.shutdown) & SHUTDOWN_WRITE ? -EPIPE : 0;
}

/* Whom M is for, with a reference; err_ptr. */
static struct unix_socket *record_receiver(struct unix_socket *u, const struct message *m)
{
    if (unix_connects(u)) {
        unix_get(u->peer);
        return u->peer;
    }
    if (m->namelen)
        return unix_find(&m->name, m->namelen, SOCK_DGRAM);
    struct unix_socket *peer = unix_peer_get(u);
    return peer ? peer : err_ptr(-ENOTCONN);
}

/* May U send to PEER? A datagram socket with a peer hears that one alone. */
static int may_send(const struct unix_socket *u, const struct unix_socket *peer)
{
    const struct unix_socket *its = READ_ONCE(peer->peer); /* only compared */
    return !unix_connects(u) && its && its != u ? -EPERM : 0;
}

ssize_t unix_record_send(struct unix_socket *u, struct message *m)
{
    struct list bufs = LIST_INIT(bufs);
    struct scm *scm = NULL;
    size_t n = m->data.left;

    int error = check_sender(u, n);
    if (error)
        return error;
    struct unix_socket *peer = record_receiver(u, m);
    if (is_err(peer))
        return ptr_err(peer);
    error = may_send(u, peer);
    if (!error)
        error = scm_create(m, u, !unix_connects(u), unix_wants_ids(u, peer), &scm);
    if (!error && scm)
        scm_launch(scm);
    if (!error)
        error = fill_record(&bufs, &m->data, scm);
    if (!error)
        error = put_record(u, peer, &bufs, m);
    free_bufs(&bufs);
    cargo_put(scm ? &scm->cargo : NULL);
    if (error == -ECONNREFUSED && !m->namelen)
        unix_peer_died(u, peer);
    unix_put(peer);
    return error ? error : (ssize_t)n; /* EPIPE without SIGPIPE, as on Linux */
}

/* --- receiving --- */

/* Room has come for those who have U as their peer and poll. No lock held. */
static void tell_senders(struct unix_socket *u)
{
    struct unix_socket *sender;

    spin_lock(&unix_lock);
    list_for_each (sender, &u->senders, sender_link) {
        spin_lock(&sender->s.rx.lock);
        wake_all(&sender->room, POLLOUT | POLLWRNORM);
        spin_unlock(&sender->s.rx.lock);
    }
    spin_unlock(&unix_lock);
}

/* A buffer with the bytes of B, for who looks without taking. NULL: no memory. */
static struct buf *look_at(struct buf *b)
{
    struct buf *copy;

    if (b->page) {
        copy = buf_from_page(b->page, b->off, b->len);
    } else {
        copy = buf_alloc_small(b->len);
        if (copy) {
            memcpy(copy->base, b->base + b->off, b->len);
            copy->len = b->len;
        }
    }
    if (copy && b->cargo) {
        ref_get(&b->cargo->ref);
        copy->cargo = b->cargo;
    }
    return copy;
}

/* Copies of the first record's buffers to OUT. False: no memory. rx.lock held. */
static bool peek_record(struct queue *q, struct list *out)
{
    struct buf *b;

    list_for_each (b, &q->bufs, link) {
        struct buf *copy = look_at(b);
        if (!copy)
            return false;
        list_push_back(out, &copy->link);
        if (b->flags & BUF_RECORD)
            break;
    }
    return true;
}

/* The first record's buffers to OUT. rx.lock held. */
static void take_record(struct unix_socket *u, struct list *out)
{
    struct buf *b;

    do {
        b = queue_take(&u->s.rx);
        list_push_back(out, &b->link);
    } while (!(b->flags & BUF_RECORD));
    u->messages--;
}

/* Wait until there is a record: 0; 1: there will be none any more; or -errno. rx.lock held. */
static int wait_for_record(struct unix_socket *u, const struct message *m)
{
    struct queue *q = &u->s.rx;
    nsec_t timeout = READ_ONCE(u->s.receive_timeout);
    int error = socket_take_error(&u->s);

    if (error)
        return error;
    if (!u->messages && !q->no_writers) {
        if (message_nonblock(m))
            return -EAGAIN;
        error = wait_event_exclusive(&q->readable, u->messages || q->no_writers || u->s.error,
                                     socket_deadline(timeout));
        if (error == -ERESTARTSYS)
            return socket_interrupted(timeout);
        if (error == -ETIMEDOUT)
            return -EAGAIN;
        error = socket_take_error(&u->s);
        if (error)
            return error;
    }
    if (u->messages)
        return 0;
    /* A datagram socket that reads no more has nothing to say to who won't wait. */
    return message_nonblock(m) && !unix_connects(u) ? -EAGAIN : 1;
}

/* The sender's name, and the bytes as far as there is room. The record's length; -EFAULT. */
static ssize_t copy_record(struct message *m, struct list *bufs)
{
    struct scm *scm = scm_of(list_first(bufs, struct buf, link)->cargo);
    size_t room = m->data.left, len = 0;
    struct buf *b;

    list_for_each (b, bufs, link) {
        size_t n = min((size_t)b->len, m->data.left);
        if (n && uio_copy_out(&m->data, b->base + b->off, n) < n)
            return -EFAULT;
        len += b->len;
    }
    if (len > room)
        m->result |= MSG_TRUNC;
    if (scm && scm->from) {
        memcpy(&m->name, &scm->from->addr, scm->from->len);
        m->namelen = scm->from->len;
    }
    return (ssize_t)(m->flags & MSG_TRUNC ? len : min(len, room));
}

ssize_t unix_record_receive(struct unix_socket *u, struct message *m)
{
    struct list bufs = LIST_INIT(bufs);
    bool peek = m->flags & MSG_PEEK, was_full = false;
    struct queue *q = &u->s.rx;

    if (unix_connects(u) && READ_ONCE(u->state) != UNIX_CONNECTED)
        return -ENOTCONN;
    spin_lock(&q->lock);
    int error = wait_for_record(u, m);
    if (!error && peek) {
        error = peek_record(q, &bufs) ? 0 : -ENOMEM;
    } else if (!error) {
        was_full = u->messages > DATAGRAM_QUEUE || unix_records_cost(u) * 4 > SOCKET_SEND_MIN;
        take_record(u, &bufs);
    }
    if (u->messages && !waitq_is_empty(&q->readable))
        wake_next(&q->readable);
    spin_unlock(&q->lock);
    if (was_full)
        tell_senders(u);
    ssize_t n = error;
    if (!error) {
        n = copy_record(m, &bufs);
        if (n >= 0 && scm_receive(u, m, list_first(&bufs, struct buf, link)->cargo, peek))
            n = -EFAULT;
    }
    free_bufs(&bufs);
    return n == 1 && error == 1 ? 0 : n;
}

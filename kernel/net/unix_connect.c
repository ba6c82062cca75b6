/*
 * Who is connected to whom: connect, listen, accept, socketpair, shutdown, and the end.
 *
 * connect makes the server's socket itself, puts it on the listener's list and is done: the client may
 * send before anybody has accepted. It waits while the list is longer than the backlog.
 *
 *     client --peer--> server's socket, on listener->pending --accept--> a descriptor
 *            <--peer--
 *
 * What one end's shutdown or close means to the other is written into both receive queues: no_writers, the
 * end of the stream behind what is there; no_readers, EPIPE.
 */
#include "fs/poll.h"
#include "net/unix.h"
#include "proc/cred.h"

/* Nothing more comes into U's queue; its readers are told by KEY. unix_lock held. */
static void close_queue(struct unix_socket *u, unsigned key)
{
    struct queue *q = &u->s.rx;

    spin_lock(&q->lock);
    q->no_writers = q->no_readers = true;
    wake_all(&q->readable, key);
    wake_all(&q->writable, 0);
    spin_unlock(&q->lock);
}

/*
 * A's end of what B sends, and the reverse, are closed as HOW (A's SHUTDOWN_ bits) says. Only B is told by SIGIO,
 * and only that it will read no more; POLLHUP when it can't write any more either. unix_lock held.
 */
static void close_directions(struct unix_socket *a, struct unix_socket *b, unsigned how)
{
    if (how & SHUTDOWN_READ)
        close_queue(a, 0);
    if (b && (how & SHUTDOWN_WRITE))
        close_queue(b, POLLIN | POLLRDNORM | POLLRDHUP |
                           (b->s.shutdown == SHUTDOWN_BOTH ? POLLHUP : 0));
}

/* The same bits as the other end sees them. */
static unsigned mirrored(unsigned how)
{
    return (how & SHUTDOWN_READ ? SHUTDOWN_WRITE : 0) | (how & SHUTDOWN_WRITE ? SHUTDOWN_READ : 0);
}

int unix_shutdown(struct socket *s, unsigned how)
{
    struct unix_socket *u = unix_of(s);

    spin_lock(&unix_lock);
    s->shutdown |= how;
    struct unix_socket *peer = unix_connects(u) ? u->peer : NULL;
    if (peer)
        peer->s.shutdown |= mirrored(how);
    close_directions(u, peer, how);
    spin_unlock(&unix_lock);
    return 0;
}

void unix_disconnect_locked(struct unix_socket *u, bool reset)
{
    struct unix_socket *peer = u->peer, *sender;

    list_for_each (sender, &u->senders, sender_link) {
        spin_lock(&sender->s.rx.lock);
        wake_all(&sender->room, 0);
        spin_unlock(&sender->s.rx.lock);
    }
    if (peer && !unix_connects(u))
        list_remove(&u->sender_link);
    if (!peer || !unix_connects(u))
        return;
    peer->s.shutdown = SHUTDOWN_BOTH;
    if (reset)
        socket_set_error(&peer->s, ECONNRESET);
    close_directions(u, peer, SHUTDOWN_BOTH);
}

/* --- a listener --- */

int unix_listen(struct socket *s, unsigned backlog)
{
    struct unix_socket *u = unix_of(s);
    struct ucred ids = unix_current_ids();
    int error = 0;

    if (!unix_connects(u))
        return -EOPNOTSUPP;
    spin_lock(&unix_lock);
    if (!u->name || (u->state != UNIX_FRESH && u->state != UNIX_LISTENING)) {
        error = -EINVAL;
    } else {
        if (u->state == UNIX_FRESH)
            unix_set_peer_ids(u, &ids, current_cred()); /* what clients will see */
        u->state = UNIX_LISTENING;
        spin_lock(&s->rx.lock);
        bool more = backlog > u->backlog;
        u->backlog = backlog;
        if (more)
            wake_all(&s->rx.writable, 0);
        spin_unlock(&s->rx.lock);
    }
    spin_unlock(&unix_lock);
    return error;
}

static bool is_gone(const struct unix_socket *listener)
{
    return listener->s.rx.no_readers;
}

int unix_accept(struct socket *s, bool nonblock, struct socket **new)
{
    struct unix_socket *u = unix_of(s), *p;
    nsec_t timeout = READ_ONCE(s->receive_timeout);

    if (!unix_connects(u))
        return -EOPNOTSUPP;
    if (READ_ONCE(u->state) != UNIX_LISTENING)
        return -EINVAL;
    spin_lock(&s->rx.lock);
    int error = 0;
    /* Who won't wait never hears that the listener was shut down. */
    if (list_empty(&u->pending) && (nonblock || !is_gone(u)))
        error = nonblock
                    ? -EAGAIN
                    : wait_event_exclusive(&s->rx.readable, !list_empty(&u->pending) || is_gone(u),
                                           socket_deadline(timeout));
    p = list_first(&u->pending, struct unix_socket, pending_link);
    if (p) {
        list_remove(&p->pending_link);
        u->npending--;
        wake_one(&s->rx.writable, 0);
        if (u->npending)
            wake_next(&s->rx.readable);
    }
    spin_unlock(&s->rx.lock);
    if (p) {
        *new = &p->s;
        return 0;
    }
    if (error == -ERESTARTSYS)
        return socket_interrupted(timeout);
    return error == -ETIMEDOUT ? -EAGAIN : error ? error : -EINVAL; /* it was shut down */
}

/* --- connecting --- */

static bool has_room(const struct unix_socket *listener)
{
    return listener->npending <= listener->backlog;
}

/* Wait until LISTENER takes another connection: 0, -EAGAIN, -ECONNREFUSED, or interrupted. */
static int wait_for_backlog(struct unix_socket *u, struct unix_socket *listener, bool nonblock)
{
    nsec_t timeout = READ_ONCE(u->s.send_timeout);
    int error = 0;

    spin_lock(&listener->s.rx.lock);
    if (!has_room(listener) && !is_gone(listener))
        error = nonblock ? -EAGAIN
                         : wait_event_exclusive(&listener->s.rx.writable,
                                                has_room(listener) || is_gone(listener),
                                                socket_deadline(timeout));
    if (is_gone(listener))
        error = -ECONNREFUSED;
    spin_unlock(&listener->s.rx.lock);
    if (error == -ERESTARTSYS)
        return socket_interrupted(timeout);
    return error == -ETIMEDOUT ? -EAGAIN : error;
}

/* A and B become each other's peers. unix_lock held. */
static void marry(struct unix_socket *a, struct unix_socket *b)
{
    unix_get(a);
    unix_get(b);
    a->peer = b;
    b->peer = a;
    a->state = b->state = UNIX_CONNECTED;
}

/* The moment of connecting. -EAGAIN: others were faster, wait again. */
static int connect_now(struct unix_socket *u, struct unix_socket *listener,
                       struct unix_socket *server)
{
    struct ucred ids = unix_current_ids();
    int error = 0;

    spin_lock(&unix_lock);
    spin_lock(&listener->s.rx.lock);
    if (u->state != UNIX_FRESH)
        error = u->state == UNIX_CONNECTED ? -EISCONN : -EINVAL;
    else if (listener->state != UNIX_LISTENING || is_gone(listener))
        error = -ECONNREFUSED;
    else if (!has_room(listener))
        error = -EAGAIN;
    if (!error) {
        marry(u, server);
        unix_set_peer_ids(server, &ids, current_cred());
        unix_set_peer_ids(u, &listener->peer_ids, listener->peer_cred);
        if (listener->name) {
            unix_name_get(listener->name);
            server->name = listener->name;
        }
        server->s.options = listener->s.options & SOCKET_OPTION(SO_PASSCRED);
        list_push_back(&listener->pending, &server->pending_link);
        listener->npending++;
        wake_one(&listener->s.rx.readable, POLLIN | POLLRDNORM);
    }
    spin_unlock(&listener->s.rx.lock);
    spin_unlock(&unix_lock);
    return error;
}

static int connect_to_listener(struct unix_socket *u, const struct sockaddr_storage *addr,
                               unsigned len, bool nonblock)
{
    struct socket *server;
    int error = unix_create(u->s.type, 0, &server);

    if (error)
        return error;
    struct unix_socket *listener = unix_find(addr, len, u->s.type);
    if (is_err(listener)) {
        unix_release(server);
        return (int)ptr_err(listener);
    }
    do {
        error = READ_ONCE(listener->state) == UNIX_LISTENING
                    ? wait_for_backlog(u, listener, nonblock)
                    : -ECONNREFUSED;
        if (!error)
            error = connect_now(u, listener, unix_of(server));
        else
            break;
    } while (error == -EAGAIN);
    unix_put(listener);
    if (error)
        unix_release(server);
    return error;
}

/* May PEER become the peer of datagram socket U? unix_lock held. */
static int may_be_peer(const struct unix_socket *u, const struct unix_socket *peer)
{
    if (peer->state == UNIX_CLOSED)
        return -ECONNREFUSED;
    return peer->peer && peer->peer != u ? -EPERM : 0; /* it talks to another */
}

/* A datagram socket's peer becomes PEER, whose reference this takes; NULL: none. */
static int set_peer(struct unix_socket *u, struct unix_socket *peer)
{
    spin_lock(&unix_lock);
    int error = peer ? may_be_peer(u, peer) : 0;
    struct unix_socket *dropped = peer;
    if (!error) {
        dropped = u->peer;
        list_remove(&u->sender_link);
        u->peer = peer;
        if (peer)
            list_push_back(&peer->senders, &u->sender_link);
    }
    spin_unlock(&unix_lock);
    if (dropped)
        unix_put(dropped);
    return error;
}

struct unix_socket *unix_peer_get(struct unix_socket *u)
{
    spin_lock(&unix_lock);
    struct unix_socket *peer = u->peer;
    if (peer)
        unix_get(peer);
    spin_unlock(&unix_lock);
    return peer;
}

void unix_peer_died(struct unix_socket *u, struct unix_socket *peer)
{
    spin_lock(&unix_lock);
    bool mine = u->peer == peer;
    if (mine) {
        list_remove(&u->sender_link);
        u->peer = NULL;
    }
    spin_unlock(&unix_lock);
    if (mine)
        unix_put(peer);
}

int unix_connect(struct socket *s, const struct sockaddr_storage *addr, unsigned len, bool nonblock)
{
    struct unix_socket *u = unix_of(s);

    if (len < sizeof(sa_family_t))
        return -EINVAL;
    if (!unix_connects(u) && addr->ss_family == AF_UNSPEC)
        return set_peer(u, NULL);
    int error = socket_option(s, SO_PASSCRED) ? unix_autobind(u) : 0;
    if (error)
        return error;
    if (unix_connects(u)) {
        return connect_to_listener(u, addr, len, nonblock);
    }
    struct unix_socket *peer = unix_find(addr, len, s->type);
    return is_err(peer) ? (int)ptr_err(peer) : set_peer(u, peer);
}

int unix_pair(struct socket *x, struct socket *y)
{
    struct unix_socket *a = unix_of(x), *b = unix_of(y);
    struct ucred ids = unix_current_ids();

    spin_lock(&unix_lock);
    marry(a, b);
    unix_set_peer_ids(a, &ids, current_cred());
    unix_set_peer_ids(b, &ids, current_cred());
    if (!unix_connects(a)) {
        a->state = b->state = UNIX_FRESH;
        list_push_back(&b->senders, &a->sender_link);
        list_push_back(&a->senders, &b->sender_link);
    }
    spin_unlock(&unix_lock);
    return 0;
}

/*
 * The bytes of a stream socket. They go into the peer's receive queue exactly as a pipe's do.
 *
 * What travels beside them (unix_rights.c) hangs on each buffer of a message. A read stops behind a buffer
 * with descriptors, and before bytes of another sender when it wants to know senders.
 */
#include "fs/poll.h"
#include "fs/splice.h"
#include "lib/string.h"
#include "net/unix.h"

#define READ_BATCH (16 * PAGE_SIZE) /* bytes copied out without letting go of the lock */

/* --- sending --- */

ssize_t unix_stream_send(struct unix_socket *u, struct message *m)
{
    struct unix_socket *peer = READ_ONCE(u->state) == UNIX_CONNECTED ? u->peer : NULL;
    struct scm *scm = NULL;

    if (m->namelen)
        return peer ? -EISCONN : -EOPNOTSUPP;
    if (!peer)
        return -ENOTCONN;
    if (m->control_len || unlikely(unix_wants_ids(u, peer))) {
        int error = scm_create(m, u, false, unix_wants_ids(u, peer), &scm);
        if (error)
            return error;
        if (scm)
            scm_launch(scm);
    }
    struct queue_manner how = {
        .nonblock = message_nonblock(m),
        .cargo = scm ? &scm->cargo : NULL,
        .deadline = unix_send_deadline(u),
    };
    WRITE_ONCE(peer->s.rx.limit, READ_ONCE(u->s.send_limit));
    ssize_t done = 0;
    if (m->data.left)
        done = queue_write_user(&peer->s.rx, &m->data, &how);
    else if (READ_ONCE(u->s.shutdown) & SHUTDOWN_WRITE) /* heard even by who sends nothing */
        done = -EPIPE, how.broken = true;
    if (how.broken && done <= 0)
        socket_broken_pipe(m);
    cargo_put(scm ? &scm->cargo : NULL);
    return done == -ERESTARTSYS ? socket_interrupted(READ_ONCE(u->s.send_timeout)) : done;
}

/* --- receiving --- */

static bool same_sender(const struct scm *a, const struct scm *b)
{
    bool has_a = a && a->has_ids, has_b = b && b->has_ids;

    return has_a == has_b && (!has_a || memcmp(&a->ids, &b->ids, sizeof(a->ids)) == 0);
}

/*
 * How many of the first WANT bytes one read may give: up to and with the first buffer that carries
 * descriptors, and only from one sender when senders are asked for. *CARGO: what goes with them. BEFORE went
 * with bytes already given in this call, if ANY were. rx.lock held.
 */
static size_t glued_bytes(struct unix_socket *u, size_t want, bool any, const struct scm *before,
                          struct buf_cargo **cargo)
{
    bool ids = socket_option(&u->s, SO_PASSCRED);
    size_t n = 0;
    struct buf *b;

    *cargo = NULL;
    list_for_each (b, &u->s.rx.bufs, link) {
        struct scm *scm = scm_of(b->cargo);
        if (ids && any && !same_sender(before, scm))
            break;
        any = true;
        before = scm;
        n += b->len;
        if (b->cargo && (!*cargo || scm->nfiles))
            *cargo = b->cargo;
        if (n >= want || (scm && scm->nfiles))
            break;
    }
    return min(n, want);
}

/* One stretch of bytes to M. Their number; 0: none may follow those before; -errno. rx.lock held. */
static ssize_t stream_take(struct unix_socket *u, struct message *m, bool any,
                           struct buf_cargo **held)
{
    struct buf_cargo *cargo;
    size_t want = min(m->data.left, (size_t)READ_BATCH);
    size_t n = glued_bytes(u, want, any, scm_of(*held), &cargo);

    if (!n)
        return 0;
    /* A buffer is freed below with the lock held: what it carries must not be. */
    if (cargo)
        ref_get(&cargo->ref);
    ssize_t got = queue_read(&u->s.rx, &m->data, n, m->flags & MSG_PEEK ? QUEUE_PEEK : 0);
    if (got > 0 && cargo) {
        struct buf_cargo *old = *held;
        *held = cargo;
        cargo = old;
    }
    if (cargo)
        cargo_put(cargo); /* it has no files, or a buffer has it too */
    return got;
}

/* Nothing is there: wait, or say why not: 1 at the end of the stream. rx.lock held. */
static int stream_wait(struct unix_socket *u, const struct message *m, nsec_t deadline)
{
    struct queue *q = &u->s.rx;
    int error = socket_take_error(&u->s);

    if (error)
        return error;
    if (q->no_writers)
        return 1;
    if (message_nonblock(m))
        return -EAGAIN;
    error = wait_event_exclusive(&q->readable, !queue_is_empty(q) || q->no_writers || u->s.error,
                                 deadline);
    if (error == -ERESTARTSYS)
        return socket_interrupted(READ_ONCE(u->s.receive_timeout));
    return error == -ETIMEDOUT ? -EAGAIN : error;
}

/* --- receiving pages, for splice --- */

/*
 * Up to N bytes in MAX pieces from the front of the queue, by reference; a piece with descriptors is the last.
 * Buffers that are used up go to DEAD: what they carry isn't freed under a lock. rx.lock held.
 */
static size_t stream_take_pages(struct queue *q, struct page_batch *batch, size_t n, unsigned max,
                                struct list *dead, struct buf_cargo **cargo)
{
    size_t done = 0;

    while (done < n && batch->count < max && !queue_is_empty(q) && !(*cargo)) {
        struct buf *b = queue_first(q);
        uint32_t len = (uint32_t)min((size_t)b->len, n - done);
        assert(b->page);
        page_batch_add(batch, b->page, b->off, len);
        done += len;
        if (b->cargo && scm_of(b->cargo)->nfiles) {
            *cargo = b->cargo;
            ref_get(&b->cargo->ref);
        }
        if (len == b->len) {
            list_push_back(dead, &queue_take(q)->link);
        } else {
            b->off += len;
            b->len -= len;
            q->bytes -= len;
        }
    }
    return done;
}

ssize_t unix_stream_read_pages(struct unix_socket *u, struct page_batch *batch, size_t n,
                               unsigned max, bool nonblock)
{
    struct message m = {.flags = nonblock ? MSG_DONTWAIT : 0};
    struct list dead = LIST_INIT(dead);
    struct buf_cargo *cargo = NULL;
    struct queue *q = &u->s.rx;
    struct buf *b;
    int why = 0;

    if (READ_ONCE(u->state) != UNIX_CONNECTED)
        return -EINVAL;
    nsec_t deadline = socket_deadline(READ_ONCE(u->s.receive_timeout));
    spin_lock(&q->lock);
    while (!why && queue_is_empty(q))
        why = stream_wait(u, &m, deadline);
    size_t done = stream_take_pages(q, batch, n, max, &dead, &cargo);
    if (!queue_is_empty(q) && !waitq_is_empty(&q->readable))
        wake_next(&q->readable);
    spin_unlock(&q->lock);
    while ((b = list_first(&dead, struct buf, link))) {
        list_remove(&b->link);
        buf_free(b);
    }
    /* As in read(2), descriptors are lost to who has no room for them. */
    if (cargo)
        (void)scm_receive(u, &m, cargo, false);
    cargo_put(cargo);
    if (done)
        return (ssize_t)done;
    return why == 1 ? 0 : why;
}

/* --- receiving bytes --- */

static void give_peer_name(struct unix_socket *u, struct message *m)
{
    if (!m->wants_name)
        return;
    int len = unix_name_of(&u->s, SOCKET_PEER, &m->name);
    m->namelen = len > (int)sizeof(sa_family_t) ? (unsigned)len : 0;
}

/* What comes with the end of the stream, for who asks whom it is from: no process, and ids of zero. */
static struct scm the_end = {.has_ids = true}; /* const */

ssize_t unix_stream_receive(struct unix_socket *u, struct message *m)
{
    struct queue *q = &u->s.rx;
    struct buf_cargo *held = NULL;
    size_t done = 0;
    ssize_t n = 0;
    bool slept = false, peek = m->flags & MSG_PEEK;

    if (READ_ONCE(u->state) != UNIX_CONNECTED)
        return -EINVAL;
    size_t target = m->flags & MSG_WAITALL ? m->data.left
                                           : min((size_t)READ_ONCE(u->s.low_water), m->data.left);
    nsec_t deadline = socket_deadline(READ_ONCE(u->s.receive_timeout));
    spin_lock(&q->lock);
    do {
        if (queue_is_empty(q)) {
            if (done && done >= target) /* who asks for no bytes waits for them all the same */
                break;
            slept = true;
            n = stream_wait(u, m, deadline);
            if (n)
                break;
            continue;
        }
        if (!m->data.left)
            break;
        n = stream_take(u, m, done > 0, &held);
        if (n == -EAGAIN)
            continue; /* user memory had to be fetched */
        if (n <= 0)
            break;
        done += (size_t)n;
        /* A look takes nothing away: going on would find the same bytes again. */
        if (peek || (held && scm_of(held)->nfiles))
            break;
    } while (m->data.left);
    if (slept && !queue_is_empty(q) && !waitq_is_empty(&q->readable))
        wake_next(&q->readable);
    spin_unlock(&q->lock);
    if (done ? scm_receive(u, m, held, peek) : n == 1 && scm_receive(u, m, &the_end.cargo, true))
        n = -EFAULT, done = 0;
    if (done)
        give_peer_name(u, m);
    cargo_put(held);
    if (done)
        return (ssize_t)done;
    return n == 1 ? 0 : n;
}

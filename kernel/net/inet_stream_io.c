/* Data of stream sockets: see inet_stream.h. */
#include <abi/if.h>
#include <abi/ioctl.h>

#include "fs/poll.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/reclaim.h"
#include "net/inet_stream.h"
#include "net/netdev.h"
#include "x86/uaccess.h"

#define CHUNK (16 * PAGE_SIZE) /* bytes handed to the engine at a time */
#define SMALL_MAX 1024u        /* bytes that fit beside their struct buf */

void stream_changed(struct stream_socket *st, unsigned key, bool readers)
{
    atomic_store(&st->changes, st->changes + 1);
    wake_all(&st->changed, key);
    if (readers)
        wake_all(&st->s.rx.readable, key);
}

int stream_await(struct stream_socket *st, unsigned seen, nsec_t deadline)
{
    spin_lock(&st->s.rx.lock);
    int error = wait_event(&st->changed, st->changes != seen, deadline);
    spin_unlock(&st->s.rx.lock);
    return error;
}

/* --- sending --- */

/* Up to N bytes of U in buffers on OUT: 0, -EFAULT, -ENOMEM. */
static int fill(struct list *out, struct uio *u, size_t n)
{
    unsigned tries = 0;

    while (n > 0) {
        size_t part = min(n, PAGE_SIZE);
        struct buf *b = part <= SMALL_MAX ? buf_alloc_small(part) : buf_alloc();
        if (!b) {
            if (memory_make_room(&tries))
                continue;
            return -ENOMEM;
        }
        list_push_back(out, &b->link);
        if (uio_copy_in(u, b->base, part) < part)
            return -EFAULT;
        b->len = (uint32_t)part;
        n -= part;
    }
    return 0;
}

static void free_bufs(struct list *bufs)
{
    struct buf *b, *next;

    list_for_each_safe (b, next, bufs, link)
        buf_free(b);
}

/* Room for bytes: how many, or -errno; after SOME bytes an error is left for the next call. May sleep. */
static ssize_t wait_for_room(struct stream_socket *st, const struct message *m, nsec_t deadline,
                             bool some)
{
    for (;;) {
        unsigned seen = stream_changes(st);
        int error = some ? -READ_ONCE(st->s.error) : socket_take_error(&st->s);
        if (error)
            return error;
        if (READ_ONCE(st->s.shutdown) & SHUTDOWN_WRITE)
            return -EPIPE;
        ssize_t room = tcp_send_room(&st->c);
        if (room)
            return room;
        if (message_nonblock(m))
            return -EAGAIN;
        backlog_run();
        error = stream_await(st, seen, deadline);
        if (error == -ERESTARTSYS)
            return socket_interrupted(READ_ONCE(st->s.send_timeout));
        if (error)
            return -EAGAIN;
    }
}

/* The next bytes of M: how many, or -errno. */
static ssize_t send_some(struct stream_socket *st, struct message *m, nsec_t deadline, bool some)
{
    struct list bufs = LIST_INIT(bufs);
    ssize_t room = wait_for_room(st, m, deadline, some);

    if (room < 0)
        return room;
    size_t n = min(m->data.left, min((size_t)room, CHUNK));
    int error = fill(&bufs, &m->data, n);
    unsigned flags = (m->flags & MSG_MORE) || m->data.left ? TCP_SEND_MORE : 0;
    if ((m->flags & MSG_OOB) && !m->data.left)
        flags |= TCP_SEND_URGENT;
    if (!error)
        error = tcp_send(&st->c, &bufs, flags);
    free_bufs(&bufs);
    backlog_run();
    return error ? error : (ssize_t)n;
}

ssize_t stream_send(struct socket *s, struct message *m)
{
    struct stream_socket *st = stream_of(s);
    nsec_t deadline = socket_deadline(READ_ONCE(s->send_timeout));
    size_t done = 0;
    ssize_t n = 0;

    do {
        n = send_some(st, m, deadline, done > 0);
        if (n < 0)
            break;
        done += (size_t)n;
    } while (m->data.left);
    if (done)
        return (ssize_t)done;
    if (n == -EPIPE) {
        int error = socket_take_error(s);
        if (error)
            return error;
        socket_broken_pipe(m);
    }
    return n;
}

/* --- receiving --- */

/* Is there nothing more to come? */
static bool at_end(const struct stream_socket *st)
{
    return READ_ONCE(st->c.fin_received) || (READ_ONCE(st->s.shutdown) & SHUTDOWN_READ) ||
           READ_ONCE(st->c.state) == TCP_CLOSED;
}

/*
 * Nothing is there: wait, or say why not: 1 at the end of the stream. rx.lock held. What goes wrong behind the peer's
 * FIN is nothing for a reader, who has had it all; send() tells it. After SOME bytes an error is left for the next
 * call.
 */
static int wait_for_data(struct stream_socket *st, const struct message *m, nsec_t deadline,
                         bool some)
{
    struct queue *q = &st->s.rx;
    int error = 0;

    if (!READ_ONCE(st->c.fin_received))
        error = some ? -READ_ONCE(st->s.error) : socket_take_error(&st->s);
    if (error)
        return error;
    enum tcp_state state = READ_ONCE(st->c.state);
    if (state == TCP_LISTEN || (state == TCP_CLOSED && !stream_is_over(st)))
        return -ENOTCONN;
    if (at_end(st))
        return queue_is_empty(q) ? 1 : 0; /* the last bytes may have come meanwhile */
    if (message_nonblock(m))
        return -EAGAIN;
    error = wait_event_exclusive(
        &q->readable, !queue_is_empty(q) || at_end(st) || READ_ONCE(st->s.error), deadline);
    if (error == -ERESTARTSYS)
        return socket_interrupted(READ_ONCE(st->s.receive_timeout));
    return error == -ETIMEDOUT ? -EAGAIN : error;
}

static bool is_over_or_urgent(const struct stream_socket *st)
{
    return at_end(st) || READ_ONCE(st->s.error) || READ_ONCE(st->c.urgent) != TCP_URGENT_NONE;
}

/*
 * For MSG_PEEK: some bytes are there, but not TARGET. 0: look again; else what there is has to do. Who waits here
 * takes nothing, so the wakeup that has brought him goes to the next, and no other is his alone. rx.lock held.
 */
static int wait_for_more(struct stream_socket *st, const struct message *m, size_t target,
                         nsec_t deadline)
{
    struct queue *q = &st->s.rx;

    if (is_over_or_urgent(st) || message_nonblock(m))
        return 1;
    if (!waitq_is_empty(&q->readable))
        wake_next(&q->readable);
    return wait_event(&q->readable,
                      q->bytes >= target || queue_is_empty(q) || is_over_or_urgent(st), deadline);
}

/*
 * How many bytes may be read now, when urgent data is about: a read stops at the mark, and steps over a byte that is
 * not in line. 0: what there was is gone. rx.lock held; it is let go meanwhile, and what others take then moves the
 * mark nearer.
 */
static size_t limit_at_mark(struct stream_socket *st, size_t want)
{
    struct queue *q = &st->s.rx;
    uint32_t most = (uint32_t)min(want, (size_t)UINT32_MAX), taken, n;
    bool skip;
    char byte;

    do {
        taken = st->taken;
        spin_unlock(&q->lock);
        n = tcp_readable(&st->c, taken, most, &skip);
        spin_lock(&q->lock);
    } while (st->taken != taken);
    if (!skip || queue_read_kernel(q, &byte, 1) != 1)
        return n;
    st->taken++;
    spin_unlock(&q->lock);
    tcp_consumed(&st->c, 1);
    backlog_run();
    spin_lock(&q->lock);
    return 0;
}

/* With MSG_TRUNC bytes are counted, not given. rx.lock held. */
static ssize_t take(struct stream_socket *st, struct message *m, size_t want)
{
    struct queue *q = &st->s.rx;
    size_t n = 0;
    struct buf *b;

    if (!(m->flags & MSG_TRUNC))
        return queue_read(q, &m->data, want, m->flags & MSG_PEEK ? QUEUE_PEEK : 0);
    while (n < want && (b = queue_first(q)) && !(m->flags & MSG_PEEK)) {
        uint32_t part = (uint32_t)min((size_t)b->len, want - n);
        b = queue_take(q);
        b->off += part;
        b->len -= part;
        n += part;
        if (b->len)
            queue_put_back(q, b);
        else
            buf_free(b);
    }
    uio_skip(&m->data, n);
    return (ssize_t)n;
}

/* Tell the engine what was read, before sleeping or returning: the window may open. */
static void tell_consumed(struct stream_socket *st, size_t *n)
{
    if (*n)
        tcp_consumed(&st->c, (uint32_t)*n);
    *n = 0;
    backlog_run();
}

static ssize_t receive_urgent(struct stream_socket *st, struct message *m)
{
    int byte = tcp_read_urgent(&st->c, m->flags & MSG_PEEK);
    char c = (char)byte;

    if (byte < 0)
        return byte;
    m->result |= MSG_OOB;
    if (!m->data.left) {
        m->result |= MSG_TRUNC;
        return 0;
    }
    if (!(m->flags & MSG_TRUNC) && uio_copy_out(&m->data, &c, 1) < 1)
        return -EFAULT;
    return 1;
}

ssize_t stream_receive(struct socket *s, struct message *m)
{
    struct stream_socket *st = stream_of(s);
    struct queue *q = &s->rx;
    size_t done = 0, untold = 0;
    ssize_t n = 0;
    bool peek = m->flags & MSG_PEEK;

    if (m->flags & MSG_OOB)
        return receive_urgent(st, m);
    if (m->flags & MSG_ERRQUEUE)
        return -EAGAIN; /* nothing is ever put there */
    size_t target =
        m->flags & MSG_WAITALL ? m->data.left : min((size_t)READ_ONCE(s->low_water), m->data.left);
    nsec_t deadline = socket_deadline(READ_ONCE(s->receive_timeout));
    spin_lock(&q->lock);
    while (m->data.left) {
        bool urgent = READ_ONCE(st->c.urgent) != TCP_URGENT_NONE;
        size_t want = m->data.left;
        if (unlikely(urgent) && !queue_is_empty(q) && !(want = limit_at_mark(st, want)))
            continue;
        if (queue_is_empty(q)) {
            if (done >= max(target, (size_t)1))
                break;
            if (untold) {
                spin_unlock(&q->lock);
                tell_consumed(st, &untold);
                spin_lock(&q->lock);
                continue;
            }
            n = wait_for_data(st, m, deadline, done > 0);
            if (n)
                break;
            continue;
        }
        if (peek && q->bytes < target && wait_for_more(st, m, target, deadline) == 0)
            continue;
        n = take(st, m, want);
        if (n == -EAGAIN)
            continue; /* user memory had to be fetched */
        if (n <= 0)
            break;
        done += (size_t)n;
        if (peek)
            break;
        st->taken += (uint32_t)n;
        untold += (size_t)n;
        if (unlikely(urgent))
            break; /* the mark may be here */
    }
    if (!queue_is_empty(q) && !waitq_is_empty(&q->readable))
        wake_next(&q->readable);
    spin_unlock(&q->lock);
    tell_consumed(st, &untold);
    if (done)
        return (ssize_t)done;
    return n == 1 ? 0 : n;
}

/* --- asking --- */

unsigned stream_poll(struct socket *s, struct poll_table *pt)
{
    struct stream_socket *st = stream_of(s);
    unsigned ready = 0;

    spin_lock(&s->rx.lock);
    poll_wait(pt, &s->rx.readable);
    poll_wait(pt, &st->changed);
    bool enough = s->rx.bytes >= min((size_t)READ_ONCE(s->low_water), (size_t)s->receive_limit / 2);
    bool data = !queue_is_empty(&s->rx) && enough;
    bool more = s->rx.bytes > 1, skip;
    uint32_t taken = st->taken;
    spin_unlock(&s->rx.lock);
    /* An urgent byte that isn't in line is none for a reader. */
    if (data && unlikely(READ_ONCE(st->c.urgent) != TCP_URGENT_NONE))
        data = tcp_readable(&st->c, taken, INT32_MAX, &skip) != 0 || (skip && more);
    enum tcp_state state = READ_ONCE(st->c.state);
    if (READ_ONCE(s->error))
        ready |= POLLERR;
    if (state == TCP_LISTEN)
        return ready | (READ_ONCE(st->c.num_ready) ? POLLIN | POLLRDNORM : 0);
    unsigned shutdown = READ_ONCE(s->shutdown);
    if (READ_ONCE(st->c.fin_received))
        shutdown |= SHUTDOWN_READ;
    if (state == TCP_CLOSED && stream_is_over(st))
        shutdown = SHUTDOWN_BOTH;
    if (shutdown == SHUTDOWN_BOTH || state == TCP_CLOSED)
        ready |= POLLHUP;
    if (shutdown & SHUTDOWN_READ)
        ready |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (state == TCP_SYN_SENT || state == TCP_SYN_RECEIVED)
        return ready;
    if (data)
        ready |= POLLIN | POLLRDNORM;
    if (READ_ONCE(st->c.urgent) == TCP_URGENT_READY)
        ready |= POLLPRI;
    if ((shutdown & SHUTDOWN_WRITE) || tcp_send_room(&st->c) != 0)
        ready |= POLLOUT | POLLWRNORM;
    return ready;
}

long stream_ioctl(struct socket *s, unsigned cmd, unsigned long arg)
{
    struct stream_socket *st = stream_of(s);
    int __user *out = (int __user *)arg;

    if (cmd != SIOCINQ && cmd != SIOCOUTQ && cmd != SIOCOUTQNSD && cmd != SIOCATMARK)
        return -ENOTTY;
    if (cmd == SIOCATMARK)
        return put_user((int)tcp_at_mark(&st->c, READ_ONCE(st->taken)), out);
    if (READ_ONCE(st->c.state) == TCP_LISTEN)
        return -EINVAL;
    if (cmd == SIOCOUTQ)
        return put_user((int)tcp_unacknowledged(&st->c), out);
    if (cmd == SIOCOUTQNSD)
        return put_user((int)tcp_unsent(&st->c), out);
    bool skip;
    return put_user((int)tcp_readable(&st->c, READ_ONCE(st->taken), INT32_MAX, &skip), out);
}

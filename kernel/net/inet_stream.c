/* Stream sockets: how connections are made and ended. See inet_stream.h. */
#include "net/inet_stream.h"

#include "fs/poll.h"
#include "lib/byteorder.h"
#include "lib/string.h"
#include "net/netdev.h"
#include "proc/cred.h"

/* --- names --- */

static int stream_bind(struct socket *s, const struct sockaddr_storage *addr, unsigned len)
{
    struct stream_socket *st = stream_of(s);
    struct sockaddr_in in;
    int error = inet_address_get(addr, len, &in);

    if (error == -EAFNOSUPPORT && in.sin_family == AF_UNSPEC && !in.sin_addr.s_addr)
        error = 0; /* as on Linux, for old programs */
    if (!error)
        error = inet_may_bind(in.sin_addr.s_addr, ntohs(in.sin_port), false);
    if (error)
        return error;
    return tcp_bind(&st->c, in.sin_addr.s_addr, ntohs(in.sin_port));
}

/* The states of a call and of a connection. */
static bool has_peer(const struct stream_socket *st)
{
    enum tcp_state state = READ_ONCE(st->c.state);

    return state != TCP_CLOSED && state != TCP_LISTEN;
}

static int stream_name(struct socket *s, enum socket_end end, struct sockaddr_storage *addr)
{
    struct stream_socket *st = stream_of(s);
    const struct tcp_tuple t = st->c.entry.tuple;
    bool connected = has_peer(st) && READ_ONCE(st->c.state) != TCP_SYN_SENT;

    if (end == SOCKET_OWN)
        return inet_name(addr, t.local, t.local_port);
    if (!connected && end != SOCKET_CALLER)
        return -ENOTCONN;
    return inet_name(addr, t.remote, t.remote_port);
}

/* --- connect --- */

/* As if there had been no connection. */
static void start_anew(struct stream_socket *st)
{
    tcp_disconnect(&st->c);
    spin_lock(&st->s.rx.lock);
    queue_flush(&st->s.rx);
    st->taken = 0;
    spin_unlock(&st->s.rx.lock);
    atomic_store(&st->s.shutdown, 0);
    WRITE_ONCE(st->calling, false);
    WRITE_ONCE(st->was_connected, false);
}

/* The call has ended, or not yet: 0, -EINPROGRESS, -EALREADY, or why it failed. */
static int await_answer(struct stream_socket *st, bool nonblock, int unfinished)
{
    nsec_t timeout = READ_ONCE(st->s.send_timeout), deadline = socket_deadline(timeout);

    for (;;) {
        unsigned seen = stream_changes(st);
        enum tcp_state state = READ_ONCE(st->c.state);
        if (state != TCP_SYN_SENT && state != TCP_SYN_RECEIVED)
            break;
        if (nonblock)
            return unfinished;
        int error = stream_await(st, seen, deadline);
        if (error == -ERESTARTSYS)
            return socket_interrupted(timeout);
        if (error)
            return unfinished;
    }
    WRITE_ONCE(st->calling, false);
    int error = socket_take_error(&st->s);
    if (!error && READ_ONCE(st->c.state) == TCP_CLOSED) {
        /* It is over already. Who ended it says why before he lets go of the lock. */
        spin_lock(&st->c.lock);
        spin_unlock(&st->c.lock);
        error = socket_take_error(&st->s);
        if (!error) /* somebody else has taken it */
            error = -ECONNABORTED;
    }
    if (error) {
        start_anew(st); /* it may try again */
        backlog_run();
    }
    return error;
}

static int disconnect(struct stream_socket *st)
{
    enum tcp_state was = READ_ONCE(st->c.state);

    /* First the error: who waits for an answer or for data hears of it, as on Linux. */
    bool broken = was != TCP_CLOSED && was != TCP_LISTEN && was != TCP_TIME_WAIT;
    socket_set_error(&st->s, broken ? ECONNRESET : 0);
    start_anew(st);
    spin_lock(&st->s.rx.lock);
    stream_changed(st, 0, true);
    spin_unlock(&st->s.rx.lock);
    backlog_run();
    return 0;
}

static int stream_connect(struct socket *s, const struct sockaddr_storage *addr, unsigned len,
                          bool nonblock)
{
    struct stream_socket *st = stream_of(s);
    struct sockaddr_in in;

    if (len < sizeof(addr->ss_family))
        return -EINVAL;
    if (addr->ss_family == AF_UNSPEC)
        return disconnect(st);
    if (READ_ONCE(st->calling))
        return await_answer(st, nonblock, -EALREADY);
    if (READ_ONCE(st->was_connected))
        return -EISCONN; /* and if that is long over: there is AF_UNSPEC to forget it */
    int error = inet_address_get(addr, len, &in);
    if (error)
        return error;
    uint32_t to = in.sin_addr.s_addr ? in.sin_addr.s_addr : htonl(INADDR_LOOPBACK);
    (void)socket_take_error(s); /* of a connection before, which nobody has asked for */
    error = tcp_connect(&st->c, to, ntohs(in.sin_port));
    if (!error)
        WRITE_ONCE(st->calling, true);
    backlog_run();
    if (!error && nonblock)
        error =
            -EINPROGRESS; /* though the loopback may have brought the answer already: as on Linux */
    return error ? error : await_answer(st, nonblock, -EINPROGRESS);
}

/* --- listen and accept --- */

static int stream_listen(struct socket *s, unsigned backlog)
{
    struct stream_socket *st = stream_of(s);

    if (READ_ONCE(st->calling) || READ_ONCE(st->was_connected))
        return -EINVAL;
    return tcp_listen(&st->c, backlog);
}

static int stream_accept(struct socket *s, bool nonblock, struct socket **new)
{
    struct stream_socket *st = stream_of(s);
    nsec_t timeout = READ_ONCE(s->receive_timeout), deadline = socket_deadline(timeout);
    struct tcp_conn *c;

    for (;;) {
        if (READ_ONCE(st->c.state) != TCP_LISTEN)
            return -EINVAL;
        c = tcp_accept(&st->c);
        if (c)
            break;
        if (nonblock)
            return -EAGAIN;
        spin_lock(&s->rx.lock);
        int error = wait_event_exclusive(
            &s->rx.readable, READ_ONCE(st->c.num_ready) || READ_ONCE(st->c.state) != TCP_LISTEN,
            deadline);
        spin_unlock(&s->rx.lock);
        if (error == -ERESTARTSYS)
            return socket_interrupted(timeout);
        if (error)
            return -EAGAIN;
    }
    *new = &stream_of_conn(c)->s;
    return 0;
}

/* --- the end --- */

static int stream_shutdown(struct socket *s, unsigned how)
{
    struct stream_socket *st = stream_of(s);
    int error = 0;

    if (READ_ONCE(st->c.state) == TCP_LISTEN) {
        if (how & SHUTDOWN_READ)
            tcp_disconnect(&st->c); /* who called and wasn't accepted yet is told */
    } else {
        error = tcp_shutdown(&st->c, how & SHUTDOWN_READ, how & SHUTDOWN_WRITE);
        if (error == -EINPROGRESS)
            return disconnect(st); /* as Linux: the call is over, whatever is shut down */
        /* Of who isn't connected too, though it is an error: as on Linux. */
        atomic_or(&s->shutdown, how);
    }
    spin_lock(&s->rx.lock);
    stream_changed(st, 0, true);
    spin_unlock(&s->rx.lock);
    backlog_run();
    return error;
}

/* SO_LINGER: wait until all is acknowledged, or the time is over. */
static void linger(struct stream_socket *st)
{
    nsec_t deadline = socket_deadline(st->s.linger.l_linger * NSEC_PER_SEC);

    if (!tcp_linger(&st->c))
        return;
    backlog_run();
    for (;;) {
        unsigned seen = stream_changes(st);
        if (!tcp_is_lingering(&st->c) || stream_await(st, seen, deadline))
            return;
    }
}

static void stream_release(struct socket *s)
{
    struct stream_socket *st = stream_of(s);
    bool lingers = s->linger.l_onoff;

    if (lingers && s->linger.l_linger > 0)
        linger(st);
    tcp_close(&st->c, lingers && s->linger.l_linger == 0);
    backlog_run();
}

/* --- options --- */

void stream_option_changed(struct socket *s, int name)
{
    struct stream_socket *st = stream_of(s);

    switch (name) {
    case SO_REUSEADDR: WRITE_ONCE(st->c.entry.reuse_address, socket_option(s, name)); break;
    case SO_REUSEPORT: WRITE_ONCE(st->c.entry.reuse_port, socket_option(s, name)); break;
    case SO_OOBINLINE: WRITE_ONCE(st->c.oob_inline, socket_option(s, name)); break;
    case SO_KEEPALIVE: tcp_set_keepalive(&st->c, socket_option(s, name)); break;
    case SO_SNDBUF:
    case SO_SNDBUFFORCE: tcp_set_send_limit(&st->c, s->send_limit); break;
    case SO_RCVBUF:
    case SO_RCVBUFFORCE: tcp_set_receive_limit(&st->c, s->receive_limit); break;
    default: break;
    }
    backlog_run();
}

static int set_ip_number(struct stream_socket *st, int name, int n)
{
    switch (name) {
    case IP_TOS: WRITE_ONCE(st->tos, (uint8_t)n & ~3u); return 0; /* ECN is not the user's */
    case IP_TTL:
        if (n != -1 && (n < 1 || n > 255))
            return -EINVAL;
        WRITE_ONCE(st->ttl, (int16_t)n);
        return 0;
    case IP_MINTTL:
        if (n < 0 || n > 255)
            return -EINVAL;
        WRITE_ONCE(st->c.min_ttl, (uint8_t)n);
        return 0;
    case IP_RECVERR: WRITE_ONCE(st->c.tell_errors, n != 0); return 0;
    default: return -ENOPROTOOPT;
    }
}

static int get_ip_number(const struct stream_socket *st, int name, int *out)
{
    switch (name) {
    case IP_TOS: *out = st->tos; return 0;
    case IP_TTL: *out = st->ttl < 0 ? IPV4_TTL : st->ttl; return 0;
    case IP_MINTTL: *out = st->c.min_ttl; return 0;
    case IP_RECVERR: *out = st->c.tell_errors; return 0;
    case IP_MTU: *out = (int)READ_ONCE(st->c.path.mtu); return has_peer(st) ? 0 : -ENOTCONN;
    default: return -ENOPROTOOPT;
    }
}

int stream_set_option(struct socket *s, int level, int name, const void *value, unsigned len)
{
    struct stream_socket *st = stream_of(s);
    int number;

    if (level == SOL_TCP) {
        int error = tcp_set_option(&st->c, name, value, len);
        backlog_run();
        return error;
    }
    if (level != SOL_IP || get_ip_number(st, name, &number))
        return -ENOPROTOOPT;
    if (len < 1)
        return -EINVAL;
    number = *(const uint8_t *)value;
    if (len >= sizeof(number))
        memcpy(&number, value, sizeof(number));
    return set_ip_number(st, name, number);
}

int stream_get_option(struct socket *s, int level, int name, void *value, unsigned *len)
{
    struct stream_socket *st = stream_of(s);
    int number, error = 0;

    if (level == SOL_TCP)
        return tcp_get_option(&st->c, name, value, len);
    if (level == SOL_SOCKET && name == SO_ACCEPTCONN)
        number = READ_ONCE(st->c.state) == TCP_LISTEN;
    else
        error = level == SOL_IP ? get_ip_number(st, name, &number) : -ENOPROTOOPT;
    return error ? error : option_give(value, len, &number, sizeof(number));
}

const struct proto_ops stream_ops = {
    .bind = stream_bind,
    .connect = stream_connect,
    .listen = stream_listen,
    .accept = stream_accept,
    .name = stream_name,
    .send = stream_send,
    .receive = stream_receive,
    .shutdown = stream_shutdown,
    .poll = stream_poll,
    .set_option = stream_set_option,
    .get_option = stream_get_option,
    .ioctl = stream_ioctl,
    .option_changed = stream_option_changed,
    .release = stream_release,
};

static int stream_create(int protocol, struct socket **out)
{
    struct stream_socket *st = stream_alloc();

    (void)protocol;
    if (!st)
        return -ENOMEM;
    st->c.entry.uid = current_cred()->euid;
    *out = &st->s;
    return 0;
}

static struct inet_kind kind = {SOCK_STREAM, IPPROTO_TCP, stream_create, NULL};

void stream_init(void)
{
    stream_net_init();
    inet_register(&kind);
}

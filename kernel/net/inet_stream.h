/*
 * Stream sockets of the Internet family: what stands between the socket layer and the TCP engine (net/tcp.h).
 * inet_stream.c: the calls that make and end connections; inet_stream_io.c: data; inet_stream_net.c: what
 * the engine asks of the kernel: routes, packets, timers, wakeups; inet_stream_merge.c: many segments made one.
 *
 * Sleepers: readers, and who accepts, on rx.readable; writers, who connects and who lingers on changed. The engine
 * tells of events (stream_notify) with the connection's lock held; rx.lock is taken inside it. So nobody calls
 * the engine with rx.lock held.
 */
#pragma once

#include "net/inet.h"
#include "net/socket.h"
#include "net/tcp.h"
#include "sched/timer.h"

struct stream_socket {
    struct socket s;      /* its own locks */
    struct tcp_conn c;    /* its own locks; its references are the socket's */
    struct timer timer;   /* c.lock to arm: the engine's; while armed it has a reference */
    struct waitq changed; /* s.rx.lock: see stream_await */
    unsigned changes;     /* rx.lock to write, atomic: see stream_await */
    uint32_t taken;       /* rx.lock to write, atomic: bytes that readers took since connected */
    bool calling;         /* atomic: connect(2) has begun and nobody has heard how it ended */
    bool was_connected;   /* atomic */
    uint8_t tos;          /* atomic */
    int16_t ttl;          /* atomic; -1: the usual */
};

static inline struct stream_socket *stream_of(struct socket *s)
{
    return container_of(s, struct stream_socket, s);
}
static inline struct stream_socket *stream_of_conn(struct tcp_conn *c)
{
    return container_of(c, struct stream_socket, c);
}

/* Its state is CLOSED: of a connection, or of a call that failed and that connect(2) hasn't been asked about again. */
static inline bool stream_is_over(const struct stream_socket *st)
{
    return READ_ONCE(st->was_connected) || READ_ONCE(st->calling);
}

extern struct tcp_stack tcp_stack;
extern const struct proto_ops stream_ops;

/* With one reference; NULL: no memory. */
struct stream_socket *stream_alloc(void);
ssize_t stream_send(struct socket *s, struct message *m);
ssize_t stream_receive(struct socket *s, struct message *m);
unsigned stream_poll(struct socket *s, struct poll_table *pt);
long stream_ioctl(struct socket *s, unsigned cmd, unsigned long arg);
int stream_set_option(struct socket *s, int level, int name, const void *value, unsigned len);
int stream_get_option(struct socket *s, int level, int name, void *value, unsigned *len);
void stream_option_changed(struct socket *s, int name);
/*
 * Writers, callers and lingerers, of which there may be several in one socket, wait for different things. So
 * what may please any of them is counted, and each asks again when the count isn't what it was before he asked:
 *
 *     seen = stream_changes(st); if (not yet) error = stream_await(st, seen, deadline);
 *
 * 0, -ETIMEDOUT, -ERESTARTSYS. No lock held.
 */
static inline unsigned stream_changes(const struct stream_socket *st)
{
    return atomic_load(&st->changes);
}
int stream_await(struct stream_socket *st, unsigned seen, nsec_t deadline);
/* It has changed, as KEY says (see struct waiter): wake all who wait so, and who reads if READERS. rx.lock held. */
void stream_changed(struct stream_socket *st, unsigned key, bool readers);
/* P, a segment for this machine, has come: it is taken over (inet_stream_merge.c). In backlog_run(). */
void stream_input(struct packet *p);
void stream_net_init(void);

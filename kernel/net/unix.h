/*
 * Local sockets (AF_UNIX): what their parts share. unix.c: the sockets' lives; unix_name.c: names;
 * unix_connect.c: who is connected to whom; unix_io.c: messages; unix_rights.c: descriptors and
 * credentials that travel with them, and the sockets that only such descriptors keep alive.
 *
 * A stream or seqpacket connection is two sockets, each the other's peer; what one sends is put into the
 * other's receive queue. A datagram socket may have a peer too, which need not know of it.
 *
 * unix_lock guards who is bound, who is whose peer, and states. Data moves under the receive queue's own
 * lock. A stream's peer, once there, stays until its own socket is released, so sending needs no unix_lock.
 * Order: unix_lock, then a queue's lock.
 *
 * References: a socket has one from its description, one from each socket whose peer it is, and those that
 * calls take for their time.
 */
#pragma once

#include <abi/un.h>

#include "net/socket.h"
#include "sched/lock.h"

struct cred;
struct scm;

#define DATAGRAM_QUEUE 10 /* messages that may wait at a datagram socket: net.unix.max_dgram_qlen */

/* A name: the address as it was bound. Const; shared with messages that came from there. */
struct unix_name {
    struct refcount ref; /* atomic */
    unsigned len;        /* of the address, family included */
    struct sockaddr_un addr;
};

enum unix_state { UNIX_FRESH, UNIX_LISTENING, UNIX_CONNECTED, UNIX_CLOSED };

struct unix_socket {
    struct socket s;        /* rx.no_readers: nobody reads any more; rx.no_writers: nobody sends */
    struct refcount ref;    /* atomic */
    struct list all_link;   /* unix_lock: among all local sockets */
    enum unix_state state;  /* unix_lock */
    struct unix_name *name; /* unix_lock: a reference; set once; NULL: unbound */
    struct path where;      /* with the name: of a socket that is bound to a path */
    struct list bound_link; /* unix_lock: in the table of names */
    struct unix_socket *peer; /* unix_lock; a reference; of a connection: set once */
    struct list senders;      /* unix_lock: datagram sockets whose peer this is, by sender_link */
    struct list sender_link;  /* unix_lock */
    struct waitq room;        /* rx.lock: polls of a datagram socket whose peer's queue is full */
    struct list
        pending; /* rx.lock: of a listener: connections that wait for accept, by pending_link */
    struct list pending_link;     /* the listener's rx.lock */
    unsigned npending, backlog;   /* rx.lock */
    unsigned messages;            /* rx.lock: records in rx */
    struct ucred peer_ids;        /* unix_lock: SO_PEERCRED; set once */
    const struct cred *peer_cred; /* unix_lock: the same with groups; a reference; NULL: nobody */
    unsigned inflight;            /* flight_lock: descriptors of it in messages (unix_rights.c) */
    struct list flight_link;      /* flight_lock: on the list of those in flight */
    unsigned reachable;           /* flight_lock: while garbage is looked for */
};

static inline struct unix_socket *unix_of(struct socket *s)
{
    return (struct unix_socket *)s;
}

extern struct spinlock unix_lock; /* RANK_UNIX */

static inline void unix_get(struct unix_socket *u)
{
    ref_get(&u->ref);
}
void unix_put(struct unix_socket *u);

/* Has it two ends (stream, seqpacket)? Are its bytes in records (datagram, seqpacket)? */
static inline bool unix_connects(const struct unix_socket *u)
{
    return u->s.type != SOCK_DGRAM;
}
static inline bool unix_has_records(const struct unix_socket *u)
{
    return u->s.type != SOCK_STREAM;
}

/* --- unix.c --- */
int unix_create(int type, int protocol, struct socket **out);
void unix_release(struct socket *s);
/* The current process and its ids, as SO_PEERCRED shows them at the other end; U gets them. unix_lock held. */
void unix_set_peer_ids(struct unix_socket *u, const struct ucred *ids, const struct cred *cred);
struct ucred unix_current_ids(void);

/* --- unix_name.c --- */
int unix_bind(struct socket *s, const struct sockaddr_storage *addr, unsigned len);
/* A name of the kernel's choice, if U has none: for senders whose receiver wants to know. */
int unix_autobind(struct unix_socket *u);
int unix_name_of(struct socket *s, enum socket_end end, struct sockaddr_storage *addr);
void unix_unbind_locked(struct unix_socket *u);
/*
 * The socket of TYPE bound to this address, with a reference; err_ptr: -ECONNREFUSED, -EPROTOTYPE,
 * -EINVAL, or what the path walk says.
 */
struct unix_socket *unix_find(const struct sockaddr_storage *addr, unsigned len, int type);
static inline void unix_name_get(struct unix_name *n)
{
    ref_get(&n->ref);
}
void unix_name_put(struct unix_name *n); /* NULL is fine */

/* --- unix_connect.c --- */
int unix_connect(struct socket *s, const struct sockaddr_storage *addr, unsigned len,
                 bool nonblock);
int unix_listen(struct socket *s, unsigned backlog);
int unix_accept(struct socket *s, bool nonblock, struct socket **new);
int unix_pair(struct socket *a, struct socket *b);
int unix_shutdown(struct socket *s, unsigned how);
/* U's peer goes: of a connection, tell it; RESET: it had not read everything. unix_lock held. */
void unix_disconnect_locked(struct unix_socket *u, bool reset);
/* A datagram socket's peer, with a reference; NULL: none. */
struct unix_socket *unix_peer_get(struct unix_socket *u);
/* The peer of datagram socket U has closed: forget it. */
void unix_peer_died(struct unix_socket *u, struct unix_socket *peer);

/* --- unix_io.c, unix_stream.c, unix_record.c --- */

/* What a record counts beyond its bytes, against many empty ones. */
#define UNIX_RECORD_COST 512u

/* What waits at U counts as much. Its rx.lock held. */
static inline size_t unix_records_cost(const struct unix_socket *u)
{
    return u->s.rx.bytes + u->messages * UNIX_RECORD_COST;
}

ssize_t unix_send(struct socket *s, struct message *m);
ssize_t unix_receive(struct socket *s, struct message *m);
unsigned unix_poll(struct socket *s, struct poll_table *pt);
long unix_ioctl(struct socket *s, unsigned cmd, unsigned long arg);
ssize_t unix_stream_send(struct unix_socket *u, struct message *m);
ssize_t unix_stream_receive(struct unix_socket *u, struct message *m);
ssize_t unix_read_pages(struct socket *s, struct page_batch *batch, size_t n, unsigned max,
                        bool nonblock);
ssize_t unix_stream_read_pages(struct unix_socket *u, struct page_batch *batch, size_t n,
                               unsigned max, bool nonblock);
ssize_t unix_record_send(struct unix_socket *u, struct message *m);
ssize_t unix_record_receive(struct unix_socket *u, struct message *m);
/* Has PEER's queue no room for a record of U's? PEER's rx.lock held. */
bool unix_record_full(const struct unix_socket *u, const struct unix_socket *peer);

static inline nsec_t unix_send_deadline(const struct unix_socket *u)
{
    return socket_deadline(READ_ONCE(u->s.send_timeout));
}
/* Does either end want to know who sends? */
static inline bool unix_wants_ids(const struct unix_socket *u, const struct unix_socket *peer)
{
    return socket_option(&u->s, SO_PASSCRED) || socket_option(&peer->s, SO_PASSCRED);
}

/* --- unix_rights.c: what travels with bytes --- */

#define SCM_MAX_FILES 253 /* descriptors in one message, as on Linux */

struct scm {
    struct buf_cargo cargo;  /* shared by the buffers of one message */
    struct unix_name *from;  /* const: the sender's name; a reference; NULL: none */
    bool has_ids;            /* const */
    struct ucred ids;        /* const */
    struct scm *next_buried; /* the grave's lock: its files are to be closed */
    unsigned nfiles;         /* flight_lock once sent; 0 again when somebody has received them */
    unsigned walk;           /* flight_lock: the walk over the queue that has counted it */
    struct file *files[];    /* the same as nfiles: references */
};
static inline struct scm *scm_of(struct buf_cargo *c)
{
    return c ? container_of(c, struct scm, cargo) : NULL;
}
/*
 * What M's control data asks to send, with FROM's name when it has one and NAMED, and the sender's ids when
 * WITH_IDS: one reference in *OUT, NULL when there is nothing. -EINVAL, -EBADF, -EPERM, -ETOOMANYREFS, -ENOMEM.
 */
int scm_create(struct message *m, struct unix_socket *from, bool named, bool with_ids,
               struct scm **out);
/* They are about to be queued: count them as in flight. */
void scm_launch(struct scm *scm);
/*
 * Hand what C carries to the receiver of M, who reads from U: its descriptors unless PEEK, when they are
 * given as duplicates and stay; its ids if U wants them. 0 or -EFAULT. No lock held.
 */
int scm_receive(struct unix_socket *u, struct message *m, struct buf_cargo *c, bool peek);
/*
 * Look for sockets that only each other's messages refer to, and empty their queues. CLOSING, if not NULL, is
 * about to lose the reference of a descriptor.
 */
void unix_collect_garbage(const struct unix_socket *closing);

/*
 * TCP, seen from outside. The engine (tcp_*.c) is pure: it knows neither sockets nor IP, neither a clock nor a
 * timer. What it needs of the world it calls through struct tcp_ops; what the world wants of it are the
 * functions below. So the same code runs in the kernel and, on the host, against a network made of lists.
 *
 *       sockets (inet)                                       tests
 *     tcp_connect, _send, _close ...   deliver, notify, create, destroy
 *            |                                 ^
 *            v                                 |
 *     +------------------------- engine -------------------------+  now, random, arm
 *     | tcp_user  tcp_output  tcp_input  tcp_ack  tcp_timer  ... | <--------------- clock, timers
 *     +-----------------------------------------------------------+
 *            |                                 ^
 *         output, route                 tcp_input, tcp_icmp_error
 *            v                                 |
 *                        IPv4
 *
 * A connection (struct tcp_conn) is embedded in the socket of whoever uses it: he allocates it and calls
 * tcp_init, or ops->create is asked for one when a listener gets a call. It is counted: the owner has one
 * reference, which tcp_close takes, the tables one while it stands there, a child one on its listener,
 * and the owner takes one for a timer that is armed. The last tcp_put calls ops->destroy.
 *
 * Locks: each connection has one, c->lock; a listener's accept queue has one of its own, taken inside that
 * of a child; the tables have one, innermost. All functions here take what they need: the caller holds none
 * of them. All may be called in any context; none sleeps. ops are called with c->lock held unless said
 * otherwise; so they must not call back into the engine (loopback hands packets over later, not at once).
 *
 * Addresses are in network byte order, as they stand in packets; ports and sequence numbers in the host's.
 */
#pragma once

#include <abi/tcp.h>

#include "ipc/queue.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/tree.h"
#include "lib/types.h"
#include "net/packet.h"
#include "sched/lock.h"

struct tcp_conn;
struct tcp_stack;
struct tcp_congestion;

/* RFC 9293, section 3.3.2. The numbers are Linux's: /proc/net/tcp and TCP_INFO show them. */
enum tcp_state {
    TCP_ESTABLISHED = 1,
    TCP_SYN_SENT,
    TCP_SYN_RECEIVED,
    TCP_FIN_WAIT_1,
    TCP_FIN_WAIT_2,
    TCP_TIME_WAIT,
    TCP_CLOSED,
    TCP_CLOSE_WAIT,
    TCP_LAST_ACK,
    TCP_LISTEN,
    TCP_CLOSING,
};

struct tcp_tuple {
    uint32_t local, remote; /* network order; 0: any */
    uint16_t local_port, remote_port;
};

/* What IP knows of the way to a peer. */
struct tcp_path {
    uint32_t local; /* the address to send from, network order */
    uint32_t mtu;   /* largest IP packet, headers included */
    uint32_t
        tso_size; /* largest packet, headers included, that may be handed down to be cut; 0: none */
};

/* What has happened, for ops->notify. */
#define TCP_EVENT_READ 1u      /* data was delivered */
#define TCP_EVENT_WRITE 2u     /* there is room to send again */
#define TCP_EVENT_CONNECTED 4u /* connect has succeeded */
#define TCP_EVENT_ACCEPT 8u    /* a listener has a connection to accept */
#define TCP_EVENT_EOF 16u      /* the peer will send no more */
#define TCP_EVENT_ERROR 32u    /* c->error is the errno; mostly, it is over */
#define TCP_EVENT_URGENT 64u   /* the peer has marked a byte that will come, or has: SIGURG */
#define TCP_EVENT_CLOSED \
    128u /* state CLOSED or TIME_WAIT reached: all that was sent is acknowledged, or lost */

#define TCP_EVENT_PRIORITY 256u /* the urgent byte is there: POLLPRI */

/* What the engine asks of the world. */
struct tcp_ops {
    nsec_t (*now)(void);
    void (*random)(void *out, size_t n);
    /*
     * The way to T->remote (from T->local, if that is not 0): 0 or -errno (-ENETUNREACH ...). May be called with
     * or without c->lock; C may be NULL.
     */
    int (*route)(struct tcp_stack *stack, struct tcp_conn *c, const struct tcp_tuple *t,
                 struct tcp_path *path);
    /*
     * Send P, a TCP header and data, from T->local to T->remote; it is taken over. Checksum is CHECKSUM_PARTIAL at
     * packet start. P->segment_size is set if it has to be cut. Don't fragment. C is NULL for an answer that
     * belongs to no connection. -errno when it could not be sent: as if lost.
     */
    int (*output)(struct tcp_stack *stack, struct tcp_conn *c, const struct tcp_tuple *t,
                  struct packet *p);
    /*
     * Call tcp_timer(c) at WHEN, or never if 0; a later call replaces an earlier one. For the stack: likewise
     * tcp_stack_timer(stack), with the table lock held.
     */
    void (*arm)(struct tcp_conn *c, nsec_t when);
    void (*arm_stack)(struct tcp_stack *stack, nsec_t when);
    /* TCP_EVENT_*: wake who waits. For ACCEPT: C is the listener, and its accept lock is held. */
    void (*notify)(struct tcp_conn *c, unsigned events);
    /*
     * The next bytes of the stream, for the receive queue, which takes B over (or appends a small one's
     * bytes to the last buffer there and frees it). notify follows. Not called after tcp_close.
     */
    void (*deliver)(struct tcp_conn *c, struct buf *b);
    /* A fresh connection after tcp_init, for a caller of LISTENER, whose lock is held. NULL: no memory. */
    struct tcp_conn *(*create)(struct tcp_conn *listener);
    /* The last reference is gone; no lock of C is held. */
    void (*destroy)(struct tcp_conn *c);
};

/* What an administrator may change (/proc/sys/net/ipv4); read with no lock. */
struct tcp_params {
    nsec_t rto_min, rto_max, rto_initial;  /* atomic: RFC 6298 */
    nsec_t delack;                         /* atomic: longest delay of an acknowledgment */
    nsec_t time_wait;                      /* atomic: 2 MSL */
    nsec_t fin_timeout;                    /* atomic: in FIN-WAIT-2 without a user */
    nsec_t keep_idle, keep_interval;       /* atomic */
    unsigned keep_count;                   /* atomic */
    unsigned syn_retries, synack_retries;  /* atomic */
    unsigned retries;                      /* atomic: of data (R2 of RFC 9293, section 3.8.3) */
    unsigned orphan_retries;               /* atomic: of data nobody waits for */
    uint32_t receive_default, receive_max; /* atomic: bytes */
    uint32_t send_default, send_max;       /* atomic: bytes */
    unsigned challenge_acks;               /* atomic: a second (RFC 5961, section 7) */
    uint16_t port_low, port_high;          /* atomic: ephemeral ports */
    bool timestamps, window_scaling, sack; /* atomic */
    uint8_t syncookies;     /* atomic: 0 never, 1 when the backlog is full, 2 always */
    bool time_wait_reuse;   /* atomic: connect may take over a TIME-WAIT port (RFC 6191) */
    unsigned time_wait_max; /* atomic: connections in TIME-WAIT */
    const struct tcp_congestion *congestion; /* atomic: of new connections */
};

/* For /proc/net/snmp and netstat: numbers since boot. Each is atomic. */
struct tcp_counters {
    uint64_t active_opens, passive_opens, attempt_fails, estab_resets;
    uint64_t in_segs, out_segs, retrans_segs, in_errs, out_rsts;
    uint64_t timeouts, fast_recoveries, challenge_acks, cookies_sent, cookies_good, cookies_bad;
    uint64_t listen_overflows, paws_rejected, time_wait_reused;
};

#define TCP_HASH_BITS 10
#define TCP_HASH_SIZE (1u << TCP_HASH_BITS)
#define TCP_LISTEN_HASH 64

/* One host's TCP. The kernel has one; a test has as many as its network has hosts. */
struct tcp_stack {
    const struct tcp_ops *ops;    /* const after init */
    struct tcp_params params;     /* see there */
    struct tcp_counters counters; /* atomic */
    uint64_t isn_key[2];          /* const: RFC 6528 */
    uint64_t cookie_key[2];       /* const: SYN cookies */
    uint64_t hash_key[2];         /* const: the tables' */
    struct spinlock lock;         /* RANK_TCP_TABLE */
    unsigned calls;               /* lock: ports tried for calls */
    struct list
        conns[TCP_HASH_SIZE]; /* lock: tcp_conn and tcp_timewait, by tuple (struct tcp_entry) */
    struct list bound[TCP_HASH_SIZE];       /* lock: tcp_entry by local port */
    struct list listeners[TCP_LISTEN_HASH]; /* lock: tcp_conn by local port */
    struct list time_wait;                  /* lock: struct tcp_timewait, first to end first */
    unsigned time_waits;                    /* lock */
    nsec_t armed;                           /* lock: when tcp_stack_timer is to be called; 0: not */
    nsec_t challenge_second;                /* lock: when the count of challenge ACKs began */
    unsigned challenge_left;                /* lock */
};

/* What stands in the tables: a connection, or what is left of one in TIME-WAIT. */
struct tcp_entry {
    struct list link;       /* the table lock: among those with a tuple; empty: it isn't */
    struct list bound_link; /* the table lock: among those with a local port; empty: it isn't */
    struct tcp_tuple tuple; /* the table lock; constant while entered */
    uint32_t uid;           /* const after bind: who may share with SO_REUSEPORT */
    bool is_time_wait;      /* const */
    bool port_chosen;       /* the table lock: by the program, not by us */
    bool reuse_address;     /* atomic: SO_REUSEADDR */
    bool reuse_port;        /* atomic: SO_REUSEPORT */
};

/* Sequence numbers [start, end). */
struct tcp_range {
    uint32_t start, end; /* the connection's lock */
};

#define TCP_SCOREBOARD 64 /* ranges of data above a hole that a sender keeps in mind */
#define TCP_SACK_BLOCKS 4 /* ranges that a receiver reports (RFC 2018, section 3) */
#define TCP_CONG_STATE 8  /* words for a congestion control of its own */

enum tcp_recovery {
    TCP_OPEN,     /* nothing is known to be lost */
    TCP_RECOVERY, /* fast recovery: RFC 6675, or RFC 6582 without SACK */
    TCP_LOSS,     /* after a retransmission timeout: RFC 5681, section 3.1 */
};

enum tcp_timer_kind {
    TCP_TIMER_RETRANSMIT, /* something is in flight: RFC 6298; or nothing may be: RFC 9293, section 3.8.6.1 */
    TCP_TIMER_DELACK,
    TCP_TIMER_PROBE, /* the tail of a flight may be lost: RFC 8985, section 7 */
    TCP_TIMER_CORK,  /* TCP_CORK holds a segment back for 200 ms at most */
    TCP_TIMER_KEEPALIVE,
    TCP_TIMER_FIN,  /* FIN-WAIT-2 without a user; a listener's child that isn't accepted */
    TCP_TIMER_PATH, /* the path may take larger packets again: RFC 1191, section 6.3 */
    TCP_TIMERS,
};

/* What a sender is doing, for TCP_INFO's times. */
enum tcp_doing {
    TCP_IDLE,
    TCP_SENDING,
    TCP_WINDOW_LIMITED, /* the peer's window keeps data back */
    TCP_BUFFER_LIMITED, /* all is sent, and the user waits for room for more */
    TCP_DOINGS,
};

struct tcp_conn {
    struct tcp_entry entry;  /* first member; its own locks */
    struct tcp_stack *stack; /* const */
    struct refcount ref;     /* atomic */
    struct spinlock lock;    /* RANK_TCP: "lock" below; what is atomic is also read without */
    enum tcp_state state;    /* lock, atomic */
    int error;        /* lock, atomic: why it ended, or what ICMP said: errno > 0; the owner takes it by exchange */
    int soft_error;   /* lock: what ICMP said last: told if it times out */
    unsigned events;  /* lock: TCP_EVENT_*: to be told when the lock is released */
    bool embryo;      /* lock: among its listener's embryos */
    nsec_t cookie_at; /* lock: a listener's: when it sent a SYN cookie last */
    bool orphan;      /* lock: the owner has closed it */
    bool over;        /* lock: it has ended, and must be forgotten before it can begin anew */
    uint32_t bound_local; /* lock: what bind(2) said; tuple.local may know more */
    struct tcp_path path; /* lock */

    /* a listener's children, and a child's listener */
    struct list listen_link;     /* the table lock: among listeners; empty: it isn't */
    struct spinlock accept_lock; /* RANK_TCP_ACCEPT */
    struct list embryos;         /* accept_lock: SYN-RECEIVED, by child_link */
    struct list ready;           /* accept_lock: to be accepted, by child_link */
    unsigned num_embryos;        /* accept_lock */
    unsigned num_ready;          /* accept_lock, atomic */
    bool accepting;              /* accept_lock, atomic: it listens */
    unsigned backlog;            /* accept_lock */
    struct list child_link;      /* the listener's accept_lock */
    struct tcp_conn *listener;   /* lock: a reference; NULL: none, or accepted */

    /* send: RFC 9293, section 3.3.1 */
    uint32_t iss;              /* lock: our first sequence number */
    uint32_t snd_una, snd_nxt; /* lock: oldest unacknowledged; next to be sent for the first time */
    uint32_t snd_wnd, snd_wl1; /* lock: the peer's window, and which segment told it */
    uint32_t snd_wl_stamp;     /* lock: its timestamp */
    uint32_t snd_wnd_max;      /* lock: largest window so far */
    uint32_t snd_wnd_usual;    /* lock: likewise since it was last too small to be used at once */
    uint32_t snd_up;           /* lock: urgent data ends here, if snd_urgent */
    uint32_t snd_probe;        /* lock: a probe has sent bytes before this one beyond snd_nxt */
    uint32_t snd_small;    /* lock: end of the last segment that wasn't full (Minshall's Nagle) */
    struct list send_bufs; /* lock: struct buf, from snd_una on */
    uint32_t send_bytes;   /* lock, atomic: in send_bufs */
    uint32_t send_limit;   /* lock, atomic: of send_bytes */
    struct buf *cursor;    /* lock: the buffer found last, and its first byte's sequence number */
    uint32_t cursor_seq;   /* lock */
    uint16_t mss_peer;     /* lock: what the peer takes */
    uint16_t mss_user;     /* lock: TCP_MAXSEG; 0: none */
    uint16_t mss;          /* lock: data of a segment with the usual options */
    uint16_t mtu_passed;   /* lock: path.mtu before a larger one was tried; 0: none was */
    uint8_t snd_scale, rcv_scale; /* lock: RFC 7323, section 2 */
    bool snd_urgent;              /* lock */
    bool fin_sent;                /* lock: snd_nxt stands behind our FIN */
    bool fin_queued;              /* lock: the user sends no more: FIN comes after send_bufs */
    bool scale_ok, timestamps_ok, sack_ok; /* lock: agreed on */
    bool nodelay, cork, more; /* lock: TCP_NODELAY, TCP_CORK, MSG_MORE of the last send */
    bool limit_fixed;         /* lock: SO_SNDBUF was set: don't grow send_limit */
    bool cork_over;           /* lock: the 200 ms have passed */
    bool write_blocked;       /* lock: the user found no room: tell him when there is */

    /* receive */
    uint32_t irs;          /* lock: the peer's first sequence number */
    uint32_t rcv_nxt;      /* lock: next expected */
    uint32_t rcv_right;    /* lock: right edge of the window last told: it never moves left */
    uint32_t rcv_acked;    /* lock: the last ACK that was sent */
    uint32_t rcv_unread;   /* lock, atomic: delivered and not consumed */
    uint32_t rcv_limit;    /* lock, atomic: bytes that may wait to be read */
    uint32_t rcv_clamp;    /* lock: TCP_WINDOW_CLAMP; 0: none */
    uint32_t rcv_up;       /* lock, atomic: sequence number of the urgent byte, if urgent */
    uint32_t rcv_mss;      /* lock: the peer's full segments, as far as seen */
    struct tree reorder;   /* lock: struct tcp_segment by sequence number */
    uint32_t reorder_room; /* lock: memory of reorder */
    uint32_t fin_seq;      /* lock: where the peer's FIN stands, if fin_seen */
    struct tcp_range report[TCP_SACK_BLOCKS]; /* lock: to be reported, the newest first */
    struct tcp_range dsack;                   /* lock: RFC 2883: came twice; empty: none */
    uint8_t num_reports;                      /* lock */
    bool fin_seen;                            /* lock: a FIN is in the reorder queue */
    bool fin_received;                        /* lock, atomic: rcv_nxt stands behind the FIN */
    bool shut_read;                           /* lock: SHUT_RD */
    bool rcv_limit_fixed;                     /* lock: SO_RCVBUF was set */
    uint8_t urgent;                           /* lock, atomic: enum tcp_urgent */
    uint8_t urgent_byte;                      /* lock */
    bool oob_inline;                          /* atomic: SO_OOBINLINE */
    bool ack_now, ack_delayed;                /* lock: an ACK is owed */
    bool ack_on_read;   /* lock: it goes when all has been read: the peer may be waiting for it */
    bool converses;     /* lock: the user has answered soon: data will carry the ACK */
    uint8_t quick_acks; /* lock: ACKs not to delay, at the start and after trouble */
    /* receive buffer's growth: how much the user reads in a round trip */
    uint32_t space_seq, space_bytes; /* lock */
    nsec_t space_time;               /* lock */

    /* timestamps: RFC 7323, section 4 */
    uint32_t ts_recent;   /* lock */
    nsec_t ts_recent_age; /* lock: when it was set */
    uint32_t ts_offset;   /* lock: ours run from a secret number */

    /* round trips and timers: RFC 6298 */
    nsec_t srtt, rttvar, rto;    /* lock: srtt 0: no sample yet */
    nsec_t rtt_min;              /* lock: 0: none */
    nsec_t rtt_sent;             /* lock: when the timed segment was sent; 0: none is */
    uint32_t rtt_seq;            /* lock: its end */
    nsec_t deadline[TCP_TIMERS]; /* lock: 0: not running */
    nsec_t armed;                /* lock: what ops->arm was told */
    unsigned backoff;            /* lock: timeouts or probes in a row */
    nsec_t stalled;    /* lock: since when nothing was acknowledged, though awaited; 0: isn't so */
    nsec_t last_heard; /* lock: a segment came */
    nsec_t last_sent, last_data_in, last_ack_in; /* lock: for TCP_INFO */
    unsigned probes;      /* lock: of a closed window, since the peer was heard */
    unsigned keep_probes; /* lock */

    /* loss and congestion: RFC 5681, 6582, 6675 */
    enum tcp_recovery recovery;              /* lock */
    uint32_t cwnd, ssthresh;                 /* lock: bytes */
    uint32_t recover;                        /* lock: recovery ends when this is acknowledged */
    uint32_t high_rxt;                       /* lock: below this holes have been sent again */
    uint32_t dupacks;                        /* lock */
    uint32_t lost_below;                     /* lock: what isn't acknowledged below this is lost */
    uint32_t tlp_end;                        /* lock: snd_nxt when the tail loss probe went out */
    struct tcp_range sacked[TCP_SCOREBOARD]; /* lock: in order, apart */
    uint8_t num_sacked;                      /* lock */
    bool rescued;   /* lock: the rescue retransmission of this recovery is done */
    bool rxt_now;   /* lock: the next retransmission doesn't ask cwnd */
    bool tlp_out;   /* lock: a tail loss probe is out */
    bool tlp_again; /* lock: it repeated data */
    const struct tcp_congestion *cong;   /* lock */
    uint64_t cong_state[TCP_CONG_STATE]; /* lock: cong's own */

    /* what the user asked */
    bool keepalive;                   /* lock */
    nsec_t keep_idle, keep_interval;  /* lock: 0: the stack's */
    unsigned keep_count, syn_retries; /* lock: 0: the stack's */
    nsec_t user_timeout;              /* lock: 0: none */
    nsec_t fin_timeout;               /* lock: TCP_LINGER2: 0: the stack's; -1: none is kept */
    nsec_t defer_accept;              /* lock */
    uint32_t notsent_low;             /* lock: TCP_NOTSENT_LOWAT; 0: none */
    uint8_t min_ttl;                  /* atomic: IP_MINTTL */
    bool tell_errors;                 /* atomic: IP_RECVERR */
    nsec_t challenge_at;              /* lock: when the last ACK to a bad segment went out */

    /* TCP_INFO */
    uint64_t bytes_acked, bytes_received, bytes_sent, bytes_retrans; /* lock */
    uint32_t segs_in, segs_out, data_segs_in, data_segs_out;         /* lock */
    uint32_t total_retrans, dsacks, reordered_in;                    /* lock */
    uint32_t data_segs_again;   /* lock: of data_segs_out, those that weren't new */
    enum tcp_doing doing;       /* lock */
    nsec_t doing_since;         /* lock */
    nsec_t spent[TCP_DOINGS];   /* lock: time until doing_since */
    uint64_t rate_from;         /* lock: bytes_acked when the timed segment was sent */
    uint64_t rate;              /* lock: bytes a second that were acknowledged; 0: not measured */
    bool rate_limited;          /* lock: there was no more to send at the end of that time */
};

enum tcp_urgent {
    TCP_URGENT_NONE,
    TCP_URGENT_PENDING, /* announced; the byte hasn't come */
    TCP_URGENT_READY,   /* urgent_byte may be read with MSG_OOB */
    TCP_URGENT_TAKEN,   /* it was read; the mark stands until the stream is read past it */
};

/* --- the stack (tcp_table.c) --- */

/* Secrets are drawn from ops->random; params get Linux's defaults. */
void tcp_stack_init(struct tcp_stack *stack, const struct tcp_ops *ops);
/* Every connection has been closed and freed: forget TIME-WAIT. For tests and leak checks. */
void tcp_stack_drain(struct tcp_stack *stack);
void tcp_stack_timer(struct tcp_stack *stack);
/* What /proc/net/tcp shows, one call an entry, the table lock held: CTX and either C or a TIME-WAIT's rest. */
void tcp_for_each(struct tcp_stack *stack,
                  void (*emit)(void *ctx, const struct tcp_entry *e, enum tcp_state state,
                               nsec_t left),
                  void *ctx);

/* --- from below (tcp_input.c, tcp_icmp.c) --- */

/*
 * A packet from SRC to DST, from its TCP header on; it is taken over. Checksum is verified here unless CHECKSUM_GOOD.
 * The caller has refused broadcast and multicast.
 */
void tcp_input(struct tcp_stack *stack, struct packet *p, uint32_t src, uint32_t dst);
/* ICMP says ERROR (errno > 0) about a segment of T with sequence number SEQ. HARD: RFC 5461's kind. */
void tcp_icmp_error(struct tcp_stack *stack, const struct tcp_tuple *t, uint32_t seq, int error,
                    bool hard);
/* ICMP "fragmentation needed": the way takes MTU bytes (0: an old router that doesn't tell). */
bool tcp_path_mtu(struct tcp_stack *stack, const struct tcp_tuple *t, uint32_t seq, uint32_t mtu);
void tcp_timer(struct tcp_conn *c);

/* --- from above (tcp_user.c) --- */

/* C is zero-filled memory of the owner's; it has one reference, state CLOSED. */
void tcp_init(struct tcp_conn *c, struct tcp_stack *stack);
static inline void tcp_get(struct tcp_conn *c)
{
    ref_get(&c->ref);
}
static inline void tcp_put(struct tcp_conn *c)
{
    if (ref_put(&c->ref))
        c->stack->ops->destroy(c);
}

/* Take LOCAL:PORT (0: any). 0, -EADDRINUSE, -EINVAL (it has a port). Rights to the port: the caller's matter. */
int tcp_bind(struct tcp_conn *c, uint32_t local, uint16_t port);
/*
 * Begin to connect: 0: SYN is out, CONNECTED or ERROR will follow. -EISCONN (or it listens), -EALREADY,
 * -EADDRNOTAVAIL (no port, or the tuple is in use), -ENETUNREACH and what else ops->route says.
 */
int tcp_connect(struct tcp_conn *c, uint32_t remote, uint16_t port);
/* 0, -EINVAL (connected), -EADDRINUSE. Again: a new backlog. */
int tcp_listen(struct tcp_conn *c, unsigned backlog);
/* The next connection of listener C, whose owner's reference becomes the caller's. NULL: none. */
struct tcp_conn *tcp_accept(struct tcp_conn *c);

/*
 * Bytes that may be sent now; 0: wait for TCP_EVENT_WRITE, which is then promised. -EPIPE: the user or
 * the connection has finished, or there is none.
 */
ssize_t tcp_send_room(struct tcp_conn *c);
/*
 * Send the bytes of BUFS (struct buf); the list becomes empty on success. They are taken whatever the limit says.
 * MORE: MSG_MORE. URGENT: MSG_OOB: the last byte is urgent. 0, -EPIPE.
 */
#define TCP_SEND_MORE 1u
#define TCP_SEND_URGENT 2u
int tcp_send(struct tcp_conn *c, struct list *bufs, unsigned flags);
/* The user has read N of the delivered bytes: the window may open. */
void tcp_consumed(struct tcp_conn *c, uint32_t n);
/*
 * How many of the next WANT bytes may be read at once: a read stops at the urgent mark. *SKIP: the next
 * byte is the urgent one, not to be read in line: take it from the queue, throw it away, say tcp_consumed(1).
 * TAKEN: bytes of this connection, modulo 2^32, that were taken from the queue, be the engine told of them or not yet.
 */
uint32_t tcp_readable(struct tcp_conn *c, uint32_t taken, uint32_t want, bool *skip);
/* MSG_OOB: the urgent byte; -EINVAL: there is none, or it is in line, or was read; -EAGAIN: it hasn't come. */
int tcp_read_urgent(struct tcp_conn *c, bool peek);
bool tcp_at_mark(struct tcp_conn *c, uint32_t taken); /* SIOCATMARK */

/* SHUT_RD and SHUT_WR: 0, -ENOTCONN, or -EINPROGRESS: a call is under way, and only tcp_disconnect() ends it. */
int tcp_shutdown(struct tcp_conn *c, bool read, bool write);
/*
 * The owner is done: his reference is taken, and C isn't his any more. ABORT: with RST (SO_LINGER of 0). Unread
 * data makes it an RST too. The accept queue of a listener is reset.
 */
void tcp_close(struct tcp_conn *c, bool abort);
/*
 * For SO_LINGER with a time, before tcp_close: our side sends no more. True: as long as tcp_is_lingering says so there
 * is something to wait for; TCP_EVENT_CLOSED tells that it has ended. False: there is not.
 */
bool tcp_linger(struct tcp_conn *c);
bool tcp_is_lingering(const struct tcp_conn *c);
/* connect(2) with AF_UNSPEC: RST if need be; C is fresh again. A listener stops. */
void tcp_disconnect(struct tcp_conn *c);
/* Take the error: 0 or errno > 0. */
static inline int tcp_take_error(struct tcp_conn *c)
{
    return READ_ONCE(c->error) ? atomic_xchg(&c->error, 0) : 0;
}

/* --- options (tcp_sockopt.c): kernel memory; -ENOPROTOOPT, -EINVAL, -ENOENT; *LEN in and out --- */

int tcp_set_option(struct tcp_conn *c, int name, const void *value, unsigned len);
int tcp_get_option(struct tcp_conn *c, int name, void *value, unsigned *len);
/* SO_SNDBUF, SO_RCVBUF: bytes of data, as the user set them. SO_KEEPALIVE. */
void tcp_set_send_limit(struct tcp_conn *c, uint32_t bytes);
void tcp_set_receive_limit(struct tcp_conn *c, uint32_t bytes);
void tcp_set_keepalive(struct tcp_conn *c, bool on);
/* SIOCOUTQ (unacknowledged), SIOCOUTQNSD (unsent). */
uint32_t tcp_unacknowledged(struct tcp_conn *c);
uint32_t tcp_unsent(struct tcp_conn *c);

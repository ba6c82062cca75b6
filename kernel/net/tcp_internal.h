/*
 * What the files of the TCP engine share; nobody else includes it. Unless said otherwise the lock of the
 * connection is held: tcp_lock, and tcp_unlock, which also sends what may be sent, sets the timer and tells the
 * owner what has happened. So no function in between has to think of that.
 *
 *   tcp_input.c     a packet arrives: is it sound, whose is it
 *   tcp_state.c     SEGMENT ARRIVES (RFC 9293, section 3.10.7) and the figure of states
 *   tcp_listen.c    listeners: calls, embryos, accept
 *   tcp_ack.c       what an acknowledgment says
 *   tcp_sack.c      which data is sacked, lost, still on its way
 *   tcp_cong.c      NewReno and CUBIC
 *   tcp_rtt.c       round trips and the retransmission timeout
 *   tcp_data.c      data in, order, windows, urgent data
 *   tcp_output.c    what to send and when; tcp_segment.c: making the packet; tcp_options.c: its options
 *   tcp_timer.c     what happens when nothing happens
 *   tcp_timewait.c  what is left of a connection for 2 MSL
 *   tcp_secret.c    sequence numbers and SYN cookies that nobody can guess
 *   tcp_table.c     who is connected, bound, listening
 *   tcp_icmp.c      what routers say
 *   tcp_user.c, tcp_sockopt.c   calls from above
 */
#pragma once

#include "net/tcp.h"

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20

#define TCP_PROTOCOL 6
#define TCP_HEADER 20
#define TCP_HEADER_MAX 60
#define TCP_IP_HEADER 20       /* of packets we send */
#define TCP_MSS_DEFAULT 536    /* RFC 9293, section 3.7.1: when the peer says nothing */
#define TCP_MSS_MIN 48         /* whatever the peer says */
#define TCP_SCALE_MAX 14       /* RFC 7323, section 2.3 */
#define TCP_TIMESTAMP_SPACE 12 /* of a segment with timestamps: two NOPs and ten bytes */
#define TCP_DUP_THRESHOLD 3    /* RFC 5681, section 3.2 */
#define TCP_QUICK_ACKS 16
#define TCP_CORK_TIME (200 * NSEC_PER_MSEC)             /* tcp(7) */
#define TCP_PAWS_IDLE (24LL * 24 * 3600 * NSEC_PER_SEC) /* RFC 7323, section 5.5 */

struct tcp_header {
    uint16_t source, dest; /* network order, all of it */
    uint32_t seq, ack;
    uint8_t offset; /* words of header, in the upper half */
    uint8_t flags;
    uint16_t window, checksum, urgent;
} packed;

/* The network's byte order to ours and back. */
static inline uint16_t net16(uint16_t x)
{
    return __builtin_bswap16(x);
}
static inline uint32_t net32(uint32_t x)
{
    return __builtin_bswap32(x);
}

/* Sequence numbers are compared modulo 2^32 (RFC 9293, section 3.4). */
static inline bool seq_lt(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}
static inline bool seq_le(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}
static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
    return seq_lt(a, b) ? b : a;
}
static inline uint32_t seq_min(uint32_t a, uint32_t b)
{
    return seq_lt(a, b) ? a : b;
}

struct tcp_options {
    uint16_t mss;  /* 0: not given */
    uint8_t scale; /* at most TCP_SCALE_MAX */
    bool has_scale, sack_permitted, has_timestamps;
    uint32_t tsval, tsecr;
    unsigned num_sacks;
    struct tcp_range sacks[TCP_SACK_BLOCKS];
};

/* A segment that has arrived. Lives as long as it is being processed. */
struct tcp_segment {
    struct packet *packet; /* its data; NULL once somebody has taken it over */
    struct tcp_tuple tuple;
    uint32_t seq, ack;
    uint32_t len;    /* of the data */
    uint32_t pieces; /* how many it was on the wire: see inet_stream_merge.c */
    uint16_t window, urgent;
    uint8_t flags;
    nsec_t now;
    struct tcp_options options;
};
/* SEG.LEN: SYN and FIN count. */
static inline uint32_t tcp_segment_space(const struct tcp_segment *seg)
{
    return seg->len + !!(seg->flags & TCP_SYN) + !!(seg->flags & TCP_FIN);
}

/* Out of order data, in c->reorder. */
struct tcp_fragment {
    struct tree_node node; /* the connection's lock, as all here */
    struct packet *packet;
    uint32_t seq, len;
};

/* What is left of a connection in TIME-WAIT (tcp_timewait.c). */
struct tcp_timewait {
    struct tcp_entry entry;        /* first member */
    struct list age_link;          /* the table lock: in stack->time_wait */
    nsec_t expires;                /* the table lock */
    nsec_t ts_recent_age;          /* the table lock */
    uint32_t snd_nxt, rcv_nxt;     /* the table lock */
    uint32_t ts_recent, ts_offset; /* the table lock */
    uint16_t window;               /* const */
    bool timestamps_ok;            /* const */
};

/* A congestion control: what it does with cwnd and ssthresh, in bytes. */
struct tcp_congestion {
    char name[TCP_CA_NAME_MAX];
    void (*init)(struct tcp_conn *c);
    /* ACKED bytes were acknowledged while nothing is lost and cwnd is what limits. */
    void (*acked)(struct tcp_conn *c, uint32_t acked);
    /* Something was lost: the new ssthresh. TIMEOUT: by the retransmission timer's word. */
    uint32_t (*ssthresh)(struct tcp_conn *c, bool timeout);
};

static inline nsec_t tcp_now(const struct tcp_conn *c)
{
    return c->stack->ops->now();
}
#define tcp_count_many(stack, what, n) ((void)atomic_add(&(stack)->counters.what, n))
#define tcp_count(stack, what) tcp_count_many(stack, what, 1)

static inline void tcp_lock(struct tcp_conn *c)
{
    spin_lock(&c->lock);
}
/* Send, arm, tell, release (tcp_output.c). */
void tcp_unlock(struct tcp_conn *c);

/* A connection with a peer that has answered. */
static inline bool tcp_is_synchronized(enum tcp_state s)
{
    return s != TCP_CLOSED && s != TCP_LISTEN && s != TCP_SYN_SENT && s != TCP_SYN_RECEIVED;
}
/*
 * Is C the connection of T still? For who has found it in the table and locked it then: meanwhile it may have ended,
 * and its owner may have called somebody else, or listen, with it.
 */
static inline bool tcp_is_still(const struct tcp_conn *c, const struct tcp_tuple *t)
{
    return c->state != TCP_CLOSED && !__builtin_memcmp(&c->entry.tuple, t, sizeof(*t));
}
/* May data still come? Do we still send data, or a FIN for the first time? */
static inline bool tcp_may_receive(enum tcp_state s)
{
    return s == TCP_ESTABLISHED || s == TCP_FIN_WAIT_1 || s == TCP_FIN_WAIT_2;
}
static inline bool tcp_may_send(enum tcp_state s)
{
    return s == TCP_ESTABLISHED || s == TCP_CLOSE_WAIT || s == TCP_FIN_WAIT_1 || s == TCP_CLOSING ||
           s == TCP_LAST_ACK;
}
/* The end of what the user has given us, without FIN; data not yet sent. */
static inline uint32_t tcp_data_end(const struct tcp_conn *c)
{
    return c->snd_una + c->send_bytes;
}
static inline uint32_t tcp_unsent_bytes(const struct tcp_conn *c)
{
    return c->fin_sent ? 0 : tcp_data_end(c) - c->snd_nxt;
}
static inline uint32_t tcp_flight(const struct tcp_conn *c)
{
    return c->snd_nxt - c->snd_una;
}

/* --- tcp_state.c --- */
void tcp_set_state(struct tcp_conn *c, enum tcp_state s);
void tcp_segment_arrives(struct tcp_conn *c, struct tcp_segment *seg);
/* It is over: nothing more is sent; ERROR (errno > 0, or 0) is for the owner. The caller has a reference. */
void tcp_end(struct tcp_conn *c, int error);
/* Both sides have closed: leave a struct tcp_timewait behind. */
void tcp_to_time_wait(struct tcp_conn *c);
/* Our side sends no more: FIN after what is queued. */
void tcp_queue_fin(struct tcp_conn *c);
/* Answer SEG with an ACK, though not more often than RFC 5961, section 7 allows. */
void tcp_challenge(struct tcp_conn *c, const struct tcp_segment *seg);
bool tcp_challenge_allowed(struct tcp_stack *stack, nsec_t now); /* table lock held */
/* A SYN's options: what both sides can, and how large its segments may be. */
void tcp_take_options(struct tcp_conn *c, const struct tcp_segment *seg);
bool tcp_fin_is_acked(const struct tcp_conn *c);
/* Send RST and end with ERROR. */
void tcp_abort(struct tcp_conn *c, int error);

/* --- tcp_listen.c --- */
void tcp_listen_input(struct tcp_conn *l, struct tcp_segment *seg, uint32_t isn);
/* The caller's ACK has come: to the accept queue. False: it is full, act as if nothing had come. */
bool tcp_child_ready(struct tcp_conn *c);
/* Embryo C has died: its listener's references are dropped. */
void tcp_child_gone(struct tcp_conn *c);
/* No lock held: no more calls; those that wait are reset. */
void tcp_stop_listening(struct tcp_conn *l);

/* --- tcp_input.c --- */
/* RST in answer to SEG, which belongs to no connection (RFC 9293, section 3.5.2). No lock needed. */
void tcp_refuse(struct tcp_stack *stack, const struct tcp_segment *seg);

/* --- tcp_ack.c --- */
/* False: the segment is to be dropped (an answer is under way if need be). */
bool tcp_ack_arrives(struct tcp_conn *c, struct tcp_segment *seg);
/* Timestamps and MSS of a connection that begins: what is usual for it. */
void tcp_begin_congestion(struct tcp_conn *c);
void tcp_update_mss(struct tcp_conn *c);
void tcp_enter_loss(struct tcp_conn *c);

/* --- tcp_sack.c --- */
/* The blocks of SEG, ACK not yet taken in: true: something new was sacked. *DUP: it begins with a DSACK. */
bool tcp_sack_arrives(struct tcp_conn *c, const struct tcp_segment *seg, bool *dup);
void tcp_sack_advance(struct tcp_conn *c); /* snd_una has moved */
uint32_t tcp_sacked_bytes(const struct tcp_conn *c);
/* Bytes that are still in the network, as far as known (RFC 6675, "pipe"). */
uint32_t tcp_pipe(const struct tcp_conn *c);
bool tcp_head_is_lost(const struct tcp_conn *c);
/* What to send again next; EVEN_DOUBTFUL: NextSeg rule 3. False: nothing. */
bool tcp_next_lost(const struct tcp_conn *c, bool even_doubtful, struct tcp_range *out);
/* The last unsacked data (rule 4, and tail loss probes). */
bool tcp_last_unsacked(const struct tcp_conn *c, struct tcp_range *out);

/* --- tcp_rtt.c --- */
void tcp_rtt_sample(struct tcp_conn *c, nsec_t rtt);
nsec_t tcp_rto(const struct tcp_conn *c); /* with backoff */
uint32_t tcp_timestamp(const struct tcp_conn *c, nsec_t now);

/* --- tcp_cong.c --- */
extern const struct tcp_congestion tcp_reno, tcp_cubic;
const struct tcp_congestion *tcp_congestion_find(const char *name);
uint32_t tcp_initial_window(const struct tcp_conn *c);

/* --- tcp_data.c --- */
void tcp_data_arrives(struct tcp_conn *c, struct tcp_segment *seg);
void tcp_urgent_arrives(struct tcp_conn *c, const struct tcp_segment *seg);
void tcp_drop_reorder(struct tcp_conn *c);
/* The right edge that we would tell now. */
uint32_t tcp_right_edge(const struct tcp_conn *c);
/* SEG came twice, wholly or in part [START, END): RFC 2883. */
void tcp_note_duplicate(struct tcp_conn *c, uint32_t start, uint32_t end);
void tcp_choose_scale(struct tcp_conn *c);

/* --- tcp_options.c --- */
bool tcp_options_parse(const uint8_t *at, unsigned len, struct tcp_options *o);
/* Write those of a segment of C to OUT (40 bytes of room): their length, a multiple of 4. */
unsigned tcp_options_write(struct tcp_conn *c, uint8_t flags, uint8_t *out);
unsigned tcp_options_syn(uint8_t *out, uint16_t mss, int scale, bool sack, bool timestamps,
                         uint32_t tsval, uint32_t tsecr);
unsigned tcp_options_timestamp(uint8_t *out, uint32_t tsval, uint32_t tsecr);
/* How long those of a data segment are now. */
unsigned tcp_options_length(const struct tcp_conn *c);

/* --- tcp_segment.c --- */
/* Send [SEQ, END): data, and FIN if END reaches behind the data. -errno: as if lost. */
int tcp_send_range(struct tcp_conn *c, uint32_t seq, uint32_t end);
void tcp_send_ack(struct tcp_conn *c);
void tcp_send_syn(struct tcp_conn *c); /* with ACK in SYN-RECEIVED */
void tcp_send_reset(struct tcp_conn *c);
void tcp_send_old_byte(struct tcp_conn *c); /* SND.NXT-1 without data: a keepalive */
/* A segment without a connection behind it. */
struct tcp_bare {
    struct tcp_tuple tuple;
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window;
    unsigned options_len;
    uint8_t options[40];
};
void tcp_send_bare(struct tcp_stack *stack, const struct tcp_bare *b);

/* --- tcp_output.c --- */
void tcp_output(struct tcp_conn *c);
uint32_t tcp_segment_size(const struct tcp_conn *c); /* data of a full segment now */
void tcp_delay_ack(struct tcp_conn *c);
bool tcp_send_is_full(const struct tcp_conn *c);
uint32_t tcp_pseudo_sum(uint32_t a, uint32_t b, uint32_t len);

/* What C does from NOW on. */
static inline void tcp_account(struct tcp_conn *c, enum tcp_doing doing, nsec_t now)
{
    if (c->doing == doing)
        return;
    c->spent[c->doing] += now - c->doing_since;
    c->doing = doing;
    c->doing_since = now;
}

/* --- tcp_icmp.c --- */
/* Nobody has said for long that packets are too large: try larger ones. */
void tcp_path_timeout(struct tcp_conn *c, nsec_t now);
/* Something was lost: does the way take less now? And if larger packets are on trial, take it back. */
void tcp_path_doubt(struct tcp_conn *c, nsec_t now);

/* --- tcp_timer.c --- */
void tcp_set_timer(struct tcp_conn *c, enum tcp_timer_kind k, nsec_t when);
static inline void tcp_stop_timer(struct tcp_conn *c, enum tcp_timer_kind k)
{
    c->deadline[k] = 0;
}
void tcp_arm(struct tcp_conn *c);
void tcp_start_keepalive(struct tcp_conn *c);

/* --- tcp_timewait.c --- */
enum tcp_verdict { TCP_DROP, TCP_ANSWER, TCP_NEW_CALL };
/* TW, which is freed when it is over, gets SEG; table lock held. ANSWER: send *OUT. NEW_CALL: *ISN to begin with. */
enum tcp_verdict tcp_time_wait_input(struct tcp_stack *stack, struct tcp_timewait *tw,
                                     const struct tcp_segment *seg, struct tcp_bare *out,
                                     uint32_t *isn);
void tcp_time_wait_begin(struct tcp_conn *c);
/* May a new connection of ours take over TW's tuple now (RFC 6191)? Table lock held. */
bool tcp_time_wait_reusable(const struct tcp_stack *stack, const struct tcp_timewait *tw,
                            nsec_t now);
void tcp_time_wait_free(struct tcp_stack *stack, struct tcp_timewait *tw); /* table lock held */

/* --- tcp_secret.c --- */
/* Where a connection of this tuple begins if it begins NOW; timestamps count from theirs at boot. */
struct tcp_beginning {
    uint32_t sequence, timestamp;
};
struct tcp_beginning tcp_begin(const struct tcp_stack *stack, const struct tcp_tuple *t,
                               nsec_t now);
/* What a cookie remembers of the caller's options. */
struct tcp_cookie {
    uint16_t mss;
    uint8_t scale;
    bool has_scale, sack_permitted;
};
uint32_t tcp_cookie_make(const struct tcp_stack *stack, const struct tcp_segment *syn,
                         uint16_t mss);
uint32_t tcp_cookie_timestamp(const struct tcp_stack *stack, const struct tcp_segment *syn);
/* ACK is the last of a handshake that began with a cookie of ours; *OUT: what was in it. */
bool tcp_cookie_check(const struct tcp_stack *stack, const struct tcp_segment *ack,
                      struct tcp_cookie *out);

/* --- tcp_table.c --- the table lock is taken unless the name says that it is held --- */
struct tcp_entry *tcp_find_locked(struct tcp_stack *stack, const struct tcp_tuple *t);
struct tcp_conn *tcp_find_listener_locked(struct tcp_stack *stack, const struct tcp_tuple *t);
/* Enter C under its tuple, which must be free: false if it isn't. A reference is taken. */
bool tcp_enter(struct tcp_conn *c);
void tcp_enter_locked(struct tcp_stack *stack, struct tcp_entry *e);
/* Out of the table of tuples, and its reference with it; the port is kept unless UNBIND. */
void tcp_leave(struct tcp_conn *c, bool unbind);
void tcp_bind_like(struct tcp_conn *child, const struct tcp_conn *listener);
int tcp_bind_any(struct tcp_conn *c); /* some free port */
/* Choose a port if there is none, and enter C under c->entry.tuple: -EADDRNOTAVAIL. */
int tcp_enter_call(struct tcp_conn *c);
int tcp_enter_listener(struct tcp_conn *c);
void tcp_leave_listener(struct tcp_conn *c);

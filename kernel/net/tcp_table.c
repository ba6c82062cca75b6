/*
 * Who is connected, bound and listening. Three tables: entries by tuple (connections and what is left of
 * them in TIME-WAIT), entries by local port, listeners by local port. stack->lock guards all; it is the innermost
 * of TCP's locks, and the hash has a secret key, so nobody can choose addresses that fall into one list.
 *
 * A connection in the table of tuples has a reference from there.
 */
#include "lib/string.h"
#include "mm/slab.h"
#include "net/tcp_internal.h"

static const struct tcp_params defaults = {
    .rto_min = 200 * NSEC_PER_MSEC,
    .rto_max = 120 * NSEC_PER_SEC,
    .rto_initial = 1 * NSEC_PER_SEC,
    .delack = 40 * NSEC_PER_MSEC,
    .time_wait = 60 * NSEC_PER_SEC,
    .fin_timeout = 60 * NSEC_PER_SEC,
    .keep_idle = 7200 * NSEC_PER_SEC,
    .keep_interval = 75 * NSEC_PER_SEC,
    .keep_count = 9,
    .syn_retries = 6,
    .synack_retries = 5,
    .retries = 15,
    .orphan_retries = 8,
    .receive_default = 131072,
    .receive_max = 6 << 20,
    .send_default = 87040,
    .send_max = 4 << 20,
    .challenge_acks = 1000,
    .port_low = 49152,
    .port_high = 65535,
    .timestamps = true,
    .window_scaling = true,
    .sack = true,
    .syncookies = 1,
    .time_wait_reuse = true,
    .time_wait_max = 16384,
    .congestion = &tcp_cubic,
};

void tcp_stack_init(struct tcp_stack *stack, const struct tcp_ops *ops)
{
    memset(stack, 0, sizeof(*stack));
    stack->ops = ops;
    stack->params = defaults;
    ops->random(stack->isn_key, sizeof(stack->isn_key));
    ops->random(stack->cookie_key, sizeof(stack->cookie_key));
    ops->random(stack->hash_key, sizeof(stack->hash_key));
    spin_init(&stack->lock, RANK_TCP_TABLE, "tcp table");
    for (unsigned i = 0; i < TCP_HASH_SIZE; i++) {
        list_init(&stack->conns[i]);
        list_init(&stack->bound[i]);
    }
    for (unsigned i = 0; i < TCP_LISTEN_HASH; i++)
        list_init(&stack->listeners[i]);
    list_init(&stack->time_wait);
}

/* --- by tuple --- */

static uint64_t mix(const struct tcp_stack *stack, const struct tcp_tuple *t)
{
    uint64_t h = ((uint64_t)t->local << 32 | t->remote) ^ stack->hash_key[0];

    h *= 0x9e3779b97f4a7c15UL;
    h ^= h >> 32;
    h += ((uint64_t)t->local_port << 16 | t->remote_port) ^ stack->hash_key[1];
    h *= 0xff51afd7ed558ccdUL;
    return h ^ h >> 32;
}

static struct list *bucket(struct tcp_stack *stack, const struct tcp_tuple *t)
{
    return &stack->conns[mix(stack, t) % TCP_HASH_SIZE];
}

struct tcp_entry *tcp_find_locked(struct tcp_stack *stack, const struct tcp_tuple *t)
{
    struct tcp_entry *e;

    list_for_each (e, bucket(stack, t), link) {
        if (e->tuple.remote_port == t->remote_port && e->tuple.local_port == t->local_port &&
            e->tuple.remote == t->remote && e->tuple.local == t->local)
            return e;
    }
    return NULL;
}

static struct tcp_conn *conn_of(struct tcp_entry *e)
{
    return (struct tcp_conn *)e;
}

static struct list *port_bucket(struct tcp_stack *stack, uint16_t port)
{
    return &stack->bound[port % TCP_HASH_SIZE];
}

void tcp_enter_locked(struct tcp_stack *stack, struct tcp_entry *e)
{
    assert(list_empty(&e->link));
    list_push_back(bucket(stack, &e->tuple), &e->link);
    if (list_empty(&e->bound_link))
        list_push_back(port_bucket(stack, e->tuple.local_port), &e->bound_link);
}

bool tcp_enter(struct tcp_conn *c)
{
    struct tcp_stack *stack = c->stack;

    spin_lock(&stack->lock);
    bool is_free = !tcp_find_locked(stack, &c->entry.tuple);
    if (is_free) {
        tcp_get(c);
        tcp_enter_locked(stack, &c->entry);
    }
    spin_unlock(&stack->lock);
    return is_free;
}

void tcp_leave(struct tcp_conn *c, bool unbind)
{
    struct tcp_stack *stack = c->stack;

    spin_lock(&stack->lock);
    bool was_in = !list_empty(&c->entry.link);
    list_remove(&c->entry.link);
    if (unbind) {
        list_remove(&c->entry.bound_link); /* the number stays, for getsockname() */
        c->entry.port_chosen = false;
    }
    spin_unlock(&stack->lock);
    if (was_in)
        tcp_put(c);
}

/* --- ports --- */

static bool is_listening(const struct tcp_entry *e)
{
    return !e->is_time_wait && !list_empty(&((const struct tcp_conn *)e)->listen_link);
}

/*
 * May E not stand beside those that have its port? Addresses must differ, or both have said SO_REUSEADDR and
 * neither listens, or both SO_REUSEPORT and are of one user. LISTENING: E is about to listen.
 */
static bool port_conflicts(struct tcp_stack *stack, const struct tcp_entry *e, uint32_t local,
                           uint16_t port, bool listening)
{
    struct tcp_entry *o;

    list_for_each (o, port_bucket(stack, port), bound_link) {
        if (o == e || o->tuple.local_port != port)
            continue;
        if (o->tuple.local && local && o->tuple.local != local)
            continue;
        if (e->reuse_port && o->reuse_port && (e->uid == o->uid || o->is_time_wait))
            continue;
        if (e->reuse_address && o->reuse_address && !is_listening(o))
            continue;
        if (listening && !is_listening(o))
            continue; /* it was allowed at bind */
        return true;
    }
    return false;
}

/* The ephemeral ports from a random one on (RFC 6056, section 3.3.1). */
static unsigned port_range(const struct tcp_stack *stack, uint16_t *low, unsigned *start)
{
    uint16_t high = READ_ONCE(stack->params.port_high);

    *low = READ_ONCE(stack->params.port_low);
    unsigned n = high >= *low ? high - *low + 1u : 1u;
    uint32_t random;
    stack->ops->random(&random, sizeof(random));
    *start = random % n;
    return n;
}

/* Some port that nobody has at all, or with whom E may share; 0: none. Table lock held. */
static uint16_t free_port(struct tcp_stack *stack, const struct tcp_entry *e, uint32_t local)
{
    uint16_t low;
    unsigned start, n = port_range(stack, &low, &start);

    for (unsigned i = 0; i < n; i++) {
        uint16_t port = (uint16_t)(low + (start + i) % n);
        if (!port_conflicts(stack, e, local, port, false))
            return port;
    }
    return 0;
}

static void take_port(struct tcp_stack *stack, struct tcp_entry *e, uint32_t local, uint16_t port)
{
    assert(list_empty(&e->bound_link));
    e->tuple.local = local;
    e->tuple.local_port = port;
    list_push_back(port_bucket(stack, port), &e->bound_link);
}

int tcp_bind(struct tcp_conn *c, uint32_t local, uint16_t port)
{
    struct tcp_stack *stack = c->stack;
    bool chosen = port != 0;
    int error = 0;

    spin_lock(&c->lock);
    spin_lock(&stack->lock);
    if (c->state != TCP_CLOSED || !list_empty(&c->entry.bound_link))
        error = -EINVAL;
    else if (port ? port_conflicts(stack, &c->entry, local, port, false)
                  : !(port = free_port(stack, &c->entry, local)))
        error = -EADDRINUSE;
    else {
        take_port(stack, &c->entry, local, port);
        c->entry.port_chosen = chosen;
        c->bound_local = local;
    }
    spin_unlock(&stack->lock);
    spin_unlock(&c->lock);
    return error;
}

/* An accepted connection shares its listener's port. The listener's lock is held. */
void tcp_bind_like(struct tcp_conn *child, const struct tcp_conn *listener)
{
    child->entry.uid = listener->entry.uid;
    child->entry.reuse_address = listener->entry.reuse_address;
    child->entry.reuse_port = listener->entry.reuse_port;
    child->entry.port_chosen = true;
    child->bound_local = child->entry.tuple.local;
}

/* --- calls --- */

/* Is T free, or in a TIME-WAIT that may end here and now? Table lock held. */
static bool tuple_is_free(struct tcp_stack *stack, const struct tcp_tuple *t, nsec_t now)
{
    struct tcp_entry *e = tcp_find_locked(stack, t);

    if (!e)
        return true;
    struct tcp_timewait *tw = (struct tcp_timewait *)e;
    if (!e->is_time_wait || !tcp_time_wait_reusable(stack, tw, now))
        return false;
    tcp_count(stack, time_wait_reused);
    tcp_time_wait_free(stack, tw);
    return true;
}

/* Has a program bound PORT, so that calls don't get it by chance? Table lock held. */
static bool port_is_claimed(struct tcp_stack *stack, uint16_t port)
{
    struct tcp_entry *o;

    list_for_each (o, port_bucket(stack, port), bound_link) {
        if (o->tuple.local_port == port && !o->is_time_wait &&
            (o->port_chosen || is_listening(o) || list_empty(&o->link)))
            return true;
    }
    return false;
}

/*
 * Number INDEX of 0 to N - 1, N < 65536, in an order that only the key knows; each comes once. (A Feistel network over
 * as many bits as N needs, or one more; what falls beyond N goes through it again.)
 */
static unsigned shuffled(const struct tcp_stack *stack, unsigned index, unsigned n)
{
    unsigned half = 1, mask;

    while (1u << 2 * half < n)
        half++;
    mask = (1u << half) - 1;
    do {
        unsigned left = index >> half, right = index & mask;
        for (unsigned round = 0; round < 4; round++) {
            uint64_t h = (stack->hash_key[0] ^ (right << 2 | round)) * 0xff51afd7ed558ccdUL;
            unsigned mixed = left ^ ((unsigned)(h >> 32) & mask);
            left = right;
            right = mixed;
        }
        index = left << half | right;
    } while (index >= n);
    return index;
}

/*
 * Some port for a call of T, at random, but none again before all have had their turn: a peer that has closed first
 * remembers the last call from there for a while, and not every one takes another then. Never the one that is called:
 * nobody asks by chance to be connected with himself. Table lock held.
 */
static uint16_t port_for_call(struct tcp_stack *stack, struct tcp_tuple t, nsec_t now)
{
    uint16_t low = READ_ONCE(stack->params.port_low), high = READ_ONCE(stack->params.port_high);
    unsigned n = high >= low ? high - low + 1u : 1u;

    for (unsigned i = 0; i < n; i++) {
        t.local_port = (uint16_t)(low + shuffled(stack, stack->calls++ % n, n));
        if (t.local_port == t.remote_port && t.local == t.remote)
            continue;
        if (!port_is_claimed(stack, t.local_port) && tuple_is_free(stack, &t, now))
            return t.local_port;
    }
    return 0;
}

int tcp_enter_call(struct tcp_conn *c)
{
    struct tcp_stack *stack = c->stack;
    struct tcp_entry *e = &c->entry;
    nsec_t now = tcp_now(c);
    int error = 0;

    spin_lock(&stack->lock);
    if (list_empty(&e->bound_link)) {
        uint16_t port = port_for_call(stack, e->tuple, now);
        if (port)
            take_port(stack, e, e->tuple.local, port);
        else
            error = -EADDRNOTAVAIL;
    } else if (!tuple_is_free(stack, &e->tuple, now)) {
        error = -EADDRNOTAVAIL;
    }
    if (!error) {
        tcp_get(c);
        tcp_enter_locked(stack, e);
    }
    spin_unlock(&stack->lock);
    return error;
}

/* --- listeners --- */

static struct list *listen_bucket(struct tcp_stack *stack, uint16_t port)
{
    return &stack->listeners[port % TCP_LISTEN_HASH];
}

int tcp_enter_listener(struct tcp_conn *c)
{
    struct tcp_stack *stack = c->stack;
    struct tcp_entry *e = &c->entry;
    uint16_t port = e->tuple.local_port;
    int error = 0;

    spin_lock(&stack->lock);
    if (list_empty(&e->bound_link)) {
        port = free_port(stack, e, 0);
        if (port)
            take_port(stack, e, 0, port);
        else
            error = -EADDRINUSE;
    } else if (port_conflicts(stack, e, e->tuple.local, port, true)) {
        error = -EADDRINUSE;
    }
    assert(list_empty(&c->listen_link));
    if (!error)
        list_push_back(listen_bucket(stack, port), &c->listen_link);
    spin_unlock(&stack->lock);
    return error;
}

void tcp_leave_listener(struct tcp_conn *c)
{
    spin_lock(&c->stack->lock);
    list_remove(&c->listen_link);
    spin_unlock(&c->stack->lock);
}

/* A listener of this very address comes before one of any; among several of equal right the hash decides. */
struct tcp_conn *tcp_find_listener_locked(struct tcp_stack *stack, const struct tcp_tuple *t)
{
    struct tcp_conn *c, *best = NULL;
    unsigned equals = 0;
    uint32_t hash = (uint32_t)(mix(stack, t) >> 16);

    list_for_each (c, listen_bucket(stack, t->local_port), listen_link) {
        const struct tcp_tuple *own = &c->entry.tuple;
        if (own->local_port != t->local_port || (own->local && own->local != t->local))
            continue;
        if (best && !own->local && best->entry.tuple.local)
            continue;
        if (!best || (own->local && !best->entry.tuple.local)) {
            best = c;
            equals = 1;
        } else if (hash % ++equals == 0) {
            best = c;
        }
    }
    return best;
}

/* --- for /proc --- */

static void emit_bucket(struct list *head, nsec_t now,
                        void (*emit)(void *ctx, const struct tcp_entry *e, enum tcp_state state,
                                     nsec_t left),
                        void *ctx)
{
    struct tcp_entry *e;

    list_for_each (e, head, link) {
        if (e->is_time_wait)
            emit(ctx, e, TCP_TIME_WAIT, ((struct tcp_timewait *)e)->expires - now);
        else
            emit(ctx, e, READ_ONCE(conn_of(e)->state), 0);
    }
}

void tcp_for_each(struct tcp_stack *stack,
                  void (*emit)(void *ctx, const struct tcp_entry *e, enum tcp_state state,
                               nsec_t left),
                  void *ctx)
{
    nsec_t now = stack->ops->now();
    struct tcp_conn *c;

    spin_lock(&stack->lock);
    for (unsigned i = 0; i < TCP_LISTEN_HASH; i++) {
        list_for_each (c, &stack->listeners[i], listen_link)
            emit(ctx, &c->entry, TCP_LISTEN, 0);
    }
    for (unsigned i = 0; i < TCP_HASH_SIZE; i++)
        emit_bucket(&stack->conns[i], now, emit, ctx);
    spin_unlock(&stack->lock);
}

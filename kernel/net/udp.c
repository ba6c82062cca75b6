/*
 * UDP (RFC 768; RFC 1122, section 4.1): which socket a datagram is for, and the errors that come back.
 *
 * A datagram goes to the socket that fits it best: bound to its very address rather than to any, connected
 * to its sender rather than to nobody; the youngest of equals, or with SO_REUSEPORT one chosen by the sender's
 * address. What is for all, or for a group, goes to every socket that fits. The calls are in udp_socket.c.
 */
#include "net/udp.h"

#include "fs/poll.h"
#include "lib/byteorder.h"
#include "net/netdev.h"

struct inet_table udp_table;

/* --- who a datagram is for --- */

/* Its addresses, as the socket sees them. */
struct udp_key {
    uint32_t local, remote;
    uint16_t local_port, remote_port;
    const struct netdev *dev;
};

/* How well I fits; -1: not at all. table lock held. */
static int fitness(const struct inet_socket *i, const struct udp_key *k)
{
    int score = 0;

    if (i->local_port != k->local_port)
        return -1;
    if (i->bound) {
        if (i->bound != k->local)
            return -1;
        score += 4;
    }
    if (i->remote) {
        if (i->remote != k->remote)
            return -1;
        score += 4;
    }
    if (i->remote_port) {
        if (i->remote_port != k->remote_port)
            return -1;
        score += 4;
    }
    if (i->d.bound_device) {
        if (i->d.bound_device != k->dev->index)
            return -1;
        score += 4;
    }
    return score;
}

static uint32_t hash_of(const struct udp_key *k)
{
    uint64_t h = ((uint64_t)k->remote << 32 | (uint32_t)k->remote_port << 16 | k->local_port) *
                 0x9e3779b97f4a7c15ull;
    return (uint32_t)(h >> 32);
}

/* The socket, with a reference; NULL: there is none. */
static struct inet_socket *find(const struct udp_key *k)
{
    struct inet_socket *i, *best = NULL;
    unsigned equals = 0;
    int best_score = -1;

    spin_lock(&udp_table.lock);
    list_for_each (i, inet_bucket(&udp_table, k->local_port), link) {
        int score = fitness(i, k);
        if (score > best_score) {
            best = i;
            best_score = score;
            equals = 1;
        } else if (score >= 0 && score == best_score && socket_option(&i->d.s, SO_REUSEPORT) &&
                   hash_of(k) % ++equals == 0) {
            best = i;
        }
    }
    if (best)
        inet_get(best);
    spin_unlock(&udp_table.lock);
    return best;
}

/* --- input --- */

#define AT_ONCE 64 /* sockets that one datagram for all reaches; more hear nothing */

/* A copy of P to each socket that wants it. */
static void deliver_to_all(struct packet *p, const struct udp_key *k)
{
    struct inet_socket *i, *to[AT_ONCE];
    unsigned n = 0;

    spin_lock(&udp_table.lock);
    list_for_each (i, inet_bucket(&udp_table, k->local_port), link) {
        if (n < AT_ONCE && fitness(i, k) >= 0 && inet_wants_group(i, p)) {
            inet_get(i);
            to[n++] = i;
        }
    }
    spin_unlock(&udp_table.lock);
    for (unsigned j = 0; j < n; j++) {
        struct packet *copy = packet_clone(p);
        if (copy && datagram_put(&to[j]->d, copy))
            net_count(UDP_IN_DATAGRAMS);
        else
            net_count(UDP_RCVBUF_ERRORS);
        inet_put(to[j]);
    }
    packet_free(p);
}

/* P's length and checksum are right; it is cut to its length. */
static bool check(struct packet *p, const struct udp_header *h)
{
    unsigned len = ntohs(h->length);

    if (len < sizeof(*h) || len > p->len)
        return false;
    packet_trim(p, len);
    if (!h->checksum || ipv4_checksum_ok(p))
        return true;
    net_count(UDP_IN_CSUM_ERRORS);
    return false;
}

static void udp_input(struct packet *p)
{
    const struct udp_header *h = packet_header(p, sizeof(*h));

    if (!h || !check(p, h)) {
        net_count(UDP_IN_ERRORS);
        packet_free(p);
        return;
    }
    struct udp_key k = {
        .local = p->ip.destination,
        .remote = p->ip.source,
        .local_port = ntohs(h->destination),
        .remote_port = ntohs(h->source),
        .dev = p->dev,
    };
    p->source_port = k.remote_port;
    if (p->ip.local_broadcast) {
        packet_pull(p, sizeof(*h));
        deliver_to_all(p, &k);
        return;
    }
    struct inet_socket *i = find(&k);
    if (!i) {
        net_count(UDP_NO_PORTS);
        icmp_send_error(p, ICMP_UNREACHABLE, ICMP_UNREACHABLE_PORT, 0);
        packet_free(p);
        return;
    }
    packet_pull(p, sizeof(*h));
    if (datagram_put(&i->d, p)) {
        net_count(UDP_IN_DATAGRAMS);
    } else {
        net_count(UDP_IN_ERRORS);
        net_count(UDP_RCVBUF_ERRORS);
    }
    inet_put(i);
}

/* A datagram of ours came to grief. */
static void udp_error(struct packet *p, int error, bool hard, uint32_t info,
                      const struct icmp_error *e)
{
    const struct udp_header *h = packet_header(p, sizeof(*h));

    if (!h)
        return;
    struct udp_key k = {
        .local = p->ip.source,
        .remote = p->ip.destination,
        .local_port = ntohs(h->source),
        .remote_port = ntohs(h->destination),
        .dev = p->dev,
    };
    struct inet_failure f = {error, hard, k.remote_port, info, e};
    struct inet_socket *i = find(&k);
    if (!i)
        return;
    inet_error_input(i, p, sizeof(*h), &f, i->remote_port);
    inet_put(i);
}

/* --- ports --- */

/* Could I have PORT at ADDRESS beside OTHER? */
static bool can_share(const struct inet_socket *i, uint32_t address,
                      const struct inet_socket *other)
{
    int a = i->d.bound_device, b = other->d.bound_device;

    if (address && other->bound && address != other->bound)
        return true;
    if (a && b && a != b)
        return true;
    if (socket_option(&i->d.s, SO_REUSEADDR) && socket_option(&other->d.s, SO_REUSEADDR))
        return true;
    return socket_option(&i->d.s, SO_REUSEPORT) && socket_option(&other->d.s, SO_REUSEPORT) &&
           i->uid == other->uid;
}

/* table lock held. */
static bool port_is_free(const struct inet_socket *i, uint32_t address, uint16_t port)
{
    const struct inet_socket *other;

    list_for_each (other, inet_bucket(&udp_table, port), link)
        if (other != i && other->local_port == port && !can_share(i, address, other))
            return false;
    return true;
}

/* Does nobody at all use PORT? For ports that we choose. table lock held. */
static bool port_is_unused(uint16_t port)
{
    const struct inet_socket *other;

    list_for_each (other, inet_bucket(&udp_table, port), link)
        if (other->local_port == port)
            return false;
    return true;
}

static uint16_t choose_port(void)
{
    unsigned port = inet_random_port();

    for (unsigned n = INET_PORT_LAST - INET_PORT_FIRST + 1; n > 0; n--) {
        if (port_is_unused((uint16_t)port))
            return (uint16_t)port;
        port = port == INET_PORT_LAST ? INET_PORT_FIRST : port + 1;
    }
    return 0;
}

int udp_take_port_locked(struct inet_socket *i, uint32_t address, uint16_t port)
{
    assert(spin_is_held(&udp_table.lock));
    if (!port && !(port = choose_port()))
        return -EADDRINUSE;
    if (!port_is_free(i, address, port))
        return -EADDRINUSE;
    list_remove(&i->link);
    i->local_port = port;
    list_push_front(inet_bucket(&udp_table, port), &i->link);
    return 0;
}

int udp_autobind(struct inet_socket *i)
{
    int error = 0;

    if (likely(READ_ONCE(i->local_port)))
        return 0;
    spin_lock(&udp_table.lock);
    if (!i->local_port)
        error = udp_take_port_locked(i, i->bound, 0);
    spin_unlock(&udp_table.lock);
    return error == -EADDRINUSE ? -EAGAIN : error;
}

static struct ipv4_protocol protocol = {
    .protocol = IPPROTO_UDP, .input = udp_input, .error = udp_error};
static struct inet_kind kind = {SOCK_DGRAM, IPPROTO_UDP, udp_create, NULL};

void udp_init(void)
{
    inet_table_init(&udp_table);
    ipv4_protocol_register(&protocol);
    inet_register(&kind);
}

/*
 * Raw sockets (raw(7)): IPv4 packets of one protocol, with their headers. Every one that fits gets a copy of what
 * arrives, before the protocol itself does; what is sent goes out with a header of ours, or with
 * IP_HDRINCL the program's own. For root (CAP_NET_RAW).
 *
 * The table has them by protocol number; local_port is that number.
 */
#include <abi/if_packet.h>

#include "lib/byteorder.h"
#include "lib/string.h"
#include "net/inet.h"
#include "net/netdev.h"
#include "net/raw.h"
#include "proc/cred.h"

#define AT_ONCE 32 /* sockets that one packet reaches; more hear nothing */
#define ICMP_FILTER 1

struct inet_table raw_table;

/* --- arriving --- */

/* Does I want P, whose ICMP type is TYPE if it is ICMP? table lock held. */
static bool fits(struct inet_socket *i, const struct packet *p, int type)
{
    if (i->local_port != p->ip.protocol || (i->bound && i->bound != p->ip.destination) ||
        (i->remote && i->remote != p->ip.source) ||
        (i->d.bound_device && i->d.bound_device != p->dev->index))
        return false;
    if (type >= 0 && type < 32 && (READ_ONCE(i->icmp_filter) >> type & 1))
        return false;
    return inet_wants_group(i, p);
}

/* P begins with its IP header. */
static bool raw_input(struct packet *p)
{
    struct inet_socket *i, *to[AT_ONCE];
    unsigned n = 0;
    int type = -1;

    if (list_empty(inet_bucket(&raw_table, p->ip.protocol)))
        return false;
    if (p->ip.protocol == IPPROTO_ICMP && p->len > p->ip.header_len) {
        uint8_t byte;
        packet_copy(p, p->ip.header_len, &byte, 1);
        type = byte;
    }
    spin_lock(&raw_table.lock);
    list_for_each (i, inet_bucket(&raw_table, p->ip.protocol), link) {
        if (n < AT_ONCE && fits(i, p, type)) {
            inet_get(i);
            to[n++] = i;
        }
    }
    spin_unlock(&raw_table.lock);
    for (unsigned j = 0; j < n; j++) {
        struct packet *copy = packet_clone(p);
        if (copy)
            (void)datagram_put(&to[j]->d, copy);
        inet_put(to[j]);
    }
    return n > 0;
}

static bool includes_header(const struct inet_socket *i)
{
    return READ_ONCE(i->header_included) || i->d.s.protocol == IPPROTO_RAW;
}

/* A packet that one of us may have sent came to grief; P begins with its IP header. */
static void raw_error(struct packet *p, int error, bool hard, uint32_t info,
                      const struct icmp_error *e)
{
    struct inet_failure f = {error, hard, 0, info, e};
    struct inet_socket *i, *to[AT_ONCE];
    unsigned n = 0;

    spin_lock(&raw_table.lock);
    list_for_each (i, inet_bucket(&raw_table, p->ip.protocol), link) {
        if (n < AT_ONCE && i->local_port == p->ip.protocol &&
            (!i->bound || i->bound == p->ip.source) &&
            (!i->remote || i->remote == p->ip.destination)) {
            inet_get(i);
            to[n++] = i;
        }
    }
    spin_unlock(&raw_table.lock);
    for (unsigned j = 0; j < n; j++) {
        uint32_t header = includes_header(to[j]) ? 0 : p->ip.header_len;
        inet_error_input(to[j], p, header, &f, to[j]->remote);
        inet_put(to[j]);
    }
}

/* --- names --- */

static int raw_bind(struct socket *s, const struct sockaddr_storage *addr, unsigned len)
{
    struct inet_socket *i = inet_of(s);
    struct sockaddr_in in;
    int error = inet_address_get(addr, len, &in);

    if (!error)
        error = inet_may_bind(in.sin_addr.s_addr, 0, READ_ONCE(i->free_bind));
    if (error)
        return error;
    enum route_type kind = in.sin_addr.s_addr ? address_kind(in.sin_addr.s_addr) : ROUTE_LOCAL;
    spin_lock(&raw_table.lock);
    i->bound = in.sin_addr.s_addr;
    i->source = kind == ROUTE_LOCAL || kind == ROUTE_UNICAST ? in.sin_addr.s_addr : 0;
    spin_unlock(&raw_table.lock);
    return 0;
}

static int raw_connect(struct socket *s, const struct sockaddr_storage *addr, unsigned len,
                       bool nonblock)
{
    struct inet_socket *i = inet_of(s);
    struct message nothing = {.flags = 0};
    struct sockaddr_in in;
    struct ipv4_send to = {0};

    (void)nonblock;
    if (len < sizeof(addr->ss_family))
        return -EINVAL;
    bool forget = addr->ss_family == AF_UNSPEC;
    int error = forget ? 0 : inet_address_get(addr, len, &in);
    if (!error && !forget)
        error = inet_prepare(i, &nothing, in.sin_addr.s_addr, &to);
    if (error)
        return error;
    spin_lock(&raw_table.lock);
    i->remote = to.destination;
    if (!i->source && !forget)
        i->source = i->bound = to.source;
    spin_unlock(&raw_table.lock);
    return 0;
}

static int raw_name(struct socket *s, enum socket_end end, struct sockaddr_storage *addr)
{
    struct inet_socket *i = inet_of(s);
    bool peer = end != SOCKET_OWN;

    spin_lock(&raw_table.lock);
    uint32_t address = peer ? i->remote : i->source;
    spin_unlock(&raw_table.lock);
    if (peer && !address)
        return -ENOTCONN;
    return inet_name(addr, address, peer ? 0 : (uint16_t)s->protocol);
}

/* --- messages --- */

static ssize_t raw_send(struct socket *s, struct message *m)
{
    struct inet_socket *i = inet_of(s);
    uint32_t address = i->remote;
    size_t n = m->data.left;
    struct ipv4_send to;

    if (n > IPV4_MAX - (includes_header(i) ? 0 : IPV4_HEADER))
        return -EMSGSIZE;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (m->namelen) {
        struct sockaddr_in in;
        int error = inet_message_address(m, &in);
        if (error)
            return error;
        address = in.sin_addr.s_addr;
    } else if (!address) {
        return -EDESTADDRREQ;
    }
    int error = inet_prepare(i, m, address, &to);
    if (error)
        return error;
    if (READ_ONCE(s->shutdown) & SHUTDOWN_WRITE)
        return -EPIPE;
    error = socket_take_error(s);
    if (error)
        return error;
    struct packet *p = packet_from_uio(&m->data);
    if (is_err(p))
        return ptr_err(p);
    error = includes_header(i) ? ipv4_output_raw(p, &to.path, to.source) : ipv4_output(p, &to);
    backlog_run();
    return error ? error : (ssize_t)n;
}

static ssize_t raw_receive(struct socket *s, struct message *m)
{
    return m->flags & MSG_OOB ? -EOPNOTSUPP : inet_receive(s, m);
}

/* --- the rest --- */

static int raw_set_option(struct socket *s, int level, int name, const void *value, unsigned len)
{
    struct inet_socket *i = inet_of(s);
    uint32_t filter = 0;

    if (level != SOL_RAW)
        return inet_set_option(s, level, name, value, len);
    if (name != ICMP_FILTER)
        return -ENOPROTOOPT;
    if (s->protocol != IPPROTO_ICMP)
        return -EOPNOTSUPP;
    memcpy(&filter, value, min(len, (unsigned)sizeof(filter)));
    WRITE_ONCE(i->icmp_filter, filter);
    return 0;
}

static int raw_get_option(struct socket *s, int level, int name, void *value, unsigned *len)
{
    uint32_t filter = inet_of(s)->icmp_filter;

    if (level != SOL_RAW)
        return inet_get_option(s, level, name, value, len);
    if (name != ICMP_FILTER)
        return -ENOPROTOOPT;
    if (s->protocol != IPPROTO_ICMP)
        return -EOPNOTSUPP;
    return option_give(value, len, &filter, sizeof(filter));
}

static const struct proto_ops raw_ops = {
    .bind = raw_bind,
    .connect = raw_connect,
    .name = raw_name,
    .send = raw_send,
    .receive = raw_receive,
    .shutdown = inet_shutdown,
    .poll = inet_poll,
    .set_option = raw_set_option,
    .get_option = raw_get_option,
    .ioctl = inet_queue_ioctl,
    .release = inet_release,
};

static int raw_create(int protocol, struct socket **out)
{
    if (!capable(CAP_NET_RAW))
        return -EPERM;
    struct inet_socket *i = inet_alloc(&raw_ops, SOCK_RAW, protocol, &raw_table);
    if (!i)
        return -ENOMEM;
    i->local_port = (uint16_t)protocol;
    i->header_included = protocol == IPPROTO_RAW;
    spin_lock(&raw_table.lock);
    list_push_back(inet_bucket(&raw_table, (unsigned)protocol), &i->link);
    spin_unlock(&raw_table.lock);
    *out = &i->d.s;
    return 0;
}

static struct inet_kind kind = {SOCK_RAW, 0, raw_create, NULL};

void raw_init(void)
{
    inet_table_init(&raw_table);
    ipv4_raw_input = raw_input;
    ipv4_raw_error = raw_error;
    inet_register(&kind);
}

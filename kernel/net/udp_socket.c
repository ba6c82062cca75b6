/* UDP sockets: the calls. Which socket a datagram is for is udp.c's matter. */
#include "lib/byteorder.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/netdev.h"
#include "net/udp.h"

/* --- names --- */

static int udp_bind(struct socket *s, const struct sockaddr_storage *addr, unsigned len)
{
    struct inet_socket *i = inet_of(s);
    struct sockaddr_in in;
    int error = inet_address_get(addr, len, &in);

    if (error == -EAFNOSUPPORT && in.sin_family == AF_UNSPEC && !in.sin_addr.s_addr)
        error = 0; /* as on Linux, for old programs */
    if (error)
        return error;
    uint32_t address = in.sin_addr.s_addr;
    uint16_t port = ntohs(in.sin_port);
    error = inet_may_bind(address, port, READ_ONCE(i->free_bind));
    if (error)
        return error;
    enum route_type kind = address ? address_kind(address) : ROUTE_LOCAL;
    spin_lock(&udp_table.lock);
    error = i->local_port ? -EINVAL : udp_take_port_locked(i, address, port);
    if (!error) {
        i->bound = address;
        i->source = kind == ROUTE_LOCAL || kind == ROUTE_UNICAST ? address : 0;
        i->bound_address = address != 0;
        i->bound_port = port != 0;
    }
    spin_unlock(&udp_table.lock);
    return error;
}

/* connect(2) with AF_UNSPEC: nobody's any more; a name that we chose goes too. */
static int udp_disconnect(struct inet_socket *i)
{
    spin_lock(&udp_table.lock);
    i->remote = 0;
    i->remote_port = 0;
    if (!i->bound_address)
        i->bound = i->source = 0;
    if (!i->bound_port) {
        list_remove(&i->link);
        i->local_port = 0;
    }
    spin_unlock(&udp_table.lock);
    return 0;
}

static int udp_connect(struct socket *s, const struct sockaddr_storage *addr, unsigned len,
                       bool nonblock)
{
    struct inet_socket *i = inet_of(s);
    struct message nothing = {.flags = 0};
    struct sockaddr_in in;
    struct ipv4_send to;

    (void)nonblock;
    if (len < sizeof(addr->ss_family))
        return -EINVAL;
    if (addr->ss_family == AF_UNSPEC)
        return udp_disconnect(i);
    int error = inet_address_get(addr, len, &in);
    if (!error)
        error = inet_prepare(i, &nothing, in.sin_addr.s_addr, &to);
    if (!error)
        error = udp_autobind(i);
    if (error)
        return error;
    spin_lock(&udp_table.lock);
    if (!i->source)
        i->source = to.source;
    if (!i->bound)
        i->bound = to.source;
    i->remote = to.destination;
    i->remote_port = ntohs(in.sin_port);
    spin_unlock(&udp_table.lock);
    return 0;
}

static int udp_name(struct socket *s, enum socket_end end, struct sockaddr_storage *addr)
{
    struct inet_socket *i = inet_of(s);
    bool peer = end != SOCKET_OWN;

    spin_lock(&udp_table.lock);
    uint32_t address = peer ? i->remote : i->bound ? i->bound : i->source;
    uint16_t port = peer ? i->remote_port : i->local_port;
    bool connected = i->remote_port != 0;
    spin_unlock(&udp_table.lock);
    if (peer && !connected)
        return -ENOTCONN;
    return inet_name(addr, address, port);
}

/* --- sending --- */

/* Send P, the data, from I's port. */
static int transmit(struct inet_socket *i, struct packet *p, const struct ipv4_send *to,
                    uint16_t port)
{
    struct udp_header *h = packet_push(p, sizeof(*h));

    h->source = htons(i->local_port);
    h->destination = htons(port);
    h->length = htons(p->len);
    h->checksum = 0;
    if (!socket_option(&i->d.s, SO_NO_CHECK)) {
        uint32_t sum = ipv4_pseudo_sum(to->source, to->destination, IPPROTO_UDP, p->len);
        /* What the device completes is not what fits into several packets. */
        bool whole = p->len + IPV4_HEADER <= to->path.mtu;
        if (whole && (to->path.dev->features & NETDEV_CHECKSUM)) {
            h->checksum = (uint16_t)~checksum_finish(sum);
            p->checksum = CHECKSUM_PARTIAL;
            p->checksum_start = 0;
            p->checksum_offset = offsetof(struct udp_header, checksum);
        } else {
            h->checksum = checksum_finish(packet_checksum_add(p, 0, sum));
            if (!h->checksum)
                h->checksum = 0xffff; /* 0 would mean none */
        }
    }
    net_count(UDP_OUT_DATAGRAMS);
    return ipv4_output(p, to);
}

/* Where M goes: 0 or -errno. */
static int find_destination(struct inet_socket *i, const struct message *m, struct ipv4_send *to,
                            uint16_t *port)
{
    uint32_t address;

    if (m->namelen) {
        struct sockaddr_in in;
        int error = inet_message_address(m, &in);
        if (error)
            return error;
        address = in.sin_addr.s_addr;
        *port = ntohs(in.sin_port);
        if (!*port)
            return -EINVAL;
    } else {
        spin_lock(&udp_table.lock);
        address = i->remote;
        *port = i->remote_port;
        spin_unlock(&udp_table.lock);
        if (!*port)
            return -EDESTADDRREQ;
    }
    return inet_prepare(i, m, address, to);
}

/* Move P's data behind those that wait. rx.lock held. False: together they are too long. */
static bool append(struct corked *c, struct packet *p)
{
    if (c->p->len + p->len > UDP_DATA_MAX)
        return false;
    packet_join(c->p, p);
    return true;
}

/* Add P to what is held back, or begin with it. P is taken over. 0 or -errno. */
static int hold_back(struct inet_socket *i, struct packet *p, const struct ipv4_send *to,
                     uint16_t port)
{
    struct corked *new = to ? kmalloc(sizeof(*new)) : NULL;
    int error = 0;

    if (to && !new) {
        packet_free(p);
        return -ENOMEM;
    }
    if (new)
        *new = (struct corked){.to = *to, .port = port, .p = p};
    spin_lock(&i->d.s.rx.lock);
    if (!i->corked) {
        i->corked = new; /* NULL: somebody has sent it meanwhile: so is P, by nobody */
        error = new ? 0 : -EINVAL;
        new = NULL;
    } else if (!append(i->corked, p)) {
        error = -EMSGSIZE;
    }
    spin_unlock(&i->d.s.rx.lock);
    kfree(new);
    if (error)
        packet_free(p);
    return error;
}

/* What is held back, the caller's now; NULL: nothing. */
static struct corked *take_held(struct inet_socket *i)
{
    spin_lock(&i->d.s.rx.lock);
    struct corked *c = i->corked;
    i->corked = NULL;
    spin_unlock(&i->d.s.rx.lock);
    return c;
}

/* Send what is held back, if anything is. */
static int send_held(struct inet_socket *i)
{
    struct corked *c = take_held(i);

    if (!c)
        return 0;
    int error = transmit(i, c->p, &c->to, c->port);
    kfree(c);
    return error;
}

/* What was held back is lost: an error, as on Linux, ends the whole datagram. */
static void drop_held(struct inet_socket *i)
{
    struct corked *c = take_held(i);

    if (c)
        packet_free(c->p);
    kfree(c);
}

static int send_in_parts(struct inet_socket *i, struct packet *p, const struct ipv4_send *to,
                         uint16_t port, bool more)
{
    int error = hold_back(i, p, to, port);

    if (error)
        drop_held(i);
    else if (!more)
        error = send_held(i);
    return error;
}

static ssize_t udp_send(struct socket *s, struct message *m)
{
    struct inet_socket *i = inet_of(s);
    bool more = (m->flags & MSG_MORE) || READ_ONCE(i->cork);
    bool held = READ_ONCE(i->corked);
    size_t n = m->data.left;
    struct ipv4_send to;
    uint16_t port = 0;

    if (n > IPV4_MAX)
        return -EMSGSIZE;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    int error = udp_autobind(i);
    if (!error && !held)
        error = find_destination(i, m, &to, &port);
    if (error)
        return error;
    uint32_t most = UDP_DATA_MAX;
    if (!held && to.dont_fragment)
        most = min(most, to.path.mtu - IPV4_HEADER - (uint32_t)sizeof(struct udp_header));
    if (unlikely(n > most)) {
        if (!held)
            inet_error_local(i, to.destination, port, to.path.mtu);
        return -EMSGSIZE;
    }
    error = socket_take_error(s);
    if (error)
        return error;
    if (READ_ONCE(s->shutdown) & SHUTDOWN_WRITE)
        return -EPIPE;
    struct packet *p = packet_from_uio(&m->data);
    if (is_err(p))
        return ptr_err(p);
    if (unlikely(more || held))
        error = send_in_parts(i, p, held ? NULL : &to, port, more);
    else
        error = transmit(i, p, &to, port);
    backlog_run();
    return error ? error : (ssize_t)n;
}

/* --- the rest --- */

static int udp_set_option(struct socket *s, int level, int name, const void *value, unsigned len)
{
    struct inet_socket *i = inet_of(s);
    int number;

    if (level != SOL_UDP)
        return inet_set_option(s, level, name, value, len);
    if (name != UDP_CORK)
        return -ENOPROTOOPT;
    if (len < sizeof(number))
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    WRITE_ONCE(i->cork, number != 0);
    if (number)
        return 0;
    (void)send_held(i);
    backlog_run();
    return 0;
}

static int udp_get_option(struct socket *s, int level, int name, void *value, unsigned *len)
{
    int number = inet_of(s)->cork;

    if (level != SOL_UDP)
        return inet_get_option(s, level, name, value, len);
    if (name != UDP_CORK)
        return -ENOPROTOOPT;
    return option_give(value, len, &number, sizeof(number));
}

static void udp_release(struct socket *s)
{
    drop_held(inet_of(s));
    inet_release(s);
}

static const struct proto_ops udp_ops = {
    .bind = udp_bind,
    .connect = udp_connect,
    .name = udp_name,
    .send = udp_send,
    .receive = inet_receive,
    .shutdown = inet_shutdown,
    .poll = inet_poll,
    .set_option = udp_set_option,
    .get_option = udp_get_option,
    .ioctl = inet_queue_ioctl,
    .release = udp_release,
};

int udp_create(int protocol, struct socket **out)
{
    struct inet_socket *i = inet_alloc(&udp_ops, SOCK_DGRAM, protocol, &udp_table);

    if (!i)
        return -ENOMEM;
    *out = &i->d.s;
    return 0;
}

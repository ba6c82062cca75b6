/*
 * What comes back of what a UDP or raw socket has sent: an ICMP error. Without IP_RECVERR only a connected socket hears
 * of it, as the error of its next call, and only of what won't pass. With it (ip(7)) every error is that, and is
 * also kept, with what was sent and who said it, for recvmsg(2) with MSG_ERRQUEUE.
 *
 * They wait in the order in which they came, against the socket's receive limit; what is too much is not kept.
 */
#include "fs/poll.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/inet.h"

struct inet_error {
    struct list link;      /* the socket's rx.lock */
    struct packet *packet; /* const, as all below: what was sent, behind its headers */
    uint32_t destination;  /* where to; network order */
    uint16_t port;         /* the same; host order, 0: it has none */
    uint32_t offender;     /* who said it; network order, 0: this machine */
    struct sock_extended_err what;
};

static unsigned cost_of(const struct inet_error *e)
{
    return e->packet->len + PACKET_COST;
}

static void free_error(struct inet_error *e)
{
    packet_free(e->packet);
    kfree(e);
}

/* Keep a copy of NEW, and P, which is taken over; NULL: there was no memory for it. */
static void keep(struct inet_socket *i, const struct inet_error *new, struct packet *p)
{
    struct inet_error *e = p ? kmalloc(sizeof(*e)) : NULL;

    if (!e) {
        packet_free(p);
        return;
    }
    *e = *new;
    e->packet = p;
    spin_lock(&i->d.s.rx.lock);
    bool fits = i->d.room_taken + cost_of(e) <= READ_ONCE(i->d.s.receive_limit);
    if (fits) {
        list_push_back(&i->errors, &e->link);
        i->d.room_taken += cost_of(e);
    }
    spin_unlock(&i->d.s.rx.lock);
    if (!fits)
        free_error(e);
}

void inet_error_input(struct inet_socket *i, const struct packet *p, uint32_t header,
                      const struct inet_failure *f, bool connected)
{
    bool keeps = READ_ONCE(i->receive_flags) & INET_RECVERR;
    bool too_long = f->error == EMSGSIZE;

    if (too_long && READ_ONCE(i->mtu_discover) < IP_PMTUDISC_INTERFACE)
        route_note_mtu(p->ip.destination, f->info);
    if (too_long ? READ_ONCE(i->mtu_discover) == IP_PMTUDISC_DONT : !keeps && !f->hard)
        return;
    if (!keeps && !connected)
        return;
    if (keeps) {
        struct inet_error e = {
            .destination = p->ip.destination,
            .port = f->port,
            .offender = f->icmp->from,
            .what = {.ee_errno = (uint32_t)f->error,
                     .ee_origin = SO_EE_ORIGIN_ICMP,
                     .ee_type = f->icmp->type,
                     .ee_code = f->icmp->code,
                     .ee_info = too_long ? f->info : 0},
        };
        keep(i, &e, packet_copy_range(p, header, p->len - header));
    }
    socket_set_error(&i->d.s, f->error);
    datagram_wake(&i->d, POLLERR);
}

void inet_error_local(struct inet_socket *i, uint32_t destination, uint16_t port, uint32_t mtu)
{
    struct inet_error e = {
        .destination = destination,
        .port = port,
        .what = {.ee_errno = EMSGSIZE, .ee_origin = SO_EE_ORIGIN_LOCAL, .ee_info = min(mtu, IPV4_MAX)},
    };

    if (READ_ONCE(i->receive_flags) & INET_RECVERR)
        keep(i, &e, packet_alloc(0, 1));
}

/* The oldest; the socket's own error is that of the next one now, if there is one. NULL: there is none. */
static struct inet_error *take(struct inet_socket *i)
{
    struct inet_error *e, *next;

    spin_lock(&i->d.s.rx.lock);
    e = list_first(&i->errors, struct inet_error, link);
    if (e) {
        list_remove(&e->link);
        i->d.room_taken -= cost_of(e);
        next = list_first(&i->errors, struct inet_error, link);
        if (next && next->what.ee_origin == SO_EE_ORIGIN_ICMP)
            socket_set_error(&i->d.s, (int)next->what.ee_errno);
        else if (e->what.ee_origin == SO_EE_ORIGIN_ICMP)
            (void)socket_take_error(&i->d.s);
    }
    spin_unlock(&i->d.s.rx.lock);
    return e;
}

ssize_t inet_error_receive(struct inet_socket *i, struct message *m)
{
    struct inet_error *e = take(i);
    struct {
        struct sock_extended_err what;
        struct sockaddr_in offender;
    } out;

    if (!e)
        return -EAGAIN;
    m->namelen = (unsigned)inet_name(&m->name, e->destination, e->port);
    out.what = e->what;
    out.offender = (struct sockaddr_in){.sin_family = e->offender ? AF_INET : AF_UNSPEC,
                                        .sin_addr.s_addr = e->offender};
    if (control_put(m, SOL_IP, IP_RECVERR, &out, sizeof(out))) {
        free_error(e);
        return -EFAULT;
    }
    m->result |= MSG_ERRQUEUE;
    m->flags &= ~(unsigned)MSG_TRUNC; /* the length is that of what is given */
    ssize_t n = datagram_give(m, e->packet);
    kfree(e);
    return n;
}

void inet_error_flush(struct inet_socket *i)
{
    struct inet_error *e;

    while ((e = take(i)))
        free_error(e);
}

/*
 * Netlink sockets (AF_NETLINK, netlink(7)), of which only the kernel is the peer; what the messages look like is
 * netlink_message.c's matter. A request is handled while its
 * sender is in sendmsg(2), and the answers wait in the socket like packets, against its receive limit: a list
 * that doesn't fit ends in ENOBUFS.
 *
 * Every socket has a number of its own, its "port": the process's, or what is free. It may join groups, for which the
 * kernel announces what changes. sockets_lock guards who has which port and who is in which group.
 */
#include "net/netlink.h"

#include "dev/random.h"
#include "fs/fdtable.h"
#include "fs/poll.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "net/datagram.h"
#include "net/inet.h"
#include "net/netdev.h"
#include "net/packet.h"
#include "proc/proc.h"

#define REQUEST_OVERHEAD 32u    /* what Linux takes off the send limit */
#define PORT_MADE_UP (1u << 31) /* no process has such a number */
#define GROUPS 64u              /* as many as Linux lets one join */

struct netlink_socket {
    struct datagram_socket d;
    struct list link; /* sockets_lock */
    uint32_t port;    /* sockets_lock: 0: none yet */
    uint64_t groups;  /* sockets_lock: group N is bit N-1 */
    bool tells_group; /* atomic: NETLINK_PKTINFO */
    bool may_lose;    /* atomic: NETLINK_NO_ENOBUFS */
};

static struct spinlock sockets_lock = SPINLOCK_INIT(RANK_INET, "netlink sockets");
static struct list sockets = LIST_INIT(sockets); /* sockets_lock */
static uint64_t heard; /* atomic: groups that have members; changes under sockets_lock */

static struct netlink_socket *netlink_of(struct socket *s)
{
    return container_of(s, struct netlink_socket, d.s);
}

/* --- answers --- */

/* Request H has ended with ERROR: its sender is told, with the request itself if something is wrong with it. */
static void put_error(struct netlink_reply *r, const struct nlmsghdr *h, int error)
{
    unsigned tail = error ? h->nlmsg_len - NLMSG_HDRLEN : 0;

    /* Longer ones than can be answered whole come back as their header. */
    if (tail > NETLINK_MESSAGE_MAX / 2)
        tail = 0;
    r->flags = 0;
    struct nlmsgerr *e = netlink_begin(r, NLMSG_ERROR, sizeof(*e) + tail);
    e->error = error;
    e->msg = *h;
    memcpy(e + 1, h + 1, tail);
    netlink_end(r);
}

/* P, which has a page, in as much memory as it needs. */
static struct packet *shrink(struct packet *p)
{
    struct packet *copy = p->len < PAGE_SIZE / 4 ? packet_copy_range(p, 0, p->len) : NULL;

    if (!copy)
        return p;
    packet_free(p);
    return copy;
}

/* Something for K was lost: its reader is told. */
static void note_loss(struct netlink_socket *k)
{
    if (READ_ONCE(k->may_lose))
        return;
    socket_set_error(&k->d.s, ENOBUFS);
    datagram_wake(&k->d, POLLERR);
}

/* The answer goes where its reader finds it. */
static void deliver(struct netlink_socket *k, struct netlink_reply *r)
{
    struct packet *p, *next;
    bool fits = !r->failed;

    if (r->packet)
        list_push_back(&r->full, &shrink(r->packet)->link);
    list_for_each_safe (p, next, &r->full, link) {
        list_remove(&p->link);
        if (!fits)
            packet_free(p);
        else
            fits = datagram_put(&k->d, p);
    }
    if (!fits)
        note_loss(k);
}

static void handle(struct netlink_socket *k, const struct nlmsghdr *h)
{
    struct netlink_reply r = {.seq = h->nlmsg_seq, .port = k->port};
    int error = 0;

    list_init(&r.full);
    if ((h->nlmsg_flags & NLM_F_REQUEST) && h->nlmsg_type >= NLMSG_MIN_TYPE)
        error = rtnetlink_handle(h, &r);
    /* A list that was given has its own end. */
    bool listed = r.flags & NLM_F_MULTI;
    if (error || ((h->nlmsg_flags & NLM_F_ACK) && !listed))
        put_error(&r, h, error);
    deliver(k, &r);
}

/* Every request in the N bytes at AT, until one has a length that can't be. */
static void handle_all(struct netlink_socket *k, const char *at, size_t n)
{
    while (n >= NLMSG_HDRLEN) {
        const struct nlmsghdr *h = (const struct nlmsghdr *)at;
        if (h->nlmsg_len < NLMSG_HDRLEN || h->nlmsg_len > n)
            return;
        handle(k, h);
        size_t step = min((size_t)NLMSG_ALIGN(h->nlmsg_len), n);
        at += step;
        n -= step;
    }
}

/* --- groups --- */

static uint64_t group_bit(unsigned group)
{
    return 1ull << (group - 1);
}

/* K's groups are GROUPS now. sockets_lock held. */
static void set_groups(struct netlink_socket *k, uint64_t groups)
{
    uint64_t all = 0;

    assert(spin_is_held(&sockets_lock));
    k->groups = groups;
    list_for_each (k, &sockets, link)
        all |= k->groups;
    WRITE_ONCE(heard, all);
}

static int change_membership(struct netlink_socket *k, unsigned group, bool member)
{
    if (group < 1 || group > GROUPS)
        return -EINVAL;
    spin_lock(&sockets_lock);
    set_groups(k, member ? k->groups | group_bit(group) : k->groups & ~group_bit(group));
    spin_unlock(&sockets_lock);
    return 0;
}

bool netlink_announce_begin(struct netlink_reply *r, unsigned group)
{
    if (likely(!(READ_ONCE(heard) & group_bit(group))))
        return false;
    *r = (struct netlink_reply){0};
    list_init(&r->full);
    return true;
}

void netlink_announce_end(struct netlink_reply *r, unsigned group)
{
    struct packet *p = r->packet ? shrink(r->packet) : NULL;
    struct netlink_socket *k;

    if (p)
        p->protocol = (uint16_t)group;
    spin_lock(&sockets_lock);
    list_for_each (k, &sockets, link) {
        if (!(k->groups & group_bit(group)))
            continue;
        struct packet *copy = p ? packet_clone(p) : NULL;
        if (!copy || !datagram_put(&k->d, copy))
            note_loss(k);
    }
    spin_unlock(&sockets_lock);
    packet_free(p);
}

/* --- names --- */

/* sockets_lock held. */
static bool port_is_free(uint32_t port)
{
    struct netlink_socket *k;

    list_for_each (k, &sockets, link)
        if (k->port == port)
            return false;
    return true;
}

/* Give K the number PORT, or if that is 0 one of the kernel's choice. */
static int take_port(struct netlink_socket *k, uint32_t port)
{
    uint32_t wanted = port ? port : (uint32_t)current_proc()->pid->nr;
    int error = 0;

    spin_lock(&sockets_lock);
    if (k->port)
        error = port && port != k->port ? -EINVAL : 0;
    else if (port && !port_is_free(port))
        error = -EADDRINUSE;
    else
        while (!port_is_free(wanted))
            wanted = PORT_MADE_UP | (uint32_t)random_u64();
    if (!error && !k->port)
        k->port = wanted;
    spin_unlock(&sockets_lock);
    return error;
}

/* An address of a program's, which can be the kernel's or its own. */
static int read_name(const struct sockaddr_storage *addr, unsigned len, struct sockaddr_nl *out)
{
    if (len < sizeof(*out))
        return -EINVAL;
    memcpy(out, addr, sizeof(*out));
    return out->nl_family == AF_NETLINK ? 0 : -EINVAL;
}

/* Only the kernel is spoken to, and only it speaks to groups. */
static int check_peer(const struct sockaddr_nl *nl)
{
    return nl->nl_pid || nl->nl_groups ? -EPERM : 0;
}

static int netlink_bind(struct socket *s, const struct sockaddr_storage *addr, unsigned len)
{
    struct netlink_socket *k = netlink_of(s);
    struct sockaddr_nl nl;
    int error = read_name(addr, len, &nl);

    if (!error)
        error = take_port(k, nl.nl_pid);
    if (error)
        return error;
    spin_lock(&sockets_lock); /* of the groups that have no bit in the address it stays a member */
    set_groups(k, (k->groups & ~(uint64_t)UINT32_MAX) | nl.nl_groups);
    spin_unlock(&sockets_lock);
    return 0;
}

static int netlink_connect(struct socket *s, const struct sockaddr_storage *addr, unsigned len,
                           bool nonblock)
{
    struct sockaddr_nl nl;
    int error = read_name(addr, len, &nl);

    (void)nonblock;
    if (!error)
        error = check_peer(&nl);
    return error ? error : take_port(netlink_of(s), 0);
}

static int fill_name(struct sockaddr_storage *addr, uint32_t port, uint32_t groups)
{
    struct sockaddr_nl nl = {.nl_family = AF_NETLINK, .nl_pid = port, .nl_groups = groups};

    memcpy(addr, &nl, sizeof(nl));
    return sizeof(nl);
}

static int netlink_name(struct socket *s, enum socket_end end, struct sockaddr_storage *addr)
{
    struct netlink_socket *k = netlink_of(s);

    return end != SOCKET_OWN ? fill_name(addr, 0, 0) : fill_name(addr, k->port, (uint32_t)k->groups);
}

/* --- messages --- */

static int check_destination(const struct message *m)
{
    struct sockaddr_nl nl;
    int error = m->namelen ? read_name(&m->name, m->namelen, &nl) : 0;

    return error || !m->namelen ? error : check_peer(&nl);
}

static ssize_t netlink_send(struct socket *s, struct message *m)
{
    struct netlink_socket *k = netlink_of(s);
    size_t n = m->data.left;
    int error = m->flags & MSG_OOB ? -EOPNOTSUPP : n ? check_destination(m) : -ENODATA;

    if (!error)
        error = take_port(k, 0);
    if (!error && n > READ_ONCE(s->send_limit) - REQUEST_OVERHEAD)
        error = -EMSGSIZE;
    if (error)
        return error;
    char *copy = kmalloc(n);
    if (!copy)
        return -ENOBUFS;
    if (uio_copy_in(&m->data, copy, n) < n) {
        kfree(copy);
        return -EFAULT;
    }
    handle_all(k, copy, n);
    kfree(copy);
    backlog_run(); /* a change may have been announced on the wire */
    return (ssize_t)n;
}

static ssize_t netlink_receive(struct socket *s, struct message *m)
{
    struct netlink_socket *k = netlink_of(s);
    struct packet *p;

    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    int error = datagram_take(&k->d, m, &p);
    if (error)
        return error < 0 ? error : 0;
    struct nl_pktinfo info = {.group = p->protocol};
    m->namelen = (unsigned)fill_name(
        &m->name, 0, info.group && info.group <= 32 ? (uint32_t)group_bit(info.group) : 0);
    if (READ_ONCE(k->tells_group) &&
        control_put(m, SOL_NETLINK, NETLINK_PKTINFO, &info, sizeof(info))) {
        packet_free(p);
        return -EFAULT;
    }
    return datagram_give(m, p);
}

static unsigned netlink_poll(struct socket *s, struct poll_table *pt)
{
    return datagram_poll(&netlink_of(s)->d, pt);
}

static long netlink_ioctl(struct socket *s, unsigned cmd, unsigned long arg)
{
    return datagram_ioctl(&netlink_of(s)->d, cmd, arg);
}

static int netlink_set_option(struct socket *s, int level, int name, const void *value,
                              unsigned len)
{
    struct netlink_socket *k = netlink_of(s);
    int number = 0;

    if (level == SOL_SOCKET)
        return datagram_set_option(&k->d, name, value, len);
    if (level != SOL_NETLINK)
        return -ENOPROTOOPT;
    if (len >= sizeof(number)) /* else it is 0, as on Linux */
        memcpy(&number, value, sizeof(number));
    switch (name) {
    case NETLINK_ADD_MEMBERSHIP: return change_membership(k, (unsigned)number, true);
    case NETLINK_DROP_MEMBERSHIP: return change_membership(k, (unsigned)number, false);
    case NETLINK_PKTINFO: WRITE_ONCE(k->tells_group, number != 0); return 0;
    case NETLINK_NO_ENOBUFS: WRITE_ONCE(k->may_lose, number != 0); return 0;
    default: return -ENOPROTOOPT;
    }
}

static int netlink_get_option(struct socket *s, int level, int name, void *value, unsigned *len)
{
    struct netlink_socket *k = netlink_of(s);
    uint64_t groups = READ_ONCE(k->groups);
    int number;

    if (level == SOL_SOCKET)
        return datagram_get_option(&k->d, name, value, len);
    if (level != SOL_NETLINK)
        return -ENOPROTOOPT;
    switch (name) {
    case NETLINK_PKTINFO: number = k->tells_group; break;
    case NETLINK_NO_ENOBUFS: number = k->may_lose; break;
    case NETLINK_LIST_MEMBERSHIPS: return option_give(value, len, &groups, sizeof(groups));
    default: return -ENOPROTOOPT;
    }
    if (*len < sizeof(number))
        return -EINVAL;
    return option_give(value, len, &number, sizeof(number));
}

/* --- life --- */

static void netlink_release(struct socket *s)
{
    struct netlink_socket *k = netlink_of(s);

    spin_lock(&sockets_lock);
    set_groups(k, 0);
    list_remove(&k->link);
    spin_unlock(&sockets_lock);
    datagram_flush(&k->d);
    queue_destroy(&s->rx);
    kfree(k);
}

static const struct proto_ops netlink_ops = {
    .bind = netlink_bind,
    .connect = netlink_connect,
    .name = netlink_name,
    .send = netlink_send,
    .receive = netlink_receive,
    .poll = netlink_poll,
    .set_option = netlink_set_option,
    .get_option = netlink_get_option,
    .ioctl = netlink_ioctl,
    .release = netlink_release,
};

int netlink_get(int fd, struct file **out)
{
    struct file *f = fd_get_real(fd);

    if (!f)
        return -EBADF;
    struct socket *s = socket_of(f);
    if (s && s->ops == &netlink_ops) {
        *out = f;
        return 0;
    }
    file_put(f);
    return s ? -EINVAL : -ENOTSOCK;
}

void netlink_deliver(struct file *socket, struct packet *p)
{
    (void)datagram_put(&netlink_of(socket_of(socket))->d, p);
}

static int netlink_create(int type, int protocol, struct socket **out)
{
    if (type != SOCK_RAW && type != SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    if (protocol != NETLINK_ROUTE)
        return -EPROTONOSUPPORT;
    struct netlink_socket *k = kzalloc(sizeof(*k));
    if (!k)
        return -ENOMEM;
    socket_init(&k->d.s, &netlink_ops, AF_NETLINK, type, protocol);
    datagram_init(&k->d);
    spin_lock(&sockets_lock);
    list_push_back(&sockets, &k->link);
    spin_unlock(&sockets_lock);
    *out = &k->d.s;
    return 0;
}

static struct socket_family family = {.domain = AF_NETLINK, .create = netlink_create};

void netlink_init(void)
{
    socket_register(&family);
}

/* See datagram.h. */
#include "net/datagram.h"

#include <abi/ioctl.h>
#include <abi/time.h>

#include "fs/poll.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/reclaim.h"
#include "net/netdev.h"
#include "proc/cred.h"
#include "sched/time.h"
#include "x86/clock.h"
#include "x86/uaccess.h"

static int stamps_wanted; /* atomic: sockets with SO_TIMESTAMP */

bool datagram_stamps_wanted(void)
{
    return READ_ONCE(stamps_wanted) > 0;
}

void datagram_init(struct datagram_socket *d)
{
    list_init(&d->packets);
}

static unsigned cost_of(const struct packet *p)
{
    return p->len + PACKET_COST;
}

void datagram_flush(struct datagram_socket *d)
{
    struct list gone = LIST_INIT(gone);
    struct packet *p, *next;

    spin_lock(&d->s.rx.lock);
    list_splice_back(&gone, &d->packets);
    d->room_taken = 0;
    spin_unlock(&d->s.rx.lock);
    list_for_each_safe (p, next, &gone, link)
        packet_free(p);
    if (d->stamp || d->stamp_ns)
        atomic_sub(&stamps_wanted, 1);
    d->stamp = d->stamp_ns = false;
}

/* --- arriving --- */

bool datagram_put(struct datagram_socket *d, struct packet *p)
{
    unsigned cost = cost_of(p);

    if (unlikely(datagram_stamps_wanted()) && !p->received)
        p->received = clock_realtime();
    spin_lock(&d->s.rx.lock);
    /* One always fits, however small the limit. */
    bool fits = !d->room_taken || d->room_taken + cost <= READ_ONCE(d->s.receive_limit);
    d->arrived++;
    if (likely(fits)) {
        list_push_back(&d->packets, &p->link);
        d->room_taken += cost;
        if (!waitq_is_empty(&d->s.rx.readable))
            wake_one(&d->s.rx.readable, POLLIN | POLLRDNORM);
    } else {
        d->dropped++;
    }
    spin_unlock(&d->s.rx.lock);
    if (unlikely(!fits))
        packet_free(p);
    return fits;
}

void datagram_wake(struct datagram_socket *d, unsigned key)
{
    spin_lock(&d->s.rx.lock);
    wake_all(&d->s.rx.readable, key);
    spin_unlock(&d->s.rx.lock);
}

void datagram_shutdown(struct datagram_socket *d, unsigned how)
{
    atomic_or(&d->s.shutdown, how);
    datagram_wake(d, 0);
}

/* --- reading --- */

/* rx.lock held. */
static int wait_for_packet(struct datagram_socket *d, const struct message *m)
{
    nsec_t timeout = READ_ONCE(d->s.receive_timeout);
    struct waitq *wq = &d->s.rx.readable;
    int error = socket_take_error(&d->s);

    if (error || !list_empty(&d->packets))
        return error;
    if (message_nonblock(m))
        return -EAGAIN; /* after shutdown(2) too: as on Linux */
    if (READ_ONCE(d->s.shutdown) & SHUTDOWN_READ)
        return 1;
    error = wait_event_exclusive(wq,
                                 !list_empty(&d->packets) || READ_ONCE(d->s.error) ||
                                     (READ_ONCE(d->s.shutdown) & SHUTDOWN_READ),
                                 socket_deadline(timeout));
    if (error == -ERESTARTSYS)
        return socket_interrupted(timeout);
    if (error == -ETIMEDOUT)
        return -EAGAIN;
    error = socket_take_error(&d->s);
    return error ? error : list_empty(&d->packets);
}

int datagram_take(struct datagram_socket *d, const struct message *m, struct packet **out)
{
    struct waitq *wq = &d->s.rx.readable;

    spin_lock(&d->s.rx.lock);
    int error = wait_for_packet(d, m);
    if (!error) {
        struct packet *p = list_first(&d->packets, struct packet, link);
        if (m->flags & MSG_PEEK) {
            *out = packet_clone(p);
            error = *out ? 0 : -ENOMEM;
        } else {
            list_remove(&p->link);
            d->room_taken -= cost_of(p);
            *out = p;
        }
    }
    /* Whoever was woken and leaves something passes the wakeup on. */
    if (!list_empty(&d->packets) && !waitq_is_empty(wq))
        wake_next(wq);
    spin_unlock(&d->s.rx.lock);
    return error;
}

ssize_t datagram_give(struct message *m, struct packet *p)
{
    size_t room = m->data.left;
    ssize_t len = p->len;
    struct buf *b;

    list_for_each (b, &p->bufs, link) {
        size_t n = min((size_t)b->len, m->data.left);
        if (n && uio_copy_out(&m->data, b->base + b->off, n) < n) {
            len = -EFAULT;
            break;
        }
    }
    if (len > (ssize_t)room) {
        m->result |= MSG_TRUNC;
        if (!(m->flags & MSG_TRUNC))
            len = (ssize_t)room;
    }
    packet_free(p);
    return len;
}

int datagram_give_time(struct datagram_socket *d, struct message *m, const struct packet *p)
{
    nsec_t when = p->received ? p->received : clock_realtime();

    if (READ_ONCE(d->stamp_ns)) {
        struct timespec ts = timespec_of(when);
        return control_put(m, SOL_SOCKET, SO_TIMESTAMPNS, &ts, sizeof(ts));
    }
    if (READ_ONCE(d->stamp)) {
        struct timeval tv = timeval_of(when);
        return control_put(m, SOL_SOCKET, SO_TIMESTAMP, &tv, sizeof(tv));
    }
    return 0;
}

/* --- asking --- */

unsigned datagram_poll(struct datagram_socket *d, struct poll_table *pt)
{
    unsigned ready = POLLOUT | POLLWRNORM | POLLWRBAND, shutdown = READ_ONCE(d->s.shutdown);

    spin_lock(&d->s.rx.lock);
    poll_wait(pt, &d->s.rx.readable);
    if (!list_empty(&d->packets))
        ready |= POLLIN | POLLRDNORM;
    spin_unlock(&d->s.rx.lock);
    if (READ_ONCE(d->s.error))
        ready |= POLLERR;
    if (shutdown == SHUTDOWN_BOTH)
        ready |= POLLHUP;
    if (shutdown & SHUTDOWN_READ)
        ready |= POLLRDHUP | POLLIN | POLLRDNORM;
    return ready;
}

int datagram_first_len(struct datagram_socket *d)
{
    spin_lock(&d->s.rx.lock);
    struct packet *p = list_first(&d->packets, struct packet, link);
    int n = p ? (int)p->len : 0;
    spin_unlock(&d->s.rx.lock);
    return n;
}

long datagram_ioctl(struct datagram_socket *d, unsigned cmd, unsigned long arg)
{
    switch (cmd) {
    case SIOCINQ: return put_user(datagram_first_len(d), (int __user *)arg);
    case SIOCOUTQ: return put_user(0, (int __user *)arg);
    default: return -ENOTTY;
    }
}

/* --- options --- */

static void set_stamp(struct datagram_socket *d, bool on, bool ns)
{
    spin_lock(&d->s.rx.lock);
    bool had = d->stamp || d->stamp_ns;
    WRITE_ONCE(d->stamp, on && !ns);
    WRITE_ONCE(d->stamp_ns, on && ns);
    spin_unlock(&d->s.rx.lock);
    if (on && !had)
        atomic_add(&stamps_wanted, 1);
    else if (!on && had)
        atomic_sub(&stamps_wanted, 1);
}

static int bind_to_device(struct datagram_socket *d, const char *value, unsigned len)
{
    char name[NETDEV_NAME] = {0};

    if (d->bound_device && !capable(CAP_NET_RAW))
        return -EPERM;
    memcpy(name, value, min(len, NETDEV_NAME - 1u));
    struct netdev *dev = name[0] ? netdev_by_name(name) : NULL;
    if (name[0] && !dev)
        return -ENODEV;
    WRITE_ONCE(d->bound_device, dev ? dev->index : 0);
    return 0;
}

int datagram_set_option(struct datagram_socket *d, int name, const void *value, unsigned len)
{
    int number;

    if (name == SO_BINDTODEVICE)
        return bind_to_device(d, value, len);
    if (name != SO_TIMESTAMP && name != SO_TIMESTAMPNS)
        return -ENOPROTOOPT;
    if (len < sizeof(number))
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    set_stamp(d, number != 0, name == SO_TIMESTAMPNS);
    return 0;
}

int datagram_get_option(struct datagram_socket *d, int name, void *value, unsigned *len)
{
    int number;

    switch (name) {
    case SO_BINDTODEVICE: {
        struct netdev *dev = d->bound_device ? netdev_by_index(d->bound_device) : NULL;
        if (dev && *len < NETDEV_NAME)
            return -EINVAL;
        *len = dev ? (unsigned)strlen(dev->name) + 1 : 0;
        if (dev)
            memcpy(value, dev->name, *len);
        return 0;
    }
    case SO_TIMESTAMP: number = d->stamp; break;
    case SO_TIMESTAMPNS: number = d->stamp_ns; break;
    case SO_ACCEPTCONN: number = 0; break;
    default: return -ENOPROTOOPT;
    }
    return option_give(value, len, &number, sizeof(number));
}

/* --- what a program sends --- */

struct packet *packet_from_uio(struct uio *u)
{
    unsigned tries = 0;
    struct packet *p;

    do
        p = packet_alloc(PACKET_HEADROOM,
                         PACKET_HEADROOM + (uint32_t)min(u->left, PAGE_SIZE - PACKET_HEADROOM));
    while (!p && memory_make_room(&tries));
    while (p && u->left) {
        struct buf *b = list_last(&p->bufs, struct buf, link);
        uint32_t n = (uint32_t)min((size_t)(b->room - b->off - b->len), u->left);
        if (!n) {
            b = buf_alloc();
            if (!b && memory_make_room(&tries))
                continue;
            if (!b)
                break;
            packet_append(p, b);
            continue;
        }
        if (uio_copy_in(u, packet_put(p, n), n) < n) {
            packet_free(p);
            return err_ptr(-EFAULT);
        }
    }
    if (!p || u->left) {
        packet_free(p);
        return err_ptr(-ENOMEM);
    }
    return p;
}

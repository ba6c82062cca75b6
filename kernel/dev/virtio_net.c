/*
 * The virtio network device (virtio 1.2, section 5.1).
 *
 * It has pairs of queues, one to receive and one to send, each pair with interrupts at a CPU of its own. Every
 * packet has a header in front that says what is left to do: which checksum to complete, into which pieces to
 * cut. Ours stands in the room before the Ethernet header, so a packet is sent from where it lies.
 *
 * Receive buffers are pages. With VIRTIO_NET_F_MRG_RXBUF the device fills as many as a packet needs, and may
 * then hand us packets that another machine's TCP has not cut. A short packet is copied, and its page stays.
 *
 * An interrupt handler takes what has come to the backlog, refills the ring and asks for the next interrupt; it
 * handles the packets at its end (net/backlog.c). When the send ring is full the device's own queue holds
 * packets back (net/netdev.c) until an interrupt says that three quarters have gone.
 */
#include "dev/virtio_net.h"

#include "dev/virtio_net_internal.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "net/ethernet.h"
#include "net/packet.h"
#include "x86/clock.h"

/* Before each packet (5.1.6). */
struct virtio_net_header {
    uint8_t flags;
    uint8_t gso_type;
    uint16_t header_len; /* to be put before each piece */
    uint16_t gso_size;   /* data of each piece */
    uint16_t checksum_start, checksum_offset;
    uint16_t num_buffers; /* received: which the packet fills */
};
#define HEADER_NEEDS_CHECKSUM 1
#define HEADER_DATA_VALID 2
#define GSO_NONE 0
#define GSO_TCPV4 1

#define PIECES_MAX 20u /* a full TCP segment of pages, and its header */
#define COPY_MAX 256u  /* up to here a copy is cheaper than a page */
#define BUDGET 512u    /* packets that one interrupt takes in */
#define RETRY (NSEC_PER_SEC / 50)

/* --- receiving --- */

bool virtio_net_refill(struct net_pair *r)
{ /* LAB virtio:refill begin */
    bool full = true;

    while (r->in_ring < r->rx->size) {
        struct buf *b = buf_alloc();
        if (!b) {
            full = false;
            break;
        }
        struct virtio_piece piece = {b->base, PAGE_SIZE};
        if (virtqueue_put(r->rx, &piece, 1, 0, b)) {
            buf_free(b);
            break;
        }
        r->in_ring++;
    }
    virtqueue_notify(r->rx);
    /* A packet that nobody has cut needs many: the device would wait with it until it is given more. */
    return full || r->in_ring >= PIECES_MAX;
} /* LAB virtio:refill end */

/* A buffer of WRITTEN bytes that the device is done with; NULL: none. rx->lock held. */
static struct buf *take_buffer(struct net_pair *r)
{
    uint32_t written;
    struct buf *b = virtqueue_take(r->rx, &written);

    if (b) {
        b->len = written;
        r->in_ring--;
    }
    return b;
}

/* B as a packet: copied, if that is cheaper. Its virtio header has been taken off. B is taken over. */
static struct packet *make_packet(struct buf *b)
{
    bool copied = b->len <= COPY_MAX;
    struct packet *p =
        copied ? packet_alloc(PACKET_HEADROOM, PACKET_HEADROOM + b->len) : packet_from_buf(b);

    if (!p) {
        buf_free(b);
    } else if (copied) {
        memcpy(packet_put(p, b->len), b->base + b->off, b->len);
        buf_free(b);
    }
    return p;
}

/* The next packet, which begins in B; NULL: no memory, or nonsense. rx->lock held. */
static struct packet *take_packet(struct net_pair *r, struct buf *b)
{
    const struct virtio_net_header *h = (const void *)b->base;
    bool merge = virtio_has(&r->net->virtio, NET_F_MRG_RXBUF);

    if (b->len < sizeof(*h)) {
        virtio_fail(&r->net->virtio, "gives a packet without its header");
        buf_free(b);
        return NULL;
    }
    unsigned more = merge ? h->num_buffers - 1u : 0;
    bool good = h->flags & (HEADER_NEEDS_CHECKSUM | HEADER_DATA_VALID);
    uint16_t segment = h->gso_type ? h->gso_size : 0;
    b->off = sizeof(*h);
    b->len -= (uint32_t)sizeof(*h);
    struct packet *p = more ? packet_from_buf(b) : make_packet(b);
    if (more && !p)
        buf_free(b);
    for (; more > 0; more--) {
        b = take_buffer(r);
        if (!b) {
            virtio_fail(&r->net->virtio, "says that a packet has more buffers than there are");
            packet_free(p);
            return NULL;
        }
        if (p)
            packet_append(p, b);
        else
            buf_free(b);
    }
    if (!p)
        netdev_count(&r->net->dev)->rx_dropped++;
    else if (good)
        p->checksum = CHECKSUM_GOOD;
    if (p)
        p->segment_size = segment;
    return p;
}

void virtio_net_receive(struct net_pair *r)
{ /* LAB virtio:receive begin */
    struct list packets = LIST_INIT(packets);
    struct packet *p, *next;
    struct buf *b;
    unsigned n = 0;

    spin_lock(&r->rx->lock);
    virtqueue_quiet(r->rx);
    do {
        while (n++ < BUDGET && (b = take_buffer(r)))
            if ((p = take_packet(r, b)))
                list_push_back(&packets, &p->link);
    } while (n < BUDGET && virtqueue_listen(r->rx));
    if (!virtio_net_refill(r) || n >= BUDGET)
        timer_set(&r->again, clock_monotonic() + (n >= BUDGET ? 0 : RETRY));
    spin_unlock(&r->rx->lock);
    list_for_each_safe (p, next, &packets, link) {
        list_remove(&p->link);
        netdev_receive(&r->net->dev, p);
    }
} /* LAB virtio:receive end */

/* --- sending --- */

/* Packets that the device has sent go to DONE. tx->lock held. */
static void reclaim(struct virtqueue *tx, struct list *done)
{
    struct packet *p;
    uint32_t written;

    while ((p = virtqueue_take(tx, &written)))
        list_push_back(done, &p->link);
}

static void free_all(struct list *done)
{
    struct packet *p, *next;

    list_for_each_safe (p, next, done, link)
        packet_free(p);
}

static void fill_header(struct virtio_net_header *h, const struct packet *p)
{
    memset(h, 0, sizeof(*h));
    if (p->checksum == CHECKSUM_PARTIAL) {
        h->flags = HEADER_NEEDS_CHECKSUM;
        h->checksum_start = (uint16_t)(p->checksum_start - sizeof(*h));
        h->checksum_offset = p->checksum_offset;
    }
    if (p->segment_size) {
        h->gso_type = GSO_TCPV4;
        h->gso_size = p->segment_size;
        h->header_len = (uint16_t)(h->checksum_start + 20); /* a hint: Ethernet, IP, TCP */
    }
}

/* P's pieces; 0: they are too many. */
static unsigned describe(const struct packet *p, struct virtio_piece *pieces)
{
    unsigned n = 0;
    struct buf *b;

    list_for_each (b, &p->bufs, link) {
        if (!b->len)
            continue;
        if (n == PIECES_MAX)
            return 0;
        pieces[n++] = (struct virtio_piece){b->base + b->off, b->len};
    }
    return n;
}

/* Make P's data lie in few pieces: false: no memory. */
static bool gather(struct packet *p)
{
    struct packet *copy = packet_copy_range(p, 0, p->len);

    if (!copy)
        return false;
    packet_swap_data(p, copy);
    packet_free(copy);
    return true;
}

static bool transmit(struct netdev *dev, unsigned queue, struct packet *p)
{
    struct virtio_net *net = dev->driver;
    struct virtqueue *tx = net->pairs[queue].tx;
    struct virtio_piece pieces[PIECES_MAX];
    struct list done = LIST_INIT(done);
    int error = -EIO;

    fill_header(packet_push(p, sizeof(struct virtio_net_header)), p);
    unsigned n = describe(p, pieces);
    if (!n)
        n = gather(p) ? describe(p, pieces) : 0; /* LAB virtio:transmit begin */
    spin_lock(&tx->lock);
    reclaim(tx, &done);
    if (n) {
        error = virtqueue_put(tx, pieces, n, n, p);
        if (error == -ENOSPC)
            virtqueue_notify(tx);
        while (error == -ENOSPC && virtqueue_listen_later(tx)) { /* it has got room meanwhile */
            reclaim(tx, &done);
            error = virtqueue_put(tx, pieces, n, n, p);
        }
    }
    spin_unlock(&tx->lock);
    free_all(&done);
    if (error == -ENOSPC) {
        packet_pull(p, sizeof(struct virtio_net_header));
        return false;
    }
    if (error) { /* lost, as on a bad wire */
        netdev_count(dev)->tx_errors++;
        packet_free(p);
    }
    return true;
} /* LAB virtio:transmit end */

/* What was waited for is done already, and nobody tells of the rest. A device given up says so for ever. */
static bool still_more(struct virtqueue *tx)
{
    return virtqueue_listen_later(tx) && !READ_ONCE(tx->device->stopped);
}

static void kick(struct netdev *dev, unsigned queue)
{
    struct virtio_net *net = dev->driver;
    struct virtqueue *tx = net->pairs[queue].tx;
    struct list done = LIST_INIT(done);

    spin_lock(&tx->lock);
    virtqueue_ask_later(tx);
    virtqueue_notify(tx);
    for (bool more = virtqueue_look_later(tx); more; more = still_more(tx))
        reclaim(tx, &done);
    spin_unlock(&tx->lock);
    free_all(&done);
}

static void sent(struct net_pair *t)
{ /* LAB virtio:sent begin */
    struct list done = LIST_INIT(done);

    spin_lock(&t->tx->lock);
    do {
        reclaim(t->tx, &done);
    } while (still_more(t->tx));
    spin_unlock(&t->tx->lock);
    free_all(&done);
    netdev_resume(&t->net->dev, t->index);
} /* LAB virtio:sent end */

/* --- interrupts --- */

void virtio_net_rx_interrupt(void *arg)
{
    virtio_net_receive(arg);
    backlog_run();
}

void virtio_net_tx_interrupt(void *arg)
{
    sent(arg);
}

void virtio_net_receive_again(struct timer *t)
{
    struct net_pair *r = container_of(t, struct net_pair, again);

    if (READ_ONCE(r->net->virtio.stopped))
        netdev_resume(&r->net->dev, r->index); /* what waits for room in the ring: none will come */
    else /* a device given up may leave behind what looks, for ever, as if more were to be taken */
        virtio_net_receive(r);
    backlog_run();
}

void virtio_net_failed(struct virtio_device *v)
{
    struct virtio_net *net = container_of(v, struct virtio_net, virtio);

    netdev_fail(&net->dev);
    for (unsigned i = 0; i < net->num_pairs; i++)
        timer_set(&net->pairs[i].again, clock_monotonic());
}

void virtio_net_read_link(struct virtio_net *net)
{
    uint16_t status = STATUS_LINK_UP;

    if (READ_ONCE(net->virtio.stopped))
        return;
    if (virtio_has(&net->virtio, NET_F_STATUS) &&
        virtio_config_read(&net->virtio, CONFIG_STATUS, &status, sizeof(status)))
        status = 0;
    netdev_set_carrier(&net->dev, status & STATUS_LINK_UP);
}

void virtio_net_config_interrupt(void *arg)
{
    virtio_net_read_link(arg);
}

/* Without MSI-X all share one line, maybe with other devices. */
void virtio_net_line_interrupt(void *arg)
{
    struct virtio_net *net = arg;
    unsigned what = virtio_isr(&net->virtio);

    if (what & 2)
        virtio_net_read_link(net);
    if (!(what & 1))
        return;
    for (unsigned i = 0; i < net->num_pairs; i++) {
        virtio_net_receive(&net->pairs[i]);
        sent(&net->pairs[i]);
    }
    backlog_run();
}

/* --- the end --- */

void virtio_net_empty(struct net_pair *r)
{
    struct list done = LIST_INIT(done);
    struct packet *p;
    struct buf *b;

    timer_cancel_sync(&r->again);
    spin_lock(&r->tx->lock);
    while ((p = virtqueue_reclaim(r->tx)))
        list_push_back(&done, &p->link);
    spin_unlock(&r->tx->lock);
    free_all(&done);
    spin_lock(&r->rx->lock);
    while ((b = virtqueue_reclaim(r->rx)))
        buf_free(b);
    r->in_ring = 0;
    spin_unlock(&r->rx->lock);
}

const struct netdev_ops virtio_net_ops = {
    .open = virtio_net_open,
    .stop = virtio_net_stop,
    .transmit = transmit,
    .kick = kick,
};

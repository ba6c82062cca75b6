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

#include "dev/virtio.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "net/ethernet.h"
#include "net/packet.h"
#include "sched/timer.h"
#include "x86/clock.h"

#define VIRTIO_ID_NET (VIRTIO_ID_FIRST + 1)

enum virtio_net_feature {
    NET_F_CSUM = 0,
    NET_F_GUEST_CSUM = 1,
    NET_F_MTU = 3,
    NET_F_MAC = 5,
    NET_F_GUEST_TSO4 = 7,
    NET_F_HOST_TSO4 = 11,
    NET_F_MRG_RXBUF = 15,
    NET_F_STATUS = 16,
    NET_F_CTRL_VQ = 17,
    NET_F_MQ = 22,
};

enum virtio_net_config { CONFIG_MAC = 0, CONFIG_STATUS = 6, CONFIG_PAIRS = 8, CONFIG_MTU = 10 };
#define STATUS_LINK_UP 1

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

#define CTRL_MQ 4
#define CTRL_MQ_PAIRS_SET 0
#define CTRL_OK 0
#define CTRL_WAIT (NSEC_PER_SEC / 2)

#define MTU_MAX 4000u /* without merged buffers a frame has one page */
#define RING_MAX 256u
#define PAIRS_MAX 8u
#define PIECES_MAX 20u /* a full TCP segment of pages, and its header */
#define COPY_MAX 256u  /* up to here a copy is cheaper than a page */
#define BUDGET 512u    /* packets that one interrupt takes in */
#define RETRY (NSEC_PER_SEC / 50)

struct virtio_net;

struct net_pair {
    struct virtio_net *net;    /* const */
    unsigned index;            /* const */
    struct virtqueue *rx, *tx; /* const; their own locks */
    struct timer again;        /* rx->lock to arm: more to take in, or memory to be had again */
    unsigned in_ring;          /* rx->lock: buffers that the device has */
};

struct virtio_net {
    struct virtio_device virtio; /* see there */
    struct netdev dev;           /* see there */
    struct irq_handler irq;      /* const: for changes, or without MSI-X for all */
    struct virtqueue *control;   /* const; NULL: it has none. Only used at boot */
    unsigned num_pairs;          /* const */
    struct net_pair pairs[PAIRS_MAX];
};

/* --- receiving --- */

/* Give the device as many pages as it has room for. True: all of them. rx->lock held. */
static bool refill(struct net_pair *r)
{
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
    return full || r->in_ring > 0;
}

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

/* Take in what has come. Interrupts are off: a handler, or a timer's function. */
static void receive(struct net_pair *r)
{
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
    if (!refill(r) || n >= BUDGET)
        timer_set(&r->again, clock_monotonic() + (n >= BUDGET ? 0 : RETRY));
    spin_unlock(&r->rx->lock);
    list_for_each_safe (p, next, &packets, link) {
        list_remove(&p->link);
        netdev_receive(&r->net->dev, p);
    }
}

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
    int error = 0;

    fill_header(packet_push(p, sizeof(struct virtio_net_header)), p);
    unsigned n = describe(p, pieces);
    if (!n)
        n = gather(p) ? describe(p, pieces) : 0;
    spin_lock(&tx->lock);
    reclaim(tx, &done);
    if (n && !net->virtio.failed) {
        error = virtqueue_put(tx, pieces, n, n, p);
        if (error == -ENOSPC) {
            virtqueue_notify(tx);
            if (virtqueue_listen_later(tx)) { /* it has got room meanwhile */
                reclaim(tx, &done);
                error = virtqueue_put(tx, pieces, n, n, p);
            }
        }
    }
    spin_unlock(&tx->lock);
    free_all(&done);
    if (error == -ENOSPC) {
        packet_pull(p, sizeof(struct virtio_net_header));
        return false;
    }
    if (!n || error || net->virtio.failed) { /* lost, as on a bad wire */
        netdev_count(dev)->tx_errors++;
        if (!n || error)
            packet_free(p);
    }
    return true;
}

static void kick(struct netdev *dev, unsigned queue)
{
    struct virtio_net *net = dev->driver;
    struct virtqueue *tx = net->pairs[queue].tx;
    struct list done = LIST_INIT(done);

    spin_lock(&tx->lock);
    virtqueue_notify(tx);
    if (virtqueue_listen_later(tx))
        reclaim(tx, &done);
    spin_unlock(&tx->lock);
    free_all(&done);
}

static void sent(struct net_pair *t)
{
    struct list done = LIST_INIT(done);

    spin_lock(&t->tx->lock);
    reclaim(t->tx, &done);
    (void)virtqueue_listen_later(t->tx);
    reclaim(t->tx, &done);
    spin_unlock(&t->tx->lock);
    free_all(&done);
    netdev_resume(&t->net->dev, t->index);
}

/* --- interrupts --- */

static void rx_interrupt(void *arg)
{
    receive(arg);
    backlog_run();
}

static void tx_interrupt(void *arg)
{
    sent(arg);
}

static void receive_again(struct timer *t)
{
    receive(container_of(t, struct net_pair, again));
    backlog_run();
}

static void read_link(struct virtio_net *net)
{
    uint16_t status = STATUS_LINK_UP;

    if (virtio_has(&net->virtio, NET_F_STATUS) &&
        virtio_config_read(&net->virtio, CONFIG_STATUS, &status, sizeof(status)))
        status = 0;
    netdev_set_carrier(&net->dev, status & STATUS_LINK_UP);
}

static void config_interrupt(void *arg)
{
    read_link(arg);
}

/* Without MSI-X all share one line, maybe with other devices. */
static void line_interrupt(void *arg)
{
    struct virtio_net *net = arg;
    unsigned what = virtio_isr(&net->virtio);

    if (what & 2)
        read_link(net);
    if (!(what & 1))
        return;
    for (unsigned i = 0; i < net->num_pairs; i++) {
        receive(&net->pairs[i]);
        sent(&net->pairs[i]);
    }
    backlog_run();
}

/* --- bringing up --- */

static const struct netdev_ops virtio_net_ops = {.transmit = transmit, .kick = kick};

static bool choose_features(struct virtio_net *net)
{
    uint64_t wanted = FEATURE(NET_F_CSUM) | FEATURE(NET_F_GUEST_CSUM) | FEATURE(NET_F_MTU) |
                      FEATURE(NET_F_MAC) | FEATURE(NET_F_HOST_TSO4) | FEATURE(NET_F_GUEST_TSO4) |
                      FEATURE(NET_F_MRG_RXBUF) | FEATURE(NET_F_STATUS) | FEATURE(NET_F_CTRL_VQ) |
                      FEATURE(NET_F_MQ);
    uint64_t offered = virtio_offered(&net->virtio);

    if (!(offered & FEATURE(NET_F_MRG_RXBUF)) || !(offered & FEATURE(NET_F_GUEST_CSUM)))
        wanted &= ~FEATURE(NET_F_GUEST_TSO4); /* such a packet would need 64 KiB in one piece */
    if (!(offered & FEATURE(NET_F_CSUM)))
        wanted &= ~FEATURE(NET_F_HOST_TSO4);
    if (!(offered & FEATURE(NET_F_CTRL_VQ)))
        wanted &= ~FEATURE(NET_F_MQ);
    return virtio_negotiate(&net->virtio, wanted) == 0;
}

/* How many pairs it has, as far as we have CPUs and interrupts for them. */
static unsigned count_pairs(struct virtio_net *net, unsigned *offered)
{
    uint16_t pairs = 1;

    if (!virtio_has(&net->virtio, NET_F_MQ) ||
        virtio_config_read(&net->virtio, CONFIG_PAIRS, &pairs, sizeof(pairs)) || pairs == 0)
        pairs = 1;
    *offered = pairs;
    unsigned n = min((unsigned)pairs, min((unsigned)num_cpus, PAIRS_MAX));
    if (net->virtio.vectors >= 3)
        n = min(n, (net->virtio.vectors - 1) / 2);
    return net->virtio.vectors ? n : 1;
}

/* Vector 0 tells of changes, 1 and 2 belong to pair 0, and so on. */
static int connect_pair(struct net_pair *r)
{
    int cpu = (int)(r->index % (unsigned)num_cpus);
    int error = virtqueue_connect(r->rx, 1 + r->index * 2, cpu, rx_interrupt, r);

    return error ? error : virtqueue_connect(r->tx, 2 + r->index * 2, cpu, tx_interrupt, r);
}

static int create_queues(struct virtio_net *net)
{
    unsigned offered;

    net->num_pairs = count_pairs(net, &offered);
    for (unsigned i = 0; i < net->num_pairs; i++) {
        struct net_pair *r = &net->pairs[i];
        r->net = net;
        r->index = i;
        timer_init(&r->again, receive_again);
        r->rx = virtqueue_create(&net->virtio, i * 2, RING_MAX);
        r->tx = virtqueue_create(&net->virtio, i * 2 + 1, RING_MAX);
        if (!r->rx || !r->tx)
            return -ENODEV;
        int error = net->virtio.vectors ? connect_pair(r) : 0;
        if (error)
            return error;
    }
    if (virtio_has(&net->virtio, NET_F_CTRL_VQ))
        net->control = virtqueue_create(&net->virtio, offered * 2, 16);
    net->irq = (struct irq_handler){.arg = net, .name = net->dev.name};
    net->irq.fn = net->virtio.vectors ? config_interrupt : line_interrupt;
    return net->virtio.vectors ? virtio_connect_config(&net->virtio, 0, 0, &net->irq)
                               : pci_line_connect(net->virtio.pci, &net->irq);
}

/* Tell it how many pairs we use (5.1.6.5.6). False: it doesn't want to. */
static bool set_pairs(struct virtio_net *net)
{
    struct {
        uint8_t class, command;
        uint16_t pairs;
        uint8_t answer;
    } *c = kzalloc(sizeof(*c));
    nsec_t until = clock_monotonic() + CTRL_WAIT;
    uint32_t written;
    void *back = NULL;

    if (!c || !net->control) {
        kfree(c);
        return false;
    }
    c->class = CTRL_MQ;
    c->command = CTRL_MQ_PAIRS_SET;
    c->pairs = (uint16_t)net->num_pairs;
    c->answer = 0xff;
    struct virtio_piece pieces[] = {{&c->class, 2}, {&c->pairs, 2}, {&c->answer, 1}};
    spin_lock(&net->control->lock);
    virtqueue_quiet(net->control);
    if (!virtqueue_put(net->control, pieces, 3, 2, c)) {
        virtqueue_notify(net->control);
        while (!(back = virtqueue_take(net->control, &written)) && clock_monotonic() < until)
            cpu_relax();
    }
    spin_unlock(&net->control->lock);
    bool ok = back && c->answer == CTRL_OK;
    if (back)
        kfree(c); /* otherwise the device may still write to it */
    return ok;
}

static void read_config(struct virtio_net *net)
{
    struct netdev *dev = &net->dev;
    uint16_t mtu;

    if (!virtio_has(&net->virtio, NET_F_MAC) ||
        virtio_config_read(&net->virtio, CONFIG_MAC, dev->address, NETDEV_ADDRESS) ||
        (dev->address[0] & 1)) {
        uint64_t made_up = clock_monotonic() * 0x9e3779b97f4a7c15ull;
        memcpy(dev->address, &made_up, NETDEV_ADDRESS);
        dev->address[0] = (uint8_t)((dev->address[0] & 0xfe) | 2); /* one of our own making */
    }
    if (virtio_has(&net->virtio, NET_F_MTU) &&
        !virtio_config_read(&net->virtio, CONFIG_MTU, &mtu, sizeof(mtu)) && mtu >= 68)
        dev->mtu = dev->max_mtu = min((uint32_t)mtu, dev->max_mtu);
    if (virtio_has(&net->virtio, NET_F_CSUM))
        dev->features |= NETDEV_CHECKSUM;
    if (virtio_has(&net->virtio, NET_F_HOST_TSO4))
        dev->features |= NETDEV_SEGMENT;
}

static void probe(struct pci_device *pci)
{
    struct virtio_net *net = kzalloc(sizeof(*net));

    if (!net)
        return;
    struct netdev *dev = &net->dev;
    strlcpy(dev->name, "eth%", sizeof(dev->name));
    dev->type = ARPHRD_ETHER;
    dev->flags = IFF_BROADCAST | IFF_MULTICAST;
    dev->mtu = 1500;
    dev->max_mtu = MTU_MAX;
    dev->ops = &virtio_net_ops;
    dev->link_ops = &ethernet_link;
    dev->driver = net;
    if (virtio_open(&net->virtio, pci, "virtio-net") || !choose_features(net))
        return; /* it may still write to its memory: that is never freed */
    if (net->virtio.vectors == 1 || net->virtio.vectors == 2 || create_queues(net)) {
        virtio_fail(&net->virtio, "has too few queues or interrupts");
        return;
    }
    read_config(net);
    dev->num_queues = net->num_pairs;
    if (netdev_register(dev)) {
        virtio_fail(&net->virtio, "no memory for it");
        return;
    }
    virtio_start(&net->virtio);
    if (net->num_pairs > 1 && !set_pairs(net)) {
        virtio_fail(&net->virtio, "does not take its number of queues");
        return;
    }
    read_link(net);
    for (unsigned i = 0; i < net->num_pairs; i++)
        receive(&net->pairs[i]);
    log_info("%s: virtio-net, %u queue pairs, features %#llx", dev->name, net->num_pairs,
             (unsigned long long)net->virtio.features);
}

void virtio_net_init(void)
{
    pci_for_each(VIRTIO_VENDOR, VIRTIO_ID_NET, VIRTIO_ID_NET, probe);
    pci_for_each(VIRTIO_VENDOR, 0x1000, 0x1000, probe); /* transitional ones speak both */
}

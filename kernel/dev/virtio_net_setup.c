/*
 * The virtio network device's life (virtio 1.2, sections 3.1 and 5.1.5): it is found and set up at boot; each time its
 * interface goes down it is reset and gives back all its memory, and goes through the same steps again on the way
 * up. So a device that was given up for lying gets another chance by hand: ip link set eth0 down, and up.
 */
#include <abi/errno.h>

#include "dev/virtio_net.h"
#include "dev/virtio_net_internal.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/ethernet.h"
#include "x86/clock.h"

#define VIRTIO_ID_NET (VIRTIO_ID_FIRST + 1)
#define CTRL_MQ 4
#define CTRL_MQ_PAIRS_SET 0
#define CTRL_OK 0
#define CTRL_WAIT (NSEC_PER_SEC / 2)

#define MTU_MAX 4000u /* without merged buffers a frame has one page */
#define RING_MAX 256u

/* --- bringing up --- */

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
    int error = virtqueue_connect(r->rx, 1 + r->index * 2, cpu, virtio_net_rx_interrupt, r);

    return error ? error
                 : virtqueue_connect(r->tx, 2 + r->index * 2, cpu, virtio_net_tx_interrupt, r);
}

static int create_queues(struct virtio_net *net)
{
    unsigned offered;

    net->num_pairs = count_pairs(net, &offered);
    for (unsigned i = 0; i < net->num_pairs; i++) {
        struct net_pair *r = &net->pairs[i];
        r->net = net;
        r->index = i;
        timer_init(&r->again, virtio_net_receive_again);
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
    net->irq.fn = net->virtio.vectors ? virtio_net_config_interrupt : virtio_net_line_interrupt;
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

/* Its queues are set up: let it run. */
static int start(struct virtio_net *net)
{
    virtio_start(&net->virtio);
    if (net->num_pairs > 1 && !set_pairs(net)) {
        virtio_fail(&net->virtio, "does not take its number of queues");
        return -EIO;
    }
    virtio_net_read_link(net);
    irq_push_off();
    for (unsigned i = 0; i < net->num_pairs; i++)
        virtio_net_receive(&net->pairs[i]);
    irq_pop_off();
    backlog_run();
    return 0;
}

/* It runs from boot on, so the first time there is nothing to do. */
int virtio_net_open(struct netdev *dev)
{
    struct virtio_net *net = dev->driver;

    if (!READ_ONCE(net->virtio.stopped))
        return 0;
    int error = virtio_restart(&net->virtio);
    if (error)
        return error;
    for (unsigned i = 0; i < net->num_pairs; i++) {
        virtio_net_empty(&net->pairs[i]);
        virtqueue_restart(net->pairs[i].rx);
        virtqueue_restart(net->pairs[i].tx);
    }
    if (net->control) {
        kfree(virtqueue_reclaim(net->control)); /* a command that it never answered */
        virtqueue_restart(net->control);
    }
    return start(net);
}

void virtio_net_stop(struct netdev *dev)
{
    struct virtio_net *net = dev->driver;

    if (virtio_stop(&net->virtio))
        return; /* whatever it has may still be written to */
    for (unsigned i = 0; i < net->num_pairs; i++)
        virtio_net_empty(&net->pairs[i]);
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
    net->virtio.failed = virtio_net_failed;
    if (start(net))
        return;
    log_info("%s: virtio-net, %u queue pairs, features %#llx", dev->name, net->num_pairs,
             (unsigned long long)net->virtio.features);
}

void virtio_net_init(void)
{
    pci_for_each(VIRTIO_VENDOR, VIRTIO_ID_NET, VIRTIO_ID_NET, probe);
    pci_for_each(VIRTIO_VENDOR, 0x1000, 0x1000, probe); /* transitional ones speak both */
}

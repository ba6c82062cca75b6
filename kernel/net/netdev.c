/*
 * Network devices: which there are, their state, and the way out. Devices are entered at boot and never
 * go, so a pointer to one needs no reference.
 *
 * Sending: each transmit queue has a lock that the driver's transmit function is called under. What finds the
 * ring full waits on the queue's list, and the driver, told by an interrupt that there is room, has it
 * sent by netdev_resume(). Each CPU uses a queue of its own as far as there are enough, so that two CPUs
 * don't wait for each other.
 */
#include "net/netdev.h"

#include "lib/atomic.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/announce.h"
#include "net/packet.h"
#include "x86/event.h"

#define MTU_MIN 68u /* RFC 791: every module must forward as much without fragmentation */

/*
 * What a program may change of a device's flags, besides IFF_UP. Our devices give us all there is on the wire,
 * whether IFF_PROMISC and IFF_ALLMULTI ask for it or not.
 */
#define FLAGS_CHANGEABLE (IFF_DEBUG | IFF_NOARP | IFF_PROMISC | IFF_ALLMULTI | IFF_NOTRAILERS)

static struct mutex config_lock; /* one change of a device's state at a time */
static struct spinlock devices_lock = SPINLOCK_INIT(RANK_NETDEV_LIST, "netdevs");
static struct list devices = LIST_INIT(devices); /* devices_lock for changes; never removed from */
static int last_index;                           /* devices_lock */

/* --- which there are --- */

/* "eth%": the first number that is free. devices_lock held. */
static void choose_name(struct netdev *dev)
{
    char *percent = strchr(dev->name, '%');
    char name[NETDEV_NAME];

    if (!percent)
        return;
    *percent = '\0';
    for (unsigned n = 0; n < 1000; n++) {
        struct netdev *other;
        bool taken = false;
        snprintf(name, sizeof(name), "%s%u", dev->name, n);
        list_for_each (other, &devices, link)
            taken |= !strcmp(other->name, name);
        if (!taken)
            break;
    }
    strlcpy(dev->name, name, sizeof(dev->name));
}

static void announce_failure(struct later *l)
{
    announce_link(container_of(l, struct netdev, has_failed), IFF_RUNNING | IFF_LOWER_UP);
}

int netdev_register(struct netdev *dev)
{
    dev->queues = kcalloc(dev->num_queues, sizeof(*dev->queues));
    dev->counters = kcalloc(MAX_CPUS, sizeof(*dev->counters));
    if (!dev->queues || !dev->counters) {
        kfree(dev->queues);
        kfree(dev->counters);
        return -ENOMEM;
    }
    for (unsigned i = 0; i < dev->num_queues; i++) {
        spin_init(&dev->queues[i].lock, RANK_NETDEV, "netdev queue");
        list_init(&dev->queues[i].waiting);
    }
    dev->transmit_queue_len = NETDEV_BACKLOG;
    dev->has_failed = (struct later)LATER_INIT(dev->has_failed, announce_failure);
    spin_lock(&devices_lock);
    choose_name(dev);
    dev->index = ++last_index;
    list_push_back(&devices, &dev->link);
    spin_unlock(&devices_lock);
    return 0;
}

struct netdev *netdev_next(struct netdev *dev)
{
    struct list *next;

    spin_lock(&devices_lock);
    next = dev ? dev->link.next : devices.next;
    spin_unlock(&devices_lock);
    return next == &devices ? NULL : list_entry(next, struct netdev, link);
}

struct netdev *netdev_by_name(const char *name)
{
    struct netdev *dev = NULL;

    while ((dev = netdev_next(dev)) && strncmp(dev->name, name, NETDEV_NAME) != 0)
        ;
    return dev;
}

struct netdev *netdev_by_index(int index)
{
    struct netdev *dev = NULL;

    while ((dev = netdev_next(dev)) && dev->index != index)
        ;
    return dev;
}

struct netdev_counters netdev_counters(const struct netdev *dev)
{
    struct netdev_counters sum = {0};

    for (int cpu = 0; cpu < num_cpus; cpu++) {
        const struct netdev_counters *c = &dev->counters[cpu];
        sum.rx_packets += c->rx_packets;
        sum.rx_bytes += c->rx_bytes;
        sum.rx_dropped += c->rx_dropped;
        sum.rx_errors += c->rx_errors;
        sum.tx_packets += c->tx_packets;
        sum.tx_bytes += c->tx_bytes;
        sum.tx_dropped += c->tx_dropped;
        sum.tx_errors += c->tx_errors;
        sum.multicast += c->multicast;
    }
    return sum;
}

/* --- state --- */

static void drop_waiting(struct netdev *dev)
{
    struct list dropped = LIST_INIT(dropped);
    struct packet *p, *next;

    for (unsigned i = 0; i < dev->num_queues; i++) {
        struct netdev_queue *q = &dev->queues[i];
        spin_lock(&q->lock);
        list_splice_back(&dropped, &q->waiting);
        q->count = 0;
        spin_unlock(&q->lock);
    }
    list_for_each_safe (p, next, &dropped, link)
        packet_free(p);
}

/* config_lock held. */
static int set_up(struct netdev *dev, bool up)
{
    if (netdev_is_up(dev) == up)
        return 0;
    if (up) {
        WRITE_ONCE(dev->failed, false);
        int error = dev->ops->open ? dev->ops->open(dev) : 0;
        if (error)
            return error;
        atomic_or(&dev->flags, IFF_UP);
        return 0;
    }
    atomic_and(&dev->flags, ~(uint32_t)IFF_UP);
    if (dev->ops->stop)
        dev->ops->stop(dev);
    drop_waiting(dev);
    return 0;
}

int netdev_set_flags(struct netdev *dev, uint32_t wanted)
{
    mutex_lock(&config_lock);
    uint32_t before = netdev_flags(dev);
    int error = set_up(dev, wanted & IFF_UP);
    if (!error) {
        atomic_and(&dev->flags, wanted | ~(uint32_t)FLAGS_CHANGEABLE);
        atomic_or(&dev->flags, wanted & FLAGS_CHANGEABLE);
    }
    uint32_t changed = before ^ netdev_flags(dev);
    if (changed)
        announce_link(dev, changed);
    mutex_unlock(&config_lock);
    return error;
}

uint32_t netdev_flags(const struct netdev *dev)
{
    uint32_t flags = READ_ONCE(dev->flags) & ~(uint32_t)(IFF_RUNNING | IFF_LOWER_UP);

    if ((flags & IFF_UP) && READ_ONCE(dev->carrier))
        flags |= IFF_RUNNING | IFF_LOWER_UP;
    return flags;
}

int netdev_set_mtu(struct netdev *dev, uint32_t mtu)
{
    if (mtu < MTU_MIN || mtu > dev->max_mtu)
        return -EINVAL;
    if (__atomic_exchange_n(&dev->mtu, mtu, __ATOMIC_ACQ_REL) != mtu)
        announce_link(dev, 0);
    return 0;
}

void netdev_set_queue_len(struct netdev *dev, unsigned packets)
{
    if (__atomic_exchange_n(&dev->transmit_queue_len, packets, __ATOMIC_ACQ_REL) != packets)
        announce_link(dev, 0);
}

void netdev_set_carrier(struct netdev *dev, bool up)
{
    if (__atomic_exchange_n(&dev->carrier, up, __ATOMIC_ACQ_REL) == up)
        return;
    log_info("%s: link is %s", dev->name, up ? "up" : "down");
    announce_link(dev, netdev_is_up(dev) ? IFF_RUNNING | IFF_LOWER_UP : 0);
    if (up && dev->link_ops->came_up)
        dev->link_ops->came_up(dev);
}

void netdev_fail(struct netdev *dev)
{
    WRITE_ONCE(dev->failed, true);
    WRITE_ONCE(dev->carrier, false);
    later(&dev->has_failed);
}

/* --- sending --- */

/* True: P is gone. Q's lock held. */
static bool give_to_driver(struct netdev *dev, unsigned index, struct packet *p)
{
    uint32_t len = p->len;

    if (!dev->ops->transmit(dev, index, p))
        return false;
    event_note_timed(EVENT_PACKET_OUT, len | (uint64_t)dev->index << EVENT_DEVICE_SHIFT);
    struct netdev_counters *c = netdev_count(dev);
    c->tx_packets++;
    c->tx_bytes += len;
    return true;
}

int netdev_transmit(struct netdev *dev, struct packet *p)
{
    unsigned index = (unsigned)cpu_id() % dev->num_queues;
    struct netdev_queue *q = &dev->queues[index];
    int error = 0;

    p->dev = dev;
    if (unlikely(!netdev_can_send(dev))) {
        packet_free(p);
        return -ENETDOWN;
    }
    if (unlikely(READ_ONCE(packet_taps)))
        packet_tap(p, true);
    if (p->checksum == CHECKSUM_PARTIAL && !(dev->features & NETDEV_CHECKSUM))
        packet_checksum_complete(p);
    spin_lock(&q->lock);
    if (list_empty(&q->waiting) && likely(give_to_driver(dev, index, p))) {
        if (dev->ops->kick)
            dev->ops->kick(dev, index);
    } else if (q->count < READ_ONCE(dev->transmit_queue_len)) {
        list_push_back(&q->waiting, &p->link);
        q->count++;
    } else {
        netdev_count(dev)->tx_dropped++;
        error = -ENOBUFS;
    }
    spin_unlock(&q->lock);
    if (error)
        packet_free(p);
    return error;
}

void netdev_resume(struct netdev *dev, unsigned index)
{
    struct netdev_queue *q = &dev->queues[index];
    bool sent = false;

    spin_lock(&q->lock);
    while (!list_empty(&q->waiting)) {
        struct packet *p = list_first(&q->waiting, struct packet, link);
        list_remove(&p->link);
        if (!give_to_driver(dev, index, p)) {
            list_push_front(&q->waiting, &p->link);
            break;
        }
        q->count--;
        sent = true;
    }
    if (sent && dev->ops->kick)
        dev->ops->kick(dev, index);
    spin_unlock(&q->lock);
}

void netdev_init(void)
{
    mutex_init(&config_lock, RANK_NET_CONFIG, "network configuration");
    packet_init_subsystem();
    loopback_init();
}

/*
 * This machine's IPv4 addresses. Each belongs to a device and makes routes (see route.h), for as long as it is
 * there; those to others only while the device is up.
 *
 * The first address that a device has in a network is the primary one: the network's route is its. Those that follow
 * are secondary, and go when it goes, as on Linux. In the list a device's primary ones come first.
 */
#include <abi/in.h>

#include "lib/byteorder.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/announce.h"
#include "net/ethernet.h"
#include "net/ipv4.h"
#include "net/netdev.h"
#include "net/route.h"

static struct mutex change_lock; /* see net_change_begin() */
static struct spinlock list_lock = SPINLOCK_INIT(RANK_ADDRESS, "addresses");
static struct list addresses = LIST_INIT(addresses); /* list_lock */

void net_change_begin(void)
{
    mutex_lock(&change_lock);
}

void net_change_end(void)
{
    mutex_unlock(&change_lock);
}

/* --- the routes that an address makes --- */

static void change_route(const struct inet_address *a, bool add, enum route_type type,
                         uint32_t destination, unsigned prefix)
{
    struct route r = {
        .destination = destination,
        .prefix = prefix,
        .type = type,
        .dev = a->dev,
        .source = a->address,
        .protocol = ROUTE_BY_KERNEL,
    };

    if (!add)
        (void)route_remove(&r); /* it may have been taken out by hand */
    else if (route_add(&r, ROUTE_BESIDE) == -ENOMEM)
        log_warn("%s: no memory for a route", a->dev->name);
}

static bool is_still_there(const struct netdev *dev, uint32_t address);

static void change_local(const struct inet_address *a, bool add)
{
    if (add || !is_still_there(a->dev, a->address)) /* it may be in two networks */
        change_route(a, add, ROUTE_LOCAL, a->address, 32);
    if (a->dev == loopback_dev && a->prefix < 32) /* every address of its network is this machine */
        change_route(a, add, ROUTE_LOCAL, a->address & prefix_mask(a->prefix), a->prefix);
}

static void change_network(const struct inet_address *a, bool add)
{
    uint32_t network = a->address & prefix_mask(a->prefix);

    if (a->broadcast)
        change_route(a, add, ROUTE_BROADCAST, a->broadcast, 32);
    if (a->secondary)
        return;
    if (a->prefix < 31)
        change_route(a, add, ROUTE_BROADCAST, network, 32);
    if (a->prefix < 32 && a->dev != loopback_dev)
        change_route(a, add, ROUTE_UNICAST, network, a->prefix);
}

/* --- the list --- */

static bool is_still_there(const struct netdev *dev, uint32_t address)
{
    const struct inet_address *at;
    bool found = false;

    spin_lock(&list_lock);
    list_for_each (at, &addresses, link)
        found |= at->dev == dev && at->address == address;
    spin_unlock(&list_lock);
    return found;
}

static bool in_same_network(const struct inet_address *a, const struct inet_address *b)
{
    return a->dev == b->dev && a->prefix == b->prefix &&
           !((a->address ^ b->address) & prefix_mask(a->prefix));
}

/* Enter NEW where it belongs. -EEXIST: it is there. list_lock held. */
static int enter(struct inet_address *new)
{
    struct list *before = &addresses;
    struct inet_address *at;

    new->secondary = false;
    list_for_each (at, &addresses, link) {
        if (in_same_network(at, new)) {
            if (at->address == new->address)
                return -EEXIST;
            new->secondary = true;
        }
        if (before == &addresses && at->dev == new->dev && at->secondary)
            before = &at->link;
    }
    list_push_back(new->secondary ? &addresses : before, &new->link);
    return 0;
}

/* Take ADDRESS/PREFIX out (PREFIX over 32: any), its secondary ones before it, to *GONE. False: it isn't there. */
static bool take_out(struct netdev *dev, uint32_t address, unsigned prefix, struct list *gone)
{
    struct inet_address *at, *next, *found = NULL;

    spin_lock(&list_lock);
    list_for_each (at, &addresses, link) {
        if (at->dev == dev && at->address == address && (prefix > 32 || at->prefix == prefix)) {
            found = at;
            break;
        }
    }
    list_for_each_safe (at, next, &addresses, link) {
        if (found && !found->secondary && at->secondary && in_same_network(at, found)) {
            list_remove(&at->link);
            list_push_back(gone, &at->link);
        }
    }
    if (found) {
        list_remove(&found->link);
        list_push_back(gone, &found->link);
    }
    spin_unlock(&list_lock);
    return found;
}

/* Copy number N of DEV's addresses, from 0 on. False: it has not so many. */
static bool address_number(const struct netdev *dev, unsigned n, struct inet_address *out)
{
    struct inet_address *at;
    bool found = false;

    spin_lock(&list_lock);
    list_for_each (at, &addresses, link) {
        if (at->dev == dev && n-- == 0) {
            *out = *at;
            found = true;
            break;
        }
    }
    spin_unlock(&list_lock);
    return found;
}

/* Enter the network routes of DEV's addresses, those that are there already left alone. */
static void restore_networks(struct netdev *dev)
{
    struct inet_address a;

    for (unsigned n = 0; address_number(dev, n, &a); n++)
        change_network(&a, true);
}

void address_announce(struct netdev *dev)
{
    struct inet_address a;

    for (unsigned n = 0; address_number(dev, n, &a); n++)
        arp_announce(dev, a.address);
}

int address_add(const struct inet_address *a)
{
    struct inet_address *new;

    if (a->prefix > 32 || !a->address || IN_MULTICAST(ntohl(a->address)))
        return -EINVAL;
    new = kmalloc(sizeof(*new));
    if (!new)
        return -ENOMEM;
    *new = *a;
    if (!new->broadcast && a->prefix < 31)
        new->broadcast = a->address | ~prefix_mask(a->prefix);
    if (!new->label[0])
        strlcpy(new->label, a->dev->name, sizeof(new->label));
    spin_lock(&list_lock);
    int error = enter(new);
    struct inet_address copy = *new;
    spin_unlock(&list_lock);
    if (error) {
        kfree(new);
        return error;
    }
    announce_address(&copy, ANNOUNCE_NEW);
    change_local(&copy, true);
    if (netdev_is_up(copy.dev)) {
        change_network(&copy, true);
        arp_announce(copy.dev, copy.address);
    }
    return 0;
}

int address_remove(struct netdev *dev, uint32_t address, unsigned prefix)
{
    struct list gone = LIST_INIT(gone);
    struct inet_address *at, *next, other;

    if (!take_out(dev, address, prefix, &gone))
        return -EADDRNOTAVAIL;
    list_for_each_safe (at, next, &gone, link) {
        change_network(at, false);
        change_local(at, false);
        announce_address(at, ANNOUNCE_GONE);
        kfree(at);
    }
    if (!address_number(dev, 0, &other))
        route_flush(dev); /* what we send has no address to answer to */
    else if (netdev_is_up(dev)) /* another address may be of the same network */
        restore_networks(dev);
    return 0;
}

/* Copy the first that FITS says yes to. */
static bool find(bool (*fits)(const struct inet_address *a, const void *key), const void *key,
                 struct inet_address *out)
{
    struct inet_address *at;
    bool found = false;

    spin_lock(&list_lock);
    list_for_each (at, &addresses, link) {
        if (fits(at, key)) {
            *out = *at;
            found = true;
            break;
        }
    }
    spin_unlock(&list_lock);
    return found;
}

static bool has_label(const struct inet_address *a, const void *key)
{
    return !strncmp(a->label, key, sizeof(a->label));
}

bool address_by_label(const char *label, struct inet_address *out)
{
    return find(has_label, label, out);
}

static bool is_address(const struct inet_address *a, const void *key)
{
    return a->address == *(const uint32_t *)key;
}

struct netdev *address_device(uint32_t address)
{
    struct inet_address a;
    return find(is_address, &address, &a) ? a.dev : NULL;
}

uint32_t address_near(struct netdev *dev, uint32_t near)
{
    struct inet_address *at;
    uint32_t first = 0, best = 0;

    spin_lock(&list_lock);
    list_for_each (at, &addresses, link) {
        if (at->dev != dev)
            continue;
        if (!first)
            first = at->address;
        if (!best && !((at->address ^ near) & prefix_mask(at->prefix)))
            best = at->address;
    }
    spin_unlock(&list_lock);
    return best ? best : first;
}

enum route_type address_kind(uint32_t address)
{
    struct inet_address *at;

    if (address == INADDR_BROADCAST)
        return ROUTE_BROADCAST;
    enum route_type kind = route_kind(address, NULL);
    if (kind != ROUTE_UNICAST)
        return kind;
    spin_lock(&list_lock);
    list_for_each (at, &addresses, link)
        if (at->broadcast && at->broadcast == address)
            kind = ROUTE_BROADCAST;
    spin_unlock(&list_lock);
    return kind;
}

void address_for_each(void (*emit)(void *ctx, const struct inet_address *a), void *ctx)
{
    struct inet_address *at;

    spin_lock(&list_lock);
    list_for_each (at, &addresses, link)
        emit(ctx, at);
    spin_unlock(&list_lock);
}

void address_device_changed(struct netdev *dev)
{
    if (netdev_is_up(dev)) {
        restore_networks(dev);
        address_announce(dev);
    } else {
        route_flush(dev);
        arp_flush(dev);
        reassembly_flush(dev);
    }
}

int inet_set_flags(struct netdev *dev, uint32_t wanted)
{
    int error = netdev_set_flags(dev, wanted);

    if (!error)
        address_device_changed(dev);
    return error;
}

void route_init(void)
{
    struct inet_address lo = {.dev = loopback_dev, .address = htonl(INADDR_LOOPBACK), .prefix = 8};

    mutex_init(&change_lock, RANK_ADDRESSES, "addresses");
    if (address_add(&lo))
        log_err("lo: no memory for its address");
}

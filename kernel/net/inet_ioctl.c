/* Interfaces, routes and the address cache by ioctl(2) (netdevice(7)): what ifconfig and route use. */
#include <abi/if.h>

#include "lib/byteorder.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/ethernet.h"
#include "net/inet.h"
#include "net/netdev.h"
#include "proc/cred.h"
#include "x86/uaccess.h"

#define LABEL_SEPARATOR ':'

static uint32_t address_in(const struct sockaddr *a)
{
    struct sockaddr_in in;

    memcpy(&in, a, sizeof(in));
    return in.sin_addr.s_addr;
}

static void put_address(struct sockaddr *a, uint32_t address)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = address};
    memcpy(a, &in, sizeof(in));
}

/* The device of a name that may be an address's label: eth0:1. */
static struct netdev *device_of(const char *label)
{
    char name[IFNAMSIZ];

    strlcpy(name, label, sizeof(name));
    char *colon = strchr(name, LABEL_SEPARATOR);
    if (colon)
        *colon = '\0';
    return netdev_by_name(name);
}

/* --- interfaces: asking --- */

static int get_address(struct ifreq *r, unsigned cmd)
{
    struct inet_address a;

    if (!address_by_label(r->ifr_name, &a))
        return -EADDRNOTAVAIL;
    switch (cmd) {
    case SIOCGIFBRDADDR:
        put_address(&r->ifr_addr, a.dev->flags & IFF_BROADCAST ? a.broadcast : 0);
        break;
    case SIOCGIFNETMASK: put_address(&r->ifr_addr, prefix_mask(a.prefix)); break;
    default: put_address(&r->ifr_addr, a.address); break;
    }
    return 0;
}

static int get_device(struct netdev *dev, struct ifreq *r, unsigned cmd)
{
    switch (cmd) {
    case SIOCGIFFLAGS: r->ifr_flags = (short)netdev_flags(dev); return 0;
    case SIOCGIFMETRIC: r->ifr_metric = 0; return 0;
    case SIOCGIFMTU: r->ifr_mtu = (int)dev->mtu; return 0;
    case SIOCGIFINDEX: r->ifr_ifindex = dev->index; return 0;
    case SIOCGIFTXQLEN: r->ifr_qlen = (int)dev->transmit_queue_len; return 0;
    case SIOCGIFMAP: memset(&r->ifr_map, 0, sizeof(r->ifr_map)); return 0;
    case SIOCGIFHWADDR:
        memset(&r->ifr_hwaddr, 0, sizeof(r->ifr_hwaddr));
        r->ifr_hwaddr.sa_family = dev->type;
        memcpy(r->ifr_hwaddr.sa_data, dev->address, NETDEV_ADDRESS);
        return 0;
    default: return get_address(r, cmd);
    }
}

/* --- interfaces: changing --- */

/* The prefix that an address's class gives it (RFC 791, section 3.2): nobody has said anything better yet. */
static unsigned class_prefix(uint32_t address)
{
    uint32_t host = ntohl(address);
    return IN_CLASSA(host) ? 8 : IN_CLASSB(host) ? 16 : IN_CLASSC(host) ? 24 : 32;
}

static int set_address(struct netdev *dev, struct ifreq *r, unsigned cmd)
{
    uint32_t value = address_in(&r->ifr_addr);
    struct inet_address a;
    bool there = address_by_label(r->ifr_name, &a);

    if (r->ifr_addr.sa_family != AF_INET)
        return -EINVAL;
    if (!there) {
        if (cmd != SIOCSIFADDR)
            return -EADDRNOTAVAIL;
        memset(&a, 0, sizeof(a));
        a.dev = dev;
        strlcpy(a.label, r->ifr_name, sizeof(a.label));
    }
    struct inet_address old = a;
    switch (cmd) {
    case SIOCSIFADDR:
        a.address = value;
        a.prefix = class_prefix(value);
        a.broadcast = 0;
        break;
    case SIOCSIFNETMASK:
        if (prefix_of_mask(value) < 0)
            return -EINVAL;
        a.prefix = (unsigned)prefix_of_mask(value);
        a.broadcast = 0;
        break;
    case SIOCSIFBRDADDR: a.broadcast = value; break;
    default: return -EOPNOTSUPP;
    }
    if (there)
        (void)address_remove(old.dev, old.address, old.prefix);
    if (cmd == SIOCSIFADDR && !value)
        return 0;
    int error =
        netdev_is_up(dev) || cmd != SIOCSIFADDR ? 0 : inet_set_flags(dev, dev->flags | IFF_UP);
    if (!error)
        error = address_add(&a);
    if (error && there)
        (void)address_add(&old); /* what was secondary to it is gone, as on Linux */
    return error;
}

/* An address with a label of its own has one flag, that it is up: without it the address goes, and nothing else. */
static int set_flags(struct netdev *dev, const struct ifreq *r)
{
    struct inet_address a;

    if (!strchr(r->ifr_name, LABEL_SEPARATOR))
        return inet_set_flags(dev, (uint16_t)r->ifr_flags);
    if (!address_by_label(r->ifr_name, &a))
        return -EADDRNOTAVAIL;
    return r->ifr_flags & IFF_UP ? 0 : address_remove(a.dev, a.address, a.prefix);
}

static int set_device(struct netdev *dev, struct ifreq *r, unsigned cmd)
{
    switch (cmd) {
    case SIOCSIFFLAGS: return set_flags(dev, r);
    case SIOCSIFMTU: return r->ifr_mtu < 0 ? -EINVAL : netdev_set_mtu(dev, (uint32_t)r->ifr_mtu);
    case SIOCSIFMETRIC: return r->ifr_metric ? -EOPNOTSUPP : 0;
    case SIOCSIFTXQLEN:
        if (r->ifr_qlen < 0)
            return -EINVAL;
        netdev_set_queue_len(dev, (unsigned)r->ifr_qlen);
        return 0;
    default: return set_address(dev, r, cmd);
    }
}

static bool is_change(unsigned cmd)
{
    return cmd == SIOCSIFFLAGS || cmd == SIOCSIFADDR || cmd == SIOCSIFNETMASK ||
           cmd == SIOCSIFBRDADDR || cmd == SIOCSIFMTU || cmd == SIOCSIFMETRIC ||
           cmd == SIOCSIFTXQLEN;
}

static bool is_question(unsigned cmd)
{
    return cmd == SIOCGIFFLAGS || cmd == SIOCGIFADDR || cmd == SIOCGIFNETMASK ||
           cmd == SIOCGIFBRDADDR || cmd == SIOCGIFDSTADDR || cmd == SIOCGIFMTU ||
           cmd == SIOCGIFMETRIC || cmd == SIOCGIFINDEX || cmd == SIOCGIFHWADDR ||
           cmd == SIOCGIFTXQLEN || cmd == SIOCGIFMAP;
}

static long interface_ioctl(unsigned cmd, struct ifreq __user *user)
{
    struct ifreq r;

    if (copy_from_user(&r, user, sizeof(r)))
        return -EFAULT;
    r.ifr_name[IFNAMSIZ - 1] = '\0';
    struct netdev *dev = device_of(r.ifr_name);
    if (is_change(cmd)) {
        if (!capable(CAP_NET_ADMIN))
            return -EPERM;
        if (!dev)
            return -ENODEV;
        net_change_begin();
        int error = set_device(dev, &r, cmd);
        net_change_end();
        return error;
    }
    if (!dev)
        return -ENODEV;
    int error = get_device(dev, &r, cmd);
    return error ? error : copy_to_user(user, &r, sizeof(r));
}

static long name_of_index(struct ifreq __user *user)
{
    struct ifreq r;

    if (copy_from_user(&r, user, sizeof(r)))
        return -EFAULT;
    struct netdev *dev = netdev_by_index(r.ifr_ifindex);
    if (!dev)
        return -ENODEV;
    memcpy(r.ifr_name, dev->name, IFNAMSIZ);
    return copy_to_user(user, &r, sizeof(r));
}

/* --- SIOCGIFCONF: all that have an address --- */

#define LISTED_MAX 64u

struct listed {
    struct inet_address all[LISTED_MAX];
    unsigned count;
};

static void note_address(void *ctx, const struct inet_address *a)
{
    struct listed *l = ctx;
    if (l->count < LISTED_MAX)
        l->all[l->count++] = *a;
}

static long list_interfaces(struct ifconf __user *user)
{
    struct ifconf c;
    long error = 0;

    if (copy_from_user(&c, user, sizeof(c)))
        return -EFAULT;
    struct listed *l = kzalloc(sizeof(*l));
    if (!l)
        return -ENOMEM;
    address_for_each(note_address, l);
    unsigned room =
        c.ifc_buf ? (unsigned)max(c.ifc_len, 0) / (unsigned)sizeof(struct ifreq) : l->count;
    unsigned n = min(room, l->count);
    for (unsigned i = 0; i < n && c.ifc_buf && !error; i++) {
        struct ifreq r = {0};
        strlcpy(r.ifr_name, l->all[i].label, sizeof(r.ifr_name));
        put_address(&r.ifr_addr, l->all[i].address);
        error = copy_to_user((struct ifreq __user *)c.ifc_req + i, &r, sizeof(r));
    }
    kfree(l);
    c.ifc_len = (int)(n * sizeof(struct ifreq));
    return error ? error : copy_to_user(user, &c, sizeof(c));
}

/* --- routes --- */

static long route_ioctl(unsigned cmd, const struct rtentry __user *user)
{
    struct rtentry e;
    char name[IFNAMSIZ] = "";

    if (!capable(CAP_NET_ADMIN))
        return -EPERM;
    if (copy_from_user(&e, user, sizeof(e)))
        return -EFAULT;
    if (e.rt_dev && strncpy_from_user(name, e.rt_dev, sizeof(name)) == -EFAULT)
        return -EFAULT;
    name[IFNAMSIZ - 1] = '\0';
    if (e.rt_dst.sa_family != AF_INET)
        return -EAFNOSUPPORT;
    int prefix = e.rt_flags & RTF_HOST ? 32 : prefix_of_mask(address_in(&e.rt_genmask));
    struct route r = {
        .destination = address_in(&e.rt_dst),
        .gateway = e.rt_flags & RTF_GATEWAY ? address_in(&e.rt_gateway) : 0,
        .prefix = (unsigned)prefix,
        .metric = e.rt_metric > 0 ? (unsigned)e.rt_metric - 1 : 0,
        .type = e.rt_flags & RTF_REJECT ? ROUTE_UNREACHABLE
                : cmd == SIOCDELRT      ? 0 /* of any */
                                        : ROUTE_UNICAST,
        .protocol = ROUTE_BY_BOOT,
    };
    if (prefix < 0)
        return -EINVAL;
    if (name[0] && !(r.dev = device_of(name)))
        return -ENODEV;
    return cmd == SIOCDELRT ? route_remove(&r) : route_configure(&r, ROUTE_BESIDE);
}

/* --- the address cache --- */

/* The Ethernet device of request R: that of its name, or the one whose link the address is on. */
static int neighbor_device(const struct arpreq *r, uint32_t address, struct netdev **out)
{
    struct route_path path;

    if (r->arp_dev[0]) {
        *out = device_of(r->arp_dev);
        if (!*out)
            return -ENODEV;
    } else {
        int error = route_lookup(address, NULL, &path);
        if (error)
            return error;
        *out = path.dev;
    }
    return (*out)->link_ops == &ethernet_link ? 0 : -ENXIO;
}

static long neighbor_ioctl(unsigned cmd, struct arpreq __user *user)
{
    struct neighbor_info info;
    struct netdev *dev;
    struct arpreq r;

    if (cmd != SIOCGARP && !capable(CAP_NET_ADMIN))
        return -EPERM;
    if (copy_from_user(&r, user, sizeof(r)))
        return -EFAULT;
    r.arp_dev[sizeof(r.arp_dev) - 1] = '\0';
    if (r.arp_pa.sa_family != AF_INET)
        return -EPFNOSUPPORT;
    if (r.arp_flags & ATF_PUBL)
        return cmd == SIOCSARP ? -EOPNOTSUPP : -ENXIO; /* we answer for nobody else */
    uint32_t address = address_in(&r.arp_pa);
    int error = neighbor_device(&r, address, &dev);
    if (error)
        return error;
    if (cmd == SIOCDARP)
        return arp_remove(dev, address);
    if (cmd == SIOCSARP)
        return arp_set(dev, address, (const uint8_t *)r.arp_ha.sa_data, r.arp_flags & ATF_PERM);
    if (!arp_find(dev, address, &info))
        return -ENXIO;
    memset(&r.arp_ha, 0, sizeof(r.arp_ha));
    r.arp_ha.sa_family = dev->type;
    memcpy(r.arp_ha.sa_data, info.station, NETDEV_ADDRESS);
    r.arp_flags = (info.known ? ATF_COM : 0) | (info.permanent ? ATF_PERM : 0);
    strlcpy(r.arp_dev, dev->name, sizeof(r.arp_dev));
    return copy_to_user(user, &r, sizeof(r));
}

long inet_ioctl(unsigned cmd, unsigned long arg)
{
    if (cmd == SIOCADDRT || cmd == SIOCDELRT)
        return route_ioctl(cmd, (const struct rtentry __user *)arg);
    if (cmd == SIOCGIFCONF)
        return list_interfaces((struct ifconf __user *)arg);
    if (cmd == SIOCGIFNAME)
        return name_of_index((struct ifreq __user *)arg);
    if (cmd == SIOCSARP || cmd == SIOCDARP || cmd == SIOCGARP)
        return neighbor_ioctl(cmd, (struct arpreq __user *)arg);
    if (is_change(cmd) || is_question(cmd))
        return interface_ioctl(cmd, (struct ifreq __user *)arg);
    return -ENOTTY;
}

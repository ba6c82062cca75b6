/* What is done with a lease: the interface's address, the default route, /etc/resolv.conf. */
#include "dhcp.h"

#include <net/if_arp.h>
#include <net/route.h>

#define RESOLVER "/etc/resolv.conf"

/* REQUEST about R; a failure is reported, for WHAT. */
static bool request(unsigned long number, void *r, const char *what)
{
    int fd = need_socket(AF_INET, SOCK_DGRAM, 0);
    int result = ioctl(fd, number, r);

    if (result < 0)
        warn("%s", what);
    close(fd);
    return result == 0;
}

/* Is it an Ethernet? Then learn its number and station. */
static bool look_at(struct interface *on, const char *name)
{
    int fd = need_socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq r;
    bool fits = name_interface(&r, name) && ioctl(fd, SIOCGIFHWADDR, &r) == 0 &&
                r.ifr_hwaddr.sa_family == ARPHRD_ETHER;

    if (fits) {
        strcpy(on->name, name);
        memcpy(on->station, r.ifr_hwaddr.sa_data, sizeof(on->station));
        on->index = (int)if_nametoindex(name);
    } else if (errno == 0) {
        errno = EPFNOSUPPORT;
    }
    close(fd);
    return fits;
}

void interface_find(struct interface *on, const char *name)
{
    struct if_nameindex *list;
    bool found = false;

    errno = 0;
    if (name) {
        if (!look_at(on, name))
            err(1, "%s", name);
        found = true;
    } else {
        list = if_nameindex();
        if (!list)
            err(1, "interfaces");
        for (struct if_nameindex *i = list; i->if_index && !found; i++)
            found = look_at(on, i->if_name);
        if_freenameindex(list);
    }
    if (!found)
        errx(1, "there is no Ethernet");
    struct ifreq r;
    (void)name_interface(&r, on->name);
    if (request(SIOCGIFFLAGS, &r, on->name) && !(r.ifr_flags & IFF_UP)) {
        r.ifr_flags |= IFF_UP;
        if (!request(SIOCSIFFLAGS, &r, on->name))
            exit(1);
    }
}

static void set_route(const struct interface *on, struct in_addr router, bool there)
{
    struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY, .rt_dev = (char *)on->name};
    int fd = need_socket(AF_INET, SOCK_DGRAM, 0);

    put_address(&route.rt_dst, (struct in_addr){0});
    put_address(&route.rt_genmask, (struct in_addr){0});
    put_address(&route.rt_gateway, router);
    if (ioctl(fd, there ? SIOCADDRT : SIOCDELRT, &route) < 0 && there && errno != EEXIST)
        warn("route to %s", inet_ntoa(router));
    close(fd);
}

/* The file is replaced as a whole: who reads it meanwhile finds the old one. */
static void write_resolver(const struct lease *lease)
{
    FILE *f = fopen(RESOLVER ".new", "we");

    if (!f) {
        warn(RESOLVER);
        return;
    }
    if (*lease->domain)
        fprintf(f, "search %s\n", lease->domain);
    for (int i = 0; i < lease->name_server_count; i++)
        fprintf(f, "nameserver %s\n", inet_ntoa(lease->name_servers[i]));
    if (fclose(f) != 0 || rename(RESOLVER ".new", RESOLVER) < 0)
        warn(RESOLVER);
}

void lease_apply(const struct interface *on, const struct lease *lease, const struct lease *old)
{
    struct ifreq r;

    if (!old || old->address.s_addr != lease->address.s_addr ||
        old->mask.s_addr != lease->mask.s_addr) {
        (void)name_interface(&r, on->name);
        put_address(&r.ifr_addr, lease->address);
        if (!request(SIOCSIFADDR, &r, on->name))
            return;
        put_address(&r.ifr_addr, lease->mask);
        if (lease->mask.s_addr)
            request(SIOCSIFNETMASK, &r, on->name);
    }
    if (old && old->router.s_addr && old->router.s_addr != lease->router.s_addr)
        set_route(on, old->router, false);
    if (lease->router.s_addr)
        set_route(on, lease->router, true);
    if (lease->name_server_count > 0)
        write_resolver(lease);
}

void lease_remove(const struct interface *on, const struct lease *lease)
{
    struct ifreq r;

    if (lease->router.s_addr)
        set_route(on, lease->router, false);
    (void)name_interface(&r, on->name);
    put_address(&r.ifr_addr, (struct in_addr){0});
    request(SIOCSIFADDR, &r, on->name);
}

/*
 * arp [-an] [-i INTERFACE] [HOST], arp -s HOST STATION, arp -d HOST: which stations the link's addresses belong to.
 *
 *     -n  numbers, no names     -s  enter a pair for good     -d  forget one     -i  of this interface
 *     -a  accepted: without HOST all are shown
 */
#include "net.h"

#include <net/if_arp.h>

#define USAGE \
    "arp [-an] [-i interface] [host] | [-i interface] -s host station | [-i interface] -d host"

static const char *interface = "";

static int show(const char *host, bool numeric)
{
    FILE *f = fopen("/proc/net/arp", "re");
    char line[256], address[32], station[32], name[IFNAMSIZ];
    struct in_addr wanted = host ? need_host(host) : (struct in_addr){0}, a;
    unsigned flags;
    int found = 0;

    if (!f)
        err(1, "/proc/net/arp");
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%31s 0x%*x 0x%x %31s %*s %15s", address, &flags, station, name) != 4 ||
            inet_pton(AF_INET, address, &a) != 1 || (host && a.s_addr != wanted.s_addr) ||
            (*interface && strcmp(interface, name) != 0))
            continue;
        found++;
        if (!numeric)
            printf("%s ", host_text(a, false));
        printf("(%s) at %s on %s%s\n", address, flags & ATF_COM ? station : "<incomplete>", name,
               flags & ATF_PERM ? " for good" : "");
    }
    fclose(f);
    if (host && found == 0)
        warnx("%s: no entry", host);
    return command_end(host && found == 0);
}

static void put_station(struct sockaddr *a, const char *text)
{
    unsigned b[6];
    char rest;

    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", b, b + 1, b + 2, b + 3, b + 4, b + 5, &rest) != 6)
        errx(1, "%s: not a station", text);
    a->sa_family = ARPHRD_ETHER;
    for (int i = 0; i < 6; i++)
        a->sa_data[i] = (char)b[i];
}

int main(int argc, char **argv)
{
    bool numeric = false;
    unsigned long request = 0;
    struct arpreq r = {0};
    int c;

    command_begin();
    while ((c = getopt(argc, argv, "adi:ns")) != -1) {
        switch (c) {
        case 'a': break;
        case 'd': request = SIOCDARP; break;
        case 's': request = SIOCSARP; break;
        case 'i': interface = optarg; break;
        case 'n': numeric = true; break;
        default: usage(1, USAGE);
        }
    }
    argv += optind;
    argc -= optind;
    if (request ? argc != (request == SIOCSARP ? 2 : 1) : argc > 1)
        usage(1, USAGE);
    if (*interface && !if_nametoindex(interface))
        errx(1, "%s: no such interface", interface);
    if (!request)
        return show(*argv, numeric);
    put_address(&r.arp_pa, need_host(*argv));
    strcpy(r.arp_dev, interface);
    if (request == SIOCSARP) {
        put_station(&r.arp_ha, argv[1]);
        r.arp_flags = ATF_COM | ATF_PERM;
    }
    if (ioctl(need_socket(AF_INET, SOCK_DGRAM, 0), request, &r) < 0)
        err(1, "%s", *argv);
    return 0;
}

/*
 * tcpdump [-ADelnpStvxX] [-c COUNT] [-i INTERFACE] [-r FILE] [-s BYTES] [-w FILE] [FILTER...]: see what passes.
 *
 *     -i  on this interface (any: all of them), not on the first that is up     -p  don't ask for others' frames
 *     -r  read them from a file    -w  write them to one    -s  keep so many bytes of each    -c  so many, then the end
 *     -e  the stations too     -t  no time; -tt, -ttt: as a number, since the one before     -v  checksums, and more
 *     -x  the bytes, -xx with the link's header, -X as letters too     -A  as text     -D  only name the interfaces
 *     -l, -n, -S  accepted: each line is printed at once, with numbers and no names, and TCP's as they are
 *
 * The filter's language is in filter.c: `tcp port 80 and not host 10.0.2.2`. ^C ends it, and shows how many there were.
 */
#include "tcpdump.h"

#include <net/if_arp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <signal.h>

#define USAGE \
    "tcpdump [-ADelnpStvxX] [-c count] [-i interface] [-r file] [-s bytes] [-w file] [filter...]"
#define SOL_PACKET_ 263 /* some libraries have no name for it there */

static struct style style;
static size_t most = FRAME_MAX;
static FILE *written;
static unsigned long long wanted, seen;
static volatile sig_atomic_t ended;

static void on_end(int sig)
{
    (void)sig;
    ended = 1;
}

/* The first interface that is up and no loopback, or else the loopback. */
static unsigned choose_interface(void)
{
    struct if_nameindex *list = if_nameindex();
    int fd = need_socket(AF_INET, SOCK_DGRAM, 0);
    unsigned chosen = 0;

    for (struct if_nameindex *i = list; i && i->if_index && !chosen; i++) {
        struct ifreq r;
        if (name_interface(&r, i->if_name) && ioctl(fd, SIOCGIFFLAGS, &r) == 0 &&
            (r.ifr_flags & IFF_UP) && !(r.ifr_flags & IFF_LOOPBACK))
            chosen = i->if_index;
    }
    if (list)
        if_freenameindex(list);
    close(fd);
    return chosen ? chosen : if_nametoindex("lo");
}

static int name_interfaces(void)
{
    struct if_nameindex *list = if_nameindex();

    if (!list)
        err(1, "interfaces");
    for (struct if_nameindex *i = list; i->if_index; i++)
        printf("%u.%s\n", i->if_index, i->if_name);
    if_freenameindex(list);
    return command_end(0);
}

static int listen_on(const char *name, bool promiscuous)
{
    unsigned index = !name                      ? choose_interface()
                     : strcmp(name, "any") == 0 ? 0
                                                : if_nametoindex(name);
    struct sockaddr_ll a = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)index};
    struct packet_mreq all = {.mr_ifindex = (int)index, .mr_type = PACKET_MR_PROMISC};
    char found[IF_NAMESIZE] = "any";
    int fd, size = 4 << 20;

    if (name && index == 0 && strcmp(name, "any") != 0)
        err(1, "%s", name);
    fd = need_socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        err(1, "%s", name ? name : "bind");
    if (index && promiscuous)
        setsockopt(fd, SOL_PACKET_, PACKET_ADD_MEMBERSHIP, &all, sizeof(all));
    if (index)
        if_indextoname(index, found);
    fprintf(stderr, "listening on %s\n", found);
    return fd;
}

static void take(struct frame *f, int link)
{
    frame_decode(f, link);
    if (!filter_wants(f))
        return;
    seen++;
    if (written)
        pcap_write(written, f, most);
    else
        frame_print(f, &style);
}

static bool is_enough(void)
{
    return ended || (wanted && seen >= wanted);
}

static void capture(int fd)
{
    static unsigned char bytes[FRAME_MAX];
    sigset_t end_signals, none;

    /* A signal that comes while we look at a frame must not be slept over. */
    sigemptyset(&none);
    sigemptyset(&end_signals);
    sigaddset(&end_signals, SIGINT);
    sigaddset(&end_signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &end_signals, &none);
    while (!is_enough()) {
        struct pollfd p = {fd, POLLIN, 0};
        struct sockaddr_ll from = {0};
        socklen_t length = sizeof(from);
        if (ppoll(&p, 1, NULL, &none) < 0)
            continue;
        ssize_t n = recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_TRUNC,
                             (struct sockaddr *)&from, &length);
        if (n < 0 && errno == ENETDOWN)
            warn("the interface");
        /* The loopback shows each twice: as it goes and as it comes. */
        if (n < 0 || (from.sll_hatype == ARPHRD_LOOPBACK && from.sll_pkttype == PACKET_OUTGOING))
            continue;
        struct frame f = {.data = bytes, .length = (size_t)n};
        f.captured = f.length < sizeof(bytes) ? f.length : sizeof(bytes);
        if (f.captured > most)
            f.captured = most;
        clock_gettime(CLOCK_REALTIME, &f.time);
        take(&f, LINK_ETHERNET);
    }
}

static void read_file(const char *name)
{
    static unsigned char bytes[FRAME_MAX];
    struct frame f = {0};
    int link;
    FILE *file = pcap_open(name, &link);

    if (written && link != LINK_ETHERNET)
        errx(1, "%s: only frames of Ethernets can be written", name);
    while (!is_enough() && pcap_read(file, bytes, &f))
        take(&f, link);
}

static void say_how_many(int fd)
{
    unsigned stats[2]; /* struct tpacket_stats: how many there were, and how many too many */
    socklen_t length = sizeof(stats);

    fprintf(stderr, "%llu packets\n", seen);
    if (getsockopt(fd, SOL_PACKET_, PACKET_STATISTICS, stats, &length) == 0 && stats[1])
        fprintf(stderr, "%u came too fast\n", stats[1]);
}

int main(int argc, char **argv)
{
    const char *interface = NULL, *from = NULL, *to = NULL;
    bool promiscuous = true;
    int c;

    command_begin();
    while ((c = getopt(argc, argv, "Ac:Dei:lnpr:Ss:tvw:xX")) != -1) {
        switch (c) {
        case 'A': style.text = true; break;
        case 'D': return name_interfaces();
        case 'c': wanted = (unsigned long long)need_number(optarg, 1, LONG_MAX, "count"); break;
        case 'e': style.link = true; break;
        case 'i': interface = optarg; break;
        case 'p': promiscuous = false; break;
        case 'r': from = optarg; break;
        case 's': most = (size_t)need_number(optarg, 1, FRAME_MAX, "number of bytes"); break;
        case 't': style.times++; break;
        case 'v': style.detail = true; break;
        case 'w': to = optarg; break;
        case 'X': style.letters = true; /* fall through */
        case 'x': style.bytes++; break;
        case 'l':
        case 'n':
        case 'S': break;
        default: usage(1, USAGE);
        }
    }
    if (from && interface)
        usage(1, USAGE);
    filter_compile(argv + optind);
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct sigaction action = {.sa_handler = on_end};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (from) {
        if (to)
            written = pcap_create(to, most);
        read_file(from);
        return command_end(0);
    }
    int fd = listen_on(interface, promiscuous);
    if (to)
        written = pcap_create(to, most);
    capture(fd);
    int status = command_end(0);
    say_how_many(fd);
    return status;
}

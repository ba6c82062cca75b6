/*
 * ifconfig [-a] [INTERFACE [WORDS...]]: the network interfaces, shown and set up.
 *
 *     ADDRESS[/BITS]    netmask MASK    broadcast ADDRESS    mtu BYTES    up    down
 *     arp, -arp    allmulti, -allmulti    promisc, -promisc
 *
 * Without words it shows the interface, or all that are up (-a: all). INTERFACE:N is a further address of INTERFACE.
 */
#include "net.h"

#include <net/if_arp.h>

#define USAGE                                                                \
    "ifconfig [-a] [interface] | interface [address[/bits]] [netmask mask] " \
    "[broadcast address] [mtu bytes] [up] [down] [[-]arp] [[-]allmulti] [[-]promisc]"

#define ADDRESSES_MAX 256

static int fd; /* a socket, for the questions */

static const struct flag {
    const char *name;
    unsigned bit;
} flags[] = {
    {"UP", IFF_UP},
    {"BROADCAST", IFF_BROADCAST},
    {"LOOPBACK", IFF_LOOPBACK},
    {"RUNNING", IFF_RUNNING},
    {"NOARP", IFF_NOARP},
    {"PROMISC", IFF_PROMISC},
    {"ALLMULTI", IFF_ALLMULTI},
    {"MULTICAST", IFF_MULTICAST},
};
#define FLAGS (sizeof(flags) / sizeof(flags[0]))

/* Ask the kernel about interface NAME. False with errno. */
static bool ask(struct ifreq *r, const char *name, unsigned long request)
{
    return name_interface(r, name) && ioctl(fd, request, r) == 0;
}

/* --- showing --- */

static void show_counters(const char *name)
{
    FILE *f = fopen("/proc/net/dev", "re");
    char line[512], found[IFNAMSIZ];
    unsigned long long n[16];

    while (f && fgets(line, sizeof(line), f)) {
        char *colon = strchr(line, ':');
        if (!colon || sscanf(line, " %15[^: ]", found) != 1 || strcmp(found, name) != 0)
            continue;
        char *p = colon + 1;
        for (int i = 0; i < 16; i++)
            n[i] = strtoull(p, &p, 10);
        printf("        received %llu packets, %llu bytes, %llu errors, %llu dropped\n", n[1], n[0],
               n[2], n[3]);
        printf("        sent %llu packets, %llu bytes, %llu errors, %llu dropped\n", n[9], n[8],
               n[10], n[11]);
    }
    if (f)
        fclose(f);
}

static void show_address(const char *label, struct in_addr address)
{
    struct ifreq r;

    printf("        inet %s", inet_ntoa(address));
    /* The kernel answers for the first address with that label. */
    if (ask(&r, label, SIOCGIFADDR) && address_in(&r.ifr_addr).s_addr == address.s_addr) {
        if (ask(&r, label, SIOCGIFNETMASK))
            printf(" netmask %s", inet_ntoa(address_in(&r.ifr_addr)));
        if (ask(&r, label, SIOCGIFBRDADDR) && address_in(&r.ifr_addr).s_addr)
            printf(" broadcast %s", inet_ntoa(address_in(&r.ifr_addr)));
    }
    if (strchr(label, ':'))
        printf(" label %s", label);
    printf("\n");
}

/* All of interface NAME, and of its aliases NAME:N; or of that alias alone. */
static void show_addresses(const char *name)
{
    static struct ifreq list[ADDRESSES_MAX];
    struct ifconf c = {.ifc_len = sizeof(list), .ifc_req = list};
    size_t n = strlen(name);

    if (ioctl(fd, SIOCGIFCONF, &c) < 0)
        return;
    for (size_t i = 0; i < (size_t)c.ifc_len / sizeof(list[0]); i++) {
        const char *label = list[i].ifr_name;
        if (strncmp(label, name, n) == 0 && (label[n] == '\0' || label[n] == ':'))
            show_address(label, address_in(&list[i].ifr_addr));
    }
}

static bool show(const char *name, bool only_up)
{
    struct ifreq r;

    if (!ask(&r, name, SIOCGIFFLAGS)) {
        warn("%s", name);
        return false;
    }
    unsigned bits = (unsigned short)r.ifr_flags;
    if (only_up && !(bits & IFF_UP))
        return true;
    printf("%s: <", name);
    const char *comma = "";
    for (size_t i = 0; i < FLAGS; i++)
        if (bits & flags[i].bit) {
            printf("%s%s", comma, flags[i].name);
            comma = ",";
        }
    printf(">");
    if (ask(&r, name, SIOCGIFMTU))
        printf(" mtu %d", r.ifr_mtu);
    printf("\n");
    show_addresses(name);
    if (ask(&r, name, SIOCGIFHWADDR) && r.ifr_hwaddr.sa_family == ARPHRD_ETHER) {
        const unsigned char *a = (const unsigned char *)r.ifr_hwaddr.sa_data;
        printf("        ether %02x:%02x:%02x:%02x:%02x:%02x\n", a[0], a[1], a[2], a[3], a[4], a[5]);
    }
    show_counters(name);
    return true;
}

static bool show_all(bool only_up)
{
    struct if_nameindex *list = if_nameindex();
    bool ok = true;

    if (!list)
        err(1, "interfaces");
    for (struct if_nameindex *i = list; i->if_index; i++)
        ok &= show(i->if_name, only_up);
    if_freenameindex(list);
    return ok;
}

/* --- changing --- */

static void change(struct ifreq *r, unsigned long request, const char *what)
{
    if (ioctl(fd, request, r) < 0)
        err(1, "%s: %s", r->ifr_name, what);
}

static void change_flags(const char *name, unsigned on, unsigned off, const char *what)
{
    struct ifreq r;
    if (!ask(&r, name, SIOCGIFFLAGS))
        err(1, "%s", name);
    r.ifr_flags = (short)(((unsigned short)r.ifr_flags | on) & ~off);
    change(&r, SIOCSIFFLAGS, what);
}

static void change_address(const char *name, unsigned long request, uint32_t address,
                           const char *what)
{
    struct ifreq r;
    if (!name_interface(&r, name))
        err(1, "%s", name);
    put_address(&r.ifr_addr, (struct in_addr){address});
    change(&r, request, what);
}

static void take_address(const char *name, char *text)
{
    char *slash = strchr(text, '/');
    long bits = slash ? need_number(slash + 1, 0, 32, "length of a prefix") : 0;

    if (slash)
        *slash = '\0';
    change_address(name, SIOCSIFADDR, need_host(text).s_addr, text);
    if (slash)
        change_address(name, SIOCSIFNETMASK, bits ? htonl(~0u << (32 - bits)) : 0, slash + 1);
}

/* The words that are flags; false: WORD is none. */
static bool take_flag(const char *name, const char *word)
{
    static const struct {
        const char *word;
        unsigned on, off;
    } words[] = {
        {"up", IFF_UP, 0},           {"down", 0, IFF_UP},           {"arp", 0, IFF_NOARP},
        {"-arp", IFF_NOARP, 0},      {"allmulti", IFF_ALLMULTI, 0}, {"-allmulti", 0, IFF_ALLMULTI},
        {"promisc", IFF_PROMISC, 0}, {"-promisc", 0, IFF_PROMISC},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(word, words[i].word) == 0) {
            change_flags(name, words[i].on, words[i].off, word);
            return true;
        }
    return false;
}

static void take_words(const char *name, char **words)
{
    for (; *words; words++) {
        char *word = *words;
        if (take_flag(name, word))
            continue;
        bool is_mtu = strcmp(word, "mtu") == 0, is_mask = strcmp(word, "netmask") == 0;
        if (!is_mtu && !is_mask && strcmp(word, "broadcast") != 0) {
            take_address(name, word);
            continue;
        }
        struct ifreq r;
        struct in_addr a;
        char *value = *++words;
        if (!value)
            usage(1, USAGE);
        if (is_mtu) {
            if (!name_interface(&r, name))
                err(1, "%s", name);
            r.ifr_mtu = (int)need_number(value, 0, INT_MAX, "number of bytes");
            change(&r, SIOCSIFMTU, value);
        } else if (inet_pton(AF_INET, value, &a) != 1) {
            errx(1, "%s: not an address", value);
        } else {
            change_address(name, is_mask ? SIOCSIFNETMASK : SIOCSIFBRDADDR, a.s_addr, value);
        }
    }
}

int main(int argc, char **argv)
{
    bool all = false, ok = true;
    int c;

    command_begin();
    while ((c = getopt(argc, argv, "+a")) != -1) {
        if (c == '?')
            usage(1, USAGE);
        all = true;
    }
    fd = need_socket(AF_INET, SOCK_DGRAM, 0);
    char **words = argv + optind;
    if (!words[0])
        ok = show_all(!all);
    else if (!words[1])
        ok = show(words[0], false);
    else
        take_words(words[0], words + 1);
    return command_end(!ok);
}

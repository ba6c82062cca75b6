/*
 * route [-n], route add|del [-net|-host] TARGET[/BITS] [netmask MASK] [gw ROUTER] [metric N] [reject] [[dev] INTERFACE]
 *
 * The table of routes: shown (-n: numbers, no names), and changed. TARGET is an address, a name, or `default`. A
 * target without a mask is a host, if it isn't `default` or -net, which takes the mask of the address's class.
 */
#include "routes.h"

#define USAGE                                                                     \
    "route [-n] | add|del [-net|-host] target[/bits] [netmask mask] [gw router] " \
    "[metric n] [reject] [[dev] interface]"

static uint32_t mask_of_bits(long bits)
{
    return bits == 0 ? 0 : htonl(~0u << (32 - bits));
}

/* The mask that the class of ADDRESS gives it (RFC 791, section 3.2). */
static uint32_t mask_of_class(uint32_t address)
{
    uint32_t host = ntohl(address);
    return mask_of_bits(IN_CLASSA(host) ? 8 : IN_CLASSB(host) ? 16 : IN_CLASSC(host) ? 24 : 32);
}

/* Take TARGET apart: address and mask. True: it is one host. */
static bool take_target(char *target, bool net, uint32_t *address, uint32_t *mask)
{
    char *slash = strchr(target, '/');

    *address = *mask = 0;
    if (strcmp(target, "default") == 0)
        return false;
    if (slash) {
        *slash = '\0';
        *mask = mask_of_bits(need_number(slash + 1, 0, 32, "length of a prefix"));
    }
    *address = need_host(target).s_addr;
    if (!slash)
        *mask = net ? mask_of_class(*address) : INADDR_NONE;
    return *mask == INADDR_NONE;
}

/* The word behind one that needs another. */
static char *next_word(char ***words)
{
    char *word = *++*words;
    if (!word)
        usage(1, USAGE);
    return word;
}

static int change(unsigned long request, char **words)
{
    struct rtentry route = {.rt_flags = RTF_UP};
    bool net = *words && strcmp(*words, "-net") == 0, host;
    uint32_t address, mask, given;

    if (net || (*words && strcmp(*words, "-host") == 0))
        words++;
    if (!*words)
        usage(1, USAGE);
    const char *target = *words;
    host = take_target(*words, net, &address, &mask);
    while (*++words) {
        if (strcmp(*words, "netmask") == 0) {
            char *text = next_word(&words);
            if (inet_pton(AF_INET, text, &given) != 1)
                errx(1, "%s: not a mask", text);
            mask = given;
            host = false;
        } else if (strcmp(*words, "gw") == 0) {
            put_address(&route.rt_gateway, need_host(next_word(&words)));
            route.rt_flags |= RTF_GATEWAY;
        } else if (strcmp(*words, "metric") == 0) {
            route.rt_metric = (short)(need_number(next_word(&words), 0, 32766, "metric") + 1);
        } else if (strcmp(*words, "reject") == 0) {
            route.rt_flags |= RTF_REJECT;
        } else {
            route.rt_dev = strcmp(*words, "dev") == 0 ? next_word(&words) : *words;
        }
    }
    if (host)
        route.rt_flags |= RTF_HOST;
    put_address(&route.rt_dst, (struct in_addr){address});
    put_address(&route.rt_genmask, (struct in_addr){mask});
    if (ioctl(need_socket(AF_INET, SOCK_DGRAM, 0), request, &route) < 0)
        err(1, "%s", target);
    return 0;
}

int main(int argc, char **argv)
{
    bool numeric = false;
    int c;

    command_begin();
    while ((c = getopt(argc, argv, "+n")) != -1) {
        if (c == '?')
            usage(1, USAGE);
        numeric = true;
    }
    if (!argv[optind])
        return command_end(routes_show(numeric));
    if (strcmp(argv[optind], "add") == 0)
        return change(SIOCADDRT, argv + optind + 1);
    if (strcmp(argv[optind], "del") == 0)
        return change(SIOCDELRT, argv + optind + 1);
    usage(1, USAGE);
}

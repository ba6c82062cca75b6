/* DHCP's messages (RFC 2131, section 2; options: RFC 2132). What a server sends is hostile until it is checked. */
#include "dhcp.h"

/* Where the fields are. */
enum {
    OP = 0,
    HARDWARE = 1,
    HARDWARE_LENGTH = 2,
    ID = 4,
    SECS = 8,
    FLAGS = 10,
    CLIENT_ADDRESS = 12,
    YOUR_ADDRESS = 16,
    CLIENT_STATION = 28,
    SERVER_NAME = 44,
    BOOT_FILE = 108,
    COOKIE = 236,
    OPTIONS = 240,
};
#define BOOT_REQUEST 1
#define BOOT_REPLY 2
#define ETHERNET 1
#define BROADCAST_FLAG 0x8000
#define MAGIC 0x63825363
#define LEAST_LENGTH 300 /* of BOOTP, which some relays ask for (RFC 1542, section 2.1) */

enum {
    PAD = 0,
    SUBNET_MASK = 1,
    ROUTER = 3,
    DOMAIN_SERVER = 6,
    HOST_NAME = 12,
    DOMAIN_NAME = 15,
    REQUESTED_ADDRESS = 50,
    LEASE_TIME = 51,
    OVERLOAD = 52,
    MESSAGE_TYPE = 53,
    SERVER_ID = 54,
    PARAMETERS = 55,
    MAX_SIZE = 57,
    RENEWAL_TIME = 58,
    REBINDING_TIME = 59,
    CLIENT_ID = 61,
    END = 255,
};

static unsigned char *put_option(unsigned char *p, int code, const void *data, size_t n)
{
    *p++ = (unsigned char)code;
    *p++ = (unsigned char)n;
    memcpy(p, data, n);
    return p + n;
}

size_t message_make(unsigned char *p, int kind, uint32_t id, unsigned seconds,
                    const struct interface *on, const struct lease *lease, bool running)
{
    static const unsigned char wanted[] = {SUBNET_MASK, ROUTER,       DOMAIN_SERVER, DOMAIN_NAME,
                                           LEASE_TIME,  RENEWAL_TIME, REBINDING_TIME};
    unsigned char type = (unsigned char)kind, client[7] = {ETHERNET}, size[2];
    char host[65];
    unsigned char *o = p + OPTIONS;

    memset(p, 0, MESSAGE_MAX);
    p[OP] = BOOT_REQUEST;
    p[HARDWARE] = ETHERNET;
    p[HARDWARE_LENGTH] = sizeof(on->station);
    put32(p + ID, id);
    put16(p + SECS, seconds > 0xffff ? 0xffff : seconds);
    /* Until we have the address, an answer to it would not reach us on every system. */
    put16(p + FLAGS, running || kind == DECLINE ? 0 : BROADCAST_FLAG);
    if (running)
        memcpy(p + CLIENT_ADDRESS, &lease->address, 4);
    memcpy(p + CLIENT_STATION, on->station, sizeof(on->station));
    put32(p + COOKIE, MAGIC);
    o = put_option(o, MESSAGE_TYPE, &type, 1);
    memcpy(client + 1, on->station, sizeof(on->station));
    o = put_option(o, CLIENT_ID, client, sizeof(client));
    if (lease && !running)
        o = put_option(o, REQUESTED_ADDRESS, &lease->address, 4);
    if (lease && (!running || kind == RELEASE))
        o = put_option(o, SERVER_ID, &lease->server, 4);
    if (kind != RELEASE && kind != DECLINE) { /* table 5: these may say no more */
        put16(size, MESSAGE_MAX + 28);
        o = put_option(o, MAX_SIZE, size, sizeof(size));
        o = put_option(o, PARAMETERS, wanted, sizeof(wanted));
        if (gethostname(host, sizeof(host)) == 0 && *host)
            o = put_option(o, HOST_NAME, host, strlen(host));
    }
    *o++ = END;
    return o - p < LEAST_LENGTH ? LEAST_LENGTH : (size_t)(o - p);
}

/* A domain goes into a file that programs believe: letters, digits, dots and hyphens, and nothing else. */
static void take_domain(struct lease *lease, const unsigned char *data, size_t n)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    while (n > 0 && data[n - 1] == '\0')
        n--;
    for (size_t i = 0; i < n; i++)
        if (!data[i] || !strchr(letters, data[i]))
            return;
    memcpy(lease->domain, data, n);
    lease->domain[n] = '\0';
}

/* Read the options from P to END into LEASE and *KIND; *OVERLOADED: which fields have more of them. */
static void take_options(const unsigned char *p, const unsigned char *end, struct lease *lease,
                         int *kind, int *overloaded)
{
    while (p < end && *p != END) {
        if (*p == PAD) {
            p++;
            continue;
        }
        if (end - p < 2 || end - p - 2 < p[1])
            return;
        const unsigned char *data = p + 2;
        size_t n = p[1];
        int code = *p;
        p = data + n;
        struct in_addr *one = code == SUBNET_MASK ? &lease->mask
                              : code == ROUTER    ? &lease->router
                              : code == SERVER_ID ? &lease->server
                                                  : NULL;
        uint32_t *time = code == LEASE_TIME       ? &lease->seconds
                         : code == RENEWAL_TIME   ? &lease->t1
                         : code == REBINDING_TIME ? &lease->t2
                                                  : NULL;
        if (one && n >= 4)
            memcpy(one, data, 4);
        if (time && n == 4)
            *time = get32(data);
        if (code == MESSAGE_TYPE && n == 1)
            *kind = data[0];
        if (code == OVERLOAD && n == 1)
            *overloaded = data[0];
        if (code == DOMAIN_NAME)
            take_domain(lease, data, n);
        for (; code == DOMAIN_SERVER && n >= 4 && lease->name_server_count < NAME_SERVERS; n -= 4) {
            memcpy(&lease->name_servers[lease->name_server_count++], data, 4);
            data += 4;
        }
    }
}

/* Could a machine have this address? */
static bool is_host_address(struct in_addr a)
{
    uint32_t host = ntohl(a.s_addr);
    return host >> 24 != 0 && host >> 24 != IN_LOOPBACKNET && host < 0xe0000000;
}

/* Times that make no sense are put right; a lease without an address or an end is none. */
static bool check(struct lease *lease, int kind)
{
    uint32_t mask = ntohl(lease->mask.s_addr);

    if (kind == NAK)
        return true;
    if (!is_host_address(lease->address) || lease->server.s_addr == 0)
        return false;
    if (kind == OFFER)
        return true;
    if (lease->seconds == 0)
        return false;
    if (mask & (~mask >> 1)) /* not ones and then zeros */
        lease->mask.s_addr = 0;
    if (lease->router.s_addr && !is_host_address(lease->router))
        lease->router.s_addr = 0;
    if (lease->t2 == 0 || lease->t2 > lease->seconds)
        lease->t2 = (uint32_t)((uint64_t)lease->seconds * 7 / 8);
    if (lease->t1 == 0 || lease->t1 > lease->t2)
        lease->t1 = lease->seconds / 2 < lease->t2 ? lease->seconds / 2 : lease->t2;
    return true;
}

int message_read(const unsigned char *p, size_t n, uint32_t id, const struct interface *on,
                 struct lease *lease)
{
    int kind = 0, overloaded = 0, ignored;

    if (n < OPTIONS || p[OP] != BOOT_REPLY || p[HARDWARE] != ETHERNET ||
        p[HARDWARE_LENGTH] != sizeof(on->station) || get32(p + ID) != id ||
        memcmp(p + CLIENT_STATION, on->station, sizeof(on->station)) != 0 ||
        get32(p + COOKIE) != MAGIC)
        return 0;
    memset(lease, 0, sizeof(*lease));
    memcpy(&lease->address, p + YOUR_ADDRESS, 4);
    take_options(p + OPTIONS, p + n, lease, &kind, &overloaded);
    if (overloaded & 1)
        take_options(p + BOOT_FILE, p + COOKIE, lease, &kind, &ignored);
    if (overloaded & 2)
        take_options(p + SERVER_NAME, p + BOOT_FILE, lease, &kind, &ignored);
    return (kind == OFFER || kind == ACK || kind == NAK) && check(lease, kind) ? kind : 0;
}

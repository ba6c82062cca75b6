/*
 * dhcp's reading of what servers say, with the sanitizers looking on: what is right is read rightly, and an answer with
 * any field, length or option wrong is passed over, or believed only as far as it makes sense.
 */
#define _GNU_SOURCE
#include "user/dhcp/message.c"

#include "tests/unit/random.h"

#define ROUNDS 100000
#define XID 0x12345678u

#define must(condition)                                                  \
    do {                                                                 \
        if (!(condition)) {                                              \
            printf("line %d: %s does not hold\n", __LINE__, #condition); \
            exit(1);                                                     \
        }                                                                \
    } while (0)

static const struct interface on = {.name = "eth0", .station = {2, 0, 0, 0, 0, 0x77}};

/* 10.9.0.77 for an hour; what makes it a lease comes last. */
static const unsigned char usual[] =
    "\1\4\xff\xff\xff\0\3\4\x0a\x09\0\1\6\x08\x0a\x09\0\1\x0a\x09\0\3"
    "\x0f\x0b"
    "example.org\0\0\x3a\4\0\0\6\0\x3b\4\0\0\x0c\0"
    "\x35\1\5\x36\4\x0a\x09\0\1\x33\4\0\0\x0e\x10";
#define USUAL (sizeof(usual) - 1)

static unsigned char sample[MESSAGE_MAX];

/* An ACK with N bytes of options, and the end behind them; its length. */
static size_t make(const void *options, size_t n)
{
    memset(sample, 0, sizeof(sample));
    sample[OP] = BOOT_REPLY;
    sample[HARDWARE] = ETHERNET;
    sample[HARDWARE_LENGTH] = 6;
    put32(sample + ID, XID);
    memcpy(sample + YOUR_ADDRESS, "\x0a\x09\0\x4d", 4);
    memcpy(sample + CLIENT_STATION, on.station, 6);
    put32(sample + COOKIE, MAGIC);
    memcpy(sample + OPTIONS, options, n);
    sample[OPTIONS + n] = END;
    return OPTIONS + n + 1;
}

/* A copy that ends where its memory ends is read; what is believed must make sense. */
static int read_copy(size_t n, struct lease *lease)
{
    unsigned char *copy = malloc(n + !n);

    memcpy(copy, sample, n);
    int kind = message_read(copy, n, XID, &on, lease);
    free(copy);
    must(kind == 0 || kind == OFFER || kind == ACK || kind == NAK);
    if (kind == OFFER || kind == ACK)
        must(is_host_address(lease->address) && lease->server.s_addr);
    if (kind == 0 || kind == NAK)
        return kind;
    must(lease->name_server_count >= 0 && lease->name_server_count <= NAME_SERVERS);
    must(memchr(lease->domain, 0, sizeof(lease->domain)));
    if (kind == ACK) {
        uint32_t mask = ntohl(lease->mask.s_addr);
        must(lease->seconds && lease->t1 <= lease->t2 && lease->t2 <= lease->seconds);
        must(!lease->router.s_addr || is_host_address(lease->router));
        must(((mask | (mask - 1)) == UINT32_MAX) || mask == 0);
    }
    return kind;
}

static bool is_address(struct in_addr a, uint32_t host)
{
    return ntohl(a.s_addr) == host;
}

static void what_is_right_is_read(void)
{
    struct lease lease;

    must(read_copy(make(usual, USUAL), &lease) == ACK);
    must(is_address(lease.address, 0x0a09004d) && is_address(lease.mask, 0xffffff00));
    must(is_address(lease.router, 0x0a090001) && is_address(lease.server, 0x0a090001));
    must(lease.name_server_count == 2 && is_address(lease.name_servers[1], 0x0a090003));
    must(strcmp(lease.domain, "example.org") == 0);
    must(lease.seconds == 3600 && lease.t1 == 1536 && lease.t2 == 3072);
}

static void every_field_counts(void)
{
    static const struct {
        int at, length;
    } fields[] = {{OP, 1}, {HARDWARE, 1},       {HARDWARE_LENGTH, 1},
                  {ID, 4}, {CLIENT_STATION, 6}, {COOKIE, 4}};
    size_t n = make(usual, USUAL);
    struct lease lease;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        for (int at = fields[i].at; at < fields[i].at + fields[i].length; at++)
            for (int change = 1; change < 256; change++) {
                sample[at] ^= (unsigned char)change;
                must(read_copy(n, &lease) == 0);
                sample[at] ^= (unsigned char)change;
            }
    for (size_t cut = 0; cut < n - 1; cut++)
        must(read_copy(cut, &lease) == 0);
    must(read_copy(n - 1, &lease) == ACK); /* the end itself may be missing */
}

static void no_host_has_these(void)
{
    static const uint32_t none[] = {0,          1,          0x00ffffff, 0x7f000001,
                                    0x7fffffff, 0xe0000001, 0xf0000001, 0xffffffff};
    size_t n = make(usual, USUAL);
    struct lease lease;

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        put32(sample + YOUR_ADDRESS, none[i]);
        must(read_copy(n, &lease) == 0);
    }
    n = make(usual, USUAL);
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        put32(sample + OPTIONS + 8, none[i]);
        must(read_copy(n, &lease) == ACK && !lease.router.s_addr);
    }
    n = make(usual, USUAL);
    for (unsigned bits = 0; bits <= 32; bits++) {
        uint32_t mask = bits ? ~0u << (32 - bits) : 0;
        put32(sample + OPTIONS + 2, mask);
        must(read_copy(n, &lease) == ACK && is_address(lease.mask, mask));
        for (unsigned hole = 0; hole < 32; hole++) {
            uint32_t bad = mask ^ 1u << hole;
            put32(sample + OPTIONS + 2, bad);
            must(read_copy(n, &lease) == ACK &&
                 is_address(lease.mask, bad & (~bad >> 1) ? 0 : bad));
        }
    }
}

/* Each option with each length that it can say it has, in the middle, where others follow, and at the end. */
static void every_length_is_tried(void)
{
    unsigned char options[600];
    struct lease lease;

    for (int code = 0; code < 256; code++)
        for (int said = 0; said < 256; said++)
            for (int there = 0; there <= said; there = there < 9 ? there + 1 : there + 41) {
                memcpy(options, usual, USUAL);
                unsigned char *p = options + USUAL;
                *p++ = (unsigned char)code;
                *p++ = (unsigned char)said;
                memset(p, 'a', (size_t)there);
                size_t n = make(options, USUAL + 2 + (size_t)there);
                (void)read_copy(n - 1, &lease);
            }
    for (size_t at = 0; at < USUAL; at += usual[at] ? usual[at + 1] + 2u : 1)
        for (int said = 0; usual[at] && said < 256; said++) {
            size_t n = make(usual, USUAL);
            sample[OPTIONS + at + 1] = (unsigned char)said;
            (void)read_copy(n, &lease);
        }
}

/* One option behind the usual ones: what is made of it. */
static int with(int code, const void *data, size_t length, struct lease *lease)
{
    unsigned char options[600];

    memcpy(options, usual, USUAL);
    options[USUAL] = (unsigned char)code;
    options[USUAL + 1] = (unsigned char)length;
    memcpy(options + USUAL + 2, data, length);
    return read_copy(make(options, USUAL + 2 + length), lease);
}

static void wrong_lengths_are_ignored(void)
{
    static const unsigned char ones[255] = {[0 ... 254] = 0x11};
    struct lease lease;

    for (size_t n = 0; n < 256; n++) {
        n = n == 9 ? 250 : n;
        if (n != 1) {
            must(with(MESSAGE_TYPE, ones, n, &lease) == ACK);
            must(with(OVERLOAD, ones, n, &lease) == ACK);
        }
        if (n < 4)
            must(with(SERVER_ID, ones, n, &lease) == ACK && is_address(lease.server, 0x0a090001));
        if (n != 4) {
            must(with(LEASE_TIME, ones, n, &lease) == ACK && lease.seconds == 3600);
            must(with(RENEWAL_TIME, ones, n, &lease) == ACK && lease.t1 == 1536);
            must(with(REBINDING_TIME, ones, n, &lease) == ACK && lease.t2 == 3072);
        }
        must(with(DOMAIN_SERVER, ones, n, &lease) == ACK);
        must(lease.name_server_count == (n < 4 ? 2 : 3));
    }
    must(with(LEASE_TIME, "\0\0\0\0", 4, &lease) == 0);
    must(with(SERVER_ID, "\0\0\0\0", 4, &lease) == 0);
    must(with(RENEWAL_TIME, "\xff\xff\xff\xff", 4, &lease) == ACK && lease.t1 == 1800);
    must(with(REBINDING_TIME, "\xff\xff\xff\xff", 4, &lease) == ACK && lease.t2 == 3150);
    for (int kind = 0; kind < 256; kind++) {
        unsigned char type = (unsigned char)kind;
        must(with(MESSAGE_TYPE, &type, 1, &lease) ==
             (kind == OFFER || kind == ACK || kind == NAK ? kind : 0));
    }
}

/* Programs believe the file that a domain goes into. */
static void domains_are_clean(void)
{
    struct lease lease;
    char name[256];

    for (int c = 0; c < 256; c++) {
        snprintf(name, sizeof(name), "a%cb", c);
        bool fine =
            (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' || c == '.';
        must(with(DOMAIN_NAME, name, 3, &lease) == ACK);
        must(strcmp(lease.domain, fine ? name : "example.org") == 0);
    }
    memset(name, 'x', sizeof(name));
    must(with(DOMAIN_NAME, name, 255, &lease) == ACK && strlen(lease.domain) == 255);
    must(with(DOMAIN_NAME, "lab\0\0", 5, &lease) == ACK && strcmp(lease.domain, "lab") == 0);
    must(with(DOMAIN_NAME, "", 0, &lease) == ACK && lease.domain[0] == '\0');
}

/* More options in the fields for names: which, and not a byte beyond them. */
static void other_fields_have_options(void)
{
    struct lease lease;

    for (int which = 0; which < 256; which++) {
        unsigned char options[100], byte = (unsigned char)which;
        memcpy(options, usual, USUAL);
        memcpy(put_option(options + USUAL, OVERLOAD, &byte, 1), "", 1);
        size_t n = make(options, USUAL + 3);
        memcpy(sample + BOOT_FILE, "\3\4\x0a\x09\0\5\x34\1\3\xff", 10);
        memcpy(sample + SERVER_NAME, "\1\4\xff\xff\0\0", 6);
        must(read_copy(n, &lease) == ACK);
        must(is_address(lease.router, which & 1 ? 0x0a090005 : 0x0a090001));
        must(is_address(lease.mask, which & 2 ? 0xffff0000 : 0xffffff00));
        /* The last option would reach into the field behind. */
        memset(sample + BOOT_FILE, PAD, COOKIE - BOOT_FILE);
        memcpy(sample + COOKIE - 4, "\3\4\x0a\x09", 4);
        memset(sample + SERVER_NAME, PAD, BOOT_FILE - SERVER_NAME);
        memcpy(sample + BOOT_FILE - 2, "\1\4", 2);
        must(read_copy(n, &lease) == ACK);
        must(is_address(lease.router, 0x0a090001) && is_address(lease.mask, 0xffffff00));
    }
}

static void damage_does_no_harm(void)
{
    struct lease lease;

    for (int i = 0; i < ROUNDS; i++) {
        size_t n = make(usual, USUAL);
        for (unsigned k = draw(6); k > 0; k--)
            sample[OPTIONS + draw(USUAL)] = (unsigned char)(draw(3) ? draw(256) : draw(8));
        if (draw(4) == 0)
            for (unsigned k = SERVER_NAME; k < COOKIE; k++)
                sample[k] = (unsigned char)draw(256);
        (void)read_copy(draw(2) ? n : draw((unsigned)n + 1), &lease);
    }
}

int main(int argc, char **argv)
{
    random_begin(argc, argv);
    what_is_right_is_read();
    every_field_counts();
    no_host_has_these();
    every_length_is_tried();
    wrong_lengths_are_ignored();
    domains_are_clean();
    other_fields_have_options();
    damage_does_no_harm();
    return 0;
}

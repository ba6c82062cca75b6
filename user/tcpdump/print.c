/* A packet in a line: when, from whom, to whom, and what it is about. Numbers, no names. */
#include "tcpdump.h"

#include <ctype.h>

#define DNS_PORT 53
#define DHCP_SERVER 67
#define DHCP_CLIENT 68
#define UDP_HEADER 8
#define TCP_HEADER 20

static const char *address(struct in_addr a)
{
    return inet_ntoa(a);
}

static void print_station(const unsigned char *p)
{
    printf("%02x:%02x:%02x:%02x:%02x:%02x", p[0], p[1], p[2], p[3], p[4], p[5]);
}

static void print_time(const struct frame *f, const struct style *style)
{
    static struct timespec before;
    struct timespec t = f->time;
    struct tm tm;

    if (style->times == 1)
        return;
    if (style->times == 3) {
        struct timespec last = before.tv_sec ? before : t;
        before = t;
        t.tv_sec -= last.tv_sec;
        t.tv_nsec -= last.tv_nsec;
        if (t.tv_nsec < 0) {
            t.tv_sec--;
            t.tv_nsec += 1000000000;
        }
    }
    if (style->times == 0 && localtime_r(&t.tv_sec, &tm))
        printf("%02d:%02d:%02d.%06ld ", tm.tm_hour, tm.tm_min, tm.tm_sec, t.tv_nsec / 1000);
    else
        printf("%lld.%06ld ", (long long)t.tv_sec, t.tv_nsec / 1000);
}

/* --- what is above IP --- */

/* The question in a message of the domain name system, and how many answers it has. */
static void print_dns(const unsigned char *p, size_t n)
{
    char name[256];
    size_t at = 12, used = 0;

    if (n < at + 1)
        return;
    bool answer = p[2] & 0x80;
    while (at < n && p[at] && at + p[at] < n && used + p[at] + 2 < sizeof(name)) {
        for (unsigned i = 1; i <= p[at]; i++)
            name[used++] = isgraph(p[at + i]) ? (char)p[at + i] : '?';
        name[used++] = '.';
        at += p[at] + 1u;
    }
    name[used] = '\0';
    printf(", DNS %u %s", get16(p), answer ? "answer" : "question");
    if (n >= at + 3)
        printf(" type %u %s", get16(p + at + 1), name);
    if (answer)
        printf(", %u records, code %d", get16(p + 6), p[3] & 15);
}

static void print_dhcp(const unsigned char *p, size_t n)
{
    static const char *const kinds[] = {"",    "discover", "offer",   "request", "decline",
                                        "ack", "nak",      "release", "inform"};
    struct in_addr a;

    if (n < 240)
        return;
    for (size_t at = 240; at + 2 < n && p[at] != 255; at += p[at] ? p[at + 1] + 2u : 1)
        if (p[at] == 53 && p[at + 2] < sizeof(kinds) / sizeof(kinds[0]))
            printf(", DHCP %s", kinds[p[at + 2]]);
    memcpy(&a, p + 16, 4);
    if (a.s_addr)
        printf(" %s", address(a));
}

static void print_udp(const struct frame *f)
{
    const unsigned char *p = f->transport;

    if (f->transport_captured < UDP_HEADER) {
        printf("UDP [cut short]");
        return;
    }
    printf("UDP, length %u", get16(p + 4) - UDP_HEADER);
    if (get16(p + 4) < UDP_HEADER || (get16(p + 4) > f->transport_length && !f->more_fragments))
        printf(" [wrong]");
    size_t n = f->transport_captured - UDP_HEADER;
    if (f->source_port == DNS_PORT || f->destination_port == DNS_PORT)
        print_dns(p + UDP_HEADER, n);
    if (f->source_port == DHCP_SERVER || f->source_port == DHCP_CLIENT)
        print_dhcp(p + UDP_HEADER, n);
}

/* RFC 9293, section 3.1; RFC 7323; RFC 2018. */
static void print_tcp_options(const unsigned char *p, size_t n)
{
    const char *comma = "";

    printf(", options [");
    for (size_t at = 0; at < n; comma = ",") {
        unsigned kind = p[at], length = kind < 2 ? 1 : at + 1 < n ? p[at + 1] : 0;
        const unsigned char *v = p + at + 2;
        printf("%s", comma);
        if (length == 0 || (kind >= 2 && length < 2) || at + length > n) {
            printf("wrong");
            break;
        }
        at += length;
        if (kind == 0) {
            printf("eol");
            break;
        }
        if (kind == 1) {
            printf("nop");
        } else if (kind == 2 && length == 4) {
            printf("mss %u", get16(v));
        } else if (kind == 3 && length == 3) {
            printf("wscale %u", v[0]);
        } else if (kind == 4 && length == 2) {
            printf("sackOK");
        } else if (kind == 5 && length % 8 == 2) {
            printf("sack");
            for (unsigned i = 0; i + 2 < length; i += 8)
                printf(" %u:%u", get32(v + i), get32(v + i + 4));
        } else if (kind == 8 && length == 10) {
            printf("TS val %u ecr %u", get32(v), get32(v + 4));
        } else {
            printf("%u", kind);
        }
    }
    printf("]");
}

static void print_tcp(const struct frame *f)
{
    static const char letters[] = "FSRP.UEW"; /* from bit 0 on; the dot is ACK */
    const unsigned char *p = f->transport;
    char flags[9];
    int n = 0;

    if (f->transport_captured < TCP_HEADER) {
        printf("TCP [cut short]");
        return;
    }
    for (int i = 0; i < 8; i++)
        if (p[13] & 1 << i && i != 4)
            flags[n++] = letters[i];
    if (p[13] & 16)
        flags[n++] = '.';
    flags[n] = '\0';
    size_t header = (size_t)(p[12] >> 4) * 4;
    if (header < TCP_HEADER || header > f->transport_length) {
        printf("Flags [%s], a header of %zu bytes [wrong]", n ? flags : "none", header);
        return;
    }
    size_t data = f->transport_length - header;
    printf("Flags [%s], seq %u", n ? flags : "none", get32(p + 4));
    if (data)
        printf(":%u", get32(p + 4) + (uint32_t)data);
    if (p[13] & 16)
        printf(", ack %u", get32(p + 8));
    printf(", win %u", get16(p + 14));
    if (p[13] & 32)
        printf(", urg %u", get16(p + 18));
    if (header > TCP_HEADER && header <= f->transport_captured)
        print_tcp_options(p + TCP_HEADER, header - TCP_HEADER);
    printf(", length %zu", data);
}

static void print_icmp(const struct frame *f)
{
    const unsigned char *p = f->transport;
    size_t n = f->transport_captured;

    if (n < ICMP_HEADER) {
        printf("ICMP [cut short]");
        return;
    }
    printf("ICMP %s", icmp_text(p[0], p[1]));
    if (p[0] == ICMP_ECHO || p[0] == ICMP_ECHO_REPLY)
        printf(", id %u, seq %u", get16(p + 4), get16(p + 6));
    if (p[0] == ICMP_UNREACHABLE && p[1] == 4)
        printf(", mtu %u", get16(p + 6));
    if ((p[0] == ICMP_UNREACHABLE || p[0] == ICMP_TIME_EXCEEDED) && n >= ICMP_HEADER + 20) {
        struct in_addr to;
        memcpy(&to, p + ICMP_HEADER + 16, 4);
        printf(", of a packet to %s", address(to));
    }
    printf(", length %zu", f->transport_length);
}

static void print_igmp(const struct frame *f)
{
    const unsigned char *p = f->transport;
    struct in_addr group;

    if (f->transport_captured < 8) {
        printf("IGMP [cut short]");
        return;
    }
    memcpy(&group, p + 4, 4);
    printf("IGMP %s %s",
           p[0] == 0x11                   ? "query"
           : p[0] == 0x16 || p[0] == 0x12 ? "report"
           : p[0] == 0x17                 ? "leave"
                                          : "of another version",
           address(group));
}

/* Of TCP's or UDP's, at OFFSET of it. A sender that leaves it to the device puts the sum of addresses, protocol and
 * length there, and the device adds the rest; on the loopback nobody ever does. */
static void print_transport_checksum(const struct frame *f, size_t offset, const char *name)
{
    uint32_t sum =
        sum_words(f->ip + 12, 8, f->protocol + (uint32_t)f->transport_length);

    if (sum_words(f->transport, f->transport_length, sum) == 0xffff)
        return;
    if (get16(f->transport + offset) == sum)
        printf(", checksum of %s left to the device", name);
    else
        printf(", wrong checksum of %s", name);
}

/* The checksums that are there to be looked at, if all of the packet is. */
static void print_checksums(const struct frame *f)
{
    size_t header = (size_t)(f->ip[0] & 15) * 4, n = f->transport_length;

    if (f->captured < (size_t)(f->ip - f->data) + header)
        return;
    printf(" (ttl %u, id %u", f->ip[8], get16(f->ip + 4));
    if (sum_words(f->ip, header, 0) != 0xffff)
        printf(", wrong checksum of IP");
    if (f->transport && f->transport_captured == n && !f->more_fragments) {
        if (f->protocol == IPPROTO_TCP && n >= TCP_HEADER)
            print_transport_checksum(f, 16, "TCP");
        if (f->protocol == IPPROTO_UDP && n >= UDP_HEADER && get16(f->transport + 6) != 0)
            print_transport_checksum(f, 6, "UDP");
    }
    printf(")");
}

static void print_end(struct in_addr a, const struct frame *f, unsigned port)
{
    printf(f->has_ports ? "%s.%u" : "%s", address(a), port);
}

static void print_ip(const struct frame *f, const struct style *style)
{
    printf("IP ");
    print_end(f->source, f, f->source_port);
    printf(" > ");
    print_end(f->destination, f, f->destination_port);
    printf(": ");
    if (!f->transport)
        printf("protocol %u", f->protocol);
    else if (f->protocol == IPPROTO_UDP)
        print_udp(f);
    else if (f->protocol == IPPROTO_TCP)
        print_tcp(f);
    else if (f->protocol == IPPROTO_ICMP)
        print_icmp(f);
    else if (f->protocol == IPPROTO_IGMP)
        print_igmp(f);
    else
        printf("protocol %u, length %zu", f->protocol, f->transport_length);
    if (f->fragment || f->more_fragments)
        printf(", a piece at %u%s", f->fragment,
               f->more_fragments ? ", more to come" : ", the last");
    if (style->detail)
        print_checksums(f);
}

static void print_arp(const unsigned char *p)
{
    struct in_addr sender, target;
    unsigned operation = get16(p + 6);

    memcpy(&sender, p + 14, 4);
    memcpy(&target, p + 24, 4);
    if (operation == 1) {
        printf("ARP who has %s?", address(target));
        printf(" tell %s", address(sender));
    } else if (operation == 2) {
        printf("ARP %s is at ", address(sender));
        print_station(p + 8);
    } else {
        printf("ARP operation %u", operation);
    }
}

static void print_bytes(const struct frame *f, const struct style *style)
{
    size_t from = style->bytes == 1 && f->ether ? ETH_HLEN : 0;

    for (size_t at = from; at < f->captured; at += 16) {
        printf("\t0x%04zx: ", at - from);
        for (size_t i = 0; i < 16; i++) {
            if (at + i < f->captured)
                printf("%s%02x", i % 2 ? "" : " ", f->data[at + i]);
            else if (style->letters)
                printf("%s  ", i % 2 ? "" : " ");
        }
        for (size_t i = 0; i < 16 && style->letters && at + i < f->captured; i++)
            printf("%s%c", i ? "" : "  ", isprint(f->data[at + i]) ? f->data[at + i] : '.');
        printf("\n");
    }
}

/* The packet as text: lines end where they end, a dot stands for what can't be seen. */
static void print_text(const struct frame *f)
{
    for (size_t at = f->ether ? ETH_HLEN : 0; at < f->captured; at++) {
        unsigned char c = f->data[at];
        if (c == '\r' && at + 1 < f->captured && f->data[at + 1] == '\n')
            continue;
        putchar(isprint(c) || c == '\n' || c == '\t' ? c : '.');
    }
    printf("\n");
}

void frame_print(const struct frame *f, const struct style *style)
{
    print_time(f, style);
    if (style->link && f->ether) {
        print_station(f->ether + 6);
        printf(" > ");
        print_station(f->ether);
        printf(", type 0x%04x, length %zu: ", f->type, f->length);
    }
    if (f->ip)
        print_ip(f, style);
    else if (f->arp)
        print_arp(f->arp);
    else if (f->type == ETH_P_IP || f->type == ETH_P_ARP)
        printf("%s [cut short or wrong], length %zu", f->type == ETH_P_IP ? "IP" : "ARP",
               f->length);
    else
        printf("type 0x%04x, length %zu", f->type, f->length);
    printf("\n");
    if (style->bytes)
        print_bytes(f, style);
    if (style->text)
        print_text(f);
}

/* musl: Raw and packet sockets on the loopback: echoes, headers of one's own, filters, and frames seen both ways. */
#define _GNU_SOURCE
#include "inet.h"

#include <netpacket/packet.h>

#ifndef PACKET_HOST /* what Linux has in <linux/if_packet.h> */
#define PACKET_HOST 0
#define PACKET_OUTGOING 4
#endif
#ifndef SOL_RAW
#define SOL_RAW 255
#endif

#define IP_PROTOCOL 0x0800
#define ALL_PROTOCOLS 0x0003
#define UNUSED 253 /* a protocol for experiments (RFC 3692) */

static unsigned char got[4096];

static int raw(int protocol)
{
    return works(socket(AF_INET, SOCK_RAW, protocol));
}

static uint16_t sum_of(const void *data, size_t n)
{
    const unsigned char *at = data;
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)(at[i] << 8 | at[i + 1]);
    if (n & 1)
        sum += (uint32_t)(at[n - 1] << 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

/* The next packet of which byte AT is VALUE. */
static ssize_t receive_with(int fd, int at, int value)
{
    for (;;) {
        inet_await(fd);
        ssize_t n = works(recv(fd, got, sizeof(got), 0));
        if (n > at && got[at] == value)
            return n;
    }
}

/* --- raw --- */

TEST(raw_sockets_are_for_root)
{
    pid_t pid;
    CHILD (pid) {
        works(setuid(1000));
        fails(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
        fails(socket(AF_PACKET, SOCK_RAW, htons(ALL_PROTOCOLS)), EPERM);
    }
    exits(pid, 0);
    fails(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
}

TEST(an_echo_is_answered)
{
    int fd = raw(IPPROTO_ICMP);
    unsigned char m[64] = {8, 0, 0, 0, 0x12, 0x34, 0, 1, 'p', 'i', 'n', 'g'};
    uint16_t sum = sum_of(m, 12);
    memcpy(m + 2, &sum, 2);
    same(inet_send_to(fd, LOOP, 0, m, 12), 12);
    ssize_t n = receive_with(fd, 20, 0); /* our own echo comes by, too */
    same(n, 32);
    same(got[0], 0x45);
    same(got[9], IPPROTO_ICMP);
    same(memcmp(got + 24, m + 4, 8), 0);
    same(sum_of(got, 20), 0);
    same(sum_of(got + 20, 12), 0);
}

TEST(icmp_types_can_be_filtered)
{
    int fd = raw(IPPROTO_ICMP);
    uint32_t block = ~(1u << 0);
    socklen_t len = sizeof(block);
    unsigned char m[8] = {8, 0, 0xf7, 0xff};
    works(setsockopt(fd, SOL_RAW, 1 /* ICMP_FILTER */, &block, sizeof(block)));
    same(inet_send_to(fd, LOOP, 0, m, 8), 8);
    inet_await(fd);
    same(recv(fd, got, sizeof(got), 0), 28);
    same(got[20], 0); /* the answer alone */
    works(getsockopt(fd, SOL_RAW, 1, &block, &len));
    same(block, ~1u);
    int other = raw(UNUSED);
    fails(setsockopt(other, SOL_RAW, 1, &block, sizeof(block)), EOPNOTSUPP);
}

TEST(each_gets_its_protocol)
{
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    int a = raw(UNUSED), b = raw(UNUSED), c = raw(UNUSED - 1);
    same(inet_send_to(a, LOOP, 0, "data", 4), 4);
    inet_await(b);
    same(recvfrom(b, got, sizeof(got), 0, (struct sockaddr *)&from, &len), 24);
    same(memcmp(got + 20, "data", 4), 0);
    same(got[9], UNUSED);
    same(ntohl(from.sin_addr.s_addr), LOOP);
    same(from.sin_port, 0);
    same(recv(a, got, sizeof(got), MSG_DONTWAIT), 24);
    fails(recv(c, got, sizeof(got), MSG_DONTWAIT), EAGAIN);
}

TEST(bound_and_connected_hear_less)
{
    int a = raw(UNUSED), b = raw(UNUSED), from = raw(UNUSED - 1);
    works(inet_bind(a, 0x7f000002, 0));
    works(inet_connect(b, 0x7f000003, 0));
    fails(inet_bind(from, 0xc0000201, 0), EADDRNOTAVAIL);
    int sender = raw(UNUSED);
    same(inet_send_to(sender, LOOP, 0, "1", 1), 1);
    fails(recv(a, got, sizeof(got), MSG_DONTWAIT), EAGAIN);
    fails(recv(b, got, sizeof(got), MSG_DONTWAIT), EAGAIN);
    same(inet_send_to(sender, 0x7f000002, 0, "2", 1), 1);
    same(recv(a, got, sizeof(got), MSG_DONTWAIT), 21);
    fails(send(sender, "x", 1, 0), EDESTADDRREQ);
    same(send(b, "x", 1, 0), 1);
}

TEST(a_header_of_ones_own)
{
    int to = raw(UNUSED), fd = raw(IPPROTO_RAW);
    unsigned char m[24] = {0x45, 0, 0, 0, 0,   9, 0, 0, 33,  UNUSED, 0,  0,
                           127,  0, 0, 8, 127, 0, 0, 1, 'o', 'w',    'n'};
    same(inet_option(fd, IPPROTO_IP, IP_HDRINCL), 1);
    same(inet_send_to(fd, LOOP, 0, m, 23), 23);
    inet_await(to);
    same(recv(to, got, sizeof(got), 0), 23);
    same(got[8], 33);
    same(got[15], 8); /* whoever it says it is from */
    same(got[3], 23); /* the length and the sum are filled in */
    same(sum_of(got, 20), 0);
    fails(inet_send_to(fd, LOOP, 0, m, 10), EINVAL);
    static char much[65536];
    fails(inet_send_to(to, LOOP, 0, much, 65516), EMSGSIZE); /* with its header it is a byte too long */
}

/* --- packet --- */

static int packets(int type, int protocol)
{
    struct sockaddr_ll a = {.sll_family = AF_PACKET, .sll_ifindex = 1};
    a.sll_protocol = htons((uint16_t)protocol);
    int fd = works(socket(AF_PACKET, type, 0));
    works(bind(fd, (struct sockaddr *)&a, sizeof(a)));
    return fd;
}

TEST(frames_of_the_loopback_have_a_header)
{
    struct sockaddr_ll from;
    socklen_t len = sizeof(from);
    int fd = packets(SOCK_RAW, IP_PROTOCOL), out = raw(UNUSED);
    same(inet_send_to(out, LOOP, 0, "frame", 5), 5);
    do {
        inet_await(fd);
        len = sizeof(from);
        works(recvfrom(fd, got, sizeof(got), 0, (struct sockaddr *)&from, &len));
    } while (got[14 + 9] != UNUSED);
    same(got[12], 0x08);
    same(got[13], 0x00);
    for (int i = 0; i < 12; i++)
        same(got[i], 0);
    same(memcmp(got + 34, "frame", 5), 0);
    same(from.sll_family, AF_PACKET);
    same(ntohs(from.sll_protocol), IP_PROTOCOL);
    same(from.sll_ifindex, 1);
    same(from.sll_hatype, 772);
    same(from.sll_pkttype, PACKET_HOST);
    same(from.sll_halen, 6);
}

TEST(datagrams_come_without_it)
{
    int fd = packets(SOCK_DGRAM, IP_PROTOCOL), out = raw(UNUSED);
    same(inet_send_to(out, LOOP, 0, "bare", 4), 4);
    same(receive_with(fd, 9, UNUSED), 24);
    same(got[0], 0x45);
}

TEST(who_wants_all_sees_both_ways)
{
    struct sockaddr_ll from;
    socklen_t len;
    int fd = packets(SOCK_DGRAM, ALL_PROTOCOLS), out = raw(UNUSED);
    int seen[5] = {0};
    same(inet_send_to(out, LOOP, 0, "twice", 5), 5);
    for (int n = 0; n < 2;) {
        inet_await(fd);
        len = sizeof(from);
        works(recvfrom(fd, got, sizeof(got), 0, (struct sockaddr *)&from, &len));
        if (got[9] != UNUSED)
            continue;
        seen[from.sll_pkttype]++;
        n++;
    }
    same(seen[PACKET_OUTGOING], 1);
    same(seen[PACKET_HOST], 1);
}

TEST(a_frame_can_be_sent)
{
    const int experiment = 0x88b5; /* IEEE 802's for experiments */
    int in = packets(SOCK_RAW, experiment), fd = packets(SOCK_DGRAM, IP_PROTOCOL);
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = 1, .sll_halen = 6};
    to.sll_protocol = htons((uint16_t)experiment);
    same(sendto(fd, "raw", 3, 0, (struct sockaddr *)&to, sizeof(to)), 3);
    inet_await(in);
    same(recv(in, got, sizeof(got), 0), 17);
    same(got[12], 0x88);
    same(got[13], 0xb5);
    same(memcmp(got + 14, "raw", 3), 0);
    to.sll_ifindex = 12345;
    fails(sendto(fd, "raw", 3, 0, (struct sockaddr *)&to, sizeof(to)), ENXIO);
    fails(sendto(fd, "raw", 3, 0, (struct sockaddr *)&to, 5), EINVAL);
}

/* Whatever it says of the station's length, nothing behind its end may be taken for the station. */
TEST(a_frames_destination_is_a_whole_address)
{
    static const int types[] = {SOCK_DGRAM, SOCK_RAW};
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = 1};
    const struct sockaddr *a = (const struct sockaddr *)&to;

    for (int i = 0; i < 2; i++) {
        int fd = packets(types[i], IP_PROTOCOL);
        for (socklen_t len = 1; len < sizeof(to); len++) {
            fails(sendto(fd, got, 64, 0, a, len), EINVAL);
            fails(bind(fd, a, len), EINVAL);
        }
        same(sendto(fd, got, 64, 0, a, sizeof(to)), 64);
        works(bind(fd, a, sizeof(to)));
    }
}

TEST(packet_sockets_have_names)
{
    struct sockaddr_ll a = {.sll_family = AF_PACKET, .sll_ifindex = 12345};
    socklen_t len = sizeof(a);
    int fd = packets(SOCK_RAW, IP_PROTOCOL);
    fails(bind(fd, (struct sockaddr *)&a, sizeof(a)), ENODEV);
    fails(bind(fd, (struct sockaddr *)&a, 4), EINVAL);
    works(getsockname(fd, (struct sockaddr *)&a, &len));
    same(len, 18);
    same(a.sll_ifindex, 1);
    same(a.sll_halen, 6);
    same(ntohs(a.sll_protocol), IP_PROTOCOL);
    len = sizeof(a);
    fails(getpeername(fd, (struct sockaddr *)&a, &len), EOPNOTSUPP);
    fails(socket(AF_PACKET, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
}

TEST(packet_sockets_count)
{
    struct {
        unsigned packets, drops;
    } stats;
    socklen_t len = sizeof(stats);
    int fd = packets(SOCK_RAW, IP_PROTOCOL), out = raw(UNUSED);
    same(inet_send_to(out, LOOP, 0, "x", 1), 1);
    inet_await(fd);
    works(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len));
    check(stats.packets >= 1, "%u packets", stats.packets);
    same(stats.drops, 0);
}

int main(void)
{
    return tap_run("rawsock");
}

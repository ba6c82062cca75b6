/* Packets (net/packet.h): headers that were taken off can be put on again, wherever the bytes behind them lie. */
#include "net/packet.h"

#include "lib/string.h"
#include "tests/kernel/ktest.h"

#define IP 20u
#define UDP 8u

/* As an error about a datagram needs it, whose first buffer ends with its IP header. */
KTEST(packet, a_header_is_still_there_when_the_next_was_gathered)
{
    char header[IP], data[UDP], got[IP + UDP];
    struct packet *p = packet_alloc(PACKET_HEADROOM, PACKET_HEADROOM + IP);
    struct buf *halves[2];

    memset(header, 'h', sizeof(header));
    memset(data, 'd', sizeof(data));
    memcpy(packet_put(p, IP), header, IP);
    for (unsigned i = 0; i < 2; i++) {
        halves[i] = buf_alloc_small(UDP / 2);
        memcpy(halves[i]->base, data, UDP / 2);
        halves[i]->len = UDP / 2;
        packet_append(p, halves[i]);
    }
    packet_pull(p, IP);
    KEXPECT(packet_header(p, UDP) && !memcmp(packet_header(p, UDP), data, UDP));
    packet_unpull(p, IP);
    KEXPECT_EQ(p->len, IP + UDP);
    packet_copy(p, 0, got, sizeof(got));
    KEXPECT(!memcmp(got, header, IP) && !memcmp(got + IP, data, UDP));
    packet_free(p);
}

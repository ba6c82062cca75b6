/* Where the headers of a frame are. Nothing is believed: each length is compared with what there is. */
#include "tcpdump.h"

#define IP_LEAST 20
#define ARP_LENGTH 28
#define VLAN_TAG 4

/* P: an IPv4 packet, of which N bytes are there and LENGTH were. */
static void decode_ip(struct frame *f, const unsigned char *p, size_t n, size_t length)
{
    if (n < IP_LEAST || p[0] >> 4 != 4)
        return;
    size_t header = (size_t)(p[0] & 15) * 4, total = get16(p + 2);
    if (total == 0)
        total = length; /* to be cut by the device, and not yet known */
    if (header < IP_LEAST || header > total)
        return;
    f->ip = p;
    f->protocol = p[9];
    memcpy(&f->source, p + 12, 4);
    memcpy(&f->destination, p + 16, 4);
    f->fragment = (get16(p + 6) & 0x1fff) * 8;
    f->more_fragments = get16(p + 6) & 0x2000;
    if (n > total)
        n = total; /* Ethernet's padding */
    if (f->fragment || header > n)
        return;
    f->transport = p + header;
    f->transport_captured = n - header;
    f->transport_length = total - header;
    f->has_ports = (f->protocol == IPPROTO_TCP || f->protocol == IPPROTO_UDP) && n - header >= 4;
    if (f->has_ports) {
        f->source_port = get16(f->transport);
        f->destination_port = get16(f->transport + 2);
    }
}

void frame_decode(struct frame *f, int link)
{
    const unsigned char *p = f->data;
    size_t header = link == LINK_ETHERNET ? ETH_HLEN : link == LINK_COOKED ? 16 : 0;

    f->ether = f->arp = f->ip = f->transport = NULL;
    f->has_ports = f->more_fragments = false;
    f->type = f->protocol = f->fragment = 0;
    if (f->captured < header || f->length < header)
        return;
    if (link == LINK_ETHERNET)
        f->ether = p;
    f->type = header ? get16(p + header - 2) : ETH_P_IP;
    p += header;
    size_t n = f->captured - header, length = f->length - header;
    if (f->type == ETH_P_8021Q && n >= VLAN_TAG) {
        f->type = get16(p + 2);
        p += VLAN_TAG;
        n -= VLAN_TAG;
        length -= VLAN_TAG;
    }
    if (f->type == ETH_P_IP)
        decode_ip(f, p, n, length);
    if (f->type == ETH_P_ARP && n >= ARP_LENGTH && get16(p) == 1 && get16(p + 2) == ETH_P_IP &&
        p[4] == 6 && p[5] == 4)
        f->arp = p;
}

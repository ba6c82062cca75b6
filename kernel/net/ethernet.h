/* Ethernet, and ARP (RFC 826), which finds the neighbour's address on the link for an IPv4 address. */
#pragma once

#include "lib/types.h"
#include "net/netdev.h"

struct ethernet_header {
    uint8_t destination[NETDEV_ADDRESS];
    uint8_t source[NETDEV_ADDRESS];
    uint16_t type; /* network order */
} packed;

extern const struct link_ops ethernet_link;

/* Put a header before P and send it to the station TO. */
int ethernet_transmit(struct netdev *dev, struct packet *p, const uint8_t *to, uint16_t type);

/* --- arp.c --- */

/* Send P to NEXT, as soon as its address on the link is known. P is taken over. */
void arp_send(struct netdev *dev, uint32_t next, struct packet *p);
/* Tell the link that DEV has ADDRESS now (RFC 5227, section 3); nothing while the link is down. Any context. */
void arp_announce(struct netdev *dev, uint32_t address);
/* Forget what is known of DEV's link; SIOCDARP, SIOCSARP: one entry, for good if PERMANENT. */
void arp_flush(struct netdev *dev);
int arp_set(struct netdev *dev, uint32_t address, const uint8_t *station, bool permanent);
int arp_remove(struct netdev *dev, uint32_t address);
struct neighbor_info {
    struct netdev *dev;
    uint32_t address; /* network order */
    uint8_t station[NETDEV_ADDRESS];
    bool known, doubted, permanent; /* doubted: it is being asked again */
    bool failed;                    /* nobody has answered */
};
/* What is known of ADDRESS, or asked for. False: there is no entry. */
bool arp_find(struct netdev *dev, uint32_t address, struct neighbor_info *out);
/* EMIT is called with the table's lock held. */
void arp_for_each(void (*emit)(void *ctx, const struct neighbor_info *n), void *ctx);
void arp_init(void);

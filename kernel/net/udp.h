/* What UDP's two halves share: udp.c (ports, input) and udp_socket.c (the calls). */
#pragma once

#include "net/inet.h"

struct udp_header {
    uint16_t source, destination; /* network order, as all below */
    uint16_t length;              /* with this header */
    uint16_t checksum;            /* 0: none */
};
#define UDP_DATA_MAX (IPV4_MAX - IPV4_HEADER - (uint32_t)sizeof(struct udp_header))

/* A datagram that is being put together by several calls (MSG_MORE, UDP_CORK). */
struct corked {
    struct ipv4_send to; /* const: where, by the first call's words */
    uint16_t port;       /* const: host order */
    struct packet *p;    /* rx.lock */
};

extern struct inet_table udp_table;

int udp_create(int protocol, struct socket **out);
/* Take PORT, or if 0 one that is free, at ADDRESS. udp_table.lock held. -EADDRINUSE. */
int udp_take_port_locked(struct inet_socket *i, uint32_t address, uint16_t port);
/* A port of our choice, if it has none: -EAGAIN: there is none left. */
int udp_autobind(struct inet_socket *i);

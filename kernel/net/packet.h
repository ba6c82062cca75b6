/*
 * A packet on its way between a socket and a wire: a list of the queue's buffers (ipc/queue.h) and what
 * the layers say to each other about it. Headers stand in the first buffer, which has room in front for
 * them, so that each layer adds its own by moving one offset; data that a program has written, or that a
 * program will read, is never copied on the way but referred to.
 *
 *     [ room | ethernet | ip | tcp ]  ->  [ data ]  ->  [ data ]
 *
 * A packet has one owner at any time, who hands it on or frees it; no lock guards it.
 */
#pragma once

#include "ipc/queue.h"
#include "lib/list.h"
#include "lib/types.h"

struct netdev;

/* Room for the headers of every layer: Ethernet (with a tag) 18, IPv4 60, TCP 60. */
#define PACKET_HEADROOM 144

/* What is known of the transport's checksum. */
enum packet_checksum {
    CHECKSUM_UNKNOWN, /* received: to be verified. To be sent: complete as it stands. */
    CHECKSUM_GOOD,    /* received: the device, or this machine itself, vouches for it */
    CHECKSUM_PARTIAL, /* only the pseudo header's is there: the rest, from checksum_start to the end,
                         is the device's to add, at checksum_start + checksum_offset */
};

/* Out of an IPv4 header: addresses in network order, lengths in bytes. */
struct packet_ip {
    uint32_t source, destination;
    uint8_t tos, ttl, protocol;
    uint8_t header_len;   /* the header stands so many bytes before the packet's start */
    bool local_broadcast; /* for all on the link, or a group: no errors about it, no connections */
};

/* A link's address. */
struct packet_link {
    uint8_t address[8];
    uint8_t len;
};

struct packet {
    struct list link;    /* of whatever list it waits on */
    struct list bufs;    /* struct buf, in order; never empty */
    uint32_t len;        /* bytes in bufs, from the current layer's header on */
    struct netdev *dev;  /* where it came from or goes to */
    uint16_t protocol;   /* EtherType, host order */
    uint8_t checksum;    /* enum packet_checksum */
    bool looped;         /* a copy of what this machine sent to a group: it has no link's header */
    uint8_t packet_type; /* received: PACKET_HOST, _BROADCAST, _MULTICAST, _OTHERHOST (<abi/...>) */
    uint16_t checksum_start;  /* from the packet's present start; see packet_push and packet_pull */
    uint16_t checksum_offset; /* from there: 16 in TCP, 6 in UDP */
    uint16_t
        segment_size; /* 0, or a TCP packet longer than the MTU: cut it into so many bytes each */
    nsec_t received;  /* CLOCK_REALTIME, for SO_TIMESTAMP and AF_PACKET; 0: nobody asked */
    struct packet_ip ip;                   /* what IP knows of it, once it does */
    uint32_t fragment_start, fragment_len; /* while it waits for the rest: which bytes it is */
    uint16_t source_port;                  /* what UDP knows, host order */
    struct packet_link from;               /* received: its sender on the link, for AF_PACKET */
};

/* A packet with one empty buffer of ROOM bytes, HEADROOM of them before its first. NULL: no memory. */
struct packet *packet_alloc(uint32_t headroom, uint32_t room);
/* A packet of B's bytes; it takes B over. */
struct packet *packet_from_buf(struct buf *b);
void packet_free(struct packet *p);
void packet_free_empty(struct packet *p); /* one whose buffers have been taken away */
/* A packet with the same bytes, of which those behind the first buffer are shared. NULL: no memory. */
struct packet *packet_clone(struct packet *p);

/* The bytes [OFF, OFF+N) alone, in memory of their own, with room for headers. NULL: no memory. */
struct packet *packet_copy_range(const struct packet *p, uint32_t off, uint32_t n);

/* A's bytes become B's, and the other way round; all else stays. */
void packet_swap_data(struct packet *a, struct packet *b);

/* N more bytes in front: the new start. The first buffer has the room, or it is a bug. */
void *packet_push(struct packet *p, uint32_t n);
/* The first N bytes in one piece, copied together if need be. NULL: it is shorter, or no memory. */
void *packet_header(struct packet *p, uint32_t n);
/* Take N bytes off the front, N <= len; off the end, so that LEN are left. */
void packet_pull(struct packet *p, uint32_t n);
void packet_trim(struct packet *p, uint32_t len);
/* Undo the last packet_pull() of N bytes, which stood in one piece and were not written over. */
void packet_unpull(struct packet *p, uint32_t n);
/* N bytes behind those in the last buffer: where to write them. NULL: not that much room there. */
void *packet_put(struct packet *p, uint32_t n);
/* Add B at the end; the packet takes it over. */
void packet_append(struct packet *p, struct buf *b);
/* Add FROM's bytes at P's end; what is left of FROM is freed. */
void packet_join(struct packet *p, struct packet *from);
/* Bytes [OFF, OFF+N) to OUT; they are there, or it is a bug. */
void packet_copy(const struct packet *p, uint32_t off, void *out, uint32_t n);

/* --- the Internet checksum (RFC 1071) --- */

/* Sum of 16-bit words over DATA, added to SUM. Pieces of odd length only at the end. */
uint32_t checksum_add(uint32_t sum, const void *data, size_t n);
/* The sum over bytes [OFF, len) of the packet, added to SUM. */
uint32_t packet_checksum_add(const struct packet *p, uint32_t off, uint32_t sum);
/* The sum of a header of N 32-bit words. */
static inline uint32_t checksum_words(const void *header, unsigned n)
{
    const char *at = header;
    uint64_t wide = 0;
    uint32_t word;

    for (; n; n--, at += sizeof(word)) {
        __builtin_memcpy(&word, at, sizeof(word)); /* behind Ethernet's header it isn't aligned */
        wide += word;
    }
    wide = (wide & 0xffffffff) + (wide >> 32);
    wide = (wide & 0xffffffff) + (wide >> 32);
    return (uint32_t)((wide & 0xffff) + (wide >> 16));
}
static inline uint16_t checksum_finish(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}
/* Do what CHECKSUM_PARTIAL left to the device, for one that can't. */
void packet_checksum_complete(struct packet *p);

void packet_init_subsystem(void);

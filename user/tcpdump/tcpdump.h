/*
 * The parts of tcpdump: tcpdump.c listens and reads, decode.c finds the headers, filter.c chooses, print.c says what a
 * packet is in a line, pcap.c keeps packets in files.
 */
#pragma once

#include "../icmp.h"

#include <net/ethernet.h>

#define FRAME_MAX 70000 /* a segment of 64 KiB that a device will cut, and its headers */

/* A frame and its headers. A pointer is NULL where there is no such header, or not the whole of it. */
struct frame {
    const unsigned char *data;
    size_t captured, length;    /* bytes that we have; that it had */
    struct timespec time;       /* of day */
    const unsigned char *ether; /* 14 bytes */
    unsigned type;              /* EtherType */
    const unsigned char *arp;   /* 28 bytes, for Ethernet and IPv4 */
    const unsigned char *ip;
    unsigned protocol;
    struct in_addr source, destination;
    unsigned fragment; /* offset in bytes, of ip */
    bool more_fragments;
    const unsigned char *transport; /* behind ip, of the first fragment */
    size_t transport_captured, transport_length;
    bool has_ports;
    unsigned source_port, destination_port;
};

/* The kinds of file (pcap's link types) that can be read; those that are written have Ethernet's. */
enum {
    LINK_ETHERNET = 1,
    LINK_RAW = 101,
    LINK_COOKED = 113,
};

/* --- decode.c --- */
/* Fill in F from its data and lengths: what the N bytes begin with is LINK. */
void frame_decode(struct frame *f, int link);

/* --- filter.c --- */
/* Understand the words, or end with a message. */
void filter_compile(char **words);
bool filter_wants(const struct frame *f);

/* --- print.c --- */
struct style {
    int times;   /* -t: 0 time of day, 1 none, 2 seconds since 1970, 3 since the frame before */
    bool link;   /* -e */
    bool detail; /* -v */
    int bytes;   /* -x: 1 behind the link's header, 2 from it on; -X, -XX: with letters */
    bool letters;
    bool text; /* -A */
};
void frame_print(const struct frame *f, const struct style *style);

/* --- pcap.c --- */
/* A file that was opened, and what its frames begin with; the end when it is none of ours. */
FILE *pcap_open(const char *name, int *link);
/* The next frame, its bytes in P of FRAME_MAX. False: the end. */
bool pcap_read(FILE *file, unsigned char *p, struct frame *f);
FILE *pcap_create(const char *name, size_t most);
void pcap_write(FILE *file, const struct frame *f, size_t most);

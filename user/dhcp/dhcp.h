/*
 * The parts of dhcp: dhcp.c is the client's states, message.c the messages, link.c how they travel before there is
 * an address, probe.c whether somebody has it, setup.c what is done with a lease.
 */
#pragma once

#include "../net.h"

#define SERVER_PORT 67
#define CLIENT_PORT 68
#define MESSAGE_MAX 1472 /* bytes that a packet on an Ethernet has for it */
#define NAME_SERVERS 3
#define FOREVER 0xffffffffu /* seconds */

/* Kinds of message (RFC 2132, section 9.6). */
enum {
    DISCOVER = 1,
    OFFER = 2,
    REQUEST = 3,
    DECLINE = 4,
    ACK = 5,
    NAK = 6,
    RELEASE = 7,
};

struct lease {
    struct in_addr address, mask, router, server; /* 0: none was given */
    struct in_addr name_servers[NAME_SERVERS];
    int name_server_count;
    char domain[256]; /* "": none */
    uint32_t seconds, t1,
        t2;          /* from the moment of the request: the end, to renew, to ask everybody */
    long long since; /* that moment, of milliseconds() */
};

/* The interface that is to be set up. */
struct interface {
    char name[IFNAMSIZ];
    int index;
    unsigned char station[6];
};

/* --- dhcp.c --- */

/* Sleep until END, of milliseconds(), or until FD (-1: none) has something: then true. Not longer than wanted. */
bool wait_until(int fd, long long end);

/* --- message.c --- */

/*
 * Write a message of KIND to P (MESSAGE_MAX bytes); its length. LEASE is what the message is about: the offer that
 * is asked for, or, if it is RUNNING, our own to be renewed or given back; NULL: nothing yet. SECONDS since we began.
 */
size_t message_make(unsigned char *p, int kind, uint32_t id, unsigned seconds,
                    const struct interface *on, const struct lease *lease, bool running);
/* The kind of the N bytes at P, if they answer the question ID of this interface; 0: they don't. */
int message_read(const unsigned char *p, size_t n, uint32_t id, const struct interface *on,
                 struct lease *lease);

/* --- link.c --- */

/* A socket that gets every IP packet of the interface; the end when that isn't allowed. */
int link_open(const struct interface *on);
/* Broadcast the N bytes at P from port 68 of nobody to port 67 of everybody. False with errno. */
bool link_send(int fd, const struct interface *on, const unsigned char *p, size_t n);
/* What came to port 68: the bytes, in P of MESSAGE_MAX; 0: it was something else. */
size_t link_receive(int fd, unsigned char *p);

/* --- probe.c --- */

/* Does somebody else claim ADDRESS, asked for PAUSE milliseconds? 0: nobody is asked. */
bool address_is_taken(const struct interface *on, struct in_addr address, long long pause);

/* --- setup.c --- */

/* The interface called NAME; NULL: the first Ethernet there is. The end when there is none. */
void interface_find(struct interface *on, const char *name);
/* Give it the lease's address, the way to the router, and the name servers; OLD is what it had, or NULL. */
void lease_apply(const struct interface *on, const struct lease *lease, const struct lease *old);
void lease_remove(const struct interface *on, const struct lease *lease);

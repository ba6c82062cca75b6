/*
 * Sockets that receive packets one by one: UDP, raw and packet sockets. What has arrived is a list of
 * packets, with the readers asleep on the socket's rx.readable and everything under rx.lock; a packet's
 * data stay in the buffers that the device, or the sender, put them in, until a reader copies them out.
 */
#pragma once

#include "lib/list.h"
#include "net/packet.h"
#include "net/socket.h"

struct datagram_socket {
    struct socket s;
    struct list packets;  /* s.rx.lock: what waits to be read */
    unsigned room_taken;  /* s.rx.lock: by packets, against s.receive_limit */
    unsigned dropped;     /* s.rx.lock: for want of room, since boot */
    unsigned arrived;     /* s.rx.lock: for PACKET_STATISTICS */
    bool stamp, stamp_ns; /* written under s.rx.lock, read at once: SO_TIMESTAMP, SO_TIMESTAMPNS */
    int bound_device;     /* atomic: SO_BINDTODEVICE: its index; 0: any */
};
#define PACKET_COST 512u /* what a packet takes of a limit besides its bytes */

void datagram_init(struct datagram_socket *d);
/* Forget all that has arrived. No lock held. */
void datagram_flush(struct datagram_socket *d);

/* P has come for D: it is taken over. False: there was no room, it is dropped. Any context. */
bool datagram_put(struct datagram_socket *d, struct packet *p);
/* Something else has changed that sleepers and pollers look at: an error, a shutdown. */
void datagram_wake(struct datagram_socket *d, unsigned key);
/*
 * Wait for a packet as M says; with MSG_PEEK *OUT is a copy. 0; 1: nothing will come any more (shut down); or
 * -errno, of which -EAGAIN also for the time limit.
 */
int datagram_take(struct datagram_socket *d, const struct message *m, struct packet **out);
/* P's data to the reader: what recv returns, or -EFAULT. MSG_TRUNC is seen to. P is freed. */
ssize_t datagram_give(struct message *m, struct packet *p);
/* The time of arrival, if it was asked for: 0 or -EFAULT. */
int datagram_give_time(struct datagram_socket *d, struct message *m, const struct packet *p);

unsigned datagram_poll(struct datagram_socket *d, struct poll_table *pt);
/* Bytes of the first packet: FIONREAD. */
int datagram_first_len(struct datagram_socket *d);
/* SIOCINQ, SIOCOUTQ: 0 or -errno; -ENOTTY: neither. */
long datagram_ioctl(struct datagram_socket *d, unsigned cmd, unsigned long arg);
/* SO_TIMESTAMP, SO_BINDTODEVICE and the like: -ENOPROTOOPT. */
int datagram_set_option(struct datagram_socket *d, int name, const void *value, unsigned len);
int datagram_get_option(struct datagram_socket *d, int name, void *value, unsigned *len);
/* The shutdown bits, for whoever looks. HOW: SHUTDOWN_*. */
void datagram_shutdown(struct datagram_socket *d, unsigned how);

/* All of U in a packet with room for headers; err_ptr: -EFAULT, -ENOMEM. May sleep. */
struct packet *packet_from_uio(struct uio *u);
/* Do any sockets want to know when packets came? */
bool datagram_stamps_wanted(void);

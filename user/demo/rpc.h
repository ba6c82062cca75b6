/*
 * Remote procedure calls: how arguments become bytes (XDR, RFC 4506), how a call and its answer look (RFC 5531), by
 * UDP; a client that asks until it is answered, and a server that may remember what it has answered.
 *
 * XDR: everything takes a multiple of four bytes, the highest first. Whoever packs or unpacks more than there is place
 * for makes the buffer `bad`, and that is asked for once, at the end.
 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "demo.h"

#define RPC_MESSAGE_MAX 1400 /* bytes: fits into one frame */
#define RPC_PATIENCE 1000    /* milliseconds until a client asks again */
#define RPC_TRIES 5
#define RPC_REMEMBERED 64 /* answers that a server keeps */

/* --- XDR --- */

struct xdr {
    uint8_t data[RPC_MESSAGE_MAX];
    size_t at,
        size; /* what comes next; where what there is ends, or for packing what there is place for */
    bool bad;
};

static inline void xdr_start(struct xdr *x)
{
    x->at = 0;
    x->size = sizeof x->data;
    x->bad = false;
}

/* The next N bytes; NULL: there aren't so many. */
static inline uint8_t *xdr_take(struct xdr *x, size_t n)
{
    if (x->bad || n > x->size - x->at) {
        x->bad = true;
        return NULL;
    }
    x->at += n;
    return x->data + x->at - n;
}

static inline void xdr_put(struct xdr *x, uint32_t value)
{
    uint8_t *to = xdr_take(x, 4);

    for (int i = 0; to != NULL && i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static inline uint32_t xdr_get(struct xdr *x)
{
    const uint8_t *from = xdr_take(x, 4);

    return from == NULL ? 0
                        : (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 |
                              (uint32_t)from[2] << 8 | from[3];
}

static inline void xdr_put_hyper(struct xdr *x, int64_t value)
{
    xdr_put(x, (uint32_t)((uint64_t)value >> 32));
    xdr_put(x, (uint32_t)value);
}

static inline int64_t xdr_get_hyper(struct xdr *x)
{
    uint64_t high = xdr_get(x);

    return (int64_t)(high << 32 | xdr_get(x));
}

/* The length, the bytes, and zeros up to a multiple of four. */
static inline void xdr_put_string(struct xdr *x, const char *text)
{
    size_t n = strlen(text), all = (n + 3) / 4 * 4;

    xdr_put(x, (uint32_t)n);
    uint8_t *to = xdr_take(x, all);
    if (to != NULL)
        memcpy(memset(to, 0, all), text, n);
}

/* Into TEXT of SIZE bytes, with a zero behind it. */
static inline void xdr_get_string(struct xdr *x, char *text, size_t size)
{
    size_t n = xdr_get(x);
    const uint8_t *from = n < size ? xdr_take(x, (n + 3) / 4 * 4) : NULL;

    if (from != NULL)
        memcpy(text, from, n);
    else
        x->bad = true;
    text[from != NULL ? n : 0] = '\0';
}

/* --- messages: RFC 5531, section 9 --- */

#define RPC_VERSION 2
#define RPC_CREDENTIALS_MAX 400 /* of somebody who says who they are; nobody is asked here */

enum { RPC_CALL, RPC_REPLY };
enum { RPC_ACCEPTED, RPC_DENIED };

/* accept_stat */
enum rpc_status {
    RPC_SUCCESS,
    RPC_PROG_UNAVAIL,
    RPC_PROG_MISMATCH,
    RPC_PROC_UNAVAIL,
    RPC_GARBAGE_ARGS,
    RPC_SYSTEM_ERR,
    RPC_NO_ANSWER, /* none of theirs: nobody is there, or it is no answer */
};

/* Who it says it is: passed over. */
static inline void rpc_skip_credentials(struct xdr *x)
{
    xdr_get(x);
    size_t n = xdr_get(x);
    if (n > RPC_CREDENTIALS_MAX)
        x->bad = true;
    xdr_take(x, (n + 3) / 4 * 4);
}

static inline void rpc_put_no_credentials(struct xdr *x)
{
    xdr_put(x, 0);
    xdr_put(x, 0);
}

/* --- sockets --- */

static inline struct sockaddr_in rpc_address(in_addr_t host, unsigned port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(host)}};
}

static inline int rpc_bound(in_addr_t host, unsigned port)
{
    struct sockaddr_in a = rpc_address(host, port);
    int fd = (int)need(socket(AF_INET, SOCK_DGRAM, 0));

    need(bind(fd, (struct sockaddr *)&a, sizeof a));
    return fd;
}

static inline unsigned rpc_port(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;

    need(getsockname(fd, (struct sockaddr *)&a, &len));
    return ntohs(a.sin_port);
}

/* --- the client --- */

struct rpc_client {
    int fd;
    uint32_t xid;   /* of the last call: the answer has it, and a repetition too */
    int losses;     /* so many answers to each call the client takes for lost */
    unsigned calls; /* that were sent, repetitions too */
};

static inline struct rpc_client rpc_client_of(struct sockaddr_in server)
{
    struct rpc_client c = {.fd = (int)need(socket(AF_INET, SOCK_DGRAM, 0))};
    struct timespec now;

    /* One who had this port before us must not have used the same numbers. */
    clock_gettime(CLOCK_REALTIME, &now);
    c.xid = (uint32_t)(now.tv_nsec ^ now.tv_sec << 20);
    need(connect(c.fd, (struct sockaddr *)&server, sizeof server));
    return c;
}

/* Is what has come the answer to call XID? Then RESULTS stands behind its head, and *STATUS is what it says. */
static inline bool rpc_is_answer(struct xdr *results, uint32_t xid, enum rpc_status *status)
{
    if (xdr_get(results) != xid || xdr_get(results) != RPC_REPLY)
        return false;
    *status = RPC_SYSTEM_ERR;
    if (xdr_get(results) == RPC_ACCEPTED) {
        rpc_skip_credentials(results);
        *status = (enum rpc_status)xdr_get(results);
    }
    return !results->bad;
}

/*
 * Call PROCEDURE with what is packed in ARGS, and have what it says in RESULTS, to be unpacked. The call is repeated
 * until it is answered: whether the call or the answer was lost can't be seen from here.
 */
static inline enum rpc_status rpc_call(struct rpc_client *c, uint32_t program, uint32_t version,
                                       uint32_t procedure, const struct xdr *args,
                                       struct xdr *results)
{
    const uint32_t head[] = {++c->xid, RPC_CALL, RPC_VERSION, program, version, procedure};
    struct pollfd p = {c->fd, POLLIN, 0};
    int losses = c->losses;
    enum rpc_status status;
    struct xdr call;

    xdr_start(&call);
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        xdr_put(&call, head[i]);
    rpc_put_no_credentials(&call);
    rpc_put_no_credentials(&call);
    uint8_t *to = xdr_take(&call, args->at);
    if (to == NULL || args->bad)
        return RPC_GARBAGE_ARGS;
    memcpy(to, args->data, args->at);
    for (int i = 0; i < RPC_TRIES; i++) {
        c->calls++;
        need(send(c->fd, call.data, call.at, 0));
        while (need(poll(&p, 1, RPC_PATIENCE)) > 0) {
            ssize_t n = recv(c->fd, results->data, sizeof results->data, 0);
            if (n < 0)
                return RPC_NO_ANSWER; /* ICMP has said so */
            xdr_start(results);
            results->size = (size_t)n;
            if (!rpc_is_answer(results, c->xid, &status))
                continue; /* late: of a call before */
            if (losses-- > 0)
                break;
            return status;
        }
    }
    return RPC_NO_ANSWER;
}

/* --- the server --- */

struct rpc_program {
    uint32_t number, version;
    /* The procedure: unpack ARGS, do it, pack RESULTS. FROM: who asks. */
    enum rpc_status (*call)(uint32_t procedure, struct xdr *args, struct xdr *results,
                            const struct sockaddr_in *from);
};

/* An answer, and to which call: number, caller. */
struct rpc_memory {
    uint32_t xid;
    struct sockaddr_in from;
    size_t size; /* 0: nothing is here */
    uint8_t answer[RPC_MESSAGE_MAX];
};

struct rpc_server {
    int fd;
    struct rpc_program program;
    bool remembers; /* a call that comes again is answered again, and not done again */
    struct rpc_memory memory[RPC_REMEMBERED];
    unsigned next; /* to be forgotten */
};

static inline struct rpc_memory *rpc_remembered(struct rpc_server *s, uint32_t xid,
                                                const struct sockaddr_in *from)
{
    for (size_t i = 0; i < RPC_REMEMBERED; i++) {
        struct rpc_memory *m = &s->memory[i];
        if (m->size > 0 && m->xid == xid && m->from.sin_port == from->sin_port &&
            m->from.sin_addr.s_addr == from->sin_addr.s_addr)
            return m;
    }
    return NULL;
}

/* The head of an answer that is ACCEPTED or not, up to its status. */
static inline void rpc_answer(struct xdr *answer, uint32_t xid, uint32_t accepted, uint32_t status)
{
    xdr_start(answer);
    xdr_put(answer, xid);
    xdr_put(answer, RPC_REPLY);
    xdr_put(answer, accepted);
    if (accepted == RPC_ACCEPTED)
        rpc_put_no_credentials(answer);
    xdr_put(answer, status);
}

/* The answer to CALL, which stands behind its number. False: it deserves none. */
static inline bool rpc_do(struct rpc_server *s, uint32_t xid, struct xdr *call, struct xdr *answer,
                          const struct sockaddr_in *from)
{
    if (xdr_get(call) != RPC_CALL)
        return false;
    uint32_t version = xdr_get(call), number = xdr_get(call), its_version = xdr_get(call),
             procedure = xdr_get(call);
    rpc_skip_credentials(call);
    rpc_skip_credentials(call);
    if (call->bad)
        return false;
    if (version != RPC_VERSION) {
        rpc_answer(answer, xid, RPC_DENIED, 0);
        xdr_put(answer, RPC_VERSION);
        xdr_put(answer, RPC_VERSION);
    } else if (number != s->program.number) {
        rpc_answer(answer, xid, RPC_ACCEPTED, RPC_PROG_UNAVAIL);
    } else if (its_version != s->program.version) {
        rpc_answer(answer, xid, RPC_ACCEPTED, RPC_PROG_MISMATCH);
        xdr_put(answer, s->program.version);
        xdr_put(answer, s->program.version);
    } else {
        rpc_answer(answer, xid, RPC_ACCEPTED, RPC_SUCCESS);
        enum rpc_status status = s->program.call(procedure, call, answer, from);
        if (status == RPC_SUCCESS && answer->bad)
            status = RPC_SYSTEM_ERR;
        if (status != RPC_SUCCESS)
            rpc_answer(answer, xid, RPC_ACCEPTED, status);
    }
    return true;
}

/* For ever. What isn't a call is passed over without a word. */
static inline void rpc_serve(struct rpc_server *s)
{
    struct sockaddr_in from;
    struct xdr call, answer;

    for (;;) {
        socklen_t len = sizeof from;
        ssize_t n =
            need(recvfrom(s->fd, call.data, sizeof call.data, 0, (struct sockaddr *)&from, &len));
        xdr_start(&call);
        call.size = (size_t)n;
        uint32_t xid = xdr_get(&call);
        struct rpc_memory *m = s->remembers ? rpc_remembered(s, xid, &from) : NULL;
        if (m == NULL) {
            if (!rpc_do(s, xid, &call, &answer, &from))
                continue;
            m = &s->memory[s->next++ % RPC_REMEMBERED];
            m->xid = xid;
            m->from = from;
            m->size = answer.at;
            memcpy(m->answer, answer.data, answer.at);
        }
        sendto(s->fd, m->answer, m->size, 0, (struct sockaddr *)&from, len);
    }
}

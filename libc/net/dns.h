/*
 * Messages of the domain name system (RFC 1035, section 4): a header of 12 bytes, the question, and records.
 *
 *      id    flags  questions answers authority additional | name type class | name type class ttl length data ...
 *      2     2      2         2       2         2          | ..   2    2     | ..   2    2     4   2      ..
 *
 * Nothing here talks to anybody: dns.c reads and writes bytes, and is tested without a network.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dns_record {
    char owner[256];
    int type, class;
    uint32_t ttl; /* seconds */
    const unsigned char *data;
    int length; /* of data */
};

static inline int dns_number(const unsigned char *p)
{
    return p[0] << 8 | p[1];
}

/* Is ANSWER (LENGTH bytes) an answer to QUESTION: the same id, opcode and question? */
bool __dns_answers(const unsigned char *answer, int length, const unsigned char *question,
                   int question_length);
/* Does it say that it was too long for a datagram? */
bool __dns_is_cut_short(const unsigned char *answer);
/* What an answer that answers says of itself: 0 or why it is useless, an h_errno; -1: ask somebody else. */
int __dns_verdict(const unsigned char *answer);

/* Behind the header and the question; NULL: the message ends before. */
const unsigned char *__dns_records(const unsigned char *message, int length);
/* Read the record at P and go behind it; NULL: it isn't whole. */
const unsigned char *__dns_next(const unsigned char *message, int length, const unsigned char *p,
                                struct dns_record *record);
/*
 * Follow the aliases of NAME through the answers and call EMIT with each alias (a record of type CNAME) and each record
 * of TYPE of what they lead to; EMIT says false when it has enough of these. NAME (256 bytes) becomes the name that has
 * them. The number of records, aliases not counted; -1: damaged.
 */
int __dns_collect(const unsigned char *message, int length, char *name, int type,
                  bool (*emit)(void *ctx, const unsigned char *message, int length,
                               const struct dns_record *record),
                  void *ctx);

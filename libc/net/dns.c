/* Reading and writing messages of the domain name system; see dns.h. Every byte of an answer may be a lie. */
#include "net/dns.h"

#include <resolv.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#define FLAG_ANSWER 0x80
#define FLAG_TRUNCATED 0x02
#define FLAG_RECURSION 0x01 /* desired */
#define OPCODE 0x78
#define RCODE 0x0f
#define POINTER 0xc0  /* of a length: the rest of the name is elsewhere (section 4.1.4) */
#define ALIASES_MAX 8 /* that lead from one to the next */

int dn_skipname(const unsigned char *source, const unsigned char *end)
{
    const unsigned char *p = source;

    while (p < end) {
        if (*p == 0)
            return (int)(p + 1 - source);
        if (*p & POINTER)
            return end - p >= 2 ? (int)(p + 2 - source) : -1;
        p += *p + 1;
    }
    return -1;
}

int dn_expand(const unsigned char *message, const unsigned char *end, const unsigned char *source,
              char *name, int size)
{
    const unsigned char *p = source;
    int used = 0, total = 0, taken = dn_skipname(source, end);

    if (size > NS_MAXCDNAME)
        size = NS_MAXCDNAME;
    while (p < end && *p != 0) {
        if (*p & POINTER) {
            /* A circle costs at least the two bytes of a pointer each time round. */
            total += 2;
            if (end - p < 2 || (*p & POINTER) != POINTER || total > end - message)
                return -1;
            p = message + (dns_number(p) & ~(POINTER << 8));
            continue;
        }
        if (end - p < *p + 2 || used + (used > 0) + *p + 1 > size)
            return -1;
        if (used > 0)
            name[used++] = '.';
        for (int i = 1; i <= *p; i++) {
            /* A dot within a label would read as two labels, a NUL as the end. */
            if (p[i] == '.' || p[i] == 0)
                return -1;
            name[used++] = (char)p[i];
        }
        total += *p + 1;
        p += *p + 1;
    }
    if (p >= end || size < 1)
        return -1;
    name[used] = '\0';
    return taken;
}

/* NAME as labels; the length, -1. */
static int put_name(const char *name, unsigned char *to, int size)
{
    int used = 0;

    while (*name != '\0') {
        size_t label = strcspn(name, ".");
        if (label == 0 && used == 0 && name[1] == '\0')
            break; /* the root, "." */
        if (label == 0 || label > NS_MAXLABEL || used + (int)label + 2 > size)
            return -1;
        to[used++] = (unsigned char)label;
        memcpy(to + used, name, label);
        used += (int)label;
        name += label + (name[label] == '.');
    }
    if (used + 1 > size || used + 1 > NS_MAXCDNAME)
        return -1;
    to[used++] = 0;
    return used;
}

int res_mkquery(int op, const char *name, int class, int type, const unsigned char *data,
                int length, const unsigned char *unused, unsigned char *message, int size)
{
    static const unsigned char head[NS_HFIXEDSZ] = {[2] = FLAG_RECURSION, [5] = 1};
    int at = NS_HFIXEDSZ, name_length;

    (void)data;
    (void)length;
    (void)unused;
    if (op != 0 || size < NS_HFIXEDSZ + NS_QFIXEDSZ + 1 || class < 0 || class > 0xffff ||
        type < 0 || type > 0xffff)
        return -1;
    name_length = put_name(name, message + at, size - at - NS_QFIXEDSZ);
    if (name_length < 0)
        return -1;
    at += name_length;
    memcpy(message, head, sizeof head);
    /* The id is half of what keeps strangers from answering; the port that the question leaves by is the other. */
    if (getrandom(message, 2, 0) != 2)
        return -1;
    message[at++] = (unsigned char)(type >> 8);
    message[at++] = (unsigned char)type;
    message[at++] = (unsigned char)(class >> 8);
    message[at++] = (unsigned char)class;
    return at;
}

bool __dns_answers(const unsigned char *answer, int length, const unsigned char *question,
                   int question_length)
{
    if (length < question_length || dns_number(answer) != dns_number(question) ||
        !(answer[2] & FLAG_ANSWER) || (answer[2] & OPCODE) != 0 || dns_number(answer + 4) != 1)
        return false;
    /* The lengths of labels are below any letter, so they can be compared as letters. */
    return strncasecmp((const char *)answer + NS_HFIXEDSZ, (const char *)question + NS_HFIXEDSZ,
                       (size_t)dn_skipname(question + NS_HFIXEDSZ, question + question_length)) ==
               0 &&
           memcmp(answer + question_length - NS_QFIXEDSZ, question + question_length - NS_QFIXEDSZ,
                  NS_QFIXEDSZ) == 0;
}

bool __dns_is_cut_short(const unsigned char *answer)
{
    return answer[2] & FLAG_TRUNCATED;
}

int __dns_verdict(const unsigned char *answer)
{
    if (__dns_is_cut_short(answer))
        return NO_RECOVERY;
    switch (answer[3] & RCODE) {
    case ns_r_noerror: return 0;
    case ns_r_nxdomain: return HOST_NOT_FOUND;
    case ns_r_formerr:
    case ns_r_notimpl: return NO_RECOVERY;
    default: return -1;
    }
}

const unsigned char *__dns_records(const unsigned char *message, int length)
{
    const unsigned char *p = message + NS_HFIXEDSZ, *end = message + length;

    if (length < NS_HFIXEDSZ)
        return NULL;
    for (int n = dns_number(message + 4); n > 0; n--) {
        int name_length = dn_skipname(p, end);
        if (name_length < 0 || end - p < name_length + NS_QFIXEDSZ)
            return NULL;
        p += name_length + NS_QFIXEDSZ;
    }
    return p;
}

const unsigned char *__dns_next(const unsigned char *message, int length, const unsigned char *p,
                                struct dns_record *record)
{
    const unsigned char *end = message + length;
    int name_length = dn_expand(message, end, p, record->owner, sizeof record->owner);

    if (name_length < 0 || end - p < name_length + NS_RRFIXEDSZ)
        return NULL;
    p += name_length;
    record->type = dns_number(p);
    record->class = dns_number(p + 2);
    record->ttl = (uint32_t)dns_number(p + 4) << 16 | (uint32_t)dns_number(p + 6);
    record->length = dns_number(p + 8);
    record->data = p + NS_RRFIXEDSZ;
    return end - record->data < record->length ? NULL : record->data + record->length;
}

int __dns_collect(const unsigned char *message, int length, char *name, int type,
                  bool (*emit)(void *ctx, const unsigned char *message, int length,
                               const struct dns_record *record),
                  void *ctx)
{
    struct dns_record record;
    int found = 0;
    bool alias = true;

    for (int hop = 0; alias && found == 0; hop++) {
        const unsigned char *p = __dns_records(message, length);
        alias = false;
        if (hop > ALIASES_MAX)
            return -1;
        for (int n = dns_number(message + 6); n > 0; n--) {
            if (p == NULL || (p = __dns_next(message, length, p, &record)) == NULL)
                return -1;
            if (record.class != ns_c_in || strcasecmp(record.owner, name) != 0)
                continue;
            if (record.type == type) {
                found++;
                if (!emit(ctx, message, length, &record))
                    return found;
            } else if (record.type == ns_t_cname && !alias && found == 0) {
                if (dn_expand(message, message + length, record.data, name, NS_MAXCDNAME) < 0)
                    return -1;
                emit(ctx, message, length, &record);
                alias = true;
            }
        }
    }
    return found;
}

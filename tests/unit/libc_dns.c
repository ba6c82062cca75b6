/*
 * libc's reading of answers from name servers, with the sanitizers looking on: what is right is read rightly, and
 * damaged messages are never read beyond their end.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/random.h"

/* Ours under names of their own, beside the host's. */
#include <netdb.h>
#include <resolv.h>
#undef res_mkquery
#undef dn_expand
#undef dn_skipname
#define res_mkquery our_mkquery
#define dn_expand our_expand
#define dn_skipname our_skipname
int our_mkquery(int, const char *, int, int, const unsigned char *, int, const unsigned char *,
                unsigned char *, int);
int our_expand(const unsigned char *, const unsigned char *, const unsigned char *, char *, int);
int our_skipname(const unsigned char *, const unsigned char *);
#include "libc/net/dns.c"

#define ROUNDS 30000

#define must(condition)                                                  \
    do {                                                                 \
        if (!(condition)) {                                              \
            printf("line %d: %s does not hold\n", __LINE__, #condition); \
            exit(1);                                                     \
        }                                                                \
    } while (0)

/* An answer with an alias, two addresses by pointer, and a name by pointer within a name. */
static const unsigned char sample[] = "\x12\x34\x81\x80\0\1\0\3\0\0\0\0"
                                      "\3www\7example\3org\0\0\1\0\1"
                                      "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\7\4host\xc0\x10"
                                      "\xc0\x2d\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1"
                                      "\xc0\x2d\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\2";
#define SAMPLE ((int)sizeof sample - 1)
#define QUESTION 33 /* bytes of it that are the question */

static bool note(void *ctx, const unsigned char *message, int length,
                 const struct dns_record *record)
{
    unsigned sum = 0;
    for (int i = 0; i < record->length; i++)
        sum += record->data[i];
    must(record->data >= message && record->data + record->length <= message + length);
    *(unsigned *)ctx += sum + 1;
    return true;
}

static void read_rightly(void)
{
    char name[256] = "WWW.example.org";
    unsigned sum = 0;

    must(__dns_collect(sample, SAMPLE, name, 1, note, &sum) == 2);
    must(strcmp(name, "host.example.org") == 0);
    must(sum == (4 + 'h' + 'o' + 's' + 't' + 0xc0 + 0x10 + 1) + (10 + 1 + 1) + (10 + 2 + 1));
    must(__dns_answers(sample, SAMPLE, sample, QUESTION) == true);
    must(__dns_verdict(sample) == 0);
}

static void write_rightly(void)
{
    unsigned char question[512];
    char name[300];

    must(our_mkquery(0, "www.example.org", 1, 1, NULL, 0, NULL, question, sizeof question) == 33);
    must(memcmp(question + 4, "\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\1\0\1", 29) == 0);
    must(our_mkquery(0, "www.example.org.", 1, 1, NULL, 0, NULL, question, sizeof question) == 33);
    must(our_mkquery(0, ".", 1, 2, NULL, 0, NULL, question, sizeof question) == 17);
    must(our_mkquery(0, "www.example.org", 1, 1, NULL, 0, NULL, question, 32) == -1);
    must(our_mkquery(0, "www.example.org", 1, 1, NULL, 0, NULL, question, 33) == 33);
    must(our_mkquery(0, "a..b", 1, 1, NULL, 0, NULL, question, sizeof question) == -1);
    must(our_mkquery(1, "a.b", 1, 1, NULL, 0, NULL, question, sizeof question) == -1);
    memset(name, 'a', sizeof name);
    name[64] = '\0';
    must(our_mkquery(0, name, 1, 1, NULL, 0, NULL, question, sizeof question) == -1);
    name[63] = '\0';
    must(our_mkquery(0, name, 1, 1, NULL, 0, NULL, question, sizeof question) == 12 + 65 + 4);
}

/* How many addresses the N bytes at MESSAGE, whose memory ends there, have; -1: nonsense, -2: it is no answer. */
static int read_copy(const unsigned char *message, int n)
{
    unsigned char *copy = malloc((size_t)n + !n);
    char name[256] = "www.example.org";
    unsigned sum = 0;
    int found = -2;

    memcpy(copy, message, (size_t)n);
    if (__dns_answers(copy, n, sample, QUESTION))
        found = __dns_verdict(copy) ? -2 : __dns_collect(copy, n, name, 1, note, &sum);
    free(copy);
    return found;
}

/* Each field of an answer with something wrong in turn: RFC 1035, section 4.1. */
static void read_wrong(void)
{
    /* Where each record's type, class and length are; the first is the alias. */
    static const int records[] = {35, 54, 70};
    unsigned char message[SAMPLE];

#define WITH(at, value) \
    (memcpy(message, sample, SAMPLE), message[at] = (unsigned char)(value), message)
    for (int n = 0; n < SAMPLE; n++)
        must(read_copy(sample, n) == (n < QUESTION ? -2 : -1));
    for (int value = 0; value < 256; value++) {
        must(read_copy(WITH(0, value), SAMPLE) == (value == 0x12 ? 2 : -2)); /* the id */
        must(read_copy(WITH(1, value), SAMPLE) == (value == 0x34 ? 2 : -2));
        bool answers = (value & 0x80) && !(value & 0x78); /* QR, opcode */
        must(read_copy(WITH(2, value), SAMPLE) == (answers && !(value & 2) ? 2 : -2));
        must(read_copy(WITH(3, value), SAMPLE) == (value & 15 ? -2 : 2)); /* rcode */
        must(read_copy(WITH(4, value), SAMPLE) == (value ? -2 : 2));      /* questions */
        must(read_copy(WITH(5, value), SAMPLE) == (value == 1 ? 2 : -2));
        must(read_copy(WITH(6, value), SAMPLE) ==
             (value ? -1 : 2)); /* records: more than there are */
        must(read_copy(WITH(7, value), SAMPLE) == (value > 3 ? -1 : value ? value - 1 : 0));
        for (int at = 8; at < 12; at++) /* those that nobody looks at */
            must(read_copy(WITH(at, value), SAMPLE) == 2);
        for (int at = 12; at < QUESTION; at++) { /* what was asked: letters of either case */
            bool same = value == sample[at] ||
                        (at < QUESTION - 4 && isalpha(sample[at]) && value == (sample[at] ^ 0x20));
            must(read_copy(WITH(at, value), SAMPLE) == (same ? 2 : -2));
        }
        for (int r = 1; r < 3; r++) {
            int at = records[r];
            must(read_copy(WITH(at, value), SAMPLE) == (value ? 1 : 2)); /* type and class */
            must(read_copy(WITH(at + 1, value), SAMPLE) >= (value == 5 ? -1 : 1));
            must(read_copy(WITH(at + 2, value), SAMPLE) == (value ? 1 : 2));
            must(read_copy(WITH(at + 3, value), SAMPLE) == (value == 1 ? 2 : 1));
            if (value) /* longer than the message */
                must(read_copy(WITH(at + 8, value), SAMPLE) == -1);
            if (value > 20)
                must(read_copy(WITH(at + 9, value), SAMPLE) == -1);
        }
        /* Whose the alias is: a pointer to itself, beyond the end, to who asked, to another name. */
        int owner = read_copy(WITH(34, value), SAMPLE);
        must(value != 33 || owner == -1);
        must(value < SAMPLE || owner == -1);
        must(value != 12 || owner == 2);
        must(value != 45 || owner == 0);
    }
#undef WITH
}

/* A copy that ends where its memory ends, so that the sanitizer sees each byte too many. */
static void read_damaged(void)
{
    int length = draw(2) ? SAMPLE : (int)draw((unsigned)SAMPLE + 1);
    unsigned char *message = malloc((size_t)length + !length);
    char name[256] = "www.example.org";
    unsigned sum = 0;

    memcpy(message, sample, (size_t)length);
    for (unsigned n = draw(6); n > 0 && length > 0; n--)
        message[draw((unsigned)length)] = (unsigned char)(draw(3) ? draw(256) : 0xc0);
    if (__dns_answers(message, length, sample, QUESTION)) {
        (void)__dns_verdict(message);
        int found = __dns_collect(message, length, name, 1, note, &sum);
        must(found >= -1 && strlen(name) < sizeof name);
    }
    for (int i = 0; i < length; i++) {
        int size = 1 + (int)draw(255);
        char *text = malloc((size_t)size);
        int taken = our_expand(message, message + length, message + i, text, size);
        must(taken == -1 || (taken > 0 && i + taken <= length && (int)strlen(text) < size));
        must(taken == -1 || taken == our_skipname(message + i, message + length));
        free(text);
    }
    free(message);
}

int main(int argc, char **argv)
{
    random_begin(argc, argv);
    read_rightly();
    write_rightly();
    read_wrong();
    for (int i = 0; i < ROUNDS; i++)
        read_damaged();
    return 0;
}

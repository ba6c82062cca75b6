/*
 * libc's reading of answers from name servers, with the sanitizers looking on: what is right is read rightly, and
 * damaged messages are never read beyond their end.
 */
#define _GNU_SOURCE
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
    must(__dns_answers(sample, SAMPLE, sample, 33) == true);
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
    if (__dns_answers(message, length, sample, 33)) {
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
    for (int i = 0; i < ROUNDS; i++)
        read_damaged();
    return 0;
}

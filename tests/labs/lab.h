/*
 * What the test programs of the labs tell the grader.
 *
 * A program reports what it saw, never what it thinks of it: lab_report("rip", "%#lx", rip). The grader,
 * outside, knows what should have been seen. Reports go to a file, which is brought out when the
 * machine has ended.
 *
 * A kernel under test might write such a file itself. So each report carries a tag, SipHash-2-4 of its
 * text under a key that stands in this program alone: the grader replaces lab_key in the finished
 * program, afresh for each run. After each report the key becomes its own hash and the old one is gone,
 * so that what has been reported can't be reported otherwise later.
 *
 * A line of the file is: TAG INDEX KEY VALUE, where INDEX counts this program's reports (a child made by
 * fork goes on counting from its parent's), and in VALUE \n and \\ stand for those two characters.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LAB_FILE "/lab/reports"
#define LAB_STOPPED 99 /* the status of a program that lab_must() ended */
#define LAB_MAX_VALUE 2048

/* All under lab_lock: the key of the next report, and its number. The grader looks for these 16 bytes. */
static volatile unsigned char lab_key[17] = "@LAB-KEY-HERE-@!";
static unsigned lab_index;
static volatile char lab_lock;

static inline uint64_t lab_rotate(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static inline void lab_sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = lab_rotate(v[1], 13) ^ v[0];
    v[0] = lab_rotate(v[0], 32);
    v[2] += v[3];
    v[3] = lab_rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = lab_rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = lab_rotate(v[1], 17) ^ v[2];
    v[2] = lab_rotate(v[2], 32);
}

/* SipHash-2-4 (Aumasson and Bernstein, 2012) of SIZE bytes under lab_key. */
static inline uint64_t lab_hash(const char *text, size_t size)
{
    uint64_t key[2], v[4], word;
    size_t i, n;

    for (i = 0; i < sizeof(key); i++)
        ((unsigned char *)key)[i] = lab_key[i];
    v[0] = key[0] ^ 0x736f6d6570736575;
    v[1] = key[1] ^ 0x646f72616e646f6d;
    v[2] = key[0] ^ 0x6c7967656e657261;
    v[3] = key[1] ^ 0x7465646279746573;
    for (i = 0; i <= size; i += 8) {
        word = 0;
        n = size - i < 8 ? size - i : 8;
        memcpy(&word, text + i, n);
        if (n < 8)
            word |= (uint64_t)size << 56;
        v[3] ^= word;
        lab_sip_round(v);
        lab_sip_round(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for (i = 0; i < 4; i++)
        lab_sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The key of the next report is made from this one's, which is lost. */
static inline void lab_next_key(void)
{
    uint64_t next[2] = {lab_hash("0", 1), lab_hash("1", 1)};

    for (size_t i = 0; i < sizeof(next); i++)
        lab_key[i] = ((unsigned char *)next)[i];
    memset(next, 0, sizeof(next));
    lab_index++;
}

/* Copy VALUE, a line of its own, into the rest of a line. */
static inline size_t lab_escape(char *to, const char *value)
{
    size_t n = 0;

    for (; *value != '\0'; value++) {
        if (*value == '\n' || *value == '\\')
            to[n++] = '\\';
        to[n++] = *value == '\n' ? 'n' : *value;
    }
    return n;
}

/*
 * Report that KEY, a word, was seen as what FORMAT makes of the rest: at most LAB_MAX_VALUE - 1 bytes. The same
 * key may be reported often; the grader gets a list. From any thread; not from a handler that may
 * interrupt a report. errno stays. A report that can't be written is lost, and the grader will miss it.
 */
__attribute__((format(printf, 2, 3), unused)) static void lab_report(const char *key,
                                                                     const char *format, ...)
{
    char value[LAB_MAX_VALUE], line[2 * LAB_MAX_VALUE + 128];
    int saved = errno, file;
    va_list args;
    uint64_t hash;
    size_t n;

    va_start(args, format);
    vsnprintf(value, sizeof(value), format, args);
    va_end(args);
    while (__atomic_test_and_set(&lab_lock, __ATOMIC_ACQUIRE))
        sched_yield();
    n = (size_t)snprintf(line, 128, "%16s %u %.64s ", "", lab_index, key);
    n += lab_escape(line + n, value);
    hash = lab_hash(line + 17, n - 17);
    for (int i = 0; i < 16; i++) /* the same number of instructions for every key: runs repeat */
        line[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
    line[n++] = '\n';
    lab_next_key();
    __atomic_clear(&lab_lock, __ATOMIC_RELEASE);
    file = open(LAB_FILE, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file >= 0) {
        if (write(file, line, n) != (ssize_t)n)
            fprintf(stderr, "a report of %s is lost\n", key);
        close(file);
    }
    errno = saved;
}

/*
 * For what must work before there is anything to look at: lab_must(fd = open(...)). When CALL gives a negative
 * value, the program reports where and with which errno it stopped, and ends; the grader shows that.
 */
#define lab_must(call)                                                                  \
    do {                                                                                \
        if ((long)(call) < 0) {                                                         \
            lab_report("stopped", "line %d: %s: %s", __LINE__, #call, strerror(errno)); \
            _exit(LAB_STOPPED);                                                         \
        }                                                                               \
    } while (0)

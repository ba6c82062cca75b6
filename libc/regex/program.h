/*
 * What a regular expression becomes: a program for a machine that reads the text.
 *
 *      a(b|c)*d        0  CHAR a
 *                      1  SPLIT +1 +7      go on at 2, or at 8
 *                      2  SAVE 2           the group begins
 *                      3  SPLIT +1 +3
 *                      4  CHAR b
 *                      5  JUMP +2
 *                      6  CHAR c
 *                      7  SAVE 3, 8 SPLIT -6 +1, ...
 *
 * Places are relative to the instruction, so a piece of program can be moved and copied as it is: that
 * is how repetitions are made.
 */
#pragma once

#include <limits.h>
#include <regex.h>
#include <stdbool.h>

enum opcode {
    CHAR,       /* this byte */
    ANY,        /* any byte */
    SET,        /* a byte of sets[x] */
    BACK,       /* again what group x holds */
    SPLIT,      /* at x or at y; a negative x repeats */
    JUMP,       /* at x */
    SAVE,       /* note the position as number x: group x / 2 begins or ends */
    LINE_BEGIN, /* these take no byte but look what is around */
    LINE_END,
    WORD_BEGIN,
    WORD_END,
    WORD_EDGE,
    NO_WORD_EDGE,
    MATCH,
};

struct instruction {
    enum opcode op;
    int x, y;
};

struct byte_set {
    unsigned long bits[4];
};

struct __regex {
    int flags; /* regcomp's */
    int count, room;
    int set_count;
    bool has_back;
    bool first_known; /* a match begins with a byte of `first` */
    struct byte_set first;
    struct instruction *code;
    struct byte_set *sets;
};

#define PROGRAM_MAX 65536 /* instructions: x{255}{255} fits, a third level is refused */

static inline bool set_has(const struct byte_set *set, unsigned char c)
{
    return set->bits[c / 64] >> c % 64 & 1;
}

static inline void set_add(struct byte_set *set, unsigned char c)
{
    set->bits[c / 64] |= 1UL << c % 64;
}

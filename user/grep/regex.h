/*
 * Regular expressions: POSIX's basic and extended ones, with \< \> \b \B \w \W \s \S \+ \? \| as GNU has them. One
 * becomes a program (compile.c) for a machine that reads the text (match.c):
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
#include <stdbool.h>
#include <stddef.h>

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

struct regex {
    bool ignore_case;
    bool has_back;
    bool first_known; /* a match begins with a byte of `first` */
    int count, room;
    int set_count;
    struct byte_set first;
    struct instruction *code;
    struct byte_set *sets;
};

enum regex_flags { REGEX_EXTENDED = 1, REGEX_IGNORE_CASE = 2 };

/* NULL: the pattern is none, and *ERROR says why. The caller frees the rest with regex_free. */
struct regex *regex_compile(const char *pattern, int flags, const char **error);
void regex_free(struct regex *re);

struct regex_match {
    size_t from, to;
};

enum regex_result { NOT_FOUND, FOUND, GIVEN_UP /* no memory, or too many ways */ };

/*
 * The leftmost match, and of those the longest, that begins at FROM or later and ends at TO or earlier. TEXT is a line
 * of LENGTH bytes, any bytes: ^ and $ are its ends. With M NULL nobody asks where, which is faster.
 */
enum regex_result regex_find(const struct regex *re, const char *text, size_t length, size_t from,
                             size_t to, struct regex_match *m);

static inline bool set_has(const struct byte_set *set, unsigned char c)
{
    return set->bits[c / 64] >> c % 64 & 1;
}

static inline void set_add(struct byte_set *set, unsigned char c)
{
    set->bits[c / 64] |= 1UL << c % 64;
}

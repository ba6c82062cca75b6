/* <regex.h>: POSIX's basic and extended regular expressions, with \< \> \b \w \s \+ \? \| as GNU has them. */
#pragma once

#include <abi/types.h>
#include <stddef.h>

typedef long regoff_t;

typedef struct {
    size_t re_nsub;            /* groups in the expression */
    struct __regex *__program; /* what regcomp() made of it */
} regex_t;

typedef struct {
    regoff_t rm_so, rm_eo; /* from where to where; -1: this group took no part */
} regmatch_t;

/* regcomp() */
#define REG_EXTENDED 1
#define REG_ICASE 2
#define REG_NEWLINE 4
#define REG_NOSUB 8

/* regexec() */
#define REG_NOTBOL 1
#define REG_NOTEOL 2
#define REG_STARTEND 4 /* from BSD: match[0] says where the text lies; it may hold NUL */

enum {
    REG_NOMATCH = 1,
    REG_BADPAT,
    REG_ECOLLATE,
    REG_ECTYPE,
    REG_EESCAPE,
    REG_ESUBREG,
    REG_EBRACK,
    REG_EPAREN,
    REG_EBRACE,
    REG_BADBR,
    REG_ERANGE,
    REG_ESPACE,
    REG_BADRPT,
};

int regcomp(regex_t *restrict regex, const char *restrict pattern, int flags);
int regexec(const regex_t *restrict regex, const char *restrict text, size_t count,
            regmatch_t *restrict match, int flags);
size_t regerror(int error, const regex_t *restrict regex, char *restrict buf, size_t size);
void regfree(regex_t *regex);

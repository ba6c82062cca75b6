/*
 * File modes as people write them: u+rw,go-w or 755 for mkdir and mkfifo, -rw-r--r-- from ls and stat.
 */
#pragma once

#include "command.h"

/* The bits that the letters u, g, o stand for, with those that s and t mean to them. */
static inline mode_t mode_class(char c)
{
    switch (c) {
    case 'u': return S_ISUID | S_IRWXU;
    case 'g': return S_ISGID | S_IRWXG;
    case 'o': return S_ISVTX | S_IRWXO;
    case 'a': return S_ISUID | S_ISGID | S_ISVTX | 0777;
    default: return 0;
    }
}

/* What stands behind an operator: letters of permissions for everybody, or whose to copy. */
static inline const char *mode_permissions(const char *p, mode_t mode, mode_t *bits)
{
    mode_t x = S_IXUSR | S_IXGRP | S_IXOTH;
    *bits = 0;
    if (*p == 'u' || *p == 'g' || *p == 'o') {
        int shift = *p == 'u' ? 6 : *p == 'g' ? 3 : 0;
        *bits = (mode >> shift & 7) * 0111;
        return p + 1;
    }
    for (;; p++) {
        switch (*p) {
        case 'r': *bits |= S_IRUSR | S_IRGRP | S_IROTH; break;
        case 'w': *bits |= S_IWUSR | S_IWGRP | S_IWOTH; break;
        case 'x': *bits |= x; break;
        case 'X': *bits |= S_ISDIR(mode) || (mode & x) ? x : 0; break;
        case 's': *bits |= S_ISUID | S_ISGID; break;
        case 't': *bits |= S_ISVTX; break;
        default: return p;
        }
    }
}

/* Change *MODE as TEXT says (chmod(1)'s operand). False: TEXT is no mode. */
static inline bool mode_parse(const char *text, mode_t *mode)
{
    char *end;
    if (*text >= '0' && *text <= '7') {
        unsigned long number = strtoul(text, &end, 8);
        *mode = (*mode & S_IFMT) | (mode_t)(number & 07777);
        return *end == '\0' && number <= 07777;
    }
    mode_t mask = umask(0);
    umask(mask);
    for (const char *p = text;; p++) {
        mode_t who = 0, bits;
        while (mode_class(*p))
            who |= mode_class(*p++);
        mode_t touched =
            who ? who : mode_class('a') & ~mask; /* nobody named: all, but the umask holds */
        if (*p == '\0' || !strchr("+-=", *p))
            return false;
        while (*p && strchr("+-=", *p)) {
            char sign = *p;
            p = mode_permissions(p + 1, *mode, &bits);
            if (sign == '=')
                *mode &= ~(who ? who : mode_class('a'));
            if (sign == '-')
                *mode &= ~(bits & touched);
            else
                *mode |= bits & touched;
        }
        if (*p != ',')
            return *p == '\0';
    }
}

static inline char mode_type(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return '-';
    case S_IFDIR: return 'd';
    case S_IFLNK: return 'l';
    case S_IFCHR: return 'c';
    case S_IFBLK: return 'b';
    case S_IFIFO: return 'p';
    case S_IFSOCK: return 's';
    default: return '?';
    }
}

/* Ten letters, as ls -l shows them. */
static inline void mode_string(mode_t mode, char text[11])
{
    static const mode_t special[] = {S_ISUID, S_ISGID, S_ISVTX};
    static const char letters[] = "sst", capitals[] = "SST";
    text[0] = mode_type(mode);
    for (int i = 0; i < 3; i++) {
        mode_t bits = mode >> (6 - 3 * i);
        text[1 + 3 * i] = bits & 4 ? 'r' : '-';
        text[2 + 3 * i] = bits & 2 ? 'w' : '-';
        text[3 + 3 * i] = bits & 1 ? 'x' : '-';
        if (mode & special[i])
            text[3 + 3 * i] = bits & 1 ? letters[i] : capitals[i];
    }
    text[10] = '\0';
}

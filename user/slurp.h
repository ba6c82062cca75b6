/*
 * Input of which the end must be known before the beginning can be used: for head, tail and sort.
 */
#pragma once

#include "command.h"

struct text {
    char *data;
    size_t length, room;
};

/* Read more, once. 0: the end of the file. */
static inline ssize_t text_read(struct text *text, int fd)
{
    if (text->room - text->length < 32768) {
        text->room = text->room * 2 + 65536;
        text->data = need_memory(realloc(text->data, text->room));
    }
    ssize_t got = read_some(fd, text->data + text->length, text->room - text->length);
    if (got > 0)
        text->length += (size_t)got;
    return got;
}

/*
 * Where the last COUNT lines of the text begin; what stands behind the last newline is a line. *FOUND is
 * how many there are, at the most COUNT.
 */
static inline size_t text_last_lines(const char *data, size_t length, long long count,
                                     long long *found)
{
    size_t at = length;
    *found = 0;
    if (count == 0)
        return length;
    for (*found = length > 0; at > 0; at--) {
        if (data[at - 1] != '\n' || at == length)
            continue;
        if (*found == count)
            return at;
        ++*found;
    }
    return 0;
}

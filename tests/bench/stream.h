/* Rows that every kind of stream socket has: a byte to another process and back, and much at a time. */
#pragma once

#include <unistd.h>

#include "bench.h"

#define STREAM_CHUNK 65536

static char stream_chunk[STREAM_CHUNK];

/* --- the child's side, until the other end is closed --- */

static inline void stream_echo(int fd)
{
    char byte;

    while (read(fd, &byte, 1) == 1)
        if (write(fd, &byte, 1) != 1)
            break;
}

static inline void stream_swallow(int fd)
{
    while (read(fd, stream_chunk, STREAM_CHUNK) > 0)
        ;
}

/* --- the measuring side: it closes FD and waits for CHILD --- */

static inline void stream_ping_pong(int fd, pid_t child)
{
    char byte = 'x';

    MEASURE(3000)
    {
        bench_need(write(fd, &byte, 1) == 1, "write");
        bench_need(read(fd, &byte, 1) == 1, "read");
    }
    close(fd);
    bench_reap(child);
}

static inline void stream_bulk(int fd, pid_t child)
{
    MEASURE(1000)
    bench_need(write(fd, stream_chunk, STREAM_CHUNK) == STREAM_CHUNK, "write");
    close(fd);
    bench_reap(child);
}

/*
 * transfer listen PORT WHAT MIB | transfer ADDRESS PORT WHAT MIB: megabytes over one TCP connection.
 *
 * WHAT is send, receive or both (at once). What comes must be what the other side's send makes, byte for byte and
 * no more; the sender waits until the receiver has closed. Prints the milliseconds from the connection to its end,
 * and what TCP_INFO says of segments sent again. For tests on a real or a bad link (tests/host), and for figures.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../bench/bench.h"

#define CHUNK 65536

static uint32_t chunk[CHUNK / 4];
static long long total;

/* Words of the stream from byte AT on, a multiple of 4: no two places look alike. */
static void make(uint32_t *words, size_t n, long long at)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t x = (uint32_t)(at / 4) + (uint32_t)i;
        x *= 2654435761u;
        words[i] = x ^ x >> 15;
    }
}

/* N bytes at stream position AT are right. */
static bool is_right(const unsigned char *bytes, size_t n, long long at)
{
    static uint32_t expected[CHUNK / 4 + 2];
    size_t skip = (size_t)(at % 4);

    make(expected, (skip + n + 3) / 4, at - (long long)skip);
    return memcmp(bytes, (unsigned char *)expected + skip, n) == 0;
}

static int reach(const char *where, int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    unsigned b[4];
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    bench_need(fd >= 0, "socket");
    if (strcmp(where, "listen") == 0) {
        bench_need(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0, "reuse");
        bench_need(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 1) == 0, "listen");
        printf("listening\n");
        fflush(stdout);
        int other = accept(fd, NULL, NULL);
        bench_need(other >= 0, "accept");
        close(fd);
        return other;
    }
    bench_need(sscanf(where, "%u.%u.%u.%u", &b[0], &b[1], &b[2], &b[3]) == 4, "address");
    a.sin_addr.s_addr = htonl(b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3]);
    bench_need(connect(fd, (struct sockaddr *)&a, sizeof a) == 0, "connect");
    return fd;
}

/* The next part of the stream; true: that was the last. */
static bool send_some(int fd, long long *sent)
{
    size_t off = (size_t)(*sent % CHUNK);

    if (off == 0)
        make(chunk, CHUNK / 4, *sent);
    ssize_t n = send(fd, (char *)chunk + off, CHUNK - off, MSG_DONTWAIT | MSG_NOSIGNAL);
    bench_need(n > 0 || errno == EAGAIN, "send");
    *sent += n > 0 ? n : 0;
    if (*sent < total)
        return false;
    bench_need(shutdown(fd, SHUT_WR) == 0, "shutdown");
    return true;
}

static bool receive_some(int fd, long long *got)
{
    static unsigned char bytes[CHUNK];
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

    bench_need(n >= 0 || errno == EAGAIN, "recv");
    if (n < 0)
        return false;
    bench_need(is_right(bytes, (size_t)n, *got), "the bytes are wrong");
    *got += n;
    return n == 0;
}

int main(int argc, char **argv)
{
    bench_need(argc == 5, "usage: transfer ADDRESS|listen PORT send|receive|both MIB");
    bool both = strcmp(argv[3], "both") == 0;
    bool sending = both || strcmp(argv[3], "send") == 0, waiting = true;
    long long sent = 0, got = 0, expected = both || !sending ? atoll(argv[4]) << 20 : 0;
    struct tcp_info info = {0};
    socklen_t len = sizeof info;

    total = atoll(argv[4]) << 20;
    int fd = reach(argv[1], atoi(argv[2]));
    long long began = bench_now();
    while (sending || waiting) {
        struct pollfd p = {fd, (short)((waiting ? POLLIN : 0) | (sending ? POLLOUT : 0)), 0};
        bench_need(poll(&p, 1, 120000) == 1, "nothing moves");
        if (sending && p.revents & POLLOUT)
            sending = !send_some(fd, &sent);
        if (waiting && p.revents & (POLLIN | POLLHUP | POLLERR))
            waiting = !receive_some(fd, &got);
    }
    bench_need(got == expected, "bytes are missing");
    bench_need(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0, "TCP_INFO");
    long long took = bench_now() - began;
    close(fd);
    printf("sent %lld got %lld ms %lld again %u\n", sent, got, took / 1000000,
           info.tcpi_total_retrans);
    return 0;
}

/*
 * link ADDRESS TCP-PORT UDP-PORT [ROW...]: the network card and the machine behind it (tools/bench has the other end):
 * a byte there and back, and much at a time either way. Wall time alone says anything here.
 *
 * The first byte on a connection says what the other end is to do with it. Where a kernel has its driver in modules
 * (Linux), /modules/order names them and they are loaded first.
 */
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define CHUNK 65536
#define NODELAY 1        /* TCP_NODELAY */
#define FINIT_MODULE 313 /* Linux's call; other kernels have none */
#define PATIENCE 20000   /* milliseconds until a lost answer is a failure */
#define ASK_ECHO 'e'
#define ASK_SWALLOW 's'
#define ASK_POUR 'p'

static char chunk[CHUNK];
static struct sockaddr_in tcp_peer, udp_peer;
static int have_link;

static void load_modules(void)
{
    char name[128], path[160];
    FILE *order = fopen("/modules/order", "r");

    while (order && fscanf(order, "%127s", name) == 1) {
        snprintf(path, sizeof path, "/modules/%s.ko", name);
        int fd = open(path, O_RDONLY);
        bench_need(fd >= 0, path);
        bench_need(syscall(FINIT_MODULE, fd, "", 0) == 0 || errno == ENOSYS || errno == EEXIST,
                   path);
        close(fd);
    }
    if (order)
        fclose(order);
}

static void set_address(int fd, unsigned long what, uint32_t address)
{
    struct ifreq r = {.ifr_name = "eth0"};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};

    memcpy(&r.ifr_addr, &in, sizeof in);
    bench_need(ioctl(fd, what, &r) == 0, "eth0's address");
}

/* What QEMU's network expects of its machine: number 15 of 10.0.2.0/24. */
static void set_up_link(uint32_t peer)
{
    struct ifreq r = {.ifr_name = "eth0"};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    bench_need(fd >= 0, "socket");
    have_link = ioctl(fd, SIOCGIFFLAGS, &r) == 0;
    if (have_link) {
        set_address(fd, SIOCSIFADDR, (peer & 0xffffff00) | 15);
        set_address(fd, SIOCSIFNETMASK, 0xffffff00);
        bench_need(ioctl(fd, SIOCGIFFLAGS, &r) == 0, "flags");
        r.ifr_flags |= IFF_UP;
        bench_need(ioctl(fd, SIOCSIFFLAGS, &r) == 0, "eth0 up");
    }
    close(fd);
}

static int call(char what)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    bench_need(fd >= 0, "socket");
    bench_need(setsockopt(fd, IPPROTO_TCP, NODELAY, &one, sizeof one) == 0, "TCP_NODELAY");
    bench_need(connect(fd, (struct sockaddr *)&tcp_peer, sizeof tcp_peer) == 0, "connect");
    bench_need(write(fd, &what, 1) == 1, "write");
    return fd;
}

static void await(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};
    bench_need(poll(&p, 1, PATIENCE) == 1, "an answer");
}

static void tcp_round_trip_row(void)
{
    char byte = 'x';
    int fd = call(ASK_ECHO);

    MEASURE(2000)
    {
        bench_need(write(fd, &byte, 1) == 1, "write");
        bench_need(read(fd, &byte, 1) == 1, "read");
    }
    close(fd);
}

static void udp_round_trip_row(void)
{
    char byte = 'x';
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    bench_need(fd >= 0, "socket");
    bench_need(connect(fd, (struct sockaddr *)&udp_peer, sizeof udp_peer) == 0, "connect");
    MEASURE(2000)
    {
        bench_need(write(fd, &byte, 1) == 1, "write");
        await(fd);
        bench_need(read(fd, &byte, 1) == 1, "read");
    }
    close(fd);
}

/* N chunks, until the other end has had them all. */
static void pour(long n)
{
    int fd = call(ASK_SWALLOW);
    char byte;

    for (long i = 0; i < n; i++)
        bench_need(write(fd, chunk, sizeof chunk) == sizeof chunk, "write");
    bench_need(shutdown(fd, SHUT_WR) == 0, "shutdown");
    bench_need(read(fd, &byte, 1) == 0, "the other end's close");
    close(fd);
}

static void swallow(long n)
{
    int fd = call(ASK_POUR);
    long long left = n * CHUNK;

    while (left > 0) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        bench_need(got > 0, "read");
        left -= got;
    }
    close(fd);
}

#define CHUNKS 1000 /* what is measured: so that the beginning's slow start is little of it */

static void send_row(void)
{
    pour(CHUNKS / WARM_UP_SHARE);
    bench_start();
    pour(CHUNKS);
    bench_stop(CHUNKS);
}

static void receive_row(void)
{
    swallow(CHUNKS / WARM_UP_SHARE);
    bench_start();
    swallow(CHUNKS);
    bench_stop(CHUNKS);
}

static void without_a_link(void) {}

int main(int argc, char **argv)
{
    struct bench_row rows[] = {
        {"link_udp_round_trip", udp_round_trip_row},
        {"link_tcp_round_trip", tcp_round_trip_row},
        {"link_send_64_kib", send_row},
        {"link_receive_64_kib", receive_row},
    };
    const size_t count = sizeof rows / sizeof rows[0];
    unsigned b[4];

    bench_need(argc >= 4 && sscanf(argv[1], "%u.%u.%u.%u", &b[0], &b[1], &b[2], &b[3]) == 4,
               "usage: link ADDRESS TCP-PORT UDP-PORT [ROW...]");
    uint32_t peer = b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
    tcp_peer = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)atoi(argv[2])),
                                    .sin_addr.s_addr = htonl(peer)};
    udp_peer = tcp_peer;
    udp_peer.sin_port = htons((uint16_t)atoi(argv[3]));
    load_modules();
    set_up_link(peer);
    for (size_t i = 0; i < count && !have_link; i++)
        rows[i].measure = without_a_link;
    return bench_run(rows, count, argc - 3, argv + 3);
}

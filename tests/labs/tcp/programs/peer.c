/*
 * peer STEP...: both ends of TCP connections. One is the kernel's, behind sockets of this program; the other is made
 * here by hand, segment by segment, so that each can be wrong. Its address is 10.9.0.1, where nobody is: what the
 * kernel sends there leaves by eth0, and who watches the wire sees it. What the hand-made peer sends is put in as raw
 * packets, which come in by the loopback interface. Before step N a frame of type 0x88b5 with N in it goes out on the
 * wire, so that what is seen there can be told apart.
 *
 *     flow F PORT ISN             a new connection F (0 to 7); the peer's port, and where its numbers begin
 *     on F                        go on with connection F
 *     in FLAGS SEQ ACK LEN [WINDOW [OPTIONS]]
 *                                 a segment from the peer. SEQ counts from its ISN, ACK from the kernel's; the data are
 *                                 the numbers' lowest bytes; OPTIONS in hexadecimal; from /PORT in FLAGS: another port
 *     listen BACKLOG, accept, connect, write N, read N, shutdown, close, abort, state, error
 *                                 calls on the listener or the flow's socket, which never wait; what came of each is
 *                                 reported as N and a number, which is -errno if it failed
 *     blocked                     a thread waits in accept(); N is reported when it has one
 *     sleep MILLISECONDS
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "lab.h"

#define ITS_IP 0x0a090002u
#define OUR_IP 0x0a090001u
#define LISTEN_PORT 7000
#define EXPERIMENT 0x88b5
#define FLOWS 8
#define SETTLE_MS 10 /* what a segment causes has happened by then; a delayed ACK takes longer */

static struct flow {
    uint16_t peer_port, port;
    uint32_t isn, iss; /* where the peer's numbers begin, and the kernel's */
    int fd;
} flows[FLOWS], *flow = flows;

static int wire, raw, listener = -1, step;

/* --- the machine --- */

static struct sockaddr *inet(struct sockaddr_in *a, uint32_t address, uint16_t port)
{
    *a = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(address), .sin_port = htons(port)};
    return (struct sockaddr *)a;
}

static void set_up(void)
{
    struct ifreq eth0 = {0};
    struct arpreq peer = {.arp_flags = ATF_PERM | ATF_COM, .arp_dev = "eth0"};
    struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;

    lab_must(fd);
    strcpy(eth0.ifr_name, "eth0");
    inet((struct sockaddr_in *)&eth0.ifr_addr, ITS_IP, 0);
    lab_must(ioctl(fd, SIOCSIFADDR, &eth0));
    lab_must(ioctl(fd, SIOCGIFFLAGS, &eth0));
    eth0.ifr_flags |= IFF_UP;
    lab_must(ioctl(fd, SIOCSIFFLAGS, &eth0));
    inet((struct sockaddr_in *)&peer.arp_pa, OUR_IP, 0);
    peer.arp_ha.sa_family = ARPHRD_ETHER;
    memcpy(peer.arp_ha.sa_data, "\2\0\0\0\0\1", 6);
    lab_must(ioctl(fd, SIOCSARP, &peer));
    close(fd);
    lab_must(wire = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)));
    all.sll_ifindex = (int)if_nametoindex("eth0");
    lab_must(bind(wire, (struct sockaddr *)&all, sizeof(all)));
    lab_must(raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW));
    lab_must(setsockopt(raw, IPPROTO_IP, IP_HDRINCL, &on, sizeof(on)));
}

/* Learn where the kernel's numbers begin from its SYN in FRAME. */
static void learn(const unsigned char *frame, ssize_t n)
{
    const unsigned char *tcp = frame + 14 + (frame[14] & 15) * 4;

    if (n < 54 || frame[12] != 8 || frame[13] != 0 || frame[23] != IPPROTO_TCP || !(tcp[13] & 2))
        return;
    for (struct flow *f = flows; f < flows + FLOWS; f++) {
        if (f->peer_port == (tcp[2] << 8 | tcp[3])) {
            f->iss =
                (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 | (uint32_t)tcp[6] << 8 | tcp[7];
            f->port = (uint16_t)(tcp[0] << 8 | tcp[1]);
        }
    }
}

static void settle(void)
{
    struct pollfd ready = {.fd = wire, .events = POLLIN};
    unsigned char frame[2048];

    while (poll(&ready, 1, SETTLE_MS) == 1)
        learn(frame, recv(wire, frame, sizeof(frame), 0));
}

static void mark(void)
{
    unsigned char frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("eth0")};

    frame[12] = EXPERIMENT >> 8;
    frame[13] = EXPERIMENT & 255;
    frame[14] = (unsigned char)step;
    lab_must(sendto(wire, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)));
}

/* --- segments --- */

static uint32_t sum(const unsigned char *at, size_t n, uint32_t before)
{
    for (size_t i = 0; i < n; i++)
        before += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    return before;
}

static void put32(unsigned char *at, uint32_t x)
{
    x = htonl(x);
    memcpy(at, &x, 4);
}

static void put16(unsigned char *at, unsigned x)
{
    at[0] = (unsigned char)(x >> 8);
    at[1] = (unsigned char)x;
}

static unsigned flags_of(const char *letters)
{
    static const char names[] = "FSRPAU";
    unsigned flags = 0;

    for (; *letters && *letters != '/'; letters++)
        flags |= 1u << (strchr(names, *letters) - names);
    return flags;
}

static void send_segment(const char *words)
{
    unsigned char p[2048] = {0x45}, *tcp = p + 20;
    char flags[16], options[81] = "";
    unsigned window = 65535, len, n;
    uint32_t seq, ack, s;
    struct sockaddr_in to;

    if (sscanf(words, "%15s %u %u %u %u %80s", flags, &seq, &ack, &len, &window, options) < 4)
        _exit(1);
    char *port = strchr(flags, '/');
    n = (unsigned)strlen(options) / 2;
    p[8] = 64;
    p[9] = IPPROTO_TCP;
    put32(p + 12, OUR_IP);
    put32(p + 16, ITS_IP);
    put16(tcp, port ? (unsigned)atoi(port + 1) : flow->peer_port);
    put16(tcp + 2, flow->port);
    put32(tcp + 4, flow->isn + seq);
    put32(tcp + 8, flags_of(flags) & 16 ? flow->iss + ack : 0);
    tcp[12] = (unsigned char)((5 + n / 4) << 4);
    tcp[13] = (unsigned char)flags_of(flags);
    put16(tcp + 14, window);
    for (unsigned i = 0; i < n; i++) {
        char two[3] = {options[i * 2], options[i * 2 + 1]};
        tcp[20 + i] = (unsigned char)strtoul(two, NULL, 16);
    }
    for (unsigned i = 0; i < len; i++)
        tcp[20 + n + i] = (unsigned char)(seq + i);
    s = sum(tcp, 20 + n + len, sum(p + 12, 8, IPPROTO_TCP + 20 + n + len));
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    put16(tcp + 16, ~s);
    lab_must(sendto(raw, p, 40 + n + len, 0, inet(&to, ITS_IP, 0), sizeof(to)));
}

/* --- calls --- */

static void tell(long result)
{
    lab_report("call", "%d %ld", step, result < 0 ? -(long)errno : result);
}

static int option_of(int name)
{
    int value = -1;
    socklen_t n = sizeof(value);

    return getsockopt(flow->fd, SOL_SOCKET, name, &value, &n) < 0 ? -1 : value;
}

static int start_listening(int backlog)
{
    struct sockaddr_in here;
    int on = 1;

    lab_must(listener = socket(AF_INET, SOCK_STREAM, 0));
    lab_must(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
    lab_must(bind(listener, inet(&here, ITS_IP, LISTEN_PORT), sizeof(here)));
    return listen(listener, backlog);
}

static void *accept_blocked(void *begun)
{
    int fd = accept(listener, NULL, NULL);

    lab_report("call", "%d %d", *(int *)begun, fd < 0 ? -errno : 0);
    return NULL;
}

/* The connection that was waiting longest: reports the peer's port, and that flow goes on. */
static void accept_one(void)
{
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    struct sockaddr_in peer;
    socklen_t n = sizeof(peer);

    if (poll(&ready, 1, 0) != 1) {
        errno = EAGAIN;
        tell(-1);
        return;
    }
    int fd = accept(listener, (struct sockaddr *)&peer, &n);
    for (struct flow *f = flows; fd >= 0 && f < flows + FLOWS; f++) {
        if (f->peer_port == ntohs(peer.sin_port)) {
            flow = f;
            f->fd = fd;
        }
    }
    tell(fd < 0 ? fd : ntohs(peer.sin_port));
}

static void call_peer(void)
{
    struct sockaddr_in to, here;
    socklen_t n = sizeof(here);

    lab_must(flow->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    tell(connect(flow->fd, inet(&to, OUR_IP, flow->peer_port), sizeof(to)));
    if (getsockname(flow->fd, (struct sockaddr *)&here, &n) == 0)
        flow->port = ntohs(here.sin_port);
}

static void abort_it(void)
{
    struct linger now = {.l_onoff = 1};

    lab_must(setsockopt(flow->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
    tell(close(flow->fd));
}

static void tell_state(void)
{
    struct tcp_info info = {0};
    socklen_t n = sizeof(info);

    tell(getsockopt(flow->fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0 ? -1 : info.tcpi_state);
}

static void call(const char *name, int number)
{
    static char bytes[65536];

    if (!strcmp(name, "listen"))
        tell(start_listening(number));
    else if (!strcmp(name, "accept"))
        accept_one();
    else if (!strcmp(name, "connect"))
        call_peer();
    else if (!strcmp(name, "write"))
        tell(send(flow->fd, bytes, (size_t)number, MSG_DONTWAIT | MSG_NOSIGNAL));
    else if (!strcmp(name, "read"))
        tell(recv(flow->fd, bytes, (size_t)number, MSG_DONTWAIT));
    else if (!strcmp(name, "shutdown"))
        tell(shutdown(flow->fd, SHUT_WR));
    else if (!strcmp(name, "close"))
        tell(close(flow->fd));
    else if (!strcmp(name, "abort"))
        abort_it();
    else if (!strcmp(name, "state"))
        tell_state();
    else if (!strcmp(name, "error"))
        tell(option_of(SO_ERROR));
    else
        _exit(1);
}

static void perform(const char *words)
{
    char name[16];
    int number = 0;
    static int begun;
    pthread_t thread;

    if (sscanf(words, "%15s %d", name, &number) < 1)
        _exit(1);
    if (!strcmp(name, "flow")) {
        unsigned f, port, isn;
        if (sscanf(words, "flow %u %u %u", &f, &port, &isn) < 3 || f >= FLOWS)
            _exit(1);
        flow = &flows[f];
        *flow =
            (struct flow){.peer_port = (uint16_t)port, .port = LISTEN_PORT, .isn = isn, .fd = -1};
    } else if (!strcmp(name, "on")) {
        flow = &flows[number % FLOWS];
    } else if (!strcmp(name, "in")) {
        send_segment(words + 3);
    } else if (!strcmp(name, "sleep")) {
        nanosleep(&(struct timespec){number / 1000, number % 1000 * 1000000L}, NULL);
    } else if (!strcmp(name, "blocked")) {
        begun = step;
        lab_must(-pthread_create(&thread, NULL, accept_blocked, &begun));
    } else {
        call(name, number);
    }
}

int main(int argc, char **argv)
{
    set_up();
    for (step = 1; step < argc; step++) {
        mark();
        perform(argv[step]);
        settle();
    }
    mark(); /* what the end of this program sends belongs to no step */
    return 0;
}

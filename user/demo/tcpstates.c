/*
 * A TCP connection is led through every state of RFC 9293, section 3.3.2, and held in each until it has been seen:
 * by TCP_INFO, or where no descriptor stands for it, by /proc/net/tcp. See tcpstates.txt.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "demo.h"

static const char *const names[] = {
    [TCP_ESTABLISHED] = "ESTABLISHED",
    [TCP_SYN_SENT] = "SYN-SENT",
    [TCP_SYN_RECV] = "SYN-RECEIVED",
    [TCP_FIN_WAIT1] = "FIN-WAIT-1",
    [TCP_FIN_WAIT2] = "FIN-WAIT-2",
    [TCP_TIME_WAIT] = "TIME-WAIT",
    [TCP_CLOSE] = "CLOSED",
    [TCP_CLOSE_WAIT] = "CLOSE-WAIT",
    [TCP_LAST_ACK] = "LAST-ACK",
    [TCP_LISTEN] = "LISTEN",
    [TCP_CLOSING] = "CLOSING",
};

static int seen[TCP_CLOSING + 1];

/*
 * While it is deaf, an end drops what arrives: it wants segments that have come no way at all (RFC 5082), and ours
 * start with a TTL of 64. What the other end sends is lost, and sent again later.
 */
static void set_deaf(int fd, int deaf)
{
    int least = deaf ? 255 : 0;

    need(setsockopt(fd, IPPROTO_IP, IP_MINTTL, &least, sizeof least));
}

static int state_of(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    need(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
    return info.tcpi_state;
}

/* What /proc/net/tcp says of the connection between these ports of ours; 0: it isn't there. */
static int state_in_table(unsigned local, unsigned remote)
{
    char line[256];
    unsigned here, there, state;
    int found = 0;
    FILE *table = fopen("/proc/net/tcp", "r");

    need(table == NULL ? -1 : 0);
    while (fgets(line, sizeof line, table) != NULL)
        if (sscanf(line, " %*u: %*8X:%X %*8X:%X %X", &here, &there, &state) == 3 && here == local &&
            there == remote)
            found = (int)state;
    fclose(table);
    return found;
}

static unsigned port_of(int fd)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;

    need(getsockname(fd, (struct sockaddr *)&a, &len));
    return ntohs(a.sin_port);
}

/* A connection between two ends, as we know it: descriptors, -1: none, and their ports. */
static struct {
    int a, b;
    unsigned port_a, port_b;
} pair;

/* The state of an end: a descriptor says CLOSED as soon as the kernel alone keeps the state. */
static int state_at(int fd, unsigned local, unsigned remote)
{
    int state = fd >= 0 ? state_of(fd) : TCP_CLOSE;

    if (state == TCP_CLOSE && (state = state_in_table(local, remote)) == 0)
        state = TCP_CLOSE;
    return state;
}

static void show(int a, int b, const char *why)
{
    seen[a] = seen[b] = 1;
    printf("%-13s %-13s %s\n", names[a], names[b], why);
}

/* Wait until both ends are in these states, and print them. */
static void expect(int a, int b, const char *why)
{
    int now_a, now_b;

    do {
        now_a = state_at(pair.a, pair.port_a, pair.port_b);
        now_b = state_at(pair.b, pair.port_b, pair.port_a);
    } while ((now_a != a || now_b != b) && poll(NULL, 0, 1) == 0);
    show(now_a, now_b, why);
}

static int fresh(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = (int)need(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));

    need(bind(fd, (struct sockaddr *)&a, sizeof a));
    return fd;
}

static void call(int fd, unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};

    if (connect(fd, (struct sockaddr *)&a, sizeof a) != -1 || errno != EINPROGRESS)
        need(connect(fd, (struct sockaddr *)&a, sizeof a));
}

/* Two ends that no connection joins yet. */
static void start(void)
{
    pair.a = fresh();
    pair.b = fresh();
    pair.port_a = port_of(pair.a);
    pair.port_b = port_of(pair.b);
}

/*
 * A byte there and back. It isn't only for show: an end whose SYN was lost waits three seconds before it sends
 * something again, until it has measured a round trip (RFC 6298, section 5.7).
 */
static void say_something(void)
{
    struct pollfd a = {pair.a, POLLIN, 0}, b = {pair.b, POLLIN, 0};
    char c = 'x';

    need(write(pair.a, &c, 1));
    need(poll(&b, 1, -1));
    need(read(pair.b, &c, 1));
    need(write(pair.b, &c, 1));
    need(poll(&a, 1, -1));
    need(read(pair.a, &c, 1));
}

static void passive_open(void)
{
    int listener;

    start();
    expect(TCP_CLOSE, TCP_CLOSE, "two sockets with a name each");
    need(listen(pair.b, 1));
    show(state_of(pair.a), state_of(pair.b), "B listens");
    set_deaf(pair.b, 1);
    call(pair.a, pair.port_b);
    expect(TCP_SYN_SENT, TCP_LISTEN, "A connects, and B is deaf");
    set_deaf(pair.a, 1);
    set_deaf(pair.b, 0);
    /* From here on B is what the listener makes of A's call: nobody has a descriptor of it yet. */
    listener = pair.b;
    pair.b = -1;
    expect(TCP_SYN_SENT, TCP_SYN_RECV, "B has heard the SYN; A is deaf for the answer");
    set_deaf(pair.a, 0);
    expect(TCP_ESTABLISHED, TCP_ESTABLISHED, "A has heard it: three segments, and both know");
    pair.b = (int)need(accept(listener, NULL, NULL));
    need(close(listener));
    need(fcntl(pair.b, F_SETFL, O_NONBLOCK));
    say_something();
}

static void active_close(void)
{
    set_deaf(pair.a, 1);
    set_deaf(pair.b, 1);
    need(shutdown(pair.a, SHUT_WR));
    expect(TCP_FIN_WAIT1, TCP_ESTABLISHED, "A has no more to say, and B is deaf");
    set_deaf(pair.b, 0);
    expect(TCP_FIN_WAIT1, TCP_CLOSE_WAIT, "B has heard the FIN; A is deaf for the ACK");
    set_deaf(pair.a, 0);
    expect(TCP_FIN_WAIT2, TCP_CLOSE_WAIT, "A has heard it: half closed, B may still speak");
    set_deaf(pair.a, 1);
    need(shutdown(pair.b, SHUT_WR));
    expect(TCP_FIN_WAIT2, TCP_LAST_ACK, "B has no more to say either, and A is deaf");
    set_deaf(pair.a, 0);
    expect(TCP_TIME_WAIT, TCP_CLOSE, "A has heard the FIN, and stays for B, who may ask again");
}

static void simultaneous_open(void)
{
    start();
    set_deaf(pair.a, 1);
    set_deaf(pair.b, 1);
    call(pair.a, pair.port_b);
    call(pair.b, pair.port_a);
    expect(TCP_SYN_SENT, TCP_SYN_SENT, "both connect to each other, and both are deaf");
    set_deaf(pair.a, 0);
    expect(TCP_SYN_RECV, TCP_SYN_SENT, "A has heard B's SYN");
    set_deaf(pair.b, 0);
    expect(TCP_ESTABLISHED, TCP_ESTABLISHED, "one connection, though nobody listened");
    say_something();
}

static void simultaneous_close(void)
{
    set_deaf(pair.a, 1);
    set_deaf(pair.b, 1);
    need(shutdown(pair.a, SHUT_WR));
    need(shutdown(pair.b, SHUT_WR));
    expect(TCP_FIN_WAIT1, TCP_FIN_WAIT1, "both have no more to say, and both are deaf");
    set_deaf(pair.a, 0);
    expect(TCP_CLOSING, TCP_FIN_WAIT1, "A has heard B's FIN before an ACK of its own");
    set_deaf(pair.b, 0);
    expect(TCP_TIME_WAIT, TCP_TIME_WAIT, "B has heard A's: each has the other's FIN and ACK");
}

static void end(void)
{
    need(close(pair.a));
    need(close(pair.b));
}

int main(void)
{
    int count = 0;

    alarm(60); /* a state that never comes */
    printf("%-13s %s\n", "A", "B");
    passive_open();
    active_close();
    end();
    printf("\n");
    simultaneous_open();
    simultaneous_close();
    end();
    for (int state = 1; state <= TCP_CLOSING; state++)
        count += seen[state];
    printf("\n%d of 11 states were seen\n", count);
    claim(count == 11);
    return shown();
}

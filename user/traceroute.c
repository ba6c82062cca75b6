/*
 * traceroute [-n] [-f FIRST] [-m MOST] [-p PORT] [-q PROBES] [-w SECONDS] HOST: the routers on the way to it.
 *
 *     -f, -m  begin and end with this time to live (1, 30)     -q  probes for each (3)
 *     -w      seconds to wait for an answer (3)                -p  the first port (33434)    -n  numbers, no names
 *
 * A packet that has passed as many routers as its time to live says is thrown away, and the last of them says so
 * (ICMP time exceeded). So UDP packets go out with 1, 2, 3 ... to ports where nobody listens: the host itself says
 * "port unreachable". Each probe has a port of its own, by which the answer is known. 0: the host was reached.
 */
#include "icmp.h"

#include <poll.h>

#define USAGE "traceroute [-n] [-f first] [-m most] [-p port] [-q probes] [-w seconds] host"

static struct in_addr host;
static bool numeric;
static double patience = 3;

struct answer {
    struct in_addr from;
    unsigned type, code;
    double time; /* milliseconds */
};

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

/* Wait for what ICMP says of the probe to PORT. False: nothing in time. */
static bool await_answer(int icmp, int port, double began, struct answer *answer)
{
    unsigned char packet[1500];
    double left;

    while ((left = began + patience * 1000 - now_ms()) > 0) {
        struct pollfd p = {icmp, POLLIN, 0};
        struct sockaddr_in from = {0};
        socklen_t length = sizeof(from);
        if (poll(&p, 1, (int)left + 1) <= 0)
            continue;
        ssize_t got =
            recvfrom(icmp, packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&from, &length);
        size_t n = got > 0 ? (size_t)got : 0;
        const unsigned char *message = ip_payload(packet, &n);
        const unsigned char *ours = message ? icmp_quoted(message, n, IPPROTO_UDP, host) : NULL;
        if (!ours || (int)get16(ours + 2) != port)
            continue;
        *answer = (struct answer){from.sin_addr, message[0], message[1], now_ms() - began};
        return true;
    }
    return false;
}

/* Print what one probe found; PREVIOUS is who answered the one before. */
static void show(const struct answer *answer, struct in_addr previous)
{
    if (answer->from.s_addr != previous.s_addr) {
        printf("  %s", host_text(answer->from, numeric));
        if (!numeric)
            printf(" (%s)", inet_ntoa(answer->from));
    }
    printf("  %.3f ms", answer->time);
    if (answer->type == ICMP_UNREACHABLE && answer->code != PORT_UNREACHABLE)
        printf(" (%s)", icmp_text(answer->type, answer->code));
}

/* The probes with one time to live. True: it goes no farther. */
static bool probe(int udp, int icmp, int ttl, int probes, int *port)
{
    struct in_addr previous = {0};
    bool reached = false;

    if (setsockopt(udp, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)) < 0)
        err(1, "time to live");
    printf("%2d", ttl);
    for (int i = 0; i < probes; i++) {
        struct sockaddr_in to = {
            .sin_family = AF_INET, .sin_port = htons((uint16_t)++ * port), .sin_addr = host};
        struct answer answer;
        double began = now_ms();
        /* The error that a probe before has left in the socket is taken by this call: it is repeated. */
        if (sendto(udp, "probe", 5, 0, (struct sockaddr *)&to, sizeof(to)) < 0 &&
            sendto(udp, "probe", 5, 0, (struct sockaddr *)&to, sizeof(to)) < 0) {
            int why = errno;
            printf("\n"); /* the line was begun */
            fflush(stdout);
            errno = why;
            err(1, "%s", inet_ntoa(host));
        }
        if (!await_answer(icmp, *port, began, &answer)) {
            printf("  *");
        } else {
            show(&answer, previous);
            previous = answer.from;
            reached |= answer.type == ICMP_UNREACHABLE;
        }
        fflush(stdout);
    }
    printf("\n");
    return reached;
}

int main(int argc, char **argv)
{
    int first = 1, most = 30, port = 33434, probes = 3, c;
    bool reached = false;

    command_begin();
    while ((c = getopt(argc, argv, "f:m:np:q:w:")) != -1) {
        switch (c) {
        case 'f': first = (int)need_number(optarg, 1, 255, "time to live"); break;
        case 'm': most = (int)need_number(optarg, 1, 255, "time to live"); break;
        case 'n': numeric = true; break;
        case 'p': port = (int)need_number(optarg, 1, 60000, "port"); break;
        case 'q': probes = (int)need_number(optarg, 1, 10, "number of probes"); break;
        case 'w': patience = need_seconds(optarg); break;
        default: usage(1, USAGE);
        }
    }
    if (argc - optind != 1 || first > most)
        usage(1, USAGE);
    host = need_host(argv[optind]);
    int udp = need_socket(AF_INET, SOCK_DGRAM, 0),
        icmp = need_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    printf("to %s (%s), %d hops at most\n", argv[optind], inet_ntoa(host), most);
    port--;
    for (int ttl = first; ttl <= most && !reached; ttl++)
        reached = probe(udp, icmp, ttl, probes, &port);
    int status = command_end(0);
    return status ? status : !reached;
}

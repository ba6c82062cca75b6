/*
 * ping [-q] [-c COUNT] [-i SECONDS] [-s SIZE] [-t TTL] [-W SECONDS] [-w SECONDS] HOST: is it there, how far is it?
 *
 *     -c  so many questions, then the end     -i  between two (1)     -s  bytes in each (56)
 *     -t  the time to live                    -W  wait so long for the last answers (10)
 *     -w  end after so long, whatever came    -q  only the summary
 *
 * 0: there was an answer. 1: there was none. An echo (RFC 792) has our process's number and a number of its own, by
 * which answers are known; ^C shows the summary. Addresses stay numbers: a name server might be what is not there.
 */
#include "icmp.h"

#include <poll.h>
#include <signal.h>

#define USAGE "ping [-q] [-c count] [-i seconds] [-s size] [-t ttl] [-W seconds] [-w seconds] host"
#define SIZE_MAX_DATA 65507
#define REMEMBERED 65536 /* numbers of echoes: all that there are */

static struct in_addr host;
static bool quiet;
static size_t size = 56;
static unsigned long long sent, received, duplicates, errors;
static double least = 1e18, most, sum;
static long long sent_at[REMEMBERED]; /* microseconds; -1: answered */
static volatile sig_atomic_t ended;

static void on_interrupt(int sig)
{
    (void)sig;
    ended = 1;
}

static long long microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static uint16_t our_id(void)
{
    return (uint16_t)getpid();
}

static void send_echo(int fd)
{
    static unsigned char packet[ICMP_HEADER + SIZE_MAX_DATA];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = host};
    unsigned number = (unsigned)++sent & 0xffff;

    memset(packet, 0, ICMP_HEADER);
    packet[0] = ICMP_ECHO;
    put16(packet + 4, our_id());
    put16(packet + 6, number);
    for (size_t i = 0; i < size; i++)
        packet[ICMP_HEADER + i] = (unsigned char)i;
    uint16_t sum_ = checksum(packet, ICMP_HEADER + size);
    memcpy(packet + 2, &sum_, 2);
    sent_at[number] = microseconds();
    if (sendto(fd, packet, ICMP_HEADER + size, 0, (struct sockaddr *)&to, sizeof(to)) < 0) {
        warn("%s", inet_ntoa(host));
        errors++;
    }
}

static void take_reply(const unsigned char *p, size_t n, struct in_addr from, unsigned ttl)
{
    unsigned number = get16(p + 6);
    double time = (double)(microseconds() - sent_at[number]) / 1000;
    bool again = sent_at[number] < 0;

    if (get16(p + 4) != our_id() || sent_at[number] == 0)
        return;
    bool damaged = n != ICMP_HEADER + size;
    for (size_t i = ICMP_HEADER; i < n && !damaged; i++)
        damaged = p[i] != (unsigned char)(i - ICMP_HEADER);
    if (again) {
        duplicates++;
    } else {
        received++;
        sent_at[number] = -1;
        sum += time;
        least = time < least ? time : least;
        most = time > most ? time : most;
    }
    if (quiet)
        return;
    printf("%zu bytes from %s: icmp_seq=%u ttl=%u", n, inet_ntoa(from), number, ttl);
    if (!again)
        printf(" time=%.3f ms", time);
    printf("%s%s\n", again ? " (again)" : "", damaged ? " (damaged)" : "");
}

/* One packet, which may be anybody's: every raw socket gets all that comes. */
static void receive(int fd)
{
    static unsigned char packet[65536];
    struct sockaddr_in from = {0};
    socklen_t length = sizeof(from);
    ssize_t got =
        recvfrom(fd, packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&from, &length);
    size_t n = got > 0 ? (size_t)got : 0;
    const unsigned char *p = ip_payload(packet, &n);

    if (!p || n < ICMP_HEADER)
        return;
    if (p[0] == ICMP_ECHO_REPLY) {
        take_reply(p, n, from.sin_addr, packet[8]);
        return;
    }
    const unsigned char *ours = icmp_quoted(p, n, IPPROTO_ICMP, host);
    if (!ours || ours[0] != ICMP_ECHO || get16(ours + 4) != our_id())
        return;
    errors++;
    if (!quiet)
        printf("from %s: icmp_seq=%u %s\n", inet_ntoa(from.sin_addr), get16(ours + 6),
               icmp_text(p[0], p[1]));
}

/*
 * Send and receive until COUNT (0: any number) have been answered, PATIENCE is over behind the last, or END. While it
 * sleeps, and only then, WHILE_WAITING is what is blocked.
 */
static void exchange(int fd, unsigned long long count, double interval, double patience,
                     long long end, const sigset_t *while_waiting)
{
    long long next = microseconds(), last = 0;

    while (!ended) {
        long long now = microseconds();
        bool all_sent = count && sent >= count;
        if (now >= end || (all_sent && (received + errors >= count || now >= last)))
            return;
        if (!all_sent && now >= next) {
            send_echo(fd);
            next += (long long)(interval * 1e6);
            last = now + (long long)(patience * 1e6);
            continue;
        }
        long long wake = all_sent ? last : next, left = (wake < end ? wake : end) - now;
        struct pollfd p = {fd, POLLIN, 0};
        struct timespec time = {left / 1000000, left % 1000000 * 1000};
        fflush(stdout);
        if (ppoll(&p, 1, &time, while_waiting) > 0)
            receive(fd);
    }
}

static void summary(const char *name)
{
    printf("\n--- %s ---\n%llu sent, %llu received", name, sent, received);
    if (duplicates)
        printf(", %llu more than once", duplicates);
    if (errors)
        printf(", %llu errors", errors);
    printf(", %llu%% lost\n", sent && received < sent ? (sent - received) * 100 / sent : 0);
    if (received)
        printf("round trip least/average/most = %.3f/%.3f/%.3f ms\n", least, sum / (double)received,
               most);
}

int main(int argc, char **argv)
{
    double interval = 1, patience = 10, deadline = 0;
    unsigned long long count = 0;
    int c, ttl = 0;

    command_begin();
    while ((c = getopt(argc, argv, "c:i:qs:t:W:w:")) != -1) {
        switch (c) {
        case 'c': count = (unsigned long long)need_number(optarg, 1, LONG_MAX, "count"); break;
        case 'i': interval = need_seconds(optarg); break;
        case 'q': quiet = true; break;
        case 's': size = (size_t)need_number(optarg, 0, SIZE_MAX_DATA, "size"); break;
        case 't': ttl = (int)need_number(optarg, 1, 255, "time to live"); break;
        case 'W': patience = need_seconds(optarg); break;
        case 'w': deadline = need_seconds(optarg); break;
        default: usage(1, USAGE);
        }
    }
    if (argc - optind != 1)
        usage(1, USAGE);
    host = need_host(argv[optind]);
    int fd = need_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), on = 1;
    if (ttl && setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)) < 0)
        err(1, "time to live");
    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
    struct sigaction action = {.sa_handler = on_interrupt};
    sigset_t interrupt, while_waiting;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt,
                &while_waiting); /* none is missed between looking and sleeping */
    sigdelset(&while_waiting, SIGINT);
    sigaction(SIGINT, &action, NULL);
    printf("%s (%s): %zu bytes of data\n", argv[optind], inet_ntoa(host), size);
    exchange(fd, count, interval, patience,
             deadline > 0 ? microseconds() + (long long)(deadline * 1e6) : LLONG_MAX,
             &while_waiting);
    summary(argv[optind]);
    int status = command_end(0);
    return status ? status : received == 0;
}

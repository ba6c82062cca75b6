/*
 * echoes COUNT LENGTH [late]: sends so many echo requests to QEMU's gateway, in bursts, and reads the answers of each
 * until all are there, or none has come for a second. Reports how many came, how many of them not in order, and a sum
 * of their data. With "late" all that once more. Before each a call of getppid() tells whoever watches from outside.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lab.h"

#define GATEWAY 0x0a000202 /* 10.0.2.2 */
#define ECHO_REPLY 0
#define ECHO_REQUEST 8
#define QUIET_MS 1000
#define BURST 100u /* their answers find room in a socket's buffer */

struct echo {
    uint8_t type, code;
    uint16_t checksum, id, sequence;
    uint8_t data[1480];
};

static uint16_t checksum(const void *data, size_t n)
{
    const uint8_t *at = data;
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

static uint32_t sum_of(const uint8_t *data, size_t n)
{
    uint32_t sum = 1;

    for (size_t i = 0; i < n; i++)
        sum = sum * 31 + data[i];
    return sum;
}

static void ask(int fd, unsigned number, size_t length)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(GATEWAY)};
    struct echo e = {.type = ECHO_REQUEST, .id = htons(77), .sequence = htons((uint16_t)number)};

    for (size_t i = 0; i < length; i++)
        e.data[i] = (uint8_t)(number * 13 + i);
    e.checksum = checksum(&e, 8 + length);
    lab_must(sendto(fd, &e, 8 + length, 0, (struct sockaddr *)&to, sizeof(to)));
}

/* What has been read since the last report. */
static struct {
    unsigned answers, last, disorder, sum;
} seen;

/* Until there have been WANTED in all, or none for a while. */
static void read_answers(int fd, unsigned wanted)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    uint8_t packet[2048];
    ssize_t n;

    while (seen.answers < wanted && poll(&ready, 1, QUIET_MS) == 1) {
        lab_must(n = read(fd, packet, sizeof(packet)));
        size_t head = (packet[0] & 15u) * 4;
        struct echo *e = (void *)(packet + head);
        if ((size_t)n < head + 8 || e->type != ECHO_REPLY || e->id != htons(77))
            continue;
        seen.disorder += seen.answers && ntohs(e->sequence) <= seen.last;
        seen.last = ntohs(e->sequence);
        seen.sum += sum_of(e->data, (size_t)n - head - 8) ^ seen.last;
        seen.answers++;
    }
}

static void tell(const char *key)
{
    lab_report(key, "%u", seen.answers);
    lab_report("disorder", "%u", seen.disorder);
    lab_report("sum", "%u", seen.sum);
    memset(&seen, 0, sizeof(seen));
}

int main(int argc, char **argv)
{
    unsigned count = (unsigned)atoi(argv[1]), length = (unsigned)atoi(argv[2]);
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), room = 1 << 20;

    lab_must(fd);
    lab_must(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)));
    ask(fd, 0, length); /* so that the gateway's address is known */
    read_answers(fd, 1);
    tell("first");
    for (int round = 0; round < (argc > 3 ? 2 : 1); round++) {
        getppid();
        for (unsigned asked = 0; asked < count;) {
            for (unsigned i = 0; i < BURST && asked < count; i++)
                ask(fd, ++asked, length);
            read_answers(fd, asked);
        }
        tell(round ? "late" : "answers");
    }
    return 0;
}

/*
 * The small services: echo (RFC 862), discard (863), character generator (864), daytime (867) and time (868), by
 * TCP and by UDP.
 */
#include "inetd.h"

#include <sys/random.h>

#define LINE 72 /* characters of a line of chargen */
#define DATAGRAM_MAX 65507
#define CHARGEN_MAX 512          /* of a datagram: RFC 864 */
#define SECONDS_1900 2208988800u /* from 1900 to 1970: RFC 868 */

static char buffer[DATAGRAM_MAX];

static void echo(int fd)
{
    ssize_t n;

    while ((n = read_some(fd, buffer, sizeof(buffer))) > 0)
        if (!write_all(fd, buffer, (size_t)n))
            return;
}

static void discard(int fd)
{
    while (read_some(fd, buffer, sizeof(buffer)) > 0)
        ;
}

/* A line of printable characters, each line begins one further on. */
static void fill_line(char *line, int start)
{
    for (int i = 0; i < LINE; i++)
        line[i] = (char)(' ' + (start + i) % ('~' - ' ' + 1));
    line[LINE] = '\r';
    line[LINE + 1] = '\n';
}

static void chargen(int fd)
{
    char line[LINE + 2];

    for (int start = 0;; start = (start + 1) % ('~' - ' ' + 1)) {
        fill_line(line, start);
        if (!write_all(fd, line, sizeof(line)))
            return;
    }
}

static size_t daytime_text(char *text, size_t size)
{
    time_t now = time(NULL);
    struct tm tm;

    return localtime_r(&now, &tm) ? strftime(text, size, "%a %b %e %H:%M:%S %Y\r\n", &tm) : 0;
}

static void daytime(int fd)
{
    char text[64];

    write_all(fd, text, daytime_text(text, sizeof(text)));
}

static uint32_t time_number(void)
{
    return htonl((uint32_t)((uint64_t)time(NULL) + SECONDS_1900));
}

static void rfc868(int fd)
{
    uint32_t number = time_number();

    write_all(fd, &number, sizeof(number));
}

/* --- by UDP --- */

/*
 * A datagram comes, and N bytes of DATA go back. With N below 0 it goes back itself. What can't be sent now is lost,
 * as any datagram may be.
 */
static void answer(int fd, const void *data, ssize_t n)
{
    struct sockaddr_in from;
    socklen_t length = sizeof(from);
    ssize_t got =
        recvfrom(fd, buffer, sizeof(buffer), MSG_DONTWAIT, (struct sockaddr *)&from, &length);

    if (got < 0 || !internal_may_answer(&from))
        return;
    sendto(fd, n < 0 ? buffer : data, (size_t)(n < 0 ? got : n), MSG_DONTWAIT,
           (struct sockaddr *)&from, length);
}

static void echo_datagram(int fd)
{
    answer(fd, NULL, -1);
}

static void discard_datagram(int fd)
{
    recv(fd, buffer, 1, MSG_DONTWAIT);
}

/* As many characters as chance will. */
static void chargen_datagram(int fd)
{
    char text[CHARGEN_MAX + LINE + 2];
    uint16_t n = 0;
    int start = 0;

    if (getrandom(&n, sizeof(n), 0) != sizeof(n))
        n = CHARGEN_MAX;
    for (int at = 0; at < CHARGEN_MAX; at += LINE + 2)
        fill_line(text + at, start++);
    answer(fd, text, n % (CHARGEN_MAX + 1));
}

static void daytime_datagram(int fd)
{
    char text[64];

    answer(fd, text, (ssize_t)daytime_text(text, sizeof(text)));
}

static void time_datagram(int fd)
{
    uint32_t number = time_number();

    answer(fd, &number, sizeof(number));
}

static const struct internal services[] = {
    {"echo", echo, true, echo_datagram},          {"discard", discard, true, discard_datagram},
    {"chargen", chargen, true, chargen_datagram}, {"daytime", daytime, false, daytime_datagram},
    {"time", rfc868, false, time_datagram},
};

const struct internal *internal_find(const char *name)
{
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        if (strcmp(services[i].name, name) == 0)
            return &services[i];
    return NULL;
}

bool internal_may_answer(const struct sockaddr_in *from)
{
    return from->sin_family == AF_INET && ntohs(from->sin_port) >= IPPORT_RESERVED;
}

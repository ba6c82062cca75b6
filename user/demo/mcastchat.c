/*
 * A talk on a multicast group: who has joined hears what any of them says, and nobody knows who they are.
 * `mcastchat NAME [GROUP [PORT [ADDRESS]]]` joins at a terminal; ADDRESS is the interface's. Without words the demo
 * plays three who talk on one machine. See mcastchat.txt.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "demo.h"

#define GROUP "239.1.2.3" /* of those that stay within an organization (RFC 2365) */
#define PORT 5007
#define LINE_SIZE 512

struct member {
    const char *name;
    int fd;
    struct sockaddr_in group;
};

/* NAME joins GROUP on the interface that has the address WHERE, 0.0.0.0: on the one that routes say. */
static struct member join_group(const char *name, struct sockaddr_in group, struct in_addr where)
{
    struct member m = {name, (int)need(socket(AF_INET, SOCK_DGRAM, 0)), group};
    struct ip_mreq request = {group.sin_addr, where};
    int yes = 1;

    /* Several on one machine have the same port: each gets a copy. */
    need(setsockopt(m.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
    /* Bound to the group's address: what comes to this port for others isn't for us. */
    need(bind(m.fd, (struct sockaddr *)&group, sizeof group));
    need(setsockopt(m.fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request));
    need(setsockopt(m.fd, IPPROTO_IP, IP_MULTICAST_IF, &where, sizeof where));
    return m;
}

/* To all who have joined, ourselves too. */
static void say(const struct member *m, const char *text)
{
    char line[LINE_SIZE];
    int len = snprintf(line, sizeof line, "%s: %s", m->name, text);

    if (len >= (int)sizeof line)
        len = sizeof line - 1;
    need(sendto(m->fd, line, (size_t)len, 0, (const struct sockaddr *)&m->group, sizeof m->group));
}

/* The next that is said, of up to LINE_SIZE - 1 bytes. What a terminal would obey is shown as a dot. */
static void hear(const struct member *m, char *line)
{
    ssize_t n = need(recv(m->fd, line, LINE_SIZE - 1, 0));

    for (ssize_t i = 0; i < n; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '.';
    line[n] = '\0';
}

static void leave(struct member *m)
{
    need(close(m->fd));
}

/* --- at a terminal --- */

/* A line of the keyboard without its end; false: there are no more. */
static bool typed(char *line, size_t size)
{
    if (fgets(line, (int)size, stdin) == NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

static int talk(struct member m)
{
    char line[LINE_SIZE];
    struct pollfd from[] = {{STDIN_FILENO, POLLIN, 0}, {m.fd, POLLIN, 0}};

    setvbuf(stdin, NULL, _IONBF, 0); /* what poll sees and what fgets has are the same */
    say(&m, "has joined");
    for (;;) {
        need(poll(from, 2, -1));
        if (from[1].revents != 0) {
            hear(&m, line);
            printf("%s\n", line);
            fflush(stdout);
        }
        if (from[0].revents != 0) {
            if (!typed(line, sizeof line))
                break;
            say(&m, line);
        }
    }
    say(&m, "has left");
    leave(&m);
    return shown();
}

/* --- the play --- */

static void show_heard(const struct member *m)
{
    char line[LINE_SIZE];

    hear(m, line);
    printf("    %s hears \"%s\"\n", m->name, line);
}

/* Has M nothing to hear? What was sent on one machine has arrived when it was sent. */
static void show_silence(const struct member *m)
{
    struct pollfd p = {m->fd, POLLIN, 0};
    int heard = (int)need(poll(&p, 1, 0));

    claim(!heard);
    printf("    %s hears %s\n", m->name, heard ? "something" : "nothing");
}

static int play(void)
{
    struct in_addr loopback = {htonl(INADDR_LOOPBACK)};
    struct sockaddr_in group = {.sin_family = AF_INET}, other;
    int fd = (int)need(socket(AF_INET, SOCK_DGRAM, 0));
    socklen_t len = sizeof group;

    alarm(30);
    inet_pton(AF_INET, GROUP, &group.sin_addr);
    need(bind(fd, (struct sockaddr *)&group, sizeof group)); /* a port that nobody has */
    need(getsockname(fd, (struct sockaddr *)&group, &len));
    need(close(fd));
    other = group;
    inet_pton(AF_INET, "239.1.2.4", &other.sin_addr);

    struct member anna = join_group("Anna", group, loopback);
    struct member ben = join_group("Ben", group, loopback);
    struct member carl = join_group("Carl", other, loopback);
    printf("Anna and Ben join %s, Carl joins %s\n", GROUP, "239.1.2.4");
    say(&anna, "is anybody here?");
    printf("Anna asks:\n");
    show_heard(&anna);
    show_heard(&ben);
    show_silence(&carl);
    struct member dora = {"Dora", (int)need(socket(AF_INET, SOCK_DGRAM, 0)), group};
    need(setsockopt(dora.fd, IPPROTO_IP, IP_MULTICAST_IF, &loopback, sizeof loopback));
    say(&dora, "I am, in a way");
    printf("Dora, who hasn't joined, answers:\n");
    show_heard(&anna);
    show_heard(&ben);
    show_silence(&dora);
    leave(&ben);
    say(&anna, "good night");
    printf("Ben has left, and Anna says:\n");
    show_heard(&anna);
    leave(&anna);
    leave(&carl);
    leave(&dora);
    return shown();
}

int main(int argc, char **argv)
{
    struct sockaddr_in group = {.sin_family = AF_INET};
    struct in_addr where = {0};
    long port = argc > 3 ? number_in(argv[3], 65535) : PORT;
    bool good;

    if (argc == 1)
        return play();
    good = argc <= 5 && argv[1][0] != '-' && port > 0;
    good = good && inet_pton(AF_INET, argc > 2 ? argv[2] : GROUP, &group.sin_addr) == 1 &&
           IN_MULTICAST(ntohl(group.sin_addr.s_addr));
    group.sin_port = htons((uint16_t)port);
    good = good && (argc <= 4 || inet_pton(AF_INET, argv[4], &where) == 1);
    if (!good) {
        fprintf(stderr, "usage: mcastchat [NAME [GROUP [PORT [ADDRESS]]]]\n");
        return 2;
    }
    return talk(join_group(argv[1], group, where));
}

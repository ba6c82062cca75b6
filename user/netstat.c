/*
 * netstat [-alnrstuwx]: the network's sockets, or its routes (-r) or counters (-s).
 *
 *     -t, -u, -w, -x  TCP, UDP, raw and local sockets alone     -l  those that wait for others
 *     -a  those too                                              -n  numbers, no names
 *
 * All of it is read from /proc/net.
 */
#include "routes.h"

#define USAGE "netstat [-alnrstuwx]"

static bool all, listening, numeric;

static const char *const states[] = {
    "",          "ESTABLISHED", "SYN_SENT",   "SYN_RECEIVED", "FIN_WAIT_1", "FIN_WAIT_2",
    "TIME_WAIT", "CLOSED",      "CLOSE_WAIT", "LAST_ACK",     "LISTEN",     "CLOSING",
};
#define STATES (sizeof(states) / sizeof(states[0]))
#define TCP_STATE_LISTEN 10

static FILE *open_table(const char *path)
{
    FILE *f = fopen(path, "re");
    if (!f)
        warn("%s", path);
    return f;
}

/* ADDRESS:PORT in 22 columns or more. */
static void print_end(unsigned address, unsigned port, const char *protocol)
{
    char text[NI_MAXHOST + NI_MAXSERV + 2];
    const char *host = address   ? host_text((struct in_addr){address}, numeric)
                       : numeric ? "0.0.0.0"
                                 : "*";

    snprintf(text, sizeof(text), "%s:%s", host,
             port ? port_text(htons((uint16_t)port), protocol, numeric) : "*");
    printf(" %-22s", text);
}

/* The sockets of PATH, a table of the Internet family. The exit status. */
static int show_sockets(const char *path, const char *protocol)
{
    FILE *f = open_table(path);
    char line[512];
    unsigned local, local_port, remote, remote_port, state, sending, unread;

    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, " %*u: %8X:%4X %8X:%4X %2X %8X:%8X", &local, &local_port, &remote,
                   &remote_port, &state, &sending, &unread) != 7)
            continue;
        bool is_tcp = strcmp(protocol, "tcp") == 0;
        bool waits = is_tcp ? state == TCP_STATE_LISTEN : remote_port == 0 && remote == 0;
        if (!all && waits != listening)
            continue;
        printf("%-5s %6u %6u", protocol, unread, sending);
        print_end(local, local_port, protocol);
        print_end(remote, remote_port, protocol);
        printf("%s%s\n", is_tcp || state == 1 ? " " : "",
               (is_tcp || state == 1) && state < STATES ? states[state] : "");
    }
    if (f)
        fclose(f);
    return !f;
}

static int show_local(void)
{
    static const char *const types[] = {"", "stream", "dgram", "", "", "seqpacket"};
    FILE *f = open_table("/proc/net/unix");
    char line[512];
    unsigned flags, type, state;
    unsigned long inode;
    int path;

    printf("Proto Type       State        Inode    Path\n");
    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%*s %*X %*X %X %X %X %lu%n", &flags, &type, &state, &inode, &path) != 4)
            continue;
        bool waits = flags & 0x10000; /* it has been told to listen */
        if (!all && waits != listening)
            continue;
        line[strcspn(line, "\n")] = '\0';
        printf("unix  %-10s %-12s %-8lu%s\n", type < 6 ? types[type] : "",
               waits        ? "LISTENING"
               : state == 3 ? "CONNECTED"
                            : "",
               inode, line + path);
    }
    if (f)
        fclose(f);
    return !f;
}

/* /proc/net/snmp and netstat: for each protocol a line of names and one of numbers. */
static int show_counters(const char *path)
{
    FILE *f = open_table(path);
    char names[2048], numbers[2048];

    while (f && fgets(names, sizeof(names), f) && fgets(numbers, sizeof(numbers), f)) {
        char *n = names, *v = numbers;
        char *name = strtok_r(n, " \n", &n), *number = strtok_r(v, " \n", &v);
        printf("%s\n", name ? name : "");
        while ((name = strtok_r(n, " \n", &n)) && (number = strtok_r(v, " \n", &v)))
            printf("    %-20s %s\n", name, number);
    }
    if (f)
        fclose(f);
    return !f;
}

int main(int argc, char **argv)
{
    bool tcp = false, udp = false, raw = false, local = false, routes = false, counters = false;
    int c, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "alnrstuwx")) != -1) {
        switch (c) {
        case 'a': all = true; break;
        case 'l': listening = true; break;
        case 'n': numeric = true; break;
        case 'r': routes = true; break;
        case 's': counters = true; break;
        case 't': tcp = true; break;
        case 'u': udp = true; break;
        case 'w': raw = true; break;
        case 'x': local = true; break;
        default: usage(1, USAGE);
        }
    }
    if (optind < argc)
        usage(1, USAGE);
    if (routes || counters) {
        status = routes ? routes_show(numeric) : 0;
        if (counters)
            status |= show_counters("/proc/net/snmp") | show_counters("/proc/net/netstat");
        return command_end(status);
    }
    if (!tcp && !udp && !raw && !local)
        tcp = udp = raw = local = true;
    if (tcp || udp || raw)
        printf("Proto Unread Unsent Here                   There                  State\n");
    if (tcp)
        status |= show_sockets("/proc/net/tcp", "tcp");
    if (udp)
        status |= show_sockets("/proc/net/udp", "udp");
    if (raw)
        status |= show_sockets("/proc/net/raw", "raw");
    if (local)
        status |= show_local();
    return command_end(status);
}

/*
 * netstat [-ailnprstuwx]: the network's sockets, or its routes (-r), counters (-s) or interfaces (-i).
 *
 *     -t, -u, -w, -x  TCP, UDP, raw and local sockets alone     -l  those that wait for others
 *     -a  those too                                              -n  numbers, no names
 *     -p  a process that has the socket, of those that we may look at: all for root, else our own
 *
 * All of it is read from /proc: a socket has the same inode in a table of /proc/net and as a descriptor of a process.
 */
#include "routes.h"

#include <dirent.h>

#define USAGE "netstat [-ailnprstuwx]"

static bool all, listening, numeric, owners;

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

/* --- whose a socket is (-p) --- */

/* DIRECTORY/NAME as the number behind "socket:[", or 0. */
static unsigned long socket_at(int directory, const char *name)
{
    char text[64];
    unsigned long inode = 0;
    ssize_t n = readlinkat(directory, name, text, sizeof(text) - 1);

    text[n > 0 ? n : 0] = '\0';
    sscanf(text, "socket:[%lu]", &inode);
    return inode;
}

static bool has_socket(const char *pid, unsigned long inode)
{
    char path[64];
    struct dirent *e;
    bool found = false;

    snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
    DIR *descriptors = opendir(path);
    while (descriptors && !found && (e = readdir(descriptors)))
        found = socket_at(dirfd(descriptors), e->d_name) == inode;
    if (descriptors)
        closedir(descriptors);
    return found;
}

/* PID/NAME of the first process that has the socket INODE, or "-", in WIDTH columns or more. */
static void print_owner(unsigned long inode, int width)
{
    struct dirent *e;
    char path[64], name[32] = "", owner[64] = "-";
    DIR *processes = owners ? opendir("/proc") : NULL;
    bool found = false;

    while (inode && processes && !found && (e = readdir(processes))) {
        found = e->d_name[0] >= '1' && e->d_name[0] <= '9' && has_socket(e->d_name, inode);
        if (!found)
            continue;
        snprintf(path, sizeof(path), "/proc/%.20s/comm", e->d_name);
        FILE *f = fopen(path, "re");
        if (f && fgets(name, sizeof(name), f))
            name[strcspn(name, "\n")] = '\0';
        if (f)
            fclose(f);
        snprintf(owner, sizeof(owner), "%.20s/%s", e->d_name, name);
    }
    if (processes)
        closedir(processes);
    if (owners)
        printf(" %-*s", width, owner);
}

/* --- sockets --- */

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
    unsigned long inode;

    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, " %*u: %8X:%4X %8X:%4X %2X %8X:%8X %*s %*s %*u %*u %lu", &local,
                   &local_port, &remote, &remote_port, &state, &sending, &unread, &inode) != 8)
            continue;
        bool is_tcp = strcmp(protocol, "tcp") == 0;
        bool waits = is_tcp ? state == TCP_STATE_LISTEN : remote_port == 0 && remote == 0;
        if (!all && waits != listening)
            continue;
        printf("%-5s %6u %6u", protocol, unread, sending);
        print_end(local, local_port, protocol);
        print_end(remote, remote_port, protocol);
        const char *shown = (is_tcp || state == 1) && state < STATES ? states[state] : "";
        if (owners)
            printf(" %-12s", shown);
        else if (*shown)
            printf(" %s", shown);
        print_owner(inode, 0);
        printf("\n");
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

    printf("Proto Type       State        Inode    %sPath\n", owners ? "Process         " : "");
    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%*s %*X %*X %X %X %X %lu%n", &flags, &type, &state, &inode, &path) != 4)
            continue;
        bool waits = flags & 0x10000; /* it has been told to listen */
        if (!all && waits != listening)
            continue;
        line[strcspn(line, "\n")] = '\0';
        printf("unix  %-10s %-12s %-8lu", type < 6 ? types[type] : "",
               waits        ? "LISTENING"
               : state == 3 ? "CONNECTED"
                            : "",
               inode);
        print_owner(inode, 15);
        printf("%s\n", line + path);
    }
    if (f)
        fclose(f);
    return !f;
}

static int show_interfaces(void)
{
    FILE *f = open_table("/proc/net/dev");
    char line[512], name[IFNAMSIZ];
    unsigned long long n[16];
    int fd = need_socket(AF_INET, SOCK_DGRAM, 0);

    printf("Interface  MTU   Received     Errors Dropped  Sent         Errors Dropped\n");
    while (f && fgets(line, sizeof(line), f)) {
        char *p = strchr(line, ':');
        struct ifreq r;
        if (!p || sscanf(line, " %15[^: ]", name) != 1)
            continue;
        p++;
        for (int i = 0; i < 16; i++)
            n[i] = strtoull(p, &p, 10);
        bool known = name_interface(&r, name) && ioctl(fd, SIOCGIFFLAGS, &r) == 0;
        if (known && !all && !(r.ifr_flags & IFF_UP))
            continue;
        int mtu = known && ioctl(fd, SIOCGIFMTU, &r) == 0 ? r.ifr_mtu : 0;
        printf("%-10s %-5d %-12llu %-6llu %-8llu %-12llu %-6llu %llu\n", name, mtu, n[1], n[2],
               n[3], n[9], n[10], n[11]);
    }
    close(fd);
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
    bool tcp = false, udp = false, raw = false, local = false, routes = false, counters = false,
         interfaces = false;
    int c, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "ailnprstuwx")) != -1) {
        switch (c) {
        case 'a': all = true; break;
        case 'i': interfaces = true; break;
        case 'l': listening = true; break;
        case 'n': numeric = true; break;
        case 'p': owners = true; break;
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
    if (routes || counters || interfaces) {
        status = routes ? routes_show(numeric) : 0;
        if (interfaces)
            status |= show_interfaces();
        if (counters)
            status |= show_counters("/proc/net/snmp") | show_counters("/proc/net/netstat");
        return command_end(status);
    }
    if (!tcp && !udp && !raw && !local)
        tcp = udp = raw = local = true;
    if (tcp || udp || raw)
        printf("Proto Unread Unsent Here                   There                  State%s\n",
               owners ? "        Process" : "");
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

/* Services and protocols by name and number: /etc/services, a line `name port/protocol aliases...`. */
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "net/table.h"

/* The line begins NAME PORT/PROTOCOL: put the port, network order, into SERVICE. */
static bool parse(struct table_line *line, struct servent *service)
{
    char *slash = strchr(line->words[1], '/'), *end;
    unsigned long port = strtoul(line->words[1], &end, 10);

    if (slash == NULL || end != slash || port > 65535)
        return false;
    *service = (struct servent){line->words[0], line->words + 2, htons((uint16_t)port), slash + 1};
    return true;
}

bool __service_find(const char *name, int port, const char *protocol, struct table_line *line,
                    struct servent *found)
{
    FILE *f = fopen("/etc/services", "re");
    bool ok = false;

    if (f == NULL)
        return false;
    while (!ok && __table_next(f, line))
        ok = parse(line, found) && (protocol == NULL || strcmp(found->s_proto, protocol) == 0) &&
             (name == NULL ? found->s_port == port
                           : strcmp(found->s_name, name) == 0 || __table_has(line, 2, name, false));
    fclose(f);
    return ok;
}

static struct servent *find(const char *name, int port, const char *protocol)
{
    static struct table_line line;
    static struct servent service;
    return __service_find(name, port, protocol, &line, &service) ? &service : NULL;
}

struct servent *getservbyname(const char *name, const char *protocol)
{
    return find(name, 0, protocol);
}

struct servent *getservbyport(int port, const char *protocol)
{
    return find(NULL, port, protocol);
}

/* The protocols that this system knows; they have changed once in forty years. */
static char *no_aliases[] = {NULL};
static struct protoent protocols[] = {
    {"ip", no_aliases, IPPROTO_IP},     {"icmp", no_aliases, IPPROTO_ICMP},
    {"igmp", no_aliases, IPPROTO_IGMP}, {"tcp", no_aliases, IPPROTO_TCP},
    {"udp", no_aliases, IPPROTO_UDP},
};
#define PROTOCOLS (sizeof protocols / sizeof protocols[0])

struct protoent *getprotobyname(const char *name)
{
    for (size_t i = 0; i < PROTOCOLS; i++)
        if (strcmp(protocols[i].p_name, name) == 0)
            return &protocols[i];
    return NULL;
}

struct protoent *getprotobynumber(int number)
{
    for (size_t i = 0; i < PROTOCOLS; i++)
        if (protocols[i].p_proto == number)
            return &protocols[i];
    return NULL;
}

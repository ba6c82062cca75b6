/*
 * getaddrinfo(3): hosts and services become socket addresses, one for each kind of socket and each address. A result
 * is one piece of memory, with the address behind it; the first has the canonical name.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "net/resolve.h"
#include "net/table.h"

/* Of these some change nothing where all is IPv4: there is one kind of address, and the loopback always has one. */
#define NO_CHANGE (AI_ADDRCONFIG | AI_V4MAPPED | AI_ALL)
#define FLAGS (AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_NUMERICSERV | NO_CHANGE)

/* The kinds of socket that an address is good for, and what a service is looked up with. */
static const struct kind {
    int type, protocol;
    const char *name;
} kinds[] = {
    {SOCK_STREAM, IPPROTO_TCP, "tcp"},
    {SOCK_DGRAM, IPPROTO_UDP, "udp"},
    {SOCK_RAW, 0, NULL},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

struct result {
    struct addrinfo info;
    struct sockaddr_in address;
};

/* Is a socket of this kind what HINTS asks for? A raw one must be asked for by name if there is a service. */
static bool is_wanted(const struct kind *k, const struct addrinfo *hints)
{
    return (hints->ai_socktype == 0 || hints->ai_socktype == k->type) &&
           (hints->ai_protocol == 0 || k->protocol == 0 || hints->ai_protocol == k->protocol);
}

/* The port of SERVICE for K in *PORT, network order. 0 or an EAI_. */
static int find_port(const char *service, const struct kind *k, int flags, in_port_t *port)
{
    struct table_line line;
    struct servent entry;
    char *end;

    *port = 0;
    if (service == NULL)
        return 0;
    if (k->name == NULL)
        return EAI_SERVICE;
    unsigned long n = strtoul(service, &end, 10);
    if (*service >= '0' && *service <= '9' && *end == '\0') {
        *port = htons((uint16_t)n);
        return n > 65535 ? EAI_SERVICE : 0;
    }
    if (flags & AI_NUMERICSERV)
        return EAI_NONAME;
    if (!__service_find(service, 0, k->name, &line, &entry))
        return EAI_SERVICE;
    *port = (in_port_t)entry.s_port;
    return 0;
}

static int find_host(const char *node, int flags, struct host_found *found)
{
    static const int errors[] = {0, EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_NONAME};

    if (node == NULL) {
        uint32_t address = flags & AI_PASSIVE ? INADDR_ANY : INADDR_LOOPBACK;
        *found = (struct host_found){.addresses = {{htonl(address)}}, .count = 1};
        return 0;
    }
    if ((flags & AI_NUMERICHOST) && !inet_aton(node, &found->addresses[0]))
        return EAI_NONAME;
    return errors[__host_lookup(node, found)];
}

/* Append one result to the list whose end is *END. */
static bool append(struct addrinfo ***end, const struct kind *k, int protocol,
                   struct in_addr address, in_port_t port)
{
    struct result *r = calloc(1, sizeof *r);

    if (r == NULL)
        return false;
    r->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port, .sin_addr = address};
    r->info = (struct addrinfo){
        .ai_family = AF_INET,
        .ai_socktype = k->type,
        .ai_protocol = k->protocol != 0 ? k->protocol : protocol,
        .ai_addrlen = sizeof r->address,
        .ai_addr = (struct sockaddr *)&r->address,
    };
    **end = &r->info;
    *end = &r->info.ai_next;
    return true;
}

/* What is asked for can be had at all. 0 or an EAI_. */
static int check(const char *node, const char *service, const struct addrinfo *hints)
{
    if (node == NULL && service == NULL)
        return EAI_NONAME;
    if (hints->ai_flags & ~FLAGS || ((hints->ai_flags & AI_CANONNAME) && node == NULL))
        return EAI_BADFLAGS;
    if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET)
        return EAI_FAMILY;
    for (size_t i = 0; i < KINDS; i++)
        if (is_wanted(&kinds[i], hints))
            return 0;
    return EAI_SOCKTYPE;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    static const struct addrinfo no_hints = {0};
    struct addrinfo *list = NULL, **end = &list;
    struct host_found found;
    int error, port_error = 0;

    if (hints == NULL)
        hints = &no_hints;
    error = check(node, service, hints);
    if (error == 0)
        error = find_host(node, hints->ai_flags, &found);
    for (size_t i = 0; i < KINDS && error == 0; i++) {
        in_port_t port;
        if (!is_wanted(&kinds[i], hints))
            continue;
        int no_port = find_port(service, &kinds[i], hints->ai_flags, &port);
        if (no_port != 0 && port_error == 0)
            port_error = no_port; /* it may be known for another kind */
        for (int a = 0; a < found.count && no_port == 0 && error == 0; a++)
            if (!append(&end, &kinds[i], hints->ai_protocol, found.addresses[a], port))
                error = EAI_MEMORY;
    }
    if (error == 0 && list == NULL)
        error = port_error;
    if (error == 0 && (hints->ai_flags & AI_CANONNAME) &&
        (list->ai_canonname = strdup(found.name)) == NULL)
        error = EAI_MEMORY;
    if (error != 0) {
        freeaddrinfo(list);
        return error;
    }
    *result = list;
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list->ai_canonname);
        free(list);
        list = next;
    }
}

const char *gai_strerror(int error)
{
    static const char *const texts[] = {
        [0] = "Success",
        [-EAI_BADFLAGS] = "Flags that are unknown",
        [-EAI_NONAME] = "Name or service not known",
        [-EAI_AGAIN] = "No answer from the name servers",
        [-EAI_FAIL] = "The name can't be resolved",
        [-EAI_FAMILY] = "Address family not supported",
        [-EAI_SOCKTYPE] = "Socket type not supported",
        [-EAI_SERVICE] = "Service not known for this type of socket",
        [-EAI_MEMORY] = "Out of memory",
        [-EAI_SYSTEM] = "System error",
        [-EAI_OVERFLOW] = "Buffer too small",
    };
    unsigned n = (unsigned)-error;
    return n < sizeof texts / sizeof texts[0] && texts[n] != NULL ? texts[n] : "Unknown error";
}

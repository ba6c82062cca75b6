/* getnameinfo(3): from a socket address to the names of the host and of the service. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/resolve.h"
#include "net/table.h"

/* 0 or EAI_OVERFLOW. */
static int put(char *to, socklen_t size, const char *text)
{
    if (strlen(text) >= size)
        return EAI_OVERFLOW;
    strcpy(to, text);
    return 0;
}

/* Take off what NAME has in common with this machine's own: the domain. */
static void cut_domain(char *name)
{
    char own[256];
    char *domain = gethostname(own, sizeof own) == 0 ? strchr(own, '.') : NULL;
    char *dot = strchr(name, '.');

    if (domain != NULL && dot != NULL && strcmp(domain, dot) == 0)
        *dot = '\0';
}

static int host_of(struct in_addr address, int flags, char *host, socklen_t size)
{
    char number[INET_ADDRSTRLEN];

    if (!(flags & NI_NUMERICHOST)) {
        struct host_found found;
        int error = __host_name(address, &found);
        if (error == 0) {
            if (flags & NI_NOFQDN)
                cut_domain(found.name);
            return put(host, size, found.name);
        }
        if (flags & NI_NAMEREQD)
            return error == TRY_AGAIN ? EAI_AGAIN : EAI_NONAME;
    }
    inet_ntop(AF_INET, &address, number, sizeof number);
    return put(host, size, number);
}

static int service_of(in_port_t port, int flags, char *service, socklen_t size)
{
    struct table_line line;
    struct servent entry;
    char number[8];

    if (!(flags & NI_NUMERICSERV) &&
        __service_find(NULL, port, flags & NI_DGRAM ? "udp" : "tcp", &line, &entry))
        return put(service, size, entry.s_name);
    snprintf(number, sizeof number, "%d", ntohs(port));
    return put(service, size, number);
}

int getnameinfo(const struct sockaddr *address, socklen_t length, char *host, socklen_t host_size,
                char *service, socklen_t service_size, int flags)
{
    struct sockaddr_in in;
    int error = 0;

    if (flags & ~(NI_NUMERICHOST | NI_NUMERICSERV | NI_NOFQDN | NI_NAMEREQD | NI_DGRAM))
        return EAI_BADFLAGS;
    if (length < sizeof in || address->sa_family != AF_INET)
        return EAI_FAMILY;
    memcpy(&in, address, sizeof in);
    if (host_size == 0 && service_size == 0)
        return EAI_NONAME;
    if (host_size > 0)
        error = host_of(in.sin_addr, flags, host, host_size);
    if (error == 0 && service_size > 0)
        error = service_of(in.sin_port, flags, service, service_size);
    return error;
}

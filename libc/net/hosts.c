/* gethostbyname(3) and its like, with h_errno: what was there before getaddrinfo. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "net/resolve.h"

static struct host_found found;
static struct hostent host;
static char *list[HOST_ADDRESSES + 1];
static char *aliases[HOST_ALIASES + 1];

static struct hostent *make_host(void)
{
    for (int i = 0; i < found.count; i++)
        list[i] = (char *)&found.addresses[i];
    list[found.count] = NULL;
    for (int i = 0; i < found.alias_count; i++)
        aliases[i] = found.aliases[i];
    aliases[found.alias_count] = NULL;
    host = (struct hostent){found.name, aliases, AF_INET, sizeof(struct in_addr), list};
    return &host;
}

struct hostent *gethostbyname(const char *name)
{
    h_errno = __host_lookup(name, &found);
    return h_errno == 0 ? make_host() : NULL;
}

struct hostent *gethostbyaddr(const void *address, socklen_t length, int family)
{
    if (family != AF_INET || length != sizeof(struct in_addr)) {
        h_errno = NO_RECOVERY;
        return NULL;
    }
    struct in_addr wanted;
    memcpy(&wanted, address, sizeof wanted);
    h_errno = __host_name(wanted, &found);
    return h_errno == 0 ? make_host() : NULL;
}

const char *hstrerror(int error)
{
    static const char *const texts[] = {
        "No error",
        "Host not found",
        "No answer from the name servers",
        "The name can't be resolved",
        "The name has no address",
    };
    return error >= 0 && error <= NO_DATA ? texts[error] : "Unknown error";
}

void herror(const char *what)
{
    fprintf(stderr, "%s%s%s\n", what ? what : "", what ? ": " : "", hstrerror(h_errno));
}

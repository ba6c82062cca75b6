/* From names to addresses and back: /etc/hosts first, then the domain name system. */
#pragma once

#include <netinet/in.h>

#define HOST_ADDRESSES 48
#define HOST_ALIASES 8

struct host_found {
    char name[256]; /* the one that has the addresses, aliases followed */
    struct in_addr addresses[HOST_ADDRESSES];
    int count;
    char aliases[HOST_ALIASES][256]; /* its other names, as far as they were met on the way */
    int alias_count;
};

/* The addresses of NAME, which may be one itself. 0 or an h_errno. */
int __host_lookup(const char *name, struct host_found *found);
/* The name of ADDRESS, with the aliases that /etc/hosts has for it. 0 or an h_errno. */
int __host_name(struct in_addr address, struct host_found *found);

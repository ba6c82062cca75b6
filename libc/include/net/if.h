/* <net/if.h>: network interfaces. */
#pragma once

#include <abi/if.h>

struct if_nameindex {
    unsigned int if_index;
    char *if_name;
};

/* The number of the interface NAME; 0 with errno: there is none. Source: POSIX. */
unsigned int if_nametoindex(const char *name);
/* Its name, in NAME of IF_NAMESIZE bytes; NULL with ENXIO: there is none. Source: POSIX. */
char *if_indextoname(unsigned int index, char *name);
/* All of them, behind the last one with index 0 and no name; NULL with errno. To be freed by if_freenameindex. */
struct if_nameindex *if_nameindex(void);
void if_freenameindex(struct if_nameindex *list);

/* The routing table as /proc/net/route has it, for route and netstat. */
#pragma once

#include "net.h"

#include <net/route.h>

/* An address for the table: a name if there is one, and it is asked for; 0.0.0.0 has a word of its own. */
static inline const char *route_text(uint32_t address, bool numeric, const char *zero)
{
    if (address == 0 && !numeric)
        return zero;
    return host_text((struct in_addr){address}, numeric);
}

/* The exit status. */
static inline int routes_show(bool numeric)
{
    FILE *f = fopen("/proc/net/route", "re");
    char line[256], name[IFNAMSIZ];
    unsigned destination, gateway, flags, metric, mask;

    if (!f) {
        warn("/proc/net/route");
        return 1;
    }
    printf("Destination     Gateway         Netmask         Flags Metric Interface\n");
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%15s %x %x %x %*d %*d %u %x", name, &destination, &gateway, &flags,
                   &metric, &mask) != 6)
            continue;
        char marks[6];
        snprintf(marks, sizeof(marks), "%s%s%s%s", flags & RTF_UP ? "U" : "",
                 flags & RTF_GATEWAY ? "G" : "", flags & RTF_HOST ? "H" : "",
                 flags & RTF_REJECT ? "!" : "");
        printf("%-15s ", route_text(destination, numeric, "default"));
        printf("%-15s ", route_text(gateway, numeric, "*"));
        printf("%-15s %-5s %-6u %s\n", host_text((struct in_addr){mask}, true), marks, metric,
               name);
    }
    fclose(f);
    return 0;
}

/*
 * links: a line for each announcement that rtnetlink makes of an interface: its name, which of the flags that tell of
 * the device's health it has, and which of them have changed. For tests with a wire.
 */
#include <abi/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const struct {
    unsigned flag;
    const char *name;
} flags[] = {{IFF_UP, "up"}, {IFF_RUNNING, "running"}, {0x10000 /* IFF_LOWER_UP */, "carrier"}};

static void say(unsigned which)
{
    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (which & flags[i].flag)
            printf(" %s", flags[i].name);
}

int main(void)
{
    struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_groups = 1 << (RTNLGRP_LINK - 1)};
    struct {
        struct nlmsghdr h;
        struct ifinfomsg m;
        char more[4096];
    } got;
    char device[IF_NAMESIZE];
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof(name))) {
        perror("rtnetlink");
        return 1;
    }
    puts("listening");
    while (recv(fd, &got, sizeof(got), 0) >= (ssize_t)(sizeof(got.h) + sizeof(got.m))) {
        printf("%s:", if_indextoname((unsigned)got.m.ifi_index, device));
        say(got.m.ifi_flags);
        printf(", changed:");
        say(got.m.ifi_change);
        printf("\n");
    }
    perror("recv");
    return 1;
}

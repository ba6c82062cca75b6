/* Names and numbers of network interfaces, by ioctl (netdevice(7)). */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Have the kernel answer REQUEST about *R, on any socket. */
static int ask(unsigned long request, struct ifreq *r)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result;

    if (fd < 0)
        return -1;
    result = ioctl(fd, request, r);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

unsigned int if_nametoindex(const char *name)
{
    struct ifreq r = {0};

    if (strlen(name) >= sizeof r.ifr_name) {
        errno = ENODEV;
        return 0;
    }
    strcpy(r.ifr_name, name);
    return ask(SIOCGIFINDEX, &r) < 0 ? 0 : (unsigned)r.ifr_ifindex;
}

char *if_indextoname(unsigned int index, char *name)
{
    struct ifreq r = {.ifr_ifindex = (int)index};

    if (ask(SIOCGIFNAME, &r) < 0) {
        if (errno == ENODEV)
            errno = ENXIO;
        return NULL;
    }
    return strncpy(name, r.ifr_name, IF_NAMESIZE);
}

void if_freenameindex(struct if_nameindex *list)
{
    for (struct if_nameindex *i = list; i->if_index != 0; i++)
        free(i->if_name);
    free(list);
}

/* LIST with one more at its end, which is at N; NULL: no memory, and LIST has been freed. */
static struct if_nameindex *append(struct if_nameindex *list, size_t n, const char *name)
{
    struct if_nameindex *longer = realloc(list, (n + 2) * sizeof *list);
    char *copy = longer != NULL ? strdup(name) : NULL;

    if (copy == NULL) {
        if_freenameindex(longer != NULL ? longer : list);
        errno = ENOBUFS;
        return NULL;
    }
    longer[n] = (struct if_nameindex){if_nametoindex(name), copy};
    longer[n + 1] = (struct if_nameindex){0, NULL};
    return longer;
}

/* SIOCGIFCONF tells only of those that have an address; the lines of /proc/net/dev begin with every name. */
struct if_nameindex *if_nameindex(void)
{
    FILE *f = fopen("/proc/net/dev", "re");
    struct if_nameindex *list;
    char line[512], name[IF_NAMESIZE];
    size_t n = 0;

    if (f == NULL)
        return NULL;
    list = calloc(1, sizeof *list);
    while (list != NULL && fgets(line, sizeof line, f) != NULL)
        if (strchr(line, ':') != NULL && sscanf(line, " %15[^: ]", name) == 1)
            list = append(list, n++, name);
    fclose(f);
    return list;
}

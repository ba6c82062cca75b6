/* What several processes change of an interface at once. */
#include "inet.h"

#include <string.h>

#define NAME "lo:5"
#define ADDRESS 0x0a4d0101u /* 10.77.1.1 */
#define MASK 0xffffff00u

/* A call about NAME with VALUE: its result. */
static int change(unsigned long what, uint32_t value)
{
    struct sockaddr_in a = at(value, 0);
    struct ifreq r = {0};
    int fd = inet_fresh(SOCK_DGRAM);

    strcpy(r.ifr_name, NAME);
    memcpy(&r.ifr_addr, &a, sizeof(a));
    int result = ioctl(fd, what, &r);
    works(close(fd));
    return result;
}

/* How many addresses stand under NAME. */
static int count(void)
{
    struct ifreq all[32];
    struct ifconf c = {.ifc_len = sizeof(all), .ifc_req = all};
    int fd = inet_fresh(SOCK_DGRAM), n = 0;

    works(ioctl(fd, SIOCGIFCONF, &c));
    works(close(fd));
    for (size_t i = 0; i < (size_t)c.ifc_len / sizeof(all[0]); i++)
        n += strcmp(all[i].ifr_name, NAME) == 0;
    return n;
}

TEST(an_address_says_its_family)
{
    struct ifreq r = {.ifr_name = "lo"};
    int fd = inet_fresh(SOCK_DGRAM);

    fails(ioctl(fd, SIOCSIFADDR, &r), EINVAL);
    fails(ioctl(fd, SIOCSIFNETMASK, &r), EINVAL);
    fails(ioctl(fd, SIOCSIFBRDADDR, &r), EINVAL);
    works(inet_bound(SOCK_STREAM, LOOP));
}

TEST(an_address_that_many_set_at_once_is_one)
{
    pid_t pids[4];
    works(change(SIOCSIFADDR, ADDRESS));
    for (int i = 0; i < 4; i++) {
        CHILD (pids[i]) {
            for (int k = 0; k < 300; k++) {
                works(change(SIOCSIFADDR, ADDRESS));
                works(change(SIOCSIFNETMASK, MASK));
            }
        }
    }
    for (int i = 0; i < 4; i++)
        exits(pids[i], 0);
    same(count(), 1);
    works(close(inet_bound(SOCK_DGRAM, ADDRESS)));
    works(change(SIOCSIFADDR, 0));
    same(count(), 0);
}

int main(void)
{
    return tap_run("interface_changes");
}

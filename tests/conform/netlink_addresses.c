/* musl: Primary and secondary addresses: which is which, what goes with what, and who is told. */
#define _GNU_SOURCE
#include "netlink.h"

#include <fcntl.h>

#define SECONDARY 1 /* IFA_F_SECONDARY */
#define IFA_LOCAL 2

/* 198.51.100.N and 203.0.113.N (RFC 5737). */
#define HERE(n) (0xc6336400u + (n))
#define THERE(n) (0xcb007100u + (n))

/* On Linux an administrator may want it otherwise: not here. */
static bool begin(void)
{
    static const char *const files[] = {"/proc/sys/net/ipv4/conf/all/promote_secondaries",
                                        "/proc/sys/net/ipv4/conf/default/promote_secondaries",
                                        "/proc/sys/net/ipv4/conf/lo/promote_secondaries"};

    if (!set_apart())
        return false;
    for (size_t i = 0; i < 3; i++) {
        int fd = open(files[i], O_WRONLY);
        if (fd >= 0)
            same(write(fd, "0", 1), 1);
        (void)close(fd);
    }
    lo_goes(true);
    return true;
}

/* RTM_NEWADDR or RTM_DELADDR of the loopback: its errno. */
static int change(int type, uint32_t address, int prefix)
{
    uint32_t words[4] = {0x20008, htonl(address), 0x10008, htonl(address)};
    int fd = netlink();

    memset(request.body, 0, sizeof(request.body));
    request.body[0] = AF_INET;
    request.body[1] = (unsigned char)prefix;
    request.body[4] = LO;
    memcpy(request.body + 8, words, sizeof(words));
    ask(fd, type, NLM_F_ACK | (type == RTM_NEWADDR ? NLM_F_CREATE : 0), 24);
    int error = verdict(fd);
    works(close(fd));
    return error;
}

static void add(uint32_t address, int prefix)
{
    same(change(RTM_NEWADDR, address, prefix), 0);
}

static void take(uint32_t address, int prefix)
{
    same(change(RTM_DELADDR, address, prefix), 0);
}

/* The flags of ADDRESS/PREFIX; -1: the loopback hasn't got it. *PLACE: which it is in the list. */
static int flags_of(uint32_t address, int prefix, int *place)
{
    int fd = netlink(), found = -1, count = 0;
    bool over = false;

    memset(request.body, 0, sizeof(request.body));
    request.body[0] = AF_INET;
    ask(fd, RTM_GETADDR, NLM_F_DUMP, 8);
    while (!over) {
        ssize_t n = works(recv(fd, &answer, sizeof(answer), 0));
        const char *p = answer.bytes;
        while (p < answer.bytes + n) {
            const struct nlmsghdr *h = (const struct nlmsghdr *)p;
            const unsigned char *m = (const unsigned char *)(h + 1);
            over |= h->nlmsg_type == NLMSG_DONE;
            if (h->nlmsg_type == RTM_NEWADDR) {
                count++;
                if (ntohl(number_in(h, 8, IFA_LOCAL)) == address && m[1] == prefix) {
                    found = m[2];
                    *place = count;
                }
            }
            p += (h->nlmsg_len + 3) & ~3u;
        }
    }
    works(close(fd));
    return found;
}

static int place_of(uint32_t address, int prefix)
{
    int place = -1;
    (void)flags_of(address, prefix, &place);
    return place;
}

static bool is_secondary(uint32_t address, int prefix)
{
    int place, flags = flags_of(address, prefix, &place);
    check(flags >= 0, "%08x/%d is not there", address, prefix);
    return flags & SECONDARY;
}

/* May a socket be bound to it? */
static int is_ours(uint32_t address)
{
    struct sockaddr_in a = at(address, 0);
    int fd = inet_fresh(SOCK_DGRAM), error = bind(fd, ADDR(a));
    if (error)
        same(errno, EADDRNOTAVAIL);
    works(close(fd));
    return !error;
}

TEST(the_second_in_a_network_is_secondary)
{
    if (!begin())
        return;
    add(HERE(1), 24);
    add(HERE(2), 24);
    add(HERE(3), 25);
    add(THERE(1), 24);
    check(!is_secondary(HERE(1), 24), "the first");
    check(is_secondary(HERE(2), 24), "the second");
    check(!is_secondary(HERE(3), 25), "in a network of another length");
    check(!is_secondary(THERE(1), 24), "in another network");
    same(change(RTM_NEWADDR, HERE(2), 24), EEXIST);
    take(HERE(1), 24);
    take(HERE(3), 25);
    take(THERE(1), 24);
}

TEST(the_secondary_ones_go_with_the_primary)
{
    if (!begin())
        return;
    for (unsigned i = 1; i <= 5; i++)
        add(HERE(i), 24);
    add(THERE(1), 24);
    same(is_ours(HERE(5)), 1);
    take(HERE(1), 24);
    for (unsigned i = 1; i <= 5; i++) {
        same(place_of(HERE(i), 24), -1);
        same(is_ours(HERE(i)), 0);
        same(change(RTM_DELADDR, HERE(i), 24), EADDRNOTAVAIL);
    }
    same(is_ours(THERE(1)), 1);
    same(is_ours(LOOP), 1);
    take(THERE(1), 24);
}

TEST(a_secondary_one_goes_alone)
{
    if (!begin())
        return;
    add(HERE(1), 24);
    add(HERE(2), 24);
    add(HERE(3), 24);
    take(HERE(2), 24);
    same(place_of(HERE(2), 24), -1);
    check(!is_secondary(HERE(1), 24) && is_secondary(HERE(3), 24), "the others are as they were");
    add(HERE(2), 24);
    check(is_secondary(HERE(2), 24), "it is so again");
    take(HERE(1), 24);
}

TEST(who_comes_first_again_is_primary)
{
    if (!begin())
        return;
    add(HERE(1), 24);
    add(HERE(2), 24);
    take(HERE(1), 24);
    add(HERE(2), 24);
    add(HERE(1), 24);
    check(!is_secondary(HERE(2), 24) && is_secondary(HERE(1), 24), "the places are changed");
    take(HERE(2), 24);
    same(place_of(HERE(1), 24), -1);
}

TEST(primary_ones_stand_first)
{
    if (!begin())
        return;
    add(HERE(1), 24);
    add(HERE(2), 24);
    add(THERE(1), 24);
    int first = place_of(HERE(1), 24);
    check(first > 0 && first < place_of(THERE(1), 24), "in the order in which they came");
    check(place_of(THERE(1), 24) < place_of(HERE(2), 24), "the secondary one after them");
    take(HERE(1), 24);
    take(THERE(1), 24);
}

TEST(an_address_of_two_networks_is_ours_until_both_are_gone)
{
    if (!begin())
        return;
    add(HERE(1), 24);
    add(HERE(1), 32);
    same(is_ours(HERE(1)), 1);
    take(HERE(1), 24);
    same(is_ours(HERE(1)), 1);
    take(HERE(1), 32);
    same(is_ours(HERE(1)), 0);
}

TEST(each_that_goes_is_told)
{
    if (!begin())
        return;
    add(HERE(1), 24);
    add(HERE(2), 24);
    add(HERE(3), 24);
    int fd = listener(BIT(GROUP_ADDRESS));
    take(HERE(1), 24);
    unsigned seen = 0;
    for (int i = 0; i < 3; i++) {
        uint32_t address = ntohl(number_in(heard(fd, RTM_DELADDR), 8, IFA_LOCAL));
        check(address > HERE(0) && address < HERE(4), "%08x", address);
        check(!(seen & 1u << (address - HERE(0))), "twice");
        check(address != HERE(1) || seen == 0xc, "the primary one last");
        seen |= 1u << (address - HERE(0));
    }
    fails(recv(fd, &answer, sizeof(answer), MSG_DONTWAIT), EAGAIN);
}

int main(void)
{
    return tap_run("netlink_addresses");
}

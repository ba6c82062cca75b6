/* musl: Each option and request of each kind of socket with wild pointers, and lengths that can't be: it goes on. */
#define _GNU_SOURCE
#include "inet.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#define SOL_NETLINK 270
#define NAMES 100 /* no family has more options in use */
#define GUARD 0x5a

static const struct {
    const char *name;
    int family, type, protocol;
} kinds[] = {
    {"tcp", AF_INET, SOCK_STREAM, 0},       {"udp", AF_INET, SOCK_DGRAM, 0},
    {"raw", AF_INET, SOCK_RAW, 255},        {"icmp", AF_INET, SOCK_RAW, 1},
    {"packet", AF_PACKET, SOCK_RAW, 0},     {"packet data", AF_PACKET, SOCK_DGRAM, 0},
    {"netlink", AF_NETLINK, SOCK_RAW, 0},   {"local stream", AF_UNIX, SOCK_STREAM, 0},
    {"local data", AF_UNIX, SOCK_DGRAM, 0}, {"local records", AF_UNIX, SOCK_SEQPACKET, 0},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const int levels[] = {SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP,
                             255,        263,        SOL_NETLINK};
#define LEVELS (sizeof(levels) / sizeof(levels[0]))

static char *page; /* one page, and behind it nothing */
static char *wild[] = {(char *)8, (char *)0x7ffffffff000, (char *)-PAGE,
                       (char *)0xffff800000000000};

static void make_page(void)
{
    page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(page != MAP_FAILED, "no memory");
    works(mprotect(page + PAGE, PAGE, PROT_NONE));
}

static int make(size_t kind)
{
    return works(
        socket(kinds[kind].family, kinds[kind].type | SOCK_NONBLOCK, kinds[kind].protocol));
}

/* The socket can still be asked and set. */
static void is_alive(int fd, size_t kind)
{
    check(inet_option(fd, SOL_SOCKET, SO_TYPE) == kinds[kind].type, "%s", kinds[kind].name);
    works(inet_set(fd, SOL_SOCKET, SO_REUSEADDR, 1));
    same(inet_option(fd, SOL_SOCKET, SO_REUSEADDR), 1);
    works(close(fd));
}

/* Call DO with each kind of socket, each level and each name. */
static void each_option(void (*act)(int fd, int level, int name))
{
    make_page();
    for (size_t kind = 0; kind < KINDS; kind++) {
        int fd = make(kind);
        for (size_t i = 0; i < LEVELS; i++)
            for (int name = -1; name < NAMES; name++)
                act(fd, levels[i], name);
        is_alive(fd, kind);
    }
}

/* Who has asked for COUNT bytes has got at most these; FROM is where. */
static void ends_there(const char *from, size_t count, int level, int name)
{
    for (const char *p = from + count; p < from + count + 64; p++)
        check(*p == GUARD, "option %d of level %d: byte %ld is written", name, level, p - from);
}

static void ask_for_less(int fd, int level, int name)
{
    static const socklen_t lengths[] = {0, 1, 2, 3, 4, 5, 7, 8, 11, 12, 16, 20, 64, 100, 200, 1000};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        socklen_t len = lengths[i];
        memset(page, GUARD, PAGE);
        if (getsockopt(fd, level, name, page + 64, &len) == 0)
            check(len <= 1000, "option %d of level %d: %u bytes", name, level, len);
        ends_there(page + 64, lengths[i], level, name);
        ends_there(page, 0, level, name);
    }
}

TEST(an_answer_is_no_longer_than_what_was_given)
{
    each_option(ask_for_less);
}

static void ask_nowhere(int fd, int level, int name)
{
    socklen_t len;

    for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        len = 4;
        if (getsockopt(fd, level, name, wild[i], &len) == 0)
            check(len == 0, "option %d of level %d went to nowhere", name, level);
        check(getsockopt(fd, level, name, page, (socklen_t *)wild[i]) == -1,
              "option %d of level %d: a length from nowhere", name, level);
        len = (socklen_t)-1;
        check(getsockopt(fd, level, name, wild[i], &len) == -1, "a length below zero");
    }
    /* Where the page ends: what doesn't fit isn't there. */
    for (socklen_t room = 0; room < 4; room++) {
        len = 4;
        if (getsockopt(fd, level, name, page + PAGE - room, &len) == 0)
            check(len <= room, "option %d of level %d: %u bytes in %u", name, level, len, room);
    }
}

TEST(an_answer_to_nowhere_is_refused)
{
    each_option(ask_nowhere);
}

static void set_from_nowhere(int fd, int level, int name)
{
    for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        static const socklen_t lengths[] = {1,  4,          8,          12,        16,
                                            40, 0x7fffffff, 0x80000000, 0xffffffff};
        for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++)
            (void)setsockopt(fd, level, name, wild[i], lengths[k]);
    }
    for (socklen_t room = 0; room < 4; room++)
        (void)setsockopt(fd, level, name, page + PAGE - room, 4);
}

TEST(a_value_from_nowhere_harms_nobody)
{
    each_option(set_from_nowhere);
}

/* --- requests --- */

TEST(a_request_with_a_wild_pointer_harms_nobody)
{
    make_page();
    (void)syscall(SYS_unshare, 0x40000000); /* what root could change on Linux shall be nobody's */
    for (size_t kind = 0; kind < KINDS; kind++) {
        int fd = make(kind);
        for (unsigned request = 0x8900; request < 0x8a00; request++) {
            if (request == 0x894c) /* SIOCGSKNS, Linux's: a descriptor, whatever the argument */
                continue;
            for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++)
                check(ioctl(fd, request, wild[i]) == -1, "%s: request %x", kinds[kind].name,
                      request);
            for (size_t room = 0; room < 40; room += 4) {
                memset(page, 0, PAGE);
                (void)ioctl(fd, request, page + PAGE - room);
            }
        }
        is_alive(fd, kind);
    }
}

/* --- names and messages --- */

TEST(a_name_from_nowhere_is_refused)
{
    make_page();
    for (size_t kind = 0; kind < KINDS; kind++) {
        int fd = make(kind);
        for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
            struct sockaddr *name = (struct sockaddr *)wild[i];
            socklen_t len = 16;
            fails(bind(fd, name, 16), EFAULT);
            fails(connect(fd, name, 16), EFAULT);
            fails(bind(fd, name, (socklen_t)-1), EINVAL);
            fails(connect(fd, name, 1000), EINVAL);
            fails(getsockname(fd, name, &len), EFAULT);
            fails(getsockname(fd, (struct sockaddr *)page, (socklen_t *)name), EFAULT);
            fails(sendto(fd, page, 1, MSG_NOSIGNAL, name, 16), EFAULT);
            fails(sendto(fd, page, 1, MSG_NOSIGNAL, name, 1000), EINVAL);
            fails(syscall(SYS_recvmsg, fd, name, 0), EFAULT); /* libc itself would look at it */
            fails(syscall(SYS_sendmsg, fd, name, MSG_NOSIGNAL), EFAULT);
        }
        is_alive(fd, kind);
    }
}

/* Two that are connected, with bytes underway to the second. */
static void make_pair(int pair[2])
{
    works(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    works(inet_set(pair[1], SOL_SOCKET, SO_PASSCRED, 1));
    same(send(pair[0], "text", 4, 0), 4);
}

TEST(control_data_without_room_is_not_written)
{
    int pair[2];

    make_page();
    for (size_t room = 0; room < 48; room++) {
        make_pair(pair);
        memset(page, GUARD, PAGE);
        struct iovec v = {page + 512, 4};
        struct msghdr m = {
            .msg_iov = &v, .msg_iovlen = 1, .msg_control = page, .msg_controllen = room};
        same(recvmsg(pair[1], &m, 0), 4);
        ends_there(page, room, SOL_SOCKET, 2);
        check(m.msg_controllen <= room, "%zu bytes in %zu", (size_t)m.msg_controllen, room);
        works(close(pair[0]));
        works(close(pair[1]));
    }
}

int main(void)
{
    return tap_run("socket_damage");
}

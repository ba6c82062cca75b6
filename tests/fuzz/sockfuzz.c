/*
 * sockfuzz [SEED [ROUNDS [nobody]]]: hostile use of sockets of every family, and hostile packets.
 *
 * A round is four processes of two threads each that share their descriptors: sockets that were made before they
 * forked. Each makes CALLS calls with what is nearly right: addresses of each other, options of all
 * levels, control messages with wrong lengths, requests of netlink, and, where it may, IP packets and frames
 * written by hand, whose TCP is in the window of nobody in particular. They must end; and after each round
 * a connection over the loopback device must still carry a byte both ways, once it has been set up anew.
 *
 * Children have no rights, except that on Signalbox, where nothing can be broken, half of the rounds are
 * root's (not with "nobody").
 */
#include "fuzz.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <abi/netlink.h>

#define CHILDREN 4
#define CALLS 150
#define SOCKETS 24
#define PORTS 4
#define PORT 7000
#define DEFAULT_ROUNDS 400

static __thread char data[70000] __attribute__((aligned(16)));
static int fds[SOCKETS];

/* --- what calls are given --- */

static void stir(size_t n)
{
    for (size_t i = 0; i < n; i++)
        data[i] = (char)(below(4) ? below(9) : draw());
}

/* To the others, mostly: as one of them, or as a stranger. */
static in_addr_t an_address(void)
{
    static const in_addr_t all[] = {INADDR_LOOPBACK, INADDR_LOOPBACK,  INADDR_LOOPBACK, 0x7f000002,
                                    INADDR_ANY,      INADDR_BROADCAST, 0x7fffffff,      0xe0000001,
                                    0xe0000042,      0x0a000001,       0xf0000001};
    return htonl(ONE_OF(all));
}

static socklen_t a_name(struct sockaddr_storage *out)
{
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    struct sockaddr_un *un = (struct sockaddr_un *)out;
    struct sockaddr_nl *nl = (struct sockaddr_nl *)out;
    struct sockaddr_ll *ll = (struct sockaddr_ll *)out;
    socklen_t len;

    memset(out, 0, sizeof(*out));
    switch (below(10)) {
    case 0:
        un->sun_family = AF_UNIX;
        snprintf(un->sun_path + 1, 10, "fuzz%d", (int)below(4));
        len = 8;
        break;
    case 1:
        nl->nl_family = AF_NETLINK;
        nl->nl_pid = below(3) ? 0 : (unsigned)below(5);
        nl->nl_groups = below(4) ? 0 : (unsigned)draw();
        len = sizeof(*nl);
        break;
    case 2:
        ll->sll_family = AF_PACKET;
        ll->sll_protocol = htons(below(2) ? 0x0800 : 3);
        ll->sll_ifindex = (int)below(4);
        ll->sll_halen = (unsigned char)(below(3) ? 6 : draw());
        len = sizeof(*ll);
        break;
    case 3:
        stir(sizeof(*out));
        memcpy(out, data, sizeof(*out));
        out->ss_family = (sa_family_t)below(20);
        len = (socklen_t)below(sizeof(*out) + 4);
        break;
    default:
        in->sin_family = below(30) ? AF_INET : AF_UNSPEC;
        in->sin_port = htons((uint16_t)(below(20) ? PORT + below(PORTS) : draw()));
        in->sin_addr.s_addr = an_address();
        len = sizeof(*in);
    }
    return below(20) ? len : (socklen_t)below(sizeof(*out));
}

static uint16_t checksum(const void *from, size_t n, uint32_t sum)
{
    const unsigned char *p = from;
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

/* An IPv4 packet at TO, of N bytes in all; checksums are mostly right, so that it gets further in. */
static void a_packet(unsigned char *to, size_t n)
{
    static const unsigned char protocols[] = {1, 2, 6, 6, 6, 6, 17, 17, 41, 255};
    unsigned words = below(4) ? 5 : 5 + (unsigned)below(11);
    size_t header = words * 4 < n ? words * 4 : 20, rest = n - header;
    unsigned char *l4 = to + header;
    in_addr_t from = an_address(), dest = an_address();
    uint16_t length = htons((uint16_t)(below(20) ? n : draw())),
             fragment = htons((uint16_t)(below(5) ? 0x4000 : below(0x2100) * below(3)));

    to[0] = (unsigned char)(0x40 | header / 4);
    memcpy(to + 2, &length, 2);
    to[4] = 0, to[5] = (unsigned char)below(3);
    memcpy(to + 6, &fragment, 2);
    to[8] = (unsigned char)(below(8) ? 64 : below(3));
    to[9] = ONE_OF(protocols);
    to[10] = to[11] = 0;
    memcpy(to + 12, &from, 4);
    memcpy(to + 16, &dest, 4);
    uint16_t sum = below(20) ? checksum(to, header, 0) : (uint16_t)draw();
    memcpy(to + 10, &sum, 2);
    if (rest < 20 || (to[9] != 6 && to[9] != 17))
        return;
    uint16_t ports[2] = {htons((uint16_t)(PORT + below(PORTS))),
                         htons((uint16_t)(PORT + below(PORTS)))};
    memcpy(l4, ports, 4);
    unsigned at = to[9] == 6 ? 16 : 6;
    if (to[9] == 6) {
        l4[12] = (unsigned char)((5 + (below(3) ? 0 : below(11))) << 4);
        l4[13] = (unsigned char)(below(3) ? 1UL << below(6) | 1UL << below(6) : draw());
    } else {
        uint16_t udp = htons((uint16_t)(below(10) ? rest : draw()));
        memcpy(l4 + 4, &udp, 2);
    }
    l4[at] = l4[at + 1] = 0;
    uint32_t pseudo = to[9] + (uint32_t)rest;
    for (int i = 12; i < 20; i += 2)
        pseudo += (uint32_t)to[i] << 8 | to[i + 1];
    sum = below(20) ? checksum(l4, rest, pseudo) : (uint16_t)draw();
    memcpy(l4 + at, &sum, 2);
}

/* Something to send: of so many bytes. */
static size_t a_message(void)
{
    size_t n = below(4) ? below(200) : below(8) ? below(3000) : below(sizeof(data));
    struct nlmsghdr *h = (struct nlmsghdr *)data;

    stir(n < 400 ? n : 400);
    switch (below(4)) {
    case 0:
        if (n >= 20)
            a_packet((unsigned char *)data, n);
        break;
    case 1:
        if (n >= 34) {
            memset(data, 0, 12);
            data[12] = 8, data[13] = below(4) ? 0 : 6;
            a_packet((unsigned char *)data + 14, n - 14);
        }
        break;
    case 2:
        h->nlmsg_len = (unsigned)(below(10) ? n : draw());
        h->nlmsg_type = (unsigned short)(16 + below(20));
        h->nlmsg_flags = (unsigned short)(below(2) ? 0x301 : draw());
        for (size_t at = 16 + 4 * below(8); at + 8 < n && at < 300; at += 8) {
            data[at] = (char)(below(5) ? 8 : draw()), data[at + 1] = 0;
            data[at + 2] = (char)below(20), data[at + 3] = 0;
        }
        break;
    default: break;
    }
    return n;
}

static int a_flag(void)
{
    return below(3) ? MSG_DONTWAIT | MSG_NOSIGNAL : MSG_DONTWAIT | MSG_NOSIGNAL | 1 << below(31);
}

static int a_socket(void)
{
    return fds[below(SOCKETS)];
}

static int make_socket(void)
{
    static const int families[] = {AF_INET, AF_INET,    AF_INET,  AF_INET,
                                   AF_UNIX, AF_NETLINK, AF_PACKET};
    static const int protocols[] = {0, 0, 0, 1, 6, 17, 255, 0x0300, 0x0008};
    int type = (int)(below(6) ? 1 + below(3) : below(12));

    return socket(ONE_OF(families), type | SOCK_NONBLOCK, ONE_OF(protocols));
}

/* --- the calls --- */

static void send_message(int fd)
{
    struct sockaddr_storage name;
    struct cmsghdr *c = (struct cmsghdr *)(data + sizeof(data) - 256);
    struct iovec v = {data, a_message()};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

    if (v.iov_len > sizeof(data) - 256)
        v.iov_len = sizeof(data) - 256;
    if (below(2)) {
        m.msg_name = &name;
        m.msg_namelen = a_name(&name);
    }
    if (below(3) == 0) {
        static const int levels[] = {SOL_SOCKET, IPPROTO_IP, 6, 17, 263};
        c->cmsg_len = below(4) ? sizeof(*c) + below(40) : draw();
        c->cmsg_level = ONE_OF(levels);
        c->cmsg_type = (int)below(40);
        *(int *)CMSG_DATA(c) = a_socket();
        m.msg_control = c;
        m.msg_controllen = below(4) ? (sizeof(*c) + 40) : below(256);
    }
    (void)sendmsg(fd, &m, a_flag());
}

static void receive_message(int fd)
{
    struct sockaddr_storage name;
    struct iovec v = {data, below(4) ? below(300) : below(60000)};
    struct msghdr m = {.msg_iov = &v,
                       .msg_iovlen = below(5) != 0,
                       .msg_name = &name,
                       .msg_namelen = (socklen_t)below(sizeof(name)),
                       .msg_control = data + 60000,
                       .msg_controllen = below(300)};

    (void)recvmsg(fd, &m, a_flag() & ~MSG_WAITALL);
}

static void options(int fd)
{
    static const int levels[] = {SOL_SOCKET, SOL_SOCKET, IPPROTO_IP, IPPROTO_IP, 6,   6,
                                 6,          17,         255,        263,        270, 41};
    int level = ONE_OF(levels), name = (int)below(below(4) ? 50 : 200);
    socklen_t len = (socklen_t)(below(3) ? 4 : below(3) ? below(64) : draw());

    stir(64);
    if (below(2))
        memset(data + 1, 0, 63);
    if (below(4) == 0)
        memcpy(data, (in_addr_t[]){an_address(), an_address(), 1}, 12);
    if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO || name == SO_LINGER))
        memset(data, 0, 64); /* nobody shall wait for long */
    if (level == 6 && name == 8)
        return; /* TCP_LINGER2: nor a connection for minutes */
    if (below(3))
        (void)setsockopt(fd, level, name, data, len < 60000 ? len : len | 0x80000000);
    else
        (void)getsockopt(fd, level, name, data, &len);
}

static void control(int fd)
{
    struct ifreq *r = (struct ifreq *)data;
    struct sockaddr_in *in = (struct sockaddr_in *)&r->ifr_addr;
    unsigned cmd = (unsigned)(below(8) ? 0x8900 + below(0x80) : 0x5400 + below(0x30));

    stir(128);
    strcpy(r->ifr_name, below(3) ? "lo" : below(2) ? "eth0" : "lo:1");
    if (below(2)) {
        in->sin_family = AF_INET;
        in->sin_addr.s_addr = an_address();
    }
    if (cmd != SIOCSIFNAME && cmd != FIOASYNC && cmd != 0x8901 && cmd != 0x8902)
        (void)ioctl(fd, cmd, below(20) ? (void *)data : NULL);
}

/* What /proc tells of all this is read while it changes. */
static void look(void)
{
    static const char *const files[] = {"tcp",     "udp", "raw",   "unix", "packet",
                                        "netlink", "arp", "route", "dev",  "snmp"};
    char name[32];

    snprintf(name, sizeof(name), "/proc/net/%s", ONE_OF(files));
    int fd = open(name, O_RDONLY);
    while (fd >= 0 && read(fd, data, 1 + below(sizeof(data) - 1)) > 0)
        ;
    close(fd);
}

static void one_call(void)
{
    struct sockaddr_storage name;
    socklen_t len = a_name(&name);
    int fd = a_socket(), other;
    struct pollfd p = {.fd = fd, .events = (short)draw()};

    switch (below(23)) {
    case 0:
        if ((other = make_socket()) >= 0) {
            dup2(other, fd);
            close(other);
        }
        break;
    case 1: (void)bind(fd, (struct sockaddr *)&name, len); break;
    case 2:
    case 3: (void)connect(fd, (struct sockaddr *)&name, len); break;
    case 4: (void)listen(fd, (int)below(5)); break;
    case 5:
        if ((other = accept4(fd, below(2) ? (struct sockaddr *)&name : NULL, &len,
                             SOCK_NONBLOCK)) >= 0) {
            dup2(other, a_socket());
            close(other);
        }
        break;
    case 6:
    case 7: send_message(fd); break;
    case 8: receive_message(fd); break;
    case 9: (void)sendto(fd, data, a_message(), a_flag(), (struct sockaddr *)&name, len); break;
    case 10: (void)write(fd, data, a_message()); break;
    case 11: (void)read(fd, data, below(60000)); break;
    case 12: (void)shutdown(fd, (int)below(4)); break;
    case 13:
    case 14:
    case 15: options(fd); break;
    case 16: control(fd); break;
    case 17: (void)getsockname(fd, (struct sockaddr *)&name, &len); break;
    case 18: (void)getpeername(fd, (struct sockaddr *)&name, &len); break;
    case 19: (void)poll(&p, 1, 0); break;
    case 20: look(); break;
    case 21: (void)send(fd, data, a_message(), a_flag()); break;
    default: (void)recv(fd, data, below(5000), a_flag() & ~MSG_WAITALL); break;
    }
}

/* --- a round --- */

static void *thread(void *seed)
{
    random_seed((uintptr_t)seed);
    for (int i = 0; i < CALLS; i++)
        one_call();
    return NULL;
}

/* As pairs and on their ports, so that something is connected from the start. */
static void make_sockets(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;

    for (int i = 0; i < SOCKETS; i++) {
        int fd = i % 3 ? make_socket() : socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (fd < 0)
            fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        if (fd < 0)
            die("socket");
        fds[i] = fd;
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
        in.sin_port = htons((uint16_t)(PORT + i % PORTS));
        if (i < PORTS * 2 && bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0)
            (void)listen(fd, 2);
        else
            (void)connect(fd, (struct sockaddr *)&in, sizeof(in));
    }
}

static _Noreturn void child(uint64_t seed)
{
    pthread_t other;

    signal(SIGPIPE, SIG_IGN);
    if (pthread_create(&other, NULL, thread, (void *)(uintptr_t)(seed * 2)) != 0)
        die("pthread_create");
    thread((void *)(uintptr_t)(seed * 2 + 1));
    pthread_join(other, NULL);
    _exit(0);
}

static void round_of(uint64_t seed, bool privileged)
{
    pid_t pid[CHILDREN];

    fflush(stdout);
    pid_t all = fork();
    if (all < 0)
        die("fork");
    if (all == 0) {
        setsid();
        random_seed(seed);
        if (!privileged)
            become_nobody();
        make_sockets();
        for (int i = 0; i < CHILDREN; i++) {
            if ((pid[i] = fork()) < 0)
                die("fork");
            if (pid[i] == 0)
                child(seed * CHILDREN + (uint64_t)i);
        }
        for (int i = 0; i < CHILDREN; i++)
            waitpid(pid[i], NULL, 0);
        _exit(0);
    }
    int status;
    if (!ends_within(all, &status, 10000)) {
        kill(-all, SIGKILL);
        if (!ends_within(all, &status, KILL_PATIENCE_MS)) {
            printf("children survived SIGKILL for %d ms\n", KILL_PATIENCE_MS);
            exit(1);
        }
    }
    reap_orphans();
}

/* --- does the network still work? --- */

/* Undo what root's rounds may have done to the loopback device. */
static void repair(void)
{
    struct ifreq r = {.ifr_name = "lo"};
    struct sockaddr_in *in = (struct sockaddr_in *)&r.ifr_addr;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    /* Each of its addresses, by giving it none; the other names stand for one each. */
    static const char *const names[] = {"lo:1", "lo"};
    for (size_t i = 0; i < 2; i++)
        for (int most = 0; most < 1000; most++) {
            strcpy(r.ifr_name, names[i]);
            if (ioctl(fd, SIOCGIFADDR, &r) < 0)
                break;
            memset(in, 0, sizeof(*in));
            in->sin_family = AF_INET;
            if (ioctl(fd, SIOCSIFADDR, &r) < 0)
                die("SIOCSIFADDR");
        }
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || ioctl(fd, SIOCSIFADDR, &r) < 0)
        die("SIOCSIFADDR");
    in->sin_addr.s_addr = htonl(0xff000000);
    if (ioctl(fd, SIOCSIFNETMASK, &r) < 0)
        die("SIOCSIFNETMASK");
    r.ifr_mtu = 65535;
    (void)ioctl(fd, SIOCSIFMTU, &r);
    r.ifr_flags = IFF_UP | IFF_RUNNING;
    if (ioctl(fd, SIOCSIFFLAGS, &r) < 0)
        die("SIOCSIFFLAGS");
    close(fd);
}

static void must_carry(int from, int to)
{
    struct pollfd p = {.fd = to, .events = POLLIN};
    char byte = 'x';

    if (write(from, &byte, 1) != 1 || poll(&p, 1, 10000) != 1 || read(to, &byte, 1) != 1 ||
        byte != 'x')
        die("a byte over the loopback device");
}

static void must_work(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(in);
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(listener, (struct sockaddr *)&in, len) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *)&in, &len) < 0 ||
        connect(client, (struct sockaddr *)&in, len) < 0)
        die("a connection over the loopback device");
    int server = accept(listener, NULL, NULL);
    must_carry(client, server);
    must_carry(server, client);
    close(client);
    close(server);
    close(listener);
}

/* Connections whose addresses or routes root took away end when they have sent in vain for long enough. */
static void await_the_last(void)
{
    char line[256];

    for (int seconds = 0; seconds < 900; seconds++) {
        FILE *f = fopen("/proc/net/tcp", "r");
        int lines = 0;
        if (!f)
            die("/proc/net/tcp");
        while (fgets(line, sizeof(line), f))
            lines += strstr(line, " 06 ") == NULL; /* not those in TIME-WAIT */
        fclose(f);
        if (lines <= 1)
            return;
        sleep(1);
    }
    printf("connections stay: %s", line);
    exit(1);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    long rounds = argc > 2 ? atol(argv[2]) : DEFAULT_ROUNDS;
    bool here = access("/proc/kstat", F_OK) == 0 && argc < 4;

    char dir[] = "/tmp/sockfuzz-XXXXXX"; /* for local sockets whose names are paths by chance */
    if (!mkdtemp(dir) || chdir(dir) < 0)
        die(dir);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (long i = 0; i < rounds; i++) {
        bool privileged = here && i % 2;
        round_of(seed + (uint64_t)i, privileged);
        if (privileged)
            repair();
        must_work();
    }
    if (here)
        await_the_last();
    remove_tree(AT_FDCWD, dir);
    printf("%ld rounds\n", rounds);
    return 0;
}

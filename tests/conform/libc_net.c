/* musl: Internet addresses as text, services, interfaces, and what getaddrinfo finds without asking a name server. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <resolv.h>
#include <sys/socket.h>

#include "tap.h"

/* The address that inet_pton makes of TEXT, in host order; 0: none. */
static uint32_t parsed(const char *text)
{
    struct in_addr a = {0};
    return inet_pton(AF_INET, text, &a) == 1 ? ntohl(a.s_addr) : 0;
}

TEST(addresses_from_text)
{
    same(parsed("1.2.3.4"), 0x01020304);
    same(parsed("255.255.255.255"), 0xffffffff);
    same(parsed("0.0.0.1"), 1);
    static const char *const wrong[] = {"",          "1",          "1.2.3",    "1.2.3.4.5",
                                        "1.2.3.256", "1.2.3.",     ".1.2.3.4", "1..2.3",
                                        "1.2.3.4 ",  " 1.2.3.4",   "1.2.3.x",  "-1.2.3.4",
                                        "01.2.3.4",  "1.2.3.1000", "0x1.2.3.4"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        same(parsed(wrong[i]), 0);
    struct in_addr a;
    fails(inet_pton(AF_UNIX, "1.2.3.4", &a), EAFNOSUPPORT);
}

TEST(addresses_to_text)
{
    struct in_addr a = {htonl(0xc0a80a0b)};
    char text[INET_ADDRSTRLEN];
    same_text(inet_ntop(AF_INET, &a, text, sizeof(text)), "192.168.10.11");
    same_text(inet_ntop(AF_INET, &a, text, 14), "192.168.10.11");
    check(!inet_ntop(AF_INET, &a, text, 13) && errno == ENOSPC, "thirteen bytes are too few");
    check(!inet_ntop(AF_UNIX, &a, text, sizeof(text)) && errno == EAFNOSUPPORT, "no such family");
    same_text(inet_ntoa(a), "192.168.10.11");
    a.s_addr = INADDR_NONE;
    same_text(inet_ntoa(a), "255.255.255.255");
}

TEST(addresses_of_old)
{
    static const struct {
        const char *text;
        uint32_t address;
    } right[] = {{"1.2.3.4", 0x01020304},
                 {"127.1", 0x7f000001},
                 {"10.1.258", 0x0a010102},
                 {"0x7f.1", 0x7f000001},
                 {"010.2.3.4", 0x08020304},
                 {"16909060", 0x01020304},
                 {"0", 0},
                 {"1.0xffffff", 0x01ffffff}};
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        struct in_addr a = {1};
        check(inet_aton(right[i].text, &a) != 0, "%s is an address", right[i].text);
        same(ntohl(a.s_addr), right[i].address);
        same(ntohl(inet_addr(right[i].text)), right[i].address);
        same(inet_network(right[i].text), right[i].address);
    }
    static const char *const wrong[] = {"",          "x",          "1.2.3.256", "256.1",
                                        "1.2.65536", "1.16777216", "1.2.3.4.5", "1.2.3.4x"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct in_addr a;
        check(!inet_aton(wrong[i], &a), "%s is no address", wrong[i]);
        same(inet_addr(wrong[i]), INADDR_NONE);
    }
}

TEST(orders_of_bytes)
{
    uint16_t two = htons(0x0102);
    uint32_t four = htonl(0x01020304);
    same(memcmp(&two, "\1\2", 2), 0);
    same(memcmp(&four, "\1\2\3\4", 4), 0);
    same(ntohs(two), 0x0102);
    same(ntohl(four), 0x01020304);
}

TEST(services_by_name)
{
    struct servent *s = getservbyname("domain", "udp");
    check(s, "domain is a service");
    same(ntohs((uint16_t)s->s_port), 53);
    same_text(s->s_name, "domain");
    same_text(s->s_proto, "udp");
    s = getservbyname("www", "tcp"); /* an alias */
    check(s, "www is a service");
    same(ntohs((uint16_t)s->s_port), 80);
    check(getservbyname("telnet", NULL), "any protocol will do");
    check(!getservbyname("telnet", "udp"), "telnet is no service of UDP");
    check(!getservbyname("nonesuch", "tcp"), "there is no such service");
    check(!getservbyname("telnet", "nonesuch"), "there is no such protocol");
}

TEST(services_by_port)
{
    struct servent *s = getservbyport(htons(25), "tcp");
    check(s, "port 25 is a service");
    same_text(s->s_name, "smtp");
    same(ntohs((uint16_t)s->s_port), 25);
    check(!getservbyport(htons(49999), "tcp"), "port 49999 is none");
    check(!getservbyport(htons(69), "tcp") && getservbyport(htons(69), "udp"), "tftp is UDP's");
}

TEST(protocols)
{
    struct protoent *p = getprotobyname("icmp");
    check(p, "icmp is a protocol");
    same(p->p_proto, IPPROTO_ICMP);
    p = getprotobynumber(IPPROTO_TCP);
    check(p, "6 is a protocol");
    same_text(p->p_name, "tcp");
    check(!getprotobyname("nonesuch") && !getprotobynumber(250), "these are none");
}

TEST(interfaces)
{
    char name[IF_NAMESIZE];
    unsigned lo = if_nametoindex("lo");
    check(lo != 0, "there is a loopback");
    same_text(if_indextoname(lo, name), "lo");
    same(if_nametoindex("nonesuch"), 0);
    same(errno, ENODEV);
    same(if_nametoindex("a name of more than sixteen bytes"), 0);
    check(!if_indextoname(99999, name) && errno == ENXIO, "there is no such number: %s",
          strerror(errno));
}

TEST(all_interfaces)
{
    struct if_nameindex *list = if_nameindex();
    bool loopback = false;
    check(list, "there is a list: %s", strerror(errno));
    for (struct if_nameindex *i = list; i->if_index; i++) {
        same(if_nametoindex(i->if_name), i->if_index);
        loopback |= strcmp(i->if_name, "lo") == 0;
    }
    check(loopback, "the loopback is one of them");
    if_freenameindex(list);
}

TEST(questions_to_name_servers)
{
    unsigned char message[512];
    char name[256];
    same(res_mkquery(0, "www.example.org", 1, 15, NULL, 0, NULL, message, sizeof(message)), 33);
    message[3] &= (unsigned char)~0x20; /* some ask for authentic data */
    same(memcmp(message + 2, "\1\0\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\17\0\1", 31), 0);
    same(dn_expand(message, message + 33, message + 12, name, sizeof(name)), 17);
    same_text(name, "www.example.org");
    same(dn_expand(message, message + 33, message + 16, name, sizeof(name)), 13);
    same_text(name, "example.org");
    same(dn_skipname(message + 12, message + 33), 17);
    same(dn_skipname(message + 12, message + 20), -1);
    same(dn_expand(message, message + 20, message + 12, name, sizeof(name)), -1);
}

/* What getaddrinfo says of NODE and SERVICE with these hints; the first result in *A. */
static int look_up(const char *node, const char *service, int type, int flags,
                   struct sockaddr_in *a)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = type, .ai_flags = flags}, *list;
    int error = getaddrinfo(node, service, &hints, &list);
    if (error)
        return error;
    same(list->ai_family, AF_INET);
    same(list->ai_addrlen, sizeof(*a));
    memcpy(a, list->ai_addr, sizeof(*a));
    same(a->sin_family, AF_INET);
    freeaddrinfo(list);
    return 0;
}

TEST(getaddrinfo_numbers)
{
    struct sockaddr_in a;
    same(look_up("10.1.2.3", "8080", SOCK_STREAM, 0, &a), 0);
    same(ntohl(a.sin_addr.s_addr), 0x0a010203);
    same(ntohs(a.sin_port), 8080);
    same(look_up("10.1.2.3", NULL, SOCK_STREAM, AI_NUMERICHOST, &a), 0);
    same(a.sin_port, 0);
    same(look_up("localhost", NULL, SOCK_STREAM, AI_NUMERICHOST, &a), EAI_NONAME);
    same(look_up("10.1.2.3", "http", SOCK_STREAM, AI_NUMERICSERV, &a), EAI_NONAME);
    same(look_up("10.1.2.3", "80", SOCK_STREAM, AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG, &a), 0);
    same(ntohl(a.sin_addr.s_addr), 0x0a010203);
    same(look_up("10.1.2.3", "70000", SOCK_STREAM, 0, &a), EAI_SERVICE);
}

TEST(getaddrinfo_without_a_host)
{
    struct sockaddr_in a;
    same(look_up(NULL, "80", SOCK_STREAM, 0, &a), 0);
    same(ntohl(a.sin_addr.s_addr), INADDR_LOOPBACK);
    same(look_up(NULL, "80", SOCK_STREAM, AI_PASSIVE, &a), 0);
    same(a.sin_addr.s_addr, INADDR_ANY);
    same(look_up(NULL, NULL, SOCK_STREAM, 0, &a), EAI_NONAME);
}

TEST(getaddrinfo_services)
{
    struct sockaddr_in a;
    same(look_up("127.0.0.1", "http", SOCK_STREAM, 0, &a), 0);
    same(ntohs(a.sin_port), 80);
    same(look_up("127.0.0.1", "tftp", SOCK_DGRAM, 0, &a), 0);
    same(ntohs(a.sin_port), 69);
    same(look_up("127.0.0.1", "tftp", SOCK_STREAM, 0, &a), EAI_SERVICE);
    same(look_up("127.0.0.1", "nonesuch", SOCK_STREAM, 0, &a), EAI_SERVICE);
    same(look_up("127.0.0.1", "nonesuch", 0, 0, &a), EAI_SERVICE);
}

TEST(getaddrinfo_of_this_machine)
{
    struct sockaddr_in a;
    same(look_up("localhost", "80", SOCK_STREAM, 0, &a), 0);
    same(ntohl(a.sin_addr.s_addr), INADDR_LOOPBACK);
}

TEST(getaddrinfo_kinds_of_socket)
{
    struct addrinfo hints = {.ai_family = AF_INET}, *list;
    same(getaddrinfo("10.0.0.1", "domain", &hints, &list), 0);
    same(list->ai_socktype, SOCK_STREAM);
    same(list->ai_protocol, IPPROTO_TCP);
    check(list->ai_next, "there is another");
    same(list->ai_next->ai_socktype, SOCK_DGRAM);
    same(list->ai_next->ai_protocol, IPPROTO_UDP);
    freeaddrinfo(list);
    hints.ai_protocol = IPPROTO_UDP;
    same(getaddrinfo("10.0.0.1", "53", &hints, &list), 0);
    same(list->ai_socktype, SOCK_DGRAM);
    check(!list->ai_next, "there is but one");
    freeaddrinfo(list);
}

TEST(getaddrinfo_canonical_name)
{
    struct addrinfo hints = {.ai_family = AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_CANONNAME},
                    *list;
    same(getaddrinfo("localhost", NULL, &hints, &list), 0);
    same_text(list->ai_canonname, "localhost");
    freeaddrinfo(list);
}

TEST(getaddrinfo_refuses)
{
    struct addrinfo hints = {.ai_family = AF_UNIX}, *list;
    same(getaddrinfo("10.0.0.1", NULL, &hints, &list), EAI_FAMILY);
    hints = (struct addrinfo){.ai_flags = 0x4000000};
    same(getaddrinfo("10.0.0.1", NULL, &hints, &list), EAI_BADFLAGS);
    hints = (struct addrinfo){.ai_family = AF_INET};
    check(getaddrinfo("not a name", NULL, &hints, &list) != 0, "a name has no blanks");
    check(getaddrinfo("", NULL, &hints, &list) != 0, "nothing is no name");
    check(strlen(gai_strerror(EAI_NONAME)) > 0 && strlen(gai_strerror(-1234)) > 0,
          "errors have texts");
    check(strcmp(gai_strerror(EAI_NONAME), gai_strerror(EAI_SERVICE)) != 0, "and different ones");
}

static int name_of(uint32_t address, int port, int flags, char *host, socklen_t n, char *service,
                   socklen_t m)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(address);
    return getnameinfo((struct sockaddr *)&a, sizeof(a), host, n, service, m, flags);
}

TEST(getnameinfo_names_and_numbers)
{
    char host[NI_MAXHOST], service[NI_MAXSERV];
    same(name_of(0x0a010203, 8081, NI_NUMERICHOST | NI_NUMERICSERV, host, sizeof(host), service,
                 sizeof(service)),
         0);
    same_text(host, "10.1.2.3");
    same_text(service, "8081");
    same(name_of(INADDR_LOOPBACK, 80, 0, host, sizeof(host), service, sizeof(service)), 0);
    same_text(host, "localhost");
    same_text(service, "http");
    same(name_of(INADDR_LOOPBACK, 69, NI_DGRAM, NULL, 0, service, sizeof(service)), 0);
    same_text(service, "tftp");
    same(name_of(INADDR_LOOPBACK, 69, 0, NULL, 0, service, sizeof(service)), 0);
    same_text(service, "69");
}

TEST(getnameinfo_refuses)
{
    char host[NI_MAXHOST];
    struct sockaddr_in a = {.sin_family = AF_INET};
    same(name_of(0x0a010203, 0, NI_NUMERICHOST, host, 8, NULL, 0), EAI_OVERFLOW);
    same(name_of(0x0a010203, 0, NI_NUMERICHOST, host, 9, NULL, 0), 0);
    same(getnameinfo((struct sockaddr *)&a, 8, host, sizeof(host), NULL, 0, 0), EAI_FAMILY);
    a.sin_family = AF_UNIX;
    same(getnameinfo((struct sockaddr *)&a, sizeof(a), host, sizeof(host), NULL, 0, 0), EAI_FAMILY);
}

TEST(the_old_ways)
{
    struct hostent *h = gethostbyname("localhost");
    check(h, "localhost has an address");
    same(h->h_addrtype, AF_INET);
    same(h->h_length, 4);
    same(memcmp(h->h_addr_list[0], "\x7f\0\0\1", 4), 0);
    check(!h->h_addr_list[1] || memcmp(h->h_addr_list[1], "\x7f\0\0\1", 4) == 0, "and no other");
    h = gethostbyname("10.1.2.3");
    check(h, "an address is a name too");
    same(memcmp(h->h_addr_list[0], "\x0a\1\2\3", 4), 0);
    struct in_addr loop = {htonl(INADDR_LOOPBACK)};
    h = gethostbyaddr(&loop, sizeof(loop), AF_INET);
    check(h, "the loopback has a name");
    same_text(h->h_name, "localhost");
    check(!gethostbyname("not a name") && h_errno != 0, "a name has no blanks");
}

TEST(errors_of_the_old_ways_have_texts)
{
    int p[2];
    char text[100] = "";
    check(strcmp(hstrerror(HOST_NOT_FOUND), hstrerror(TRY_AGAIN)) != 0, "they differ");
    works(pipe(p));
    works(dup2(p[1], 2));
    h_errno = HOST_NOT_FOUND;
    herror("who");
    works(read(p[0], text, sizeof(text) - 1));
    same(strncmp(text, "who: ", 5), 0);
    same(strncmp(text + 5, hstrerror(HOST_NOT_FOUND), strlen(hstrerror(HOST_NOT_FOUND))), 0);
}

int main(void)
{
    return tap_run("libc_net");
}

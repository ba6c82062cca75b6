/* musl: The resolver against a name server of our own (nameserver.h): what it asks and what it believes. */
#define _GNU_SOURCE
#include "nameserver.h"

TEST(a_name_has_an_address)
{
    serve(answer_plainly, "");
    same(success("host.example.org"), 0x0a000001);
    same(success("other.example.org"), 0x0a000002);
    same(success("host.example.org."), 0x0a000001);
}

static void answer_with_three(void)
{
    begin_answer(0, 3);
    for (uint32_t i = 1; i <= 3; i++)
        put_address("HOST.Example.ORG", i);
    send_answer();
}

TEST(a_name_has_several_addresses)
{
    struct addrinfo hints = {.ai_family = AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_CANONNAME},
                    *list;
    uint32_t n = 0, sum = 0;
    serve(answer_with_three, "");
    same(getaddrinfo("host.example.org", "80", &hints, &list), 0);
    same_text(list->ai_canonname, "host.example.org");
    for (struct addrinfo *i = list; i; i = i->ai_next) {
        struct sockaddr_in *a = (struct sockaddr_in *)i->ai_addr;
        same(ntohs(a->sin_port), 80);
        sum += ntohl(a->sin_addr.s_addr);
        n++;
    }
    same(n, 3);
    same(sum, 6);
    freeaddrinfo(list);
}

static bool has_alias(const struct hostent *h, const char *name)
{
    for (char **alias = h->h_aliases; *alias; alias++)
        if (strcmp(*alias, name) == 0)
            return true;
    return false;
}

static void answer_with_aliases(void)
{
    begin_answer(0, 3);
    put_alias(NULL, "second.example.org");
    put_alias("second.example.org", "third.example.net");
    put_address("third.example.net", 0x0a000003);
    send_answer();
}

TEST(aliases_are_followed)
{
    struct hostent *h;
    serve(answer_with_aliases, "");
    same(success("first.example.org"), 0x0a000003);
    h = gethostbyname("first.example.org");
    check(h, "an address was found");
    same_text(h->h_name, "third.example.net");
    check(has_alias(h, "first.example.org"), "what was asked for is an alias");
}

static void answer_reverse(void)
{
    begin_answer(0, 1);
    if (strcmp(asked, "4.3.2.10.in-addr.arpa") == 0 && asked_type == ns_t_ptr) {
        put_record(NULL, ns_t_ptr, 18);
        put_name("host.example.org");
    } else {
        begin_answer(3, 0);
    }
    send_answer();
}

TEST(an_address_has_a_name)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a020304)};
    char host[NI_MAXHOST];
    serve(answer_reverse, "");
    same(getnameinfo((struct sockaddr *)&a, sizeof(a), host, sizeof(host), NULL, 0, NI_NAMEREQD),
         0);
    same_text(host, "host.example.org");
    struct hostent *h = gethostbyaddr(&a.sin_addr, 4, AF_INET);
    check(h, "an old way too");
    same_text(h->h_name, "host.example.org");
    a.sin_addr.s_addr = htonl(0x0a020305);
    same(getnameinfo((struct sockaddr *)&a, sizeof(a), host, sizeof(host), NULL, 0, NI_NAMEREQD),
         EAI_NONAME);
    same(getnameinfo((struct sockaddr *)&a, sizeof(a), host, sizeof(host), NULL, 0, 0), 0);
    same_text(host, "10.2.3.5");
}

static void answer_local_only(void)
{
    if (strcmp(asked, "printer.lab.example.org") == 0) {
        answer_plainly();
        return;
    }
    begin_answer(3, 0);
    send_answer();
}

TEST(short_names_are_made_longer)
{
    serve(answer_local_only, "search example.com lab.example.org\n");
    same(success("printer"), 0x0a000002);
    same(failure("printer."), EAI_NONAME);
    same(failure("plotter"), EAI_NONAME);
}

TEST(hosts_come_first)
{
    serve(answer_plainly, "");
    put_file(
        "/etc/hosts",
        "# comment\n10.9.9.9 mine.example.org mine alias # more\n10.9.9.8 mine\nrubbish mine\n");
    same(success("mine.example.org"), 0x0a090909);
    same(success("alias"), 0x0a090909);
    struct hostent *h = gethostbyname("mine");
    check(h && h->h_addr_list[0] && h->h_addr_list[1], "two lines, two addresses");
    same_text(h->h_name, "mine.example.org");
    check(has_alias(h, "mine"), "and it has other names");
    same(success("more"), 0x0a000002);
}

TEST(questions_of_ones_own)
{
    unsigned char message[512];
    char name[256];
    serve(answer_plainly, "");
    int n = res_query("host.example.org", ns_c_in, ns_t_a, message, sizeof(message));
    same(n, 12 + 18 + 4 + 2 + 10 +
                4); /* header, name, type and class; pointer, type to length, address */
    same(message[7], 1);
    same(dn_expand(message, message + n, message + 12, name, sizeof(name)), 18);
    same_text(name, "host.example.org");
    same(dn_skipname(message + 12, message + n), 18);
    same(res_search("host.example.org", ns_c_in, ns_t_a, message, sizeof(message)), n);
}

int main(void)
{
    return nameserver_run("libc_resolver");
}

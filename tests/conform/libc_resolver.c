/*
 * The resolver against a name server of our own (nameserver.h): what it asks, what it believes, what it refuses.
 */
#define _GNU_SOURCE
#include "nameserver.h"

/* The address that NAME has, host order; 0: none, and why is in *ERROR. */
static uint32_t find(const char *name, int *error)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    uint32_t found = 0;
    *error = getaddrinfo(name, NULL, &hints, &list);
    if (*error == 0) {
        found = ntohl(((struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr);
        freeaddrinfo(list);
    }
    return found;
}

static int failure(const char *name)
{
    int error;
    same(find(name, &error), 0);
    return error;
}

static uint32_t success(const char *name)
{
    int error;
    uint32_t found = find(name, &error);
    check(error == 0, "%s was not found: %s", name, gai_strerror(error));
    return found;
}

/* --- what is believed --- */

static void answer_plainly(void)
{
    begin_answer(0, 1);
    put_address(NULL, strcmp(asked, "host.example.org") == 0 && asked_type == ns_t_a ? 0x0a000001
                                                                                     : 0x0a000002);
    send_answer();
}

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

static void answer_with_aliases(void)
{
    begin_answer(0, 4);
    put_alias(NULL, "second.example.org");
    put_alias("second.example.org", "third.example.net");
    put_address("unrelated.example.net", 0x06060606);
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
    check(h->h_addr_list[0] && !h->h_addr_list[1], "what belongs to another name is none of ours");
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
    same(success("ALIAS"), 0x0a090909);
    same(success("localhost"), INADDR_LOOPBACK); /* even where the file doesn't have it */
    struct hostent *h = gethostbyname("mine");
    check(h && h->h_addr_list[0] && h->h_addr_list[1], "two lines, two addresses");
    same_text(h->h_name, "mine.example.org");
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

/* --- what is not --- */

static void refuse_all(void)
{
    begin_answer(5, 0);
    send_answer();
}

TEST(a_server_that_refuses_is_no_answer)
{
    serve(refuse_all, "options timeout:1 attempts:1\n");
    same(failure("host.example.org"), EAI_AGAIN);
}

static void say_nothing(void) {}

TEST(a_server_that_is_silent_is_no_answer)
{
    serve(say_nothing, "options timeout:1 attempts:2\n");
    same(failure("host.example.org"), EAI_AGAIN);
    same(gethostbyname("host.example.org") == NULL, 1);
    same(h_errno, TRY_AGAIN);
}

TEST(a_server_that_is_not_there_is_no_answer)
{
    put_file("/etc/resolv.conf", "nameserver 127.0.3.3\noptions timeout:30 attempts:5\n");
    alarm(20); /* it is heard at once that nobody is there */
    same(failure("host.example.org"), EAI_AGAIN);
}

static void answer_the_second_time(void)
{
    static int n;
    if (n++ > 0)
        answer_plainly();
}

TEST(a_lost_question_is_asked_again)
{
    serve(answer_the_second_time, "options timeout:1 attempts:2\n");
    same(success("host.example.org"), 0x0a000001);
}

TEST(the_next_server_is_asked)
{
    serve(answer_plainly, "");
    char text[100];
    struct in_addr a = {htonl(server_address)};
    sprintf(text, "nameserver 127.0.3.3\nnameserver %s\noptions attempts:1", inet_ntoa(a));
    put_file("/etc/resolv.conf", text);
    same(success("host.example.org"), 0x0a000001);
}

static void say_there_is_no_such_name(void)
{
    begin_answer(3, 0);
    send_answer();
}

TEST(a_name_that_does_not_exist)
{
    serve(say_there_is_no_such_name, "");
    same(failure("host.example.org"), EAI_NONAME);
    same(gethostbyname("host.example.org") == NULL, 1);
    same(h_errno, HOST_NOT_FOUND);
}

static void answer_without_records(void)
{
    begin_answer(0, 0);
    send_answer();
}

TEST(a_name_without_an_address)
{
    serve(answer_without_records, "");
    same(failure("host.example.org"), EAI_NONAME);
    same(gethostbyname("host.example.org") == NULL, 1);
    same(h_errno, NO_DATA);
}

static void answer_truncated(void)
{
    begin_answer(0, 1);
    put_address(NULL, 0x06060606);
    answer[2] |= 2;
    send_answer();
}

TEST(what_was_cut_short_is_refused)
{
    serve(answer_truncated, "options timeout:1 attempts:1\n");
    same(failure("host.example.org"), EAI_FAIL);
}

/* What others could send in place of the server, and then the right answer: it must be the one believed. */
static void answer_falsely_first(void)
{
    for (int lie = 0; lie < 8; lie++) {
        begin_answer(0, 1);
        switch (lie) {
        case 0: answer[1] ^= 1; break;                        /* another id */
        case 1: answer[2] &= 0x7f; break;                     /* a question */
        case 2: answer[2] |= 0x08; break;                     /* another operation */
        case 3: answer[13] ^= 1; break;                       /* another name */
        case 4: answer[question_length - 3] = ns_t_mx; break; /* another type */
        case 5: answer[question_length - 1] = 3; break;       /* another class */
        case 6: answer[5] = 2; break;                         /* two questions */
        default:
            answer_length = 12;
            memset(answer + 4, 0, 8);
            send_answer();
            continue; /* none */
        }
        put_address(NULL, 0x06060606);
        send_answer();
    }
    answer_plainly();
}

TEST(what_does_not_answer_the_question_is_passed_over)
{
    serve(answer_falsely_first, "options timeout:5 attempts:1\n");
    same(success("host.example.org"), 0x0a000001);
}

/* From another port than was asked. */
static void answer_from_elsewhere_first(void)
{
    int right = server;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(server_address)};
    server = works(socket(AF_INET, SOCK_DGRAM, 0));
    works(bind(server, (struct sockaddr *)&a, sizeof(a)));
    begin_answer(0, 1);
    put_address(NULL, 0x06060606);
    send_answer();
    works(close(server));
    server = right;
    answer_plainly();
}

TEST(strangers_are_not_believed)
{
    serve(answer_from_elsewhere_first, "options timeout:5 attempts:1\n");
    same(success("host.example.org"), 0x0a000001);
}

static void answer_damaged(void)
{
    static int n;
    begin_answer(0, 1);
    switch (n++) {
    case 0: put16(0xc000 | answer_length); break; /* a name that points to itself */
    case 1: put16(0xffff); break;                 /* a name beyond the end */
    case 2:
        answer[7] = 200;
        put_address(NULL, 0x06060606);
        break; /* more records than there are */
    case 3:
        put_address(NULL, 0x06060606);
        answer_length -= 2;
        break;                                      /* an address cut short */
    case 4: put_record(NULL, ns_t_a, 60000); break; /* data beyond the end */
    case 5: put_alias(NULL, asked); break;          /* an alias of itself */
    case 6:
        put_alias(NULL, "b.example.org");
        put_alias("b.example.org", asked);
        answer[7] = 2;
        break;
    case 7:
        put_record(NULL, ns_t_a, 16);
        memset(answer + answer_length, 6, 16);
        answer_length += 16;
        break;
    case 8: answer[answer_length++] = 0x80; break; /* a kind of label that there isn't */
    case 9: put_address("other.example.org", 0x06060606); break; /* what nobody asked */
    case 10:
        put_alias(NULL, "\033[2J.example.org");
        put_address("\033[2J.example.org", 1);
        answer[7] = 2;
        break;
    default: break; /* nothing where a record is said to be */
    }
    send_answer();
}

TEST(damaged_answers_are_refused)
{
    serve(answer_damaged, "options timeout:1 attempts:1\n");
    for (int damage = 0; damage < 12; damage++)
        check(failure("host.example.org") != EAI_AGAIN, "damage %d was not seen", damage);
}

static void answer_with_too_many(void)
{
    begin_answer(0, 200);
    for (uint32_t i = 1; i <= 200; i++)
        put_address(NULL, 0x0a000000 | i);
    send_answer();
}

TEST(more_addresses_than_there_is_room_for)
{
    serve(answer_with_too_many, "options timeout:1 attempts:1\n");
    same(success("host.example.org"), 0x0a000001);
}

static void answer_with_rubbish(void)
{
    begin_answer(0, 1);
    works(getrandom(answer + answer_length, 60, 0));
    answer_length += 60;
    send_answer();
}

TEST(rubbish_does_no_harm)
{
    int error;
    serve(answer_with_rubbish, "options timeout:1 attempts:1\n");
    for (int i = 0; i < 200; i++)
        find("host.example.org", &error);
    same(error == EAI_AGAIN, 0);
}

TEST(names_that_are_none_are_not_asked)
{
    char name[300];
    serve(say_nothing, "");
    alarm(20);
    memset(name, 'a', sizeof(name));
    name[64] = '\0';
    check(failure(name) != EAI_AGAIN, "a label has at most 63 bytes");
    name[64] = 'a';
    for (int i = 10; i < 299; i += 10)
        name[i] = '.';
    name[299] = '\0';
    same(failure(name), EAI_NONAME);
    same(failure("a..b"), EAI_FAIL);
    same(failure("a b"), EAI_NONAME);
}

int main(void)
{
    return tap_run("libc_resolver");
}

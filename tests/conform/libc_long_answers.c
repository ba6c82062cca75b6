/* The resolver when an answer has no room in a datagram: it is cut short, and asked for again by a connection. */
#define _GNU_SOURCE
#include "nameserver.h"

#define ADDRESSES 40 /* of 16 bytes: more than the 512 that a datagram has */

static void answer_cut_short(void)
{
    begin_answer(0, 1);
    put_address(NULL, 0x06060606); /* not to be believed */
    answer[2] |= 2;
    send_answer();
}

static void put_many(void)
{
    begin_answer(0, ADDRESSES);
    for (uint32_t i = 1; i <= ADDRESSES; i++)
        put_address(NULL, i);
}

static void answer_at_length(void)
{
    put_many();
    send_answer_by_stream(answer_length);
}

static void answer_byte_by_byte(void)
{
    put_many();
    send_answer_by_stream(1);
}

/* The sum of all addresses of NAME; their number is in *N. */
static uint32_t sum_of(const char *name, int *n)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    uint32_t sum = 0;
    *n = 0;
    int error = getaddrinfo(name, NULL, &hints, &list);
    check(error == 0, "%s was not found: %s", name, gai_strerror(error));
    for (struct addrinfo *i = list; i; i = i->ai_next, ++*n)
        sum += ntohl(((struct sockaddr_in *)i->ai_addr)->sin_addr.s_addr);
    freeaddrinfo(list);
    return sum;
}

TEST(it_is_asked_for_again_by_a_connection)
{
    int n;
    serve(answer_cut_short, "");
    serve_streams(answer_at_length);
    same(sum_of("host.example.org", &n), ADDRESSES * (ADDRESSES + 1) / 2);
    same(n, ADDRESSES);
}

TEST(it_may_come_in_pieces)
{
    int n;
    serve(answer_cut_short, "");
    serve_streams(answer_byte_by_byte);
    same(sum_of("host.example.org", &n), ADDRESSES * (ADDRESSES + 1) / 2);
    same(n, ADDRESSES);
}

TEST(what_there_is_no_room_for_is_counted)
{
    unsigned char message[600], whole[4096];
    serve(answer_cut_short, "");
    serve_streams(answer_at_length);
    int n = res_query("host.example.org", ns_c_in, ns_t_a, whole, sizeof(whole));
    same(n, 12 + 18 + 4 + 16 * ADDRESSES);
    memset(message, 0xee, sizeof(message));
    same(res_query("host.example.org", ns_c_in, ns_t_a, message, 512), n);
    same(memcmp(message + 2, whole + 2, 510), 0); /* but for the number of the question */
    for (size_t i = 512; i < sizeof(message); i++)
        same(message[i], 0xee);
}

static void say_nothing_for_long(void)
{
    sleep(30); /* longer than the client has patience */
}

static void hang_up(void)
{
    put_many();
    answer_length -= 7;
    unsigned char length[2] = {(unsigned char)((answer_length + 7) >> 8),
                               (unsigned char)(answer_length + 7)};
    works(send(server, length, 2, MSG_NOSIGNAL));
    works(send(server, answer, (size_t)answer_length, MSG_NOSIGNAL));
}

static void answer_something_else(void)
{
    put_many();
    answer[1] ^= 1;
    send_answer_by_stream(answer_length);
}

static void answer_too_little(void)
{
    put_many();
    answer_length = 11;
    send_answer_by_stream(answer_length);
}

static void answer_nothing(void)
{
    answer_length = 0;
    send_answer_by_stream(1);
}

TEST(connections_that_bring_no_answer)
{
    static void (*const bad[])(void) = {say_nothing_for_long, hang_up, answer_something_else,
                                        answer_too_little, answer_nothing};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        serve(answer_cut_short, "options timeout:1 attempts:1\n");
        serve_streams(bad[i]);
        same(failure("host.example.org"), EAI_AGAIN);
    }
}

static void answer_cut_short_again(void)
{
    put_many();
    answer[2] |= 2;
    send_answer_by_stream(answer_length);
}

TEST(a_connection_has_no_reason_to_cut_short)
{
    serve(answer_cut_short, "");
    serve_streams(answer_cut_short_again);
    same(failure("host.example.org"), EAI_FAIL);
}

TEST(the_next_server_may_have_the_whole)
{
    char text[100];
    struct in_addr first, second;
    int n;
    serve(answer_cut_short, "");
    first.s_addr = htonl(server_address);
    serve(answer_cut_short, "");
    second.s_addr = htonl(server_address);
    serve_streams(answer_at_length);
    int end = sprintf(text, "nameserver %s\n", inet_ntoa(first));
    sprintf(text + end, "nameserver %s\noptions attempts:1", inet_ntoa(second));
    put_file("/etc/resolv.conf", text);
    same(sum_of("host.example.org", &n), ADDRESSES * (ADDRESSES + 1) / 2);
}

int main(void)
{
    return nameserver_run("libc_long_answers");
}

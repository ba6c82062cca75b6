/* The resolver against a name server (nameserver.h) that doesn't answer, or wrongly: what it refuses. */
#define _GNU_SOURCE
#include "nameserver.h"

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
    alarm(100); /* it is heard at once that nobody is there */
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

/* Servers that are asked before the one that answers: one is silent, one refuses. */
TEST(servers_are_asked_in_turn)
{
    static void (*const answers[])(void) = {say_nothing, refuse_all, answer_plainly};
    char text[200];
    int end = 0;
    for (int i = 0; i < 3; i++) {
        serve(answers[i], "");
        struct in_addr a = {htonl(server_address)};
        end += sprintf(text + end, "nameserver %s\n", inet_ntoa(a));
    }
    sprintf(text + end, "options timeout:1 attempts:1\n");
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
    serve(answer_truncated, "options timeout:1 attempts:1\n"); /* and takes no connections */
    same(failure("host.example.org"), EAI_AGAIN);
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

static void answer_with_others(void)
{
    begin_answer(0, 3);
    put_address("unrelated.example.net", 0x06060606);
    put_alias(NULL, "real.example.org");
    put_address("REAL.example.ORG", 0x0a000003);
    send_answer();
}

TEST(what_belongs_to_another_name_is_not_ours)
{
    serve(answer_with_others, "");
    put_file("/etc/hosts", "10.9.9.9 mine.example.org Alias\n");
    same(success("host.example.org"), 0x0a000003);
    same(success("localhost"), INADDR_LOOPBACK); /* even where the file doesn't have it */
    same(success("ALIAS"), 0x0a090909);          /* letters are alike whatever their case */
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
    alarm(100);
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
    return nameserver_run("libc_refusals");
}

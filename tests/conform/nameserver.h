/*
 * A name server for tests of the resolver: it answers as the test says, rightly or wrongly.
 *
 * It listens at an address 127.x.y.z that no other run has. /etc/resolv.conf and /etc/hosts are bound over in
 * a mount namespace of our own, and on a kernel without those, ours, where the machine is there for this program
 * alone, they are written.
 */
#pragma once

#include <arpa/inet.h>
#include <netdb.h>
#include <resolv.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "tap.h"

#define UNSHARE 272 /* the call; the library has no function for it */

static uint32_t server_address; /* host order */

/* The file PATH has this text, for this test. */
static inline void put_file(const char *path, const char *text)
{
    static int files;
    char copy[20];
    if (access("/proc/kstat", F_OK) == 0) {
        int fd = works(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
        works(write(fd, text, strlen(text)));
        works(close(fd));
        return;
    }
    if (files == 0) {
        works(syscall(UNSHARE, CLONE_NEWNS));
        works(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    }
    sprintf(copy, "file%d", files++);
    make_file(copy, text);
    works(mount(copy, path, NULL, MS_BIND, NULL));
}

/* --- the server: one question, one answer --- */

static unsigned char question[512], answer[65536];
static int question_length, answer_length, server;
static struct sockaddr_in client; /* not of a connection, whose socket is the server */
static char asked[256];           /* the name in the question */
static int asked_type;

static inline void put16(int n)
{
    answer[answer_length++] = (unsigned char)(n >> 8);
    answer[answer_length++] = (unsigned char)n;
}

static inline void put_name(const char *name)
{
    while (*name) {
        size_t n = strcspn(name, ".");
        answer[answer_length++] = (unsigned char)n;
        memcpy(answer + answer_length, name, n);
        answer_length += (int)n;
        name += n + (name[n] == '.');
    }
    answer[answer_length++] = 0;
}

/* Begin an answer that says so many records follow, with the question as it was asked. */
static inline void begin_answer(int rcode, int records)
{
    memcpy(answer, question, (size_t)question_length);
    answer[2] = 0x81;
    answer[3] = (unsigned char)(0x80 | rcode);
    answer[7] = (unsigned char)records;
    answer_length = question_length;
}

/* A record whose data the caller appends. */
static inline void put_record(const char *owner, int type, int length)
{
    if (owner)
        put_name(owner);
    else
        put16(0xc00c); /* a pointer to the question's */
    put16(type);
    put16(1);
    put16(0);
    put16(60);
    put16(length);
}

static inline void put_address(const char *owner, uint32_t address)
{
    put_record(owner, ns_t_a, 4);
    put16((int)(address >> 16));
    put16((int)(address & 0xffff));
}

static inline void put_alias(const char *owner, const char *target)
{
    put_record(owner, ns_t_cname, (int)strlen(target) + 2);
    put_name(target);
}

/* By a connection: the length goes before it, and no byte waits for the next. */
static inline void send_answer_by_stream(int bytes_at_a_time)
{
    unsigned char length[2] = {(unsigned char)(answer_length >> 8), (unsigned char)answer_length};
    works(send(server, length, 1, MSG_NOSIGNAL));
    works(send(server, length + 1, 1, MSG_NOSIGNAL));
    for (int at = 0; at < answer_length; at += bytes_at_a_time) {
        int n = answer_length - at < bytes_at_a_time ? answer_length - at : bytes_at_a_time;
        works(send(server, answer + at, (size_t)n, MSG_NOSIGNAL));
    }
}

static inline void send_answer(void)
{
    works(sendto(server, answer, (size_t)answer_length, 0, (struct sockaddr *)&client,
                 sizeof(client)));
}

static inline void look_at_question(void)
{
    check(question_length > 12 + 5, "a question of %d bytes", question_length);
    same(question[2] << 8 | (question[3] & ~0x20), 0x0100); /* a query, recursion desired */
    same(memcmp(question + 4, "\0\1\0\0\0\0\0\0", 8), 0);
    int n_name =
        dn_expand(question, question + question_length, question + 12, asked, sizeof(asked));
    check(n_name > 0 && 12 + n_name + 4 == question_length, "the question is whole");
    asked_type = question[12 + n_name] << 8 | question[12 + n_name + 1];
    same(question[12 + n_name + 2] << 8 | question[12 + n_name + 3], ns_c_in);
}

static inline void read_question(void)
{
    socklen_t n = sizeof(client);
    question_length =
        (int)works(recvfrom(server, question, sizeof(question), 0, (struct sockaddr *)&client, &n));
    look_at_question();
}

/* Start a server that answers each question as ANSWER_IT does; /etc/resolv.conf names it and has MORE lines. */
static inline void serve(void (*answer_it)(void), const char *more)
{
    char text[200];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(53)};
    works(getrandom(&server_address, sizeof(server_address), 0));
    server_address = 0x7f000000 | (server_address & 0xfffffe) | 0x10000;
    a.sin_addr.s_addr = htonl(server_address);
    server = works(socket(AF_INET, SOCK_DGRAM, 0));
    works(bind(server, (struct sockaddr *)&a, sizeof(a)));
    sprintf(text, "nameserver %s\n%s", inet_ntoa(a.sin_addr), more);
    put_file("/etc/resolv.conf", text);
    pid_t pid, test = getpid();
    CHILD (pid) {
        works(prctl(PR_SET_PDEATHSIG, SIGKILL));
        if (getppid() != test) /* it has ended already */
            _exit(0);
        for (;;) {
            read_question();
            answer_it();
        }
    }
    works(close(server));
}

/* After serve: at the same place connections are taken, and the question of each is answered as ANSWER_IT does. */
static inline void serve_streams(void (*answer_it)(void))
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(53)};
    int listener = works(socket(AF_INET, SOCK_STREAM, 0));
    pid_t pid, test = getpid();
    a.sin_addr.s_addr = htonl(server_address);
    works(bind(listener, (struct sockaddr *)&a, sizeof(a)));
    works(listen(listener, 5));
    CHILD (pid) {
        works(prctl(PR_SET_PDEATHSIG, SIGKILL));
        if (getppid() != test) /* it has ended already */
            _exit(0);
        for (;;) {
            unsigned char length[2];
            server = works(accept(listener, NULL, NULL));
            same(recv(server, length, 2, MSG_WAITALL), 2);
            question_length = length[0] << 8 | length[1];
            check(question_length <= (int)sizeof(question), "a question has room");
            same(recv(server, question, (size_t)question_length, MSG_WAITALL), question_length);
            look_at_question();
            answer_it();
            works(close(server));
        }
    }
    works(close(listener));
}

/* The address that NAME has, host order; 0: none, and why is in *ERROR. */
static inline uint32_t find(const char *name, int *error)
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

static inline int failure(const char *name)
{
    int error;
    same(find(name, &error), 0);
    return error;
}

static inline uint32_t success(const char *name)
{
    int error;
    uint32_t found = find(name, &error);
    check(error == 0, "%s was not found: %s", name, gai_strerror(error));
    return found;
}

static inline void answer_plainly(void)
{
    begin_answer(0, 1);
    put_address(NULL, strcmp(asked, "host.example.org") == 0 && asked_type == ns_t_a ? 0x0a000001
                                                                                     : 0x0a000002);
    send_answer();
}

/* What /etc has is part of the machine: it is put back when all is over. */
static inline int nameserver_run(const char *area)
{
    static const char *const paths[] = {"/etc/resolv.conf", "/etc/hosts"};
    char texts[2][4096];
    ssize_t lengths[2];
    for (int i = 0; i < 2; i++) {
        int fd = open(paths[i], O_RDONLY);
        lengths[i] = fd < 0 ? -1 : read(fd, texts[i], sizeof(texts[i]) - 1);
        close(fd);
    }
    int status = tap_run(area);
    for (int i = 0; i < 2 && access("/proc/kstat", F_OK) == 0; i++) {
        if (lengths[i] < 0) {
            unlink(paths[i]);
            continue;
        }
        texts[i][lengths[i]] = '\0';
        put_file(paths[i], texts[i]);
    }
    return status;
}

/* musl: splice, sendfile and sockets: pages go to a socket and come from one. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

#define SIZE (5 * 4096 + 77)

static char data[SIZE], got[SIZE];

static void make_data(void)
{
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (char)(i * 31 + i / 4096);
}

static int data_file(void)
{
    make_data();
    int fd = works(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
    same(write(fd, data, SIZE), SIZE);
    works(lseek(fd, 0, SEEK_SET));
    return fd;
}

static void expect_data(int fd)
{
    size_t n = 0;
    while (n < SIZE)
        n += (size_t)works(read(fd, got + n, SIZE - n));
    check(memcmp(got, data, SIZE) == 0, "the bytes that were sent");
}

TEST(a_file_is_sent_to_a_socket)
{
    int s[2], fd = data_file();
    works(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    same(sendfile(s[0], fd, NULL, SIZE), SIZE);
    same(lseek(fd, 0, SEEK_CUR), SIZE);
    expect_data(s[1]);
}

TEST(what_was_sent_stays_as_it_was_when_the_socket_is_written_again)
{
    int s[2], fd = data_file();
    off_t at = 4096;
    works(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    same(sendfile(s[0], fd, &at, 100), 100);
    same(send(s[0], "behind", 6, 0), 6); /* must not land in the file's page */
    same(read(s[1], got, 200), 106);
    check(memcmp(got, data + 4096, 100) == 0 && memcmp(got + 100, "behind", 6) == 0, "both");
    same(pread(fd, got, 200, 4096), 200);
    check(memcmp(got, data + 4096, 200) == 0, "the file is as it was");
}

TEST(a_pipe_is_spliced_to_a_socket_and_back)
{
    int s[2], p[2], q[2];
    make_data();
    works(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    works(pipe(p));
    works(pipe(q));
    same(write(p[1], data, SIZE), SIZE);
    for (size_t n = 0; n < SIZE;)
        n += (size_t)works(splice(p[0], NULL, s[0], NULL, SIZE - n, 0));
    for (size_t n = 0; n < SIZE;)
        n += (size_t)works(splice(s[1], NULL, q[1], NULL, SIZE - n, 0));
    expect_data(q[0]);
}

TEST(a_page_of_a_file_goes_through_a_socket_uncopied)
{
    int s[2], p[2], q[2], fd = data_file();
    off_t at = 4096;
    works(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    works(pipe(p));
    works(pipe(q));
    same(splice(fd, &at, p[1], NULL, 4096, 0), 4096);
    same(splice(p[0], NULL, s[0], NULL, 4096, 0), 4096);
    same(splice(s[1], NULL, q[1], NULL, 4096, 0), 4096);
    same(pwrite(fd, "changed afterwards", 18, 4096 + 100), 18);
    same(read(q[0], got, sizeof(got)), 4096);
    check(memcmp(got + 100, "changed afterwards", 18) == 0, "the pipe holds the file's own page");
}

TEST(a_part_is_spliced_and_the_rest_is_read)
{
    int s[2], q[2];
    make_data();
    works(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    works(pipe(q));
    same(write(s[0], data, SIZE), SIZE);
    same(splice(s[1], NULL, q[1], NULL, 5000, 0), 5000);
    same(read(s[1], got, SIZE), SIZE - 5000);
    check(memcmp(got, data + 5000, SIZE - 5000) == 0, "the rest");
    same(write(s[0], "more", 4), 4);
    same(read(q[0], got, SIZE), 5000);
    check(memcmp(got, data, 5000) == 0, "the part, whatever was written since");
}

TEST(descriptors_that_come_with_spliced_bytes_are_closed)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)),
                          .cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS}};
    struct iovec iov = {"ab", 2};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof(control)};
    int s[2], p[2], q[2];
    works(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    works(pipe(p));
    works(pipe(q));
    memcpy(CMSG_DATA(&control.head), &p[1], sizeof(int));
    same(sendmsg(s[0], &m, 0), 2);
    works(close(p[1]));
    same(splice(s[1], NULL, q[1], NULL, 1, 0), 1);
    same(read(p[0], got, 1), 0); /* the last write end is gone */
    same(splice(s[1], NULL, q[1], NULL, 5, 0), 1);
    same(read(q[0], got, 5), 2);
}

TEST(splicing_from_an_empty_socket_waits_or_says_so)
{
    int s[2], p[2];
    works(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    works(pipe(p));
    fails(splice(s[1], NULL, p[1], NULL, 100, SPLICE_F_NONBLOCK), EAGAIN);
    works(close(s[0]));
    same(splice(s[1], NULL, p[1], NULL, 100, 0), 0);
}

TEST(splicing_to_a_closed_socket_is_a_broken_pipe)
{
    int s[2], p[2];
    works(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    works(pipe(p));
    works(close(s[1]));
    same(write(p[1], "x", 1), 1);
    signal(SIGPIPE, SIG_IGN);
    fails(splice(p[0], NULL, s[0], NULL, 1, 0), EPIPE);
}

int main(void)
{
    return tap_run("splice_socket");
}

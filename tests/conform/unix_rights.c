/* musl: AF_UNIX: descriptors and credentials that travel with bytes. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

/* Straight to the kernel: a library may look into a header before it passes it on. */
#define raw_sendmsg(fd, m, flags) syscall(SYS_sendmsg, fd, m, flags)

#define MAX_SENT 253

static char big[65536];

static void make_pair(int type, int s[2])
{
    works(socketpair(AF_UNIX, type, 0, s));
}

/* Send N bytes with COUNT descriptors. */
static ssize_t send_files(int fd, const void *data, size_t n, const int *files, int count)
{
    union {
        char bytes[CMSG_SPACE((MAX_SENT + 1) * sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec v = {(void *)data, n};
    struct msghdr m = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = CMSG_SPACE((size_t)count * sizeof(int))};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    memcpy(CMSG_DATA(c), files, (size_t)count * sizeof(int));
    return raw_sendmsg(fd, &m, 0);
}

static struct received {
    ssize_t n;
    int flags;
    int count;
    int files[MAX_SENT];
    bool has_ids;
    struct ucred ids;
} got;

/* Receive up to N bytes, with room for SLOTS descriptors. */
static ssize_t receive(int fd, size_t n, int slots, int flags)
{
    union {
        char bytes[CMSG_SPACE(MAX_SENT * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr align;
    } control;
    struct iovec v = {big, n};
    struct msghdr m = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen =
                           slots < 0 ? sizeof(control) : CMSG_LEN((size_t)slots * sizeof(int))};
    memset(&got, 0, sizeof(got));
    if (slots == 0)
        m.msg_controllen = 0;
    got.n = recvmsg(fd, &m, flags);
    got.flags = m.msg_flags;
    if (got.n < 0)
        return got.n;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        same(c->cmsg_level, SOL_SOCKET);
        if (c->cmsg_type == SCM_RIGHTS) {
            got.count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(got.files, CMSG_DATA(c), (size_t)got.count * sizeof(int));
        } else {
            same(c->cmsg_type, SCM_CREDENTIALS);
            same(c->cmsg_len, CMSG_LEN(sizeof(got.ids)));
            got.has_ids = true;
            memcpy(&got.ids, CMSG_DATA(c), sizeof(got.ids));
        }
    }
    return got.n;
}

static int open_count(void)
{
    int n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* --- descriptors --- */

TEST(a_descriptor_arrives_as_a_duplicate)
{
    int s[2], p[2];
    make_pair(SOCK_STREAM, s);
    works(pipe(p));
    same(send_files(s[0], "x", 1, &p[0], 1), 1);
    works(close(p[0]));
    same(receive(s[1], 10, 4, 0), 1);
    same(got.count, 1);
    same(got.flags, 0);
    same(fcntl(got.files[0], F_GETFD), 0);
    same(write(p[1], "through", 7), 7);
    same(read(got.files[0], big, 10), 7);
}

TEST(it_is_the_same_open_description)
{
    int s[2];
    make_pair(SOCK_DGRAM, s);
    make_file("f", "0123456789");
    int fd = works(open("f", O_RDONLY));
    same(send_files(s[0], "x", 1, &fd, 1), 1);
    same(receive(s[1], 10, 1, MSG_CMSG_CLOEXEC), 1);
    same(fcntl(got.files[0], F_GETFD), FD_CLOEXEC);
    same(read(fd, big, 4), 4);
    same(read(got.files[0], big, 4), 4);
    same(big[0], '4'); /* the offset is shared */
}

TEST(descriptors_cross_to_another_process)
{
    int s[2], p[2];
    pid_t pid;
    make_pair(SOCK_SEQPACKET, s);
    CHILD (pid) {
        same(receive(s[1], 10, 2, 0), 1);
        same(got.count, 2);
        same(write(got.files[1], "from the child", 14), 14);
    }
    works(pipe(p));
    same(send_files(s[0], "x", 1, p, 2), 1);
    works(close(p[1]));
    same(read(p[0], big, 100), 14);
    exits(pid, 0);
    same(read(p[0], big, 100), 0); /* its copy has gone with it */
}

TEST(a_read_stops_behind_descriptors)
{
    int s[2], p[2];
    make_pair(SOCK_STREAM, s);
    works(pipe(p));
    same(send(s[0], "aa", 2, 0), 2);
    same(send_files(s[0], "bb", 2, &p[0], 1), 2);
    same(send(s[0], "cc", 2, 0), 2);
    same(send_files(s[0], "dd", 2, &p[1], 1), 2);
    same(receive(s[1], 100, 4, 0), 4); /* what came before may be glued on */
    same(got.count, 1);
    same(receive(s[1], 100, 4, 0), 4);
    same(got.count, 1);
}

TEST(descriptors_come_with_the_first_byte)
{
    int s[2], p[2];
    make_pair(SOCK_STREAM, s);
    works(pipe(p));
    same(send_files(s[0], "abcdef", 6, p, 2), 6);
    same(receive(s[1], 2, 4, 0), 2);
    same(got.count, 2);
    same(receive(s[1], 2, 4, 0), 2);
    same(got.count, 0);
    same(receive(s[1], 9, 4, 0), 2);
}

TEST(a_plain_read_closes_them)
{
    int s[2], p[2];
    make_pair(SOCK_STREAM, s);
    works(pipe(p));
    same(send_files(s[0], "x", 1, &p[1], 1), 1);
    works(close(p[1]));
    int before = open_count();
    same(read(s[1], big, 1), 1);
    same(open_count(), before);
    same(read(p[0], big, 1), 0); /* the last writer has gone */
}

TEST(too_little_room_cuts_and_closes_the_rest)
{
    int s[2], p[2];
    make_pair(SOCK_DGRAM, s);
    works(pipe(p));
    int files[3] = {p[0], p[0], p[1]};
    same(send_files(s[0], "x", 1, files, 3), 1);
    works(close(p[1]));
    int before = open_count();
    same(receive(s[1], 1, 2, 0), 1);
    same(got.count, 2);
    same(got.flags & MSG_CTRUNC, MSG_CTRUNC);
    same(open_count(), before + 2);
    same(read(p[0], big, 1), 0);
}

TEST(no_room_at_all_is_told)
{
    int s[2], p[2];
    make_pair(SOCK_DGRAM, s);
    works(pipe(p));
    same(send_files(s[0], "x", 1, p, 2), 1);
    same(receive(s[1], 1, 0, 0), 1);
    same(got.flags & MSG_CTRUNC, MSG_CTRUNC);
}

TEST(no_free_descriptor_cuts_too)
{
    int s[2], p[2];
    struct rlimit limit;
    make_pair(SOCK_DGRAM, s);
    works(pipe(p));
    same(send_files(s[0], "x", 1, p, 2), 1);
    int next = works(dup(0));
    works(close(next));
    works(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = (rlim_t)next + 1; /* room for one */
    works(setrlimit(RLIMIT_NOFILE, &limit));
    same(receive(s[1], 1, 4, 0), 1);
    same(got.count, 1);
    same(got.flags & MSG_CTRUNC, MSG_CTRUNC);
}

TEST(a_look_duplicates_and_leaves_them)
{
    int s[2], p[2];
    make_pair(SOCK_STREAM, s);
    works(pipe(p));
    same(send_files(s[0], "x", 1, &p[1], 1), 1);
    same(receive(s[1], 1, 4, MSG_PEEK), 1);
    same(got.count, 1);
    same(write(got.files[0], "a", 1), 1);
    same(receive(s[1], 1, 4, 0), 1);
    same(got.count, 1);
    same(write(got.files[0], "b", 1), 1);
    same(read(p[0], big, 10), 2);
}

TEST(bad_descriptors_are_refused_whole)
{
    int s[2], p[2];
    make_pair(SOCK_STREAM, s);
    works(pipe(p));
    int files[2] = {p[0], 900};
    fails(send_files(s[0], "x", 1, files, 2), EBADF);
    files[1] = -1;
    fails(send_files(s[0], "x", 1, files, 2), EBADF);
    fails(recv(s[1], big, 1, MSG_DONTWAIT), EAGAIN);
}

TEST(no_more_than_253_at_once)
{
    int s[2], files[MAX_SENT + 1];
    make_pair(SOCK_STREAM, s);
    for (int i = 0; i <= MAX_SENT; i++)
        files[i] = s[0];
    fails(send_files(s[0], "x", 1, files, MAX_SENT + 1), EINVAL);
    same(send_files(s[0], "x", 1, files, MAX_SENT), 1);
    same(receive(s[1], 1, MAX_SENT, 0), 1);
    same(got.count, MAX_SENT);
}

TEST(forged_control_data_is_refused)
{
    int s[2];
    union {
        char bytes[64];
        struct cmsghdr header;
    } control;
    struct iovec v = {"x", 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control.bytes};
    make_pair(SOCK_STREAM, s);
    static const size_t bad[] = {0, 1, sizeof(struct cmsghdr) - 1, 65, (size_t)-1, 1UL << 40};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&control, 0, sizeof(control));
        control.header =
            (struct cmsghdr){.cmsg_len = bad[i], .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        m.msg_controllen = sizeof(control);
        fails(raw_sendmsg(s[0], &m, 0), EINVAL);
    }
    control.header =
        (struct cmsghdr){.cmsg_len = CMSG_LEN(4), .cmsg_level = SOL_SOCKET, .cmsg_type = 77};
    m.msg_controllen = CMSG_LEN(4);
    fails(raw_sendmsg(s[0], &m, 0), EINVAL); /* no such type */
    control.header.cmsg_level = 99;
    same(raw_sendmsg(s[0], &m, 0), 1); /* another level's is not ours to judge */
    m.msg_controllen = 4;              /* not even a header */
    same(raw_sendmsg(s[0], &m, 0), 1);
    m.msg_control = NOWHERE;
    m.msg_controllen = 64;
    fails(raw_sendmsg(s[0], &m, 0), EFAULT);
    m.msg_controllen = 1 << 30;
    fails(raw_sendmsg(s[0], &m, 0), ENOBUFS);
}

TEST(unread_descriptors_are_closed_with_the_socket)
{
    int s[2], p[2];
    make_pair(SOCK_STREAM, s);
    works(pipe(p));
    for (int i = 0; i < 20; i++)
        same(send_files(s[0], "x", 1, &p[1], 1), 1);
    works(close(p[1]));
    works(close(s[1]));
    works(close(s[0]));
    same(read(p[0], big, 1), 0);
}

/*
 * A pipe's write end that was put where nobody can get at it any more has been closed: the reader sees it. A
 * kernel may wait with that until the next socket is closed.
 */
static void expect_collected(int reader)
{
    int s[2];
    make_pair(SOCK_STREAM, s);
    works(close(s[0]));
    works(close(s[1]));
    struct pollfd p = {reader, POLLIN, 0};
    same(poll(&p, 1, 60000), 1);
    same(read(reader, big, 1), 0);
}

TEST(a_socket_in_flight_over_itself_is_collected)
{
    int s[2], p[2];
    make_pair(SOCK_STREAM, s);
    works(pipe(p));
    same(send_files(s[0], "x", 1, &p[1], 1), 1); /* lies in s[1]'s queue */
    same(send_files(s[0], "x", 1, &s[1], 1), 1); /* and so does s[1] */
    works(close(p[1]));
    works(close(s[1]));
    works(close(s[0]));
    expect_collected(p[0]);
}

TEST(two_sockets_in_each_others_queues_are_collected)
{
    int a[2], b[2], p[2];
    make_pair(SOCK_DGRAM, a);
    make_pair(SOCK_SEQPACKET, b);
    works(pipe(p));
    same(send_files(a[0], "x", 1, &b[1], 1), 1);
    same(send_files(b[0], "x", 1, &a[1], 1), 1);
    same(send_files(a[0], "x", 1, &p[1], 1), 1);
    for (int i = 0; i < 2; i++) {
        works(close(a[i]));
        works(close(b[i]));
    }
    works(close(p[1]));
    expect_collected(p[0]);
}

TEST(what_can_still_be_received_is_not_collected)
{
    int outer[2], inner[2], p[2];
    make_pair(SOCK_STREAM, outer);
    make_pair(SOCK_STREAM, inner);
    works(pipe(p));
    same(send_files(inner[0], "x", 1, &p[1], 1), 1);
    same(send_files(outer[0], "x", 1, &inner[1], 1), 1);
    works(close(inner[1])); /* now it lives in outer's queue alone */
    works(close(p[1]));
    int other[2];
    make_pair(SOCK_STREAM, other);
    works(close(other[0])); /* gives the collector reason to look */
    works(close(other[1]));
    same(receive(outer[1], 1, 1, 0), 1);
    same(got.count, 1);
    same(receive(got.files[0], 1, 1, 0), 1);
    same(got.count, 1);
    same(write(got.files[0], "alive", 5), 5);
    same(read(p[0], big, 10), 5);
}

TEST(a_long_chain_of_sockets_in_flight_is_closed)
{
    int last[2], next[2], p[2];
    make_pair(SOCK_STREAM, last);
    works(pipe(p));
    same(send_files(last[0], "x", 1, &p[1], 1), 1);
    works(close(p[1]));
    int depth = 0;
    for (; depth < 200; depth++) { /* each in the next one's queue; some kernels allow only a few */
        make_pair(SOCK_STREAM, next);
        if (send_files(next[0], "x", 1, &last[1], 1) != 1) {
            same(errno, ETOOMANYREFS);
            works(close(next[0]));
            works(close(next[1]));
            break;
        }
        works(close(last[0]));
        works(close(last[1]));
        last[0] = next[0];
        last[1] = next[1];
    }
    check(depth > 2, "a few are allowed");
    works(close(last[0]));
    works(close(last[1]));
    expect_collected(p[0]);
}

/* --- credentials --- */

static void want_ids(int fd)
{
    int one = 1;
    works(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
}

static ssize_t send_ids(int fd, pid_t pid, uid_t uid, gid_t gid)
{
    union {
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr header;
    } control = {0};
    struct ucred ids = {pid, uid, gid};
    struct iovec v = {"x", 1};
    struct msghdr m = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof(control)};
    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(ids)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS};
    memcpy(CMSG_DATA(&control.header), &ids, sizeof(ids));
    return raw_sendmsg(fd, &m, 0);
}

TEST(the_receiver_learns_who_sends)
{
    int s[2];
    pid_t pid;
    make_pair(SOCK_DGRAM, s);
    want_ids(s[1]);
    CHILD (pid)
        same(send(s[0], "x", 1, 0), 1);
    same(receive(s[1], 1, -1, 0), 1);
    check(got.has_ids, "credentials");
    same(got.ids.pid, pid);
    same(got.ids.uid, getuid());
    same(got.ids.gid, getgid());
    exits(pid, 0);
}

TEST(who_does_not_ask_is_not_told)
{
    int s[2];
    make_pair(SOCK_DGRAM, s);
    same(send(s[0], "x", 1, 0), 1);
    same(receive(s[1], 1, -1, 0), 1);
    check(!got.has_ids, "none");
}

TEST(a_stream_read_does_not_mix_senders)
{
    int s[2];
    pid_t pid;
    make_pair(SOCK_STREAM, s);
    want_ids(s[1]);
    same(send(s[0], "aa", 2, 0), 2);
    same(send(s[0], "bb", 2, 0), 2);
    CHILD (pid)
        same(send(s[0], "cc", 2, 0), 2);
    exits(pid, 0);
    same(receive(s[1], 100, -1, 0), 4);
    same(got.ids.pid, getpid());
    same(receive(s[1], 100, -1, 0), 2);
    same(got.ids.pid, pid);
}

TEST(ids_may_be_stated_if_they_are_true)
{
    int s[2];
    pid_t pid;
    make_pair(SOCK_DGRAM, s);
    want_ids(s[1]);
    same(send_ids(s[0], getpid(), getuid(), getgid()), 1);
    same(receive(s[1], 1, -1, 0), 1);
    same(got.ids.pid, getpid());
    if (getuid() != 0)
        return;
    same(send_ids(s[0], 1, 4321, 1234), 1); /* the privileged may say what they like */
    same(receive(s[1], 1, -1, 0), 1);
    same(got.ids.uid, 4321);
    CHILD (pid) {
        works(setgid(12345));
        works(setuid(12345));
        same(send_ids(s[0], getpid(), 12345, 12345), 1);
        fails(send_ids(s[0], getppid(), 12345, 12345), EPERM);
        fails(send_ids(s[0], getpid(), 0, 12345), EPERM);
        fails(send_ids(s[0], getpid(), 12345, 0), EPERM);
    }
    exits(pid, 0);
}

TEST(peercred_is_who_connected)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "s"};
    struct ucred ids = {0};
    socklen_t len = sizeof(ids);
    pid_t pid;
    int l = works(socket(AF_UNIX, SOCK_STREAM, 0)), s[2];
    works(getsockopt(l, SOL_SOCKET, SO_PEERCRED, &ids, &len));
    same(ids.pid, 0);
    same(ids.uid, (uid_t)-1);
    works(bind(l, (struct sockaddr *)&a, sizeof(a)));
    works(listen(l, 1));
    CHILD (pid) {
        int c = works(socket(AF_UNIX, SOCK_STREAM, 0));
        works(connect(c, (struct sockaddr *)&a, sizeof(a)));
        works(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &ids, &len));
        same(ids.pid, getppid()); /* who has called listen */
        same(read(c, big, 1), 0);
    }
    int fd = works(accept(l, NULL, NULL));
    works(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ids, &len));
    same(ids.pid, pid);
    same(ids.uid, getuid());
    works(close(fd));
    exits(pid, 0);
    make_pair(SOCK_STREAM, s);
    works(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &ids, &len));
    same(ids.pid, getpid());
}

int main(void)
{
    return tap_run("unix_rights");
}

/*
 * An open file is handed to a process that could not open it: a descriptor travels over a local socket.
 * `fdpass send PATH FILE` and `fdpass receive PATH` are two programs that share nothing but the socket's name;
 * without words the demo sends, and starts a receiver by exec. See fdpass.txt.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "demo.h"

/* Room for a control message with one descriptor, aligned as its header wants. */
union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr header;
};

static void send_descriptor(int socket, int fd)
{
    union control control = {0};
    struct iovec data = {"!", 1}; /* control data goes with at least one byte */
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    need(sendmsg(socket, &message, 0));
}

static int receive_descriptor(int socket)
{
    union control control;
    char byte;
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *c;
    int fd;

    need(recvmsg(socket, &message, 0));
    c = CMSG_FIRSTHDR(&message);
    if (c == NULL || c->cmsg_type != SCM_RIGHTS) {
        fprintf(stderr, "fdpass: no descriptor came\n");
        exit(1);
    }
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

/* A socket at PATH: one that waits for connections, or one that is connected to that. */
static int socket_at(const char *path, int listening)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = (int)need(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    need((listening ? bind : connect)(fd, (struct sockaddr *)&a, sizeof a));
    if (listening)
        need(listen(fd, 1));
    return fd;
}

static int receive(const char *path)
{
    char text[100];
    int fd = receive_descriptor(socket_at(path, 0));
    struct stat st;
    ssize_t n = need(read(fd, text, sizeof text));

    need(fstat(fd, &st));
    printf("receiver: a file with %d names\n", (int)st.st_nlink);
    printf("receiver: it reads \"%.*s\"\n", (int)n, text);
    claim(n > 0);
    return shown();
}

/* Hand FD to whoever connects first. */
static void hand_over(int listener, int fd)
{
    int connection = (int)need(accept4(listener, NULL, NULL, SOCK_CLOEXEC));

    send_descriptor(connection, fd);
    need(close(connection));
}

/* Without words: a file that has no name any more, half read; then a receiver that has never seen it. */
static int play_both(void)
{
    char folder[] = "/tmp/fdpass-XXXXXX", path[40], text[16];
    int fd, listener, end;
    pid_t receiver;
    long offset;

    alarm(10); /* if one doesn't come the other would wait for ever */
    need(mkdtemp(folder) == NULL ? -1 : 0);
    sprintf(path, "%s/socket", folder);
    listener = socket_at(path, 1);
    fd = (int)need(open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    need(write(fd, "the first part, the second part", 31));
    need(lseek(fd, 0, SEEK_SET));
    need(read(fd, text, sizeof text));
    printf("sender: read \"%.16s\"\n", text);
    receiver = fork_clean();
    if (receiver == 0) {
        execl("/proc/self/exe", "fdpass", "receive", path, (char *)NULL);
        perror("fdpass: exec");
        _exit(127);
    }
    hand_over(listener, fd);
    end = end_of(receiver);
    offset = need(lseek(fd, 0, SEEK_CUR));
    printf("sender: the offset is %ld now: both have the same open file\n", offset);
    claim(end == 0 && offset == 31);
    need(unlink(path));
    need(rmdir(folder));
    return shown();
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "receive") == 0)
        return receive(argv[2]);
    if (argc == 4 && strcmp(argv[1], "send") == 0) {
        hand_over(socket_at(argv[2], 1), (int)need(open(argv[3], O_RDONLY)));
        need(unlink(argv[2]));
        return 0;
    }
    if (argc != 1) {
        fprintf(stderr, "usage: fdpass [send PATH FILE | receive PATH]\n");
        return 2;
    }
    return play_both();
}

/*
 * An open file is handed to a process that could not open it: a descriptor travels over a local socket. See
 * fdpass.txt.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

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
    int fd = -1;

    need(recvmsg(socket, &message, 0));
    if (CMSG_FIRSTHDR(&message) != NULL)
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

/* The receiver gives up its root, so that no path leads to the file any more. */
static _Noreturn void receiver(int socket, const char *path)
{
    char buffer[100];
    int fd;
    ssize_t n;

    printf("receiver: open says %s\n", open(path, O_RDONLY) < 0 ? strerror(errno) : "yes");
    fd = receive_descriptor(socket);
    n = need(read(fd, buffer, sizeof buffer));
    printf("receiver: the descriptor that came reads \"%.*s\"\n", (int)n, buffer);
    fflush(stdout);
    _exit(0);
}

int main(void)
{
    char path[] = "/tmp/fdpass-XXXXXX", buffer[100];
    int sockets[2], fd = (int)need(mkstemp(path));
    pid_t child;

    need(write(fd, "the first part, the second part", 31));
    need(unlink(path)); /* it has no name any more: nobody can open it */
    need(lseek(fd, 0, SEEK_SET));
    need(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
    need(read(fd, buffer, 16));
    printf("sender: read \"%.16s\"\n", buffer);
    child = fork_clean();
    if (child == 0) {
        need(close(fd)); /* what fork gave away doesn't count */
        receiver(sockets[1], path);
    }
    send_descriptor(sockets[0], fd);
    wait_for(child);
    printf("sender: its offset is %ld now: both have the same open file\n",
           (long)lseek(fd, 0, SEEK_CUR));
    return 0;
}

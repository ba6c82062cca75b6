/* <sys/socket.h>: sockets. */
#pragma once

#include <abi/socket.h>
#include <sys/types.h>
#include <time.h>

int socket(int domain, int type, int protocol);
int socketpair(int domain, int type, int protocol, int pair[2]);
int bind(int fd, const struct sockaddr *address, socklen_t length);
int listen(int fd, int backlog);
int accept(int fd, struct sockaddr *address, socklen_t *length);
int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int connect(int fd, const struct sockaddr *address, socklen_t length);
int getsockname(int fd, struct sockaddr *address, socklen_t *length);
int getpeername(int fd, struct sockaddr *address, socklen_t *length);
int shutdown(int fd, int how);
int getsockopt(int fd, int level, int name, void *value, socklen_t *length);
int setsockopt(int fd, int level, int name, const void *value, socklen_t length);
ssize_t send(int fd, const void *data, size_t n, int flags);
ssize_t recv(int fd, void *data, size_t n, int flags);
ssize_t sendto(int fd, const void *data, size_t n, int flags, const struct sockaddr *address,
               socklen_t length);
ssize_t recvfrom(int fd, void *data, size_t n, int flags, struct sockaddr *address,
                 socklen_t *length);
ssize_t sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t recvmsg(int fd, struct msghdr *message, int flags);
int sendmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags);
int recvmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags, struct timespec *timeout);
int sockatmark(int fd);

/* The control messages in a header's buffer, one after the other; NULL behind the last. */
#define CMSG_FIRSTHDR(message)                           \
    ((message)->msg_controllen >= sizeof(struct cmsghdr) \
         ? (struct cmsghdr *)(message)->msg_control      \
         : (struct cmsghdr *)0)
#define CMSG_NXTHDR(message, cmsg) __cmsg_next(message, cmsg)

static inline struct cmsghdr *__cmsg_next(struct msghdr *message, struct cmsghdr *cmsg)
{
    char *end = (char *)message->msg_control + message->msg_controllen;
    char *next = (char *)cmsg + CMSG_ALIGN(cmsg->cmsg_len);
    if (cmsg->cmsg_len < sizeof *cmsg || next > end || (size_t)(end - next) < sizeof *cmsg)
        return (struct cmsghdr *)0;
    return (struct cmsghdr *)next;
}

/* The socket functions that are no call of their own. */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SIOCATMARK 0x8905

ssize_t send(int fd, const void *data, size_t n, int flags)
{
    return sendto(fd, data, n, flags, NULL, 0);
}

ssize_t recv(int fd, void *data, size_t n, int flags)
{
    return recvfrom(fd, data, n, flags, NULL, NULL);
}

int sockatmark(int fd)
{
    int at;
    return ioctl(fd, SIOCATMARK, &at) < 0 ? -1 : at;
}

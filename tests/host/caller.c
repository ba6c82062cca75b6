/*
 * caller ADDRESS PORT TEXT: call, send the text, and say what is heard: each error, with IP_RECVERR, and then what the
 * other side sends. For tests with a wire.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    char got[100];
    ssize_t n;

    if (argc != 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
        return 2;
    to.sin_port = htons((uint16_t)atoi(argv[2]));
    setvbuf(stdout, NULL, _IONBF, 0);
    if (setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) || send(fd, argv[3], strlen(argv[3]), 0) < 0) {
        printf("no call: %s\n", strerror(errno));
        return 1;
    }
    while ((n = recv(fd, got, sizeof(got), 0)) < 0)
        printf("error: %s\n", strerror(errno));
    printf("heard: %.*s\n", (int)n, got);
    return 0;
}

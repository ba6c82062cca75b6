/*
 * A server and its clients on one machine, by a local socket with a name. `unixecho server PATH` and `unixecho
 * client PATH TEXT` are the two; without words the demo plays both. See unixecho.txt.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "demo.h"

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof a.sun_path) {
        fprintf(stderr, "unixecho: the name of a socket has at most %zu bytes\n",
                sizeof a.sun_path - 1);
        exit(2);
    }
    strcpy(a.sun_path, path);
    return a;
}

/* From here on clients can connect, and wait until they are accepted. */
static int listener_at(const char *path)
{
    struct sockaddr_un a = address_of(path);
    int fd = (int)need(socket(AF_UNIX, SOCK_STREAM, 0));

    unlink(path); /* left over from a server that was killed */
    need(bind(fd, (struct sockaddr *)&a, sizeof a));
    need(listen(fd, 5));
    return fd;
}

/* One client after the other, CLIENTS of them, 0: for ever. Each gets back what it says. */
static int serve(int listener, int clients)
{
    for (int i = 0; clients == 0 || i < clients; i++) {
        char buffer[100];
        ssize_t n;
        int fd = (int)need(accept(listener, NULL, NULL));
        while ((n = need(read(fd, buffer, sizeof buffer))) > 0)
            need(write(fd, buffer, (size_t)n));
        need(close(fd));
    }
    return 0;
}

static int ask(const char *path, const char *text)
{
    struct sockaddr_un a = address_of(path);
    char buffer[100];
    size_t total = 0;
    ssize_t n;
    int fd = (int)need(socket(AF_UNIX, SOCK_STREAM, 0));

    need(connect(fd, (struct sockaddr *)&a, sizeof a));
    need(write(fd, text, strlen(text)));
    need(shutdown(fd, SHUT_WR)); /* the server sees the end, we can still read */
    while ((n = need(read(fd, buffer, sizeof buffer))) > 0) {
        printf("client: sent \"%s\", got \"%.*s\"\n", text, (int)n, buffer);
        total += (size_t)n;
    }
    claim(total == strlen(text));
    return shown();
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/unixecho-XXXXXX", path[40];
    pid_t server;
    int listener, status;

    if (argc == 3 && strcmp(argv[1], "server") == 0)
        return serve(listener_at(argv[2]), 0);
    if (argc == 4 && strcmp(argv[1], "client") == 0)
        return ask(argv[2], argv[3]);
    if (argc != 1) {
        fprintf(stderr, "usage: unixecho [server PATH | client PATH TEXT]\n");
        return 2;
    }
    alarm(10); /* if one doesn't come the other would wait for ever */
    need(mkdtemp(folder) == NULL ? -1 : 0);
    sprintf(path, "%s/socket", folder);
    listener = listener_at(path);
    server = fork_clean();
    if (server == 0)
        _exit(serve(listener, 2));
    need(close(listener));
    ask(path, "good morning");
    ask(path, "good night");
    status = end_of(server);
    printf("server: ended with %d\n", status);
    claim(status == 0);
    need(unlink(path));
    need(rmdir(folder));
    return shown();
}

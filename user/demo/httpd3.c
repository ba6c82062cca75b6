/* A web server with a process for each connection, none of which it waits for. See httpd3.txt. */
#include "httpd.h"

static void serve(int listener)
{
    signal(SIGCHLD, SIG_IGN); /* nobody will ask how they ended: no zombies */
    for (;;) {
        int fd = httpd_accept(listener, 0);
        if (fd < 0)
            continue;
        pid_t child = fork();
        if (child == 0) {
            close(listener);
            http_serve(fd, false);
            _exit(0);
        }
        if (child < 0)
            poll(NULL, 0, 10); /* too many already: this client is sent away */
        close(fd);
    }
}

int main(int argc, char **argv)
{
    return httpd_main(argc, argv, &(struct httpd){serve, 20, false, 21});
}

/* A web server with a process for each connection, which it waits for. See httpd2.txt. */
#include "httpd.h"

static void serve(int listener)
{
    for (;;) {
        int fd = httpd_accept(listener, 0);
        if (fd < 0)
            continue;
        pid_t child = fork_clean();
        if (child == 0) {
            close(listener);
            http_serve(fd, false);
            _exit(0);
        }
        close(fd); /* the child has it: the connection ends when both have closed it */
        wait_for(child);
    }
}

int main(int argc, char **argv)
{
    return httpd_main(argc, argv, &(struct httpd){serve, 1, true, 2});
}

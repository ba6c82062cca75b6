/* A web server that serves one client at a time. See httpd1.txt. */
#include "httpd.h"

static void serve(int listener)
{
    for (;;) {
        int fd = httpd_accept(listener, 0);
        if (fd >= 0)
            http_serve(fd, false);
    }
}

int main(int argc, char **argv)
{
    return httpd_main(argc, argv, &(struct httpd){serve, 1, true, 1});
}

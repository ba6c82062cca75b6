/* A web server with a pool of threads. See httpd4.txt. */
#include <pthread.h>

#include "httpd.h"

#define THREADS 4

/* The queue between the threads is the kernel's: the connections that nobody has accepted yet. */
static void *work(void *listener)
{
    for (;;) {
        int fd = httpd_accept(*(int *)listener, 0);
        if (fd >= 0)
            http_serve(fd, true);
    }
    return NULL;
}

static void serve(int listener)
{
    pthread_t thread;

    for (int i = 1; i < THREADS; i++) {
        errno = pthread_create(&thread, NULL, work, &listener);
        need(errno == 0 ? 0 : -1);
    }
    work(&listener);
}

int main(int argc, char **argv)
{
    return httpd_main(argc, argv, &(struct httpd){serve, THREADS, true, THREADS});
}

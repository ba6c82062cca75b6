/* A web server that is one thread for all connections, and asks epoll who has something for it. See httpd5.txt. */
#include "httpd.h"

#include <sys/epoll.h>

#define EVENTS 64

/*
 * A connection. All stand in a ring, in the order in which they did something last; `all` is the place between the
 * newest, all.older, and the oldest, all.newer.
 */
struct client {
    struct client *newer, *older;
    struct http http;
    int fd;
    bool answering; /* the answer isn't out: we wait until it can be written */
    time_t since;   /* when it did something last: seconds */
};

static struct client all = {.newer = &all, .older = &all};
static int poller;

static time_t seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void take_out(struct client *c)
{
    c->newer->older = c->older;
    c->older->newer = c->newer;
}

static void put_first(struct client *c)
{
    c->since = seconds_now();
    c->newer = &all;
    c->older = all.older;
    all.older->newer = c;
    all.older = c;
}

static void watch(struct client *c, int operation, bool answering)
{
    struct epoll_event e = {.events = answering ? EPOLLOUT : EPOLLIN, .data.ptr = c};

    c->answering = answering;
    need(epoll_ctl(poller, operation, c->fd, &e));
}

static void hang_up(struct client *c)
{
    take_out(c);
    http_end(&c->http, c->fd); /* what is closed is no longer watched */
    free(c);
}

static void welcome(int listener)
{
    int fd;

    while ((fd = httpd_accept(listener, SOCK_NONBLOCK)) >= 0) {
        struct client *c = malloc(sizeof *c);
        if (c == NULL) {
            close(fd);
            return;
        }
        c->fd = fd;
        http_begin(&c->http, true);
        put_first(c);
        watch(c, EPOLL_CTL_ADD, false);
    }
}

/* Go on until this connection would have to be waited for. */
static void go_on(struct client *c)
{
    enum http_step step;

    take_out(c);
    put_first(c);
    for (;;) {
        step = c->answering ? http_output(&c->http, c->fd) : http_input(&c->http, c->fd);
        if (step == HTTP_OVER) {
            hang_up(c);
            return;
        }
        if (step == HTTP_LATER)
            break;
        c->answering = !c->answering;
    }
    watch(c, EPOLL_CTL_MOD, c->answering);
}

static void send_idlers_away(void)
{
    while (all.newer != &all && seconds_now() - all.newer->since > HTTP_PATIENCE)
        hang_up(all.newer);
}

static void serve(int listener)
{
    struct epoll_event event[EVENTS], listening = {.events = EPOLLIN, .data.ptr = NULL};

    poller = (int)need(epoll_create1(EPOLL_CLOEXEC));
    need(fcntl(listener, F_SETFL, O_NONBLOCK));
    need(epoll_ctl(poller, EPOLL_CTL_ADD, listener, &listening));
    for (;;) {
        int n = (int)need(epoll_wait(poller, event, EVENTS, 1000));
        for (int i = 0; i < n; i++)
            if (event[i].data.ptr == NULL)
                welcome(listener);
            else
                go_on(event[i].data.ptr);
        send_idlers_away();
    }
}

int main(int argc, char **argv)
{
    return httpd_main(argc, argv, &(struct httpd){serve, 100, false, 1});
}

/*
 * inetd: one process that waits at the ports of many servers, and starts one when somebody calls. What the files of
 * this folder share:
 *
 *      inetd.c     waiting, starting, and hearing of ends
 *      config.c    /etc/inetd.conf
 *      internal.c  the small services that inetd has itself
 */
#pragma once

#include "../command.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#define WORDS_MAX 16

/* One of the small services, for a connection or a datagram at FD. In a child if it is SLOW. */
struct internal {
    const char *name;
    void (*stream)(int fd);
    bool stream_is_slow;
    void (*datagram)(int fd); /* answers one that waits at FD */
};

/* A line of the configuration. */
struct service {
    struct service *next;
    char *line;            /* the words are in here */
    char *name;            /* as it stands there: a name, or a number */
    bool datagrams, waits; /* dgram; wait: the server takes over the socket until it ends */
    uid_t uid;             /* whom the server runs as */
    gid_t gid;
    char *user;
    char *program;          /* NULL: internal */
    char *words[WORDS_MAX]; /* its arguments, NULL behind them */
    const struct internal *internal;
    in_port_t port; /* network order */
    int fd;         /* the socket; -1: none */
    pid_t server;   /* of a service that waits; 0: none runs */
    time_t minute;  /* when the count below began, seconds of the monotonic clock */
    int starts;     /* in this minute */
    int starts_max; /* a service that is asked for more often rests until the minute is over */
};

/* The services of the file PATH, in its order. What is wrong in a line is said, and the line left out. */
struct service *config_read(const char *path);
void config_free(struct service *list);
/* The internal service NAME, or NULL. */
const struct internal *internal_find(const char *name);
/*
 * May a datagram from FROM be answered? Not one that says it comes from another such service: two of them would
 * answer each other for ever.
 */
bool internal_may_answer(const struct sockaddr_in *from);

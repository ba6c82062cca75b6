/* The names that scripts (tcp_script.h) use for states, events, errors and options. */
#pragma once

#include "tcp_script.h"

struct name {
    const char *name;
    int value;
};

static int lookup(const struct name *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (is(names[i].name, name))
            return names[i].value;
    }
    panic("%s: no such name", name);
}
#define LOOKUP(table, name) lookup(table, ARRAY_SIZE(table), name)

static const struct name states[] = {
    {"ESTABLISHED", TCP_ESTABLISHED},
    {"SYN-SENT", TCP_SYN_SENT},
    {"SYN-RECEIVED", TCP_SYN_RECEIVED},
    {"FIN-WAIT-1", TCP_FIN_WAIT_1},
    {"FIN-WAIT-2", TCP_FIN_WAIT_2},
    {"CLOSED", TCP_CLOSED},
    {"CLOSE-WAIT", TCP_CLOSE_WAIT},
    {"LAST-ACK", TCP_LAST_ACK},
    {"LISTEN", TCP_LISTEN},
    {"CLOSING", TCP_CLOSING},
};

static const struct name events[] = {
    {"read", TCP_EVENT_READ},     {"write", TCP_EVENT_WRITE},   {"connected", TCP_EVENT_CONNECTED},
    {"accept", TCP_EVENT_ACCEPT}, {"eof", TCP_EVENT_EOF},       {"error", TCP_EVENT_ERROR},
    {"urgent", TCP_EVENT_URGENT}, {"closed", TCP_EVENT_CLOSED},
};

static const struct name errors[] = {
    {"0", 0},
    {"ECONNRESET", ECONNRESET},
    {"ECONNREFUSED", ECONNREFUSED},
    {"ETIMEDOUT", ETIMEDOUT},
    {"EPIPE", EPIPE},
    {"EINPROGRESS", EINPROGRESS},
    {"EHOSTUNREACH", EHOSTUNREACH},
    {"EISCONN", EISCONN},
    {"EALREADY", EALREADY},
    {"EINVAL", EINVAL},
    {"EAGAIN", EAGAIN},
    {"EADDRINUSE", EADDRINUSE},
    {"EADDRNOTAVAIL", EADDRNOTAVAIL},
    {"ENOTCONN", ENOTCONN},
    {"ENOENT", ENOENT},
    {"ENOPROTOOPT", ENOPROTOOPT},
};

static const struct name int_options[] = {
    {"nodelay", TCP_NODELAY},       {"cork", TCP_CORK},
    {"maxseg", TCP_MAXSEG},         {"keepidle", TCP_KEEPIDLE},
    {"keepintvl", TCP_KEEPINTVL},   {"keepcnt", TCP_KEEPCNT},
    {"syncnt", TCP_SYNCNT},         {"linger2", TCP_LINGER2},
    {"defer", TCP_DEFER_ACCEPT},    {"clamp", TCP_WINDOW_CLAMP},
    {"quickack", TCP_QUICKACK},     {"usertimeout", TCP_USER_TIMEOUT},
    {"notsent", TCP_NOTSENT_LOWAT}, {"nonsense", 99},
};

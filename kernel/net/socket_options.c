/*
 * Options of level SOL_SOCKET: those that mean the same for every family are kept here, in struct socket,
 * and the families look at them. What is not known here is asked of the family.
 */
#include <abi/time.h>

#include "lib/string.h"
#include "net/socket.h"
#include "proc/cred.h"
#include "sched/time.h"

#define RECEIVE_MIN 2304u  /* SOCK_MIN_RCVBUF */
#define BUFFER_MAX 212992u /* net.core.wmem_max, rmem_max: what anybody may ask for */

/* Options that are one bit and nothing else. */
static bool is_flag(int name)
{
    switch (name) {
    case SO_DEBUG:
    case SO_REUSEADDR:
    case SO_DONTROUTE:
    case SO_BROADCAST:
    case SO_KEEPALIVE:
    case SO_OOBINLINE:
    case SO_NO_CHECK:
    case SO_REUSEPORT:
    case SO_PASSCRED: return true;
    default: return false;
    }
}

static int set_flag(struct socket *s, int name, bool on)
{
    if (name == SO_DEBUG && on && !capable(CAP_NET_ADMIN))
        return -EACCES;
    if (name == SO_REUSEPORT && s->domain == AF_UNIX)
        return -EOPNOTSUPP;
    if (on)
        atomic_or(&s->options, SOCKET_OPTION(name));
    else
        atomic_and(&s->options, ~SOCKET_OPTION(name));
    return 0;
}

/* A time limit: struct timeval. */
static int set_timeout(nsec_t *where, const void *value, unsigned len)
{
    struct timeval tv;

    if (len < sizeof(tv))
        return -EINVAL;
    memcpy(&tv, value, sizeof(tv));
    if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
        return -EDOM;
    if (tv.tv_sec < 0) { /* as if it had passed already; but 0 is for ever */
        WRITE_ONCE(*where, 1);
        return 0;
    }
    nsec_t ns = 0;
    if (tv.tv_sec < INT64_MAX / NSEC_PER_SEC)
        ns = tv.tv_sec * NSEC_PER_SEC + tv.tv_usec * NSEC_PER_USEC;
    WRITE_ONCE(*where, ns);
    return 0;
}

static int set_linger(struct socket *s, const void *value, unsigned len)
{
    struct linger l;

    if (len < sizeof(l))
        return -EINVAL;
    memcpy(&l, value, sizeof(l));
    WRITE_ONCE(s->linger.l_linger, l.l_linger);
    WRITE_ONCE(s->linger.l_onoff, l.l_onoff != 0);
    return 0;
}

/* The kernel takes twice what is asked for, to have room for its own needs, and says so. */
static unsigned buffer_size(int value, unsigned least, bool forced)
{
    unsigned wanted = (unsigned)value; /* a negative one is a very large one */
    if (!forced)
        wanted = min(wanted, BUFFER_MAX);
    wanted = min(wanted, (unsigned)INT32_MAX / 2);
    return max(wanted * 2, least);
}

static int set_buffer(struct socket *s, int name, int value)
{
    bool forced = name == SO_SNDBUFFORCE || name == SO_RCVBUFFORCE;

    if (forced && !capable(CAP_NET_ADMIN))
        return -EPERM;
    if (name == SO_SNDBUF || name == SO_SNDBUFFORCE)
        WRITE_ONCE(s->send_limit, buffer_size(value, SOCKET_SEND_MIN, forced));
    else
        WRITE_ONCE(s->receive_limit, buffer_size(value, RECEIVE_MIN, forced));
    return 0;
}

static int set_socket_option(struct socket *s, int name, const void *value, unsigned len)
{
    int number;

    if (name == SO_BINDTODEVICE)
        return -ENOPROTOOPT;
    if (len < sizeof(number))
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    if (is_flag(name))
        return set_flag(s, name, number != 0);
    switch (name) {
    case SO_TYPE:
    case SO_PROTOCOL:
    case SO_DOMAIN:
    case SO_ERROR:
    case SO_ACCEPTCONN:
    case SO_PEERCRED: return -ENOPROTOOPT;
    case SO_SNDBUF:
    case SO_RCVBUF:
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE: return set_buffer(s, name, number);
    case SO_PRIORITY:
        if ((number < 0 || number > 6) && !capable(CAP_NET_ADMIN))
            return -EPERM;
        WRITE_ONCE(s->priority, (unsigned)number);
        return 0;
    case SO_LINGER: return set_linger(s, value, len);
    case SO_RCVLOWAT:
        WRITE_ONCE(s->low_water, number > 0 ? (unsigned)number : number < 0 ? INT32_MAX : 1u);
        return 0;
    case SO_RCVTIMEO: return set_timeout(&s->receive_timeout, value, len);
    case SO_SNDTIMEO: return set_timeout(&s->send_timeout, value, len);
    default: return -ENOPROTOOPT;
    }
}

int socket_set_option(struct socket *s, int level, int name, const void *value, unsigned len)
{
    int error = level == SOL_SOCKET ? set_socket_option(s, name, value, len) : -ENOPROTOOPT;

    if (error == -ENOPROTOOPT && s->ops->set_option)
        return s->ops->set_option(s, level, name, value, len);
    if (error == -ENOPROTOOPT && level != SOL_SOCKET)
        return -EOPNOTSUPP;
    if (!error && s->ops->option_changed)
        s->ops->option_changed(s, name);
    return error;
}

/* --- asking --- */

int option_give(void *value, unsigned *len, const void *from, unsigned n)
{
    *len = min(*len, n);
    memcpy(value, from, *len);
    return 0;
}

static int give_int(void *value, unsigned *len, long number)
{
    int n = (int)number;
    return option_give(value, len, &n, sizeof(n));
}

static int give_timeout(void *value, unsigned *len, nsec_t time)
{
    struct timeval tv = timeval_of(time);
    return option_give(value, len, &tv, sizeof(tv));
}

static int get_socket_option(struct socket *s, int name, void *value, unsigned *len)
{
    if (is_flag(name))
        return give_int(value, len, socket_option(s, name));
    switch (name) {
    case SO_TYPE: return give_int(value, len, s->type);
    case SO_PROTOCOL: return give_int(value, len, s->protocol);
    case SO_DOMAIN: return give_int(value, len, s->domain);
    case SO_ERROR: return give_int(value, len, -socket_take_error(s));
    case SO_SNDBUF: return give_int(value, len, READ_ONCE(s->send_limit));
    case SO_RCVBUF: return give_int(value, len, READ_ONCE(s->receive_limit));
    case SO_PRIORITY: return give_int(value, len, READ_ONCE(s->priority));
    case SO_LINGER: return option_give(value, len, &s->linger, sizeof(s->linger));
    case SO_RCVLOWAT: return give_int(value, len, READ_ONCE(s->low_water));
    case SO_SNDLOWAT: return give_int(value, len, 1);
    case SO_RCVTIMEO: return give_timeout(value, len, READ_ONCE(s->receive_timeout));
    case SO_SNDTIMEO: return give_timeout(value, len, READ_ONCE(s->send_timeout));
    default: return -ENOPROTOOPT;
    }
}

int socket_get_option(struct socket *s, int level, int name, void *value, unsigned *len)
{
    int error = level == SOL_SOCKET ? get_socket_option(s, name, value, len) : -ENOPROTOOPT;

    if (error == -ENOPROTOOPT && s->ops->get_option)
        return s->ops->get_option(s, level, name, value, len);
    return error == -ENOPROTOOPT && level != SOL_SOCKET ? -EOPNOTSUPP : error;
}

/* Local sockets: how they come and go. The idea is in unix.h. */
#include "net/unix.h"

#include "fs/poll.h"
#include "fs/inode.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "proc/proc.h"

struct spinlock unix_lock = SPINLOCK_INIT(RANK_UNIX, "unix");

static struct slab_cache *unix_cache;                    /* const after init */
static struct list all_sockets = LIST_INIT(all_sockets); /* unix_lock */

static int set_option(struct socket *s, int level, int name, const void *value, unsigned len)
{
    (void)s, (void)value, (void)len;
    (void)name;
    return level == SOL_SOCKET ? -ENOPROTOOPT : -EOPNOTSUPP;
}

static int peer_groups(struct unix_socket *u, void *value, unsigned *len)
{
    spin_lock(&unix_lock);
    const struct cred *c = u->peer_cred;
    if (c)
        cred_get(c);
    spin_unlock(&unix_lock);
    if (!c)
        return -ENODATA;
    unsigned n = c->ngroups * (unsigned)sizeof(gid_t);
    int error = n > *len ? -ERANGE : 0;
    if (!error)
        memcpy(value, c->groups, n);
    *len = n;
    cred_put(c);
    return error;
}

static int get_option(struct socket *s, int level, int name, void *value, unsigned *len)
{
    struct unix_socket *u = unix_of(s);

    if (level != SOL_SOCKET)
        return -EOPNOTSUPP;
    if (name == SO_PEERGROUPS)
        return peer_groups(u, value, len);
    spin_lock(&unix_lock);
    struct ucred ids = u->peer_ids;
    int listening = u->state == UNIX_LISTENING;
    spin_unlock(&unix_lock);
    if (name == SO_PEERCRED)
        return option_give(value, len, &ids, sizeof(ids));
    if (name == SO_ACCEPTCONN)
        return option_give(value, len, &listening, sizeof(listening));
    return -ENOPROTOOPT;
}

static void unix_close(struct socket *s);

static const struct proto_ops unix_ops = {
    .bind = unix_bind,
    .connect = unix_connect,
    .listen = unix_listen,
    .accept = unix_accept,
    .pair = unix_pair,
    .name = unix_name_of,
    .send = unix_send,
    .receive = unix_receive,
    .read_pages = unix_read_pages,
    .shutdown = unix_shutdown,
    .poll = unix_poll,
    .set_option = set_option,
    .get_option = get_option,
    .ioctl = unix_ioctl,
    .close = unix_close,
    .release = unix_release,
};

int unix_create(int type, int protocol, struct socket **out)
{
    if (protocol && protocol != PF_UNIX)
        return -EPROTONOSUPPORT;
    if (type == SOCK_RAW)
        type = SOCK_DGRAM; /* as on Linux, which took it from BSD */
    if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
        return -ESOCKTNOSUPPORT;
    struct unix_socket *u = slab_zalloc(unix_cache);
    if (!u)
        return -ENOMEM;
    socket_init(&u->s, &unix_ops, AF_UNIX, type, 0);
    ref_init(&u->ref, 1);
    list_init(&u->bound_link);
    list_init(&u->senders);
    list_init(&u->sender_link);
    waitq_init(&u->room, &u->s.rx.lock);
    list_init(&u->pending);
    list_init(&u->pending_link);
    list_init(&u->flight_link);
    u->peer_ids = (struct ucred){0, (uid_t)-1, (gid_t)-1};
    /* Records are counted, not only their bytes; a stream's limit is its sender's. */
    u->s.rx.limit = unix_has_records(u) ? SIZE_MAX : u->s.send_limit;
    spin_lock(&unix_lock);
    list_push_back(&all_sockets, &u->all_link);
    spin_unlock(&unix_lock);
    *out = &u->s;
    return 0;
}

void unix_put(struct unix_socket *u)
{
    if (!ref_put(&u->ref))
        return;
    unix_name_put(u->name);
    if (u->where.dentry)
        path_put(&u->where);
    if (u->peer_cred)
        cred_put(u->peer_cred);
    queue_destroy(&u->s.rx);
    slab_free(unix_cache, u);
}

struct ucred unix_current_ids(void)
{
    const struct cred *c = current_cred();
    return (struct ucred){current_proc()->pid->nr, c->euid, c->egid};
}

void unix_set_peer_ids(struct unix_socket *u, const struct ucred *ids, const struct cred *cred)
{
    assert(!u->peer_cred);
    u->peer_ids = *ids;
    if (cred)
        cred_get(cred);
    u->peer_cred = cred;
}

/* Everything that has arrived and that nobody will read, out of the queue and freed, no lock held. */
static void drop_queue(struct unix_socket *u)
{
    struct queue *q = &u->s.rx;
    struct list dropped = LIST_INIT(dropped);
    struct buf *b, *next;

    spin_lock(&q->lock);
    list_splice_back(&dropped, &q->bufs);
    q->nbufs = 0;
    q->bytes = 0;
    u->messages = 0;
    spin_unlock(&q->lock);
    list_for_each_safe (b, next, &dropped, link)
        buf_free(b);
}

/* Connections that nobody has accepted: their clients hear of a reset. */
static void drop_pending(struct unix_socket *u)
{
    for (;;) {
        spin_lock(&u->s.rx.lock);
        struct unix_socket *p = list_first(&u->pending, struct unix_socket, pending_link);
        if (p) {
            list_remove(&p->pending_link);
            u->npending--;
        }
        spin_unlock(&u->s.rx.lock);
        if (!p)
            return;
        spin_lock(&unix_lock);
        unix_disconnect_locked(p, true);
        spin_unlock(&unix_lock);
        unix_release(&p->s);
    }
}

void unix_release(struct socket *s)
{
    struct unix_socket *u = unix_of(s);

    spin_lock(&unix_lock);
    unix_unbind_locked(u);
    list_remove(&u->all_link);
    /* Before the queue says that nobody reads: who finds that asks the state why. */
    u->state = UNIX_CLOSED;
    spin_lock(&s->rx.lock);
    bool unread = !queue_is_empty(&s->rx);
    s->rx.no_readers = s->rx.no_writers = true;
    wake_all(&s->rx.writable, 0); /* senders, and who waits to be accepted */
    wake_all(&s->rx.readable, 0);
    spin_unlock(&s->rx.lock);
    unix_disconnect_locked(u, unread);
    struct unix_socket *peer = u->peer;
    u->peer = NULL;
    spin_unlock(&unix_lock);

    drop_pending(u);
    drop_queue(u);
    if (peer)
        unix_put(peer);
    unix_put(u);
    unix_collect_garbage(NULL);
}

/* The last descriptor of a socket that is in flight: it may be garbage from now on. */
static void unix_close(struct socket *s)
{
    struct unix_socket *u = unix_of(s);

    if (READ_ONCE(u->inflight))
        unix_collect_garbage(u);
}

/* --- /proc/net/unix --- */

/* The name as Linux shows it: a blank before it, an abstract one with @ for its zero bytes. */
static void format_name(const struct unix_name *n, char *out)
{
    size_t len = n->len - offsetof(struct sockaddr_un, sun_path);
    bool abstract = n->addr.sun_path[0] == '\0';

    *out++ = ' ';
    for (size_t i = 0; i < len && (abstract || n->addr.sun_path[i]); i++)
        *out++ = n->addr.sun_path[i] ? n->addr.sun_path[i] : '@';
    *out = '\0';
}

void unix_for_each(void (*emit)(void *ctx, const char *line), void *ctx)
{
    static const int states[] = {1, 1, 3, 4}; /* SS_UNCONNECTED, SS_CONNECTED, SS_DISCONNECTING */
    struct unix_socket *u;
    char line[256], name[UNIX_PATH_MAX + 2];

    spin_lock(&unix_lock);
    list_for_each (u, &all_sockets, all_link) {
        bool listening = u->state == UNIX_LISTENING;
        name[0] = '\0';
        if (u->name)
            format_name(u->name, name);
        snprintf(line, sizeof(line), "%016x: %08X %08X %08X %04X %02X %5lu%s\n", 0,
                 ref_read(&u->ref) + 1, 0, listening ? 0x10000 : 0, u->s.type, states[u->state],
                 READ_ONCE(u->s.ino), name);
        emit(ctx, line);
    }
    spin_unlock(&unix_lock);
}

static struct socket_family unix_family = {.domain = AF_UNIX, .create = unix_create};

void unix_init(void)
{
    unix_cache = slab_cache_create("unix_socket", sizeof(struct unix_socket), 0);
    socket_register(&unix_family);
}

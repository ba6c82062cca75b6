/*
 * Sockets: what every family has in common. A socket is an open description with a receive queue, a few
 * options and a table of functions; each family (local sockets in unix.c) fills in the table and embeds
 * struct socket in a structure of its own.
 *
 *     program --socket_calls.c: copy and check--> proto_ops --> the family
 *                                                    |
 *                                                 struct socket: rx queue, options
 *
 * All that a program says is in kernel memory by the time a family sees it, except the data itself (a
 * uio). A family never looks at user memory.
 */
#pragma once

#include <abi/socket.h>

#include "fs/fdtable.h"
#include "fs/file.h"
#include "ipc/queue.h"
#include "lib/types.h"

struct message;
struct page_batch;
struct poll_table;
struct proto_ops;

/* SO_ options that are one bit each, by position in socket->options. */
#define SOCKET_OPTION(name) (1ull << (name))

struct socket {
    const struct proto_ops *ops; /* const */
    int domain, type, protocol;  /* const */
    struct file *
        file; /* const once there: the description; NULL before accept(2). For calls on it alone: */
    uint64_t
        ino; /* atomic: its inode's number, 0: none, for all who look at a socket that may outlive it */
    int error;        /* atomic: what SO_ERROR tells and the next call returns; 0 or an errno > 0 */
    uint64_t options; /* atomic: SOCKET_OPTION()s */
    unsigned shutdown;      /* the family's lock: SHUTDOWN_* */
    nsec_t receive_timeout; /* atomic: SO_RCVTIMEO; 0: for ever */
    nsec_t send_timeout;    /* atomic */
    unsigned send_limit;    /* atomic: SO_SNDBUF: bytes on their way from here */
    unsigned receive_limit; /* atomic: SO_RCVBUF */
    unsigned low_water;     /* atomic: SO_RCVLOWAT: a read waits for so many bytes */
    unsigned priority;      /* atomic: SO_PRIORITY */
    struct linger linger;   /* atomic in its parts: SO_LINGER */
    struct queue rx;        /* its own lock: what has arrived */
};
#define SOCKET_SEND_MIN 4608u /* the least send_limit: SOCK_MIN_SNDBUF */

#define SHUTDOWN_READ 1u
#define SHUTDOWN_WRITE 2u
#define SHUTDOWN_BOTH 3u

/* Whose name is asked for; that of a connection's caller is told even if the connection is over. */
enum socket_end { SOCKET_OWN, SOCKET_PEER, SOCKET_CALLER };

/*
 * What a family does. Every function may sleep; each returns 0 or -errno unless it says more. NULL:
 * -EOPNOTSUPP.
 */
struct proto_ops {
    int (*bind)(struct socket *s, const struct sockaddr_storage *addr, unsigned len);
    int (*connect)(struct socket *s, const struct sockaddr_storage *addr, unsigned len,
                   bool nonblock);
    int (*listen)(struct socket *s, unsigned backlog);
    /* *NEW is a connected socket without a file. */
    int (*accept)(struct socket *s, bool nonblock, struct socket **new);
    int (*pair)(struct socket *a, struct socket *b); /* connect two fresh ones */
    /* The name of END to *ADDR; its length. */
    int (*name)(struct socket *s, enum socket_end end, struct sockaddr_storage *addr);
    /* Bytes moved. See struct message. */
    ssize_t (*send)(struct socket *s, struct message *m);
    ssize_t (*receive)(struct socket *s, struct message *m);
    /* Bytes by reference to their pages, as file_read_pages. NULL: they are copied. */
    ssize_t (*read_pages)(struct socket *s, struct page_batch *batch, size_t n, unsigned max,
                          bool nonblock);
    int (*shutdown)(struct socket *s, unsigned how); /* SHUTDOWN_* */
    unsigned (*poll)(struct socket *s, struct poll_table *pt);
    /* Options that socket_options.c doesn't know: -ENOPROTOOPT. VALUE has LEN bytes; *LEN in and out. */
    int (*set_option)(struct socket *s, int level, int name, const void *value, unsigned len);
    int (*get_option)(struct socket *s, int level, int name, void *value, unsigned *len);
    long (*ioctl)(struct socket *s, unsigned cmd, unsigned long arg); /* -ENOTTY */
    /* An option of this layer has changed. May be NULL. */
    void (*option_changed)(struct socket *s, int name);
    void (*close)(struct socket *s);   /* a descriptor for it is being closed. May be NULL */
    void (*release)(struct socket *s); /* the description is gone: free it */
};

/*
 * One message on its way, or one read: data, an address, control data. SEND: name, control and flags are
 * given. RECEIVE: the family fills in name, adds control data, and sets result flags.
 */
struct message {
    struct uio data;
    unsigned flags;               /* MSG_* as given; MSG_DONTWAIT is set for O_NONBLOCK too */
    unsigned result;              /* out: MSG_TRUNC, MSG_CTRUNC, MSG_EOR */
    struct sockaddr_storage name; /* send: if namelen > 0; receive: out */
    unsigned namelen;
    char *control; /* send: kernel memory; NULL: none */
    size_t control_len;
    char __user *control_out; /* receive: where the next control message goes */
    size_t control_room;
    bool wants_name; /* receive: somebody will look at it */
};
/* All but the data and, of a send, the name. */
static inline void message_init(struct message *m, unsigned flags, bool nonblock)
{
    m->flags = flags | (nonblock ? MSG_DONTWAIT : 0);
    m->result = 0;
    m->namelen = 0;
    m->control = NULL;
    m->control_len = m->control_room = 0;
    m->control_out = NULL;
    m->wants_name = false;
}
static inline bool message_nonblock(const struct message *m)
{
    return m->flags & MSG_DONTWAIT;
}

/* --- for families --- */

/* How a family makes its sockets: 0 or -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -EPERM, -ENOMEM. */
struct socket_family {
    int domain;                                                 /* const: AF_x */
    int (*create)(int type, int protocol, struct socket **out); /* const */
    struct socket_family *next;                                 /* const after boot */
};
void socket_register(struct socket_family *family);

/* Fill in the common part. */
void socket_init(struct socket *s, const struct proto_ops *ops, int domain, int type, int protocol);
static inline bool socket_option(const struct socket *s, int name)
{
    return READ_ONCE(s->options) & SOCKET_OPTION(name);
}
/* Take the pending error: 0 or -errno. */
int socket_take_error(struct socket *s);
void socket_set_error(struct socket *s, int error);
/* When a wait that begins now ends: DEADLINE_NONE for a timeout of 0. */
nsec_t socket_deadline(nsec_t timeout);
/* What an interrupted wait with this timeout returns: a call with a time limit is not restarted. */
static inline int socket_interrupted(nsec_t timeout)
{
    return timeout ? -EINTR : -ERESTARTSYS;
}
/* SIGPIPE, unless the sender asked for silence. */
void socket_broken_pipe(const struct message *m);

/* --- messages (message.c) --- */

/* The next control message of M behind AT (NULL: the first); NULL at the end; err_ptr(-EINVAL): malformed. */
struct cmsghdr *control_next(const struct message *m, struct cmsghdr *at);
/* Give the receiver a control message; what does not fit is cut and MSG_CTRUNC set. 0 or -EFAULT. */
int control_put(struct message *m, int level, int type, const void *data, size_t len);

/* --- the layer itself --- */

extern const struct file_ops socket_file_ops;

static inline struct socket *socket_of(const struct file *f)
{
    return f->ops == &socket_file_ops ? f->private : NULL;
}
/* A description for S, which it takes over, on failure too; err_ptr. FLAGS: O_NONBLOCK. */
struct file *socket_file_create(struct socket *s, unsigned flags);
/* socket(2) without a descriptor: 0 or -errno. */
int socket_create(int domain, int type, int protocol, struct socket **out);

/* The socket of descriptor FD, with R to put; NULL with *ERROR: -EBADF, -ENOTSOCK. */
struct socket *socket_get(int fd, struct fdref *r, long *error);
static inline bool socket_is_nonblock(struct fdref r)
{
    return r.file->flags & O_NONBLOCK;
}
/* An address of a program's: -EINVAL, -EFAULT. */
int address_from_user(struct sockaddr_storage *out, const struct sockaddr __user *addr, int len);
/* As much as there is room for; *LEN_USER becomes the length it has. -EFAULT, -EINVAL. */
int address_to_user(const struct sockaddr_storage *a, unsigned len, struct sockaddr __user *addr,
                    int __user *len_user);

/* getsockopt(2), setsockopt(2) (socket_options.c); VALUE is kernel memory. */
int socket_set_option(struct socket *s, int level, int name, const void *value, unsigned len);
int socket_get_option(struct socket *s, int level, int name, void *value, unsigned *len);

/* The N bytes of an option at FROM, as far as *LEN bytes at VALUE hold them: 0, and *LEN is how many it was. */
int option_give(void *value, unsigned *len, const void *from, unsigned n);

void unix_init(void);
/* Forget connections that are only remembered (TIME-WAIT): for leak checks. */
void inet_drain(void);
/* For /proc/net/unix: a line of text for each local socket. EMIT may be called with a spinlock held. */
void unix_for_each(void (*emit)(void *ctx, const char *line), void *ctx);

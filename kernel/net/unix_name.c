/*
 * Names of local sockets. A name is a path, where bind makes a file of type socket that others find and
 * whose mode says who may connect; or, after a zero byte, any bytes in a name space of its own, gone when the
 * socket goes.
 *
 * One table finds the bound sockets, by the inode of a path or by the bytes of an abstract name. A file
 * whose socket has closed is found in the file system but not in the table: the connection is refused.
 */
#include "dev/random.h"
#include "fs/inode.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/unix.h"

#define BUCKETS 64
#define FAMILY_SIZE offsetof(struct sockaddr_un, sun_path)
#define AUTOBIND_NAMES 0x100000 /* five hexadecimal digits */

static struct list
    buckets[BUCKETS]; /* unix_lock: bound sockets, by bound_link; empty until first used */

static struct list *bucket_of(uint64_t hash)
{
    struct list *b = &buckets[(hash * 0x9e3779b97f4a7c15ull) >> 58];
    if (!b->next)
        list_init(b);
    return b;
}

static struct list *inode_bucket(const struct inode *i)
{
    return bucket_of((uintptr_t)i);
}

static struct list *abstract_bucket(const struct unix_name *n)
{
    uint64_t hash = 0;
    for (unsigned i = 0; i < n->len - FAMILY_SIZE; i++)
        hash = hash * 31 + (unsigned char)n->addr.sun_path[i];
    return bucket_of(hash);
}

static bool is_abstract(const struct unix_name *n)
{
    return n->addr.sun_path[0] == '\0';
}

void unix_name_put(struct unix_name *n)
{
    if (n && ref_put(&n->ref))
        kfree(n);
}

/*
 * The name that an address of LEN bytes is, with a reference; err_ptr(-EINVAL). A path ends at its first
 * zero byte, or with the address.
 */
static struct unix_name *name_create(const struct sockaddr_storage *addr, unsigned len)
{
    if (len <= FAMILY_SIZE || len > sizeof(struct sockaddr_un) || addr->ss_family != AF_UNIX)
        return err_ptr(-EINVAL);
    struct unix_name *n =
        kzalloc(sizeof(*n) + 1); /* one more: a path of all 108 bytes has no end */
    if (!n)
        return err_ptr(-ENOMEM);
    ref_init(&n->ref, 1);
    memcpy(&n->addr, addr, len);
    n->len = is_abstract(n) ? len : (unsigned)(FAMILY_SIZE + strlen(n->addr.sun_path) + 1);
    return n;
}

/* --- the table: unix_lock held --- */

static struct unix_socket *find_inode(const struct inode *i)
{
    struct unix_socket *u;
    list_for_each (u, inode_bucket(i), bound_link)
        if (u->where.dentry && u->where.dentry->inode == i)
            return u;
    return NULL;
}

/* Stream, datagram and seqpacket sockets have abstract names of their own each. TYPE 0: any. */
static struct unix_socket *find_abstract(const struct unix_name *n, int type)
{
    struct unix_socket *u;
    list_for_each (u, abstract_bucket(n), bound_link)
        if (u->name && is_abstract(u->name) && u->name->len == n->len &&
            memcmp(&u->name->addr, &n->addr, n->len) == 0 && (!type || u->s.type == type))
            return u;
    return NULL;
}

void unix_unbind_locked(struct unix_socket *u)
{
    list_remove(&u->bound_link);
}

/* --- binding --- */

/* U gets N, whose reference it takes on success. -EINVAL: it has a name already. */
static int take_name(struct unix_socket *u, struct unix_name *n, const struct path *where)
{
    int error = 0;

    spin_lock(&unix_lock);
    if (u->name) {
        error = -EINVAL;
    } else if (!where && find_abstract(n, u->s.type)) {
        error = -EADDRINUSE;
    } else {
        if (where)
            u->where = *where;
        u->name = n;
        list_push_back(where ? inode_bucket(where->dentry->inode) : abstract_bucket(n),
                       &u->bound_link);
    }
    spin_unlock(&unix_lock);
    return error;
}

static int bind_path(struct unix_socket *u, struct unix_name *n)
{
    const char *path = n->addr.sun_path;
    struct path where;
    int error = fs_mknod(AT_FDCWD, path, S_IFSOCK | 0777, 0);

    if (error)
        return error == -EEXIST ? -EADDRINUSE : error;
    error = path_lookup(AT_FDCWD, path, 0, &where);
    if (!error) {
        error = take_name(u, n, &where);
        if (error)
            path_put(&where);
    }
    if (error)
        (void)fs_unlink(AT_FDCWD, path);
    return error;
}

int unix_autobind(struct unix_socket *u)
{
    struct sockaddr_storage a = {.ss_family = AF_UNIX};
    uint32_t number;

    if (READ_ONCE(u->name))
        return 0;
    for (unsigned tries = 0; tries < AUTOBIND_NAMES; tries++) {
        char *digits = (char *)&a + FAMILY_SIZE + 1;
        random_bytes(&number, sizeof(number));
        snprintf(digits, 6, "%05x", number % AUTOBIND_NAMES);
        struct unix_name *n = name_create(&a, FAMILY_SIZE + 6);
        if (is_err(n))
            return (int)ptr_err(n);
        int error = take_name(u, n, NULL);
        if (error)
            unix_name_put(n);
        if (error != -EADDRINUSE)
            return error == -EINVAL ? 0 : error; /* another thread has named it meanwhile */
    }
    return -ENOSPC;
}

int unix_bind(struct socket *s, const struct sockaddr_storage *addr, unsigned len)
{
    struct unix_socket *u = unix_of(s);

    if (len == FAMILY_SIZE && addr->ss_family == AF_UNIX)
        return unix_autobind(u);
    struct unix_name *n = name_create(addr, len);
    if (is_err(n))
        return (int)ptr_err(n);
    int error = is_abstract(n) ? take_name(u, n, NULL) : bind_path(u, n);
    if (error)
        unix_name_put(n);
    return error;
}

/* --- finding --- */

static struct unix_socket *find_path(const char *name, int type)
{
    struct path p;
    int error = path_lookup(AT_FDCWD, name, LOOKUP_FOLLOW, &p);

    if (error)
        return err_ptr(error);
    struct unix_socket *u = err_ptr(-ECONNREFUSED);
    error = path_permission(&p, MAY_WRITE);
    if (!error && S_ISSOCK(p.dentry->inode->mode)) {
        spin_lock(&unix_lock);
        struct unix_socket *found = find_inode(p.dentry->inode);
        if (found && found->s.type != type)
            u = err_ptr(-EPROTOTYPE);
        else if (found)
            unix_get(u = found);
        spin_unlock(&unix_lock);
    }
    if (error)
        u = err_ptr(error);
    else if (!is_err(u))
        inode_accessed(&p);
    path_put(&p);
    return u;
}

struct unix_socket *unix_find(const struct sockaddr_storage *addr, unsigned len, int type)
{
    struct unix_name *n = name_create(addr, len);
    struct unix_socket *u;

    if (is_err(n))
        return (struct unix_socket *)n;
    if (!is_abstract(n)) {
        u = find_path(n->addr.sun_path, type);
    } else {
        spin_lock(&unix_lock);
        u = find_abstract(n, type);
        if (u)
            unix_get(u);
        else
            u = err_ptr(-ECONNREFUSED);
        spin_unlock(&unix_lock);
    }
    unix_name_put(n);
    return u;
}

int unix_name_of(struct socket *s, enum socket_end end, struct sockaddr_storage *addr)
{
    struct unix_socket *u = unix_of(s);
    int len = FAMILY_SIZE;

    spin_lock(&unix_lock);
    if (end != SOCKET_OWN)
        u = u->peer;
    memset(addr, 0, sizeof(*addr));
    addr->ss_family = AF_UNIX;
    if (!u) {
        len = -ENOTCONN;
    } else if (u->name) {
        memcpy(addr, &u->name->addr, u->name->len);
        len = (int)u->name->len;
    }
    spin_unlock(&unix_lock);
    return len;
}

/*
 * open(2) and its relatives: from a name to an open description.
 *
 * Three steps: find the path (creating the file when O_CREAT says so), ask whether this may be
 * opened this way, and make a description of it. The last step is where the kinds of files part: a
 * device finds its driver by number, a FIFO meets its other side, a file system's own file brings
 * its operations along.
 */
#include <syscall_protos.h>

#include "fs/notify.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "lib/printf.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "x86/uaccess.h"

#define MODE_BITS (S_ISUID | S_ISGID | S_ISVTX | 0777)
#define O_PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
#define O_VALID                                                                           \
    (O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | \
     O_DSYNC | O_ASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME |  \
     O_CLOEXEC | O_PATH | __O_TMPFILE)

struct open_request {
    unsigned flags; /* O_* */
    mode_t mode;
    unsigned lookup; /* LOOKUP_* */
    unsigned access; /* MAY_* */
};

static unsigned no_poll(struct file *f, struct poll_table *pt)
{
    (void)f, (void)pt;
    return POLLNVAL;
}

/* What a descriptor of O_PATH has: nothing. Also while an open has not succeeded. */
static const struct file_ops no_ops = {.poll = no_poll};

/* ---- flags ---- */

static int parse_flags(unsigned flags, mode_t mode, struct open_request *r)
{
    static const unsigned access[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
                                      MAY_READ | MAY_WRITE};
    if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
        return -EINVAL;
    r->access = access[flags & O_ACCMODE];
    if (flags & __O_TMPFILE && (!(flags & O_DIRECTORY) || !(r->access & MAY_WRITE)))
        return -EINVAL;
    if ((flags & O_SYNC) & ~O_DSYNC)
        flags |= O_DSYNC;
    if (flags & O_PATH)
        r->access = 0;
    if (flags & O_TRUNC)
        r->access |= MAY_WRITE;
    r->flags = flags;
    r->mode = mode;
    r->lookup = flags & O_DIRECTORY ? LOOKUP_DIRECTORY : 0;
    if (!(flags & O_NOFOLLOW))
        r->lookup |= LOOKUP_FOLLOW;
    return 0;
}

/* open and openat: what makes no sense is left out instead of refused. */
static int parse_flags_old(unsigned flags, mode_t mode, struct open_request *r)
{
    flags &= O_VALID;
    if (flags & O_PATH)
        flags &= O_PATH_FLAGS;
    else
        flags |= O_LARGEFILE;
    return parse_flags(flags, flags & (O_CREAT | __O_TMPFILE) ? mode & MODE_BITS : 0, r);
}

/* ---- the description ---- */

static int open_device(struct inode *i, struct file *f)
{
    struct chrdev *c = S_ISCHR(i->mode) ? chrdev_find(i->rdev) : NULL;
    if (!c)
        return -ENXIO;
    f->ops = c->fops;
    return c->open ? c->open(i, f) : 0;
}

/* Give F the operations of what it names. */
static int open_kind(struct inode *i, struct file *f)
{
    if (i->ops && i->ops->open) {
        f->ops = i->fops ? i->fops : &no_ops;
        return i->ops->open(i, f);
    }
    switch (i->mode & S_IFMT) {
    case S_IFIFO: return fifo_open(i, f);
    case S_IFCHR:
    case S_IFBLK: return open_device(i, f);
    case S_IFREG:
    case S_IFDIR: f->ops = i->fops; return 0;
    default: return -ENXIO; /* a socket's name */
    }
}

static int begin_writing(struct file *f)
{
    mode_t kind = f->inode->mode & S_IFMT;
    if (!FMODE_WRITE(f) || (kind != S_IFREG && kind != S_IFDIR))
        return 0;
    int error = inode_get_write(f->inode);
    if (error)
        return error;
    error = mount_get_write(f->where.mnt);
    if (error)
        inode_put_write(f->inode);
    f->writing = !error;
    return error;
}

struct file *file_open_path(const struct path *p, unsigned flags)
{
    struct file *f =
        file_alloc(&no_ops, flags & ~(unsigned)(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC), NULL);
    if (is_err(f))
        return f;
    file_set_path(f, p);
    int error = 0;
    if (!(flags & O_PATH)) {
        error = begin_writing(f);
        if (!error)
            error = open_kind(f->inode, f);
    }
    if (error) {
        f->ops = &no_ops; /* nothing to release, and nobody hears of it */
        f->flags |= O_PATH;
        file_put(f);
        return err_ptr(error);
    }
    f->flags &= ~(unsigned)O_NOCTTY;
    if (!(flags & O_PATH))
        notify_file(f, IN_OPEN);
    return f;
}

/* O_TRUNC, for a description that need not be writable itself. */
static int open_truncate(struct file *f)
{
    struct inode *i = f->inode;
    if (!S_ISREG(i->mode) || !i->ops->setattr_size)
        return 0;
    int error = f->writing ? 0 : inode_get_write(i);
    if (error)
        return error;
    error = fs_truncate_inode(i, 0);
    if (!f->writing)
        inode_put_write(i);
    if (!error)
        notify_file(f, IN_MODIFY);
    return error;
}

/* ---- the question ---- */

static int may_open(const struct path *p, const struct open_request *r)
{
    struct inode *i = p->dentry->inode;
    switch (i->mode & S_IFMT) {
    case S_IFLNK: return -ELOOP;
    case S_IFDIR:
        if (r->access & MAY_WRITE)
            return -EISDIR;
        break;
    case S_IFCHR:
    case S_IFBLK:
        if (p->mnt->flags & MS_NODEV)
            return -EACCES;
        break;
    }
    int error = path_permission(p, r->access);
    if (!error && r->flags & O_NOATIME && !inode_owner_or_capable(i))
        error = -EPERM;
    return error;
}

static struct file *open_found(const struct path *p, const struct open_request *r)
{
    int error = r->flags & O_PATH ? 0 : may_open(p, r);
    if (error)
        return err_ptr(error);
    struct file *f = file_open_path(p, r->flags);
    if (!is_err(f) && r->flags & O_TRUNC && (error = open_truncate(f))) {
        file_put(f);
        return err_ptr(error);
    }
    return f;
}

/* ---- O_CREAT ---- */

/* Make the regular file W stands before; the directory's lock is held. */
static int create_here(struct walk *w, mode_t mode, struct dentry **out)
{
    struct inode *dir = w->cur.dentry->inode;
    int error = dir->ops->create ? mount_writable(w->cur.mnt) : -ENOENT;
    if (!error)
        error = dir_may_create(&w->cur);
    if (!error)
        error = dir->ops->create(dir, w->cur.dentry, w->last, w->last_len,
                                 S_IFREG | apply_umask(mode), 0, NULL, out);
    if (!error)
        notify_name(dir, w->last, w->last_len, (*out)->inode, IN_CREATE, 0);
    return error;
}

/*
 * The last component is looked up, and made if it isn't there. 0: *OUT is what to open (a
 * reference), *CREATED whether it is new. 1: it was a link and W now stands before its target.
 */
static int find_or_create(struct walk *w, const struct open_request *r, struct path *out,
                          bool *created)
{
    if (w->last_type != LAST_NAME)
        return r->flags & O_EXCL ? -EEXIST : -EISDIR;
    if (w->slash)
        return -EISDIR;
    struct inode *dir = w->cur.dentry->inode;
    mutex_lock(&dir->lock);
    struct dentry *d = dentry_lookup(w->cur.dentry, w->last, w->last_len);
    int error = is_err(d) ? (int)ptr_err(d) : 0;
    *created = !d;
    if (!d)
        error = create_here(w, r->mode, &d);
    mutex_unlock(&dir->lock);
    if (error)
        return error;
    if (!*created && r->flags & O_EXCL)
        error = -EEXIST;
    else if (S_ISLNK(d->inode->mode) && !(r->flags & O_NOFOLLOW)) {
        bool magic = d->inode->ops->follow; /* leads to the thing itself, not to a name for it */
        spin_lock(&dcache_lock);
        error = walk_follow_last(w, d);
        if (!error && !magic)
            error = walk_run(w);
        int paused = walk_pause(w);
        dentry_put(d);
        if (error || paused)
            return error ? error : paused;
        if (magic) {
            *out = w->pin;
            path_get(out);
        }
        return magic ? 0 : 1;
    }
    if (error) {
        dentry_put(d);
        return error;
    }
    struct path found = {w->cur.mnt, d};
    spin_lock(&dcache_lock);
    mount_top_locked(&found);
    path_get(&found);
    spin_unlock(&dcache_lock);
    dentry_put(d);
    *out = found;
    return 0;
}

static struct file *open_create(int dfd, const char *name, const struct open_request *r)
{
    struct walk w;
    struct path p;
    bool created = false;
    int error = walk_parent(&w, dfd, name, r->lookup);
    if (!error)
        do
            error = find_or_create(&w, r, &p, &created);
        while (error == 1);
    walk_end(&w);
    if (error)
        return err_ptr(error);
    struct file *f;
    if (created)
        f = file_open_path(&p, r->flags); /* whatever the new mode says: it is ours */
    else if (S_ISDIR(p.dentry->inode->mode))
        f = err_ptr(-EISDIR);
    else
        f = open_found(&p, r);
    path_put(&p);
    return f;
}

/* ---- O_TMPFILE ---- */

/* A dentry for an unnamed inode of DIR: it has a place for /proc to show, but no name there. */
static struct dentry *unnamed_dentry(struct dentry *dir, struct inode *i)
{
    char name[24];
    int len = snprintf(name, sizeof(name), "#%lu", i->ino);
    struct dentry *d = dentry_alloc(name, (size_t)len, i);
    if (!d)
        return NULL;
    spin_lock(&dcache_lock);
    dentry_get(dir);
    d->parent = dir;
    d->unlinked = true;
    spin_unlock(&dcache_lock);
    return d;
}

static int make_unnamed(const struct path *dir, const struct open_request *r, struct path *out)
{
    struct inode *in = dir->dentry->inode;
    int error = path_permission(dir, MAY_WRITE | MAY_EXEC);
    if (error)
        return error;
    if (!in->ops->tmpfile)
        return -EOPNOTSUPP;
    struct inode *i = in->ops->tmpfile(in, S_IFREG | apply_umask(r->mode));
    if (is_err(i))
        return (int)ptr_err(i);
    i->linkable = !(r->flags & O_EXCL);
    struct dentry *d = unnamed_dentry(dir->dentry, i);
    if (!d)
        return -ENOMEM;
    *out = (struct path){dir->mnt, d};
    return 0;
}

static struct file *open_tmpfile(int dfd, const char *name, const struct open_request *r)
{
    struct path dir, p;
    int error = path_lookup(dfd, name, r->lookup, &dir);
    if (error)
        return err_ptr(error);
    error = make_unnamed(&dir, r, &p);
    struct file *f = err_ptr(error);
    if (!error) {
        f = file_open_path(&p, r->flags);
        dentry_put(p.dentry);
    }
    path_put(&dir);
    return f;
}

/* ---- together ---- */

static struct file *open_request(int dfd, const char *name, const struct open_request *r)
{
    if (r->flags & __O_TMPFILE)
        return open_tmpfile(dfd, name, r);
    if (r->flags & O_CREAT)
        return open_create(dfd, name, r);
    struct path p;
    int error = path_lookup(dfd, name, r->lookup, &p);
    if (error)
        return err_ptr(error);
    struct file *f = open_found(&p, r);
    path_put(&p);
    return f;
}

struct file *file_open(int dfd, const char *name, unsigned flags, mode_t mode)
{
    struct open_request r;
    int error = parse_flags_old(flags, mode, &r);
    return error ? err_ptr(error) : open_request(dfd, name, &r);
}

static long open_fd(int dfd, const char __user *path, const struct open_request *r)
{
    struct user_name name;
    int error = user_name_get(&name, path, false);
    if (error)
        return error;
    int fd = fd_reserve(0, r->flags & O_CLOEXEC);
    if (fd >= 0) {
        struct file *f = open_request(dfd, name.text, r);
        if (is_err(f)) {
            fd_release(fd);
            fd = (int)ptr_err(f);
        } else {
            fd_install(fd, f);
        }
    }
    user_name_put(&name);
    return fd;
}

long sys_openat(int dirfd, const char __user *path, int flags, mode_t mode)
{
    struct open_request r;
    int error = parse_flags_old((unsigned)flags, mode, &r);
    return error ? error : open_fd(dirfd, path, &r);
}

long sys_open(const char __user *path, int flags, mode_t mode)
{
    return sys_openat(AT_FDCWD, path, flags, mode);
}

long sys_creat(const char __user *path, mode_t mode)
{
    return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* ---- openat2: everything is checked ---- */

static int parse_how(const struct open_how *how, struct open_request *r)
{
    static const struct {
        unsigned resolve, lookup;
    } map[] = {
        {RESOLVE_NO_XDEV, LOOKUP_NO_XDEV},         {RESOLVE_NO_MAGICLINKS, LOOKUP_NO_MAGICLINKS},
        {RESOLVE_NO_SYMLINKS, LOOKUP_NO_SYMLINKS}, {RESOLVE_BENEATH, LOOKUP_BENEATH},
        {RESOLVE_IN_ROOT, LOOKUP_IN_ROOT},         {RESOLVE_CACHED, LOOKUP_CACHED},
    };
    uint64_t left = how->resolve;
    unsigned lookup = 0;
    for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
        if (how->resolve & map[i].resolve)
            lookup |= map[i].lookup;
        left &= ~(uint64_t)map[i].resolve;
    }
    if (how->flags & ~(uint64_t)O_VALID || left)
        return -EINVAL;
    if (lookup & LOOKUP_BENEATH && lookup & LOOKUP_IN_ROOT)
        return -EINVAL;
    if (how->flags & (O_CREAT | __O_TMPFILE) ? how->mode & ~(uint64_t)MODE_BITS : how->mode)
        return -EINVAL;
    if (how->flags & O_PATH && how->flags & ~(uint64_t)O_PATH_FLAGS)
        return -EINVAL;
    if (lookup & LOOKUP_CACHED && how->flags & (O_TRUNC | O_CREAT | __O_TMPFILE))
        return -EAGAIN;
    int error = parse_flags((unsigned)how->flags, (mode_t)how->mode, r);
    r->lookup |= lookup;
    return error;
}

/* A structure that may grow: what is beyond the part we know must be zero. */
static int copy_how(struct open_how *how, const char __user *from, size_t size)
{
    if (size < OPEN_HOW_SIZE_VER0)
        return -EINVAL;
    if (size > PAGE_SIZE)
        return -E2BIG;
    if (copy_from_user(how, from, sizeof(*how)))
        return -EFAULT;
    for (size_t at = sizeof(*how); at < size; at++) {
        char c;
        if (get_user(c, from + at))
            return -EFAULT;
        if (c)
            return -E2BIG;
    }
    return 0;
}

long sys_openat2(int dirfd, const char __user *path, const struct open_how __user *how, size_t size)
{
    struct open_how h;
    struct open_request r;
    int error = copy_how(&h, (const char __user *)how, size);
    if (!error)
        error = parse_how(&h, &r);
    if (!error && !(r.flags & O_PATH))
        r.flags |= O_LARGEFILE;
    return error ? error : open_fd(dirfd, path, &r);
}

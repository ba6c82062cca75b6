/*
 * The names of POSIX message queues: a file system of one directory, which mq_open and mq_unlink look into
 * whether or not it is mounted (on /dev/mqueue, by custom). The directory is tmpfs's; the files in it are
 * queues.
 */
#include <abi/fcntl.h>

#include <syscall_protos.h>

#include "fs/tmpfs.h"
#include "fs/vfs.h"
#include "ipc/mqueue.h"
#include "lib/log.h"
#include "proc/cred.h"
#include "x86/panic.h"
#include "x86/uaccess.h"

#define FILE_SIZE 80 /* what stat says, as on Linux */

static struct superblock *mqueue_sb; /* const after init */
static struct inode_ops dir_ops;     /* const after init: tmpfs's but for create */
static size_t queues;                /* atomic */

static void queue_inode_free(struct inode *i)
{
    if (i->private) {
        mqueue_destroy(i->private);
        atomic_sub(&queues, 1);
    }
    atomic_sub(&tmpfs_of(i)->inodes, 1);
}

static const struct inode_ops queue_inode_ops = {.free = queue_inode_free};

/* A queue NAME in the directory, whose lock is held: a reference to its dentry, or err_ptr. */
static struct dentry *create_queue(struct dentry *dir, const char *name, size_t len, mode_t mode,
                                   const struct mq_attr *attr)
{
    if (atomic_load(&queues) >= mqueue_limits.queues_max && !capable(CAP_SYS_RESOURCE))
        return err_ptr(-ENOSPC);
    struct mqueue *q = mqueue_create(attr);
    if (is_err(q))
        return (struct dentry *)q;
    struct inode *i = inode_alloc(mqueue_sb, S_IFREG | (mode & 0777));
    if (!i) {
        mqueue_destroy(q);
        return err_ptr(-ENOMEM);
    }
    atomic_add(&queues, 1);
    atomic_add(&tmpfs_of(i)->inodes, 1);
    i->private = q;
    i->ops = &queue_inode_ops;
    i->fops = &mqueue_file_ops;
    i->size = FILE_SIZE;
    struct dentry *d = dentry_alloc(name, len, i);
    if (!d)
        return err_ptr(-ENOMEM);
    int error = dentry_add(dir, d);
    if (error) {
        dentry_put(d);
        return err_ptr(error);
    }
    spin_lock(&dir->inode->spin);
    dir->inode->size += TMPFS_ENTRY_SIZE;
    spin_unlock(&dir->inode->spin);
    inode_touch(dir->inode, TOUCH_M | TOUCH_C);
    return d;
}

/* open(2) with O_CREAT in a mounted one. */
static int dir_create(struct inode *dir, struct dentry *self, const char *name, size_t len,
                      mode_t mode, dev_t rdev, const char *target, struct dentry **out)
{
    (void)dir, (void)rdev, (void)target;
    if (!S_ISREG(mode))
        return -EPERM;
    struct dentry *d = create_queue(self, name, len, mode, NULL);
    if (is_err(d))
        return (int)ptr_err(d);
    if (out)
        *out = d;
    else
        dentry_put(d);
    return 0;
}

/* ---- mq_open, mq_unlink ---- */

static int check_name(const char *name, size_t len)
{
    if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
        return -EACCES;
    return len > NAME_MAX ? -ENAMETOOLONG : 0;
}

/* May D, which was there already, be opened like this? */
static int check_existing(struct dentry *d, int flags)
{
    static const unsigned access[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE};

    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    if ((flags & O_ACCMODE) == O_ACCMODE)
        return -EINVAL;
    if (S_ISDIR(d->inode->mode))
        return -EISDIR;
    return inode_permission(d->inode, access[flags & O_ACCMODE]);
}

/* The queue of that name, found or made: a reference, or err_ptr. */
static struct dentry *find_or_create(const char *name, int flags, mode_t mode,
                                     const struct mq_attr *attr)
{
    struct dentry *dir = mqueue_sb->root;
    size_t len = strlen(name);
    int error = check_name(name, len);

    if (error)
        return err_ptr(error);
    mutex_lock(&dir->inode->lock);
    struct dentry *d = dentry_lookup(dir, name, len);
    if (d && (error = check_existing(d, flags))) {
        dentry_put(d);
        d = err_ptr(error);
    } else if (!d && !(flags & O_CREAT)) {
        d = err_ptr(-ENOENT);
    } else if (!d) {
        d = create_queue(dir, name, len, apply_umask(mode), attr);
    }
    mutex_unlock(&dir->inode->lock);
    return d;
}

static long open_queue(const char *name, int flags, mode_t mode, const struct mq_attr *attr)
{
    struct dentry *d = find_or_create(name, flags, mode, attr);

    if (is_err(d))
        return ptr_err(d);
    struct file *f = file_alloc(&mqueue_file_ops, (unsigned)flags & (O_ACCMODE | O_NONBLOCK), NULL);
    if (!is_err(f)) {
        inode_get(d->inode);
        f->inode = d->inode;
    }
    dentry_put(d);
    if (is_err(f))
        return ptr_err(f);
    int fd = fd_open(f, true); /* mq_open(2): always close-on-exec */
    if (fd < 0)
        file_put(f);
    return fd;
}

long sys_mq_open(const char __user *user, int flags, mode_t mode,
                 const struct mq_attr __user *uattr)
{
    struct user_name name;
    struct mq_attr attr;

    if (uattr && copy_from_user(&attr, uattr, sizeof(attr)))
        return -EFAULT;
    int error = user_name_get(&name, user, false);
    if (error)
        return error;
    long fd = open_queue(name.text, flags, mode, uattr ? &attr : NULL);
    user_name_put(&name);
    return fd;
}

long sys_mq_unlink(const char __user *user)
{
    struct dentry *dir = mqueue_sb->root;
    struct user_name name;
    int error = user_name_get(&name, user, false);

    if (error)
        return error;
    size_t len = strlen(name.text);
    error = check_name(name.text, len);
    if (!error) {
        mutex_lock(&dir->inode->lock);
        struct dentry *d = dentry_lookup(dir, name.text, len);
        if (!d)
            error = -ENOENT;
        else if (!inode_owner_or_capable(d->inode))
            error = -EPERM; /* the directory is everybody's, with the sticky bit */
        else
            error = dir_ops.unlink(dir->inode, d);
        if (d)
            dentry_put(d);
        mutex_unlock(&dir->inode->lock);
    }
    user_name_put(&name);
    return error;
}

/* ---- the file system ---- */

static int mqueue_mount(const char *source, const char *options, unsigned flags,
                        struct superblock **out)
{
    (void)source, (void)options, (void)flags;
    ref_get(&mqueue_sb->ref);
    *out = mqueue_sb;
    return 0;
}

static struct fs_type mqueue_type = {.name = "mqueue", .nodev = true, .mount = mqueue_mount};

void mqueuefs_init(void)
{
    mqueue_sb = tmpfs_create_sb("mqueue", "mode=1777,uid=0,gid=0");
    if (is_err(mqueue_sb))
        panic("no memory for the names of message queues");
    mqueue_sb->magic = 0x19800202;
    mqueue_sb->show_options = NULL;
    mqueue_sb->remount = NULL;
    dir_ops = tmpfs_dir_inode_ops;
    dir_ops.create = dir_create;
    dir_ops.tmpfile = NULL;
    dir_ops.link = NULL;
    dir_ops.rename = NULL;
    mqueue_sb->root->inode->ops = &dir_ops;
    fs_register(&mqueue_type);
}

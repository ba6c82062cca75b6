/*
 * devtmpfs: the tree that is mounted on /dev. It is a tmpfs, one for the whole machine however
 * often it is mounted, in which every registered character device has its node from the start.
 * Programs may add, change and remove nodes in it as in any tmpfs.
 *
 * A node is only a number. Opening one, here or in any other file system, looks the driver up in
 * the list below.
 */
#include "fs/tmpfs.h"
#include "fs/vfs.h"
#include "sched/lock.h"

static struct chrdev *chrdevs;         /* written at init alone */
static struct superblock *devtmpfs_sb; /* const after init: the list of nodes has its reference */

struct chrdev *chrdev_find(dev_t dev)
{
    for (struct chrdev *c = chrdevs; c; c = c->next)
        if (c->dev == dev)
            return c;
    return NULL;
}

void chrdev_for_each(void (*emit)(void *ctx, const struct chrdev *c), void *ctx)
{
    for (struct chrdev *c = chrdevs; c; c = c->next)
        emit(ctx, c);
}

/* One level of a node's name in directory D: made unless it is there. A reference, or err_ptr. */
static struct dentry *node(struct dentry *d, const char *name, size_t len, mode_t mode, dev_t dev)
{
    mutex_lock(&d->inode->lock);
    struct dentry *found = dentry_lookup(d, name, len);
    if (!found) {
        int error = tmpfs_create(d->inode, d, name, len, mode, dev, NULL, &found);
        if (error)
            found = err_ptr(error);
    }
    mutex_unlock(&d->inode->lock);
    return found;
}

void chrdev_register(struct chrdev *c)
{
    struct chrdev **end = &chrdevs;
    while (*end)
        end = &(*end)->next;
    c->next = NULL;
    *end = c;

    struct dentry *dir = devtmpfs_sb->root;
    dentry_get(dir);
    const char *name = c->name, *slash = strchr(name, '/');
    if (slash) {
        struct dentry *sub = node(dir, name, (size_t)(slash - name), S_IFDIR | 0755, 0);
        dentry_put(dir);
        dir = sub;
        name = slash + 1;
    }
    struct dentry *d = is_err(dir) ? dir : node(dir, name, strlen(name), S_IFCHR | c->mode, c->dev);
    if (is_err(d))
        panic("no memory for /dev/%s", c->name);
    dentry_put(d);
    dentry_put(dir);
}

static int devfs_mount(const char *source, const char *options, unsigned flags,
                       struct superblock **out)
{
    (void)source, (void)options, (void)flags;
    ref_get(&devtmpfs_sb->ref);
    *out = devtmpfs_sb;
    return 0;
}

static struct fs_type devtmpfs_type = {.name = "devtmpfs", .nodev = true, .mount = devfs_mount};
static struct fs_type devfs_type = {.name = "devfs", .nodev = true, .mount = devfs_mount};

void devfs_init(void)
{
    devtmpfs_sb = tmpfs_create_sb("devtmpfs", "mode=0755,uid=0,gid=0");
    if (is_err(devtmpfs_sb))
        panic("no memory for /dev");
    fs_register(&devtmpfs_type);
    fs_register(&devfs_type);
}

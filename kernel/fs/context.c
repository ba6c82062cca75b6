/*
 * A process's place in the file system: root, working directory and umask, shared between processes
 * that clone(CLONE_FS) made. Path walks read root and cwd with only dcache_lock held, so whoever
 * changes them holds that besides the context's own lock, and drops the old references after both.
 */
#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"

static struct fs_context *current_context(void)
{
    return current->proc ? current->proc->fs : NULL;
}

void path_of_root_locked(struct path *out)
{
    struct fs_context *c = current_context();
    *out = c ? c->root : (struct path){root_mount, root_mount->root};
}

void path_of_cwd_locked(struct path *out)
{
    struct fs_context *c = current_context();
    *out = c ? c->cwd : (struct path){root_mount, root_mount->root};
}

void path_of_root(struct path *out)
{
    spin_lock(&dcache_lock);
    path_of_root_locked(out);
    path_get(out);
    spin_unlock(&dcache_lock);
}

void path_of_cwd(struct path *out)
{
    spin_lock(&dcache_lock);
    path_of_cwd_locked(out);
    path_get(out);
    spin_unlock(&dcache_lock);
}

void fs_context_paths(struct fs_context *c, struct path *root, struct path *cwd)
{
    spin_lock(&dcache_lock);
    *root = c->root;
    *cwd = c->cwd;
    path_get(root);
    path_get(cwd);
    spin_unlock(&dcache_lock);
}

static struct fs_context *context_alloc(void)
{
    struct fs_context *c = kmalloc(sizeof(*c));
    if (!c)
        return NULL;
    ref_init(&c->ref, 1);
    spin_init(&c->lock, RANK_FS_CONTEXT, "fs_context");
    return c;
}

struct fs_context *fs_context_create(void)
{
    struct fs_context *c = context_alloc();
    if (!c)
        return NULL;
    c->root = c->cwd = (struct path){root_mount, root_mount->root};
    c->umask = 022;
    spin_lock(&dcache_lock);
    /* The root may have been mounted over since boot: process 1 lives in what is visible. */
    struct mount *m;
    while ((m = mount_find_locked(c->root.mnt, c->root.dentry)))
        c->root = c->cwd = (struct path){m, m->root};
    path_get(&c->root);
    path_get(&c->cwd);
    spin_unlock(&dcache_lock);
    return c;
}

struct fs_context *fs_context_copy(struct fs_context *old)
{
    struct fs_context *c = context_alloc();
    if (!c)
        return NULL;
    spin_lock(&old->lock);
    c->root = old->root;
    c->cwd = old->cwd;
    c->umask = old->umask;
    path_get(&c->root);
    path_get(&c->cwd);
    spin_unlock(&old->lock);
    return c;
}

void fs_context_put(struct fs_context *c)
{
    if (!ref_put(&c->ref))
        return;
    path_put(&c->root);
    path_put(&c->cwd);
    kfree(c);
}

/* Exchange a place for P (references taken) and let the old one go. */
static void context_set(struct path *place, const struct path *p)
{
    struct fs_context *c = current_context();
    path_get(p);
    spin_lock(&c->lock);
    spin_lock(&dcache_lock);
    struct path old = *place;
    *place = *p;
    spin_unlock(&dcache_lock);
    spin_unlock(&c->lock);
    path_put(&old);
}

void context_set_cwd(const struct path *p)
{
    context_set(&current_context()->cwd, p);
}

void context_set_root(const struct path *p)
{
    context_set(&current_context()->root, p);
}

unsigned current_umask(void)
{
    struct fs_context *c = current_context();
    return c ? READ_ONCE(c->umask) : 0;
}

/* What umask(2) does. */
unsigned context_set_umask(unsigned mask)
{
    struct fs_context *c = current_context();
    spin_lock(&c->lock);
    unsigned old = c->umask;
    c->umask = mask & 0777;
    spin_unlock(&c->lock);
    return old;
}

mode_t apply_umask(mode_t mode)
{
    return mode & ~current_umask();
}

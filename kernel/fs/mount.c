/*
 * mount(2) and umount2(2): new file systems, binds, moves and changed flags. There are no mount
 * propagation and no name spaces: every mount is private, so MS_PRIVATE is granted and its siblings
 * are not. sync(2) stands here too: all file systems are memory, so there is nothing to write back.
 *
 * mount_mutex lets one of these calls at a time change the table; dcache_lock, inside it, is what
 * walks look under.
 */
#include <abi/mount.h>
#include <syscall_protos.h>

#include "fs/mount.h"
#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "x86/uaccess.h"

#define MS_PER_MOUNT                                                                           \
    (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME | \
     MS_NOSYMFOLLOW)
#define MS_PROPAGATION (MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED)

static struct mutex mount_mutex; /* RANK_MOUNT */

void mount_init(void)
{
    mutex_init(&mount_mutex, RANK_MOUNT, "mount table");
}

static unsigned mount_flags(unsigned long flags)
{
    if (!(flags & MS_NOATIME))
        flags |= MS_RELATIME;
    if (flags & MS_STRICTATIME)
        flags &= ~(unsigned long)(MS_RELATIME | MS_NOATIME);
    return (unsigned)flags & MS_PER_MOUNT;
}

static bool is_attached(const struct mount *m)
{
    spin_lock(&dcache_lock);
    bool attached = mount_is_attached_locked(m);
    spin_unlock(&dcache_lock);
    return attached;
}

/*
 * Show M at AT, whose shape (directory or not) it must have. Takes over M's reference when it
 * succeeds.
 */
static int attach(struct mount *m, const struct path *at)
{
    struct path place = *at;
    spin_lock(&dcache_lock);
    mount_top_locked(&place);
    int error = 0;
    if (!mount_is_attached_locked(place.mnt))
        error = -EINVAL; /* nobody could ever take it down */
    else if (S_ISDIR(place.dentry->inode->mode) != S_ISDIR(m->root->inode->mode))
        error = -ENOTDIR;
    else if (place.dentry->unlinked)
        error = -ENOENT;
    else
        mount_attach_locked(m, &place);
    spin_unlock(&dcache_lock);
    return error;
}

static int mount_new(const char *source, const struct path *at, const char *type,
                     unsigned long flags, const char *options)
{
    struct fs_type *t = fs_type_find(type);
    if (!t)
        return -ENODEV;
    struct superblock *sb;
    int error = t->mount(source, options, (unsigned)flags, &sb);
    if (error)
        return error;
    struct mount *m = NULL;
    if (at->mnt->sb == sb && path_is_mount_root(at))
        error = -EBUSY; /* the same thing on top of itself */
    else if (!(m = mount_alloc(sb, sb->root, *source ? source : "none", mount_flags(flags))))
        error = -ENOMEM;
    else if (!(error = attach(m, at)) && flags & MS_RDONLY)
        sb->read_only = true;
    if (error && m)
        mount_put(m);
    superblock_put(sb);
    return error;
}

/* Undo a recursive bind's mounts, M and all on it. */
static void detach_tree(struct mount *m)
{
    for (;;) {
        spin_lock(&dcache_lock);
        struct mount *leaf = m, *child;
        while ((child = mount_child_locked(leaf)))
            leaf = child;
        struct path old = {NULL, NULL};
        bool attached = leaf->parent;
        if (attached)
            mount_detach_locked(leaf, &old);
        spin_unlock(&dcache_lock);
        if (attached) {
            path_put(&old);
            mount_put(leaf);
        }
        if (leaf == m)
            return;
    }
}

/* Repeat below NEW the mounts that hang below FROM. */
static int bind_children(const struct path *from, struct mount *new)
{
    int error = 0;
    struct mount *m = NULL;
    spin_lock(&dcache_lock);
    while (!error && (m = mount_next_below_locked(m, from))) {
        if (m == new || m->parent != from->mnt)
            continue; /* deeper ones are behind a mount that is repeated itself: see below */
        struct path at = {new, m->point};
        mount_get(m);
        dentry_get(at.dentry);
        spin_unlock(&dcache_lock);
        struct mount *copy = mount_alloc(m->sb, m->root, m->source, m->flags);
        error = copy ? attach(copy, &at) : -ENOMEM;
        if (error && copy)
            mount_put(copy);
        if (!error)
            error = bind_children(&(struct path){m, m->root}, copy);
        dentry_put(at.dentry);
        mount_put(m);
        spin_lock(&dcache_lock);
    }
    spin_unlock(&dcache_lock);
    return error;
}

static int mount_bind(const char *source, const struct path *at, bool recursive)
{
    struct path from;
    int error = path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, &from);
    if (error)
        return error;
    struct mount *m = mount_alloc(from.mnt->sb, from.dentry, from.mnt->source, from.mnt->flags);
    if (!m)
        error = -ENOMEM;
    else if ((error = is_attached(from.mnt) ? attach(m, at) : -EINVAL))
        mount_put(m);
    else if (recursive && (error = bind_children(&from, m)))
        detach_tree(m);
    path_put(&from);
    return error;
}

static int mount_move(const char *source, const struct path *at)
{
    struct path from;
    int error = path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, &from);
    if (error)
        return error;
    struct mount *m = from.mnt;
    struct path old = {NULL, NULL}, place = *at;
    struct path whole = {m, m->root};
    spin_lock(&dcache_lock);
    mount_top_locked(&place);
    if (!path_is_mount_root(&from) || !m->parent || !mount_is_attached_locked(place.mnt))
        error = -EINVAL;
    else if (S_ISDIR(place.dentry->inode->mode) != S_ISDIR(m->root->inode->mode))
        error = -EINVAL;
    else if (path_is_below_locked(&place, &whole))
        error = -ELOOP;
    else if (place.dentry->unlinked)
        error = -ENOENT;
    if (!error) {
        mount_detach_locked(m, &old);
        mount_attach_locked(m, &place);
    }
    spin_unlock(&dcache_lock);
    if (old.mnt)
        path_put(&old);
    path_put(&from);
    return error;
}

static int mount_again(const struct path *at, unsigned long flags, const char *options)
{
    struct mount *m = at->mnt;
    if (!path_is_mount_root(at) || !is_attached(m))
        return -EINVAL;
    unsigned wanted = mount_flags(flags);
    /* Who says nothing about access times keeps what there was. */
    if (!(flags & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)))
        wanted = (wanted & ~(unsigned)MS_RELATIME) |
                 (m->flags & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME));
    if (flags & MS_BIND)
        return mount_set_flags(m, wanted);
    int error = m->sb->remount ? m->sb->remount(m->sb, options) : 0;
    if (!error)
        error = superblock_set_read_only(m->sb, flags & MS_RDONLY);
    return error ? error : mount_set_flags(m, wanted);
}

static int mount_propagation(const struct path *at, unsigned long flags)
{
    unsigned long kind = flags & MS_PROPAGATION;
    if (flags & ~(unsigned long)(MS_PROPAGATION | MS_REC | MS_SILENT) || kind & (kind - 1))
        return -EINVAL;
    if (!path_is_mount_root(at) || kind != MS_PRIVATE)
        return -EINVAL;
    return 0;
}

static int do_mount(const char *source, const char *target, const char *type, unsigned long flags,
                    const char *options)
{
    if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
        flags &= ~(unsigned long)MS_MGC_MSK;
    struct path at;
    int error = path_lookup(AT_FDCWD, target, LOOKUP_FOLLOW, &at);
    if (error)
        return error;
    mutex_lock(&mount_mutex);
    if (!fs_capable(CAP_SYS_ADMIN))
        error = -EPERM;
    else if (flags & MS_REMOUNT)
        error = mount_again(&at, flags, options);
    else if (flags & MS_BIND)
        error = *source ? mount_bind(source, &at, flags & MS_REC) : -EINVAL;
    else if (flags & MS_PROPAGATION)
        error = mount_propagation(&at, flags);
    else if (flags & MS_MOVE)
        error = *source ? mount_move(source, &at) : -EINVAL;
    else if (!type)
        error = -EINVAL;
    else
        error = mount_new(source, &at, type, flags, options);
    mutex_unlock(&mount_mutex);
    path_put(&at);
    return error;
}

/* An optional string of mount(2): "" for NULL, err_ptr. */
static char *optional_string(const char __user *s)
{
    if (s)
        return path_from_user(s, true);
    char *empty = kzalloc(1);
    return empty ? empty : err_ptr(-ENOMEM);
}

/*
 * The data page: as much of it as there is, up to a page; not all types are text, but all of ours
 * are.
 */
static char *copy_options(const void __user *data)
{
    char *text = kzalloc(PAGE_SIZE);
    if (!text)
        return err_ptr(-ENOMEM);
    if (data && copy_from_user_partial(text, data, PAGE_SIZE - 1) == PAGE_SIZE - 1) {
        kfree(text);
        return err_ptr(-EFAULT);
    }
    return text;
}

long sys_mount(const char __user *source, const char __user *target, const char __user *type,
               unsigned long flags, const void __user *data)
{
    char *from = optional_string(source);
    if (is_err(from))
        return ptr_err(from);
    char *kind = optional_string(type);
    char *options = is_err(kind) ? kind : copy_options(data);
    char *to = is_err(options) ? options : path_from_user(target, false);
    long error = is_err(to) ? ptr_err(to) : 0;
    if (!error)
        error = do_mount(from, to, type ? kind : NULL, flags, options);
    if (!is_err(to))
        kfree(to);
    if (!is_err(options))
        kfree(options);
    if (!is_err(kind))
        kfree(kind);
    kfree(from);
    return error;
}

/* ---- umount ---- */

/*
 * P is held by the caller: the table's reference and P's are the two that a mount not in use has.
 */
static int do_umount(struct path *p, int flags)
{
    struct mount *m = p->mnt;
    if (!path_is_mount_root(p))
        return -EINVAL;
    if (flags & MNT_DETACH) {
        if (!m->parent)
            return -EINVAL;
        detach_tree(m);
        return 0;
    }
    struct path old = {NULL, NULL};
    int error = 0;
    spin_lock(&dcache_lock);
    if (!m->parent)
        error = -EINVAL;
    else if (ref_read(&m->ref) > 2 || mount_child_locked(m))
        error = -EBUSY;
    else
        mount_detach_locked(m, &old);
    spin_unlock(&dcache_lock);
    if (!error) {
        path_put(&old);
        mount_put(m);
    }
    return error;
}

long sys_umount2(const char __user *target, int flags)
{
    if (flags & ~(MNT_FORCE | MNT_DETACH | UMOUNT_NOFOLLOW))
        return -EINVAL; /* MNT_EXPIRE among them: nothing here expires */
    struct path p;
    int error = path_lookup_user(AT_FDCWD, target, flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &p);
    if (error)
        return error;
    mutex_lock(&mount_mutex);
    error = fs_capable(CAP_SYS_ADMIN) ? do_umount(&p, flags) : -EPERM;
    mutex_unlock(&mount_mutex);
    path_put(&p);
    return error;
}

long sys_sync(void)
{
    return 0;
}

long sys_syncfs(int fd)
{
    struct fdref r = fdref_get(fd);
    if (!r.file)
        return -EBADF;
    fdref_put(r);
    return 0;
}

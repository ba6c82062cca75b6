/*
 * The path walk: from a name to a dentry.
 *
 * The common walk takes dcache_lock once, goes from component to component by hash look-up, checks
 * search permission by the mode bits, and takes references on what it finds at the end: no
 * reference is counted and no lock taken on the way. Whatever may sleep (a file system that makes
 * its dentries as they are asked for, the text of a symbolic link) first pins the place where the
 * walk stands, drops the lock, and goes on after it.
 *
 * Symbolic links are levels: the link's text becomes the string that is walked, and what was left
 * of the one outside is kept until it ends. A link at the very end needs no level of its own. 40
 * links are the limit.
 *
 *   "/usr/lib/x"  with lib -> "../lib64"      levels[0].rest = "x"    next = "../lib64"
 */
#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "x86/uaccess.h"

int walk_begin(struct walk *w, int dfd, const char *name, unsigned flags)
{
    w->pin.mnt = w->pin_root.mnt = NULL;
    w->pin_child = NULL;
    w->start = (struct fdref){NULL, false};
    w->next = name;
    w->text = NULL;
    w->levels = NULL;
    w->depth = w->links = 0;
    w->flags = flags;
    w->slash = false;
    if (!*name && !(flags & LOOKUP_EMPTY))
        return -ENOENT;
    if (*name == '/' && !(flags & LOOKUP_IN_ROOT)) {
        if (flags & LOOKUP_BENEATH)
            return -EXDEV;
        spin_lock(&dcache_lock);
        path_of_root_locked(&w->root);
        w->cur = w->root;
        return 0;
    }
    if (dfd != AT_FDCWD) {
        w->start = fdref_get_any(dfd);
        struct file *f = w->start.file;
        if (!f)
            return -EBADF;
        if (!f->path || (*name && !S_ISDIR(f->inode->mode)))
            return -ENOTDIR;
    }
    spin_lock(&dcache_lock);
    if (w->start.file)
        w->cur = *w->start.file->path;
    else
        path_of_cwd_locked(&w->cur);
    if (flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT))
        w->root = w->cur;
    else
        path_of_root_locked(&w->root);
    return 0;
}

int walk_pause(struct walk *w)
{
    struct path old = w->pin;
    struct dentry *child = w->pin_child;
    path_get(&w->cur);
    w->pin = w->cur;
    w->pin_child = NULL;
    if (!w->pin_root.mnt) {
        path_get(&w->root);
        w->pin_root = w->root;
    }
    spin_unlock(&dcache_lock);
    if (child)
        dentry_put(child);
    if (old.mnt)
        path_put(&old);
    return w->flags & LOOKUP_CACHED ? -EAGAIN : 0;
}

void walk_resume(struct walk *w)
{
    (void)w;
    spin_lock(&dcache_lock);
}

void walk_end(struct walk *w)
{
    if (w->pin_child)
        dentry_put(w->pin_child);
    if (w->pin.mnt)
        path_put(&w->pin);
    if (w->pin_root.mnt)
        path_put(&w->pin_root);
    fdref_put(w->start);
    kfree(w->text);
    while (w->depth > 0)
        kfree(w->levels[--w->depth].text);
    kfree(w->levels);
}

/* ---- one step ---- */

static noinline int search_slow(struct walk *w)
{
    struct inode *dir = w->cur.dentry->inode;
    struct access_ids ids = access_ids_current(w->flags & LOOKUP_REAL_IDS);
    if (!dir->ops->permission)
        return inode_check(&ids, dir, MAY_EXEC);
    int error = walk_pause(w);
    if (!error)
        error = dir->ops->permission(dir, MAY_EXEC);
    walk_resume(w);
    return error;
}

/* Search permission on the directory we stand in. */
static inline int may_search(struct walk *w)
{
    struct inode *dir = w->cur.dentry->inode;
    if (likely((dir->mode & 0111) == 0111 && !dir->ops->permission))
        return 0; /* whoever asks has it */
    return search_slow(w);
}

static int walk_up(struct walk *w)
{
    struct path at = w->cur;
    for (;;) {
        if (at.dentry == w->root.dentry && at.mnt == w->root.mnt)
            return w->flags & LOOKUP_BENEATH ? -EXDEV : 0;
        if (at.dentry != at.mnt->root) {
            at.dentry = at.dentry->parent;
            break;
        }
        if (!at.mnt->parent)
            return 0;
        if (w->flags & LOOKUP_NO_XDEV)
            return -EXDEV;
        at = (struct path){at.mnt->parent, at.mnt->point};
    }
    struct mount *m;
    while (at.dentry->mounted && (m = mount_find_locked(at.mnt, at.dentry)))
        at = (struct path){m, m->root};
    w->cur = at;
    return 0;
}

/* Through the mounts on D onto what is visible there. */
static inline int walk_down(struct walk *w, struct dentry *d, struct path *to)
{
    *to = (struct path){w->cur.mnt, d};
    struct mount *m;
    while (unlikely(to->dentry->mounted) && (m = mount_find_locked(to->mnt, to->dentry))) {
        if (w->flags & LOOKUP_NO_XDEV)
            return -EXDEV;
        *to = (struct path){m, m->root};
    }
    return 0;
}

/* Ask the file system for a name the dcache doesn't have. The result lives by w->pin_child. */
static noinline struct dentry *lookup_slow(struct walk *w, const char *name, size_t len)
{
    struct dentry *dir = w->cur.dentry;
    if (len > NAME_MAX)
        return err_ptr(-ENAMETOOLONG);
    if (!dir->inode->ops->lookup)
        return err_ptr(-ENOENT);
    int error = walk_pause(w);
    struct dentry *d = err_ptr(error);
    if (!error) {
        mutex_lock(&dir->inode->lock);
        d = dentry_lookup(dir, name, len);
        mutex_unlock(&dir->inode->lock);
    }
    walk_resume(w);
    if (!d)
        return err_ptr(-ENOENT);
    if (!is_err(d))
        w->pin_child = d;
    return d;
}

static inline struct dentry *find_child(struct walk *w, const char *name, size_t len, uint32_t hash)
{
    struct dentry *d = dentry_find_locked(w->cur.dentry, name, len, hash);
    if (unlikely(d && d->inode->ops && d->inode->ops->revalidate) &&
        !d->inode->ops->revalidate(d->inode)) {
        dentry_detach_locked(d);
        d = NULL;
    }
    return likely(d) ? d : lookup_slow(w, name, len);
}

/* ---- symbolic links; dcache_lock not held in these two, the place is pinned ---- */

static int link_magic(struct walk *w, struct dentry *d)
{
    if (w->flags & LOOKUP_NO_MAGICLINKS)
        return -ELOOP;
    if (w->flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT))
        return -EXDEV;
    struct path to;
    int error = d->inode->ops->follow(d->inode, &to);
    if (error)
        return error;
    if (w->flags & LOOKUP_NO_XDEV && to.mnt != w->cur.mnt) {
        path_put(&to);
        return -EXDEV;
    }
    path_put(&w->pin);
    w->cur = w->pin = to;
    return 0;
}

static int link_text(struct walk *w, struct dentry *d)
{
    char *text = kmalloc(PATH_MAX);
    if (text && *w->next && !w->levels)
        w->levels = kmalloc(MAX_SYMLINKS * sizeof(*w->levels));
    if (!text || (*w->next && !w->levels)) {
        kfree(text);
        return -ENOMEM;
    }
    ssize_t len = d->inode->ops->readlink(d->inode, text, PATH_MAX - 1);
    if (len <= 0) {
        kfree(text);
        return len < 0 ? (int)len : -ENOENT;
    }
    text[len] = '\0';
    inode_accessed(&(struct path){w->cur.mnt, d});
    if (*w->next)
        w->levels[w->depth++] = (struct walk_level){w->text, w->next};
    else
        kfree(w->text);
    w->text = text;
    w->next = text;
    if (*text != '/')
        return 0;
    if (w->flags & LOOKUP_BENEATH || (w->flags & LOOKUP_NO_XDEV && w->root.mnt != w->cur.mnt))
        return -EXDEV;
    w->cur = w->root;
    return 0;
}

/*
 * In a directory where all may leave links (/tmp) a link at the end of a path is only followed for
 * its owner, or when the directory's owner made it: nobody is led to write where somebody else
 * points (proc_sys_fs(5), protected_symlinks).
 */
static bool may_follow(const struct inode *dir, const struct inode *link)
{
    return (dir->mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH) || dir->uid == link->uid ||
           fs_cred()->fsuid == link->uid;
}

/* D, a link in the directory we stand in, is to be followed; LAST: it is the end of the path. */
static noinline int walk_link(struct walk *w, struct dentry *d, bool last)
{
    if (w->flags & LOOKUP_NO_SYMLINKS || w->cur.mnt->flags & MS_NOSYMFOLLOW ||
        w->links++ >= MAX_SYMLINKS)
        return -ELOOP;
    if (last && !may_follow(w->cur.dentry->inode, d->inode))
        return -EACCES;
    dentry_get(d);
    int error = walk_pause(w);
    if (!error)
        error = d->inode->ops->follow ? link_magic(w, d) : link_text(w, d);
    dentry_put(d);
    walk_resume(w);
    return error;
}

int walk_follow_last(struct walk *w, struct dentry *d)
{
    return walk_link(w, d, true);
}

/* ---- the loop ---- */

/* This level's text has ended: back to the one outside. False: there is none. */
static bool walk_pop(struct walk *w)
{
    if (w->depth == 0)
        return false;
    kfree(w->text);
    struct walk_level *l = &w->levels[--w->depth];
    w->text = l->text;
    w->next = l->rest;
    return true;
}

static int walk_arrived(struct walk *w)
{
    if ((w->slash || w->flags & LOOKUP_DIRECTORY) && !S_ISDIR(w->cur.dentry->inode->mode))
        return -ENOTDIR;
    if (w->flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT) && !path_is_below_locked(&w->cur, &w->root))
        return -EXDEV; /* somebody moved us out */
    return 0;
}

static int walk_stop_at_parent(struct walk *w, enum last_type type, const char *name, size_t len,
                               uint32_t hash)
{
    if (len > NAME_MAX)
        return -ENAMETOOLONG;
    w->last_type = type;
    w->last = name;
    w->last_len = (uint32_t)len;
    w->last_hash = hash;
    return 0;
}

static inline enum last_type name_type(const char *name, size_t len)
{
    if (likely(name[0] != '.' || len > 2))
        return LAST_NAME;
    return len == 1 ? LAST_DOT : name[1] == '.' ? LAST_DOTDOT : LAST_NAME;
}

int walk_run(struct walk *w)
{
    for (;;) {
        const char *p = w->next;
        while (*p == '/')
            p++;
        if (!*p) {
            if (walk_pop(w))
                continue;
            if (w->flags & LOOKUP_PARENT)
                return walk_stop_at_parent(w, LAST_ROOT, p, 0, 0);
            return walk_arrived(w);
        }
        const char *name = p;
        uint32_t hash = NAME_HASH_START;
        do
            hash = name_hash_step(hash, *p++);
        while (*p && *p != '/');
        size_t len = (size_t)(p - name);
        bool slash = *p == '/';
        while (*p == '/')
            p++;
        w->next = p;
        bool last = !*p && w->depth == 0;
        if (last && slash)
            w->slash = true;

        if (!S_ISDIR(w->cur.dentry->inode->mode))
            return -ENOTDIR;
        int error = may_search(w);
        if (error)
            return error;
        enum last_type type = name_type(name, len);
        if (last && w->flags & LOOKUP_PARENT)
            return walk_stop_at_parent(w, type, name, len, hash);
        if (unlikely(type == LAST_DOT))
            continue;
        if (unlikely(type == LAST_DOTDOT)) {
            if ((error = walk_up(w)))
                return error;
            continue;
        }
        struct dentry *d = find_child(w, name, len, hash);
        if (is_err(d))
            return (int)ptr_err(d);
        struct path to;
        if ((error = walk_down(w, d, &to)))
            return error;
        if (unlikely(S_ISLNK(to.dentry->inode->mode)) &&
            (!last || w->flags & LOOKUP_FOLLOW || w->slash)) {
            if ((error = walk_link(w, to.dentry, last)))
                return error;
            continue;
        }
        w->cur = to;
    }
}

/* ---- what the rest of the kernel calls ---- */

int path_lookup(int dfd, const char *name, unsigned flags, struct path *out)
{
    struct walk w;
    int error = walk_begin(&w, dfd, name, flags);
    if (!error) {
        error = walk_run(&w);
        if (!error) {
            *out = w.cur;
            path_get(out);
        }
        spin_unlock(&dcache_lock);
    }
    walk_end(&w);
    return error;
}

int walk_parent(struct walk *w, int dfd, const char *name, unsigned flags)
{
    int error = walk_begin(w, dfd, name, flags | LOOKUP_PARENT);
    if (error)
        return error;
    error = walk_run(w);
    int paused = walk_pause(w);
    return error ? error : paused;
}

int user_name_get(struct user_name *n, const char __user *name, bool empty_ok)
{
    n->text = n->small;
    long len = strncpy_from_user(n->small, name, sizeof(n->small));
    if (len == -ENAMETOOLONG) {
        n->text = kmalloc(PATH_MAX);
        if (!n->text)
            return -ENOMEM;
        len = strncpy_from_user(n->text, name, PATH_MAX);
    }
    if (len > 0 || (len == 0 && empty_ok))
        return 0;
    user_name_put(n);
    return len < 0 ? (int)len : -ENOENT;
}

void user_name_put(struct user_name *n)
{
    if (n->text != n->small)
        kfree(n->text);
}

char *path_from_user(const char __user *name, bool empty_ok)
{
    char *text = kmalloc(PATH_MAX);
    if (!text)
        return err_ptr(-ENOMEM);
    long len = strncpy_from_user(text, name, PATH_MAX);
    if (len > 0 || (len == 0 && empty_ok))
        return text;
    kfree(text);
    return err_ptr(len < 0 ? len : -ENOENT);
}

void path_name_free(char *name)
{
    kfree(name);
}

int path_lookup_user(int dfd, const char __user *name, unsigned flags, struct path *out)
{
    struct user_name n;
    int error = user_name_get(&n, name, flags & LOOKUP_EMPTY);
    if (error)
        return error;
    error = path_lookup(dfd, n.text, flags, out);
    user_name_put(&n);
    return error;
}

/* ---- making and removing names: what they have in common ---- */

/* The directory's part of the question whether a name may be made in it. Its lock is held. */
int dir_may_create(const struct path *dir)
{
    if (dir->dentry->unlinked)
        return -ENOENT;
    return inode_permission(dir->dentry->inode, MAY_WRITE | MAY_EXEC);
}

/* IS_DIR: 1 the victim must be a directory, 0 must not, -1 either. */
int dir_may_delete(const struct path *dir, struct dentry *victim, int is_dir)
{
    struct inode *d = dir->dentry->inode, *v = victim->inode;
    int error = inode_permission(d, MAY_WRITE | MAY_EXEC);
    if (error)
        return error;
    uid_t me = fs_cred()->fsuid;
    if (d->mode & S_ISVTX && me != v->uid && me != d->uid && !fs_capable(CAP_FOWNER))
        return -EPERM;
    if (is_dir == 1 && !S_ISDIR(v->mode))
        return -ENOTDIR;
    if (is_dir == 0 && S_ISDIR(v->mode))
        return -EISDIR;
    return dir->dentry->unlinked ? -ENOENT : 0;
}

int walk_create_begin(struct walk *w, bool is_dir)
{
    if (w->last_type != LAST_NAME)
        return -EEXIST;
    struct inode *dir = w->cur.dentry->inode;
    mutex_lock(&dir->lock);
    struct dentry *d = dentry_lookup(w->cur.dentry, w->last, w->last_len);
    int error = 0;
    if (d) {
        error = is_err(d) ? (int)ptr_err(d) : -EEXIST;
        if (!is_err(d))
            dentry_put(d);
    }
    if (!error && ((w->slash && !is_dir) || !dir->ops->create))
        error =
            -ENOENT; /* what is made up as it is asked for (procfs) has no room for more names */
    if (!error)
        error = mount_writable(w->cur.mnt);
    if (!error)
        error = dir_may_create(&w->cur);
    if (error)
        mutex_unlock(&dir->lock);
    return error;
}

void walk_dir_unlock(struct walk *w)
{
    mutex_unlock(&w->cur.dentry->inode->lock);
}

/*
 * Reading directories, and the process's place among them: getdents(2), chdir, chroot, getcwd.
 *
 * A position in a tmpfs directory is the cookie of the entry to come. Cookies rise in the order in
 * which names were made and are never used again, so what is created or removed between two calls
 * neither repeats nor hides another entry. The description remembers the last entry it gave out, to
 * go on from there without a search.
 */
#include <abi/dirent.h>
#include <syscall_protos.h>

#include "fs/notify.h"
#include "fs/tmpfs.h"
#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "x86/uaccess.h"

/* ---- directories that are dentry trees ---- */

static unsigned dirent_type(mode_t mode)
{
    return (mode & S_IFMT) >> 12;
}

static bool emit_dots(struct dentry *dir, struct dir_context *ctx)
{
    if (ctx->pos == 0) {
        if (!ctx->emit(ctx, ".", 1, dir->inode->ino, DT_DIR))
            return false;
        ctx->pos = 1;
    }
    if (ctx->pos == 1) {
        if (!ctx->emit(ctx, "..", 2, dir->parent->inode->ino, DT_DIR))
            return false;
        ctx->pos = 2;
    }
    return true;
}

/*
 * The children list changes only under the directory's lock, which is held: dcache_lock isn't
 * needed.
 */
static struct dentry *child_after(struct dentry *dir, struct dentry *d)
{
    struct list *next = d->sibling.next;
    return next == &dir->children ? NULL : list_entry(next, struct dentry, sibling);
}

static struct dentry *child_at(struct dentry *dir, struct dentry *cursor, uint64_t pos)
{
    if (cursor && !cursor->unlinked && cursor->parent == dir && cursor->cookie + 1 == pos)
        return child_after(dir, cursor);
    return dentry_child_from_locked(dir, pos);
}

static int tree_readdir(struct file *f, struct dir_context *ctx)
{
    struct dentry *dir = f->path->dentry, *old = f->private, *last = NULL;
    mutex_lock(&dir->inode->lock);
    int error = dir->unlinked ? -ENOENT : 0;
    if (!error && emit_dots(dir, ctx)) {
        struct dentry *d = child_at(dir, old, (uint64_t)ctx->pos);
        for (; d; d = child_after(dir, d)) {
            ctx->pos = (int64_t)d->cookie;
            if (!ctx->emit(ctx, d->name, d->name_len, d->inode->ino, dirent_type(d->inode->mode)))
                break;
            ctx->pos = (int64_t)d->cookie + 1;
            last = d;
        }
    }
    if (last) {
        dentry_get(last);
        f->private = last;
    }
    mutex_unlock(&dir->inode->lock);
    if (last && old)
        dentry_put(old);
    if (!error && !(f->flags & O_NOATIME))
        inode_accessed(f->path);
    return error;
}

static ssize_t dir_read(struct file *f, struct uio *u, off_t *pos)
{
    (void)f, (void)u, (void)pos;
    return -EISDIR;
}

static off_t tree_lseek(struct file *f, off_t offset, int whence)
{
    return whence == SEEK_END ? -EINVAL : file_lseek_size(f, offset, whence, 0);
}

static void tree_release(struct file *f)
{
    if (f->private)
        dentry_put(f->private);
}

const struct file_ops tree_dir_ops = {
    .read = dir_read,
    .lseek = tree_lseek,
    .readdir = tree_readdir,
    .release = tree_release,
    .fsync = file_fsync_nothing,
    .seekable = true,
};

/* ---- getdents ---- */

struct getdents {
    struct dir_context ctx;
    char __user *buf; /* where the next record goes */
    size_t left;
    int64_t __user *last_off; /* d_off of the record before, which is the position of the next */
    bool old_format;
    int error;
};

/* The records of getdents and getdents64 begin alike: number, offset, length. */
_Static_assert(offsetof(struct linux_dirent, d_off) == offsetof(struct linux_dirent64, d_off), "");
_Static_assert(offsetof(struct linux_dirent, d_reclen) == offsetof(struct linux_dirent64, d_reclen),
               "");

static bool emit_record(struct dir_context *ctx, const char *name, size_t len, uint64_t ino,
                        unsigned dtype)
{
    struct getdents *g = container_of(ctx, struct getdents, ctx);
    char record[sizeof(struct linux_dirent64) + NAME_MAX + 1 + 8] aligned(8);
    struct linux_dirent64 *d = (struct linux_dirent64 *)record;
    size_t name_at = g->old_format ? offsetof(struct linux_dirent, d_name)
                                   : offsetof(struct linux_dirent64, d_name);
    size_t used = name_at + len + 1 + (g->old_format ? 1 : 0);
    size_t size = ALIGN_UP(used, 8UL);
    if (size > g->left) {
        g->error = -EINVAL; /* unless something came before */
        return false;
    }
    d->d_ino = ino;
    d->d_off = 0;
    d->d_reclen = (uint16_t)size;
    d->d_type = (uint8_t)dtype;
    memcpy(record + name_at, name, len);
    memset(record + name_at + len, 0, size - name_at - len);
    if (g->old_format)
        record[size - 1] = (char)dtype;
    if ((g->last_off && put_user(ctx->pos, g->last_off)) || copy_to_user(g->buf, record, size)) {
        g->error = -EFAULT;
        return false;
    }
    g->last_off = (int64_t __user *)(g->buf + offsetof(struct linux_dirent64, d_off));
    g->buf += size;
    g->left -= size;
    return true;
}

static long getdents(int fd, char __user *buf, size_t count, bool old_format)
{
    struct fdref r = fdref_get(fd);
    if (!r.file)
        return -EBADF;
    struct file *f = r.file;
    if (count > INT32_MAX)
        count = 0; /* a size that no result could tell: as on Linux, nothing fits */
    struct getdents g = {
        .ctx = {.emit = emit_record},
        .buf = buf,
        .left = count,
        .old_format = old_format,
    };
    long result = -ENOTDIR;
    if (f->ops->readdir) {
        bool sole = file_sole(r);
        if (!sole)
            mutex_lock(&f->pos_lock);
        g.ctx.pos = f->pos;
        result = f->ops->readdir(f, &g.ctx);
        if (!result)
            notify_file(f, IN_ACCESS);
        if (!result)
            f->pos = g.ctx.pos;
        if (!sole)
            mutex_unlock(&f->pos_lock);
        if (!result)
            result = g.last_off ? (long)(count - g.left) : g.error;
        if (result > 0 && put_user(g.ctx.pos, g.last_off))
            result = -EFAULT;
    }
    fdref_put(r);
    return result;
}

long sys_getdents(int fd, struct linux_dirent __user *buf, unsigned int count)
{
    return getdents(fd, (char __user *)buf, count, true);
}

long sys_getdents64(int fd, struct linux_dirent64 __user *buf, unsigned int count)
{
    return getdents(fd, (char __user *)buf, count, false);
}

/* ---- where the process is ---- */

/* P becomes the working directory if the process may search it. */
static int change_dir(const struct path *p)
{
    int error = path_permission(p, MAY_EXEC);
    if (!error)
        context_set_cwd(p);
    return error;
}

long sys_chdir(const char __user *path)
{
    struct path p;
    int error = path_lookup_user(AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);
    if (error)
        return error;
    error = change_dir(&p);
    path_put(&p);
    return error;
}

long sys_fchdir(int fd)
{
    struct fdref r = fdref_get_any(fd);
    if (!r.file)
        return -EBADF;
    struct file *f = r.file;
    int error = -ENOTDIR;
    if (f->path && S_ISDIR(f->inode->mode))
        error = change_dir(f->path);
    fdref_put(r);
    return error;
}

long sys_chroot(const char __user *path)
{
    struct path p;
    int error = path_lookup_user(AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);
    if (error)
        return error;
    error = path_permission(&p, MAY_EXEC);
    if (!error && !fs_capable(CAP_SYS_CHROOT))
        error = -EPERM;
    if (!error)
        context_set_root(&p);
    path_put(&p);
    return error;
}

/* The text of the working directory in BUF of PATH_MAX + 16: pointer into it, or err_ptr. */
static char *format_cwd(char *buf)
{
    static const char nowhere[] = "(unreachable)";
    struct path cwd, root;
    path_of_cwd(&cwd);
    path_of_root(&root);
    bool reached;
    char *text = err_ptr(-ENOENT);
    if (!cwd.dentry->unlinked)
        text = path_format_from(&cwd, &root, buf + sizeof(nowhere), PATH_MAX, &reached);
    path_put(&cwd);
    path_put(&root);
    if (is_err(text) || reached)
        return text;
    text -= sizeof(nowhere) - 1;
    memcpy(text, nowhere, sizeof(nowhere) - 1);
    return text;
}

long sys_getcwd(char __user *buf, size_t size)
{
    char *page = kmalloc(PATH_MAX + 16);
    if (!page)
        return -ENOMEM;
    char *text = format_cwd(page);
    long result;
    if (is_err(text)) {
        result = ptr_err(text);
    } else {
        size_t len = strlen(text) + 1;
        result = len > size ? -ERANGE : copy_to_user(buf, text, len) ? -EFAULT : (long)len;
    }
    kfree(page);
    return result;
}

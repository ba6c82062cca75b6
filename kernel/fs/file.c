/*
 * Open descriptions. A description has one offset and one set of flags however many descriptors
 * name it. It goes when the last reference does: locks are dropped, its kind's release() runs, and
 * the path is let go.
 *
 * The offset is guarded by pos_lock, a mutex, because a read may sleep while it uses it. A call
 * that knows that nobody else can reach the description (file_sole) leaves the mutex alone.
 */
#include "fs/file.h"

#include "fs/async.h"
#include "fs/epoll.h"
#include "fs/notify.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "signal/signal.h"

static struct slab_cache *file_cache; /* const after init */
static struct inode *anon_inode;      /* const after init: of all files that have none */
static size_t files;                  /* atomic: in existence */
size_t file_max;

void file_init(void)
{
    anon_inode = inode_alloc_anon(0600);
    if (!anon_inode)
        panic("out of memory at boot: the anonymous inode");
    file_cache = slab_cache_create("file", sizeof(struct file), 0);
    file_max =
        max(page_total() * PAGE_SIZE / 10240, (size_t)8192); /* a tenth of memory at 1 KiB each */
}

size_t file_count(void)
{
    return READ_ONCE(files);
}

struct file *file_alloc(const struct file_ops *ops, unsigned flags, void *private)
{
    if (atomic_add(&files, 1) > file_max && !fs_capable(CAP_SYS_ADMIN)) {
        atomic_sub(&files, 1);
        return err_ptr(-ENFILE);
    }
    struct file *f = slab_alloc(file_cache);
    if (!f) {
        atomic_sub(&files, 1);
        return err_ptr(-ENOMEM);
    }
    ref_init(&f->ref, 1);
    f->flags = flags;
    f->ops = ops;
    f->path = NULL;
    f->inode = NULL;
    f->pos = 0;
    f->writing = false;
    f->private = private;
    f->async = NULL;
    mutex_init(&f->pos_lock, RANK_FILE_POS, "file offset");
    spin_init(&f->lock, RANK_FILE, "file");
    list_init(&f->epoll_items);
    return f;
}

struct file *file_alloc_anon(const struct file_ops *ops, unsigned flags, void *private)
{
    struct file *f = file_alloc(ops, flags, private);
    if (!is_err(f)) {
        inode_get(anon_inode);
        f->inode = anon_inode;
    }
    return f;
}

void file_set_path(struct file *f, const struct path *p)
{
    path_get(p);
    f->where = *p;
    f->path = &f->where;
    f->inode = p->dentry->inode;
}

static noinline void file_free(struct file *f)
{
    if (!(f->flags & O_PATH))
        notify_file(f, FMODE_WRITE(f) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
    if (unlikely(!list_empty(&f->epoll_items)))
        epoll_forget(f);
    if (f->inode && f->inode->locks)
        file_locks_release(f);
    if (unlikely(f->async))
        async_forget(f);
    if (f->ops->release)
        f->ops->release(f);
    if (f->writing) {
        inode_put_write(f->inode);
        mount_put_write(f->where.mnt);
    }
    if (f->path)
        path_put(&f->where);
    else if (f->inode)
        inode_put(f->inode);
    slab_free(file_cache, f);
    atomic_sub(&files, 1);
}

void file_put(struct file *f)
{
    if (ref_put(&f->ref))
        file_free(f);
}

/* Something of close(2): what happens at each close, whoever else still has the description. */
void file_close(struct file *f, struct fdtable *t)
{
    if (f->ops->flush)
        f->ops->flush(f);
    if (f->inode && f->inode->locks)
        file_locks_close(f, t);
}

static ssize_t rw_at(struct file *f, struct uio *u, bool write, off_t *pos)
{
    ssize_t n = write ? f->ops->write(f, u, pos) : f->ops->read(f, u, pos);

    if (notify_wanted() && n > 0)
        notify_file(f, write ? IN_MODIFY : IN_ACCESS);
    return n;
}

static bool range_is_bad(const struct uio *u, off_t pos)
{
    return pos < 0 || (off_t)((uint64_t)pos + u->left) < 0;
}

ssize_t file_rw_checked(struct file *f, struct uio *u, bool write, bool sole)
{
    if (!f->ops->seekable) {
        off_t none = 0;
        return rw_at(f, u, write, &none);
    }
    if (!sole)
        mutex_lock(&f->pos_lock);
    off_t pos = f->pos;
    ssize_t n = -EINVAL;
    if (likely(!range_is_bad(u, pos)))
        n = rw_at(f, u, write, &pos);
    if (n > 0)
        f->pos = pos;
    if (!sole)
        mutex_unlock(&f->pos_lock);
    return n;
}

ssize_t file_rw(struct file *f, struct uio *u, bool write, bool sole)
{
    int error = file_rw_check(f, write);
    return error ? error : file_rw_checked(f, u, write, sole);
}

static ssize_t rw_positioned(struct file *f, struct uio *u, bool write, off_t pos)
{
    if (pos < 0)
        return -EINVAL;
    if (!f->ops->seekable)
        return -ESPIPE;
    int error = file_rw_check(f, write);
    if (!error && range_is_bad(u, pos))
        error = -EINVAL;
    return error ? error : rw_at(f, u, write, &pos);
}

ssize_t file_pread(struct file *f, struct uio *u, off_t pos)
{
    return rw_positioned(f, u, false, pos);
}

ssize_t file_pwrite(struct file *f, struct uio *u, off_t pos)
{
    return rw_positioned(f, u, true, pos);
}

ssize_t file_read_kernel(struct file *f, void *buf, size_t n, off_t pos)
{
    struct iovec one;
    struct uio u;
    uio_init_kernel(&u, &one, buf, n);
    return file_pread(f, &u, pos);
}

off_t file_lseek_size(struct file *f, off_t offset, int whence, uint64_t size)
{
    off_t base;
    switch (whence) {
    case SEEK_SET: base = 0; break;
    case SEEK_CUR: base = f->pos; break;
    case SEEK_END: base = (off_t)size; break;
    default: return -EINVAL;
    }
    off_t to;
    if (__builtin_add_overflow(base, offset, &to) || to < 0)
        return -EINVAL;
    return f->pos = to;
}

off_t file_lseek_null(struct file *f, off_t offset, int whence)
{
    (void)offset, (void)whence;
    return f->pos = 0;
}

int file_fsync_nothing(struct file *f)
{
    (void)f;
    return 0;
}

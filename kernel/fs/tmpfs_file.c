/*
 * The regular files of tmpfs: bytes in the pages of a vmobject. A page exists once it has been
 * written or touched through a mapping; where there is none, a reader sees zeroes.
 *
 * Writers and truncation hold inode->lock, so an append finds the end where it was. Readers hold
 * nothing: they take the size once and a reference on each page, and a page that a truncation takes
 * away under them is still the old bytes.  inode->size is what stat says, the object's size is
 * where mappings end; writers keep them equal.
 */
#include "fs/memfd.h"
#include "fs/splice.h"
#include "fs/tmpfs.h"
#include "fs/vfs.h"
#include "mm/page.h"
#include "sched/lock.h"
#include "signal/signal.h"

#define MAX_FILE_SIZE ((uint64_t)INT64_MAX)

/*
 * The pages themselves, for splice: what the file's bytes will be until the reader looks. A hole gives
 * the page of zeroes.
 */
static ssize_t tmpfs_read_pages(struct file *f, struct page_batch *b, size_t n, unsigned max,
                                off_t *pos, bool nonblock)
{
    struct inode *i = f->inode;
    uint64_t size = READ_ONCE(i->size), at = (uint64_t)*pos, start = at;
    ssize_t error = 0;

    (void)nonblock;
    n = at < size ? min((uint64_t)n, size - at) : 0;
    while (at - start < n && b->count < max) {
        size_t off = at % PAGE_SIZE, len = min(PAGE_SIZE - off, n - (at - start));
        struct page *p = vmobject_page(i->private, at / PAGE_SIZE, false);
        if (is_err(p)) {
            error = ptr_err(p);
            break;
        }
        page_batch_add(b, p ? p : zero_page, (uint32_t)off, (uint32_t)len);
        if (p)
            page_put(p);
        at += len;
    }
    *pos = (off_t)at;
    if (!(f->flags & O_NOATIME))
        inode_accessed(&f->where);
    return at > start ? (ssize_t)(at - start) : error;
}

static ssize_t tmpfs_read(struct file *f, struct uio *u, off_t *pos)
{
    struct inode *i = f->inode;
    struct vmobject *o = i->private;
    uint64_t size = READ_ONCE(i->size), at = (uint64_t)*pos, start = at;
    ssize_t error = 0;
    while (u->left && at < size) {
        size_t off = at % PAGE_SIZE;
        size_t n = min(min(PAGE_SIZE - off, u->left), size - at);
        struct page *p = vmobject_page(o, at / PAGE_SIZE, false);
        if (is_err(p)) {
            error = ptr_err(p);
            break;
        }
        size_t copied;
        if (p) {
            copied = uio_copy_out(u, (char *)page_to_virt(p) + off, n);
            page_put(p);
        } else {
            copied = uio_zero(u, n);
        }
        at += copied;
        if (copied < n) {
            error = -EFAULT;
            break;
        }
        if (long_work_must_end())
            break;
    }
    *pos = (off_t)at;
    if (!(f->flags & O_NOATIME))
        inode_accessed(&f->where);
    return at > start ? (ssize_t)(at - start) : error;
}

/* The file now reaches to SIZE, further than before. i->lock held. */
static void grow(struct inode *i, uint64_t size)
{
    struct vmobject *o = i->private;
    i->size = size;
    spin_lock(&o->lock);
    o->size = size;
    spin_unlock(&o->lock);
}

/* RLIMIT_FSIZE: how much of N bytes may be written at POS; none is -EFBIG and SIGXFSZ. */
static ssize_t within_limits(uint64_t pos, size_t n)
{
    uint64_t limit = fs_rlimit(RLIMIT_FSIZE);
    if (pos >= limit) {
        signal_send_thread(current, SIGXFSZ);
        return -EFBIG;
    }
    if (pos >= MAX_FILE_SIZE)
        return -EFBIG;
    return (ssize_t)min(min((uint64_t)n, limit - pos), MAX_FILE_SIZE - pos);
}

/*
 * Copy N bytes to AT, page by page; a page that nobody else has is kept instead. The bytes done; *ERROR
 * says why it ended early.
 */
static size_t write_pages(struct vmobject *o, struct uio *u, uint64_t at, size_t n, ssize_t *error)
{
    size_t done = 0;
    while (done < n) {
        size_t off = (at + done) % PAGE_SIZE;
        size_t piece = min(PAGE_SIZE - off, n - done);
        if (u->page && piece == PAGE_SIZE && vmobject_adopt(o, (at + done) / PAGE_SIZE, u->page)) {
            uio_skip(u, piece);
            done += piece;
            continue;
        }
        struct page *p = vmobject_page(o, (at + done) / PAGE_SIZE, true);
        if (is_err(p)) {
            *error = ptr_err(p);
            break;
        }
        size_t copied = uio_copy_in(u, (char *)page_to_virt(p) + off, piece);
        page_put(p);
        done += copied;
        if (copied < piece) {
            *error = -EFAULT;
            break;
        }
        if (long_work_must_end())
            break;
    }
    return done;
}

/* The same for seals: what lies in pages beyond the end can't be written when the file may not grow. */
static ssize_t within_seals(struct inode *i, uint64_t at, size_t n)
{
    unsigned seals = seals_of(i->private);
    if (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
        return -EPERM;
    if (!(seals & F_SEAL_GROW) || at + n <= i->size)
        return (ssize_t)n;
    uint64_t end = ALIGN_DOWN(i->size, PAGE_SIZE);
    return end > at ? (ssize_t)(end - at) : -EPERM;
}

static ssize_t write_locked(struct file *f, struct uio *u, off_t *pos)
{
    struct inode *i = f->inode;
    uint64_t at = (uint64_t)*pos;
    if (f->flags & O_APPEND || u->flags & RWF_APPEND)
        at = i->size;
    ssize_t allowed = within_limits(at, u->left);
    if (allowed < 0)
        return allowed;
    allowed = within_seals(i, at, (size_t)allowed);
    if (allowed < 0)
        return allowed;
    inode_clear_suid(i);
    inode_touch(i, TOUCH_M | TOUCH_C);
    ssize_t error = 0;
    size_t done = write_pages(i->private, u, at, (size_t)allowed, &error);
    if (done && at + done > i->size)
        grow(i, at + done);
    if (error)
        vmobject_truncate(i->private, i->size); /* a page made past the end for nothing */
    *pos = (off_t)(at + done);
    return done ? (ssize_t)done : error;
}

static ssize_t tmpfs_write(struct file *f, struct uio *u, off_t *pos)
{
    if (!u->left)
        return 0;
    mutex_lock(&f->inode->lock);
    ssize_t n = write_locked(f, u, pos);
    mutex_unlock(&f->inode->lock);
    return n;
}

static off_t tmpfs_lseek(struct file *f, off_t offset, int whence)
{
    struct inode *i = f->inode;
    if (whence != SEEK_DATA && whence != SEEK_HOLE)
        return file_lseek_size(f, offset, whence, READ_ONCE(i->size));
    off_t result = -ENXIO;
    mutex_lock(&i->lock);
    if (offset >= 0 && (uint64_t)offset < i->size) {
        uint64_t at = vmobject_seek(i->private, (uint64_t)offset, whence == SEEK_DATA);
        if (at < i->size || whence == SEEK_HOLE)
            result = f->pos = (off_t)min(at, i->size);
    }
    mutex_unlock(&i->lock);
    return result;
}

static struct vmobject *tmpfs_mmap_object(struct file *f)
{
    if (!(f->flags & O_NOATIME))
        inode_accessed(&f->where);
    return f->inode->private;
}

static long tmpfs_fcntl(struct file *f, int cmd, unsigned long arg)
{
    switch (cmd) {
    case F_GET_SEALS: return seals_of(f->inode->private);
    case F_ADD_SEALS: return seals_add(f, (unsigned)arg);
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ: return -EBADF;
    default: return -EINVAL;
    }
}

const struct file_ops tmpfs_file_ops = {
    .read = tmpfs_read,
    .write = tmpfs_write,
    .lseek = tmpfs_lseek,
    .mmap_object = tmpfs_mmap_object,
    .fcntl = tmpfs_fcntl,
    .fsync = file_fsync_nothing,
    .seekable = true,
    .splice_from = true,
    .splice_to = true,
    .read_pages = tmpfs_read_pages,
};

/* ---- size and space; i->lock held ---- */

static int tmpfs_set_size(struct inode *i, uint64_t size)
{
    if (size > MAX_FILE_SIZE)
        return -EFBIG;
    uint64_t old = i->size;
    unsigned seals = seals_of(i->private);
    if ((size < old && (seals & F_SEAL_SHRINK)) || (size > old && (seals & F_SEAL_GROW)))
        return -EPERM;
    WRITE_ONCE(i->size, size);
    if (size < old)
        vmobject_truncate(i->private, size);
    else if (size > old)
        grow(i, size);
    inode_touch(i, TOUCH_M | TOUCH_C);
    return 0;
}

static int allocate_pages(struct inode *i, uint64_t offset, uint64_t end)
{
    struct vmobject *o = i->private;
    struct tmpfs *t = tmpfs_of(i);
    if (DIV_ROUND_UP(end, PAGE_SIZE) - offset / PAGE_SIZE > t->pages.limit)
        return -ENOSPC;
    for (uint64_t index = offset / PAGE_SIZE; index < DIV_ROUND_UP(end, PAGE_SIZE); index++) {
        struct page *p = vmobject_page(o, index, true);
        int error = is_err(p) ? (int)ptr_err(p) : 0;
        if (!error) {
            page_put(p);
            error = long_work_must_end() ? -EINTR : 0;
        }
        if (error) {
            vmobject_truncate(o, i->size); /* what lies past the end again */
            return error;
        }
    }
    return 0;
}

static int tmpfs_fallocate(struct inode *i, int mode, uint64_t offset, uint64_t len)
{
    uint64_t end = offset + len;
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
        return -EOPNOTSUPP;
    unsigned seals = seals_of(i->private);
    if (mode & FALLOC_FL_PUNCH_HOLE) {
        if (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
            return -EPERM;
        vmobject_punch(i->private, offset, end);
        inode_clear_suid(i);
        inode_touch(i, TOUCH_M | TOUCH_C);
        return 0;
    }
    bool extend = end > i->size && !(mode & FALLOC_FL_KEEP_SIZE);
    if (extend && end > fs_rlimit(RLIMIT_FSIZE)) {
        signal_send_thread(current, SIGXFSZ);
        return -EFBIG;
    }
    if (extend && (seals & F_SEAL_GROW))
        return -EPERM;
    int error = allocate_pages(i, offset, end);
    if (error)
        return error;
    if (extend)
        grow(i, end);
    inode_clear_suid(i);
    inode_touch(i, TOUCH_M | TOUCH_C);
    return 0;
}

static void tmpfs_getattr(struct inode *i, struct stat *st)
{
    struct vmobject *o = i->private;
    st->st_blocks = (blkcnt_t)(READ_ONCE(o->npages) * (PAGE_SIZE / 512));
}

const struct inode_ops tmpfs_file_inode_ops = {
    .setattr_size = tmpfs_set_size,
    .getattr = tmpfs_getattr,
    .fallocate = tmpfs_fallocate,
    .free = tmpfs_free_inode,
};

/*
 * An open description: what a descriptor names, and what dup and fork share. It is a vtable, a
 * reference count, an offset and a few flags; a file of the file system, a pipe end, a terminal, a
 * socket are all this. Operations that a kind of file lacks are NULL and give the errno that Linux
 * gives.
 */
#pragma once

#include <abi/fcntl.h>
#include <abi/uio.h>

#include "fs/path.h"
#include "lib/atomic.h"
#include "lib/types.h"
#include "sched/lock.h"
#include "sched/wait.h"

struct file;
struct file_async;
struct inode;
struct page;
struct page_batch;
struct pid;
struct poll_table;
struct vmobject;

/*
 * Where bytes come from or go: user iovecs or kernel memory, walked from the front. uio_copy_in
 * fills kernel memory FROM the uio (a write(2)), uio_copy_out moves kernel memory TO it (a
 * read(2)). Both return the bytes done, which is short only when user memory faults; the uio has
 * advanced by as much.
 */
struct uio {
    const struct iovec *iov; /* kernel copy of the vector */
    unsigned count;          /* elements left */
    size_t done;             /* bytes of the first element already used */
    size_t left;             /* bytes left in all */
    unsigned flags;          /* RWF_* of preadv2 and pwritev2 */
    bool kernel;             /* the addresses are kernel memory */
    struct page *page; /* of a write: all bytes lie in this page, and who takes them may keep a
                                reference instead of a copy; NULL: no such page */
};
static inline void uio_init_user(struct uio *u, struct iovec *one, void __user *buf, size_t n)
{
    *one = (struct iovec){buf, n};
    *u = (struct uio){.iov = one, .count = 1, .left = n};
}
static inline void uio_init_kernel(struct uio *u, struct iovec *one, void *buf, size_t n)
{
    *one = (struct iovec){buf, n};
    *u = (struct uio){.iov = one, .count = 1, .left = n, .kernel = true};
}
size_t must_check uio_copy_in(struct uio *u, void *dst, size_t n);
size_t must_check uio_copy_out(struct uio *u, const void *src, size_t n);
/* Under a spinlock: never sleep; a short count means: drop the lock, uio_fault_in(), try again. */
size_t must_check uio_copy_out_nofault(struct uio *u, const void *src, size_t n);
int must_check uio_fault_in(struct uio *u, bool write_to_user);
size_t must_check uio_zero(struct uio *u, size_t n); /* zeroes to the reader */
void uio_skip(struct uio *u, size_t n);

/*
 * A directory reader's collector: emit returns false when the buffer is full and reading must stop,
 * the entry not taken. It copies to user memory: no spinlock may be held.
 */
struct dir_context {
    bool (*emit)(struct dir_context *ctx, const char *name, size_t len, uint64_t ino,
                 unsigned dtype);
    int64_t pos; /* in: where to go on (0 ".", 1 ".."); at emit: that entry's; out: the next */
};

struct file_ops {
    const char *name; /* "[eventfd]": of files that have no name of their own, for /proc/PID/fd */
    /* Bytes done, 0 at the end, -errno. *POS is the offset to use and advance. */
    ssize_t (*read)(struct file *f, struct uio *u, off_t *pos);
    ssize_t (*write)(struct file *f, struct uio *u, off_t *pos);
    /* Sets f->pos and returns it. NULL: -ESPIPE. */
    off_t (*lseek)(struct file *f, off_t offset, int whence);
    int (*readdir)(struct file *f, struct dir_context *ctx);
    /*
     * Ready events now (POLLIN...), and, when PT is not NULL, poll_wait() on every queue that may
     * change them. NULL: always readable and writable.
     */
    unsigned (*poll)(struct file *f, struct poll_table *pt);
    long (*ioctl)(struct file *f, unsigned cmd, unsigned long arg);
    /* The object that mmap maps (no reference taken), or err_ptr(-ENODEV). */
    struct vmobject *(*mmap_object)(struct file *f);
    int (*fsync)(struct file *f);
    int (*set_flags)(struct file *f, unsigned flags); /* F_SETFL: may refuse; NULL: any */
    /* What fcntl(2) doesn't know itself: F_SETPIPE_SZ, F_ADD_SEALS... NULL: -EINVAL. */
    long (*fcntl)(struct file *f, int cmd, unsigned long arg);
    /*
     * Files that SIGIO can be asked of: whom to tell if nobody was named (a reference, and in *TYPE
     * F_OWNER_*), or NULL for nobody. poll joins at most four queues then. Without: O_ASYNC does nothing.
     */
    struct pid *(*async_owner)(struct file *f, int *type);
    void (*show_fdinfo)(struct file *f, void (*emit)(void *ctx, const char *text), void *ctx);
    void (*flush)(struct file *f);   /* a descriptor for it was closed */
    void (*release)(struct file *f); /* the last reference went; may sleep */
    bool seekable; /* pread and pwrite make sense; the offset is shared under pos_lock */
    /* splice(2) may take from it, give to it (fs/splice.h); else -EINVAL */
    bool splice_from, splice_to;
    /* The file's own pages rather than a copy: as file_read_pages. NULL: read makes copies. */
    ssize_t (*read_pages)(struct file *f, struct page_batch *b, size_t n, unsigned max, off_t *pos,
                          bool nonblock);
};

struct file {
    struct refcount ref;        /* atomic */
    unsigned flags;             /* atomic: O_* of open and F_SETFL; access mode is const */
    const struct file_ops *ops; /* const after open */
    struct path *path;          /* const: where it was opened: &where, or NULL for nameless files */
    struct inode *inode;   /* const: NULL for none; path holds the reference, or the file itself */
    struct path where;     /* const: references held when path points here */
    off_t pos;             /* pos_lock; or whoever holds the only reference */
    bool writing;          /* const after open: counted in inode->writers and mount->writers */
    struct mutex pos_lock; /* RANK_FILE_POS */
    void *private;         /* const after open: the implementation's */
    struct spinlock lock;  /* RANK_FILE: the fields below */
    struct list epoll_items;  /* lock: the places in epoll sets that watch it */
    struct file_async *async; /* lock to set, once: see async.h; NULL: nobody has asked for SIGIO, SIGURG */
};

/* Access mode 3 is neither: it opens for ioctl alone. */
#define FMODE_READ(f) ((((f)->flags & O_ACCMODE) + 1) & 1)
#define FMODE_WRITE(f) ((((f)->flags & O_ACCMODE) + 1) & 2)

void file_init(void);
/*
 * A new description, reference 1, path and inode NULL (the caller may set inode: its reference is
 * then the file's); err_ptr(-ENOMEM), err_ptr(-ENFILE) at the system's limit.
 */
struct file *file_alloc(const struct file_ops *ops, unsigned flags, void *private);
/*
 * The same for what has no place in any file system (eventfd, epoll, ...): all of them share one
 * inode, of mode 0600 and of no type.
 */
struct file *file_alloc_anon(const struct file_ops *ops, unsigned flags, void *private);
static inline void file_get(struct file *f)
{
    ref_get(&f->ref);
}
void file_put(struct file *f);
size_t file_count(void);
extern size_t file_max; /* const after init: /proc/sys/fs/file-max */

/* The bodies of pread and pwrite, for all callers: check access mode, offset and limits. */
ssize_t file_pread(struct file *f, struct uio *u, off_t pos);
ssize_t file_pwrite(struct file *f, struct uio *u, off_t pos);
/* The body of fallocate, for all callers: MODE is FALLOC_FL_*, the range in bytes, checked. 0 or -errno. */
int file_allocate(struct file *f, int mode, uint64_t offset, uint64_t length);
/* Kernel memory, for exec and friends. */
ssize_t file_read_kernel(struct file *f, void *buf, size_t n, off_t pos);

/*
 * lseek operations: of a file of SIZE bytes (SET, CUR, END), and of one where every offset is 0
 * (/dev/null).
 */
off_t file_lseek_size(struct file *f, off_t offset, int whence, uint64_t size);
off_t file_lseek_null(struct file *f, off_t offset, int whence);
int file_fsync_nothing(struct file *f);

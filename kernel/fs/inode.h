/*
 * An inode is one object of a file system: a file, directory, link, device or FIFO, whatever names
 * it has. A superblock is one file system in use. Both are tables of functions and a few fields;
 * tmpfs, devfs and procfs fill them.
 */
#pragma once

#include <abi/mount.h>
#include <abi/stat.h>
#include <abi/statfs.h>

#include "lib/atomic.h"
#include "lib/types.h"
#include "sched/lock.h"

struct dentry;
struct file;
struct file_ops;
struct inode;
struct path;
struct file_locks;
struct pipe;
struct watch;

struct inode_ops {
    /*
     * Directories. The directory's lock is held; SELF is the dentry it was reached by. lookup makes
     * the dentry of a name that is not in the dcache (dentry_make) and returns it with a reference,
     * or NULL for none, or err_ptr; a file system whose dentry tree is complete has no lookup.
     * revalidate is asked about a cached dentry's inode with dcache_lock held (no locks, no sleep):
     * false drops it from the dcache.
     */
    struct dentry *(*lookup)(struct inode *dir, struct dentry *self, const char *name, size_t len);
    bool (*revalidate)(struct inode *i);
    /*
     * All kinds: MODE has S_IF*, RDEV for devices, TARGET for links. *OUT (may be NULL) gets a
     * reference.
     */
    int (*create)(struct inode *dir, struct dentry *self, const char *name, size_t len, mode_t mode,
                  dev_t rdev, const char *target, struct dentry **out);
    int (*link)(struct inode *dir, struct dentry *self, const char *name, size_t len,
                struct inode *old);
    /* An unnamed regular file (O_TMPFILE): nlink 0. err_ptr. */
    struct inode *(*tmpfile)(struct inode *dir, mode_t mode);
    int (*unlink)(struct inode *dir, struct dentry *victim); /* rmdir too: -ENOTEMPTY */
    int (*rename)(struct inode *from, struct dentry *victim, struct inode *to,
                  struct dentry *to_dir, const char *name, size_t len, struct dentry *replaced,
                  bool exchange);
    /*
     * Links: the target into BUF (no NUL), which has room for any, its length. Magic links
     * (/proc/PID/fd/N) have follow besides: *OUT with references.
     */
    ssize_t (*readlink)(struct inode *i, char *buf, size_t size);
    int (*follow)(struct inode *i, struct path *out);
    /* Any. */
    /* Truncate; i->lock held. NULL: it does nothing. */
    int (*setattr_size)(struct inode *i, uint64_t size);
    void (*getattr)(struct inode *i, struct stat *st); /* refine what the fields say */
    int (*open)(struct inode *i, struct file *f);      /* choose f->ops and f->private; may sleep */
    int (*permission)(struct inode *i, unsigned mask); /* NULL: the mode bits decide */
    /* The last reference and the last name went. Takes no sleeping locks. */
    void (*free)(struct inode *i);
    int (*fallocate)(struct inode *i, int mode, uint64_t offset, uint64_t len); /* i->lock held */
};

struct inode {
    struct refcount ref;         /* atomic */
    mode_t mode;                 /* spin; type bits const */
    uint32_t nlink;              /* spin */
    uid_t uid;                   /* spin */
    gid_t gid;                   /* spin */
    dev_t rdev;                  /* const */
    ino_t ino;                   /* const */
    struct superblock *sb;       /* const */
    const struct inode_ops *ops; /* const */
    const struct file_ops *fops; /* const: what open installs when ops->open is NULL */
    struct timespec atime, mtime, ctime, btime; /* spin */
    struct mutex lock;        /* RANK_INODE: names in a directory; size, writes of a regular file */
    struct spinlock spin;     /* RANK_INODE_SPIN */
    void *private;            /* the file system's (tmpfs: the vmobject or link target) */
    struct pipe *pipe;        /* spin: a FIFO's, while open */
    struct watch *watches;    /* notify_lock: who looks at it (fs/notify.h); NULL: nobody */
    struct file_locks *locks; /* file lock's global lock: flock and fcntl locks, NULL while none */
    uint64_t size;            /* lock; read without: what stat says */
    int writers;   /* atomic: > 0 open for writing so often; < 0 so many run it (ETXTBSY) */
    bool linkable; /* spin: O_TMPFILE without O_EXCL: nlink 0 may become 1 */
};

struct superblock {
    const char *type;    /* const: "tmpfs" */
    uint32_t magic;      /* const: statfs f_type */
    dev_t dev;           /* const: st_dev */
    bool read_only;      /* atomic: through whatever mount */
    int writers;         /* atomic: files open for writing: may not become read_only then */
    bool fixed_attr;     /* const: chmod, chown, utimes give EPERM (procfs) */
    struct refcount ref; /* atomic: mounts */
    struct dentry *root; /* const while mounted */
    void (*statfs)(struct superblock *sb, struct statfs *out); /* const */
    /* const: root has been put; frees private and sb, without sleeping locks */
    void (*free)(struct superblock *sb);
    /* const, may be NULL: obey new options; and write them, as ",size=..." */
    int (*remount)(struct superblock *sb, const char *options);
    void (*show_options)(struct superblock *sb, char *buf, size_t size);
    void *private;     /* const: limits and counters of tmpfs */
    uint64_t next_ino; /* atomic */
};

/* A file system type: mount(2) finds it by name. */
struct fs_type {
    struct fs_type *next; /* const after init */
    const char *name;     /* const */
    bool nodev;           /* const */
    int (*mount)(const char *source, const char *options, unsigned flags, struct superblock **out);
};
void fs_register(struct fs_type *t);
/* For /proc/filesystems. */
void fs_for_each(void (*emit)(void *ctx, const struct fs_type *t), void *ctx);

/*
 * A superblock with reference 1 and a fresh anonymous st_dev; root is the caller's to set. NULL:
 * out of memory.
 */
struct superblock *superblock_alloc(const char *type, uint32_t magic);
void superblock_free(struct superblock *sb);
void superblock_put(struct superblock *sb);

/* Reference 1, nlink 1, the owner is the current process's. NULL: out of memory. */
struct inode *inode_alloc(struct superblock *sb, mode_t mode);
static inline void inode_get(struct inode *i)
{
    ref_get(&i->ref);
}
void inode_put(struct inode *i);
/*
 * An inode of no file system that has names (pipes, later sockets and such): st_dev is pipefs's.
 * NULL.
 */
struct inode *inode_alloc_anon(mode_t mode);

/* ETXTBSY. exec: from opening the program until the address space lets go of it; 0 or -ETXTBSY. */
int inode_deny_write(struct inode *i);
void inode_allow_write(struct inode *i);
int inode_get_write(struct inode *i); /* who writes: 0 or -ETXTBSY */
void inode_put_write(struct inode *i);

struct timespec inode_now(void);                   /* CLOCK_REALTIME */
void inode_stat(struct inode *i, struct stat *st); /* what stat says */

#define MAY_EXEC 1u
#define MAY_WRITE 2u
#define MAY_READ 4u
/* 0 or -EACCES; path_permission also asks the mount: -EROFS, and -EACCES for programs on noexec. */
int inode_permission(struct inode *i, unsigned mask);
int path_permission(const struct path *p, unsigned mask);
void inode_touch(struct inode *i, unsigned which); /* TOUCH_A | TOUCH_M | TOUCH_C to now */
void inode_accessed(const struct path *p);         /* relatime: a read happened; honours noatime */
#define TOUCH_A 1u
#define TOUCH_M 2u
#define TOUCH_C 4u

/* Character devices: devfs and mknod'ed nodes find their driver by number. */
struct chrdev {
    struct chrdev *next;         /* const after init */
    const char *name;            /* node name in /dev, may hold one '/' ("pts/0") */
    dev_t dev;                   /* const */
    mode_t mode;                 /* const: permissions of the node */
    const struct file_ops *fops; /* const */
    int (*open)(struct inode *i, struct file *f); /* may be NULL: f->ops = fops */
    void *private;                                /* const: the driver's, for open */
};
/* From any init function after vfs_init: the node appears in devtmpfs. */
void chrdev_register(struct chrdev *c);
struct chrdev *chrdev_find(dev_t dev);
/* For /proc/devices. */
void chrdev_for_each(void (*emit)(void *ctx, const struct chrdev *c), void *ctx);

void vfs_init(void); /* the root tmpfs is mounted */
/*
 * newc cpio archives into /: 0, or -EINVAL/-ENOMEM/... (logged) with what was good before that
 * unpacked. May sleep.
 */
int initrd_unpack(const void *data, size_t size);

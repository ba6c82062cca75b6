/*
 * Names. A dentry is one name in one directory and leads to an inode; dentries form the tree that a
 * path walks, and each knows its parent, so that a place can be written as a path again (getcwd,
 * /proc). A mount joins the root of one tree onto a dentry of another. A path is a dentry and the
 * mount it was reached through, with a reference on both.
 *
 *   tmpfs and devfs: the dentry tree IS the file system; a name exists while its dentry does.
 *   procfs: dentries are made by its lookup as they are asked for, and go when nobody holds them.
 *
 * dcache_lock (spin, RANK_DCACHE) guards every dentry's links, the name hash and the mount table; a
 * directory's inode->lock (mutex, parents first) is held over creating, removing, renaming and slow
 * lookup.
 */
#pragma once

#include "fs/inode.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/types.h"
#include "sched/lock.h"

struct dentry {
    struct refcount ref;   /* atomic; in tmpfs the tree itself holds one while the name exists */
    struct dentry *parent; /* dcache_lock: a reference is held; itself at a root */
    struct inode *inode;   /* const: never NULL; a reference is held */
    struct list children;  /* dcache_lock: in order of creation */
    struct list sibling;   /* dcache_lock */
    struct list hash_link; /* dcache_lock: (parent, name) */
    uint64_t cookie;       /* dcache_lock: position for readdir, rising within the directory */
    struct mount *mounted; /* dcache_lock: first of the mounts on this dentry */
    bool unlinked;         /* dcache_lock: no name any more: " (deleted)" */
    uint32_t hash;         /* const but for rename (dcache_lock) */
    uint16_t name_len;     /* as hash */
    char *name;            /* as hash; points at inline_name when it is short */
    char inline_name[32];
};

struct mount {
    struct refcount ref;     /* atomic: paths through it, mounts on it, and the table */
    struct superblock *sb;   /* const */
    struct dentry *root;     /* const: a reference is held */
    struct mount *parent;    /* dcache_lock: NULL for the root mount */
    struct dentry *point;    /* dcache_lock: where it is mounted in parent; a reference is held */
    struct mount *next_here; /* dcache_lock: next of point->mounted; each has another parent */
    struct list link;        /* dcache_lock: mount_list, in order of mounting */
    unsigned flags; /* dcache_lock, read without: MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, ... */
    int writers;    /* atomic: files open for writing: no MS_RDONLY then */
    const char *source; /* const: first word of /proc/mounts; owned */
    int id;             /* const */
};

struct path {
    struct mount *mnt;
    struct dentry *dentry;
};

void path_get(const struct path *p);
void path_put(const struct path *p);

/*
 * What /proc/mounts and mountinfo show of a mount below ROOT, in order of mounting. No lock is held
 * during EMIT; texts are not escaped.
 */
struct mount_info {
    int id, parent_id;
    dev_t dev;
    const char *root;  /* of the mount within its file system: "/" but for binds */
    const char *point; /* where it is, as seen from ROOT */
    const char *type, *source;
    unsigned flags;      /* MS_* */
    const char *options; /* the file system's own, each with a comma in front */
};
void mount_for_each(const struct path *root, void (*emit)(void *ctx, const struct mount_info *m),
                    void *ctx);
size_t mount_count(void);

/* Where relative names begin and what the process may not climb above. Shared by CLONE_FS. */
struct fs_context {
    struct refcount ref;  /* atomic */
    struct spinlock lock; /* RANK_FS_CONTEXT */
    struct path root; /* written under lock and dcache_lock, read under either; holds references */
    struct path cwd;  /* as root */
    unsigned umask;   /* lock */
};
struct fs_context *fs_context_create(void); /* at the root of everything; for process 1 */
struct fs_context *fs_context_copy(struct fs_context *c);
static inline void fs_context_get(struct fs_context *c)
{
    ref_get(&c->ref);
}
void fs_context_put(struct fs_context *c);
unsigned current_umask(void);
/*
 * The current process's root and working directory (of everything, for the kernel's own threads),
 * with references.
 */
void path_of_root(struct path *out);
void path_of_cwd(struct path *out);
/* The same of any process's context: for /proc/PID/root and cwd. */
void fs_context_paths(struct fs_context *c, struct path *root, struct path *cwd);

enum lookup_flags {
    LOOKUP_FOLLOW = 1,    /* follow a symbolic link at the end too */
    LOOKUP_DIRECTORY = 2, /* the end must be a directory */
    LOOKUP_EMPTY = 4,     /* "" means the start itself (AT_EMPTY_PATH) */
    LOOKUP_PARENT = 8,    /* fs/ only: stop at the parent */
    LOOKUP_REAL_IDS = 16, /* check with real instead of effective ids (access(2)) */
    LOOKUP_NO_XDEV = 32,
    LOOKUP_NO_SYMLINKS = 64,
    LOOKUP_NO_MAGICLINKS = 128, /* openat2 */
    LOOKUP_BENEATH = 256,
    LOOKUP_IN_ROOT = 512,
    LOOKUP_CACHED = 1024, /* fail with -EAGAIN rather than sleep */
};

/*
 * Walk NAME (kernel memory) from descriptor DFD (AT_FDCWD: the working directory). 0 with
 * references in *OUT, or -ENOENT, -ENOTDIR, -EACCES, -ELOOP (over 40 links), -ENAMETOOLONG, -EBADF,
 * -ENOMEM. Search permission is checked on every directory. May sleep.
 */
int path_lookup(int dfd, const char *name, unsigned flags, struct path *out);
/*
 * User memory to a kernel string on its own allocation: err_ptr(-EFAULT, -ENAMETOOLONG, -ENOENT
 * when empty unless EMPTY_OK).
 */
char *path_from_user(const char __user *name, bool empty_ok);
void path_name_free(char *name);
/* The usual pair in one step. */
int path_lookup_user(int dfd, const char __user *name, unsigned flags, struct path *out);

/*
 * One name of directory DIR, cached or by its lookup operation: a reference, NULL when there is
 * none, err_ptr. DIR's inode->lock is held.
 */
struct dentry *dentry_lookup(struct dentry *dir, const char *name, size_t len);
static inline void dentry_get(struct dentry *d)
{
    ref_get(&d->ref);
}
void dentry_put(struct dentry *d);
/*
 * For lookup operations: a dentry NAME of DIR for INODE, whose reference it takes over (on failure
 * as well); it stays in the dcache while somebody holds a reference. err_ptr(-ENOMEM),
 * err_ptr(-ENOENT) when DIR is gone.
 */
struct dentry *dentry_make(struct dentry *dir, const char *name, size_t len, struct inode *inode);
/* A superblock's root: takes over the inode's reference. NULL when out of memory. */
struct dentry *dentry_make_root(struct inode *inode);
/*
 * A path for an inode that has no name, shown as NAME ("pipe:[7]"): for /proc/PID/fd/N of pipes. A
 * reference on the inode is taken. 0 or -ENOMEM.
 */
int path_of_anon(struct inode *i, const char *name, struct path *out);

/*
 * Write P as an absolute path as seen from ROOT (of everything, when P is not below ROOT), into the
 * end of BUF: pointer into it, or err_ptr(-ENAMETOOLONG). Appends " (deleted)". The _from form says
 * whether ROOT was met.
 */
char *path_format_from(const struct path *p, const struct path *root, char *buf, size_t size,
                       bool *reached);
char *path_format(const struct path *p, const struct path *root, char *buf, size_t size);

/*
 * Open by path for the kernel itself (exec, init): err_ptr. Checks permissions as the current
 * process does (none for kernel threads before process 1). file_open_path: P was looked up already;
 * no permission is checked, but device and write rules are. P's references stay the caller's.
 */
struct file *file_open(int dfd, const char *name, unsigned flags, mode_t mode);
struct file *file_open_path(const struct path *p, unsigned flags);

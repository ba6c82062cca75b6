/*
 * What the files of fs/ share among themselves and nobody else needs: the dcache's inner functions,
 * the path walk in its parts, permission checks with chosen ids, and the bodies of calls that have
 * several entrances.
 */
#pragma once

#include <abi/limits.h>
#include <abi/stat.h>

#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/path.h"
#include "lib/string.h"
#include "lib/types.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "x86/cpu.h"

/* ---- who asks ---- */

extern const struct cred kernel_cred; /* all rights: kernel threads before process 1 */

static inline const struct cred *fs_cred(void)
{
    return current->proc ? current_cred() : &kernel_cred;
}
static inline bool fs_capable(int cap)
{
    return fs_cred()->cap_effective >> cap & 1;
}
/* The current process's limit; kernel threads have none. */
static inline uint64_t fs_rlimit(int resource)
{
    return current->proc ? proc_rlimit(resource) : RLIM_INFINITY;
}

/* The ids that a permission check uses: effective ones, or for access(2) the real ones. */
struct access_ids {
    uid_t uid;
    gid_t gid;
    uint64_t caps;
    const struct cred *cred; /* for the supplementary groups */
};
struct access_ids access_ids_current(bool real);
int inode_check(const struct access_ids *ids, struct inode *i, unsigned mask);
bool ids_in_group(const struct access_ids *ids, gid_t gid);
/* The caller owns I or may act as if. */
bool inode_owner_or_capable(struct inode *i);
/* A write or a change of owner takes the set-id bits away. i->lock held. */
void inode_clear_suid(struct inode *i);

void inode_init(void);
void devfs_init(void);
struct fs_type *fs_type_find(const char *name);

/* ---- names ---- */

extern struct spinlock dcache_lock; /* RANK_DCACHE */

#define NAME_HASH_START 0x811c9dc5u
static inline uint32_t name_hash_step(uint32_t h, char c)
{
    return (h ^ (uint8_t)c) * 0x01000193u;
}
uint32_t name_hash(const char *name, size_t len);

/* Below: _locked needs dcache_lock. */
struct dentry *dentry_find_locked(struct dentry *dir, const char *name, size_t len, uint32_t hash);
/* Not yet in the tree; reference 1; takes over the inode's reference (on failure as well). NULL. */
struct dentry *dentry_alloc(const char *name, size_t len, struct inode *inode);
/* -ENOENT when DIR has been removed. */
int dentry_attach_locked(struct dentry *dir, struct dentry *d);
void dentry_detach_locked(struct dentry *d);
/*
 * attach with the lock taken, the tree's own reference included: for file systems whose dentries
 * are the truth.
 */
int dentry_add(struct dentry *dir, struct dentry *d);
/*
 * Give D (attached) the place and name of the arguments; NAME_COPY from dentry_name_copy, for long
 * names.
 */
void dentry_move_locked(struct dentry *d, struct dentry *dir, const char *name, size_t len,
                        char **name_copy);
char *dentry_name_copy(const char *name, size_t len, int *error); /* NULL and 0 for short names */
bool dentry_is_below_locked(const struct dentry *d, const struct dentry *ancestor);
/* The first child with cookie >= POS. */
struct dentry *dentry_child_from_locked(struct dentry *dir, uint64_t pos);
/* Remove all of a dead superblock's tree. */
void dentry_destroy_tree(struct dentry *root);
void dcache_init(void);

/* ---- mounts ---- */

extern struct mount *root_mount; /* const after vfs_init */
struct mount *mount_find_locked(const struct mount *parent, const struct dentry *d);
void mount_put(struct mount *m);
struct mount *mount_of_dev(dev_t dev); /* any that shows that superblock, with a reference; NULL */
static inline void mount_get(struct mount *m)
{
    ref_get(&m->ref);
}
void mount_top_locked(struct path *p);
bool dentry_is_mounted_on(const struct dentry *d);
bool path_is_mount_root(const struct path *p);
/* May P's mount be written through? 0 or -EROFS. */
static inline int mount_writable(const struct mount *m)
{
    return m->flags & MS_RDONLY || m->sb->read_only ? -EROFS : 0;
}
int mount_get_write(struct mount *m); /* and stay so until put: -EROFS */
void mount_put_write(struct mount *m);
void mount_init(void);
void path_of_root_locked(struct path *out); /* no references */
void path_of_cwd_locked(struct path *out);
bool path_is_below_locked(const struct path *p, const struct path *root);

/* ---- path walk (namei.c) ---- */

enum last_type { LAST_NAME, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

struct walk_level {
    char *text;       /* a link's target, on its own page; NULL: the caller's string */
    const char *rest; /* where to go on in the level outside */
};

struct walk {
    struct path cur;           /* stable while dcache_lock is held, or pinned */
    struct path root;          /* as cur: what "/" means and ".." doesn't climb above */
    struct path pin;           /* references of ours on where we last slept; mnt NULL: none */
    struct path pin_root;      /* the same on root */
    struct dentry *pin_child;  /* a reference of ours, or NULL */
    struct fdref start;        /* the descriptor that the walk began at */
    const char *next;          /* what is still to walk in this level */
    char *text;                /* this level's own text, if it is a link's */
    struct walk_level *levels; /* MAX_SYMLINKS of them, when depth has been > 0 */
    unsigned depth;
    unsigned flags; /* LOOKUP_* */
    unsigned links; /* symbolic links followed */
    bool slash;     /* slashes follow the last component */
    /* with LOOKUP_PARENT: the last component */
    enum last_type last_type;
    const char *last;
    uint32_t last_len, last_hash;
};

/* Start; 0 or -errno. Whatever it returns, walk_end must follow. dcache_lock is held on success. */
int walk_begin(struct walk *w, int dfd, const char *name, unsigned flags);
/* Walk to the end (or the parent); dcache_lock held before and after. */
int walk_run(struct walk *w);
/* With LOOKUP_PARENT: the last name turned out to be link D: go on at its target's parent. */
int walk_follow_last(struct walk *w, struct dentry *d);
/* Keep w->cur safe and drop dcache_lock; take it again. */
int walk_pause(struct walk *w);
void walk_resume(struct walk *w);
/* dcache_lock not held. */
void walk_end(struct walk *w);

/* A name from a program, on the stack when it is short. */
struct user_name {
    char *text;
    char small[128];
};
int user_name_get(struct user_name *n, const char __user *name, bool empty_ok);
void user_name_put(struct user_name *n);

/* Parent directory of NAME in *w (paused: w->pin is the directory), its lock not yet taken. */
int walk_parent(struct walk *w, int dfd, const char *name, unsigned flags);
/*
 * Take the directory's lock and make room for a new name: -EEXIST, -ENOENT, -EROFS, -EACCES... Lock
 * held on 0.
 */
int walk_create_begin(struct walk *w, bool is_dir);
void walk_dir_unlock(struct walk *w);
int dir_may_create(const struct path *dir);
int dir_may_delete(const struct path *dir, struct dentry *victim, int is_dir);

/* ---- bodies ---- */

int fs_mkdir(int dfd, const char *name, mode_t mode);
int fs_mknod(int dfd, const char *name, mode_t mode, dev_t dev);
int fs_symlink(const char *target, int dfd, const char *name);
int fs_link(int olddfd, const char *oldname, int newdfd, const char *newname, unsigned flags);
int fs_unlink(int dfd, const char *name);
int fs_rmdir(int dfd, const char *name);
int fs_chmod(const struct path *p, struct inode *i, mode_t mode);
int fs_chown(const struct path *p, struct inode *i, uid_t uid, gid_t gid);
int fs_truncate_inode(struct inode *i, uint64_t size);
mode_t apply_umask(mode_t mode);
void context_set_cwd(const struct path *p);
void context_set_root(const struct path *p);
unsigned context_set_umask(unsigned mask);

/* ipc/fifo.c: an upcall; what opening a FIFO does */
int fifo_open(struct inode *i, struct file *f);

/* file.c */
/* What close(2) of a descriptor in T does beyond dropping the reference. */
void file_close(struct file *f, struct fdtable *t);
void file_set_path(struct file *f, const struct path *p); /* takes references */
/* At the description's offset. */
ssize_t file_rw(struct file *f, struct uio *u, bool write, bool sole);

/* rw.c */
/* A program's vector of pieces, copied and checked: on the stack when it is short. */
struct user_vector {
    struct uio u;
    struct iovec *iov;
    struct iovec small[UIO_FASTIOV];
};
/* -EINVAL (more than IOV_MAX, or a negative length), -EFAULT, -ENOMEM; put what 0 has got. */
int vector_get(struct user_vector *v, const struct iovec __user *iov, unsigned long count);
void vector_put(struct user_vector *v);

/* fdtable.c */
void fdtable_init(void);
void fd_close_range(unsigned first, unsigned last, bool mark_only);
int fd_replace(struct file *f, unsigned to, bool cloexec);
int fd_get_cloexec(unsigned fd); /* 0, 1, -EBADF */
int fd_set_cloexec(unsigned fd, bool cloexec);

/*
 * R was taken without a reference, so this thread's table is its own; when the description's only
 * reference is that table's, nobody else reads, writes or seeks here before the call has ended.
 */
static inline bool file_sole(struct fdref r)
{
    return !r.owned && ref_read(&r.file->ref) == 1;
}
/*
 * What read and write ask first: -EBADF when not open for it, -EINVAL when this kind of file can't.
 */
static inline int file_rw_check(const struct file *f, bool write)
{
    if (unlikely(!(write ? FMODE_WRITE(f) : FMODE_READ(f))))
        return -EBADF;
    return likely(write ? f->ops->write != NULL : f->ops->read != NULL) ? 0 : -EINVAL;
}
ssize_t file_rw_checked(struct file *f, struct uio *u, bool write, bool sole);

/* A long loop in the kernel gives others a turn, and ends when the process is to die: true. */
static inline bool long_work_must_end(void)
{
    uint32_t work = READ_ONCE(current->work);
    if (likely(!(work & (WORK_RESCHED | WORK_EXIT))))
        return false;
    if (work & WORK_RESCHED)
        schedule();
    return fatal_pending(current);
}

/* locks.c */
void file_locks_close(struct file *f, struct fdtable *t); /* POSIX: any close drops the process's */
void file_locks_release(struct file *f);                  /* flock and OFD: the description goes */

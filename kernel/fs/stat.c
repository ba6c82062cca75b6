/*
 * What is known about a file: the stat family, access(2), readlink(2), statfs(2).
 */
#include <abi/sysmacros.h>
#include <syscall_protos.h>

#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "x86/uaccess.h"

/* ---- what is asked about: a path, or with AT_EMPTY_PATH a descriptor, whatever it names ---- */

struct subject {
    struct inode *inode; /* NULL: a description without one */
    struct path path;    /* references held when mnt is not NULL */
    struct fdref fd;
};

static void subject_put(struct subject *s)
{
    if (s->path.mnt)
        path_put(&s->path);
    fdref_put(s->fd);
}

static int subject_of_fd(struct subject *s, int fd)
{
    *s = (struct subject){.fd = fdref_get_any(fd)};
    if (!s->fd.file)
        return -EBADF;
    s->inode = s->fd.file->inode;
    return 0;
}

static int subject_of_path(struct subject *s, int dfd, const char __user *path, unsigned lookup)
{
    *s = (struct subject){0};
    int error;
    if (lookup & LOOKUP_EMPTY && dfd >= 0) {
        char first = 0;
        if (path && get_user(first, path))
            return -EFAULT;
        if (!first)
            return subject_of_fd(s, dfd);
    }
    if (lookup & LOOKUP_EMPTY && !path)
        error = path_lookup(dfd, "", lookup, &s->path);
    else
        error = path_lookup_user(dfd, path, lookup, &s->path);
    if (error)
        s->path.mnt = NULL;
    else
        s->inode = s->path.dentry->inode;
    return error;
}

static unsigned lookup_from_at(int flags)
{
    return (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
           (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
}

/* ---- stat ---- */

static void subject_stat(const struct subject *s, struct stat *st)
{
    if (s->inode)
        inode_stat(s->inode, st);
    else
        *st = (struct stat){.st_mode = 0600, .st_nlink = 1, .st_blksize = PAGE_SIZE};
}

static long stat_at(int dfd, const char __user *path, struct stat __user *out, unsigned lookup)
{
    struct subject s;
    struct stat st;
    int error = subject_of_path(&s, dfd, path, lookup);
    if (error)
        return error;
    subject_stat(&s, &st);
    subject_put(&s);
    return copy_to_user(out, &st, sizeof(st));
}

long sys_stat(const char __user *path, struct stat __user *st)
{
    return stat_at(AT_FDCWD, path, st, LOOKUP_FOLLOW);
}

long sys_lstat(const char __user *path, struct stat __user *st)
{
    return stat_at(AT_FDCWD, path, st, 0);
}

long sys_fstat(int fd, struct stat __user *out)
{
    struct subject s;
    struct stat st;
    int error = subject_of_fd(&s, fd);
    if (error)
        return error;
    subject_stat(&s, &st);
    subject_put(&s);
    return copy_to_user(out, &st, sizeof(st));
}

#define STAT_FLAGS (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)

long sys_newfstatat(int dirfd, const char __user *path, struct stat __user *st, int flags)
{
    if (flags & ~STAT_FLAGS)
        return -EINVAL;
    return stat_at(dirfd, path, st, lookup_from_at(flags));
}

static struct statx_timestamp statx_time(struct timespec t)
{
    return (struct statx_timestamp){.tv_sec = t.tv_sec, .tv_nsec = (uint32_t)t.tv_nsec};
}

static void fill_statx(const struct subject *s, const struct stat *st, unsigned mask,
                       struct statx *x)
{
    const struct path *p = s->path.mnt ? &s->path : s->fd.file ? s->fd.file->path : NULL;
    *x = (struct statx){
        .stx_mask = STATX_BASIC_STATS | (mask & STATX_BTIME),
        .stx_blksize = (uint32_t)st->st_blksize,
        .stx_attributes_mask = STATX_ATTR_MOUNT_ROOT,
        .stx_nlink = (uint32_t)st->st_nlink,
        .stx_uid = st->st_uid,
        .stx_gid = st->st_gid,
        .stx_mode = (uint16_t)st->st_mode,
        .stx_ino = st->st_ino,
        .stx_size = (uint64_t)st->st_size,
        .stx_blocks = (uint64_t)st->st_blocks,
        .stx_atime = statx_time(st->st_atim),
        .stx_ctime = statx_time(st->st_ctim),
        .stx_mtime = statx_time(st->st_mtim),
        .stx_rdev_major = major(st->st_rdev),
        .stx_rdev_minor = minor(st->st_rdev),
        .stx_dev_major = major(st->st_dev),
        .stx_dev_minor = minor(st->st_dev),
    };
    if (s->inode && mask & STATX_BTIME)
        x->stx_btime = statx_time(s->inode->btime);
    if (p) {
        x->stx_mask |= STATX_MNT_ID;
        x->stx_mnt_id = (uint64_t)p->mnt->id;
        if (path_is_mount_root(p))
            x->stx_attributes |= STATX_ATTR_MOUNT_ROOT;
    }
}

long sys_statx(int dirfd, const char __user *path, int flags, unsigned int mask,
               struct statx __user *buf)
{
    if (mask & STATX__RESERVED || flags & ~STAT_FLAGS ||
        (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
        return -EINVAL;
    struct subject s;
    struct stat st;
    struct statx x;
    int error = subject_of_path(&s, dirfd, path, lookup_from_at(flags));
    if (error)
        return error;
    subject_stat(&s, &st);
    fill_statx(&s, &st, mask, &x);
    subject_put(&s);
    return copy_to_user(buf, &x, sizeof(x));
}

/* ---- access ---- */

static int may_access(const struct subject *s, unsigned mask, bool real)
{
    struct inode *i = s->inode;
    const struct path *p = s->path.mnt ? &s->path : s->fd.file->path;
    if (!i)
        return 0;
    if (mask & MAY_EXEC && S_ISREG(i->mode) && p && p->mnt->flags & MS_NOEXEC)
        return -EACCES;
    struct access_ids ids = access_ids_current(real);
    int error =
        i->ops && i->ops->permission ? i->ops->permission(i, mask) : inode_check(&ids, i, mask);
    if (error || !(mask & MAY_WRITE) || !p)
        return error;
    if (!S_ISREG(i->mode) && !S_ISDIR(i->mode) && !S_ISLNK(i->mode))
        return 0;
    return mount_writable(p->mnt);
}

static long access_at(int dfd, const char __user *path, int mode, int flags)
{
    _Static_assert(R_OK == MAY_READ && W_OK == MAY_WRITE && X_OK == MAY_EXEC, "one set of bits");
    if (mode & ~(R_OK | W_OK | X_OK) || flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    bool real = !(flags & AT_EACCESS);
    struct subject s;
    int error =
        subject_of_path(&s, dfd, path, lookup_from_at(flags) | (real ? LOOKUP_REAL_IDS : 0));
    if (error)
        return error;
    if (mode != F_OK)
        error = may_access(&s, (unsigned)mode, real);
    subject_put(&s);
    return error;
}

long sys_access(const char __user *path, int mode)
{
    return access_at(AT_FDCWD, path, mode, 0);
}

long sys_faccessat(int dirfd, const char __user *path, int mode)
{
    return access_at(dirfd, path, mode, 0);
}

long sys_faccessat2(int dirfd, const char __user *path, int mode, int flags)
{
    return access_at(dirfd, path, mode, flags);
}

/* ---- readlink ---- */

static long read_target(const struct path *p, char __user *buf, size_t size)
{
    struct inode *i = p->dentry->inode;
    char *text = kmalloc(PATH_MAX);
    if (!text)
        return -ENOMEM;
    ssize_t n = i->ops->readlink(i, text, PATH_MAX);
    if (n >= 0)
        inode_accessed(p);
    n = min(n, (ssize_t)size); /* all of it was asked for: what is cut off is cut off here */
    if (n > 0 && copy_to_user(buf, text, (size_t)n))
        n = -EFAULT;
    kfree(text);
    return n;
}

long sys_readlinkat(int dirfd, const char __user *path, char __user *buf, size_t size)
{
    if ((int)size <= 0)
        return -EINVAL;
    struct user_name name;
    struct path p;
    long result = user_name_get(&name, path, true);
    if (result)
        return result;
    bool empty = !*name.text;
    result = path_lookup(dirfd, name.text, LOOKUP_EMPTY, &p);
    user_name_put(&name);
    if (result == -ENOTDIR && empty)
        result = -ENOENT; /* the descriptor of what has no path, and is no link */
    if (result)
        return result;
    if (p.dentry->inode->ops && p.dentry->inode->ops->readlink)
        result = read_target(&p, buf, (size_t)(int)size);
    else
        result = empty ? -ENOENT : -EINVAL;
    path_put(&p);
    return result;
}

long sys_readlink(const char __user *path, char __user *buf, size_t size)
{
    return sys_readlinkat(AT_FDCWD, path, buf, size);
}

/* ---- file systems ---- */

static long statfs_flags(unsigned mount)
{
    static const struct {
        unsigned ms, st;
    } map[] = {
        {MS_RDONLY, ST_RDONLY},     {MS_NOSUID, ST_NOSUID},   {MS_NODEV, ST_NODEV},
        {MS_NOEXEC, ST_NOEXEC},     {MS_NOATIME, ST_NOATIME}, {MS_NODIRATIME, ST_NODIRATIME},
        {MS_RELATIME, ST_RELATIME},
    };
    long flags = ST_VALID;
    for (size_t i = 0; i < ARRAY_SIZE(map); i++)
        if (mount & map[i].ms)
            flags |= map[i].st;
    return flags;
}

static void fill_statfs(struct superblock *sb, const struct mount *m, struct statfs *st)
{
    *st = (struct statfs){
        .f_type = sb->magic,
        .f_bsize = PAGE_SIZE,
        .f_namelen = NAME_MAX,
        .f_frsize = PAGE_SIZE,
        .f_flags = statfs_flags(m ? m->flags : 0),
    };
    st->f_fsid.__val[0] = (int)sb->dev;
    st->f_fsid.__val[1] = (int)(sb->dev >> 32);
    if (sb->statfs)
        sb->statfs(sb, st);
}

long sys_statfs(const char __user *path, struct statfs __user *buf)
{
    struct path p;
    struct statfs st;
    int error = path_lookup_user(AT_FDCWD, path, LOOKUP_FOLLOW, &p);
    if (error)
        return error;
    fill_statfs(p.dentry->inode->sb, p.mnt, &st);
    path_put(&p);
    return copy_to_user(buf, &st, sizeof(st));
}

long sys_fstatfs(int fd, struct statfs __user *buf)
{
    struct subject s;
    struct statfs st;
    int error = subject_of_fd(&s, fd);
    if (error)
        return error;
    const struct path *p = s.fd.file->path;
    if (s.inode)
        fill_statfs(s.inode->sb, p ? p->mnt : NULL, &st);
    else
        st = (struct statfs){.f_type = ANON_INODE_FS_MAGIC, .f_bsize = PAGE_SIZE};
    subject_put(&s);
    return copy_to_user(buf, &st, sizeof(st));
}

/* The file system of ustat(2), which nobody uses: free blocks and inodes of a mounted device. */
struct ustat {
    int f_tfree;
    ino_t f_tinode;
    char f_fname[6], f_fpack[6];
};

long sys_ustat(dev_t dev, void __user *buf)
{
    struct mount *m = mount_of_dev(dev & UINT32_MAX);
    if (!m)
        return -EINVAL;
    struct statfs st;
    fill_statfs(m->sb, m, &st);
    mount_put(m);
    struct ustat u;
    memset(&u, 0, sizeof(u));
    u.f_tfree = (int)st.f_bfree;
    u.f_tinode = st.f_ffree;
    return copy_to_user(buf, &u, sizeof(u));
}

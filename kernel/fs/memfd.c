/*
 * memfd_create: a file of tmpfs that never had a name, in a tmpfs of its own that is mounted nowhere. And
 * seals: promises about such a file that nobody can take back, so that one process can hand it to another
 * that doesn't trust it.
 *
 * The seals lie in the file's vmobject, with its size and its count of writable mappings, because the one
 * excludes the others: no seal against writing while a mapping could write.
 */
#include <abi/fcntl.h>
#include <abi/mman.h>

#include <syscall_protos.h>

#include "fs/memfd.h"
#include "fs/mount.h"
#include "fs/tmpfs.h"
#include "fs/vfs.h"
#include "lib/log.h"
#include "x86/panic.h"
#include "x86/uaccess.h"

#define PREFIX "memfd:"
#define NAME_ROOM (NAME_MAX + 1 - (sizeof(PREFIX) - 1)) /* what the caller may give, NUL included */
#define ALL_SEALS \
    (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC)

static struct mount *memfd_mount; /* const after init */

/* ---- seals ---- */

unsigned seals_of(struct vmobject *o)
{
    return READ_ONCE(o->seals);
}

/* The inode is locked: no write and no truncation is under way. */
static int add_seals_locked(struct inode *i, unsigned seals)
{
    struct vmobject *o = i->private;

    if (o->seals & F_SEAL_SEAL)
        return -EPERM;
    /* What nobody may make anything else of isn't changed either. */
    if ((seals & F_SEAL_EXEC) && (i->mode & 0111))
        seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
    spin_lock(&o->lock);
    int error =
        (seals & F_SEAL_WRITE) && !(o->seals & F_SEAL_WRITE) && o->writable_maps ? -EBUSY : 0;
    if (!error)
        o->seals |= seals;
    spin_unlock(&o->lock);
    return error;
}

int seals_add(struct file *f, unsigned seals)
{
    if (!FMODE_WRITE(f))
        return -EPERM;
    if (seals & ~(unsigned)ALL_SEALS)
        return -EINVAL;
    mutex_lock(&f->inode->lock);
    int error = add_seals_locked(f->inode, seals);
    mutex_unlock(&f->inode->lock);
    return error;
}

/* ---- memfd_create ---- */

static int check_flags(unsigned flags)
{
    if (flags &
        ~(unsigned)(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_NOEXEC_SEAL | MFD_EXEC))
        return -EINVAL;
    if ((flags & MFD_EXEC) && (flags & MFD_NOEXEC_SEAL))
        return -EINVAL;
    return flags & MFD_HUGETLB ? -ENOSYS : 0; /* there is no file system of huge pages */
}

/* A dentry below the root that nobody finds, for /proc to show: err_ptr. */
static struct dentry *make_file(const char *name, unsigned flags)
{
    struct dentry *root = memfd_mount->root;
    mode_t mode = S_IFREG | (flags & MFD_NOEXEC_SEAL ? 0666 : 0777);
    struct inode *i = root->inode->ops->tmpfile(root->inode, mode);

    if (is_err(i))
        return (struct dentry *)i;
    struct vmobject *o = i->private;
    if (flags & MFD_NOEXEC_SEAL)
        o->seals = F_SEAL_EXEC;
    else if (flags & MFD_ALLOW_SEALING)
        o->seals = 0;
    struct dentry *d = dentry_alloc(name, strlen(name), i);
    if (!d)
        return err_ptr(-ENOMEM);
    spin_lock(&dcache_lock);
    dentry_get(root);
    d->parent = root;
    d->unlinked = true;
    spin_unlock(&dcache_lock);
    return d;
}

long sys_memfd_create(const char __user *user, unsigned flags)
{
    char name[NAME_MAX + 1] = PREFIX;
    int error = check_flags(flags);

    if (error)
        return error;
    long len = strncpy_from_user(name + sizeof(PREFIX) - 1, user, NAME_ROOM);
    if (len < 0)
        return len == -ENAMETOOLONG ? -EINVAL : len;
    struct dentry *d = make_file(name, flags);
    if (is_err(d))
        return ptr_err(d);
    struct file *f = file_open_path(&(struct path){memfd_mount, d}, O_RDWR | O_LARGEFILE);
    dentry_put(d);
    if (is_err(f))
        return ptr_err(f);
    int fd = fd_open(f, flags & MFD_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

void memfd_init(void)
{
    struct superblock *sb = tmpfs_create_sb("tmpfs", "size=0,nr_inodes=0");

    if (!is_err(sb)) {
        memfd_mount = mount_alloc(sb, sb->root, "tmpfs", MS_NOATIME);
        superblock_put(sb);
    }
    if (!memfd_mount)
        panic("no memory for memfds");
}

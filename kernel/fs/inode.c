/*
 * Inodes and superblocks: what all file systems have in common. An inode lives while a dentry, an
 * open file without a name or somebody in the middle of something holds a reference; the last put
 * hands it to its file system's free(). Permission is decided by the mode bits and the asker's ids,
 * with the override rules of the superuser's capabilities.
 */
#include <abi/sysmacros.h>

#include "fs/notify.h"
#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "x86/clock.h"

static struct slab_cache *inode_cache; /* const after init */
static struct superblock *anon_sb;     /* const after init: pipes and other nameless inodes */
static unsigned next_anon_dev;         /* atomic */
static struct fs_type *fs_types;       /* const after init */

const struct cred kernel_cred = {
    .ref = REFCOUNT_INIT(1),
    .cap_permitted = ~0UL,
    .cap_effective = ~0UL,
};

struct timespec inode_now(void)
{
    nsec_t now = clock_realtime();
    return (struct timespec){.tv_sec = now / NSEC_PER_SEC, .tv_nsec = now % NSEC_PER_SEC};
}

struct inode *inode_alloc(struct superblock *sb, mode_t mode)
{
    struct inode *i = slab_zalloc(inode_cache);
    if (!i)
        return NULL;
    ref_init(&i->ref, 1);
    i->mode = mode;
    i->nlink = 1;
    const struct cred *c = fs_cred();
    i->uid = c->fsuid;
    i->gid = c->fsgid;
    i->ino = atomic_add(&sb->next_ino, 1);
    i->sb = sb;
    i->atime = i->mtime = i->ctime = i->btime = inode_now();
    mutex_init(&i->lock, RANK_INODE, "inode");
    spin_init(&i->spin, RANK_INODE_SPIN, "inode");
    return i;
}

struct inode *inode_alloc_anon(mode_t mode)
{
    return inode_alloc(anon_sb, mode);
}

void inode_put(struct inode *i)
{
    if (!ref_put(&i->ref))
        return;
    assert(!i->locks);
    if (i->ops && i->ops->free)
        i->ops->free(i);
    slab_free(inode_cache, i);
}

/* ---- permission ---- */

struct access_ids access_ids_current(bool real)
{
    const struct cred *c = fs_cred();
    if (!real)
        return (struct access_ids){c->fsuid, c->fsgid, c->cap_effective, c};
    return (struct access_ids){c->uid, c->gid, c->uid == 0 ? c->cap_permitted : 0, c};
}

bool ids_in_group(const struct access_ids *ids, gid_t gid)
{
    if (ids->gid == gid)
        return true;
    unsigned low = 0, high = ids->cred->ngroups;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (ids->cred->groups[mid] == gid)
            return true;
        if (ids->cred->groups[mid] < gid)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

static bool caps_override(uint64_t caps, mode_t mode, unsigned mask)
{
    bool override = caps >> CAP_DAC_OVERRIDE & 1;
    bool search = caps >> CAP_DAC_READ_SEARCH & 1;
    if (S_ISDIR(mode))
        return override || (search && !(mask & MAY_WRITE));
    if (search && mask == MAY_READ)
        return true;
    return override && (!(mask & MAY_EXEC) || mode & 0111);
}

/* By the mode bits alone, as POSIX's file access permissions (XBD 4.5) say. */
int inode_check(const struct access_ids *ids, struct inode *i, unsigned mask)
{
    mode_t mode = READ_ONCE(i->mode), bits = mode;
    mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
    if (i->uid == ids->uid)
        bits >>= 6;
    else if (ids_in_group(ids, i->gid))
        bits >>= 3;
    if (!(mask & ~bits) || caps_override(ids->caps, mode, mask))
        return 0;
    return -EACCES;
}

int inode_permission(struct inode *i, unsigned mask)
{
    if (i->ops && i->ops->permission)
        return i->ops->permission(i, mask);
    struct access_ids ids = access_ids_current(false);
    return inode_check(&ids, i, mask);
}

int path_permission(const struct path *p, unsigned mask)
{
    struct inode *i = p->dentry->inode;
    if (mask & MAY_WRITE && (S_ISREG(i->mode) || S_ISDIR(i->mode) || S_ISLNK(i->mode)) &&
        mount_writable(p->mnt))
        return -EROFS;
    if (mask & MAY_EXEC && S_ISREG(i->mode) && p->mnt->flags & MS_NOEXEC)
        return -EACCES;
    return inode_permission(i, mask);
}

bool inode_owner_or_capable(struct inode *i)
{
    const struct cred *c = fs_cred();
    return c->fsuid == i->uid || c->cap_effective >> CAP_FOWNER & 1;
}

void inode_clear_suid(struct inode *i)
{
    if (!S_ISREG(i->mode) || !(i->mode & (S_ISUID | S_ISGID)) || fs_capable(CAP_FSETID))
        return;
    spin_lock(&i->spin);
    mode_t mode = i->mode & ~S_ISUID;
    if (mode & S_IXGRP)
        mode &= ~S_ISGID;
    i->mode = mode;
    spin_unlock(&i->spin);
}

/* ---- times ---- */

void inode_touch(struct inode *i, unsigned which)
{
    struct timespec now = inode_now();
    spin_lock(&i->spin);
    if (which & TOUCH_A)
        i->atime = now;
    if (which & TOUCH_M)
        i->mtime = now;
    if (which & TOUCH_C)
        i->ctime = now;
    spin_unlock(&i->spin);
}

static bool time_before_or_equal(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec <= b->tv_nsec);
}

/* relatime: the access time moves only when it is no newer than the last change, or a day old. */
void inode_accessed(const struct path *p)
{
    struct inode *i = p->dentry->inode;
    unsigned flags = p->mnt->flags;
    if (flags & (MS_NOATIME | MS_RDONLY) || (flags & MS_NODIRATIME && S_ISDIR(i->mode)))
        return;
    struct timespec now = inode_now();
    if (flags & MS_RELATIME && !time_before_or_equal(&i->atime, &i->mtime) &&
        !time_before_or_equal(&i->atime, &i->ctime) && now.tv_sec - i->atime.tv_sec < 24 * 60 * 60)
        return;
    spin_lock(&i->spin);
    i->atime = now;
    spin_unlock(&i->spin);
}

void inode_stat(struct inode *i, struct stat *st)
{
    *st = (struct stat){
        .st_dev = i->sb->dev,
        .st_ino = i->ino,
        .st_nlink = i->nlink,
        .st_mode = i->mode,
        .st_uid = i->uid,
        .st_gid = i->gid,
        .st_rdev = i->rdev,
        .st_size = (off_t)i->size,
        .st_blksize = PAGE_SIZE,
    };
    spin_lock(&i->spin);
    st->st_atim = i->atime;
    st->st_mtim = i->mtime;
    st->st_ctim = i->ctime;
    spin_unlock(&i->spin);
    if (i->ops && i->ops->getattr)
        i->ops->getattr(i, st);
}

/* ---- running or writing: never both (ETXTBSY) ---- */

/* Add STEP to the count unless it has the other sign. */
static int writers_step(struct inode *i, int step)
{
    int old = __atomic_load_n(&i->writers, __ATOMIC_RELAXED);
    do {
        if (step > 0 ? old < 0 : old > 0)
            return -ETXTBSY;
    } while (!__atomic_compare_exchange_n(&i->writers, &old, old + step, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    return 0;
}

int inode_get_write(struct inode *i)
{
    return writers_step(i, 1);
}
int inode_deny_write(struct inode *i)
{
    return writers_step(i, -1);
}
void inode_put_write(struct inode *i)
{
    atomic_sub(&i->writers, 1);
}
void inode_allow_write(struct inode *i)
{
    atomic_add(&i->writers, 1);
}

/* ---- superblocks and types ---- */

struct superblock *superblock_alloc(const char *type, uint32_t magic)
{
    struct superblock *sb = kzalloc(sizeof(*sb));
    if (!sb)
        return NULL;
    sb->type = type;
    sb->magic = magic;
    sb->dev = makedev(0, atomic_add(&next_anon_dev, 1));
    ref_init(&sb->ref, 1);
    return sb;
}

void superblock_free(struct superblock *sb)
{
    kfree(sb);
}

void superblock_put(struct superblock *sb)
{
    if (!ref_put(&sb->ref))
        return;
    notify_unmount(sb);
    if (sb->root)
        dentry_destroy_tree(sb->root);
    if (sb->free)
        sb->free(sb);
    else
        superblock_free(sb);
}

void fs_register(struct fs_type *t)
{
    struct fs_type **end = &fs_types;
    while (*end)
        end = &(*end)->next;
    t->next = NULL;
    *end = t;
}

struct fs_type *fs_type_find(const char *name)
{
    for (struct fs_type *t = fs_types; t; t = t->next)
        if (!strcmp(t->name, name))
            return t;
    return NULL;
}

void fs_for_each(void (*emit)(void *ctx, const struct fs_type *t), void *ctx)
{
    for (struct fs_type *t = fs_types; t; t = t->next)
        emit(ctx, t);
}

void inode_init(void)
{
    inode_cache = slab_cache_create("inode", sizeof(struct inode), 0);
    anon_sb = superblock_alloc("pipefs", PIPEFS_MAGIC);
    if (!anon_sb)
        panic("no memory for the first superblock");
}

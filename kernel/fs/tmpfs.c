/*
 * tmpfs: a file system that is nothing but the kernel's own structures. The dentry tree is the
 * directory tree; a name exists while its dentry is attached. A regular file's bytes are a
 * vmobject's pages (see tmpfs_file.c), a link's target is a string, everything else is in the
 * inode.
 *
 * The directory's inode->lock is held by the callers (they go by name and must not see two of one
 * name appear); what has to change in one piece, as in a rename, changes under dcache_lock.
 */
#include "fs/tmpfs.h"

#include "fs/vfs.h"
#include "lib/printf.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "sched/lock.h"

#define MODE_MASK (S_ISUID | S_ISGID | S_ISVTX | 0777)

/* ---- inodes ---- */

static const struct inode_ops *ops_for(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR: return &tmpfs_dir_inode_ops;
    case S_IFREG: return &tmpfs_file_inode_ops;
    case S_IFLNK: return &tmpfs_link_inode_ops;
    default: return &tmpfs_special_inode_ops;
    }
}

/* Give INODE its contents. */
static int fill_inode(struct inode *i, const char *target)
{
    struct tmpfs *t = tmpfs_of(i);
    if (S_ISREG(i->mode)) {
        struct vmobject *o = vmobject_create(0);
        if (!o)
            return -ENOMEM;
        o->quota = &t->pages;
        o->seals = F_SEAL_SEAL; /* memfds alone may be sealed */
        i->private = o;
        i->fops = &tmpfs_file_ops;
    } else if (S_ISLNK(i->mode)) {
        i->private = kstrdup(target);
        if (!i->private)
            return -ENOMEM;
        i->size = strlen(target);
    } else if (S_ISDIR(i->mode)) {
        i->fops = &tree_dir_ops;
        i->nlink = 2;
        i->size = 2 * TMPFS_ENTRY_SIZE;
    }
    return 0;
}

static struct inode *tmpfs_inode(struct superblock *sb, mode_t mode, dev_t rdev, const char *target)
{
    struct tmpfs *t = sb->private;
    size_t count = atomic_add(&t->inodes, 1);
    struct inode *i = NULL;
    int error = -ENOSPC;
    if (!t->max_inodes || count <= t->max_inodes) {
        i = inode_alloc(sb, mode);
        error = -ENOMEM;
    }
    if (!i) {
        atomic_sub(&t->inodes, 1);
        return err_ptr(error);
    }
    i->ops = ops_for(mode);
    i->rdev = rdev;
    error = fill_inode(i, target);
    if (error) {
        inode_put(i);
        return err_ptr(error);
    }
    return i;
}

void tmpfs_free_inode(struct inode *i)
{
    if (S_ISREG(i->mode) && i->private)
        vmobject_put(i->private);
    else if (S_ISLNK(i->mode))
        kfree(i->private);
    atomic_sub(&tmpfs_of(i)->inodes, 1);
}

/*
 * Owner and mode of something new in DIR: a set-group-id directory passes its group on (inode(7)).
 */
static void inherit_group(struct inode *dir, struct inode *i)
{
    if (!(dir->mode & S_ISGID))
        return;
    i->gid = dir->gid;
    if (S_ISDIR(i->mode)) {
        i->mode |= S_ISGID;
    } else if ((i->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && !fs_capable(CAP_FSETID)) {
        struct access_ids ids = access_ids_current(false);
        if (!ids_in_group(&ids, i->gid))
            i->mode &= ~S_ISGID;
    }
}

/* ---- directories ---- */

/*
 * DIR has N entries more (or less) and SUBDIRS of them are directories: its size, links and times.
 */
static void dir_changed(struct inode *dir, int n, int subdirs)
{
    struct timespec now = inode_now();
    spin_lock(&dir->spin);
    dir->size += (uint64_t)(n * TMPFS_ENTRY_SIZE);
    dir->nlink += (uint32_t)subdirs;
    dir->mtime = dir->ctime = now;
    spin_unlock(&dir->spin);
}

static void links_changed(struct inode *i, int n)
{
    struct timespec now = inode_now();
    spin_lock(&i->spin);
    i->nlink += (uint32_t)n;
    i->ctime = now;
    spin_unlock(&i->spin);
}

/* Attach a new name for INODE (whose reference is taken over). */
static int add_name(struct dentry *self, const char *name, size_t len, struct inode *i,
                    struct dentry **out)
{
    struct dentry *d = dentry_alloc(name, len, i);
    if (!d)
        return -ENOMEM;
    int error = dentry_add(self, d);
    if (!error && out)
        *out = d;
    else
        dentry_put(d);
    return error;
}

int tmpfs_create(struct inode *dir, struct dentry *self, const char *name, size_t len, mode_t mode,
                 dev_t rdev, const char *target, struct dentry **out)
{
    struct inode *i = tmpfs_inode(dir->sb, mode & (S_IFMT | MODE_MASK), rdev, target);
    if (is_err(i))
        return (int)ptr_err(i);
    inherit_group(dir, i);
    int error = add_name(self, name, len, i, out);
    if (!error)
        dir_changed(dir, 1, S_ISDIR(mode) ? 1 : 0);
    return error;
}

static struct inode *tmpfs_tmpfile(struct inode *dir, mode_t mode)
{
    struct inode *i = tmpfs_inode(dir->sb, mode & (S_IFMT | MODE_MASK), 0, NULL);
    if (!is_err(i)) {
        inherit_group(dir, i);
        i->nlink = 0;
    }
    return i;
}

static int tmpfs_link(struct inode *dir, struct dentry *self, const char *name, size_t len,
                      struct inode *old)
{
    inode_get(old);
    int error = add_name(self, name, len, old, NULL);
    if (error)
        return error;
    links_changed(old, 1);
    dir_changed(dir, 1, 0);
    return 0;
}

static int tmpfs_unlink(struct inode *dir, struct dentry *victim)
{
    struct inode *i = victim->inode;
    bool is_dir = S_ISDIR(i->mode);
    spin_lock(&dcache_lock);
    int error = !list_empty(&victim->children) ? -ENOTEMPTY : victim->mounted ? -EBUSY : 0;
    if (!error)
        dentry_detach_locked(victim);
    spin_unlock(&dcache_lock);
    if (error)
        return error;
    links_changed(i, is_dir ? -2 : -1);
    dir_changed(dir, -1, is_dir ? -1 : 0);
    dentry_put(victim); /* the tree's own reference */
    return 0;
}

/* May VICTIM go into TO_DIR in place of REPLACED? dcache_lock held. */
static int rename_check_locked(struct dentry *victim, struct dentry *to_dir,
                               struct dentry *replaced, bool exchange)
{
    if (dentry_is_below_locked(to_dir, victim))
        return -EINVAL;
    if (to_dir->unlinked)
        return -ENOENT;
    if (victim->mounted || (replaced && replaced->mounted))
        return -EBUSY;
    if (exchange)
        return dentry_is_below_locked(victim->parent, replaced) ? -EINVAL : 0;
    return replaced && !list_empty(&replaced->children) ? -ENOTEMPTY : 0;
}

/* Swap the names and places of A and B: a copy of B's name stands in *NAME_COPY when it is long. */
static void exchange_locked(struct dentry *a, struct dentry *b, char **a_copy, char **b_copy)
{
    struct dentry *a_dir = a->parent, *b_dir = b->parent;
    char a_name[NAME_MAX + 1];
    size_t a_len = a->name_len;
    memcpy(a_name, a->name, a_len);
    dentry_move_locked(a, b_dir, b->name, b->name_len, b_copy);
    dentry_move_locked(b, a_dir, a_name, a_len, a_copy);
}

static int tmpfs_exchange(struct dentry *a, struct dentry *b)
{
    int error;
    char *a_copy = dentry_name_copy(a->name, a->name_len, &error);
    char *b_copy = error ? NULL : dentry_name_copy(b->name, b->name_len, &error);
    if (!error) {
        spin_lock(&dcache_lock);
        error = rename_check_locked(a, b->parent, b, true);
        if (!error)
            exchange_locked(a, b, &a_copy, &b_copy);
        spin_unlock(&dcache_lock);
    }
    kfree(a_copy);
    kfree(b_copy);
    return error;
}

static int tmpfs_replace(struct dentry *victim, struct dentry *to_dir, const char *name, size_t len,
                         struct dentry *replaced)
{
    int error;
    char *copy = dentry_name_copy(name, len, &error);
    if (error)
        return error;
    spin_lock(&dcache_lock);
    error = rename_check_locked(victim, to_dir, replaced, false);
    if (!error) {
        if (replaced)
            dentry_detach_locked(replaced);
        dentry_move_locked(victim, to_dir, name, len, &copy);
    }
    spin_unlock(&dcache_lock);
    kfree(copy);
    return error;
}

static int tmpfs_rename(struct inode *from, struct dentry *victim, struct inode *to,
                        struct dentry *to_dir, const char *name, size_t len,
                        struct dentry *replaced, bool exchange)
{
    int is_dir = S_ISDIR(victim->inode->mode) ? 1 : 0;
    int was_dir = replaced && S_ISDIR(replaced->inode->mode) ? 1 : 0;
    int error = exchange ? tmpfs_exchange(victim, replaced)
                         : tmpfs_replace(victim, to_dir, name, len, replaced);
    if (error)
        return error;
    if (exchange) {
        dir_changed(from, 0, was_dir - is_dir);
        dir_changed(to, 0, is_dir - was_dir);
        links_changed(replaced->inode, 0);
    } else {
        dir_changed(from, -1, -is_dir);
        dir_changed(to, replaced ? 0 : 1, is_dir - was_dir);
        if (replaced) {
            links_changed(replaced->inode, was_dir ? -2 : -1);
            dentry_put(replaced); /* the tree's own reference */
        }
    }
    links_changed(victim->inode, 0);
    return 0;
}

/* ---- links and the rest ---- */

static ssize_t tmpfs_readlink(struct inode *i, char *buf, size_t size)
{
    size_t len = min((size_t)i->size, size);
    memcpy(buf, i->private, len);
    return (ssize_t)len;
}

const struct inode_ops tmpfs_dir_inode_ops = {
    .create = tmpfs_create,
    .tmpfile = tmpfs_tmpfile,
    .link = tmpfs_link,
    .unlink = tmpfs_unlink,
    .rename = tmpfs_rename,
    .free = tmpfs_free_inode,
};
const struct inode_ops tmpfs_link_inode_ops = {.readlink = tmpfs_readlink,
                                               .free = tmpfs_free_inode};
const struct inode_ops tmpfs_special_inode_ops = {.free = tmpfs_free_inode};

/* ---- the file system ---- */

static void tmpfs_statfs(struct superblock *sb, struct statfs *st)
{
    struct tmpfs *t = sb->private;
    if (t->pages.limit != SIZE_MAX) {
        size_t used = min(READ_ONCE(t->pages.used), t->pages.limit);
        st->f_blocks = t->pages.limit;
        st->f_bfree = st->f_bavail = t->pages.limit - used;
    }
    if (t->max_inodes) {
        st->f_files = t->max_inodes;
        st->f_ffree = t->max_inodes - min(READ_ONCE(t->inodes), t->max_inodes);
    }
}

static void tmpfs_free_sb(struct superblock *sb)
{
    kfree(sb->private);
    superblock_free(sb);
}

static void tmpfs_show(struct superblock *sb, char *buf, size_t size)
{
    struct tmpfs *t = sb->private;
    int n = 0;
    if (t->shown_size)
        n = snprintf(buf, size, ",size=%zuk", t->pages.limit * (PAGE_SIZE / 1024));
    if (t->mode != (S_ISVTX | 0777))
        snprintf(buf + n, size - (size_t)n, ",mode=%o", t->mode);
}

/* What size=, nr_blocks= and so on asked for, before it takes effect. */
struct tmpfs_options {
    uint64_t pages, inodes;
    bool size_given, inodes_given;
    mode_t mode;
    uid_t uid;
    gid_t gid;
};

/* "12", "12k", "3m", "1g", and "50%" of OF when OF is not 0. */
static int parse_size(const char *s, uint64_t of, uint64_t *value)
{
    char digits[24];
    size_t n = 0;
    while (s[n] >= '0' && s[n] <= '9' && n < sizeof(digits) - 1) {
        digits[n] = s[n];
        n++;
    }
    digits[n] = '\0';
    uint64_t number;
    if (parse_u64(digits, 10, &number))
        return -EINVAL;
    unsigned shift = 0;
    switch (s[n] | 0x20) {
    case 'k': shift = 10; break;
    case 'm': shift = 20; break;
    case 'g': shift = 30; break;
    case 't': shift = 40; break;
    case '%' | 0x20:
        if (!of || s[n + 1])
            return -EINVAL;
        *value = of / 100 * number + of % 100 * number / 100;
        return 0;
    default: *value = number; return s[n] ? -EINVAL : 0;
    }
    *value = number << shift;
    return s[n + 1] ? -EINVAL : 0;
}

static int parse_option(const char *key, const char *value, struct tmpfs_options *o)
{
    uint64_t n = 0;
    int error;
    if (!strcmp(key, "huge") || !strcmp(key, "mpol"))
        return 0; /* one kind of page and one node: whatever is asked for, that is what there is */
    if (!value)
        return -EINVAL;
    if (!strcmp(key, "size")) {
        error = parse_size(value, page_total() * PAGE_SIZE, &n);
        o->pages = DIV_ROUND_UP(n, PAGE_SIZE);
        o->size_given = true;
    } else if (!strcmp(key, "nr_blocks")) {
        error = parse_size(value, 0, &o->pages);
        o->size_given = true;
    } else if (!strcmp(key, "nr_inodes")) {
        error = parse_size(value, 0, &o->inodes);
        o->inodes_given = true;
    } else if (!strcmp(key, "mode")) {
        error = parse_u64(value, 8, &n);
        o->mode = (mode_t)n & MODE_MASK;
    } else if (!strcmp(key, "uid")) {
        error = parse_u64(value, 10, &n);
        o->uid = (uid_t)n;
    } else if (!strcmp(key, "gid")) {
        error = parse_u64(value, 10, &n);
        o->gid = (gid_t)n;
    } else {
        error = -EINVAL;
    }
    return error ? -EINVAL : 0;
}

static int parse_options(const char *options, struct tmpfs_options *o)
{
    char *text = kstrdup(options), *next = text;
    if (!text)
        return -ENOMEM;
    int error = 0;
    while (next && *next && !error) {
        char *key = next, *comma = strchr(key, ',');
        if (comma)
            *comma = '\0';
        next = comma ? comma + 1 : NULL;
        if (!*key)
            continue;
        char *value = strchr(key, '=');
        if (value)
            *value++ = '\0';
        error = parse_option(key, value, o);
    }
    kfree(text);
    return error;
}

static int tmpfs_remount(struct superblock *sb, const char *options)
{
    struct tmpfs *t = sb->private;
    struct tmpfs_options o = {0};
    int error = parse_options(options, &o);
    if (error)
        return error;
    if (o.size_given && o.pages && o.pages < t->pages.used)
        return -EINVAL;
    if (o.inodes_given && o.inodes && o.inodes < t->inodes)
        return -EINVAL;
    if (o.size_given) {
        atomic_store(&t->pages.limit, o.pages ? o.pages : SIZE_MAX);
        t->shown_size = o.pages;
    }
    if (o.inodes_given)
        atomic_store(&t->max_inodes, o.inodes);
    return 0;
}

struct superblock *tmpfs_create_sb(const char *type, const char *options)
{
    struct tmpfs_options o = {
        .pages = page_total() / 2,
        .inodes = page_total() / 2,
        .mode = S_ISVTX | 0777,
        .uid = fs_cred()->fsuid,
        .gid = fs_cred()->fsgid,
    };
    int error = parse_options(options, &o);
    if (error)
        return err_ptr(error);
    struct superblock *sb = superblock_alloc(type, TMPFS_MAGIC);
    struct tmpfs *t = kzalloc(sizeof(*t));
    if (!sb || !t) {
        kfree(t);
        superblock_free(sb);
        return err_ptr(-ENOMEM);
    }
    t->pages.limit = o.pages ? o.pages : SIZE_MAX;
    t->max_inodes = o.inodes;
    t->shown_size = o.size_given && o.pages;
    t->mode = o.mode;
    sb->private = t;
    sb->statfs = tmpfs_statfs;
    sb->free = tmpfs_free_sb;
    sb->remount = tmpfs_remount;
    sb->show_options = tmpfs_show;
    struct inode *root = tmpfs_inode(sb, S_IFDIR | o.mode, 0, NULL);
    if (!is_err(root)) {
        root->uid = o.uid;
        root->gid = o.gid;
        sb->root = dentry_make_root(root);
    }
    if (!sb->root) {
        superblock_put(sb);
        return err_ptr(-ENOMEM);
    }
    return sb;
}

static int tmpfs_mount(const char *source, const char *options, unsigned flags,
                       struct superblock **out)
{
    (void)source, (void)flags;
    struct superblock *sb = tmpfs_create_sb("tmpfs", options);
    if (is_err(sb))
        return (int)ptr_err(sb);
    *out = sb;
    return 0;
}

struct fs_type tmpfs_type = {.name = "tmpfs", .nodev = true, .mount = tmpfs_mount};

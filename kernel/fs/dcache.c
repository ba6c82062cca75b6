/*
 * The tree of names. Every dentry is on three chains: its parent's children, a bucket of the name
 * hash, and, through its references, whatever holds it. dcache_lock guards all links and is what
 * makes a path walk cheap: one lock, then a hash look-up a component, and a reference only on what
 * is found at the end.
 *
 * A count reaches zero only under dcache_lock, and the dentry leaves the hash in the same breath:
 * who finds a dentry under the lock may therefore always take a reference. In tmpfs and devfs the
 * tree itself holds one on every name that exists; in procfs nobody does, and a dentry goes when
 * its last user lets go.
 *
 * A child holds a reference on its parent, removed or not: ".." and getcwd always find their way.
 */
#include "fs/notify.h"
#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"

#define HASH_BUCKETS 2048u

struct spinlock dcache_lock = SPINLOCK_INIT(RANK_DCACHE, "dcache");

static struct slab_cache *dentry_cache;      /* const after init */
static struct list name_table[HASH_BUCKETS]; /* dcache_lock */
static uint64_t last_cookie = 2;             /* dcache_lock: 0 and 1 are "." and ".." */
static struct superblock *anon_mount_sb;     /* const after init */
static struct mount anon_mount;              /* where nameless inodes' paths are; never freed */

uint32_t name_hash(const char *name, size_t len)
{
    uint32_t h = NAME_HASH_START;
    for (size_t i = 0; i < len; i++)
        h = name_hash_step(h, name[i]);
    return h;
}

static struct list *bucket(const struct dentry *dir, uint32_t hash)
{
    return &name_table[(hash ^ (uint32_t)((uintptr_t)dir >> 6) ^ hash >> 15) % HASH_BUCKETS];
}

struct dentry *dentry_find_locked(struct dentry *dir, const char *name, size_t len, uint32_t hash)
{
    struct list *head = bucket(dir, hash);
    for (struct list *l = head->next; l != head; l = l->next) {
        struct dentry *d = list_entry(l, struct dentry, hash_link);
        if (d->hash == hash && d->parent == dir && d->name_len == len &&
            !memcmp(d->name, name, len))
            return d;
    }
    return NULL;
}

char *dentry_name_copy(const char *name, size_t len, int *error)
{
    *error = 0;
    if (len < sizeof(((struct dentry *)0)->inline_name))
        return NULL;
    char *copy = kmalloc(len + 1);
    if (!copy) {
        *error = -ENOMEM;
        return NULL;
    }
    memcpy(copy, name, len);
    copy[len] = '\0';
    return copy;
}

static void set_name(struct dentry *d, const char *name, size_t len, char *copy)
{
    if (copy) {
        d->name = copy;
    } else {
        memcpy(d->inline_name, name, len);
        d->inline_name[len] = '\0';
        d->name = d->inline_name;
    }
    d->name_len = (uint16_t)len;
    d->hash = name_hash(name, len);
}

struct dentry *dentry_alloc(const char *name, size_t len, struct inode *inode)
{
    int error;
    char *copy = dentry_name_copy(name, len, &error);
    struct dentry *d = error ? NULL : slab_alloc(dentry_cache);
    if (!d) {
        kfree(copy);
        inode_put(inode);
        return NULL;
    }
    ref_init(&d->ref, 1);
    d->parent = d;
    d->inode = inode;
    list_init(&d->children);
    list_init(&d->sibling);
    list_init(&d->hash_link);
    d->cookie = 0;
    d->mounted = NULL;
    d->unlinked = false;
    set_name(d, name, len, copy);
    return d;
}

struct dentry *dentry_make_root(struct inode *inode)
{
    return dentry_alloc("", 0, inode);
}

int dentry_attach_locked(struct dentry *dir, struct dentry *d)
{
    if (dir->unlinked)
        return -ENOENT;
    dentry_get(dir);
    d->parent = dir;
    d->cookie = ++last_cookie;
    list_push_back(&dir->children, &d->sibling);
    list_push_front(bucket(dir, d->hash), &d->hash_link);
    return 0;
}

int dentry_add(struct dentry *dir, struct dentry *d)
{
    spin_lock(&dcache_lock);
    int error = dentry_attach_locked(dir, d);
    if (!error)
        dentry_get(d);
    spin_unlock(&dcache_lock);
    return error;
}

/* The name is gone; the reference on the parent stays until D itself goes. */
void dentry_detach_locked(struct dentry *d)
{
    list_remove(&d->hash_link);
    list_remove(&d->sibling);
    d->unlinked = true;
}

struct dentry *dentry_make(struct dentry *dir, const char *name, size_t len, struct inode *inode)
{
    struct dentry *d = dentry_alloc(name, len, inode);
    if (!d)
        return err_ptr(-ENOMEM);
    spin_lock(&dcache_lock);
    int error = dentry_attach_locked(dir, d);
    spin_unlock(&dcache_lock);
    if (error) {
        dentry_put(d);
        return err_ptr(error);
    }
    return d;
}

static void dentry_free(struct dentry *d)
{
    if (unlikely(READ_ONCE(d->inode->watches)) && !READ_ONCE(d->inode->nlink))
        notify_gone(d->inode);
    inode_put(d->inode);
    if (d->name != d->inline_name)
        kfree(d->name);
    slab_free(dentry_cache, d);
}

/* Give one reference back without the lock, unless it is the last. */
static bool put_unless_last(struct dentry *d)
{
    int old = ref_read(&d->ref);
    while (old > 1)
        if (__atomic_compare_exchange_n(&d->ref.count, &old, old - 1, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
            return true;
    return false;
}

void dentry_put(struct dentry *d)
{
    while (d && !put_unless_last(d)) {
        spin_lock(&dcache_lock);
        bool last = ref_put(&d->ref);
        if (last)
            dentry_detach_locked(d);
        spin_unlock(&dcache_lock);
        if (!last)
            return;
        assert(list_empty(&d->children) && !d->mounted);
        struct dentry *parent = d->parent == d ? NULL : d->parent;
        dentry_free(d);
        d = parent;
    }
}

struct dentry *dentry_lookup(struct dentry *dir, const char *name, size_t len)
{
    const struct inode_ops *ops = dir->inode->ops;
    spin_lock(&dcache_lock);
    struct dentry *d = dentry_find_locked(dir, name, len, name_hash(name, len));
    if (d && d->inode->ops && d->inode->ops->revalidate && !d->inode->ops->revalidate(d->inode)) {
        dentry_detach_locked(d);
        d = NULL;
    }
    if (d)
        dentry_get(d);
    spin_unlock(&dcache_lock);
    if (!d && ops->lookup)
        return ops->lookup(dir->inode, dir, name, len);
    return d;
}

/*
 * Rename. On return *NAME_COPY is what the caller has to kfree: the old long name, or nothing. The
 * place in a directory that is being read stays when only the name changes, so that a reader that
 * renames what it finds comes to an end.
 */
void dentry_move_locked(struct dentry *d, struct dentry *dir, const char *name, size_t len,
                        char **name_copy)
{
    char *old_copy = d->name == d->inline_name ? NULL : d->name;
    list_remove(&d->hash_link);
    set_name(d, name, len, *name_copy);
    if (d->parent != dir) {
        struct dentry *old = d->parent;
        list_remove(&d->sibling);
        dentry_get(dir);
        d->parent = dir;
        d->cookie = ++last_cookie;
        list_push_back(&dir->children, &d->sibling);
        bool last = ref_put(&old->ref); /* never: the caller holds the old directory */
        assert(!last);
        (void)last;
    }
    list_push_front(bucket(dir, d->hash), &d->hash_link);
    *name_copy = old_copy;
}

bool dentry_is_below_locked(const struct dentry *d, const struct dentry *ancestor)
{
    while (d != ancestor) {
        if (d->parent == d)
            return false;
        d = d->parent;
    }
    return true;
}

struct dentry *dentry_child_from_locked(struct dentry *dir, uint64_t pos)
{
    struct dentry *d;
    list_for_each (d, &dir->children, sibling)
        if (d->cookie >= pos)
            return d;
    return NULL;
}

void dentry_destroy_tree(struct dentry *root)
{
    struct dentry *d = root;
    for (;;) {
        spin_lock(&dcache_lock);
        struct dentry *child = list_first(&d->children, struct dentry, sibling);
        struct dentry *parent = d->parent;
        if (!child && d != root)
            dentry_detach_locked(d);
        spin_unlock(&dcache_lock);
        if (child) {
            d = child;
        } else if (d != root) {
            dentry_put(d);
            d = parent;
        } else {
            dentry_put(root);
            return;
        }
    }
}

/* ---- paths as text ---- */

struct text_end {
    char *buf, *at; /* what is there begins at AT and ends with the buffer */
};

static bool prepend(struct text_end *t, const char *s, size_t len)
{
    if ((size_t)(t->at - t->buf) < len)
        return false;
    t->at -= len;
    memcpy(t->at, s, len);
    return true;
}

/*
 * Write the way from ROOT to P. False: no room. *REACHED: ROOT was met, not merely the top of some
 * tree.
 */
static bool format_locked(const struct path *p, const struct path *root, struct text_end *t,
                          bool *reached)
{
    struct path at = *p;
    char *start = t->at;
    *reached = true;
    while (at.dentry != root->dentry || at.mnt != root->mnt) {
        if (at.dentry == at.mnt->root || at.dentry->parent == at.dentry) {
            if (at.dentry == at.mnt->root && at.mnt->parent) {
                at = (struct path){at.mnt->parent, at.mnt->point};
                continue;
            }
            *reached = false;
            if (at.dentry->name_len && at.dentry->parent == at.dentry)
                return prepend(t, at.dentry->name, at.dentry->name_len); /* "pipe:[7]" */
            break;
        }
        if (!prepend(t, at.dentry->name, at.dentry->name_len) || !prepend(t, "/", 1))
            return false;
        at.dentry = at.dentry->parent;
    }
    return t->at != start || prepend(t, "/", 1);
}

char *path_format_from(const struct path *p, const struct path *root, char *buf, size_t size,
                       bool *reached)
{
    static const char deleted[] = " (deleted)";
    struct text_end t = {buf, buf + size};
    spin_lock(&dcache_lock);
    bool fits = prepend(&t, "", 1);
    if (fits && p->dentry->unlinked)
        fits = prepend(&t, deleted, sizeof(deleted) - 1);
    fits = fits && format_locked(p, root, &t, reached);
    spin_unlock(&dcache_lock);
    return fits ? t.at : err_ptr(-ENAMETOOLONG);
}

char *path_format(const struct path *p, const struct path *root, char *buf, size_t size)
{
    bool reached;
    return path_format_from(p, root, buf, size, &reached);
}

int path_of_anon(struct inode *i, const char *name, struct path *out)
{
    inode_get(i);
    struct dentry *d = dentry_alloc(name, strlen(name), i);
    if (!d)
        return -ENOMEM;
    mount_get(&anon_mount);
    *out = (struct path){&anon_mount, d};
    return 0;
}

void path_get(const struct path *p)
{
    mount_get(p->mnt);
    dentry_get(p->dentry);
}

void path_put(const struct path *p)
{
    dentry_put(p->dentry);
    mount_put(p->mnt);
}

void dcache_init(void)
{
    for (unsigned i = 0; i < HASH_BUCKETS; i++)
        list_init(&name_table[i]);
    dentry_cache = slab_cache_create("dentry", sizeof(struct dentry), 0);
    anon_mount_sb = superblock_alloc("anon", ANON_INODE_FS_MAGIC);
    if (!anon_mount_sb)
        panic("no memory for the name cache");
    ref_init(&anon_mount.ref, 1);
    anon_mount.sb = anon_mount_sb;
    anon_mount.flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME;
    list_init(&anon_mount.link);
}

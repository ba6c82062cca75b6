/*
 * The tree of mounts. A mount shows one superblock's tree (or, for a bind, a part of it) at a
 * dentry of its parent mount. Looking a mount up asks for the pair (parent mount, dentry): one
 * dentry can be seen through several mounts, and only one of them may be mounted on there. What is
 * mounted twice on one place stacks: the second sits on the first one's root.
 *
 *      root_mount "/"                    path walk at dentry "proc" of root_mount:
 *        +- tmp    <- mount, tmpfs         mounted != NULL and its parent is root_mount
 *        +- proc   <- mount, procfs        -> go on at that mount's root
 *
 * dcache_lock guards the links. A mount is held by the table while attached, by each path through
 * it and by each mount on it, so one whose count is the table's alone is not busy.
 */
#include "fs/mount.h"
#include "fs/vfs.h"
#include "mm/slab.h"
#include "sched/lock.h"

struct mount *root_mount;

static struct list mount_list =
    LIST_INIT(mount_list);             /* dcache_lock: attached ones, in order of mounting */
static size_t mounts;                  /* dcache_lock: how many */
static struct slab_cache *mount_cache; /* const after init */
static int last_id;                    /* atomic */

struct mount *mount_find_locked(const struct mount *parent, const struct dentry *d)
{
    for (struct mount *m = d->mounted; m; m = m->next_here)
        if (m->parent == parent)
            return m;
    return NULL;
}

bool dentry_is_mounted_on(const struct dentry *d)
{
    return READ_ONCE(d->mounted) != NULL;
}

bool path_is_mount_root(const struct path *p)
{
    return p->dentry == p->mnt->root;
}

bool path_is_below_locked(const struct path *p, const struct path *root)
{
    struct mount *m = p->mnt;
    const struct dentry *d = p->dentry;
    while (m != root->mnt) {
        if (!m->parent)
            return false;
        d = m->point;
        m = m->parent;
    }
    return dentry_is_below_locked(d, root->dentry);
}

struct mount *mount_alloc(struct superblock *sb, struct dentry *root, const char *source,
                          unsigned flags)
{
    struct mount *m = slab_zalloc(mount_cache);
    char *name = m ? kstrdup(source) : NULL;
    if (!name) {
        slab_free(mount_cache, m);
        return NULL;
    }
    ref_init(&m->ref, 1);
    ref_get(&sb->ref);
    m->sb = sb;
    dentry_get(root);
    m->root = root;
    m->flags = flags;
    m->source = name;
    m->id = atomic_add(&last_id, 1);
    list_init(&m->link);
    return m;
}

void mount_put(struct mount *m)
{
    if (!ref_put(&m->ref))
        return;
    assert(!m->parent && list_empty(&m->link));
    dentry_put(m->root);
    superblock_put(m->sb);
    kfree(m->source);
    slab_free(mount_cache, m);
}

bool mount_is_attached_locked(const struct mount *m)
{
    while (m->parent)
        m = m->parent;
    return m == root_mount;
}

/* The list goes by id, so what is moved keeps its place in it. */
static void list_in_order_locked(struct mount *m)
{
    struct list *after = mount_list.prev;
    while (after != &mount_list && list_entry(after, struct mount, link)->id > m->id)
        after = after->prev;
    list_insert_after(after, &m->link);
}

/* Hang M at AT, taking over the caller's reference on M. */
void mount_attach_locked(struct mount *m, const struct path *at)
{
    mount_get(at->mnt);
    dentry_get(at->dentry);
    m->parent = at->mnt;
    m->point = at->dentry;
    m->next_here = m->point->mounted;
    m->point->mounted = m;
    list_in_order_locked(m);
    mounts++;
}

/*
 * Take M out of its place: *OLD gets the references on where it was. The table's on M becomes the
 * caller's.
 */
void mount_detach_locked(struct mount *m, struct path *old)
{
    struct mount **link = &m->point->mounted;
    while (*link != m)
        link = &(*link)->next_here;
    *link = m->next_here;
    m->next_here = NULL;
    *old = (struct path){m->parent, m->point};
    m->parent = NULL;
    m->point = NULL;
    list_remove(&m->link);
    mounts--;
}

/* The place that a new mount at *P belongs to: the top of what is mounted there already. */
void mount_top_locked(struct path *p)
{
    struct mount *m;
    while ((m = mount_find_locked(p->mnt, p->dentry)))
        *p = (struct path){m, m->root};
}

/* A mount whose parent is M, or NULL. */
struct mount *mount_child_locked(const struct mount *m)
{
    struct mount *child;
    list_for_each (child, &mount_list, link)
        if (child->parent == m)
            return child;
    return NULL;
}

/*
 * The next mount after AFTER (NULL: the first) that hangs somewhere below P, P itself not included.
 */
struct mount *mount_next_below_locked(struct mount *after, const struct path *p)
{
    struct list *l = after ? &after->link : &mount_list;
    for (l = l->next; l != &mount_list; l = l->next) {
        struct mount *m = list_entry(l, struct mount, link);
        struct path at = {m->parent, m->point};
        if (m->parent && path_is_below_locked(&at, p))
            return m;
    }
    return NULL;
}

/*
 * Writers count first and look whether writing is allowed then; who forbids it says so first and
 * looks at the count then: with both sequentially consistent, one of the two sees the other.
 */
int mount_get_write(struct mount *m)
{
    __atomic_fetch_add(&m->writers, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&m->sb->writers, 1, __ATOMIC_SEQ_CST);
    if (!(__atomic_load_n(&m->flags, __ATOMIC_SEQ_CST) & MS_RDONLY) &&
        !__atomic_load_n(&m->sb->read_only, __ATOMIC_SEQ_CST))
        return 0;
    mount_put_write(m);
    return -EROFS;
}

void mount_put_write(struct mount *m)
{
    atomic_sub(&m->writers, 1);
    atomic_sub(&m->sb->writers, 1);
}

/*
 * Give M the flags FLAGS: -EBUSY when it is to become read-only and somebody has a file open for
 * writing.
 */
int mount_set_flags(struct mount *m, unsigned flags)
{
    unsigned old = __atomic_exchange_n(&m->flags, flags, __ATOMIC_SEQ_CST);
    if (flags & ~old & MS_RDONLY && __atomic_load_n(&m->writers, __ATOMIC_SEQ_CST) > 0) {
        __atomic_store_n(&m->flags, old, __ATOMIC_SEQ_CST);
        return -EBUSY;
    }
    return 0;
}

int superblock_set_read_only(struct superblock *sb, bool read_only)
{
    bool old = __atomic_exchange_n(&sb->read_only, read_only, __ATOMIC_SEQ_CST);
    if (read_only && !old && __atomic_load_n(&sb->writers, __ATOMIC_SEQ_CST) > 0) {
        __atomic_store_n(&sb->read_only, old, __ATOMIC_SEQ_CST);
        return -EBUSY;
    }
    return 0;
}

size_t mount_count(void)
{
    return READ_ONCE(mounts);
}

struct mount *mount_of_dev(dev_t dev)
{
    struct mount *m, *found = NULL;
    spin_lock(&dcache_lock);
    list_for_each (m, &mount_list, link)
        if (!found && m->sb->dev == dev) {
            mount_get(m);
            found = m;
        }
    spin_unlock(&dcache_lock);
    return found;
}

/* ---- /proc/mounts ---- */

/* The path of M's root within its file system. */
static const char *root_in_fs(struct mount *m, char *buf, size_t size)
{
    struct mount whole = {.root = m->sb->root};
    struct path from = {&whole, m->root}, top = {&whole, m->sb->root};
    return path_format(&from, &top, buf, size);
}

static void emit_mount(struct mount *m, const struct path *root, char *buf,
                       void (*emit)(void *ctx, const struct mount_info *m), void *ctx)
{
    char *point_buf = buf, *root_buf = buf + PATH_MAX, *options = buf + 2 * PATH_MAX;
    bool reached;
    struct path at = {m, m->root};
    const char *point = path_format_from(&at, root, point_buf, PATH_MAX, &reached);
    const char *in_fs = root_in_fs(m, root_buf, PATH_MAX);
    if (is_err(point) || is_err(in_fs) || !reached)
        return;
    options[0] = '\0';
    if (m->sb->show_options)
        m->sb->show_options(m->sb, options, PATH_MAX);
    spin_lock(&dcache_lock);
    int parent_id = m->parent ? m->parent->id : m->id;
    spin_unlock(&dcache_lock);
    struct mount_info info = {
        .id = m->id,
        .parent_id = parent_id,
        .dev = m->sb->dev,
        .root = in_fs,
        .point = point,
        .type = m->sb->type,
        .source = m->source,
        .flags = m->flags | (m->sb->read_only ? MS_RDONLY : 0),
        .options = options,
    };
    emit(ctx, &info);
}

/* All attached mounts, with references, in *COUNT's array; NULL when out of memory. */
static struct mount **mount_snapshot(size_t *count)
{
    for (;;) {
        size_t room = mount_count() + 4, n = 0;
        struct mount **all = kcalloc(room, sizeof(*all));
        if (!all)
            return NULL;
        spin_lock(&dcache_lock);
        bool fits = mounts <= room;
        struct mount *m;
        list_for_each (m, &mount_list, link)
            if (fits) {
                mount_get(m);
                all[n++] = m;
            }
        spin_unlock(&dcache_lock);
        if (fits) {
            *count = n;
            return all;
        }
        kfree(all);
    }
}

void mount_for_each(const struct path *root, void (*emit)(void *ctx, const struct mount_info *m),
                    void *ctx)
{
    size_t n;
    char *buf = kmalloc(3 * PATH_MAX);
    struct mount **all = buf ? mount_snapshot(&n) : NULL;
    if (all) {
        for (size_t i = 0; i < n; i++) {
            emit_mount(all[i], root, buf, emit, ctx);
            mount_put(all[i]);
        }
    }
    kfree(all);
    kfree(buf);
}

/* The root of everything: nothing is below it and nobody takes it away. */
void mount_root(struct superblock *sb)
{
    mount_cache = slab_cache_create("mount", sizeof(struct mount), 0);
    root_mount = mount_alloc(sb, sb->root, "none", MS_RELATIME);
    if (!root_mount)
        panic("no memory for the root mount");
    list_push_back(&mount_list, &root_mount->link);
    mounts++;
}

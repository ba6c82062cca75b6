/*
 * The tables of System V objects: ids, keys, permissions. See sysv.h.
 *
 * Locks: the table's comes first, then an object's. Removal starts from the object, so it drops the object's
 * lock for the moment in which it needs both; ->removed, which only rises, keeps that harmless.
 */
#include "ipc/sysv.h"

#include "lib/assert.h"
#include "mm/page.h"
#include "proc/cred.h"
#include "x86/clock.h"

#define MIN_CYCLE 64 /* indices to go through before the first is used again */
#define SEQ_MAX (INT32_MAX / SYSV_INDICES)

struct sysv_limits sysv_limits = {
    .shmmax = UINT64_MAX - (1UL << 24),
    .shmall = UINT64_MAX - (1UL << 24),
    .shmmni = 4096,
    .semmsl = 32000,
    .semmns = 32000UL * 32000,
    .semopm = 500,
    .semmni = 32000,
    .msgmax = 8192,
    .msgmnb = 16384,
    .msgmni = 32000,
};

time_t sysv_now(void)
{
    return clock_realtime() / NSEC_PER_SEC;
}

static struct sysv *object_of(struct tree_node *n)
{
    return n ? tree_entry(n, struct sysv, node) : NULL;
}

/* The object with the lowest index that is at least INDEX. Table's lock held. */
static struct sysv *find_from(struct sysv_table *t, int index)
{
    struct sysv *found = NULL;

    for (struct tree_node *n = t->objects.root; n;) {
        struct sysv *o = object_of(n);
        if (sysv_index(o) >= index) {
            found = o;
            n = n->left;
        } else {
            n = n->right;
        }
    }
    return found;
}

static struct sysv *find_index(struct sysv_table *t, int index)
{
    struct sysv *o = find_from(t, index);

    return o && sysv_index(o) == index ? o : NULL;
}

static struct sysv *find_key(struct sysv_table *t, key_t key)
{
    for (struct tree_node *n = tree_first(&t->objects); n; n = tree_next(n))
        if (object_of(n)->key == key)
            return object_of(n);
    return NULL;
}

/* ---- ids ---- */

/* The first free index from START on and below END, -1 when there is none. */
static int free_index(struct sysv_table *t, int start, int end)
{
    struct sysv *o = find_from(t, start);

    while (o && sysv_index(o) == start) {
        struct tree_node *n = tree_next(&o->node);
        o = n ? object_of(n) : NULL;
        start++;
    }
    return start < end ? start : -1;
}

static bool comes_before(const struct tree_node *a, const struct tree_node *b)
{
    return sysv_index(tree_entry(a, struct sysv, node)) <
           sysv_index(tree_entry(b, struct sysv, node));
}

/* Give O an id. There are fewer objects than indices. */
static void insert(struct sysv_table *t, struct sysv *o)
{
    int end = (int)min(max(t->count * 3 / 2, (unsigned)MIN_CYCLE), (unsigned)SYSV_INDICES);
    int next = t->any ? (int)t->last + 1 : 0;
    int index = next < end ? free_index(t, next, end) : -1;

    if (index < 0)
        index = free_index(t, 0, SYSV_INDICES);
    assert(index >= 0);
    if (t->any && index <= (int)t->last)
        t->seq = t->seq >= SEQ_MAX ? 0 : t->seq + 1;
    t->any = true;
    t->last = (unsigned)index;
    o->id = (int)t->seq * SYSV_INDICES + index;
    tree_insert(&t->objects, &o->node, comes_before);
    t->count++;
}

void sysv_setup(struct sysv *o, const struct sysv_request *rq, const char *name)
{
    const struct cred *c = current_cred();

    ref_init(&o->ref, 1);
    spin_init(&o->lock, RANK_SYSV, name);
    o->key = rq->key;
    o->uid = o->cuid = c->euid;
    o->gid = o->cgid = c->egid;
    o->mode = (mode_t)rq->flags & 0777;
    o->ctime = sysv_now();
}

static long create(struct sysv_table *t, const struct sysv_request *rq)
{
    if (t->count >= min(rq->max, (uint64_t)SYSV_INDICES))
        return -ENOSPC;
    struct sysv *o = page_has_room_to_keep() ? rq->create(rq) : err_ptr(-ENOMEM);
    if (is_err(o))
        return ptr_err(o);
    insert(t, o);
    return o->id;
}

static long open_existing(struct sysv *o, const struct sysv_request *rq)
{
    if ((rq->flags & IPC_CREAT) && (rq->flags & IPC_EXCL))
        return -EEXIST;
    spin_lock(&o->lock);
    int error = rq->check ? rq->check(o, rq) : 0;
    if (!error)
        error = sysv_permission(o, (mode_t)rq->flags);
    spin_unlock(&o->lock);
    return error ? error : o->id;
}

long sysv_open(struct sysv_table *t, const struct sysv_request *rq)
{
    long result;

    spin_lock(&t->lock);
    struct sysv *o = rq->key == IPC_PRIVATE ? NULL : find_key(t, rq->key);
    if (o)
        result = open_existing(o, rq);
    else if (rq->key == IPC_PRIVATE || (rq->flags & IPC_CREAT))
        result = create(t, rq);
    else
        result = -ENOENT;
    spin_unlock(&t->lock);
    return result;
}

/* ---- finding ---- */

void sysv_put(struct sysv_table *t, struct sysv *o)
{
    if (ref_put(&o->ref))
        t->free(o);
}

void sysv_unlock_put(struct sysv_table *t, struct sysv *o)
{
    spin_unlock(&o->lock);
    sysv_put(t, o);
}

/* O, if there is one, with a reference, still in the table, and locked. The table's lock is dropped. */
static struct sysv *lock_found(struct sysv_table *t, struct sysv *o)
{
    if (!o) {
        spin_unlock(&t->lock);
        return err_ptr(-EINVAL);
    }
    sysv_get(o);
    spin_unlock(&t->lock);
    spin_lock(&o->lock);
    if (!o->removed)
        return o;
    sysv_unlock_put(t, o);
    return err_ptr(-EIDRM);
}

struct sysv *sysv_lock(struct sysv_table *t, int id)
{
    if (id < 0)
        return err_ptr(-EINVAL);
    spin_lock(&t->lock);
    struct sysv *o = find_index(t, id % SYSV_INDICES);
    return lock_found(t, o && o->id == id ? o : NULL);
}

struct sysv *sysv_lock_index(struct sysv_table *t, int index)
{
    if (index < 0)
        return err_ptr(-EINVAL);
    spin_lock(&t->lock);
    return lock_found(t, find_index(t, index % SYSV_INDICES));
}

int sysv_highest(struct sysv_table *t, unsigned *count)
{
    spin_lock(&t->lock);
    struct sysv *last = object_of(tree_last(&t->objects));
    int index = last ? sysv_index(last) : 0;
    *count = t->count;
    spin_unlock(&t->lock);
    return index;
}

void sysv_for_each(struct sysv_table *t, void (*visit)(void *ctx, struct sysv *o), void *ctx)
{
    for (int next = 0; next < SYSV_INDICES;) {
        spin_lock(&t->lock);
        struct sysv *o = find_from(t, next);
        if (!o) {
            spin_unlock(&t->lock);
            return;
        }
        next = sysv_index(o) + 1;
        o = lock_found(t, o);
        if (is_err(o))
            continue;
        visit(ctx, o);
        sysv_unlock_put(t, o);
    }
}

/* ---- removal ---- */

void sysv_remove(struct sysv_table *t, struct sysv *o)
{
    assert(!o->removed);
    o->removed = true;
    spin_unlock(&o->lock);
    spin_lock(&t->lock);
    tree_remove(&t->objects, &o->node);
    t->count--;
    spin_unlock(&t->lock);
    spin_lock(&o->lock);
    bool last = ref_put(&o->ref);
    assert(!last); /* the caller has one */
    (void)last;
}

void sysv_forget_key(struct sysv_table *t, struct sysv *o)
{
    spin_unlock(&o->lock);
    spin_lock(&t->lock);
    o->key = IPC_PRIVATE;
    spin_unlock(&t->lock);
    spin_lock(&o->lock);
}

/* ---- rights ---- */

int sysv_permission_of(const struct sysv *o, const struct cred *c, mode_t mode)
{
    mode_t wanted = (mode >> 6 | mode >> 3 | mode) & 07, granted = o->mode;

    if (c->euid == o->cuid || c->euid == o->uid)
        granted >>= 6;
    else if (cred_in_group(c, o->cgid) || cred_in_group(c, o->gid))
        granted >>= 3;
    return (wanted & ~granted & 07) && !(c->cap_effective >> CAP_IPC_OWNER & 1) ? -EACCES : 0;
}

int sysv_permission(const struct sysv *o, mode_t mode)
{
    return sysv_permission_of(o, current_cred(), mode);
}

int sysv_owner(const struct sysv *o)
{
    uid_t uid = current_cred()->euid;

    return uid == o->cuid || uid == o->uid || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

int sysv_set(struct sysv *o, const struct ipc_perm *p)
{
    if (p->uid == (uid_t)-1 || p->gid == (gid_t)-1)
        return -EINVAL;
    o->uid = p->uid;
    o->gid = p->gid;
    o->mode = (o->mode & ~0777u) | (p->mode & 0777);
    o->ctime = sysv_now();
    return 0;
}

void sysv_stat(const struct sysv *o, struct ipc_perm *p)
{
    p->__key = o->key;
    p->uid = o->uid;
    p->gid = o->gid;
    p->cuid = o->cuid;
    p->cgid = o->cgid;
    p->mode = o->mode;
    p->__seq = (unsigned short)(o->id / SYSV_INDICES);
}

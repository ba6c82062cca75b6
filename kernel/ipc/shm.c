/*
 * System V shared memory: a segment is a vmobject with an id. Attaching it is mapping it; how often it is
 * attached is the number of areas that map the object, so fork, exec, exit and a munmap of its middle are
 * counted by what they do anyway.
 *
 * A segment that is to be removed (IPC_RMID) loses its key at once, and its id when nobody has it attached
 * any more. Segment and object hold each other: the segment its object while it has an id, the object its
 * segment for as long as it lives.
 */
#include <abi/shm.h>

#include <syscall_protos.h>

#include "ipc/sysv.h"
#include "lib/printf.h"
#include "mm/mm.h"
#include "mm/pages.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "proc/users.h"
#include "x86/uaccess.h"

struct segment {
    struct sysv o;           /* its lock guards all below */
    struct vmobject *object; /* a reference; NULL once it has no id any more */
    size_t size;             /* const */
    time_t atime, dtime;
    pid_t cpid; /* const */
    pid_t lpid;
    unsigned attaching; /* so many are at it: it stays meanwhile */
    size_t charged;     /* pages that SHM_LOCK counts, for whom: */
    uid_t charged_to;
    char name[24]; /* const: what /proc/PID/maps says */
};

static void segment_free(struct sysv *o);

static struct sysv_table segments = SYSV_TABLE_INIT("shm", segment_free);
static size_t total_pages; /* segments.lock to add, atomic to take: of all sizes */
/* Memory that outlives programs: like files, it doesn't take the last pages. */
static struct vm_quota quota = {.limit = SIZE_MAX};

static struct segment *segment_of(struct sysv *o)
{
    return container_of(o, struct segment, o);
}

static size_t pages_of(const struct segment *s)
{
    return DIV_ROUND_UP(s->size, PAGE_SIZE);
}

static size_t attach_count(struct segment *s)
{ /* LAB shm:count begin */
    spin_lock(&s->object->lock);
    size_t n = s->object->nareas;
    spin_unlock(&s->object->lock);
    return n;
} /* LAB shm:count end */

static void segment_free(struct sysv *o)
{
    kfree(segment_of(o));
}

static void unlock_segment(struct segment *s)
{
    s->o.mode &= ~(mode_t)SHM_LOCKED;
    if (s->charged)
        user_count_sub(USER_LOCKED_PAGES, s->charged_to, s->charged);
    s->charged = 0;
}

/*
 * Away with it, if it is marked and nobody has it any more. S is locked and may be unlocked in between.
 * The object, whose reference the caller must put when no lock is held; NULL when the segment stays.
 */
static struct vmobject *destroy_if_unused(struct segment *s)
{ /* LAB shm:destroy begin */
    if (!(s->o.mode & SHM_DEST) || s->o.removed || s->attaching || attach_count(s))
        return NULL;
    struct vmobject *object = s->object;
    s->object = NULL;
    unlock_segment(s);
    sysv_remove(&segments, &s->o);
    atomic_sub(&total_pages, pages_of(s));
    return object;
} /* LAB shm:destroy end */

/* ---- what mappings tell ---- */

static void segment_attached(struct vmobject *object)
{ /* LAB shm:attached begin */
    struct segment *s = object->owner;

    spin_lock(&s->o.lock);
    s->atime = sysv_now();
    s->lpid = current_proc()->pid->nr;
    spin_unlock(&s->o.lock);
} /* LAB shm:attached end */

static void segment_detached(struct vmobject *object)
{ /* LAB shm:detached begin */
    struct segment *s = object->owner;

    spin_lock(&s->o.lock);
    s->dtime = sysv_now();
    if (current_proc())
        s->lpid = current_proc()->pid->nr;
    struct vmobject *unused = destroy_if_unused(s);
    spin_unlock(&s->o.lock);
    if (unused)
        vmobject_put(unused);
} /* LAB shm:detached end */

static void segment_release(struct vmobject *object)
{
    struct segment *s = object->owner;

    sysv_put(&segments, &s->o);
}

static ino_t segment_ino(struct vmobject *object)
{
    return (ino_t)((struct segment *)object->owner)->o.id;
}

static const struct vmobject_ops segment_ops = {
    .attached = segment_attached,
    .detached = segment_detached,
    .release = segment_release,
    .ino = segment_ino,
};

/* ---- shmget ---- */

static struct sysv *segment_create(const struct sysv_request *rq)
{
    size_t pages = DIV_ROUND_UP(rq->size, PAGE_SIZE);

    if (rq->size < 1 || rq->size > sysv_limits.shmmax)
        return err_ptr(-EINVAL);
    if (pages << PAGE_SHIFT < rq->size || total_pages + pages < total_pages ||
        total_pages + pages > sysv_limits.shmall)
        return err_ptr(-ENOSPC);
    if ((rq->flags & SHM_HUGETLB) || /* the pool of huge pages is empty */
        (!(rq->flags & SHM_NORESERVE) && pages > page_total()))
        return err_ptr(-ENOMEM);
    struct segment *s = kzalloc(sizeof(*s));
    struct vmobject *object = s ? vmobject_create(rq->size) : NULL;
    if (!object) {
        kfree(s);
        return err_ptr(-ENOMEM);
    }
    sysv_setup(&s->o, rq, "shm segment");
    sysv_get(&s->o); /* the object's */
    object->ops = &segment_ops;
    object->owner = s;
    object->quota = &quota;
    s->object = object;
    s->size = rq->size;
    s->cpid = current_proc()->pid->nr;
    snprintf(s->name, sizeof(s->name), "/SYSV%08x (deleted)", (unsigned)rq->key);
    atomic_add(&total_pages, pages);
    return &s->o;
}

static int segment_check(struct sysv *o, const struct sysv_request *rq)
{
    return rq->size > segment_of(o)->size ? -EINVAL : 0;
}

long sys_shmget(int key, size_t size, int flags)
{
    struct sysv_request rq = {
        .key = key,
        .flags = flags,
        .size = size,
        .max = sysv_limits.shmmni,
        .create = segment_create,
        .check = segment_check,
    };
    return sysv_open(&segments, &rq);
}

/* ---- shmat, shmdt ---- */ /* LAB shm:attach begin */

/* Where, and the MAP_* that say so; or -EINVAL. */
static int attach_place(unsigned long *addr, int flags, unsigned *map_flags)
{
    *map_flags = MAP_SHARED;
    if (*addr & (SHMLBA - 1)) {
        if (!(flags & SHM_RND))
            return -EINVAL;
        *addr &= ~(SHMLBA - 1);
        if (!*addr && (flags & SHM_REMAP))
            return -EINVAL;
    } else if (!*addr && (flags & SHM_REMAP)) {
        return -EINVAL;
    }
    if (*addr)
        *map_flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    return 0;
}

/* Find the segment and keep it: err_ptr. */
static struct segment *begin_attach(int id, mode_t mode)
{
    struct sysv *o = sysv_lock(&segments, id);

    if (is_err(o))
        return (struct segment *)o;
    int error = sysv_permission(o, mode);
    if (!error)
        segment_of(o)->attaching++;
    spin_unlock(&o->lock);
    if (!error)
        return segment_of(o);
    sysv_put(&segments, o);
    return err_ptr(error);
}

static void end_attach(struct segment *s, bool attached)
{
    spin_lock(&s->o.lock);
    s->attaching--;
    if (attached) {
        s->atime = sysv_now();
        s->lpid = current_proc()->pid->nr;
    }
    struct vmobject *unused = destroy_if_unused(s);
    sysv_unlock_put(&segments, &s->o);
    if (unused)
        vmobject_put(unused);
}

long sys_shmat(int id, unsigned long addr, int flags)
{
    unsigned prot = PROT_READ, max_prot = PROT_READ | PROT_WRITE | PROT_EXEC, map_flags;
    mode_t mode = 0444;

    if (id < 0)
        return -EINVAL;
    int error = attach_place(&addr, flags, &map_flags);
    if (error)
        return error;
    if (flags & SHM_RDONLY) {
        max_prot &= ~(unsigned)PROT_WRITE;
    } else {
        prot |= PROT_WRITE;
        mode |= 0222;
    }
    if (flags & SHM_EXEC) {
        prot |= PROT_EXEC;
        mode |= 0111;
    }
    struct segment *s = begin_attach(id, mode);
    if (is_err(s))
        return ptr_err(s);
    long at = -EINVAL;
    if (addr + s->size >= addr)
        at = mm_map(current->mm, addr, s->size, prot, max_prot, map_flags, s->object, 0, NULL,
                    s->name);
    if (at == -EEXIST)
        at = -EINVAL; /* something is there and SHM_REMAP wasn't said */
    end_attach(s, at >= 0);
    return at;
}

long sys_shmdt(unsigned long addr)
{
    return addr & (SHMLBA - 1) ? -EINVAL : mm_detach(current->mm, addr, &segment_ops);
}

/* ---- shmctl ---- */ /* LAB shm:attach end */

static void segment_stat(struct segment *s, struct shmid_ds *ds)
{
    *ds = (struct shmid_ds){0};
    sysv_stat(&s->o, &ds->shm_perm);
    ds->shm_segsz = s->size;
    ds->shm_atime = s->atime;
    ds->shm_dtime = s->dtime;
    ds->shm_ctime = s->o.ctime;
    ds->shm_cpid = s->cpid;
    ds->shm_lpid = s->lpid;
    ds->shm_nattch = attach_count(s);
}

static long stat_segment(int id, int cmd, struct shmid_ds __user *buf)
{
    struct shmid_ds ds;
    struct sysv *o = cmd == IPC_STAT ? sysv_lock(&segments, id) : sysv_lock_index(&segments, id);

    if (is_err(o))
        return ptr_err(o);
    long result = cmd == SHM_STAT_ANY ? 0 : sysv_permission(o, 0444);
    if (!result) {
        segment_stat(segment_of(o), &ds);
        result = cmd == IPC_STAT ? 0 : o->id;
    }
    sysv_unlock_put(&segments, o);
    if (result >= 0 && copy_to_user(buf, &ds, sizeof(ds)))
        return -EFAULT;
    return result;
}

/* Its pages never leave memory anyway; but nobody may lock more than RLIMIT_MEMLOCK, which counts by user. */
static int lock_segment(struct segment *s)
{
    uid_t uid = current_cred()->euid;
    uint64_t limit = proc_rlimit(RLIMIT_MEMLOCK);

    if (s->o.mode & SHM_LOCKED)
        return 0;
    if (!capable(CAP_IPC_LOCK)) {
        if (limit != RLIM_INFINITY)
            limit >>= PAGE_SHIFT;
        if (!user_count_add(USER_LOCKED_PAGES, uid, pages_of(s), limit))
            return -ENOMEM;
        s->charged = pages_of(s);
        s->charged_to = uid;
    }
    s->o.mode |= SHM_LOCKED;
    return 0;
}

/* SHM_LOCK, SHM_UNLOCK. */
static int change_lock(struct segment *s, bool lock)
{
    uid_t uid = current_cred()->euid;

    if (!capable(CAP_IPC_LOCK)) {
        if (uid != s->o.uid && uid != s->o.cuid)
            return -EPERM;
        if (lock && !proc_rlimit(RLIMIT_MEMLOCK))
            return -EPERM;
    }
    if (lock)
        return lock_segment(s);
    unlock_segment(s);
    return 0;
}

static int remove_segment(struct segment *s, struct vmobject **unused)
{ /* LAB shm:remove begin */
    int error = sysv_owner(&s->o);

    if (error)
        return error;
    s->o.mode |= SHM_DEST;
    sysv_forget_key(&segments, &s->o);
    *unused = destroy_if_unused(s);
    return 0;
} /* LAB shm:remove end */

/* IPC_SET, IPC_RMID, SHM_LOCK, SHM_UNLOCK. */
static long change_segment(int id, int cmd, const struct shmid_ds __user *buf)
{
    struct vmobject *unused = NULL;
    struct shmid_ds ds;

    if (cmd == IPC_SET && copy_from_user(&ds, buf, sizeof(ds)))
        return -EFAULT;
    struct sysv *o = sysv_lock(&segments, id);
    if (is_err(o))
        return ptr_err(o);
    int error;
    if (cmd == IPC_RMID)
        error = remove_segment(segment_of(o), &unused);
    else if (cmd == IPC_SET)
        error = (error = sysv_owner(o)) ? error : sysv_set(o, &ds.shm_perm);
    else
        error = change_lock(segment_of(o), cmd == SHM_LOCK);
    sysv_unlock_put(&segments, o);
    if (unused)
        vmobject_put(unused);
    return error;
}

static void add_resident(void *ctx, struct sysv *o)
{
    *(size_t *)ctx += READ_ONCE(segment_of(o)->object->npages);
}

static long info(int cmd, void __user *buf)
{
    unsigned count;
    int highest = sysv_highest(&segments, &count), error;

    if (cmd == IPC_INFO) {
        struct shminfo limits = {.shmmax = sysv_limits.shmmax,
                                 .shmmin = 1,
                                 .shmmni = sysv_limits.shmmni,
                                 .shmseg = sysv_limits.shmmni,
                                 .shmall = sysv_limits.shmall};
        error = copy_to_user(buf, &limits, sizeof(limits));
    } else {
        struct shm_info used;
        memset(&used, 0, sizeof(used));
        used.used_ids = (int)count;
        used.shm_tot = atomic_load(&total_pages);
        sysv_for_each(&segments, add_resident, &used.shm_rss);
        error = copy_to_user(buf, &used, sizeof(used));
    }
    return error ? error : highest;
}

long sys_shmctl(int id, int cmd, void __user *buf)
{
    if (id < 0 || cmd < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
    case SHM_INFO: return info(cmd, buf);
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY: return stat_segment(id, cmd, buf);
    case IPC_SET:
    case IPC_RMID:
    case SHM_LOCK:
    case SHM_UNLOCK: return change_segment(id, cmd, buf);
    default: return -EINVAL;
    }
}

/* ---- /proc/sysvipc/shm ---- */

struct show {
    void (*emit)(void *ctx, const char *line);
    void *ctx;
};

static void show_segment(void *ctx, struct sysv *o)
{
    struct show *to = ctx;
    struct shmid_ds d;
    char line[256];

    segment_stat(segment_of(o), &d);
    int n = snprintf(line, sizeof(line), "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u ",
                     o->key, o->id, o->mode, d.shm_segsz, (unsigned)d.shm_cpid,
                     (unsigned)d.shm_lpid, d.shm_nattch, o->uid, o->gid, o->cuid, o->cgid);
    snprintf(line + n, sizeof(line) - (size_t)n, "%10lu %10lu %10lu %21lu %21lu\n",
             (unsigned long)d.shm_atime, (unsigned long)d.shm_dtime, (unsigned long)d.shm_ctime,
             READ_ONCE(segment_of(o)->object->npages) * PAGE_SIZE, 0UL);
    to->emit(to->ctx, line);
}

void shm_show(void (*emit)(void *ctx, const char *line), void *ctx)
{
    emit(ctx,
         "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  "
         "cgid      atime      dtime      ctime                   rss                  swap\n");
    sysv_for_each(&segments, show_segment, &(struct show){emit, ctx});
}

/*
 * Credentials: who a process acts as, and the calls that ask and change it.
 *
 * A struct cred is never changed once it is visible; set*id copies the caller's, changes the copy and swaps
 * the pointer in the thread. The thread itself therefore reads its own without lock or reference; others
 * look at the process's, which follows the leader's, under signal_lock.
 *
 * Each id has four forms (credentials(7)): real, effective, saved, and the one that file access uses, which
 * follows the effective one unless setfsuid set it apart. Capabilities come and go with user id 0.
 */
#include "proc/cred.h"

#include <abi/capability.h>
#include <abi/limits.h>

#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "sched/thread.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

#define NO_ID ((uid_t)-1) /* "leave as it is" in the calls that set several */

#define CAP_MKNOD_BIT (1UL << CAP_MKNOD)
/* What setfsuid to and from 0 gives and takes: the rights over files. */
#define CAPS_OF_FILES                                                                              \
    (1UL << CAP_CHOWN | 1UL << CAP_DAC_OVERRIDE | 1UL << CAP_DAC_READ_SEARCH | 1UL << CAP_FOWNER | \
     1UL << CAP_FSETID | CAP_MKNOD_BIT | 1UL << 9 /* LINUX_IMMUTABLE */ |                          \
     1UL << 32 /* MAC_OVERRIDE */)

/* What kernel threads are. */
static const struct cred thread_cred = {
    .ref = REFCOUNT_INIT(1),
    .cap_permitted = CAP_ALL,
    .cap_effective = CAP_ALL,
    .cap_bounding = CAP_ALL,
};

/* --- as things in memory ---------------------------------------------------------------------------- */

static struct slab_cache *cred_cache; /* const after init: those without supplementary groups */

void cred_init(void)
{
    cred_cache = slab_cache_create("cred", sizeof(struct cred), 0);
}

void cred_get(const struct cred *c)
{
    ref_get((struct refcount *)&c->ref);
}

void cred_put(const struct cred *c)
{
    if (!ref_put((struct refcount *)&c->ref))
        return;
    if (c->ngroups)
        kfree(c);
    else
        slab_free(cred_cache, (struct cred *)c);
}

struct cred *cred_copy_groups(const struct cred *c, unsigned ngroups)
{
    struct cred *copy =
        ngroups ? kmalloc(sizeof(*copy) + ngroups * sizeof(gid_t)) : slab_alloc(cred_cache);

    if (!copy)
        return NULL;
    memcpy(copy, c, sizeof(*copy));
    ref_init(&copy->ref, 1);
    copy->ngroups = ngroups;
    return copy;
}

struct cred *cred_copy(const struct cred *c)
{
    struct cred *copy = cred_copy_groups(c, c->ngroups);

    if (copy)
        memcpy(copy->groups, c->groups, c->ngroups * sizeof(gid_t));
    return copy;
}

struct cred *cred_create_root(void)
{
    return cred_copy(&thread_cred);
}

const struct cred *current_cred(void)
{
    const struct cred *c = current->cred;
    return likely(c) ? c : &thread_cred;
}

bool capable(int cap)
{
    return current_cred()->cap_effective >> cap & 1;
}

bool cred_in_group(const struct cred *c, gid_t gid)
{
    unsigned low = 0, high = c->ngroups;

    if (gid == c->fsgid)
        return true;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (c->groups[mid] == gid)
            return true;
        if (c->groups[mid] < gid)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

const struct cred *proc_cred_get(struct proc *p)
{
    spin_lock(&p->signal_lock);
    const struct cred *c = p->cred ? p->cred : &thread_cred;
    cred_get(c);
    spin_unlock(&p->signal_lock);
    return c;
}

/* --- changing --------------------------------------------------------------------------------------- */

/* A program that changed whom it acts as may hold what its new self must not show to its old one. */
static bool must_hide(const struct cred *old, const struct cred *new)
{
    return old->euid != new->euid || old->egid != new->egid || old->fsuid != new->fsuid ||
           old->fsgid != new->fsgid || (new->cap_permitted & ~old->cap_permitted);
}

void cred_commit(struct cred *new)
{
    struct thread *t = current;
    struct proc *p = t->proc;
    const struct cred *old = t->cred, *old_leaders = NULL;
    bool hide = must_hide(old, new);

    spin_lock(&p->signal_lock);
    t->cred = new;
    if (t == p->leader) {
        old_leaders = p->cred;
        cred_get(new);
        p->cred = new;
    }
    if (hide)
        p->pdeath_signal = 0;
    spin_unlock(&p->signal_lock);
    if (hide && t->mm)
        WRITE_ONCE(t->mm->dumpable, 0);
    if (old_leaders)
        cred_put(old_leaders);
    cred_put(old);
}

void cred_fix_caps(struct cred *new, const struct cred *old)
{
    bool was_root = old->uid == 0 || old->euid == 0 || old->suid == 0;
    bool is_root = new->uid == 0 || new->euid == 0 || new->suid == 0;

    if (was_root && !is_root) {
        new->cap_ambient = 0;
        if (!current_proc()->keep_caps)
            new->cap_permitted = new->cap_effective = 0;
    }
    if (old->euid == 0 && new->euid != 0)
        new->cap_effective = 0;
    if (old->euid != 0 && new->euid == 0)
        new->cap_effective = new->cap_permitted;
}

/* --- user and group ids: the rules are the same but for the capability that lifts them ----------------------- */

enum id_kind { USER_IDS, GROUP_IDS };

static const struct ids *ids_of(const struct cred *c, enum id_kind kind)
{
    return kind == USER_IDS ? &c->user : &c->group;
}

/* Of a copy that is not visible yet. */
static struct ids *new_ids(struct cred *c, enum id_kind kind)
{
    return kind == USER_IDS ? &c->user : &c->group;
}

static bool may_set_any(enum id_kind kind)
{
    return capable(kind == USER_IDS ? CAP_SETUID : CAP_SETGID);
}

static long commit(struct cred *new, enum id_kind kind)
{
    if (kind == USER_IDS)
        cred_fix_caps(new, current_cred());
    cred_commit(new);
    return 0;
}

static bool is_ours(const struct ids *i, uint32_t id)
{
    return id == NO_ID || id == i->real || id == i->effective || id == i->saved;
}

static long get_res(enum id_kind kind, uint32_t __user *real, uint32_t __user *effective,
                    uint32_t __user *saved)
{
    struct ids i = *ids_of(current_cred(), kind);
    return put_user(i.real, real) || put_user(i.effective, effective) || put_user(i.saved, saved)
               ? -EFAULT
               : 0;
}

/* setuid, setgid: all of them with the privilege, else the effective one, back to the real or the saved. */
static long set_one(enum id_kind kind, uint32_t id)
{
    const struct ids *old = ids_of(current_cred(), kind);
    bool privileged = may_set_any(kind);

    if (id == NO_ID)
        return -EINVAL;
    if (!privileged && id != old->real && id != old->saved)
        return -EPERM;
    struct cred *new = cred_copy(current_cred());
    if (!new)
        return -ENOMEM;
    struct ids *i = new_ids(new, kind);
    if (privileged)
        i->real = i->saved = id;
    i->effective = i->fs = id;
    return commit(new, kind);
}

static long set_re(enum id_kind kind, uint32_t real, uint32_t effective)
{
    const struct ids *old = ids_of(current_cred(), kind);
    bool privileged = may_set_any(kind);

    if (!privileged && real != NO_ID && real != old->real && real != old->effective)
        return -EPERM;
    if (!privileged && !is_ours(old, effective))
        return -EPERM;
    struct cred *new = cred_copy(current_cred());
    if (!new)
        return -ENOMEM;
    struct ids *i = new_ids(new, kind);
    if (real != NO_ID)
        i->real = real;
    if (effective != NO_ID)
        i->effective = effective;
    if (real != NO_ID || (effective != NO_ID && effective != old->real))
        i->saved = i->effective;
    i->fs = i->effective;
    return commit(new, kind);
}

static long set_res(enum id_kind kind, uint32_t real, uint32_t effective, uint32_t saved)
{
    const struct ids *old = ids_of(current_cred(), kind);

    if (!may_set_any(kind) &&
        !(is_ours(old, real) && is_ours(old, effective) && is_ours(old, saved)))
        return -EPERM;
    struct cred *new = cred_copy(current_cred());
    if (!new)
        return -ENOMEM;
    struct ids *i = new_ids(new, kind);
    if (real != NO_ID)
        i->real = real;
    if (effective != NO_ID)
        i->effective = effective;
    if (saved != NO_ID)
        i->saved = saved;
    i->fs = i->effective;
    return commit(new, kind);
}

/* Returns the old one, whether it was changed or not. */
static long set_fs(enum id_kind kind, uint32_t id)
{
    const struct ids *old = ids_of(current_cred(), kind);
    uint32_t before = old->fs;

    if (id == before || id == NO_ID || (!is_ours(old, id) && !may_set_any(kind)))
        return before;
    struct cred *new = cred_copy(current_cred());
    if (!new)
        return before;
    new_ids(new, kind)->fs = id;
    if (kind == USER_IDS && before == 0)
        new->cap_effective &= ~CAPS_OF_FILES;
    else if (kind == USER_IDS && id == 0)
        new->cap_effective |= new->cap_permitted &CAPS_OF_FILES;
    cred_commit(new);
    return before;
}

long sys_getuid(void)
{
    return current_cred()->uid;
}
long sys_geteuid(void)
{
    return current_cred()->euid;
}
long sys_getgid(void)
{
    return current_cred()->gid;
}
long sys_getegid(void)
{
    return current_cred()->egid;
}

long sys_getresuid(uid_t __user *ruid, uid_t __user *euid, uid_t __user *suid)
{
    return get_res(USER_IDS, ruid, euid, suid);
}

long sys_getresgid(gid_t __user *rgid, gid_t __user *egid, gid_t __user *sgid)
{
    return get_res(GROUP_IDS, rgid, egid, sgid);
}

long sys_setuid(uid_t uid)
{
    return set_one(USER_IDS, uid);
}
long sys_setgid(gid_t gid)
{
    return set_one(GROUP_IDS, gid);
}
long sys_setreuid(uid_t ruid, uid_t euid)
{
    return set_re(USER_IDS, ruid, euid);
}
long sys_setregid(gid_t rgid, gid_t egid)
{
    return set_re(GROUP_IDS, rgid, egid);
}
long sys_setfsuid(uid_t uid)
{
    return set_fs(USER_IDS, uid);
}
long sys_setfsgid(gid_t gid)
{
    return set_fs(GROUP_IDS, gid);
}

long sys_setresuid(uid_t ruid, uid_t euid, uid_t suid)
{
    return set_res(USER_IDS, ruid, euid, suid);
}

long sys_setresgid(gid_t rgid, gid_t egid, gid_t sgid)
{
    return set_res(GROUP_IDS, rgid, egid, sgid);
}

long sys_getgroups(int size, gid_t __user *list)
{
    const struct cred *c = current_cred();

    if (size < 0)
        return -EINVAL;
    if (size == 0)
        return c->ngroups;
    if ((unsigned)size < c->ngroups)
        return -EINVAL;
    if (copy_to_user(list, c->groups, c->ngroups * sizeof(gid_t)))
        return -EFAULT;
    return c->ngroups;
}

/* Heapsort: no recursion, and no input makes it slow. */
static void sift_down(gid_t *g, unsigned root, unsigned n)
{
    for (unsigned child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && g[child] < g[child + 1])
            child++;
        if (g[root] >= g[child])
            return;
        gid_t swap = g[root];
        g[root] = g[child];
        g[child] = swap;
    }
}

static void sort_groups(gid_t *g, unsigned n)
{
    for (unsigned i = n / 2; i-- > 0;)
        sift_down(g, i, n);
    while (n > 1) {
        gid_t largest = g[0];
        g[0] = g[--n];
        g[n] = largest;
        sift_down(g, 0, n);
    }
}

long sys_setgroups(int size, const gid_t __user *list)
{
    if (!capable(CAP_SETGID))
        return -EPERM;
    if (size < 0 || size > NGROUPS_MAX)
        return -EINVAL;
    struct cred *new = cred_copy_groups(current_cred(), (unsigned)size);
    if (!new)
        return -ENOMEM;
    if (copy_from_user(new->groups, list, (unsigned)size * sizeof(gid_t))) {
        cred_put(new);
        return -EFAULT;
    }
    sort_groups(new->groups, (unsigned)size);
    cred_commit(new);
    return 0;
}

/* --- may the caller touch another process? ---------------------------------------------------------- */

bool proc_may_signal(struct proc *p, int signo)
{
    const struct cred *me = current_cred(), *it = proc_cred_get(p);
    bool ours =
        me->euid == it->suid || me->euid == it->uid || me->uid == it->suid || me->uid == it->uid;

    (void)signo;
    cred_put(it);
    return ours || capable(CAP_KILL);
}

bool proc_may_inspect(struct proc *p)
{
    if (p == current_proc() || capable(CAP_SYS_PTRACE))
        return true;
    const struct cred *me = current_cred(), *it = proc_cred_get(p);
    bool ours = me->fsuid == it->uid && me->fsuid == it->euid && me->fsuid == it->suid &&
                me->fsgid == it->gid && me->fsgid == it->egid && me->fsgid == it->sgid &&
                !(it->cap_permitted & ~me->cap_permitted);
    cred_put(it);
    struct mm *mm = ours ? proc_mm_get(p) : NULL;
    if (mm) {
        ours = READ_ONCE(mm->dumpable) == 1;
        mm_put(mm);
    }
    return ours;
}

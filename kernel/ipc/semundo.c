/*
 * SEM_UNDO: what a process's semaphore operations were in sum is taken back when it ends, however it does.
 *
 * A process has a list of undos, one for each set; threads have their process's, and CLONE_SYSVSEM makes
 * two processes share one. Each set has the list of all undos for it, too. The set's lock guards the numbers
 * and the set's list; undo_lock, inside it, the processes' lists.
 *
 * A set that goes takes its undos with it, under both locks. So who comes from the process's side, knows the
 * set from the undo, and then locks the set, finds either the set removed or the undo still there.
 */
#include "ipc/sem.h"
#include "mm/slab.h"
#include "proc/proc.h"

struct sem_undo_list {
    struct refcount ref; /* atomic: processes */
    struct list undos;   /* undo_lock: struct sem_undo by ->in_owner */
};

static struct spinlock undo_lock = SPINLOCK_INIT(RANK_SYSV_UNDO, "sem undo");

/* The process's list, made when it has none; NULL: out of memory. */
static struct sem_undo_list *list_of(struct proc *p)
{
    if (READ_ONCE(p->undos))
        return p->undos;
    struct sem_undo_list *fresh = kmalloc(sizeof(*fresh));
    if (!fresh)
        return NULL;
    ref_init(&fresh->ref, 1);
    list_init(&fresh->undos);
    spin_lock(&undo_lock);
    if (!p->undos) {
        p->undos = fresh;
        fresh = NULL;
    }
    spin_unlock(&undo_lock);
    kfree(fresh);
    return p->undos;
}

static struct sem_undo *find(struct sem_set *set, const struct sem_undo_list *owner)
{
    struct sem_undo *u;

    list_for_each (u, &set->undos, in_set)
        if (u->owner == owner)
            return u;
    return NULL;
}

static void link_undo(struct sem_set *set, struct sem_undo *u)
{
    list_push_back(&set->undos, &u->in_set);
    spin_lock(&undo_lock);
    list_push_back(&u->owner->undos, &u->in_owner);
    spin_unlock(&undo_lock);
}

struct sem_undo *sem_undo_get(struct sem_set *set)
{
    struct sem_undo_list *owner = current_proc()->undos;
    struct sem_undo *u = owner ? find(set, owner) : NULL;

    if (u)
        return u;
    spin_unlock(&set->o.lock);
    owner = list_of(current_proc());
    struct sem_undo *fresh = owner ? kzalloc(sizeof(*u) + set->nsems * sizeof(u->adjust[0])) : NULL;
    spin_lock(&set->o.lock);
    if (!fresh || set->o.removed) {
        kfree(fresh);
        return err_ptr(set->o.removed ? -EIDRM : -ENOMEM);
    }
    u = find(set, owner); /* another thread may have been at the same */
    if (u) {
        kfree(fresh);
        return u;
    }
    fresh->owner = owner;
    fresh->set = set;
    link_undo(set, fresh);
    return fresh;
}

void sem_undo_clear(struct sem_set *set, unsigned first, unsigned n)
{
    struct sem_undo *u;

    list_for_each (u, &set->undos, in_set)
        for (unsigned i = first; i < first + n; i++)
            u->adjust[i] = 0;
}

void sem_undo_drop(struct sem_set *set)
{
    struct sem_undo *u, *next;

    list_for_each_safe (u, next, &set->undos, in_set) {
        list_remove(&u->in_set);
        spin_lock(&undo_lock);
        list_remove(&u->in_owner);
        spin_unlock(&undo_lock);
        kfree(u);
    }
}

int sem_undo_share(struct proc *child)
{
    struct sem_undo_list *list = list_of(current_proc());

    if (!list)
        return -ENOMEM;
    ref_get(&list->ref);
    child->undos = list;
    return 0;
}

/* The set is locked. */
static void apply(struct sem_set *set, const struct sem_undo *u)
{
    for (unsigned i = 0; i < set->nsems; i++) {
        if (!u->adjust[i])
            continue;
        int value = set->sems[i].value + u->adjust[i];
        set->sems[i].value = min(max(value, 0), SEMVMX);
        set->sems[i].pid = current_proc()->pid->nr;
    }
    set->otime = sysv_now();
    sem_wake(set);
}

/* Undo for one set, if any is left. */
static bool undo_one(struct sem_undo_list *list)
{
    spin_lock(&undo_lock);
    struct sem_undo *u = list_first(&list->undos, struct sem_undo, in_owner);
    struct sem_set *set = u ? u->set : NULL;
    if (set)
        sysv_get(&set->o);
    spin_unlock(&undo_lock);
    if (!set)
        return false;
    spin_lock(&set->o.lock);
    if (!set->o.removed) {
        spin_lock(&undo_lock);
        list_remove(&u->in_owner);
        spin_unlock(&undo_lock);
        list_remove(&u->in_set);
        apply(set, u);
        kfree(u);
    }
    sysv_unlock_put(&sem_sets, &set->o);
    return true;
}

void sem_undo_exit(struct proc *p)
{
    struct sem_undo_list *list = p->undos;

    p->undos = NULL;
    if (!list || !ref_put(&list->ref))
        return;
    while (undo_one(list))
        ;
    kfree(list);
}

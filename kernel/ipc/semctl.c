/* semctl: looking at semaphores and setting them, and what all System V objects can be asked. */
#include <syscall_protos.h>

#include "ipc/sem.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "x86/uaccess.h"

/* ---- one semaphore ---- */

/* How many wait for semaphore N to become zero, or to grow: each is counted where its group is stuck. */
static long count_waiters(struct sem_set *set, unsigned n, bool zero)
{
    struct sem_waiter *w;
    long count = 0;

    list_for_each (w, &set->waiters, parked.link)
        count += w->blocking->sem_num == n && (w->blocking->sem_op == 0) == zero;
    return count;
}

static long get_one(struct sem_set *set, unsigned n, int cmd)
{
    switch (cmd) {
    case GETVAL: return set->sems[n].value;
    case GETPID: return set->sems[n].pid;
    case GETNCNT: return count_waiters(set, n, false);
    default: /* GETZCNT */ return count_waiters(set, n, true);
    }
}

static long look_at_one(int id, int n, int cmd)
{
    struct sysv *o = sysv_lock(&sem_sets, id);

    if (is_err(o))
        return ptr_err(o);
    long result = sysv_permission(o, 0444);
    if (!result && (n < 0 || (unsigned)n >= set_of(o)->nsems))
        result = -EINVAL;
    if (!result)
        result = get_one(set_of(o), (unsigned)n, cmd);
    sysv_unlock_put(&sem_sets, o);
    return result;
}

/* The semaphores from FIRST on now have these values. The set is locked. */
static void set_values(struct sem_set *set, unsigned first, const uint16_t *values, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        set->sems[first + i].value = values[i];
        set->sems[first + i].pid = current_proc()->pid->nr;
    }
    sem_undo_clear(set, first, n);
    set->o.ctime = sysv_now();
    sem_wake(set);
}

static long set_one(int id, int n, int value)
{
    if (value < 0 || value > SEMVMX)
        return -ERANGE;
    struct sysv *o = sysv_lock(&sem_sets, id);
    if (is_err(o))
        return ptr_err(o);
    long result = -EINVAL;
    if (n >= 0 && (unsigned)n < set_of(o)->nsems)
        result = sysv_permission(o, 0222);
    if (!result)
        set_values(set_of(o), (unsigned)n, &(uint16_t){(uint16_t)value}, 1);
    sysv_unlock_put(&sem_sets, o);
    return result;
}

/* ---- all of a set ---- */

static long read_values(struct sem_set *set, uint16_t *values, uint16_t __user *user)
{
    spin_lock(&set->o.lock);
    bool removed = set->o.removed;
    for (unsigned i = 0; i < set->nsems; i++)
        values[i] = (uint16_t)set->sems[i].value;
    spin_unlock(&set->o.lock);
    if (removed)
        return -EIDRM;
    return copy_to_user(user, values, set->nsems * sizeof(*values));
}

static long write_values(struct sem_set *set, uint16_t *values, const uint16_t __user *user)
{
    if (copy_from_user(values, user, set->nsems * sizeof(*values)))
        return -EFAULT;
    for (unsigned i = 0; i < set->nsems; i++)
        if (values[i] > SEMVMX)
            return -ERANGE;
    spin_lock(&set->o.lock);
    bool removed = set->o.removed;
    if (!removed)
        set_values(set, 0, values, set->nsems);
    spin_unlock(&set->o.lock);
    return removed ? -EIDRM : 0;
}

static long all_values(int id, int cmd, uint16_t __user *user)
{
    struct sysv *o = sysv_lock(&sem_sets, id);

    if (is_err(o))
        return ptr_err(o);
    long result = sysv_permission(o, cmd == SETALL ? 0222 : 0444);
    spin_unlock(&o->lock);
    uint16_t *values = NULL;
    if (!result && !(values = kcalloc(set_of(o)->nsems, sizeof(*values))))
        result = -ENOMEM;
    if (!result)
        result = cmd == SETALL ? write_values(set_of(o), values, user)
                               : read_values(set_of(o), values, user);
    kfree(values);
    sysv_put(&sem_sets, o);
    return result;
}

/* ---- the object ---- */

static long stat_set(int id, int cmd, struct semid_ds __user *buf)
{
    struct semid_ds ds = {0};
    struct sysv *o = cmd == IPC_STAT ? sysv_lock(&sem_sets, id) : sysv_lock_index(&sem_sets, id);

    if (is_err(o))
        return ptr_err(o);
    long result = cmd == SEM_STAT_ANY ? 0 : sysv_permission(o, 0444);
    if (!result) {
        sysv_stat(o, &ds.sem_perm);
        ds.sem_otime = set_of(o)->otime;
        ds.sem_ctime = o->ctime;
        ds.sem_nsems = set_of(o)->nsems;
        result = cmd == IPC_STAT ? 0 : o->id;
    }
    sysv_unlock_put(&sem_sets, o);
    if (result >= 0 && copy_to_user(buf, &ds, sizeof(ds)))
        return -EFAULT;
    return result;
}

static long change_set(int id, int cmd, const struct semid_ds __user *buf)
{
    struct semid_ds ds;

    if (cmd == IPC_SET && copy_from_user(&ds, buf, sizeof(ds)))
        return -EFAULT;
    struct sysv *o = sysv_lock(&sem_sets, id);
    if (is_err(o))
        return ptr_err(o);
    int error = sysv_owner(o);
    if (!error && cmd == IPC_SET)
        error = sysv_set(o, &ds.sem_perm);
    else if (!error)
        sem_remove(set_of(o));
    sysv_unlock_put(&sem_sets, o);
    return error;
}

static long info(int cmd, struct seminfo __user *buf)
{
    unsigned count;
    int highest = sysv_highest(&sem_sets, &count);
    struct seminfo i = {
        .semmap = (int)sysv_limits.semmns,
        .semmni = (int)sysv_limits.semmni,
        .semmns = (int)sysv_limits.semmns,
        .semmnu = (int)sysv_limits.semmns,
        .semmsl = (int)sysv_limits.semmsl,
        .semopm = (int)sysv_limits.semopm,
        .semume = (int)sysv_limits.semopm,
        .semusz = cmd == SEM_INFO ? (int)count : 20,
        .semvmx = SEMVMX,
        .semaem = cmd == SEM_INFO ? (int)sem_total() : SEMAEM,
    };
    return copy_to_user(buf, &i, sizeof(i)) ? -EFAULT : highest;
}

long sys_semctl(int id, int n, int cmd, unsigned long arg)
{
    if (id < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
    case SEM_INFO: return info(cmd, (void __user *)arg);
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY: return stat_set(id, cmd, (void __user *)arg);
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT: return look_at_one(id, n, cmd);
    case SETVAL: return set_one(id, n, (int)arg);
    case GETALL:
    case SETALL: return all_values(id, cmd, (void __user *)arg);
    case IPC_SET:
    case IPC_RMID: return change_set(id, cmd, (void __user *)arg);
    default: return -EINVAL;
    }
}

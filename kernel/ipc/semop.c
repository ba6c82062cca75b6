/* semop and semtimedop: what they check before a group of operations is tried, and how it waits. */
#include <syscall_protos.h>

#include "ipc/sem.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "sched/time.h"
#include "x86/uaccess.h"

#define FEW_OPS 8

/* What the operations want of the set: 0, -EFBIG, -EACCES. The set is locked. */
static int check_ops(const struct sem_set *set, struct sem_waiter *w)
{
    for (unsigned i = 0; i < w->nops; i++) {
        if (w->ops[i].sem_num >= set->nsems)
            return -EFBIG;
        w->alters |= w->ops[i].sem_op != 0;
    }
    return sysv_permission(&set->o, w->alters ? 0222 : 0444);
}

static bool wants_undo(const struct sem_waiter *w)
{
    for (unsigned i = 0; i < w->nops; i++)
        if (w->ops[i].sem_flg & SEM_UNDO)
            return true;
    return false;
}

/* The set is locked before and after. */
static int perform(struct sem_set *set, struct sem_waiter *w, nsec_t deadline)
{
    int error = check_ops(set, w);

    if (error)
        return error;
    if (wants_undo(w)) {
        w->undo = sem_undo_get(set);
        if (is_err(w->undo))
            return (int)ptr_err(w->undo);
    }
    error = sem_try(set, w);
    if (error == 0 && w->alters)
        sem_wake(set);
    if (error > 0) {
        park(&w->parked, &set->waiters);
        error = parked_wait(&w->parked, &set->o.lock, deadline);
    }
    if (!error)
        set->otime = sysv_now();
    /* semop(2): a signal always ends it, and the time is -EAGAIN. */
    return error == -ERESTARTSYS ? -EINTR : error == -ETIMEDOUT ? -EAGAIN : error;
}

static long do_semop(int id, const struct sembuf *ops, unsigned nops, nsec_t deadline)
{
    struct sem_waiter w = {.ops = ops, .nops = nops, .pid = current_proc()->pid->nr};
    struct sysv *o = sysv_lock(&sem_sets, id);

    if (is_err(o))
        return ptr_err(o);
    int error = perform(set_of(o), &w, deadline);
    sysv_unlock_put(&sem_sets, o);
    return error;
}

static long copy_and_do(int id, const struct sembuf __user *user, unsigned nops,
                        const struct timespec __user *timeout)
{
    struct sembuf few[FEW_OPS], *ops = few;
    nsec_t time, deadline = DEADLINE_NONE;

    if (nops < 1 || id < 0)
        return -EINVAL;
    if (nops > sysv_limits.semopm)
        return -E2BIG;
    if (timeout) {
        int error = timespec_from_user(timeout, &time);
        if (error)
            return error;
        deadline = deadline_after(time);
    }
    if (nops > FEW_OPS && !(ops = kcalloc(nops, sizeof(*ops))))
        return -ENOMEM;
    long result = -EFAULT;
    if (!copy_from_user(ops, user, nops * sizeof(*ops)))
        result = do_semop(id, ops, nops, deadline);
    if (ops != few)
        kfree(ops);
    return result;
}

long sys_semop(int id, struct sembuf __user *ops, unsigned nops)
{
    return copy_and_do(id, ops, nops, NULL);
}

long sys_semtimedop(int id, struct sembuf __user *ops, unsigned nops,
                    const struct timespec __user *timeout)
{
    return copy_and_do(id, ops, nops, timeout);
}

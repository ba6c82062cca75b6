/*
 * System V semaphores: sets of counters, and groups of operations on them that are done all at once or not
 * at all.
 *
 * A group that can't be done yet waits on the set's list. Whoever changes a semaphore then tries the waiting
 * groups, oldest first, and does those that can be done in the name of their threads; each of these may in
 * turn make others possible, so it begins again until nothing moves.
 */
#include "ipc/sem.h"

#include <syscall_protos.h>

#include "lib/printf.h"
#include "mm/slab.h"

static size_t total; /* atomic: semaphores in all sets */

static void set_free(struct sysv *o)
{
    kfree(set_of(o));
}

struct sysv_table sem_sets = SYSV_TABLE_INIT("sem", set_free);

size_t sem_total(void)
{
    return atomic_load(&total);
}

/* ---- operations ---- */

/* One operation of W: as sem_try(). */
static int try_one(struct sem_set *set, struct sem_waiter *w, const struct sembuf *op)
{
    struct sem *s = &set->sems[op->sem_num];
    int value = s->value + op->sem_op;

    if (op->sem_op == 0 ? s->value != 0 : value < 0) {
        w->blocking = op;
        return op->sem_flg & IPC_NOWAIT ? -EAGAIN : 1;
    }
    if (value > SEMVMX)
        return -ERANGE;
    if (op->sem_flg & SEM_UNDO) {
        int adjust = w->undo->adjust[op->sem_num] - op->sem_op;
        if (adjust < -SEMAEM - 1 || adjust > SEMAEM)
            return -ERANGE;
        w->undo->adjust[op->sem_num] = (short)adjust;
    }
    s->value = value;
    return 0;
}

int sem_try(struct sem_set *set, struct sem_waiter *w)
{
    int result = 0;
    unsigned n = 0;

    while (n < w->nops && !(result = try_one(set, w, &w->ops[n])))
        n++;
    while (result && n-- > 0) { /* take back what was done */
        const struct sembuf *op = &w->ops[n];
        set->sems[op->sem_num].value -= op->sem_op;
        if (op->sem_flg & SEM_UNDO)
            w->undo->adjust[op->sem_num] += op->sem_op;
    }
    for (n = 0; !result && n < w->nops; n++)
        set->sems[w->ops[n].sem_num].pid = w->pid;
    return result;
}

void sem_wake(struct sem_set *set)
{
    struct sem_waiter *w, *next;
    bool again = !list_empty(&set->waiters);

    while (again) {
        again = false;
        list_for_each_safe (w, next, &set->waiters, parked.link) {
            int result = sem_try(set, w);
            if (result > 0)
                continue;
            bool changed = !result && w->alters;
            parked_finish(&w->parked, result);
            if (changed) {
                again = true;
                break;
            }
        }
    }
}

void sem_remove(struct sem_set *set)
{
    struct sem_waiter *w, *next;

    sem_undo_drop(set);
    list_for_each_safe (w, next, &set->waiters, parked.link)
        parked_finish(&w->parked, -EIDRM);
    atomic_sub(&total, set->nsems);
    sysv_remove(&sem_sets, &set->o);
}

/* ---- semget ---- */

static struct sysv *set_create(const struct sysv_request *rq)
{
    if (rq->size == 0)
        return err_ptr(-EINVAL);
    if (sem_total() + rq->size > sysv_limits.semmns)
        return err_ptr(-ENOSPC);
    struct sem_set *set = kzalloc(sizeof(*set) + rq->size * sizeof(struct sem));
    if (!set)
        return err_ptr(-ENOMEM);
    sysv_setup(&set->o, rq, "semaphores");
    set->nsems = (unsigned)rq->size;
    list_init(&set->waiters);
    list_init(&set->undos);
    atomic_add(&total, rq->size);
    return &set->o;
}

static int set_check(struct sysv *o, const struct sysv_request *rq)
{
    return rq->size > set_of(o)->nsems ? -EINVAL : 0;
}

long sys_semget(int key, int nsems, int flags)
{
    struct sysv_request rq = {
        .key = key,
        .flags = flags,
        .size = (unsigned)nsems,
        .max = sysv_limits.semmni,
        .create = set_create,
        .check = set_check,
    };
    if (nsems < 0 || (uint64_t)nsems > sysv_limits.semmsl)
        return -EINVAL;
    return sysv_open(&sem_sets, &rq);
}

/* ---- /proc/sysvipc/sem ---- */

struct show {
    void (*emit)(void *ctx, const char *line);
    void *ctx;
};

static void show_set(void *ctx, struct sysv *o)
{
    const struct sem_set *set = set_of(o);
    struct show *to = ctx;
    char line[128];

    snprintf(line, sizeof(line), "%10d %10d  %4o %10u %5u %5u %5u %5u %10lu %10lu\n", o->key, o->id,
             o->mode, set->nsems, o->uid, o->gid, o->cuid, o->cgid, (unsigned long)set->otime,
             (unsigned long)o->ctime);
    to->emit(to->ctx, line);
}

void sem_show(void (*emit)(void *ctx, const char *line), void *ctx)
{
    emit(ctx,
         "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
    sysv_for_each(&sem_sets, show_set, &(struct show){emit, ctx});
}

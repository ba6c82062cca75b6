/* msgctl, and the queues' lines in /proc/sysvipc/msg. */
#include <abi/msg.h>

#include <syscall_protos.h>

#include "ipc/msg.h"
#include "lib/printf.h"
#include "proc/cred.h"
#include "x86/uaccess.h"

static void fill_stat(const struct msg_queue *q, struct msqid_ds *ds)
{
    *ds = (struct msqid_ds){0};
    sysv_stat(&q->o, &ds->msg_perm);
    ds->msg_stime = q->stime;
    ds->msg_rtime = q->rtime;
    ds->msg_ctime = q->o.ctime;
    ds->msg_cbytes = q->bytes;
    ds->msg_qnum = q->count;
    ds->msg_qbytes = q->limit;
    ds->msg_lspid = q->lspid;
    ds->msg_lrpid = q->lrpid;
}

static long stat_queue(int id, int cmd, struct msqid_ds __user *buf)
{
    struct msqid_ds ds;
    struct sysv *o =
        cmd == IPC_STAT ? sysv_lock(&msg_queues, id) : sysv_lock_index(&msg_queues, id);

    if (is_err(o))
        return ptr_err(o);
    long result = cmd == MSG_STAT_ANY ? 0 : sysv_permission(o, 0444);
    if (!result) {
        fill_stat(queue_of(o), &ds);
        result = cmd == IPC_STAT ? 0 : o->id;
    }
    sysv_unlock_put(&msg_queues, o);
    if (result >= 0 && copy_to_user(buf, &ds, sizeof(ds)))
        return -EFAULT;
    return result;
}

static int set_queue(struct msg_queue *q, const struct msqid_ds *ds)
{
    uint32_t limit = (uint32_t)ds->msg_qbytes; /* Linux looks at no more of it */

    if (limit > sysv_limits.msgmnb && !capable(CAP_SYS_RESOURCE))
        return -EPERM;
    int error = sysv_set(&q->o, &ds->msg_perm);
    if (error)
        return error;
    q->limit = limit;
    msg_look_again(q);
    msg_admit(q);
    return 0;
}

static long change_queue(int id, int cmd, const struct msqid_ds __user *buf)
{
    struct list messages = LIST_INIT(messages);
    struct msqid_ds ds;

    if (cmd == IPC_SET && copy_from_user(&ds, buf, sizeof(ds)))
        return -EFAULT;
    struct sysv *o = sysv_lock(&msg_queues, id);
    if (is_err(o))
        return ptr_err(o);
    int error = sysv_owner(o);
    if (!error && cmd == IPC_SET)
        error = set_queue(queue_of(o), &ds);
    else if (!error)
        msg_remove(queue_of(o), &messages);
    sysv_unlock_put(&msg_queues, o);
    message_free_list(&messages);
    return error;
}

static long info(int cmd, struct msginfo __user *buf)
{
    unsigned count;
    int highest = sysv_highest(&msg_queues, &count);
    struct msginfo i;
    memset(&i, 0, sizeof(i));
    i.msgmax = (int)sysv_limits.msgmax;
    i.msgmnb = (int)sysv_limits.msgmnb;
    i.msgmni = (int)sysv_limits.msgmni;
    i.msgssz = 16;
    i.msgseg = 0xffff;
    if (cmd == MSG_INFO) {
        size_t messages, bytes;
        msg_totals(&messages, &bytes);
        i.msgpool = (int)count;
        i.msgmap = (int)messages;
        i.msgtql = (int)bytes;
    } else {
        i.msgpool = 32000 * (16384 / 1024); /* Linux's constants */
        i.msgmap = 16384;
        i.msgtql = 16384;
    }
    return copy_to_user(buf, &i, sizeof(i)) ? -EFAULT : highest;
}

long sys_msgctl(int id, int cmd, void __user *buf)
{
    if (id < 0 || cmd < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
    case MSG_INFO: return info(cmd, buf);
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY: return stat_queue(id, cmd, buf);
    case IPC_SET:
    case IPC_RMID: return change_queue(id, cmd, buf);
    default: return -EINVAL;
    }
}

struct show {
    void (*emit)(void *ctx, const char *line);
    void *ctx;
};

static void show_queue(void *ctx, struct sysv *o)
{
    struct show *to = ctx;
    struct msqid_ds d;
    char line[192];

    fill_stat(queue_of(o), &d);
    snprintf(line, sizeof(line),
             "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10lu %10lu %10lu\n", o->key,
             o->id, o->mode, d.msg_cbytes, d.msg_qnum, (unsigned)d.msg_lspid, (unsigned)d.msg_lrpid,
             o->uid, o->gid, o->cuid, o->cgid, (unsigned long)d.msg_stime,
             (unsigned long)d.msg_rtime, (unsigned long)d.msg_ctime);
    to->emit(to->ctx, line);
}

void msg_show(void (*emit)(void *ctx, const char *line), void *ctx)
{
    emit(ctx,
         "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid  "
         "    stime      rtime      ctime\n");
    sysv_for_each(&msg_queues, show_queue, &(struct show){emit, ctx});
}

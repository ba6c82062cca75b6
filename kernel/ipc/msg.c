/*
 * System V message queues. A message has a type, and a receiver says which types it takes: any, one, all
 * but one, or the lowest up to some number.
 *
 * Who finds no message that it takes parks with its wishes; who sends gives the message to the first who
 * takes it, and puts it into the queue only when there is none. In the same way a sender without room parks
 * with its message, and who makes room takes it in. So nobody overtakes those who wait.
 */
#include "ipc/msg.h"

#include <abi/msg.h>

#include <syscall_protos.h>

#include "lib/printf.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "x86/uaccess.h"

#define LOOK_AGAIN 1 /* what a parked receiver is finished with when rights have changed */

/* Which messages are wanted. */
struct choice {
    enum { ANY, EQUAL, NOT_EQUAL, AT_MOST, NUMBER } how;
    long type;     /* NUMBER: how many stand before it */
    size_t max;    /* bytes that there is room for */
    bool truncate; /* MSG_NOERROR: longer ones are cut */
};

struct receiver {
    struct parked parked;
    const struct choice *choice; /* const */
    pid_t pid;                   /* const */
    struct message *got;         /* the queue's lock */
};

struct sender {
    struct parked parked;
    struct message *message; /* the queue's lock */
    pid_t pid;               /* const */
    const struct cred *cred; /* const: its own, which stays while it sleeps */
};

static size_t total_messages, total_bytes; /* atomic: in all queues */

static void queue_free(struct sysv *o)
{
    kfree(queue_of(o));
}

struct sysv_table msg_queues = SYSV_TABLE_INIT("msg", queue_free);

void msg_totals(size_t *messages, size_t *bytes)
{
    *messages = atomic_load(&total_messages);
    *bytes = atomic_load(&total_bytes);
}

/* ---- messages coming and going: the queue is locked ---- */

static void count(struct msg_queue *q, const struct message *m, int n)
{
    q->count += (size_t)n;
    q->bytes += (size_t)n * m->size;
    atomic_add(&total_messages, (size_t)n);
    atomic_add(&total_bytes, (size_t)n * m->size);
}

static bool fits(const struct msg_queue *q, const struct message *m)
{
    return m->size + q->bytes <= q->limit && q->count + 1 <= q->limit;
}

static bool is_wanted(const struct choice *c, const struct message *m)
{
    switch (c->how) {
    case ANY: return true;
    case EQUAL: return m->type == c->type;
    case NOT_EQUAL: return m->type != c->type;
    case AT_MOST: return m->type <= c->type;
    default: return false;
    }
}

static bool is_too_long(const struct choice *c, const struct message *m)
{
    return m->size > c->max && !c->truncate;
}

/* M is PID's: to whoever waits for one like it, else into the queue. */
static void deliver(struct msg_queue *q, struct message *m, pid_t pid)
{
    struct receiver *r, *next;

    q->lspid = pid;
    q->stime = sysv_now();
    list_for_each_safe (r, next, &q->receivers, parked.link) {
        if (!is_wanted(r->choice, m))
            continue;
        if (is_too_long(r->choice, m)) {
            parked_finish(&r->parked, -E2BIG);
            continue;
        }
        r->got = m;
        q->lrpid = r->pid;
        q->rtime = sysv_now();
        parked_finish(&r->parked, 0);
        return;
    }
    list_push_back(&q->messages, &m->link);
    count(q, m, 1);
}

void msg_admit(struct msg_queue *q)
{
    struct sender *s, *next;

    list_for_each_safe (s, next, &q->senders, parked.link) {
        if (!fits(q, s->message))
            continue;
        /* It may have slept while its rights went. */
        int error = sysv_permission_of(&q->o, s->cred, 0222);
        if (!error) {
            deliver(q, s->message, s->pid);
            s->message = NULL;
        }
        parked_finish(&s->parked, error);
    }
}

void msg_look_again(struct msg_queue *q)
{
    struct receiver *r, *next;

    list_for_each_safe (r, next, &q->receivers, parked.link)
        parked_finish(&r->parked, LOOK_AGAIN);
}

void msg_remove(struct msg_queue *q, struct list *list)
{
    struct receiver *r, *next_r;
    struct sender *s, *next_s;
    struct message *m;

    list_for_each_safe (r, next_r, &q->receivers, parked.link)
        parked_finish(&r->parked, -EIDRM);
    list_for_each_safe (s, next_s, &q->senders, parked.link)
        parked_finish(&s->parked, -EIDRM);
    list_for_each (m, &q->messages, link)
        count(q, m, -1);
    list_splice_back(list, &q->messages);
    sysv_remove(&msg_queues, &q->o);
}

/* ---- msgget ---- */

static struct sysv *queue_create(const struct sysv_request *rq)
{
    struct msg_queue *q = kzalloc(sizeof(*q));

    if (!q)
        return err_ptr(-ENOMEM);
    sysv_setup(&q->o, rq, "message queue");
    list_init(&q->messages);
    list_init(&q->receivers);
    list_init(&q->senders);
    q->limit = sysv_limits.msgmnb;
    return &q->o;
}

long sys_msgget(int key, int flags)
{
    struct sysv_request rq = {
        .key = key,
        .flags = flags,
        .max = sysv_limits.msgmni,
        .create = queue_create,
    };
    return sysv_open(&msg_queues, &rq);
}

/* ---- msgsnd ---- */

/* *M is taken over when 0 is returned, and *M is NULL then. The queue is locked. */
static int send(struct msg_queue *q, struct message **m, int flags)
{
    struct sender s = {.message = *m, .pid = current_proc()->pid->nr, .cred = current_cred()};
    int error = sysv_permission(&q->o, 0222);

    if (error)
        return error;
    if (fits(q, *m)) {
        deliver(q, *m, s.pid);
        *m = NULL;
        return 0;
    }
    if (flags & IPC_NOWAIT)
        return -EAGAIN;
    park(&s.parked, &q->senders);
    error = parked_wait(&s.parked, &q->o.lock, DEADLINE_NONE);
    *m = s.message;
    return error == -ERESTARTSYS ? -ERESTARTNOHAND : error;
}

long sys_msgsnd(int id, const void __user *msg, size_t size, int flags)
{
    long type;

    if (get_user(type, (const long __user *)msg))
        return -EFAULT;
    if (size > sysv_limits.msgmax || (long)size < 0 || id < 0 || type < 1)
        return -EINVAL;
    struct message *m = message_from_user((const char __user *)msg + sizeof(long), size, type);
    if (is_err(m))
        return ptr_err(m);
    struct sysv *o = sysv_lock(&msg_queues, id);
    long error = is_err(o) ? ptr_err(o) : 0;
    if (!error) {
        error = send(queue_of(o), &m, flags);
        sysv_unlock_put(&msg_queues, o);
    }
    if (m)
        message_free(m);
    return error;
}

/* ---- msgrcv ---- */

static int make_choice(struct choice *c, size_t max, long type, int flags)
{
    c->max = max;
    c->truncate = flags & MSG_NOERROR;
    c->type = type;
    if (flags & MSG_COPY) {
        if ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT))
            return -EINVAL;
        c->how = NUMBER;
    } else if (type == 0) {
        c->how = ANY;
    } else if (type < 0) {
        c->how = AT_MOST;
        c->type = type == INT64_MIN ? INT64_MAX : -type;
    } else {
        c->how = flags & MSG_EXCEPT ? NOT_EQUAL : EQUAL;
    }
    return 0;
}

/* The message that C chooses now; NULL. */
static struct message *find(struct msg_queue *q, const struct choice *c)
{
    struct message *m, *best = NULL;
    long number = 0;

    list_for_each (m, &q->messages, link) {
        if (c->how == NUMBER ? number++ != c->type : !is_wanted(c, m))
            continue;
        if (c->how != AT_MOST)
            return m;
        if (!best || m->type < best->type)
            best = m;
    }
    return best;
}

/* Take M out, or a copy of it for NUMBER: err_ptr. MSG_NOERROR cuts messages, but no copies (as Linux). */
static struct message *take(struct msg_queue *q, struct message *m, const struct choice *c)
{
    if (c->how == NUMBER)
        return m->size > c->max ? err_ptr(-EINVAL) : message_clone(m);
    list_remove(&m->link);
    count(q, m, -1);
    q->lrpid = current_proc()->pid->nr;
    q->rtime = sysv_now();
    msg_admit(q);
    return m;
}

/* The message, or err_ptr(). The queue is locked before and after. */
static struct message *receive(struct msg_queue *q, const struct choice *c, int flags)
{
    struct receiver r = {.choice = c, .pid = current_proc()->pid->nr};
    int error;

    do {
        if ((error = sysv_permission(&q->o, 0444)))
            return err_ptr(error);
        struct message *m = find(q, c);
        if (m)
            return is_too_long(c, m) ? err_ptr(-E2BIG) : take(q, m, c);
        if (flags & IPC_NOWAIT)
            return err_ptr(-ENOMSG);
        park(&r.parked, &q->receivers);
        error = parked_wait(&r.parked, &q->o.lock, DEADLINE_NONE);
    } while (error == LOOK_AGAIN);
    if (error)
        return err_ptr(error == -ERESTARTSYS ? -ERESTARTNOHAND : error);
    return r.got;
}

long sys_msgrcv(int id, void __user *msg, size_t size, long type, int flags)
{
    struct choice c;

    if (id < 0 || (long)size < 0)
        return -EINVAL;
    int error = make_choice(&c, size, type, flags);
    if (error)
        return error;
    struct sysv *o = sysv_lock(&msg_queues, id);
    if (is_err(o))
        return ptr_err(o);
    struct message *m = receive(queue_of(o), &c, flags);
    sysv_unlock_put(&msg_queues, o);
    if (is_err(m))
        return ptr_err(m);
    size_t n = min(size, m->size);
    error = put_user(m->type, (long __user *)msg);
    if (!error)
        error = message_to_user(m, (char __user *)msg + sizeof(long), n);
    message_free(m);
    return error ? error : (long)n;
}

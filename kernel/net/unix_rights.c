/*
 * What travels with bytes over a local socket: descriptors (SCM_RIGHTS) and the sender's ids
 * (SCM_CREDENTIALS).
 *
 * A descriptor in flight is a reference to its description, held by the message. When the description is
 * a socket itself, messages can come to lie in the queues of sockets that are only kept alive by messages
 * which lie in ... each other's queues: nobody will ever read them. So each socket counts how often it is
 * in flight, and when a socket that is in flight is closed, or any is while some are, the unreachable are looked for:
 *
 *   1. Suspects: sockets in flight all of whose references are from messages.
 *   2. From each suspect's count, take away the messages that lie in suspects' queues. Who has some left is
 *      referred to from outside, and is no suspect; neither is what lies in its queue, nor in theirs.
 *   3. The queues of the others are emptied and closed to senders, which frees them.
 *
 * flight_lock guards the counts, the list and who holds a message's files. A socket that is being received
 * just now has its message out of the queue already, but still counts: so it is taken for reachable.
 */
#include "fs/fdtable.h"
#include "fs/poll.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/unix.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "x86/uaccess.h"

#define OVERFLOW_ID 65534 /* ids of a sender that nobody asked */

static struct spinlock flight_lock = SPINLOCK_INIT(RANK_FLIGHT, "unix descriptors in flight");
static struct list in_flight = LIST_INIT(in_flight); /* flight_lock: sockets, by flight_link */
static size_t files_in_flight;                       /* flight_lock: descriptors of any kind */

/*
 * Files that are to be closed. Closing a socket may drop messages that close more, to any depth: so they
 * are put on a list, and whoever is closing already goes on with it.
 */
static struct spinlock grave_lock = SPINLOCK_INIT(RANK_FLIGHT, "unix closing");
static struct scm *grave;      /* grave_lock: messages whose files are to be closed */
static bool grave_is_attended; /* grave_lock: somebody is at it */

static struct unix_socket *unix_of_file(const struct file *f)
{
    struct socket *s = socket_of(f);
    return s && s->domain == AF_UNIX ? unix_of(s) : NULL;
}

/* --- coming and going --- */

/* flight_lock held. */
static void take_off(struct file *f)
{
    struct unix_socket *u = unix_of_file(f);

    files_in_flight++;
    if (u && u->inflight++ == 0)
        list_push_back(&in_flight, &u->flight_link);
}

/* flight_lock held. */
static void land(struct file *f)
{
    struct unix_socket *u = unix_of_file(f);

    files_in_flight--;
    if (u && --u->inflight == 0)
        list_remove(&u->flight_link);
}

void scm_launch(struct scm *scm)
{
    spin_lock(&flight_lock);
    for (unsigned i = 0; i < scm->nfiles; i++)
        take_off(scm->files[i]);
    spin_unlock(&flight_lock);
}

static void scm_destroy(struct scm *scm)
{
    for (unsigned i = 0; i < scm->nfiles; i++)
        file_put(scm->files[i]);
    unix_name_put(scm->from);
    kfree(scm);
}

static void bury(struct scm *scm)
{
    spin_lock(&grave_lock);
    scm->next_buried = grave;
    grave = scm;
    if (grave_is_attended) {
        spin_unlock(&grave_lock);
        return;
    }
    grave_is_attended = true;
    while ((scm = grave)) {
        grave = scm->next_buried;
        spin_unlock(&grave_lock);
        scm_destroy(scm);
        spin_lock(&grave_lock);
    }
    grave_is_attended = false;
    spin_unlock(&grave_lock);
}

/* The last buffer of a message has gone and nobody has received its descriptors, or there were none. */
static void scm_free(struct buf_cargo *c)
{
    struct scm *scm = scm_of(c);

    if (!scm->nfiles) {
        scm_destroy(scm);
        return;
    }
    spin_lock(&flight_lock);
    for (unsigned i = 0; i < scm->nfiles; i++)
        land(scm->files[i]);
    spin_unlock(&flight_lock);
    bury(scm);
}

/* --- sending --- */

/* May the current process say that it is IDS? As itself; or as anybody, with the capabilities. */
static int check_ids(const struct ucred *ids)
{
    const struct cred *c = current_cred();

    if (ids->pid != current_proc()->pid->nr && !capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (ids->uid != c->uid && ids->uid != c->euid && ids->uid != c->suid && !capable(CAP_SETUID))
        return -EPERM;
    if (ids->gid != c->gid && ids->gid != c->egid && ids->gid != c->sgid && !capable(CAP_SETGID))
        return -EPERM;
    return 0;
}

/* Count the descriptors in M's control data, and take its ids. -EINVAL, -EPERM. */
static int read_control(struct message *m, unsigned *nfiles, struct ucred *ids, bool *has_ids)
{
    *nfiles = 0;
    for (struct cmsghdr *c = NULL; (c = control_next(m, c));) {
        if (is_err(c))
            return (int)ptr_err(c);
        if (c->cmsg_level != SOL_SOCKET)
            continue;
        size_t len = c->cmsg_len - sizeof(*c);
        if (c->cmsg_type == SCM_RIGHTS) {
            *nfiles += (unsigned)(len / sizeof(int));
            if (*nfiles > SCM_MAX_FILES)
                return -EINVAL;
        } else if (c->cmsg_type == SCM_CREDENTIALS) {
            if (len != sizeof(*ids))
                return -EINVAL;
            memcpy(ids, CMSG_DATA(c), sizeof(*ids));
            int error = check_ids(ids);
            if (error)
                return error;
            *has_ids = true;
        } else {
            return -EINVAL;
        }
    }
    return 0;
}

/* References to the descriptors named in M's control data. -EBADF. */
static int take_files(struct message *m, struct scm *scm)
{
    for (struct cmsghdr *c = NULL; (c = control_next(m, c));) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - sizeof(*c)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
            struct file *f = fd_get(fd);
            if (!f)
                return -EBADF;
            scm->files[scm->nfiles++] = f;
        }
    }
    return 0;
}

/* All users together may have as many in flight as one process may have open, and who is privileged more. */
static bool too_many_in_flight(void)
{
    return READ_ONCE(files_in_flight) > proc_rlimit(RLIMIT_NOFILE) && !capable(CAP_SYS_RESOURCE) &&
           !capable(CAP_SYS_ADMIN);
}

int scm_create(struct message *m, struct unix_socket *from, bool named, bool with_ids,
               struct scm **out)
{
    struct ucred ids = unix_current_ids();
    unsigned nfiles = 0;
    int error = m->control_len ? read_control(m, &nfiles, &ids, &with_ids) : 0;
    struct unix_name *name = NULL;

    *out = NULL;
    if (error)
        return error;
    if (nfiles && too_many_in_flight())
        return -ETOOMANYREFS;
    if (named) {
        spin_lock(&unix_lock);
        name = from->name;
        if (name)
            unix_name_get(name);
        spin_unlock(&unix_lock);
    }
    if (!nfiles && !with_ids && !name)
        return 0;
    struct scm *scm = kmalloc(sizeof(*scm) + nfiles * sizeof(scm->files[0]));
    if (!scm) {
        unix_name_put(name);
        return -ENOMEM;
    }
    ref_init(&scm->cargo.ref, 1);
    scm->cargo.free = scm_free;
    scm->from = name;
    scm->has_ids = with_ids;
    scm->ids = ids;
    scm->nfiles = scm->walk = 0;
    error = nfiles ? take_files(m, scm) : 0;
    if (error)
        scm_destroy(scm);
    else
        *out = scm;
    return error;
}

/* --- receiving --- */

/* One descriptor for the receiver, its number written behind those before. False: no more can be had. */
static bool install(struct message *m, struct file *f, unsigned index)
{
    int fd = fd_reserve(0, m->flags & MSG_CMSG_CLOEXEC);
    int __user *to = (int __user *)(m->control_out + sizeof(struct cmsghdr)) + index;

    if (fd < 0)
        return false;
    if (copy_to_user(to, &fd, sizeof(fd))) {
        fd_release(fd);
        return false;
    }
    file_get(f);
    fd_install(fd, f);
    return true;
}

/* As many of the N files as there is room for become the receiver's. The others are closed with the rest. */
static int give_files(struct message *m, struct file **files, unsigned n)
{
    size_t room = m->control_room < sizeof(struct cmsghdr)
                      ? 0
                      : (m->control_room - sizeof(struct cmsghdr)) / sizeof(int);
    unsigned done = 0;

    while (done < min((size_t)n, room) && install(m, files[done], done))
        done++;
    if (done < n)
        m->result |= MSG_CTRUNC;
    if (!done)
        return 0;
    struct cmsghdr header = {CMSG_LEN(done * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    if (copy_to_user(m->control_out, &header, sizeof(header)))
        return -EFAULT;
    size_t used = min(CMSG_SPACE(done * sizeof(int)), m->control_room);
    m->control_out += used;
    m->control_room -= used;
    return 0;
}

/* The files of SCM, on a message of their own that the caller frees: taken from it, or for a PEEK shared. */
static struct scm *detach_files(struct scm *scm, bool peek)
{
    struct scm *mine = kmalloc(sizeof(*scm) + SCM_MAX_FILES * sizeof(scm->files[0]));
    if (!mine)
        return NULL;
    *mine = (struct scm){.nfiles = 0};
    spin_lock(&flight_lock);
    mine->nfiles = scm->nfiles;
    memcpy(mine->files, scm->files, scm->nfiles * sizeof(scm->files[0]));
    for (unsigned i = 0; i < mine->nfiles; i++) {
        if (peek)
            file_get(mine->files[i]);
        else
            land(mine->files[i]);
    }
    if (!peek)
        scm->nfiles = 0;
    spin_unlock(&flight_lock);
    return mine;
}

static int receive_files(struct message *m, struct scm *scm, bool peek)
{
    struct scm *mine = detach_files(scm, peek);
    if (!mine) {
        m->result |= MSG_CTRUNC;
        return 0;
    }
    int error = give_files(m, mine->files, mine->nfiles);
    scm_destroy(mine);
    return error;
}

int scm_receive(struct unix_socket *u, struct message *m, struct buf_cargo *c, bool peek)
{
    struct scm *scm = scm_of(c);

    if (socket_option(&u->s, SO_PASSCRED)) {
        struct ucred ids = {0, OVERFLOW_ID, OVERFLOW_ID};
        if (scm && scm->has_ids)
            ids = scm->ids;
        int error = control_put(m, SOL_SOCKET, SCM_CREDENTIALS, &ids, sizeof(ids));
        if (error)
            return error;
    }
    return scm && READ_ONCE(scm->nfiles) ? receive_files(m, scm, peek) : 0;
}

/* --- garbage --- */

static unsigned this_walk; /* flight_lock: a number of its own for each walk over a queue */

/*
 * Call FN for each socket that lies in a message in Q, once for each message: its buffers may lie apart, with
 * another sender's between them. flight_lock and Q's lock held.
 */
static void for_each_in_queue(struct queue *q, void (*fn)(struct unix_socket *))
{
    struct buf *b;

    this_walk++;
    list_for_each (b, &q->bufs, link) {
        struct scm *scm = scm_of(b->cargo);
        if (!scm || !scm->nfiles || scm->walk == this_walk)
            continue;
        scm->walk = this_walk;
        for (unsigned i = 0; i < scm->nfiles; i++)
            if (unix_of_file(scm->files[i]))
                fn(unix_of_file(scm->files[i]));
    }
}

/* The same for U's queue and those of the connections that wait to be accepted at U: they live in its list. */
static void for_each_held(struct unix_socket *u, void (*fn)(struct unix_socket *))
{
    struct unix_socket *p;

    spin_lock(&u->s.rx.lock);
    for_each_in_queue(&u->s.rx, fn);
    list_for_each (p, &u->pending, pending_link) {
        /* The listener's lock is held, and theirs is of the same rank: a listener before its own. */
        spin_lock_nested(&p->s.rx.lock);
        for_each_in_queue(&p->s.rx, fn);
        spin_unlock(&p->s.rx.lock);
    }
    spin_unlock(&u->s.rx.lock);
}

#define REACHABLE \
    UINT32_MAX /* no suspect; any other value of ->reachable counts references from outside */

static void count_down(struct unix_socket *u)
{
    if (u->reachable != REACHABLE)
        u->reachable--;
}

static bool found_more; /* flight_lock: mark_reachable has changed something */

static void mark_reachable(struct unix_socket *u)
{
    if (u->reachable != REACHABLE) {
        u->reachable = REACHABLE;
        found_more = true;
    }
}

/* Steps 1 and 2. flight_lock held. */
static void find_unreachable(const struct unix_socket *closing)
{
    struct unix_socket *u;

    list_for_each (u, &in_flight, flight_link) {
        unsigned outside = u == closing; /* the descriptor that is being closed counts no more */
        bool suspect = (unsigned)ref_read(&u->s.file->ref) == u->inflight + outside;
        u->reachable = suspect ? u->inflight : REACHABLE;
    }
    list_for_each (u, &in_flight, flight_link)
        if (u->reachable != REACHABLE)
            for_each_held(u, count_down);
    list_for_each (u, &in_flight, flight_link)
        if (u->reachable != 0)
            u->reachable = REACHABLE;
    do {
        found_more = false;
        list_for_each (u, &in_flight, flight_link)
            if (u->reachable == REACHABLE)
                for_each_held(u, mark_reachable);
    } while (found_more);
}

/*
 * Move U's buffers to OUT. Nobody will read any more: a sender who waits for room in the middle of a message,
 * and holds its descriptors meanwhile, hears of it. flight_lock and U's rx.lock held.
 */
static void empty_queue(struct unix_socket *u, struct list *out)
{
    struct queue *q = &u->s.rx;

    list_splice_back(out, &q->bufs);
    q->nbufs = 0;
    q->bytes = 0;
    u->messages = 0;
    q->no_readers = true;
    wake_all(&q->writable, POLLOUT | POLLWRNORM | POLLHUP | POLLERR);
}

/* The same for the queue of U, which is garbage, and of the connections that wait at it. flight_lock held. */
static void empty_queues(struct unix_socket *u, struct list *out)
{
    struct unix_socket *p;

    spin_lock(&u->s.rx.lock);
    empty_queue(u, out);
    list_for_each (p, &u->pending, pending_link) {
        spin_lock_nested(&p->s.rx.lock);
        empty_queue(p, out);
        spin_unlock(&p->s.rx.lock);
    }
    spin_unlock(&u->s.rx.lock);
}

void unix_collect_garbage(const struct unix_socket *closing)
{
    struct list garbage = LIST_INIT(garbage);
    struct unix_socket *u;
    struct buf *b, *next;

    if (list_empty(&in_flight))
        return;
    spin_lock(&flight_lock);
    find_unreachable(closing);
    list_for_each (u, &in_flight, flight_link)
        if (u->reachable == 0)
            empty_queues(u, &garbage);
    spin_unlock(&flight_lock);
    list_for_each_safe (b, next, &garbage, link)
        buf_free(b);
}

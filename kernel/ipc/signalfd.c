/*
 * signalfd(2): signals as something to read. The file holds a set; a read takes a signal of that set that is
 * pending for the reader, its thread or its process, just as rt_sigtimedwait would, and waits while there
 * is none. Programs block those signals first, else a handler or the default action is faster.
 *
 * Whose signals they are follows from who reads or polls, not from who made the file; so who sleeps, sleeps on a
 * queue of his own process, p->signal_wait, which every sender wakes. Pollers and epoll sets may stay on
 * that queue when the process has gone. So a signalfd keeps a reference to each process in which it was
 * polled, for as long as anybody is on that queue: the file outlives its pollers.
 */
#include <abi/fcntl.h>
#include <abi/signal.h>
#include <abi/signalfd.h>

#include "fs/fdtable.h"
#include "fs/poll.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "signal/signal.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

_Static_assert(sizeof(struct signalfd_siginfo) == 128, "what Linux gives");

struct signalfd {
    ksigset_t set;        /* atomic: what it is for */
    struct spinlock lock; /* RANK_QUEUE */
    struct list polled;   /* lock: struct polled_proc */
};

struct polled_proc {
    struct list link;  /* the file's lock */
    struct proc *proc; /* const: a reference */
};

/* --- what is read ----------------------------------------------------------------------------------- */

/* Which fields of a siginfo there are (siginfo_t's comment): by code, and if the kernel made it by signal. */
static void fill_by_signal(struct signalfd_siginfo *out, const siginfo_t *in)
{
    switch (in->si_signo) {
    case SIGILL:
    case SIGFPE:
    case SIGSEGV:
    case SIGBUS:
    case SIGTRAP: out->ssi_addr = (uint64_t)in->si_addr; break;
    case SIGCHLD:
        out->ssi_pid = (uint32_t)in->si_pid;
        out->ssi_uid = in->si_uid;
        out->ssi_status = in->si_status;
        out->ssi_utime = (uint64_t)in->si_utime;
        out->ssi_stime = (uint64_t)in->si_stime;
        break;
    case SIGIO:
        out->ssi_band = (uint32_t)in->si_band;
        out->ssi_fd = in->si_fd;
        break;
    case SIGSYS:
        out->ssi_call_addr = (uint64_t)in->si_call_addr;
        out->ssi_syscall = in->si_syscall;
        out->ssi_arch = in->si_arch;
        break;
    default: out->ssi_pid = (uint32_t)in->si_pid; out->ssi_uid = in->si_uid;
    }
}

static void fill(struct signalfd_siginfo *out, const siginfo_t *in)
{
    memset(out, 0, sizeof(*out));
    out->ssi_signo = (uint32_t)in->si_signo;
    out->ssi_errno = in->si_errno;
    out->ssi_code = in->si_code;
    if (in->si_code == SI_TIMER) {
        out->ssi_tid = (uint32_t)in->si_timerid;
        out->ssi_overrun = (uint32_t)in->si_overrun;
    } else if (in->si_code == SI_SIGIO) {
        out->ssi_band = (uint32_t)in->si_band;
        out->ssi_fd = in->si_fd;
        return;
    } else if (in->si_code > SI_USER && in->si_code < SI_KERNEL) {
        fill_by_signal(out, in);
        return;
    } else {
        out->ssi_pid = (uint32_t)in->si_pid;
        out->ssi_uid = in->si_uid;
    }
    if (in->si_code < SI_USER && in->si_code != SI_TKILL) {
        out->ssi_int = in->si_int;
        out->ssi_ptr = (uint64_t)in->si_ptr;
    }
}

/* One signal of S's set: its number, -EAGAIN, -ERESTARTSYS. */
static int take(const struct signalfd *s, bool wait, siginfo_t *info)
{
    struct proc *p = current_proc();
    int signo = 0, error = 0;

    spin_lock(&p->signal_lock);
    signo = signal_take_locked(READ_ONCE(s->set), info);
    if (!signo && wait)
        error =
            wait_event(&p->signal_wait, (signo = signal_take_locked(READ_ONCE(s->set), info)) != 0,
                       DEADLINE_NONE);
    else if (!signo)
        error = -EAGAIN;
    spin_unlock(&p->signal_lock);
    return signo ? signo : error;
}

static ssize_t signalfd_read(struct file *f, struct uio *u, off_t *pos)
{
    const struct signalfd *s = f->private;
    struct signalfd_siginfo out;
    siginfo_t info;
    ssize_t done = 0;

    (void)pos;
    if (u->left < sizeof(out))
        return -EINVAL;
    while (u->left >= sizeof(out)) {
        int signo = take(s, !done && !(f->flags & O_NONBLOCK), &info);
        if (signo < 0)
            return done ? done : signo;
        fill(&out, &info);
        if (uio_copy_out(u, &out, sizeof(out)) < sizeof(out))
            return done ? done : -EFAULT;
        done += sizeof(out);
    }
    return done;
}

/* --- polling ---------------------------------------------------------------------------------------- */

static bool has_pollers(struct proc *p)
{
    spin_lock(&p->signal_lock);
    bool any = !waitq_is_empty(&p->signal_wait);
    spin_unlock(&p->signal_lock);
    return any;
}

/* Let those go that have ended and on whose queue nobody is: nobody joins it any more either. */
static void forget_the_dead(struct signalfd *s)
{
    struct list dead = LIST_INIT(dead);
    struct polled_proc *e, *next;

    spin_lock(&s->lock);
    list_for_each_safe (e, next, &s->polled, link) {
        if (READ_ONCE(e->proc->nthreads))
            continue;
        list_remove(&e->link);
        list_push_back(&dead, &e->link);
    }
    spin_unlock(&s->lock);
    list_for_each_safe (e, next, &dead, link) {
        list_remove(&e->link);
        if (has_pollers(e->proc)) {
            spin_lock(&s->lock);
            list_push_back(&s->polled, &e->link);
            spin_unlock(&s->lock);
            continue;
        }
        proc_put(e->proc);
        kfree(e);
    }
}

/* See that S holds a reference to P, the current process. False when out of memory. */
static bool hold(struct signalfd *s, struct proc *p)
{
    struct polled_proc *e, *new = NULL;

    for (;;) {
        spin_lock(&s->lock);
        bool held = false;
        list_for_each (e, &s->polled, link)
            held |= e->proc == p;
        if (!held && new) {
            proc_get(p);
            list_push_back(&s->polled, &new->link);
            new = NULL;
            held = true;
        }
        spin_unlock(&s->lock);
        if (held)
            break;
        forget_the_dead(s);
        if (!(new = kmalloc(sizeof(*new))))
            return false;
        new->proc = p;
    }
    if (new)
        kfree(new);
    return true;
}

static unsigned signalfd_poll(struct file *f, struct poll_table *pt)
{
    struct signalfd *s = f->private;
    struct proc *p = current_proc();

    if (pt && !hold(s, p))
        return POLLERR;
    spin_lock(&p->signal_lock);
    poll_wait(pt, &p->signal_wait);
    bool ready = (current->pending | p->pending) & READ_ONCE(s->set);
    spin_unlock(&p->signal_lock);
    return ready ? POLLIN : 0;
}

/* --- the file --------------------------------------------------------------------------------------- */

static void signalfd_show_fdinfo(struct file *f, void (*emit)(void *ctx, const char *text),
                                 void *ctx)
{
    const struct signalfd *s = f->private;
    char text[40];

    snprintf(text, sizeof(text), "sigmask:\t%016lx\n", READ_ONCE(s->set));
    emit(ctx, text);
}

static void signalfd_release(struct file *f)
{
    struct signalfd *s = f->private;
    struct polled_proc *e, *next;

    list_for_each_safe (e, next, &s->polled, link) {
        proc_put(e->proc);
        kfree(e);
    }
    kfree(s);
}

static const struct file_ops signalfd_ops = {
    .name = "[signalfd]",
    .read = signalfd_read,
    .lseek = file_lseek_null,
    .poll = signalfd_poll,
    .show_fdinfo = signalfd_show_fdinfo,
    .release = signalfd_release,
};

static long create(ksigset_t set, int flags)
{
    struct signalfd *s = kzalloc(sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->set = set;
    spin_init(&s->lock, RANK_QUEUE, "signalfd");
    list_init(&s->polled);
    struct file *f = file_alloc_anon(&signalfd_ops, O_RDWR | (flags & O_NONBLOCK), s);
    if (is_err(f)) {
        kfree(s);
        return ptr_err(f);
    }
    int fd = fd_open(f, flags & SFD_CLOEXEC);
    if (fd < 0)
        file_put(f);
    return fd;
}

/* Another set for one that is open already; who waits looks again. */
static long change(int fd, ksigset_t set)
{
    struct proc *p = current_proc();
    struct fdref r = fdref_get(fd);

    if (!r.file)
        return -EBADF;
    bool is_one = r.file->ops == &signalfd_ops;
    if (is_one) {
        struct signalfd *s = r.file->private;
        WRITE_ONCE(s->set, set);
        spin_lock(&p->signal_lock);
        wake_all(&p->signal_wait, 0);
        spin_unlock(&p->signal_lock);
    }
    fdref_put(r);
    return is_one ? fd : -EINVAL;
}

long sys_signalfd4(int fd, const uint64_t __user *mask, size_t setsize, int flags)
{
    ksigset_t set;

    if (setsize != sizeof(ksigset_t))
        return -EINVAL;
    if (get_user(set, mask))
        return -EFAULT;
    if (flags & ~(SFD_CLOEXEC | SFD_NONBLOCK))
        return -EINVAL;
    set &= ~(SIGMASK(SIGKILL) | SIGMASK(SIGSTOP));
    return fd == -1 ? create(set, flags) : change(fd, set);
}

long sys_signalfd(int fd, const uint64_t __user *mask, size_t setsize)
{
    return sys_signalfd4(fd, mask, setsize, 0);
}

/*
 * How processes and threads begin: fork, vfork, clone and clone3 are one path with flags.
 *
 * A child is built in private first: a process (or the caller's own, for CLONE_THREAD), then a thread in it
 * whose user registers are the caller's with result 0. Then, in one step under the locks, it becomes
 * visible in the tree, and it runs. What fails before that step is taken down by dropping references; after
 * it nothing fails.
 *
 * A signal to a group that comes while a member forks must not miss the child: who sends walks the group
 * under proc_tree_lock, so either the child is in the list by then, or the parent has the signal pending
 * when it comes to that step, gives up and forks again once it has acted on it.
 */
#include <abi/capability.h>
#include <abi/pidfd.h>
#include <abi/sched.h>

#include "dev/tty.h"
#include "fs/fdtable.h"
#include "fs/path.h"
#include "ipc/sem.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/reclaim.h"
#include "proc/life.h"
#include "proc/pidfd.h"
#include "sched/sched.h"
#include "signal/signal.h"
#include "x86/syscall.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

/* Namespaces and cgroups don't exist here. */
#define CLONE_UNSUPPORTED                                                                         \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET | CLONE_INTO_CGROUP)

/* What the four calls come down to. */
struct clone_request {
    uint64_t flags;
    int exit_signal;
    uintptr_t sp; /* 0: the parent's */
    int __user *parent_tid;
    int __user *child_tid;
    int __user *pidfd; /* CLONE_PIDFD: where the new descriptor's number goes */
    uint64_t tls;
};

static int check_flags(uint64_t flags)
{
    if (flags & CLONE_UNSUPPORTED)
        return -EINVAL;
    if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
        return -EINVAL;
    if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
        return -EINVAL;
    if ((flags & CLONE_SIGHAND) && (flags & CLONE_CLEAR_SIGHAND))
        return -EINVAL;
    /* Descriptors and the working directory belong to the process, so its threads share them. */
    if ((flags & CLONE_THREAD) && (flags & (CLONE_FILES | CLONE_FS)) != (CLONE_FILES | CLONE_FS))
        return -EINVAL;
    if ((flags & CLONE_PIDFD) && (flags & CLONE_DETACHED))
        return -EINVAL;
    if ((flags & CLONE_PARENT) && current_proc() == init_proc)
        return -EINVAL;
    return 0;
}

/* RLIMIT_NPROC counts the threads of all processes with the caller's real user id. */
static int check_process_limit(void)
{
    const struct cred *c = current_cred();
    uint64_t limit = proc_rlimit(RLIMIT_NPROC);
    uint64_t used = 0;
    struct proc *p;

    if (limit == RLIM_INFINITY || c->uid == 0 || capable(CAP_SYS_RESOURCE) ||
        capable(CAP_SYS_ADMIN))
        return 0;
    spin_lock(&proc_tree_lock);
    list_for_each (p, &proc_list, all_link) {
        spin_lock(&p->signal_lock);
        if (p->cred && p->cred->uid == c->uid)
            used += p->nthreads;
        spin_unlock(&p->signal_lock);
    }
    spin_unlock(&proc_tree_lock);
    return used >= limit ? -EAGAIN : 0;
}

/* CLONE_CLEAR_SIGHAND: what was caught is at its default, what was ignored stays so. */
static void clear_handlers(struct sigactions *a)
{
    for (unsigned i = 0; i < ARRAY_SIZE(a->action); i++)
        if (a->action[i].handler != SIG_IGN)
            a->action[i] = (struct kernel_sigaction){.handler = SIG_DFL};
}

static int copy_actions(struct proc *child, struct proc *parent, uint64_t flags)
{
    if (flags & CLONE_SIGHAND) {
        ref_get(&parent->actions->ref);
        child->actions = parent->actions;
        return 0;
    }
    child->actions = sigactions_copy(parent->actions);
    if (!child->actions)
        return -ENOMEM;
    if (flags & CLONE_CLEAR_SIGHAND)
        clear_handlers(child->actions);
    return 0;
}

static int copy_files(struct proc *child, struct proc *parent, uint64_t flags)
{
    if (flags & CLONE_FS) {
        fs_context_get(parent->fs);
        child->fs = parent->fs;
    } else if (!(child->fs = fs_context_copy(parent->fs))) {
        return -ENOMEM;
    }
    if (flags & CLONE_FILES) {
        fdtable_get(parent->fdtable);
        child->fdtable = parent->fdtable;
        return 0;
    }
    struct fdtable *files = fdtable_copy(parent->fdtable);
    if (is_err(files))
        return (int)ptr_err(files);
    child->fdtable = files;
    return 0;
}

static int copy_memory(struct proc *child, struct proc *parent, uint64_t flags)
{
    if (flags & CLONE_VM) {
        mm_get(parent->mm);
        child->mm = parent->mm;
        return 0;
    }
    struct mm *mm = mm_fork(parent->mm);
    if (is_err(mm))
        return (int)ptr_err(mm);
    child->mm = mm;
    return 0;
}

/* A process that owns what FLAGS say it shares with the current one, and copies of the rest. err_ptr. */
static struct proc *copy_process(const struct clone_request *rq)
{
    struct proc *parent = current_proc();
    struct proc *p = proc_alloc();
    int error;

    if (!p)
        return err_ptr(-ENOMEM);
    p->exit_signal = rq->flags & CLONE_PARENT ? parent->exit_signal : rq->exit_signal;
    p->parent_tid = current->pid->nr;
    p->no_new_privs = parent->no_new_privs;
    p->keep_caps = parent->keep_caps;
    p->personality = parent->personality;
    p->cred = current_cred();
    cred_get(p->cred);
    spin_lock(&parent->limit_lock);
    memcpy(p->limits, parent->limits, sizeof(p->limits));
    spin_unlock(&parent->limit_lock);
    if ((error = copy_actions(p, parent, rq->flags)) ||
        (error = copy_files(p, parent, rq->flags)) || (error = copy_memory(p, parent, rq->flags)) ||
        (error = rq->flags & CLONE_SYSVSEM ? sem_undo_share(p) : 0)) {
        proc_put(p);
        return err_ptr(error);
    }
    return p;
}

/* A thread of P (whose reference it takes) that will appear in user mode as a copy of the current one. err_ptr. */
static struct thread *copy_thread(struct proc *p, const struct clone_request *rq)
{
    struct thread *t = thread_alloc();
    int error = -ENOMEM;

    if (!t)
        return err_ptr(-ENOMEM);
    proc_get(p);
    t->proc = p;
    t->mm = p->mm;
    t->cred = current_cred();
    cred_get(t->cred);
    memcpy(t->comm, current->comm, sizeof(t->comm));
    t->blocked = current->blocked;
    t->timer_slack = current->timer_slack;
    /* A thread with memory in common but a stack of its own can't stand on the parent's alternate one. */
    if ((rq->flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM)
        t->altstack = current->altstack;
    if (rq->flags & CLONE_CHILD_SETTID) {
        t->set_child_tid = rq->child_tid;
        t->work |= WORK_START;
    }
    if (rq->flags & CLONE_CHILD_CLEARTID)
        t->clear_child_tid = rq->child_tid;

    struct pid *pid = pid_alloc();
    if (is_err(pid)) {
        error = (int)ptr_err(pid);
        goto out;
    }
    t->pid = pid;
    if ((error = arch_thread_init_user(t, syscall_regs(), rq->sp)))
        goto out;
    if (rq->flags & CLONE_SETTLS)
        arch_set_tls(t, rq->tls);
    sched_fork(t, current);
    return t;
out:
    thread_put(t);
    return err_ptr(error);
}

/* The one step that makes T visible. 0, or -ERESTARTNOINTR when a signal is to be acted on first. */
static int publish(struct thread *t, uint64_t flags)
{
    struct proc *p = t->proc, *self = current_proc();
    int error = 0;

    spin_lock(&proc_tree_lock);
    spin_lock(&p->signal_lock);
    if (signal_pending(current) || ((flags & CLONE_THREAD) && (p->exiting || p->exec_thread))) {
        error = -ERESTARTNOINTR;
        goto out;
    }
    if (!(flags & CLONE_THREAD)) {
        pid_get(t->pid);
        p->pid = t->pid;
        p->leader = t;
        thread_get(t);
        proc_set_group(p, self->group);
        proc_set_session(p, self->session);
        p->tty = self->tty;
        if (p->tty)
            tty_get(p->tty);
        proc_link(p, flags & CLONE_PARENT ? self->parent : self);
    }
    thread_link(t, p);
out:
    spin_unlock(&p->signal_lock);
    spin_unlock(&proc_tree_lock);
    return error;
}

void thread_first_steps(struct thread *t)
{
    int tid = t->pid->nr;

    atomic_and(&t->work, ~WORK_START);
    /* As on Linux a bad address is no error here: the program just won't find the number there. */
    int ignored = put_user(tid, t->set_child_tid);
    (void)ignored;
}

/* CLONE_PIDFD: a descriptor for T, reserved and told, not open yet. */
struct new_pidfd {
    struct file *file; /* NULL: none is wanted */
    int fd;
};

static int pidfd_prepare(struct new_pidfd *n, const struct thread *t,
                         const struct clone_request *rq)
{
    n->file = NULL;
    if (!(rq->flags & CLONE_PIDFD))
        return 0;
    int fd = fd_reserve(0, true);
    if (fd < 0)
        return fd;
    struct file *f = pidfd_file(t->pid, rq->flags & CLONE_THREAD ? PIDFD_THREAD : 0);
    int error = is_err(f) ? (int)ptr_err(f) : put_user(fd, rq->pidfd);
    if (error) {
        if (!is_err(f))
            file_put(f);
        fd_release(fd);
        return error;
    }
    *n = (struct new_pidfd){f, fd};
    return 0;
}

static void pidfd_finish(const struct new_pidfd *n, bool born)
{
    if (!n->file)
        return;
    if (born) {
        fd_install(n->fd, n->file);
        return;
    }
    file_put(n->file);
    fd_release(n->fd);
}

/* Sleep until T has left the memory it shares with us; a fatal signal to us ends the wait too. */
static void vfork_wait(struct thread *t, struct waitq *wq)
{
    spin_lock(&proc_tree_lock);
    wait_event_killable(wq, t->vfork_done == NULL, DEADLINE_NONE);
    t->vfork_done = NULL;
    spin_unlock(&proc_tree_lock);
    thread_put(t);
}

void vfork_finish(struct thread *t)
{
    if (!READ_ONCE(t->vfork_done))
        return;
    spin_lock(&proc_tree_lock);
    if (t->vfork_done) {
        struct waitq *wq = t->vfork_done;
        t->vfork_done = NULL;
        wake_all(wq, 0);
    }
    spin_unlock(&proc_tree_lock);
}

/* One try: the child's number, or -errno with nothing left behind. */
static long clone_once(const struct clone_request *rq)
{
    struct new_pidfd pidfd;
    struct waitq vfork_wq;
    struct proc *p;
    struct thread *t;
    int error;

    if ((error = check_flags(rq->flags)) || (error = check_process_limit()))
        return error;
    if ((rq->flags & CLONE_SETTLS) && rq->tls >= USER_END)
        return -EPERM;

    if (rq->flags & CLONE_THREAD)
        proc_get(p = current_proc());
    else
        p = copy_process(rq);
    if (is_err(p))
        return ptr_err(p);
    t = copy_thread(p, rq);
    if (is_err(t)) {
        proc_put(p);
        return ptr_err(t);
    }
    if (rq->flags & CLONE_VFORK) {
        waitq_init(&vfork_wq, &proc_tree_lock);
        t->vfork_done = &vfork_wq;
        thread_get(t);
    }
    int tid = t->pid->nr;
    if (rq->flags & CLONE_PARENT_SETTID) {
        /* As on Linux a bad address is no error here: the caller just won't find the number there. */
        int ignored = put_user(tid, rq->parent_tid);
        (void)ignored;
    }
    error = pidfd_prepare(&pidfd, t, rq);
    if (!error && (error = publish(t, rq->flags)))
        pidfd_finish(&pidfd, false);
    if (error) {
        t->vfork_done = NULL;
        if (rq->flags & CLONE_VFORK)
            thread_put(t);
        thread_put(t);
        proc_put(p);
        return error;
    }
    if (rq->flags & CLONE_THREAD)
        proc_put(
            p); /* T has its own; a process's first reference stays until it has been waited for */
    pidfd_finish(&pidfd, true);
    sched_start(t);
    if (rq->flags & CLONE_VFORK)
        vfork_wait(t, &vfork_wq);
    return tid;
}

/* Memory that dying processes are about to give back is waited for. */
static long clone_start(const struct clone_request *rq)
{
    unsigned tries = 0;
    long result;

    do {
        if (!oom_allows_child(current_proc()))
            return -ENOMEM;
        result = clone_once(rq);
    } while (result == -ENOMEM && memory_make_room(&tries));
    return result;
}

long sys_fork(void)
{
    return clone_start(&(struct clone_request){.exit_signal = SIGCHLD});
}

long sys_vfork(void)
{
    return clone_start(
        &(struct clone_request){.flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD});
}

long sys_clone(unsigned long flags, unsigned long stack, int __user *parent_tid,
               int __user *child_tid, unsigned long tls)
{
    /* One argument serves two flags. */
    if ((flags & CLONE_PIDFD) && (flags & CLONE_PARENT_SETTID))
        return -EINVAL;
    struct clone_request rq = {
        .flags = (uint32_t)flags & ~(uint32_t)CSIGNAL,
        .exit_signal = flags & CSIGNAL,
        .sp = stack,
        .parent_tid = parent_tid,
        .pidfd = parent_tid,
        .child_tid = child_tid,
        .tls = tls,
    };
    return clone_start(&rq);
}

/* clone3's structure grows with the years: what is longer than ours must be zero there. */
static int read_clone_args(struct clone_args *a, const struct clone_args __user *from, size_t size)
{
    if (size > PAGE_SIZE)
        return -E2BIG;
    if (size < CLONE_ARGS_SIZE_VER0)
        return -EINVAL;
    memset(a, 0, sizeof(*a));
    if (copy_from_user(a, from, min(size, sizeof(*a))))
        return -EFAULT;
    for (size_t i = sizeof(*a); i < size; i++) {
        char c;
        if (get_user(c, (const char __user *)from + i))
            return -EFAULT;
        if (c)
            return -E2BIG;
    }
    return 0;
}

static bool clone_args_are_valid(const struct clone_args *a)
{
    if (a->flags & (CLONE_DETACHED | CSIGNAL))
        return false;
    if (a->flags & ~(uint64_t)(UINT32_MAX | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP))
        return false;
    if (a->exit_signal & ~(uint64_t)CSIGNAL || a->exit_signal >= _NSIG)
        return false;
    if ((a->flags & (CLONE_THREAD | CLONE_PARENT)) && a->exit_signal)
        return false;
    if (!a->stack != !a->stack_size || a->set_tid || a->set_tid_size)
        return false;
    return user_range_ok((void __user *)a->stack, a->stack_size);
}

long sys_clone3(const struct clone_args __user *args, size_t size)
{
    struct clone_args a;
    int error = read_clone_args(&a, args, size);

    if (error)
        return error;
    if (!clone_args_are_valid(&a))
        return -EINVAL;
    struct clone_request rq = {
        .flags = a.flags,
        .exit_signal = (int)a.exit_signal,
        .sp = a.stack + a.stack_size,
        .parent_tid = (int __user *)a.parent_tid,
        .pidfd = (int __user *)a.pidfd,
        .child_tid = (int __user *)a.child_tid,
        .tls = a.tls,
    };
    return clone_start(&rq);
}

long sys_set_tid_address(int __user *tid)
{
    current->clear_child_tid = tid;
    return current->pid->nr;
}

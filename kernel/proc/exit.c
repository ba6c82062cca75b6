/*
 * How threads and processes end.
 *
 * A thread leaves by itself, always in its own context: it gives back what it alone holds, takes itself off
 * its process's list, and is never scheduled again. To end a process is to mark it (exiting, with the status)
 * and to give every thread WORK_EXIT; each then comes here on its way back to user mode.
 *
 * The last thread takes the process down: descriptors, memory, terminal. Then, in one step under
 * proc_tree_lock, its children get another parent, it becomes a zombie, and its own parent is told. What is
 * left, a struct proc with a number and a status, goes when the parent has waited (wait.c), or at once when
 * the parent has said that it never will.
 */
#include <abi/wait.h>

#include "dev/tty.h"
#include "fs/fdtable.h"
#include "fs/path.h"
#include "ipc/sem.h"
#include "lib/log.h"
#include "mm/mm.h"
#include "proc/life.h"
#include "proc/pidfd.h"
#include "sched/futex.h"
#include "sched/sched.h"
#include "signal/signal.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

bool group_is_orphaned(const struct pid *group, const struct proc *ignored)
{
    struct proc *p;

    assert(spin_is_held(&proc_tree_lock));
    list_for_each (p, &group->group, group_link) {
        if (p == ignored || p->zombie || !p->parent)
            continue;
        if (p->parent->group != group && p->parent->session == p->session)
            return false;
    }
    return true;
}

static bool group_has_stopped_member(const struct pid *group)
{
    struct proc *p;

    list_for_each (p, &group->group, group_link)
        if (READ_ONCE(p->stopped))
            return true;
    return false;
}

/*
 * P's exit, or that of its parent until now, may be what orphans P's group. Nobody could continue its stopped
 * members any more, so they are told (POSIX _exit): SIGHUP, then SIGCONT so that they get to see it.
 */
static void hang_up_if_newly_orphaned(struct proc *p, const struct proc *exiting)
{
    const struct proc *parent = exiting == p ? p->parent : exiting;

    if (!parent || parent->group == p->group || parent->session != p->session)
        return; /* was no tie that kept the group from being orphaned */
    if (!group_is_orphaned(p->group, exiting) || !group_has_stopped_member(p->group))
        return;
    signal_send_group_locked(p->group, SIGHUP);
    signal_send_group_locked(p->group, SIGCONT);
}

/* Who cares for P's children from now on: the nearest living subreaper above, else process 1. */
static struct proc *find_reaper(struct proc *p)
{
    for (struct proc *up = p->parent; up; up = up->parent)
        if (up->is_reaper && up->nthreads)
            return up;
    return init_proc;
}

/* The zombie CHILD's parent hears of it; true when nobody will wait for it. */
static bool notify_of_death(struct proc *child)
{
    int status = child->exit_code;
    int code = WIFEXITED(status) ? CLD_EXITED : WCOREDUMP(status) ? CLD_DUMPED : CLD_KILLED;

    return proc_notify_parent(child, code,
                              WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static void give_children_away(struct proc *p, struct list *unwanted)
{
    struct proc *reaper = find_reaper(p);
    struct proc *child, *next;

    list_for_each_safe (child, next, &p->children, child_link) {
        list_remove(&child->child_link);
        child->parent = reaper;
        child->parent_tid = reaper->pid->nr;
        child->exit_signal = SIGCHLD;
        list_push_back(&reaper->children, &child->child_link);
        hang_up_if_newly_orphaned(child, p);
        if (child->pdeath_signal && !child->zombie)
            signal_send_proc(child, child->pdeath_signal);
        if (child->zombie && notify_of_death(child)) {
            proc_reap(child);
            list_push_back(unwanted, &child->all_link);
        }
    }
}

void proc_reap(struct proc *p)
{
    assert(spin_is_held(&proc_tree_lock) && p->zombie);
    proc_leave_group(p);
    proc_leave_session(p);
    proc_unlink(p);
}

void proc_dispose(struct proc *p)
{
    spin_lock(&proc_tree_lock);
    spin_lock(&p->signal_lock);
    struct thread *leader = p->leader;
    p->leader = NULL;
    spin_unlock(&p->signal_lock);
    spin_unlock(&proc_tree_lock);
    thread_put(leader);
    proc_put(p);
}

static void dispose_unwanted(struct list *unwanted)
{
    struct proc *p, *next;

    list_for_each_safe (p, next, unwanted, all_link) {
        list_remove(&p->all_link);
        proc_dispose(p);
    }
}

/* The step that everybody sees. P has no threads; the caller is its last one. */
static void become_zombie(struct proc *p)
{
    struct list unwanted = LIST_INIT(unwanted);

    spin_lock(&proc_tree_lock);
    give_children_away(p, &unwanted);
    hang_up_if_newly_orphaned(p, p);
    p->zombie = true;
    pidfd_wake(p->pid);
    if (notify_of_death(p)) {
        proc_reap(p);
        list_push_back(&unwanted, &p->all_link);
    }
    spin_unlock(&proc_tree_lock);
    dispose_unwanted(&unwanted);
}

/* Give back all that a zombie needs no more. */
static void release_process(struct proc *p)
{
    struct fdtable *files;
    struct fs_context *fs;
    struct mm *mm;

    proc_timers_exit(p);
    sem_undo_exit(p);
    spin_lock(&p->signal_lock);
    files = p->fdtable, p->fdtable = NULL;
    fs = p->fs, p->fs = NULL;
    mm = p->mm, p->mm = NULL;
    spin_unlock(&p->signal_lock);
    fdtable_put(files);
    fs_context_put(fs);
    if (p->pid == p->session)
        tty_session_exit(
            p); /* after its descriptors: a last reader must not see the hangup early */
    spin_lock(&proc_tree_lock);
    struct tty *tty = p->tty;
    p->tty = NULL;
    spin_unlock(&proc_tree_lock);
    if (tty)
        tty_put(tty);
    if (mm) {
        spin_lock(&p->limit_lock);
        p->peak_rss = READ_ONCE(mm->peak_rss);
        spin_unlock(&p->limit_lock);
        mm_put(mm);
    }
    signal_flush_proc(p);
}

/* In the step that takes T off the list, so that who sums up under proc_tree_lock counts it once. */
static void add_usage(struct proc *p, struct thread *t)
{
    nsec_t user, system;

    thread_times(t, &user, &system);
    spin_lock(&p->limit_lock);
    p->dead_usage.user += user;
    p->dead_usage.system += system;
    p->dead_usage.voluntary_switches += t->usage.voluntary_switches;
    p->dead_usage.involuntary_switches += t->usage.involuntary_switches;
    p->dead_usage.minor_faults += t->usage.minor_faults;
    p->dead_usage.major_faults += t->usage.major_faults;
    spin_unlock(&p->limit_lock);
}

/* Off the process's list. True when T was the last. */
static bool leave_process(struct thread *t, int status)
{
    struct proc *p = t->proc;

    spin_lock(&proc_tree_lock);
    spin_lock(&p->signal_lock);
    /* Without exit_group a process's status is its first thread's. */
    if (!p->exiting && t == p->leader)
        p->exit_code = status;
    add_usage(p, t);
    thread_unlink(t);
    bool last = p->nthreads == 0;
    signal_thread_leaves(t);
    if (p->dumping_core)
        wake_all(&p->core_wait, 0);
    if (p->exec_thread && p->nthreads == 1)
        wake_all(&p->exec_wait, 0);
    spin_unlock(&p->signal_lock);
    spin_unlock(&proc_tree_lock);
    return last;
}

static void release_memory_user(struct thread *t)
{
    futex_leave_mm(true);
    vfork_finish(t);
    /* From here on this thread is a guest in whatever memory is loaded, as kernel threads are. */
    mm_activate(NULL);
}

_Noreturn void thread_exit(int status)
{
    struct thread *t = current;
    struct proc *p = t->proc;

    core_park();
    release_memory_user(t);
    bool last = leave_process(t, status);
    signal_flush_thread(t);
    if (last && p == init_proc)
        panic("process 1 ended with status %#x", (unsigned)p->exit_code);
    if (last) {
        release_process(p);
        become_zombie(p);
    }
    sched_exit();
}

void proc_expel_others(struct proc *p)
{
    struct thread *t;

    list_for_each (t, &p->threads, proc_link)
        if (t != current) {
            thread_set_work(t, WORK_EXIT);
            sched_wake(t, WAKE_FATAL);
        }
}

_Noreturn void proc_exit_group(int status)
{
    struct proc *p = current_proc();

    spin_lock(&p->signal_lock);
    if (!p->exiting) { /* else somebody was first: theirs is the status */
        p->exiting = true;
        p->exit_code = status;
        proc_expel_others(p);
    }
    spin_unlock(&p->signal_lock);
    thread_exit(status);
}

_Noreturn void proc_die(const siginfo_t *info)
{
    int status = info->si_signo;

    if (core_dump(info))
        thread_exit(status | W_COREFLAG);
    proc_exit_group(status);
}

/*
 * Take over the number of the process's first thread, which has left. (What remains of that one keeps its
 * reference on the number until it is freed.)
 */
static void become_leader(struct proc *p, struct thread *t)
{
    struct thread *old_leader = p->leader;

    if (old_leader == t)
        return;
    spin_lock(&proc_tree_lock);
    spin_lock(&p->signal_lock); /* senders look at the leader under this one alone */
    struct pid *old = t->pid;
    old->thread = NULL;
    pidfd_wake(old);
    pid_get(p->pid);
    p->pid->thread = t;
    t->pid = p->pid;
    thread_get(t);
    p->leader = t;
    spin_unlock(&p->signal_lock);
    pid_put_locked(old);
    spin_unlock(&proc_tree_lock);
    thread_put(old_leader);
}

int proc_become_single(void)
{
    struct proc *p = current_proc();
    int error = 0;

    if (p->nthreads == 1 && p->leader == current)
        return 0;
    spin_lock(&p->signal_lock);
    if (p->exiting || p->exec_thread) {
        spin_unlock(&p->signal_lock);
        return -EAGAIN;
    }
    p->exec_thread = current;
    proc_expel_others(p);
    error = wait_event_killable(&p->exec_wait, p->nthreads == 1, DEADLINE_NONE);
    p->exec_thread = NULL;
    spin_unlock(&p->signal_lock);
    if (error)
        return -EINTR;
    become_leader(p, current);
    return 0;
}

long sys_exit(int status)
{
    thread_exit(W_EXITCODE(status & 0xff, 0));
}

long sys_exit_group(int status)
{
    proc_exit_group(W_EXITCODE(status & 0xff, 0));
}

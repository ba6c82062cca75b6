/*
 * Process ids, groups and sessions: the calls that ask for them, and the two that change them. A group is
 * what job control moves between foreground and background; a session is the groups of one login. Both
 * are lists in struct pid, under proc_tree_lock.
 */
#include "dev/tty.h"
#include "proc/life.h"
#include "proc/proc.h"
#include "sched/thread.h"
#include <syscall_protos.h>

long sys_getpid(void)
{
    return current->proc->pid->nr;
}

long sys_gettid(void)
{
    return current->pid->nr;
}

long sys_getppid(void)
{
    spin_lock(&proc_tree_lock);
    const struct proc *parent = current->proc->parent;
    int nr = parent ? parent->pid->nr : 0;
    spin_unlock(&proc_tree_lock);
    return nr;
}

/* The process that PID names, by its own number or one of its threads'; 0 is the caller. */
static struct proc *find_locked(pid_t nr)
{
    if (nr == 0)
        return current_proc();
    const struct pid *pid = pid_find_locked(nr);
    if (!pid)
        return NULL;
    return pid->thread ? pid->thread->proc : pid->proc;
}

long sys_getpgid(pid_t pid)
{
    spin_lock(&proc_tree_lock);
    const struct proc *p = find_locked(pid);
    long nr = p ? p->group->nr : -ESRCH;
    spin_unlock(&proc_tree_lock);
    return nr;
}

long sys_getpgrp(void)
{
    return sys_getpgid(0);
}

long sys_getsid(pid_t pid)
{
    spin_lock(&proc_tree_lock);
    const struct proc *p = find_locked(pid);
    long nr = p ? p->session->nr : -ESRCH;
    spin_unlock(&proc_tree_lock);
    return nr;
}

/* The group GROUP_NR if P may join it: its own new one, or one of its session. NULL. */
static struct pid *joinable_group(struct proc *p, pid_t group_nr)
{
    if (group_nr == p->pid->nr)
        return p->pid;
    struct pid *group = pid_find_locked(group_nr);
    if (!group)
        return NULL;
    const struct proc *member = list_first(&group->group, struct proc, group_link);
    return member && member->session == p->session ? group : NULL;
}

static long setpgid_locked(pid_t nr, pid_t group_nr)
{
    struct proc *self = current_proc();
    const struct pid *pid = nr ? pid_find_locked(nr) : self->pid;

    if (!pid)
        return -ESRCH;
    struct proc *p = pid->proc;
    if (!p)
        return pid->thread ? -EINVAL : -ESRCH;
    if (p->parent == self) {
        if (p->session != self->session)
            return -EPERM;
        if (p->did_exec)
            return -EACCES;
    } else if (p != self) {
        return -ESRCH;
    }
    if (p->session == p->pid)
        return -EPERM;
    struct pid *group = joinable_group(p, group_nr ? group_nr : p->pid->nr);
    if (!group)
        return -EPERM;
    if (group != p->group)
        proc_set_group(p, group);
    return 0;
}

long sys_setpgid(pid_t pid, pid_t pgid)
{
    if (pgid < 0 || (pgid == 0 && pid < 0))
        return -EINVAL;
    spin_lock(&proc_tree_lock);
    long error = setpgid_locked(pid, pgid);
    spin_unlock(&proc_tree_lock);
    return error;
}

long sys_setsid(void)
{
    struct proc *p = current_proc();
    struct tty *tty = NULL;
    long result = -EPERM;

    spin_lock(&proc_tree_lock);
    /* A group with our number, ours or one we left behind, would end up in two sessions. */
    if (p->session != p->pid && list_empty(&p->pid->group)) {
        proc_set_session(p, p->pid);
        proc_set_group(p, p->pid);
        tty = p->tty;
        p->tty = NULL;
        result = p->pid->nr;
    }
    spin_unlock(&proc_tree_lock);
    if (tty)
        tty_put(tty);
    return result;
}

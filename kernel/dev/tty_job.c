/*
 * Whose terminal it is: sessions, the foreground group, and what happens to those in the background
 * (POSIX 11.1.3 and 11.1.4).
 *
 * A terminal belongs to at most one session (t->session); each process of that session that may use it by the
 * name /dev/tty points at it (proc->tty, with a reference). All of this changes with proc_tree_lock and
 * t->lock held, in that order.
 */
#include "dev/tty_internal.h"

#include <abi/fcntl.h>
#include <abi/signal.h>

#include "fs/file.h"
#include "proc/cred.h"
#include "proc/life.h"
#include "proc/proc.h"
#include "signal/signal.h"

static bool is_session_leader(const struct proc *p)
{
    return p->session == p->pid;
}

/* Would SIGNO do nothing to the current process, so that it may as well be refused? */
static bool is_ignored_or_blocked(int signo)
{
    struct proc *p = current_proc();

    return current->blocked & SIGMASK(signo) ||
           READ_ONCE(p->actions->action[signo - 1].handler) == SIG_IGN;
}

int tty_check_job(struct tty *t, int signo)
{
    struct proc *p = current_proc();
    int error = 0;

    spin_lock(&proc_tree_lock);
    if (p->tty == t && t->foreground && t->foreground != p->group) {
        if (is_ignored_or_blocked(signo)) {
            error = signo == SIGTTIN ? -EIO : 0;
        } else if (group_is_orphaned(p->group, NULL)) {
            error = -EIO;
        } else {
            signal_send_group_locked(p->group, signo);
            error = -ERESTARTSYS;
        }
    }
    spin_unlock(&proc_tree_lock);
    return error;
}

struct tty *tty_controlling(void)
{
    spin_lock(&proc_tree_lock);
    struct tty *t = current_proc()->tty;
    if (t)
        tty_get(t);
    spin_unlock(&proc_tree_lock);
    return t;
}

bool tty_is_mine(const struct tty *t)
{
    return READ_ONCE(current_proc()->tty) == t;
}

/* T becomes the terminal of the current process, a session leader, and of its group. proc_tree_lock held. */
static void set_session(struct tty *t, struct proc *p)
{
    struct pid *old_session = t->session, *old_foreground = t->foreground;

    pid_get(p->session);
    pid_get(p->group);
    spin_lock(&t->lock);
    t->session = p->session;
    t->foreground = p->group;
    spin_unlock(&t->lock);
    tty_get(t);
    p->tty = t;
    if (old_session)
        pid_put_locked(old_session);
    if (old_foreground)
        pid_put_locked(old_foreground);
}

/* No process of T's session has it any more, and it has no session. proc_tree_lock held. */
static unsigned clear_session(struct tty *t)
{
    struct pid *session = t->session, *foreground = t->foreground;
    unsigned references = 0;
    struct proc *p;

    spin_lock(&t->lock);
    t->session = t->foreground = NULL;
    spin_unlock(&t->lock);
    if (session) {
        list_for_each (p, &session->session, session_link) {
            if (p->tty == t) {
                p->tty = NULL;
                references++;
            }
        }
        pid_put_locked(session);
    }
    if (foreground)
        pid_put_locked(foreground);
    return references;
}

/* The references that processes held, once no lock is. */
static void put_references(struct tty *t, unsigned references)
{
    while (references--)
        tty_put(t);
}

void tty_maybe_acquire(struct tty *t, const struct file *f)
{
    struct proc *p = current_proc();

    if (!p || !FMODE_READ(f))
        return;
    spin_lock(&proc_tree_lock);
    if (is_session_leader(p) && !p->tty && !t->session)
        set_session(t, p);
    spin_unlock(&proc_tree_lock);
}

int tty_acquire(struct tty *t, const struct file *f, bool steal)
{
    struct proc *p = current_proc();
    bool admin = capable(CAP_SYS_ADMIN);
    unsigned references = 0;
    int error = 0;

    spin_lock(&proc_tree_lock);
    if (is_session_leader(p) && t->session == p->session) {
        /* it is ours already */
    } else if (!is_session_leader(p) || p->tty || (t->session && !(steal && admin)) ||
               (!FMODE_READ(f) && !admin)) {
        error = -EPERM;
    } else {
        references = clear_session(t);
        set_session(t, p);
    }
    spin_unlock(&proc_tree_lock);
    put_references(t, references);
    return error;
}

int tty_release_session(struct tty *t)
{
    struct proc *p = current_proc();
    unsigned references = 1;
    int error = 0;

    spin_lock(&proc_tree_lock);
    if (p->tty != t) {
        error = -ENOTTY;
        references = 0;
    } else if (is_session_leader(p)) {
        if (t->foreground) {
            signal_send_group_locked(t->foreground, SIGHUP);
            signal_send_group_locked(t->foreground, SIGCONT);
        }
        references = clear_session(t);
    } else {
        p->tty = NULL;
    }
    spin_unlock(&proc_tree_lock);
    put_references(t, references);
    return error;
}

int tty_set_foreground(struct tty *t, int nr)
{
    struct proc *p = current_proc();
    int error = 0;

    spin_lock(&proc_tree_lock);
    struct pid *group = pid_find_locked(nr);
    struct proc *member = NULL;
    if (group) {
        member = list_first(&group->group, struct proc, group_link);
        if (!member)
            member = group->proc;
    }
    if (p->tty != t || t->session != p->session) {
        error = -ENOTTY;
    } else if (!group) {
        error = -ESRCH;
    } else if (!member || member->session != p->session) {
        error = -EPERM;
    } else {
        struct pid *old = t->foreground;
        pid_get(group);
        spin_lock(&t->lock);
        t->foreground = group;
        spin_unlock(&t->lock);
        if (old)
            pid_put_locked(old);
    }
    spin_unlock(&proc_tree_lock);
    return error;
}

int tty_get_foreground(struct tty *t)
{
    spin_lock(&t->lock);
    int nr = t->foreground ? t->foreground->nr : 0;
    spin_unlock(&t->lock);
    return nr;
}

int tty_get_session(struct tty *t)
{
    spin_lock(&t->lock);
    int nr = t->session ? t->session->nr : 0;
    spin_unlock(&t->lock);
    return nr;
}

struct pid *tty_foreground_get(struct tty *t)
{
    if (t->foreground)
        pid_get(t->foreground);
    return t->foreground;
}

void tty_signal_foreground(struct tty *t, int signo)
{
    spin_lock(&t->lock);
    struct pid *group = tty_foreground_get(t);
    spin_unlock(&t->lock);
    if (group) {
        signal_send_group(group, signo);
        pid_put(group);
    }
}

/* The session's leader hears of a hangup; the foreground group too when that is because the leader exits. */
void tty_forget_session(struct tty *t, bool leader_exits)
{
    struct proc *leader = NULL;

    spin_lock(&proc_tree_lock);
    if (t->session && t->session->proc && !t->session->proc->zombie) {
        leader = t->session->proc;
        proc_get(leader);
    }
    if (t->foreground && leader_exits)
        signal_send_group_locked(t->foreground, SIGHUP);
    unsigned references = clear_session(t);
    spin_unlock(&proc_tree_lock);
    put_references(t, references);
    if (leader) {
        signal_send_proc(leader, SIGHUP);
        signal_send_proc(leader, SIGCONT);
        proc_put(leader);
    }
}

void tty_session_exit(struct proc *leader)
{
    struct tty *t = NULL;

    spin_lock(&proc_tree_lock);
    if (leader->tty && is_session_leader(leader) && leader->tty->session == leader->session) {
        t = leader->tty;
        tty_get(t);
    }
    spin_unlock(&proc_tree_lock);
    if (t) {
        tty_hangup(t, true);
        tty_put(t);
    }
}

/* Without an owner named: the foreground group, or who asks. */
struct pid *tty_async_owner(struct file *f, int *type)
{
    const struct tty_open *o = f->private;
    struct tty *t = o->tty;

    *type = F_OWNER_PGRP;
    spin_lock(&t->lock);
    struct pid *owner = tty_foreground_get(t);
    spin_unlock(&t->lock);
    if (!owner) {
        *type = F_OWNER_PID;
        owner = current_proc()->pid;
        pid_get(owner);
    }
    return owner;
}

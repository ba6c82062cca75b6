/*
 * Actions: what a process does about each signal. A table of 64, shared by reference between processes
 * that were made by clone(CLONE_SIGHAND), copied by fork, reset by exec.
 *
 * To ignore a signal means to have never heard of it: setting an action that ignores discards what is
 * pending, blocked or not (POSIX, 2.4.3).
 */
#include "signal/internal.h"

#include "lib/string.h"
#include "mm/slab.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

/* Flags that we know; programs find out about others by setting them and looking whether they stay. */
#define SA_KNOWN                                                                               \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS | SA_RESTORER | SA_ONSTACK | \
     SA_RESTART | SA_NODEFER | SA_RESETHAND)

static struct slab_cache *actions_cache; /* const after init */

void signal_init(void)
{
    actions_cache = slab_cache_create("sigactions", sizeof(struct sigactions), 0);
    sigqueue_init();
}

static struct sigactions *actions_alloc(void)
{
    struct sigactions *a = slab_alloc(actions_cache);

    if (!a)
        return NULL;
    ref_init(&a->ref, 1);
    spin_init(&a->lock, RANK_SIGACTIONS, "sigactions");
    return a;
}

struct sigactions *sigactions_create(void)
{
    struct sigactions *a = actions_alloc();

    if (a)
        memset(a->action, 0, sizeof(a->action)); /* SIG_DFL is 0 */
    return a;
}

struct sigactions *sigactions_copy(struct sigactions *from)
{
    struct sigactions *a = actions_alloc();

    if (!a)
        return NULL;
    spin_lock(&from->lock);
    memcpy(a->action, from->action, sizeof(a->action));
    spin_unlock(&from->lock);
    return a;
}

void sigactions_put(struct sigactions *a)
{
    if (ref_put(&a->ref))
        slab_free(actions_cache, a);
}

/* exec: there is no handler any more in the new program; what was ignored stays so. */
static void reset_handlers(struct sigactions *a)
{
    spin_lock(&a->lock);
    for (unsigned i = 0; i < ARRAY_SIZE(a->action); i++) {
        struct kernel_sigaction *action = &a->action[i];
        sighandler_t kept = action->handler == SIG_IGN ? SIG_IGN : SIG_DFL;
        *action = (struct kernel_sigaction){.handler = kept};
    }
    spin_unlock(&a->lock);
}

void signal_exec(struct proc *p)
{
    struct sigactions *shared = p->actions;

    current->altstack = (stack_t){0};
    current->restart.fn = NULL;
    if (ref_read(&shared->ref) == 1) {
        reset_handlers(shared);
        return;
    }
    struct sigactions *own = sigactions_copy(shared);
    if (!own) {
        /* The others need theirs as they are, and the old program is gone: no way on or back. */
        signal_send_proc(p, SIGKILL);
        return;
    }
    reset_handlers(own);
    spin_lock(&p->signal_lock);
    p->actions = own;
    spin_unlock(&p->signal_lock);
    sigactions_put(shared);
}

/* Does an action with HANDLER ignore SIGNO? */
static bool ignores(sighandler_t handler, int signo)
{
    return handler == SIG_IGN || (handler == SIG_DFL && SIGMASK(signo) & SET_IGNORED_BY_DEFAULT);
}

/* NEW or OLD may be NULL. What is pending goes after the change: who sends from then on finds it ignored. */
static void action_swap(int signo, const struct kernel_sigaction *new, struct kernel_sigaction *old)
{
    struct proc *p = current_proc();
    struct kernel_sigaction *action = &p->actions->action[signo - 1];

    spin_lock(&p->actions->lock);
    if (old)
        *old = *action;
    if (new)
        *action = *new;
    spin_unlock(&p->actions->lock);
    if (new &&ignores(new->handler, signo)) {
        spin_lock(&p->signal_lock);
        sigqueue_discard(p, SIGMASK(signo));
        spin_unlock(&p->signal_lock);
    }
}

long sys_rt_sigaction(int sig, const struct kernel_sigaction __user *act,
                      struct kernel_sigaction __user *old, size_t setsize)
{
    struct kernel_sigaction new, was;

    if (setsize != sizeof(ksigset_t))
        return -EINVAL;
    if (act && copy_from_user(&new, act, sizeof(new)))
        return -EFAULT;
    if (!signo_is_valid(sig) || (act && SIGMASK(sig) & SET_UNBLOCKABLE))
        return -EINVAL;
    if (act) {
        new.flags &= SA_KNOWN;
        new.mask &= ~SET_UNBLOCKABLE;
    }
    action_swap(sig, act ? &new : NULL, old ? &was : NULL);
    if (old && copy_to_user(old, &was, sizeof(was)))
        return -EFAULT;
    return 0;
}

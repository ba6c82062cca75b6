/*
 * prctl(2): small settings of a thread or process. What an option sets is kept where it is used; this file
 * only checks and stores. Options of mechanisms that don't exist here (seccomp, MPX, speculation control, ...)
 * are EINVAL, as on a Linux built without them.
 */
#include <abi/prctl.h>

#include <abi/capability.h>

#include "lib/string.h"
#include "mm/mm.h"
#include "proc/life.h"
#include "x86/syscall.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

#define TIMERSLACK_DEFAULT 50000 /* nanoseconds; timers here are exact, so it is only remembered */

static long set_name(const char __user *from)
{
    char name[sizeof(current->comm)];
    long n = strncpy_from_user(name, from, sizeof(name) - 1);

    if (n == -EFAULT)
        return n;
    name[sizeof(name) - 1] = '\0';
    memcpy(current->comm, name, sizeof(name));
    return 0;
}

static long set_flag(bool *flag, unsigned long value)
{
    if (value > 1)
        return -EINVAL;
    *flag = value;
    return 0;
}

static long set_pdeath_signal(unsigned long signo)
{
    if (signo >= _NSIG)
        return -EINVAL;
    current_proc()->pdeath_signal = (int)signo;
    return 0;
}

static long set_dumpable(unsigned long value)
{
    if (value > 1)
        return -EINVAL;
    atomic_store(&current->mm->dumpable, (int)value);
    return 0;
}

static long set_no_new_privs(unsigned long on, unsigned long a3, unsigned long a4, unsigned long a5)
{
    if (on != 1 || a3 || a4 || a5)
        return -EINVAL;
    current_proc()->no_new_privs = true;
    return 0;
}

static long drop_bounding(unsigned long cap)
{
    if (!capable(CAP_SETPCAP))
        return -EPERM;
    if (cap > CAP_LAST)
        return -EINVAL;
    struct cred *c = cred_copy(current_cred());
    if (!c)
        return -ENOMEM;
    c->cap_bounding &= ~(1ULL << cap);
    cred_commit(c);
    return 0;
}

long sys_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
{
    struct proc *p = current_proc();

    switch (option) {
    case PR_SET_NAME: return set_name((const char __user *)a2);
    case PR_GET_NAME: return copy_to_user((char __user *)a2, current->comm, sizeof(current->comm));
    case PR_SET_PDEATHSIG: return set_pdeath_signal(a2);
    case PR_GET_PDEATHSIG: return put_user(p->pdeath_signal, (int __user *)a2);
    case PR_SET_DUMPABLE: return set_dumpable(a2);
    case PR_GET_DUMPABLE: return atomic_load(&current->mm->dumpable);
    case PR_SET_KEEPCAPS: return set_flag(&p->keep_caps, a2);
    case PR_GET_KEEPCAPS: return p->keep_caps;
    case PR_SET_CHILD_SUBREAPER: p->is_reaper = a2 != 0; return 0;
    case PR_GET_CHILD_SUBREAPER: return put_user((int)p->is_reaper, (int __user *)a2);
    case PR_SET_NO_NEW_PRIVS: return set_no_new_privs(a2, a3, a4, a5);
    case PR_GET_NO_NEW_PRIVS: return a2 || a3 || a4 || a5 ? -EINVAL : p->no_new_privs;
    case PR_GET_TID_ADDRESS: return put_user(current->clear_child_tid, (int __user *__user *)a2);
    case PR_CAPBSET_READ:
        return a2 > CAP_LAST ? -EINVAL : (long)(current_cred()->cap_bounding >> a2 & 1);
    case PR_CAPBSET_DROP: return drop_bounding(a2);
    case PR_GET_SECUREBITS: return 0; /* no bit is ever set: PR_SET_SECUREBITS doesn't exist here */
    case PR_SET_TIMERSLACK: current->timer_slack = a2 ? a2 : TIMERSLACK_DEFAULT; return 0;
    case PR_GET_TIMERSLACK:
        return (long)(current->timer_slack ? current->timer_slack : TIMERSLACK_DEFAULT);
    default: return -EINVAL;
    }
}

long sys_arch_prctl(int code, unsigned long addr)
{
    return arch_prctl(code, addr);
}

/*
 * personality(2): there is one execution domain, Linux's, and of the flags the one that fixes addresses. An
 * argument of all ones asks only. The old value either way.
 */
long sys_personality(unsigned long persona)
{
    struct proc *p = current_proc();
    unsigned old = p->personality;

    if ((uint32_t)persona == UINT32_MAX)
        return old;
    if (persona & ~PERSONALITY_NO_RANDOMIZE)
        return -EINVAL;
    p->personality = (unsigned)persona;
    return old;
}

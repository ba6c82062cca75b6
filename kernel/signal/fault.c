/*
 * Signals that a thread brings upon itself: the processor refused an instruction, or a handler's frame had no
 * room. The instruction would only fault again, so the signal can't wait: if the thread blocks or ignores
 * it, or has no handler, the process dies here and now.
 */
#include "signal/internal.h"

#include "lib/log.h"
#include "x86/context.h"
#include "x86/sigframe.h"
#include "x86/upcalls.h"

static void log_death(const siginfo_t *info)
{
    const struct thread *t = current;
    const struct regs *r = thread_regs(current);

    log_info("%s[%d]: signal %d code %d at ip %#lx sp %#lx addr %#lx", t->comm, t->pid->nr,
             info->si_signo, info->si_code, regs_ip(r), regs_sp(r), (uintptr_t)info->si_addr);
}

void signal_force(const siginfo_t *info)
{
    struct thread *t = current;
    struct proc *p = t->proc;
    int signo = info->si_signo;

    spin_lock(&p->signal_lock);
    sighandler_t handler = handler_of(p, signo);
    bool caught = handler != SIG_DFL && handler != SIG_IGN && !(t->blocked & SIGMASK(signo));
    if (caught) {
        sigqueue_put_fault(t, info);
        signal_recalc(t);
    }
    spin_unlock(&p->signal_lock);
    if (caught)
        return;
    log_death(info);
    proc_die(info);
}

void signal_fault(int signo, int code, uintptr_t addr, unsigned trapno, uint64_t error)
{
    siginfo_t info;

    siginfo_clear(&info);
    sigframe_note_fault(addr, trapno, error);
    info.si_signo = signo;
    info.si_code = code;
    if (code != SI_KERNEL)
        info.si_addr = (void *)addr;
    signal_force(&info);
}

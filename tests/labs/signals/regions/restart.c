    /*
     * Write: the table at the head of this file. REGS are those of a thread on its way back to user mode; HANDLED says
     * that a handler will run, SA_RESTART what it was set with.
     *
     * A thread that does not come from a call (regs_in_syscall) has nothing to restart. regs_result() is what the call
     * returned, regs_set_result() changes it; regs_restart_syscall(regs, nr) makes the program issue call NR when it
     * goes on: the same one again (regs_syscall_nr), or restart_syscall. A result that is none of the four stays.
     * A decision is made once: a second signal that is taken before the program runs must not make
     * another (regs_leave_syscall).
     *
     * As it stands, every such call fails with EINTR.
     */
    (void)handled;
    (void)sa_restart;
    if (!regs_in_syscall(regs))
        return;
    switch (regs_result(regs)) {
    case -ERESTARTSYS:
    case -ERESTARTNOINTR:
    case -ERESTARTNOHAND:
    case -ERESTART_RESTARTBLOCK: regs_set_result(regs, -EINTR); break;
    default: break;
    }

    /*
     * Write: let the program go on in D's handler, with the masks that belong to it.
     *
     * The mask that goes into the frame is the one to come back to: t->blocked, but after sigsuspend, ppoll and the
     * like, which exchanged it for the length of one call (t->restore_blocked), t->saved_blocked. Once it is in the
     * frame it is not to be restored by the way back to user mode as well: restore_blocked false, WORK_MASK off
     * t->work (atomic_and). While the handler runs, sa_mask is blocked on top of t->blocked as it is now (in
     * sigsuspend, of its mask), and the signal itself unless SA_NODEFER (signal_set_blocked). altstack_entered()
     * comes after a frame was built.
     *
     * A frame that can't be written is a SIGSEGV (signal_force, si_code SI_KERNEL), whose handler may have an alternate
     * stack. If the signal was SIGSEGV itself there is no way out: proc_die().
     *
     * As it stands the handler runs, and nothing is blocked meanwhile.
     */
    if (sigframe_push(regs, d->signo, &d->info, &d->action, current->blocked))
        proc_die(&d->info);

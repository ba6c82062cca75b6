    /*
     * Lab, step 2: all of the job's processes have been started. In the background: remember the newest process
     * for $! (sh.background), tell the person "[number] pid" on standard error if there is one (sh.top), and
     * return 0 without waiting.
     *
     * In the foreground: wait while job_status() says RUNNING, by child_changed(0), which returns false when there is
     * nothing more to wait for. A Ctrl-C that the shell itself got (sh.interrupted) came before the job had the
     * terminal: with job control pass it on to the whole group, and go on waiting in either case: the job
     * decides what a SIGINT means.
     *
     * Then, with job control: the terminal is the shell's again (its own group is getpgrp()). A program that ended by
     * itself may have set the terminal's modes for good (stty does): remember them in shell_modes. One that was
     * killed or stopped may have left them in a mess: set shell_modes again, after what was written has gone out
     * (TCSADRAIN).
     *
     * Of a job that a signal killed the person is told which, in a script too (strsignal, one line on standard error),
     * but not of SIGPIPE, and not of SIGINT: that means that the person wants the prompt, so with job control what
     * stands behind the job on the line doesn't run either: set sh.interrupted.
     *
     * The value, as for $?, is job_forget()'s, which also forgets a job that has ended; a stopped one it keeps.
     */
    (void)background;
    while (job_status(group) == RUNNING && child_changed(0))
        ;
    return job_forget(group);

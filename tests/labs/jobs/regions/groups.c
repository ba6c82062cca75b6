    /*
     * Lab, step 2: fork has returned, in the parent (PID > 0) and in the child (PID is 0). Here both do their part
     * to make the child what it is to be. In the parent PID is returned; in the child 0.
     *
     * With job control (`grouped`) every job is a process group, whose number is that of its first process: *group,
     * which in the first child itself is still 0. A job that is not in the background gets the terminal
     * (tcsetpgrp on `terminal`). Either process may run first: the child may have become the program before the
     * parent runs again, and the parent may make the next stage, for the same group, before the child runs at
     * all. What must be true for both, both do; that it is then done twice harms nobody.
     *
     * The child is no shell: if that is interactive (sh.top; also for $(...), which is in no group), the child takes
     * signals as every program does (signals_set(false)), and it leads no jobs: sh.top and processes say so. A Ctrl-C
     * that came between fork and here was noted by the shell's handler (sh.interrupted) and is the child's to die of:
     * raise(SIGINT).
     *
     * Without job control nobody tells the terminal's Ctrl-C from the foreground's: POSIX (2.11) wants what is in
     * the background to ignore SIGINT and SIGQUIT, and, if it is the first of its job, to read nothing: its standard
     * input is /dev/null.
     */
    (void)grouped;
    (void)background;
    if (pid > 0)
        return pid;
    sh.top = NULL;

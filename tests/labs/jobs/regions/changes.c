    /*
     * Lab, step 3: note what became of one child, any child; FLAGS are for waitpid, WNOHANG or none. True: one
     * changed, or a signal that isn't the user's Ctrl-C came in between, so it is worth asking again. False:
     * there is none to wait for, with WNOHANG: none that changed, or sh.interrupted.
     *
     * This version knows only of ends. With job control (sh.top isn't NULL) a child may stop, and go on, by
     * whatever hand: waitpid must tell, and a process that goes on is RUNNING. One that has ended stays so.
     */
    int status;
    pid_t pid = waitpid(-1, &status, flags);
    for (struct process *p = processes; pid > 0 && p != NULL; p = p->next)
        if (p->pid == pid && !ENDED(p->status))
            p->status = status;
    return pid > 0 || (pid < 0 && errno == EINTR && !sh.interrupted);

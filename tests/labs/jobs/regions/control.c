    /*
     * Lab, step 2: an interactive shell takes the terminal. It may have been started in the background (`sh &` in
     * another shell): then it must not, before that shell brings it to the foreground: while the terminal's group
     * isn't its own, it sends its group what every background reader gets, SIGTTIN, whose default is to stop.
     * The shell leads a process group of its own, and puts it into the foreground. From then on job control
     * signals are for its jobs, not for it: signals_set(true). In which order? What would SIGTTIN or SIGTTOU do
     * to it at each point?
     *
     * shell_modes is how the terminal is set when a person types commands.
     */
    terminal = move_high(dup(STDERR_FILENO));
    signals_set(true);
    tcgetattr(terminal, &shell_modes);

    /*
     * Lab, step 3: argv[0] is fg, bg or jobs; argv[1], if any, names a job for find_job(); without it, it is the
     * newest. jobs: report all; its status is 0. fg and bg: without such a job, or without job control (sh.top is
     * NULL), complain. "[number] text" goes to standard output; the job goes on, fg in the foreground: then it
     * has the terminal, before it runs, and is waited for, and its status is fg's.
     */
    (void)argc;
    return complain("%s: not written yet", argv[0]);

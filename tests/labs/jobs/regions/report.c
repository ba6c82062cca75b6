    /*
     * Lab, step 3: first collect what happened meanwhile, without waiting. Then a line for each JOB (not process)
     * that ended or stopped since the person was last told, or with ALL for every job:
     *
     *     "[%d] %c %-16s %s\n": its number, + for the newest and a blank for others, its state, its text
     *
     * The state: Running; Stopped; Done; Done(n) with an exit status n that isn't 0; or the signal that killed it,
     * as strsignal() has it. ALL is the builtin `jobs` and writes to standard output; else it is the prompt, and
     * the place is standard error. Of a job that lies between two prompts nothing is said twice: p->told. A job
     * that has ended and has been told is forgotten (job_forget), which frees its processes: look for the next job
     * before. Those of one job stand together in the list, the newest job first.
     */
    (void)all;
    while (child_changed(WNOHANG))
        ;

    /*
     * Lab, step 1: a pipeline. N is its tree: while n->kind is PIPE, n->a is a stage and n->b the rest; the last
     * stage is what is no PIPE. `a | b | c` is PIPE(a, PIPE(b, c)). A PIPE whose b is NULL is a subshell, ( a ),
     * alone; with BACKGROUND any N, also of one stage, is to run without being waited for.
     *
     * Each stage runs in a child of its own, all children of THIS process, and all run at the same time.
     * make_pipe() makes a pipe whose ends lie above the descriptors that scripts name and close with exec.
     * job_fork(&group, background) forks; group is 0 before the first child of the pipeline and names the job
     * after it. A child runs its stage by execute(stage, true) and must not come back: abandon() with its status.
     *
     * Who holds which end? A reader sees the end of its input when the last write end is closed: think of every
     * process that got one by fork, this one too. And a writer whose readers have all gone must be told. In
     * the parent no descriptor may be left over: a loop over 1,000 pipelines works as well as one.
     *
     * Then job_wait(group, background), whose value is that of the pipeline: the status of the last stage.
     */
    (void)n;
    (void)background;
    return complain("pipelines, ( ) and & are yet to be written");

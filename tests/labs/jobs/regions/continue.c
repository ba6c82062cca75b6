    /*
     * Lab, step 3: have a job go on: all of its processes that stopped count as RUNNING from now on, and of that
     * the person need not be told. Every process of the group gets SIGCONT.
     */
    (void)group;

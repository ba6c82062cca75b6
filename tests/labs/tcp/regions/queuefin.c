    /*
     * YOURS (step 3): our side will send no more: FIN follows what is queued (c->fin_queued; tcp_output.c sends it
     * when its turn comes). The state changes now: to LAST-ACK if the peer was first, else to FIN-WAIT-1. The second
     * time nothing happens. Lock: c->lock is held.
     */
    (void)c;

    /*
     * Lab, step 3: IPC_RMID. Only the owner, the creator, or who has CAP_SYS_ADMIN: sysv_owner(), whose error
     * is yours. The segment is marked (SHM_DEST in its mode, which IPC_STAT and ipcs show), its key forgotten
     * (sysv_forget_key), so that shmget makes a new one under it, and if nobody has it attached it goes at once;
     * *UNUSED is for the caller to put. To do it a second time, while others have it attached, is no error.
     */
    int error = sysv_owner(&s->o);

    *unused = destroy_if_unused(s);
    return error ? error : -ENOSYS;

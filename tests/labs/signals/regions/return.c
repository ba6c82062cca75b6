    /*
     * Write: the flags. SC's may say anything; of them only USER_RFLAGS are taken, the others stay as R has them.
     */
}

/* Would IRET to these selectors have worked on Linux? Without the flag SS is repaired there. */
static bool selectors_ok(const struct ucontext *uc)
{
    /*
     * Write: CS has to be the program's code selector, SS its data selector, their two low bits (the privilege that
     * is asked for) taken as 3 whatever they say. SS is only looked at when uc_flags has UC_STRICT_RESTORE_SS.
     */
    (void)uc;
    return true;
}

static int sigreturn(struct regs *r)
{
    /*
     * Write: take everything back from the frame that R's stack pointer points into: R, the FPU, the mask, the
     * alternate stack. 0, or -EFAULT, of which the caller makes a SIGSEGV.
     *
     * The handler's return has taken the return address off the frame: the stack pointer is at uc. Copy uc from there
     * once, then use the copy. signal_frame_mask() sets the mask. The selectors are the kernel's own choice (USER_CS,
     * USER_DS), whatever the frame says; if it says what IRET would refuse (selectors_ok), the answer is -EFAULT, after
     * all else has been taken back: the handler of that SIGSEGV is shown those registers. FPU state that is
     * refused leaves the FPU reset. The alternate stack comes back by signal_frame_altstack(), whose second
     * argument is the stack pointer that the program goes on with.
     */
    (void)read_sigcontext;
    (void)read_fpstate;
    (void)selectors_ok;
    (void)r;
    return -EFAULT;

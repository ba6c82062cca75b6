    /*
     * Write: R becomes what ACTION's handler starts with. FRAME is the user address of the struct rt_sigframe.
     *
     * The handler is called as a C function of three arguments: the signal's number, the address of the frame's
     * info, the address of its uc; RAX, which tells variadic functions of vector registers, is 0. It runs at
     * action->handler with the stack pointer at FRAME, with the program's selectors, and with DF, RF and TF clear
     * in the flags, all others as they were: the ABI wants DF clear, and who single-steps the program does not step
     * its handler. The FPU starts afresh (fpu_reset).
     */
    (void)action;
    (void)signo;
    (void)frame;
    (void)r;
}

int sigframe_push(struct regs *regs, int signo, const struct siginfo *info,
                  const struct kernel_sigaction *action, uint64_t blocked)
{
    /*
     * Write: build the frame that the head of this file draws, and let REGS go on in the handler. 0, or -EFAULT when
     * the frame can't be written, or the program named no restorer (SA_RESTORER): REGS are untouched then.
     *
     * Where: signal_frame_stack() says where the stack begins, below the red zone or at the top of the alternate
     * stack, and in *floor the lowest address of the alternate stack, or 0. Down from there: the FPU state,
     * fpstate_size() bytes, its address a multiple of XSAVE_ALIGN; below it the struct rt_sigframe, so that the
     * handler's stack pointer is 8 less than a multiple of 16, as after a CALL. A frame that reaches down to *floor, or
     * beyond, or that wraps around below address 0, is -EFAULT.
     *
     * What: the restorer as return address; uc_flags (UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS, and UC_FP_XSTATE with
     * XSAVE); uc_link NULL; uc_stack as it was set (current->altstack); uc_sigmask BLOCKED; uc_mcontext
     * (fill_sigcontext); with SA_SIGINFO the siginfo, SIGINFO_USED bytes of it and zeros behind. write_fpstate()
     * writes the FPU state. Padding is zero too: what the kernel's stack held before is nobody's business.
     *
     * As it stands the signal gets lost: the program goes on as if there had been none.
     */
    (void)info;
    (void)blocked;
    (void)fill_sigcontext;
    (void)write_fpstate;
    enter_handler(regs, action, signo, 0);
    return 0;

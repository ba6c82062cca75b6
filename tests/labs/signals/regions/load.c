    /*
     * Write: *FEATURES are those to be loaded from FROM, 0 for what FXSAVE wrote. -EFAULT when FROM is no
     * multiple of FXSAVE_ALIGN or not the program's for fpstate_size() bytes.
     *
     * It is what XSAVE wrote when the software's bytes say so: magic1; an xstate_size from sizeof(struct xsave_area)
     * to fpu_area_size, and no larger than extended_size; and FP_XSTATE_MAGIC2 at xstate_size. Then FROM has to be a
     * multiple of XSAVE_ALIGN, and the features are xfeatures, of which only those in fpu_features are asked for.
     * Where one of these is missing, it is FXSAVE's. All of it is the program's to change at any moment: read
     * each value once, then judge the copy.
     */
    (void)from;
    *features = 0;
    return 0;
}

static int read_fpstate(uintptr_t from)
{
    /*
     * Write: load the FPU registers from user address FROM. 0, or -EFAULT.
     *
     * No address: the FPU starts afresh (fpu_reset). Reserved bits in MXCSR (those not in fpu_mxcsr_mask()) are
     * refused before anything is loaded. fpu_load_user(from, features) loads and says false when the processor
     * refused.
     */
    uint64_t features;

    (void)read_layout(from, &features);
    fpu_reset();
    return 0;

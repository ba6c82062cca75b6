    /*
     * Write: is a program whose stack pointer is SP on the alternate stack S? The stack grows down from base + size, so
     * that address still belongs to it and the base does not. With SS_AUTODISARM nobody ever is.
     */
    (void)s;
    (void)sp;
    return false;
}

uintptr_t signal_frame_stack(uintptr_t sp, size_t red_zone, bool alternate, uintptr_t *floor)
{
    /*
     * Write: the address below which a frame goes, for a program whose stack pointer is SP. (x86/upcalls.h)
     *
     * On the alternate stack already: below where it is now, and *FLOOR is the alternate stack's base. Else, if the
     * handler wants it (ALTERNATE) and there is one (current->altstack): its top, with the same *FLOOR. Else the
     * program's own stack, *FLOOR 0. Below SP means below the red zone; at the top of a stack that nobody uses
     * there is none.
     */
    (void)alternate;
    *floor = 0;
    return sp - red_zone;
}

void altstack_entered(void)
{
    /* Write: a frame was built; SS_AUTODISARM forgets the stack (no_stack) until the frame brings it back. */
    (void)no_stack;
}

/* SP is the program's stack pointer. */
static int altstack_set(const stack_t *new, uintptr_t sp)
{
    /*
     * Write: NEW becomes the current thread's alternate stack. -EPERM when the program is on the one it has;
     * -EINVAL when ss_flags, but for SS_AUTODISARM, are none of 0, SS_ONSTACK and SS_DISABLE; -ENOMEM when
     * it is smaller than MINSIGSTKSZ; looked at in this order. SS_DISABLE needs no size, and leaves neither size nor
     * address.
     */
    (void)new;
    (void)is_on(&no_stack, sp);
    return -ENOSYS;

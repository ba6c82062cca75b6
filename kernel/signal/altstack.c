/*
 * The alternate signal stack: where handlers with SA_ONSTACK run, so that a program whose stack is full can
 * still be told so. It belongs to one thread, which is "on" it while its stack pointer lies inside.
 *
 * A thread on its alternate stack may not change it, and a handler that starts there continues below where
 * it was. With SS_AUTODISARM the kernel forgets the stack when it enters a handler on it and takes it back from
 * the frame on return; then nobody is ever "on" it, and a program may switch away from it in between.
 */
#include "signal/internal.h"

#include "lib/string.h"
#include "x86/context.h"
#include "x86/syscall.h"
#include "x86/uaccess.h"
#include "x86/upcalls.h"
#include <syscall_protos.h>

static const stack_t no_stack = {.ss_flags = SS_DISABLE};

static bool is_on(const stack_t *s, uintptr_t sp)
{ /* LAB signals:altstack begin */
    uintptr_t base = (uintptr_t)s->ss_sp;

    if ((unsigned)s->ss_flags & SS_AUTODISARM)
        return false;
    return sp > base && sp - base <= s->ss_size;
}

uintptr_t signal_frame_stack(uintptr_t sp, size_t red_zone, bool alternate, uintptr_t *floor)
{
    const stack_t *s = &current->altstack;

    *floor = 0;
    if (is_on(s, sp)) {
        *floor = (uintptr_t)s->ss_sp;
    } else if (alternate && s->ss_size) {
        *floor = (uintptr_t)s->ss_sp;
        return (uintptr_t)s->ss_sp + s->ss_size;
    }
    return sp - red_zone;
}

void altstack_entered(void)
{
    if ((unsigned)current->altstack.ss_flags & SS_AUTODISARM)
        current->altstack = no_stack;
}

/* SP is the program's stack pointer. */
static int altstack_set(const stack_t *new, uintptr_t sp)
{
    stack_t *s = &current->altstack;
    unsigned mode = (unsigned)new->ss_flags & ~SS_AUTODISARM;

    if (is_on(s, sp))
        return -EPERM;
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (mode != SS_DISABLE && new->ss_size < MINSIGSTKSZ)
        return -ENOMEM;
    *s = *new;
    if (mode == SS_DISABLE) {
        s->ss_sp = NULL;
        s->ss_size = 0;
    }
    return 0;
} /* LAB signals:altstack end */

void signal_frame_altstack(const struct sigaltstack *altstack, uintptr_t sp)
{
    /* What the frame asks for and can't have is left as it is: the program has gone on already. */
    (void)altstack_set(altstack, sp);
}

void signal_describe_altstack(struct sigaltstack *out, uintptr_t sp)
{
    const stack_t *s = &current->altstack;

    memset(out, 0, sizeof(*out)); /* it has padding, and goes to user memory */
    out->ss_sp = s->ss_sp;
    out->ss_size = s->ss_size;
    out->ss_flags = !s->ss_size ? SS_DISABLE : is_on(s, sp) ? SS_ONSTACK : 0;
    out->ss_flags |= (int)((unsigned)s->ss_flags & SS_AUTODISARM);
}

long sys_sigaltstack(const struct sigaltstack __user *stack, struct sigaltstack __user *old)
{
    uintptr_t sp = regs_sp(syscall_regs());
    stack_t new = {0}, was;

    signal_describe_altstack(&was, sp);
    if (stack && copy_from_user(&new, stack, sizeof(new)))
        return -EFAULT;
    int error = stack ? altstack_set(&new, sp) : 0;
    if (!error && old && copy_to_user(old, &was, sizeof(was)))
        error = -EFAULT;
    return error;
}

; struct thread *switch_stacks(struct thread *prev, uintptr_t *prev_rsp, uintptr_t next_rsp)
;
; Leave PREV's stack for NEXT's. All that C keeps over a call is pushed; the rest is dead by C's own
; rules. PREV comes out in rax on the other side: returned by the other thread's call, or found
; there by thread_start_user and thread_start_kernel (trap.asm), whose frames look like this one's.

%include "x86/cfi.inc"


section .text

CFI_BEGIN switch_stacks, CFI_CALLED
        push    rbp
        CFI_PUSHED rbp
        push    rbx
        CFI_PUSHED rbx
        push    r12
        CFI_PUSHED r12
        push    r13
        CFI_PUSHED r13
        push    r14
        CFI_PUSHED r14
        push    r15
        CFI_PUSHED r15
        mov     [rsi], rsp
        mov     rsp, rdx
        mov     rax, rdi
        pop     r15
        CFI_POPPED r15
        pop     r14
        CFI_POPPED r14
        pop     r13
        CFI_POPPED r13
        pop     r12
        CFI_POPPED r12
        pop     rbx
        CFI_POPPED rbx
        pop     rbp
        CFI_POPPED rbp
        ret
        CFI_END

; struct thread *switch_stacks(struct thread *prev, uintptr_t *prev_rsp, uintptr_t next_rsp)
;
; Leave PREV's stack for NEXT's. All that C keeps over a call is pushed; the rest is dead by C's own
; rules. PREV comes out in rax on the other side: returned by the other thread's call, or found
; there by thread_start_user and thread_start_kernel (trap.asm), whose frames look like this one's.

global switch_stacks

section .text

switch_stacks:
        push    rbp
        push    rbx
        push    r12
        push    r13
        push    r14
        push    r15
        mov     [rsi], rsp
        mov     rsp, rdx
        mov     rax, rdi
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbx
        pop     rbp
        ret

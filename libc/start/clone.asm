; long __clone(int (*fn)(void *), void *stack, unsigned long flags, void *arg, int *parent_tid, int *child_tid,
;              unsigned long tls): clone(2), the child runs fn(arg) on STACK and exits with what that returns.

bits 64
default rel

%include "abi/cfi.inc"

section .text.__clone exec align=16
CFI_BEGIN __clone, CFI_CALLED
    and rsi, -16
    sub rsi, 24
    mov qword [rsi], 0          ; where another's return address is: nobody called the child
    mov [rsi + 8], rdi          ; it pops fn and arg from its own stack
    mov [rsi + 16], rcx
    mov rdi, rdx                ; flags
    mov rdx, r8                 ; parent_tid
    mov r10, r9                 ; child_tid
    mov r8, [rsp + 8]           ; tls
    mov eax, 56                 ; SYS_clone
    syscall
    test eax, eax
    jz .child
    ret
.child:
    CFI DW_UNDEFINED, CFI_rip
    pop rbp                     ; 0
    pop rax
    pop rdi
    call rax
    mov edi, eax
    mov eax, 60                 ; SYS_exit
    syscall
    hlt
    CFI_END

section .note.GNU-stack noalloc noexec nowrite

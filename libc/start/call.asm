; The few places where C can't say it: errors of the generated stubs, the entry of a new thread, vfork,
; which returns twice on one stack, and the return from a signal handler.

bits 64
default rel

extern __syscall_ret

; A stub jumps here with -errno in RAX.
section .text.__syscall_error exec align=16
global __syscall_error:function
__syscall_error:
    mov rdi, rax
    jmp __syscall_ret             ; sets errno, returns -1

; long __clone(int (*fn)(void *), void *stack, unsigned long flags, void *arg, int *parent_tid, int *child_tid,
;              unsigned long tls): clone(2), the child runs fn(arg) on STACK and exits with what that returns.
section .text.__clone exec align=16
global __clone:function
__clone:
    push rbp
    mov rbp, rsp
    and rsi, -16
    sub rsi, 16
    mov [rsi], rdi              ; the child pops fn and arg from its own stack
    mov [rsi + 8], rcx
    mov rdi, rdx                ; flags
    mov rdx, r8                 ; parent_tid
    mov r10, r9                 ; child_tid
    mov r8, [rbp + 16]          ; tls
    mov eax, 56                 ; SYS_clone
    syscall
    test eax, eax
    jz .child
    pop rbp
    ret
.child:
    xor ebp, ebp
    pop rax
    pop rdi
    call rax
    mov edi, eax
    mov eax, 60                 ; SYS_exit
    syscall
    hlt

; The parent's return address must survive what the child pushes on the shared stack: keep it in RDX.
section .text.vfork exec align=16
global vfork:function
vfork:
    pop rdx
    mov eax, 58                 ; SYS_vfork
    syscall
    push rdx
    cmp rax, -4095
    jae __syscall_error
    ret

section .text.__restore_rt exec align=16
global __restore_rt:function
__restore_rt:
    mov eax, 15                 ; SYS_rt_sigreturn
    syscall
    hlt

section .note.GNU-stack noalloc noexec nowrite

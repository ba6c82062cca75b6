; setjmp keeps what a function must leave as it found it (System V ABI, 3.2.1): six registers, the stack
; pointer as it is after the return, and the address to return to. longjmp puts them back.

bits 64
default rel

section .text.setjmp exec align=16
global setjmp:function
global _setjmp:function
setjmp:
_setjmp:
    mov [rdi], rbx
    mov [rdi + 8], rbp
    mov [rdi + 16], r12
    mov [rdi + 24], r13
    mov [rdi + 32], r14
    mov [rdi + 40], r15
    lea rdx, [rsp + 8]
    mov [rdi + 48], rdx
    mov rdx, [rsp]
    mov [rdi + 56], rdx
    xor eax, eax
    ret

; longjmp(env, 0) makes setjmp return 1 (C17 7.13.2.1).
; sigsetjmp(env, save): with SAVE the signal mask is kept too, for siglongjmp to put back.
section .text.sigsetjmp exec align=16
global sigsetjmp:function
sigsetjmp:
    mov [rdi + 64], rsi
    test esi, esi
    jz setjmp
    push rdi
    lea rdx, [rdi + 72]
    xor edi, edi
    xor esi, esi                ; no new mask: tell the old one
    mov r10d, 8
    mov eax, 14                 ; SYS_rt_sigprocmask
    syscall
    pop rdi
    jmp setjmp

section .text.longjmp exec align=16
global longjmp:function
global _longjmp:function
longjmp:
_longjmp:
    xor eax, eax
    cmp esi, 1
    adc eax, esi
    mov rbx, [rdi]
    mov rbp, [rdi + 8]
    mov r12, [rdi + 16]
    mov r13, [rdi + 24]
    mov r14, [rdi + 32]
    mov r15, [rdi + 40]
    mov rsp, [rdi + 48]
    jmp [rdi + 56]

section .note.GNU-stack noalloc noexec nowrite

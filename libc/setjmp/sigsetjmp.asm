; sigsetjmp(env, save): with SAVE the signal mask is kept too, for siglongjmp to put back.

bits 64
default rel

%include "abi/cfi.inc"

extern setjmp

section .text.sigsetjmp exec align=16
CFI_BEGIN sigsetjmp, CFI_CALLED
    mov [rdi + 64], rsi
    test esi, esi
    jz setjmp
    push rdi
    CFI_PUSHED
    lea rdx, [rdi + 72]
    xor edi, edi
    xor esi, esi                ; no new mask: tell the old one
    mov r10d, 8
    mov eax, 14                 ; SYS_rt_sigprocmask
    syscall
    pop rdi
    CFI_DEPTH 8
    jmp setjmp
    CFI_END

section .note.GNU-stack noalloc noexec nowrite

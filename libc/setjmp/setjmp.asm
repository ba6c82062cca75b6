; setjmp keeps what a function must leave as it found it (System V ABI, 3.2.1): six registers, the stack
; pointer as it is after the return, and the address to return to. longjmp puts them back.

bits 64
default rel

%include "abi/cfi.inc"

section .text.setjmp exec align=16
global _setjmp:function
_setjmp:
CFI_BEGIN setjmp, CFI_CALLED
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
    CFI_END

; longjmp(env, 0) makes setjmp return 1 (C17 7.13.2.1). From the first register on that is put back, the caller is
; who called setjmp.
align 16
global _longjmp:function
_longjmp:
CFI_BEGIN longjmp, CFI_CALLED
    xor eax, eax
    cmp esi, 1
    adc eax, esi
    mov rbx, [rdi]
    CFI DW_DEF_CFA_EXPRESSION, 3, DW_OP_BREG | CFI_rdi, 48, DW_OP_DEREF, CFI_IS_BY(rip, rdi, 56), \
        CFI_IS_BY(rbx, rdi, 0), CFI_IS_BY(rbp, rdi, 8), CFI_IS_BY(r12, rdi, 16), CFI_IS_BY(r13, rdi, 24), \
        CFI_IS_BY(r14, rdi, 32), CFI_IS_BY(r15, rdi, 40)
    mov rbp, [rdi + 8]
    mov r12, [rdi + 16]
    mov r13, [rdi + 24]
    mov r14, [rdi + 32]
    mov r15, [rdi + 40]
    mov rsp, [rdi + 48]
    jmp [rdi + 56]
    CFI_END

section .note.GNU-stack noalloc noexec nowrite

; What signal handlers return to.

bits 64
default rel

%include "abi/cfi.inc"

section .text.__restore_rt exec align=16
    nop                         ; where a call would be, if the handler had been called
CFI_BEGIN __restore_rt, CFI_RESTORER, 1
    mov eax, 15                 ; SYS_rt_sigreturn
    syscall
    hlt
    CFI_END

section .note.GNU-stack noalloc noexec nowrite

; Where a system call's stub jumps to with -errno in RAX: errno is set, and the stub returns -1.

bits 64
default rel

%include "abi/cfi.inc"

extern __syscall_ret

section .text.__syscall_error exec align=16
CFI_BEGIN __syscall_error, CFI_CALLED
    mov rdi, rax
    jmp __syscall_ret
    CFI_END

section .note.GNU-stack noalloc noexec nowrite

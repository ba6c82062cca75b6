; Where every program starts. The kernel leaves RSP at argc, with argv, the environment and the auxiliary
; vector above it (System V ABI, 3.4.1), aligned to 16. No register but RSP means anything.
; RDI = that stack pointer for __libc_start, which never returns; RBP = 0 ends backtraces.

bits 64
default rel

%include "abi/cfi.inc"

extern __libc_start
extern main

section .text
CFI_BEGIN _start, CFI_FIRST
    xor ebp, ebp
    mov rdi, rsp
    lea rsi, [main]
    and rsp, -16
    call __libc_start
    hlt
    CFI_END

section .note.GNU-stack noalloc noexec nowrite

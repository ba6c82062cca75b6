; vfork returns twice on one stack: the parent's return address must survive what the child pushes there, in RDX.

bits 64
default rel

%include "abi/cfi.inc"

extern __syscall_error

section .text.vfork exec align=16
CFI_BEGIN vfork, CFI_CALLED
    pop rdx
    CFI DW_DEF_CFA, CFI_rsp, 0, DW_REGISTER, CFI_rip, CFI_rdx
    mov eax, 58                 ; SYS_vfork
    syscall
    push rdx
    CFI CFI_DEPTH_IS(8), CFI_IS_AT(rip, 8)
    cmp rax, -4095
    jae __syscall_error
    ret
    CFI_END

section .note.GNU-stack noalloc noexec nowrite

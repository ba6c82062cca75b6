; A cancellation point: test whether this thread is to be cancelled, and make the call if it isn't. Between the
; test and the call's effect there may be no gap, so the two labels bound it: SIGCANCEL's handler (cancel.c), when
; it finds a thread between them, moves it to __cancel_now. After the call has done something it is too late.

bits 64
default rel

%include "abi/cfi.inc"

extern __syscall_error
extern __cancelled

CANCEL equ 0x30                 ; struct __pthread

; long __syscall_cancel(a, b, c, d, e, f, nr)
section .text.__cancel_point exec align=16
CFI_BEGIN __syscall_cancel, CFI_CALLED
    mov r10, rcx
    mov rax, [rsp + 8]
    CFI_END

; Generated stubs come here: RAX the call's number, its arguments where the kernel wants them.
CFI_BEGIN __cancel_point, CFI_CALLED
    mov r11d, [fs:CANCEL]
    and r11d, 3                 ; requested, and not disabled
    cmp r11d, 1
    je __cancel_now
    syscall
global __cancel_point_end
__cancel_point_end:
    cmp rax, -4095
    jae __syscall_error
    ret
    CFI_END

CFI_BEGIN __cancel_now, CFI_CALLED
    and rsp, -16
    CFI_DEPTH 16                ; a call had left it 8 off
    call [__cancelled]          ; pthread_cancel has set it
    CFI_END

section .note.GNU-stack noalloc noexec nowrite

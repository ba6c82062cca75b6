; The system call: the kernel's most travelled road, so every instruction counts.
;
; SYSCALL leaves the return address in rcx and the flags in r11, and changes no stack: for the first
; two instructions we stand on the user's. struct regs is completed at the top of the thread's
; kernel stack and the function found in syscall_table with the arguments still in their registers
; (the C convention wants the fourth in rcx, not r10).
;
; The short way back leaves out rbx, rbp and r12-r15: C functions keep them. It may be taken only
; when nobody has looked at or changed the registers meanwhile: no work was pending, and trapno
; still says "system call" (exec and sigreturn overwrite it). SYSRET is left alone when
;   - rip is not canonical: it would fault in the kernel with the user's stack (CVE-2012-0217),
;   - TF or RF is set: it can't restore RF, and TF would trap before the first user instruction.
; Everything else goes by user_return and iretq.

%include "x86/regs.inc"
%include "x86/cfi.inc"

global syscall_compat_entry
extern syscall_table, syscall_limit, user_return

ENOSYS  equ 38

section .text

align 16
CFI_BEGIN syscall_entry, CFI_ENTRY
        CFI     DW_SAME_VALUE, CFI_rsp, DW_REGISTER, CFI_rip, CFI_rcx, DW_REMEMBER_STATE
        swapgs
        mov     [gs:CPU_USER_RSP], rsp
        mov     rsp, [gs:CPU_KSTACK_TOP]
        CFI     DW_UNDEFINED, CFI_rip   ; where no debugger could find the program's stack
        CFI_DEPTH 0
        push    USER_DS
        CFI_PUSHED
        push    qword [gs:CPU_USER_RSP]
        CFI_PUSHED rsp
        CFI     DW_REGISTER, CFI_rip, CFI_rcx
        push    r11                     ; flags
        CFI_PUSHED
        push    USER_CS
        CFI_PUSHED
        push    rcx
        CFI_PUSHED rip
        push    TRAPNO_SYSCALL
        CFI_PUSHED
        push    0
        CFI_PUSHED
        push    rax
        CFI_PUSHED
        PUSH_REGS
        sti
        sub     rsp, 8                  ; keeps the stack aligned to 16 at the call
        CFI_REGS 8
        cmp     eax, [syscall_limit]
        jae     .no_such_call
        mov     eax, eax                ; the number is 32 bits wide, as on Linux
        mov     ecx, 1                  ; the event ring: x86/event.h
        xadd    [gs:CPU_EVENT_NEXT], cl
        movzx   ecx, cl
        mov     [gs:CPU_EVENTS + rcx * 8], rax
        mov     rcx, r10
        call    [syscall_table + rax * 8]
.done:
%ifdef CONFIG_DEBUG
        movzx   edx, word [rsp + 8 + REGS_ORIG_RAX]
        or      edx, EVENT_RETURN << 24
        shl     rdx, 32
        mov     ecx, eax
        or      rdx, rcx
        mov     ecx, 1
        xadd    [gs:CPU_EVENT_NEXT], cl
        movzx   ecx, cl
        mov     [gs:CPU_EVENTS + rcx * 8], rdx
%endif
        cli
        mov     [rsp + 8 + REGS_RAX], rax
        mov     rdx, [gs:CPU_CURRENT]
        cmp     dword [rdx + THREAD_WORK], 0
        jne     .long_way
        cmp     dword [rsp + 8 + REGS_TRAPNO], TRAPNO_SYSCALL
        jne     .long_way
        mov     rcx, [rsp + 8 + REGS_RIP]
        mov     rdx, rcx
        shr     rdx, 47
        jnz     .long_way
        mov     r11, [rsp + 8 + REGS_RFLAGS]
        test    r11d, RFLAGS_TF | RFLAGS_RF
        jnz     .long_way
        mov     r10, [rsp + 8 + REGS_R10]
        mov     r9, [rsp + 8 + REGS_R9]
        mov     r8, [rsp + 8 + REGS_R8]
        mov     rdx, [rsp + 8 + REGS_RDX]
        mov     rsi, [rsp + 8 + REGS_RSI]
        mov     rdi, [rsp + 8 + REGS_RDI]
        mov     rsp, [rsp + 8 + REGS_RSP]
        CFI     DW_RESTORE_STATE
        swapgs
        o64 sysret
.long_way:
        CFI_REGS 8
        add     rsp, 8
        CFI_REGS 0
        jmp     user_return
.no_such_call:
        CFI_REGS 8
        mov     rax, -ENOSYS
        jmp     .done
        CFI_END

; SYSCALL from 32-bit code, which no program can be in: there is no segment for it.
syscall_compat_entry:
        mov     eax, -ENOSYS
        o32 sysret

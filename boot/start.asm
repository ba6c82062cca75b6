; The first instructions where the kernel is linked: a stack, the first struct cpu, and C.
;
; They stand in a file of their own because of the debugger: NASM tells it the lines of one section of a file.

%include "layout.inc"
%include "x86/cfi.inc"

extern x86_start, cpus, boot_stack_top

section .text
CFI_BEGIN start_high, CFI_FIRST
        mov     eax, KERNEL_DS
        mov     ss, eax
        xor     eax, eax
        mov     ds, eax
        mov     es, eax
        mov     fs, eax
        mov     gs, eax
        mov     rsp, boot_stack_top
        mov     rax, cpus               ; this_cpu() works from here on
        mov     [rax], rax
        mov     rdx, rax
        shr     rdx, 32
        mov     ecx, MSR_GS_BASE
        wrmsr
        mov     edi, ebp
        mov     esi, ebx
        xor     ebp, ebp                ; where backtraces end
        call    x86_start
        ud2
        CFI_END

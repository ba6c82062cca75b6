; The first steps of every processor but the first. The start-up IPI sets it going in real mode at
; physical TRAMPOLINE, where smp.c has copied the code between trampoline_start and trampoline_end.
; It passes through protected mode on the boot page tables into the kernel's window, and takes there
; what smp.c left in ap_boot: the real page table, its struct cpu and its stack.
;
; One processor is started at a time. One that comes too late finds another's APIC id in the
; trampoline, or none, and parks.

%include "layout.inc"
%include "x86/cfi.inc"

global trampoline_start, trampoline_end, trampoline_apic_id
global ap_boot_cr3, ap_boot_cpu, ap_boot_stack
extern boot_pml4, x86_start_ap

%define HERE(label) (TRAMPOLINE + (label) - trampoline_start)
%define PHYS(symbol) ((symbol) - KERNEL_BASE)

section .boot
align 16
trampoline_start:
bits 16
        cli
        cld
        xor     ax, ax
        mov     ds, ax
        o32 lgdt [HERE(ap_gdt_pointer)]
        mov     eax, CR0_PE
        mov     cr0, eax
        jmp     dword 0x08:HERE(ap32)

bits 32
ap32:
        mov     ax, KERNEL_DS
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     eax, 1
        cpuid
        shr     ebx, 24
        cmp     ebx, [HERE(trampoline_apic_id)]
        jne     .park
        mov     eax, CR4_PAE
        mov     cr4, eax
        mov     eax, PHYS(boot_pml4)
        mov     cr3, eax
        mov     ecx, MSR_EFER
        xor     edx, edx
        mov     eax, EFER_LME | EFER_NXE | EFER_SCE
        wrmsr
        mov     eax, CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE
        mov     cr0, eax
        jmp     KERNEL_CS:HERE(ap64)
.park:  cli
        hlt
        jmp     .park

bits 64
ap64:
        mov     rax, ap_high
        jmp     rax

align 8
ap_gdt:
        dq 0
        dq 0x00cf9b000000ffff           ; 32-bit code, for the way through protected mode
        dq 0x00af9b000000ffff           ; KERNEL_CS
        dq 0x00cf93000000ffff           ; KERNEL_DS
ap_gdt_pointer:
        dw 4 * 8 - 1
        dd HERE(ap_gdt)
align 4
trampoline_apic_id:
        dd 0xffffffff                   ; who may pass
trampoline_end:

section .text
CFI_BEGIN ap_high, CFI_FIRST
        mov     rax, [rel ap_boot_cr3]
        mov     cr3, rax
        mov     rsp, [rel ap_boot_stack]
        xor     eax, eax
        mov     ds, eax
        mov     es, eax
        mov     fs, eax
        mov     gs, eax
        mov     rdi, [rel ap_boot_cpu]
        mov     rax, rdi
        mov     rdx, rdi
        shr     rdx, 32
        mov     ecx, MSR_GS_BASE
        wrmsr
        xor     ebp, ebp
        call    x86_start_ap
        ud2
        CFI_END

section .bss
ap_boot_cr3:    resq 1
ap_boot_cpu:    resq 1
ap_boot_stack:  resq 1

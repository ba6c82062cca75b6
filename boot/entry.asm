; From 32-bit protected mode to C.
;
; One set of page tables is filled by hand, all of 2 MiB pages: physical 0 to 4 GiB appears three
; times,
;
;     at 0                  because the instruction that turns paging on must go on somewhere,
;     at DIRECT_MAP         where mm/ expects it,
;     at -2 GiB             (the first GiB of it) where the kernel is linked.
;
; paging_init() replaces them by tables with proper rights; the APs pass through these once more.
; The loader's pointer stays in ebx and which loader it was in ebp until x86_start() gets both (start.asm).

%include "layout.inc"

LOADER_MULTIBOOT2       equ 0           ; enum boot_loader, x86/boot_parse.h
LOADER_PVH              equ 1
MULTIBOOT2_EAX          equ 0x36d76289
CPUID_LM                equ 1 << 29     ; leaf 0x80000001, edx
CPUID_NX                equ 1 << 20
PAGE_RW                 equ 3           ; present, writable
PAGE_LARGE_RW           equ 0x83        ; and 2 MiB
COM1                    equ 0x3f8
BOOT_STACK_SIZE         equ 16384

global multiboot_entry, pvh_entry, boot_pml4, boot_stack, boot_stack_top, boot_gdt_pointer, boot_tsc
extern start_high

%define PHYS(symbol) ((symbol) - KERNEL_BASE)

section .boot progbits alloc exec nowrite align=16
bits 32

multiboot_entry:
        xor     ebp, ebp                ; LOADER_MULTIBOOT2
        cmp     eax, MULTIBOOT2_EAX
        je      start32
        mov     esi, text_loader
        jmp     fail32

pvh_entry:
        mov     ebp, LOADER_PVH
start32:
        cli
        cld
        mov     esp, PHYS(boot_stack_top)
        rdtsc
        mov     [PHYS(boot_tsc)], eax
        mov     [PHYS(boot_tsc) + 4], edx
        call    check_cpu
        call    fill_tables

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
        lgdt    [boot_gdt_pointer]
        jmp     KERNEL_CS:start64

; Long mode and no-execute pages, or a word of regret. Clobbers eax, ecx, edx, esi; ebx is kept.
check_cpu:
        push    ebx
        mov     esi, text_cpu
        mov     eax, 0x80000000
        cpuid
        cmp     eax, 0x80000001
        jb      fail32
        mov     eax, 0x80000001
        cpuid
        and     edx, CPUID_LM | CPUID_NX
        cmp     edx, CPUID_LM | CPUID_NX
        jne     fail32
        pop     ebx
        ret

fill_tables:
        mov     edi, PHYS(boot_pd)
        mov     eax, PAGE_LARGE_RW
        mov     ecx, 4 * 512
.page:  mov     [edi], eax
        add     edi, 8
        add     eax, 1 << 21
        dec     ecx
        jnz     .page

        mov     eax, PHYS(boot_pd) + PAGE_RW
        mov     [PHYS(boot_pdpt_high) + 8 * KERNEL_SLOT2], eax
        mov     edi, PHYS(boot_pdpt_low)
        mov     ecx, 4
.gib:   mov     [edi], eax
        add     edi, 8
        add     eax, 4096
        dec     ecx
        jnz     .gib

        mov     eax, PHYS(boot_pdpt_low) + PAGE_RW
        mov     [PHYS(boot_pml4)], eax
        mov     [PHYS(boot_pml4) + 8 * DIRECT_MAP_SLOT], eax
        mov     eax, PHYS(boot_pdpt_high) + PAGE_RW
        mov     [PHYS(boot_pml4) + 8 * KERNEL_SLOT], eax
        ret

; Say the text at esi on the first serial port and stop for good.
fail32:
        mov     dx, COM1 + 5
.wait:  in      al, dx
        test    al, 0x20                ; transmitter empty (all ones when there is no port)
        jz      .wait
        mov     dx, COM1
        lodsb
        test    al, al
        jz      .halt
        out     dx, al
        jmp     fail32
.halt:  cli
        hlt
        jmp     .halt

text_loader:
        db "signalbox: not started by a multiboot2 loader", 13, 10, 0
text_cpu:
        db "signalbox: this processor lacks 64-bit mode or no-execute pages", 13, 10, 0

align 8
boot_gdt:
        dq 0, 0
        dq 0x00af9b000000ffff           ; KERNEL_CS: 64-bit code
        dq 0x00cf93000000ffff           ; KERNEL_DS
boot_gdt_pointer:
        dw 4 * 8 - 1
        dq boot_gdt

bits 64
start64:
        mov     rax, start_high
        jmp     rax

section .boot_tables nobits alloc noexec write align=4096
boot_pml4:      resb 4096
boot_pdpt_low:  resb 4096
boot_pdpt_high: resb 4096
boot_pd:        resb 4 * 4096

section .boot_stack nobits alloc noexec write align=4096
boot_stack:     resb BOOT_STACK_SIZE
boot_stack_top:

section .bss nobits alloc noexec write align=8
boot_tsc:       resq 1                  ; the time stamp at the entry: CLOCK_MONOTONIC's zero

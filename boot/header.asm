; What loaders look for in the file. GRUB (BIOS or UEFI) finds the multiboot2 header and starts
; multiboot_entry; QEMU's -kernel finds the PVH note and starts pvh_entry. Both start it in 32-bit
; protected mode without paging, with a physical pointer to what they know in ebx.
;
; Multiboot2 Specification 2.0, section 3.1; Xen's public/arch-x86/hvm/start_info.h.
bits 32

extern multiboot_entry
extern pvh_entry

MULTIBOOT2_MAGIC        equ 0xe85250d6
MULTIBOOT2_I386         equ 0
TAG_END                 equ 0
TAG_ENTRY               equ 3
TAG_MODULE_ALIGN        equ 6
XEN_ELFNOTE_PHYS32_ENTRY equ 18

section .boot.header progbits alloc noexec nowrite align=8
header:
        dd MULTIBOOT2_MAGIC
        dd MULTIBOOT2_I386
        dd header_end - header
        dd -(MULTIBOOT2_MAGIC + MULTIBOOT2_I386 + (header_end - header)) & 0xffffffff
        ; start here whatever the ELF header says
        dw TAG_ENTRY, 0
        dd 12
        dd multiboot_entry
        align 8, db 0
        ; modules on page boundaries
        dw TAG_MODULE_ALIGN, 0
        dd 8
        dw TAG_END, 0
        dd 8
header_end:

section .note.pvh note alloc noexec nowrite align=4
        dd 4                            ; length of the name
        dd 8                            ; length of the descriptor
        dd XEN_ELFNOTE_PHYS32_ENTRY
        db "Xen", 0
        dd pvh_entry, 0

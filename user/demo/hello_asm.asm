; The smallest program without any library: two system calls, see hello_asm.txt.

bits 64
default rel

SYS_write   equ 1
SYS_exit    equ 60
STDOUT      equ 1

section .text
global _start
_start:
    mov eax, SYS_write      ; the call's number in RAX,
    mov edi, STDOUT         ; its arguments in RDI, RSI, RDX, R10, R8, R9
    lea rsi, [text]
    mov edx, text_length
    syscall                 ; the result in RAX; RCX and R11 are lost
    cmp rax, text_length    ; all of it written?
    setne dil
    movzx edi, dil          ; 0 if so, 1 if not
    mov eax, SYS_exit
    syscall                 ; does not return

section .rodata
text:           db "Hello from assembly.", 10
text_length     equ $ - text

section .note.GNU-stack noalloc noexec nowrite

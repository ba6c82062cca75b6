; The copies behind uaccess.c. The range was checked; each instruction that touches user memory has
; a line in the exception table. All return in rax how many bytes were not done, 0 when all were.
;
; Wide moves may straddle the border to a page that isn't there. Then the rest is done byte by byte,
; so that everything before the border has been copied when the copy stops.

%include "x86/regs.inc"
%include "x86/cfi.inc"

section .text

; size_t copy_user(void *dst, const void *src, size_t n): either side may be the user's.
align 16
CFI_BEGIN copy_user, CFI_CALLED
        STAC
        xor     ecx, ecx                ; offset up to which all is copied, for .bytes
        cmp     rdx, 64
        jae     .words
        cmp     edx, 8
        jb      .under8

; 8 to 63 bytes: words from the front, and one that ends with the last byte.
        lea     r8, [rdx - 8]
.small: mov     rax, [rsi + rcx]
.small2: mov    [rdi + rcx], rax
        add     rcx, 8
        cmp     rcx, r8
        jbe     .small
        cmp     rcx, rdx
        je      .done
.last:  mov     rax, [rsi + r8]
.last2: mov     [rdi + r8], rax
.done:  CLAC
        xor     eax, eax
        ret

.words: mov     rcx, rdx
        shr     rcx, 3
.rep:   rep movsq
        and     edx, 7
        jz      .done
        jmp     .bytes                  ; rcx is 0

.under8:
        cmp     edx, 4
        jne     .bytes
.four:  mov     eax, [rsi]
.four2: mov     [rdi], eax
        CLAC
        xor     eax, eax
        ret

.rep_fault:                             ; rcx words and the odd bytes are left
        and     edx, 7
        lea     rdx, [rdx + rcx * 8]
        xor     ecx, ecx
.bytes: cmp     rcx, rdx
        je      .done
.byte:  mov     al, [rsi + rcx]
.byte2: mov     [rdi + rcx], al
        inc     rcx
        jmp     .bytes

.fault: CLAC
        mov     rax, rdx
        sub     rax, rcx
        ret

        EXTABLE .small, .bytes, EXTABLE_USER
        EXTABLE .small2, .bytes, EXTABLE_USER
        EXTABLE .last, .bytes, EXTABLE_USER
        EXTABLE .last2, .bytes, EXTABLE_USER
        EXTABLE .four, .bytes, EXTABLE_USER
        EXTABLE .four2, .bytes, EXTABLE_USER
        EXTABLE .rep, .rep_fault, EXTABLE_USER
        EXTABLE .byte, .fault, EXTABLE_USER
        EXTABLE .byte2, .fault, EXTABLE_USER
        CFI_END

; size_t zero_user(void *dst, size_t n)
align 16
CFI_BEGIN zero_user, CFI_CALLED
        STAC
        mov     rcx, rsi
        and     esi, 7                  ; the odd bytes
        shr     rcx, 3
        xor     eax, eax
.rep:   rep stosq
.bytes: mov     rcx, rsi
.tail:  rep stosb
        CLAC
        ret                             ; rax is 0
.rep_fault:
        lea     rsi, [rsi + rcx * 8]
        jmp     .bytes
.fault: CLAC
        mov     rax, rcx
        ret

        EXTABLE .rep, .rep_fault, EXTABLE_USER
        EXTABLE .tail, .fault, EXTABLE_USER
        CFI_END

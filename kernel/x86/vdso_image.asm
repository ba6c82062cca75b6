; The vDSO as the linker made it (kernel/x86/vdso/), to be copied into the page that programs see.

global vdso_image, vdso_image_end

section .rodata

align 16
vdso_image:
        incbin  "vdso.so"
vdso_image_end:

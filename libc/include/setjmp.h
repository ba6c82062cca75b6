/* <setjmp.h>: the callee-saved registers, stack and return address; with sigsetjmp the signal mask too. */
#pragma once

typedef struct {
    unsigned long registers[8];
    unsigned long has_mask;
    unsigned long mask;
} jmp_buf[1];
typedef jmp_buf sigjmp_buf;

int setjmp(jmp_buf env) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf env, int value);
int _setjmp(jmp_buf env) __attribute__((returns_twice));
_Noreturn void _longjmp(jmp_buf env, int value);
int sigsetjmp(sigjmp_buf env, int save_mask) __attribute__((returns_twice));
_Noreturn void siglongjmp(sigjmp_buf env, int value);

/*
 * Recursion without end overruns the stack. The handler for that can't run on the stack that is full: it has one
 * of its own, reports, and jumps out. See altstack.txt.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>

#include "demo.h"

#define SMALL_STACK (256 * 1024)
#define ALTERNATE (64 * 1024)

static sigjmp_buf out;
static char alternate[ALTERNATE];
static volatile int on_alternate;
static volatile unsigned long depth;

static void on_fault(int number, siginfo_t *info, void *context)
{
    char here;

    (void)number;
    (void)info;
    (void)context;
    on_alternate = (uintptr_t)&here >= (uintptr_t)alternate &&
                   (uintptr_t)&here < (uintptr_t)alternate + ALTERNATE;
    siglongjmp(out, 1); /* back to main's part of the stack; the mask comes back too */
}

static unsigned long dig(unsigned long level)
{
    volatile char ballast[512];

    ballast[0] = (char)level;
    depth = level;
    if (level == UINT32_MAX) /* the compiler wants to see an end; the stack's comes long before */
        return 0;
    return dig(level + 1) + (unsigned long)ballast[0];
}

int main(void)
{
    struct rlimit limit = {SMALL_STACK, SMALL_STACK};
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    need(setrlimit(RLIMIT_STACK, &limit));
    need(sigaltstack(&stack, NULL));
    need(sigaction(SIGSEGV, &action, NULL));
    for (int i = 1; i <= 2; i++) {
        if (sigsetjmp(out, 1) == 0)
            dig(1);
        printf("overrun %d: some %s deep; the handler was on %s stack\n", i,
               claim(depth > 100) ? "hundreds" : "few",
               claim(on_alternate) ? "the alternate" : "the normal");
    }
    printf("and the program goes on\n");
    return shown();
}

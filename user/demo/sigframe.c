/*
 * The frame that a handler stands on: the kernel has stored all registers there, and takes them from there when
 * the handler returns. This one changes the saved instruction pointer, so that the program goes on behind the
 * instruction that faulted. See sigframe.txt.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "demo.h"

/* Load from address 0 with a known length of two bytes: mov (%rdi), %eax. */
long load_from_zero(void);
extern const char faulting_instruction[];
__asm__(".text\n"
        ".global load_from_zero, faulting_instruction\n"
        "load_from_zero:\n"
        "        xor %edi, %edi\n"
        "        mov $1234, %eax\n"
        "faulting_instruction:\n"
        "        mov (%rdi), %eax\n"
        "        ret\n");
#define INSTRUCTION_LENGTH 2

static volatile struct {
    int address_is_zero, rip_is_there, rax, below_red_zone, aligned, restorer;
} seen;

static void on_fault(int number, siginfo_t *info, void *context)
{
    ucontext_t *frame = context;
    greg_t *registers = frame->uc_mcontext.gregs;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    (void)number;
    seen.address_is_zero = info->si_addr == NULL;
    seen.rip_is_there = registers[REG_RIP] == (greg_t)(uintptr_t)faulting_instruction;
    seen.rax = (int)registers[REG_RAX];
    seen.below_red_zone = (uintptr_t)frame + sizeof *frame <= (uintptr_t)registers[REG_RSP] - 128;
    seen.aligned = here % 16 == 0;
    registers[REG_RIP] += INSTRUCTION_LENGTH; /* go on behind it */
    registers[REG_RAX] = 4321;                /* with this as what was loaded */
}

static const char *yes(int holds)
{
    return claim(holds) ? "yes" : "no";
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    long loaded;

    need(sigaction(SIGSEGV, &action, NULL));
    loaded = load_from_zero();
    printf("the fault was at address 0: %s\n", yes(seen.address_is_zero));
    printf("the saved rip is the faulting instruction: %s\n", yes(seen.rip_is_there));
    printf("the saved rax is what the program had in it: %d\n", seen.rax);
    printf("the frame lies below the red zone: %s\n", yes(seen.below_red_zone));
    printf("the handler's stack is aligned to 16: %s\n", yes(seen.aligned));
    printf("the program goes on behind it, with %ld in rax\n", loaded);
    claim(seen.rax == 1234 && loaded == 4321);
    return shown();
}

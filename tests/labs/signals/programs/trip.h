/*
 * A trip into a signal handler with known registers, and back.
 *
 * trip() loads all general registers and the flags, fills the red zone and executes UD2, whose SIGILL has the
 * handler entry(), raw: it notes the registers it starts with and calls landed(), which the program defines. If the
 * program goes on behind the UD2, at trip_after, all registers are noted again.
 */
#pragma once

#include <sys/syscall.h>
#include <ucontext.h>

#include "children.h"

enum {
    RBP = 10,
    RBX,
    RDX,
    RAX,
    RCX,
    TRIP_REGISTERS = 15
}; /* in the order of struct sigcontext; no RSP */
#define UD2_LENGTH 2
#define RED_ZONE 16 /* words */
#define HAS_RESTORER 0x04000000UL

struct trip {
    uint64_t in[TRIP_REGISTERS], flags_in;
    uint64_t out[TRIP_REGISTERS], flags_out, rsp_out;
    uint64_t zone_in,
        zone_out[RED_ZONE]; /* the red zone: one word all over, and what it is afterwards */
    uint64_t rsp;           /* when the UD2 was executed */
    uint64_t returns;       /* how often it went on behind */
};
struct entered {
    uint64_t rsp, rdi, rsi, rdx, rax, flags;
    uint32_t mxcsr;
    uint16_t control; /* of the x87 */
    uint64_t xmm0[2];
};

struct trip trip_state;
struct entered entered;
void trip(void);
void entry(void);
void restorer(void);
extern char trip_at[], trip_after[];
void landed(void);

__asm__(".pushsection .text\n"
        ".globl trip, trip_at, trip_after, entry, restorer\n"
        "trip:\n\t"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; pushfq\n\t"
        "mov %rsp, trip_state+400(%rip)\n\t"
        "push trip_state+120(%rip); popfq\n\t"
        "mov trip_state+264(%rip), %rax\n\t"
        ".set place, 8\n\t"
        ".rept 16\n\tmov %rax, -place(%rsp)\n\t.set place, place + 8\n\t.endr\n\t"
        "mov trip_state(%rip), %r8;       mov trip_state+8(%rip), %r9\n\t"
        "mov trip_state+16(%rip), %r10;   mov trip_state+24(%rip), %r11\n\t"
        "mov trip_state+32(%rip), %r12;   mov trip_state+40(%rip), %r13\n\t"
        "mov trip_state+48(%rip), %r14;   mov trip_state+56(%rip), %r15\n\t"
        "mov trip_state+64(%rip), %rdi;   mov trip_state+72(%rip), %rsi\n\t"
        "mov trip_state+80(%rip), %rbp;   mov trip_state+88(%rip), %rbx\n\t"
        "mov trip_state+96(%rip), %rdx;   mov trip_state+104(%rip), %rax\n\t"
        "mov trip_state+112(%rip), %rcx\n"
        "trip_at:\n\tud2\n"
        "trip_after:\n\t"
        "mov %r8, trip_state+128(%rip);   mov %r9, trip_state+136(%rip)\n\t"
        "mov %r10, trip_state+144(%rip);  mov %r11, trip_state+152(%rip)\n\t"
        "mov %r12, trip_state+160(%rip);  mov %r13, trip_state+168(%rip)\n\t"
        "mov %r14, trip_state+176(%rip);  mov %r15, trip_state+184(%rip)\n\t"
        "mov %rdi, trip_state+192(%rip);  mov %rsi, trip_state+200(%rip)\n\t"
        "mov %rbp, trip_state+208(%rip);  mov %rbx, trip_state+216(%rip)\n\t"
        "mov %rdx, trip_state+224(%rip);  mov %rax, trip_state+232(%rip)\n\t"
        "mov %rcx, trip_state+240(%rip);  mov %rsp, trip_state+256(%rip)\n\t"
        "mov trip_state+400(%rip), %rcx\n\t"
        ".set place, 8\n\t"
        ".rept 16\n\tmov -place(%rcx), %rax\n\tmov %rax, trip_state+272-8+place(%rip)\n\t"
        ".set place, place + 8\n\t.endr\n\t"
        "mov %rcx, %rsp\n\t"
        "pushfq; pop trip_state+248(%rip)\n\t"
        "cld; incq trip_state+408(%rip)\n\t"
        "popfq; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n\t"
        "ret\n"
        "entry:\n\t"
        "mov %rsp, entered(%rip);    mov %rdi, entered+8(%rip)\n\t"
        "mov %rsi, entered+16(%rip); mov %rdx, entered+24(%rip); mov %rax, entered+32(%rip)\n\t"
        "mov %rsp, %rbx; and $-16, %rsp\n\t"
        "pushfq; pop entered+40(%rip); cld\n\t"
        "stmxcsr entered+48(%rip); fnstcw entered+52(%rip); movups %xmm0, entered+56(%rip)\n\t"
        "call landed\n\t"
        "mov entered(%rip), %rsp; ret\n"
        "restorer:\n\tmov $15, %eax; syscall; ud2\n"
        ".popsection\n");

_Static_assert(offsetof(struct trip, out) == 128 && offsetof(struct trip, rsp_out) == 256 &&
                   offsetof(struct trip, zone_in) == 264 && offsetof(struct trip, rsp) == 400 &&
                   offsetof(struct trip, returns) == 408 && offsetof(struct entered, xmm0) == 56,
               "the assembly above counts on it");

/* What the call takes, with our own restorer and nothing between us and the kernel. */
struct raw_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

static inline void set_action(int number, void *handler, unsigned long flags, uint64_t mask)
{
    struct raw_action action = {handler, flags | HAS_RESTORER, restorer, mask};

    lab_must(syscall(SYS_rt_sigaction, number, &action, NULL, 8));
}

static inline uint64_t blocked_now(void)
{
    uint64_t mask = 0;

    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
    return mask;
}

/* COUNT numbers in hexadecimal, as one report. */
static inline void report_words(const char *key, const uint64_t *words, int count)
{
    char text[512] = "";
    int n = 0;

    for (int i = 0; i < count; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%lx", i ? " " : "",
                      (unsigned long)words[i]);
    lab_report(key, "%s", text);
}

/* Registers, flags and the red zone's word from the command line. */
static inline void load_trip(char **argv)
{
    for (int i = 0; i < TRIP_REGISTERS; i++)
        trip_state.in[i] = strtoul(argv[i], NULL, 16);
    trip_state.flags_in = strtoul(argv[15], NULL, 16);
    trip_state.zone_in = strtoul(argv[16], NULL, 16);
}
#define TRIP_ARGUMENTS 17

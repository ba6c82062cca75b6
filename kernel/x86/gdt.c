/*
 * The global descriptor table and the task state segment of each CPU.
 *
 * 64-bit mode needs little of them: a code segment each for kernel and programs, data segments for
 * SS, and the TSS, which tells the processor the stack for traps from user mode (rsp0, changed at
 * every thread switch) and those for traps that bring their own (IST). There is no 32-bit user code
 * segment: programs can't leave 64-bit mode.
 *
 * The top 16 bytes of each IST stack hold the address of its struct cpu. An NMI may arrive between
 * two instructions of which one has swapped GS and the other not yet; its entry finds its CPU
 * there.
 */
#include "x86/gdt.h"

#include "x86/msr.h"

#define SEG_PRESENT_CODE_DATA 0x0000900000000000UL
#define SEG_WRITABLE 0x0000020000000000UL
#define SEG_ACCESSED 0x0000010000000000UL
#define SEG_CODE 0x0000080000000000UL
#define SEG_USER 0x0000600000000000UL
#define SEG_LONG 0x0020000000000000UL
#define SEG_TSS_AVAILABLE 0x0000890000000000UL

static void fill(struct cpu *c, struct arch_cpu *a)
{
    uint64_t data = SEG_PRESENT_CODE_DATA | SEG_WRITABLE | SEG_ACCESSED;
    uint64_t code = SEG_PRESENT_CODE_DATA | SEG_CODE | SEG_WRITABLE | SEG_ACCESSED | SEG_LONG;
    uint64_t tss = (uint64_t)&a->tss;

    a->gdt[KERNEL_CS / 8] = code;
    a->gdt[KERNEL_DS / 8] = data;
    a->gdt[USER_DS / 8] = data | SEG_USER;
    a->gdt[USER_CS / 8] = code | SEG_USER;
    a->gdt[TSS_SELECTOR / 8] = SEG_TSS_AVAILABLE | (sizeof(struct tss) - 1) |
                               (tss & 0xffffff) << 16 | (tss >> 24 & 0xff) << 56;
    a->gdt[TSS_SELECTOR / 8 + 1] = tss >> 32;

    a->tss.iomap_base = sizeof(struct tss);
    for (unsigned i = 0; i < IST_COUNT; i++) {
        uint64_t top = (uint64_t)a->ist[i] + IST_STACK_SIZE - 16;
        *(struct cpu **)top = c;
        a->tss.ist[i] = top;
    }
}

void gdt_init_cpu(struct cpu *c)
{
    struct arch_cpu *a = arch_of(c);
    struct {
        uint16_t limit;
        uint64_t base;
    } packed pointer = {sizeof(a->gdt) - 1, (uint64_t)a->gdt};

    fill(c, a);
    asm volatile("lgdt %0" : : "m"(pointer) : "memory");
    asm volatile("pushq %0\n\t"
                 "leaq 1f(%%rip), %%rax\n\t"
                 "pushq %%rax\n\t"
                 "lretq\n"
                 "1:\tmov %1, %%ss"
                 :
                 : "i"(KERNEL_CS), "r"(KERNEL_DS)
                 : "rax", "memory");
    asm volatile("ltr %w0" : : "r"(TSS_SELECTOR) : "memory");
}

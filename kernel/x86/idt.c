/*
 * The interrupt descriptor table: 256 interrupt gates, one table for all CPUs. Every gate turns
 * interrupts off; programs may use only INT3's and INT 4's by themselves.
 */
#include "x86/gdt.h"
#include "x86/trap.h"

#define GATE_INTERRUPT 0x8e00U
#define GATE_USER 0x6000U

struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint16_t type; /* bits 0-2: IST */
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};

static struct gate idt[256] aligned(16); /* const after init */

static void gate_set(unsigned vector, unsigned type)
{
    uint64_t entry = (uint64_t)trap_entries[vector];

    idt[vector] = (struct gate){
        .offset_low = (uint16_t)entry,
        .selector = KERNEL_CS,
        .type = (uint16_t)(GATE_INTERRUPT | type),
        .offset_middle = (uint16_t)(entry >> 16),
        .offset_high = (uint32_t)(entry >> 32),
    };
}

void idt_init(void)
{
    for (unsigned v = 0; v < ARRAY_SIZE(idt); v++)
        gate_set(v, 0);
    gate_set(TRAP_BREAKPOINT, GATE_USER);
    gate_set(TRAP_OVERFLOW, GATE_USER); /* INT 4; INTO itself is gone in 64-bit mode */
    gate_set(TRAP_DOUBLE_FAULT, IST_DOUBLE_FAULT + 1);
    gate_set(TRAP_NMI, IST_NMI + 1);
    gate_set(TRAP_MACHINE_CHECK, IST_MACHINE_CHECK + 1);
    idt_load();
}

void idt_load(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } packed pointer = {sizeof(idt) - 1, (uint64_t)idt};

    asm volatile("lidt %0" : : "m"(pointer) : "memory");
}

/*
 * The local APIC. Intel SDM volume 3, chapter 11.
 *
 * It is reached through memory (xAPIC), or through MSRs when the firmware has switched it to x2APIC
 * mode already: with more than 255 processors it must, and there is no way back. Writing the two
 * halves of the interrupt command register is not atomic in memory, so it is done with interrupts
 * off.
 */
#include "x86/apic.h"

#include "lib/log.h"
#include "x86/acpi.h"
#include "x86/cpu.h"
#include "x86/io.h"
#include "x86/msr.h"
#include "x86/trap.h"

enum apic_register {
    APIC_ID = 0x20,
    APIC_TPR = 0x80,
    APIC_EOI = 0xb0,
    APIC_SVR = 0xf0,
    APIC_ESR = 0x280,
    APIC_ICR_LOW = 0x300,
    APIC_ICR_HIGH = 0x310,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370,
    APIC_TIMER_INITIAL = 0x380,
    APIC_TIMER_CURRENT = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,
};

#define SVR_ENABLE 0x100
#define LVT_MASKED 0x10000
#define LVT_NMI 0x400
#define LVT_TSC_DEADLINE 0x40000
#define DIVIDE_BY_1 0xb
#define ICR_NMI 0x400
#define ICR_INIT 0x500
#define ICR_STARTUP 0x600
#define ICR_ASSERT 0x4000
#define ICR_PENDING 0x1000
#define SEND_TRIES 100000

#define PIC1_COMMAND 0x20
#define PIC1_DATA 0x21
#define PIC2_COMMAND 0xa0
#define PIC2_DATA 0xa1

static volatile uint8_t *xapic; /* const after init; NULL in x2APIC mode */

static uint32_t reg_read(enum apic_register reg)
{
    return likely(xapic) ? mmio_read32(xapic + reg) : (uint32_t)rdmsr(MSR_X2APIC + reg / 16);
}

static void reg_write(enum apic_register reg, uint32_t value)
{
    if (likely(xapic))
        mmio_write32(xapic + reg, value);
    else
        wrmsr(MSR_X2APIC + reg / 16, value);
}

/* The two 8259s: moved out of the way of the processor's own vectors, and every line masked. */
static void pic_silence(void)
{
    outb(PIC1_COMMAND, 0x11);
    outb(PIC2_COMMAND, 0x11);
    outb(PIC1_DATA, VECTOR_PIC);
    outb(PIC2_DATA, VECTOR_PIC + 8);
    outb(PIC1_DATA, 4);
    outb(PIC2_DATA, 2);
    outb(PIC1_DATA, 1);
    outb(PIC2_DATA, 1);
    outb(PIC1_DATA, 0xff);
    outb(PIC2_DATA, 0xff);
}

void apic_init(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);

    pic_silence();
    if (!(base & APIC_BASE_X2APIC)) {
        xapic = mmio_map(acpi_machine.lapic, PAGE_SIZE);
        if (!xapic)
            panic("no address space for the local APIC");
    }
    wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
    apic_init_cpu();
    this_cpu()->apic_id = apic_id();
    ioapic_init();
}

void apic_init_cpu(void)
{
    if (!xapic)
        wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
    reg_write(APIC_TPR, 0);
    reg_write(APIC_LVT_TIMER, LVT_MASKED);
    reg_write(APIC_LVT_LINT0, LVT_MASKED);
    reg_write(APIC_LVT_LINT1, LVT_NMI);
    reg_write(APIC_LVT_ERROR, VECTOR_ERROR);
    reg_write(APIC_ESR, 0);
    reg_write(APIC_TIMER_INITIAL, 0);
    reg_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    reg_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
    reg_write(APIC_LVT_TIMER, VECTOR_TIMER);
    apic_eoi();
}

uint32_t apic_id(void)
{
    uint32_t id = reg_read(APIC_ID);
    return xapic ? id >> 24 : id;
}

void apic_eoi(void)
{
    reg_write(APIC_EOI, 0);
}

static void send(uint32_t dest, uint32_t command)
{
    if (!xapic) {
        /* wrmsr to the x2APIC doesn't wait for stores before it: they must be seen first. */
        asm volatile("mfence; lfence" ::: "memory");
        wrmsr(MSR_X2APIC + APIC_ICR_LOW / 16, (uint64_t)dest << 32 | command);
        return;
    }
    irq_push_off();
    for (unsigned i = 0; reg_read(APIC_ICR_LOW) & ICR_PENDING && i < SEND_TRIES; i++)
        cpu_relax();
    reg_write(APIC_ICR_HIGH, dest << 24);
    reg_write(APIC_ICR_LOW, command);
    irq_pop_off();
}

void apic_send(uint32_t dest, unsigned vector)
{
    send(dest, ICR_ASSERT | vector);
}

void apic_send_nmi(uint32_t dest)
{
    send(dest, ICR_ASSERT | ICR_NMI);
}

void apic_send_init(uint32_t dest)
{
    send(dest, ICR_ASSERT | ICR_INIT);
}

void apic_send_startup(uint32_t dest, paddr_t entry)
{
    send(dest, ICR_ASSERT | ICR_STARTUP | (uint32_t)(entry >> PAGE_SHIFT));
}

void apic_timer_start(uint32_t count)
{
    reg_write(APIC_TIMER_INITIAL, count);
}

uint32_t apic_timer_left(void)
{
    return reg_read(APIC_TIMER_CURRENT);
}

void apic_timer_use_deadline(void)
{
    reg_write(APIC_LVT_TIMER, LVT_TSC_DEADLINE | VECTOR_TIMER);
    /* The mode must have changed before the first write of the deadline (SDM 11.5.4.1). */
    asm volatile("mfence" ::: "memory");
}

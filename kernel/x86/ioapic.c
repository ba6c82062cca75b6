/*
 * I/O APICs: each turns a range of global system interrupts (GSIs), the wires of devices, into
 * messages to a CPU's local APIC. All lines are masked until a driver asks for one (irq.c, whose
 * lock guards the registers: an index and a data window each).
 */
#include "lib/log.h"
#include "x86/acpi.h"
#include "x86/apic.h"
#include "x86/io.h"

#define IOREGSEL 0x00
#define IOWIN 0x10
#define IOAPIC_VERSION 1
#define IOAPIC_REDIRECTION 0x10 /* two registers a line */
#define REDIRECTION_MASKED 0x10000
#define REDIRECTION_LEVEL 0x8000
#define REDIRECTION_ACTIVE_LOW 0x2000

static struct {
    volatile uint8_t *window; /* const after init; access under irq.c's lock */
    unsigned gsi_base;        /* const after init */
    unsigned lines;           /* const after init */
} ioapic[ACPI_MAX_IOAPICS];
static unsigned nioapics; /* const after init */

static uint32_t ioapic_read(unsigned i, unsigned reg)
{
    mmio_write32(ioapic[i].window + IOREGSEL, reg);
    return mmio_read32(ioapic[i].window + IOWIN);
}

static void ioapic_write(unsigned i, unsigned reg, uint32_t value)
{
    mmio_write32(ioapic[i].window + IOREGSEL, reg);
    mmio_write32(ioapic[i].window + IOWIN, value);
}

void ioapic_init(void)
{
    for (unsigned n = 0; n < acpi_machine.nioapics; n++) {
        unsigned i = nioapics;
        ioapic[i].window = mmio_map(acpi_machine.ioapic[n].address, PAGE_SIZE);
        if (!ioapic[i].window) {
            log_err("I/O APIC at %#lx: no address space", acpi_machine.ioapic[n].address);
            continue;
        }
        ioapic[i].gsi_base = acpi_machine.ioapic[n].gsi_base;
        ioapic[i].lines = (ioapic_read(i, IOAPIC_VERSION) >> 16 & 0xff) + 1;
        for (unsigned line = 0; line < ioapic[i].lines; line++)
            ioapic_write(i, IOAPIC_REDIRECTION + 2 * line, REDIRECTION_MASKED);
        nioapics++;
    }
}

/* Which I/O APIC has the line, or nioapics. */
static unsigned owner(unsigned gsi)
{
    unsigned i = 0;
    while (i < nioapics && gsi - ioapic[i].gsi_base >= ioapic[i].lines)
        i++;
    return i;
}

bool ioapic_has_gsi(unsigned gsi)
{
    return owner(gsi) < nioapics;
}

void ioapic_route(unsigned gsi, unsigned vector, uint32_t apic_id, bool level, bool active_low)
{
    unsigned i = owner(gsi);
    unsigned reg = IOAPIC_REDIRECTION + 2 * (gsi - ioapic[i].gsi_base);

    ioapic_write(i, reg + 1, apic_id << 24);
    ioapic_write(i, reg,
                 vector | (level ? REDIRECTION_LEVEL : 0) |
                     (active_low ? REDIRECTION_ACTIVE_LOW : 0));
}

/*
 * Device interrupts. A line of the I/O APIC (a GSI, ISA overrides already applied for isa_irq_gsi)
 * or a message (MSI-X) is routed to a vector; handlers of one vector are called in turn, interrupts
 * off.
 */
#pragma once

#include "lib/types.h"

struct irq_handler {
    struct irq_handler *next; /* irq lock; readers walk it with interrupts off */
    void (*fn)(void *arg);    /* const after registration */
    void *arg;                /* const after registration */
    const char *name;         /* const: shown in /proc/interrupts */
};

/*
 * Route and unmask. GSI from the machine, or isa_irq_gsi(n). Several handlers may share a line. 0
 * or -errno.
 */
int irq_register_gsi(unsigned gsi, struct irq_handler *h);
unsigned isa_irq_gsi(unsigned isa_irq);

/*
 * Allocate a vector for a message-signalled interrupt aimed at CPU; fills address and data. 0 or
 * -errno.
 */
int irq_register_msi(int cpu, struct irq_handler *h, uint64_t *address, uint32_t *data);

/* For /proc/interrupts: call emit once a vector in use with per-CPU counts[num_cpus]. */
void irq_for_each(void (*emit)(void *ctx, const char *label, const char *name,
                               const uint64_t *counts),
                  void *ctx);

/* Have ISA_IRQ, edge-triggered, come to CPU 0 as an NMI. 0 or -errno. */
int irq_route_nmi(unsigned isa_irq);

/* What an interrupt of VECTOR is: a device's name or the local APIC's business. For the report. */
const char *irq_name(unsigned vector);

/* True while a handler runs on this CPU. */
bool in_interrupt(void);

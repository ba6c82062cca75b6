/*
 * The local APIC: each CPU's interrupt controller, its timer, and the way to interrupt other CPUs.
 * For kernel/x86 alone.
 */
#pragma once

#include "lib/types.h"

/* Boot CPU: map it, silence the 8259s. Then, and on every other CPU: enable it. */
void apic_init(void);
void apic_init_cpu(void);
uint32_t apic_id(void); /* of this CPU */

void apic_eoi(void);
void apic_send(uint32_t apic_id, unsigned vector);
void apic_send_nmi(uint32_t apic_id);
void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, paddr_t entry); /* below 1 MiB, page aligned */

/* One shot after COUNT ticks (0: stop), on VECTOR_TIMER. Ticks left. */
void apic_timer_start(uint32_t count);
uint32_t apic_timer_left(void);
/* From now on wrmsr(MSR_TSC_DEADLINE) arms the timer of this CPU instead. */
void apic_timer_use_deadline(void);

/* I/O APICs: what irq.c needs of them. */
void ioapic_init(void);
bool ioapic_has_gsi(unsigned gsi);
#define IOAPIC_NMI 0x400u /* for a vector: deliver as an NMI */
void ioapic_route(unsigned gsi, unsigned vector, uint32_t apic_id, bool level, bool active_low);

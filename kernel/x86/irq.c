/*
 * Interrupts by vector: which handlers a vector has, and how often each CPU has seen it.
 *
 * A vector belongs to one I/O APIC line or to one message-signalled interrupt; a line that several
 * devices share has a list of handlers, all of which are called. Handlers are added, never removed,
 * so the list is read without a lock: an element is complete before it is linked.
 *
 * The local APIC's own vectors (timer, reschedule, call) go straight to their functions.
 */
#include "x86/irq.h"

#include "lib/atomic.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "x86/acpi.h"
#include "x86/apic.h"
#include "x86/clock_internal.h"
#include "x86/context.h"
#include "x86/cpu.h"
#include "x86/event.h"
#include "x86/ipi.h"
#include "x86/trap.h"
#include "x86/upcalls.h"
#include "x86/watchdog.h"

#define ISA_IRQS 16
#define VECTORS (VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1)
#define MSI_ADDRESS 0xfee00000UL

/* MPS INTI flags, as in the MADT (ACPI 6.5, table 5.26). */
#define INTI_POLARITY 3
#define INTI_ACTIVE_LOW 3
#define INTI_TRIGGER (3 << 2)
#define INTI_LEVEL (3 << 2)

struct irq_vector {
    struct irq_handler *handlers; /* irq_lock; read without it */
    uint64_t *counts;             /* const once handlers is set; each CPU writes its own */
    int gsi;                      /* const once handlers is set; -1: a message */
};

static struct spinlock irq_lock = SPINLOCK_INIT(RANK_IRQ, "irq");
static struct irq_vector vectors[VECTORS]; /* irq_lock for changes */

/* The local vectors' counts; each CPU writes its own. */
enum local_irq { LOCAL_TIMER, LOCAL_RESCHED, LOCAL_CALL, LOCAL_SPURIOUS, LOCAL_IRQS };
static uint64_t local_counts[LOCAL_IRQS][MAX_CPUS];

bool in_interrupt(void)
{
    return this_cpu()->in_interrupt;
}

static void device_interrupt(struct cpu *c, unsigned vector)
{
    struct irq_vector *v = &vectors[vector - VECTOR_DEVICE_FIRST];
    struct irq_handler *h = atomic_load(&v->handlers);

    if (h)
        v->counts[c->id]++;
    else
        local_counts[LOCAL_SPURIOUS][c->id]++;
    for (; h; h = h->next)
        h->fn(h->arg);
    apic_eoi();
}

/* Vectors of the local APIC, and those that nobody sends. */
static void local_interrupt(struct cpu *c, unsigned vector)
{
    switch (vector) {
    case VECTOR_TIMER:
        local_counts[LOCAL_TIMER][c->id]++;
        apic_eoi();
        clock_interrupt();
        break;
    case VECTOR_RESCHED:
        local_counts[LOCAL_RESCHED][c->id]++;
        apic_eoi();
        sched_ipi();
        break;
    case VECTOR_CALL:
        local_counts[LOCAL_CALL][c->id]++;
        apic_eoi();
        cpu_answer_calls();
        break;
    case VECTOR_ERROR: apic_eoi(); break;
    default: /* spurious: not to be acknowledged (SDM 11.9) */
        local_counts[LOCAL_SPURIOUS][c->id]++;
        break;
    }
}

void interrupt_dispatch(struct regs *r)
{
    struct cpu *c = this_cpu();
    unsigned vector = (unsigned)r->trapno;

    event_note_timed(EVENT_INTERRUPT, vector);
    c->interrupts++;
    c->in_interrupt = true;
    if (unlikely(READ_ONCE(watchdog_sleeps)))
        watchdog_wake();
    if (vector <= VECTOR_DEVICE_LAST)
        device_interrupt(c, vector);
    else
        local_interrupt(c, vector);
    c->in_interrupt = false;
    sched_account_interrupt(regs_from_user(r));
}

/* --- registration ---------------------------------------------------------------------------- */

static const struct acpi_override *override_of_isa(unsigned irq)
{
    for (unsigned i = 0; i < acpi_machine.noverrides; i++)
        if (acpi_machine.override[i].isa_irq == irq)
            return &acpi_machine.override[i];
    return NULL;
}

static const struct acpi_override *override_of_gsi(unsigned gsi)
{
    for (unsigned i = 0; i < acpi_machine.noverrides; i++)
        if (acpi_machine.override[i].gsi == gsi)
            return &acpi_machine.override[i];
    return NULL;
}

unsigned isa_irq_gsi(unsigned isa_irq)
{
    const struct acpi_override *o = override_of_isa(isa_irq);
    return o ? o->gsi : isa_irq;
}

/*
 * ISA lines are edge-triggered and active high, PCI's level-triggered and low, unless ACPI says so.
 */
static void line_mode(unsigned gsi, bool *level, bool *active_low)
{
    const struct acpi_override *o = override_of_gsi(gsi);
    unsigned flags = o ? o->flags : 0;

    *level = *active_low = gsi >= ISA_IRQS;
    if (flags & INTI_POLARITY)
        *active_low = (flags & INTI_POLARITY) == INTI_ACTIVE_LOW;
    if (flags & INTI_TRIGGER)
        *level = (flags & INTI_TRIGGER) == INTI_LEVEL;
}

static struct irq_vector *vector_of_gsi(unsigned gsi)
{
    for (unsigned i = 0; i < VECTORS; i++)
        if (vectors[i].handlers && vectors[i].gsi == (int)gsi)
            return &vectors[i];
    return NULL;
}

/* A vector that nobody has, with H as its handler. COUNTS is its array of counts. irq_lock held. */
static struct irq_vector *claim_vector(struct irq_handler *h, int gsi, uint64_t *counts)
{
    for (unsigned i = 0; i < VECTORS; i++) {
        struct irq_vector *v = &vectors[i];
        if (v->handlers)
            continue;
        v->gsi = gsi;
        v->counts = counts;
        h->next = NULL;
        atomic_store(&v->handlers, h);
        return v;
    }
    return NULL;
}

static unsigned vector_number(const struct irq_vector *v)
{
    return (unsigned)(v - vectors) + VECTOR_DEVICE_FIRST;
}

int irq_register_gsi(unsigned gsi, struct irq_handler *h)
{
    bool level, active_low;

    if (!ioapic_has_gsi(gsi))
        return -ENODEV;
    uint64_t *counts = kcalloc(MAX_CPUS, sizeof(*counts));
    if (!counts)
        return -ENOMEM;
    line_mode(gsi, &level, &active_low);

    spin_lock(&irq_lock);
    struct irq_vector *v = vector_of_gsi(gsi);
    bool shared = v;
    if (shared) {
        h->next = v->handlers;
        atomic_store(&v->handlers, h);
    } else {
        v = claim_vector(h, (int)gsi, counts);
        if (v)
            ioapic_route(gsi, vector_number(v), cpus[0].apic_id, level, active_low);
    }
    spin_unlock(&irq_lock);
    if (shared || !v)
        kfree(counts);
    return v ? 0 : -ENOSPC;
}

int irq_route_nmi(unsigned isa_irq)
{
    unsigned gsi = isa_irq_gsi(isa_irq);

    if (!ioapic_has_gsi(gsi))
        return -ENODEV;
    spin_lock(&irq_lock);
    ioapic_route(gsi, IOAPIC_NMI, cpus[0].apic_id, false, false);
    spin_unlock(&irq_lock);
    return 0;
}

int irq_register_msi(int cpu, struct irq_handler *h, uint64_t *address, uint32_t *data)
{
    uint64_t *counts = kcalloc(MAX_CPUS, sizeof(*counts));
    if (!counts)
        return -ENOMEM;
    spin_lock(&irq_lock);
    struct irq_vector *v = claim_vector(h, -1, counts);
    spin_unlock(&irq_lock);
    if (!v) {
        kfree(counts);
        return -ENOSPC;
    }
    *address = MSI_ADDRESS | (uint64_t)cpus[cpu].apic_id << 12; /* SDM 11.11.1 */
    *data = vector_number(v);
    return 0;
}

const char *irq_name(unsigned vector)
{
    switch (vector) {
    case VECTOR_TIMER: return "timer";
    case VECTOR_RESCHED: return "reschedule";
    case VECTOR_CALL: return "call";
    default: break;
    }
    if (vector < VECTOR_DEVICE_FIRST || vector > VECTOR_DEVICE_LAST)
        return "spurious";
    const struct irq_handler *h = atomic_load(&vectors[vector - VECTOR_DEVICE_FIRST].handlers);
    return h ? h->name : "spurious";
}

/* --- /proc/interrupts ------------------------------------------------------------------------ */

static void emit_device(unsigned i,
                        void (*emit)(void *, const char *, const char *, const uint64_t *),
                        void *ctx)
{
    struct irq_handler *h = atomic_load(&vectors[i].handlers);
    char label[8], name[64];
    size_t len = 0;

    if (!h)
        return;
    snprintf(label, sizeof(label), "%u",
             vectors[i].gsi >= 0 ? (unsigned)vectors[i].gsi : i + VECTOR_DEVICE_FIRST);
    len = (size_t)snprintf(name, sizeof(name), "%s ", vectors[i].gsi >= 0 ? "IO-APIC" : "MSI");
    for (; h && len < sizeof(name); h = h->next)
        len +=
            (size_t)snprintf(name + len, sizeof(name) - len, "%s%s", h->name, h->next ? ", " : "");
    emit(ctx, label, name, vectors[i].counts);
}

void irq_for_each(void (*emit)(void *ctx, const char *label, const char *name,
                               const uint64_t *counts),
                  void *ctx)
{
    static const struct {
        const char *label, *name;
    } local[LOCAL_IRQS] = {
        [LOCAL_TIMER] = {"LOC", "Local timer interrupts"},
        [LOCAL_RESCHED] = {"RES", "Rescheduling interrupts"},
        [LOCAL_CALL] = {"CAL", "Function call interrupts"},
        [LOCAL_SPURIOUS] = {"SPU", "Spurious interrupts"},
    };

    for (unsigned i = 0; i < VECTORS; i++)
        emit_device(i, emit, ctx);
    for (unsigned i = 0; i < LOCAL_IRQS; i++)
        emit(ctx, local[i].label, local[i].name, local_counts[i]);
}

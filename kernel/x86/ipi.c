/*
 * Interrupts between processors.
 *
 * cpu_call() has one slot for each calling CPU: the function, its argument, and a bit for every CPU
 * that has yet to run it. A CPU that is interrupted looks through all slots for its bit. The caller
 * waits, with interrupts off but answering others' calls, so that two who call each other both get
 * on; a spinlock's wait loop answers too, so a call may be made with a spinlock held.
 */
#include "x86/ipi.h"

#include "lib/atomic.h"
#include "x86/apic.h"
#include "x86/cpu.h"
#include "x86/trap.h"

struct call_slot {
    void (*fn)(void *arg); /* the slot's CPU, while pending is 0 */
    void *arg;             /* the slot's CPU, while pending is 0 */
    cpumask_t pending;     /* atomic: who has yet to run fn */
} aligned(64);

static struct call_slot slots[MAX_CPUS];

void cpu_send_resched(int cpu)
{
    apic_send(cpus[cpu].apic_id, VECTOR_RESCHED);
}

void cpu_answer_calls(void)
{
    cpumask_t me = 1UL << cpu_id();

    for (int i = 0; i < num_cpus; i++) {
        struct call_slot *s = &slots[i];
        if (!(atomic_load(&s->pending) & me))
            continue;
        s->fn(s->arg);
        atomic_and(&s->pending, ~me);
    }
}

void cpu_call(cpumask_t mask, void (*fn)(void *arg), void *arg)
{
    irq_push_off();
    int self = cpu_id();
    struct call_slot *s = &slots[self];

    mask &= ~(1UL << self) & (num_cpus == 64 ? ~0UL : (1UL << num_cpus) - 1);
    if (mask) {
        assert(!s->pending);
        s->fn = fn;
        s->arg = arg;
        atomic_store(&s->pending, mask);
        for (cpumask_t m = mask; m; m &= m - 1)
            apic_send(cpus[__builtin_ctzl(m)].apic_id, VECTOR_CALL);
        while (atomic_load(&s->pending)) {
            cpu_answer_calls();
            cpu_relax();
        }
    }
    irq_pop_off();
}

void ipi_stop_others(void)
{
    for (int i = 0; i < num_cpus; i++)
        if (i != cpu_id() && atomic_load(&cpus[i].online))
            apic_send_nmi(cpus[i].apic_id);
}

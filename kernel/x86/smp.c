/*
 * Starting the other processors.
 *
 * One after the other, each processor that ACPI lists gets INIT and a start-up IPI (SDM volume 3,
 * 9.4.4), which sets it going at the trampoline (boot/trampoline.asm). It finds its struct cpu,
 * stack and page table there, sets itself up, says that it is online, and becomes its CPU's idle
 * thread.
 *
 * One that doesn't come within the limit is logged and left out: the trampoline is closed to it,
 * and what was made for it serves the next.
 */
#include "lib/atomic.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/kstack.h"
#include "mm/page.h"
#include "x86/acpi.h"
#include "x86/apic.h"
#include "x86/boot_info.h"
#include "x86/clock.h"
#include "x86/clock_internal.h"
#include "x86/cpu.h"
#include "x86/features.h"
#include "x86/fpu.h"
#include "x86/gdt.h"
#include "x86/init.h"
#include "x86/paging.h"
#include "x86/upcalls.h"

#define TRAMPOLINE 0x8000UL /* boot/layout.inc says the same */
#define TRAMPOLINE_MAX 512
#define NO_APIC_ID 0xffffffffu
#define INIT_DELAY (10 * NSEC_PER_USEC)
#define STARTUP_DELAY (200 * NSEC_PER_USEC)
#define ONLINE_LIMIT (2 * NSEC_PER_SEC)

extern const char trampoline_start[], trampoline_end[], trampoline_apic_id[];
extern uint64_t ap_boot_cr3; /* the starting CPU, while another starts; so the next two */
extern struct cpu *ap_boot_cpu;
extern uintptr_t ap_boot_stack;

/* What a processor needs before it can run C. */
struct ap_memory {
    struct page *arch; /* struct arch_cpu */
    void *stack;
};

static volatile uint32_t *trampoline_gate(void)
{
    return phys_to_virt(TRAMPOLINE + (paddr_t)(trampoline_apic_id - trampoline_start));
}

static unsigned arch_order(void)
{
    unsigned order = 0;
    while (PAGE_SIZE << order < sizeof(struct arch_cpu))
        order++;
    return order;
}

static bool ap_memory_get(struct ap_memory *m)
{
    if (!m->arch)
        m->arch = page_alloc(arch_order(), ALLOC_ZERO);
    if (!m->stack)
        m->stack = kstack_alloc();
    return m->arch && m->stack;
}

static void ap_memory_put(struct ap_memory *m)
{
    if (m->arch)
        page_put(m->arch);
    if (m->stack)
        kstack_free(m->stack);
}

static bool wait_online(const struct cpu *c, nsec_t limit)
{
    nsec_t end = clock_monotonic() + limit;

    while (!atomic_load(&c->online)) {
        if (clock_monotonic() > end)
            return false;
        cpu_relax();
    }
    return true;
}

static bool start_cpu(struct cpu *c, uint32_t apic_id, const struct ap_memory *m)
{
    *c = (struct cpu){
        .self = c,
        .id = (int)(c - cpus),
        .apic_id = apic_id,
        .arch = page_to_virt(m->arch),
    };
    ap_boot_cr3 = paging_kernel_root();
    ap_boot_cpu = c;
    ap_boot_stack = (uintptr_t)m->stack + KSTACK_SIZE;
    clock_prepare_cpu();
    atomic_store(trampoline_gate(), apic_id & 0xff); /* what CPUID leaf 1 tells of it */

    apic_send_init(apic_id);
    clock_delay(INIT_DELAY);
    apic_send_startup(apic_id, TRAMPOLINE);
    if (!wait_online(c, STARTUP_DELAY))
        apic_send_startup(apic_id, TRAMPOLINE);
    if (wait_online(c, ONLINE_LIMIT))
        return true;
    atomic_store(trampoline_gate(), NO_APIC_ID);
    apic_send_init(apic_id); /* back to waiting, if it is on its way after all */
    return false;
}

static bool overlaps(paddr_t start, paddr_t end)
{
    return start < TRAMPOLINE + PAGE_SIZE && end > TRAMPOLINE;
}

/* The trampoline's page is RAM that the memory map knows. */
static bool trampoline_is_ram(void)
{
    for (unsigned i = 0; i < boot_info.nregions; i++)
        if (boot_info.region[i].start <= TRAMPOLINE &&
            boot_info.region[i].end >= TRAMPOLINE + PAGE_SIZE)
            return true;
    return false;
}

static void start_listed(void)
{
    struct ap_memory memory = {0};

    for (unsigned i = 0; i < acpi_machine.ncpus; i++) {
        uint32_t apic_id = acpi_machine.cpu[i];
        if (apic_id == cpus[0].apic_id)
            continue;
        if (!ap_memory_get(&memory)) {
            log_err("no memory for more processors");
            break;
        }
        if (start_cpu(&cpus[num_cpus], apic_id, &memory))
            memory = (struct ap_memory){0};
        else
            log_err("processor with APIC id %u does not start, left out", apic_id);
    }
    ap_memory_put(&memory);
}

void cpu_start_all(void)
{
    uint8_t saved[TRAMPOLINE_MAX];
    size_t size = (size_t)(trampoline_end - trampoline_start);

    assert(size <= sizeof(saved));
    if (trampoline_is_ram()) {
        /* Nobody has that page but perhaps the initrd, which a loader may put anywhere. */
        memcpy(saved, phys_to_virt(TRAMPOLINE), size);
        memcpy(phys_to_virt(TRAMPOLINE), phys_to_virt((paddr_t)trampoline_start), size);
        start_listed();
        if (overlaps(boot_info.initrd_start, boot_info.initrd_end))
            memcpy(phys_to_virt(TRAMPOLINE), saved, size);
    } else if (acpi_machine.ncpus > 1) {
        log_err("no memory at %#lx to start other processors from", TRAMPOLINE);
    }
}

void x86_start_ap(struct cpu *c)
{
    gdt_init_cpu(c);
    idt_load();
    cpu_features_enable();
    fpu_init_cpu();
    syscall_init_cpu();
    apic_init_cpu();
    clock_init_cpu();
    num_cpus = c->id + 1; /* the starter waits, nobody else writes it */
    atomic_store(&c->online, true);
    sched_start_ap();
}

/*
 * The machine comes up. What a CPU needs before anything else may go wrong (segments, traps, a way
 * to say so) comes first; what needs memory comes when mm/ has some.
 */
#include "x86/sigframe.h"
#include "x86/init.h"

#include "lib/log.h"
#include "x86/acpi.h"
#include "x86/apic.h"
#include "x86/clock_internal.h"
#include "x86/cpu.h"
#include "x86/early_serial.h"
#include "x86/features.h"
#include "x86/fpu.h"
#include "x86/gdt.h"
#include "x86/upcalls.h"

static struct arch_cpu boot_arch_cpu; /* cpus[0].arch */

void x86_start(enum boot_loader loader, paddr_t info)
{
    cpu_features_detect();
    smap_patch();
    cpus[0].arch = &boot_arch_cpu;
    cpus[0].online = true;
    gdt_init_cpu(&cpus[0]);
    /* Loading segments has cleared nothing of GS: its base is still cpus[0]. */
    idt_init();
    cpu_features_enable();
    fpu_init();
    sigframe_init();
    syscall_init_cpu();
    early_serial_init();
    if (loader == LOADER_MULTIBOOT2)
        multiboot2_parse(info);
    else
        pvh_parse(info);
    kernel_main();
}

void x86_init(void)
{
    fpu_cache_init();
    acpi_init();
    apic_init();
    clock_init();
}

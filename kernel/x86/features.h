/*
 * What this processor can do, found out once by the boot CPU, and the switches that each CPU turns
 * on accordingly. For kernel/x86 alone.
 */
#pragma once

#include "lib/types.h"

#define CPUID_HYPERVISOR 0x40000000 /* the highest leaf of this range, and whose it is; only where .hypervisor */

struct cpu_features {
    uint32_t max_leaf; /* all const after cpu_features_detect() */
    uint32_t max_ext_leaf;
    uint32_t leaf1_eax, leaf1_ebx, leaf1_ecx, leaf1_edx;
    uint32_t leaf7_ebx, leaf7_ecx, leaf7_edx;
    uint32_t ext1_ecx, ext1_edx;
    bool smap, smep, umip, fsgsbase, xsave, pge;
    bool rdrand, rdseed, x2apic, tsc_deadline, rdtscp, hypervisor;
};

extern struct cpu_features cpu_has; /* const after cpu_features_detect() */

void cpu_features_detect(void);

/* Set CR0 and CR4 on this CPU as the kernel wants them. */
void cpu_features_enable(void);

/*
 * Without SMAP: make every stac and clac of the image a nop. The kernel's text is still writable.
 */
void smap_patch(void);

/*
 * Processor features: what CPUID says, and the control register bits that follow from it.
 *
 * The protections are on wherever they exist: WP (the kernel respects read-only pages), SMEP (it
 * doesn't execute user pages), SMAP (it doesn't touch them but between stac and clac), UMIP
 * (programs can't read where the descriptor tables are). FSGSBASE lets programs write their FS and
 * GS bases.
 *
 * stac and clac are undefined where SMAP is not: the sites are listed in section .smap_sites by the
 * macros that write them, and become nops at boot.
 */
#include "x86/features.h"

#include "x86/cpu.h"
#include "x86/io.h"
#include "x86/msr.h"

#define TCG 0x54474354 /* the first four bytes of "TCGTCGTCGTCG", which QEMU's emulation calls itself */

struct cpu_features cpu_has; /* const after cpu_features_detect() */
bool fence_by_port;

static bool bit(uint32_t word, unsigned n)
{
    return word >> n & 1;
}

void cpu_features_detect(void)
{
    struct cpu_features *f = &cpu_has;

    f->max_leaf = cpuid(0, 0).eax;
    f->max_ext_leaf = cpuid(0x80000000, 0).eax;

    struct cpuid c = cpuid(1, 0);
    f->leaf1_eax = c.eax;
    f->leaf1_ebx = c.ebx;
    f->leaf1_ecx = c.ecx;
    f->leaf1_edx = c.edx;
    if (f->max_leaf >= 7) {
        c = cpuid(7, 0);
        f->leaf7_ebx = c.ebx;
        f->leaf7_ecx = c.ecx;
        f->leaf7_edx = c.edx;
    }
    c = cpuid(0x80000001, 0);
    f->ext1_ecx = c.ecx;
    f->ext1_edx = c.edx;

    f->pge = bit(f->leaf1_edx, 13);
    f->x2apic = bit(f->leaf1_ecx, 21);
    f->tsc_deadline = bit(f->leaf1_ecx, 24);
    f->xsave = bit(f->leaf1_ecx, 26);
    f->rdtscp = bit(f->ext1_edx, 27);
    f->rdrand = bit(f->leaf1_ecx, 30);
    f->hypervisor = bit(f->leaf1_ecx, 31);
    f->fsgsbase = bit(f->leaf7_ebx, 0);
    f->smep = bit(f->leaf7_ebx, 7);
    f->rdseed = bit(f->leaf7_ebx, 18);
    f->smap = bit(f->leaf7_ebx, 20);
    f->umip = bit(f->leaf7_ecx, 2);
    fence_by_port = f->hypervisor && cpuid(CPUID_HYPERVISOR, 0).ebx == TCG;
}

void cpu_features_enable(void)
{
    const struct cpu_features *f = &cpu_has;

    /* AM: a program that sets AC in its flags gets #AC for unaligned access, as on Linux. */
    write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_WP | CR0_MP | CR0_NE | CR0_AM);
    write_cr4(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | (f->pge ? CR4_PGE : 0) |
              (f->umip ? CR4_UMIP : 0) | (f->fsgsbase ? CR4_FSGSBASE : 0) |
              (f->xsave ? CR4_OSXSAVE : 0) | (f->smep ? CR4_SMEP : 0) | (f->smap ? CR4_SMAP : 0));
}

void smap_patch(void)
{
    static const uint8_t nop3[3] = {0x0f, 0x1f, 0x00};
    extern uint8_t *const smap_sites_start[], *const smap_sites_end[];

    if (cpu_has.smap)
        return;
    for (uint8_t *const *site = smap_sites_start; site < smap_sites_end; site++)
        for (unsigned i = 0; i < sizeof(nop3); i++)
            (*site)[i] = nop3[i];
    cpuid(0, 0); /* serialises: what was fetched before is forgotten */
}

uint64_t cpu_hwcap(void)
{
    return cpu_has.leaf1_edx;
}

#define HWCAP2_FSGSBASE 2

uint64_t cpu_hwcap2(void)
{
    return cpu_has.fsgsbase ? HWCAP2_FSGSBASE : 0;
}

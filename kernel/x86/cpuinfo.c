/*
 * /proc/cpuinfo: one paragraph a processor, in Linux's words. All processors are taken to be of one
 * kind.
 */
#include "lib/printf.h"
#include "lib/string.h"
#include "x86/clock_internal.h"
#include "x86/cpu.h"
#include "x86/features.h"
#include "x86/msr.h"

/* CPUID bits in Linux's order and spelling; an empty word is a bit without a name. */
static const char *const leaf1_edx_names[32] = {
    "fpu",  "vme",  "de",   "pse", "tsc",  "msr", "pae",   "mce", "cx8",     "apic", "",
    "sep",  "mtrr", "pge",  "mca", "cmov", "pat", "pse36", "pn",  "clflush", "",     "dts",
    "acpi", "mmx",  "fxsr", "sse", "sse2", "ss",  "ht",    "tm",  "ia64",    "pbe",
};
static const char *const ext1_edx_names[32] = {
    [11] = "syscall", [19] = "mp",     [20] = "nx", [22] = "mmxext",   [25] = "fxsr_opt",
    [26] = "pdpe1gb", [27] = "rdtscp", [29] = "lm", [30] = "3dnowext", [31] = "3dnow",
};
static const char *const leaf1_ecx_names[32] = {
    "pni",    "pclmulqdq",  "dtes64",  "monitor", "ds_cpl",
    "vmx",    "smx",        "est",     "tm2",     "ssse3",
    "cid",    "sdbg",       "fma",     "cx16",    "xtpr",
    "pdcm",   "",           "pcid",    "dca",     "sse4_1",
    "sse4_2", "x2apic",     "movbe",   "popcnt",  "tsc_deadline_timer",
    "aes",    "xsave",      "osxsave", "avx",     "f16c",
    "rdrand", "hypervisor",
};
static const char *const ext1_ecx_names[32] = {
    [0] = "lahf_lm", [2] = "svm",   [4] = "cr8_legacy",
    [5] = "abm",     [6] = "sse4a", [8] = "3dnowprefetch",
};
static const char *const leaf7_ebx_names[32] = {
    [0] = "fsgsbase", [3] = "bmi1",        [5] = "avx2",     [7] = "smep",    [8] = "bmi2",
    [9] = "erms",     [14] = "mpx",        [16] = "avx512f", [18] = "rdseed", [19] = "adx",
    [20] = "smap",    [23] = "clflushopt", [24] = "clwb",    [29] = "sha_ni",
};
static const char *const leaf7_ecx_names[32] = {
    [2] = "umip", [3] = "pku", [9] = "vaes", [16] = "la57", [22] = "rdpid",
};

struct out {
    void (*emit)(void *ctx, const char *text);
    void *ctx;
};

static void format_printf(2, 3) put(const struct out *o, const char *format, ...)
{
    char line[160];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    o->emit(o->ctx, line);
}

static void put_flags(const struct out *o, uint32_t word, const char *const names[32])
{
    for (unsigned i = 0; i < 32; i++)
        if (word >> i & 1 && names[i] && *names[i])
            put(o, " %s", names[i]);
}

static void put_names(const struct out *o)
{
    struct cpuid v = cpuid(0, 0);
    uint32_t vendor[4] = {v.ebx, v.edx, v.ecx, 0};
    uint32_t brand[13] = {0};

    if (cpu_has.max_ext_leaf >= 0x80000004)
        for (unsigned i = 0; i < 3; i++) {
            struct cpuid c = cpuid(0x80000002 + i, 0);
            memcpy(&brand[4 * i], &c, sizeof(c));
        }
    uint32_t sig = cpu_has.leaf1_eax;
    unsigned family = sig >> 8 & 15;
    unsigned model = sig >> 4 & 15;
    if (family == 6 || family == 15)
        model |= (sig >> 16 & 15) << 4;
    if (family == 15)
        family += sig >> 20 & 255;

    put(o, "vendor_id\t: %s\n", (const char *)vendor);
    put(o, "cpu family\t: %u\n", family);
    put(o, "model\t\t: %u\n", model);
    put(o, "model name\t: %s\n", brand[0] ? (const char *)brand : "unknown");
    put(o, "stepping\t: %u\n", sig & 15);
}

void cpu_describe(int cpu, void (*emit)(void *ctx, const char *text), void *ctx)
{
    const struct out o = {emit, ctx};
    uint64_t khz = clock_tsc_hz() / 1000;
    unsigned line = (cpu_has.leaf1_ebx >> 8 & 255) * 8;
    uint32_t sizes = cpu_has.max_ext_leaf >= 0x80000008 ? cpuid(0x80000008, 0).eax : 0x3024;

    put(&o, "processor\t: %d\n", cpu);
    put_names(&o);
    put(&o, "cpu MHz\t\t: %lu.%03lu\n", khz / 1000, khz % 1000);
    put(&o, "physical id\t: %d\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\n", cpu);
    put(&o, "apicid\t\t: %u\ninitial apicid\t: %u\n", cpus[cpu].apic_id, cpus[cpu].apic_id);
    put(&o, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\n",
        cpu_has.max_leaf);
    put(&o, "flags\t\t:");
    put_flags(&o, cpu_has.leaf1_edx, leaf1_edx_names);
    put_flags(&o, cpu_has.ext1_edx, ext1_edx_names);
    put_flags(&o, cpu_has.leaf1_ecx, leaf1_ecx_names);
    put_flags(&o, cpu_has.ext1_ecx, ext1_ecx_names);
    put_flags(&o, cpu_has.leaf7_ebx, leaf7_ebx_names);
    put_flags(&o, cpu_has.leaf7_ecx, leaf7_ecx_names);
    put(&o, "\nbogomips\t: %lu.%02lu\n", 2 * khz / 1000, 2 * khz % 1000 / 10);
    put(&o, "clflush size\t: %u\ncache_alignment\t: %u\n", line, line);
    put(&o, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n",
        sizes & 255, sizes >> 8 & 255);
}

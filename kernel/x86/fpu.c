/*
 * FPU state by XSAVE, or FXSAVE where there is nothing better.
 *
 * x87, SSE, AVX and AVX-512 are enabled as far as the processor has them. Protection keys are not:
 * their register needs care at every fault and every exec, and programs here can't make keys.
 */
#include "x86/fpu.h"

#include "lib/log.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "x86/extable.h"
#include "x86/features.h"
#include "x86/msr.h"

#define XCR0_X87 1UL
#define XCR0_SSE 2UL
#define XCR0_AVX 4UL
#define XCR0_AVX512 0xe0UL /* opmask, upper halves, upper registers: all three or none */

#define FCW_DEFAULT 0x37f
#define MXCSR_DEFAULT 0x1f80
#define MXCSR_MASK_DEFAULT 0xffbfu /* when FXSAVE reports none */

size_t fpu_area_size = sizeof(struct xsave_area);
uint64_t fpu_features = XCR0_X87 | XCR0_SSE;

static uint32_t mxcsr_mask = MXCSR_MASK_DEFAULT; /* const after fpu_init() */
static struct slab_cache *area_cache;            /* const after init */

/* What a new program starts with: nothing in use, and the two control words. */
static struct {
    struct xsave_area area;
    uint8_t extended[1]; /* xstate_bv is 0, so the rest is never read */
} initial aligned(64);

static void xsetbv(uint64_t value)
{
    asm volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

void fpu_init(void)
{
    if (cpu_has.xsave) {
        struct cpuid c = cpuid(0xd, 0);
        uint64_t possible = (uint64_t)c.edx << 32 | c.eax;

        fpu_features = possible & (XCR0_X87 | XCR0_SSE | XCR0_AVX);
        if ((fpu_features & XCR0_AVX) && (possible & XCR0_AVX512) == XCR0_AVX512)
            fpu_features |= XCR0_AVX512;
    }
    *(uint16_t *)&initial.area.legacy[0] = FCW_DEFAULT;
    *(uint32_t *)&initial.area.legacy[24] = MXCSR_DEFAULT;
    fpu_init_cpu();
    static struct xsave_area probe aligned(64);
    asm volatile("fxsave64 %0" : "=m"(probe));
    if (*(uint32_t *)&probe.legacy[28])
        mxcsr_mask = *(uint32_t *)&probe.legacy[28];
    if (cpu_has.xsave)
        fpu_area_size = cpuid(0xd, 0).ebx; /* for what XCR0 has enabled now */
}

void fpu_init_cpu(void)
{
    if (cpu_has.xsave)
        xsetbv(fpu_features);
    fpu_reset();
}

void fpu_cache_init(void)
{
    area_cache = slab_cache_create("fpu", fpu_area_size, 64);
}

struct xsave_area *fpu_alloc(void)
{
    return slab_zalloc(area_cache);
}

void fpu_free(struct xsave_area *area)
{
    slab_free(area_cache, area);
}

void fpu_save(struct xsave_area *area)
{
    if (likely(cpu_has.xsave))
        asm volatile("xsave64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
    else
        asm volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void fpu_load(const struct xsave_area *area)
{
    if (likely(cpu_has.xsave))
        asm volatile("xrstor64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
    else
        asm volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

bool fpu_save_user(uintptr_t to)
{
    if (likely(cpu_has.xsave))
        asm goto(STAC "1:\txsave64 (%0)\n\t" CLAC EXTABLE("1b", "%l3", 0)
                 :
                 : "r"(to), "a"(-1), "d"(-1)
                 : "memory"
                 : fault);
    else
        asm goto(STAC "1:\tfxsave64 (%0)\n\t" CLAC EXTABLE("1b", "%l1", 0)
                 :
                 : "r"(to)
                 : "memory"
                 : fault);
    return true;
fault:
    asm volatile(CLAC ::: "memory");
    return false;
}

bool fpu_load_user(uintptr_t from, uint64_t features)
{
    uint64_t others = fpu_features & ~(features ? features : XCR0_X87 | XCR0_SSE);

    if (likely(features))
        asm goto(STAC "1:\txrstor64 (%0)\n\t" CLAC EXTABLE("1b", "%l3", 0)
                 :
                 : "r"(from), "a"((uint32_t)features), "d"((uint32_t)(features >> 32))
                 : "memory"
                 : fault);
    else
        asm goto(STAC "1:\tfxrstor64 (%0)\n\t" CLAC EXTABLE("1b", "%l1", 0)
                 :
                 : "r"(from)
                 : "memory"
                 : fault);
    if (unlikely(others && cpu_has.xsave))
        asm volatile("xrstor64 (%0)"
                     :
                     : "r"(&initial.area), "a"((uint32_t)others), "d"((uint32_t)(others >> 32))
                     : "memory");
    return true;
fault:
    asm volatile(CLAC ::: "memory");
    fpu_reset();
    return false;
}

void fpu_reset(void)
{
    fpu_load(&initial.area);
}

uint32_t fpu_mxcsr_mask(void)
{
    return mxcsr_mask;
}

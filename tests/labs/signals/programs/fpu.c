/*
 * The FPU's registers over a handler.
 *
 *     fpu XMM... YMM MXCSR X87 NEW [forge]
 *
 * 8 numbers for xmm0, 7, 8, 15, two for the upper half of ymm3, the rest one each; with `forge` the state is forged.
 *
 * In hexadecimal. Registers are set, a signal comes, its handler spoils them all, and they are looked at.
 */
#include "children.h"

#include <ucontext.h>

#define MAGIC1 0x46505853
#define MAGIC2 0x46505845

struct registers {
    uint64_t xmm[8];
    uint64_t upper[2]; /* of ymm3 */
    uint32_t mxcsr;
    uint16_t control;
};

static struct registers set, got;
static uint64_t new_word;
static bool has_avx;
static int handlers; /* that have run */
static void (*tamper)(struct ucontext *uc);

/* Load SET, have a signal, store GOT: in one piece of assembly, so that the compiler uses none of it in between. */
static void have_signal(void)
{
    long nr = 39, result; /* getpid, and kill is 62 */
    unsigned char image[32] __attribute__((aligned(32))), after[32] __attribute__((aligned(32)));

    __asm__ volatile("syscall" : "=a"(result) : "a"(nr) : "rcx", "r11", "memory");
    memset(image, 0, 16);
    memcpy(image + 16, set.upper, 16);
    if (has_avx)
        __asm__ volatile(".byte 0xc5, 0xfd, 0x6f, 0x18" ::"a"(image)
                         : "xmm3"); /* vmovdqa (%rax), %ymm3 */
    nr = 62;
    __asm__ volatile("movups (%[s]), %%xmm0; movups 16(%[s]), %%xmm7; movups 32(%[s]), %%xmm8\n\t"
                     "movups 48(%[s]), %%xmm15; ldmxcsr 80(%[s]); fldcw 84(%[s])\n\t"
                     "syscall\n\t"
                     "movups %%xmm0, (%[g]); movups %%xmm7, 16(%[g]); movups %%xmm8, 32(%[g])\n\t"
                     "movups %%xmm15, 48(%[g]); stmxcsr 80(%[g]); fnstcw 84(%[g])\n\t"
                     "ldmxcsr %[plain]; fninit"
                     : "+a"(nr)
                     : [s] "r"(&set), [g] "r"(&got), "D"(result),
                       "S"((long)SIGUSR1), [plain] "m"(*&(uint32_t){0x1f80})
                     : "rcx", "r11", "xmm0", "xmm7", "xmm8", "xmm15", "memory");
    if (has_avx) {
        __asm__ volatile(".byte 0xc5, 0xfd, 0x7f, 0x18" ::"a"(after)
                         : "memory"); /* vmovdqa %ymm3, (%rax) */
        memcpy(got.upper, after + 16, 16);
    }
}

static void spoil(void)
{
    uint32_t mxcsr = 0x9fc0;
    uint16_t control = 0x27f;

    __asm__ volatile(
        "pcmpeqd %%xmm0, %%xmm0; movaps %%xmm0, %%xmm7; movaps %%xmm0, %%xmm8; movaps %%xmm0, %%xmm15\n\t"
        "ldmxcsr %0; fldcw %1; fldpi; fldpi" ::"m"(mxcsr),
        "m"(control)
        : "xmm0", "xmm7", "xmm8", "xmm15");
    if (has_avx)
        __asm__ volatile(".byte 0xc5, 0xe5, 0x76, 0xdb" ::
                             : "xmm3"); /* vpcmpeqd %ymm3, %ymm3, %ymm3 */
}

static void on_usr1(int number, siginfo_t *info, void *context)
{
    static struct registers fresh;

    (void)number;
    (void)info;
    handlers++;
    __asm__ volatile(
        "movups %%xmm0, (%0); movups %%xmm15, 48(%0); stmxcsr 80(%0); fnstcw 84(%0)" ::"r"(&fresh)
        : "memory");
    if (tamper)
        tamper(context);
    else
        lab_report("fresh", "%lx %lx %x %x", (unsigned long)fresh.xmm[0],
                   (unsigned long)fresh.xmm[6], fresh.mxcsr, fresh.control);
    spoil();
}

static void report(const char *key)
{
    char text[256] = "";
    int n = 0;

    for (int i = 0; i < 8; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%lx ", (unsigned long)got.xmm[i]);
    lab_report(key, "%s%lx %lx %x %x %d", text, (unsigned long)got.upper[0],
               (unsigned long)got.upper[1], got.mxcsr, got.control, handlers);
}

static struct xstate_header *header_of(struct ucontext *uc)
{
    return (struct xstate_header *)(uc->uc_mcontext.fpstate + 1);
}

/* How the state lies there. */
static void layout(struct ucontext *uc)
{
    const struct fpstate *f = uc->uc_mcontext.fpstate;
    const struct fpx_sw_bytes *sw = &f->sw_reserved;
    uint32_t magic2 = sw->xstate_size < 65536 ? *(uint32_t *)((char *)f + sw->xstate_size) : 0;

    lab_report("layout", "%d %d %d %d", sw->magic1 == MAGIC1, magic2 == MAGIC2,
               sw->extended_size == sw->xstate_size + 4, (sw->xfeatures & 3) == 3);
    lab_report("in_use", "%lx", (unsigned long)(header_of(uc)->xfeatures & 3));
    lab_report("in_frame", "%lx %x %x", (unsigned long)f->xmm_space[1] << 32 | f->xmm_space[0],
               f->mxcsr, f->cwd);
}

static void write_new(struct ucontext *uc)
{
    memcpy(&uc->uc_mcontext.fpstate->xmm_space[7 * 4], &new_word, 8);
}

static void no_state(struct ucontext *uc)
{
    uc->uc_mcontext.fpstate = NULL;
}
static void no_magic1(struct ucontext *uc)
{
    uc->uc_mcontext.fpstate->sw_reserved.magic1 = 0;
}
static void no_magic2(struct ucontext *uc)
{
    struct fpstate *f = uc->uc_mcontext.fpstate;

    *(uint32_t *)((char *)f + f->sw_reserved.xstate_size) = 0;
}
static void too_large(struct ucontext *uc)
{
    uc->uc_mcontext.fpstate->sw_reserved.xstate_size = 0x7ffff000;
}

static void reserved_mxcsr(struct ucontext *uc)
{
    uc->uc_mcontext.fpstate->mxcsr = ~0u;
}
static void compact_form(struct ucontext *uc)
{
    header_of(uc)->xcomp_bv = 1UL << 63 | 7;
}
static void unknown_features(struct ucontext *uc)
{
    header_of(uc)->xfeatures = ~0UL;
}
static void reserved_header(struct ucontext *uc)
{
    header_of(uc)->reserved[0] = 1;
}
static void misaligned(struct ucontext *uc)
{
    uc->uc_mcontext.fpstate = (struct fpstate *)((char *)uc->uc_mcontext.fpstate + 8);
}
static void unmapped(struct ucontext *uc)
{
    uc->uc_mcontext.fpstate = (struct fpstate *)0x10000;
}
static void the_kernels(struct ucontext *uc)
{
    uc->uc_mcontext.fpstate = (struct fpstate *)0xffffffff80200000;
}

static const struct forgery {
    const char *key;
    void (*fn)(struct ucontext *uc);
} accepted[] = {{"written", write_new},
                {"no_state", no_state},
                {"no_magic1", no_magic1},
                {"no_magic2", no_magic2},
                {"too_large", too_large}},
  refused[] = {{"reserved_mxcsr", reserved_mxcsr},
               {"compact_form", compact_form},
               {"unknown_features", unknown_features},
               {"reserved_header", reserved_header},
               {"misaligned", misaligned},
               {"unmapped", unmapped},
               {"the_kernels", the_kernels}};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int play(void *arg)
{
    const struct forgery *f = arg;

    tamper = f->fn;
    have_signal();
    report(f->key);
    return 0;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_sigaction = on_usr1, .sa_flags = SA_SIGINFO};
    uint32_t a = 1, b, c = 0, d;

    for (int i = 0; i < 8; i++)
        set.xmm[i] = strtoul(argv[1 + i], NULL, 16);
    set.upper[0] = strtoul(argv[9], NULL, 16);
    set.upper[1] = strtoul(argv[10], NULL, 16);
    set.mxcsr = (uint32_t)strtoul(argv[11], NULL, 16);
    set.control = (uint16_t)strtoul(argv[12], NULL, 16);
    new_word = strtoul(argv[13], NULL, 16);
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    has_avx = c & 1u << 28;
    lab_report("avx", "%d", has_avx);
    lab_must(sigaction(SIGUSR1, &action, NULL));
    if (argc > 14) {
        for (size_t i = 0; i < COUNT(refused); i++)
            lab_report("refused", "%s %s", refused[i].key, fate(start(play, (void *)&refused[i])));
        return 0;
    }
    for (size_t i = 0; i < COUNT(accepted); i++)
        lab_report("end", "%s %s", accepted[i].key, fate(start(play, (void *)&accepted[i])));
    lab_report("end", "layout %s", fate(start(play, &(struct forgery){"layout_after", layout})));
    lab_report("end", "same %s", fate(start(play, &(struct forgery){"same", NULL})));
    return 0;
}

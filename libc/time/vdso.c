/*
 * What time is it? Kernels lend every program a small shared library, the vDSO, whose function reads the clock
 * without a system call. AT_SYSINFO_EHDR says where it is; we look __vdso_clock_gettime up in its table of
 * symbols when somebody asks for the time first. Where there is no such library, a call does it.
 */
#include <sys/auxv.h>
#include <sys/time.h>
#include <elf.h>
#include <string.h>
#include <time.h>

#include "internal/start.h"
#include "internal/syscall.h"

#define NSEC_PER_USEC 1000

/* Results as the kernel's: 0 or a negative errno. */
typedef int clock_gettime_fn(clockid_t clock, struct timespec *ts);

static clock_gettime_fn read_clock_first;
static clock_gettime_fn *read_clock = read_clock_first; /* atomic: every thread finds the same */

static int call(clockid_t clock, struct timespec *ts)
{
    return (int)syscall_raw(SYS_clock_gettime, clock, ts);
}

/* The value of the dynamic entry TAG as an address, for the image at BASE; NULL when there is none. */
static const void *dynamic(const Elf64_Dyn *d, const char *base, Elf64_Sxword tag)
{
    for (; d->d_tag != DT_NULL; d++)
        if (d->d_tag == tag)
            return base + d->d_un.d_ptr;
    return NULL;
}

/* The function NAME of the library whose header is IMAGE and that was linked to be at 0. */
static clock_gettime_fn *find(const char *image, const char *name)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
    const Elf64_Phdr *ph = (const Elf64_Phdr *)(image + header->e_phoff);
    const Elf64_Dyn *table = NULL;

    for (int i = 0; i < header->e_phnum; i++) {
        if (ph[i].p_type == PT_LOAD && ph[i].p_vaddr != ph[i].p_offset)
            return NULL;
        if (ph[i].p_type == PT_DYNAMIC)
            table = (const Elf64_Dyn *)(image + ph[i].p_offset);
    }
    if (table == NULL)
        return NULL;
    const Elf64_Sym *symbols = dynamic(table, image, DT_SYMTAB);
    const char *strings = dynamic(table, image, DT_STRTAB);
    const uint32_t *hash = dynamic(table, image, DT_HASH);
    if (symbols == NULL || strings == NULL || hash == NULL)
        return NULL;
    for (uint32_t i = 0; i < hash[1]; i++) /* its second word: how many symbols there are */
        if (symbols[i].st_shndx != SHN_UNDEF && strcmp(strings + symbols[i].st_name, name) == 0)
            return (clock_gettime_fn *)(uintptr_t)(image + symbols[i].st_value);
    return NULL;
}

/* Find out who is to be asked, and ask. */
static int read_clock_first(clockid_t clock, struct timespec *ts)
{
    clock_gettime_fn *chosen = NULL;

    for (const Elf64_auxv_t *a = __auxv; a->a_type != AT_NULL; a++)
        if (a->a_type == AT_SYSINFO_EHDR && a->a_un.a_val != 0)
            chosen = find((const char *)a->a_un.a_val, "__vdso_clock_gettime");
    if (chosen == NULL)
        chosen = call;
    __atomic_store_n(&read_clock, chosen, __ATOMIC_RELEASE);
    return chosen(clock, ts);
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
    int result = __atomic_load_n(&read_clock, __ATOMIC_ACQUIRE)(clock, ts);

    return result < 0 ? (int)__syscall_ret(result) : 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    struct timespec now;

    if (tz != NULL)
        *(struct timezone *)tz = (struct timezone){0, 0};
    if (tv == NULL)
        return 0;
    if (clock_gettime(CLOCK_REALTIME, &now) < 0)
        return -1;
    *tv = (struct timeval){now.tv_sec, now.tv_nsec / NSEC_PER_USEC};
    return 0;
}

time_t time(time_t *t)
{
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME, &now) < 0)
        return -1;
    if (t != NULL)
        *t = now.tv_sec;
    return now.tv_sec;
}

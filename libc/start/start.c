/*
 * From the kernel's stack to main(): relocate a static-PIE program to where it was loaded, find the
 * program's TLS segment and make the first thread's copy of it, run constructors, call main, exit.
 *
 * Until relocate() has run no pointer that is stored in the image may be used, so it works on what it
 * is given alone; until FS is set there is no errno and no stack protector.
 */
#include <abi/auxv.h>
#include <abi/elf.h>
#include <abi/prctl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal/start.h"
#include "internal/syscall.h"
#include "internal/thread.h"

typedef int main_fn(int, char **, char **);
typedef void init_fn(int, char **, char **);

/* Made by the linker. The image is linked at 0 when it is position independent, so that the address of
 * its ELF header is the distance by which it was moved. */
extern const Elf64_Dyn _DYNAMIC[] __attribute__((weak, visibility("hidden")));
extern const char __ehdr_start[] __attribute__((weak, visibility("hidden")));
extern init_fn *const __preinit_array_start[] __attribute__((weak, visibility("hidden")));
extern init_fn *const __preinit_array_end[] __attribute__((weak, visibility("hidden")));
extern init_fn *const __init_array_start[] __attribute__((weak, visibility("hidden")));
extern init_fn *const __init_array_end[] __attribute__((weak, visibility("hidden")));

__thread int errno;
int __threads = 1;
void (*__cancelled)(void); /* pthread_cancel sets it before anybody can need it */
char **environ;
const Elf64_auxv_t *__auxv;
const char *__progname = "";

static struct {
    const void *image;
    size_t image_size; /* what the file holds */
    size_t size;       /* with the zeroes that follow */
    size_t align;
} tls = {.align = 1};

/* struct __pthread wants this much; the TLS segment may want more. */
#define FS_ALIGN 64UL

/* Enough for the first thread of most programs, so that they start without a call for memory. */
static char first_tls[512] __attribute__((aligned(64)));

static void relocate(void)
{
    if (!_DYNAMIC)
        return;
    uintptr_t base = (uintptr_t)__ehdr_start;
    const Elf64_Rela *rela = NULL;
    size_t size = 0;
    for (const Elf64_Dyn *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_RELA)
            rela = (const Elf64_Rela *)(base + d->d_un.d_ptr);
        else if (d->d_tag == DT_RELASZ)
            size = d->d_un.d_val;
    }
    for (size_t i = 0; i < size / sizeof(*rela); i++)
        if (ELF64_R_TYPE(rela[i].r_info) == R_X86_64_RELATIVE)
            *(uintptr_t *)(base + rela[i].r_offset) = base + (uintptr_t)rela[i].r_addend;
}

unsigned long getauxval(unsigned long type)
{
    for (const Elf64_auxv_t *a = __auxv; a->a_type != AT_NULL; a++)
        if (a->a_type == type)
            return a->a_un.a_val;
    errno = ENOENT;
    return 0;
}

static void find_tls(uintptr_t base)
{
    const Elf64_Phdr *ph = NULL;
    size_t count = 0;
    for (const Elf64_auxv_t *a = __auxv; a->a_type != AT_NULL; a++) {
        if (a->a_type == AT_PHDR)
            ph = (const Elf64_Phdr *)a->a_un.a_val;
        else if (a->a_type == AT_PHNUM)
            count = a->a_un.a_val;
    }
    for (size_t i = 0; i < count; i++) {
        if (ph[i].p_type != PT_TLS)
            continue;
        tls.image = (const void *)(base + ph[i].p_vaddr);
        tls.image_size = ph[i].p_filesz;
        tls.size = ph[i].p_memsz;
        if (ph[i].p_align > tls.align)
            tls.align = ph[i].p_align;
    }
}

static size_t fs_align(void)
{
    return tls.align > FS_ALIGN ? tls.align : FS_ALIGN;
}

size_t __tls_size(void)
{
    return tls.size + tls.align + sizeof(struct __pthread) + fs_align();
}

struct __pthread *__tls_layout(void *mem, size_t size)
{
    uintptr_t end = (uintptr_t)mem + size;
    uintptr_t fs = (end - sizeof(struct __pthread)) & ~(fs_align() - 1);
    struct __pthread *thread = (struct __pthread *)fs;
    memset(thread, 0, sizeof(*thread));
    thread->self = thread;
    char *variables =
        (char *)((fs - tls.size) & ~(tls.align - 1)); /* where the linker counts on it */
    memcpy(variables, tls.image, tls.image_size);
    memset(variables + tls.image_size, 0, tls.size - tls.image_size);
    return thread;
}

static void init_first_thread(void)
{
    size_t size = __tls_size();
    void *mem = first_tls;
    if (size > sizeof(first_tls)) {
        long got = syscall_raw(SYS_mmap, 0, size, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (got < 0 && got >= -MAX_ERRNO)
            syscall_raw(SYS_exit_group, 127);
        mem = (void *)got;
    } else {
        size = sizeof(first_tls);
    }
    struct __pthread *thread = __tls_layout(mem, size);
    for (const Elf64_auxv_t *a = __auxv; a->a_type != AT_NULL; a++)
        if (a->a_type == AT_RANDOM && a->a_un.a_val)
            memcpy(&thread->canary, (const void *)a->a_un.a_val, sizeof(thread->canary));
    thread->canary &= ~0xffUL; /* a string that runs over can't write the zero byte */
    thread->alive = 1;
    if (syscall_raw(SYS_arch_prctl, ARCH_SET_FS, thread) != 0)
        syscall_raw(SYS_exit_group, 127);
    thread->tid = (int)syscall_raw(SYS_set_tid_address, &thread->alive);
}

static void run_all(init_fn *const *from, init_fn *const *to, int argc, char **argv)
{
    for (; from < to; from++)
        (*from)(argc, argv, environ);
}

/* crt0's one call. */
_Noreturn void __libc_start(long *stack, main_fn *main);

_Noreturn void __libc_start(long *stack, main_fn *main)
{
    relocate();
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1);
    environ = argv + argc + 1;
    char **after = environ;
    while (*after)
        after++;
    __auxv = (const Elf64_auxv_t *)(after + 1);
    find_tls(_DYNAMIC ? (uintptr_t)__ehdr_start : 0);
    init_first_thread();
    if (argc > 0) {
        const char *slash = strrchr(argv[0], '/');
        __progname = slash ? slash + 1 : argv[0];
    }
    run_all(__preinit_array_start, __preinit_array_end, argc, argv);
    run_all(__init_array_start, __init_array_end, argc, argv);
    exit(main(argc, argv, environ));
}

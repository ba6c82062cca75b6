/*
 * ELF programs (System V ABI, chapter 5, and its x86-64 supplement). Each PT_LOAD segment becomes a private
 * mapping of the file, so no byte is read before it is used; what a segment has in memory beyond its bytes
 * in the file is zero: the rest of its last page is cleared, whole pages are anonymous.
 *
 * The file is hostile. Every number is checked before use against the file's and the address space's bounds,
 * and what the checks let through can at worst make a program that crashes itself.
 */
#include "proc/elf.h"

#include <abi/auxv.h>
#include <abi/elf.h>
#include <abi/fcntl.h>
#include <abi/limits.h>
#include <abi/mman.h>

#include "fs/file.h"
#include "fs/path.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "proc/vdso.h"
#include "x86/cpu.h"
#include "x86/sigframe.h"
#include "x86/uaccess.h"

#define PHDRS_MAX_SIZE 65536      /* bytes of program headers, as Linux */
#define DYN_BASE 0x555555554000UL /* where position-independent programs go: two thirds up */
#define DYN_RANDOM_BITS 16        /* pages it may move up, as a power of two */
#define BRK_RANDOM_BITS 13
#define CLOCKS_PER_SECOND 100

/* A file's headers, and where it has been put. */
struct elf {
    struct file *file;
    struct vmobject *object;
    Elf64_Ehdr header;
    Elf64_Phdr *phdrs;
    uintptr_t bias;  /* what is added to the addresses in the file */
    uintptr_t start; /* lowest and highest address, whole pages, without bias */
    uintptr_t end;
};

static int read_exactly(struct file *f, void *buf, size_t n, uint64_t offset)
{
    if (offset > INT64_MAX)
        return -ENOEXEC;
    ssize_t got = file_read_kernel(f, buf, n, (off_t)offset);
    if (got < 0)
        return (int)got;
    return (size_t)got == n ? 0 : -ENOEXEC;
}

static bool header_is_ours(const Elf64_Ehdr *h)
{
    return memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 && h->e_ident[EI_CLASS] == ELFCLASS64 &&
           h->e_ident[EI_DATA] == ELFDATA2LSB && h->e_machine == EM_X86_64 &&
           (h->e_type == ET_EXEC || h->e_type == ET_DYN) && h->e_phentsize == sizeof(Elf64_Phdr) &&
           h->e_phnum > 0 && h->e_phnum * sizeof(Elf64_Phdr) <= PHDRS_MAX_SIZE;
}

/* A loadable segment's numbers make sense by themselves. */
static bool segment_is_sound(const Elf64_Phdr *p)
{
    return p->p_filesz <= p->p_memsz && p->p_memsz <= USER_END &&
           p->p_vaddr <= USER_END - p->p_memsz &&
           p->p_offset <= (uint64_t)INT64_MAX - p->p_filesz &&
           p->p_vaddr % PAGE_SIZE == p->p_offset % PAGE_SIZE;
}

/* The bounds of all loadable segments, which must rise. */
static int check_segments(struct elf *e)
{
    uintptr_t last = 0;
    bool any = false;

    for (unsigned i = 0; i < e->header.e_phnum; i++) {
        const Elf64_Phdr *p = &e->phdrs[i];
        if (p->p_type != PT_LOAD || !p->p_memsz)
            continue;
        if (!segment_is_sound(p) || p->p_vaddr < last)
            return -ENOEXEC;
        if (!any)
            e->start = ALIGN_DOWN(p->p_vaddr, PAGE_SIZE);
        any = true;
        last = p->p_vaddr + p->p_memsz;
        e->end = ALIGN_UP(last, PAGE_SIZE);
    }
    return any ? 0 : -ENOEXEC;
}

/* Read and check the headers. On success elf_close() is due. */
static int elf_open(struct elf *e, struct file *file)
{
    int error;

    memset(e, 0, sizeof(*e));
    e->file = file;
    if ((error = read_exactly(file, &e->header, sizeof(e->header), 0)))
        return error;
    if (!header_is_ours(&e->header))
        return -ENOEXEC;
    if (!file->ops->mmap_object)
        return -ENOEXEC;
    e->object = file->ops->mmap_object(file);
    if (is_err(e->object))
        return -ENOEXEC;

    size_t size = e->header.e_phnum * sizeof(Elf64_Phdr);
    e->phdrs = kmalloc(size);
    if (!e->phdrs)
        return -ENOMEM;
    error = read_exactly(file, e->phdrs, size, e->header.e_phoff);
    if (!error)
        error = check_segments(e);
    if (error)
        kfree(e->phdrs);
    return error;
}

static void elf_close(struct elf *e)
{
    kfree(e->phdrs);
}

static const Elf64_Phdr *find_segment(const struct elf *e, uint32_t type)
{
    for (unsigned i = 0; i < e->header.e_phnum; i++)
        if (e->phdrs[i].p_type == type)
            return &e->phdrs[i];
    return NULL;
}

static unsigned segment_prot(const Elf64_Phdr *p)
{
    return (p->p_flags & PF_R ? PROT_READ : 0) | (p->p_flags & PF_W ? PROT_WRITE : 0) |
           (p->p_flags & PF_X ? PROT_EXEC : 0);
}

static int map_fixed(struct mm *mm, uintptr_t addr, size_t len, unsigned prot, struct elf *e,
                     uint64_t offset)
{
    unsigned flags = MAP_PRIVATE | MAP_FIXED | (e ? 0 : MAP_ANONYMOUS);
    long at = mm_map(mm, addr, len, prot, PROT_READ | PROT_WRITE | PROT_EXEC, flags,
                     e ? e->object : NULL, offset, e ? e->file : NULL, NULL);
    return at < 0 ? (int)at : 0;
}

/* Clear from END to the end of its page: memory of the segment that the file has other bytes for. */
static int clear_page_tail(struct mm *mm, uintptr_t end)
{
    static const char zeroes[256];

    for (size_t left = ALIGN_UP(end, PAGE_SIZE) - end; left;) {
        size_t n = min(left, sizeof(zeroes));
        if (mm_write(mm, end, zeroes, n) != (ssize_t)n)
            return -EFAULT;
        end += n;
        left -= n;
    }
    return 0;
}

static int map_segment(struct mm *mm, struct elf *e, const Elf64_Phdr *p)
{
    uintptr_t addr = p->p_vaddr + e->bias;
    uintptr_t start = ALIGN_DOWN(addr, PAGE_SIZE);
    uintptr_t file_end = addr + p->p_filesz;
    uintptr_t mapped_end = p->p_filesz ? ALIGN_UP(file_end, PAGE_SIZE) : start;
    uintptr_t end = ALIGN_UP(addr + p->p_memsz, PAGE_SIZE);
    unsigned prot = segment_prot(p);
    int error;

    if (mapped_end > start) {
        uint64_t offset = ALIGN_DOWN(p->p_offset, PAGE_SIZE);
        if ((error = map_fixed(mm, start, mapped_end - start, prot, e, offset)))
            return error;
        if (p->p_memsz > p->p_filesz && (error = clear_page_tail(mm, file_end)))
            return error;
    }
    if (end > mapped_end)
        return map_fixed(mm, mapped_end, end - mapped_end, prot, NULL, 0);
    return 0;
}

/* Put all segments where E's bias says. */
static int map_segments(struct mm *mm, struct elf *e)
{
    for (unsigned i = 0; i < e->header.e_phnum; i++) {
        const Elf64_Phdr *p = &e->phdrs[i];
        if (p->p_type != PT_LOAD || !p->p_memsz)
            continue;
        int error = map_segment(mm, e, p);
        if (error)
            return error;
    }
    return 0;
}

static void note_bounds(struct mm *mm, const struct elf *e)
{
    mm->code_start = UINTPTR_MAX;
    for (unsigned i = 0; i < e->header.e_phnum; i++) {
        const Elf64_Phdr *p = &e->phdrs[i];
        if (p->p_type != PT_LOAD)
            continue;
        uintptr_t start = p->p_vaddr + e->bias, file_end = start + p->p_filesz;
        mm->code_start = min(mm->code_start, start);
        mm->data_start = max(mm->data_start, start);
        mm->data_end = max(mm->data_end, file_end);
        if (p->p_flags & PF_X)
            mm->code_end = max(mm->code_end, file_end);
    }
    mm->brk_start = mm->brk = e->bias + e->end + mm_random_offset(BRK_RANDOM_BITS);
}

/* Where the program headers are in memory, for AT_PHDR: inside the segment whose bytes hold them. */
static uintptr_t phdrs_address(const struct elf *e)
{
    uint64_t offset = e->header.e_phoff;

    for (unsigned i = 0; i < e->header.e_phnum; i++) {
        const Elf64_Phdr *p = &e->phdrs[i];
        if (p->p_type == PT_LOAD && offset >= p->p_offset && offset - p->p_offset < p->p_filesz)
            return offset - p->p_offset + p->p_vaddr + e->bias;
    }
    return 0;
}

/* The file that PT_INTERP names, to be loaded like a program; err_ptr. */
static struct file *open_interpreter(const struct elf *e, const Elf64_Phdr *p)
{
    struct path path;
    int error;

    if (p->p_filesz < 2 || p->p_filesz > PATH_MAX)
        return err_ptr(-ENOEXEC);
    char *name = kmalloc(p->p_filesz);
    if (!name)
        return err_ptr(-ENOMEM);
    error = read_exactly(e->file, name, p->p_filesz, p->p_offset);
    if (!error && name[p->p_filesz - 1] != '\0')
        error = -ENOEXEC;
    if (!error)
        error = path_lookup(AT_FDCWD, name, LOOKUP_FOLLOW, &path);
    kfree(name);
    if (error)
        return err_ptr(error);
    error = S_ISREG(path.dentry->inode->mode) ? path_permission(&path, MAY_EXEC) : -EACCES;
    struct file *f = error ? err_ptr(error) : file_open_path(&path, O_RDONLY);
    path_put(&path);
    return f;
}

/* Choose a place for an interpreter by asking for all of its room, then put its segments there. */
static int load_interpreter(struct mm *mm, struct file *file, uintptr_t *base, uintptr_t *entry)
{
    struct elf e;
    int error = elf_open(&e, file);

    if (error)
        return error == -ENOEXEC ? -ELIBBAD : error;
    if (e.header.e_type == ET_DYN) {
        long at = mm_map(mm, 0, e.end - e.start, PROT_NONE, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0, NULL, NULL);
        if (at < 0) {
            error = (int)at;
            goto out;
        }
        e.bias = (uintptr_t)at - e.start;
    }
    error = map_segments(mm, &e);
    *base = e.bias;
    *entry = e.header.e_entry + e.bias;
out:
    elf_close(&e);
    return error;
}

struct aux_writer {
    uint64_t *next;
};

static void put_aux(struct aux_writer *w, uint64_t type, uint64_t value)
{
    *w->next++ = type;
    *w->next++ = value;
}

static void fill_auxv(struct mm *mm, const struct elf *e, uintptr_t interpreter_base,
                      uintptr_t vdso)
{
    const struct cred *c = current_cred();
    struct aux_writer w = {mm->auxv};

    put_aux(&w, AT_SYSINFO_EHDR, vdso);
    put_aux(&w, AT_MINSIGSTKSZ, sigframe_min_stack());
    put_aux(&w, AT_HWCAP, cpu_hwcap());
    put_aux(&w, AT_PAGESZ, PAGE_SIZE);
    put_aux(&w, AT_CLKTCK, CLOCKS_PER_SECOND);
    put_aux(&w, AT_PHDR, phdrs_address(e));
    put_aux(&w, AT_PHENT, sizeof(Elf64_Phdr));
    put_aux(&w, AT_PHNUM, e->header.e_phnum);
    put_aux(&w, AT_BASE, interpreter_base);
    put_aux(&w, AT_FLAGS, 0);
    put_aux(&w, AT_ENTRY, e->header.e_entry + e->bias);
    put_aux(&w, AT_UID, c->uid);
    put_aux(&w, AT_EUID, c->euid);
    put_aux(&w, AT_GID, c->gid);
    put_aux(&w, AT_EGID, c->egid);
    put_aux(&w, AT_SECURE, 0);
    put_aux(&w, AT_HWCAP2, cpu_hwcap2());
    put_aux(&w, AT_NULL, 0);
}

int elf_load(struct mm *mm, struct file *file, struct elf_image *image)
{
    const Elf64_Phdr *p;
    uintptr_t interpreter_base = 0, vdso;
    struct elf e;
    int error = elf_open(&e, file);

    if (error)
        return error;
    if (e.header.e_type == ET_DYN)
        e.bias = DYN_BASE + mm_random_offset(DYN_RANDOM_BITS) - e.start;
    error = -ENOMEM;
    if (e.end > USER_END || e.bias + e.start > USER_END - (e.end - e.start))
        goto out;
    if ((error = map_segments(mm, &e)))
        goto out;
    note_bounds(mm, &e);
    image->entry = e.header.e_entry + e.bias;
    p = find_segment(&e, PT_GNU_STACK);
    image->executable_stack = p && (p->p_flags & PF_X);
    if ((p = find_segment(&e, PT_INTERP))) {
        struct file *interpreter = open_interpreter(&e, p);
        if (is_err(interpreter)) {
            error = (int)ptr_err(interpreter);
            goto out;
        }
        error = load_interpreter(mm, interpreter, &interpreter_base, &image->entry);
        file_put(interpreter);
        if (error)
            goto out;
    }
    if ((error = vdso_map(mm, &vdso)))
        goto out;
    fill_auxv(mm, &e, interpreter_base, vdso);
    error = image->entry < USER_END ? 0 : -ENOEXEC;
out:
    elf_close(&e);
    return error;
}

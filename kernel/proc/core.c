/*
 * Core files: what a process was when a signal killed it, for a debugger (gdb PROGRAM core).
 *
 *     ELF header | program headers | notes (core_notes.c) | pad | the areas' pages, one after the other
 *
 * First everything is made to stand still: the process is marked as exiting, and its other threads, on their way
 * out, wait in core_park() with their registers on their stacks until the file is written. Then the areas are
 * listed, the file is made, and written from front to back. Pages that are zeroes become holes, which cost
 * nothing; RLIMIT_CORE counts the rest, and a file that reaches it is cut there, as on Linux.
 *
 * The file is "core" in the working directory, always a new one of the user's own, so that nobody can be tricked
 * into writing elsewhere by a link of that name. A program that runs with another's rights makes none.
 */
#include "proc/core.h"

#include <abi/elf.h>
#include <abi/resource.h>
#include <abi/wait.h>

#include "fs/file.h"
#include "fs/vfs.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/vma.h"
#include "proc/life.h"
#include "sched/sched.h"
#include "signal/signal.h"

#define CORE_NAME "core"
#define CORE_MODE 0600

/* --- standing still --------------------------------------------------------------------------------- */

/* From here on the process is exiting. False when it was already, or an exec is on its way. */
static bool freeze(struct proc *p, int signo)
{
    spin_lock(&p->signal_lock);
    bool mine = !p->exiting && !p->exec_thread;
    if (mine) {
        p->exiting = true;
        p->exit_code = signo;
        p->dumping_core = true;
        p->dump_parked = 0;
        proc_expel_others(p);
        wait_event_deaf(&p->core_wait, p->dump_parked + 1 == p->nthreads);
    }
    spin_unlock(&p->signal_lock);
    return mine;
}

static void thaw(struct proc *p, int status)
{
    spin_lock(&p->signal_lock);
    p->exit_code = status;
    p->dumping_core = false;
    wake_all(&p->core_wait, 0);
    spin_unlock(&p->signal_lock);
}

void core_park(void)
{
    struct proc *p = current_proc();

    if (likely(!READ_ONCE(p->dumping_core)))
        return;
    spin_lock(&p->signal_lock);
    if (p->dumping_core) {
        p->dump_parked++;
        wake_all(&p->core_wait, 0);
        wait_event_deaf(&p->core_wait, !p->dumping_core);
    }
    spin_unlock(&p->signal_lock);
}

/* All threads, the current one first. -ENOMEM. */
static int list_threads(struct core *c, struct proc *p)
{
    struct thread *t;

    c->threads = kmalloc(p->nthreads * sizeof(struct thread *));
    if (!c->threads)
        return -ENOMEM;
    c->threads[c->nthreads++] = current;
    spin_lock(&p->signal_lock);
    list_for_each (t, &p->threads, proc_link)
        if (t != current)
            c->threads[c->nthreads++] = t;
    spin_unlock(&p->signal_lock);
    return 0;
}

/* --- the areas -------------------------------------------------------------------------------------- */

struct area_list {
    struct core *core;
    size_t room;
};

/* How much of V is saved: nothing of what stands in a file unchanged (but see keep_programs), all else. */
static uintptr_t saved_end(const struct vma *v)
{
    if (v->flags & VMA_DONTDUMP)
        return v->start;
    if (!v->object || !v->file || v->flags & VMA_HAS_PRIVATE)
        return v->end;
    bool nameless = !v->file->inode || v->file->inode->nlink == 0;
    if (v->flags & VMA_SHARED && nameless)
        return v->end;
    return v->start;
}

static void add_area(void *ctx, const struct vma *v)
{
    struct area_list *l = ctx;

    if (l->core->nareas == l->room)
        return;
    if (v->file)
        file_get(v->file);
    l->core->areas[l->core->nareas++] = (struct core_area){
        .start = v->start,
        .end = v->end,
        .saved_end = saved_end(v),
        .prot = v->prot,
        .offset = v->object ? v->offset : 0,
        .file = v->file,
    };
}

/* Of a mapped program the first page is saved: it tells the debugger which one it is. */
static void keep_programs(struct core *c, struct mm *mm)
{
    char magic[SELFMAG];

    for (size_t i = 0; i < c->nareas; i++) {
        struct core_area *a = &c->areas[i];
        if (a->saved_end == a->start && a->offset == 0 && a->file && a->prot & PROT_READ &&
            mm_read(mm, a->start, magic, SELFMAG) == SELFMAG && memcmp(magic, ELFMAG, SELFMAG) == 0)
            a->saved_end = a->start + PAGE_SIZE;
    }
}

static int list_areas(struct core *c, struct mm *mm)
{
    struct area_list l = {c, READ_ONCE(mm->nareas)};

    c->areas = kmalloc(l.room * sizeof(struct core_area));
    if (!c->areas)
        return -ENOMEM;
    mm_for_each_area(mm, add_area, &l);
    keep_programs(c, mm);
    return 0;
}

/* --- the file --------------------------------------------------------------------------------------- */

void core_write(struct core *c, const void *data, size_t n)
{
    struct iovec one;
    struct uio u;

    if (c->failed || !n)
        return;
    uio_init_kernel(&u, &one, (void *)(uintptr_t)data, n);
    ssize_t done = c->written + n <= c->limit ? file_pwrite(c->file, &u, c->pos) : 0;
    c->failed = done < 0 || (size_t)done < n;
    if (done > 0) {
        c->pos += done;
        c->written += (size_t)done;
    }
}

/*
 * A file that is new: what had the name loses it, and a name that comes back meanwhile is an error. err_ptr.
 */
static struct file *open_core(void)
{
    (void)fs_unlink(AT_FDCWD, CORE_NAME);
    return file_open(AT_FDCWD, CORE_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_LARGEFILE,
                     CORE_MODE);
}

static Elf64_Word segment_flags(unsigned prot)
{
    return (prot & PROT_READ ? PF_R : 0) | (prot & PROT_WRITE ? PF_W : 0) |
           (prot & PROT_EXEC ? PF_X : 0);
}

/* What stands before the notes. Returns where the pages begin. */
static off_t write_headers(struct core *c, size_t notes_size)
{
    off_t notes = (off_t)(sizeof(Elf64_Ehdr) + (c->nareas + 1) * sizeof(Elf64_Phdr));
    off_t pages = ALIGN_UP(notes + (off_t)notes_size, (off_t)PAGE_SIZE), at = pages;
    Elf64_Ehdr h = {
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_CORE,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = (Elf64_Half)(c->nareas + 1),
    };
    Elf64_Phdr note = {.p_type = PT_NOTE, .p_offset = (Elf64_Off)notes, .p_filesz = notes_size};

    core_write(c, &h, sizeof(h));
    core_write(c, &note, sizeof(note));
    for (size_t i = 0; i < c->nareas; i++) {
        const struct core_area *a = &c->areas[i];
        Elf64_Phdr p = {
            .p_type = PT_LOAD,
            .p_flags = segment_flags(a->prot),
            .p_offset = (Elf64_Off)at,
            .p_vaddr = a->start,
            .p_filesz = a->saved_end - a->start,
            .p_memsz = a->end - a->start,
            .p_align = PAGE_SIZE,
        };
        core_write(c, &p, sizeof(p));
        at += (off_t)p.p_filesz;
    }
    return pages;
}

static void write_pages(struct core *c, struct mm *mm)
{
    static const char zero;
    off_t end = c->pos;

    for (size_t i = 0; i < c->nareas && !c->failed; i++) {
        const struct core_area *a = &c->areas[i];
        for (uintptr_t addr = a->start; addr < a->saved_end && !c->failed; addr += PAGE_SIZE) {
            struct page *p = mm_page_to_save(mm, addr);
            c->pos = end;
            if (p) {
                core_write(c, page_to_virt(p), PAGE_SIZE);
                page_put(p);
            }
            end += PAGE_SIZE;
        }
    }
    /* A hole at the end needs something behind it. */
    if (!c->failed && c->pos < end) {
        c->pos = end - 1;
        core_write(c, &zero, 1);
    }
}

/* Everything stands still. True when there is a file now, even if not all of it. */
static bool write_core(struct core *c)
{
    struct mm *mm = current->mm;

    if (list_threads(c, current_proc()) || list_areas(c, mm))
        return false;
    size_t notes = core_notes_size(c);
    if (!notes)
        return false;
    c->file = open_core();
    if (is_err(c->file))
        return false;
    off_t pages = write_headers(c, notes);
    core_write_notes(c);
    c->pos = pages;
    write_pages(c, mm);
    file_put(c->file);
    return true;
}

static void forget(struct core *c)
{
    for (size_t i = 0; i < c->nareas; i++)
        if (c->areas[i].file)
            file_put(c->areas[i].file);
    if (c->areas)
        kfree(c->areas);
    if (c->threads)
        kfree(c->threads);
}

bool core_dump(const siginfo_t *info)
{
    struct proc *p = current_proc();
    siginfo_t whole = {0};
    struct core c = {.info = &whole, .limit = proc_rlimit(RLIMIT_CORE)};

    siginfo_copy(&whole, info);

    if (!(SIGMASK(info->si_signo) & SET_CORE) || c.limit < PAGE_SIZE ||
        READ_ONCE(current->mm->dumpable) != 1)
        return false;
    if (!freeze(p, info->si_signo))
        return false;
    bool dumped = write_core(&c);
    forget(&c);
    thaw(p, info->si_signo | (dumped ? W_COREFLAG : 0));
    return dumped;
}

/*
 * The notes of a core file: what a debugger wants to know besides the memory. In Linux's order: the dying thread's
 * registers, the process, the signal, the auxiliary vector, the mapped files, the dying thread's FPU state;
 * then registers and FPU state of each other thread. The debugger takes all between two NT_PRSTATUS for one
 * thread's.
 *
 * Sizes come first, for they stand before the notes: everything is asked for twice, and can't change in between.
 */
#include <abi/core.h>
#include <abi/elf.h>
#include <abi/signal.h>

#include "fs/file.h"
#include "fs/path.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "proc/core.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "x86/context.h"

#define NOTE_ALIGN 4UL
#define PATH_SIZE 4096
#define FILE_NOTE_MAX (4UL << 20) /* longer lists of files are left out, as on Linux */

_Static_assert(sizeof(struct elf_prstatus) == 336 && sizeof(struct elf_prpsinfo) == 136 &&
                   ELF_NGREG == CORE_REGS,
               "the notes are Linux's");

static size_t note_size(const char *name, size_t size)
{
    return sizeof(Elf64_Nhdr) + ALIGN_UP(strlen(name) + 1, NOTE_ALIGN) + ALIGN_UP(size, NOTE_ALIGN);
}

static void begin_note(struct core *c, const char *name, unsigned type, size_t size)
{
    Elf64_Nhdr h = {(Elf64_Word)strlen(name) + 1, (Elf64_Word)size, type};
    char padded[8] = "";

    core_write(c, &h, sizeof(h));
    memcpy(padded, name, strlen(name));
    core_write(c, padded, ALIGN_UP(strlen(name) + 1, NOTE_ALIGN));
}

static void end_note(struct core *c, size_t size)
{
    static const char zeroes[NOTE_ALIGN];

    core_write(c, zeroes, ALIGN_UP(size, NOTE_ALIGN) - size);
}

static void write_note(struct core *c, const char *name, unsigned type, const void *data,
                       size_t size)
{
    begin_note(c, name, type, size);
    core_write(c, data, size);
    end_note(c, size);
}

/* --- threads ---------------------------------------------------------------------------------------- */

struct family {
    int parent, group, session;
};

static struct family family_of(const struct proc *p)
{
    spin_lock(&proc_tree_lock);
    struct family f = {p->parent ? p->parent->pid->nr : 0, p->group->nr, p->session->nr};
    spin_unlock(&proc_tree_lock);
    return f;
}

static void write_prstatus(struct core *c, struct thread *t)
{
    struct elf_prstatus s;
    struct family f = family_of(t->proc);
    struct rusage children;
    nsec_t user, system;

    memset(&s, 0, sizeof(s));
    s.pr_info.si_signo = s.pr_cursig = (short)c->info->si_signo;
    if (t == current) {
        s.pr_info.si_code = c->info->si_code;
        s.pr_info.si_errno = c->info->si_errno;
    }
    spin_lock(&t->proc->signal_lock);
    s.pr_sigpend = t->pending;
    s.pr_sighold = t->blocked;
    spin_unlock(&t->proc->signal_lock);
    s.pr_pid = t->pid->nr;
    s.pr_ppid = f.parent;
    s.pr_pgrp = f.group;
    s.pr_sid = f.session;
    /* The first thread's times are the process's. */
    if (t == t->proc->leader)
        proc_times(t->proc, &user, &system);
    else
        thread_times(t, &user, &system);
    proc_children_rusage(t->proc, &children);
    s.pr_utime = timeval_of(user);
    s.pr_stime = timeval_of(system);
    s.pr_cutime = children.ru_utime;
    s.pr_cstime = children.ru_stime;
    arch_core_regs(t, s.pr_reg);
    s.pr_fpvalid = 1;
    write_note(c, "CORE", NT_PRSTATUS, &s, sizeof(s));
}

static void write_fpu(struct core *c, struct thread *t)
{
    const void *area;
    size_t size = arch_core_fpu(t, &area);

    write_note(c, "CORE", NT_FPREGSET, area, FPU_LEGACY_SIZE);
    if (size > FPU_LEGACY_SIZE)
        write_note(c, "LINUX", NT_X86_XSTATE, area, size);
}

static size_t thread_notes_size(void)
{
    const void *area;
    size_t size = arch_core_fpu(current, &area);

    return note_size("CORE", sizeof(struct elf_prstatus)) + note_size("CORE", FPU_LEGACY_SIZE) +
           (size > FPU_LEGACY_SIZE ? note_size("LINUX", size) : 0);
}

/* --- the process ------------------------------------------------------------------------------------ */

static void write_prpsinfo(struct core *c)
{
    struct proc *p = current_proc();
    const struct mm *mm = p->mm;
    struct family f = family_of(p);
    struct elf_prpsinfo i;

    memset(&i, 0, sizeof(i));
    i.pr_sname = 'R';
    i.pr_nice = (char)current->nice;
    i.pr_uid = current_cred()->uid;
    i.pr_gid = current_cred()->gid;
    i.pr_pid = p->pid->nr;
    i.pr_ppid = f.parent;
    i.pr_pgrp = f.group;
    i.pr_sid = f.session;
    memcpy(i.pr_fname, current->comm, sizeof(i.pr_fname));
    size_t n = min(mm->arg_end - mm->arg_start, sizeof(i.pr_psargs) - 1);
    if (mm_read(p->mm, mm->arg_start, i.pr_psargs, n) < 0)
        n = 0;
    for (size_t k = 0; k < n; k++)
        if (!i.pr_psargs[k])
            i.pr_psargs[k] = ' ';
    write_note(c, "CORE", NT_PRPSINFO, &i, sizeof(i));
}

static size_t auxv_size(const struct mm *mm)
{
    size_t i = 0;

    while (i + 2 < ARRAY_SIZE(mm->auxv) && mm->auxv[i])
        i += 2;
    return (i + 2) * sizeof(mm->auxv[0]);
}

/* --- NT_FILE: count and page size; start, end and page offset of each; then the names --------------------- */

/* The name of A's file, in BUF; NULL when it has none. */
static const char *name_of(const struct core_area *a, const struct path *root, char *buf)
{
    if (!a->file || !a->file->path)
        return NULL;
    const char *name = path_format(a->file->path, root, buf, PATH_SIZE);
    return is_err(name) ? NULL : name;
}

static size_t file_note_size(const struct core *c, const struct path *root, char *buf)
{
    size_t size = 2 * sizeof(uint64_t);

    for (size_t i = 0; i < c->nareas; i++) {
        const char *name = name_of(&c->areas[i], root, buf);
        if (name)
            size += 3 * sizeof(uint64_t) + strlen(name) + 1;
    }
    return size <= FILE_NOTE_MAX ? size : 0;
}

static void write_file_note(struct core *c, const struct path *root, char *buf)
{
    uint64_t head[2] = {0, PAGE_SIZE};
    size_t left = c->file_note_size;

    begin_note(c, "CORE", NT_FILE, left);
    for (size_t i = 0; i < c->nareas; i++)
        head[0] += name_of(&c->areas[i], root, buf) != NULL;
    core_write(c, head, sizeof(head));
    for (size_t i = 0; i < c->nareas; i++) {
        const struct core_area *a = &c->areas[i];
        uint64_t range[3] = {a->start, a->end, a->offset >> PAGE_SHIFT};
        if (name_of(a, root, buf))
            core_write(c, range, sizeof(range));
    }
    left -= sizeof(head) + head[0] * 3 * sizeof(uint64_t);
    for (size_t i = 0; i < c->nareas; i++) {
        const char *name = name_of(&c->areas[i], root, buf);
        /* Somebody may have renamed it since the sizes were taken: those stay. */
        size_t n = name ? min(strlen(name) + 1, left) : 0;
        core_write(c, name, n);
        left -= n;
    }
    for (; left; left--)
        core_write(c, "", 1);
    end_note(c, c->file_note_size);
}

/* --- all together ----------------------------------------------------------------------------------- */

size_t core_notes_size(struct core *c)
{
    struct path root;
    char *buf = kmalloc(PATH_SIZE);

    if (!buf)
        return 0;
    path_of_root(&root);
    c->file_note_size = file_note_size(c, &root, buf);
    path_put(&root);
    kfree(buf);
    return c->nthreads * thread_notes_size() + note_size("CORE", sizeof(struct elf_prpsinfo)) +
           note_size("CORE", sizeof(siginfo_t)) + note_size("CORE", auxv_size(current->mm)) +
           (c->file_note_size ? note_size("CORE", c->file_note_size) : 0);
}

void core_write_notes(struct core *c)
{
    struct path root;
    char *buf = kmalloc(PATH_SIZE);

    if (!buf) {
        c->failed = true;
        return;
    }
    path_of_root(&root);
    write_prstatus(c, c->threads[0]);
    write_prpsinfo(c);
    write_note(c, "CORE", NT_SIGINFO, c->info, sizeof(*c->info));
    write_note(c, "CORE", NT_AUXV, current->mm->auxv, auxv_size(current->mm));
    if (c->file_note_size)
        write_file_note(c, &root, buf);
    write_fpu(c, c->threads[0]);
    for (size_t i = 1; i < c->nthreads; i++) {
        write_prstatus(c, c->threads[i]);
        write_fpu(c, c->threads[i]);
    }
    path_put(&root);
    kfree(buf);
}

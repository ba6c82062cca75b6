/*
 * A process's memory as text: /proc/PID/maps, smaps, smaps_rollup, statm.
 *
 * Every page is dirty in the sense of smaps: there is nowhere else where its contents are.
 */
#include <abi/mman.h>
#include <abi/sysmacros.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/path.h"
#include "fs/procfs_internal.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "proc/proc.h"

#define NAME_COLUMN 73 /* where maps has the name */
#define KB(pages) ((unsigned long)(pages) * (PAGE_SIZE / 1024))

struct maps {
    struct seq *s;
    struct path root;      /* the reader's */
    char *buf;             /* PATH_SIZE bytes for names */
    struct area_usage sum; /* for the rollup, as all below */
    uint64_t locked;       /* in PAGE_PARTS */
    uintptr_t first, last;
};
#define PATH_SIZE 4096

static size_t area_pages(const struct vma *v)
{
    return (v->end - v->start) >> PAGE_SHIFT;
}

static const char *area_name(struct maps *m, const struct vma *v)
{
    if (v->file && v->file->path) {
        const char *name = path_format(v->file->path, &m->root, m->buf, PATH_SIZE);
        return is_err(name) ? NULL : name;
    }
    if (v->object && !v->name)
        return "/dev/zero (deleted)"; /* as Linux calls shared anonymous memory */
    return v->name;
}

static void add_map(void *ctx, const struct vma *v)
{
    struct maps *m = ctx;
    char head[128];
    dev_t dev = 0;
    ino_t ino = 0;

    if (v->file && v->file->inode) {
        dev = v->file->inode->sb->dev;
        ino = v->file->inode->ino;
    } else if (v->object && v->object->ops) {
        dev = makedev(0, 1);
        ino = v->object->ops->ino(v->object);
    }
    size_t n =
        (size_t)snprintf(head, sizeof(head), "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", v->start,
                         v->end, v->prot & PROT_READ ? 'r' : '-', v->prot & PROT_WRITE ? 'w' : '-',
                         v->prot & PROT_EXEC ? 'x' : '-', v->flags & VMA_SHARED ? 's' : 'p',
                         v->object ? (unsigned long)v->offset : 0, major(dev), minor(dev), ino);
    seq_write(m->s, head, n);
    const char *name = area_name(m, v);
    if (name) {
        for (; n < NAME_COLUMN; n++)
            seq_puts(m->s, " ");
        seq_escape(m->s, name, "\n");
    }
    seq_puts(m->s, "\n");
}

/* Visit every area of WHO with EMIT; nothing when the memory is gone already. */
static int for_each_area(const struct subject *who, struct maps *m,
                         void (*emit)(void *ctx, const struct vma *v))
{
    struct mm *mm = proc_mm_get(who->proc);

    if (!mm)
        return 0;
    m->buf = kmalloc(PATH_SIZE);
    if (m->buf) {
        path_of_root(&m->root);
        mm_for_each_area(mm, emit, m);
        path_put(&m->root);
    }
    mm_put(mm);
    kfree(m->buf);
    return m->buf ? 0 : -ENOMEM;
}

int show_maps(struct seq *s, const struct subject *who)
{
    struct maps m = {.s = s};

    return for_each_area(who, &m, add_map);
}

static void add_usage(struct maps *m, const struct vma *v, const struct area_usage *u)
{
    if (!m->first)
        m->first = v->start;
    m->last = v->end;
    m->sum.rss += u->rss;
    m->sum.anonymous += u->anonymous;
    m->sum.private_pages += u->private_pages;
    m->sum.shared_pages += u->shared_pages;
    m->sum.pss += u->pss;
    m->sum.pss_anonymous += u->pss_anonymous;
    if (v->flags & VMA_LOCKED)
        m->locked += u->pss;
}

static void add_kb(struct seq *s, const char *name, unsigned long kb)
{
    char label[24];

    snprintf(label, sizeof(label), "%s:", name);
    seq_printf(s, "%-16s%8lu kB\n", label, kb);
}

static void add_line(struct seq *s, const char *name, size_t pages)
{
    add_kb(s, name, KB(pages));
}

static void add_parts(struct seq *s, const char *name, uint64_t parts)
{
    add_kb(s, name, parts / (PAGE_PARTS / KB(1)));
}

/* The block of lines that smaps and smaps_rollup have in common. */
static void add_sizes(struct seq *s, const struct area_usage *u, uint64_t locked, bool rollup)
{
    add_line(s, "Rss", u->rss);
    add_parts(s, "Pss", u->pss);
    add_parts(s, "Pss_Dirty", u->pss);
    if (rollup) {
        add_parts(s, "Pss_Anon", u->pss_anonymous);
        add_parts(s, "Pss_File", 0);
        add_parts(s, "Pss_Shmem", u->pss - u->pss_anonymous);
    }
    add_line(s, "Shared_Clean", 0);
    add_line(s, "Shared_Dirty", u->shared_pages);
    add_line(s, "Private_Clean", 0);
    add_line(s, "Private_Dirty", u->private_pages);
    add_line(s, "Referenced", u->rss);
    add_line(s, "Anonymous", u->anonymous);
    add_line(s, "LazyFree", 0);
    add_line(s, "AnonHugePages", 0);
    add_line(s, "ShmemPmdMapped", 0);
    add_line(s, "FilePmdMapped", 0);
    seq_printf(s, "Shared_Hugetlb: %8u kB\nPrivate_Hugetlb: %7u kB\n", 0, 0);
    add_line(s, "Swap", 0);
    add_line(s, "SwapPss", 0);
    add_parts(s, "Locked", locked);
}

static void add_vm_flags(struct seq *s, const struct vma *v)
{
    static const struct {
        unsigned prot;
        char may[3], has[3];
    } rights[] = {{PROT_READ, "mr", "rd"}, {PROT_WRITE, "mw", "wr"}, {PROT_EXEC, "me", "ex"}};

    seq_puts(s, "VmFlags: ");
    for (size_t i = 0; i < ARRAY_SIZE(rights); i++)
        if (v->prot & rights[i].prot)
            seq_printf(s, "%s ", rights[i].has);
    if (v->flags & VMA_SHARED)
        seq_puts(s, "sh ");
    for (size_t i = 0; i < ARRAY_SIZE(rights); i++)
        if (v->max_prot & rights[i].prot)
            seq_printf(s, "%s ", rights[i].may);
    seq_printf(s, "%s%s%s%s%s%s\n", v->flags & VMA_SHARED ? "ms " : "",
               v->flags & VMA_GROWSDOWN ? "gd " : "", v->flags & VMA_LOCKED ? "lo " : "",
               v->flags & VMA_DONTFORK ? "dc " : "", v->flags & VMA_NORESERVE ? "nr " : "",
               v->flags & VMA_WIPEONFORK ? "wf " : "");
}

static void add_smap(void *ctx, const struct vma *v)
{
    struct maps *m = ctx;
    struct area_usage u;

    mm_area_usage(v, &u);
    add_map(ctx, v);
    add_line(m->s, "Size", area_pages(v));
    add_line(m->s, "KernelPageSize", 1);
    add_line(m->s, "MMUPageSize", 1);
    add_sizes(m->s, &u, v->flags & VMA_LOCKED ? u.pss : 0, false);
    seq_puts(m->s, "THPeligible:    0\n");
    add_vm_flags(m->s, v);
}

int show_smaps(struct seq *s, const struct subject *who)
{
    struct maps m = {.s = s};

    return for_each_area(who, &m, add_smap);
}

static void add_up(void *ctx, const struct vma *v)
{
    struct area_usage u;

    mm_area_usage(v, &u);
    add_usage(ctx, v, &u);
}

int show_smaps_rollup(struct seq *s, const struct subject *who)
{
    struct maps m = {.s = s};
    int error = for_each_area(who, &m, add_up);

    if (error || !m.last)
        return error;
    seq_printf(s, "%08lx-%08lx ---p 00000000 00:00 0 ", m.first, m.last);
    for (size_t n = s->len; n < NAME_COLUMN; n++)
        seq_puts(s, " ");
    seq_puts(s, "[rollup]\n");
    add_sizes(s, &m.sum, m.locked, true);
    return 0;
}

int show_statm(struct seq *s, const struct subject *who)
{
    struct mm *mm = proc_mm_get(who->proc);

    if (!mm) {
        seq_puts(s, "0 0 0 0 0 0 0\n");
        return 0;
    }
    size_t text =
        (ALIGN_UP(mm->code_end, PAGE_SIZE) - ALIGN_DOWN(mm->code_start, PAGE_SIZE)) >> PAGE_SHIFT;
    seq_printf(s, "%zu %zu %zu %zu 0 %zu 0\n", mm->pages_mapped, mm_rss(mm), mm->rss_file, text,
               mm->pages_data);
    mm_put(mm);
    return 0;
}

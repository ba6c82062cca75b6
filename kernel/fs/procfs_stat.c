/*
 * /proc/stat, meminfo, vmstat, slabinfo: the machine's numbers, in the layout that top, free and vmstat parse.
 */
#include "fs/procfs_internal.h"
#include "lib/printf.h"
#include "mm/kstack.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/vmobject.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "x86/clock.h"
#include "x86/cpu.h"
#include "x86/irq.h"

#define KB(pages) ((unsigned long)(pages) * (PAGE_SIZE / 1024))
#define MAX_LINES 256

static void add_cpu(struct seq *s, const char *label, const struct sched_cpu_stats *c)
{
    seq_printf(s, "%s %llu %llu %llu %llu 0 0 0 0 0 0\n", label, ticks_of(c->user),
               ticks_of(c->nice), ticks_of(c->system), ticks_of(c->idle));
}

/* Counts of the numbered interrupt lines. */
struct lines {
    uint64_t counts[MAX_LINES];
    unsigned used;
};

static void count_line(void *ctx, const char *label, const char *name, const uint64_t *counts)
{
    struct lines *l = ctx;
    unsigned n = 0;

    (void)name;
    for (; *label >= '0' && *label <= '9'; label++)
        n = n * 10 + (unsigned)(*label - '0');
    if (*label || n >= MAX_LINES)
        return;
    for (int i = 0; i < num_cpus; i++)
        l->counts[n] += counts[i];
    l->used = max(l->used, n + 1);
}

static int add_interrupts(struct seq *s)
{
    struct lines *l = kzalloc(sizeof(*l));
    uint64_t total = 0;

    if (!l)
        return -ENOMEM;
    irq_for_each(count_line, l);
    for (int i = 0; i < num_cpus; i++)
        total += cpus[i].interrupts;
    seq_printf(s, "intr %lu", total);
    for (unsigned i = 0; i < l->used; i++)
        seq_printf(s, " %lu", l->counts[i]);
    seq_puts(s, "\n");
    kfree(l);
    return 0;
}

int show_stat(struct seq *s, const struct subject *who)
{
    struct sched_cpu_stats sum = {0}, c;
    char label[16];
    uint64_t forks;
    int last;

    (void)who;
    for (int i = 0; i < num_cpus; i++) {
        sched_cpu_stats(i, &c);
        sum.user += c.user;
        sum.nice += c.nice;
        sum.system += c.system;
        sum.idle += c.idle;
        sum.switches += c.switches;
    }
    add_cpu(s, "cpu ", &sum);
    for (int i = 0; i < num_cpus; i++) {
        sched_cpu_stats(i, &c);
        snprintf(label, sizeof(label), "cpu%d", i);
        add_cpu(s, label, &c);
    }
    pid_counts(&last, &forks);
    int error = add_interrupts(s);
    seq_printf(s, "ctxt %lu\nbtime %lld\nprocesses %lu\nprocs_running %u\nprocs_blocked 0\n",
               sum.switches, (long long)(clock_realtime_offset() / NSEC_PER_SEC), forks,
               sched_running_count());
    seq_puts(s, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
    return error;
}

static void add_kb(struct seq *s, const char *name, unsigned long kb)
{
    char label[20];

    snprintf(label, sizeof(label), "%s:", name);
    seq_printf(s, "%-16s%8lu kB\n", label, kb);
}

static void add_slab_pages(void *ctx, const struct slab_stats *st)
{
    *(size_t *)ctx += st->pages;
}

/* What all processes together have. */
struct memory_sums {
    size_t data, locked, tables, threads;
};

static struct memory_sums sum_processes(void)
{
    struct memory_sums sums = {0};
    struct proc *p;

    spin_lock(&proc_tree_lock);
    list_for_each (p, &proc_list, all_link) {
        sums.threads += p->nthreads;
        spin_lock(&p->signal_lock);
        if (p->mm) {
            sums.data += READ_ONCE(p->mm->pages_data);
            sums.locked += READ_ONCE(p->mm->pages_locked);
            sums.tables += mm_tables(p->mm);
        }
        spin_unlock(&p->signal_lock);
    }
    spin_unlock(&proc_tree_lock);
    return sums;
}

int show_meminfo(struct seq *s, const struct subject *who)
{
    struct memory_sums sums = sum_processes();
    size_t slab = 0, total = page_total(), free = page_free_count();
    unsigned long objects = KB(vmobject_total_pages());
    static const char *const none[] = {"Dirty", "Writeback"};

    (void)who;
    slab_for_each(add_slab_pages, &slab);
    add_kb(s, "MemTotal", KB(total));
    add_kb(s, "MemFree", KB(free));
    add_kb(s, "MemAvailable", KB(free));
    add_kb(s, "Buffers", 0);
    add_kb(s, "Cached", objects);
    add_kb(s, "SwapCached", 0);
    add_kb(s, "Active", KB(READ_ONCE(page_anon_count)) + objects);
    add_kb(s, "Inactive", 0);
    add_kb(s, "Active(anon)", KB(READ_ONCE(page_anon_count)) + objects);
    add_kb(s, "Inactive(anon)", 0);
    add_kb(s, "Active(file)", 0);
    add_kb(s, "Inactive(file)", 0);
    add_kb(s, "Unevictable", KB(sums.locked));
    add_kb(s, "Mlocked", KB(sums.locked));
    add_kb(s, "SwapTotal", 0);
    add_kb(s, "SwapFree", 0);
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        add_kb(s, none[i], 0);
    add_kb(s, "AnonPages", KB(READ_ONCE(page_anon_count)));
    add_kb(s, "Mapped", KB(READ_ONCE(page_mapped_count)));
    add_kb(s, "Shmem", objects);
    add_kb(s, "KReclaimable", 0);
    add_kb(s, "Slab", KB(slab));
    add_kb(s, "SReclaimable", 0);
    add_kb(s, "SUnreclaim", KB(slab));
    add_kb(s, "KernelStack", sums.threads * (KSTACK_SIZE / 1024));
    add_kb(s, "PageTables", KB(sums.tables));
    add_kb(s, "NFS_Unstable", 0);
    add_kb(s, "Bounce", 0);
    add_kb(s, "WritebackTmp", 0);
    add_kb(s, "CommitLimit", KB(total / 2));
    add_kb(s, "Committed_AS", KB(sums.data) + objects);
    add_kb(s, "VmallocTotal", 0);
    add_kb(s, "VmallocUsed", 0);
    add_kb(s, "VmallocChunk", 0);
    add_kb(s, "Percpu", 0);
    return 0;
}

int show_vmstat(struct seq *s, const struct subject *who)
{
    struct memory_sums sums = sum_processes();
    size_t slab = 0;

    (void)who;
    slab_for_each(add_slab_pages, &slab);
    size_t shmem = vmobject_total_pages();
    seq_printf(s, "nr_free_pages %zu\nnr_anon_pages %zu\nnr_mapped %zu\n", page_free_count(),
               READ_ONCE(page_anon_count), READ_ONCE(page_mapped_count));
    seq_printf(s, "nr_file_pages %zu\nnr_shmem %zu\n", shmem, shmem);
    seq_printf(
        s, "nr_slab_reclaimable 0\nnr_slab_unreclaimable %zu\nnr_kernel_stack %zu\nnr_mlock %zu\n",
        slab, sums.threads * (KSTACK_SIZE / 1024), sums.locked);
    seq_puts(s, "pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\n");
    return 0;
}

static void add_slab(void *ctx, const struct slab_stats *st)
{
    size_t per_page = st->object_size ? PAGE_SIZE / st->object_size : 0;

    seq_printf(ctx,
               "%-17s %6zu %6zu %6zu %4zu %4d : tunables %4d %4d %4d : slabdata %6zu %6zu %6d\n",
               st->name, st->objects_in_use, st->objects_total, st->object_size, per_page, 1, 0, 0,
               0, st->pages, st->pages, 0);
}

int show_slabinfo(struct seq *s, const struct subject *who)
{
    (void)who;
    seq_puts(s, "slabinfo - version: 2.1\n"
                "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
                " : tunables <limit> <batchcount> <sharedfactor>"
                " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
    slab_for_each(add_slab, s);
    return 0;
}

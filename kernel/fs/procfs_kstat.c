/*
 * /proc/kstat: the kernel's own count of what is in use, for leak checks: a test reads it before and after a
 * program. First everything that is merely kept ready (per-CPU pages, objects, pipe buffers, stacks) is given
 * back, so what is counted is in use. One "name value" a line: free_pages must come back to what it was,
 * the others as well. Slabs count as free in free_pages: their objects are counted one by one, and over how
 * many pages the same objects are spread is chance.
 *
 * boot_ns and used_pages_boot are constants: how long the kernel took from its entry to process 1's first
 * instruction, and the pages in use at that moment, image and page descriptors included.
 */
#include "fs/file.h"
#include "fs/path.h"
#include "fs/procfs.h"
#include "fs/procfs_internal.h"
#include "ipc/queue.h"
#include "mm/page.h"
#include "mm/reclaim.h"
#include "mm/slab.h"
#include "mm/vmobject.h"
#include "net/socket.h"
#include "proc/proc.h"
#include "x86/clock.h"

static nsec_t boot_time;       /* const after boot */
static size_t boot_used_pages; /* const after boot */

void procfs_note_boot(void)
{
    boot_time = clock_monotonic();
    memory_drain();
    boot_used_pages = page_total() - page_free_count();
}

static void add_slab(void *ctx, const struct slab_stats *st)
{
    seq_printf(ctx, "slab.%s %zu\n", st->name, st->objects_in_use);
}

static void sum_slab_pages(void *ctx, const struct slab_stats *st)
{
    *(size_t *)ctx += st->pages;
}

static size_t count_threads(void)
{
    struct proc *p;
    size_t n = 0;

    spin_lock(&proc_tree_lock);
    list_for_each (p, &proc_list, all_link)
        n += p->nthreads;
    spin_unlock(&proc_tree_lock);
    return n;
}

static void add_slab_pages(void *ctx, const struct slab_stats *st)
{
    *(size_t *)ctx += st->pages;
}

int show_kstat(struct seq *s, const struct subject *who)
{
    size_t slab_pages = 0;

    (void)who;
    inet_drain();
    buf_drain();
    memory_drain();
    size_t free = page_free_count();
    slab_for_each(add_slab_pages, &free);
    slab_for_each(sum_slab_pages, &slab_pages);
    seq_printf(
        s, "free_pages %zu\nprocs %zu\nthreads %zu\nopen_files %zu\nshmem_pages %zu\nmounts %zu\n",
        free, proc_count(), count_threads(), file_count(), vmobject_total_pages(), mount_count());
    slab_for_each(add_slab, s);
    seq_printf(s, "boot_ns %lld\nused_pages_boot %zu\n", (long long)boot_time, boot_used_pages);
    return 0;
}

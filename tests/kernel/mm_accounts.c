/*
 * Every page of memory is accounted for: what is free, what programs have as their own, what objects
 * hold, page tables and slabs are together always the same number, whatever address spaces do; and what
 * the areas say they have, each page by the part that falls to it, adds up to what the machine counts.
 */
#include "tests/kernel/ktest.h"

#include <abi/mman.h>

#include "mm/mm.h"
#include "mm/page.h"
#include "mm/reclaim.h"
#include "mm/slab.h"
#include "mm/vma.h"
#include "mm/vmobject.h"

#define RW (PROT_READ | PROT_WRITE)
#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)
#define SPACES 4
#define AREA_PAGES 24UL
#define PRIVATE_AT 0x10000000UL
#define SHARED_AT 0x20000000UL
#define COPY_AT 0x30000000UL
#define STEPS 600

struct world {
    struct mm *mm[SPACES];
    struct vmobject *object;
    uint32_t seed;
    size_t anon, shared, mapped, all; /* before anything was done */
};

static unsigned dice(struct world *w, unsigned sides)
{
    w->seed = w->seed * 1664525 + 1013904223;
    return (w->seed >> 16) % sides;
}

static void add_slab_pages(void *ctx, const struct slab_stats *st)
{
    *(size_t *)ctx += st->pages;
}

/* All pages of which it is known what they are. */
static size_t accounted(const struct world *w)
{
    size_t sum = 0;

    memory_drain();
    slab_for_each(add_slab_pages, &sum);
    sum += page_free_count() + page_anon_count + vmobject_total_pages();
    for (unsigned i = 0; i < SPACES; i++)
        sum += w->mm[i] ? mm_tables(w->mm[i]) : 0;
    return sum;
}

static void add_area(void *ctx, const struct vma *v)
{
    struct area_usage u, *sum = ctx;

    mm_area_usage(v, &u);
    sum->rss += u.rss;
    sum->anonymous += u.anonymous;
    sum->pss += u.pss;
    sum->pss_anonymous += u.pss_anonymous;
    KEXPECT_EQ(u.private_pages + u.shared_pages, u.rss);
}

/* Parts that were rounded down, as whole pages. */
static size_t whole(uint64_t parts)
{
    return (parts + PAGE_PARTS / 2) / PAGE_PARTS;
}

static void check_books(const struct world *w)
{
    uint64_t anonymous = 0, mapped = 0;

    for (unsigned i = 0; i < SPACES; i++) {
        struct area_usage sum = {0};
        if (!w->mm[i])
            continue;
        mm_for_each_area(w->mm[i], add_area, &sum);
        KEXPECT_EQ(sum.rss, mm_rss(w->mm[i]));
        KEXPECT_EQ(sum.anonymous, w->mm[i]->rss_anon);
        anonymous += sum.pss_anonymous;
        mapped += sum.pss - sum.pss_anonymous;
    }
    KEXPECT_EQ(whole(anonymous), page_anon_count - w->anon);
    KEXPECT_EQ(whole(mapped), page_mapped_count - w->mapped);
    KEXPECT_EQ(vmobject_total_pages() - w->shared, w->object->npages);
}

static void make_space(struct world *w, unsigned i)
{
    struct mm *mm = w->mm[i] = mm_create();
    size_t bytes = AREA_PAGES * PAGE_SIZE;
    unsigned fixed = MAP_FIXED;

    KEXPECT_EQ(mm_map(mm, PRIVATE_AT, bytes, RW, RWX, MAP_PRIVATE | MAP_ANONYMOUS | fixed, NULL, 0,
                      NULL, NULL),
               PRIVATE_AT);
    KEXPECT_EQ(mm_map(mm, SHARED_AT, bytes, RW, RWX, MAP_SHARED | fixed, w->object, 0, NULL, NULL),
               SHARED_AT);
    KEXPECT_EQ(mm_map(mm, COPY_AT, bytes, RW, RWX, MAP_PRIVATE | fixed, w->object, 0, NULL, NULL),
               COPY_AT);
}

/* Space I becomes a child of another, or begins anew, or goes. */
static void renew(struct world *w, unsigned i)
{
    unsigned parent = dice(w, SPACES);

    if (w->mm[i]) {
        mm_put(w->mm[i]);
        w->mm[i] = NULL;
    } else if (parent != i && w->mm[parent]) {
        w->mm[i] = mm_fork(w->mm[parent]);
        KEXPECT(w->mm[i] && !is_err(w->mm[i]));
    } else {
        make_space(w, i);
    }
}

static void step(struct world *w)
{
    static const uintptr_t areas[] = {PRIVATE_AT, SHARED_AT, COPY_AT};
    unsigned i = dice(w, SPACES), page = dice(w, AREA_PAGES), what = dice(w, 16);
    uintptr_t at = areas[dice(w, 3)] + page * PAGE_SIZE;
    uint8_t byte = 1;

    if (what == 0) {
        renew(w, i);
    } else if (what == 1) {
        vmobject_truncate(w->object, dice(w, AREA_PAGES + 1) * PAGE_SIZE + dice(w, 100));
    } else if (what == 2) {
        vmobject_punch(w->object, page * PAGE_SIZE, (page + 3) * PAGE_SIZE);
    } else if (!w->mm[i]) {
        make_space(w, i);
    } else if (what == 3) {
        (void)mm_advise(w->mm[i], at, 2 * PAGE_SIZE, MADV_DONTNEED);
    } else if (what == 4) {
        (void)mm_remap(w->mm[i], at, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
                       areas[dice(w, 3)] + AREA_PAGES * 2 * PAGE_SIZE);
    } else if (what < 8) {
        (void)!mm_read(w->mm[i], at, &byte, 1);
    } else {
        (void)!mm_write(w->mm[i], at, &byte, 1);
    }
}

KTEST(mm, every_page_is_accounted_for)
{
    struct world w = {.seed = 4711};

    w.object = vmobject_create(AREA_PAGES * PAGE_SIZE);
    w.anon = page_anon_count;
    w.shared = vmobject_total_pages();
    w.mapped = page_mapped_count;
    w.all = accounted(&w);
    for (int n = 0; n < STEPS; n++) {
        step(&w);
        check_books(&w);
        if (n % 20 == 0)
            KEXPECT_EQ(accounted(&w), w.all);
    }
    for (unsigned i = 0; i < SPACES; i++)
        if (w.mm[i])
            mm_put(w.mm[i]);
    vmobject_put(w.object);
    KEXPECT_EQ(page_anon_count, w.anon);
    KEXPECT_EQ(page_mapped_count, w.mapped);
    KEXPECT_EQ(vmobject_total_pages(), w.shared);
}

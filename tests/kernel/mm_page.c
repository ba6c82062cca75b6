/* The page allocator, the slabs and the kernel stacks: what is taken is whole, and comes back. */
#include "tests/kernel/ktest.h"

#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/kstack.h"
#include "mm/page.h"
#include "mm/reclaim.h"
#include "mm/slab.h"
#include "sched/sched.h"
#include "x86/clock.h"

static size_t settled_free_pages(void)
{
    memory_drain();
    return page_free_count();
}

KTEST(page, blocks_are_aligned_and_come_back)
{
    size_t before = settled_free_pages();
    struct page *block[PAGE_MAX_ORDER + 1];
    for (unsigned order = 0; order <= PAGE_MAX_ORDER; order++) {
        block[order] = page_alloc(order, 0);
        KEXPECT(block[order] != NULL);
        if (block[order])
            KEXPECT_EQ(page_to_phys(block[order]) & ((PAGE_SIZE << order) - 1), 0);
    }
    KEXPECT(page_free_count() <= before - ((2UL << PAGE_MAX_ORDER) - 1));
    for (unsigned order = 0; order <= PAGE_MAX_ORDER; order++)
        if (block[order])
            page_put(block[order]);
    KEXPECT_EQ(settled_free_pages(), before);
}

KTEST(page, halves_join_again)
{
    /* All single pages there are, given back in two passes: the largest blocks must exist again. */
    size_t before = settled_free_pages();
    struct page *chain = NULL, *p;
    while ((p = page_alloc(0, ALLOC_USER))) {
        p->owner = chain;
        chain = p;
    }
    KEXPECT(page_alloc(PAGE_MAX_ORDER, ALLOC_USER) == NULL);
    struct page *second = NULL;
    for (unsigned i = 0; chain; i++) {
        p = chain;
        chain = p->owner;
        if (i % 2) {
            p->owner = second;
            second = p;
        } else {
            page_put(p);
        }
    }
    while (second) {
        p = second;
        second = p->owner;
        page_put(p);
    }
    KEXPECT_EQ(settled_free_pages(), before);
    p = page_alloc(PAGE_MAX_ORDER, ALLOC_USER);
    KEXPECT(p != NULL);
    if (p)
        page_put(p);
}

KTEST(page, zeroed_is_zero_and_the_reserve_is_kept)
{
    struct page *p = page_alloc(0, ALLOC_ZERO);
    KEXPECT(p != NULL);
    if (!p)
        return;
    const uint64_t *word = page_to_virt(p);
    uint64_t sum = 0;
    for (size_t i = 0; i < PAGE_SIZE / 8; i++)
        sum |= word[i];
    KEXPECT_EQ(sum, 0);
    page_put(p);

    struct page *chain = NULL;
    while ((p = page_alloc(0, ALLOC_USER))) {
        p->owner = chain;
        chain = p;
    }
    p = page_alloc(0, 0);
    KEXPECT(p != NULL);
    if (p)
        page_put(p);
    while (chain) {
        p = chain;
        chain = p->owner;
        page_put(p);
    }
}

#define CHURN_PAGES 80 /* more than a CPU keeps, so that each round gives some back behind */
#define CHURN_ROUNDS 400

static unsigned churning; /* atomic: threads at it */

static void churn(void *unused)
{
    static struct page *held[MAX_CPUS][CHURN_PAGES];
    struct page **p = held[cpu_id()];

    (void)unused;
    for (int round = 0; round < CHURN_ROUNDS; round++) {
        for (int i = 0; i < CHURN_PAGES; i++)
            p[i] = page_alloc(0, ALLOC_ZERO);
        /* First every other one: its buddy goes back from a cache while this one is looked at. */
        for (int i = 0; i < CHURN_PAGES; i++) {
            int k = i < CHURN_PAGES / 2 ? 2 * i : 2 * (i - CHURN_PAGES / 2) + 1;
            if (p[k])
                page_put(p[k]);
        }
    }
    atomic_sub(&churning, 1);
    sched_exit();
}

/* A page on its way into one CPU's cache is nobody's buddy for another CPU that gives a page back. */
KTEST(page, caches_and_buddies_stay_apart_on_all_cpus)
{
    memory_drain();
    size_t before = page_free_count();

    atomic_store(&churning, (unsigned)num_cpus);
    for (int cpu = 0; cpu < num_cpus; cpu++) {
        struct thread *t = thread_alloc();
        arch_thread_init_kernel(t, churn, NULL);
        sched_set_affinity(t, 1UL << cpu);
        sched_start(t);
    }
    while (atomic_load(&churning) > 0)
        sched_sleep_until(clock_monotonic() + NSEC_PER_MSEC, WAIT_DEAF);
    /* Their stacks are freed by who runs after them. */
    for (int i = 0; i < 1000 && page_free_count() < before; i++) {
        sched_sleep_until(clock_monotonic() + NSEC_PER_MSEC, WAIT_DEAF);
        memory_drain();
    }
    KEXPECT_EQ(page_free_count(), before);
}

KTEST(slab, objects_are_apart_and_aligned)
{
    static struct slab_cache *cache;
    if (!cache)
        cache = slab_cache_create("ktest", 72, 64);
    enum { N = 300 };
    static uint8_t *object[N];
    for (int i = 0; i < N; i++) {
        object[i] = slab_alloc(cache);
        KEXPECT(object[i] != NULL && ((uintptr_t)object[i] & 63) == 0);
        if (object[i])
            memset(object[i], i & 0xff, 72);
    }
    for (int i = 0; i < N; i++)
        KEXPECT(object[i] && object[i][0] == (i & 0xff) && object[i][71] == (i & 0xff));
    for (int i = 0; i < N; i++)
        slab_free(cache, object[i]);
}

struct usage {
    const char *name;
    size_t in_use, pages;
};

static void find_usage(void *ctx, const struct slab_stats *s)
{
    struct usage *u = ctx;
    if (strcmp(s->name, u->name) == 0) {
        u->in_use = s->objects_in_use;
        u->pages = s->pages;
    }
}

KTEST(slab, counts_are_exact_and_draining_frees)
{
    slab_drain();
    struct usage u = {.name = "kmalloc-2048"};
    slab_for_each(find_usage, &u);
    size_t in_use = u.in_use, pages = u.pages;
    void *p[40];
    for (int i = 0; i < 40; i++)
        p[i] = kmalloc(2000);
    slab_for_each(find_usage, &u);
    KEXPECT_EQ(u.in_use, in_use + 40);
    for (int i = 0; i < 40; i++)
        kfree(p[i]);
    slab_for_each(find_usage, &u);
    KEXPECT_EQ(u.in_use, in_use);
    slab_drain();
    slab_for_each(find_usage, &u);
    KEXPECT_EQ(u.pages, pages);
}

KTEST(slab, kmalloc_of_every_size)
{
    size_t before = settled_free_pages();
    for (size_t size = 0; size <= 20000; size += size < 300 ? 1 : 777) {
        char *p = kmalloc(size);
        KEXPECT(p != NULL && ((uintptr_t)p & (size >= 16 ? 15 : 7)) == 0);
        if (p)
            memset(p, 0x11, size);
        kfree(p);
    }
    KEXPECT(kmalloc((PAGE_SIZE << PAGE_MAX_ORDER) + 1) == NULL);
    KEXPECT(kcalloc(SIZE_MAX / 2, 3) == NULL);
    kfree(NULL);
    KEXPECT_EQ(settled_free_pages(), before);
}

KTEST(kstack, stacks_have_guards_and_are_given_back)
{
    size_t before = settled_free_pages();
    enum { N = 100 };
    static char *stack[N];
    for (int i = 0; i < N; i++) {
        stack[i] = kstack_alloc();
        KEXPECT(stack[i] != NULL);
        if (!stack[i])
            continue;
        KEXPECT(kstack_is_guard((uintptr_t)stack[i] - 1));
        KEXPECT(!kstack_is_guard((uintptr_t)stack[i]));
        KEXPECT(!kstack_is_guard((uintptr_t)stack[i] + KSTACK_SIZE - 1));
        memset(stack[i], i, KSTACK_SIZE);
    }
    for (int i = 0; i < N; i++)
        KEXPECT(stack[i] && stack[i][0] == (char)i && stack[i][KSTACK_SIZE - 1] == (char)i);
    for (int i = 0; i < N; i++)
        if (stack[i])
            kstack_free(stack[i]);
    KEXPECT_EQ(settled_free_pages(), before);
}

/*
 * Kernel stacks. The region from KSTACK_BASE is cut into slots of twice a stack's size: the lower
 * half stays unmapped, the upper half is the stack. 64 slots share one leaf page table and one word
 * of the bitmap: a group.
 *
 * Most stacks are taken from the list of kept ones, which are still mapped. Unmapping needs every
 * CPU to flush, and a stack is freed where nobody can wait for that; so it is left to kstack_drain,
 * which does many at once. While that is at work its slots stay marked as used, and a group whose
 * table it takes away altogether is closed, so no CPU can meet a stale translation.
 *
 * kstack_lock guards it all. It ranks above the page allocator's, so pages and tables are taken and
 * freed without it: the slot that was marked as used is the claim.
 */
#include "mm/kstack.h"

#include "lib/assert.h"
#include "mm/page.h"
#include "mm/reclaim.h"
#include "sched/lock.h"
#include "x86/paging.h"
#include "x86/tlb.h"

#define SLOT_SIZE (2 * KSTACK_SIZE)
#define STACK_PAGES (KSTACK_SIZE / PAGE_SIZE)
#define GROUP_SLOTS 64
#define GROUP_SIZE (GROUP_SLOTS * SLOT_SIZE)
#define GROUPS 512 /* 32768 stacks: more than there can be threads */
#define KEPT_MAX 32

_Static_assert(GROUP_SIZE == 512 * PAGE_SIZE, "a group is what one leaf table maps");
_Static_assert(KSTACK_BASE + GROUPS * GROUP_SIZE <= KSTACK_END, "the region holds all groups");

/* A kept stack's first bytes. */
struct kept {
    struct kept *next; /* kstack_lock */
};

static struct spinlock kstack_lock = SPINLOCK_INIT(RANK_KERNEL_MAP, "kernel stacks");
static uint64_t used[GROUPS];     /* kstack_lock: a bit a slot */
static uint64_t draining[GROUPS]; /* kstack_lock: those of them that kstack_drain is unmapping */
static bool closed[GROUPS];       /* kstack_lock: its table is being taken away */
static struct kept *kept;         /* kstack_lock */
static unsigned nkept;            /* kstack_lock */
static bool drain_running;        /* kstack_lock */

static inline uintptr_t slot_address(unsigned slot)
{
    return KSTACK_BASE + slot * SLOT_SIZE;
}
static inline unsigned slot_of(const void *stack)
{
    return (unsigned)(((uintptr_t)stack - KSTACK_BASE) / SLOT_SIZE);
}
static inline uint64_t slot_bit(unsigned slot)
{
    return 1UL << (slot % GROUP_SLOTS);
}

/* Mark a free slot as used; -1 when there is none. */
static int slot_claim(void)
{
    int slot = -1;
    spin_lock(&kstack_lock);
    for (unsigned g = 0; g < GROUPS && slot < 0; g++)
        if (~used[g] && !closed[g])
            slot = (int)(g * GROUP_SLOTS) + __builtin_ctzl(~used[g]);
    if (slot >= 0)
        used[slot / GROUP_SLOTS] |= slot_bit((unsigned)slot);
    spin_unlock(&kstack_lock);
    return slot;
}

/*
 * Unmap the COUNT lowest pages of a stack and free them. FLUSHED pages only: none was ever used, or
 * all CPUs know.
 */
static void free_unused_pages(uintptr_t stack, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        page_put(paging_unmap_kernel_page(stack + i * PAGE_SIZE));
}

static void *map_new_stack(void)
{
    int slot = page_has_room() ? slot_claim() : -1;
    if (slot < 0)
        return NULL;
    uintptr_t stack = slot_address((unsigned)slot) + KSTACK_SIZE;
    for (unsigned i = 0; i < STACK_PAGES; i++) {
        struct page *p = page_alloc(0, ALLOC_USER);
        if (!p || paging_map_kernel_page(stack + i * PAGE_SIZE, p) != 0) {
            if (p)
                page_put(p);
            /* Nobody has touched the stack, so no TLB knows its pages. */
            free_unused_pages(stack, i);
            spin_lock(&kstack_lock);
            used[slot / GROUP_SLOTS] &= ~slot_bit((unsigned)slot);
            spin_unlock(&kstack_lock);
            return NULL;
        }
    }
    return (void *)stack;
}

void *kstack_alloc(void)
{
    spin_lock(&kstack_lock);
    struct kept *k = kept;
    if (k) {
        kept = k->next;
        nkept--;
    }
    bool too_many = nkept > KEPT_MAX;
    spin_unlock(&kstack_lock);
    if (too_many && irqs_enabled())
        kstack_drain();
    return k ? k : map_new_stack();
}

void kstack_free(void *stack)
{
    struct kept *k = stack;
    spin_lock(&kstack_lock);
    k->next = kept;
    kept = k;
    nkept++;
    spin_unlock(&kstack_lock);
}

bool kstack_is_guard(uintptr_t addr)
{
    return addr >= KSTACK_BASE && addr < KSTACK_BASE + GROUPS * GROUP_SIZE &&
           (addr - KSTACK_BASE) % SLOT_SIZE < KSTACK_SIZE;
}

/* --- giving kept stacks back --- */

/*
 * Mark the slots of all kept stacks; close the groups in which nothing else is used. False: nothing
 * to do.
 */
static bool drain_begin(struct kept **list)
{
    spin_lock(&kstack_lock);
    bool work = kept && !drain_running;
    if (work) {
        drain_running = true;
        *list = kept;
        kept = NULL;
        nkept = 0;
        for (struct kept *k = *list; k; k = k->next)
            draining[slot_of(k) / GROUP_SLOTS] |= slot_bit(slot_of(k));
        for (unsigned g = 0; g < GROUPS; g++)
            closed[g] = used[g] && used[g] == draining[g];
    }
    spin_unlock(&kstack_lock);
    return work;
}

static void drain_end(void)
{
    spin_lock(&kstack_lock);
    for (unsigned g = 0; g < GROUPS; g++) {
        used[g] &= ~draining[g];
        draining[g] = 0;
        closed[g] = false;
    }
    drain_running = false;
    spin_unlock(&kstack_lock);
}

void kstack_drain(void)
{
    struct kept *list = NULL;
    if (!drain_begin(&list))
        return;

    struct list pages = LIST_INIT(pages);
    while (list) {
        uintptr_t stack = (uintptr_t)list;
        list = list->next;
        for (unsigned i = 0; i < STACK_PAGES; i++)
            list_push_back(&pages, &paging_unmap_kernel_page(stack + i * PAGE_SIZE)->link);
    }
    for (unsigned g = 0; g < GROUPS; g++) {
        /* Set by us alone, and only we clear it. */
        struct page *table =
            closed[g] ? paging_detach_kernel_table(KSTACK_BASE + g * GROUP_SIZE) : NULL;
        if (table)
            list_push_back(&pages, &table->link);
    }
    tlb_flush_kernel(KSTACK_BASE, KSTACK_BASE + GROUPS * GROUP_SIZE);
    drain_end();

    while (!list_empty(&pages)) {
        struct page *p = list_entry(pages.next, struct page, link);
        list_remove(&p->link);
        page_put(p);
    }
}

/*
 * The tree of areas against a plain array of pages: random mappings, removals, changes of
 * protection and searches for holes, with all that the tree claims (order, gaps, totals, merges)
 * checked after each.
 */
#include "kernel/lib/tree.c"
#include "kernel/mm/vma.c"

/* The host's headers would say again what kernel/abi/ has said. */
int printf(const char *format, ...);
_Noreturn void exit(int status);
void *calloc(size_t n, size_t size);
void free(void *p);
int rand(void);
void srand(unsigned seed);

#define PAGES 600
#define BASE 0x100000UL
#define ROUNDS 30000

static unsigned model[PAGES]; /* 0: free, else 1 + prot */

struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align)
{
    (void)name, (void)size, (void)align;
    return NULL;
}
void *slab_zalloc(struct slab_cache *c)
{
    (void)c;
    return calloc(1, sizeof(struct vma));
}
void slab_free(struct slab_cache *c, void *obj)
{
    (void)c;
    free(obj);
}
void vmobject_put(struct vmobject *o)
{
    (void)o;
}
void file_put(struct file *f)
{
    (void)f;
}
void cpu_answer_calls(void) {}
void spin_lock_contended(struct spinlock *l)
{
    (void)l;
}
void mutex_lock_contended(struct mutex *m)
{
    (void)m;
}
void mutex_unlock_contended(struct mutex *m)
{
    (void)m;
}

_Noreturn void panic(const char *format, ...)
{
    printf("not ok - %s\n", format);
    exit(1);
}

static void need(int condition, const char *what)
{
    if (!condition) {
        printf("not ok - %s\n", what);
        exit(1);
    }
}

static uintptr_t address(unsigned page)
{
    return BASE + page * PAGE_SIZE;
}

static uintptr_t check_subtree(const struct tree_node *n)
{
    if (!n)
        return 0;
    const struct vma *v = area_of(n);
    uintptr_t gap = v->gap, left = check_subtree(n->left), right = check_subtree(n->right);
    gap = left > gap ? left : gap;
    gap = right > gap ? right : gap;
    need(v->max_gap == gap, "max_gap is the largest gap below");
    return gap;
}

static void check_all(struct mm *mm)
{
    size_t mapped = 0, count = 0, data = 0;
    uintptr_t end = 0;
    unsigned page = 0;
    for (struct vma *v = vma_first(mm); v; v = vma_next(v)) {
        need(v->start < v->end && v->start >= end, "areas are in order");
        need(v->gap == v->start - end, "the gap is the hole before");
        need(!(count && v->start == end && vma_prev(v)->prot == v->prot),
             "neighbours alike are one");
        for (; page < PAGES && address(page) < v->start; page++)
            need(model[page] == 0, "a free page is in no area");
        for (; page < PAGES && address(page) < v->end; page++)
            need(model[page] == 1 + v->prot, "a mapped page has its protection");
        mapped += vma_pages(v);
        data += v->prot & PROT_WRITE ? vma_pages(v) : 0;
        count++;
        end = v->end;
    }
    for (; page < PAGES; page++)
        need(model[page] == 0, "a free page is in no area");
    need(mm->pages_mapped == mapped && mm->nareas == count && mm->pages_data == data, "totals");
    check_subtree(mm->areas.root);
}

static void map_pages(struct mm *mm, unsigned page, unsigned n, unsigned prot)
{
    struct vma *v = vma_alloc(mm);
    v->start = address(page);
    v->end = address(page + n);
    v->prot = prot;
    vma_insert(mm, v);
    vma_merge(mm, v);
    for (unsigned i = page; i < page + n; i++)
        model[i] = 1 + prot;
}

static void unmap_pages(struct mm *mm, unsigned page, unsigned n)
{
    need(vma_split_at(mm, address(page)) == 0 && vma_split_at(mm, address(page + n)) == 0, "split");
    struct vma *next;
    for (struct vma *v = mm_find(mm, address(page)); v && v->start < address(page + n); v = next) {
        next = vma_next(v);
        vma_remove(mm, v);
    }
    memset(model + page, 0, n * sizeof(*model));
}

static void protect_pages(struct mm *mm, unsigned page, unsigned n, unsigned prot)
{
    need(vma_split_at(mm, address(page)) == 0 && vma_split_at(mm, address(page + n)) == 0, "split");
    for (struct vma *v = mm_find(mm, address(page)); v && v->start < address(page + n);) {
        vma_change(mm, v, prot, v->flags);
        v = vma_next(vma_merge(mm, v));
    }
    for (unsigned i = page; i < page + n; i++)
        if (model[i])
            model[i] = 1 + prot;
    /* The border above may have become one with what follows. */
    struct vma *above = mm_find(mm, address(page + n));
    if (above)
        vma_merge(mm, above);
}

/* The highest place for N pages in [low, high), by looking at each. */
static uintptr_t search_model(unsigned n, unsigned low, unsigned high)
{
    unsigned run = 0;
    for (unsigned i = high; i-- > low;) {
        run = model[i] ? 0 : run + 1;
        if (run == n)
            return address(i);
    }
    return 0;
}

static void bury_dead(struct mm *mm)
{
    while (!list_empty(&mm->dead)) {
        struct vma *v = list_entry(mm->dead.next, struct vma, object_link);
        list_remove(&v->object_link);
        vma_free(v);
    }
}

int main(void)
{
    static struct mm mm;

    vma_tree_init(&mm);
    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        unsigned page = (unsigned)rand() % PAGES, n = 1 + (unsigned)rand() % 12;
        n = page + n > PAGES ? PAGES - page : n;
        unsigned prot = (unsigned)rand() % 4;
        unsigned low = (unsigned)rand() % PAGES, high = low + (unsigned)rand() % (PAGES - low + 1);
        uintptr_t hole = vma_find_hole(&mm, n * PAGE_SIZE, address(low), address(high));
        need(hole == search_model(n, low, high), "the highest hole is found");
        switch (rand() % 3) {
        case 0: unmap_pages(&mm, page, n); break;
        case 1: protect_pages(&mm, page, n, prot); break;
        default: unmap_pages(&mm, page, n); map_pages(&mm, page, n, prot);
        }
        bury_dead(&mm);
        check_all(&mm);
    }
    unmap_pages(&mm, 0, PAGES);
    bury_dead(&mm);
    need(mm.nareas == 0 && mm.pages_mapped == 0 && !mm.areas.root, "all is gone");
    printf("ok - vma\n");
    return 0;
}

/*
 * The tree of areas. Areas don't overlap and are ordered by address. Each knows the size of the
 * hole before it, and the tree carries the largest such hole of every subtree upwards, so that a
 * place for a new area is found without visiting all. Below a stack the hole counts STACK_GUARD_GAP
 * less than it is: what grows down is not built against.
 *
 * mm->lock guards it. An object's list of areas, and the bounds of the areas on it, are changed
 * under the object's lock as well, because a truncation reads them with that lock alone.
 */
#include "mm/vma.h"

#include "fs/file.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/slab.h"

static struct slab_cache *vma_cache; /* const after init */

void vma_init(void)
{
    vma_cache = slab_cache_create("vma", sizeof(struct vma), 0);
}

static inline struct vma *area_of(const struct tree_node *n)
{
    return tree_entry(n, struct vma, node);
}

/* --- allocation and references --- */

struct vma *vma_alloc(struct mm *mm)
{
    struct vma *v = slab_zalloc(vma_cache);
    if (!v)
        return NULL;
    v->mm = mm;
    list_init(&v->object_link);
    return v;
}

void vma_free(struct vma *v)
{
    if (v->object) {
        if (v->object->ops)
            v->object->ops->detached(v->object);
        vmobject_put(v->object);
    }
    if (v->file)
        file_put(v->file);
    slab_free(vma_cache, v);
}

void mm_lock(struct mm *mm)
{
    mutex_lock(&mm->lock);
}

void mm_unlock(struct mm *mm)
{
    if (likely(list_empty(&mm->dead))) {
        mutex_unlock(&mm->lock);
        return;
    }
    struct list dead = LIST_INIT(dead);
    list_splice_back(&dead, &mm->dead);
    mutex_unlock(&mm->lock);
    while (!list_empty(&dead)) {
        struct vma *v = list_entry(dead.next, struct vma, object_link);
        list_remove(&v->object_link);
        vma_free(v);
    }
}

/* --- gaps and totals --- */

static bool update_max_gap(struct tree_node *n)
{
    struct vma *v = area_of(n);
    uintptr_t gap = v->gap;
    if (n->left)
        gap = max(gap, area_of(n->left)->max_gap);
    if (n->right)
        gap = max(gap, area_of(n->right)->max_gap);
    bool changed = v->max_gap != gap;
    v->max_gap = gap;
    return changed;
}

/* Where the hole before V ends for others. */
static uintptr_t hole_end(const struct vma *v)
{
    if (!(v->flags & VMA_GROWSDOWN))
        return v->start;
    return v->start > STACK_GUARD_GAP ? v->start - STACK_GUARD_GAP : 0;
}

void vma_tree_init(struct mm *mm)
{
    mm->areas.root = NULL;
    mm->areas.update = update_max_gap;
    list_init(&mm->dead);
}

/* The hole before V, whose predecessor is PREV, has changed. */
static void set_gap(struct vma *v, const struct vma *prev)
{
    uintptr_t from = prev ? prev->end : 0;
    uintptr_t to = hole_end(v);
    v->gap = to > from ? to - from : 0;
}

static void gap_changed(struct vma *v)
{
    set_gap(v, vma_prev(v));
    tree_propagate(&v->mm->areas, &v->node);
}

static void count_pages(struct mm *mm, const struct vma *v, ssize_t pages)
{
    mm->pages_mapped += (size_t)pages;
    if (v->flags & VMA_LOCKED)
        mm->pages_locked += (size_t)pages;
    if (vma_is_data(v->prot, v->flags))
        mm->pages_data += (size_t)pages;
}

/* --- the object's list --- */

static bool counts_as_writable(const struct vma *v)
{
    return (v->flags & VMA_SHARED) && (v->max_prot & PROT_WRITE);
}

static void object_link(struct vma *v)
{ /* LAB shm:link begin */
    if (!v->object)
        return;
    spin_lock(&v->object->lock);
    list_push_back(&v->object->areas, &v->object_link);
    v->object->nareas++;
    v->object->writable_maps += counts_as_writable(v);
    spin_unlock(&v->object->lock);
} /* LAB shm:link end */

static void object_unlink(struct vma *v)
{ /* LAB shm:unlink begin */
    if (!v->object)
        return;
    spin_lock(&v->object->lock);
    list_remove(&v->object_link);
    v->object->nareas--;
    v->object->writable_maps -= counts_as_writable(v);
    spin_unlock(&v->object->lock);
} /* LAB shm:unlink end */

static void set_bounds(struct vma *v, uintptr_t start, uintptr_t end)
{
    if (v->object)
        spin_lock(&v->object->lock);
    v->offset += start - v->start; /* wraps both ways: start may move down */
    v->start = start;
    v->end = end;
    if (v->object)
        spin_unlock(&v->object->lock);
}

/* --- the tree --- */

struct vma *mm_find(struct mm *mm, uintptr_t addr)
{
    struct vma *found = mm->cached;
    if (found && found->start <= addr && addr < found->end)
        return found;
    found = NULL;
    for (struct tree_node *n = mm->areas.root; n;) {
        struct vma *v = area_of(n);
        if (addr >= v->end) {
            n = n->right;
            continue;
        }
        found = v;
        if (addr >= v->start)
            break;
        n = n->left;
    }
    if (found)
        mm->cached = found;
    return found;
}

void vma_insert(struct mm *mm, struct vma *v)
{
    struct tree_node *parent = NULL, **link = &mm->areas.root;
    struct vma *prev = NULL, *next = NULL;
    while (*link) {
        parent = *link;
        struct vma *at = area_of(parent);
        assert(v->end <= at->start || v->start >= at->end);
        if (v->start < at->start) {
            next = at;
            link = &parent->left;
        } else {
            prev = at;
            link = &parent->right;
        }
    }
    set_gap(v, prev);
    tree_link(&mm->areas, &v->node, parent, link);
    if (next)
        gap_changed(next);
    mm->nareas++;
    count_pages(mm, v, (ssize_t)vma_pages(v));
    object_link(v);
}

void vma_append(struct mm *mm, struct vma *v, struct vma *last)
{
    assert(!last || last->end <= v->start);
    set_gap(v, last);
    tree_link(&mm->areas, &v->node, last ? &last->node : NULL,
              last ? &last->node.right : &mm->areas.root);
    mm->nareas++;
    count_pages(mm, v, (ssize_t)vma_pages(v));
    object_link(v);
}

void vma_bury(struct mm *mm, struct vma *v)
{
    object_unlink(v);
    count_pages(mm, v, -(ssize_t)vma_pages(v));
    mm->nareas--;
    list_push_back(&mm->dead, &v->object_link);
}

void vma_remove(struct mm *mm, struct vma *v)
{
    struct vma *next = vma_next(v);
    tree_remove(&mm->areas, &v->node);
    mm->cached = NULL;
    if (next)
        gap_changed(next);
    vma_bury(mm, v);
}

void vma_resize(struct mm *mm, struct vma *v, uintptr_t start, uintptr_t end)
{
    assert(start < end);
    count_pages(mm, v, -(ssize_t)vma_pages(v));
    bool end_moves = end != v->end;
    set_bounds(v, start, end);
    count_pages(mm, v, (ssize_t)vma_pages(v));
    gap_changed(v);
    struct vma *next = end_moves ? vma_next(v) : NULL;
    if (next)
        gap_changed(next);
}

void vma_change(struct mm *mm, struct vma *v, unsigned prot, unsigned flags)
{
    count_pages(mm, v, -(ssize_t)vma_pages(v));
    v->prot = prot;
    v->flags = flags;
    count_pages(mm, v, (ssize_t)vma_pages(v));
}

/* --- splitting and merging --- */

struct vma *vma_copy(struct mm *mm, const struct vma *v)
{
    struct vma *copy = vma_alloc(mm);
    if (!copy)
        return NULL;
    copy->start = v->start;
    copy->end = v->end;
    copy->prot = v->prot;
    copy->max_prot = v->max_prot;
    copy->flags = v->flags;
    copy->offset = v->offset;
    copy->name = v->name;
    copy->object = v->object;
    copy->file = v->file;
    if (copy->object) { /* LAB shm:copy begin */
        vmobject_get(copy->object);
        if (copy->object->ops)
            copy->object->ops->attached(copy->object);
    } /* LAB shm:copy end */
    if (copy->file)
        file_get(copy->file);
    return copy;
}

struct vma *vma_split(struct mm *mm, struct vma *v, uintptr_t addr)
{
    assert(v->start < addr && addr < v->end);
    if (mm->nareas >= MAX_AREAS)
        return err_ptr(-ENOMEM);
    struct vma *upper = vma_copy(mm, v);
    if (!upper)
        return err_ptr(-ENOMEM);
    upper->offset += addr - v->start;
    upper->start = addr;
    /*
     * For a moment nothing on the object's list covers the upper part: no truncation may fall in
     * between.
     */
    if (v->object)
        spin_lock(&v->object->lock);
    v->end = addr;
    if (v->object) {
        list_insert_after(&v->object_link, &upper->object_link); /* LAB shm:split begin */
        v->object->nareas++;
        v->object->writable_maps += counts_as_writable(upper); /* LAB shm:split end */
        spin_unlock(&v->object->lock);
    }
    set_gap(upper, v);
    struct tree_node *parent = &v->node, **link = &v->node.right;
    while (*link) {
        parent = *link;
        link = &parent->left;
    }
    tree_link(&mm->areas, &upper->node, parent, link);
    mm->nareas++;
    return upper;
}

int vma_split_at(struct mm *mm, uintptr_t addr)
{
    struct vma *v = mm_find(mm, addr);
    if (!v || addr <= v->start)
        return 0;
    struct vma *upper = vma_split(mm, v, addr);
    return is_err(upper) ? (int)ptr_err(upper) : 0;
}

/* Areas whose number somebody counts stay as many as they were made: shmctl tells it as on Linux. */
static bool can_merge(const struct vma *low, const struct vma *high)
{
    if (low->object && low->object->ops)
        return false;
    return low->end == high->start && low->prot == high->prot &&
           !((low->flags ^ high->flags) & ~VMA_HAS_PRIVATE) && low->max_prot == high->max_prot &&
           low->object == high->object && low->file == high->file && low->name == high->name &&
           (!low->object || low->offset + (low->end - low->start) == high->offset);
}

/*
 * LOW takes over HIGH's range. First it grows, then HIGH goes: what both cover is only cleared
 * twice.
 */
static struct vma *absorb(struct mm *mm, struct vma *low, struct vma *high)
{
    uintptr_t end = high->end;
    set_bounds(low, low->start, end);
    low->flags |= high->flags;
    object_unlink(high);
    tree_remove(&mm->areas, &high->node);
    mm->nareas--;
    mm->cached = low;
    struct vma *next = vma_next(low);
    if (next)
        gap_changed(next);
    list_push_back(&mm->dead, &high->object_link);
    return low;
}

struct vma *vma_merge(struct mm *mm, struct vma *v)
{
    struct vma *prev = vma_prev(v);
    if (prev && can_merge(prev, v))
        v = absorb(mm, prev, v);
    struct vma *next = vma_next(v);
    if (next && can_merge(v, next))
        v = absorb(mm, v, next);
    return v;
}

/* --- holes --- */

/* The highest place in the holes before the areas below N, clipped to [LOW, HIGH). */
static uintptr_t search_below(struct tree_node *n, size_t len, uintptr_t low, uintptr_t high)
{
    while (n) {
        struct vma *v = area_of(n);
        if (v->max_gap < len)
            return 0;
        /* The holes to the right lie above this area. */
        if (v->end < high) {
            uintptr_t found = search_below(n->right, len, low, high);
            if (found)
                return found;
        }
        uintptr_t end = min(hole_end(v), high);
        uintptr_t start = max(hole_end(v) - v->gap, low);
        if (v->gap >= len && end > start && end - start >= len)
            return end - len;
        if (v->start <= low)
            return 0;
        n = n->left;
    }
    return 0;
}

uintptr_t vma_find_hole(struct mm *mm, size_t len, uintptr_t low, uintptr_t high)
{
    if (low >= high || len > high - low)
        return 0;
    struct tree_node *n = tree_last(&mm->areas);
    uintptr_t start = max(n ? area_of(n)->end : 0, low);
    if (start < high && high - start >= len)
        return high - len; /* above everything */
    return search_below(mm->areas.root, len, low, high);
}

bool vma_range_is_free(struct mm *mm, uintptr_t start, uintptr_t end)
{
    struct vma *v = mm_find(mm, start);
    return !v || end <= hole_end(v);
}

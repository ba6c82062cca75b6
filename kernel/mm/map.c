/*
 * Placing areas and removing them: the bodies of mmap, munmap and brk.
 *
 * A place is searched downwards from mmap_top, so that the heap below and the stack above have
 * room. A hint is honoured when the range is free. MAP_FIXED takes what it is told, unmapping what
 * was there, after everything that could fail has been tried.
 */
#include "lib/assert.h"
#include "lib/string.h"
#include "fs/file.h"
#include "mm/pages.h"
#include "mm/reclaim.h"
#include "mm/vma.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "sched/thread.h"
#include "x86/uaccess.h"

#define LOW_2G_START 0x40000000UL /* MAP_32BIT maps between these */
#define LOW_2G_END 0x80000000UL

/* What mm_map was asked for, on its way through the checks. */
struct request {
    uintptr_t addr; /* hint, or place */
    size_t len;
    unsigned prot, max_prot;
    unsigned map_flags; /* MAP_* */
    unsigned vma_flags; /* VMA_* */
    struct vmobject *object;
    uint64_t offset;
    struct file *file;
    const char *name;
};

static bool is_fixed(unsigned map_flags)
{
    return map_flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
}

/* --- where --- */

static long place_fixed(struct mm *mm, const struct request *r)
{
    if (r->addr & (PAGE_SIZE - 1))
        return -EINVAL;
    if (r->addr > USER_END - r->len)
        return -ENOMEM;
    if (r->addr < MMAP_MIN_ADDR && !capable(CAP_SYS_RAWIO))
        return -EPERM;
    if (r->map_flags & MAP_FIXED_NOREPLACE) {
        struct vma *v = mm_find(mm, r->addr);
        if (v && v->start < r->addr + r->len)
            return -EEXIST;
    }
    return (long)r->addr;
}

/* The address for the request, which lies in no area unless MAP_FIXED said so; or -errno. */
static long find_place(struct mm *mm, const struct request *r)
{
    if (r->len > USER_END)
        return -ENOMEM;
    if (is_fixed(r->map_flags))
        return place_fixed(mm, r);
    uintptr_t hint = ALIGN_DOWN(r->addr, PAGE_SIZE);
    if (hint) {
        hint = max(hint, MMAP_MIN_ADDR);
        if (hint <= USER_END - r->len && vma_range_is_free(mm, hint, hint + r->len))
            return (long)hint;
    }
    uintptr_t at;
    if (r->map_flags & MAP_32BIT) {
        at = vma_find_hole(mm, r->len, LOW_2G_START, LOW_2G_END);
        return at ? (long)at : -ENOMEM;
    }
    at = vma_find_hole(mm, r->len, MMAP_MIN_ADDR, mm->mmap_top);
    if (!at)
        at = vma_find_hole(mm, r->len, mm->mmap_top, USER_END);
    return at ? (long)at : -ENOMEM;
}

long mm_find_place(struct mm *mm, uintptr_t hint, size_t len)
{
    struct request r = {.addr = hint, .len = len};
    return find_place(mm, &r);
}

/* --- whether --- */

/* A single request for more than there could ever be, in memory that must exist, is refused. */
bool mm_overcommits(size_t pages, unsigned prot, unsigned vma_flags, bool object)
{
    bool needs_memory = vma_is_data(prot, vma_flags) || ((vma_flags & VMA_SHARED) && !object);
    return needs_memory && !(vma_flags & VMA_NORESERVE) && pages > page_total();
}

/* How many pages of [start, end) are mapped, and of those how many count as data. */
static size_t mapped_pages(struct mm *mm, uintptr_t start, uintptr_t end, size_t *data)
{
    size_t pages = 0;
    *data = 0;
    for (struct vma *v = mm_find(mm, start); v && v->start < end; v = vma_next(v)) {
        size_t n = (min(v->end, end) - max(v->start, start)) >> PAGE_SHIFT;
        pages += n;
        *data += vma_is_data(v->prot, v->flags) ? n : 0;
    }
    return pages;
}

static int check_limits(struct mm *mm, const struct request *r, uintptr_t at)
{
    size_t pages = r->len >> PAGE_SHIFT;
    if (mm->nareas >= MAX_AREAS)
        return -ENOMEM;
    if (r->vma_flags & VMA_LOCKED) {
        if (proc_rlimit(RLIMIT_MEMLOCK) == 0 && !capable(CAP_IPC_LOCK))
            return r->map_flags & MAP_LOCKED ? -EPERM : -EAGAIN;
        if (!mm_may_lock(mm, pages))
            return -EAGAIN;
    }
    size_t old_data = 0, old = 0;
    if (r->map_flags & MAP_FIXED)
        old = mapped_pages(mm, at, at + r->len, &old_data);
    if (pages > old && !mm_may_grow(mm, pages - old))
        return -ENOMEM;
    if (vma_is_data(r->prot, r->vma_flags) && pages > old_data &&
        !mm_may_grow_data(mm, pages - old_data))
        return -ENOMEM;
    if (mm_overcommits(pages, r->prot, r->vma_flags, r->object))
        return -ENOMEM;
    return 0;
}

/* --- mapping --- */

static struct vma *make_area(struct mm *mm, const struct request *r)
{
    struct vma *v = vma_alloc(mm);
    if (!v)
        return NULL;
    v->prot = r->prot;
    v->max_prot = r->max_prot;
    v->flags = r->vma_flags;
    v->name = r->name;
    v->object = r->object;
    v->offset = r->object ? r->offset : 0;
    v->file = r->file;
    if (v->object)
        vmobject_get(v->object);
    else if (r->vma_flags & VMA_SHARED)
        v->object = vmobject_create(r->len);
    if (v->file)
        file_get(v->file);
    if ((r->vma_flags & VMA_SHARED) && !v->object) {
        vma_free(v);
        return NULL;
    }
    return v;
}

static long map_locked(struct mm *mm, struct request *r)
{
    r->vma_flags |= mm->default_flags;
    long at = find_place(mm, r);
    if (at < 0)
        return at;
    int error = check_limits(mm, r, (uintptr_t)at);
    if (error)
        return error;
    struct vma *v = make_area(mm, r);
    if (!v)
        return -ENOMEM;
    error =
        r->map_flags & MAP_FIXED ? mm_unmap_locked(mm, (uintptr_t)at, (uintptr_t)at + r->len) : 0;
    if (error) {
        list_push_back(&mm->dead, &v->object_link); /* its references are put by mm_unlock */
        return error;
    }
    v->start = (uintptr_t)at;
    v->end = v->start + r->len;
    vma_insert(mm, v);
    vma_merge(mm, v);
    return at;
}

static unsigned vma_flags_of(unsigned map_flags)
{
    unsigned type = map_flags & MAP_TYPE;
    return (type == MAP_SHARED || type == MAP_SHARED_VALIDATE ? VMA_SHARED : 0) |
           (map_flags & MAP_GROWSDOWN ? VMA_GROWSDOWN : 0) |
           (map_flags & MAP_LOCKED ? VMA_LOCKED : 0) |
           (map_flags & MAP_NORESERVE ? VMA_NORESERVE : 0);
}

long mm_map(struct mm *mm, uintptr_t addr, size_t len, unsigned prot, unsigned max_prot,
            unsigned flags, struct vmobject *object, uint64_t offset, struct file *file,
            const char *name)
{
    struct request r = {
        .addr = addr,
        .len = ALIGN_UP(len, PAGE_SIZE),
        .prot = prot & (PROT_READ | PROT_WRITE | PROT_EXEC),
        .max_prot = max_prot,
        .map_flags = flags,
        .vma_flags = vma_flags_of(flags),
        .object = object,
        .offset = offset,
        .file = file,
        .name = name,
    };
    if (len == 0 || (offset & (PAGE_SIZE - 1)))
        return -EINVAL;
    if (r.len == 0)
        return -ENOMEM;
    if (object && offset + r.len < offset)
        return -EOVERFLOW;

    mm_lock(mm);
    long at = map_locked(mm, &r);
    mm_unlock(mm);
    bool populate = (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE ||
                    (r.vma_flags & (VMA_LOCKED | VMA_LOCKONFAULT)) == VMA_LOCKED;
    if (at >= 0 && populate)
        (void)mm_populate(mm, (uintptr_t)at, r.len); /* as Linux: mmap itself has succeeded */
    return at;
}

/* --- unmapping --- */

int mm_unmap_locked(struct mm *mm, uintptr_t start, uintptr_t end)
{
    struct vma *v = mm_find(mm, start);
    if (!v || v->start >= end)
        return 0;
    int error = vma_split_at(mm, start);
    if (!error)
        error = vma_split_at(mm, end);
    if (error)
        return error;
    pages_unmap(mm, start, end);
    struct vma *next;
    for (v = mm_find(mm, start); v && v->start < end; v = next) {
        next = vma_next(v);
        vma_remove(mm, v);
    }
    return 0;
}

int mm_unmap(struct mm *mm, uintptr_t addr, size_t len)
{
    if ((addr & (PAGE_SIZE - 1)) || addr > USER_END || len > USER_END - addr)
        return -EINVAL;
    len = ALIGN_UP(len, PAGE_SIZE);
    if (len == 0)
        return -EINVAL;
    mm_lock(mm);
    int error = mm_unmap_locked(mm, addr, addr + len);
    mm_unlock(mm);
    return error;
} /* LAB shm:detach begin */

/* Does V show the part of an object that lies there when ADDR is the object's start? */
static bool is_part(const struct vma *v, uintptr_t addr)
{
    return v->start >= addr && v->start - addr == v->offset;
}

int mm_detach(struct mm *mm, uintptr_t addr, const struct vmobject_ops *ops)
{
    int error = -EINVAL;
    mm_lock(mm);
    struct vma *v = mm_find(mm, addr);
    while (v && !(v->object && v->object->ops == ops && is_part(v, addr)))
        v = vma_next(v);
    if (v) {
        struct vmobject *o = v->object;
        uintptr_t end = addr + ALIGN_UP(o->size, PAGE_SIZE);
        struct vma *next;
        for (error = 0; v && v->start < end && !error; v = next) {
            next = vma_next(v);
            if (v->object == o && is_part(v, addr))
                error = mm_unmap_locked(mm, v->start, v->end);
        }
    }
    mm_unlock(mm);
    return error;
}

/* --- the break --- */ /* LAB shm:detach end */

static int grow_break(struct mm *mm, uintptr_t old_end, uintptr_t new_end)
{
    struct request r = {
        .addr = old_end,
        .len = new_end - old_end,
        .prot = PROT_READ | PROT_WRITE,
        .max_prot = PROT_READ | PROT_WRITE | PROT_EXEC,
        .map_flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
        .name = "[heap]",
    };
    /* A page stays free between the heap and what is above it. */
    if (new_end > USER_END - PAGE_SIZE || !vma_range_is_free(mm, old_end, new_end + PAGE_SIZE))
        return -ENOMEM;
    long at = map_locked(mm, &r);
    return at < 0 ? (int)at : 0;
}

/* Is the data segment, with the heap up to BRK, within RLIMIT_DATA? */
static bool break_within_limit(const struct mm *mm, uintptr_t brk)
{
    uint64_t limit = proc_rlimit(RLIMIT_DATA);
    uint64_t data = mm->data_end - mm->data_start;
    return limit == RLIM_INFINITY || (data <= limit && brk - mm->brk_start <= limit - data);
}

long mm_brk(struct mm *mm, uintptr_t brk)
{
    mm_lock(mm);
    uintptr_t old = mm->brk;
    bool populate = false;
    if (brk >= mm->brk_start && brk < USER_END && break_within_limit(mm, brk)) {
        uintptr_t old_end = ALIGN_UP(old, PAGE_SIZE), new_end = ALIGN_UP(brk, PAGE_SIZE);
        int error = 0;
        if (new_end < old_end)
            error = mm_unmap_locked(mm, new_end, old_end);
        else if (new_end > old_end)
            error = grow_break(mm, old_end, new_end);
        if (!error)
            mm->brk = brk;
        populate = !error && new_end > old_end &&
                   (mm->default_flags & (VMA_LOCKED | VMA_LOCKONFAULT)) == VMA_LOCKED;
    }
    brk = mm->brk;
    mm_unlock(mm);
    if (populate)
        (void)mm_populate(mm, ALIGN_UP(old, PAGE_SIZE),
                          ALIGN_UP(brk, PAGE_SIZE) - ALIGN_UP(old, PAGE_SIZE));
    return (long)brk;
}

/* --- bringing pages in --- */

/*
 * Pages of V in [*ADDR, END), as a read or, for private memory that can be written, a write would.
 * mm->lock held.
 */
static int populate_area(struct mm *mm, struct vma *v, uintptr_t *addr, uintptr_t end)
{
    if (!(v->prot & (PROT_READ | PROT_WRITE | PROT_EXEC)))
        return -EFAULT;
    bool write = (v->prot & PROT_WRITE) && !(v->flags & VMA_SHARED);
    for (; *addr < end; *addr += PAGE_SIZE) {
        if (fatal_pending(current))
            return -EINTR;
        int error = page_resolve(mm, v, *addr, write);
        if (error)
            return error;
    }
    return 0;
}

int mm_populate(struct mm *mm, uintptr_t addr, size_t len)
{
    uintptr_t end = addr + len;
    int error = 0;
    unsigned tries = 0;
    while (addr < end && !error) {
        mm_lock(mm);
        struct vma *v = mm_find(mm, addr);
        if (!v || v->start > addr)
            error = -EFAULT;
        else
            error = populate_area(mm, v, &addr, min(v->end, end));
        mm_unlock(mm);
        if (error == -ENOMEM && memory_make_room(&tries))
            error = 0;
    }
    return error;
}

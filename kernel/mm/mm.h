/*
 * An address space: a balanced tree of areas (vma), each a range of pages with one protection and
 * one source, and the page table that caches what they resolve to. Nothing is in the page table
 * that can't be found again from the areas, but private pages: those live there alone.
 *
 * mm->lock (mutex) guards the tree, the areas and the page table's structure; a fault takes it too.
 * Page-table entries may also be cleared by vmobject_truncate, under the object's lock and pt_lock;
 * so the bounds of an area with an object are changed under the object's lock too.
 *
 * What a removed area holds (its object, its file) is put only after mm->lock has been dropped,
 * because the last reference to a file may take locks that come before it.
 */
#pragma once

#include "lib/atomic.h"
#include "lib/tree.h"
#include "lib/types.h"
#include "mm/vmobject.h"
#include "sched/lock.h"
#include "x86/cpu.h"

struct file;

struct vma {
    struct tree_node node; /* mm->lock */
    uintptr_t start, end;  /* mm->lock: page aligned, [start, end) */
    uintptr_t gap;         /* mm->lock: size of the hole before it that mmap may use */
    uintptr_t max_gap;     /* mm->lock: the largest such of this subtree */
    uint32_t prot;         /* mm->lock: PROT_* */
    uint32_t max_prot; /* mm->lock: what mprotect may grant (a shared map of a read-only file) */
    uint32_t flags;    /* mm->lock: VMA_* */
    struct mm *mm;     /* const */
    struct vmobject *object; /* const; NULL: anonymous private memory. A reference is held */
    uint64_t offset;         /* mm->lock: of start within the object, bytes, page aligned */
    struct file *file;       /* const; for /proc/PID/maps; NULL when none. A reference is held */
    const char *name;        /* const: "[stack]", "[heap]" or NULL */
    struct list object_link; /* object->lock; once removed from the tree: mm->lock, on mm->dead */
};

#define VMA_SHARED 1u
#define VMA_GROWSDOWN 2u
#define VMA_LOCKED 4u
#define VMA_NORESERVE 8u
#define VMA_DONTFORK 16u
#define VMA_WIPEONFORK 32u
#define VMA_DONTDUMP 64u
#define VMA_LOCKONFAULT 128u
#define VMA_HAS_PRIVATE 256u /* private map of an object: some of its pages have been copied */

struct mm {
    struct refcount ref;          /* atomic: processes that run in it (and readers of /proc) */
    struct mutex lock;            /* RANK_MM */
    struct tree areas;            /* lock */
    unsigned nareas;              /* lock */
    struct list dead;             /* lock: areas removed, whose references are yet to be put */
    struct vma *cached;           /* lock: the area that the last lookup found */
    struct spinlock pt_lock;      /* RANK_PAGETABLE: leaf entries of the page table */
    paddr_t pt_root;              /* const */
    cpumask_t cpus;               /* atomic: where it is loaded now: who must hear of a shootdown */
    uintptr_t brk_start, brk;     /* lock */
    uintptr_t mmap_top;           /* const: mmap without an address goes below this */
    uint32_t default_flags;       /* lock: VMA_* of new areas: mlockall(MCL_FUTURE) */
    uintptr_t stack_top;          /* const after exec: top of the initial stack */
    uintptr_t arg_start, arg_end; /* const after exec: for /proc/PID/cmdline */
    uintptr_t env_start, env_end; /* const after exec: for /proc/PID/environ */
    uintptr_t code_start, code_end, data_start, data_end; /* const after exec, for /proc/PID/stat */
    struct file *exe;          /* const after exec: a reference and a denial of writing are held */
    size_t pages_mapped;       /* lock: size of all areas, in pages (RLIMIT_AS, VmSize) */
    size_t pages_locked;       /* lock */
    size_t pages_data;         /* lock: of these, private and writable (RLIMIT_DATA) */
    size_t rss_anon, rss_file; /* atomic: pages present */
    size_t peak_rss;           /* lock */
    uint64_t auxv[48];         /* const after exec: for /proc/PID/auxv and core files */
    int dumpable;              /* atomic: PR_SET_DUMPABLE */
};

void mm_init(void);
struct mm *mm_create(void);        /* empty; NULL when out of memory */
struct mm *mm_fork(struct mm *mm); /* copy-on-write copy of the current address space; err_ptr */
static inline void mm_get(struct mm *mm)
{
    ref_get(&mm->ref);
}
void mm_put(struct mm *mm); /* the last put frees everything. May sleep */
/*
 * Load MM's page table on this CPU; called by the scheduler with interrupts off. NULL (kernel
 * thread): keep what's loaded.
 */
void mm_switch(struct mm *prev, struct mm *next);
/*
 * exec: the current thread runs in MM from now on (no reference is taken or put). NULL, before the
 * mm_put() at exit: it runs in none. mm_put() must not be called for the address space that
 * current->mm still names.
 */
void mm_activate(struct mm *mm);

/*
 * A random multiple of the page size below 2^BITS pages, 0 with "norandmaps": for exec's stack,
 * image and break.
 */
uintptr_t mm_random_offset(unsigned bits);

/*
 * The work of mmap: place an area. ADDR is a hint, or with MAP_FIXED/MAP_FIXED_NOREPLACE the place;
 * LEN in bytes > 0; FLAGS are MAP_*; OBJECT NULL for anonymous (MAP_SHARED anonymous makes its
 * own), else a reference is taken; FILE may be NULL. Returns the address or -errno. Checks
 * RLIMIT_AS (given in bytes).
 */
long mm_map(struct mm *mm, uintptr_t addr, size_t len, unsigned prot, unsigned max_prot,
            unsigned flags, struct vmobject *object, uint64_t offset, struct file *file,
            const char *name);
int mm_unmap(struct mm *mm, uintptr_t addr, size_t len);
/*
 * shmdt: the areas that map an object with these OPS from ADDR on, as far as they are still there;
 * others stay. -EINVAL: none.
 */
int mm_detach(struct mm *mm, uintptr_t addr, const struct vmobject_ops *ops);
int mm_protect(struct mm *mm, uintptr_t addr, size_t len, unsigned prot);
long mm_remap(struct mm *mm, uintptr_t old, size_t old_len, size_t new_len, unsigned flags,
              uintptr_t new_addr);
int mm_advise(struct mm *mm, uintptr_t addr, size_t len, int advice);
long mm_brk(struct mm *mm, uintptr_t brk); /* the resulting break, as Linux: unchanged on failure */

/*
 * Lock pages in (or, LOCK false, out) as mlock does: -ENOMEM for holes. FLAGS 0 or VMA_LOCKONFAULT.
 */
int mm_lock_range(struct mm *mm, uintptr_t addr, size_t len, bool lock, unsigned flags);
int mm_lock_all(struct mm *mm, unsigned mcl_flags); /* mlockall's MCL_*; 0: munlockall */
/*
 * Make all pages of a range present, as far as that goes: 0, or the errno of the first that failed.
 */
int mm_populate(struct mm *mm, uintptr_t addr, size_t len);

/* The area that contains ADDR, or the next above; NULL. mm->lock held. */
struct vma *mm_find(struct mm *mm, uintptr_t addr);

/*
 * Bytes of another address space (argv of /proc/PID/cmdline, exec's stack building, later ptrace,
 * core). Faults pages in as the owner's access would. Returns bytes done or -EFAULT when none. May
 * sleep.
 */
ssize_t mm_read(struct mm *mm, uintptr_t addr, void *buf, size_t n);
ssize_t mm_write(struct mm *mm, uintptr_t addr, const void *buf,
                 size_t n); /* ignores write protection of private areas */

/*
 * The page behind ADDR, as a read by the owner would find it, with a reference: -EFAULT, -ENOMEM. It is
 * the owner's memory, not a copy: what it writes later may be seen. May sleep.
 */
struct page *mm_user_page(struct mm *mm, uintptr_t addr);

/*
 * For core files: the page at ADDR, page aligned, with a reference; NULL when it has nothing but zeroes or
 * can't be had. May sleep.
 */
struct page *mm_page_to_save(struct mm *mm, uintptr_t addr);

/*
 * One line for each area: /proc/PID/maps. EMIT is called with mm->lock held and must not touch user
 * memory.
 */
void mm_for_each_area(struct mm *mm, void (*emit)(void *ctx, const struct vma *v), void *ctx);

/*
 * What an area has present, in pages, for /proc/PID/smaps. mm->lock held, as in EMIT. All pages that
 * others map as well are shared; of each, PSS has the part that falls to one of those who map it.
 */
struct area_usage {
    size_t rss, anonymous, private_pages, shared_pages;
    uint64_t pss, pss_anonymous; /* in PAGE_PARTS of a page */
};
#define PAGE_PARTS (1UL << 24)
void mm_area_usage(const struct vma *v, struct area_usage *u);

/* What is at an address, for /proc/PID/pagemap. */
struct page_place {
    struct page *page; /* NULL: nothing is there. No reference, and soon out of date */
    bool object;       /* it is an object's */
    bool sole;         /* it is mapped nowhere else */
};
/* The places of N pages from ADDR on. May sleep. */
void mm_page_places(struct mm *mm, uintptr_t addr, size_t n, struct page_place *places);

/* Present pages of both kinds, now. */
static inline size_t mm_rss(const struct mm *mm)
{
    return READ_ONCE(mm->rss_anon) + READ_ONCE(mm->rss_file);
}
/*
 * Pages of page tables, and all pages that its end would give back, for VmPTE and the choice of
 * oom_kill().
 */
size_t mm_tables(const struct mm *mm);
static inline size_t mm_footprint(const struct mm *mm)
{
    return mm_rss(mm) + mm_tables(mm);
}

/*
 * What a futex in shared memory is known by: the object and offset behind ADDR, with a reference to
 * the object for the caller; *OBJECT is NULL for private memory. -EFAULT when nothing is mapped
 * there. May sleep.
 */
int mm_shared_key(struct mm *mm, uintptr_t addr, struct vmobject **object, uint64_t *offset);

/*
 * Called when a page is wanted and none is free: kill the fattest process (proc/oom.c provides it).
 * True: try again.
 */
bool oom_kill(void);

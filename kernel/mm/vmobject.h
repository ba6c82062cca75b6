/*
 * A vmobject is pages that may be seen from more than one place: the bytes of a tmpfs file, a
 * shared memory segment. read() and write() copy to and from its pages; a mapping points
 * page tables at them. Pages are made on first use, zeroed, and live until the object is truncated
 * or dies.
 *
 * lock (spin) guards size, pages and the list of areas that map it.
 */
#pragma once

#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/types.h"
#include "mm/page.h"
#include "mm/radix.h"
#include "sched/lock.h"

/*
 * How many pages a group of objects may hold together (a tmpfs's size=). What is charged to one also
 * leaves some memory free.
 */
struct vm_quota {
    size_t used;  /* atomic: pages */
    size_t limit; /* atomic */
};

struct vmobject;

/* Who wants to know of mappings: a System V segment counts them. */
struct vmobject_ops {
    void (*attached)(struct vmobject *o); /* an area more by fork or a split; mm->lock is held */
    void (*detached)(struct vmobject *o); /* an area less, it is off the list; no lock held */
    void (*release)(struct vmobject *o);  /* the object is going; no lock held */
    ino_t (*ino)(struct vmobject *o);     /* what /proc/PID/maps shows as inode */
};

struct vmobject {
    struct refcount ref;    /* atomic */
    struct spinlock lock;   /* RANK_VMOBJECT */
    uint64_t size;          /* lock: in bytes; a fault past its last page is SIGBUS */
    struct radix pages;     /* lock: page index -> struct page, a reference each */
    size_t npages;          /* lock: pages present */
    unsigned seals;         /* lock, and the file's inode->lock: F_SEAL_* */
    size_t writable_maps;   /* lock: shared writable mappings, and who makes one: for seals */
    struct list areas;      /* lock: struct vma by ->object_link */
    size_t nareas;          /* lock: how many these are */
    struct vm_quota *quota; /* const once pages exist: charged for each; NULL: no limit */
    const struct vmobject_ops *ops; /* const once mapped; NULL: nobody cares */
    void *owner;                    /* the same: what the ops know it by */
};

void vmobject_init(void);

struct vmobject *vmobject_create(uint64_t size); /* NULL when out of memory */
static inline void vmobject_get(struct vmobject *o)
{
    ref_get(&o->ref);
}
void vmobject_put(struct vmobject *o);

/*
 * The page at INDEX with a reference for the caller; made (zeroed) when absent and CREATE, else
 * NULL. It stays what it is while the reference is held, but may leave the object by a truncation
 * meanwhile. err_ptr(-ENOMEM), err_ptr(-ENOSPC) when the quota is used up. Doesn't look at size.
 */
struct page *vmobject_page(struct vmobject *o, uint64_t index, bool create);

/* The same with the object's lock held, and no reference taken; never sleeps. */
struct page *vmobject_page_locked(struct vmobject *o, uint64_t index, bool create);

/*
 * Make P, which nobody but the caller holds, the page at INDEX; the object takes a reference. False,
 * and nothing has changed: there is one already, others hold P, or there is no room.
 */
bool vmobject_adopt(struct vmobject *o, uint64_t index, struct page *p);

/*
 * Set the size; pages beyond it are unmapped everywhere and freed, the tail of the last page
 * zeroed. May sleep.
 */
void vmobject_truncate(struct vmobject *o, uint64_t size);
/*
 * Free the pages wholly inside [start, end) and zero the partial ends (FALLOC_FL_PUNCH_HOLE,
 * MADV_REMOVE).
 */
void vmobject_punch(struct vmobject *o, uint64_t start, uint64_t end);
/*
 * Smallest offset >= OFFSET with data (or, DATA false, without), for SEEK_DATA/SEEK_HOLE; size when
 * none.
 */
uint64_t vmobject_seek(struct vmobject *o, uint64_t offset, bool data);

/*
 * Somebody is about to get a way to write to it past its file: counted like a writable mapping, so that no seal
 * against writing comes in between. False: there is one already. The file's inode->lock isn't needed.
 */
bool must_check vmobject_writer_begin(struct vmobject *o);
void vmobject_writer_end(struct vmobject *o);

/* All pages held by vmobjects, for /proc/meminfo (Shmem) and the leak check. */
size_t vmobject_total_pages(void);

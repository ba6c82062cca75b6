/*
 * The heap. Memory comes from brk (or mmap, where brk can't grow) in regions; a region is a row of
 * chunks, each a 16-byte header and the bytes the caller gets:
 *
 *      | prev | size+flags | payload ... | prev | size+flags | payload ... | end |
 *
 * `size` is the distance to the next header, `prev` to the one before (0 at the start of a region), so
 * a chunk that is freed finds both neighbours and merges with those that are free. Free chunks hang in
 * one of 32 lists by the power of two of their size. Requests of MMAP_MIN bytes and more get a mapping
 * of their own, which goes back to the system when it is freed.
 *
 * The top 16 bits of the size word are a check over the header's address and both sizes. It is tested
 * whenever a header is used: a program that freed twice or wrote past its memory is told and aborted,
 * before the damage spreads.
 *
 * heap_lock guards everything here.
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal/lock.h"
#include "internal/syscall.h"

#define HEADER 16UL
#define CHUNK_MIN (HEADER + 16) /* room for the list pointers of a free chunk */
#define REGION_MIN (64UL << 10)
#define MMAP_MIN (256UL << 10)
#define PAGE 4096UL
#define BINS 32

#define USED 1UL
#define MAPPED 2UL
#define FLAGS 15UL
#define SIZE_BITS 0x0000fffffffffff0UL

struct chunk {
    size_t prev;
    size_t word;                     /* check << 48 | size | flags */
    struct chunk *next_free, **link; /* only while it is free */
};

static struct lock heap_lock;
static struct chunk *bins[BINS];
static char *brk_end;          /* where our last brk region ends: the next one may continue it */
static char *lowest, *highest; /* all regions lie between */

/* The heap is given up, so that a handler of SIGABRT that wants memory finds the error, not a lock. */
_Noreturn static void corrupted(const char *what)
{
    syscall_raw(SYS_write, 2, what, strlen(what));
    heap_lock.state = 0;
    abort();
}

/*
 * The mappings that were freed last: their headers are gone, and a second free must not look for them. What is
 * mapped anew is forgotten here.
 */
static struct chunk *unmapped[8]; /* atomic */
static unsigned last_unmapped;    /* atomic */

static void unmapped_add(struct chunk *c)
{
    unsigned at = __atomic_add_fetch(&last_unmapped, 1, __ATOMIC_RELAXED) % 8;
    __atomic_store_n(&unmapped[at], c, __ATOMIC_RELEASE);
}

static bool unmapped_has(const struct chunk *c)
{
    for (unsigned i = 0; i < 8; i++)
        if (__atomic_load_n(&unmapped[i], __ATOMIC_ACQUIRE) == c)
            return true;
    return false;
}

static void unmapped_forget(const void *start, size_t size)
{
    for (unsigned i = 0; i < 8; i++) {
        struct chunk *c = __atomic_load_n(&unmapped[i], __ATOMIC_ACQUIRE);
        if (c && (size_t)((char *)c - (char *)start) < size)
            __atomic_compare_exchange_n(&unmapped[i], &c, NULL, 0, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED);
    }
}

static size_t chunk_check(const struct chunk *c, size_t size)
{
    uint64_t mix = ((uintptr_t)c ^ size * 3 ^ c->prev * 5) * 0x9e3779b97f4a7c15UL;
    return (mix >> 48) << 48;
}

static size_t chunk_size(const struct chunk *c)
{
    return c->word & SIZE_BITS;
}
static bool chunk_is_used(const struct chunk *c)
{
    return c->word & USED;
}

static void chunk_set(struct chunk *c, size_t prev, size_t size, size_t flags)
{
    c->prev = prev;
    c->word = chunk_check(c, size | flags) | size | flags;
}

static void chunk_verify(const struct chunk *c)
{
    size_t low = c->word & (SIZE_BITS | FLAGS);
    if (c->word != (chunk_check(c, low) | low))
        corrupted("malloc: the heap is corrupted\n");
}

static struct chunk *chunk_after(struct chunk *c)
{
    return (struct chunk *)((char *)c + chunk_size(c));
}
static struct chunk *chunk_before(struct chunk *c)
{
    return (struct chunk *)((char *)c - c->prev);
}
static void *payload(struct chunk *c)
{
    return (char *)c + HEADER;
}
static struct chunk *chunk_of(void *p)
{
    return (struct chunk *)((char *)p - HEADER);
}

static unsigned bin_of(size_t size)
{
    unsigned bin = 63 - (unsigned)__builtin_clzl(size) - 5;
    return bin < BINS ? bin : BINS - 1;
}

/* What a list's pointers say is looked at only where it can be: a program that writes to freed memory changes them. */
static bool is_in_heap(const void *p)
{
    return (const char *)p >= lowest && (const char *)p < highest && (uintptr_t)p % 8 == 0;
}

static bool is_in_list(const struct chunk *c)
{
    bool is_first = c->link >= bins && c->link < bins + BINS;
    const struct chunk *next = c->next_free;
    return (is_first || is_in_heap(c->link)) && *c->link == c &&
           (!next || (is_in_heap(next) && next->link == &c->next_free));
}

static void bin_insert(struct chunk *c)
{
    struct chunk **bin = &bins[bin_of(chunk_size(c))];
    c->next_free = *bin;
    c->link = bin;
    if (*bin)
        (*bin)->link = &c->next_free;
    *bin = c;
}

static void bin_remove(struct chunk *c)
{
    if (!is_in_list(c))
        corrupted("malloc: a free list is corrupted\n");
    *c->link = c->next_free;
    if (c->next_free)
        c->next_free->link = c->link;
}

/* Change C's size; the chunk after it is told. C's flags are kept. */
static void chunk_resize(struct chunk *c, size_t size)
{
    chunk_set(c, c->prev, size, c->word & FLAGS);
    struct chunk *after = chunk_after(c);
    chunk_set(after, size, after->word & SIZE_BITS, after->word & FLAGS);
}

/* C, in use until now, becomes free: merge it with free neighbours and put it in its list. */
static void chunk_release(struct chunk *c)
{
    struct chunk *after = chunk_after(c);
    chunk_verify(after);
    chunk_set(c, c->prev, chunk_size(c), 0);
    if (!chunk_is_used(after)) {
        bin_remove(after);
        chunk_resize(c, chunk_size(c) + chunk_size(after));
    }
    if (c->prev) {
        struct chunk *before = chunk_before(c);
        chunk_verify(before);
        if (!chunk_is_used(before)) {
            bin_remove(before);
            chunk_resize(before, chunk_size(before) + chunk_size(c));
            c = before;
        }
    }
    bin_insert(c);
}

/* Cut C, in use, to SIZE; what is left over becomes a free chunk if it is large enough to be one. */
static void chunk_trim(struct chunk *c, size_t size)
{
    size_t rest = chunk_size(c) - size;
    if (rest < CHUNK_MIN)
        return;
    chunk_set(c, c->prev, size, c->word & FLAGS);
    struct chunk *tail = chunk_after(c);
    chunk_set(tail, size, rest, USED);
    struct chunk *after = chunk_after(tail);
    chunk_set(after, rest, after->word & SIZE_BITS, after->word & FLAGS);
    chunk_release(tail);
}

/* [start, start+size) becomes one free chunk and the header that ends the region. */
static void region_init(char *start, size_t size)
{
    struct chunk *c = (struct chunk *)start;
    unmapped_forget(start, size);
    chunk_set(c, 0, size - HEADER, 0);
    chunk_set(chunk_after(c), size - HEADER, 0, USED);
    bin_insert(c);
    if (!lowest || start < lowest)
        lowest = start;
    if (start + size > highest)
        highest = start + size;
}

/* Room for a chunk of SIZE: a region that continues the last one swallows the header that ended it. */
static bool heap_grow(size_t size)
{
    size_t want = (size + 2 * HEADER + REGION_MIN - 1) & ~(REGION_MIN - 1);
    char *start = sbrk(0);
    if ((uintptr_t)start % 16 == 0 && sbrk((ptrdiff_t)want) == start) {
        if (start == brk_end) {
            struct chunk *c = (struct chunk *)(start - HEADER);
            chunk_verify(c);
            chunk_set(c, c->prev, want, USED);
            chunk_set(chunk_after(c), want, 0, USED);
            chunk_release(c);
        } else {
            region_init(start, want);
        }
        brk_end = start + want;
        if (brk_end > highest)
            highest = brk_end;
        return true;
    }
    start = mmap(NULL, want, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return false;
    region_init(start, want);
    return true;
}

static struct chunk *find_free(size_t size)
{
    for (unsigned bin = bin_of(size); bin < BINS; bin++)
        for (struct chunk *c = bins[bin]; c; c = c->next_free) {
            if (!is_in_heap(c))
                corrupted("malloc: a free list is corrupted\n");
            chunk_verify(c);
            if (chunk_size(c) >= size)
                return c;
        }
    return NULL;
}

static struct chunk *alloc_locked(size_t size)
{
    struct chunk *c = find_free(size);
    if (!c && heap_grow(size))
        c = find_free(size);
    if (!c)
        return NULL;
    bin_remove(c);
    chunk_set(c, c->prev, chunk_size(c), USED);
    chunk_trim(c, size);
    return c;
}

/* A chunk with its own mapping: prev is how far the header lies from the mapping's start. */
static void *map_chunk(size_t size)
{
    size_t length = (size + PAGE - 1) & ~(PAGE - 1);
    void *start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    unmapped_forget(start, length);
    chunk_set(start, 0, length, USED | MAPPED);
    return payload(start);
}

/* The chunk size for a request of N bytes; 0 when there can't be one. */
static size_t size_for(size_t n)
{
    if (n > PTRDIFF_MAX - HEADER - PAGE) {
        errno = ENOMEM;
        return 0;
    }
    size_t size = (n + HEADER + 15) & ~15UL;
    return size < CHUNK_MIN ? CHUNK_MIN : size;
}

void *malloc(size_t n)
{
    size_t size = size_for(n);
    if (!size)
        return NULL;
    if (size >= MMAP_MIN)
        return map_chunk(size);
    __lock_acquire(&heap_lock);
    struct chunk *c = alloc_locked(size);
    __lock_release(&heap_lock);
    if (!c) {
        errno = ENOMEM;
        return NULL;
    }
    return payload(c);
}

/*
 * The chunk of P, which the caller owns. Unless it has a mapping of its own, heap_lock is now held: when a
 * neighbour is freed, its header is written anew.
 */
static struct chunk *used_chunk(void *p)
{
    struct chunk *c = chunk_of(p);
    if ((uintptr_t)p % 16)
        corrupted("free: not a pointer that malloc gave\n");
    if (unmapped_has(c))
        corrupted("free: memory freed twice\n");
    bool mapped = __atomic_load_n(&c->word, __ATOMIC_RELAXED) & MAPPED;
    if (!mapped)
        __lock_acquire(&heap_lock);
    chunk_verify(c);
    if (!chunk_is_used(c))
        corrupted("free: memory freed twice\n");
    return c;
}

void free(void *p)
{
    if (!p)
        return;
    int error = errno; /* free() leaves it alone (POSIX.1-2024) */
    struct chunk *c = used_chunk(p);
    if (c->word & MAPPED) {
        size_t before = c->prev, size = chunk_size(c);
        unmapped_add(c);
        munmap((char *)c - before, before + size);
    } else {
        chunk_release(c);
        __lock_release(&heap_lock);
    }
    errno = error;
}

void *calloc(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = malloc(bytes);
    if (p && !(chunk_of(p)->word & MAPPED)) /* a fresh mapping is zero already */
        memset(p, 0, bytes);
    return p;
}

/* Make C large enough where it stands, from the free chunk behind it. */
static bool grow_in_place(struct chunk *c, size_t size)
{
    struct chunk *after = chunk_after(c);
    chunk_verify(after);
    if (chunk_is_used(after) || chunk_size(c) + chunk_size(after) < size)
        return false;
    bin_remove(after);
    chunk_resize(c, chunk_size(c) + chunk_size(after));
    return true;
}

static void *remap_chunk(struct chunk *c, size_t size)
{
    size_t length = (size + PAGE - 1) & ~(PAGE - 1);
    struct chunk *moved = mremap(c, chunk_size(c), length, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED)
        return NULL;
    unmapped_forget(moved, length);
    chunk_set(moved, 0, length, USED | MAPPED);
    return payload(moved);
}

void *realloc(void *p, size_t n)
{
    if (!p)
        return malloc(n);
    size_t size = size_for(n);
    if (!size)
        return NULL;
    struct chunk *c = used_chunk(p);
    if (c->word & MAPPED) {
        if (size >= MMAP_MIN && c->prev == 0)
            return remap_chunk(c, size);
    } else {
        bool fits = chunk_size(c) >= size || grow_in_place(c, size);
        if (fits)
            chunk_trim(c, size);
        __lock_release(&heap_lock);
        if (fits)
            return p;
    }
    void *q = malloc(n);
    if (!q)
        return NULL;
    size_t old = chunk_size(c) - HEADER;
    memcpy(q, p, old < n ? old : n);
    free(p);
    return q;
}

void *reallocarray(void *p, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(p, bytes);
}

/*
 * Take a chunk that is larger by the alignment, put a header in front of the aligned place, and give back
 * what lies before it (for a mapping: remember how far the header is from the start).
 */
static void *align_in(void *p, size_t alignment)
{
    struct chunk *c = chunk_of(p);
    uintptr_t place = ((uintptr_t)p + alignment - 1) & ~(alignment - 1);
    if (place == (uintptr_t)p)
        return p;
    if (place - (uintptr_t)p < CHUNK_MIN)
        place += alignment;
    struct chunk *inner = chunk_of((void *)place);
    size_t skipped = (size_t)((char *)inner - (char *)c), rest = chunk_size(c) - skipped;
    if (c->word & MAPPED) {
        chunk_set(inner, skipped, rest, USED | MAPPED);
        return (void *)place;
    }
    __lock_acquire(&heap_lock);
    chunk_set(c, c->prev, skipped, USED);
    chunk_set(inner, skipped, rest, USED);
    struct chunk *after = chunk_after(inner);
    chunk_set(after, rest, after->word & SIZE_BITS, after->word & FLAGS);
    chunk_release(c);
    __lock_release(&heap_lock);
    return (void *)place;
}

size_t malloc_usable_size(void *p)
{
    return p ? chunk_size(chunk_of(p)) - HEADER : 0;
}

void *memalign(size_t alignment, size_t n)
{
    return aligned_alloc(alignment, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
    if (alignment == 0 || (alignment & (alignment - 1)) || alignment > PTRDIFF_MAX / 4) {
        errno = EINVAL;
        return NULL;
    }
    if (alignment <= 16)
        return malloc(n);
    if (n > PTRDIFF_MAX / 2) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = malloc(n + 2 * alignment + CHUNK_MIN);
    return p ? align_in(p, alignment) : NULL;
}

void __heap_lock(void)
{
    __lock_acquire(&heap_lock);
}

void __heap_unlock(void)
{
    __lock_release(&heap_lock);
}

int posix_memalign(void **p, size_t alignment, size_t n)
{
    if (alignment % sizeof(void *))
        return EINVAL;
    int before = errno;
    void *q = aligned_alloc(alignment, n);
    int error = q ? 0 : errno;
    errno = before;
    if (q)
        *p = q;
    return error;
}

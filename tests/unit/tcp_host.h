/*
 * The TCP engine on the host: the kernel's files as they are, and below them just enough of a kernel: memory that
 * is counted and may fail, pages, buffers, locks that check their order, random numbers with a seed.
 *
 * The host's own headers would say again what kernel/abi/ has said, so its few functions are declared here.
 */
#define CONFIG_DEBUG 1

#include "kernel/lib/tree.c"
#include "kernel/net/packet.c"
#include "kernel/net/tcp_ack.c"
#include "kernel/net/tcp_cong.c"
#include "kernel/net/tcp_data.c"
#include "kernel/net/tcp_icmp.c"
#include "kernel/net/tcp_input.c"
#include "kernel/net/tcp_listen.c"
#include "kernel/net/tcp_options.c"
#include "kernel/net/tcp_output.c"
#include "kernel/net/tcp_rtt.c"
#include "kernel/net/tcp_sack.c"
#include "kernel/net/tcp_secret.c"
#include "kernel/net/tcp_segment.c"
#include "kernel/net/tcp_sockopt.c"
#include "kernel/net/tcp_state.c"
#include "kernel/net/tcp_table.c"
#include "kernel/net/tcp_timer.c"
#include "kernel/net/tcp_timewait.c"
#include "kernel/net/tcp_user.c"

int printf(const char *format, ...);
int vprintf(const char *format, __builtin_va_list args);
int snprintf(char *out, size_t size, const char *format, ...);
int fflush(void *stream);
int sscanf(const char *in, const char *format, ...);
_Noreturn void exit(int status);
_Noreturn void abort(void);
void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t n);
void free(void *p);
char *getenv(const char *name);
unsigned long strtoul(const char *s, char **end, int base);
long strtol(const char *s, char **end, int base);
int getrandom(void *out, size_t n, unsigned flags);

/* --- failure --- */

static void (*host_on_panic)(void);

_Noreturn void panic(const char *format, ...)
{
    __builtin_va_list args;

    __builtin_va_start(args, format);
    printf("not ok - ");
    vprintf(format, args);
    printf("\n");
    __builtin_va_end(args);
    if (host_on_panic)
        host_on_panic();
    fflush(NULL);
    exit(1);
}

#define need(condition, ...)    \
    do {                        \
        if (!(condition))       \
            panic(__VA_ARGS__); \
    } while (0)

/* --- random numbers --- */

static uint64_t random_state = 1;

static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1dUL;
}

/* From 0 to BELOW - 1. */
static unsigned draw(unsigned below)
{
    return (unsigned)((random_bits() >> 32) * below >> 32);
}

static inline void random_seed(uint32_t seed)
{
    random_state = seed * 0x9e3779b97f4a7c15UL + 1;
}

static void host_random(void *out, size_t n)
{
    for (uint8_t *at = out; n > 0; n--)
        *at++ = (uint8_t)(random_bits() >> 24);
}

/* --- memory --- */

static long host_live;            /* allocations not yet freed */
static unsigned host_fail_one_in; /* 0: never */

static bool unlucky(void)
{
    return host_fail_one_in && draw(host_fail_one_in) == 0;
}

void *kmalloc(size_t size)
{
    if (unlucky())
        return NULL;
    host_live++;
    return malloc(size);
}

void *kzalloc(size_t size)
{
    void *p = kmalloc(size);

    return p ? memset(p, 0, size) : NULL;
}

void kfree(const void *p)
{
    host_live -= p != NULL;
    free((void *)p);
}

struct slab_cache {
    size_t size;
};

struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align)
{
    static struct slab_cache caches[4];
    static unsigned used;

    (void)name, (void)align;
    caches[used].size = size;
    return &caches[used++];
}
void *slab_zalloc(struct slab_cache *c)
{
    return kzalloc(c->size);
}
void slab_free(struct slab_cache *c, void *obj)
{
    (void)c;
    kfree(obj);
}

/* --- pages and buffers (kernel/ipc/buf.c) --- */

void page_free(struct page *p)
{
    kfree(p->owner);
    kfree(p);
}

static struct page *host_page(void)
{
    struct page *p = kzalloc(sizeof(*p));

    if (!p)
        return NULL;
    p->owner = kmalloc(PAGE_SIZE);
    if (!p->owner) {
        kfree(p);
        return NULL;
    }
    ref_init(&p->ref, 1);
    return p;
}

static struct buf *buf_for(struct page *p)
{
    struct buf *b = kzalloc(sizeof(*b));

    if (!b)
        return NULL;
    b->page = p;
    b->base = p->owner;
    b->room = PAGE_SIZE;
    return b;
}

struct buf *buf_alloc(void)
{
    struct page *p = host_page();
    struct buf *b = p ? buf_for(p) : NULL;

    if (p && !b)
        page_put(p);
    return b;
}

struct buf *buf_alloc_small(size_t room)
{
    if (room > 1024)
        return buf_alloc();
    struct buf *b = kzalloc(sizeof(*b) + room);
    if (!b)
        return NULL;
    b->base = (char *)(b + 1);
    b->room = (uint32_t)room;
    return b;
}

struct buf *buf_from_page(struct page *p, uint32_t off, uint32_t len)
{
    struct buf *b = buf_for(p);

    if (!b)
        return NULL;
    need(off + len <= PAGE_SIZE, "a view beyond its page: %u + %u", off, len);
    page_get(p);
    b->off = off;
    b->len = len;
    b->flags = BUF_SHARED;
    return b;
}

void buf_free(struct buf *b)
{
    if (b->page)
        page_put(b->page);
    kfree(b);
}

/* --- locks: taken in rising rank, released by who holds them --- */

static struct spinlock *held[8];
static unsigned num_held, held_elsewhere; /* in all; the first so many are not of the CPU that runs now */
static void (*host_meanwhile)(void);      /* what another CPU does as soon as no lock is held any more; once */
static const struct spinlock *host_inside, *host_before; /* or already when, inside one lock, another is to be taken */
static bool may_wait;                                    /* the CPU that runs now may find a lock taken */
static void *host_waits[5];

/* The other CPU's turn, in the middle of what this one does. Where it would wait for a lock it has done nothing yet. */
static noinline void take_turns(void)
{
    void (*meanwhile)(void) = host_meanwhile;

    host_inside = host_before = NULL;
    held_elsewhere = num_held;
    may_wait = true;
    if (!__builtin_setjmp(host_waits)) {
        meanwhile();
        host_meanwhile = NULL;
    }
    may_wait = false;
    need(num_held == held_elsewhere, "who waits has locked something");
    held_elsewhere = 0;
}

void spin_init(struct spinlock *l, enum lock_rank rank, const char *name)
{
    *l = (struct spinlock)SPINLOCK_INIT(rank, name);
}

void spin_lock(struct spinlock *l)
{
    if (l == host_before && num_held && held[0] == host_inside)
        take_turns();
    if (l->locked && may_wait)
        __builtin_longjmp(host_waits, 1);
    need(!l->locked, "%s is locked twice", l->name);
    need(num_held == held_elsewhere || held[num_held - 1]->rank < l->rank, "%s is taken inside %s", l->name,
         held[num_held - 1]->name);
    l->locked = true;
    held[num_held++] = l;
}

void spin_unlock(struct spinlock *l)
{
    need(l->locked, "%s is released twice", l->name);
    unsigned i = num_held;
    while (held[--i] != l)
        ;
    for (num_held--; i < num_held; i++)
        held[i] = held[i + 1];
    l->locked = false;
    void (*meanwhile)(void) = num_held || host_before ? NULL : host_meanwhile;
    if (meanwhile) {
        host_meanwhile = NULL;
        meanwhile();
    }
}

bool spin_is_held(const struct spinlock *l)
{
    return l->locked;
}

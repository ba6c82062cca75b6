/*
 * The random number generator of dev/random.h.
 *
 *     RDSEED, RDRAND, clock -+
 *     interrupt timing ------+--> base key --> one generator per CPU --> numbers
 *     written to /dev/random +
 *
 * The base key soaks up whatever is stirred in: it is replaced by the ChaCha20 block made with (key xor input),
 * which nobody can run backwards. Each CPU has a generator of its own, used with interrupts off, so that
 * numbers can be had anywhere, below any lock. A generator makes four blocks at a time: the first 32 bytes
 * become its next key before anything else is handed out, and what is handed out is wiped. Who reads the
 * kernel's memory later finds nothing of the numbers given earlier ("fast key erasure", Bernstein 2017).
 *
 * EPOCH counts changes of the base key. A generator that sees a new epoch when it refills mixes the base key
 * in, if the lock is free at that moment: it may be needed where waiting for a lock is not allowed.
 */
#include "dev/random.h"

#include "lib/string.h"
#include "sched/lock.h"
#include "x86/clock.h"
#include "x86/cpu.h"

#define KEY_WORDS 8
#define BLOCK_WORDS 16
#define BLOCK_BYTES 64u
#define BATCH_BLOCKS 4
#define POOL_BYTES (BATCH_BLOCKS * BLOCK_BYTES - sizeof(uint32_t[KEY_WORDS]))
#define RESEED_INTERVAL (60 * NSEC_PER_SEC)

struct generator {
    uint32_t key[KEY_WORDS];  /* this CPU only, as all below */
    uint8_t pool[POOL_BYTES]; /* the last LEFT bytes have not been given out */
    unsigned left;
    uint64_t epoch;     /* of the base key that is mixed in; 0: none yet */
    uint64_t events[4]; /* interrupt timing on its way to the base key */
    unsigned nevents;
} aligned(64);

static struct generator generators[MAX_CPUS];

static struct spinlock base_lock = SPINLOCK_INIT(RANK_LOG, "random");
static uint32_t base_key[KEY_WORDS]; /* base_lock */
static nsec_t reseeded;              /* base_lock: when the CPU was last asked for entropy */
static uint64_t epoch;               /* base_lock; read without */

static inline uint32_t rotate_left(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

/* RFC 8439, section 2.1. */
static inline void quarter_round(uint32_t *s, int a, int b, int c, int d)
{
    s[a] += s[b], s[d] = rotate_left(s[d] ^ s[a], 16);
    s[c] += s[d], s[b] = rotate_left(s[b] ^ s[c], 12);
    s[a] += s[b], s[d] = rotate_left(s[d] ^ s[a], 8);
    s[c] += s[d], s[b] = rotate_left(s[b] ^ s[c], 7);
}

/* RFC 8439, section 2.3, with a nonce of (PURPOSE, 0, 0). */
static void chacha20_block(const uint32_t key[KEY_WORDS], uint32_t counter, uint32_t purpose,
                           uint32_t out[BLOCK_WORDS])
{
    uint32_t start[BLOCK_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

    memcpy(start + 4, key, KEY_WORDS * sizeof(uint32_t));
    start[12] = counter;
    start[13] = purpose;
    memcpy(out, start, sizeof(start));
    for (int i = 0; i < 10; i++) {
        quarter_round(out, 0, 4, 8, 12);
        quarter_round(out, 1, 5, 9, 13);
        quarter_round(out, 2, 6, 10, 14);
        quarter_round(out, 3, 7, 11, 15);
        quarter_round(out, 0, 5, 10, 15);
        quarter_round(out, 1, 6, 11, 12);
        quarter_round(out, 2, 7, 8, 13);
        quarter_round(out, 3, 4, 9, 14);
    }
    for (int i = 0; i < BLOCK_WORDS; i++)
        out[i] += start[i];
}

/* What a block is made for; no two uses of one key share a number. */
enum purpose { FOR_POOL, FOR_BASE, FOR_CPU, FOR_STREAM };

/* memset that the compiler may not leave out. */
static void wipe(void *p, size_t n)
{
    memset(p, 0, n);
    asm volatile("" : : "r"(p) : "memory");
}

/* base_lock held. */
static void absorb(const void *data, size_t n)
{
    const uint8_t *from = data;
    uint32_t block[BLOCK_WORDS], input[KEY_WORDS];

    for (size_t done = 0; done < n; done += sizeof(input)) {
        size_t chunk = min(n - done, sizeof(input));
        memset(input, 0, sizeof(input));
        memcpy(input, from + done, chunk);
        for (int i = 0; i < KEY_WORDS; i++)
            base_key[i] ^= input[i];
        chacha20_block(base_key, (uint32_t)chunk, FOR_BASE, block);
        memcpy(base_key, block, sizeof(base_key));
    }
    wipe(block, sizeof(block));
    wipe(input, sizeof(input));
    WRITE_ONCE(epoch, epoch + 1);
}

void random_mix(const void *data, size_t n)
{
    nsec_t now = clock_monotonic();

    spin_lock(&base_lock);
    absorb(data, n);
    absorb(&now, sizeof(now));
    spin_unlock(&base_lock);
}

/* base_lock held. */
static void absorb_cpu_entropy(void)
{
    uint8_t seed[48];

    cpu_entropy(seed, sizeof(seed));
    absorb(seed, sizeof(seed));
    wipe(seed, sizeof(seed));
    reseeded = clock_monotonic();
    absorb(&reseeded, sizeof(reseeded));
}

void random_init(void)
{
    spin_lock(&base_lock);
    absorb_cpu_entropy();
    spin_unlock(&base_lock);
}

/* Mix the base key into G; both move on. base_lock held, interrupts off. */
static void rekey(struct generator *g)
{
    uint32_t block[BLOCK_WORDS];

    if (clock_monotonic() - reseeded > RESEED_INTERVAL)
        absorb_cpu_entropy();
    chacha20_block(base_key, (uint32_t)cpu_id(), FOR_CPU, block);
    for (int i = 0; i < KEY_WORDS; i++)
        g->key[i] ^= block[i];
    memcpy(base_key, block + KEY_WORDS, sizeof(base_key));
    g->epoch = epoch;
    wipe(block, sizeof(block));
}

static void refill(struct generator *g)
{
    uint32_t blocks[BATCH_BLOCKS * BLOCK_WORDS];

    if (!g->epoch) {
        spin_lock(&base_lock);
        rekey(g);
        spin_unlock(&base_lock);
    } else if (g->epoch != READ_ONCE(epoch) && spin_trylock(&base_lock)) {
        rekey(g);
        spin_unlock(&base_lock);
    }
    for (int i = 0; i < BATCH_BLOCKS; i++)
        chacha20_block(g->key, (uint32_t)i, FOR_POOL, blocks + i * BLOCK_WORDS);
    memcpy(g->key, blocks, sizeof(g->key));
    memcpy(g->pool, blocks + KEY_WORDS, sizeof(g->pool));
    g->left = POOL_BYTES;
    wipe(blocks, sizeof(blocks));
}

/* N at most POOL_BYTES. */
static void draw(void *buf, size_t n)
{
    irq_push_off();
    struct generator *g = &generators[cpu_id()];
    if (g->left < n)
        refill(g);
    uint8_t *from = g->pool + POOL_BYTES - g->left;
    memcpy(buf, from, n);
    memset(from, 0, n);
    g->left -= (unsigned)n;
    irq_pop_off();
}

/* Many bytes: a key of their own, and with it a stream made without keeping interrupts off. */
static void stream(void *buf, size_t n)
{
    uint32_t key[KEY_WORDS], block[BLOCK_WORDS];
    uint8_t *to = buf;

    draw(key, sizeof(key));
    for (size_t done = 0; done < n; done += BLOCK_BYTES) {
        chacha20_block(key, (uint32_t)(done / BLOCK_BYTES), FOR_STREAM, block);
        memcpy(to + done, block, min(n - done, (size_t)BLOCK_BYTES));
    }
    wipe(key, sizeof(key));
    wipe(block, sizeof(block));
}

void random_bytes(void *buf, size_t n)
{
    if (n <= BLOCK_BYTES)
        draw(buf, n);
    else
        stream(buf, n);
}

uint64_t random_u64(void)
{
    uint64_t x;

    draw(&x, sizeof(x));
    return x;
}

void random_mix_event(uint64_t what)
{
    struct generator *g = &generators[cpu_id()];
    unsigned i = g->nevents++ % ARRAY_SIZE(g->events);

    g->events[i] = (g->events[i] << 7 | g->events[i] >> 57) ^ what ^ (uint64_t)clock_monotonic();
    if (g->nevents % 64 == 0)
        random_mix(g->events, sizeof(g->events));
}

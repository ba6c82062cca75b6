/*
 * The split virtqueue (virtio 1.2, section 2.7; the picture is in virtio.h).
 *
 * What the driver must know of a buffer later (its token, how much the device may write into it, which
 * descriptors it has) is kept in q->slots, which the device can't reach: nothing is believed that it could
 * have changed. A buffer of many pieces takes one descriptor that points to a table of its own
 * (2.7.5.3, indirect), when the device knows that and memory is there; otherwise a chain.
 *
 * The order of stores and loads is what makes it work without a common lock. The ring entry is written
 * before the index that makes it valid (a release store), the index read before the entry (an acquire load);
 * and between "I have written my index" and "does the other side want to be told?" stands a full
 * fence on both sides: each must see the other's last word, else both wait. Ours is device_fence(), since a
 * fence between CPUs is none for QEMU's devices (x86/io.h).
 */
#include <abi/errno.h>

#include "dev/virtio.h"
#include "dev/virtio_queue.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "x86/io.h"

#define MANY_PIECES 3 /* from here on a table of its own is worth its allocation */

struct virtq_slot {
    void *token;                 /* q->lock: of the buffer whose head this is; NULL: none is */
    uint32_t writable;           /* q->lock: bytes that the device may write */
    uint16_t count;              /* q->lock: descriptors it takes */
    uint16_t next;               /* q->lock: the chain, of the buffer or of free descriptors */
    struct virtq_desc *indirect; /* q->lock: its table; NULL: none */
};

/* --- the two words behind the rings --- */

static volatile uint16_t *used_event(struct virtqueue *q)
{
    return &q->avail->ring[q->size];
}

static uint16_t avail_event(struct virtqueue *q)
{
    return *(volatile uint16_t *)&q->used->ring[q->size];
}

static bool has_event_idx(const struct virtqueue *q)
{
    return virtio_has(q->device, VIRTIO_F_EVENT_IDX);
}

static uint16_t used_index(struct virtqueue *q)
{
    return atomic_load(&q->used->idx);
}

/* --- making one --- */

static void write_address(struct virtio_device *v, unsigned offset, const void *p)
{
    uint64_t pa = virt_to_phys(p);
    mmio_write32(v->common + offset, (uint32_t)pa);
    mmio_write32(v->common + offset + 4, (uint32_t)(pa >> 32));
}

static uint16_t read16(struct virtio_device *v, unsigned offset)
{
    return *(volatile uint16_t *)(v->common + offset);
}

static void write16(struct virtio_device *v, unsigned offset, uint16_t value)
{
    *(volatile uint16_t *)(v->common + offset) = value;
}

/* The three parts in one block: alignments of 16, 2 and 4 (2.7). False: out of memory. */
static bool alloc_rings(struct virtqueue *q)
{
    size_t avail_at = q->size * sizeof(struct virtq_desc);
    size_t used_at = ALIGN_UP(avail_at + sizeof(struct virtq_avail) + (q->size + 1u) * 2, 4);
    size_t size = used_at + sizeof(struct virtq_used) + q->size * sizeof(struct virtq_used_entry) +
                  sizeof(uint16_t);
    unsigned order = 0;
    while ((size_t)PAGE_SIZE << order < size)
        order++;
    struct page *p = page_alloc(order, ALLOC_ZERO);
    if (!p)
        return false;
    char *base = page_to_virt(p);
    q->desc = (void *)base;
    q->avail = (void *)(base + avail_at);
    q->used = (void *)(base + used_at);
    q->slots = kcalloc(q->size, sizeof(*q->slots));
    if (!q->slots) {
        page_put(p);
        return false;
    }
    for (uint16_t i = 0; i < q->size; i++)
        q->slots[i].next = (uint16_t)(i + 1);
    q->free_count = q->size;
    return true;
}

/* The largest power of two that neither MAX nor the device's own limit forbids. */
static uint16_t choose_size(unsigned offered, unsigned max)
{
    unsigned size = 1;
    while (size * 2 <= offered && size * 2 <= max && size < 32768)
        size *= 2;
    return (uint16_t)size;
}

/* Tell the device where everything is. The queue is selected. */
static void enable(struct virtqueue *q)
{
    struct virtio_device *v = q->device;

    write16(v, COMMON_QUEUE_SIZE, q->size);
    write_address(v, COMMON_QUEUE_DESC, q->desc);
    write_address(v, COMMON_QUEUE_DRIVER, q->avail);
    write_address(v, COMMON_QUEUE_DEVICE, q->used);
    write16(v, COMMON_QUEUE_VECTOR, q->vector);
    write16(v, COMMON_QUEUE_ENABLE, 1);
}

struct virtqueue *virtqueue_create(struct virtio_device *v, unsigned index, unsigned max)
{
    if (index >= read16(v, COMMON_NUM_QUEUES))
        return NULL;
    write16(v, COMMON_QUEUE_SELECT, (uint16_t)index);
    unsigned offered = read16(v, COMMON_QUEUE_SIZE);
    uint64_t notify_at = (uint64_t)read16(v, COMMON_QUEUE_NOTIFY_OFF) * v->notify_multiplier;
    if (offered == 0 || notify_at + 2 > v->notify_size)
        return NULL;
    struct virtqueue *q = kzalloc(sizeof(*q));
    if (!q)
        return NULL;
    spin_init(&q->lock, RANK_DEVICE, "virtqueue");
    q->device = v;
    q->index = (uint16_t)index;
    q->size = choose_size(offered, max);
    q->notify = (volatile uint16_t *)(v->notify + notify_at);
    if (!alloc_rings(q)) {
        kfree(q);
        return NULL;
    }
    q->vector = VIRTIO_NO_VECTOR;
    enable(q);
    return q;
}

int virtqueue_connect(struct virtqueue *q, unsigned vector, int cpu, void (*fn)(void *), void *arg)
{
    struct virtio_device *v = q->device;

    q->irq = (struct irq_handler){.fn = fn, .arg = arg, .name = v->name};
    int error = pci_msix_connect(v->pci, vector, cpu, &q->irq);
    if (error)
        return error;
    q->vector = (uint16_t)vector;
    write16(v, COMMON_QUEUE_SELECT, q->index);
    write16(v, COMMON_QUEUE_VECTOR, q->vector);
    return read16(v, COMMON_QUEUE_VECTOR) == vector ? 0 : -EBUSY;
}

void virtqueue_restart(struct virtqueue *q)
{
    spin_lock(&q->lock);
    assert(q->free_count == q->size);
    memset(q->avail, 0, sizeof(*q->avail) + (q->size + 1u) * sizeof(q->avail->ring[0]));
    memset(q->used, 0, sizeof(*q->used) + q->size * sizeof(q->used->ring[0]) + sizeof(uint16_t));
    q->avail_next = q->avail_published = q->used_seen = 0;
    spin_unlock(&q->lock);
    write16(q->device, COMMON_QUEUE_SELECT, q->index);
    enable(q);
}

/* --- putting --- */

static void describe(struct virtq_desc *d, const struct virtio_piece *piece, bool writable,
                     bool more, uint16_t next)
{
    d->addr = virt_to_phys(piece->start);
    d->len = piece->len;
    d->flags = (uint16_t)((writable ? VIRTQ_DESC_WRITE : 0) | (more ? VIRTQ_DESC_NEXT : 0));
    d->next = next;
}

/* A table of the pieces, at the descriptor HEAD. False: out of memory, or the device knows none. */
static bool describe_indirectly(struct virtqueue *q, uint16_t head,
                                const struct virtio_piece *pieces, unsigned n, unsigned out)
{
    if (!virtio_has(q->device, VIRTIO_F_INDIRECT_DESC))
        return false;
    struct virtq_desc *table = kmalloc(n * sizeof(*table));
    if (!table)
        return false;
    for (unsigned i = 0; i < n; i++)
        describe(&table[i], &pieces[i], i >= out, i + 1 < n, (uint16_t)(i + 1));
    q->slots[head].indirect = table;
    q->slots[head].count = 1;
    q->desc[head] = (struct virtq_desc){
        .addr = virt_to_phys(table),
        .len = (uint32_t)(n * sizeof(*table)),
        .flags = VIRTQ_DESC_INDIRECT,
    };
    q->free_head = q->slots[head].next;
    q->free_count--;
    return true;
}

static void describe_chain(struct virtqueue *q, uint16_t head, const struct virtio_piece *pieces,
                           unsigned n, unsigned out)
{ /* LAB virtio:chain begin */
    uint16_t at = head;

    for (unsigned i = 0; i < n; i++) {
        uint16_t next = q->slots[at].next;
        describe(&q->desc[at], &pieces[i], i >= out, i + 1 < n, next);
        at = next;
    }
    q->slots[head].indirect = NULL;
    q->slots[head].count = (uint16_t)n;
    q->free_head = at;
    q->free_count = (uint16_t)(q->free_count - n);
} /* LAB virtio:chain end */

int virtqueue_put(struct virtqueue *q, const struct virtio_piece *pieces, unsigned n, unsigned out,
                  void *token)
{
    uint16_t head = q->free_head;

    assert(n > 0 && out <= n && token);
    if (READ_ONCE(q->device->stopped))
        return -EIO;
    if (q->free_count == 0)
        return -ENOSPC;
    if (n < MANY_PIECES || !describe_indirectly(q, head, pieces, n, out)) {
        if (q->free_count < n)
            return n > q->size ? -EIO : -ENOSPC;
        describe_chain(q, head, pieces, n, out);
    } /* LAB virtio:put begin */
    struct virtq_slot *slot = &q->slots[head];
    slot->token = token;
    slot->writable = 0;
    for (unsigned i = out; i < n; i++)
        slot->writable += pieces[i].len;
    q->avail->ring[q->avail_next % q->size] = head;
    q->avail_next++;
    return 0;
} /* LAB virtio:put end */

void virtqueue_notify(struct virtqueue *q)
{ /* LAB virtio:notify begin */
    uint16_t old = q->avail_published, new = q->avail_next;

    if (old == new || READ_ONCE(q->device->stopped))
        return;
    q->avail_published = new;
    atomic_store(&q->avail->idx, new);
    device_fence();
    bool wanted = has_event_idx(q)
                      ? (uint16_t)(new - avail_event(q) - 1) < (uint16_t)(new - old)
                      : !(*(volatile uint16_t *)&q->used->flags & VIRTQ_USED_NO_NOTIFY);
    if (wanted)
        *q->notify = q->index;
} /* LAB virtio:notify end */

/* --- taking --- */

/* The descriptors of the buffer at HEAD are free again. Its token. */
static void *release(struct virtqueue *q, uint16_t head)
{ /* LAB virtio:release begin */
    struct virtq_slot *slot = &q->slots[head];
    void *token = slot->token;
    uint16_t last = head;

    for (unsigned i = 1; i < slot->count; i++)
        last = q->slots[last].next;
    q->slots[last].next = q->free_head;
    q->free_head = head;
    q->free_count = (uint16_t)(q->free_count + slot->count);
    kfree(slot->indirect);
    slot->indirect = NULL;
    slot->token = NULL;
    return token;
} /* LAB virtio:release end */

void *virtqueue_take(struct virtqueue *q, uint32_t *written)
{ /* LAB virtio:take begin */
    uint16_t index = used_index(q);

    if (index == q->used_seen || READ_ONCE(q->device->stopped))
        return NULL;
    struct virtq_used_entry e =
        *(volatile struct virtq_used_entry *)&q->used->ring[q->used_seen % q->size];
    if ((uint16_t)(index - q->used_seen) > q->size) {
        virtio_fail(q->device, "says it has finished more buffers than it was given");
        return NULL;
    }
    if (e.id >= q->size || !q->slots[e.id].token) {
        virtio_fail(q->device, "returns a buffer that it was not given");
        return NULL;
    }
    if (e.len > q->slots[e.id].writable) {
        virtio_fail(q->device, "says it has written beyond a buffer's end");
        return NULL;
    }
    q->used_seen++;
    *written = e.len;
    return release(q, (uint16_t)e.id);
} /* LAB virtio:take end */

void *virtqueue_reclaim(struct virtqueue *q)
{
    for (uint16_t i = 0; i < q->size; i++)
        if (q->slots[i].token)
            return release(q, i);
    return NULL;
}

/* --- interrupts --- */

void virtqueue_quiet(struct virtqueue *q)
{ /* LAB virtio:listen begin */
    if (has_event_idx(q))
        *used_event(q) = (uint16_t)(q->used_seen - 1); /* the flags stay 0 then (2.7.7.1) */
    else
        *(volatile uint16_t *)&q->avail->flags = VIRTQ_AVAIL_NO_INTERRUPT;
}

static void want_interrupt_at(struct virtqueue *q, uint16_t index)
{
    if (has_event_idx(q))
        *used_event(q) = index;
    else
        *(volatile uint16_t *)&q->avail->flags = 0;
}

bool virtqueue_listen(struct virtqueue *q)
{
    want_interrupt_at(q, q->used_seen);
    device_fence();
    return used_index(q) != q->used_seen;
}

/* How many are to be done before a sender hears of it. */
static uint16_t three_quarters(const struct virtqueue *q)
{
    return (uint16_t)((uint16_t)(q->avail_next - q->used_seen) * 3u / 4);
}

void virtqueue_ask_later(struct virtqueue *q)
{
    want_interrupt_at(q, (uint16_t)(q->used_seen + three_quarters(q)));
}

bool virtqueue_look_later(struct virtqueue *q)
{
    return (uint16_t)(used_index(q) - q->used_seen) > three_quarters(q);
}

bool virtqueue_listen_later(struct virtqueue *q)
{
    virtqueue_ask_later(q);
    device_fence();
    return virtqueue_look_later(q);
} /* LAB virtio:listen end */

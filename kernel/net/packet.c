/* Packets: see packet.h. */
#include "net/packet.h"

#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"

static struct slab_cache *packet_cache; /* const after init */

void packet_init_subsystem(void)
{
    packet_cache = slab_cache_create("packet", sizeof(struct packet), 0);
}

static struct buf *first(const struct packet *p)
{
    return list_first(&p->bufs, struct buf, link);
}

static struct buf *last(const struct packet *p)
{
    return list_last(&p->bufs, struct buf, link);
}

struct packet *packet_alloc(uint32_t headroom, uint32_t room)
{
    struct packet *p = slab_zalloc(packet_cache);
    struct buf *b = p ? buf_alloc_small(room) : NULL;

    if (!b) {
        slab_free(packet_cache, p);
        return NULL;
    }
    b->off = headroom;
    list_init(&p->bufs);
    list_push_back(&p->bufs, &b->link);
    return p;
}

struct packet *packet_from_buf(struct buf *b)
{
    struct packet *p = slab_zalloc(packet_cache);

    if (!p)
        return NULL;
    list_init(&p->bufs);
    list_push_back(&p->bufs, &b->link);
    p->len = b->len;
    return p;
}

void packet_free(struct packet *p)
{
    struct buf *b, *next;

    if (!p)
        return;
    list_for_each_safe (b, next, &p->bufs, link)
        buf_free(b);
    slab_free(packet_cache, p);
}

void packet_free_empty(struct packet *p)
{
    slab_free(packet_cache, p);
}

/* A buffer with the bytes of B: the same page, or a copy of a small one. */
static struct buf *clone_buf(const struct buf *b)
{
    if (b->page)
        return buf_from_page(b->page, b->off, b->len);
    struct buf *copy = buf_alloc_small(b->len);
    if (copy) {
        memcpy(copy->base, b->base + b->off, b->len);
        copy->len = b->len;
    }
    return copy;
}

struct packet *packet_clone(struct packet *p)
{
    struct buf *head = first(p), *b = head;
    struct packet *clone = packet_copy_range(p, 0, head->len);

    if (!clone)
        return NULL;
    while (b != last(p)) {
        b = list_entry(b->link.next, struct buf, link);
        struct buf *copy = clone_buf(b);
        if (!copy) {
            packet_free(clone);
            return NULL;
        }
        packet_append(clone, copy);
    }
    clone->dev = p->dev;
    clone->protocol = p->protocol;
    clone->checksum = p->checksum;
    clone->packet_type = p->packet_type;
    clone->checksum_start = p->checksum_start;
    clone->checksum_offset = p->checksum_offset;
    clone->segment_size = p->segment_size;
    clone->received = p->received;
    clone->ip = p->ip;
    clone->source_port = p->source_port;
    clone->from = p->from;
    return clone;
}

struct packet *packet_copy_range(const struct packet *p, uint32_t off, uint32_t n)
{
    struct packet *piece = packet_alloc(PACKET_HEADROOM, PACKET_HEADROOM + n);

    if (!piece)
        return NULL;
    uint32_t done = 0;
    while (done < n) {
        struct buf *b = list_last(&piece->bufs, struct buf, link);
        uint32_t part = min(n - done, b->room - b->off - b->len);
        if (!part) {
            b = buf_alloc();
            if (!b) {
                packet_free(piece);
                return NULL;
            }
            packet_append(piece, b);
            continue;
        }
        packet_copy(p, off + done, packet_put(piece, part), part);
        done += part;
    }
    return piece;
}

void packet_swap_data(struct packet *a, struct packet *b)
{
    struct list bufs = LIST_INIT(bufs);
    uint32_t len = a->len;

    list_splice_back(&bufs, &a->bufs);
    list_splice_back(&a->bufs, &b->bufs);
    list_splice_back(&b->bufs, &bufs);
    a->len = b->len;
    b->len = len;
}

/* --- both ends --- */

void *packet_push(struct packet *p, uint32_t n)
{
    struct buf *b = first(p);

    assert(b->off >= n && !(b->flags & BUF_SHARED));
    b->off -= n;
    b->len += n;
    p->len += n;
    p->checksum_start = (uint16_t)(p->checksum_start + n);
    return b->base + b->off;
}

/*
 * The bytes up to N, which lie in several buffers, in a new first one, and what was pulled off before them too. False:
 * no memory.
 */
static bool gather(struct packet *p, uint32_t n)
{
    struct buf *b = buf_alloc_small(PACKET_HEADROOM + n), *old = first(p);

    if (!b)
        return false;
    uint32_t pulled = min(old->off, (uint32_t)PACKET_HEADROOM);
    b->off = PACKET_HEADROOM;
    memcpy(b->base + b->off - pulled, old->base + old->off - pulled, pulled);
    packet_copy(p, 0, b->base + b->off, n);
    uint32_t len = p->len;
    uint16_t start = p->checksum_start;
    packet_pull(p, n);
    b->len = n;
    if (first(p)->len == 0) {
        struct buf *empty = first(p);
        list_remove(&empty->link);
        buf_free(empty);
    }
    list_push_front(&p->bufs, &b->link);
    p->len = len;
    p->checksum_start = start;
    return true;
}

void *packet_header(struct packet *p, uint32_t n)
{
    if (p->len < n || (first(p)->len < n && !gather(p, n)))
        return NULL;
    return first(p)->base + first(p)->off;
}

void packet_unpull(struct packet *p, uint32_t n)
{
    struct buf *b = first(p);

    assert(b->off >= n);
    b->off -= n;
    b->len += n;
    p->len += n;
    p->checksum_start = (uint16_t)(p->checksum_start + n);
}

/* A first buffer that has become empty stays, so that what was pulled off can be found again. */
void packet_pull(struct packet *p, uint32_t n)
{
    assert(n <= p->len);
    p->len -= n;
    p->checksum_start = (uint16_t)(p->checksum_start - n);
    if (n <= first(p)->len) {
        first(p)->off += n;
        first(p)->len -= n;
        return;
    }
    while (n > 0) {
        struct buf *b = first(p);
        uint32_t part = min(n, b->len);
        b->off += part;
        b->len -= part;
        n -= part;
        if (b->len == 0 && b != last(p)) {
            list_remove(&b->link);
            buf_free(b);
        }
    }
}

void packet_trim(struct packet *p, uint32_t len)
{
    assert(len <= p->len);
    while (p->len > len) {
        struct buf *b = last(p);
        uint32_t part = min(p->len - len, b->len);
        b->len -= part;
        p->len -= part;
        if (b->len == 0 && b != first(p)) {
            list_remove(&b->link);
            buf_free(b);
        }
    }
}

void *packet_put(struct packet *p, uint32_t n)
{
    struct buf *b = last(p);

    if ((b->flags & BUF_SHARED) || b->room - b->off - b->len < n)
        return NULL;
    char *at = b->base + b->off + b->len;
    b->len += n;
    p->len += n;
    return at;
}

void packet_append(struct packet *p, struct buf *b)
{
    list_push_back(&p->bufs, &b->link);
    p->len += b->len;
}

void packet_join(struct packet *p, struct packet *from)
{
    list_splice_back(&p->bufs, &from->bufs);
    p->len += from->len;
    packet_free_empty(from);
}

void packet_copy(const struct packet *p, uint32_t off, void *out, uint32_t n)
{
    struct buf *b;

    assert(off <= p->len && n <= p->len - off);
    list_for_each (b, &p->bufs, link) {
        if (off >= b->len) {
            off -= b->len;
            continue;
        }
        uint32_t part = min(n, b->len - off);
        memcpy(out, b->base + b->off + off, part);
        out = (char *)out + part;
        n -= part;
        off = 0;
        if (n == 0)
            return;
    }
}

/* --- checksums --- */

uint32_t checksum_add(uint32_t sum, const void *data, size_t n)
{
    const uint8_t *at = data;
    uint64_t wide = sum;
    uint32_t word;
    uint16_t half;

    /* Sums of 32-bit words fold to the same as sums of 16-bit ones (RFC 1071, section 2). */
    for (; n >= 4; n -= 4, at += 4) {
        memcpy(&word, at, 4);
        wide += word;
    }
    if (n >= 2) {
        memcpy(&half, at, 2);
        wide += half;
        at += 2;
        n -= 2;
    }
    if (n)
        wide += *at; /* the missing byte is 0, and comes second: little endian */
    wide = (wide & 0xffffffff) + (wide >> 32);
    wide = (wide & 0xffffffff) + (wide >> 32);
    return (uint32_t)((wide & 0xffff) + (wide >> 16));
}

uint32_t packet_checksum_add(const struct packet *p, uint32_t off, uint32_t sum)
{
    bool odd =
        false; /* an odd number of bytes lies behind: the next piece's sum has its bytes swapped */
    struct buf *b;

    list_for_each (b, &p->bufs, link) {
        if (off >= b->len) {
            off -= b->len;
            continue;
        }
        uint32_t part = checksum_add(0, b->base + b->off + off, b->len - off);
        part = (part & 0xffff) + (part >> 16);
        part = (part & 0xffff) + (part >> 16);
        sum += odd ? (part >> 8 | (part & 0xff) << 8) : part;
        sum = (sum & 0xffff) + (sum >> 16);
        odd ^= (b->len - off) & 1;
        off = 0;
    }
    return sum;
}

void packet_checksum_complete(struct packet *p)
{
    if (p->checksum != CHECKSUM_PARTIAL)
        return;
    uint32_t at = (uint32_t)p->checksum_start + p->checksum_offset;
    /* What stands there, the pseudo header's sum, is part of what is summed. */
    uint16_t sum = checksum_finish(packet_checksum_add(p, p->checksum_start, 0));
    char *header = packet_header(p, at + 2);
    p->checksum = CHECKSUM_UNKNOWN;
    if (!sum)
        sum = 0xffff; /* the same number; in UDP 0 would mean that there is none */
    if (!header)
        return; /* no memory: the receiver will drop it, as if lost */
    memcpy(header + at, &sum, 2);
}

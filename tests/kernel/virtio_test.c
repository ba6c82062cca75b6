/*
 * A virtqueue whose device is this test: what is put in comes back, in any order and number, and a device
 * that lies is given up at once. Its registers are plain memory.
 */
#include "dev/virtio.h"
#include "dev/virtio_net_internal.h"
#include "dev/virtio_queue.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/ethernet.h"
#include "sched/lock.h"
#include "tests/kernel/ktest.h"
#include "x86/cpu.h"

#define SIZE 8u
#define STATUS_RUNNING 15

struct fake {
    struct virtio_device v;
    uint8_t registers[COMMON_SIZE] aligned(8);
    uint8_t notify[4] aligned(4);
    struct virtqueue *q;
    char data[SIZE][16];
};

static void set16(struct fake *f, unsigned offset, uint16_t value)
{
    *(volatile uint16_t *)(f->registers + offset) = value;
}

/* A device with one queue, which runs. Never freed: neither are the queues of devices. */
static struct fake *start(uint64_t features)
{
    static struct fake *f;

    if (!f) {
        f = kzalloc(sizeof(*f));
        f->v = (struct virtio_device){.name = "fake", .common = f->registers, .notify = f->notify};
        f->v.notify_size = sizeof(f->notify);
        set16(f, COMMON_NUM_QUEUES, 1);
        set16(f, COMMON_QUEUE_SIZE, SIZE);
        f->q = virtqueue_create(&f->v, 0, SIZE);
    }
    f->v.features = features;
    WRITE_ONCE(f->v.stopped, true);
    spin_lock(&f->q->lock);
    while (virtqueue_reclaim(f->q))
        ;
    spin_unlock(&f->q->lock);
    virtqueue_restart(f->q);
    virtio_start(&f->v);
    return f;
}

/* Buffer N, of PIECES pieces that the device writes. */
static int put(struct fake *f, unsigned n, unsigned pieces)
{
    struct virtio_piece p[SIZE + 1];

    for (unsigned i = 0; i < pieces; i++)
        p[i] = (struct virtio_piece){f->data[n], sizeof(f->data[n])};
    spin_lock(&f->q->lock);
    int error = virtqueue_put(f->q, p, pieces, 0, f->data[n]);
    virtqueue_notify(f->q);
    spin_unlock(&f->q->lock);
    return error;
}

static void *take(struct fake *f, uint32_t *written)
{
    spin_lock(&f->q->lock);
    void *token = virtqueue_take(f->q, written);
    spin_unlock(&f->q->lock);
    return token;
}

/* The device says that it is done with the buffer of HEAD. */
static void use(struct fake *f, uint32_t head, uint32_t len)
{
    struct virtq_used *used = f->q->used;

    used->ring[used->idx % SIZE] = (struct virtq_used_entry){head, len};
    used->idx++;
}

/* The head of the Nth buffer that the device has been given. */
static uint16_t head_of(struct fake *f, unsigned n)
{
    return f->q->avail->ring[n % SIZE];
}

KTEST(virtio, buffers_come_back_in_whatever_order)
{
    struct fake *f = start(0);
    uint32_t written = 0;

    for (unsigned n = 0; n < 3; n++)
        KEXPECT_EQ(put(f, n, 1), 0);
    KEXPECT_EQ(f->q->avail->idx, 3);
    KEXPECT(!take(f, &written));
    use(f, head_of(f, 2), 5);
    use(f, head_of(f, 0), 16);
    KEXPECT(take(f, &written) == f->data[2]);
    KEXPECT_EQ(written, 5);
    KEXPECT(take(f, &written) == f->data[0]);
    KEXPECT_EQ(written, 16);
    KEXPECT(!take(f, &written));
    use(f, head_of(f, 1), 0);
    KEXPECT(take(f, &written) == f->data[1]);
    KEXPECT_EQ(f->q->free_count, SIZE);
    KEXPECT(!f->v.stopped);
}

KTEST(virtio, a_full_ring_takes_no_more)
{
    struct fake *f = start(0);
    uint32_t written;

    for (unsigned n = 0; n < SIZE; n++)
        KEXPECT_EQ(put(f, n, 1), 0);
    KEXPECT_EQ(put(f, 0, 1), -ENOSPC);
    use(f, head_of(f, 3), 1);
    KEXPECT(take(f, &written) == f->data[3]);
    KEXPECT_EQ(put(f, 3, 2), -ENOSPC);
    KEXPECT_EQ(put(f, 3, 1), 0);
}

KTEST(virtio, many_pieces_go_by_a_table_or_as_a_chain)
{
    struct fake *f = start(FEATURE(VIRTIO_F_INDIRECT_DESC));
    uint32_t written;

    KEXPECT_EQ(put(f, 0, 5), 0);
    KEXPECT_EQ(f->q->free_count, SIZE - 1);
    KEXPECT_EQ(f->q->desc[head_of(f, 0)].flags, VIRTQ_DESC_INDIRECT);
    use(f, head_of(f, 0), 80);
    KEXPECT(take(f, &written) == f->data[0]);
    KEXPECT_EQ(written, 80);
    f = start(0);
    KEXPECT_EQ(put(f, 1, 5), 0);
    KEXPECT_EQ(f->q->free_count, SIZE - 5);
    use(f, head_of(f, 0), 80);
    KEXPECT(take(f, &written) == f->data[1]);
    KEXPECT_EQ(f->q->free_count, SIZE);
}

KTEST(virtio, indexes_go_round)
{
    struct fake *f = start(FEATURE(VIRTIO_F_EVENT_IDX));
    uint32_t written;

    for (unsigned n = 0; n < 70000; n++) {
        if (put(f, n % SIZE, 1)) {
            KEXPECT_EQ(n, 0);
            break;
        }
        use(f, head_of(f, n), n % 16);
        if (take(f, &written) != f->data[n % SIZE] || written != n % 16) {
            KEXPECT_EQ(n, 0);
            break;
        }
    }
    KEXPECT(!f->v.stopped);
}

KTEST(virtio, what_no_ring_holds_is_not_waited_for)
{
    struct fake *f = start(0);

    KEXPECT_EQ(put(f, 0, SIZE + 1), -EIO);
    KEXPECT_EQ(put(f, 0, SIZE), 0);
    KEXPECT_EQ(put(f, 1, 1), -ENOSPC);
}

/* --- lies --- */

/* F is given up: nothing goes in or comes out any more, and it is reset. */
static void expect_given_up(struct fake *f)
{
    uint32_t written;

    KEXPECT(!take(f, &written));
    KEXPECT(f->v.stopped);
    KEXPECT_EQ(f->registers[COMMON_STATUS], 0);
    KEXPECT_EQ(put(f, 7, 1), -EIO);
    KEXPECT(!take(f, &written));
    KEXPECT(!take(f, &written));
}

KTEST(virtio, an_id_beyond_the_ring_is_a_lie)
{
    struct fake *f = start(0);

    KEXPECT_EQ(put(f, 0, 1), 0);
    use(f, SIZE, 1);
    expect_given_up(f);
}

KTEST(virtio, a_huge_id_is_a_lie)
{
    struct fake *f = start(0);

    KEXPECT_EQ(put(f, 0, 1), 0);
    use(f, 0xffffffff, 1);
    expect_given_up(f);
}

KTEST(virtio, a_buffer_that_was_not_given_is_a_lie)
{
    struct fake *f = start(0);

    KEXPECT_EQ(put(f, 0, 1), 0);
    use(f, (head_of(f, 0) + 1u) % SIZE, 1);
    expect_given_up(f);
}

KTEST(virtio, a_buffer_that_comes_back_twice_is_a_lie)
{
    struct fake *f = start(0);
    uint32_t written;

    KEXPECT_EQ(put(f, 0, 1), 0);
    use(f, head_of(f, 0), 1);
    use(f, head_of(f, 0), 1);
    KEXPECT(take(f, &written) == f->data[0]);
    expect_given_up(f);
}

KTEST(virtio, the_middle_of_a_chain_is_a_lie)
{
    struct fake *f = start(0);

    KEXPECT_EQ(put(f, 0, 3), 0);
    use(f, f->q->desc[head_of(f, 0)].next, 1);
    expect_given_up(f);
}

KTEST(virtio, more_bytes_than_there_was_room_for_are_a_lie)
{
    struct fake *f = start(0);

    KEXPECT_EQ(put(f, 0, 2), 0);
    use(f, head_of(f, 0), 33);
    expect_given_up(f);
}

KTEST(virtio, an_index_far_ahead_is_a_lie)
{
    struct fake *f = start(0);

    KEXPECT_EQ(put(f, 0, 1), 0);
    use(f, head_of(f, 0), 1);
    f->q->used->idx = SIZE + 1;
    expect_given_up(f);
}

KTEST(virtio, an_index_that_goes_back_is_a_lie)
{
    struct fake *f = start(0);
    uint32_t written;

    KEXPECT_EQ(put(f, 0, 1), 0);
    use(f, head_of(f, 0), 1);
    KEXPECT(take(f, &written) == f->data[0]);
    f->q->used->idx = 0;
    expect_given_up(f);
}

/* What it left in the ring would look, to who wants to empty it, as if there were always more. */
KTEST(virtio, a_card_given_up_is_not_looked_at_again)
{
    static struct virtio_net net = {
        .virtio.stopped = true,
        .dev = {.name = "given%", .ops = &virtio_net_ops, .link_ops = &ethernet_link, .num_queues = 1},
    };
    struct fake *f = start(0);
    struct net_pair *r = &net.pairs[0];

    KEXPECT_EQ(netdev_register(&net.dev), 0);
    r->net = &net;
    r->rx = f->q;
    timer_init(&r->again, virtio_net_receive_again);
    KEXPECT_EQ(put(f, 0, 1), 0);
    use(f, SIZE, 1);
    expect_given_up(f);
    irq_push_off();
    virtio_net_receive_again(&r->again);
    KEXPECT_EQ(timer_remaining(&r->again), 0);
    timer_cancel_sync(&r->again);
    irq_pop_off();
}

KTEST(virtio, a_device_given_up_can_be_begun_again)
{
    struct fake *f = start(0);
    uint32_t written;

    KEXPECT_EQ(put(f, 0, 1), 0);
    use(f, 99, 1);
    expect_given_up(f);
    f = start(0);
    KEXPECT_EQ(f->registers[COMMON_STATUS], STATUS_RUNNING);
    KEXPECT_EQ(put(f, 1, 1), 0);
    use(f, head_of(f, 0), 4);
    KEXPECT(take(f, &written) == f->data[1]);
}

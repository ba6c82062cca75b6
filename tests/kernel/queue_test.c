/* The queue below pipes and terminals: order, limits, records, and where its buffers come from. */
#include "fs/file.h"
#include "ipc/queue.h"
#include "lib/string.h"
#include "mm/page.h"
#include "tests/kernel/ktest.h"

/* Read N bytes into kernel memory by way of a uio. */
static ssize_t read_into(struct queue *q, void *to, size_t n, unsigned how)
{
    struct iovec one;
    struct uio u;

    uio_init_kernel(&u, &one, to, n);
    spin_lock(&q->lock);
    ssize_t done = queue_read(q, &u, n, how);
    spin_unlock(&q->lock);
    return done;
}

static size_t put_bytes(struct queue *q, const char *text)
{
    spin_lock(&q->lock);
    size_t n = queue_write_kernel(q, text, strlen(text));
    spin_unlock(&q->lock);
    return n;
}

static void put_record(struct queue *q, const char *text)
{
    spin_lock(&q->lock);
    KEXPECT(queue_write_record(q, text, strlen(text)));
    spin_unlock(&q->lock);
}

KTEST(queue, bytes_come_out_in_order)
{
    struct queue q;
    char out[16] = "";

    queue_init(&q, 4096, 16);
    KEXPECT_EQ(put_bytes(&q, "abc"), 3);
    KEXPECT_EQ(put_bytes(&q, "defg"), 4);
    KEXPECT_EQ(q.bytes, 7);
    KEXPECT_EQ(q.nbufs, 1); /* the second piece went behind the first */
    KEXPECT_EQ(read_into(&q, out, 2, 0), 2);
    KEXPECT_EQ(read_into(&q, out + 2, 10, 0), 5);
    KEXPECT(strcmp(out, "abcdefg") == 0);
    KEXPECT(queue_is_empty(&q));
    KEXPECT_EQ(q.bytes, 0);
    queue_destroy(&q);
}

KTEST(queue, limit_holds_back_what_does_not_fit)
{
    struct queue q;

    queue_init(&q, 5, 16);
    KEXPECT_EQ(put_bytes(&q, "abc"), 3);
    KEXPECT_EQ(put_bytes(&q, "defg"), 2);
    KEXPECT_EQ(put_bytes(&q, "x"), 0);
    queue_destroy(&q);
}

KTEST(queue, read_stops_at_the_end_of_a_record)
{
    struct queue q;
    char out[16];

    queue_init(&q, 4096, 16);
    put_record(&q, "one\n");
    put_record(&q, "two\n");
    KEXPECT_EQ(read_into(&q, out, sizeof(out), 0), 4);
    KEXPECT_EQ(read_into(&q, out, 2, 0), 2); /* the rest of a record stays... */
    KEXPECT_EQ(read_into(&q, out, sizeof(out), 0), 2);
    put_record(&q, "packet");
    KEXPECT_EQ(read_into(&q, out, 2, QUEUE_CUT), 2); /* ... or goes */
    KEXPECT(queue_is_empty(&q));
    queue_destroy(&q);
}

KTEST(queue, empty_record_is_a_mark_that_reads_as_nothing)
{
    struct queue q;
    char out[4];

    queue_init(&q, 4096, 16);
    put_record(&q, "");
    put_record(&q, "x");
    KEXPECT(!queue_is_empty(&q));
    KEXPECT_EQ(read_into(&q, out, sizeof(out), 0), 0);
    KEXPECT_EQ(read_into(&q, out, sizeof(out), 0), 1);
    queue_destroy(&q);
}

KTEST(queue, peek_leaves_everything)
{
    struct queue q;
    char out[4] = "";

    queue_init(&q, 4096, 16);
    put_bytes(&q, "abc");
    KEXPECT_EQ(read_into(&q, out, 3, QUEUE_PEEK), 3);
    KEXPECT_EQ(q.bytes, 3);
    KEXPECT(strcmp(out, "abc") == 0);
    queue_destroy(&q);
}

KTEST(queue, nothing_is_written_behind_shared_bytes)
{
    struct queue q;
    struct page *p = page_alloc(0, ALLOC_ZERO);

    queue_init(&q, 65536, 16);
    KEXPECT(p != NULL);
    struct buf *b = buf_from_page(p, 100, 10);
    KEXPECT_EQ(ref_read(&p->ref), 2);
    spin_lock(&q.lock);
    queue_put(&q, b);
    KEXPECT(queue_appendable(&q, 1) == NULL);
    spin_unlock(&q.lock);
    put_bytes(&q, "x");
    KEXPECT_EQ(q.nbufs, 2);
    KEXPECT_EQ(((char *)page_to_virt(p))[110], 0);
    queue_destroy(&q);
    KEXPECT_EQ(ref_read(&p->ref), 1);
    page_put(p);
}

KTEST(queue, buffers_kept_ready_can_be_drained)
{
    struct buf *many[8];

    for (int i = 0; i < 8; i++)
        many[i] = buf_alloc();
    for (int i = 0; i < 8; i++)
        buf_free(many[i]);
    buf_drain();
    struct buf *b = buf_alloc();
    KEXPECT(b && b->len == 0 && b->off == 0 && b->flags == 0 && b->room == PAGE_SIZE);
    buf_free(b);
    buf_drain();
}

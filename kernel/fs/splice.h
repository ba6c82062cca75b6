/*
 * Bytes that travel between files as pages: what splice(2), sendfile(2) and copy_file_range(2) are made of.
 * A batch is what a file gave: pages with a reference each, and where in them its bytes lie. A file that
 * keeps its bytes in pages gives those (file_ops.read_pages); any other is read into fresh ones. Pages of a
 * batch belong to others too and are never written to.
 */
#pragma once

#include "lib/types.h"

struct file;
struct page;

struct page_piece {
    struct page *page;
    uint32_t off, len;
};

#define PAGE_BATCH 16u

struct page_batch {
    unsigned count;
    struct page_piece piece[PAGE_BATCH];
};

void page_batch_put(struct page_batch *b);
/* One more; takes a reference. There must be room. */
void page_batch_add(struct page_batch *b, struct page *p, uint32_t off, uint32_t len);

/*
 * Read up to N bytes, in at most MAX pieces, from F at *POS, which advances: bytes, 0 at the end,
 * -EINVAL when this kind of file can't be spliced from, -errno. NONBLOCK for those that may wait. B is
 * the caller's to put.
 */
ssize_t file_read_pages(struct file *f, struct page_batch *b, size_t n, unsigned max, off_t *pos,
                        bool nonblock);
/* The same by read(2)'s way, into fresh pages, for files whose bytes lie nowhere. */
ssize_t file_read_copies(struct file *f, struct page_batch *b, size_t n, unsigned max, off_t *pos,
                         bool nonblock);
/*
 * Write N bytes that begin at OFF in P, at *POS, which advances: bytes, -EINVAL when this kind of file
 * can't be spliced to, -errno. The file may keep P instead of a copy.
 */
ssize_t file_write_page(struct file *f, struct page *p, uint32_t off, size_t n, off_t *pos);

/*
 * Up to N bytes of IN at *IN_POS to OUT at *OUT_POS; both advance by what it returns. IN is seekable. The
 * error when nothing was moved.
 */
ssize_t file_transfer(struct file *in, off_t *in_pos, struct file *out, off_t *out_pos, size_t n);

/* May N bytes at POS be asked of F? 0 or -EINVAL. */
int file_check_range(const struct file *f, off_t pos, size_t n);
/* The description's own offset: read at the start of a transfer, set at its end. */
off_t file_pos_get(struct file *f);
void file_pos_set(struct file *f, off_t pos);

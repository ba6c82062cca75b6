/*
 * Moving bytes between pipes and files, for the calls in splice_calls.c and vmsplice.c. All answer with
 * the bytes moved, 0 at the end of the source, -EAGAIN when NONBLOCK and they would have to wait for a
 * pipe, -EPIPE (and SIGPIPE) when nobody reads the pipe that they fill, -ERESTARTSYS.
 */
#pragma once

#include "lib/types.h"

struct file;
struct page_batch;
struct pipe;

/* The pipe that F is an end of; NULL when it is something else. */
struct pipe *pipe_of(const struct file *f);

/* From file IN at *POS, which advances, into pipe TO; waits for room, but not once something has moved. */
ssize_t splice_from_file(struct file *in, off_t *pos, struct pipe *to, size_t n, bool nonblock);
/* From pipe FROM into file OUT at *POS; what OUT did not take stays in the pipe. */
ssize_t splice_to_file(struct pipe *from, struct file *out, off_t *pos, size_t n, bool nonblock);
/* From one pipe to another one; with KEEP it stays where it is as well (tee). */
ssize_t splice_pipes(struct pipe *from, struct pipe *to, size_t n, bool keep, bool nonblock);

/* Wait for a free slot of TO: how many there are, or the error; SIGPIPE has been sent when it is -EPIPE. */
int splice_wait_room(struct pipe *to, bool nonblock);
/*
 * Put the pages of B into TO, whatever its limit says; the references in B stay the caller's. Returns how
 * many bytes: fewer only when out of memory.
 */
size_t splice_put_pages(struct pipe *to, const struct page_batch *b);

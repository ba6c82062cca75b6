/*
 * The walk over scattered memory that every read and write makes: a vector of pieces, user memory
 * or the kernel's, eaten from the front. A copy that faults stops where it faulted, and what it
 * returns says so.
 */
#include "fs/file.h"
#include "lib/string.h"
#include "x86/uaccess.h"

void uio_skip(struct uio *u, size_t n)
{
    u->left -= n;
    u->done += n;
    while (u->count && u->done >= u->iov->iov_len) {
        u->done -= u->iov->iov_len;
        u->iov++;
        u->count--;
    }
}

/* Where the next byte is, and how many of N lie there in one piece. */
static size_t next_piece(const struct uio *u, size_t n, char **at)
{
    const struct iovec *v = u->iov;
    size_t done = u->done;
    while (done >= v->iov_len) { /* empty pieces */
        done -= v->iov_len;
        v++;
    }
    *at = (char *)v->iov_base + done;
    return min(n, v->iov_len - done);
}

enum uio_way { IN, OUT, OUT_NOFAULT, ZERO };

/* One piece; returns how many bytes were not done. */
static inline size_t move_piece(const struct uio *u, enum uio_way way, char *at, char *kernel,
                                size_t n)
{
    if (u->kernel) {
        if (way == ZERO)
            memset(at, 0, n);
        else if (way == IN)
            memcpy(kernel, at, n);
        else
            memcpy(at, kernel, n);
        return 0;
    }
    switch (way) {
    case IN: return copy_from_user_partial(kernel, at, n);
    case OUT: return copy_to_user_partial(at, kernel, n);
    case OUT_NOFAULT: return copy_to_user_nofault(at, kernel, n);
    case ZERO: return clear_user(at, n);
    }
    return n;
}

static noinline size_t move_pieces(struct uio *u, enum uio_way way, void *kernel, size_t n)
{
    size_t done = 0;
    while (done < n) {
        char *at;
        size_t piece = next_piece(u, n - done, &at);
        size_t missed = move_piece(u, way, at, (char *)kernel + done, piece);
        done += piece - missed;
        uio_skip(u, piece - missed);
        if (missed)
            break;
    }
    return done;
}

static inline size_t move(struct uio *u, enum uio_way way, void *kernel, size_t n)
{
    n = min(n, u->left);
    if (unlikely(n > u->iov->iov_len - u->done))
        return move_pieces(u, way, kernel, n);
    n -= move_piece(u, way, (char *)u->iov->iov_base + u->done, kernel, n);
    u->done += n; /* at the very end of the piece the next move goes on from there */
    u->left -= n;
    return n;
}

size_t uio_copy_in(struct uio *u, void *dst, size_t n)
{
    return move(u, IN, dst, n);
}
size_t uio_copy_out(struct uio *u, const void *src, size_t n)
{
    return move(u, OUT, (void *)src, n);
}
size_t uio_copy_out_nofault(struct uio *u, const void *src, size_t n)
{
    return move(u, OUT_NOFAULT, (void *)src, n);
}
size_t uio_zero(struct uio *u, size_t n)
{
    return move(u, ZERO, NULL, n);
}

int uio_fault_in(struct uio *u, bool write_to_user)
{
    if (u->kernel || u->left == 0)
        return 0;
    char *at;
    next_piece(u, 1, &at);
    return user_fault_in(at, write_to_user);
}

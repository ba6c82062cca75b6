/*
 * Three pipes and a file against a model of them: random writes, reads, splices, tees and vmsplices, each
 * checked against lists of slots that hold copies. Where the kernel shares a page and the model has two
 * copies, a byte that changes behind somebody's back shows. Both kernels must agree with the model in every
 * count and every byte.
 */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/ioctl.h>
#include <sys/uio.h>

#define PIPES 3
#define SLOTS 16
#define BIGGEST 80000
#define FILE_SIZE 30000

struct slot {
    int off, len; /* in the page */
    bool open;    /* a write may go on behind it */
    unsigned char data[PAGE];
};

static struct {
    int used;
    struct slot slot[SLOTS];
} model[PIPES];

static int p[PIPES][2], file;
static unsigned char out[BIGGEST], in[BIGGEST], file_copy[FILE_SIZE], memory[20 * PAGE];
static uint64_t state;

static unsigned pick(unsigned n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % n;
}

static int some_length(void)
{
    static const int edges[] = {0, 1, 2, 100, 4095, 4096, 4097, 8192, 65536, BIGGEST};

    return pick(3) ? (int)pick(9000) : edges[pick(sizeof(edges) / sizeof(edges[0]))];
}

static void fill_random(unsigned char *to, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = (unsigned char)pick(256);
}

static long result(long value)
{
    return value < 0 ? -errno : value;
}

/* ---- the model ---- */

static int shorter(int a, int b)
{
    return a < b ? a : b;
}

static void add_slot(int pipe, const unsigned char *data, int off, int len, bool open)
{
    struct slot *s = &model[pipe].slot[model[pipe].used++];

    s->off = off;
    s->len = len;
    s->open = open;
    memcpy(s->data + off, data, (size_t)len);
}

static void consume(int pipe, int n)
{
    struct slot *s = model[pipe].slot;

    s->off += n;
    s->len -= n;
    if (!s->len)
        memmove(s, s + 1, sizeof(*s) * (size_t)--model[pipe].used);
}

static long model_write(int pipe, const unsigned char *data, int n)
{
    int done = 0, odd = n % (int)PAGE;

    if (odd && model[pipe].used) {
        struct slot *s = &model[pipe].slot[model[pipe].used - 1];
        if (s->open && s->off + s->len + odd <= (int)PAGE) {
            memcpy(s->data + s->off + s->len, data, (size_t)odd);
            s->len += odd;
            done = odd;
        }
    }
    while (done < n && model[pipe].used < SLOTS) {
        int len = shorter(n - done, PAGE);
        add_slot(pipe, data + done, 0, len, true);
        done += len;
    }
    return done || !n ? done : -EAGAIN;
}

/* Bytes that lie in pages of their own, from AT in the first: a file's, or the program's memory. */
static long model_pages(int pipe, const unsigned char *data, size_t at, int n)
{
    int done = 0;

    if (n && model[pipe].used == SLOTS)
        return -EAGAIN;
    while (done < n && model[pipe].used < SLOTS) {
        int off = (int)((at + (size_t)done) % PAGE), len = shorter(n - done, (int)PAGE - off);
        add_slot(pipe, data + done, off, len, false);
        done += len;
    }
    return done;
}

static long model_read(int pipe, unsigned char *to, int n)
{
    int done = 0;

    if (n && !model[pipe].used)
        return -EAGAIN;
    while (done < n && model[pipe].used) {
        struct slot *s = model[pipe].slot;
        int len = shorter(s->len, n - done);
        memcpy(to + done, s->data + s->off, (size_t)len);
        consume(pipe, len);
        done += len;
    }
    return done;
}

static long model_splice(int from, int to, int n)
{
    int done = 0;

    if (n && (!model[from].used || model[to].used == SLOTS))
        return -EAGAIN;
    while (done < n && model[from].used && model[to].used < SLOTS) {
        struct slot *s = model[from].slot;
        int len = shorter(s->len, n - done);
        add_slot(to, s->data + s->off, s->off, len, s->open && len == s->len);
        consume(from, len);
        done += len;
    }
    return done;
}

static long model_tee(int from, int to, int n)
{
    int done = 0;

    if (n && (!model[from].used || model[to].used == SLOTS))
        return -EAGAIN;
    for (int i = 0; i < model[from].used && done < n && model[to].used < SLOTS; i++) {
        struct slot *s = &model[from].slot[i];
        int len = shorter(s->len, n - done);
        add_slot(to, s->data + s->off, s->off, len, false);
        done += len;
    }
    return done;
}

/* ---- the same on both ---- */

static void one_write(int a)
{
    int n = some_length();

    fill_random(out, n);
    same(result(write(p[a][1], out, (size_t)n)), model_write(a, out, n));
}

static void one_read(int a)
{
    static unsigned char expected[BIGGEST];
    int n = some_length();
    long want = model_read(a, expected, n);

    same(result(read(p[a][0], in, (size_t)n)), want);
    check(want <= 0 || memcmp(in, expected, (size_t)want) == 0, "the bytes of pipe %d", a);
}

static void one_vmsplice(int a)
{
    size_t at = pick(3 * PAGE);
    int n = (int)pick(17 * PAGE);
    struct iovec v = {memory + at, (size_t)n};

    same(result(vmsplice(p[a][1], &v, 1, SPLICE_F_NONBLOCK)),
         model_pages(a, memory + at, (uintptr_t)memory + at, n));
}

static void one_from_file(int a)
{
    off_t at = pick(FILE_SIZE);
    int n = some_length();
    long want = model_pages(a, file_copy + at, (size_t)at, shorter(n, FILE_SIZE - (int)at));

    same(result(splice(file, &at, p[a][1], NULL, (size_t)n, 0)), want);
}

static void one_to_file(int a)
{
    static unsigned char expected[BIGGEST];
    int n = some_length();
    off_t at = 0;
    int fd = works(open("target", O_RDWR | O_CREAT | O_TRUNC, 0600));
    long want = model_read(a, expected, n);

    same(result(splice(p[a][0], NULL, fd, &at, (size_t)n, 0)), want);
    if (want > 0) {
        same(pread(fd, in, sizeof(in), 0), want);
        check(memcmp(in, expected, (size_t)want) == 0, "the file's bytes");
    }
    works(close(fd));
}

static void one_step(void)
{
    int a = (int)pick(PIPES), b = (a + 1 + (int)pick(PIPES - 1)) % PIPES, n;

    switch (pick(10)) {
    case 0:
    case 1: one_write(a); break;
    case 2:
    case 3: one_read(a); break;
    case 4: one_vmsplice(a); break;
    case 5: one_from_file(a); break;
    case 6: one_to_file(a); break;
    case 7:
    case 8:
        n = some_length();
        same(result(splice(p[a][0], NULL, p[b][1], NULL, (size_t)n, 0)), model_splice(a, b, n));
        break;
    default:
        n = some_length();
        same(result(tee(p[a][0], p[b][1], (size_t)n, 0)), model_tee(a, b, n));
    }
}

static void look(void)
{
    for (int i = 0; i < PIPES; i++) {
        int bytes, sum = 0;
        for (int k = 0; k < model[i].used; k++)
            sum += model[i].slot[k].len;
        works(ioctl(p[i][0], FIONREAD, &bytes));
        same(bytes, sum);
    }
}

static void rounds(int count)
{
    for (int i = 0; i < PIPES; i++) {
        works(pipe2(p[i], O_NONBLOCK));
        model[i].used = 0;
    }
    for (int i = 0; i < count; i++) {
        one_step();
        look();
    }
    same(pread(file, in, FILE_SIZE, 0), FILE_SIZE);
    same(memcmp(in, file_copy, FILE_SIZE), 0);
    for (int i = 0; i < PIPES; i++) {
        works(close(p[i][0]));
        works(close(p[i][1]));
    }
}

TEST(pipes_and_a_file_do_what_the_model_says)
{
    state = 5;
    fill_random(memory, sizeof(memory));
    fill_random(file_copy, FILE_SIZE);
    file = works(open("file", O_RDWR | O_CREAT, 0600));
    same(write(file, file_copy, FILE_SIZE), FILE_SIZE);
    for (uint64_t seed = 1; seed < 25; seed++) {
        state = seed;
        rounds(200);
    }
}

int main(void)
{
    return tap_run("splicemodel");
}

/*
 * A pipe against a model of it: random writes, reads and resizes of a non-blocking pipe, each checked against
 * a list of slots that follows pipe(7)'s rules. Both kernels must agree with the model in every count, in every
 * byte and in what poll and FIONREAD say.
 */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <sys/ioctl.h>

#define SLOTS_MAX 256
#define BIGGEST 200000

/* What a pipe holds: up to CAPACITY slots of a page; in each, bytes from OFF on. */
static struct {
    int capacity, used;
    struct {
        int off, len;
        bool packet;
    } slot[SLOTS_MAX];
} model;

static int p[2];
static char out[BIGGEST], in[BIGGEST];
static uint64_t state;
static unsigned char next_in, next_out; /* the bytes count up, so that each is known */

static unsigned pick(unsigned n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % n;
}

static long model_bytes(void)
{
    long sum = 0;

    for (int i = 0; i < model.used; i++)
        sum += model.slot[i].len;
    return sum;
}

static void add_slot(int len, bool packet)
{
    model.slot[model.used].off = 0;
    model.slot[model.used].len = len;
    model.slot[model.used++].packet = packet;
}

/* The part beyond a multiple of the page goes behind the last slot when it fits; then one slot a page. */
static long model_write(int n, bool packet)
{
    int done = 0, odd = n % (int)PAGE;

    if (n == 0)
        return 0;
    if (odd && model.used && !packet) {
        int last = model.used - 1;
        if (!model.slot[last].packet &&
            model.slot[last].off + model.slot[last].len + odd <= (int)PAGE) {
            model.slot[last].len += odd;
            done = odd;
        }
    }
    while (done < n && model.used < model.capacity) {
        int len = n - done < (int)PAGE ? n - done : (int)PAGE;
        add_slot(len, packet);
        done += len;
    }
    return done ? done : -EAGAIN;
}

static void drop_first(void)
{
    memmove(&model.slot[0], &model.slot[1], sizeof(model.slot[0]) * (size_t)--model.used);
}

/* A packet ends a read, and what doesn't fit of it is gone. */
static long model_read(int n)
{
    long done = 0;

    if (n && !model.used)
        return -EAGAIN;
    while (done < n && model.used) {
        bool packet = model.slot[0].packet;
        int len = model.slot[0].len < n - done ? model.slot[0].len : (int)(n - done);
        done += len;
        model.slot[0].off += len;
        model.slot[0].len -= len;
        if (!model.slot[0].len || packet)
            drop_first();
        if (packet)
            break;
    }
    return done;
}

static long model_resize(long size)
{
    int slots = 1;

    while (slots * (long)PAGE < size)
        slots *= 2;
    if (slots < model.used)
        return -EBUSY;
    model.capacity = slots;
    return slots * (long)PAGE;
}

static long result(long value)
{
    return value < 0 ? -errno : value;
}

static int some_length(void)
{
    static const int edges[] = {0,    1,     2,     10,    4095,   4096,   4097,
                                8192, 65535, 65536, 65537, 100000, BIGGEST};

    return pick(2) ? edges[pick(sizeof(edges) / sizeof(edges[0]))] : (int)pick(9000);
}

static void one_write(bool packet)
{
    int n = some_length();

    for (int i = 0; i < n; i++)
        out[i] = (char)(next_in + i);
    long done = result(write(p[1], out, (size_t)n));
    same(done, model_write(n, packet));
    if (done > 0)
        next_in += (unsigned char)done;
}

static void one_read(bool packet)
{
    int n = some_length();
    long done = result(read(p[0], in, (size_t)n));

    same(done, model_read(n));
    for (long i = 0; i < done && !packet; i++)
        check((unsigned char)in[i] == (unsigned char)(next_out + i), "byte %ld is wrong", i);
    if (done > 0)
        next_out += (unsigned char)done;
}

static void one_resize(void)
{
    static const long sizes[] = {1, 4096, 5000, 8192, 65536, 131072, 1048576};
    long size = sizes[pick(sizeof(sizes) / sizeof(sizes[0]))];

    same(result(fcntl(p[1], F_SETPIPE_SZ, (int)size)), model_resize(size));
    same(fcntl(p[0], F_GETPIPE_SZ), model.capacity * (long)PAGE);
}

static void look(void)
{
    struct pollfd ends[2] = {{.fd = p[0], .events = POLLIN}, {.fd = p[1], .events = POLLOUT}};
    int bytes;

    works(ioctl(p[0], FIONREAD, &bytes));
    same(bytes, model_bytes());
    poll(ends, 2, 0);
    same(ends[0].revents, model.used ? POLLIN : 0);
    same(ends[1].revents, model.used < model.capacity ? POLLOUT : 0);
}

static void rounds(int count, bool packet)
{
    works(pipe2(p, O_NONBLOCK | (packet ? O_DIRECT : 0)));
    model.capacity = 16;
    model.used = 0;
    next_in = next_out = 0;
    for (int i = 0; i < count; i++) {
        unsigned what = pick(12);
        if (what < 6)
            one_write(packet);
        else if (what < 11)
            one_read(packet);
        else
            one_resize();
        look();
    }
    works(close(p[0]));
    works(close(p[1]));
}

TEST(a_stream_does_what_the_model_says)
{
    for (state = 1; state < 40; state++) {
        uint64_t seed = state;
        rounds(150, false);
        state = seed;
    }
}

TEST(packets_do_what_the_model_says)
{
    for (state = 100; state < 120; state++) {
        uint64_t seed = state;
        rounds(150, true);
        state = seed;
    }
}

int main(void)
{
    return tap_run("pipemodel");
}

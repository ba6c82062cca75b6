/*
 * Plays a script on one pipe that never sleeps, and reports what each step returned.
 *
 *     script SEED STEP...
 *
 *     wN rN     write, read N bytes          WN RN   the same at an address that is not there
 *     vN        write N bytes from pages not touched yet
 *     fN        write N bytes until that fails: how many writes did not
 *     n p       FIONREAD; poll both ends, as reader:writer in hexadecimal
 *     gN sN     F_GETPIPE_SZ, F_SETPIPE_SZ   cr cw   close an end        u   read into a page not touched yet
 *
 * What is written are the bytes of one stream; a hash of all that was read comes at the end.
 */
#include "scene.h"

#include <poll.h>

static int ends[2];
static uint32_t seed, seen = HASH_START;
static uint64_t written;
static unsigned char buffer[1 << 20];

static long put(size_t n)
{
    fill(buffer, seed, written, n);
    long result = outcome(write(ends[1], buffer, n));
    if (result > 0)
        written += (uint64_t)result;
    return result;
}

static long get(size_t n, unsigned char *to)
{
    long result = outcome(read(ends[0], to, n));

    if (result > 0)
        seen = hash(seen, to, (size_t)result);
    return result;
}

static long get_fresh(void)
{
    unsigned char *page =
        mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long result = get(64, page + PAGE - 32);

    munmap(page, 2 * PAGE);
    return result;
}

static int ready(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

    return fd < 0 || poll(&p, 1, 0) < 0 ? 0 : p.revents;
}

static long put_fresh(size_t n)
{
    int file = memfd_create("fresh", 0);
    size_t offset = PAGE - n / 2;

    fill(buffer, seed, written, n);
    lab_must(ftruncate(file, 3 * PAGE));
    lab_must(pwrite(file, buffer, n, (off_t)offset));
    unsigned char *pages = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE, file, 0);
    long result = outcome(write(ends[1], pages + offset, n));
    if (result > 0)
        written += (uint64_t)result;
    munmap(pages, 3 * PAGE);
    close(file);
    return result;
}

static long fill_up(size_t n)
{
    long writes = 0;

    while (writes < 100000 && put(n) == (long)n)
        writes++;
    return writes;
}

static long step(const char *word)
{
    long n = atol(word + 1);
    int bytes = -1;

    switch (word[0]) {
    case 'w': return put((size_t)n);
    case 'v': return put_fresh((size_t)n);
    case 'f': return fill_up((size_t)n);
    case 'r': return get((size_t)n, buffer);
    case 'W': return outcome(write(ends[1], BAD, (size_t)n));
    case 'R': return outcome(read(ends[0], BAD, (size_t)n));
    case 'u': return get_fresh();
    case 'n': return outcome(ioctl(ends[0], FIONREAD, &bytes)) ?: bytes;
    case 'g': return outcome(fcntl(ends[0], F_GETPIPE_SZ));
    case 's': return outcome(fcntl(ends[0], F_SETPIPE_SZ, n));
    case 'c': {
        int *end = &ends[word[1] == 'w'];
        long result = outcome(close(*end));
        *end = -1;
        return result;
    }
    default: return -1000;
    }
}

int main(int argc, char **argv)
{
    seed = (uint32_t)strtoul(argv[1], NULL, 0);
    count_sigpipes();
    be_patient(PATIENCE);
    if (pipe2(ends, O_NONBLOCK) < 0)
        return 1;
    for (int i = 2; i < argc; i++) {
        if (argv[i][0] == 'p')
            lab_report("step", "%s %x:%x", argv[i], (unsigned)ready(ends[0]),
                       (unsigned)ready(ends[1]));
        else
            lab_report("step", "%s %ld", argv[i], step(argv[i]));
    }
    lab_report("hash", "%u", seen);
    lab_report("sigpipes", "%d", sigpipes);
    return 0;
}

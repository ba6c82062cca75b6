/*
 * Readers that sleep on an empty pipe, each for one byte.
 *
 *     readers COUNT BYTES...
 *
 * COUNT readers go to sleep; then every BYTES are written at once, and that many readers are waited for. At the end the
 * pipe is closed: those who are left read the end of it.
 */
#include "scene.h"

struct shared {
    int ends[2];
    volatile int ended;    /* readers that came back from their read */
    volatile int bytes;    /* ... with a byte */
    volatile int sum;      /* of these bytes */
    volatile int finished; /* ... with the end of the file */
};

static int reader(void *arg)
{
    struct shared *s = arg;
    unsigned char byte = 0;

    close(s->ends[1]);
    ssize_t n = read(s->ends[0], &byte, 1);
    if (n == 1) {
        __sync_fetch_and_add(&s->bytes, 1);
        __sync_fetch_and_add(&s->sum, byte);
    } else if (n == 0) {
        __sync_fetch_and_add(&s->finished, 1);
    }
    __sync_fetch_and_add(&s->ended, 1);
    return n == 1 ? 1 : n == 0 ? 0 : errno;
}

int main(int argc, char **argv)
{
    struct shared *s = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int count = atoi(argv[1]), due = 0;
    pid_t pids[32];
    char states[33] = "";
    unsigned char bytes[64];

    if (count > 32 || pipe(s->ends) < 0)
        return 1;
    for (int i = 0; i < count; i++)
        pids[i] = start(reader, s);
    for (int i = 0; i < count; i++)
        states[i] = settle(pids[i]);
    lab_report("states", "%s", states);
    for (int i = 2; i < argc; i++) {
        int n = atoi(argv[i]);
        for (int k = 0; k < n; k++)
            bytes[k] = (unsigned char)(due + k + 1);
        due += n;
        if (write(s->ends[1], bytes, (size_t)n) != n)
            return 2;
        /* Those who are not woken will not come: their alarm ends this. */
        for (int tries = 0; tries < 500 && s->ended < due; tries++)
            rest();
        lab_report("after", "%d %d %d", due, s->bytes, s->sum);
    }
    close(s->ends[1]);
    for (int i = 0; i < count; i++)
        lab_report("fate", "%s", fate(pids[i]));
    lab_report("finished", "%d", s->finished);
    return 0;
}

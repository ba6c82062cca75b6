/*
 * ipcmk -M SIZE | -S NUMBER | -Q [-p MODE]: make System V shared memory of SIZE bytes, an array of NUMBER
 * semaphores, or a message queue, under a key drawn at random, and print its id. MODE is octal, 0644 by itself.
 */
#include "command.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define USAGE "ipcmk {-M size | -S number | -Q} [-p mode]"
#define TRIES 100

enum kind { SEGMENT = 1, ARRAY = 2, QUEUE = 4 };

/* All of TEXT as a number in BASE. */
static unsigned long number(const char *text, int base)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, base);
    if (end == text || *end || *text == '-' || errno)
        errx(1, "%s: not a number", text);
    return n;
}

static int make(enum kind kind, unsigned long size, int flags)
{
    int id = -1;
    for (int i = 0; i < TRIES && id < 0 && (i == 0 || errno == EEXIST); i++) {
        key_t key;
        if (getrandom(&key, sizeof(key), 0) != sizeof(key))
            return -1;
        id = kind == SEGMENT ? shmget(key, size, flags)
             : kind == ARRAY ? semget(key, size > INT_MAX ? INT_MAX : (int)size, flags)
                             : msgget(key, flags);
    }
    return id;
}

int main(int argc, char **argv)
{
    unsigned long bytes = 0, semaphores = 0, mode = 0644;
    int kinds = 0, status = 0, c;
    command_begin();
    while ((c = getopt(argc, argv, "M:S:Qp:")) != -1) {
        switch (c) {
        case 'M': kinds |= SEGMENT, bytes = number(optarg, 0); break;
        case 'S': kinds |= ARRAY, semaphores = number(optarg, 0); break;
        case 'Q': kinds |= QUEUE; break;
        case 'p': mode = number(optarg, 8); break;
        default: usage(1, USAGE);
        }
    }
    if (optind < argc || !kinds || mode > 0777)
        usage(1, USAGE);
    static const char *const names[] = {
        [SEGMENT] = "Shared memory", [ARRAY] = "Semaphore", [QUEUE] = "Message queue"};
    for (enum kind kind = SEGMENT; kind <= QUEUE; kind <<= 1) {
        if (!(kinds & (int)kind))
            continue;
        int id = make(kind, kind == SEGMENT ? bytes : semaphores, IPC_CREAT | IPC_EXCL | (int)mode);
        if (id < 0) {
            warn("%s", names[kind]);
            status = 1;
        } else {
            printf("%s id: %d\n", names[kind], id);
        }
    }
    return command_end(status);
}

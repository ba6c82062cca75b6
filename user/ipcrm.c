/*
 * ipcrm [-m|-q|-s ID]... [-M|-Q|-S KEY]..., ipcrm shm|msg|sem ID...: remove System V shared memory, message queues
 * and semaphores, by id or by key. Memory lives on until its last user lets go of it.
 */
#include "command.h"

#include <ctype.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define USAGE \
    "ipcrm {-m id | -M key | -q id | -Q key | -s id | -S key}... | {shm | msg | sem} id..."

/* All of TEXT as a number that fits an int, or an unsigned one. */
static bool number(const char *text, int *n)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 0);
    *n = (int)value;
    return end != text && !*end && !errno && value >= INT_MIN && value <= UINT_MAX;
}

/* KIND: m, q or s. The id of KEY, or -1. */
static int id_of_key(char kind, int key)
{
    if (key == IPC_PRIVATE) {
        errno = EINVAL; /* would make one */
        return -1;
    }
    return kind == 'm' ? shmget(key, 0, 0) : kind == 'q' ? msgget(key, 0) : semget(key, 0, 0);
}

static bool remove_one(char kind, bool by_key, const char *text)
{
    int id;
    if (!number(text, &id)) {
        warnx("%s: not a number", text);
        return false;
    }
    if (by_key)
        id = id_of_key(kind, id);
    int result = id < 0 && by_key ? -1
                 : kind == 'm'    ? shmctl(id, IPC_RMID, NULL)
                 : kind == 'q'    ? msgctl(id, IPC_RMID, NULL)
                                  : semctl(id, 0, IPC_RMID);
    if (result < 0)
        warn("%s", text);
    return result == 0;
}

/* shm, msg, sem: the letter, or 0. */
static char kind_of(const char *word)
{
    return strcmp(word, "shm") == 0   ? 'm'
           : strcmp(word, "msg") == 0 ? 'q'
           : strcmp(word, "sem") == 0 ? 's'
                                      : '\0';
}

int main(int argc, char **argv)
{
    int status = 0, c;
    command_begin();
    if (argc > 2 && kind_of(argv[1])) {
        for (int i = 2; i < argc; i++)
            if (!remove_one(kind_of(argv[1]), false, argv[i]))
                status = 1;
        return command_end(status);
    }
    if (argc < 2)
        usage(1, USAGE);
    while ((c = getopt(argc, argv, "m:M:q:Q:s:S:")) != -1) {
        if (c == '?')
            usage(1, USAGE);
        if (!remove_one((char)tolower(c), isupper(c), optarg))
            status = 1;
    }
    if (optind < argc)
        usage(1, USAGE);
    return command_end(status);
}

/*
 * Semaphores with names: files of one sem_t each, mapped by all who open them. A process that opens one twice
 * gets the same address again (POSIX), so what is open is kept in a list.
 *
 * A new one is filled before it gets its name: who opens it never sees half of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/shm.h"

#define PREFIX "sem."
#define TRIES 100

struct opened {
    struct opened *next; /* list_lock */
    dev_t dev;           /* const */
    ino_t ino;           /* const */
    sem_t *sem;          /* const */
    unsigned uses;       /* list_lock */
};

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct opened *list; /* list_lock */

/* The semaphore in FD, mapped, or known already. */
static sem_t *map(int fd)
{
    struct opened *o;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return SEM_FAILED;
    if (st.st_size < (off_t)sizeof(sem_t)) {
        errno = EINVAL;
        return SEM_FAILED;
    }
    for (o = list; o; o = o->next) {
        if (o->dev == st.st_dev && o->ino == st.st_ino) {
            o->uses++;
            return o->sem;
        }
    }
    o = malloc(sizeof(*o));
    if (!o)
        return SEM_FAILED;
    void *at = mmap(NULL, sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        free(o);
        return SEM_FAILED;
    }
    *o = (struct opened){list, st.st_dev, st.st_ino, at, 1};
    list = o;
    return at;
}

/* A file with a semaphore of VALUE, under the name PATH if that is free: a descriptor, or -1. */
static int create(const char *path, mode_t mode, unsigned value)
{
    char temporary[sizeof(SHM_DIR) + 32];
    sem_t fresh;
    int fd = -1;

    if (sem_init(&fresh, 1, value) < 0)
        return -1;
    for (unsigned i = 0; fd < 0 && i < TRIES; i++) {
        snprintf(temporary, sizeof(temporary), SHM_DIR ".sem-%d-%u", getpid(), i);
        fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0666);
        if (fd < 0 && errno != EEXIST)
            return -1;
    }
    if (fd < 0)
        return -1;
    bool good = write(fd, &fresh, sizeof(fresh)) == sizeof(fresh) && link(temporary, path) == 0;
    int error = errno;
    unlink(temporary);
    if (good)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

static sem_t *open_path(const char *path, int flags, mode_t mode, unsigned value)
{
    int fd = -1;

    for (int i = 0; fd < 0 && i < TRIES; i++) {
        if ((flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL))
            fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 || !(flags & O_CREAT) || (!(flags & O_EXCL) && errno != ENOENT))
            break;
        fd = create(path, mode, value);
        if (fd < 0 && (errno != EEXIST || flags & O_EXCL))
            break;
    }
    if (fd < 0)
        return SEM_FAILED;
    sem_t *sem = map(fd);
    int error = errno;
    close(fd);
    errno = error;
    return sem;
}

sem_t *sem_open(const char *name, int flags, ...)
{
    struct shm_path path;
    mode_t mode = 0;
    unsigned value = 0;

    if (flags & O_CREAT) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        value = va_arg(args, unsigned);
        va_end(args);
    }
    if (!__shm_path(&path, PREFIX, name))
        return SEM_FAILED;
    pthread_mutex_lock(&list_lock);
    sem_t *sem = open_path(path.text, flags, mode, value);
    pthread_mutex_unlock(&list_lock);
    return sem;
}

int sem_close(sem_t *sem)
{
    struct opened **at = &list, *o;

    pthread_mutex_lock(&list_lock);
    while ((o = *at) && o->sem != sem)
        at = &o->next;
    bool last = o && --o->uses == 0;
    if (last)
        *at = o->next;
    pthread_mutex_unlock(&list_lock);
    if (!o) {
        errno = EINVAL;
        return -1;
    }
    if (last) {
        munmap(sem, sizeof(*sem));
        free(o);
    }
    return 0;
}

int sem_unlink(const char *name)
{
    struct shm_path path;

    return __shm_path(&path, PREFIX, name) ? unlink(path.text) : -1;
}

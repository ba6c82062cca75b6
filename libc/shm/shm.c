/* POSIX shared memory: files in a directory that is kept in memory. */
#include "shm/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool __shm_path(struct shm_path *path, const char *prefix, const char *name)
{
    while (*name == '/')
        name++;
    if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..")) {
        errno = EINVAL;
        return false;
    }
    if (strlen(prefix) + strlen(name) > NAME_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    snprintf(path->text, sizeof(path->text), SHM_DIR "%s%s", prefix, name);
    return true;
}

int shm_open(const char *name, int flags, mode_t mode)
{
    struct shm_path path;

    if (!__shm_path(&path, "", name))
        return -1;
    return open(path.text, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, mode);
}

int shm_unlink(const char *name)
{
    struct shm_path path;

    return __shm_path(&path, "", name) ? unlink(path.text) : -1;
}

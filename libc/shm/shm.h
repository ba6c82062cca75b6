/* Where names of shared things lie: PREFIX and NAME without its slashes, below /dev/shm. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#define SHM_DIR "/dev/shm/"
struct shm_path {
    char text[sizeof(SHM_DIR) + NAME_MAX];
};
/* False with errno (EINVAL, ENAMETOOLONG) for names that are none. */
bool __shm_path(struct shm_path *path, const char *prefix, const char *name);

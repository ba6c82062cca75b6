/* What a spawned process shall be like: a structure with a door for each field. */
#include <errno.h>
#include <spawn.h>
#include <string.h>

#define KNOWN                                                                        \
    (POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |          \
     POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSCHEDPARAM | POSIX_SPAWN_SETSCHEDULER | \
     POSIX_SPAWN_SETSID)

int posix_spawnattr_init(posix_spawnattr_t *a)
{
    memset(a, 0, sizeof *a);
    return 0;
}

int posix_spawnattr_destroy(posix_spawnattr_t *a)
{
    (void)a;
    return 0;
}

int posix_spawnattr_setflags(posix_spawnattr_t *a, short flags)
{
    if (flags & ~KNOWN)
        return EINVAL;
    a->flags = flags;
    return 0;
}

int posix_spawnattr_getflags(const posix_spawnattr_t *a, short *flags)
{
    *flags = (short)a->flags;
    return 0;
}

int posix_spawnattr_setpgroup(posix_spawnattr_t *a, pid_t group)
{
    a->group = group;
    return 0;
}

int posix_spawnattr_getpgroup(const posix_spawnattr_t *a, pid_t *group)
{
    *group = a->group;
    return 0;
}

int posix_spawnattr_setsigdefault(posix_spawnattr_t *a, const sigset_t *set)
{
    a->defaults = *set;
    return 0;
}

int posix_spawnattr_getsigdefault(const posix_spawnattr_t *a, sigset_t *set)
{
    *set = a->defaults;
    return 0;
}

int posix_spawnattr_setsigmask(posix_spawnattr_t *a, const sigset_t *set)
{
    a->mask = *set;
    return 0;
}

int posix_spawnattr_getsigmask(const posix_spawnattr_t *a, sigset_t *set)
{
    *set = a->mask;
    return 0;
}

int posix_spawnattr_setschedpolicy(posix_spawnattr_t *a, int policy)
{
    a->policy = policy;
    return 0;
}

int posix_spawnattr_getschedpolicy(const posix_spawnattr_t *a, int *policy)
{
    *policy = a->policy;
    return 0;
}

int posix_spawnattr_setschedparam(posix_spawnattr_t *a, const struct sched_param *p)
{
    a->parameters = *p;
    return 0;
}

int posix_spawnattr_getschedparam(const posix_spawnattr_t *a, struct sched_param *p)
{
    *p = a->parameters;
    return 0;
}

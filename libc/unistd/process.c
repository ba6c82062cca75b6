/* Process ids, priorities, sleeping. */
#include <errno.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "internal/syscall.h"

pid_t tcgetpgrp(int fd)
{
    int group;
    return ioctl(fd, TIOCGPGRP, &group) < 0 ? -1 : group;
}

int tcsetpgrp(int fd, pid_t group)
{
    int value = group;
    return ioctl(fd, TIOCSPGRP, &value);
}

/* The kernel answers 20 - nice, so that no good answer is negative. */
int getpriority(int which, id_t who)
{
    long raw = syscall_raw(SYS_getpriority, which, who);
    return raw < 0 ? (int)__syscall_ret(raw) : 20 - (int)raw;
}

int nice(int increment)
{
    errno = 0;
    int value = getpriority(PRIO_PROCESS, 0);
    if (value == -1 && errno)
        return -1;
    long wanted = (long)value + increment;
    value = wanted > 19 ? 19 : wanted < -20 ? -20 : (int)wanted;
    if (setpriority(PRIO_PROCESS, 0, value) < 0) {
        if (errno == EACCES)
            errno = EPERM; /* POSIX's word for it in nice() */
        return -1;
    }
    return getpriority(PRIO_PROCESS, 0);
}

unsigned sleep(unsigned seconds)
{
    struct timespec left = {.tv_sec = seconds};
    return nanosleep(&left, &left) < 0 ? (unsigned)left.tv_sec : 0;
}

int usleep(useconds_t microseconds)
{
    struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};
    return nanosleep(&time, NULL);
}

int seteuid(uid_t uid)
{
    return setresuid((uid_t)-1, uid, (uid_t)-1);
}
int setegid(gid_t gid)
{
    return setresgid((gid_t)-1, gid, (gid_t)-1);
}

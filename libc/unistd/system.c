/* The break, configuration values, and the machine's names. */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "internal/syscall.h"

static uintptr_t current_break;

/* The call returns the break as it is afterwards, moved or not. */
int brk(void *end)
{
    current_break = (uintptr_t)syscall_raw(SYS_brk, end);
    if (current_break == (uintptr_t)end)
        return 0;
    errno = ENOMEM;
    return -1;
}

void *sbrk(ptrdiff_t increment)
{
    if (!current_break)
        current_break = (uintptr_t)syscall_raw(SYS_brk, 0);
    uintptr_t before = current_break, after;
    if (increment == 0)
        return (void *)before;
    if (__builtin_add_overflow(before, increment, &after)) {
        errno = ENOMEM;
        return (void *)-1;
    }
    if (brk((void *)after) < 0) {
        current_break = before;
        return (void *)-1;
    }
    return (void *)before;
}

int getpagesize(void)
{
    return (int)getauxval(AT_PAGESZ);
}

static long limit_of(int resource)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return -1;
    return (long)limit.rlim_cur;
}

static long pages(int which)
{
    struct sysinfo info;
    if (sysinfo(&info) < 0)
        return -1;
    unsigned long units = which == _SC_PHYS_PAGES ? info.totalram : info.freeram;
    return (long)(units * info.mem_unit / (unsigned long)getpagesize());
}

long sysconf(int name)
{
    cpu_set_t set;
    switch (name) {
    case _SC_ARG_MAX: return ARG_MAX;
    case _SC_CHILD_MAX: return limit_of(RLIMIT_NPROC);
    case _SC_CLK_TCK: return (long)getauxval(AT_CLKTCK);
    case _SC_NGROUPS_MAX: return NGROUPS_MAX;
    case _SC_OPEN_MAX: return limit_of(RLIMIT_NOFILE);
    case _SC_PAGESIZE: return getpagesize();
    case _SC_IOV_MAX: return IOV_MAX;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN:
        return sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : CPU_COUNT(&set);
    case _SC_PHYS_PAGES:
    case _SC_AVPHYS_PAGES: return pages(name);
    default: errno = EINVAL; return -1;
    }
}

static int copy_name(char *to, const char *from, size_t size)
{
    if (strlcpy(to, from, size) < size)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

int gethostname(char *name, size_t size)
{
    struct utsname uts;
    return uname(&uts) < 0 ? -1 : copy_name(name, uts.nodename, size);
}

int getdomainname(char *name, size_t size)
{
    struct utsname uts;
    return uname(&uts) < 0 ? -1 : copy_name(name, uts.domainname, size);
}

int reboot(int command)
{
    return (int)syscall_ret(
        syscall_raw(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, (unsigned)command, NULL));
}

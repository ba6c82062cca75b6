/* Configuration values: most are constants of <limits.h>, some are what the system has now. */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

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

static long processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : CPU_COUNT(&set);
}

/* -1 and errno as it was: no limit. */
long sysconf(int name)
{
    switch (name) {
    case _SC_ARG_MAX: return ARG_MAX;
    case _SC_CHILD_MAX: return limit_of(RLIMIT_NPROC);
    case _SC_CLK_TCK: return (long)getauxval(AT_CLKTCK);
    case _SC_NGROUPS_MAX: return NGROUPS_MAX;
    case _SC_OPEN_MAX: return limit_of(RLIMIT_NOFILE);
    case _SC_TZNAME_MAX: return _POSIX_TZNAME_MAX;
    case _SC_JOB_CONTROL:
    case _SC_SAVED_IDS: return 1;
    case _SC_REALTIME_SIGNALS:
    case _SC_TIMERS:
    case _SC_THREADS:
    case _SC_MONOTONIC_CLOCK:
    case _SC_VERSION: return _POSIX_VERSION;
    case _SC_PAGESIZE: return getpagesize();
    case _SC_RTSIG_MAX: return SIGRTMAX - SIGRTMIN + 1;
    case _SC_SEM_VALUE_MAX: return SEM_VALUE_MAX;
    case _SC_SIGQUEUE_MAX: return limit_of(RLIMIT_SIGPENDING);
    case _SC_LINE_MAX: return LINE_MAX;
    case _SC_IOV_MAX: return IOV_MAX;
    case _SC_GETGR_R_SIZE_MAX:
    case _SC_GETPW_R_SIZE_MAX:
    case _SC_STREAM_MAX:
    case _SC_THREAD_THREADS_MAX: return -1;
    case _SC_LOGIN_NAME_MAX: return LOGIN_NAME_MAX;
    case _SC_TTY_NAME_MAX: return TTY_NAME_MAX;
    case _SC_HOST_NAME_MAX: return HOST_NAME_MAX;
    case _SC_SYMLOOP_MAX: return MAX_SYMLINKS;
    case _SC_ATEXIT_MAX: return ATEXIT_MAX;
    case _SC_THREAD_DESTRUCTOR_ITERATIONS: return PTHREAD_DESTRUCTOR_ITERATIONS;
    case _SC_THREAD_KEYS_MAX: return PTHREAD_KEYS_MAX;
    case _SC_THREAD_STACK_MIN: return PTHREAD_STACK_MIN;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN: return processors();
    case _SC_PHYS_PAGES:
    case _SC_AVPHYS_PAGES: return pages(name);
    default: errno = EINVAL; return -1;
    }
}

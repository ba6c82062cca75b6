/* clone(), processor sets, and the calls whose libc form differs from the kernel's. */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>

#include "internal/syscall.h"

long __clone(int (*fn)(void *), void *stack, unsigned long flags, void *arg, int *parent_tid,
             int *child_tid, unsigned long tls);

/* The optional arguments are parent_tid, tls, child_tid, as far as FLAGS ask for them. */
int clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
    if (!fn || !stack) {
        errno = EINVAL;
        return -1;
    }
    va_list args;
    va_start(args, arg);
    int *parent_tid = va_arg(args, int *);
    void *tls = va_arg(args, void *);
    int *child_tid = va_arg(args, int *);
    va_end(args);
    return (int)__syscall_ret(
        __clone(fn, stack, (unsigned)flags, arg, parent_tid, child_tid, (unsigned long)tls));
}

/* The kernel says how many bytes it filled; the rest of the set is empty. */
int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    long filled = __syscall_ret(syscall_raw(SYS_sched_getaffinity, pid, size, set));
    if (filled < 0)
        return -1;
    memset((char *)set + filled, 0, size - (size_t)filled);
    return 0;
}

int __cpu_count(const cpu_set_t *set)
{
    int count = 0;
    for (size_t i = 0; i < sizeof(set->__bits) / sizeof(set->__bits[0]); i++)
        count += __builtin_popcountl(set->__bits[i]);
    return count;
}

int sched_getcpu(void)
{
    unsigned cpu;
    return __syscall_ret(syscall_raw(SYS_getcpu, &cpu, NULL, NULL)) < 0 ? -1 : (int)cpu;
}

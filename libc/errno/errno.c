/* How a raw result becomes errno and -1, and the general call for those that have no function. */
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "internal/syscall.h"

long __syscall_ret(long raw)
{
    if ((unsigned long)raw < (unsigned long)-MAX_ERRNO)
        return raw;
    errno = (int)-raw;
    return -1;
}

long syscall(long number, ...)
{
    va_list args;
    long a[6];
    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    return __syscall_ret(syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

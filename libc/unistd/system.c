/* The break, and the machine's names. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/reboot.h>
#include <sys/random.h>
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
    return (int)__syscall_ret(
        syscall_raw(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, (unsigned)command, NULL));
}

int getentropy(void *buf, size_t count)
{
    if (count > 256) {
        errno = EIO;
        return -1;
    }
    return getrandom(buf, count, 0) == (ssize_t)count ? 0 : -1;
}

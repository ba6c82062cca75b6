/*
 * Extended attributes (xattr(7)). No file system here keeps any, and Linux has an answer for that: the calls
 * check their arguments and find the file, then say EOPNOTSUPP; the list of names is empty.
 */
#include <abi/fcntl.h>

#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/path.h"
#include "lib/types.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

#define XATTR_CREATE 1
#define XATTR_REPLACE 2
#define XATTR_NAME_MAX 255
#define XATTR_SIZE_MAX 65536

static int check_name(const char __user *name)
{
    char copy[XATTR_NAME_MAX + 1];
    long n = strncpy_from_user(copy, name, sizeof(copy));

    if (n == -EFAULT)
        return -EFAULT;
    return n <= 0 ? -ERANGE : 0;
}

static int check_set(const char __user *name, size_t size, int flags)
{
    if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
        return -EINVAL;
    int error = check_name(name);
    if (error)
        return error;
    return size > XATTR_SIZE_MAX ? -E2BIG : 0;
}

/* The file exists and may be reached: RESULT, else why not. */
static long at_path(const char __user *path, unsigned lookup, long result)
{
    struct path p;
    int error = path_lookup_user(AT_FDCWD, path, lookup, &p);

    if (error)
        return error;
    path_put(&p);
    return result;
}

static long at_fd(int fd, long result)
{
    struct fdref f = fdref_get(fd);

    if (!f.file)
        return -EBADF;
    fdref_put(f);
    return result;
}

long sys_setxattr(const char __user *path, const char __user *name, const void __user *value,
                  size_t size, int flags)
{
    int error = check_set(name, size, flags);
    (void)value;
    return error ? error : at_path(path, LOOKUP_FOLLOW, -EOPNOTSUPP);
}

long sys_lsetxattr(const char __user *path, const char __user *name, const void __user *value,
                   size_t size, int flags)
{
    int error = check_set(name, size, flags);
    (void)value;
    return error ? error : at_path(path, 0, -EOPNOTSUPP);
}

long sys_fsetxattr(int fd, const char __user *name, const void __user *value, size_t size,
                   int flags)
{
    int error = check_set(name, size, flags);
    (void)value;
    return error ? error : at_fd(fd, -EOPNOTSUPP);
}

long sys_getxattr(const char __user *path, const char __user *name, void __user *value, size_t size)
{
    int error = check_name(name);
    (void)value;
    (void)size;
    return error ? error : at_path(path, LOOKUP_FOLLOW, -EOPNOTSUPP);
}

long sys_lgetxattr(const char __user *path, const char __user *name, void __user *value,
                   size_t size)
{
    int error = check_name(name);
    (void)value;
    (void)size;
    return error ? error : at_path(path, 0, -EOPNOTSUPP);
}

long sys_fgetxattr(int fd, const char __user *name, void __user *value, size_t size)
{
    int error = check_name(name);
    (void)value;
    (void)size;
    return error ? error : at_fd(fd, -EOPNOTSUPP);
}

long sys_listxattr(const char __user *path, char __user *list, size_t size)
{
    (void)list;
    (void)size;
    return at_path(path, LOOKUP_FOLLOW, 0);
}

long sys_llistxattr(const char __user *path, char __user *list, size_t size)
{
    (void)list;
    (void)size;
    return at_path(path, 0, 0);
}

long sys_flistxattr(int fd, char __user *list, size_t size)
{
    (void)list;
    (void)size;
    return at_fd(fd, 0);
}

long sys_removexattr(const char __user *path, const char __user *name)
{
    int error = check_name(name);
    return error ? error : at_path(path, LOOKUP_FOLLOW, -EOPNOTSUPP);
}

long sys_lremovexattr(const char __user *path, const char __user *name)
{
    int error = check_name(name);
    return error ? error : at_path(path, 0, -EOPNOTSUPP);
}

long sys_fremovexattr(int fd, const char __user *name)
{
    int error = check_name(name);
    return error ? error : at_fd(fd, -EOPNOTSUPP);
}

/* Temporary files and directories whose last six letters nobody can guess. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define TRIES 100

/* Replace the XXXXXX that PATTERN must end with. Returns -1 and EINVAL when it doesn't. */
static int fill(char *pattern)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789__";
    size_t length = strlen(pattern);
    unsigned char bytes[6];
    if (length < 6 || getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
        errno = EINVAL;
        return -1;
    }
    for (int i = 0; i < 6; i++)
        pattern[length - 6 + (size_t)i] = letters[bytes[i] % 64];
    return 0;
}

static int ends_with_xs(const char *pattern)
{
    size_t length = strlen(pattern);
    if (length >= 6 && strcmp(pattern + length - 6, "XXXXXX") == 0)
        return 1;
    errno = EINVAL;
    return 0;
}

int mkostemp(char *pattern, int flags)
{
    if (!ends_with_xs(pattern))
        return -1;
    for (int i = 0; i < TRIES && fill(pattern) == 0; i++) {
        int fd = open(pattern, O_RDWR | O_CREAT | O_EXCL | (flags & ~O_ACCMODE), 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

int mkstemp(char *pattern)
{
    return mkostemp(pattern, 0);
}

char *mkdtemp(char *pattern)
{
    if (!ends_with_xs(pattern))
        return NULL;
    for (int i = 0; i < TRIES && fill(pattern) == 0; i++) {
        if (mkdir(pattern, 0700) == 0)
            return pattern;
        if (errno != EEXIST)
            return NULL;
    }
    return NULL;
}

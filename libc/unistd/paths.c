/* A path without links, dots and double slashes: what realpath() finds. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two buffers: where we are, a path without links, and what is still to be walked. */
struct resolution {
    char done[PATH_MAX], rest[2 * PATH_MAX];
    size_t length; /* of done; 0 is the root */
    int links;
};

static int fail(int error)
{
    errno = error;
    return -1;
}

/* DONE is a symbolic link with TARGET: that comes before the rest. */
static int follow(struct resolution *r, const char *target, size_t length, const char *rest)
{
    size_t left = strlen(rest);
    if (++r->links > MAX_SYMLINKS)
        return fail(ELOOP);
    if (length == 0)
        return fail(ENOENT);
    if (length + left >= PATH_MAX)
        return fail(ENAMETOOLONG);
    memmove(r->rest + length, rest, left + 1);
    memcpy(r->rest, target, length);
    if (*target == '/')
        r->length = 0;
    return 0;
}

/* Walk the first name of what is left, LENGTH bytes of it. */
static int step(struct resolution *r, size_t length)
{
    const char *name = r->rest, *after = name + length;
    char target[PATH_MAX];
    struct stat st;
    size_t before = r->length;
    if (length == 2 && name[0] == '.' && name[1] == '.') {
        while (r->length > 0 && r->done[--r->length] != '/')
            ;
    } else if (length != 1 || name[0] != '.') {
        if (before + 1 + length >= PATH_MAX)
            return fail(ENAMETOOLONG);
        r->done[r->length++] = '/';
        memcpy(r->done + r->length, name, length);
        r->length += length;
        r->done[r->length] = '\0';
        ssize_t n = readlink(r->done, target, sizeof(target));
        if (n >= 0) {
            r->length = before;
            return follow(r, target, (size_t)n, after);
        }
        if (errno != EINVAL)
            return -1;
        if (*after && stat(r->done, &st) == 0 && !S_ISDIR(st.st_mode))
            return fail(ENOTDIR);
    }
    memmove(r->rest, after, strlen(after) + 1);
    return 0;
}

char *realpath(const char *restrict path, char *restrict resolved)
{
    struct resolution r = {.length = 0};
    if (!path || !*path) {
        errno = path ? ENOENT : EINVAL;
        return NULL;
    }
    if (strlcpy(r.rest, path, PATH_MAX) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    if (*path != '/') {
        if (!getcwd(r.done, sizeof(r.done)))
            return NULL;
        r.length = strcmp(r.done, "/") == 0 ? 0 : strlen(r.done);
    }
    for (;;) {
        size_t slashes = strspn(r.rest, "/");
        memmove(r.rest, r.rest + slashes, strlen(r.rest + slashes) + 1);
        if (!*r.rest)
            break;
        if (step(&r, strcspn(r.rest, "/")) < 0)
            return NULL;
    }
    strcpy(r.done + r.length, r.length ? "" : "/");
    return resolved ? strcpy(resolved, r.done) : strdup(r.done);
}

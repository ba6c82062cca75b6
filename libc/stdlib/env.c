/*
 * The environment: an array of "NAME=value" that the program may also walk itself. It starts on the
 * stack, where the kernel put it; the first change moves the array (not the strings) to the heap.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char **owned; /* the array as we allocated it, if environ is still that one */

static bool name_is_valid(const char *name)
{
    return name && *name && !strchr(name, '=');
}

/* The place of NAME (LENGTH bytes of it) in environ, or NULL. */
static char **find(const char *name, size_t length)
{
    for (char **e = environ; e && *e; e++)
        if (strncmp(*e, name, length) == 0 && (*e)[length] == '=')
            return e;
    return NULL;
}

char *getenv(const char *name)
{
    size_t length = strlen(name);
    char **e = length ? find(name, length) : NULL;
    return e ? *e + length + 1 : NULL;
}

/* Add ASSIGNMENT, whose name is not there yet. */
static int append(char *assignment)
{
    size_t n = 0;
    while (environ && environ[n])
        n++;
    char **bigger = malloc((n + 2) * sizeof(*bigger));
    if (!bigger)
        return -1;
    if (n)
        memcpy(bigger, environ, n * sizeof(*bigger));
    bigger[n] = assignment;
    bigger[n + 1] = NULL;
    if (environ == owned)
        free(owned);
    environ = owned = bigger;
    return 0;
}

int putenv(char *assignment)
{
    size_t length = strcspn(assignment, "=");
    if (!assignment[length])
        return unsetenv(assignment);
    char **e = find(assignment, length);
    if (!e)
        return append(assignment);
    *e = assignment;
    return 0;
}

int setenv(const char *name, const char *value, int overwrite)
{
    if (!name_is_valid(name)) {
        errno = EINVAL;
        return -1;
    }
    size_t length = strlen(name);
    if (!overwrite && find(name, length))
        return 0;
    size_t size = strlen(value) + 1;
    char *assignment = malloc(length + 1 + size);
    if (!assignment)
        return -1;
    memcpy(assignment, name, length);
    assignment[length] = '=';
    memcpy(assignment + length + 1, value, size);
    return putenv(assignment);
}

int unsetenv(const char *name)
{
    if (!name_is_valid(name)) {
        errno = EINVAL;
        return -1;
    }
    char **e;
    while ((e = find(name, strlen(name))))
        do
            e[0] = e[1];
        while (*e++);
    return 0;
}

int clearenv(void)
{
    environ = NULL;
    return 0;
}

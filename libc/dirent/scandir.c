/* A whole directory at once: copies of the records that the caller wants, sorted if it says how. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct list {
    struct dirent **names;
    size_t count, room;
};

static int append(struct list *l, const struct dirent *d)
{
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 16;
        struct dirent **names = reallocarray(l->names, room, sizeof(*names));
        if (!names)
            return -1;
        l->names = names;
        l->room = room;
    }
    struct dirent *copy = malloc(d->d_reclen);
    if (!copy)
        return -1;
    l->names[l->count++] = memcpy(copy, d, d->d_reclen);
    return 0;
}

int scandir(const char *path, struct dirent ***names, int (*wanted)(const struct dirent *),
            int (*compare)(const struct dirent **, const struct dirent **))
{
    struct list l = {0};
    struct dirent *d;
    int error = 0;
    DIR *dir = opendir(path);
    if (!dir)
        return -1;
    while (errno = 0, error == 0 && (d = readdir(dir)))
        if ((!wanted || wanted(d)) && append(&l, d) < 0)
            error = ENOMEM;
    if (error == 0)
        error = errno;
    closedir(dir);
    if (error) {
        while (l.count)
            free(l.names[--l.count]);
        free(l.names);
        errno = error;
        return -1;
    }
    if (compare && l.count)
        qsort(l.names, l.count, sizeof(*l.names), (int (*)(const void *, const void *))compare);
    *names = l.names;
    return (int)l.count;
}

int alphasort(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

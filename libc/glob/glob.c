/*
 * glob: the names of files that match a pattern, by walking down its parts between slashes. A part without
 * wildcards is a name and needs no folder to be read; for another the folder's entries are matched.
 */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct walk {
    glob_t *result;
    int flags;
    int (*on_error)(const char *path, int error);
    char path[PATH_MAX]; /* what was found so far */
};

static bool has_wildcards(const char *part, size_t length, int flags)
{
    for (size_t i = 0; i < length; i++) {
        if (part[i] == '\\' && !(flags & GLOB_NOESCAPE))
            i++;
        else if (strchr("*?[", part[i]) != NULL)
            return true;
    }
    return false;
}

static int add(struct walk *w, const char *path, bool mark)
{
    glob_t *g = w->result;
    size_t first = w->flags & GLOB_DOOFFS ? g->gl_offs : 0;
    char **names = realloc(g->gl_pathv, (first + g->gl_pathc + 2) * sizeof *names);
    size_t length = strlen(path);
    char *copy = malloc(length + 2);

    if (names != NULL)
        g->gl_pathv = names;
    if (names == NULL || copy == NULL) {
        free(copy);
        return GLOB_NOSPACE;
    }
    for (size_t i = 0; g->gl_pathc == 0 && i < first; i++)
        names[i] = NULL;
    memcpy(copy, path, length + 1);
    if (mark && length > 0 && path[length - 1] != '/')
        strcpy(copy + length, "/");
    names[first + g->gl_pathc++] = copy;
    names[first + g->gl_pathc] = NULL;
    return 0;
}

static int add_file(struct walk *w)
{
    struct stat status;
    bool mark;

    if (lstat(w->path, &status) < 0)
        return 0;
    mark = w->flags & GLOB_MARK && stat(w->path, &status) == 0 && S_ISDIR(status.st_mode);
    return add(w, w->path, mark);
}

static int walk_down(struct walk *w, size_t base, const char *rest);

/* The first LENGTH bytes of REST are a name and the slashes behind it. */
static int walk_name(struct walk *w, size_t base, const char *rest, size_t length)
{
    size_t to = base;

    for (size_t i = 0; i < length; i++) {
        if (rest[i] == '\\' && rest[i + 1] != '\0' && !(w->flags & GLOB_NOESCAPE))
            i++;
        if (to + 1 >= sizeof w->path)
            return 0;
        w->path[to++] = rest[i];
    }
    w->path[to] = '\0';
    return rest[length] != '\0' ? walk_down(w, to, rest + length) : add_file(w);
}

/* The first LENGTH bytes of REST are a pattern for the names in this folder. */
static int walk_folder(struct walk *w, size_t base, const char *rest, size_t length)
{
    char part[PATH_MAX];
    struct dirent *entry;
    DIR *folder;
    int error = 0;

    if (length >= sizeof part)
        return 0;
    memcpy(part, rest, length);
    part[length] = '\0';
    w->path[base] = '\0';
    folder = opendir(base > 0 ? w->path : ".");
    if (folder == NULL) {
        if (errno != ENOTDIR && errno != ENOENT &&
            ((w->on_error != NULL && w->on_error(w->path, errno) != 0) || w->flags & GLOB_ERR))
            return GLOB_ABORTED;
        return 0;
    }
    while (error == 0 && (entry = readdir(folder)) != NULL) {
        size_t name = strlen(entry->d_name);
        int how = FNM_PERIOD | (w->flags & GLOB_NOESCAPE ? FNM_NOESCAPE : 0);
        if (base + name >= sizeof w->path || fnmatch(part, entry->d_name, how) != 0)
            continue;
        memcpy(w->path + base, entry->d_name, name + 1);
        error = rest[length] != '\0' ? walk_down(w, base + name, rest + length) : add_file(w);
    }
    closedir(folder);
    return error;
}

static int walk_down(struct walk *w, size_t base, const char *rest)
{
    size_t length = strcspn(rest, "/");

    if (length > 0 && has_wildcards(rest, length, w->flags))
        return walk_folder(w, base, rest, length);
    length += strspn(rest + length, "/");
    return walk_name(w, base, rest, length);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int glob(const char *restrict pattern, int flags, int (*on_error)(const char *, int),
         glob_t *restrict result)
{
    struct walk w = {.result = result, .flags = flags, .on_error = on_error};
    size_t first = flags & GLOB_DOOFFS ? result->gl_offs : 0;
    size_t before;
    int error;

    if (!(flags & GLOB_APPEND)) {
        result->gl_pathc = 0;
        result->gl_pathv = NULL;
    }
    before = result->gl_pathc;
    error = *pattern != '\0' ? walk_down(&w, 0, pattern) : 0;
    if (error != 0)
        return error;
    if (result->gl_pathc == before)
        return flags & GLOB_NOCHECK ? add(&w, pattern, false) : GLOB_NOMATCH;
    if (!(flags & GLOB_NOSORT))
        qsort(result->gl_pathv + first + before, result->gl_pathc - before,
              sizeof *result->gl_pathv, compare);
    return 0;
}

/* The names before the first, GLOB_DOOFFS's, are NULL: how many there are says gl_offs only when it was asked. */
void globfree(glob_t *g)
{
    size_t left = g->gl_pathc;

    for (size_t i = 0; g->gl_pathv != NULL && left > 0; i++) {
        left -= g->gl_pathv[i] != NULL;
        free(g->gl_pathv[i]);
    }
    free(g->gl_pathv);
    g->gl_pathv = NULL;
    g->gl_pathc = 0;
}

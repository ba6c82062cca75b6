/*
 * nftw(): a walk over a tree, told to a function file by file. The path is one buffer, lengthened on the way
 * down and cut on the way up. A directory's names are all read before the first is visited, so one descriptor
 * is open however deep the tree is. The directories above are a list on the stack, by which a link that leads
 * back up is noticed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int nftw_fn(const char *, const struct stat *, int, struct FTW *);
typedef int ftw_fn(const char *, const struct stat *, int);

struct walk {
    nftw_fn *function;
    ftw_fn *simple_function; /* ftw()'s, instead */
    int flags;
    int home;     /* FTW_CHDIR: where the walk began; paths start there */
    dev_t device; /* the root's */
    char path[PATH_MAX];
};

struct above {
    const struct above *next;
    dev_t device;
    ino_t inode;
};

static int tell(struct walk *w, const struct stat *st, int type, struct FTW where)
{
    if (w->simple_function)
        return w->simple_function(w->path, st, type == FTW_SLN ? FTW_SL : type);
    if (!(w->flags & FTW_CHDIR))
        return w->function(w->path, st, type, &where);
    char *name = w->path + where.base, first = *name;
    *name = '\0';
    int moved = where.base ? chdir(w->path) : 0;
    *name = first;
    int result = moved < 0 ? -1 : w->function(w->path, st, type, &where);
    return fchdir(w->home) < 0 ? -1 : result;
}

/* What w->path is; -1 with errno when that isn't known, for another reason than a directory's mode. */
static int type_of(const struct walk *w, struct stat *st)
{
    if ((w->flags & FTW_PHYS ? lstat(w->path, st) : stat(w->path, st)) == 0)
        return S_ISDIR(st->st_mode) ? FTW_D : S_ISLNK(st->st_mode) ? FTW_SL : FTW_F;
    if (!(w->flags & FTW_PHYS) && errno == ENOENT && lstat(w->path, st) == 0)
        return FTW_SLN;
    return errno == EACCES ? FTW_NS : -1;
}

static int visit(struct walk *w, struct FTW where, const struct above *above);

static int visit_name(struct walk *w, const char *name, size_t length, int level,
                      const struct above *above)
{
    size_t base = length + (w->path[length - 1] != '/');
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    if (base + strlen(name) >= sizeof(w->path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    w->path[base - 1] = '/';
    strcpy(w->path + base, name);
    int result = visit(w, (struct FTW){(int)base, level}, above);
    w->path[length] = '\0';
    return result;
}

static int visit_directory(struct walk *w, const struct stat *st, struct FTW where,
                           const struct above *above)
{
    struct above here = {above, st->st_dev, st->st_ino};
    struct dirent **names;
    int result = 0;
    for (; above; above = above->next)
        if (above->device == st->st_dev && above->inode == st->st_ino)
            return 0;
    int count = scandir(w->path, &names, NULL, NULL);
    if (count < 0)
        return errno == EACCES ? tell(w, st, FTW_DNR, where) : -1;
    if (!(w->flags & FTW_DEPTH))
        result = tell(w, st, FTW_D, where);
    for (int i = 0; i < count; i++) {
        if (result == 0)
            result = visit_name(w, names[i]->d_name, strlen(w->path), where.level + 1, &here);
        free(names[i]);
    }
    free(names);
    if (result == 0 && w->flags & FTW_DEPTH)
        result = tell(w, st, FTW_DP, where);
    return result;
}

static int visit(struct walk *w, struct FTW where, const struct above *above)
{
    struct stat st = {0};
    int type = type_of(w, &st);
    if (type < 0)
        return -1;
    if (where.level == 0)
        w->device = st.st_dev;
    else if (w->flags & FTW_MOUNT && type != FTW_NS && st.st_dev != w->device)
        return 0;
    return type == FTW_D ? visit_directory(w, &st, where, above) : tell(w, &st, type, where);
}

static int walk(struct walk *w, const char *path)
{
    size_t length = strlen(path);
    if (length >= sizeof(w->path) || length == 0) {
        errno = length ? ENAMETOOLONG : ENOENT;
        return -1;
    }
    strcpy(w->path, path);
    while (length > 1 && w->path[length - 1] == '/')
        w->path[--length] = '\0';
    const char *slash = length > 1 ? strrchr(w->path, '/') : NULL;
    return visit(w, (struct FTW){slash ? (int)(slash + 1 - w->path) : 0, 0}, NULL);
}

int nftw(const char *path, nftw_fn *function, int descriptors, int flags)
{
    struct walk w = {.function = function, .flags = flags, .home = -1};
    (void)descriptors; /* one is enough */
    if (flags & FTW_CHDIR && (w.home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
        return -1;
    int result = walk(&w, path);
    if (w.home >= 0)
        close(w.home);
    return result;
}

int ftw(const char *path, ftw_fn *function, int descriptors)
{
    struct walk w = {.simple_function = function};
    (void)descriptors;
    return walk(&w, path);
}

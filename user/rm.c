/*
 * rm [-dfiRrv] FILE...: remove names. A file goes with its last one.
 *
 *     -r, -R  directories with all that is in them     -d  empty directories
 *     -f  what isn't there is fine, never ask     -i  ask for each     -v  say what was removed
 *
 * A tree is removed from inside: we go into each directory, so a name is always just a name there. It
 * may be deeper than any path name is long, and nobody can lead us elsewhere by renaming what lies above
 * or by putting a symbolic link in the way: we enter only what is a directory itself, and on the way up
 * we look whether this is where we came from.
 */
#include "command.h"

#include <dirent.h>

#define USAGE "rm [-dfiRrv] file..."

/* A directory that we are in, and the names in it that are still to be removed. */
struct level {
    struct level *up;
    char **names;
    size_t count, next;
    dev_t device;
    ino_t inode;
    size_t path_length; /* of the directory's own name in `path` */
};

static bool recursive, directories, force, ask, verbose;
static int status;

/* The name of what is looked at, for people. */
static char *path;
static size_t path_room;

static void path_set(size_t at, const char *name)
{
    size_t need = at + strlen(name) + 2;
    if (need > path_room) {
        path_room = need * 2;
        path = need_memory(realloc(path, path_room));
    }
    if (at > 0 && path[at - 1] != '/')
        path[at++] = '/';
    strcpy(path + at, name);
}

static void complain(void)
{
    warn("%s", path);
    status = 1;
}

/* May NAME go? Asked with -i, and by default for what is write-protected when a person sits there. */
static bool permitted(const char *question, const char *name, const struct stat *st)
{
    if (ask)
        return confirmed(question, path);
    if (force || S_ISLNK(st->st_mode) || !isatty(STDIN_FILENO) ||
        faccessat(AT_FDCWD, name, W_OK, AT_EACCESS) == 0)
        return true;
    return confirmed("rm: write-protected: remove", path);
}

static void remove_name(const char *name, int flags)
{
    if (unlinkat(AT_FDCWD, name, flags) < 0)
        complain();
    else if (verbose)
        printf("rm: %s\n", path);
}

static bool read_names(struct level *level, DIR *dir)
{
    struct dirent *d;
    errno = 0;
    while ((d = readdir(dir))) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        if (level->count % 64 == 0)
            level->names =
                need_memory(realloc(level->names, (level->count + 64) * sizeof(*level->names)));
        level->names[level->count++] = need_memory(strdup(d->d_name));
        errno = 0;
    }
    return errno == 0;
}

/* Go into the directory NAME of UP. NULL: not possible, and said so. */
static struct level *enter(struct level *up, const char *name)
{
    struct stat st;
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        /* One that can't be read can still be removed, if it is empty. */
        if (unlinkat(AT_FDCWD, name, AT_REMOVEDIR) < 0)
            complain();
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct level *level = need_memory(calloc(1, sizeof(*level)));
    level->up = up;
    level->path_length = strlen(path);
    if (!read_names(level, dir) || fstat(fd, &st) < 0 || fchdir(fd) < 0) {
        complain();
        level->count = 0;
        free(level);
        level = NULL;
    } else {
        level->device = st.st_dev;
        level->inode = st.st_ino;
    }
    closedir(dir);
    return level;
}

/* Go back to where LEVEL was entered: its parent, or where the program was started. */
static struct level *leave(struct level *level, int start)
{
    struct level *up = level->up;
    struct stat st;
    if (up ? chdir("..") < 0 : fchdir(start) < 0)
        err(1, "the directory above %s", path);
    if (up && (stat(".", &st) < 0 || st.st_dev != up->device || st.st_ino != up->inode))
        errx(1, "%s: was moved while it was being removed", path);
    path[level->path_length] = '\0';
    free(level->names);
    free(level);
    return up;
}

/* Remove NAME, which `path` names too. A directory that must be emptied first is entered and returned. */
static struct level *remove_or_enter(struct level *up, const char *name)
{
    struct stat st;
    if (lstat(name, &st) < 0) {
        if (!force || (errno != ENOENT && errno != ENOTDIR))
            complain();
    } else if (!S_ISDIR(st.st_mode)) {
        if (permitted("rm: remove", name, &st))
            remove_name(name, 0);
    } else if (recursive) {
        if (permitted("rm: go into", name, &st))
            return enter(up, name);
    } else if (!directories) {
        errno = EISDIR;
        complain();
    } else if (permitted("rm: remove", name, &st)) {
        remove_name(name, AT_REMOVEDIR);
    }
    return NULL;
}

static void remove_tree(const char *operand, int start)
{
    path_set(0, operand);
    struct level *level = remove_or_enter(NULL, operand);
    while (level) {
        if (level->next < level->count) {
            char *name = level->names[level->next++];
            path_set(level->path_length, name);
            struct level *inner = remove_or_enter(level, name);
            free(name);
            path[inner ? inner->path_length : level->path_length] = '\0';
            level = inner ? inner : level;
        } else {
            level = leave(level, start);
            const char *name = level ? last_component(path) : operand;
            if (!ask || confirmed("rm: remove", path))
                remove_name(name, AT_REMOVEDIR);
        }
    }
}

/* Nobody means to remove these: . and .. anywhere, the root, and a directory named by LINK/. */
static bool is_refused(const char *operand)
{
    struct stat st, root;
    char *name = need_memory(strdup(operand));
    char *last = (char *)last_component(name), *slash = strchr(last, '/');
    bool refused = strcmp(last, ".") == 0 || strcmp(last, "..") == 0;
    if (slash && slash > name) {
        *slash = '\0';
        refused = strcmp(last, ".") == 0 || strcmp(last, "..") == 0 ||
                  (lstat(name, &st) == 0 && S_ISLNK(st.st_mode));
    }
    free(name);
    if (refused)
        return true;
    return recursive && lstat(operand, &st) == 0 && stat("/", &root) == 0 &&
           st.st_dev == root.st_dev && st.st_ino == root.st_ino;
}

static void take_option(int c)
{
    switch (c) {
    case 'd': directories = true; break;
    case 'f': force = true, ask = false; break;
    case 'i': ask = true, force = false; break;
    case 'r':
    case 'R': recursive = true; break;
    case 'v': verbose = true; break;
    default: usage(1, USAGE);
    }
}

int main(int argc, char **argv)
{
    int c;

    command_begin();
    while ((c = getopt(argc, argv, "dfiRrv")) != -1)
        take_option(c);
    if (optind == argc && !force)
        usage(1, USAGE);
    int start = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (; optind < argc; optind++) {
        if (is_refused(argv[optind])) {
            warnx("%s: refused", argv[optind]);
            status = 1;
        } else {
            remove_tree(argv[optind], start);
        }
    }
    return command_end(status);
}

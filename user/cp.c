/*
 * cp [-afinpuvHLP] SOURCE NAME, cp [-Rr...] SOURCE... DIRECTORY: copy files.
 *
 *     -R, -r  directories with all that is in them; links, pipes and devices as such, not what is behind
 *     -p  with owner, mode and times     -a  -RpP, and files that are one stay one
 *     -f  remove what can't be written over     -i  ask before     -n  never write over     -u  only older ones
 *     -P, -H, -L  follow symbolic links never, those that are operands, all     -v  say what is copied
 *
 * Each file is opened, its bytes are moved through a buffer, and then it gets what else a file has. A new
 * directory stays private until its files are in it; only then it gets its mode and times.
 */
#include "command.h"

#include <dirent.h>
#include <sys/sysmacros.h>

#define USAGE "cp [-afinpuvRrHLP] source... directory | [-afinpuvRrHLP] source name"

static bool recursive, preserve, links, force, ask, keep, update, verbose;
static char follow; /* H, L, P; 0: none was given */

/* The directories that we are in, up to the operand: none may come a second time. */
struct above {
    const struct above *up;
    dev_t device;
    ino_t inode;
};

/* With -a: a file of several names that was copied, and where to. */
static struct twin {
    struct twin *next;
    dev_t device;
    ino_t inode;
    char *copy;
} * twins;

/* The first directory that was made: copied into itself, a tree would never end. */
static struct above made;

static int copy(const char *from, const char *to, const struct above *up);

static int complain(const char *name)
{
    warn("%s", name);
    return 1;
}

/* Owner, mode and times. Who may not give files away keeps them, without the bits that lend the owner's rights. */
static int copy_attributes(const char *to, const struct stat *st)
{
    const struct timespec times[2] = {st->st_atim, st->st_mtim};
    mode_t mode = st->st_mode & 07777;
    if (lchown(to, st->st_uid, st->st_gid) < 0) {
        if (errno != EPERM && errno != EINVAL)
            return complain(to);
        mode &= ~(mode_t)(S_ISUID | S_ISGID);
    }
    if ((!S_ISLNK(st->st_mode) && chmod(to, mode) < 0) ||
        utimensat(AT_FDCWD, to, times, AT_SYMLINK_NOFOLLOW) < 0)
        return complain(to);
    return 0;
}

static int open_copy(const char *to, const struct stat *st)
{
    mode_t mode = st->st_mode & (preserve ? 0700 : 0777);
    int fd = open(to, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT && force && unlink(to) < 0)
        return -1;
    return fd >= 0 ? fd : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
}

static int copy_bytes(const char *from, const char *to, const struct stat *st)
{
    static char buf[128 * 1024];
    int in = open(from, O_RDONLY | O_CLOEXEC), status = 0;
    ssize_t n;

    if (in < 0)
        return complain(from);
    int out = open_copy(to, st);
    if (out < 0) {
        complain(to);
        close(in);
        return 1;
    }
    while (status == 0 && (n = read_some(in, buf, sizeof(buf))) != 0) {
        if (n < 0)
            status = complain(from);
        else if (!write_all(out, buf, (size_t)n))
            status = complain(to);
    }
    close(in);
    if (close(out) < 0)
        status = complain(to);
    return status;
}

static int copy_link(const char *from, const char *to)
{
    char target[PATH_MAX];
    ssize_t n = readlink(from, target, sizeof(target) - 1);
    if (n < 0)
        return complain(from);
    target[n] = '\0';
    return symlink(target, to) < 0 ? complain(to) : 0;
}

/* Every file of the directory, in the order in which the kernel has them. */
static int copy_entries(const char *from, const char *to, const struct above *here)
{
    DIR *dir = opendir(from);
    struct dirent *d;
    int status = 0;

    if (!dir)
        return complain(from);
    for (errno = 0; (d = readdir(dir)); errno = 0) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        char *inner_from = path_join(from, d->d_name), *inner_to = path_join(to, d->d_name);
        status |= copy(inner_from, inner_to, here);
        free(inner_from);
        free(inner_to);
    }
    if (errno != 0)
        status = complain(from);
    closedir(dir);
    return status;
}

static int copy_directory(const char *from, const char *to, const struct stat *st, bool exists,
                          const struct above *up)
{
    struct above here = {up, st->st_dev, st->st_ino};
    struct stat there;

    if (!recursive) {
        errno = EISDIR;
        return complain(from);
    }
    if (made.inode == st->st_ino && made.device == st->st_dev) {
        warnx("%s: can't be copied into itself", from);
        return 1;
    }
    for (const struct above *a = up; a; a = a->up) {
        if (a->inode == st->st_ino && a->device == st->st_dev) {
            warnx("%s: a loop of links", from);
            return 1;
        }
    }
    mode_t mode = st->st_mode & (preserve ? 0700 : 0777);
    if (!exists && (mkdir(to, mode | 0700) < 0 || stat(to, &there) < 0))
        return complain(to);
    if (!exists && made.inode == 0)
        made = (struct above){NULL, there.st_dev, there.st_ino};
    int status = copy_entries(from, to, &here);
    if (!exists && !preserve && chmod(to, there.st_mode & (mode | ~(mode_t)0700) & 07777) < 0)
        status = complain(to);
    return status;
}

/* With -a: was the file copied before, by another name? Then this is another name of the copy. */
static bool link_twin(const char *to, const struct stat *st, int *status)
{
    if (!links || st->st_nlink < 2)
        return false;
    for (struct twin *t = twins; t; t = t->next) {
        if (t->inode == st->st_ino && t->device == st->st_dev) {
            unlink(to);
            *status = link(t->copy, to) < 0 ? complain(to) : 0;
            return true;
        }
    }
    struct twin *t = need_memory(malloc(sizeof(*t)));
    *t = (struct twin){twins, st->st_dev, st->st_ino, need_memory(strdup(to))};
    twins = t;
    return false;
}

/* All that isn't a directory. Returns the status. */
static int copy_file(const char *from, const char *to, const struct stat *st, bool exists)
{
    int status;
    if (link_twin(to, st, &status))
        return status;
    bool special = S_ISLNK(st->st_mode) || (recursive && !S_ISREG(st->st_mode));
    if (!special)
        return copy_bytes(from, to, st);
    if (exists && unlink(to) < 0)
        return complain(to);
    if (S_ISLNK(st->st_mode))
        return copy_link(from, to);
    return mknod(to, st->st_mode & (S_IFMT | 0777), st->st_rdev) < 0 ? complain(to) : 0;
}

/* May the file that is there be written over? */
static bool may_replace(const char *to, const struct stat *from, const struct stat *there)
{
    const struct timespec *a = &from->st_mtim, *b = &there->st_mtim;
    if (keep)
        return false;
    if (update && (a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec <= b->tv_nsec)))
        return false;
    return !ask || confirmed("cp: replace", to);
}

static int copy(const char *from, const char *to, const struct above *up)
{
    struct stat st, there;
    bool following = follow == 'L' || (follow == 'H' && !up) || (follow == 0 && !recursive);

    if (fstatat(AT_FDCWD, from, &st, following ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
        return complain(from);
    bool exists = fstatat(AT_FDCWD, to, &there, S_ISLNK(st.st_mode) ? AT_SYMLINK_NOFOLLOW : 0) == 0;
    if (exists && st.st_dev == there.st_dev && st.st_ino == there.st_ino) {
        warnx("%s and %s are the same file", from, to);
        return 1;
    }
    if (exists && S_ISDIR(st.st_mode) != S_ISDIR(there.st_mode)) {
        errno = S_ISDIR(there.st_mode) ? EISDIR : ENOTDIR;
        return complain(to);
    }
    if (exists && !S_ISDIR(st.st_mode) && !may_replace(to, &st, &there))
        return 0;
    if (verbose)
        printf("%s -> %s\n", from, to);
    int status = S_ISDIR(st.st_mode) ? copy_directory(from, to, &st, exists, up)
                                     : copy_file(from, to, &st, exists);
    if (preserve && status == 0)
        status = copy_attributes(to, &st);
    return status;
}

static void take_option(int c)
{
    switch (c) {
    case 'a': recursive = preserve = links = true, follow = 'P'; break;
    case 'f': force = true; break;
    case 'i': ask = true, keep = false; break;
    case 'n': keep = true, ask = false; break;
    case 'p': preserve = true; break;
    case 'u': update = true; break;
    case 'v': verbose = true; break;
    case 'r':
    case 'R': recursive = true; break;
    case 'H':
    case 'L':
    case 'P': follow = (char)c; break;
    default: usage(1, USAGE);
    }
}

int main(int argc, char **argv)
{
    int c, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "afinpuvRrHLP")) != -1)
        take_option(c);
    int count = argc - optind;
    char *last = argv[argc - 1];
    if (count < 2)
        usage(1, USAGE);
    if (!is_directory(last)) {
        if (count > 2)
            errx(1, "%s: not a directory", last);
        status = copy(argv[optind], last, NULL);
        return command_end(status);
    }
    for (; optind < argc - 1; optind++) {
        char *to = path_into(last, argv[optind]);
        made = (struct above){0};
        status |= copy(argv[optind], to, NULL);
        free(to);
    }
    return command_end(status);
}

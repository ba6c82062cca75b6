/*
 * ln [-finsvLP] TARGET NAME, ln ... TARGET... DIRECTORY, ln ... TARGET: give a file another name.
 *
 *     -s  a symbolic link, which only holds the target's name     -f  instead of what has the name
 *     -i  ask first      -n  a NAME that is a link to a directory is not the directory
 *     -L, -P  a TARGET that is a symbolic link: the file behind it, the link itself (the default)
 */
#include "command.h"

#define USAGE "ln [-finsvLP] target... directory | [-finsvLP] target [name]"

static bool symbolic, force, ask, no_follow, verbose, to_target;

/* Is NAME already the file that a hard link to TARGET would make it? */
static bool same_file(const char *target, const char *name)
{
    struct stat a, b;
    int follow = to_target ? 0 : AT_SYMLINK_NOFOLLOW;
    return fstatat(AT_FDCWD, target, &a, follow) == 0 && lstat(name, &b) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int make_link(const char *target, const char *name)
{
    if (symbolic)
        return symlink(target, name);
    return linkat(AT_FDCWD, target, AT_FDCWD, name, to_target ? AT_SYMLINK_FOLLOW : 0);
}

static int link_to(const char *target, const char *name)
{
    if (make_link(target, name) == 0)
        goto done;
    if (errno != EEXIST || !(force || ask))
        goto failed;
    if (!symbolic && same_file(target, name)) {
        warnx("%s and %s are the same file", target, name);
        return 1;
    }
    if (ask && !confirmed("ln: replace", name))
        return 0;
    if (unlink(name) < 0 || make_link(target, name) < 0)
        goto failed;
done:
    if (verbose)
        printf("%s -> %s\n", name, target);
    return 0;
failed:
    warn("%s -> %s", name, target);
    return 1;
}

static int link_into(const char *target, const char *directory)
{
    char *name = path_into(directory, target);
    int status = link_to(target, name);
    free(name);
    return status;
}

static bool names_directory(const char *path)
{
    struct stat st;
    return is_directory(path) && !(no_follow && lstat(path, &st) == 0 && S_ISLNK(st.st_mode));
}

static void take_option(int c)
{
    switch (c) {
    case 'f': force = true, ask = false; break;
    case 'i': ask = true, force = false; break;
    case 'n': no_follow = true; break;
    case 's': symbolic = true; break;
    case 'v': verbose = true; break;
    case 'L': to_target = true; break;
    case 'P': to_target = false; break;
    default: usage(1, USAGE);
    }
}

int main(int argc, char **argv)
{
    int c, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "finsvLP")) != -1)
        take_option(c);
    int count = argc - optind;
    char **operands = argv + optind, *last = argv[argc - 1];
    if (count == 0)
        usage(1, USAGE);
    if (count == 1)
        status = link_into(last, ".");
    else if (names_directory(last))
        for (int i = 0; i < count - 1; i++)
            status |= link_into(operands[i], last);
    else if (count == 2)
        status = link_to(operands[0], last);
    else
        errx(1, "%s: not a directory", last);
    return command_end(status);
}

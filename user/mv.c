/*
 * mv [-finv] SOURCE NAME, mv ... SOURCE... DIRECTORY: give files another name or another directory.
 *
 *     -f  don't ask     -i  ask before a file is replaced     -n  don't replace any     -v  say so
 *
 * rename(2) does it within a file system. Between two there is nothing to rename: the tree is copied and
 * then removed, by those who can, `cp -a` and `rm -rf`.
 */
#include "command.h"

#include <sys/wait.h>

#define USAGE "mv [-finv] source... directory | [-finv] source name"

static bool force, ask, keep, verbose;

static int run(char *program, char *options, const char *from, const char *to)
{
    char *words[] = {program, options, "--", (char *)from, (char *)to, NULL};
    int result;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execvp(program, words);
        warn("%s", program);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &result, 0) < 0)
        if (errno != EINTR)
            pid = -1;
    if (pid < 0)
        warn("%s", program);
    return pid < 0 || result != 0;
}

/* To another file system. What has the name goes first, as rename would have it. */
static int move_across(const char *from, const char *to, const struct stat *source)
{
    struct stat there;
    if (lstat(to, &there) == 0) {
        bool wrong = S_ISDIR(there.st_mode) != S_ISDIR(source->st_mode);
        if (wrong)
            errno = S_ISDIR(there.st_mode) ? EISDIR : ENOTDIR;
        if (wrong || remove(to) < 0) {
            warn("%s", to);
            return 1;
        }
    }
    return run("cp", "-a", from, to) || run("rm", "-rf", from, NULL);
}

/* Shall what is called TO be replaced? */
static bool may_replace(const char *to, const struct stat *there)
{
    if (keep)
        return false;
    if (ask)
        return confirmed("mv: replace", to);
    if (force || S_ISLNK(there->st_mode) || access(to, W_OK) == 0 || !isatty(STDIN_FILENO))
        return true;
    return confirmed("mv: write-protected: replace", to);
}

static int move(const char *from, const char *to)
{
    struct stat source, there;
    if (lstat(from, &source) < 0) {
        warn("%s", from);
        return 1;
    }
    if (lstat(to, &there) == 0) {
        if (source.st_dev == there.st_dev && source.st_ino == there.st_ino) {
            warnx("%s and %s are the same file", from, to);
            return 1;
        }
        if (!may_replace(to, &there))
            return 0;
    }
    if (rename(from, to) < 0) {
        if (errno != EXDEV) {
            warn("%s -> %s", from, to);
            return 1;
        }
        if (move_across(from, to, &source) != 0)
            return 1;
    }
    if (verbose)
        printf("%s -> %s\n", from, to);
    return 0;
}

static int move_into(const char *from, const char *directory)
{
    char *to = path_into(directory, from);
    int status = move(from, to);
    free(to);
    return status;
}

static void take_option(int c)
{
    force = c == 'f' || (force && c == 'v');
    ask = c == 'i' || (ask && c == 'v');
    keep = c == 'n' || (keep && c == 'v');
    verbose |= c == 'v';
    if (c == '?')
        usage(1, USAGE);
}

int main(int argc, char **argv)
{
    int c, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "finv")) != -1)
        take_option(c);
    int count = argc - optind;
    char *last = argv[argc - 1];
    if (count < 2)
        usage(1, USAGE);
    if (is_directory(last))
        for (; optind < argc - 1; optind++)
            status |= move_into(argv[optind], last);
    else if (count == 2)
        status = move(argv[optind], last);
    else
        errx(1, "%s: not a directory", last);
    return command_end(status);
}

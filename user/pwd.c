/*
 * pwd [-L|-P]: the name of the working directory.
 *
 *     -L  as $PWD has it, with symbolic links, if that is true (the default)     -P  without links
 *
 * The kernel knows only the directory itself; the way that led there is the shell's to remember.
 */
#include "command.h"

#define USAGE "pwd [-L|-P]"

/* $PWD, if it is an absolute name of this directory without . and .. in it. */
static const char *name_of_shell(void)
{
    const char *name = getenv("PWD");
    struct stat here, there;

    if (!name || *name != '/' || stat(".", &here) < 0 || stat(name, &there) < 0 ||
        here.st_dev != there.st_dev || here.st_ino != there.st_ino)
        return NULL;
    for (const char *p = name; (p = strstr(p, "/.")); p++) {
        size_t dots = p[2] == '.' ? 2 : 1;
        if (p[1 + dots] == '/' || p[1 + dots] == '\0')
            return NULL;
    }
    return name;
}

int main(int argc, char **argv)
{
    bool logical = true;
    int c;

    command_begin();
    while ((c = getopt(argc, argv, "LP")) != -1) {
        if (c == '?')
            usage(1, USAGE);
        logical = c == 'L';
    }
    const char *name = logical ? name_of_shell() : NULL;
    if (!name)
        name = getcwd(NULL, 0);
    if (!name)
        err(1, "the working directory");
    puts(name);
    return command_end(0);
}

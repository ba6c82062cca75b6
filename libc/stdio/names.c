/* Files by name: removing them, and temporary ones. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stdio/file.h"

int remove(const char *path)
{
    int result = unlink(path);
    return result < 0 && errno == EISDIR ? rmdir(path) : result;
}

/* A file without a name is gone as soon as nobody has it open. */
FILE *tmpfile(void)
{
    char path[] = P_tmpdir "/tmpfile.XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        return NULL;
    unlink(path);
    FILE *f = __file_new(sizeof(*f), fd, O_RDWR, &__descriptor_ops);
    if (!f)
        close(fd);
    return f;
}

/* Somebody else may take the name before the program does: mkstemp is what is wanted. */
char *tmpnam(char *name)
{
    static char ours[L_tmpnam];
    if (!name)
        name = ours;
    strcpy(name, P_tmpdir "/tmp.XXXXXX");
    int fd = mkstemp(name);
    if (fd < 0)
        return NULL;
    close(fd);
    unlink(name);
    return name;
}

char *ctermid(char *name)
{
    static char ours[L_ctermid];
    return strcpy(name ? name : ours, "/dev/tty");
}

/* Files by name: removing them, and one without. */
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
    FILE *f = __file_new(fd, O_RDWR);
    if (!f)
        close(fd);
    return f;
}

/* Directories: a descriptor and a buffer of records, which readdir hands out one by one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct __dir {
    int fd;
    size_t pos, end; /* of the records in buf */
    off_t where;     /* d_off of the last record given: what telldir says */
    _Alignas(struct dirent) char buf[4096];
};

DIR *fdopendir(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return NULL;
    if (!S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return NULL;
    }
    DIR *dir = calloc(1, sizeof(*dir));
    if (!dir)
        return NULL;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    dir->fd = fd;
    return dir;
}

DIR *opendir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    DIR *dir = fdopendir(fd);
    if (!dir)
        close(fd);
    return dir;
}

struct dirent *readdir(DIR *dir)
{
    if (dir->pos >= dir->end) {
        ssize_t n = getdents64(dir->fd, dir->buf, sizeof(dir->buf));
        if (n <= 0) {
            if (n < 0 && errno == ENOENT) /* the directory was removed: it has no entries */
                errno = 0;
            return NULL;
        }
        dir->pos = 0;
        dir->end = (size_t)n;
    }
    struct dirent *d = (struct dirent *)(dir->buf + dir->pos);
    dir->pos += d->d_reclen;
    dir->where = d->d_off;
    return d;
}

int closedir(DIR *dir)
{
    int result = close(dir->fd);
    free(dir);
    return result;
}

int dirfd(DIR *dir)
{
    return dir->fd;
}

long telldir(DIR *dir)
{
    return dir->where;
}

void seekdir(DIR *dir, long position)
{
    dir->where = lseek(dir->fd, position, SEEK_SET);
    dir->pos = dir->end = 0;
}

void rewinddir(DIR *dir)
{
    seekdir(dir, 0);
}

/* ftok: as on every other system that counts, the low halves of inode and device with the id on top. */
#include <sys/ipc.h>
#include <sys/stat.h>

key_t ftok(const char *path, int id)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return -1;
    return (key_t)((unsigned)id << 24 | (st.st_dev & 0xff) << 16 | (st.st_ino & 0xffff));
}

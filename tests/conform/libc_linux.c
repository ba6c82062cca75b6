/* musl: Calls of Linux's own that no header of POSIX has. Their declarations are here, because libraries differ in
 * where they have them.
 */
#define _GNU_SOURCE
#include <sys/socket.h>

#include "tap.h"

int arch_prctl(int code, unsigned long addr);
int capget(void *header, void *data);
int capset(void *header, const void *data);
#undef getdents64 /* the other library has it as another name of another type */
ssize_t getdents64(int fd, void *buf, size_t size);

#define ARCH_GET_FS 0x1003
#define CAPABILITIES_3 0x20080522

TEST(fs_points_at_itself)
{
    unsigned long fs = 0;
    works(arch_prctl(ARCH_GET_FS, (unsigned long)&fs));
    check(fs != 0 && *(unsigned long *)fs == fs, "the first word is the structure's address");
}

TEST(capabilities_are_given_up)
{
    struct {
        uint32_t version;
        int pid;
    } header = {CAPABILITIES_3, 0};
    uint32_t data[6], none[6] = {0};
    pid_t pid;
    works(capget(&header, data));
    CHILD (pid) {
        works(capset(&header, none));
        works(capget(&header, data));
        same(data[0] | data[1] | data[3] | data[4], 0);
        fails(capset(&header, (uint32_t[6]){1, 1}), EPERM);
    }
    exits(pid, 0);
    header.version = 1;
    fails(capget(&header, data), EINVAL);
    same(header.version, CAPABILITIES_3);
}

TEST(directories_are_records)
{
    char buf[1000];
    int fd = works(open(".", O_RDONLY | O_DIRECTORY));
    ssize_t n = works(getdents64(fd, buf, sizeof(buf)));
    same(n, 48);
    same(getdents64(fd, buf, sizeof(buf)), 0);
}

TEST(a_pipe_has_no_urgent_mark)
{
    int p[2];
    works(pipe(p));
    fails(sockatmark(p[0]), ENOTTY);
}

int main(void)
{
    return tap_run("libc_linux");
}

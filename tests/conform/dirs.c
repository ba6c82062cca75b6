/* musl: reading directories. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/syscall.h>

struct entry {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
};

static _Alignas(8) char buf[32768];

static struct entry *find(const char *name, long size)
{
    for (long at = 0; at < size;) {
        struct entry *e = (struct entry *)(buf + at);
        if (strcmp(e->name, name) == 0)
            return e;
        at += e->reclen;
    }
    return NULL;
}

TEST(entries_have_kind_and_number)
{
    struct stat st;
    make_file("file", "");
    works(mkdir("dir", 0755));
    works(symlink("x", "link"));
    works(mkfifo("fifo", 0600));
    int fd = works(open(".", O_RDONLY | O_DIRECTORY));
    long n = works(syscall(SYS_getdents64, fd, buf, sizeof(buf)));
    same(find("file", n)->type, DT_REG);
    same(find("dir", n)->type, DT_DIR);
    same(find("link", n)->type, DT_LNK);
    same(find("fifo", n)->type, DT_FIFO);
    same(find(".", n)->type, DT_DIR);
    check(find("..", n), "..");
    works(stat("file", &st));
    same(find("file", n)->ino, st.st_ino);
    same(syscall(SYS_getdents64, fd, buf, sizeof(buf)), 0);
}

TEST(records_are_aligned_and_chained)
{
    make_file("a", "");
    make_file("a_longer_name", "");
    int fd = works(open(".", O_RDONLY | O_DIRECTORY)), count = 0;
    long n = works(syscall(SYS_getdents64, fd, buf, sizeof(buf)));
    for (long at = 0; at < n; count++) {
        struct entry *e = (struct entry *)(buf + at);
        same(e->reclen % 8, 0);
        check(e->reclen >= 19 + strlen(e->name) + 1, "the name fits");
        at += e->reclen;
        check(at <= n, "the last record ends with the buffer");
    }
    same(count, 4);
}

TEST(small_buffers_give_a_few_at_a_time)
{
    char name[16];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "file%d", i);
        make_file(name, "");
    }
    int fd = works(open(".", O_RDONLY | O_DIRECTORY));
    static bool seen[100];
    int total = 0;
    long n;
    while ((n = works(syscall(SYS_getdents64, fd, buf, 128))) > 0)
        for (long at = 0; at < n; total++) {
            struct entry *e = (struct entry *)(buf + at);
            if (strncmp(e->name, "file", 4) == 0) {
                int i = atoi(e->name + 4);
                check(!seen[i], "each once");
                seen[i] = true;
            }
            at += e->reclen;
        }
    same(total, 102);
    works(lseek(fd, 0, SEEK_SET));
    fails(syscall(SYS_getdents64, fd, buf, 8), EINVAL);
}

TEST(removing_while_reading_loses_nothing_else)
{
    char name[16];
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof(name), "file%d", i);
        make_file(name, "");
    }
    DIR *dir = opendir(".");
    struct dirent *d;
    int removed = 0;
    while ((d = readdir(dir)))
        if (d->d_name[0] == 'f') {
            works(unlink(d->d_name));
            removed++;
        }
    closedir(dir);
    same(removed, 60);
    dir = opendir(".");
    while ((d = readdir(dir)))
        same(d->d_name[0], '.');
}

TEST(rewinding_sees_what_is_new)
{
    DIR *dir = opendir(".");
    while (readdir(dir))
        ;
    make_file("new", "");
    rewinddir(dir);
    bool seen = false;
    struct dirent *d;
    while ((d = readdir(dir)))
        seen |= strcmp(d->d_name, "new") == 0;
    check(seen, "the new file");
}

TEST(old_getdents_has_the_kind_last)
{
    struct old {
        unsigned long ino, off;
        unsigned short reclen;
        char name[];
    };
    works(mkdir("d", 0755));
    int fd = works(open(".", O_RDONLY | O_DIRECTORY));
    long n = works(syscall(SYS_getdents, fd, buf, sizeof(buf)));
    bool seen = false;
    for (long at = 0; at < n;) {
        struct old *e = (struct old *)(buf + at);
        if (strcmp(e->name, "d") == 0) {
            same(*((char *)e + e->reclen - 1), DT_DIR);
            seen = true;
        }
        at += e->reclen;
    }
    check(seen, "the directory");
}

TEST(errors_of_getdents)
{
    make_file("f", "");
    int f = works(open("f", O_RDONLY)), d = works(open(".", O_RDONLY));
    fails(syscall(SYS_getdents64, f, buf, sizeof(buf)), ENOTDIR);
    fails(syscall(SYS_getdents64, 99, buf, sizeof(buf)), EBADF);
    fails(syscall(SYS_getdents64, d, NOWHERE, sizeof(buf)), EFAULT);
    works(mkdir("gone", 0755));
    int gone = works(open("gone", O_RDONLY));
    works(rmdir("gone"));
    fails(syscall(SYS_getdents64, gone, buf, sizeof(buf)), ENOENT);
}

TEST(a_thousand_files)
{
    char name[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        works(close(works(open(name, O_WRONLY | O_CREAT, 0600))));
    }
    DIR *dir = opendir(".");
    int n = 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    same(n, 1002);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        works(unlink(name));
    }
}

TEST(a_size_beyond_int_is_einval)
{
    char buf[512];
    int fd = works(open(".", O_RDONLY));
    fails(syscall(SYS_getdents64, fd, buf, 0xffffffffU), EINVAL);
    fails(syscall(SYS_getdents64, fd, buf, 0x80000000U), EINVAL);
    check(syscall(SYS_getdents64, fd, buf, sizeof(buf)) > 0, "the entries");
    same(syscall(SYS_getdents64, fd, buf, 0xffffffffU), 0);
}

int main(void)
{
    return tap_run("dirs");
}

/* musl: Files by other names than open and read: trees, paths, modes, owners, times, space, attributes. */
#define _GNU_SOURCE
#include <dirent.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <utime.h>

#include "tap.h"

TEST(a_place_in_a_directory_is_found_again)
{
    DIR *dir = opendir(".");
    char name[256];
    make_file("a", "");
    make_file("b", "");
    make_file("c", "");
    check(readdir(dir) && readdir(dir), "two entries");
    long place = telldir(dir);
    strcpy(name, readdir(dir)->d_name);
    check(readdir(dir) != NULL, "one more");
    seekdir(dir, place);
    same_text(readdir(dir)->d_name, name);
    works(closedir(dir));
}

TEST(modes_change)
{
    struct stat st;
    make_file("f", "");
    works(symlink("f", "link"));
    int fd = works(open("f", O_RDWR));
    works(fchmod(fd, 0640));
    works(stat("f", &st));
    same(st.st_mode, S_IFREG | 0640);
    works(fchmodat(AT_FDCWD, "link", 0604, 0));
    works(fstat(fd, &st));
    same(st.st_mode, S_IFREG | 0604);
    fails(fchmodat(AT_FDCWD, "link", 0600, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
    works(mkfifoat(AT_FDCWD, "fifo", 0600));
    works(stat("fifo", &st));
    same(st.st_mode, S_IFIFO | 0600);
    works(mknodat(AT_FDCWD, "null", S_IFCHR | 0600, makedev(1, 3)));
    works(stat("null", &st));
    same(st.st_rdev, makedev(1, 3));
    same(creat("nowhere/f", 0600), -1);
    works(fd = creat("new", 0600));
    same(write(fd, "x", 1), 1);
}

TEST(owners_change)
{
    struct stat st;
    make_file("f", "");
    works(symlink("f", "link"));
    int fd = works(open("f", O_RDWR));
    works(fchown(fd, 1, 2));
    works(lchown("link", 3, 4));
    works(fchownat(AT_FDCWD, "f", (uid_t)-1, 5, 0));
    works(stat("f", &st));
    same(st.st_uid, 1);
    same(st.st_gid, 5);
    works(lstat("link", &st));
    same(st.st_uid, 3);
    same(st.st_gid, 4);
}

static void has_times(const char *path, time_t access, time_t change)
{
    struct stat st;
    works(lstat(path, &st));
    same(st.st_atim.tv_sec, access);
    same(st.st_mtim.tv_sec, change);
}

TEST(times_change)
{
    struct utimbuf seconds = {100, 200};
    struct timeval micro[2] = {{300, 5}, {400, 5}};
    struct timespec nano[2] = {{500, 7}, {600, 8}};
    make_file("f", "");
    int fd = works(open("f", O_RDWR));
    works(utime("f", &seconds));
    has_times("f", 100, 200);
    works(utimes("f", micro));
    has_times("f", 300, 400);
    works(utimensat(AT_FDCWD, "f", nano, 0));
    has_times("f", 500, 600);
    micro[0].tv_sec = 700;
    works(futimes(fd, micro));
    has_times("f", 700, 400);
    micro[0].tv_sec = 800;
    works(futimesat(AT_FDCWD, "f", micro));
    has_times("f", 800, 400);
    nano[0].tv_nsec = UTIME_OMIT;
    works(futimens(fd, nano));
    has_times("f", 800, 600);
}

TEST(file_systems_say_how_large_they_are)
{
    struct statvfs v, w;
    struct statfs s, t;
    int fd = works(open(".", O_RDONLY | O_DIRECTORY));
    works(statvfs(".", &v));
    works(fstatvfs(fd, &w));
    works(statfs(".", &s));
    works(fstatfs(fd, &t));
    same(s.f_type, t.f_type);
    same(v.f_bsize, s.f_bsize);
    same(w.f_blocks, s.f_blocks);
    same(v.f_namemax, 255);
    fails(statvfs("nowhere", &v), ENOENT);
    fails(fstatvfs(-1, &v), EBADF);
}

TEST(values_of_the_system)
{
    same(sysconf(_SC_PAGESIZE), getpagesize());
    same(sysconf(_SC_CLK_TCK), 100);
    same(sysconf(_SC_IOV_MAX), IOV_MAX);
    same(sysconf(_SC_VERSION), _POSIX_VERSION);
    check(sysconf(_SC_OPEN_MAX) >= 20, "_SC_OPEN_MAX");
    check(sysconf(_SC_NPROCESSORS_ONLN) >= 1, "_SC_NPROCESSORS_ONLN");
    check(sysconf(_SC_PHYS_PAGES) > sysconf(_SC_AVPHYS_PAGES), "some memory is in use");
    fails(sysconf(12345), EINVAL);
}

/* The file system here may have attributes of users' or none at all: each call then says the same. */
TEST(attributes_of_files_answer)
{
    char buf[16];
    make_file("f", "");
    int fd = works(open("f", O_RDWR));
    if (setxattr("f", "user.a", "1", 1, 0) == 0) {
        same(getxattr("f", "user.a", buf, sizeof(buf)), 1);
        works(lsetxattr("f", "user.a", "22", 2, XATTR_REPLACE));
        same(lgetxattr("f", "user.a", buf, sizeof(buf)), 2);
        works(fsetxattr(fd, "user.b", "333", 3, XATTR_CREATE));
        same(fgetxattr(fd, "user.b", buf, sizeof(buf)), 3);
        same(listxattr("f", buf, sizeof(buf)), 14);
        same(llistxattr("f", buf, sizeof(buf)), 14);
        same(flistxattr(fd, NULL, 0), 14);
        works(removexattr("f", "user.a"));
        fails(lremovexattr("f", "user.a"), ENODATA);
        works(fremovexattr(fd, "user.b"));
        return;
    }
    same(errno, EOPNOTSUPP);
    fails(lsetxattr("f", "user.a", "1", 1, 0), EOPNOTSUPP);
    fails(fsetxattr(fd, "user.a", "1", 1, 0), EOPNOTSUPP);
    fails(getxattr("f", "user.a", buf, sizeof(buf)), EOPNOTSUPP);
    fails(lgetxattr("f", "user.a", buf, sizeof(buf)), EOPNOTSUPP);
    fails(fgetxattr(fd, "user.a", buf, sizeof(buf)), EOPNOTSUPP);
    works(listxattr("f", buf, sizeof(buf)));
    works(llistxattr("f", buf, sizeof(buf)));
    works(flistxattr(fd, buf, sizeof(buf)));
    fails(removexattr("f", "user.a"), EOPNOTSUPP);
    fails(lremovexattr("f", "user.a"), EOPNOTSUPP);
    fails(fremovexattr(fd, "user.a"), EOPNOTSUPP);
}

TEST(bytes_go_from_file_to_file)
{
    char buf[16] = "";
    off_t from = 2;
    make_file("a", "0123456789");
    int a = works(open("a", O_RDWR)), b = works(open("b", O_RDWR | O_CREAT, 0600));
    same(copy_file_range(a, &from, b, NULL, 5, 0), 5);
    same(from, 7);
    same(pread(b, buf, sizeof(buf), 0), 5);
    same_text(buf, "23456");
    works(fsync(b));
    works(syncfs(b));
    sync();
}

TEST(memory_is_advised)
{
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *p = 1;
    same(posix_madvise(p, PAGE, POSIX_MADV_WILLNEED), 0);
    same(posix_madvise(p, PAGE, POSIX_MADV_DONTNEED), 0);
    same(*p, 1);
    works(mlock2(p, PAGE, 0));
    works(munlock(p, PAGE));
}

int main(void)
{
    return tap_run("libc_files");
}

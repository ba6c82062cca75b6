/* What a file is and how that is changed: stat, statx, chmod, utimensat, access, statfs. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>

static struct stat st;

TEST(stat_tells_the_kind)
{
    make_file("f", "12345");
    works(stat("f", &st));
    check(S_ISREG(st.st_mode), "a file");
    same(st.st_size, 5);
    same(st.st_uid, geteuid());
    same(st.st_gid, getegid());
    works(stat(".", &st));
    check(S_ISDIR(st.st_mode), "a directory");
    works(stat("/dev/null", &st));
    check(S_ISCHR(st.st_mode), "a device");
    same(major(st.st_rdev), 1);
    same(minor(st.st_rdev), 3);
}

TEST(blocks_count_what_is_stored)
{
    static char buf[65536];
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    memset(buf, 1, sizeof(buf));
    same(write(fd, buf, sizeof(buf)), sizeof(buf));
    works(fsync(fd));
    works(fstat(fd, &st));
    check(st.st_blocks * 512 >= 65536, "at least what was written");
    check(st.st_blksize >= 512, "a block size");
}

TEST(device_and_inode_name_a_file)
{
    struct stat other;
    make_file("a", "");
    make_file("b", "");
    works(stat("a", &st));
    works(stat("b", &other));
    same(st.st_dev, other.st_dev);
    check(st.st_ino != other.st_ino, "two files, two numbers");
    int fd = works(open("a", O_RDONLY));
    works(fstat(fd, &other));
    same(st.st_ino, other.st_ino);
}

TEST(errors_of_stat)
{
    fails(stat("nowhere", &st), ENOENT);
    fails(stat("", &st), ENOENT);
    fails(fstat(99, &st), EBADF);
    fails(syscall(SYS_stat, ".", NOWHERE), EFAULT);
    fails(syscall(SYS_stat, NOWHERE, &st), EFAULT);
}

TEST(chmod_changes_the_permission_bits_only)
{
    make_file("f", "");
    works(chmod("f", 07777));
    works(stat("f", &st));
    same(st.st_mode, S_IFREG | 07777);
    works(chmod("f", 0170000 | 0600));
    works(stat("f", &st));
    same(st.st_mode, S_IFREG | 0600);
    int fd = works(open("f", O_RDONLY));
    works(fchmod(fd, 0640));
    works(fchmodat(AT_FDCWD, "f", 0644, 0));
    works(fstat(fd, &st));
    same(st.st_mode & 07777, 0644);
    fails(chmod("nowhere", 0), ENOENT);
}

TEST(chown_changes_and_minus_one_keeps)
{
    make_file("f", "");
    works(chown("f", 5, 6));
    works(chown("f", (uid_t)-1, 7));
    works(chown("f", 8, (gid_t)-1));
    works(stat("f", &st));
    same(st.st_uid, 8);
    same(st.st_gid, 7);
}

TEST(lchown_changes_the_link)
{
    make_file("f", "");
    works(symlink("f", "s"));
    works(lchown("s", 5, 5));
    works(lstat("s", &st));
    same(st.st_uid, 5);
    works(stat("f", &st));
    same(st.st_uid, geteuid());
    works(chown("s", 6, 6));
    works(stat("f", &st));
    same(st.st_uid, 6);
}

TEST(utimensat_sets_both_times)
{
    struct timespec t[2] = {{1000, 111}, {2000, 222}};
    make_file("f", "");
    works(utimensat(AT_FDCWD, "f", t, 0));
    works(stat("f", &st));
    same(st.st_atim.tv_sec, 1000);
    same(st.st_atim.tv_nsec, 111);
    same(st.st_mtim.tv_sec, 2000);
    same(st.st_mtim.tv_nsec, 222);
    check(st.st_ctim.tv_sec > 2000, "the change itself is now");
}

TEST(utime_omit_and_utime_now)
{
    struct timespec t[2] = {{1000, 0}, {2000, 0}};
    make_file("f", "");
    works(utimensat(AT_FDCWD, "f", t, 0));
    t[0] = (struct timespec){0, UTIME_OMIT};
    t[1] = (struct timespec){0, UTIME_NOW};
    works(utimensat(AT_FDCWD, "f", t, 0));
    works(stat("f", &st));
    same(st.st_atim.tv_sec, 1000);
    check(st.st_mtim.tv_sec > 2000, "now");
    t[1] = (struct timespec){0, 1000000000};
    fails(utimensat(AT_FDCWD, "f", t, 0), EINVAL);
    works(utimensat(AT_FDCWD, "f", NULL, 0));
    works(stat("f", &st));
    check(st.st_atim.tv_sec > 2000, "NULL is now for both");
}

TEST(setting_times_needs_ownership)
{
    struct timespec t[2] = {{1, 0}, {1, 0}};
    make_file("f", "");
    works(chmod("f", 0666));
    works(syscall(SYS_setresuid, 1000, 1000, 1000));
    fails(utimensat(AT_FDCWD, "f", t, 0), EPERM);
    works(utimensat(AT_FDCWD, "f", NULL, 0));
}

TEST(old_calls_for_times)
{
    struct timeval tv[2] = {{3, 500000}, {4, 0}};
    make_file("f", "");
    works(syscall(SYS_utimes, "f", tv));
    works(stat("f", &st));
    same(st.st_atim.tv_sec, 3);
    same(st.st_atim.tv_nsec, 500000000);
    long actime_modtime[2] = {7, 8};
    works(syscall(SYS_utime, "f", actime_modtime));
    works(stat("f", &st));
    same(st.st_atim.tv_sec, 7);
    same(st.st_mtim.tv_sec, 8);
    tv[0].tv_usec = 1000000;
    fails(syscall(SYS_utimes, "f", tv), EINVAL);
}

TEST(writing_changes_mtime_and_ctime)
{
    struct timespec t[2] = {{1000, 0}, {1000, 0}};
    make_file("f", "x");
    works(utimensat(AT_FDCWD, "f", t, 0));
    int fd = works(open("f", O_RDWR));
    same(write(fd, "y", 1), 1);
    works(fstat(fd, &st));
    check(st.st_mtim.tv_sec > 1000, "mtime is now");
    works(utimensat(AT_FDCWD, "f", t, 0));
    works(ftruncate(fd, 0));
    works(fstat(fd, &st));
    check(st.st_mtim.tv_sec > 1000, "so it is after ftruncate");
}

TEST(making_and_removing_names_changes_the_directory)
{
    struct timespec t[2] = {{1000, 0}, {1000, 0}};
    works(mkdir("d", 0755));
    works(utimensat(AT_FDCWD, "d", t, 0));
    make_file("d/f", "");
    works(stat("d", &st));
    check(st.st_mtim.tv_sec > 1000, "after creation");
    works(utimensat(AT_FDCWD, "d", t, 0));
    works(unlink("d/f"));
    works(stat("d", &st));
    check(st.st_mtim.tv_sec > 1000, "after removal");
}

TEST(access_answers)
{
    make_file("f", "");
    works(chmod("f", 0644));
    works(access("f", R_OK | W_OK));
    fails(access("f", X_OK), EACCES);
    works(access(".", X_OK));
    fails(access("f", 8), EINVAL);
    fails(access("nowhere", F_OK), ENOENT);
    fails(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, 0x4000), EINVAL);
}

TEST(statx_fills_what_stat_does)
{
    struct statx x;
    make_file("f", "123");
    works(stat("f", &st));
    memset(&x, 0xff, sizeof(x));
    works(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x));
    same(x.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
    same(x.stx_size, 3);
    same(x.stx_ino, st.st_ino);
    same(x.stx_mode, st.st_mode);
    same(x.stx_nlink, 1);
    same(x.stx_mtime.tv_sec, st.st_mtim.tv_sec);
    same(x.stx_mtime.tv_nsec, st.st_mtim.tv_nsec);
    same(x.stx_dev_major, major(st.st_dev));
    fails(statx(AT_FDCWD, "f", 0x80000, STATX_BASIC_STATS, &x), EINVAL);
    fails(statx(AT_FDCWD, "f", 0, 0x80000000U, &x), EINVAL);
    works(statx(works(open("f", O_RDONLY)), "", AT_EMPTY_PATH, STATX_SIZE, &x));
}

TEST(statfs_is_plausible)
{
    struct statfs fs;
    works(statfs(".", &fs));
    check(fs.f_bsize > 0 && fs.f_bfree <= fs.f_blocks, "blocks");
    same(fs.f_namelen, 255);
    int fd = works(open(".", O_RDONLY));
    works(fstatfs(fd, &fs));
    fails(statfs("nowhere", &fs), ENOENT);
    fails(fstatfs(99, &fs), EBADF);
    fails(syscall(SYS_statfs, ".", NOWHERE), EFAULT);
}

TEST(umask_applies_to_all_that_is_made)
{
    same(umask(077), 022);
    works(mkdir("d", 0777));
    works(stat("d", &st));
    same(st.st_mode & 0777, 0700);
    works(mkfifo("p", 0666));
    works(stat("p", &st));
    same(st.st_mode & 0777, 0600);
    umask(07777);
    same(umask(0), 0777);
}

TEST(a_pipe_has_no_path_to_follow)
{
    int p[2];
    char text[16];
    char *none[] = {NULL};
    works(pipe(p));
    fails(readlinkat(p[0], "", text, sizeof(text)), ENOENT);
    fails(syscall(SYS_execveat, p[0], "", none, none, AT_EMPTY_PATH), EACCES);
    fails(openat(p[0], "x", O_RDONLY), ENOTDIR);
}

int main(void)
{
    return tap_run("stat");
}

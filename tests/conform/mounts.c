/* musl: mount, umount, chroot, and the tmpfs that is mounted here. Run as root. */
#include "tap.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

static char buf[65536];

/* Mounts are undone in any case: by the test, or by the harness's removal failing loudly. */
static void mount_tmpfs(const char *options)
{
    works(mkdir("m", 0755));
    works(mount("none", "m", "tmpfs", 0, options));
}

TEST(mounted_tree_hides_and_reveals)
{
    struct stat before, after;
    works(mkdir("m", 0755));
    make_file("m/hidden", "");
    works(stat("m", &before));
    works(mount("none", "m", "tmpfs", 0, NULL));
    works(stat("m", &after));
    check(before.st_dev != after.st_dev, "another file system");
    fails(access("m/hidden", F_OK), ENOENT);
    make_file("m/inside", "");
    works(umount("m"));
    works(access("m/hidden", F_OK));
    fails(access("m/inside", F_OK), ENOENT);
}

TEST(dotdot_leads_out_of_a_mount)
{
    struct stat here, there;
    mount_tmpfs(NULL);
    works(stat(".", &here));
    works(stat("m/..", &there));
    same(here.st_ino, there.st_ino);
    same(here.st_dev, there.st_dev);
    works(umount("m"));
}

TEST(busy_mounts_stay)
{
    mount_tmpfs(NULL);
    make_file("m/f", "");
    int fd = works(open("m/f", O_RDONLY));
    fails(umount("m"), EBUSY);
    works(close(fd));
    works(chdir("m"));
    fails(umount("."), EBUSY);
    works(chdir(".."));
    works(umount("m"));
}

TEST(detached_mounts_live_until_closed)
{
    mount_tmpfs(NULL);
    make_file("m/f", "alive");
    int fd = works(open("m/f", O_RDONLY));
    works(umount2("m", MNT_DETACH));
    fails(access("m/f", F_OK), ENOENT);
    same(read(fd, buf, 10), 5);
}

TEST(mount_point_cannot_be_removed)
{
    mount_tmpfs(NULL);
    fails(rmdir("m"), EBUSY);
    fails(rename("m", "n"), EBUSY);
    works(umount("m"));
    works(rmdir("m"));
}

TEST(read_only_mount_refuses_changes)
{
    mount_tmpfs(NULL);
    make_file("m/f", "x");
    works(mount("none", "m", "tmpfs", MS_REMOUNT | MS_RDONLY, NULL));
    fails(open("m/f", O_WRONLY), EROFS);
    fails(open("m/new", O_WRONLY | O_CREAT, 0600), EROFS);
    fails(unlink("m/f"), EROFS);
    fails(mkdir("m/d", 0755), EROFS);
    fails(chmod("m/f", 0600), EROFS);
    fails(truncate("m/f", 0), EROFS);
    fails(access("m/f", W_OK), EROFS);
    works(close(works(open("m/f", O_RDONLY))));
    works(umount("m"));
}

TEST(names_do_not_cross_mounts)
{
    mount_tmpfs(NULL);
    make_file("f", "");
    fails(rename("f", "m/f"), EXDEV);
    fails(link("f", "m/f"), EXDEV);
    works(umount("m"));
}

TEST(size_option_limits_a_tmpfs)
{
    mount_tmpfs("size=256k");
    struct statfs fs;
    works(statfs("m", &fs));
    same(fs.f_type, 0x01021994);
    same(fs.f_blocks * (unsigned long)fs.f_bsize, 256 << 10);
    int fd = works(open("m/f", O_WRONLY | O_CREAT, 0600));
    long total = 0, n;
    memset(buf, 1, sizeof(buf));
    while ((n = write(fd, buf, sizeof(buf))) > 0)
        total += n;
    same(errno, ENOSPC);
    same(total, 256 << 10);
    works(ftruncate(fd, 0));
    works(lseek(fd, 0, SEEK_SET));
    same(write(fd, buf, sizeof(buf)), sizeof(buf));
    works(close(fd));
    works(umount("m"));
}

TEST(mode_option_sets_the_roots_mode)
{
    struct stat st;
    mount_tmpfs("mode=1777");
    works(stat("m", &st));
    same(st.st_mode & 07777, 01777);
    works(umount("m"));
}

TEST(holes_of_a_tmpfs_take_no_room)
{
    struct stat st;
    mount_tmpfs("size=1m");
    int fd = works(open("m/f", O_RDWR | O_CREAT, 0600));
    same(pwrite(fd, "x", 1, 100 << 20), 1);
    works(fstat(fd, &st));
    same(st.st_blocks, 8);
    same(lseek(fd, 0, SEEK_DATA), 100 << 20);
    same(lseek(fd, 0, SEEK_HOLE), 0);
    works(close(fd));
    works(umount("m"));
}

TEST(nodev_noexec_and_nosuid_are_kept)
{
    works(mkdir("m", 0755));
    works(mount("none", "m", "tmpfs", MS_NODEV | MS_NOEXEC | MS_NOSUID, NULL));
    works(mknod("m/null", S_IFCHR | 0666, (1 << 8) | 3));
    fails(open("m/null", O_RDONLY), EACCES);
    make_file("m/script", "#!/bin/sh\n");
    works(chmod("m/script", 0755));
    fails(execve("m/script", (char *[]){"x", NULL}, (char *[]){NULL}), EACCES);
    works(umount("m"));
}

TEST(bind_mount_shows_a_tree_twice)
{
    works(mkdir("a", 0755));
    works(mkdir("b", 0755));
    make_file("a/f", "");
    works(mount("a", "b", NULL, MS_BIND, NULL));
    works(access("b/f", F_OK));
    make_file("b/g", "");
    works(access("a/g", F_OK));
    works(umount("b"));
    fails(access("b/f", F_OK), ENOENT);
}

TEST(mount_checks_its_arguments)
{
    make_file("f", "");
    works(mkdir("d", 0755));
    fails(mount("none", "d", "nosuchfs", 0, NULL), ENODEV);
    fails(mount("none", "nowhere", "tmpfs", 0, NULL), ENOENT);
    fails(mount("none", "f", "tmpfs", 0, NULL), ENOTDIR);
    fails(umount("d"), EINVAL);
    fails(umount("nowhere"), ENOENT);
    fails(umount2("d", 0x100), EINVAL);
    works(syscall(SYS_setresuid, 1000, 1000, 1000));
    fails(mount("none", "d", "tmpfs", 0, NULL), EPERM);
    fails(umount("d"), EPERM);
}

TEST(chroot_confines)
{
    pid_t pid;
    works(mkdir("jail", 0755));
    make_file("jail/f", "");
    CHILD (pid) {
        works(chroot("jail"));
        works(chdir("/"));
        works(access("/f", F_OK));
        fails(access("/tmp", F_OK), ENOENT);
        works(chdir(".."));
        works(access("f", F_OK));
        char dir[100];
        check(getcwd(dir, sizeof(dir)), "getcwd");
        same_text(dir, "/");
    }
    exits(pid, 0);
    works(symlink("/f", "jail/link"));
    CHILD (pid) {
        works(chroot("jail"));
        works(access("/link", F_OK));
    }
    exits(pid, 0);
    fails(chroot("jail/f"), ENOTDIR);
    fails(chroot("nowhere"), ENOENT);
    works(syscall(SYS_setresuid, 1000, 1000, 1000));
    fails(chroot("jail"), EPERM);
}

TEST(tmpfs_files_can_be_mapped)
{
    mount_tmpfs(NULL);
    int fd = works(open("m/f", O_RDWR | O_CREAT, 0600));
    works(ftruncate(fd, 2 * PAGE));
    char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(p != MAP_FAILED, "mmap");
    p[PAGE + 5] = 'x';
    same(pread(fd, buf, 1, PAGE + 5), 1);
    same(buf[0], 'x');
    works(ftruncate(fd, PAGE));
    pid_t pid;
    CHILD (pid) {
        p[PAGE] = 1;
    }
    dies(pid, SIGBUS);
    works(munmap(p, 2 * PAGE));
    works(close(fd));
    works(umount("m"));
}

int main(void)
{
    return tap_run("mounts");
}

/* musl: the path walk, and the calls that make, move and remove names. */
#define _GNU_SOURCE
#include "tap.h"

#include <limits.h>
#include <sys/syscall.h>

static char buf[PATH_MAX + 8];

TEST(dot_and_dotdot)
{
    struct stat a, b;
    works(mkdir("d", 0755));
    works(stat(".", &a));
    works(stat("d/..", &b));
    same(b.st_ino, a.st_ino);
    works(stat("d/./../d/../.", &b));
    same(b.st_ino, a.st_ino);
    works(stat("//", &a));
    works(stat("/../..", &b));
    same(b.st_ino, a.st_ino);
}

TEST(repeated_slashes_count_once)
{
    works(mkdir("d", 0755));
    make_file("d/f", "");
    works(access("d///f", F_OK));
    works(access(".//d//.//f", F_OK));
}

TEST(trailing_slash_wants_a_directory)
{
    make_file("f", "");
    works(mkdir("d", 0755));
    works(access("d/", F_OK));
    fails(access("f/", F_OK), ENOTDIR);
    fails(open("f/", O_RDONLY), ENOTDIR);
    fails(open("new/", O_WRONLY | O_CREAT, 0600), EISDIR);
    fails(unlink("f/"), ENOTDIR);
    works(mkdir("e/", 0755));
    works(rmdir("e/"));
}

TEST(file_as_directory_is_enotdir)
{
    make_file("f", "");
    fails(access("f/x", F_OK), ENOTDIR);
    fails(open("f/x", O_RDONLY), ENOTDIR);
    fails(mkdir("f/x", 0755), ENOTDIR);
    fails(access("f/..", F_OK), ENOTDIR);
    fails(chdir("f"), ENOTDIR);
}

TEST(name_length_is_limited)
{
    memset(buf, 'n', 256);
    buf[256] = '\0';
    fails(open(buf, O_WRONLY | O_CREAT, 0600), ENAMETOOLONG);
    fails(mkdir(buf, 0755), ENAMETOOLONG);
    buf[255] = '\0';
    works(close(works(open(buf, O_WRONLY | O_CREAT, 0600))));
    works(unlink(buf));
}

TEST(path_length_is_limited)
{
    for (int i = 0; i < PATH_MAX - 2; i += 2)
        memcpy(buf + i, "./", 2);
    memcpy(buf + PATH_MAX - 2, ".", 2);
    works(access(buf, F_OK));
    memcpy(buf + PATH_MAX - 2, "./", 3);
    fails(access(buf, F_OK), ENAMETOOLONG);
}

TEST(symlink_is_followed_and_read)
{
    struct stat st;
    make_file("f", "text");
    works(symlink("f", "link"));
    works(stat("link", &st));
    same(st.st_size, 4);
    works(lstat("link", &st));
    check(S_ISLNK(st.st_mode), "lstat sees the link");
    same(st.st_size, 1);
    same(readlink("link", buf, 100), 1);
    same(buf[0], 'f');
}

TEST(readlink_cuts_silently_and_refuses_files)
{
    works(symlink("0123456789", "link"));
    same(readlink("link", buf, 4), 4);
    same(memcmp(buf, "0123", 4), 0);
    fails(syscall(SYS_readlink, "link", buf, 0), EINVAL);
    make_file("f", "");
    fails(readlink("f", buf, 10), EINVAL);
    fails(readlink(".", buf, 10), EINVAL);
    fails(readlink("nowhere", buf, 10), ENOENT);
}

TEST(symlink_refuses_what_it_should)
{
    make_file("f", "");
    fails(symlink("x", "f"), EEXIST);
    fails(symlink("", "new"), ENOENT);
    fails(symlink("x", ""), ENOENT);
    fails(symlink("x", "nowhere/link"), ENOENT);
    memset(buf, 'x', PATH_MAX);
    buf[PATH_MAX] = '\0';
    fails(symlink(buf, "new"), ENAMETOOLONG);
}

TEST(symlink_in_the_middle_of_a_path)
{
    works(mkdir("d", 0755));
    make_file("d/f", "");
    works(symlink("d", "to_d"));
    works(access("to_d/f", F_OK));
    works(access("to_d/../d/f", F_OK));
    works(symlink("/", "to_root"));
    works(access("to_root/tmp", F_OK));
}

TEST(dotdot_after_a_symlink_is_the_targets_parent)
{
    works(mkdir("a", 0755));
    works(mkdir("a/b", 0755));
    works(symlink("a/b", "link"));
    make_file("a/here", "");
    works(access("link/../here", F_OK));
}

TEST(symlink_loops_are_eloop)
{
    works(symlink("b", "a"));
    works(symlink("a", "b"));
    works(symlink("self", "self"));
    fails(access("a", F_OK), ELOOP);
    fails(open("self", O_RDONLY), ELOOP);
    fails(open("a/x", O_WRONLY | O_CREAT, 0600), ELOOP);
}

TEST(forty_symlinks_work_and_forty_one_are_eloop)
{
    char from[8], to[8] = "l0";
    make_file("l0", "");
    for (int i = 1; i <= 41; i++) {
        snprintf(from, sizeof(from), "l%d", i);
        works(symlink(to, from));
        strcpy(to, from);
    }
    works(access("l40", F_OK));
    fails(access("l41", F_OK), ELOOP);
}

TEST(hard_link_is_the_same_file)
{
    struct stat a, b;
    make_file("f", "one");
    works(link("f", "g"));
    works(stat("f", &a));
    works(stat("g", &b));
    same(a.st_ino, b.st_ino);
    same(a.st_nlink, 2);
    works(unlink("f"));
    works(stat("g", &b));
    same(b.st_nlink, 1);
}

TEST(link_refuses_what_it_should)
{
    make_file("f", "");
    make_file("g", "");
    works(mkdir("d", 0755));
    fails(link("f", "g"), EEXIST);
    fails(link("nowhere", "h"), ENOENT);
    fails(link("d", "h"), EPERM);
    fails(link("f", "nowhere/h"), ENOENT);
    fails(linkat(AT_FDCWD, "f", AT_FDCWD, "h", 0x80), EINVAL);
}

TEST(link_of_a_symlink_links_the_symlink_unless_told)
{
    struct stat st;
    make_file("f", "");
    works(symlink("f", "s"));
    works(link("s", "a"));
    works(lstat("a", &st));
    check(S_ISLNK(st.st_mode), "link() doesn't follow");
    works(linkat(AT_FDCWD, "s", AT_FDCWD, "b", AT_SYMLINK_FOLLOW));
    works(lstat("b", &st));
    check(S_ISREG(st.st_mode), "AT_SYMLINK_FOLLOW does");
}

TEST(unlink_refuses_directories)
{
    works(mkdir("d", 0755));
    fails(unlink("d"), EISDIR);
    fails(unlink("nowhere"), ENOENT);
    fails(unlink("."), EISDIR);
    fails(unlinkat(AT_FDCWD, "d", 0x1), EINVAL);
    works(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
}

TEST(unlink_of_a_symlink_removes_the_link)
{
    make_file("f", "");
    works(symlink("f", "s"));
    works(unlink("s"));
    works(access("f", F_OK));
}

TEST(mkdir_and_rmdir_count_links)
{
    struct stat st;
    works(mkdir("d", 0755));
    works(stat("d", &st));
    same(st.st_nlink, 2);
    works(mkdir("d/e", 0755));
    works(stat("d", &st));
    same(st.st_nlink, 3);
    works(rmdir("d/e"));
    works(stat("d", &st));
    same(st.st_nlink, 2);
}

TEST(mkdir_refuses_what_it_should)
{
    make_file("f", "");
    fails(mkdir("f", 0755), EEXIST);
    fails(mkdir(".", 0755), EEXIST);
    fails(mkdir("/", 0755), EEXIST);
    fails(mkdir("nowhere/d", 0755), ENOENT);
    works(symlink("nowhere", "dangling"));
    fails(mkdir("dangling", 0755), EEXIST);
}

TEST(rmdir_refuses_what_it_should)
{
    make_file("f", "");
    works(mkdir("d", 0755));
    make_file("d/f", "");
    fails(rmdir("d"), ENOTEMPTY);
    fails(rmdir("f"), ENOTDIR);
    fails(rmdir("nowhere"), ENOENT);
    fails(rmdir("."), EINVAL);
    fails(rmdir("d/."), EINVAL);
    fails(rmdir("d/.."), ENOTEMPTY);
    fails(rmdir("/"), EBUSY);
}

TEST(removed_working_directory_is_empty_and_takes_nothing)
{
    works(mkdir("d", 0755));
    works(chdir("d"));
    works(rmdir("../d"));
    fails(open("f", O_WRONLY | O_CREAT, 0600), ENOENT);
    fails(mkdir("e", 0755), ENOENT);
    works(access(".", F_OK));
    check(getcwd(buf, sizeof(buf)) == NULL && errno == ENOENT, "getcwd: ENOENT, got %s",
          strerror(errno));
    works(chdir(".."));
}

TEST(rename_moves_and_replaces)
{
    struct stat st;
    make_file("a", "aaa");
    make_file("b", "b");
    works(rename("a", "b"));
    fails(access("a", F_OK), ENOENT);
    works(stat("b", &st));
    same(st.st_size, 3);
    same(st.st_nlink, 1);
}

TEST(rename_onto_a_link_of_itself_does_nothing)
{
    make_file("a", "");
    works(link("a", "b"));
    works(rename("a", "b"));
    works(access("a", F_OK));
    works(access("b", F_OK));
    works(rename("a", "a"));
    works(access("a", F_OK));
}

TEST(rename_of_directories)
{
    struct stat st;
    works(mkdir("a", 0755));
    make_file("a/f", "");
    works(mkdir("b", 0755));
    works(mkdir("empty", 0755));
    works(rename("a", "empty"));
    works(access("empty/f", F_OK));
    works(rename("empty", "b/moved"));
    works(access("b/moved/f", F_OK));
    works(stat("b", &st));
    same(st.st_nlink, 3);
    works(stat("b/moved/..", &st));
    same(st.st_nlink, 3);
}

TEST(rename_refuses_what_it_should)
{
    make_file("f", "");
    works(mkdir("d", 0755));
    works(mkdir("d/sub", 0755));
    works(mkdir("full", 0755));
    make_file("full/x", "");
    fails(rename("d", "d/sub/x"), EINVAL);
    fails(rename("d", "full"), ENOTEMPTY);
    fails(rename("d", "f"), ENOTDIR);
    fails(rename("f", "d"), EISDIR);
    fails(rename("nowhere", "x"), ENOENT);
    fails(rename("f", "nowhere/x"), ENOENT);
    fails(rename("f/", "x"), ENOTDIR);
    fails(rename(".", "x"), EBUSY);
    fails(rename("d", "."), EBUSY);
    fails(rename("full/x", "full"), ENOTEMPTY);
}

TEST(rename_keeps_open_files)
{
    make_file("a", "AA");
    make_file("b", "BB");
    int fd = works(open("b", O_RDONLY));
    works(rename("a", "b"));
    same(read(fd, buf, 2), 2);
    same(memcmp(buf, "BB", 2), 0);
}

TEST(rename_of_a_symlink_moves_the_link)
{
    struct stat st;
    make_file("f", "");
    works(symlink("f", "s"));
    works(rename("s", "t"));
    works(lstat("t", &st));
    check(S_ISLNK(st.st_mode), "still a link");
    works(access("f", F_OK));
}

TEST(working_directory_moves_with_its_directory)
{
    works(mkdir("a", 0755));
    works(mkdir("b", 0755));
    works(chdir("a"));
    works(rename("../a", "../b/c"));
    make_file("f", "");
    works(access("../c/f", F_OK));
    check(getcwd(buf, sizeof(buf)), "getcwd works");
    check(strlen(buf) > 4 && strcmp(buf + strlen(buf) - 4, "/b/c") == 0,
          "getcwd ends in /b/c, got %s", buf);
}

TEST(getcwd_wants_room)
{
    check(getcwd(buf, sizeof(buf)), "getcwd works");
    same(buf[0], '/');
    check(getcwd(buf, 2) == NULL && errno == ERANGE, "ERANGE when it is too small");
    check(getcwd(buf, 0) == NULL && errno == EINVAL, "EINVAL when there is none");
    works(chdir("/"));
    check(getcwd(buf, 2), "two bytes hold /");
    same_text(buf, "/");
}

TEST(fchdir_goes_where_the_descriptor_is)
{
    works(mkdir("d", 0755));
    make_file("d/f", "");
    int fd = works(open("d", O_RDONLY)), f = works(open("d/f", O_RDONLY));
    works(fchdir(fd));
    works(access("f", F_OK));
    fails(fchdir(f), ENOTDIR);
    fails(fchdir(99), EBADF);
}

TEST(at_calls_start_at_the_descriptor)
{
    struct stat st;
    works(mkdir("d", 0755));
    int d = works(open("d", O_RDONLY | O_DIRECTORY));
    works(close(works(openat(d, "f", O_WRONLY | O_CREAT, 0600))));
    works(access("d/f", F_OK));
    works(mkdirat(d, "e", 0755));
    works(symlinkat("f", d, "s"));
    works(fstatat(d, "s", &st, AT_SYMLINK_NOFOLLOW));
    check(S_ISLNK(st.st_mode), "fstatat with AT_SYMLINK_NOFOLLOW");
    works(renameat(d, "f", AT_FDCWD, "here"));
    works(access("here", F_OK));
    works(unlinkat(d, "e", AT_REMOVEDIR));
    same(readlinkat(d, "s", buf, 10), 1);
}

TEST(at_calls_check_the_descriptor)
{
    struct stat st;
    make_file("f", "");
    int f = works(open("f", O_RDONLY));
    fails(openat(f, "x", O_RDONLY), ENOTDIR);
    fails(openat(99, "x", O_RDONLY), EBADF);
    works(close(works(openat(99, "/tmp", O_RDONLY))));
    fails(fstatat(f, "", &st, 0), ENOENT);
    works(fstatat(f, "", &st, AT_EMPTY_PATH));
    works(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
    check(S_ISDIR(st.st_mode), "AT_EMPTY_PATH with AT_FDCWD is the working directory");
    fails(fstatat(AT_FDCWD, "f", &st, 0x80), EINVAL);
}

TEST(mknod_makes_fifos_and_devices)
{
    struct stat st;
    works(mkfifo("p", 0644));
    works(stat("p", &st));
    check(S_ISFIFO(st.st_mode), "a FIFO");
    works(mknod("null", S_IFCHR | 0666, (1 << 8) | 3));
    works(stat("null", &st));
    check(S_ISCHR(st.st_mode), "a device");
    same(st.st_rdev, (1 << 8) | 3);
    works(mknod("reg", S_IFREG | 0600, 0));
    works(mknod("alsoreg", 0600, 0));
    fails(mknod("reg", S_IFREG | 0600, 0), EEXIST);
    fails(mknod("d", S_IFDIR | 0700, 0), EPERM);
    fails(mknod("x", S_IFLNK | 0700, 0), EINVAL);
}

TEST(a_deep_tree_can_be_walked_and_removed)
{
    enum { DEPTH = 300 };
    for (int i = 0; i < DEPTH; i++) {
        works(mkdir("deeper", 0755));
        works(chdir("deeper"));
    }
    for (int i = 0; i < DEPTH; i++) {
        works(chdir(".."));
        works(rmdir("deeper"));
    }
}

int main(void)
{
    return tap_run("paths");
}

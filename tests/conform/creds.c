/* musl: who one is: user and group ids, and what they allow. Run as root. */
#define _GNU_SOURCE
#include "tap.h"

#include <grp.h>
#include <sys/syscall.h>

static void ids_are(uid_t ruid, uid_t euid, uid_t suid)
{
    uid_t r, e, s;
    works(getresuid(&r, &e, &s));
    same(r, ruid);
    same(e, euid);
    same(s, suid);
    same(getuid(), ruid);
    same(geteuid(), euid);
}

static void group_ids_are(gid_t rgid, gid_t egid, gid_t sgid)
{
    gid_t r, e, s;
    works(getresgid(&r, &e, &s));
    same(r, rgid);
    same(e, egid);
    same(s, sgid);
    same(getgid(), rgid);
    same(getegid(), egid);
}

/* libc's functions change every thread; here the calls themselves are wanted. */
#define sys_setuid(u) syscall(SYS_setuid, u)
#define sys_setreuid(r, e) syscall(SYS_setreuid, r, e)
#define sys_setresuid(r, e, s) syscall(SYS_setresuid, r, e, s)
#define sys_setgid(g) syscall(SYS_setgid, g)
#define sys_setregid(r, e) syscall(SYS_setregid, r, e)
#define sys_setresgid(r, e, s) syscall(SYS_setresgid, r, e, s)
#define NONE ((uid_t)-1)

TEST(root_sets_all_three_by_setuid)
{
    works(sys_setuid(1000));
    ids_are(1000, 1000, 1000);
    fails(sys_setuid(0), EPERM);
    works(sys_setuid(1000));
}

TEST(setuid_of_a_user_changes_the_effective_id_only)
{
    works(sys_setresuid(1000, 1001, 1002));
    works(sys_setuid(1000));
    ids_are(1000, 1000, 1002);
    works(sys_setuid(1002));
    ids_are(1000, 1002, 1002);
    fails(sys_setuid(1001), EPERM);
}

TEST(setresuid_takes_only_ids_one_has)
{
    works(sys_setresuid(1, 2, 3));
    works(sys_setresuid(3, 1, 2));
    ids_are(3, 1, 2);
    fails(sys_setresuid(4, NONE, NONE), EPERM);
    fails(sys_setresuid(NONE, 0, NONE), EPERM);
    works(sys_setresuid(NONE, NONE, NONE));
    ids_are(3, 1, 2);
}

TEST(setreuid_moves_the_saved_id_along)
{
    works(sys_setreuid(5, 6));
    ids_are(5, 6, 6);
    works(sys_setreuid(NONE, 5));
    ids_are(5, 5, 6);
    fails(sys_setreuid(6, NONE), EPERM);
}

TEST(setreuid_can_swap)
{
    works(sys_setresuid(1, 2, 2));
    works(sys_setreuid(2, 1));
    ids_are(2, 1, 1);
    works(sys_setreuid(1, 2));
    ids_are(1, 2, 2);
}

TEST(setreuid_to_the_real_id_leaves_the_saved_one)
{
    works(sys_setresuid(1, 2, 3));
    works(sys_setreuid(NONE, 1));
    ids_are(1, 1, 3);
}

TEST(dropping_and_regaining_root)
{
    works(sys_setresuid(NONE, 1000, NONE));
    ids_are(0, 1000, 0);
    fails(chown("/", 0, 0), EPERM);
    works(sys_setresuid(NONE, 0, NONE));
    make_file("f", "");
    works(chown("f", 7, 7));
}

TEST(group_ids_follow_the_same_rules)
{
    works(sys_setresgid(1, 2, 3));
    group_ids_are(1, 2, 3);
    works(sys_setregid(10, 11));
    group_ids_are(10, 11, 11);
    works(sys_setgid(12));
    group_ids_are(12, 12, 12);
    works(sys_setuid(1000));
    fails(sys_setgid(0), EPERM);
    fails(sys_setresgid(12, 12, 0), EPERM);
    works(sys_setresgid(NONE, 12, NONE));
}

TEST(invalid_ids_are_einval)
{
    fails(sys_setuid(-1), EINVAL);
    fails(sys_setgid(-1), EINVAL);
}

TEST(supplementary_groups_are_set_and_read)
{
    gid_t list[4] = {30, 10, 20}, back[4];
    works(syscall(SYS_setgroups, 3, list));
    same(getgroups(0, NULL), 3);
    same(getgroups(4, back), 3);
    for (int i = 0; i < 3; i++)
        check(back[i] == 10 || back[i] == 20 || back[i] == 30, "a group that was set");
    fails(getgroups(2, back), EINVAL);
    fails(getgroups(-1, back), EINVAL);
    works(syscall(SYS_setgroups, 0, NULL));
    same(getgroups(0, NULL), 0);
    fails(syscall(SYS_setgroups, 65537, list), EINVAL);
}

TEST(only_root_sets_groups)
{
    gid_t list[1] = {0};
    works(sys_setuid(1000));
    fails(syscall(SYS_setgroups, 1, list), EPERM);
}

TEST(fork_keeps_ids)
{
    pid_t pid;
    gid_t list[2] = {5, 6};
    works(syscall(SYS_setgroups, 2, list));
    works(sys_setresgid(1, 2, 3));
    works(sys_setresuid(1, 2, 3));
    CHILD (pid) {
        ids_are(1, 2, 3);
        group_ids_are(1, 2, 3);
        same(getgroups(0, NULL), 2);
    }
    exits(pid, 0);
}

TEST(permission_bits_of_the_owner)
{
    make_file("f", "");
    works(chown("f", 1000, 1000));
    works(chmod("f", 0400));
    works(sys_setresuid(1000, 1000, 1000));
    works(close(works(open("f", O_RDONLY))));
    fails(open("f", O_WRONLY), EACCES);
    works(chmod("f", 0077));
    fails(open("f", O_RDONLY), EACCES);
}

TEST(permission_bits_of_the_group)
{
    gid_t list[1] = {2000};
    make_file("f", "");
    works(chown("f", 0, 2000));
    works(chmod("f", 0640));
    works(syscall(SYS_setgroups, 1, list));
    works(sys_setresgid(1, 1, 1));
    works(sys_setresuid(1000, 1000, 1000));
    works(close(works(open("f", O_RDONLY))));
    fails(open("f", O_WRONLY), EACCES);
}

TEST(permission_bits_of_others)
{
    works(syscall(SYS_setgroups, 0, NULL));
    make_file("f", "");
    works(chmod("f", 0004));
    works(sys_setresgid(1, 1, 1));
    works(sys_setresuid(1000, 1000, 1000));
    works(close(works(open("f", O_RDONLY))));
    fails(open("f", O_RDWR), EACCES);
    fails(access("f", W_OK), EACCES);
    fails(access("f", X_OK), EACCES);
    works(access("f", R_OK));
}

TEST(root_reads_all_but_executes_only_what_anybody_can)
{
    make_file("f", "");
    works(chmod("f", 0000));
    works(access("f", R_OK | W_OK));
    fails(access("f", X_OK), EACCES);
    works(chmod("f", 0001));
    works(access("f", X_OK));
    works(close(works(open("f", O_RDWR))));
}

TEST(search_permission_is_needed_on_the_way)
{
    works(mkdir("d", 0755));
    make_file("d/f", "");
    works(chmod("d", 0644));
    works(sys_setuid(1000));
    fails(access("d/f", F_OK), EACCES);
    fails(open("d/f", O_RDONLY), EACCES);
    fails(chdir("d"), EACCES);
    DIR *dir = opendir("d");
    check(dir, "reading the directory is allowed");
}

TEST(write_permission_on_the_directory_makes_and_removes)
{
    works(mkdir("d", 0777));
    works(chmod("d", 0755));
    make_file("d/f", "");
    works(sys_setuid(1000));
    fails(open("d/new", O_WRONLY | O_CREAT, 0600), EACCES);
    fails(unlink("d/f"), EACCES);
    fails(mkdir("d/new", 0700), EACCES);
    fails(rename("d/f", "d/g"), EACCES);
    fails(symlink("x", "d/s"), EACCES);
}

TEST(sticky_directory_protects_others_files)
{
    works(mkdir("d", 0777));
    works(chmod("d", 01777));
    make_file("d/roots", "");
    works(sys_setuid(1000));
    make_file("d/mine", "");
    fails(unlink("d/roots"), EPERM);
    fails(rename("d/roots", "d/x"), EPERM);
    fails(rename("d/mine", "d/roots"), EPERM);
    works(unlink("d/mine"));
}

TEST(setgid_directory_hands_down_its_group)
{
    struct stat st;
    works(mkdir("d", 0777));
    works(chown("d", 0, 3000));
    works(chmod("d", 02777));
    make_file("d/f", "");
    works(stat("d/f", &st));
    same(st.st_gid, 3000);
    works(mkdir("d/e", 0755));
    works(stat("d/e", &st));
    same(st.st_gid, 3000);
    same(st.st_mode & 07777, 02755);
}

TEST(new_files_belong_to_the_effective_ids)
{
    struct stat st;
    works(mkdir("d", 0777));
    works(chmod("d", 0777));
    works(sys_setresgid(1, 2, 3));
    works(sys_setresuid(1, 2, 3));
    make_file("d/f", "");
    works(stat("d/f", &st));
    same(st.st_uid, 2);
    same(st.st_gid, 2);
}

TEST(chown_is_for_root_and_chgrp_for_own_groups)
{
    gid_t list[1] = {2000};
    struct stat st;
    make_file("f", "");
    works(chown("f", 1000, 1000));
    works(syscall(SYS_setgroups, 1, list));
    works(sys_setresuid(1000, 1000, 1000));
    fails(chown("f", 1001, NONE), EPERM);
    fails(chown("f", NONE, 3000), EPERM);
    works(chown("f", NONE, 2000));
    works(chown("f", 1000, NONE));
    works(stat("f", &st));
    same(st.st_gid, 2000);
}

TEST(chown_and_writing_clear_setuid)
{
    struct stat st;
    make_file("f", "text");
    works(chmod("f", 06755));
    works(chown("f", 1000, 1000));
    works(stat("f", &st));
    same(st.st_mode & 07777, 0755);
    works(chmod("f", 06777));
    works(sys_setresuid(1001, 1001, 1001));
    int fd = works(open("f", O_WRONLY));
    same(write(fd, "x", 1), 1);
    works(fstat(fd, &st));
    same(st.st_mode & 07777, 0777);
}

TEST(chmod_is_for_the_owner)
{
    make_file("f", "");
    works(sys_setuid(1000));
    fails(chmod("f", 0666), EPERM);
}

TEST(signals_reach_only_ones_own_processes)
{
    pid_t pid;
    works(sys_setresuid(1000, 1000, 1000));
    CHILD (pid) {
        for (;;)
            pause();
    }
    pid_t spy;
    works(kill(pid, 0));
    fails(kill(1, 0), EPERM);
    fails(kill(1, SIGTERM), EPERM);
    CHILD (spy) {
        works(kill(pid, SIGKILL));
    }
    exits(spy, 0);
    dies(pid, SIGKILL);
}

TEST(access_uses_the_real_ids)
{
    make_file("f", "");
    works(chmod("f", 0600));
    works(sys_setresuid(1000, 0, 0));
    fails(access("f", R_OK), EACCES);
    works(faccessat(AT_FDCWD, "f", R_OK, AT_EACCESS));
    works(close(works(open("f", O_RDONLY))));
}

int main(void)
{
    return tap_run("creds");
}

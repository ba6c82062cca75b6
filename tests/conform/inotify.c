/* musl: inotify: what is told, of whom, in which order, and what is refused. */
#define _GNU_SOURCE
#include "tap.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static char buf[65536] __attribute__((aligned(8)));
static size_t have, at;
static int in;

static void watching(void)
{
    in = works(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    have = at = 0;
}

static int watch(const char *path, uint32_t mask)
{
    return works(inotify_add_watch(in, path, mask));
}

/* The next event, or NULL. */
static struct inotify_event *next(void)
{
    if (at == have) {
        ssize_t n = read(in, buf, sizeof(buf));
        if (n <= 0)
            return NULL;
        have = (size_t)n;
        at = 0;
    }
    struct inotify_event *e = (struct inotify_event *)(buf + at);
    at += sizeof(*e) + e->len;
    return e;
}

/* The next event is MASK of watch WD, with NAME ("" for none): its cookie. */
static uint32_t told(int wd, uint32_t mask, const char *name)
{
    struct inotify_event *e = next();
    if (!e) {
        check(0, "event %#x \"%s\" expected, there is none", mask, name);
        return 0;
    }
    check(e->wd == wd && e->mask == mask && !strcmp(e->len ? e->name : "", name),
          "watch %d, %#x, \"%s\" expected; got %d, %#x, \"%s\"", wd, mask, name, e->wd, e->mask,
          e->len ? e->name : "");
    return e->cookie;
}

static void told_no_more(void)
{
    struct inotify_event *e = next();
    check(!e, "no event expected; got %d, %#x, \"%s\"", e ? e->wd : 0, e ? e->mask : 0,
          e && e->len ? e->name : "");
}

TEST(a_watched_file_tells_its_life)
{
    make_file("f", "abc");
    watching();
    int w = watch("f", IN_ALL_EVENTS);
    int fd = works(open("f", O_RDWR));
    same(read(fd, buf, 1), 1);
    same(write(fd, "x", 1), 1);
    works(fchmod(fd, 0640));
    works(close(fd));
    told(w, IN_OPEN, "");
    told(w, IN_ACCESS, "");
    told(w, IN_MODIFY, "");
    told(w, IN_ATTRIB, "");
    told(w, IN_CLOSE_WRITE, "");
    told_no_more();
}

TEST(reading_closes_without_writing)
{
    make_file("f", "abc");
    watching();
    int w = watch("f", IN_CLOSE);
    works(close(works(open("f", O_RDONLY))));
    told(w, IN_CLOSE_NOWRITE, "");
    told_no_more();
}

TEST(a_directory_tells_of_its_files_by_name)
{
    works(mkdir("d", 0755));
    watching();
    int w = watch("d", IN_ALL_EVENTS);
    int fd = works(open("d/new", O_WRONLY | O_CREAT, 0600));
    same(write(fd, "x", 1), 1);
    works(close(fd));
    works(unlink("d/new"));
    told(w, IN_CREATE, "new");
    told(w, IN_OPEN, "new");
    told(w, IN_MODIFY, "new");
    told(w, IN_CLOSE_WRITE, "new");
    told(w, IN_DELETE, "new");
    told_no_more();
}

TEST(directories_are_marked)
{
    works(mkdir("d", 0755));
    watching();
    int w = watch("d", IN_ALL_EVENTS & ~IN_ACCESS);
    works(mkdir("d/sub", 0755));
    works(close(works(open("d/sub", O_RDONLY | O_DIRECTORY))));
    works(close(works(open("d", O_RDONLY | O_DIRECTORY))));
    works(rmdir("d/sub"));
    told(w, IN_CREATE | IN_ISDIR, "sub");
    told(w, IN_OPEN | IN_ISDIR, "sub");
    told(w, IN_CLOSE_NOWRITE | IN_ISDIR, "sub");
    told(w, IN_OPEN | IN_ISDIR, "");
    told(w, IN_CLOSE_NOWRITE | IN_ISDIR, "");
    told(w, IN_DELETE | IN_ISDIR, "sub");
    told_no_more();
}

TEST(all_ways_to_make_a_name_are_a_creation)
{
    works(mkdir("d", 0755));
    make_file("f", "");
    watching();
    int w = watch("d", IN_CREATE);
    works(mknod("d/fifo", S_IFIFO | 0600, 0));
    works(symlink("x", "d/link"));
    works(link("f", "d/hard"));
    works(mkdir("d/dir", 0700));
    told(w, IN_CREATE, "fifo");
    told(w, IN_CREATE, "link");
    told(w, IN_CREATE, "hard");
    told(w, IN_CREATE | IN_ISDIR, "dir");
    told_no_more();
}

TEST(a_rename_is_two_events_with_one_cookie)
{
    works(mkdir("a", 0755));
    works(mkdir("b", 0755));
    make_file("a/f", "");
    watching();
    int a = watch("a", IN_MOVE), b = watch("b", IN_MOVE), f = watch("a/f", IN_MOVE_SELF);
    works(rename("a/f", "b/g"));
    uint32_t cookie = told(a, IN_MOVED_FROM, "f");
    check(cookie != 0, "a cookie");
    same(told(b, IN_MOVED_TO, "g"), cookie);
    same(told(f, IN_MOVE_SELF, ""), 0);
    works(rename("b/g", "b/h"));
    uint32_t second = told(b, IN_MOVED_FROM, "g");
    check(second != cookie, "another cookie");
    same(told(b, IN_MOVED_TO, "h"), second);
    told(f, IN_MOVE_SELF, "");
    told_no_more();
}

TEST(what_is_renamed_over_is_gone)
{
    make_file("f", "");
    make_file("g", "");
    watching();
    int g = watch("g", IN_ALL_EVENTS);
    works(rename("f", "g"));
    told(g, IN_ATTRIB, "");
    told(g, IN_DELETE_SELF, "");
    told(g, IN_IGNORED, "");
    told_no_more();
}

TEST(an_exchange_moves_both)
{
    make_file("f", "");
    works(mkdir("d", 0755));
    watching();
    int w = watch(".", IN_MOVE);
    works(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "d", 2 /* exchange */));
    uint32_t first = told(w, IN_MOVED_FROM, "f");
    same(told(w, IN_MOVED_TO, "d"), first);
    uint32_t second = told(w, IN_MOVED_FROM | IN_ISDIR, "d");
    same(told(w, IN_MOVED_TO | IN_ISDIR, "f"), second);
    check(first != second, "two cookies");
    told_no_more();
}

TEST(a_file_is_gone_with_its_last_name)
{
    make_file("f", "");
    works(link("f", "g"));
    watching();
    int w = watch("f", IN_ATTRIB | IN_DELETE_SELF);
    works(unlink("f"));
    told(w, IN_ATTRIB, "");
    told_no_more();
    works(unlink("g"));
    told(w, IN_ATTRIB, "");
    told(w, IN_DELETE_SELF, "");
    told(w, IN_IGNORED, "");
    told_no_more();
    fails(inotify_rm_watch(in, w), EINVAL);
}

TEST(an_open_file_is_gone_when_it_is_closed)
{
    make_file("f", "");
    watching();
    int w = watch("f", IN_DELETE_SELF | IN_CLOSE);
    int fd = works(open("f", O_RDONLY));
    works(unlink("f"));
    told_no_more();
    works(close(fd));
    told(w, IN_CLOSE_NOWRITE, "");
    told(w, IN_DELETE_SELF, "");
    told(w, IN_IGNORED, "");
}

TEST(a_directory_is_gone_when_it_is_removed)
{
    works(mkdir("d", 0755));
    watching();
    int w = watch("d", IN_ALL_EVENTS);
    works(rmdir("d"));
    told(w, IN_DELETE_SELF, "");
    told(w, IN_IGNORED, "");
    told_no_more();
}

TEST(attributes_and_times)
{
    make_file("f", "");
    watching();
    int w = watch("f", IN_ALL_EVENTS);
    struct timespec none = {0, UTIME_OMIT}, now = {0, UTIME_NOW};
    works(chmod("f", 0600));
    works(utimensat(AT_FDCWD, "f", (struct timespec[]){now, none}, 0));
    works(utimensat(AT_FDCWD, "f", (struct timespec[]){none, now}, 0));
    works(utimensat(AT_FDCWD, "f", NULL, 0));
    works(link("f", "g"));
    works(truncate("f", 10));
    told(w, IN_ATTRIB, "");
    told(w, IN_ACCESS, "");
    told(w, IN_MODIFY, "");
    told(w, IN_ATTRIB, "");
    told(w, IN_MODIFY, "");
}

TEST(the_same_again_is_told_once)
{
    make_file("f", "abcdef");
    watching();
    int w = watch("f", IN_ACCESS | IN_MODIFY);
    int fd = works(open("f", O_RDWR));
    for (int i = 0; i < 3; i++)
        same(read(fd, buf, 1), 1);
    for (int i = 0; i < 3; i++)
        same(pwrite(fd, "x", 1, 0), 1);
    same(read(fd, buf, 1), 1);
    told(w, IN_ACCESS, "");
    told(w, IN_MODIFY, "");
    told(w, IN_ACCESS, "");
    told_no_more();
}

TEST(every_way_to_read_and_write_is_told)
{
    struct iovec v = {buf, 1};
    make_file("f", "abcdef");
    watching();
    int w = watch("f", IN_ACCESS | IN_MODIFY);
    int fd = works(open("f", O_RDWR)), p[2];
    works(pipe(p));
    same(readv(fd, &v, 1), 1);
    told(w, IN_ACCESS, "");
    same(writev(fd, &v, 1), 1);
    told(w, IN_MODIFY, "");
    same(pread(fd, buf + 100, 1, 0), 1);
    told(w, IN_ACCESS, "");
    works(ftruncate(fd, 3));
    told(w, IN_MODIFY, "");
    same(splice(fd, NULL, p[1], NULL, 1, 0), 1);
    told(w, IN_ACCESS, "");
    same(splice(p[0], NULL, fd, NULL, 1, 0), 1);
    told(w, IN_MODIFY, "");
    works(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1));
    told(w, IN_MODIFY, "");
    char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    works(madvise(map, PAGE, MADV_REMOVE));
    told(w, IN_MODIFY, "");
    same(read(fd, buf + 100, 0), 0);
    told_no_more();
}

TEST(a_mask_is_replaced_or_added_to)
{
    make_file("f", "abc");
    watching();
    int w = watch("f", IN_OPEN);
    same(inotify_add_watch(in, "f", IN_CLOSE), w);
    works(close(works(open("f", O_RDONLY))));
    told(w, IN_CLOSE_NOWRITE, "");
    told_no_more();
    same(inotify_add_watch(in, "f", IN_OPEN | IN_MASK_ADD), w);
    works(close(works(open("f", O_RDONLY))));
    told(w, IN_OPEN, "");
    told(w, IN_CLOSE_NOWRITE, "");
    fails(inotify_add_watch(in, "f", IN_OPEN | IN_MASK_CREATE), EEXIST);
    fails(inotify_add_watch(in, "f", IN_OPEN | IN_MASK_CREATE | IN_MASK_ADD), EINVAL);
    works(symlink("f", "link"));
    same(inotify_add_watch(in, "link", IN_OPEN), w); /* the same inode */
    check(works(inotify_add_watch(in, "link", IN_OPEN | IN_DONT_FOLLOW)) != w, "the link itself");
}

TEST(one_shot_is_one_event)
{
    make_file("f", "abc");
    watching();
    int w = watch("f", IN_OPEN | IN_ONESHOT);
    works(close(works(open("f", O_RDONLY))));
    works(close(works(open("f", O_RDONLY))));
    told(w, IN_OPEN, "");
    told(w, IN_IGNORED, "");
    told_no_more();
    check(watch("f", IN_OPEN) > w, "numbers are not used again");
}

TEST(unlinked_children_can_be_left_out)
{
    works(mkdir("d", 0755));
    make_file("d/f", "abc");
    make_file("d/g", "abc");
    watching();
    int w = watch("d", IN_ACCESS | IN_EXCL_UNLINK);
    int f = works(open("d/f", O_RDONLY)), g = works(open("d/g", O_RDONLY));
    works(unlink("d/f"));
    same(read(f, buf, 1), 1);
    same(read(g, buf, 1), 1);
    told(w, IN_ACCESS, "g");
    told_no_more();
}

TEST(removing_a_watch_ends_with_ignored)
{
    make_file("f", "abc");
    watching();
    int w = watch("f", IN_OPEN);
    works(inotify_rm_watch(in, w));
    works(close(works(open("f", O_RDONLY))));
    told(w, IN_IGNORED, "");
    told_no_more();
    fails(inotify_rm_watch(in, w), EINVAL);
}

TEST(two_watchers_both_hear)
{
    make_file("f", "abc");
    watching();
    int first = in, a = watch("f", IN_OPEN);
    watching();
    int second = in, b = watch("f", IN_OPEN);
    works(close(works(open("f", O_RDONLY))));
    told(b, IN_OPEN, "");
    told_no_more();
    in = first;
    told(a, IN_OPEN, "");
    works(close(second));
    works(close(works(open("f", O_RDONLY))));
    told(a, IN_OPEN, "");
}

TEST(a_small_buffer_takes_what_fits)
{
    make_file("f", "abc");
    watching();
    int w = watch(".", IN_OPEN | IN_CLOSE);
    struct inotify_event *e = (struct inotify_event *)buf;
    int n = -1;
    works(close(works(open("f", O_RDONLY))));
    works(ioctl(in, FIONREAD, &n));
    same(n, 2 * (sizeof(*e) + 16));
    fails(read(in, buf, sizeof(*e) + 15), EINVAL);
    same(read(in, buf, 2 * (sizeof(*e) + 16) - 1), sizeof(*e) + 16);
    check(e->wd == w && e->mask == IN_OPEN && e->len == 16 && !strcmp(e->name, "f"), "the first");
    same(read(in, buf, sizeof(buf)), sizeof(*e) + 16);
    check(e->mask == IN_CLOSE_NOWRITE, "the second");
    fails(read(in, buf, sizeof(buf)), EAGAIN);
}

TEST(long_names_come_whole)
{
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    watching();
    int w = watch(".", IN_CREATE);
    works(mkdir(name, 0700));
    told(w, IN_CREATE | IN_ISDIR, name);
    told_no_more();
}

TEST(poll_and_waiting_readers_see_events)
{
    make_file("f", "abc");
    in = works(inotify_init());
    have = at = 0;
    int w = watch("f", IN_OPEN);
    struct pollfd p = {in, POLLIN, 0};
    same(poll(&p, 1, 0), 0);
    pid_t child = works(fork());
    if (child == 0) {
        usleep(20000);
        close(open("f", O_RDONLY));
        _exit(0);
    }
    told(w, IN_OPEN, "");
    works(close(works(open("f", O_RDONLY))));
    same(poll(&p, 1, 0), 1);
    works(waitpid(child, NULL, 0));
    fails(write(in, "x", 1), EBADF);
}

TEST(what_is_refused)
{
    make_file("f", "abc");
    watching();
    fails(inotify_init1(0x1000), EINVAL);
    fails(inotify_add_watch(in, "f", 0), EINVAL);
    fails(inotify_add_watch(in, "f", 0x00010000), EINVAL);
    fails(inotify_add_watch(999, "f", IN_OPEN), EBADF);
    fails(inotify_add_watch(0 + works(open("f", O_RDONLY)), "f", IN_OPEN), EINVAL);
    fails(inotify_add_watch(in, "none", IN_OPEN), ENOENT);
    fails(inotify_add_watch(in, "f", IN_OPEN | IN_ONLYDIR), ENOTDIR);
    fails(inotify_add_watch(in, (char *)8, IN_OPEN), EFAULT);
    fails(inotify_rm_watch(in, 1), EINVAL);
    fails(inotify_rm_watch(-1, 1), EBADF);
    watch("f", IN_OPEN);
    works(close(works(open("f", O_RDONLY))));
    fails(read(in, (char *)8, 4096), EFAULT);
}

TEST(a_file_that_may_not_be_read_may_not_be_watched)
{
    make_file("f", "abc");
    works(chmod("f", 0200));
    watching();
    if (getuid() == 0)
        works(setresuid(65534, 65534, 65534));
    fails(inotify_add_watch(in, "f", IN_OPEN), EACCES);
}

TEST(a_full_queue_says_so_once)
{
    watching();
    int w = watch(".", IN_CREATE | IN_DELETE);
    int f = open("/proc/sys/fs/inotify/max_queued_events", O_RDONLY), max;
    same(read(f, buf, 100) > 0, 1);
    max = atoi(buf);
    check(max >= 16, "the limit is known");
    for (int i = 0; i < max / 2 + 5; i++) {
        works(mkdir("x", 0700));
        works(rmdir("x"));
    }
    for (int i = 0; i < max / 2; i++) {
        told(w, IN_CREATE | IN_ISDIR, "x");
        told(w, IN_DELETE | IN_ISDIR, "x");
    }
    told(-1, IN_Q_OVERFLOW, "");
    told_no_more();
    works(mkdir("x", 0700));
    told(w, IN_CREATE | IN_ISDIR, "x");
}

TEST(opening_a_path_only_is_not_told)
{
    make_file("f", "abc");
    watching();
    watch("f", IN_ALL_EVENTS);
    works(close(works(open("f", O_PATH))));
    fails(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    told_no_more();
}

TEST(an_unmounted_file_system_takes_its_watches_along)
{
    works(mkdir("m", 0755));
    if (mount("none", "m", "tmpfs", 0, NULL) < 0) {
        same(errno, EPERM); /* not root on this host */
        return;
    }
    make_file("m/f", "abc");
    watching();
    int f = watch("m/f", IN_OPEN);
    works(umount("m"));
    told(f, IN_UNMOUNT, "");
    told(f, IN_IGNORED, "");
    told_no_more();
    fails(inotify_rm_watch(in, f), EINVAL);
}

TEST(a_program_that_is_run_is_opened_read_and_closed)
{
    watching();
    char self[4096];
    ssize_t n = works(readlink("/proc/self/exe", self, sizeof(self) - 1));
    self[n] = '\0';
    int w = watch(self, IN_OPEN | IN_CLOSE);
    works(close(works(open(self, O_RDONLY))));
    told(w, IN_OPEN, "");
    told(w, IN_CLOSE_NOWRITE, "");
}

int main(void)
{
    return tap_run("inotify");
}

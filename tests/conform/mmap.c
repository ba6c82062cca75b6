/* musl: mmap, munmap, mprotect: anonymous memory and private mappings of files. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(size_t pages, int prot, int flags)
{
    char *p = mmap(NULL, pages * PAGE, prot, flags, -1, 0);
    check(p != MAP_FAILED, "mmap: %s", strerror(errno));
    return p;
}

/* Whether a byte can be read: asks the kernel, which doesn't die of it. */
static bool readable(const void *p)
{
    static int fds[2];
    char c;
    if (!fds[1])
        works(pipe(fds));
    if (write(fds[1], p, 1) == 1) {
        same(read(fds[0], &c, 1), 1);
        return true;
    }
    same(errno, EFAULT);
    return false;
}

static void expect_death(volatile char *p, bool by_write)
{
    pid_t pid;
    CHILD (pid) {
        if (by_write)
            *p = 1;
        else
            (void)*p;
    }
    dies(pid, SIGSEGV);
}

TEST(fresh_memory_is_zero)
{
    char *p = map(16, RW, ANON);
    for (size_t i = 0; i < 16 * PAGE; i++)
        same(p[i], 0);
}

TEST(memory_that_was_given_back_comes_again_as_zero)
{
    for (int round = 0; round < 20; round++) {
        char *p = map(8, RW, ANON);
        for (size_t i = 0; i < 8 * PAGE; i += 64)
            same(p[i], 0);
        memset(p, 0xaa, 8 * PAGE);
        works(munmap(p, 8 * PAGE));
    }
}

TEST(unmapped_memory_is_gone)
{
    char *p = map(3, RW, ANON);
    works(munmap(p + PAGE, PAGE));
    check(readable(p), "the page before");
    check(!readable(p + PAGE), "the page itself");
    check(readable(p + 2 * PAGE), "the page behind");
    works(munmap(p, 3 * PAGE));
    works(munmap(p, 3 * PAGE));
    expect_death(p, false);
}

TEST(read_only_memory_kills_writers)
{
    char *p = map(1, PROT_READ, ANON);
    same(*p, 0);
    expect_death(p, true);
}

TEST(prot_none_kills_readers)
{
    char *p = map(1, PROT_NONE, ANON);
    check(!readable(p), "EFAULT for the kernel");
    expect_death(p, false);
}

TEST(mprotect_takes_and_gives)
{
    char *p = map(3, RW, ANON);
    memset(p, 7, 3 * PAGE);
    works(mprotect(p + PAGE, PAGE, PROT_NONE));
    check(!readable(p + PAGE), "taken");
    check(readable(p) && readable(p + 2 * PAGE), "only there");
    works(mprotect(p + PAGE, PAGE, PROT_READ));
    same(p[PAGE], 7);
    expect_death(p + PAGE, true);
    works(mprotect(p, 3 * PAGE, RW));
    p[PAGE] = 8;
    same(p[2 * PAGE], 7);
}

TEST(mprotect_refuses_holes_and_nonsense)
{
    char *p = map(3, RW, ANON);
    works(munmap(p + PAGE, PAGE));
    fails(mprotect(p, 3 * PAGE, PROT_READ), ENOMEM);
    fails(syscall(SYS_mprotect, p + 1, PAGE, PROT_READ), EINVAL);
    fails(mprotect(p, PAGE, 0x40), EINVAL);
    works(mprotect(p, 0, PROT_READ));
    fails(mprotect(p, (size_t)-PAGE, PROT_READ), ENOMEM);
}

TEST(code_cannot_run_without_prot_exec)
{
    unsigned char ret = 0xc3;
    pid_t pid;
    char *p = map(1, RW, ANON);
    memcpy(p, &ret, 1);
    CHILD (pid) {
        ((void (*)(void))(uintptr_t)p)();
    }
    dies(pid, SIGSEGV);
    works(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
    CHILD (pid) {
        ((void (*)(void))(uintptr_t)p)();
    }
    exits(pid, 0);
}

TEST(arguments_are_checked)
{
    check(mmap(NULL, 0, RW, ANON, -1, 0) == MAP_FAILED && errno == EINVAL, "no length: EINVAL");
    check(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL,
          "no type: EINVAL");
    check(mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0) == MAP_FAILED && errno == EBADF,
          "no file: EBADF");
    check(mmap(NULL, PAGE, RW, ANON, -1, 1) == MAP_FAILED && errno == EINVAL,
          "crooked offset: EINVAL");
    check(mmap(NULL, 1UL << 47, RW, ANON, -1, 0) == MAP_FAILED && errno == ENOMEM,
          "too large: ENOMEM");
    check(mmap((void *)1, PAGE, RW, ANON | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EINVAL,
          "crooked fixed address: EINVAL");
    check(mmap((void *)(1UL << 47), PAGE, RW, ANON | MAP_FIXED, -1, 0) == MAP_FAILED &&
              errno == ENOMEM,
          "fixed address outside: ENOMEM");
    fails(munmap((void *)1, PAGE), EINVAL);
    fails(munmap((void *)PAGE, 0), EINVAL);
    fails(munmap((void *)PAGE, (size_t)-PAGE), EINVAL);
}

TEST(length_is_rounded_up)
{
    char *p = mmap(NULL, 1, RW, ANON, -1, 0);
    check(p != MAP_FAILED, "mmap");
    p[PAGE - 1] = 1;
    works(munmap(p, 1));
    check(!readable(p + PAGE - 1), "the whole page went");
}

TEST(a_hint_is_taken_when_it_is_free)
{
    char *p = map(4, RW, ANON);
    works(munmap(p, 4 * PAGE));
    check(mmap(p, PAGE, RW, ANON, -1, 0) == p, "the hint");
    check(mmap(p, PAGE, RW, ANON, -1, 0) != p, "not what is taken");
    check(mmap(p + PAGE + 123, PAGE, RW, ANON, -1, 0) == p + PAGE, "a hint is rounded down");
}

TEST(map_fixed_replaces)
{
    char *p = map(3, RW, ANON);
    memset(p, 1, 3 * PAGE);
    check(mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) == p + PAGE, "there");
    same(p[PAGE], 0);
    same(p[0], 1);
    same(p[2 * PAGE], 1);
}

TEST(map_fixed_noreplace_refuses)
{
    char *p = map(2, RW, ANON);
    works(munmap(p + PAGE, PAGE));
    check(mmap(p, PAGE, RW, ANON | 0x100000, -1, 0) == MAP_FAILED && errno == EEXIST,
          "taken: EEXIST");
    check(mmap(p + PAGE, PAGE, RW, ANON | 0x100000, -1, 0) == p + PAGE, "free: mapped");
}

TEST(file_mapping_shows_the_file)
{
    make_file("f", "hello, mapping");
    int fd = works(open("f", O_RDONLY));
    char *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    check(p != MAP_FAILED, "mmap");
    works(close(fd));
    same(memcmp(p, "hello, mapping", 14), 0);
    for (size_t i = 14; i < PAGE; i++)
        same(p[i], 0);
}

TEST(private_mapping_keeps_its_changes)
{
    char buf[8];
    make_file("f", "original");
    int fd = works(open("f", O_RDONLY));
    char *p = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
    check(p != MAP_FAILED, "mmap");
    memcpy(p, "changed!", 8);
    same(pread(fd, buf, 8, 0), 8);
    same(memcmp(buf, "original", 8), 0);
    same(memcmp(p, "changed!", 8), 0);
}

TEST(untouched_private_pages_follow_the_file)
{
    make_file("f", "before");
    int fd = works(open("f", O_RDWR));
    char *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    same(p[0], 'b');
    same(pwrite(fd, "after!", 6, 0), 6);
    same(memcmp(p, "after!", 6), 0);
}

TEST(file_offset_is_kept)
{
    static char buf[3 * 4096];
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    for (int i = 0; i < 3; i++)
        memset(buf + i * 4096, 'a' + i, 4096);
    same(write(fd, buf, sizeof(buf)), sizeof(buf));
    char *p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE);
    same(p[0], 'b');
    same(p[PAGE], 'c');
    works(munmap(p, PAGE));
    same(p[PAGE], 'c');
}

TEST(page_past_the_end_of_the_file_is_sigbus)
{
    make_file("f", "short");
    int fd = works(open("f", O_RDONLY));
    volatile char *p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    pid_t pid;
    CHILD (pid) {
        (void)p[PAGE];
    }
    dies(pid, SIGBUS);
    fails(write(fd, (const void *)(p + PAGE), 1), EBADF);
}

TEST(mapping_needs_the_files_permission)
{
    make_file("f", "x");
    int r = works(open("f", O_RDONLY)), wr = works(open("f", O_WRONLY)), p[2];
    check(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, wr, 0) == MAP_FAILED && errno == EACCES,
          "not readable: EACCES");
    check(mmap(NULL, PAGE, RW, MAP_SHARED, r, 0) == MAP_FAILED && errno == EACCES,
          "not writable: EACCES");
    check(mmap(NULL, PAGE, RW, MAP_PRIVATE, r, 0) != MAP_FAILED, "private: writable anyway");
    works(pipe(p));
    check(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0) == MAP_FAILED && errno == ENODEV,
          "a pipe: ENODEV");
}

TEST(mapping_lives_on_after_unlink_and_close)
{
    make_file("f", "alive");
    int fd = works(open("f", O_RDONLY));
    char *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    works(close(fd));
    works(unlink("f"));
    same_text(p, "alive");
}

TEST(shared_mapping_writes_the_file)
{
    char buf[5];
    make_file("f", "12345");
    int fd = works(open("f", O_RDWR));
    char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
    check(p != MAP_FAILED, "mmap");
    p[1] = 'X';
    same(pread(fd, buf, 5, 0), 5);
    same(memcmp(buf, "1X345", 5), 0);
    same(pwrite(fd, "Y", 1, 3), 1);
    same(p[3], 'Y');
    works(msync(p, PAGE, MS_SYNC));
    fails(msync(p, PAGE, 99), EINVAL);
    fails(msync(p + 1, PAGE, MS_SYNC), EINVAL);
}

TEST(shared_memory_is_one_for_parent_and_child)
{
    char *p = map(1, RW, MAP_SHARED | MAP_ANONYMOUS);
    pid_t pid;
    CHILD (pid) {
        p[5] = 'c';
    }
    exits(pid, 0);
    same(p[5], 'c');
}

TEST(reading_file_into_mapping_of_itself)
{
    make_file("f", "abcdefgh");
    int fd = works(open("f", O_RDWR));
    char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
    check(p != MAP_FAILED, "mmap");
    same(pread(fd, p + 4, 4, 0), 4);
    same(memcmp(p, "abcdabcd", 8), 0);
    same(pwrite(fd, p, 8, 0), 8);
}

TEST(many_small_mappings)
{
    enum { N = 1000 };
    static char *p[N];
    for (int i = 0; i < N; i++) {
        p[i] = map(1, i % 2 ? RW : PROT_READ | PROT_EXEC, ANON);
        if (i % 2)
            *p[i] = (char)i;
    }
    for (int i = 0; i < N; i += 2)
        works(munmap(p[i], PAGE));
    for (int i = 1; i < N; i += 2)
        same(*p[i], (char)i);
}

TEST(a_large_lazy_mapping_costs_little)
{
    char *p = mmap(NULL, 4UL << 30, RW, ANON | MAP_NORESERVE, -1, 0);
    check(p != MAP_FAILED, "4 GiB");
    for (size_t i = 0; i < 16; i++)
        p[i << 28] = 1;
    works(munmap(p, 4UL << 30));
}

TEST(map_populate_fills_at_once)
{
    unsigned char vec[8];
    char *p = map(8, RW, ANON | MAP_POPULATE);
    works(mincore(p, 8 * PAGE, vec));
    for (int i = 0; i < 8; i++)
        same(vec[i] & 1, 1);
}

TEST(mincore_tells_touched_from_untouched)
{
    unsigned char vec[4] = {9, 9, 9, 9};
    char *p = map(4, RW, ANON);
    p[PAGE] = 1;
    works(mincore(p, 4 * PAGE, vec));
    same(vec[0] & 1, 0);
    same(vec[1] & 1, 1);
    same(vec[2] & 1, 0);
    fails(mincore(p + 1, PAGE, vec), EINVAL);
    works(munmap(p + PAGE, PAGE));
    fails(mincore(p, 4 * PAGE, vec), ENOMEM);
    fails(mincore(p, PAGE, NOWHERE), EFAULT);
}

/* x86 has no page that can be written but not read: what may be written or executed reads as well. */
TEST(memory_that_is_only_writable_can_be_read)
{
    char *p = map(4, PROT_WRITE, ANON);
    same(*(volatile char *)p, 0);
    p[PAGE] = 1;
    same(*(volatile char *)(p + PAGE), 1);
    p[0] = 2;
    same(*(volatile char *)p, 2);
    p = map(4, RW, ANON);
    same(*(volatile char *)p, 0);
    works(mprotect(p, 4 * PAGE, PROT_WRITE));
    same(*(volatile char *)p, 0);
    same(*(volatile char *)(p + PAGE), 0);
    p = map(1, PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
    same(*(volatile char *)p, 0);
    p = map(1, PROT_EXEC, ANON);
    same(*(volatile char *)p, 0);
}

TEST(a_file_mapped_only_writable_can_be_read)
{
    int fd = open("writable", O_RDWR | O_CREAT | O_TRUNC, 0600);
    works(fd);
    same(write(fd, "content", 7), 7);
    char *p = mmap(NULL, PAGE, PROT_WRITE, MAP_PRIVATE, fd, 0);
    check(p != MAP_FAILED, "mmap: %s", strerror(errno));
    same(*(volatile char *)p, 'c');
    pid_t pid;
    CHILD (pid) {
        same(*(volatile char *)(p + 1), 'o');
    }
    exits(pid, 0);
    p[0] = 'x';
    same(*(volatile char *)p, 'x');
}

TEST(first_pages_are_not_for_programs)
{
    check(mmap(NULL, PAGE, RW, ANON, -1, 0) != NULL, "never at zero by itself");
}

int main(void)
{
    return tap_run("mmap");
}

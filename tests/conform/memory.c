/* musl: brk, mremap, madvise, mlock, copy-on-write and the stack. */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(size_t pages)
{
    char *p = mmap(NULL, pages * PAGE, RW, ANON, -1, 0);
    check(p != MAP_FAILED, "mmap: %s", strerror(errno));
    return p;
}

static char *numbered(size_t pages)
{
    char *p = map(pages);
    for (size_t i = 0; i < pages; i++)
        p[i * PAGE] = (char)(i + 1);
    return p;
}

static void is_numbered(const char *p, size_t pages)
{
    for (size_t i = 0; i < pages; i++)
        same(p[i * PAGE], i + 1);
}

TEST(brk_grows_and_shrinks)
{
    char *start = (char *)syscall(SYS_brk, 0);
    same(syscall(SYS_brk, start + 10 * PAGE), start + 10 * PAGE);
    start[9 * PAGE] = 1;
    same(syscall(SYS_brk, start + PAGE), start + PAGE);
    same(syscall(SYS_brk, start + 10 * PAGE), start + 10 * PAGE);
    same(start[9 * PAGE], 0);
}

TEST(brk_below_its_start_changes_nothing)
{
    long start = syscall(SYS_brk, 0);
    same(syscall(SYS_brk, PAGE), start);
    same(syscall(SYS_brk, -1L), start);
    same(syscall(SYS_brk, 1L << 46), start);
}

TEST(brk_does_not_run_into_a_mapping)
{
    char *start = (char *)syscall(SYS_brk, 0);
    char *wall = (char *)(((uintptr_t)start + 20 * PAGE) & ~(PAGE - 1));
    check(mmap(wall, PAGE, RW, ANON | MAP_FIXED, -1, 0) == wall, "a wall");
    same(syscall(SYS_brk, wall + PAGE), start);
}

TEST(unaligned_brk_is_kept_as_given)
{
    char *start = (char *)syscall(SYS_brk, 0);
    same(syscall(SYS_brk, start + 5), start + 5);
    same(syscall(SYS_brk, 0), start + 5);
}

TEST(mremap_shrinks_in_place)
{
    char *p = numbered(4);
    check(mremap(p, 4 * PAGE, 2 * PAGE, 0) == p, "same place");
    is_numbered(p, 2);
    unsigned char vec[4];
    fails(mincore(p, 3 * PAGE, vec), ENOMEM);
}

TEST(mremap_grows_in_place_when_there_is_room)
{
    char *p = numbered(8);
    works(munmap(p + 2 * PAGE, 6 * PAGE));
    check(mremap(p, 2 * PAGE, 5 * PAGE, 0) == p, "same place");
    is_numbered(p, 2);
    same(p[4 * PAGE], 0);
}

TEST(mremap_without_maymove_fails_when_there_is_none)
{
    char *p = numbered(4);
    check(mremap(p, 2 * PAGE, 3 * PAGE, 0) == MAP_FAILED && errno == ENOMEM, "ENOMEM, got %s",
          strerror(errno));
    is_numbered(p, 4);
}

TEST(mremap_moves_with_contents)
{
    char *p = numbered(4);
    char *q = mremap(p, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    check(q != MAP_FAILED && q != p, "elsewhere");
    is_numbered(q, 2);
    same(q[2 * PAGE], 0);
    unsigned char vec[4];
    fails(mincore(p, PAGE, vec), ENOMEM);
    same(p[2 * PAGE], 3);
}

TEST(mremap_fixed_goes_where_told)
{
    char *p = numbered(2), *there = map(4);
    memset(there, 9, 4 * PAGE);
    check(mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, there + PAGE) ==
              there + PAGE,
          "there");
    is_numbered(there + PAGE, 2);
    same(there[0], 9);
    same(there[3 * PAGE], 9);
}

/*
 * A page table covers 2 MiB. The new place ends where the old one begins, in the middle of such a piece: the table
 * that loses the first pages gets the last ones.
 */
TEST(mremap_to_the_place_below)
{
    const size_t piece = 2UL << 20, size = piece + piece / 2;
    char *room = mmap(NULL, 5 * piece, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(room != MAP_FAILED, "room: %s", strerror(errno));
    char *old = (char *)(((uintptr_t)room + 2 * piece) & ~(piece - 1)) + piece + piece / 2;
    char *new = old - size;
    check(mmap(old, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
              old,
          "the old place: %s", strerror(errno));
    for (size_t i = 0; i < size; i += PAGE)
        old[i] = (char)(i / PAGE % 127 + 1);
    check(mremap(old, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, new) == new, "moved: %s",
          strerror(errno));
    for (size_t i = 0; i < size; i += PAGE)
        same(new[i], i / PAGE % 127 + 1);
    works(munmap(room, 5 * piece));
}

TEST(mremap_refuses_nonsense)
{
    char *p = map(4);
    check(mremap(p + 1, PAGE, PAGE, 0) == MAP_FAILED && errno == EINVAL, "crooked address: EINVAL");
    check(mremap(p, PAGE, 0, 0) == MAP_FAILED && errno == EINVAL, "no length: EINVAL");
    check(mremap(p, PAGE, PAGE, 0x80) == MAP_FAILED && errno == EINVAL, "flags: EINVAL");
    check(mremap(p, PAGE, PAGE, MREMAP_FIXED, p) == MAP_FAILED && errno == EINVAL,
          "fixed alone: EINVAL");
    check(mremap(p, 2 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE) == MAP_FAILED &&
              errno == EINVAL,
          "overlap: EINVAL");
    works(munmap(p + PAGE, PAGE));
    check(mremap(p + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT,
          "hole: EFAULT");
}

TEST(madvise_dontneed_gives_zeroes)
{
    char *p = numbered(4);
    works(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED));
    same(p[0], 1);
    same(p[PAGE], 0);
    same(p[2 * PAGE], 0);
    same(p[3 * PAGE], 4);
}

TEST(madvise_dontneed_of_a_private_file_page_gives_the_file)
{
    make_file("f", "file");
    int fd = works(open("f", O_RDONLY));
    char *p = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
    p[0] = 'X';
    works(madvise(p, PAGE, MADV_DONTNEED));
    same(p[0], 'f');
}

TEST(madvise_checks_its_arguments)
{
    char *p = map(3);
    fails(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
    fails(madvise(p, PAGE, 12345), EINVAL);
    works(madvise(p, 0, MADV_DONTNEED));
    works(munmap(p + PAGE, PAGE));
    fails(madvise(p, 3 * PAGE, MADV_DONTNEED), ENOMEM);
    works(madvise(p, PAGE, MADV_NORMAL));
    works(madvise(p, PAGE, MADV_RANDOM));
    works(madvise(p, PAGE, MADV_WILLNEED));
    works(madvise(p, PAGE, MADV_FREE));
}

TEST(madvise_dontfork_and_wipeonfork)
{
    char *p = numbered(3);
    pid_t pid;
    works(madvise(p, PAGE, MADV_DONTFORK));
    works(madvise(p + PAGE, PAGE, 18 /* MADV_WIPEONFORK */));
    CHILD (pid) {
        unsigned char vec[1];
        fails(mincore(p, PAGE, vec), ENOMEM);
        same(p[PAGE], 0);
        same(p[2 * PAGE], 3);
    }
    exits(pid, 0);
    is_numbered(p, 3);
}

TEST(mlock_and_munlock_take_mapped_ranges)
{
    char *p = map(3);
    works(mlock(p, 2 * PAGE));
    works(munlock(p, 2 * PAGE));
    works(munmap(p + PAGE, PAGE));
    fails(mlock(p, 3 * PAGE), ENOMEM);
    works(mlockall(MCL_CURRENT));
    works(munlockall());
    fails(mlockall(0), EINVAL);
}

TEST(cow_isolates_both_sides)
{
    char *p = numbered(32);
    pid_t pid;
    CHILD (pid) {
        is_numbered(p, 32);
        for (size_t i = 0; i < 32; i += 2)
            p[i * PAGE] = 99;
        same(p[PAGE], 2);
    }
    for (size_t i = 1; i < 32; i += 2)
        p[i * PAGE] = 77;
    exits(pid, 0);
    for (size_t i = 0; i < 32; i++)
        same(p[i * PAGE], i % 2 ? 77 : (long)i + 1);
}

TEST(cow_over_generations)
{
    char *p = numbered(4);
    pid_t child, grandchild;
    CHILD (child) {
        p[0] = 50;
        CHILD (grandchild) {
            same(p[0], 50);
            same(p[PAGE], 2);
            p[PAGE] = 60;
        }
        exits(grandchild, 0);
        same(p[PAGE], 2);
    }
    exits(child, 0);
    is_numbered(p, 4);
}

TEST(system_call_writes_break_cow_too)
{
    int fds[2];
    char *p = numbered(1);
    pid_t pid;
    works(pipe(fds));
    same(write(fds[1], "Z", 1), 1);
    CHILD (pid) {
        same(read(fds[0], p, 1), 1);
        same(p[0], 'Z');
    }
    exits(pid, 0);
    same(p[0], 1);
}

TEST(many_children_share_and_go)
{
    enum { N = 20 };
    char *p = numbered(64);
    pid_t pid[N];
    for (int i = 0; i < N; i++)
        CHILD (pid[i]) {
            p[(size_t)i * PAGE] = 100;
            is_numbered(p + 20 * PAGE - 20 * PAGE, (size_t)i);
            _exit(p[40 * PAGE]);
        }
    for (int i = 0; i < N; i++)
        exits(pid[i], 41);
    is_numbered(p, 64);
}

static __attribute__((noinline)) int deep(int n)
{
    volatile char frame[4096];
    frame[0] = (char)n;
    return n == 0 ? 0 : deep(n - 1) + (frame[0] == (char)n);
}

TEST(stack_grows_as_it_is_used)
{
    same(deep(1000), 1000);
}

TEST(endless_recursion_is_sigsegv)
{
    pid_t pid;
    CHILD (pid) {
        struct rlimit limit = {1 << 20, 1 << 20};
        works(setrlimit(RLIMIT_STACK, &limit));
        deep(1 << 20);
    }
    dies(pid, SIGSEGV);
}

TEST(stack_limit_is_respected)
{
    pid_t pid;
    CHILD (pid) {
        struct rlimit limit = {256 << 10, 256 << 10};
        works(setrlimit(RLIMIT_STACK, &limit));
        deep(20);
        deep(500);
    }
    dies(pid, SIGSEGV);
}

TEST(mremap_to_the_place_right_below)
{
    const size_t table = 512 * PAGE, len = 2 * table;
    char *area = mmap(NULL, 8 * table, PROT_NONE, ANON, -1, 0);
    check(area != MAP_FAILED, "room");
    /* The first and the last of its page tables will hold old and new places. */
    char *old = (char *)(((uintptr_t)area + 5 * table) / table * table + table / 2);
    same(mmap(old, len, RW, ANON | MAP_FIXED, -1, 0), old);
    for (size_t i = 0; i < len; i += PAGE)
        old[i] = (char)(i / PAGE);
    same(mremap(old, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, old - len), old - len);
    for (size_t i = 0; i < len; i += PAGE)
        same(old[i - len], (char)(i / PAGE));
}

TEST(memory_can_run_out_without_harm)
{
    pid_t pid;
    CHILD (pid) {
        struct rlimit limit = {200 << 20, 200 << 20};
        works(setrlimit(RLIMIT_AS, &limit));
        char *p;
        while ((p = mmap(NULL, 1 << 20, RW, ANON, -1, 0)) != MAP_FAILED)
            p[0] = 1;
        same(errno, ENOMEM);
    }
    exits(pid, 0);
}

int main(void)
{
    return tap_run("memory");
}

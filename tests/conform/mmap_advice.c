/* What a program says of its mappings, and asks: madvise, mlock, mincore. */
#include "tap.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

#define RW (PROT_READ | PROT_WRITE)

static char *map_fd(int fd, size_t pages, int flags)
{
    void *p = mmap(NULL, pages * PAGE, RW, flags, fd, 0);
    check(p != MAP_FAILED, "mmap: %s", strerror(errno));
    return p;
}

static char *shared(size_t pages)
{
    return map_fd(-1, pages, MAP_SHARED | MAP_ANONYMOUS);
}

static char *private(size_t pages)
{
    return map_fd(-1, pages, MAP_PRIVATE | MAP_ANONYMOUS);
}

/* A file of PAGES pages, open for both. */
static int file_of(size_t pages)
{
    int fd = works(open("f", O_RDWR | O_CREAT | O_TRUNC, 0644));
    works(ftruncate(fd, (off_t)(pages * PAGE)));
    return fd;
}

/* Which of N pages at P are in memory, as a number of bits. */
static unsigned resident(char *p, size_t n)
{
    unsigned char vec[32];
    unsigned bits = 0;
    works(mincore(p, n * PAGE, vec));
    for (size_t i = 0; i < n; i++)
        bits |= (vec[i] & 1u) << i;
    return bits;
}

/* --- mincore --- */

TEST(mincore_follows_what_is_touched)
{
    char *p = shared(8);
    same(resident(p, 8), 0);
    p[0] = p[3 * PAGE] = 1;
    same(resident(p, 8), 9);
}

TEST(mincore_tells_of_pages_that_others_brought_in)
{
    int fd = works(memfd_create("x", 0));
    works(ftruncate(fd, 4 * (off_t)PAGE));
    char *a = map_fd(fd, 4, MAP_SHARED), *b = map_fd(fd, 4, MAP_SHARED);
    a[PAGE] = 1;
    same(resident(b, 4), 2);
}

TEST(mincore_checks_its_arguments)
{
    char *p = shared(2);
    unsigned char vec[4];
    fails(mincore(p + 1, PAGE, vec), EINVAL);
    fails(mincore(p, PAGE, NOWHERE), EFAULT);
    works(munmap(p + PAGE, PAGE));
    fails(mincore(p, 2 * PAGE, vec), ENOMEM);
    fails(mincore(p, 1UL << 62, vec), ENOMEM);
    works(mincore(p, 0, vec));
}

/* --- madvise --- */

TEST(dontneed_of_shared_memory_loses_nothing)
{
    char *p = shared(2);
    p[0] = 5;
    works(madvise(p, 2 * PAGE, MADV_DONTNEED));
    same(p[0], 5);
}

TEST(free_is_for_private_anonymous_memory)
{
    char *p = private(2), *s = shared(1), *f = map_fd(file_of(1), 1, MAP_PRIVATE);
    p[0] = 5;
    works(madvise(p, 2 * PAGE, MADV_FREE));
    check(p[0] == 5 || p[0] == 0, "the old or nothing");
    p[0] = 6;
    same(p[0], 6);
    fails(madvise(s, PAGE, MADV_FREE), EINVAL);
    fails(madvise(f, PAGE, MADV_FREE), EINVAL);
}

TEST(remove_punches_a_hole_for_all)
{
    int fd = works(memfd_create("x", 0));
    works(ftruncate(fd, 4 * (off_t)PAGE));
    char *a = map_fd(fd, 4, MAP_SHARED), *b = map_fd(fd, 4, MAP_SHARED);
    struct stat before, after;
    memset(a, 1, 4 * PAGE);
    works(fstat(fd, &before));
    works(madvise(a + PAGE, 2 * PAGE, MADV_REMOVE));
    works(fstat(fd, &after));
    same(after.st_size, 4 * PAGE);
    same(before.st_blocks - after.st_blocks, 2 * PAGE / 512);
    same(b[0], 1);
    same(b[PAGE], 0);
    same(b[3 * PAGE], 1);
}

TEST(remove_works_on_shared_anonymous_memory)
{
    char *p = shared(2);
    memset(p, 1, 2 * PAGE);
    works(madvise(p, PAGE, MADV_REMOVE));
    same(p[0], 0);
    same(p[PAGE], 1);
}

TEST(remove_works_on_mapped_zeroes)
{
    char *p = map_fd(works(open("/dev/zero", O_RDWR)), 1, MAP_SHARED);
    *p = 1;
    works(madvise(p, PAGE, MADV_REMOVE));
    same(*p, 0);
}

TEST(remove_needs_a_shared_writable_mapping)
{
    int fd = file_of(1);
    fails(madvise(private(1), PAGE, MADV_REMOVE), EINVAL);
    fails(madvise(map_fd(fd, 1, MAP_PRIVATE), PAGE, MADV_REMOVE), EACCES);
    char *r = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, works(open("f", O_RDONLY)), 0);
    fails(madvise(r, PAGE, MADV_REMOVE), EACCES);
    char *locked = map_fd(fd, 1, MAP_SHARED);
    works(mlock(locked, PAGE));
    fails(madvise(locked, PAGE, MADV_REMOVE), EINVAL);
}

TEST(remove_asks_what_mprotect_might_allow)
{
    char *p = shared(1);
    *p = 1;
    works(mprotect(p, PAGE, PROT_READ));
    works(madvise(p, PAGE, MADV_REMOVE));
    same(*p, 0);
}

TEST(willneed_and_its_like_are_accepted)
{
    char *p = shared(2);
    works(madvise(p, 2 * PAGE, MADV_WILLNEED));
    works(madvise(p, 2 * PAGE, MADV_NORMAL));
    works(madvise(p, 2 * PAGE, MADV_RANDOM));
    works(madvise(p, 2 * PAGE, MADV_SEQUENTIAL));
    works(munmap(p + PAGE, PAGE));
    fails(madvise(p, 2 * PAGE, MADV_WILLNEED), ENOMEM);
    fails(madvise(p + 1, PAGE, MADV_WILLNEED), EINVAL);
    fails(madvise(p, PAGE, 9999), EINVAL);
    works(madvise(p, 0, MADV_WILLNEED));
    fails(madvise(p, 1UL << 63, MADV_WILLNEED), ENOMEM);
}

TEST(populate_advice_brings_pages_in)
{
    char *p = shared(4);
    works(madvise(p, 2 * PAGE, MADV_POPULATE_READ));
    works(madvise(p + 2 * PAGE, PAGE, MADV_POPULATE_WRITE));
    same(resident(p, 4), 7);
    works(mprotect(p, PAGE, PROT_READ));
    fails(madvise(p, PAGE, MADV_POPULATE_WRITE), EINVAL);
    char *f = map_fd(file_of(1), 2, MAP_SHARED);
    fails(madvise(f, 2 * PAGE, MADV_POPULATE_READ), EFAULT);
}

/* --- mlock --- */

TEST(mlock_brings_pages_in)
{
    char *p = shared(4);
    works(mlock(p + PAGE, 2 * PAGE));
    same(resident(p, 4), 6);
    works(munlock(p, 4 * PAGE));
}

TEST(mlock2_on_fault_waits_for_the_touch)
{
    char *p = shared(4);
    works(syscall(SYS_mlock2, p, 4 * PAGE, MLOCK_ONFAULT));
    same(resident(p, 4), 0);
    p[0] = 1;
    same(resident(p, 4), 1);
    fails(syscall(SYS_mlock2, p, PAGE, 2), EINVAL);
}

/* As a user without privileges, with room for PAGES locked pages. */
static void become_limited(size_t pages)
{
    struct rlimit r = {pages * PAGE, pages * PAGE};
    works(setrlimit(RLIMIT_MEMLOCK, &r));
    works(setuid(1234));
}

TEST(mlock_stops_at_the_limit)
{
    char *p = shared(8);
    become_limited(4);
    works(mlock(p, 4 * PAGE));
    fails(mlock(p + 4 * PAGE, PAGE), ENOMEM);
    works(mlock(p, 4 * PAGE));
    works(munlock(p, PAGE));
    works(mlock(p + 4 * PAGE, PAGE));
}

TEST(a_limit_of_zero_is_eperm)
{
    char *p = shared(1);
    become_limited(0);
    fails(mlock(p, PAGE), EPERM);
    fails(mlockall(MCL_CURRENT), EPERM);
    works(munlock(p, PAGE));
    works(munlockall());
}

TEST(map_locked_is_bound_by_the_limit)
{
    become_limited(2);
    check(mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) != MAP_FAILED,
          "fits");
    check(mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) == MAP_FAILED,
          "too much");
    same(errno, EAGAIN);
}

TEST(mlockall_future_locks_what_comes)
{
    works(mlockall(MCL_FUTURE));
    char *p = shared(4);
    same(resident(p, 4), 15);
    works(munlockall());
    p = shared(4);
    same(resident(p, 4), 0);
    fails(mlockall(0), EINVAL);
    fails(mlockall(64), EINVAL);
}

TEST(locked_pages_are_not_dropped_by_advice)
{
    char *p = private(1);
    works(mlock(p, PAGE));
    fails(madvise(p, PAGE, MADV_DONTNEED), EINVAL);
    works(munlock(p, PAGE));
    works(madvise(p, PAGE, MADV_DONTNEED));
}

TEST(locks_are_not_inherited)
{
    char *p = private(1);
    pid_t pid;
    works(mlock(p, PAGE));
    CHILD (pid)
        works(madvise(p, PAGE, MADV_DONTNEED));
    exits(pid, 0);
}

TEST(mlock_of_a_hole_is_enomem)
{
    char *p = shared(3);
    works(munmap(p + PAGE, PAGE));
    fails(mlock(p, 3 * PAGE), ENOMEM);
    fails(munlock(p, 3 * PAGE), ENOMEM);
    works(mlock(p, ~0UL)); /* rounded up, that is nothing */
    fails(mlock(p, 0UL - 2 * PAGE), EINVAL);
}

TEST(a_mapping_of_a_gibibyte_costs_what_is_touched)
{
    char *p = mmap(NULL, 1UL << 30, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(p != MAP_FAILED, "lazy");
    p[1UL << 29] = 1;
    same(resident(p + (1UL << 29) - PAGE, 3), 2);
    same(p[(1UL << 30) - 1], 0);
}

int main(void)
{
    return tap_run("mmap_advice");
}

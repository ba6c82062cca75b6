/* Mappings that others see: shared memory over fork, the end of a file, places and lengths, msync. */
#include "tap.h"

#include <setjmp.h>
#include <sys/mman.h>

#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
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

static sigjmp_buf caught;
static volatile int caught_code;
static void *volatile caught_addr;

static void catch (int sig, siginfo_t *info, void *context)
{
    (void)context;
    caught_code = info->si_code;
    caught_addr = info->si_addr;
    siglongjmp(caught, sig);
}

/* The signal that touching P gives, 0 for none. */
static int touch(volatile char *p, bool write)
{
    struct sigaction sa = {.sa_sigaction = catch, .sa_flags = SA_SIGINFO};
    works(sigaction(SIGBUS, &sa, NULL));
    works(sigaction(SIGSEGV, &sa, NULL));
    int sig = sigsetjmp(caught, 1);
    if (sig)
        return sig;
    if (write)
        *p = 1;
    else
        (void)*p;
    return 0;
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

/* --- shared by name or by blood --- */

TEST(what_a_child_writes_the_parent_reads)
{
    char *p = shared(2);
    pid_t pid;
    CHILD (pid) {
        p[0] = 1;
        p[PAGE] = 2;
    }
    exits(pid, 0);
    same(p[0], 1);
    same(p[PAGE], 2);
}

TEST(a_page_first_touched_by_the_child_is_the_parents_too)
{
    char *p = shared(1);
    pid_t pid;
    CHILD (pid)
        p[5] = 7;
    exits(pid, 0);
    same(p[5], 7);
    p[5] = 8;
    CHILD (pid)
        same(p[5], 8);
    exits(pid, 0);
}

TEST(grandchildren_share_too)
{
    int *p = (int *)shared(1);
    pid_t pid, inner;
    CHILD (pid) {
        CHILD (inner)
            __atomic_add_fetch(p, 1, __ATOMIC_SEQ_CST);
        exits(inner, 0);
        __atomic_add_fetch(p, 1, __ATOMIC_SEQ_CST);
    }
    exits(pid, 0);
    same(*p, 2);
}

TEST(two_mappings_of_one_file_are_one_memory)
{
    int fd = file_of(1);
    char *a = map_fd(fd, 1, MAP_SHARED), *b = map_fd(fd, 1, MAP_SHARED), byte = 0;
    a[10] = 'x';
    same(b[10], 'x');
    same(pread(fd, &byte, 1, 10), 1);
    same(byte, 'x');
    same(pwrite(fd, "y", 1, 11), 1);
    same(a[11], 'y');
}

TEST(a_private_mapping_sees_what_is_written_until_it_writes)
{
    int fd = file_of(1);
    char *p = map_fd(fd, 1, MAP_PRIVATE), *s = map_fd(fd, 1, MAP_SHARED);
    s[0] = 1;
    same(p[0], 1);
    p[1] = 5;
    s[0] = 2;
    same(p[0], 1);
    same(s[1], 0);
}

TEST(shared_memory_outlives_its_descriptor_and_its_name)
{
    int fd = file_of(1);
    char *p = map_fd(fd, 1, MAP_SHARED);
    works(close(fd));
    works(unlink("f"));
    p[0] = 3;
    pid_t pid;
    CHILD (pid)
        same(p[0], 3);
    exits(pid, 0);
}

TEST(exec_gives_the_child_none_of_it)
{
    char *p = shared(1), text[32];
    pid_t pid;
    snprintf(text, sizeof(text), "%lx", (unsigned long)(uintptr_t)p);
    CHILD (pid) {
        execlp("grep", "grep", "-q", text, "/proc/self/maps", NULL);
        _exit(99);
    }
    exits(pid, 1);
}

/* --- the end of the file --- */

TEST(the_rest_of_the_last_page_is_zeroes)
{
    int fd = file_of(1);
    works(ftruncate(fd, 10));
    char *p = map_fd(fd, 1, MAP_SHARED);
    same(touch(p + PAGE - 1, false), 0);
    same(p[PAGE - 1], 0);
}

TEST(behind_the_last_page_is_sigbus_with_the_address)
{
    int fd = file_of(1);
    char *p = map_fd(fd, 3, MAP_SHARED);
    same(touch(p + PAGE + 5, false), SIGBUS);
    same(caught_code, BUS_ADRERR);
    check(caught_addr == p + PAGE + 5, "the address that was touched");
    same(touch(p + 2 * PAGE, true), SIGBUS);
    same(touch(p, true), 0);
}

TEST(a_private_mapping_ends_with_the_file_too)
{
    int fd = file_of(1);
    char *p = map_fd(fd, 2, MAP_PRIVATE);
    same(touch(p + PAGE, true), SIGBUS);
    same(touch(p + PAGE, false), SIGBUS);
}

TEST(a_system_call_behind_the_end_is_efault)
{
    int fd = file_of(1), p[2];
    char *m = map_fd(fd, 2, MAP_SHARED);
    works(pipe(p));
    same(write(p[1], "ab", 2), 2);
    fails(write(p[1], m + PAGE, 1), EFAULT);
    fails(read(p[0], m + PAGE, 1), EFAULT);
}

TEST(a_file_that_grows_is_there_in_the_mapping)
{
    int fd = file_of(1);
    char *p = map_fd(fd, 2, MAP_SHARED);
    same(touch(p + PAGE, false), SIGBUS);
    works(ftruncate(fd, 2 * (off_t)PAGE));
    same(touch(p + PAGE, true), 0);
    same(p[PAGE], 1);
}

TEST(truncation_takes_pages_out_of_mappings)
{
    int fd = file_of(3);
    char *p = map_fd(fd, 3, MAP_SHARED);
    memset(p, 1, 3 * PAGE);
    works(ftruncate(fd, (off_t)PAGE));
    same(touch(p, false), 0);
    same(touch(p + PAGE, false), SIGBUS);
    works(ftruncate(fd, 3 * (off_t)PAGE));
    same(touch(p + PAGE, false), 0);
    same(p[PAGE], 0);
}

TEST(truncation_takes_private_copies_too)
{
    int fd = file_of(2);
    char *p = map_fd(fd, 2, MAP_PRIVATE);
    memset(p, 1, 2 * PAGE);
    works(ftruncate(fd, (off_t)PAGE));
    same(touch(p + PAGE, false), SIGBUS);
    same(p[0], 1);
}

TEST(truncation_inside_a_page_zeroes_the_rest)
{
    int fd = file_of(1);
    char *p = map_fd(fd, 1, MAP_SHARED);
    memset(p, 1, PAGE);
    works(ftruncate(fd, 100));
    same(p[99], 1);
    same(p[100], 0);
    p[200] = 9;
    works(ftruncate(fd, (off_t)PAGE));
    same(p[100], 0);
}

TEST(truncation_reaches_the_childs_mapping)
{
    int fd = file_of(2), go[2];
    char *p = map_fd(fd, 2, MAP_SHARED), byte;
    pid_t pid;
    works(pipe(go));
    CHILD (pid) {
        close(go[1]);
        p[PAGE] = 1;
        same(read(go[0], &byte, 1), 1);
        same(touch(p + PAGE, false), SIGBUS);
    }
    wait_until(*(volatile char *)(p + PAGE) == 1);
    works(ftruncate(fd, (off_t)PAGE));
    same(write(go[1], "", 1), 1);
    exits(pid, 0);
}

/* --- where and how --- */

TEST(fixed_noreplace_takes_what_is_free)
{
    char *p = private(3);
    works(munmap(p + PAGE, PAGE));
    check(mmap(p + PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
              p + PAGE,
          "there was a hole");
    check(mmap(p, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED,
          "there is something");
    same(errno, EEXIST);
}

TEST(fixed_noreplace_refuses_any_overlap)
{
    char *p = private(4);
    works(munmap(p, 3 * PAGE));
    p[3 * PAGE] = 7;
    check(mmap(p, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
              MAP_FAILED,
          "the last page is taken");
    same(errno, EEXIST);
    same(p[3 * PAGE], 7);
    same(touch(p, false), SIGSEGV);
}

TEST(fixed_addresses_are_aligned_and_in_range)
{
    char *p = private(2);
    check(mmap(p + 1, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED,
          "odd");
    same(errno, EINVAL);
    check(mmap((void *)(1UL << 62), PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
              MAP_FAILED,
          "beyond");
    same(errno, ENOMEM);
}

TEST(impossible_lengths_are_refused)
{
    check(mmap(NULL, 0, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED, "nothing");
    same(errno, EINVAL);
    check(mmap(NULL, 1UL << 63, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED, "too much");
    same(errno, ENOMEM);
    check(mmap(NULL, ~0UL, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED, "wraps");
    same(errno, ENOMEM);
    check(mmap(NULL, PAGE, RW, MAP_SHARED, file_of(1), 100) == MAP_FAILED, "odd offset");
    same(errno, EINVAL);
}

TEST(validate_refuses_flags_that_nobody_knows)
{
    int fd = file_of(1);
    check(mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE | 0x200000, fd, 0) == MAP_FAILED, "unknown");
    same(errno, EOPNOTSUPP);
    check(mmap(NULL, PAGE, RW, MAP_SHARED | 0x200000, fd, 0) != MAP_FAILED, "ignored");
    check(mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_POPULATE, fd, 0) != MAP_FAILED, "known");
}

TEST(populate_brings_shared_pages_in)
{
    char *p = map_fd(-1, 8, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE);
    same(resident(p, 8), 0xff);
}

TEST(populate_stops_quietly_at_the_end_of_the_file)
{
    int fd = file_of(2);
    char *p = map_fd(fd, 4, MAP_SHARED | MAP_POPULATE);
    same(resident(p, 2), 3);
    same(touch(p + 2 * PAGE, false), SIGBUS);
}

TEST(noreserve_memory_is_memory)
{
    char *p = map_fd(-1, 1UL << 16, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    p[PAGE * 12345] = 1;
    same(p[PAGE * 12345], 1);
    same(p[PAGE * 12346], 0);
}

TEST(mprotect_splits_and_joins_shared_areas)
{
    char *p = shared(3);
    p[PAGE] = 4;
    works(mprotect(p + PAGE, PAGE, PROT_READ));
    same(touch(p + PAGE, true), SIGSEGV);
    same(caught_code, SEGV_ACCERR);
    same(touch(p, true), 0);
    same(touch(p + 2 * PAGE, true), 0);
    works(mprotect(p + PAGE, PAGE, RW));
    same(touch(p + PAGE, true), 0);
}

TEST(a_read_only_descriptor_gives_no_writing_later)
{
    close(file_of(1));
    int fd = works(open("f", O_RDONLY));
    char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    check(p != MAP_FAILED, "reading is allowed");
    fails(mprotect(p, PAGE, RW), EACCES);
    check(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0) == MAP_FAILED, "writing isn't");
    same(errno, EACCES);
}

TEST(mremap_grows_a_shared_mapping_over_the_same_pages)
{
    int fd = file_of(4);
    char *p = map_fd(fd, 2, MAP_SHARED), *q;
    p[0] = 1;
    q = mremap(p, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    check(q != MAP_FAILED, "mremap");
    same(q[0], 1);
    q[3 * PAGE] = 6;
    char byte;
    same(pread(fd, &byte, 1, 3 * (off_t)PAGE), 1);
    same(byte, 6);
}

TEST(mremap_of_size_0_doubles_a_shared_mapping)
{
    char *p = shared(2), *q;
    p[1] = 3;
    q = mremap(p, 0, 2 * PAGE, MREMAP_MAYMOVE);
    check(q != MAP_FAILED && q != p, "another place for the same memory");
    same(q[1], 3);
    q[PAGE] = 4;
    same(p[PAGE], 4);
    check(mremap(private(1), 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED,
          "private memory has no double");
    same(errno, EINVAL);
}

/* --- msync --- */

TEST(msync_succeeds_on_what_is_mapped)
{
    char *p = map_fd(file_of(2), 2, MAP_SHARED);
    p[0] = 1;
    works(msync(p, 2 * PAGE, MS_SYNC));
    works(msync(p, 2 * PAGE, MS_ASYNC));
    works(msync(p, 2 * PAGE, MS_SYNC | MS_INVALIDATE));
    works(msync(p, 0, MS_SYNC));
    works(msync(p, PAGE, 0));
}

TEST(msync_checks_its_arguments)
{
    char *p = shared(3);
    fails(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
    fails(msync(p, PAGE, 64), EINVAL);
    fails(msync(p + 1, PAGE, MS_SYNC), EINVAL);
    works(msync(p, ~0UL, MS_SYNC)); /* rounded up, that is nothing */
    fails(msync(p, 0UL - 2 * PAGE, MS_SYNC), ENOMEM);
    works(munmap(p + PAGE, PAGE));
    fails(msync(p, 3 * PAGE, MS_SYNC), ENOMEM);
}

TEST(msync_of_locked_pages_cannot_invalidate)
{
    char *p = map_fd(file_of(1), 1, MAP_SHARED);
    works(mlock(p, PAGE));
    fails(msync(p, PAGE, MS_INVALIDATE), EBUSY);
    works(munlock(p, PAGE));
    works(msync(p, PAGE, MS_INVALIDATE));
}

int main(void)
{
    return tap_run("mmap_shared");
}

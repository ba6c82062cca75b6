/* What /proc says of memory: pagemap, smaps, status and meminfo, to the page. */
#include "tap.h"

#include <sys/mman.h>
#include <sys/shm.h>

#define PRESENT (1ULL << 63)
#define OF_OBJECT (1ULL << 61)
#define MAPPED_ONCE (1ULL << 56)
#define NUMBER ((1ULL << 55) - 1)
#define PAGES 16

static char *map(size_t pages, int flags, int fd)
{
    void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
    check(p != MAP_FAILED, "no memory");
    return p;
}

/* What pagemap has for the page at P, of process PID. */
static uint64_t entry_of(pid_t pid, const void *p)
{
    char name[40];
    uint64_t entry = 0;
    snprintf(name, sizeof(name), "/proc/%d/pagemap", (int)pid);
    int fd = works(open(name, O_RDONLY));
    same(pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)p / PAGE * 8)), 8);
    close(fd);
    return entry;
}

#define entry(p) entry_of(getpid(), p)

/* All of the file NAME in BUF, as text. */
static char *text_of(const char *name, char *buf, size_t size)
{
    int fd = works(open(name, O_RDONLY));
    size_t len = 0;
    ssize_t n;
    while (len < size - 1 && (n = works(read(fd, buf + len, size - 1 - len))) > 0)
        len += (size_t)n;
    buf[len] = '\0';
    close(fd);
    return buf;
}

/* The number behind "KEY:" from TEXT on; -1 when there is none. */
static long value_in(const char *text, const char *key)
{
    char line[64];
    snprintf(line, sizeof(line), "\n%s:", key);
    const char *at = strstr(text, line);
    return at ? atol(at + strlen(line)) : -1;
}

static char buffer[1 << 18];

/* KEY of the area at P in smaps, in kB. */
static long smap(const void *p, const char *key)
{
    char start[40];
    text_of("/proc/self/smaps", buffer, sizeof(buffer));
    snprintf(start, sizeof(start), "%08lx-", (unsigned long)(uintptr_t)p);
    const char *at = strstr(buffer, start);
    check(at, "the area is not in smaps");
    return value_in(at, key);
}

/* Linux keeps part of the counts with each CPU until it is told to add them up. */
static long meminfo(const char *key)
{
    char text[8192] = "\n";
    int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY);
    if (fd >= 0) {
        works(write(fd, "1", 1));
        close(fd);
    }
    text_of("/proc/meminfo", text + 1, sizeof(text) - 1);
    return value_in(text, key);
}

static long status(const char *key)
{
    char text[8192];
    return value_in(text_of("/proc/self/status", text, sizeof(text)), key);
}

/* --- pagemap --- */

TEST(pages_appear_in_pagemap_when_touched)
{
    volatile char *p = map(3, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    same(entry((void *)p) >> 56, 0);
    p[PAGE] = 1;
    check(entry((void *)(p + PAGE)) & PRESENT, "written to");
    check(!(entry((void *)(p + 2 * PAGE)) & PRESENT), "not written to");
}

TEST(pagemap_knows_private_from_shared)
{
    char *own = map(1, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    char *shared = map(1, MAP_SHARED | MAP_ANONYMOUS, -1);
    *own = *shared = 1;
    same(entry(own) & OF_OBJECT, 0);
    check(entry(shared) & OF_OBJECT, "a page of shared memory");
    check(entry(own) & MAPPED_ONCE, "mapped here alone");
    check(entry(shared) & MAPPED_ONCE, "mapped here alone");
}

TEST(one_page_at_two_addresses_has_one_number)
{
    int fd = works(memfd_create("x", 0));
    works(ftruncate(fd, (off_t)PAGE));
    char *a = map(1, MAP_SHARED, fd), *b = map(1, MAP_SHARED, fd);
    *a = 1;
    same(*b, 1);
    check(entry(a) & NUMBER, "the superuser sees numbers");
    check((entry(a) & NUMBER) == (entry(b) & NUMBER), "one page");
    same(entry(a) & MAPPED_ONCE, 0);
}

TEST(fork_shares_private_pages_until_they_are_written)
{
    char *p = map(2, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    int go[2], done[2];
    char byte;
    pid_t pid;
    p[0] = p[PAGE] = 1;
    works(pipe(go));
    works(pipe(done));
    CHILD (pid) {
        close(go[1]);
        same(read(go[0], &byte, 1), 1);
        p[0] = 2;
        works(write(done[1], "", 1));
        same(read(go[0], &byte, 1), 1);
    }
    check((entry(p) & NUMBER) == (entry_of(pid, p) & NUMBER), "shared after fork");
    same(entry(p) & MAPPED_ONCE, 0);
    works(write(go[1], "", 1));
    same(read(done[0], &byte, 1), 1);
    check((entry(p) & NUMBER) != (entry_of(pid, p) & NUMBER), "each has its own now");
    check(entry(p) & MAPPED_ONCE, "mapped here alone");
    check((entry(p + PAGE) & NUMBER) == (entry_of(pid, p + PAGE) & NUMBER), "still shared");
    works(write(go[1], "", 1));
    exits(pid, 0);
    check(entry(p + PAGE) & MAPPED_ONCE, "alone again");
}

TEST(pagemap_is_read_by_whole_entries)
{
    char bytes[16];
    int fd = works(open("/proc/self/pagemap", O_RDONLY));
    fails(pread(fd, bytes, 4, 0), EINVAL);
    fails(pread(fd, bytes, 8, 4), EINVAL);
    same(pread(fd, bytes, 0, 0), 0);
    same(pread(fd, bytes, 8, (off_t)(1UL << 47 >> 12) * 8), 0);
    same(pread(fd, bytes, 8, (off_t)1 << 50), 0);
    fails(pread(fd, NOWHERE, 8, 0), EFAULT);
}

TEST(numbers_of_pages_are_a_secret)
{
    char *p = map(1, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    pid_t pid;
    *p = 1;
    CHILD (pid) {
        *p = 2;
        int fd = works(open("/proc/self/pagemap", O_RDONLY));
        uint64_t e;
        works(setuid(1234));
        (void)fd;
        fails(open("/proc/1/pagemap", O_RDONLY), EACCES);
        e = 0;
        if ((fd = open("/proc/self/pagemap", O_RDONLY)) >= 0) {
            same(pread(fd, &e, 8, (off_t)((uintptr_t)p / PAGE * 8)), 8);
            same(e & NUMBER, 0);
        }
    }
    exits(pid, 0);
}

/* --- smaps --- */

TEST(an_untouched_area_has_a_size_and_no_pages)
{
    char *p = map(PAGES, MAP_SHARED | MAP_ANONYMOUS, -1);
    same(smap(p, "Size"), PAGES * 4);
    same(smap(p, "Rss"), 0);
    same(smap(p, "Pss"), 0);
}

TEST(each_touched_page_counts_once)
{
    char *p = map(PAGES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE);
    for (int i = 0; i < 5; i++)
        p[(size_t)i * 2 * PAGE] = 1;
    same(smap(p, "Rss"), 20);
    same(smap(p, "Pss"), 20);
    same(smap(p, "Private_Dirty"), 20);
    same(smap(p, "Anonymous"), 20);
}

TEST(pages_of_shared_memory_are_not_anonymous)
{
    char *p = map(PAGES, MAP_SHARED | MAP_ANONYMOUS, -1);
    memset(p, 1, 3 * PAGE);
    same(smap(p, "Rss"), 12);
    same(smap(p, "Private_Dirty"), 12);
    same(smap(p, "Anonymous"), 0);
}

/* Rss, Pss, Private_Dirty and Shared_Dirty of PAGES pages at P, while a child maps them too. */
static void check_with_child(char *p, bool child_touches)
{
    int to[2], from[2];
    char byte;
    pid_t pid;
    works(pipe(to));
    works(pipe(from));
    CHILD (pid) {
        close(to[1]);
        if (child_touches)
            for (int i = 0; i < PAGES; i++)
                byte = *(volatile char *)(p + (size_t)i * PAGE);
        works(write(from[1], "", 1));
        same(read(to[0], &byte, 1), 1);
    }
    same(read(from[0], &byte, 1), 1);
    same(smap(p, "Rss"), PAGES * 4);
    same(smap(p, "Pss"), PAGES * 2);
    same(smap(p, "Shared_Dirty"), PAGES * 4);
    same(smap(p, "Private_Dirty"), 0);
    works(write(to[1], "", 1));
    exits(pid, 0);
    same(smap(p, "Pss"), PAGES * 4);
    same(smap(p, "Private_Dirty"), PAGES * 4);
}

TEST(half_of_a_page_that_two_share_is_ones_own)
{
    char *p = map(PAGES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    memset(p, 1, PAGES * PAGE);
    check_with_child(p, false);
}

TEST(shared_memory_is_shared_once_both_have_touched_it)
{
    char *p = map(PAGES, MAP_SHARED | MAP_ANONYMOUS, -1);
    memset(p, 1, PAGES * PAGE);
    check_with_child(p, true);
}

TEST(a_page_mapped_twice_counts_half_in_each_area)
{
    int fd = works(memfd_create("x", 0));
    works(ftruncate(fd, PAGES * (off_t)PAGE));
    char *a = map(PAGES, MAP_SHARED, fd);
    memset(a, 1, PAGES * PAGE);
    same(smap(a, "Pss"), PAGES * 4);
    char *b = map(PAGES, MAP_SHARED, fd);
    for (size_t i = 0; i < PAGES; i++)
        same(b[i * PAGE], 1);
    same(smap(a, "Pss"), PAGES * 2);
    same(smap(a, "Rss"), PAGES * 4);
    works(munmap(b, PAGES * PAGE));
    same(smap(a, "Pss"), PAGES * 4);
}

TEST(a_segment_is_counted_as_any_shared_memory)
{
    int id = works(shmget(IPC_PRIVATE, PAGES * PAGE, 0600));
    char *p = shmat(id, NULL, 0);
    works(shmctl(id, IPC_RMID, NULL));
    same(smap(p, "Rss"), 0);
    memset(p, 1, 2 * PAGE);
    same(smap(p, "Rss"), 8);
    works(shmdt(p));
}

TEST(dropped_pages_are_counted_no_more)
{
    char *p = map(PAGES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    memset(p, 1, PAGES * PAGE);
    works(madvise(p, 4 * PAGE, MADV_DONTNEED));
    same(smap(p, "Rss"), (PAGES - 4) * 4);
}

TEST(locked_pages_are_told)
{
    char *p = map(PAGES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    same(smap(p, "Locked"), 0);
    works(mlock(p, PAGES * PAGE));
    same(smap(p, "Locked"), PAGES * 4);
    same(smap(p, "Rss"), PAGES * 4);
    check(status("VmLck") == PAGES * 4, "status tells the same");
    works(munlock(p, PAGES * PAGE));
    same(smap(p, "Locked"), 0);
}

TEST(the_rollup_is_the_sum)
{
    long sum = 0, total;
    char *at = text_of("/proc/self/smaps", buffer, sizeof(buffer));
    while ((at = strstr(at, "\nRss:")))
        sum += atol(at += 5);
    text_of("/proc/self/smaps_rollup", buffer, sizeof(buffer));
    total = value_in(buffer, "Rss");
    check(total >= sum - 64 && total <= sum + 64, "rollup %ld, sum %ld", total, sum);
    check(strstr(buffer, "[rollup]"), "it says so");
}

/* --- the machine --- */

/* KEY of meminfo changes by KB when STEP runs. Others may be at work, so it is tried again. */
#define changes(key, kb, step, back)                                                    \
    do {                                                                                \
        long before_, after_ = 0, tries_ = 0;                                           \
        do {                                                                            \
            before_ = meminfo(key);                                                     \
            step;                                                                       \
            after_ = meminfo(key);                                                      \
            back;                                                                       \
            check(++tries_ < 2000, key " changed by %ld kB, not %ld", after_ - before_, \
                  (long)(kb));                                                          \
        } while (after_ - before_ != (kb));                                             \
    } while (0)

TEST(shmem_counts_shared_anonymous_pages)
{
    char *p = map(PAGES, MAP_SHARED | MAP_ANONYMOUS, -1);
    changes("Shmem", PAGES * 4, memset(p, 1, PAGES * PAGE),
            works(madvise(p, PAGES * PAGE, MADV_REMOVE)));
}

TEST(shmem_counts_a_memfd_whether_mapped_or_not)
{
    int fd = works(memfd_create("x", 0));
    memset(buffer, 1, PAGES * PAGE);
    changes("Shmem", PAGES * 4, same(pwrite(fd, buffer, PAGES * PAGE, 0), PAGES * PAGE),
            works(ftruncate(fd, 0)));
}

TEST(shmem_counts_a_segment_until_the_last_detach)
{
    changes(
        "Shmem", 0, {
            int id = works(shmget(IPC_PRIVATE, PAGES * PAGE, 0600));
            char *p = shmat(id, NULL, 0);
            memset(p, 1, PAGES * PAGE);
            works(shmctl(id, IPC_RMID, NULL));
            works(shmdt(p));
        }, );
}

TEST(a_page_that_two_share_is_one_page_of_the_machine)
{
    char *p = map(PAGES, MAP_SHARED | MAP_ANONYMOUS, -1);
    changes(
        "Shmem", PAGES * 4,
        {
            pid_t pid;
            memset(p, 1, PAGES * PAGE);
            CHILD (pid)
                memset(p, 2, PAGES * PAGE);
            exits(pid, 0);
        },
        works(madvise(p, PAGES * PAGE, MADV_REMOVE)));
}

/* How much AnonPages grows by a child that shares all of the parent's memory and writes to none of it. */
static long growth_by_fork(void)
{
    long before = meminfo("AnonPages"), after;
    int hold[2];
    char byte;
    pid_t pid;
    works(pipe(hold));
    CHILD (pid) {
        close(hold[1]);
        same(read(hold[0], &byte, 1), 0);
    }
    close(hold[0]);
    after = meminfo("AnonPages");
    close(hold[1]);
    exits(pid, 0);
    return after - before;
}

TEST(anonpages_counts_what_fork_shares_once)
{
    char *p = map(4096, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    madvise(p, 4096 * PAGE, MADV_NOHUGEPAGE);
    memset(p, 1, 4096 * PAGE);
    int tries = 0;
    long grown;
    while ((grown = growth_by_fork()) > 8192)
        check(++tries < 100, "16384 kB are shared, AnonPages grew by %ld kB", grown);
}

int main(void)
{
    return tap_run("memory_accounts");
}

/* musl: files without a name, and their seals. */
#define _GNU_SOURCE
#include "tap.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x10
#endif

static int sealable(off_t size)
{
    int fd = works(memfd_create("test", MFD_ALLOW_SEALING));
    works(ftruncate(fd, size));
    return fd;
}

static char *map(int fd, int prot, int flags)
{
    return mmap(NULL, PAGE, prot, flags, fd, 0);
}

TEST(it_is_a_file_of_size_zero_without_links)
{
    struct stat st;
    int fd = works(memfd_create("some name", 0));
    works(fstat(fd, &st));
    same(st.st_size, 0);
    same(st.st_nlink, 0);
    same(st.st_mode & S_IFMT, S_IFREG);
    same(write(fd, "hello", 5), 5);
    same(lseek(fd, 0, SEEK_SET), 0);
    char text[8] = "";
    same(read(fd, text, 8), 5);
    same_text(text, "hello");
}

TEST(its_name_is_shown)
{
    char link[64], text[64] = "";
    int fd = works(memfd_create("some name", 0));
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    works(readlink(link, text, sizeof(text) - 1));
    same_text(text, "/memfd:some name (deleted)");
}

TEST(two_of_one_name_are_two_files)
{
    int a = works(memfd_create("x", 0)), b = works(memfd_create("x", 0));
    struct stat sa, sb;
    works(fstat(a, &sa));
    works(fstat(b, &sb));
    check(sa.st_ino != sb.st_ino, "two inodes");
}

TEST(flags_and_names_are_checked)
{
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    fails(memfd_create(name, 0), EINVAL);
    fails(memfd_create(name + 5, 0), EINVAL);
    works(memfd_create(name + 6, 0));
    fails(memfd_create("x", 0x8000), EINVAL);
    fails(memfd_create(NOWHERE, 0), EFAULT);
    same(fcntl(works(memfd_create("x", MFD_CLOEXEC)), F_GETFD), FD_CLOEXEC);
    same(fcntl(works(memfd_create("x", 0)), F_GETFD), 0);
}

TEST(only_those_that_asked_can_be_sealed)
{
    int plain = works(memfd_create("x", 0));
    same(fcntl(plain, F_GET_SEALS), F_SEAL_SEAL);
    fails(fcntl(plain, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    int fd = sealable(0), pipes[2];
    same(fcntl(fd, F_GET_SEALS), 0);
    works(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    works(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    same(fcntl(fd, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK);
    fails(fcntl(fd, F_ADD_SEALS, 0x1000), EINVAL);
    works(pipe(pipes));
    fails(fcntl(pipes[1], F_ADD_SEALS, F_SEAL_GROW), EINVAL);
    fails(fcntl(pipes[1], F_GET_SEALS), EINVAL);
}

TEST(seal_is_the_last_seal)
{
    int fd = sealable(0);
    works(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
    fails(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    same(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
}

TEST(a_reader_cannot_seal)
{
    char link[64];
    int fd = sealable(0);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    int reader = works(open(link, O_RDONLY));
    fails(fcntl(reader, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    same(fcntl(reader, F_GET_SEALS), 0);
}

TEST(shrink)
{
    int fd = sealable(2 * PAGE);
    works(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    fails(ftruncate(fd, PAGE), EPERM);
    works(ftruncate(fd, 2 * PAGE));
    works(ftruncate(fd, 3 * PAGE));
    same(write(fd, "x", 1), 1);
}

TEST(grow)
{
    int fd = sealable(PAGE);
    works(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    fails(ftruncate(fd, 2 * PAGE), EPERM);
    fails(pwrite(fd, "x", 1, PAGE), EPERM);
    fails(fallocate(fd, 0, 0, 2 * PAGE), EPERM);
    works(fallocate(fd, 0, 0, PAGE));
    same(pwrite(fd, "x", 1, PAGE - 1), 1);
    char big[2 * PAGE];
    memset(big, 'b', sizeof(big));
    same(pwrite(fd, big, sizeof(big), 0), PAGE);
    works(ftruncate(fd, 10));
}

TEST(write)
{
    int fd = sealable(PAGE);
    works(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    fails(pwrite(fd, "x", 1, 0), EPERM);
    fails(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), EPERM);
    fails((long)map(fd, PROT_READ | PROT_WRITE, MAP_SHARED), EPERM);
    char *own = works(map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE));
    own[0] = 'p';
    works(ftruncate(fd, 2 * PAGE));
}

TEST(write_waits_for_no_mapping_but_refuses)
{
    int fd = sealable(PAGE);
    char *m = works(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED));
    fails(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    works(mprotect(m, PAGE, PROT_READ)); /* it could be made writable again */
    fails(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    works(munmap(m, PAGE));
    works(map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE));
    works(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
}

TEST(future_write_leaves_the_mappings_that_are)
{
    int fd = sealable(PAGE);
    char *m = works(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED));
    works(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
    m[0] = 'w';
    fails(pwrite(fd, "x", 1, 0), EPERM);
    fails((long)map(fd, PROT_READ | PROT_WRITE, MAP_SHARED), EPERM);
    char *reader = works(map(fd, PROT_READ, MAP_SHARED));
    same(reader[0], 'w');
    fails(mprotect(reader, PAGE, PROT_READ | PROT_WRITE), EACCES);
}

#define ROUNDS 10000

/* A thread that maps each round's file to write while the main one seals it. */
static int race_fd, race_round, race_done; /* atomic, the latter two */
static char *race_map;

static void wait_for_round(const int *at, int round)
{
    while (__atomic_load_n(at, __ATOMIC_ACQUIRE) != round)
        sched_yield();
}

static void *map_every_file(void *arg)
{
    (void)arg;
    for (int round = 1; round <= ROUNDS; round++) {
        wait_for_round(&race_round, round);
        race_map = map(race_fd, PROT_READ | PROT_WRITE, MAP_SHARED);
        __atomic_store_n(&race_done, round, __ATOMIC_RELEASE);
    }
    return NULL;
}

TEST(no_mapping_slips_past_a_seal)
{
    pthread_t mapper;
    same(pthread_create(&mapper, NULL, map_every_file, NULL), 0);
    for (int round = 1; round <= ROUNDS; round++) {
        race_fd = sealable(PAGE);
        __atomic_store_n(&race_round, round, __ATOMIC_RELEASE);
        for (volatile int delay = round % 256; delay > 0; delay--)
            ;
        bool sealed = fcntl(race_fd, F_ADD_SEALS, F_SEAL_WRITE) == 0;
        wait_for_round(&race_done, round);
        check(!sealed || race_map == MAP_FAILED, "sealed, and mapped to be written");
        if (race_map != MAP_FAILED)
            works(munmap(race_map, PAGE));
        works(close(race_fd));
    }
    same(pthread_join(mapper, NULL), 0);
}

#define HOLE_PAGES 16384UL

static struct {
    char *at;
    size_t size;
} hole;

static void *make_hole(void *arg)
{
    (void)arg;
    madvise(hole.at, hole.size, MADV_REMOVE);
    return NULL;
}

/* The first byte of FD's page AT. */
static char byte_of_page(int fd, size_t at)
{
    char byte;
    same(pread(fd, &byte, 1, (off_t)(at * PAGE)), 1);
    return byte;
}

/* The mapping may have gone and the seal have come while madvise still works. */
TEST(no_hole_grows_behind_a_seal)
{
    hole.size = HOLE_PAGES * PAGE;
    int fd = sealable((off_t)hole.size);
    for (size_t at = 0; at < hole.size; at += PAGE)
        same(pwrite(fd, "x", 1, (off_t)at), 1);
    hole.at = mmap(NULL, hole.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    pthread_t digger;
    same(pthread_create(&digger, NULL, make_hole, NULL), 0);
    while (byte_of_page(fd, 0))
        ;
    works(munmap(hole.at, hole.size));
    works(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    char last = byte_of_page(fd, HOLE_PAGES - 1);
    same(pthread_join(digger, NULL), 0);
    same(byte_of_page(fd, HOLE_PAGES - 1), last);
}

TEST(a_child_shares_it)
{
    int fd = sealable(PAGE);
    volatile char *m = works(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED));
    pid_t pid;
    CHILD (pid)
        same(pwrite(fd, "child", 5, 0), 5);
    exits(pid, 0);
    same(m[4], 'd');
}

TEST(it_can_be_opened_again_through_proc)
{
    char link[64], text[4] = "";
    int fd = sealable(0);
    same(write(fd, "abc", 3), 3);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    int again = works(open(link, O_RDONLY));
    same(read(again, text, 3), 3);
    same_text(text, "abc");
}

TEST(truncation_takes_mapped_pages)
{
    int fd = sealable(PAGE);
    volatile char *m = works(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED));
    m[0] = 'x';
    works(ftruncate(fd, 0));
    pid_t pid;
    CHILD (pid)
        (void)m[0];
    dies(pid, SIGBUS);
    works(ftruncate(fd, PAGE));
    same(m[0], 0);
}

int main(void)
{
    return tap_run("memfd");
}

/*
 * What one thread changes in the address space, others on other processors must see at once: their
 * memory of the old page tables has to go before the call returns.
 */
#define _GNU_SOURCE
#include "tap.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#define RW (PROT_READ | PROT_WRITE)
#define WRITERS 3
#define PAGES 8
#define ROUNDS 20

static volatile uint32_t *arena; /* PAGES pages; writer i counts in word i of each */
static volatile bool stop;

static void *count(void *arg)
{
    size_t me = (size_t)arg;
    while (!stop)
        for (size_t page = 0; page < PAGES; page++)
            arena[page * PAGE / 4 + me]++;
    return NULL;
}

static void start(pthread_t *thread, void *(*body)(void *))
{
    stop = false;
    arena = mmap(NULL, PAGES * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(arena != MAP_FAILED, "mmap: %s", strerror(errno));
    for (size_t i = 0; i < WRITERS; i++)
        same(pthread_create(&thread[i], NULL, body, (void *)i), 0);
}

static void finish(pthread_t *thread)
{
    stop = true;
    for (size_t i = 0; i < WRITERS; i++)
        same(pthread_join(thread[i], NULL), 0);
    works(munmap((void *)arena, PAGES * PAGE));
}

/* The sum of all counters. */
static uint64_t sum(void)
{
    uint64_t total = 0;
    for (size_t page = 0; page < PAGES; page++)
        for (size_t i = 0; i < WRITERS; i++)
            total += arena[page * PAGE / 4 + i];
    return total;
}

TEST(a_child_does_not_see_what_threads_of_its_parent_write_on)
{
    pthread_t thread[WRITERS];
    start(thread, count);
    for (int round = 0; round < ROUNDS; round++) {
        pid_t pid;
        CHILD (pid) {
            uint64_t first = sum();
            for (int i = 0; i < 20; i++) {
                sched_yield();
                if (sum() != first)
                    _exit(1);
            }
        }
        exits(pid, 0);
    }
    finish(thread);
}

/* Writes through the kernel, which answers EFAULT where the program itself would die. */
static int source;

static void *count_by_read(void *arg)
{
    size_t me = (size_t)arg;
    while (!stop)
        for (size_t page = 0; page < PAGES; page++)
            if (read(source, (void *)&arena[page * PAGE / 4 + me], 4) != 4 && errno != EFAULT)
                return (void *)1;
    return NULL;
}

TEST(memory_made_read_only_changes_no_more)
{
    pthread_t thread[WRITERS];
    source = works(open("/dev/urandom", O_RDONLY));
    start(thread, count_by_read);
    for (int round = 0; round < ROUNDS; round++) {
        works(mprotect((void *)arena, PAGES * PAGE, PROT_READ));
        uint64_t first = sum();
        for (int i = 0; i < 20; i++) {
            sched_yield();
            check(sum() == first, "memory changed while it was read-only");
        }
        works(mprotect((void *)arena, PAGES * PAGE, RW));
    }
    finish(thread);
}

static volatile unsigned generation; /* odd: the arena is not to be touched */
static volatile unsigned idle[WRITERS];

static void *look(void *arg)
{
    size_t me = (size_t)arg;
    while (!stop) {
        unsigned now = generation;
        __atomic_store_n(&idle[me], now, __ATOMIC_SEQ_CST);
        if (now % 2) {
            sched_yield();
            continue;
        }
        for (size_t page = 0; page < PAGES; page++)
            if (arena[page * PAGE / 4] != now && generation == now)
                return (void *)1;
    }
    return NULL;
}

TEST(pages_given_up_are_gone_for_all_threads)
{
    pthread_t thread[WRITERS];
    generation = 1;
    start(thread, look);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < WRITERS; i++) /* all have seen that it is odd */
            while (__atomic_load_n(&idle[i], __ATOMIC_SEQ_CST) != generation)
                sched_yield();
        works(madvise((void *)arena, PAGES * PAGE, MADV_DONTNEED));
        for (size_t page = 0; page < PAGES; page++) {
            same(arena[page * PAGE / 4], 0);
            arena[page * PAGE / 4] = generation + 1;
        }
        __atomic_add_fetch(&generation, 1, __ATOMIC_SEQ_CST);
        sched_yield();
        __atomic_add_fetch(&generation, 1, __ATOMIC_SEQ_CST);
    }
    stop = true;
    for (size_t i = 0; i < WRITERS; i++) {
        void *wrong;
        same(pthread_join(thread[i], &wrong), 0);
        check(!wrong, "a thread saw a page that was gone");
    }
}

TEST(a_file_is_truncated_under_those_who_have_it_mapped)
{
    int fd = works(open("file", O_RDWR | O_CREAT, 0600)), zero = works(open("/dev/zero", O_RDONLY));
    pid_t pid[WRITERS];
    for (int i = 0; i < WRITERS; i++)
        CHILD (pid[i]) {
            /*
             * Private, shared, private: written to by the kernel, so that the end of the file is
             * EFAULT.
             */
            char *p = mmap(NULL, PAGES * PAGE, RW, i == 1 ? MAP_SHARED : MAP_PRIVATE, fd, 0);
            check(p != MAP_FAILED, "mmap: %s", strerror(errno));
            for (int round = 0; round < 1500; round++) {
                char *at = p + (size_t)(round * 7 % PAGES) * PAGE;
                long n = read(zero, at, 1);
                check(n == 1 || (n == -1 && errno == EFAULT), "read: %s", strerror(errno));
                if (round % 50 == 0)
                    works(madvise(p, PAGES * PAGE, MADV_DONTNEED));
            }
        }
    for (int round = 0; round < 200; round++)
        works(ftruncate(fd, (round * 5 % (PAGES + 1)) * (off_t)PAGE));
    for (int i = 0; i < WRITERS; i++)
        exits(pid[i], 0);
    struct stat st;
    works(ftruncate(fd, 0));
    works(fstat(fd, &st));
    same(st.st_blocks, 0);
}

int main(void)
{
    return tap_run("shootdown");
}

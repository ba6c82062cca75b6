/* musl: the library that the kernel lends to programs: found as vdso(7) says, and as right as the calls. */
#define _GNU_SOURCE
#include <elf.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "tap.h"

#define SECOND 1000000000LL
#define LOOKS 20000

static const char *image;
static int (*vdso_gettime)(long clock, struct timespec *ts);
static int (*vdso_gettimeofday)(struct timeval *tv, struct timezone *tz);
static time_t (*vdso_time)(time_t *t);
static int (*vdso_getcpu)(unsigned *cpu, unsigned *node, void *unused);

static const void *dynamic(const Elf64_Dyn *d, long tag)
{
    for (; d->d_tag != DT_NULL; d++)
        if (d->d_tag == tag)
            return image + d->d_un.d_ptr;
    return NULL;
}

static const void *find(const char *name)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
    const Elf64_Phdr *ph = (const Elf64_Phdr *)(image + header->e_phoff);
    const Elf64_Dyn *table = NULL;

    for (int i = 0; i < header->e_phnum; i++)
        if (ph[i].p_type == PT_DYNAMIC)
            table = (const Elf64_Dyn *)(image + ph[i].p_offset);
    if (table == NULL)
        return NULL;
    const Elf64_Sym *symbols = dynamic(table, DT_SYMTAB);
    const char *strings = dynamic(table, DT_STRTAB);
    const uint32_t *hash = dynamic(table, DT_HASH);
    if (symbols == NULL || strings == NULL || hash == NULL)
        return NULL;
    for (uint32_t i = 0; i < hash[1]; i++)
        if (strcmp(strings + symbols[i].st_name, name) == 0 && symbols[i].st_value != 0)
            return image + symbols[i].st_value;
    return NULL;
}

static long long of(const struct timespec *ts)
{
    return ts->tv_sec * SECOND + ts->tv_nsec;
}

static long long by_call(long clock)
{
    struct timespec ts;

    return syscall(SYS_clock_gettime, clock, &ts) == 0 ? of(&ts) : -1;
}

static long long by_vdso(long clock)
{
    struct timespec ts;

    return vdso_gettime(clock, &ts) == 0 ? of(&ts) : -1;
}

/* Between two calls that ask the kernel, the vDSO's answer lies between theirs. */
static int agrees(long clock)
{
    for (int i = 0; i < 100; i++) {
        long long before = by_call(clock), now = by_vdso(clock), after = by_call(clock);
        if (before < 0 || now < before || now > after)
            return 0;
    }
    return 1;
}

/* Every test begins with this. */
static void find_functions(void)
{
    image = (const char *)getauxval(AT_SYSINFO_EHDR);
    check(image != NULL, "AT_SYSINFO_EHDR: expected an address, got none");
    *(const void **)&vdso_gettime = find("__vdso_clock_gettime");
    *(const void **)&vdso_gettimeofday = find("__vdso_gettimeofday");
    *(const void **)&vdso_time = find("__vdso_time");
    *(const void **)&vdso_getcpu = find("__vdso_getcpu");
    check(vdso_gettime && vdso_gettimeofday && vdso_time && vdso_getcpu, "expected four functions");
}

TEST(is_an_elf_image_on_a_page)
{
    find_functions();
    same((uintptr_t)image % PAGE, 0);
    same(memcmp(image, ELFMAG, SELFMAG), 0);
}

TEST(clocks_lie_between_two_answers_of_the_kernel)
{
    static const long clocks[] = {
        CLOCK_REALTIME,           CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
        CLOCK_REALTIME_COARSE,    CLOCK_BOOTTIME,  CLOCK_MONOTONIC_COARSE,
        CLOCK_PROCESS_CPUTIME_ID, CLOCK_TAI,       CLOCK_THREAD_CPUTIME_ID,
    };

    find_functions();
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++)
        check(agrees(clocks[i]), "clock %ld is not what the call says", clocks[i]);
}

TEST(unknown_clocks_are_einval)
{
    static const long unknown[] = {10, 12, 31, 32, 33, 1000, 0x7fffffff};
    struct timespec ts;

    find_functions();
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        same(vdso_gettime(unknown[i], &ts), -EINVAL);
}

TEST(cpu_clocks_by_negative_numbers)
{
    find_functions();
    check(by_vdso(-6) >= 0 && by_vdso(-2) >= 0, "the caller's clocks: expected a time");
}

TEST(nanoseconds_stay_below_a_second)
{
    struct timespec ts;

    find_functions();
    for (int i = 0; i < 1000; i++) {
        same(vdso_gettime(i % 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME, &ts), 0);
        check(ts.tv_nsec >= 0 && ts.tv_nsec < SECOND, "got %ld nanoseconds", ts.tv_nsec);
    }
}

TEST(gettimeofday_is_realtime_in_utc)
{
    struct timeval tv;
    struct timezone tz = {7, 7};

    find_functions();
    long long before = by_call(CLOCK_REALTIME);
    same(vdso_gettimeofday(&tv, &tz), 0);
    long long now = tv.tv_sec * SECOND + tv.tv_usec * 1000LL;
    check(now >= before / 1000 * 1000 && now <= by_call(CLOCK_REALTIME), "got another time");
    same(tz.tz_minuteswest, 0);
    same(tz.tz_dsttime, 0);
    same(vdso_gettimeofday(NULL, NULL), 0);
}

TEST(time_is_realtime_in_seconds)
{
    time_t stored = 0;

    find_functions();
    long long before = by_call(CLOCK_REALTIME) / SECOND;
    time_t now = vdso_time(&stored);
    check(now == stored, "expected it to store what it returns");
    /* Linux's time may be a tick behind. */
    check(now >= before - 1 && now <= by_call(CLOCK_REALTIME) / SECOND, "got another time");
    check(vdso_time(NULL) >= now, "expected no earlier time without a pointer");
}

/* By the library and by the call in turn, on whatever CPU the thread is. */
static void *look_again(void *unused)
{
    long long last = 0;

    for (int i = 0; i < LOOKS; i++) {
        long long now = i % 2 ? by_vdso(CLOCK_MONOTONIC) : by_call(CLOCK_MONOTONIC);
        if (now < last)
            return &vdso_gettime;
        last = now;
        if (i % 500 == 0)
            sched_yield();
    }
    return unused;
}

TEST(time_goes_back_for_no_thread)
{
    pthread_t threads[4];
    void *result;

    find_functions();
    for (int i = 0; i < 4; i++)
        same(pthread_create(&threads[i], NULL, look_again, NULL), 0);
    for (int i = 0; i < 4; i++) {
        same(pthread_join(threads[i], &result), 0);
        check(result == NULL, "it went back");
    }
}

TEST(getcpu_is_the_only_cpu_that_we_may_use)
{
    cpu_set_t all, one;
    unsigned cpu = 999, node = 999;

    find_functions();
    works(sched_getaffinity(0, sizeof all, &all));
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, &all))
            continue;
        CPU_ZERO(&one);
        CPU_SET(i, &one);
        works(sched_setaffinity(0, sizeof one, &one));
        same(vdso_getcpu(&cpu, &node, NULL), 0);
        same(cpu, i);
    }
    same(node, 0);
    same(vdso_getcpu(NULL, NULL, NULL), 0);
}

/* The line of /proc/self/maps that is about it: its size, 0 when there is no such line or another's. */
static size_t size_in_maps(void)
{
    char line[512], rights[8];
    unsigned long start, end;
    size_t size = 0;
    FILE *maps = fopen("/proc/self/maps", "r");

    check(maps != NULL, "/proc/self/maps: %s", strerror(errno));
    while (fgets(line, sizeof line, maps) != NULL)
        if (strstr(line, "[vdso]") && sscanf(line, "%lx-%lx %7s", &start, &end, rights) == 3 &&
            start == (uintptr_t)image && strcmp(rights, "r-xp") == 0)
            size = end - start;
    fclose(maps);
    return size;
}

TEST(maps_names_it)
{
    find_functions();
    check(size_in_maps() > 0, "expected a line [vdso] with its address and r-xp");
}

TEST(writing_to_it_is_a_fault)
{
    pid_t child;

    find_functions();
    CHILD (child)
        *(volatile char *)image = 0;
    int status = tap_reap(child);
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "expected SIGSEGV, status %#x",
          status);
}

TEST(who_unmaps_it_is_alone_without)
{
    pid_t child;

    find_functions();
    CHILD (child) {
        works(munmap((void *)image, size_in_maps())); /* all of it: Linux cuts no piece off */
        by_vdso(CLOCK_MONOTONIC);
    }
    int status = tap_reap(child);
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "expected SIGSEGV, status %#x",
          status);
    check(agrees(CLOCK_MONOTONIC), "expected ours to be as before");
}

TEST(what_one_writes_nobody_else_sees)
{
    pid_t child;
    char before = 0;

    find_functions();
    before = image[PAGE - 1];
    CHILD (child) {
        works(mprotect((void *)image, size_in_maps(), PROT_READ | PROT_WRITE | PROT_EXEC));
        ((volatile char *)image)[PAGE - 1] = (char)(before + 1);
        same(by_vdso(CLOCK_MONOTONIC) > 0, 1);
    }
    same(tap_reap(child), 0);
    same(image[PAGE - 1], before);
}

int main(void)
{
    return tap_run("vdso");
}

/*
 * shm [SEED [SECONDS [ROUNDS [NAME]]]]: memory that two sides change at the worst moment. play.h says how.
 *
 * That no write lands where nothing is mapped any more is shown from both ends. The player says by `settled`
 * that its call has returned: no write that begins after that may succeed. And what the pages hold from then on,
 * whoever has them now, may not change.
 *
 * For the long run: tools/run --debug --smp 4 --mem 512 --timeout 36000 -- build/tests/stress/shm 1 36000 20000
 */
#define _GNU_SOURCE
#include "play.h"

#include <setjmp.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#define PAGE 4096L
#define PAGES 4
#define WORDS (PAGE / (long)sizeof(long)) /* of a page */
#define LATE_WRITES 6                     /* that a partner tries when all is settled */

static void *map(size_t pages, int flags, int fd)
{
    void *area = mmap(NULL, pages * PAGE, RW, fd < 0 ? flags | MAP_ANONYMOUS : flags, fd, 0);

    need(area != MAP_FAILED, "mmap", fd);
    return area;
}

/* --- writes that may fault --------------------------------------------------------------------------- */

static __thread sigjmp_buf escape;

static void leave(int sig)
{
    (void)sig;
    siglongjmp(escape, 1);
}

static void survive(int sig)
{
    struct sigaction a = {.sa_handler = leave, .sa_flags = SA_NODEFER};

    need(sigaction(sig, &a, NULL) == 0, "sigaction", sig);
}

/* Whether VALUE could be written. */
static __attribute__((noinline)) bool try_write(volatile long *at, long value)
{
    if (sigsetjmp(escape, 0))
        return false;
    *at = value;
    return true;
}

/* Let pages come out of the allocator, and fill them: whoever else still writes to them spoils the pattern. */
static void fill_fresh_pages(long *fresh)
{
    for (long i = 0; i < PAGES * WORDS; i++)
        fresh[i] = ~i;
}

static void check_fresh_pages(long *fresh)
{
    for (long i = 0; i < PAGES * WORDS; i++)
        need(fresh[i] == ~i, "a write landed in a page that is another's now", fresh[i]);
    need(madvise(fresh, PAGES * PAGE, MADV_DONTNEED) == 0, "madvise", 0);
}

/* --- attach against remove ---------------------------------------------------------------------------- */

static void attach_and_detach(int number)
{
    for (int i = 0; i < 2; i++) {
        long *at = shmat(shared->id[0], NULL, 0);
        if (at == (void *)-1) {
            need(errno == EINVAL || errno == EIDRM, "shmat of a removed segment", i);
            continue;
        }
        at[number] = get(round);
        dawdle();
        need(at[number] == get(round) && at[WORDS] == 0, "what a segment holds", at[number]);
        need(shmdt(at) == 0, "shmdt", i);
    }
}

static void attach_against_remove(void)
{
    struct shmid_ds ds;

    start_partners(attach_and_detach, false);
    for (long i = 1; !over(i); i++) {
        int id = shared->id[0] = shmget(IPC_PRIVATE, 2 * PAGE, 0600);
        need(id >= 0, "shmget", id);
        begin(i);
        need(shmctl(id, IPC_RMID, NULL) == 0, "IPC_RMID", id);
        finish(i);
        need(shmctl(id, IPC_STAT, &ds) < 0 && (errno == EINVAL || errno == EIDRM),
             "a removed segment that nobody has is there", id);
    }
    stop_partners();
}

/* --- fault against truncate --------------------------------------------------------------------------- */

static long *mapped[2]; /* the file: shared, and private */
static int file;

static void write_to_the_file(int number)
{
    volatile long *at = mapped[number == PARTNERS - 1];
    long round = get(round);

    for (long page = 0; get(settled) < round; page = (page + 1) % PAGES)
        try_write(&at[page * WORDS + number], -round);
    for (long page = 0; page < PAGES; page++) {
        at[page * WORDS + number] = round;
        need(at[page * WORDS + number] == round, "a page of the file", page);
    }
}

static void need_in_file(long page, int number, long value)
{
    long found;
    off_t at = page * PAGE + number * (long)sizeof(long);

    need(pread(file, &found, sizeof(found), at) == sizeof(found), "pread", page);
    need(found == value, "a page mapped is not the file's", found);
}

static void fault_against_truncate(void)
{
    long *fresh = map(PAGES, MAP_PRIVATE, -1);

    file = memfd_create("truncated", 0);
    need(file >= 0 && ftruncate(file, PAGES * PAGE) == 0, "memfd", file);
    mapped[0] = map(PAGES, MAP_SHARED, file);
    mapped[1] = map(PAGES, MAP_PRIVATE, file);
    survive(SIGBUS);
    start_partners(write_to_the_file, true);
    for (long i = 1; !over(i); i++) {
        begin(i);
        need(ftruncate(file, draw(2) ? 0 : (off_t)draw(PAGES * PAGE)) == 0, "shrink", 0);
        fill_fresh_pages(fresh);
        dawdle();
        need(ftruncate(file, PAGES * PAGE) == 0, "grow", 0);
        set(settled, i);
        finish(i);
        for (long page = 0; page < PAGES; page++)
            for (int number = 0; number < PARTNERS - 1; number++)
                need_in_file(page, number, i);
        check_fresh_pages(fresh);
        need(ftruncate(file, 0) == 0 && ftruncate(file, PAGES * PAGE) == 0, "empty", 0);
        for (long page = 0; page < PAGES; page++)
            need(mapped[0][page * WORDS] == 0 && mapped[1][page * WORDS + PARTNERS - 1] == 0,
                 "what was cut off is back", page);
    }
    stop_partners();
}

/* --- munmap against fault ----------------------------------------------------------------------------- */

static volatile long *spot; /* where the player maps and unmaps, and the others write */

static void write_to_the_spot(int number)
{
    long round = get(round);
    int late_writes = 0;

    for (long i = 0; late_writes < LATE_WRITES; i++) {
        bool late = get(settled) == round;
        bool landed = try_write(&spot[i % PAGES * WORDS + number], i);
        need(!late || !landed, "a write to what is mapped no more was let pass", i);
        late_writes += late;
    }
}

/* Take the spot from who writes there in one of four ways; where its pages are to be seen now, or NULL. */
static const long *take_away(void *aside)
{
    void *at = (void *)spot;

    switch (draw(4)) {
    case 0: need(munmap(at, PAGES * PAGE) == 0, "munmap", 0); return NULL;
    case 1: need(mprotect(at, PAGES * PAGE, PROT_READ) == 0, "mprotect", 0); return at;
    case 2:
        need(mremap(at, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, aside) == aside,
             "mremap", 0);
        return aside;
    default:
        need(mmap(at, PAGES * PAGE, PROT_NONE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                 at,
             "mmap over it", 0);
        return NULL;
    }
}

static void munmap_against_fault(void)
{
    static long copy[PAGES * WORDS];
    long *aside = map(PAGES, MAP_PRIVATE, -1), *fresh = map(PAGES, MAP_PRIVATE, -1);

    spot = map(PAGES, MAP_PRIVATE, -1);
    file = memfd_create("spot", 0);
    need(file >= 0 && ftruncate(file, PAGES * PAGE) == 0, "memfd", file);
    long *window = map(PAGES, MAP_SHARED, file);
    survive(SIGSEGV);
    start_partners(write_to_the_spot, true);
    for (long i = 1; !over(i); i++) {
        bool of_file = draw(2);
        int flags = MAP_FIXED | (of_file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS);
        need(mmap((void *)spot, PAGES * PAGE, RW, flags, of_file ? file : -1, 0) == spot, "mmap",
             i);
        begin(i);
        const long *seen = take_away(aside);
        if (of_file)
            seen = window;
        if (seen)
            memcpy(copy, seen, sizeof(copy));
        fill_fresh_pages(fresh);
        set(settled, i);
        finish(i);
        need(!seen || memcmp(copy, seen, sizeof(copy)) == 0, "a stale write landed", i);
        check_fresh_pages(fresh);
    }
    stop_partners();
}

/* --- fork against fault ------------------------------------------------------------------------------- */

/* Counts in the first page, then in the second and so on: at no moment is a later page ahead. */
static void count_in_all_pages(int number)
{
    long round = get(round);

    for (long n = 1; get(settled) < round || n < 3; n++)
        for (long page = 0; page < PAGES; page++)
            spot[page * WORDS + number] = n;
}

/* In the child: it has one moment's picture of the memory, and that stays as it is. */
static int check_picture(void)
{
    long first[PAGES][PARTNERS];

    for (int look = 0; look < 3; look++) {
        for (long page = 0; page < PAGES; page++)
            for (int number = 0; number < PARTNERS; number++) {
                long found = spot[page * WORDS + number];
                if (look == 0)
                    first[page][number] = found;
                if (found != first[page][number])
                    return 1;
                if (page > 0 && found > spot[(page - 1) * WORDS + number])
                    return 2;
                if (spot[number] - found > 1)
                    return 3;
            }
        sched_yield();
    }
    return 0;
}

static void fork_against_fault(void)
{
    spot = map(PAGES, MAP_PRIVATE, -1);
    start_partners(count_in_all_pages, true);
    for (long i = 1; !over(i); i++) {
        need(madvise((void *)spot, PAGES * PAGE, MADV_DONTNEED) == 0, "madvise", i);
        begin(i);
        pid_t pid = fork();
        if (pid == 0)
            _exit(check_picture());
        need(pid > 0, "fork", pid);
        set(settled, i);
        int status = reap(pid);
        need(status == 0, "the child's picture of the memory", status);
        finish(i);
    }
    stop_partners();
}

/* --- COW break in all halves at once ------------------------------------------------------------------- */

#define HALVES 3

/* All come to PAGE's meeting before one goes on. */
static void meet(long page)
{
    add(met, 1);
    announce(&shared->met);
    wait_for(&shared->met, HALVES * (page + 1));
}

static int break_pages(int who)
{
    for (long page = 0; page < PAGES; page++) {
        volatile long *at = &spot[page * WORDS];
        meet(page);
        at[who] = who + 1;
        for (int i = 0; i < HALVES; i++)
            if (at[i] != (i == who ? who + 1 : 0) || at[WORDS - 1] != page)
                return 1;
    }
    for (long page = 0; page < PAGES; page++)
        for (int i = 0; i < HALVES; i++)
            if (spot[page * WORDS + i] != (i == who ? who + 1 : 0))
                return 2;
    return 0;
}

static void cow_in_both_halves(void)
{
    pid_t pid[HALVES];

    spot = map(PAGES, MAP_PRIVATE, -1);
    for (long i = 1; !over(i); i++) {
        set(round, i);
        set(met, 0);
        for (long page = 0; page < PAGES; page++) {
            memset((void *)&spot[page * WORDS], 0, HALVES * sizeof(long));
            spot[(page + 1) * WORDS - 1] = page;
        }
        for (int who = 1; who < HALVES; who++)
            if ((pid[who] = fork_player()) == 0)
                _exit(break_pages(who));
        need(break_pages(0) == 0, "the parent sees what a child wrote", i);
        for (int who = 1; who < HALVES; who++)
            need(reap(pid[who]) == 0, "a child sees what another wrote", who);
        set(played, i);
    }
}

/* --- all of them ------------------------------------------------------------------------------------ */

static const struct race races[] = {
    {"attach_against_remove", attach_against_remove},
    {"fault_against_truncate", fault_against_truncate},
    {"munmap_against_fault", munmap_against_fault},
    {"fork_against_fault", fork_against_fault},
    {"cow_in_both_halves", cow_in_both_halves},
};

int main(int argc, char **argv)
{
    (void)argc;
    return play_all("shm", races, sizeof(races) / sizeof(races[0]), argv);
}

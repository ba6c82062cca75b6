/* Where a futex's word may be, and what is said of words that are nowhere, or not to be touched. */
#include "futexes.h"

#include <errno.h>

#define RW (PROT_READ | PROT_WRITE)
#define PRIVATE FUTEX_PRIVATE_FLAG

static void *map(int prot, int flags, int fd, size_t pages)
{
    void *p = mmap(NULL, pages * PAGE, prot, flags, fd, 0);
    check(p != MAP_FAILED, "mmap: %s", strerror(errno));
    return p;
}

/* A word where nothing is mapped any more. */
static word_t *unmapped(void)
{
    void *p = map(RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1);
    works(munmap(p, PAGE));
    return p;
}

static int file_of(size_t pages)
{
    int fd = works(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
    works(ftruncate(fd, (off_t)(pages * PAGE)));
    return fd;
}

/* A child that waits at W while it holds 0, and sees that it is woken. */
static pid_t waiter(word_t *w, int op)
{
    pid_t pid;
    CHILD (pid)
        works(futex(w, op, 0, NULL));
    wait_until(asleep(pid));
    return pid;
}

TEST(nothing_mapped_is_efault)
{
    fails(futex(unmapped(), FUTEX_WAIT, 0, NULL), EFAULT);
    fails(futex(unmapped(), FUTEX_WAIT | PRIVATE, 0, NULL), EFAULT);
    fails(futex(unmapped(), FUTEX_WAKE, 1), EFAULT);
}

TEST(waking_private_waiters_of_nothing_wakes_none)
{
    same(futex(unmapped(), FUTEX_WAKE | PRIVATE, 1), 0);
}

TEST(the_kernels_addresses_are_efault)
{
    word_t *w = (word_t *)0xffff800000000000UL;
    fails(futex(w, FUTEX_WAIT, 0, NULL), EFAULT);
    fails(futex(w, FUTEX_WAKE, 1), EFAULT);
    fails(futex(w, FUTEX_WAKE | PRIVATE, 1), EFAULT);
    fails(futex(w, FUTEX_UNLOCK_PI), EFAULT);
}

TEST(words_are_aligned)
{
    char *p = (char *)shared_words();
    for (int i = 1; i < 4; i++) {
        fails(futex(p + i, FUTEX_WAIT, 0, NULL), EINVAL);
        fails(futex(p + i, FUTEX_WAKE | PRIVATE, 1), EINVAL);
        fails(futex(p, FUTEX_REQUEUE, 1, 1, p + i), EINVAL);
    }
}

TEST(memory_without_rights_is_efault)
{
    word_t *w = map(PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 1);
    fails(futex(w, FUTEX_WAIT, 0, NULL), EFAULT);
    fails(futex(w, FUTEX_WAKE, 1), EFAULT);
    fails(futex(w, FUTEX_WAIT | PRIVATE, 0, NULL), EFAULT);
}

TEST(one_may_wait_on_what_one_can_only_read)
{
    int fd = file_of(1);
    word_t *w = map(RW, MAP_SHARED, fd, 1), *r = map(PROT_READ, MAP_SHARED, fd, 1);
    pid_t pid = waiter(r, FUTEX_WAIT);
    same(futex(w, FUTEX_WAKE, 1), 1);
    exits(pid, 0);
    fails(futex(r, FUTEX_WAIT, 1, NULL), EAGAIN);
    pid = waiter(w, FUTEX_WAIT);
    same(futex(r, FUTEX_WAKE, 1), 1);
    exits(pid, 0);
}

TEST(nobody_can_change_what_is_private_and_read_only)
{
    word_t *w = map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1);
    word_t *copy = map(RW, MAP_PRIVATE, file_of(1), 1);
    struct timespec soon = {0, 1};
    *copy = 0;
    works(mprotect(copy, PAGE, PROT_READ));
    fails(futex(w, FUTEX_WAIT, 0, &soon), EFAULT);
    fails(futex(w, FUTEX_WAKE, 1), EFAULT);
    fails(futex(w, FUTEX_REQUEUE, 1, 1, &w[1]), EFAULT);
    fails(futex(copy, FUTEX_WAKE, 1), EFAULT);
    fails(futex(w, FUTEX_WAIT | PRIVATE, 0, &soon), ETIMEDOUT);
    same(futex(w, FUTEX_WAKE | PRIVATE, 1), 0);
}

TEST(what_can_only_be_read_is_not_changed)
{
    word_t *r = map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1), *w = shared_words();
    fails(futex(w, FUTEX_WAKE_OP, 1, 1, r, FUTEX_OP_ADD << 28 | 1 << 12), EFAULT);
    fails(futex(r, FUTEX_LOCK_PI | PRIVATE, 0, NULL), EFAULT);
    same(*r, 0);
}

TEST(behind_the_end_of_a_file_is_efault)
{
    char *p = map(RW, MAP_SHARED, file_of(1), 2);
    fails(futex(p + PAGE, FUTEX_WAIT, 0, NULL), EFAULT);
    fails(futex(p + PAGE, FUTEX_WAKE, 1), EFAULT);
    same(futex(p + PAGE - 4, FUTEX_WAKE, 1), 0);
}

TEST(a_word_of_a_file_is_known_by_its_place_in_it)
{
    int fd = file_of(3);
    char *whole = map(RW, MAP_SHARED, fd, 3);
    char *part = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 2 * (off_t)PAGE);
    check(part != MAP_FAILED, "the third page");
    pid_t pid = waiter((word_t *)(whole + 2 * PAGE + 8), FUTEX_WAIT);
    same(futex(part + 4, FUTEX_WAKE, 1), 0);
    same(futex(part + 8, FUTEX_WAKE, 1), 1);
    exits(pid, 0);
}

TEST(the_same_offset_of_two_files_is_two_words)
{
    int a = works(memfd_create("a", 0)), b = works(memfd_create("b", 0));
    works(ftruncate(a, (off_t)PAGE));
    works(ftruncate(b, (off_t)PAGE));
    word_t *w = map(RW, MAP_SHARED, a, 1), *other = map(RW, MAP_SHARED, b, 1);
    pid_t pid = waiter(w, FUTEX_WAIT);
    same(futex(other, FUTEX_WAKE, 1), 0);
    same(futex(w, FUTEX_WAKE, 1), 1);
    exits(pid, 0);
}

TEST(a_private_mapping_of_a_file_is_ones_own)
{
    int fd = file_of(1);
    word_t *w = map(RW, MAP_SHARED, fd, 1), *own = map(RW, MAP_PRIVATE, fd, 1);
    *own = 0;
    pid_t pid = waiter(w, FUTEX_WAIT);
    same(futex(own, FUTEX_WAKE, 1), 0);
    same(futex(w, FUTEX_WAKE, 1), 1);
    exits(pid, 0);
}

TEST(a_private_mapping_that_is_only_read_shows_the_files_words)
{
    int fd = file_of(1);
    word_t *shared = map(RW, MAP_SHARED, fd, 1), *reader = map(PROT_READ, MAP_PRIVATE, fd, 1);
    pid_t pid = waiter(reader, FUTEX_WAIT);
    same(futex(shared, FUTEX_WAKE, 1), 1);
    exits(pid, 0);
}

/* Is PID seen asleep before it ends? */
static bool is_seen_asleep(pid_t pid)
{
    siginfo_t end = {0};
    while (!asleep(pid)) {
        works(waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT));
        if (end.si_pid)
            return false;
        pause_a_little();
    }
    return true;
}

TEST(private_waiters_and_shared_wakers_do_not_meet)
{
    word_t *w = shared_words();
    bool seen = false;
    /* On a busy machine it sleeps for longer, lest it has ended before it is looked at. */
    for (long ms = 100; !seen; ms *= 10) {
        pid_t pid;
        CHILD (pid) {
            struct timespec t = {ms / 1000, ms % 1000 * 1000000};
            fails(futex(w, FUTEX_WAIT | PRIVATE, 0, &t), ETIMEDOUT);
        }
        seen = is_seen_asleep(pid);
        same(futex(w, FUTEX_WAKE, 1), 0);
        exits(pid, 0);
        check(seen || ms < 100000, "it never slept");
    }
}

TEST(a_word_that_is_unmapped_while_one_waits)
{
    word_t *w = shared_words();
    pid_t pid = waiter(w, FUTEX_WAIT);
    works(munmap(w, PAGE));
    kill(pid, SIGKILL);
    dies(pid, SIGKILL);
}

TEST(a_file_that_is_cut_while_one_waits)
{
    int fd = file_of(1);
    word_t *w = map(RW, MAP_SHARED, fd, 1);
    pid_t pid = waiter(w, FUTEX_WAIT);
    works(ftruncate(fd, 0));
    fails(futex(w, FUTEX_WAKE, 1), EFAULT);
    works(ftruncate(fd, (off_t)PAGE));
    (void)futex(w, FUTEX_WAKE, 1);
    kill(pid, SIGKILL);
    tap_reap(pid);
}

TEST(times_are_checked)
{
    word_t *w = shared_words();
    struct timespec negative = {-1, 0}, large = {0, 1000000000}, past = {1, 0};
    fails(futex(w, FUTEX_WAIT, 0, &negative), EINVAL);
    fails(futex(w, FUTEX_WAIT, 0, &large), EINVAL);
    fails(futex(w, FUTEX_WAIT, 0, NOWHERE), EFAULT);
    fails(futex(w, FUTEX_WAIT_BITSET, 0, &past, NULL, ~0), ETIMEDOUT);
    fails(futex(w, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, ~0), ETIMEDOUT);
    fails(futex(w, FUTEX_WAIT_BITSET, 0, &negative, NULL, ~0), EINVAL);
    fails(futex(w, FUTEX_LOCK_PI, 0, &large), EINVAL);
}

TEST(operations_that_are_none)
{
    word_t *w = shared_words();
    fails(futex(w, 2, 0, NULL), ENOSYS);
    fails(futex(w, 14, 0, NULL), ENOSYS);
    fails(futex(w, 127, 0, NULL), ENOSYS);
    fails(futex(w, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1), ENOSYS);
    fails(futex(w, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
    fails(futex(w, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
}

TEST(counts_below_nothing)
{
    word_t *w = shared_words();
    fails(futex(w, FUTEX_REQUEUE, -1, 1, &w[1]), EINVAL);
    fails(futex(w, FUTEX_REQUEUE, 1, -1, &w[1]), EINVAL);
    fails(futex(w, FUTEX_CMP_REQUEUE, 1, -1, &w[1], 0), EINVAL);
}

TEST(a_wake_for_nobody_still_wakes_one)
{
    word_t *w = shared_words();
    pid_t pid = waiter(w, FUTEX_WAIT);
    same(futex(w, FUTEX_WAKE, 0), 1);
    exits(pid, 0);
}

TEST(unknown_comparisons_are_enosys)
{
    word_t *w = shared_words();
    fails(futex(w, FUTEX_WAKE_OP, 1, 1, &w[1], 7 << 28), ENOSYS);
    fails(futex(w, FUTEX_WAKE_OP, 1, 1, &w[1], 15 << 24), ENOSYS);
}

TEST(two_processes_need_not_have_the_same_address)
{
    int fd = works(memfd_create("x", 0));
    works(ftruncate(fd, (off_t)PAGE));
    word_t *a = map(RW, MAP_SHARED, fd, 1), *b = map(RW, MAP_SHARED, fd, 1);
    pid_t pid;
    CHILD (pid) {
        works(munmap(b, PAGE));
        works(futex(a, FUTEX_WAIT, 0, NULL));
    }
    wait_until(asleep(pid));
    works(munmap(a, PAGE));
    same(futex(b, FUTEX_WAKE, 1), 1);
    exits(pid, 0);
}

int main(void)
{
    return tap_run("futex_words");
}

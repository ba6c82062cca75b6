/* Futexes: two words at once, and what a dead owner leaves behind. Locks that inherit priority: futex_pi.c. */
#define _GNU_SOURCE
#include "tap.h"

#include <abi/futex.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define CHILDREN 4
#define FUTEX_OP(op, arg, cmp, cmp_arg) \
    ((uint32_t)(op) << 28 | (uint32_t)(cmp) << 24 | ((arg)&0xfffu) << 12 | ((cmp_arg)&0xfffu))

static struct shared {
    uint32_t word, other;
    uint32_t ready, go;
    struct robust_list_head list;
    struct mutex {
        struct robust_list link;
        uint32_t word;
    } mutex[3];
} * s;

static long futex(uint32_t *word, int op, uint32_t val, const void *timeout, uint32_t *word2,
                  uint32_t val3)
{
    return syscall(SYS_futex, word, op, val, timeout, word2, val3);
}

static uint32_t load(uint32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static void share(void)
{
    s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(s != MAP_FAILED, "mmap");
}

static void nap(void)
{
    nanosleep(&(struct timespec){0, 2000000}, NULL);
}

/* Until PID sleeps in the kernel: the letter in its stat says so. */
static void until_asleep(pid_t pid)
{
    char name[40], text[200];

    snprintf(name, sizeof(name), "/proc/%d/stat", pid);
    for (int i = 0; i < 5000; i++) {
        int fd = works(open(name, O_RDONLY));
        ssize_t n = works(read(fd, text, sizeof(text) - 1));
        works(close(fd));
        text[n] = '\0';
        if (strstr(text, ") S"))
            return;
        nap();
    }
    check(0, "it never slept");
}

static void exits_with(pid_t pid, int expected)
{
    int status;
    works(waitpid(pid, &status, 0));
    check(WIFEXITED(status), "it exited");
    same(WEXITSTATUS(status), expected);
}

/* --- two words at once --- */

static pid_t waiter(uint32_t *word)
{
    pid_t pid = works(fork());
    if (pid == 0) {
        long got = futex(word, FUTEX_WAIT, 0, NULL, NULL, 0);
        _exit(got ? 1 : 0);
    }
    until_asleep(pid);
    return pid;
}

TEST(requeue_wakes_some_and_moves_the_rest)
{
    pid_t pid[CHILDREN];
    share();
    for (int i = 0; i < CHILDREN; i++)
        pid[i] = waiter(&s->word);
    same(futex(&s->word, FUTEX_REQUEUE, 1, (void *)2, &s->other, 0), 1 + 2);
    same(futex(&s->word, FUTEX_WAKE, 100, NULL, NULL, 0), 1);
    same(futex(&s->other, FUTEX_WAKE, 100, NULL, NULL, 0), 2);
    for (int i = 0; i < CHILDREN; i++)
        exits_with(pid[i], 0);
}

TEST(cmp_requeue_looks_at_the_word_first)
{
    share();
    fails(futex(&s->word, FUTEX_CMP_REQUEUE, 1, (void *)1, &s->other, 5), EAGAIN);
    pid_t pid = waiter(&s->word);
    same(futex(&s->word, FUTEX_CMP_REQUEUE, 0, (void *)INT_MAX, &s->other, 0), 1);
    same(futex(&s->word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
    same(futex(&s->other, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
    exits_with(pid, 0);
    fails(futex(&s->word, FUTEX_CMP_REQUEUE, -1, (void *)1, &s->other, 0), EINVAL);
}

TEST(wake_op_changes_the_second_word)
{
    static const struct {
        int op;
        uint32_t arg, before, after;
    } rows[] = {
        {FUTEX_OP_SET, 7, 100, 7},      {FUTEX_OP_ADD, 7, 100, 107},
        {FUTEX_OP_ADD, 0xfff, 100, 99}, /* 12 bits with a sign */
        {FUTEX_OP_OR, 3, 100, 103},     {FUTEX_OP_ANDN, 4, 100, 96},
        {FUTEX_OP_XOR, 5, 100, 97},     {FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 9, 100, 512},
    };
    share();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s->other = rows[i].before;
        same(futex(&s->word, FUTEX_WAKE_OP, 1, (void *)1, &s->other,
                   FUTEX_OP(rows[i].op, rows[i].arg, FUTEX_OP_CMP_EQ, 0)),
             0);
        same(s->other, rows[i].after);
    }
    fails(futex(&s->word, FUTEX_WAKE_OP, 1, (void *)1, &s->other, FUTEX_OP(0, 0, 7, 0)), ENOSYS);
}

TEST(wake_op_wakes_at_the_second_word_if_the_old_value_says_so)
{
    static const struct {
        int cmp, arg;
        bool wakes;
    } rows[] = {
        {FUTEX_OP_CMP_EQ, 0, true},  {FUTEX_OP_CMP_EQ, 1, false}, {FUTEX_OP_CMP_NE, 1, true},
        {FUTEX_OP_CMP_LT, 1, true},  {FUTEX_OP_CMP_LE, 0, true},  {FUTEX_OP_CMP_GT, 0, false},
        {FUTEX_OP_CMP_GE, 1, false},
    };
    share();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        pid_t a = waiter(&s->word), b = waiter(&s->other);
        same(futex(&s->word, FUTEX_WAKE_OP, 10, (void *)10, &s->other,
                   FUTEX_OP(FUTEX_OP_SET, 0, rows[i].cmp, rows[i].arg)),
             1 + rows[i].wakes);
        exits_with(a, 0);
        same(futex(&s->other, FUTEX_WAKE, 10, NULL, NULL, 0), !rows[i].wakes);
        exits_with(b, 0);
    }
}

TEST(a_futex_of_a_file_is_the_same_through_each_mapping)
{
    int fd = works(open("f", O_RDWR | O_CREAT, 0600));
    works(ftruncate(fd, 2 * PAGE));
    char *a = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *b = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
    pid_t pid = waiter((uint32_t *)(a + PAGE + 8));
    same(futex((uint32_t *)(b + 4), FUTEX_WAKE, 1, NULL, NULL, 0), 0);
    same(futex((uint32_t *)(b + 8), FUTEX_WAKE, 1, NULL, NULL, 0), 1);
    exits_with(pid, 0);
}

/* --- robust lists --- */

/* A child that dies with this list registered. */
static void die_with(struct robust_list_head *list)
{
    pid_t pid = works(fork());
    if (pid == 0) {
        for (int i = 0; i < 3; i++)
            s->mutex[i].word |= (uint32_t)getpid();
        if (syscall(SYS_set_robust_list, list, sizeof(*list)))
            _exit(1);
        _exit(0);
    }
    exits_with(pid, 0);
}

static void make_list(void)
{
    share();
    s->list.list.next = &s->mutex[0].link;
    s->mutex[0].link.next = &s->mutex[1].link;
    s->mutex[1].link.next = &s->list.list;
    s->list.futex_offset = (long)offsetof(struct mutex, word);
}

TEST(a_robust_list_marks_what_the_dead_held)
{
    make_list();
    s->mutex[1].word = FUTEX_WAITERS;
    die_with(&s->list);
    same(s->mutex[0].word, FUTEX_OWNER_DIED);
    same(s->mutex[1].word, FUTEX_OWNER_DIED | FUTEX_WAITERS);
    check(s->mutex[2].word && !(s->mutex[2].word & FUTEX_OWNER_DIED), "not on the list");
}

TEST(the_mutex_being_taken_is_marked_too)
{
    make_list();
    s->list.list_op_pending = &s->mutex[2].link;
    die_with(&s->list);
    same(s->mutex[2].word, FUTEX_OWNER_DIED);
}

TEST(who_waits_for_a_mutex_of_the_dead_is_woken)
{
    make_list();
    s->mutex[0].word = FUTEX_WAITERS;
    pid_t owner = works(fork());
    if (owner == 0) {
        s->mutex[0].word |= (uint32_t)getpid();
        syscall(SYS_set_robust_list, &s->list, sizeof(s->list));
        __atomic_store_n(&s->ready, 1, __ATOMIC_SEQ_CST);
        while (!load(&s->go))
            nap();
        _exit(0);
    }
    while (!load(&s->ready))
        nap();
    uint32_t seen = load(&s->mutex[0].word);
    pid_t pid = works(fork());
    if (pid == 0) {
        futex(&s->mutex[0].word, FUTEX_WAIT, seen, NULL, NULL, 0);
        _exit(load(&s->mutex[0].word) & FUTEX_OWNER_DIED ? 0 : 1);
    }
    until_asleep(pid);
    __atomic_store_n(&s->go, 1, __ATOMIC_SEQ_CST);
    exits_with(owner, 0);
    exits_with(pid, 0);
}

TEST(a_ring_that_never_closes_ends)
{
    make_list();
    s->mutex[1].link.next = &s->mutex[0].link;
    die_with(&s->list);
    same(s->mutex[0].word, FUTEX_OWNER_DIED);
}

TEST(a_list_that_leads_nowhere_ends)
{
    make_list();
    s->mutex[0].link.next = NOWHERE;
    die_with(&s->list);
    same(s->mutex[0].word, FUTEX_OWNER_DIED);
    die_with(NOWHERE);
    make_list();
    s->list.futex_offset++;
    die_with(&s->list);
    check(!(s->mutex[0].word & FUTEX_OWNER_DIED), "an odd address is no word");
    make_list();
    s->list.list.next = (void *)0xffff800000000000;
    s->list.list_op_pending = (void *)0xffff800000000000;
    die_with(&s->list);
}

TEST(a_list_on_memory_that_is_gone_is_no_matter)
{
    share();
    struct robust_list_head *list =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = works(fork());
    if (pid == 0) {
        syscall(SYS_set_robust_list, list, sizeof(*list));
        munmap(list, PAGE);
        _exit(0);
    }
    exits_with(pid, 0);
}

TEST(the_list_can_be_asked_for)
{
    struct robust_list_head *got = NULL;
    size_t len = 0;
    make_list();
    fails(syscall(SYS_set_robust_list, &s->list, 1), EINVAL);
    works(syscall(SYS_set_robust_list, &s->list, sizeof(s->list)));
    works(syscall(SYS_get_robust_list, 0, &got, &len));
    check(got == &s->list && len == sizeof(s->list), "what was set");
    fails(syscall(SYS_get_robust_list, 0x3fffffff, &got, &len), ESRCH);
    works(syscall(SYS_set_robust_list, NULL, sizeof(s->list)));
}

int main(void)
{
    return tap_run("futexes");
}

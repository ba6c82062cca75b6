/* Futexes that are locks: FUTEX_LOCK_PI and its relatives, and the priority that they lend. */
#include "futexes.h"

#include <errno.h>
#include <stddef.h>
#include <sys/resource.h>

static void lock(word_t *w)
{
    works(futex(w, FUTEX_LOCK_PI, 0, NULL));
}

static void unlock(word_t *w)
{
    works(futex(w, FUTEX_UNLOCK_PI));
}

static word_t owner(word_t *w)
{
    return load(*w) & FUTEX_TID_MASK;
}

/* A child that takes the lock, says so in *HAS, and gives it back. */
static pid_t locker(word_t *w, word_t *has, word_t value)
{
    pid_t pid;
    CHILD (pid) {
        lock(w);
        same(owner(w), getpid());
        store(*has, value);
        unlock(w);
    }
    wait_until(asleep(pid));
    return pid;
}

TEST(a_free_lock_is_taken_and_named)
{
    word_t *w = shared_words();
    lock(w);
    same(*w, getpid());
    unlock(w);
    same(*w, 0);
}

TEST(a_private_lock_works_as_well)
{
    static word_t w;
    works(futex(&w, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL));
    same(w, getpid());
    works(futex(&w, FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG));
    same(w, 0);
}

TEST(taking_ones_own_lock_is_a_deadlock)
{
    word_t *w = shared_words();
    lock(w);
    fails(futex(w, FUTEX_LOCK_PI, 0, NULL), EDEADLK);
    fails(futex(w, FUTEX_TRYLOCK_PI), EDEADLK);
    same(*w, getpid());
}

TEST(who_waits_gets_the_lock_at_the_unlocking)
{
    word_t *w = shared_words();
    lock(w);
    pid_t pid = locker(w, &w[1], 7);
    same(*w, (uint32_t)getpid() | FUTEX_WAITERS);
    unlock(w);
    exits(pid, 0);
    same(w[1], 7);
    same(*w, 0);
}

TEST(the_word_names_the_next_owner_before_it_has_run)
{
    word_t *w = shared_words();
    pid_t pid;
    lock(w);
    CHILD (pid) {
        lock(w);
        raise(SIGSTOP);
        unlock(w);
    }
    wait_until(asleep(pid));
    unlock(w);
    same(owner(w), pid);
    fails(futex(w, FUTEX_TRYLOCK_PI), EAGAIN);
    waitpid(pid, NULL, WUNTRACED);
    kill(pid, SIGCONT);
    exits(pid, 0);
}

TEST(trylock_takes_what_is_free)
{
    word_t *w = shared_words();
    works(futex(w, FUTEX_TRYLOCK_PI));
    same(*w, getpid());
    unlock(w);
}

TEST(trylock_does_not_wait)
{
    word_t *w = shared_words();
    pid_t pid;
    lock(w);
    CHILD (pid)
        fails(futex(w, FUTEX_TRYLOCK_PI), EAGAIN);
    exits(pid, 0);
    same(owner(w), getpid());
    unlock(w);
    same(*w, 0);
}

TEST(unlocking_another_ones_lock_is_eperm)
{
    word_t *w = shared_words();
    pid_t pid;
    lock(w);
    CHILD (pid)
        fails(futex(w, FUTEX_UNLOCK_PI), EPERM);
    exits(pid, 0);
    store(*w, 0);
    fails(futex(w, FUTEX_UNLOCK_PI), EPERM);
}

TEST(an_owner_that_does_not_exist_is_esrch)
{
    word_t *w = shared_words();
    pid_t pid;
    CHILD (pid)
        ;
    exits(pid, 0);
    *w = (word_t)pid;
    fails(futex(w, FUTEX_LOCK_PI, 0, NULL), ESRCH);
}

TEST(lock_pi_counts_time_by_the_wall_clock)
{
    word_t *w = shared_words();
    pid_t pid;
    lock(w);
    CHILD (pid) {
        struct timespec t = in(CLOCK_REALTIME, 20), past = {1, 0};
        fails(futex(w, FUTEX_LOCK_PI, 0, &t), ETIMEDOUT);
        struct timespec now = in(CLOCK_REALTIME, 0);
        check(now.tv_sec > t.tv_sec || now.tv_nsec >= t.tv_nsec, "not before its time");
        fails(futex(w, FUTEX_LOCK_PI, 0, &past), ETIMEDOUT);
    }
    exits(pid, 0);
    unlock(w);
    same(*w, 0);
}

TEST(lock_pi2_counts_by_either_clock)
{
    word_t *w = shared_words();
    pid_t pid;
    lock(w);
    CHILD (pid) {
        struct timespec mono = in(CLOCK_MONOTONIC, 10), real = in(CLOCK_REALTIME, 20);
        fails(futex(w, FUTEX_LOCK_PI2, 0, &mono), ETIMEDOUT);
        fails(futex(w, FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME, 0, &real), ETIMEDOUT);
    }
    exits(pid, 0);
    fails(futex(w, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, NULL), ENOSYS);
}

TEST(a_circle_of_two_is_a_deadlock)
{
    word_t *w = shared_words();
    pid_t pid;
    lock(&w[0]);
    CHILD (pid) {
        lock(&w[1]);
        lock(&w[0]);
        unlock(&w[0]);
        unlock(&w[1]);
    }
    wait_until(owner(&w[1]) == (word_t)pid && asleep(pid));
    fails(futex(&w[1], FUTEX_LOCK_PI, 0, NULL), EDEADLK);
    unlock(&w[0]);
    exits(pid, 0);
}

TEST(a_circle_of_three_is_a_deadlock)
{
    word_t *w = shared_words();
    pid_t a, b;
    lock(&w[0]);
    CHILD (a) {
        lock(&w[1]);
        lock(&w[0]);
        unlock(&w[0]);
        unlock(&w[1]);
    }
    wait_until(owner(&w[1]) == (word_t)a && asleep(a));
    CHILD (b) {
        lock(&w[2]);
        lock(&w[1]);
        unlock(&w[1]);
        unlock(&w[2]);
    }
    wait_until(owner(&w[2]) == (word_t)b && asleep(b));
    fails(futex(&w[2], FUTEX_LOCK_PI, 0, NULL), EDEADLK);
    unlock(&w[0]);
    exits(a, 0);
    exits(b, 0);
}

static void set_fifo(int priority)
{
    works(sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){priority}));
}

/* PID's priority as the scheduler sees it: field 18 of stat; -1 - the real-time priority. */
static int priority_of(pid_t pid)
{
    char name[32], text[512] = "";
    snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
    int fd = works(open(name, O_RDONLY)), n = 0;
    works(read(fd, text, sizeof(text) - 1));
    close(fd);
    char *p = strrchr(text, ')');
    for (; p && n < 16; n++)
        p = strchr(p + 1, ' ');
    return p ? atoi(p + 1) : 0;
}

TEST(the_most_urgent_waiter_is_next)
{
    word_t *w = shared_words();
    pid_t pid[3];
    static const int priority[] = {10, 30, 20};
    lock(w);
    for (int i = 0; i < 3; i++) {
        CHILD (pid[i]) {
            set_fifo(priority[i]);
            lock(w);
            w[1] = w[1] * 10 + (word_t)i + 1;
            unlock(w);
        }
        wait_until(asleep(pid[i]));
    }
    unlock(w);
    for (int i = 0; i < 3; i++)
        exits(pid[i], 0);
    same(w[1], 231);
}

TEST(equals_come_in_their_order)
{
    word_t *w = shared_words();
    pid_t pid[3];
    lock(w);
    for (int i = 0; i < 3; i++) {
        CHILD (pid[i]) {
            lock(w);
            w[1] = w[1] * 10 + (word_t)i + 1;
            unlock(w);
        }
        wait_until(asleep(pid[i]));
    }
    unlock(w);
    for (int i = 0; i < 3; i++)
        exits(pid[i], 0);
    same(w[1], 123);
}

TEST(the_owner_is_lent_the_waiters_priority)
{
    word_t *w = shared_words();
    pid_t pid;
    same(priority_of(getpid()), 20 + getpriority(PRIO_PROCESS, 0));
    lock(w);
    CHILD (pid) {
        set_fifo(40);
        lock(w);
        unlock(w);
    }
    wait_until(priority_of(getpid()) == -41);
    same(sched_getscheduler(0), SCHED_OTHER);
    unlock(w);
    same(priority_of(getpid()), 20 + getpriority(PRIO_PROCESS, 0));
    exits(pid, 0);
}

TEST(what_is_lent_goes_when_the_waiter_gives_up)
{
    word_t *w = shared_words();
    bool lent = false;
    lock(w);
    /* On a busy machine it waits for longer, lest it has given up before it is looked at. */
    for (long ms = 100; !lent; ms *= 5) {
        siginfo_t end = {0};
        pid_t pid;
        CHILD (pid) {
            set_fifo(40);
            struct timespec t = in(CLOCK_REALTIME, ms);
            fails(futex(w, FUTEX_LOCK_PI, 0, &t), ETIMEDOUT);
        }
        while (!(lent = priority_of(getpid()) == -41) && !end.si_pid) {
            works(waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT));
            pause_a_little();
        }
        exits(pid, 0);
        check(lent || ms < 100000, "nothing was lent");
    }
    same(priority_of(getpid()), 20 + getpriority(PRIO_PROCESS, 0));
    unlock(w);
}

TEST(priority_is_lent_from_owner_to_owner)
{
    word_t *w = shared_words();
    pid_t middle, high;
    lock(&w[0]);
    CHILD (middle) {
        lock(&w[1]);
        lock(&w[0]);
        unlock(&w[0]);
        unlock(&w[1]);
    }
    wait_until(owner(&w[1]) == (word_t)middle && asleep(middle));
    CHILD (high) {
        set_fifo(50);
        lock(&w[1]);
        unlock(&w[1]);
    }
    wait_until(priority_of(middle) == -51);
    same(priority_of(getpid()), -51);
    unlock(&w[0]);
    same(priority_of(getpid()), 20 + getpriority(PRIO_PROCESS, 0));
    exits(middle, 0);
    exits(high, 0);
}

TEST(a_waiters_new_priority_is_lent_too)
{
    word_t *w = shared_words();
    lock(w);
    pid_t pid = locker(w, &w[1], 1);
    same(priority_of(getpid()), 20 + getpriority(PRIO_PROCESS, 0));
    works(sched_setscheduler(pid, SCHED_RR, &(struct sched_param){9}));
    same(priority_of(getpid()), -10);
    works(sched_setscheduler(pid, SCHED_OTHER, &(struct sched_param){0}));
    same(priority_of(getpid()), 20 + getpriority(PRIO_PROCESS, 0));
    unlock(w);
    exits(pid, 0);
}

TEST(a_dead_owners_lock_goes_to_who_waits)
{
    word_t *w = shared_words();
    pid_t pid;
    CHILD (pid) {
        lock(w);
        wait_until(load(w[1]));
    }
    wait_until(owner(w) == (word_t)pid);
    pid_t waiter;
    CHILD (waiter) {
        lock(w);
        same(owner(w), getpid());
        check(load(*w) & FUTEX_OWNER_DIED, "the word tells of the death");
    }
    wait_until(asleep(waiter));
    store(w[1], 1);
    exits(pid, 0);
    exits(waiter, 0);
}

TEST(a_robust_list_marks_a_dead_owners_lock)
{
    struct {
        struct robust_list link;
        word_t word;
    } *m = (void *)shared_words();
    pid_t pid;
    CHILD (pid) {
        static struct robust_list_head head;
        head.list.next = (void *)((uintptr_t)&m->link | 1); /* a lock that lends priority */
        m->link.next = &head.list;
        head.futex_offset = (char *)&m->word - (char *)&m->link;
        works(syscall(SYS_set_robust_list, &head, sizeof(head)));
        lock(&m->word);
    }
    exits(pid, 0);
    same(m->word, FUTEX_OWNER_DIED);
    lock(&m->word);
    same(m->word, FUTEX_OWNER_DIED | (word_t)getpid());
    unlock(&m->word);
    same(m->word, 0);
}

static void nothing(int sig)
{
    (void)sig;
}

TEST(a_signal_does_not_end_the_wait)
{
    word_t *w = shared_words();
    pid_t pid;
    lock(w);
    CHILD (pid) {
        struct sigaction sa = {.sa_handler = nothing};
        works(sigaction(SIGUSR1, &sa, NULL));
        store(w[1], 1);
        lock(w);
        unlock(w);
    }
    wait_until(load(w[1]) && asleep(pid));
    for (int i = 0; i < 5; i++) {
        kill(pid, SIGUSR1);
        pause_a_little();
    }
    wait_until(asleep(pid));
    unlock(w);
    exits(pid, 0);
}

TEST(a_killed_waiter_leaves_the_queue)
{
    word_t *w = shared_words();
    lock(w);
    pid_t killed = locker(w, &w[1], 1), other = locker(w, &w[1], 2);
    kill(killed, SIGKILL);
    dies(killed, SIGKILL);
    unlock(w);
    exits(other, 0);
    same(w[1], 2);
}

TEST(waking_who_waits_for_a_lock_is_refused)
{
    word_t *w = shared_words();
    lock(w);
    pid_t pid = locker(w, &w[1], 1);
    fails(futex(w, FUTEX_WAKE, 1), EINVAL);
    fails(futex(w, FUTEX_REQUEUE, 0, 1, &w[2]), EINVAL);
    unlock(w);
    exits(pid, 0);
}

TEST(a_plain_waiter_and_a_lock_do_not_mix)
{
    word_t *w = shared_words();
    pid_t pid, other;
    lock(w);
    word_t value = *w;
    CHILD (pid)
        works(futex(w, FUTEX_WAIT, value, NULL));
    wait_until(asleep(pid));
    CHILD (other)
        fails(futex(w, FUTEX_LOCK_PI, 0, NULL), EINVAL);
    exits(other, 0);
    fails(futex(w, FUTEX_UNLOCK_PI), EINVAL);
    same(futex(w, FUTEX_WAKE, 1), 1);
    exits(pid, 0);
}

TEST(a_forged_word_is_refused)
{
    word_t *w = shared_words();
    lock(w);
    pid_t pid = locker(w, &w[1], 1), other;
    store(*w, (word_t)pid | FUTEX_WAITERS);
    CHILD (other)
        fails(futex(w, FUTEX_LOCK_PI, 0, NULL), EINVAL);
    exits(other, 0);
    store(*w, (word_t)getpid() | FUTEX_WAITERS);
    unlock(w);
    exits(pid, 0);
}

TEST(words_must_be_aligned_mapped_and_writable)
{
    char *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    word_t *w = shared_words();
    fails(futex((char *)w + 2, FUTEX_LOCK_PI, 0, NULL), EINVAL);
    fails(futex((char *)w + 2, FUTEX_TRYLOCK_PI), EINVAL);
    fails(futex(NOWHERE, FUTEX_LOCK_PI, 0, NULL), EFAULT);
    fails(futex(NOWHERE, FUTEX_UNLOCK_PI), EFAULT);
    fails(futex(p, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL), EFAULT);
}

TEST(many_threads_of_control_count_right)
{
    word_t *w = shared_words();
    pid_t pid[4];
    for (int i = 0; i < 4; i++) {
        CHILD (pid[i])
            for (int n = 0; n < 500; n++) {
                lock(w);
                w[1]++;
                unlock(w);
            }
    }
    for (int i = 0; i < 4; i++)
        exits(pid[i], 0);
    same(w[1], 2000);
    same(owner(w), 0);
}

/* --- from a condition to a lock --- */

/* A child that waits for the condition w[2] and then has the lock w[0]. */
static pid_t cond_waiter(word_t *w, word_t digit)
{
    pid_t pid;
    CHILD (pid) {
        works(futex(&w[2], FUTEX_WAIT_REQUEUE_PI, 0, NULL, &w[0], 0));
        same(owner(w), getpid());
        w[1] = w[1] * 10 + digit;
        unlock(w);
    }
    wait_until(asleep(pid));
    return pid;
}

TEST(the_first_of_a_condition_gets_a_free_lock)
{
    word_t *w = shared_words();
    pid_t pid = cond_waiter(w, 1);
    same(futex(&w[2], FUTEX_CMP_REQUEUE_PI, 1, 0, &w[0], 0), 1);
    exits(pid, 0);
    same(w[1], 1);
    same(*w, 0);
}

TEST(the_others_wait_for_the_lock)
{
    word_t *w = shared_words();
    pid_t pid[3];
    for (int i = 0; i < 3; i++)
        pid[i] = cond_waiter(w, (word_t)i + 1);
    same(futex(&w[2], FUTEX_CMP_REQUEUE_PI, 1, INT32_MAX, &w[0], 0), 3);
    for (int i = 0; i < 3; i++)
        exits(pid[i], 0);
    same(w[1], 123);
    same(*w, 0);
}

TEST(a_taken_lock_is_waited_for_by_all)
{
    word_t *w = shared_words();
    pid_t a = cond_waiter(w, 1), b = cond_waiter(w, 2);
    lock(w);
    same(futex(&w[2], FUTEX_CMP_REQUEUE_PI, 1, 1, &w[0], 0), 2);
    check(load(*w) & FUTEX_WAITERS, "they wait for the lock now");
    same(w[1], 0);
    unlock(w);
    exits(a, 0);
    exits(b, 0);
    same(w[1], 12);
}

TEST(a_condition_says_which_lock_it_means)
{
    word_t *w = shared_words();
    pid_t pid = cond_waiter(w, 1);
    fails(futex(&w[2], FUTEX_CMP_REQUEUE_PI, 1, 0, &w[3], 0), EINVAL);
    fails(futex(&w[2], FUTEX_CMP_REQUEUE, 1, 0, &w[0], 0), EINVAL);
    fails(futex(&w[2], FUTEX_WAKE, 1), EINVAL);
    same(futex(&w[2], FUTEX_CMP_REQUEUE_PI, 1, 0, &w[0], 0), 1);
    exits(pid, 0);
}

TEST(moving_to_a_lock_checks_its_arguments)
{
    word_t *w = shared_words();
    fails(futex(&w[2], FUTEX_CMP_REQUEUE_PI, 2, 0, &w[0], 0), EINVAL);
    fails(futex(&w[2], FUTEX_CMP_REQUEUE_PI, 1, -1, &w[0], 0), EINVAL);
    fails(futex(&w[2], FUTEX_CMP_REQUEUE_PI, 1, 0, &w[2], 0), EINVAL);
    fails(futex(&w[2], FUTEX_CMP_REQUEUE_PI, 1, 0, &w[0], 5), EAGAIN);
    same(futex(&w[2], FUTEX_CMP_REQUEUE_PI, 1, 0, &w[0], 0), 0);
    fails(futex(&w[2], FUTEX_WAIT_REQUEUE_PI, 0, NULL, &w[2], 0), EINVAL);
    fails(futex(&w[2], FUTEX_WAIT_REQUEUE_PI, 5, NULL, &w[0], 0), EAGAIN);
}

TEST(a_condition_is_waited_for_until_its_time)
{
    word_t *w = shared_words();
    struct timespec mono = in(CLOCK_MONOTONIC, 10), real = in(CLOCK_REALTIME, 20);
    fails(futex(&w[2], FUTEX_WAIT_REQUEUE_PI, 0, &mono, &w[0], 0), ETIMEDOUT);
    fails(futex(&w[2], FUTEX_WAIT_REQUEUE_PI | FUTEX_CLOCK_REALTIME, 0, &real, &w[0], 0),
          ETIMEDOUT);
}

int main(void)
{
    return tap_run("futex_pi");
}

/* musl: System V semaphores. */
#include "sysvsem.h"

TEST(a_new_set_is_zero)
{
    int id = sems(3);
    for (int i = 0; i < 3; i++)
        same(value(id, i), 0);
    done(id);
}

TEST(keys_find_sets)
{
    key_t key = fresh_key();
    fails(semget(key, 1, 0600), ENOENT);
    int id = works(semget(key, 2, IPC_CREAT | 0600));
    same(semget(key, 0, 0), id);
    same(semget(key, 2, IPC_CREAT | 0600), id);
    fails(semget(key, 2, IPC_CREAT | IPC_EXCL), EEXIST);
    fails(semget(key, 3, 0600), EINVAL);
    done(id);
    fails(semget(key, 1, 0600), ENOENT);
}

TEST(sizes_that_cannot_be)
{
    fails(semget(IPC_PRIVATE, 0, 0600), EINVAL);
    fails(semget(IPC_PRIVATE, -1, 0600), EINVAL);
    fails(semget(IPC_PRIVATE, INT_MAX, 0600), EINVAL);
}

TEST(add_and_subtract)
{
    int id = sems(1);
    works(op(id, 0, 5, 0));
    same(value(id, 0), 5);
    works(op(id, 0, -3, 0));
    same(value(id, 0), 2);
    fails(op(id, 0, -3, IPC_NOWAIT), EAGAIN);
    same(value(id, 0), 2);
    done(id);
}

TEST(wait_for_zero)
{
    int id = sems(1);
    works(op(id, 0, 0, IPC_NOWAIT));
    works(op(id, 0, 1, 0));
    fails(op(id, 0, 0, IPC_NOWAIT), EAGAIN);
    done(id);
}

TEST(a_group_is_all_or_nothing)
{
    int id = sems(3);
    set_value(id, 0, 1);
    struct sembuf ops[] = {{0, -1, 0}, {1, 1, 0}, {2, -1, IPC_NOWAIT}};
    fails(semop(id, ops, 3), EAGAIN);
    same(value(id, 0), 1);
    same(value(id, 1), 0);
    set_value(id, 2, 1);
    works(semop(id, ops, 3));
    same(value(id, 0), 0);
    same(value(id, 1), 1);
    same(value(id, 2), 0);
    done(id);
}

TEST(a_group_sees_its_own_steps)
{
    int id = sems(1);
    struct sembuf up_down[] = {{0, 1, 0}, {0, -1, 0}, {0, 0, IPC_NOWAIT}};
    works(semop(id, up_down, 3));
    struct sembuf zero_up[] = {{0, 0, 0}, {0, 1, 0}}; /* the classic lock */
    works(semop(id, zero_up, 2));
    same(value(id, 0), 1);
    zero_up[0].sem_flg = IPC_NOWAIT;
    fails(semop(id, zero_up, 2), EAGAIN);
    done(id);
}

TEST(nowait_counts_for_the_operation_that_is_stuck)
{
    int id = sems(2);
    struct sembuf ops[] = {{0, -1, IPC_NOWAIT}, {1, -1, 0}};
    fails(semop(id, ops, 2), EAGAIN);
    done(id);
}

TEST(values_have_a_limit)
{
    int id = sems(2);
    set_value(id, 0, VALUE_MAX);
    fails(op(id, 0, 1, 0), ERANGE);
    struct sembuf ops[] = {{1, 1, 0}, {0, 1, 0}};
    fails(semop(id, ops, 2), ERANGE);
    same(value(id, 1), 0);
    fails(semctl(id, 0, SETVAL, (union argument){.val = VALUE_MAX + 1}), ERANGE);
    fails(semctl(id, 0, SETVAL, (union argument){.val = -1}), ERANGE);
    done(id);
}

TEST(semaphores_that_are_not_there)
{
    int id = sems(2);
    fails(op(id, 2, 1, 0), EFBIG);
    fails(semctl(id, 2, GETVAL), EINVAL);
    fails(semctl(id, -1, GETVAL), EINVAL);
    fails(semctl(id, 2, SETVAL, (union argument){.val = 1}), EINVAL);
    done(id);
}

TEST(groups_that_are_too_small_or_too_large)
{
    int id = sems(1);
    static struct sembuf many[100000];
    fails(semop(id, many, 0), EINVAL);
    fails(semop(id, many, 100000), E2BIG);
    works(semop(id, many, 500));
    done(id);
}

TEST(bad_pointers_are_efault)
{
    int id = sems(1);
    fails(semop(id, NOWHERE, 1), EFAULT);
    fails(control(id, 0, IPC_STAT, NOWHERE), EFAULT);
    fails(control(id, 0, IPC_SET, NOWHERE), EFAULT);
    fails(control(id, 0, GETALL, NOWHERE), EFAULT);
    fails(control(id, 0, SETALL, NOWHERE), EFAULT);
    fails(control(id, 0, IPC_INFO, NOWHERE), EFAULT);
    fails(syscall(SYS_semtimedop, id, &(struct sembuf){0}, 1, NOWHERE), EFAULT);
    done(id);
}

TEST(ids_that_are_none)
{
    int id = sems(1);
    fails(op(-1, 0, 1, 0), EINVAL);
    fails(op(id + 32768, 0, 1, 0), EINVAL);
    fails(semctl(-1, 0, GETVAL), EINVAL);
    done(id);
    fails(op(id, 0, 1, 0), EINVAL);
    fails(semctl(id, 0, IPC_RMID), EINVAL);
}

TEST(get_and_set_all)
{
    int id = sems(3);
    unsigned short v[3] = {7, 0, VALUE_MAX}, got[3];
    works(control(id, 0, SETALL, v));
    works(control(id, 0, GETALL, got));
    for (int i = 0; i < 3; i++)
        same(got[i], v[i]);
    v[1] = VALUE_MAX + 1;
    fails(control(id, 0, SETALL, v), ERANGE);
    same(value(id, 1), 0);
    done(id);
}

TEST(getpid_is_who_changed_it_last)
{
    int id = sems(2);
    same(semctl(id, 0, GETPID), 0);
    pid_t pid;
    CHILD (pid)
        works(op(id, 0, 1, 0));
    exits(pid, 0);
    same(semctl(id, 0, GETPID), pid);
    set_value(id, 0, 1);
    same(semctl(id, 0, GETPID), getpid());
    same(semctl(id, 1, GETPID), 0);
    works(op(id, 1, 0, 0)); /* a wait for zero counts */
    same(semctl(id, 1, GETPID), getpid());
    done(id);
}

TEST(stat_tells_times_and_size)
{
    struct semid_ds ds;
    int id = sems(4);
    works(control(id, 0, IPC_STAT, &ds));
    same(ds.sem_nsems, 4);
    same(ds.sem_otime, 0);
    check(ds.sem_ctime >= time(NULL) - 2, "made now");
    same(ds.sem_perm.mode, 0600);
    same(ds.sem_perm.uid, geteuid());
    works(op(id, 0, 1, 0));
    works(control(id, 0, IPC_STAT, &ds));
    check(ds.sem_otime >= time(NULL) - 2, "used now");
    done(id);
}

TEST(a_waiter_goes_on_when_it_can)
{
    int id = sems(1);
    pid_t pid;
    CHILD (pid)
        works(op(id, 0, -2, 0));
    wait_until(semctl(id, 0, GETNCNT) == 1);
    works(op(id, 0, 1, 0));
    same(semctl(id, 0, GETNCNT), 1);
    works(op(id, 0, 2, 0));
    exits(pid, 0);
    same(value(id, 0), 1);
    same(semctl(id, 0, GETPID), pid);
    done(id);
}

TEST(a_waiter_for_zero_goes_on_at_zero)
{
    int id = sems(1);
    set_value(id, 0, 2);
    pid_t pid;
    CHILD (pid)
        works(op(id, 0, 0, 0));
    wait_until(semctl(id, 0, GETZCNT) == 1);
    same(semctl(id, 0, GETNCNT), 0);
    works(op(id, 0, -1, 0));
    same(semctl(id, 0, GETZCNT), 1);
    works(op(id, 0, -1, 0));
    exits(pid, 0);
    done(id);
}

TEST(setval_wakes)
{
    int id = sems(1);
    pid_t pid;
    CHILD (pid)
        works(op(id, 0, -3, 0));
    wait_until(semctl(id, 0, GETNCNT) == 1);
    set_value(id, 0, 4);
    exits(pid, 0);
    same(value(id, 0), 1);
    done(id);
}

TEST(setall_wakes)
{
    int id = sems(2);
    unsigned short v[2] = {1, 1};
    pid_t pid;
    CHILD (pid) {
        struct sembuf ops[] = {{0, -1, 0}, {1, -1, 0}};
        works(semop(id, ops, 2));
    }
    wait_until(semctl(id, 0, GETNCNT) == 1);
    works(control(id, 0, SETALL, v));
    exits(pid, 0);
    same(value(id, 0) + value(id, 1), 0);
    done(id);
}

TEST(the_stuck_operation_is_the_one_that_is_counted)
{
    int id = sems(2);
    set_value(id, 0, 1);
    pid_t pid;
    CHILD (pid) {
        struct sembuf ops[] = {{0, -1, 0}, {1, -1, 0}};
        works(semop(id, ops, 2));
    }
    wait_until(semctl(id, 1, GETNCNT) == 1);
    same(semctl(id, 0, GETNCNT), 0);
    same(value(id, 0), 1);
    works(op(id, 1, 1, 0));
    exits(pid, 0);
    done(id);
}

TEST(one_change_may_set_off_others)
{
    int id = sems(3);
    pid_t a, b;
    CHILD (a) {
        struct sembuf ops[] = {{0, -1, 0}, {1, 1, 0}};
        works(semop(id, ops, 2));
    }
    CHILD (b) {
        struct sembuf ops[] = {{1, -1, 0}, {2, 1, 0}};
        works(semop(id, ops, 2));
    }
    wait_until(semctl(id, 0, GETNCNT) == 1 && semctl(id, 1, GETNCNT) == 1);
    works(op(id, 0, 1, 0));
    exits(a, 0);
    exits(b, 0);
    same(value(id, 0), 0);
    same(value(id, 1), 0);
    same(value(id, 2), 1);
    done(id);
}

TEST(removal_wakes_with_eidrm)
{
    int id = sems(2);
    pid_t a, b;
    CHILD (a)
        fails(op(id, 0, -1, 0), EIDRM);
    set_value(id, 1, 1);
    CHILD (b)
        fails(op(id, 1, 0, 0), EIDRM);
    wait_until(semctl(id, 0, GETNCNT) == 1 && semctl(id, 1, GETZCNT) == 1);
    done(id);
    exits(a, 0);
    exits(b, 0);
}

static void nothing(int sig)
{
    (void)sig;
}

TEST(a_signal_ends_the_wait_even_with_restart)
{
    int id = sems(1);
    pid_t pid;
    CHILD (pid) {
        struct sigaction sa = {.sa_handler = nothing, .sa_flags = SA_RESTART};
        works(sigaction(SIGUSR1, &sa, NULL));
        fails(op(id, 0, -1, 0), EINTR);
    }
    wait_until(semctl(id, 0, GETNCNT) == 1);
    works(kill(pid, SIGUSR1));
    exits(pid, 0);
    same(semctl(id, 0, GETNCNT), 0);
    done(id);
}

TEST(time_runs_out)
{
    int id = sems(1);
    struct sembuf b = {0, -1, 0};
    struct timespec before, after, t = {.tv_nsec = 30000000};
    works(clock_gettime(CLOCK_MONOTONIC, &before));
    fails(semtimedop(id, &b, 1, &t), EAGAIN);
    works(clock_gettime(CLOCK_MONOTONIC, &after));
    long ns = (after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec;
    check(ns >= 30000000, "it waited %ld ns", ns);
    same(semctl(id, 0, GETNCNT), 0);
    set_value(id, 0, 1);
    t.tv_nsec = 0;
    works(semtimedop(id, &b, 1, &t));
    done(id);
}

TEST(times_that_are_none)
{
    int id = sems(1);
    struct sembuf b = {0, -1, 0};
    fails(semtimedop(id, &b, 1, &(struct timespec){.tv_nsec = 1000000000}), EINVAL);
    fails(semtimedop(id, &b, 1, &(struct timespec){.tv_sec = -1}), EINVAL);
    fails(semtimedop(id, &b, 1, &(struct timespec){.tv_nsec = -1}), EINVAL);
    done(id);
}

int main(void)
{
    return tap_run("sem");
}

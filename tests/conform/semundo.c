/* musl: what SEM_UNDO undoes, and who may do what to semaphores. */
#include "sysvsem.h"

TEST(undo_gives_back_what_was_taken)
{
    int id = sems(2);
    set_value(id, 0, 1);
    pid_t pid;
    CHILD (pid) {
        works(op(id, 0, -1, SEM_UNDO));
        works(op(id, 1, 3, SEM_UNDO));
        same(value(id, 0), 0);
    }
    exits(pid, 0);
    same(value(id, 0), 1);
    same(value(id, 1), 0);
    same(semctl(id, 0, GETPID), pid);
    done(id);
}

TEST(undo_happens_when_killed)
{
    int id = sems(1), p[2];
    char byte;
    works(pipe(p));
    set_value(id, 0, 1);
    pid_t pid;
    CHILD (pid) {
        works(op(id, 0, -1, SEM_UNDO));
        same(write(p[1], "x", 1), 1);
        for (;;)
            pause();
    }
    same(read(p[0], &byte, 1), 1);
    same(value(id, 0), 0);
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
    same(value(id, 0), 1);
    done(id);
}

TEST(undo_wakes_who_waits)
{
    int id = sems(1), p[2];
    char byte;
    works(pipe(p));
    set_value(id, 0, 1);
    pid_t holder, waiter;
    CHILD (holder) {
        works(op(id, 0, -1, SEM_UNDO));
        works(close(p[1]));
        read(p[0], &byte, 1);
    }
    wait_until(value(id, 0) == 0);
    CHILD (waiter) {
        works(close(p[1]));
        works(op(id, 0, -1, 0));
    }
    wait_until(semctl(id, 0, GETNCNT) == 1);
    works(close(p[1]));
    exits(holder, 0);
    exits(waiter, 0);
    done(id);
}

TEST(undo_never_makes_a_value_negative)
{
    int id = sems(1), p[2];
    char byte;
    works(pipe(p));
    pid_t pid;
    CHILD (pid) {
        works(close(p[1]));
        works(op(id, 0, 5, SEM_UNDO));
        read(p[0], &byte, 1);
    }
    wait_until(value(id, 0) == 5);
    works(op(id, 0, -3, 0));
    works(close(p[1]));
    exits(pid, 0);
    same(value(id, 0), 0);
    done(id);
}

TEST(undo_never_passes_the_maximum)
{
    int id = sems(1), p[2];
    char byte;
    works(pipe(p));
    set_value(id, 0, 10);
    pid_t pid;
    CHILD (pid) {
        works(close(p[1]));
        works(op(id, 0, -10, SEM_UNDO));
        read(p[0], &byte, 1);
    }
    wait_until(value(id, 0) == 0);
    works(op(id, 0, VALUE_MAX - 1, 0));
    works(close(p[1]));
    exits(pid, 0);
    same(value(id, 0), VALUE_MAX);
    done(id);
}

TEST(setval_forgets_undo)
{
    int id = sems(2), p[2];
    char byte;
    works(pipe(p));
    set_value(id, 0, 1);
    set_value(id, 1, 1);
    pid_t pid;
    CHILD (pid) {
        works(close(p[1]));
        struct sembuf ops[] = {{0, -1, SEM_UNDO}, {1, -1, SEM_UNDO}};
        works(semop(id, ops, 2));
        read(p[0], &byte, 1);
    }
    wait_until(value(id, 1) == 0);
    set_value(id, 0, 7);
    works(close(p[1]));
    exits(pid, 0);
    same(value(id, 0), 7);
    same(value(id, 1), 1);
    done(id);
}

TEST(setall_forgets_undo)
{
    int id = sems(1), p[2];
    char byte;
    unsigned short v[1] = {3};
    works(pipe(p));
    pid_t pid;
    CHILD (pid) {
        works(close(p[1]));
        works(op(id, 0, 2, SEM_UNDO));
        read(p[0], &byte, 1);
    }
    wait_until(value(id, 0) == 2);
    works(control(id, 0, SETALL, v));
    works(close(p[1]));
    exits(pid, 0);
    same(value(id, 0), 3);
    done(id);
}

TEST(undo_of_a_removed_set_is_nothing)
{
    int id = sems(1), p[2];
    char byte;
    works(pipe(p));
    pid_t pid;
    CHILD (pid) {
        works(close(p[1]));
        works(op(id, 0, 2, SEM_UNDO));
        read(p[0], &byte, 1);
    }
    wait_until(value(id, 0) == 2);
    done(id);
    works(close(p[1]));
    exits(pid, 0);
}

TEST(undo_of_a_group_that_fails_is_nothing)
{
    int id = sems(2);
    pid_t pid;
    CHILD (pid) {
        struct sembuf ops[] = {{0, 5, SEM_UNDO}, {1, -1, IPC_NOWAIT}};
        fails(semop(id, ops, 2), EAGAIN);
        works(op(id, 0, 1, 0));
    }
    exits(pid, 0);
    same(value(id, 0), 1);
    done(id);
}

TEST(undo_has_a_limit)
{
    int id = sems(1);
    works(op(id, 0, VALUE_MAX, SEM_UNDO));
    works(op(id, 0, -VALUE_MAX, 0));
    works(op(id, 0, 1, SEM_UNDO)); /* -32768 still fits */
    fails(op(id, 0, 1, SEM_UNDO), ERANGE);
    same(value(id, 0), 1);
    done(id);
}

TEST(a_forked_child_undoes_nothing_of_its_parent)
{
    int id = sems(1);
    works(op(id, 0, 4, SEM_UNDO));
    pid_t pid;
    CHILD (pid)
        ;
    exits(pid, 0);
    same(value(id, 0), 4);
    done(id);
}

TEST(undo_survives_exec)
{
    int id = sems(1), p[2], q[2];
    works(pipe(p));
    works(pipe(q));
    pid_t pid;
    CHILD (pid) {
        works(op(id, 0, 4, SEM_UNDO));
        works(dup2(p[0], 0));
        works(dup2(q[1], 1));
        for (int fd = 3; fd < 20; fd++)
            close(fd);
        execl("/bin/cat", "cat", NULL);
        execl("/bin/busybox", "cat", NULL);
        _exit(1);
    }
    char byte;
    same(write(p[1], "x", 1), 1);
    same(read(q[0], &byte, 1), 1); /* the new program is there */
    same(value(id, 0), 4);
    works(close(p[0]));
    works(close(p[1]));
    exits(pid, 0);
    same(value(id, 0), 0);
    done(id);
}

static int child_of_sysvsem(void *arg)
{
    return op(*(int *)arg, 0, 3, SEM_UNDO) ? 1 : 0;
}

TEST(clone_sysvsem_shares_undo)
{
    static char stack[65536] __attribute__((aligned(16)));
    int id = sems(1);
    pid_t pid;
    CHILD (pid) {
        pid_t inner =
            works(clone(child_of_sysvsem, stack + sizeof(stack), CLONE_SYSVSEM | SIGCHLD, &id));
        exits(inner, 0);
        same(value(id, 0), 3); /* it is to be undone when both have ended */
    }
    exits(pid, 0);
    same(value(id, 0), 0);
    done(id);
}

TEST(modes_and_owners)
{
    struct semid_ds ds;
    int id = sems(1);
    works(control(id, 0, IPC_STAT, &ds));
    ds.sem_perm.mode = 0604;
    works(control(id, 0, IPC_SET, &ds));
    pid_t pid;
    CHILD (pid) {
        works(setgid(NOBODY));
        works(setuid(NOBODY));
        works(op(id, 0, 0, 0));
        fails(op(id, 0, 1, 0), EACCES);
        same(value(id, 0), 0);
        fails(semctl(id, 0, SETVAL, (union argument){.val = 1}), EACCES);
        fails(control(id, 0, SETALL, (unsigned short[]){1}), EACCES);
        fails(semctl(id, 0, IPC_RMID), EPERM);
        fails(control(id, 0, IPC_SET, &ds), EPERM);
    }
    exits(pid, 0);
    done(id);
}

TEST(unreadable_to_others)
{
    struct semid_ds ds;
    int id = works(semget(IPC_PRIVATE, 1, 0));
    pid_t pid;
    CHILD (pid) {
        works(setgid(NOBODY));
        works(setuid(NOBODY));
        fails(control(id, 0, IPC_STAT, &ds), EACCES);
        fails(semctl(id, 0, GETVAL), EACCES);
        fails(op(id, 0, 0, 0), EACCES);
    }
    exits(pid, 0);
    done(id);
}

TEST(info_and_stat_by_index)
{
    struct seminfo info;
    struct semid_ds ds;
    int id = sems(3);
    check(works(control(0, 0, IPC_INFO, &info)) >= id % 32768, "highest index");
    same(info.semvmx, VALUE_MAX);
    check(info.semmni > 0 && info.semmsl > 0 && info.semopm > 0, "limits");
    works(control(0, 0, SEM_INFO, &info));
    check(info.semusz >= 1 && info.semaem >= 3, "sets and semaphores in use");
    same(control(id % 32768, 0, SEM_STAT, &ds), id);
    same(ds.sem_nsems, 3);
    done(id);
}

TEST(commands_that_are_none)
{
    int id = sems(1);
    fails(semctl(id, 0, 99), EINVAL);
    fails(semctl(id, 0, -1), EINVAL);
    done(id);
}

TEST(proc_shows_the_set)
{
    char line[256];
    int id = sems(6), found = 0, key, got, mode, n;
    FILE *f = fopen("/proc/sysvipc/sem", "r");
    check(f, "the file opens");
    while (fgets(line, sizeof(line), f))
        if (sscanf(line, "%d %d %o %d", &key, &got, &mode, &n) == 4 && got == id)
            found = mode == 0600 && n == 6;
    same(found, 1);
    done(id);
}

TEST(limits_are_in_proc)
{
    int v[4];
    FILE *f = fopen("/proc/sys/kernel/sem", "r");
    check(f, "the file opens");
    same(fscanf(f, "%d %d %d %d", v, v + 1, v + 2, v + 3), 4);
    fails(semget(IPC_PRIVATE, v[0] + 1, 0600), EINVAL);
}

int main(void)
{
    return tap_run("semundo");
}

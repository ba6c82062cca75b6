/* musl: where System V segments are attached, and how they go. */
#include "sysvshm.h"

TEST(two_attaches_are_the_same_memory)
{
    int id = private_segment(PAGE);
    char *a = works((char *)shmat(id, NULL, 0)), *b = works((char *)shmat(id, NULL, 0));
    works(shmctl(id, IPC_RMID, NULL));
    check(a != b, "two places");
    a[7] = 'x';
    same(b[7], 'x');
}

TEST(a_child_shares_what_is_attached)
{
    char *a = fleeting(PAGE);
    pid_t pid;
    CHILD (pid)
        a[3] = 'c';
    exits(pid, 0);
    same(a[3], 'c');
}

TEST(attaching_sets_times_and_pid)
{
    int id = private_segment(PAGE);
    pid_t pid;
    CHILD (pid)
        works(shmdt((char *)works((char *)shmat(id, NULL, 0))));
    exits(pid, 0);
    struct shmid_ds ds = stat_of(id);
    same(ds.shm_lpid, pid);
    same(ds.shm_cpid, getpid());
    check(ds.shm_atime && ds.shm_dtime >= ds.shm_atime, "both times are set");
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(attach_counts_through_attach_and_detach)
{
    int id = private_segment(PAGE);
    char *a = works((char *)shmat(id, NULL, 0)), *b = works((char *)shmat(id, NULL, SHM_RDONLY));
    same(stat_of(id).shm_nattch, 2);
    works(shmdt(a));
    same(stat_of(id).shm_nattch, 1);
    works(shmdt(b));
    same(stat_of(id).shm_nattch, 0);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(attach_counts_through_fork_and_exit)
{
    int id = private_segment(PAGE), p[2];
    char byte;
    works((char *)shmat(id, NULL, 0));
    works(pipe(p));
    pid_t pid;
    CHILD (pid) {
        works(close(p[1]));
        read(p[0], &byte, 1);
    }
    same(stat_of(id).shm_nattch, 2);
    works(close(p[1]));
    exits(pid, 0);
    same(stat_of(id).shm_nattch, 1);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(a_killed_process_is_detached)
{
    int id = private_segment(PAGE);
    pid_t pid;
    CHILD (pid) {
        works((char *)shmat(id, NULL, 0));
        for (;;)
            pause();
    }
    wait_until(stat_of(id).shm_nattch == 1);
    works(kill(pid, SIGKILL));
    dies(pid, SIGKILL);
    same(stat_of(id).shm_nattch, 0);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(exec_detaches)
{
    int id = private_segment(PAGE), p[2];
    char byte;
    works(pipe(p));
    pid_t pid;
    CHILD (pid) {
        works((char *)shmat(id, NULL, 0));
        dup2(p[0], 0);
        works(close(p[1]));
        execl("/bin/cat", "cat", NULL);
        execl("/bin/busybox", "cat", NULL);
    }
    wait_until(stat_of(id).shm_atime != 0);
    wait_until(stat_of(id).shm_nattch == 0);
    (void)byte;
    works(close(p[1]));
    exits(pid, 0);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(munmap_of_the_middle_makes_two_attaches)
{
    int id = private_segment(3 * PAGE);
    char *a = works((char *)shmat(id, NULL, 0));
    works(munmap(a + PAGE, PAGE));
    same(stat_of(id).shm_nattch, 2);
    works(shmdt(a));
    same(stat_of(id).shm_nattch, 0);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(what_mprotect_has_split_stays_split)
{
    int id = private_segment(3 * PAGE);
    char *a = works((char *)shmat(id, NULL, 0));
    works(mprotect(a + PAGE, PAGE, PROT_READ));
    same(stat_of(id).shm_nattch, 3);
    works(mprotect(a + PAGE, PAGE, PROT_READ | PROT_WRITE));
    same(stat_of(id).shm_nattch, 3);
    works(shmdt(a));
    same(stat_of(id).shm_nattch, 0);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(munmap_of_all_detaches)
{
    int id = private_segment(2 * PAGE);
    char *a = works((char *)shmat(id, NULL, 0));
    works(munmap(a, 2 * PAGE));
    same(stat_of(id).shm_nattch, 0);
    fails(shmdt(a), EINVAL);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(a_removed_segment_lives_until_the_last_detach)
{
    key_t key = fresh_key();
    int id = works(shmget(key, PAGE, IPC_CREAT | 0600));
    char *a = works((char *)shmat(id, NULL, 0));
    works(shmctl(id, IPC_RMID, NULL));
    fails(shmget(key, PAGE, 0600), ENOENT);
    struct shmid_ds ds = stat_of(id);
    same(ds.shm_perm.mode & SHM_DEST, SHM_DEST);
    same(ds.shm_perm.__key, IPC_PRIVATE);
    a[0] = 'v';
    char *b = works((char *)shmat(id, NULL, 0)); /* by its id it can still be had */
    same(b[0], 'v');
    works(shmdt(a));
    same(stat_of(id).shm_nattch, 1);
    works(shmdt(b));
    fails(shmctl(id, IPC_STAT, &ds), EINVAL);
    fails(try_attach(id, NULL, 0), EINVAL);
}

TEST(a_removed_segment_goes_with_the_process)
{
    int id = private_segment(PAGE);
    struct shmid_ds ds;
    pid_t pid;
    CHILD (pid) {
        works((char *)shmat(id, NULL, 0));
        works(shmctl(id, IPC_RMID, NULL));
        works(shmctl(id, IPC_STAT, &ds));
    }
    exits(pid, 0);
    fails(shmctl(id, IPC_STAT, &ds), EINVAL);
}

TEST(ids_of_removed_segments_do_not_come_back_soon)
{
    int first = private_segment(PAGE);
    works(shmctl(first, IPC_RMID, NULL));
    for (int i = 0; i < 1000; i++) {
        int id = private_segment(PAGE);
        check(id != first, "another id");
        works(shmctl(id, IPC_RMID, NULL));
    }
    errno = 0;
    same(try_attach(first, NULL, 0), -1);
    same(errno, EINVAL);
}

TEST(attach_where_it_is_told)
{
    int id = private_segment(2 * PAGE);
    char *hole = works((char *)mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    works(munmap(hole, 4 * PAGE));
    same(try_attach(id, hole + PAGE, 0), hole + PAGE);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(an_unaligned_address_is_rounded_only_when_asked)
{
    int id = private_segment(PAGE);
    char *hole = works((char *)mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    works(munmap(hole, 2 * PAGE));
    fails(try_attach(id, hole + 123, 0), EINVAL);
    same(try_attach(id, hole + 123, SHM_RND), hole);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(overlapping_attaches_are_refused_without_remap)
{
    int id = private_segment(2 * PAGE);
    char *a = works(
        (char *)mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    a[0] = a[PAGE] = a[3 * PAGE] = 'm';
    fails(try_attach(id, a, 0), EINVAL);
    fails(try_attach(id, a + 3 * PAGE, 0), EINVAL);
    same(try_attach(id, a + PAGE, SHM_REMAP), a + PAGE);
    same(a[0], 'm');
    same(a[PAGE], 0);
    same(a[3 * PAGE], 'm');
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(remap_needs_an_address)
{
    int id = private_segment(PAGE);
    fails(try_attach(id, NULL, SHM_REMAP), EINVAL);
    fails(try_attach(id, (void *)1, SHM_REMAP | SHM_RND), EINVAL);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(addresses_beyond_user_memory)
{
    int id = private_segment(PAGE);
    same(try_attach(id, (void *)0x7ffffffff000, 0), -1);
    check(errno == ENOMEM || errno == EINVAL, "not %s", strerror(errno));
    fails(try_attach(id, (void *)-PAGE, 0), EINVAL);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(a_read_only_attach_cannot_be_written)
{
    int id = private_segment(PAGE);
    volatile char *a = works((char *)shmat(id, NULL, SHM_RDONLY));
    works(shmctl(id, IPC_RMID, NULL));
    same(a[0], 0);
    fails(mprotect((void *)a, PAGE, PROT_READ | PROT_WRITE), EACCES);
    pid_t pid;
    CHILD (pid)
        a[0] = 1;
    dies(pid, SIGSEGV);
}

TEST(detach_takes_exactly_the_address_of_the_attach)
{
    char *a = fleeting(2 * PAGE);
    fails(shmdt(a + PAGE), EINVAL);
    fails(shmdt(a + 1), EINVAL);
    fails(shmdt(NOWHERE), EINVAL);
    fails(shmdt(NULL), EINVAL);
    works(shmdt(a));
    fails(shmdt(a), EINVAL);
}

TEST(detach_leaves_other_memory_alone)
{
    char *m =
        works((char *)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    fails(shmdt(m), EINVAL);
    m[0] = 1;
}

TEST(what_was_mapped_over_an_attach_stays)
{
    int id = private_segment(3 * PAGE);
    char *a = works((char *)shmat(id, NULL, 0));
    works(shmctl(id, IPC_RMID, NULL));
    same(mmap(a + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
              0),
         a + PAGE);
    a[PAGE] = 'o';
    works(shmdt(a));
    same(a[PAGE], 'o');
    unsigned char in;
    fails(mincore(a, PAGE, &in), ENOMEM);
    fails(mincore(a + 2 * PAGE, PAGE, &in), ENOMEM);
}

TEST(the_address_space_limit_holds)
{
    int id = private_segment(64 << 20);
    struct rlimit limit = {.rlim_cur = 32 << 20, .rlim_max = RLIM_INFINITY};
    works(setrlimit(RLIMIT_AS, &limit));
    fails(try_attach(id, NULL, 0), ENOMEM);
    same(stat_of(id).shm_nattch, 0);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(maps_names_the_segment)
{
    char line[512], want[64];
    int id = private_segment(PAGE), found = 0;
    works((char *)shmat(id, NULL, 0));
    works(shmctl(id, IPC_RMID, NULL));
    FILE *f = fopen("/proc/self/maps", "r");
    check(f, "maps");
    snprintf(want, sizeof(want), " %d ", id);
    while (fgets(line, sizeof(line), f))
        found +=
            strstr(line, "/SYSV00000000 (deleted)") && strstr(line, want) && strstr(line, "rw-s");
    same(found, 1);
}

TEST(a_fork_counts_after_the_mark)
{
    int id = private_segment(PAGE), p[2];
    char byte;
    struct shmid_ds ds;
    char *a = works((char *)shmat(id, NULL, 0));
    works(shmctl(id, IPC_RMID, NULL));
    works(pipe(p));
    pid_t pid;
    CHILD (pid) {
        works(close(p[1]));
        read(p[0], &byte, 1);
        same(a[0], 'p');
    }
    works(shmctl(id, IPC_STAT, &ds));
    same(ds.shm_nattch, 2);
    a[0] = 'p';
    works(shmdt(a));
    works(shmctl(id, IPC_STAT, &ds));
    works(close(p[1]));
    exits(pid, 0);
    fails(shmctl(id, IPC_STAT, &ds), EINVAL);
}

int main(void)
{
    return tap_run("shmat");
}

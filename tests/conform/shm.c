/* musl: System V shared memory. */
#include "sysvshm.h"

TEST(a_segment_is_zero_and_keeps_what_is_written)
{
    int id = private_segment(3 * PAGE);
    char *a = works((char *)shmat(id, NULL, 0));
    for (size_t i = 0; i < 3 * PAGE; i++)
        same(a[i], 0);
    strcpy(a + PAGE, "still here");
    works(shmdt(a));
    char *b = works((char *)shmat(id, NULL, 0));
    same_text(b + PAGE, "still here");
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(size_is_kept_and_the_rest_of_the_page_is_there)
{
    int id = private_segment(100);
    same(stat_of(id).shm_segsz, 100);
    char *a = works((char *)shmat(id, NULL, 0));
    a[PAGE - 1] = 1;
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(a_key_finds_the_segment)
{
    key_t key = fresh_key();
    int id = works(shmget(key, PAGE, IPC_CREAT | 0600));
    same(shmget(key, PAGE, 0600), id);
    same(shmget(key, 0, 0), id);
    same(shmget(key, PAGE, IPC_CREAT | 0600), id);
    works(shmctl(id, IPC_RMID, NULL));
    fails(shmget(key, PAGE, 0600), ENOENT);
}

TEST(get_refuses_what_exists_or_does_not)
{
    key_t key = fresh_key();
    fails(shmget(key, PAGE, 0600), ENOENT);
    fails(shmget(key, PAGE, IPC_EXCL | 0600), ENOENT);
    int id = works(shmget(key, PAGE, IPC_CREAT | IPC_EXCL | 0600));
    fails(shmget(key, PAGE, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    fails(shmget(key, PAGE + 1, 0600), EINVAL);
    fails(shmget(key, PAGE + 1, IPC_CREAT | 0600), EINVAL);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(private_keys_never_find_anything)
{
    int a = private_segment(PAGE), b = works(shmget(IPC_PRIVATE, PAGE, IPC_EXCL | 0600));
    check(a != b, "two segments");
    works(shmctl(a, IPC_RMID, NULL));
    works(shmctl(b, IPC_RMID, NULL));
}

TEST(sizes_that_cannot_be)
{
    fails(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
    fails(shmget(IPC_PRIVATE, SIZE_MAX, 0600), EINVAL);
    errno = 0;
    same(shmget(IPC_PRIVATE, (size_t)1 << 63, 0600), -1);
    check(errno == ENOMEM || errno == ENOSPC || errno == EINVAL, "not %s", strerror(errno));
}

TEST(keys_at_their_limits)
{
    key_t keys[] = {INT_MAX, INT_MIN, -1};
    for (int i = 0; i < 3; i++) {
        int id = shmget(keys[i], PAGE, IPC_CREAT | IPC_EXCL | 0600);
        if (id < 0) { /* somebody else's */
            same(errno, EEXIST);
            continue;
        }
        same(shmget(keys[i], 0, 0600), id);
        same(stat_of(id).shm_perm.__key, keys[i]);
        works(shmctl(id, IPC_RMID, NULL));
    }
}

TEST(stat_tells_who_and_what)
{
    time_t before = time(NULL);
    key_t key = fresh_key();
    int id = works(shmget(key, 5000, IPC_CREAT | 0640));
    struct shmid_ds ds = stat_of(id);
    same(ds.shm_perm.__key, key);
    same(ds.shm_perm.mode, 0640);
    same(ds.shm_perm.uid, geteuid());
    same(ds.shm_perm.cuid, geteuid());
    same(ds.shm_perm.gid, getegid());
    same(ds.shm_perm.cgid, getegid());
    same(ds.shm_cpid, getpid());
    same(ds.shm_lpid, 0);
    same(ds.shm_nattch, 0);
    same(ds.shm_atime, 0);
    same(ds.shm_dtime, 0);
    check(ds.shm_ctime >= before - 1 && ds.shm_ctime <= time(NULL), "made now");
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(removing_twice)
{
    int id = private_segment(PAGE);
    works(shmctl(id, IPC_RMID, NULL));
    fails(shmctl(id, IPC_RMID, NULL), EINVAL);
}

TEST(an_id_with_another_sequence_number_is_none)
{
    int id = private_segment(PAGE);
    struct shmid_ds ds;
    fails(shmctl(id + 32768, IPC_STAT, &ds), EINVAL);
    fails(try_attach(id + 32768, NULL, 0), EINVAL);
    fails(shmctl(id + 32768, IPC_RMID, NULL), EINVAL);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(ids_that_are_none)
{
    struct shmid_ds ds;
    fails(shmctl(-1, IPC_STAT, &ds), EINVAL);
    fails(shmctl(INT_MIN, IPC_RMID, NULL), EINVAL);
    fails(try_attach(-1, NULL, 0), EINVAL);
    fails(shmctl(-1, SHM_STAT, &ds), EINVAL);
}

TEST(set_changes_owner_and_mode)
{
    int id = private_segment(PAGE);
    struct shmid_ds ds = stat_of(id);
    ds.shm_perm.uid = 77;
    ds.shm_perm.gid = 78;
    ds.shm_perm.mode = 0123 | SHM_DEST;
    works(shmctl(id, IPC_SET, &ds));
    ds = stat_of(id);
    same(ds.shm_perm.uid, 77);
    same(ds.shm_perm.gid, 78);
    same(ds.shm_perm.mode, 0123);
    same(ds.shm_perm.cuid, geteuid());
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(set_refuses_ids_that_are_none)
{
    int id = private_segment(PAGE);
    struct shmid_ds ds = stat_of(id);
    ds.shm_perm.uid = (uid_t)-1;
    fails(shmctl(id, IPC_SET, &ds), EINVAL);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(others_get_what_the_mode_grants)
{
    struct shmid_ds ds;
    key_t key = fresh_key();
    int id = works(shmget(key, PAGE, IPC_CREAT | 0604));
    pid_t pid;
    CHILD (pid) {
        works(setgid(NOBODY));
        works(setuid(NOBODY));
        fails(try_attach(id, NULL, 0), EACCES);
        works((char *)shmat(id, NULL, SHM_RDONLY));
        works(shmctl(id, IPC_STAT, &ds));
        same(shmget(key, PAGE, 0004), id);
        fails(shmget(key, PAGE, 0006), EACCES);
        fails(shmctl(id, IPC_RMID, NULL), EPERM);
        fails(shmctl(id, IPC_SET, &ds), EPERM);
        fails(shmctl(id, SHM_LOCK, NULL), EPERM);
    }
    exits(pid, 0);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(a_mode_of_nothing_keeps_others_out)
{
    struct shmid_ds ds;
    int id = works(shmget(IPC_PRIVATE, PAGE, 0));
    pid_t pid;
    CHILD (pid) {
        works(setgid(NOBODY));
        works(setuid(NOBODY));
        fails(try_attach(id, NULL, SHM_RDONLY), EACCES);
        fails(shmctl(id, IPC_STAT, &ds), EACCES);
    }
    exits(pid, 0);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(the_owner_that_set_made_may_remove)
{
    int id = private_segment(PAGE);
    struct shmid_ds ds = stat_of(id);
    ds.shm_perm.uid = NOBODY;
    works(shmctl(id, IPC_SET, &ds));
    pid_t pid;
    CHILD (pid) {
        works(setuid(NOBODY));
        works(shmctl(id, IPC_RMID, NULL));
    }
    exits(pid, 0);
    fails(shmctl(id, IPC_STAT, &ds), EINVAL);
}

TEST(locking_shows_in_the_mode)
{
    int id = private_segment(PAGE);
    works(shmctl(id, SHM_LOCK, NULL));
    same(stat_of(id).shm_perm.mode & SHM_LOCKED, SHM_LOCKED);
    works(shmctl(id, SHM_UNLOCK, NULL));
    same(stat_of(id).shm_perm.mode & SHM_LOCKED, 0);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(a_user_locks_no_more_than_its_limit)
{
    struct rlimit limit = {16 * PAGE, 16 * PAGE};
    pid_t pid;
    CHILD (pid) {
        works(setrlimit(RLIMIT_MEMLOCK, &limit));
        works(setuid(NOBODY));
        int all = private_segment(16 * PAGE), more = private_segment(17 * PAGE);
        int one = private_segment(1);
        fails(shmctl(more, SHM_LOCK, NULL), ENOMEM);
        same(stat_of(more).shm_perm.mode & SHM_LOCKED, 0);
        works(shmctl(all, SHM_LOCK, NULL));
        works(shmctl(all, SHM_LOCK, NULL));
        fails(shmctl(one, SHM_LOCK, NULL), ENOMEM);
        works(shmctl(all, SHM_UNLOCK, NULL));
        works(shmctl(one, SHM_LOCK, NULL));
        fails(shmctl(all, SHM_LOCK, NULL), ENOMEM);
        works(shmctl(one, IPC_RMID, NULL));
        works(shmctl(all, SHM_LOCK, NULL));
        works(shmctl(all, IPC_RMID, NULL));
        works(shmctl(more, IPC_RMID, NULL));
    }
    exits(pid, 0);
}

TEST(info_gives_limits_and_the_highest_index)
{
    struct shminfo limits;
    int id = private_segment(PAGE);
    int highest = works(shmctl(0, IPC_INFO, (struct shmid_ds *)&limits));
    check(highest >= id % 32768, "highest index %d, ours is %d", highest, id % 32768);
    same(limits.shmmin, 1);
    check(limits.shmmni >= 1 && limits.shmmax > 0 && limits.shmall > 0, "limits");
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(info_counts_segments_and_pages)
{
    struct shm_info a, b;
    works(shmctl(0, SHM_INFO, (struct shmid_ds *)&a));
    int id = private_segment(10 * PAGE);
    char *at = works((char *)shmat(id, NULL, 0));
    at[0] = at[PAGE] = 1;
    works(shmctl(0, SHM_INFO, (struct shmid_ds *)&b));
    check(b.used_ids >= 1 && b.shm_tot >= 10 && b.shm_rss >= 2, "counts");
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(stat_by_index)
{
    struct shmid_ds ds;
    int id = private_segment(4321);
    same(shmctl(id % 32768, SHM_STAT, &ds), id);
    same(ds.shm_segsz, 4321);
    works(shmctl(id, IPC_RMID, NULL));
    fails(shmctl(id % 32768, SHM_STAT, &ds), EINVAL);
}

TEST(commands_that_are_none)
{
    int id = private_segment(PAGE);
    struct shmid_ds ds;
    fails(shmctl(id, 99, &ds), EINVAL);
    fails(shmctl(id, -1, &ds), EINVAL);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(bad_pointers_are_efault)
{
    int id = private_segment(PAGE);
    fails(shmctl(id, IPC_STAT, NOWHERE), EFAULT);
    fails(shmctl(id, IPC_SET, NOWHERE), EFAULT);
    fails(shmctl(id, IPC_INFO, NOWHERE), EFAULT);
    fails(shmctl(id, SHM_INFO, NOWHERE), EFAULT);
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(a_large_segment_costs_nothing_until_it_is_touched)
{
    struct shm_info before, after;
    int id = works(shmget(IPC_PRIVATE, 1UL << 30, SHM_NORESERVE | 0600));
    works(shmctl(0, SHM_INFO, (struct shmid_ds *)&before));
    char *at = works((char *)shmat(id, NULL, 0));
    works(shmctl(id, IPC_RMID, NULL));
    at[1UL << 29] = 1;
    works(shmctl(0, SHM_INFO, (struct shmid_ds *)&after));
    check((long)(after.shm_rss - before.shm_rss) < 1000, "a page or so");
}

/* The fields of our line in a file of /proc/sysvipc. */
static void find_line(const char *file, int id, char *line, size_t size)
{
    FILE *f = fopen(file, "r");
    check(f, "%s opens", file);
    char format[16];
    int found;
    while (fgets(line, (int)size, f))
        if (sscanf(line, "%15s %d", format, &found) == 2 && found == id) {
            fclose(f);
            return;
        }
    tap_fail("%s has no line for the id", file);
}

TEST(proc_shows_the_segment)
{
    char line[512];
    int key, id = private_segment(12345), got, mode, uid, gid;
    unsigned long size, attached;
    int cpid, lpid;
    works((char *)shmat(id, NULL, 0));
    find_line("/proc/sysvipc/shm", id, line, sizeof(line));
    same(sscanf(line, "%d %d %o %lu %d %d %lu %d %d", &key, &got, &mode, &size, &cpid, &lpid,
                &attached, &uid, &gid),
         9);
    same(key, 0);
    same(mode, 0600);
    same(size, 12345);
    same(cpid, getpid());
    same(lpid, getpid());
    same(attached, 1);
    same(uid, getuid());
    works(shmctl(id, IPC_RMID, NULL));
}

TEST(ftok_depends_on_file_and_id)
{
    make_file("a", "");
    make_file("b", "");
    key_t key = ftok("a", 'x');
    check(key != -1, "a key");
    same(ftok("a", 'x'), key);
    check(ftok("a", 'y') != key && ftok("b", 'x') != key, "others differ");
    same((unsigned)key >> 24, 'x');
    fails(ftok("none", 'x'), ENOENT);
}

int main(void)
{
    return tap_run("shm");
}

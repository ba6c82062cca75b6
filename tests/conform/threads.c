/* clone, threads and futex: what is shared, how threads end, who is woken. */
#include "tap.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <abi/futex.h>

static volatile int word;
static int stack_used;
static char stacks[4][32768] __attribute__((aligned(16)));

#define top(n) (stacks[n] + sizeof(stacks[n]))
#define futex(...) syscall(SYS_futex, __VA_ARGS__)

static int set_word(void *arg)
{
    word = (int)(long)arg;
    return 0;
}

static void *add(void *arg)
{
    for (int i = 0; i < 1000; i++)
        __atomic_add_fetch((int *)arg, 1, __ATOMIC_RELAXED);
    return arg;
}

TEST(clone_vm_shares_memory)
{
    pid_t pid = works(clone(set_word, top(0), CLONE_VM | SIGCHLD, (void *)5));
    exits(pid, 0);
    same(word, 5);
}

TEST(clone_without_vm_copies_memory)
{
    pid_t pid = works(clone(set_word, top(0), SIGCHLD, (void *)5));
    exits(pid, 0);
    same(word, 0);
}

static int open_and_chdir(void *arg)
{
    (void)arg;
    dup2(0, 77);
    return chdir("/");
}

TEST(clone_files_shares_descriptors)
{
    pid_t pid = works(clone(open_and_chdir, top(0), CLONE_FILES | SIGCHLD, NULL));
    exits(pid, 0);
    works(fcntl(77, F_GETFD));
    make_file("still_here", "");
}

TEST(clone_fs_shares_the_directory)
{
    char dir[256];
    pid_t pid = works(clone(open_and_chdir, top(0), CLONE_FS | SIGCHLD, NULL));
    exits(pid, 0);
    check(getcwd(dir, sizeof(dir)), "getcwd");
    same_text(dir, "/");
    fails(fcntl(77, F_GETFD), EBADF);
}

TEST(clone_refuses_impossible_flags)
{
    fails(clone(set_word, top(0), CLONE_SIGHAND | SIGCHLD, NULL), EINVAL);
    fails(clone(set_word, top(0), CLONE_THREAD | CLONE_VM | SIGCHLD, NULL), EINVAL);
    fails(clone(set_word, top(0), CLONE_FS | CLONE_NEWNS | SIGCHLD, NULL), EINVAL);
}

static int tid_in_child;

static int report_tid(void *arg)
{
    *(int *)arg = (int)syscall(SYS_gettid);
    return 0;
}

TEST(clone_writes_the_ids_it_is_asked_for)
{
    int parent_tid = 0, own = 0;
    pid_t pid = works(clone(report_tid, top(0),
                            CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, &own,
                            &parent_tid, NULL, &tid_in_child));
    exits(pid, 0);
    same(parent_tid, pid);
    same(tid_in_child, pid);
    same(own, pid);
}

TEST(clear_child_tid_zeroes_and_wakes)
{
    word = 1;
    pid_t pid = works(clone(set_word, top(0), CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, (void *)1,
                            NULL, NULL, (int *)&word));
    while (word)
        futex(&word, FUTEX_WAIT, word, NULL);
    exits(pid, 0);
    same(word, 0);
}

TEST(clone_parent_makes_a_sibling)
{
    pid_t pid;
    CHILD (pid) {
        works(clone(set_word, top(0), CLONE_PARENT | SIGCHLD, NULL));
        fails(wait(NULL), ECHILD);
    }
    int status;
    for (int i = 0; i < 2; i++) {
        works(wait(&status));
        same(status, 0);
    }
    fails(wait(NULL), ECHILD);
}

TEST(exit_signal_may_be_none)
{
    pid_t pid = works(clone(set_word, top(0), 0, NULL));
    int status;
    fails(waitpid(pid, &status, 0), ECHILD);
    same(waitpid(pid, &status, __WALL), pid);
}

TEST(exit_signal_that_does_not_exist_tells_nobody)
{
    pid_t pid = works(clone(set_word, top(0), 200, NULL));
    int status;
    same(waitpid(pid, &status, __WALL), pid);
    same(status, 0);
}

TEST(threads_share_everything_and_join)
{
    pthread_t thread[8];
    int sum = 0;
    void *result;
    for (int i = 0; i < 8; i++)
        same(pthread_create(&thread[i], NULL, add, &sum), 0);
    for (int i = 0; i < 8; i++) {
        same(pthread_join(thread[i], &result), 0);
        check(result == &sum, "the result is what the thread returned");
    }
    same(sum, 8000);
}

TEST(many_threads_one_after_the_other)
{
    int sum = 0;
    for (int i = 0; i < 300; i++) {
        pthread_t thread;
        same(pthread_create(&thread, NULL, add, &sum), 0);
        same(pthread_join(thread, NULL), 0);
    }
    same(sum, 300000);
}

static __thread int mine = 42;

static void *change_mine(void *arg)
{
    int before = mine;
    mine = 1;
    errno = 77;
    (void)arg;
    return (void *)(long)before;
}

TEST(each_thread_has_its_own_variables)
{
    pthread_t thread;
    void *before;
    mine = 5;
    errno = 3;
    same(pthread_create(&thread, NULL, change_mine, NULL), 0);
    same(pthread_join(thread, &before), 0);
    same(errno, 3);
    same((long)before, 42);
    same(mine, 5);
}

struct ids {
    pid_t pid, tid, ppid;
};

static void *report_ids(void *arg)
{
    *(struct ids *)arg = (struct ids){getpid(), (pid_t)syscall(SYS_gettid), getppid()};
    return NULL;
}

TEST(threads_have_one_process_id)
{
    struct ids ids;
    pthread_t thread;
    same(pthread_create(&thread, NULL, report_ids, &ids), 0);
    same(pthread_join(thread, NULL), 0);
    same(ids.pid, getpid());
    same(ids.ppid, getppid());
    check(ids.tid != getpid(), "its own thread id");
}

static void *sleep_for_ever(void *arg)
{
    for (;;)
        pause();
    return arg;
}

static void *exit_the_process(void *arg)
{
    exit((int)(long)arg);
}

TEST(exit_group_ends_every_thread)
{
    pid_t pid;
    CHILD (pid) {
        pthread_t thread;
        for (int i = 0; i < 4; i++)
            same(pthread_create(&thread, NULL, sleep_for_ever, NULL), 0);
        same(pthread_create(&thread, NULL, exit_the_process, (void *)9), 0);
        sleep_for_ever(NULL);
    }
    exits(pid, 9);
}

static void *exit_the_process_later(void *arg)
{
    for (int i = 0; i < 20; i++)
        pause_a_little();
    exit((int)(long)arg);
}

TEST(the_first_thread_may_leave_before_the_others)
{
    pid_t pid;
    CHILD (pid) {
        pthread_t thread;
        same(pthread_create(&thread, NULL, exit_the_process_later, (void *)11), 0);
        syscall(SYS_exit, 1);
    }
    exits(pid, 11);
}

static void *spin(void *arg)
{
    for (;;)
        __asm__ volatile("pause");
    return arg;
}

TEST(a_fatal_signal_ends_every_thread_even_a_spinning_one)
{
    pid_t pid;
    CHILD (pid) {
        pthread_t thread;
        same(pthread_create(&thread, NULL, spin, NULL), 0);
        same(pthread_create(&thread, NULL, sleep_for_ever, NULL), 0);
        pause_a_little();
        kill(getpid(), SIGTERM);
        spin(NULL);
    }
    dies(pid, SIGTERM);
}

static void *fault(void *arg)
{
    *(volatile int *)NOWHERE = 1;
    return arg;
}

TEST(a_fault_in_one_thread_kills_the_process)
{
    pid_t pid;
    CHILD (pid) {
        pthread_t thread;
        same(pthread_create(&thread, NULL, fault, NULL), 0);
        sleep_for_ever(NULL);
    }
    dies(pid, SIGSEGV);
}

static void *fork_from_thread(void *arg)
{
    pid_t pid;
    CHILD (pid) {
        _exit(getppid() == *(pid_t *)arg && syscall(SYS_gettid) == getpid() ? 3 : 4);
    }
    return (void *)(long)pid;
}

TEST(fork_copies_the_calling_thread_alone)
{
    pthread_t thread, other;
    pid_t self = getpid();
    void *pid;
    same(pthread_create(&other, NULL, sleep_for_ever, NULL), 0);
    same(pthread_create(&thread, NULL, fork_from_thread, &self), 0);
    same(pthread_join(thread, &pid), 0);
    exits((pid_t)(long)pid, 3);
}

static void *exec_from_thread(void *arg)
{
    execve("/proc/self/exe", (char *[]){"threads", "after-exec", arg, NULL}, (char *[]){NULL});
    return NULL;
}

TEST(exec_in_a_thread_replaces_the_whole_process)
{
    pid_t pid;
    CHILD (pid) {
        char id[16];
        pthread_t thread;
        snprintf(id, sizeof(id), "%d", (int)getpid());
        for (int i = 0; i < 3; i++)
            same(pthread_create(&thread, NULL, i ? sleep_for_ever : spin, NULL), 0);
        same(pthread_create(&thread, NULL, exec_from_thread, id), 0);
        sleep_for_ever(NULL);
    }
    exits(pid, 33);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int guarded;

static void *count_under_lock(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&mutex);
        int was = guarded;
        if (i % 100 == 0)
            sched_yield();
        guarded = was + 1;
        pthread_mutex_unlock(&mutex);
    }
    return arg;
}

TEST(a_lock_of_futexes_excludes)
{
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        same(pthread_create(&thread[i], NULL, count_under_lock, NULL), 0);
    for (int i = 0; i < 4; i++)
        same(pthread_join(thread[i], NULL), 0);
    same(guarded, 8000);
}

TEST(futex_wait_on_another_value_returns_at_once)
{
    word = 1;
    fails(futex(&word, FUTEX_WAIT, 2, NULL), EAGAIN);
    fails(futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, NULL), EAGAIN);
}

TEST(futex_wait_times_out)
{
    struct timespec soon = {0, 2000000}, past = {1, 0};
    word = 1;
    fails(futex(&word, FUTEX_WAIT, 1, &soon), ETIMEDOUT);
    fails(futex(&word, FUTEX_WAIT_BITSET, 1, &past, NULL, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
    fails(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 1, &past, NULL, ~0), ETIMEDOUT);
}

TEST(futex_wake_without_waiters_is_zero)
{
    same(futex(&word, FUTEX_WAKE, 10), 0);
}

static void *wait_on_word(void *arg)
{
    __atomic_add_fetch(&stack_used, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 1)
        futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, NULL);
    return arg;
}

TEST(futex_wakes_as_many_as_asked)
{
    pthread_t thread[5];
    word = 1;
    for (int i = 0; i < 5; i++)
        same(pthread_create(&thread[i], NULL, wait_on_word, NULL), 0);
    wait_until(stack_used == 5);
    for (int i = 0; i < 20; i++)
        pause_a_little();
    long woken = futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 2);
    check(woken <= 2, "no more than two");
    word = 0;
    futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 100);
    for (int i = 0; i < 5; i++)
        same(pthread_join(thread[i], NULL), 0);
}

TEST(futex_works_between_processes)
{
    int *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid;
    *shared = 1;
    CHILD (pid) {
        for (int i = 0; i < 10; i++)
            pause_a_little();
        __atomic_store_n(shared, 0, __ATOMIC_SEQ_CST);
        works(futex(shared, FUTEX_WAKE, 1));
    }
    while (__atomic_load_n(shared, __ATOMIC_SEQ_CST))
        futex(shared, FUTEX_WAIT, 1, NULL);
    exits(pid, 0);
}

TEST(futex_refuses_nonsense)
{
    char *bytes = (char *)&word;
    struct timespec bad = {0, 1000000000};
    fails(futex(bytes + 1, FUTEX_WAKE, 1), EINVAL);
    fails(futex(NOWHERE, FUTEX_WAIT, 0, NULL), EFAULT);
    fails(futex(&word, 99, 0, NULL), ENOSYS);
    fails(futex(&word, FUTEX_WAIT, 0, &bad), EINVAL);
    fails(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
}

TEST(bitset_wake_reaches_only_matching_waiters)
{
    pid_t pid;
    int *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHILD (pid) {
        shared[1] = 1;
        works(futex(shared, FUTEX_WAIT_BITSET, 0, NULL, NULL, 2));
    }
    wait_until(*(volatile int *)&shared[1] == 1);
    same(futex(shared, FUTEX_WAKE_BITSET, 10, NULL, NULL, 1), 0);
    wait_until(futex(shared, FUTEX_WAKE_BITSET, 10, NULL, NULL, 2) == 1);
    exits(pid, 0);
}

TEST(set_tid_address_returns_the_thread_id)
{
    static int place;
    same(syscall(SYS_set_tid_address, &place), syscall(SYS_gettid));
}

static void say_bye(void)
{
    word = 1;
    printf("# bye\n");
    fflush(stdout);
}

static void *end_last(void *arg)
{
    for (int i = 0; i < 20; i++)
        pause_a_little();
    return arg;
}

TEST(the_process_ends_with_its_last_thread)
{
    pid_t pid;
    CHILD(pid)
    {
        pthread_t thread;
        atexit(say_bye);
        same(pthread_create(&thread, NULL, end_last, NULL), 0);
        pthread_exit(NULL);
    }
    exits(pid, 0);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "after-exec") == 0)
        return getpid() == atoi(argv[2]) && syscall(SYS_gettid) == getpid() ? 33 : 34;
    return tap_run("threads");
}

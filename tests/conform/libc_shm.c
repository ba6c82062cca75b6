/* musl: shared memory and semaphores with names. */
#define _GNU_SOURCE
#include "tap.h"

#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

static char name[64], other[64];

/* Names of this test's own: others run beside it. */
static void make_names(void)
{
    snprintf(name, sizeof(name), "/tap-%d", getpid());
    snprintf(other, sizeof(other), "/tap-%d-b", getpid());
}

TEST(memory_with_a_name_is_shared)
{
    make_names();
    int fd = works(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
    check(works(fcntl(fd, F_GETFD)) & FD_CLOEXEC, "close-on-exec");
    works(ftruncate(fd, PAGE));
    char *a = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    pid_t pid;
    CHILD (pid) {
        int again = works(shm_open(name, O_RDWR, 0));
        char *b = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0);
        strcpy(b, "from the child");
    }
    exits(pid, 0);
    same_text(a, "from the child");
    works(shm_unlink(name));
    fails(shm_open(name, O_RDWR, 0), ENOENT);
    same_text(a, "from the child"); /* the memory stays while it is mapped */
}

TEST(names_of_memory_that_are_refused)
{
    char lengthy[NAME_MAX + 3];
    make_names();
    memset(lengthy, 'x', sizeof(lengthy) - 1);
    lengthy[0] = '/';
    lengthy[sizeof(lengthy) - 1] = '\0';
    int fd = works(shm_open(name, O_RDWR | O_CREAT, 0600));
    fails(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    fails(shm_open("/a/b", O_RDWR | O_CREAT, 0600), EINVAL);
    fails(shm_open("/", O_RDWR | O_CREAT, 0600), EINVAL);
    fails(shm_open(lengthy, O_RDWR | O_CREAT, 0600), ENAMETOOLONG);
    works(shm_unlink(name));
    fails(shm_unlink(name), ENOENT);
    works(close(fd));
}

TEST(a_semaphore_with_a_name_counts_between_processes)
{
    int value = -1;
    make_names();
    sem_t *sem = sem_open(name, O_CREAT | O_EXCL, 0600, 2);
    check(sem != SEM_FAILED, "sem_open");
    works(sem_getvalue(sem, &value));
    same(value, 2);
    works(sem_wait(sem));
    works(sem_wait(sem));
    fails(sem_trywait(sem), EAGAIN);
    pid_t pid;
    CHILD (pid) {
        sem_t *same_one = sem_open(name, 0);
        check(same_one != SEM_FAILED, "sem_open by name");
        works(sem_post(same_one));
        works(sem_close(same_one));
    }
    works(sem_wait(sem));
    exits(pid, 0);
    works(sem_unlink(name));
    check(sem_open(name, 0) == SEM_FAILED && errno == ENOENT, "the name is gone");
    works(sem_post(sem)); /* the semaphore is not */
    works(sem_close(sem));
}

TEST(opening_twice_gives_the_same_semaphore)
{
    make_names();
    sem_t *a = sem_open(name, O_CREAT, 0600, 1), *b = sem_open(name, O_CREAT, 0600, 7);
    check(a != SEM_FAILED && a == b, "the same address");
    sem_t *c = sem_open(other, O_CREAT, 0600, 0);
    check(c != SEM_FAILED && c != a, "another one");
    works(sem_close(b));
    works(sem_trywait(a)); /* still open once */
    works(sem_close(a));
    works(sem_close(c));
    works(sem_unlink(name));
    works(sem_unlink(other));
}

TEST(semaphores_that_are_refused)
{
    make_names();
    check(sem_open(name, 0) == SEM_FAILED && errno == ENOENT, "none there");
    check(sem_open(name, O_CREAT, 0600, 0x80000000u) == SEM_FAILED && errno == EINVAL, "too much");
    check(sem_open("/a/b", O_CREAT, 0600, 0) == SEM_FAILED && errno == EINVAL, "a slash");
    sem_t *sem = sem_open(name, O_CREAT, 0600, 0);
    check(sem != SEM_FAILED, "sem_open");
    check(sem_open(name, O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED && errno == EEXIST, "it exists");
    works(sem_close(sem));
    works(sem_unlink(name));
    fails(sem_unlink(name), ENOENT);
}

static void *open_and_post(void *arg)
{
    sem_t *sem = sem_open(name, O_CREAT, 0600, 0);
    if (sem == SEM_FAILED)
        return arg;
    sem_post(sem);
    sem_close(sem);
    return NULL;
}

TEST(many_create_it_at_once_and_there_is_one)
{
    pthread_t threads[8];
    int value = -1;
    make_names();
    for (int i = 0; i < 8; i++)
        same(pthread_create(&threads[i], NULL, open_and_post, name), 0);
    for (int i = 0; i < 8; i++) {
        void *failed;
        same(pthread_join(threads[i], &failed), 0);
        check(!failed, "each could open it");
    }
    sem_t *sem = sem_open(name, 0);
    check(sem != SEM_FAILED, "sem_open");
    works(sem_getvalue(sem, &value));
    same(value, 8);
    works(sem_unlink(name));
}

int main(void)
{
    return tap_run("libc_shm");
}

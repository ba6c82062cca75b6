/*
 * hogs [SEED]: processes that take all memory there is, by each kind of memory that is shared.
 *
 * Each kind has a child that takes more and more until it is refused or killed. We, who took nothing,
 * must live on; must be able to start another process at once, with all of it still taken where it
 * outlives its taker; and remove it. SEED draws the order and how much is taken at a time.
 */
#include "fuzz.h"

#include <mqueue.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define MOST (4UL << 30) /* nobody gets as far as this */

static size_t portion;

static void touch(char *p)
{
    for (size_t i = 0; i < portion; i += 4096)
        p[i] = 1;
}

static void segments(void)
{
    for (size_t had = 0; had < MOST; had += portion) {
        char *p = shmat(shmget(IPC_PRIVATE, portion, 0600), NULL, 0);
        if (p == (void *)-1)
            return;
        touch(p);
        shmdt(p);
    }
}

static void segments_kept(void)
{
    for (size_t had = 0; had < MOST; had += portion) {
        char *p = shmat(shmget(IPC_PRIVATE, portion, 0600), NULL, 0);
        if (p == (void *)-1)
            return;
        touch(p);
    }
}

static void anonymous(void)
{
    for (size_t had = 0; had < MOST; had += portion) {
        char *p = mmap(NULL, portion, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            return;
        touch(p);
    }
}

static void mapped_memfd(void)
{
    int fd = memfd_create("hog", 0);
    for (size_t had = 0; had < MOST; had += portion) {
        if (ftruncate(fd, (off_t)(had + portion)) < 0)
            return;
        char *p = mmap(NULL, portion, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)had);
        if (p == MAP_FAILED)
            return;
        touch(p);
        munmap(p, portion);
    }
}

static void written_memfds(void)
{
    static char block[65536];
    for (;;) {
        int fd = memfd_create("hog", 0);
        if (fd < 0)
            return;
        for (size_t had = 0; had < portion; had += sizeof(block))
            if (write(fd, block, sizeof(block)) <= 0)
                return;
    }
}

static void posix_shared_file(void)
{
    int fd = open("/dev/shm/hog", O_RDWR | O_CREAT, 0600);
    for (size_t had = 0; had < MOST; had += portion) {
        if (ftruncate(fd, (off_t)(had + portion)) < 0)
            return;
        char *p = mmap(NULL, portion, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)had);
        if (p == MAP_FAILED)
            return;
        touch(p);
    }
}

static void messages(void)
{
    struct {
        long type;
        char text[8192];
    } m = {.type = 1};
    int id;
    while ((id = msgget(IPC_PRIVATE, 0600)) >= 0)
        while (msgsnd(id, &m, sizeof(m.text), IPC_NOWAIT) == 0)
            ;
}

static void semaphores(void)
{
    while (semget(IPC_PRIVATE, (int)below(30000) + 1, 0600) >= 0)
        ;
}

/* What is told and never read. */
static void events(void)
{
    char name[256];
    memset(name, 'x', sizeof(name));
    for (int n = 0; n < 32; n++) {
        int fd = inotify_init();
        inotify_add_watch(fd, "/tmp", IN_ALL_EVENTS);
        for (int i = 0; i < 200; i++) {
            snprintf(name + 240, sizeof(name) - 240, "%d", i);
            int made = openat(AT_FDCWD, "/tmp", O_DIRECTORY | O_RDONLY);
            symlinkat("x", made, name);
            unlinkat(made, name, 0);
            close(made);
        }
    }
}

static void posix_messages(void)
{
    static char text[8192];
    struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = sizeof(text)};
    char name[32];
    for (int i = 0; i < 4096; i++) {
        snprintf(name, sizeof(name), "/hog%d", i);
        mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_NONBLOCK, 0600, &attr);
        if (q < 0)
            break;
        while (mq_send(q, text, sizeof(text), 0) == 0)
            ;
    }
    for (int i = 0; i < 4096; i++) {
        snprintf(name, sizeof(name), "/hog%d", i);
        if (mq_unlink(name) < 0)
            break;
    }
}

/* What outlives its maker. */
static void remove_all(void)
{
    static long buffer[64];
    struct shmid_ds ds;
    struct msqid_ds mq;
    int id, last = shmctl(0, IPC_INFO, (struct shmid_ds *)buffer);
    for (int i = 0; i <= last; i++)
        if ((id = shmctl(i, 13 /* SHM_STAT */, &ds)) >= 0)
            shmctl(id, IPC_RMID, NULL);
    last = msgctl(0, IPC_INFO, (struct msqid_ds *)buffer);
    for (int i = 0; i <= last; i++)
        if ((id = msgctl(i, 11 /* MSG_STAT */, &mq)) >= 0)
            msgctl(id, IPC_RMID, NULL);
    struct semid_ds sem;
    last = semctl(0, 0, IPC_INFO, buffer);
    for (int i = 0; i <= last; i++)
        if ((id = semctl(i, 0, 18 /* SEM_STAT */, &sem)) >= 0)
            semctl(id, 0, IPC_RMID);
    unlink("/dev/shm/hog");
}

static void must_work(const char *after)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 7) {
        printf("after %s no process could be started: %d, status %#x, %s\n", after, pid, status,
               strerror(errno));
        remove_all();
        exit(1);
    }
}

static const struct hog {
    const char *name;
    void (*run)(void);
} hogs[] = {
    {"segments", segments},
    {"segments that are kept", segments_kept},
    {"shared anonymous memory", anonymous},
    {"a mapped memfd", mapped_memfd},
    {"memfds", written_memfds},
    {"a file in /dev/shm", posix_shared_file},
    {"messages", messages},
    {"semaphores", semaphores},
    {"events", events},
    {"POSIX messages", posix_messages},
};
#define HOGS (sizeof(hogs) / sizeof(hogs[0]))

int main(int argc, char **argv)
{
    random_seed(argc > 1 ? strtoul(argv[1], NULL, 10) : 1);
    for (size_t n = 0; n < HOGS + 3; n++) {
        const struct hog *h = n < HOGS ? &hogs[n] : &ONE_OF(hogs);
        portion = 65536UL << below(7);
        pid_t pid = fork();
        if (pid < 0)
            die("fork");
        if (pid == 0) {
            limit(RLIMIT_CORE, 0);
            h->run();
            _exit(0);
        }
        int status;
        if (!ends_within(pid, &status, 60000)) {
            printf("%s: no end in a minute\n", h->name);
            kill(pid, SIGKILL);
            return 1;
        }
        must_work(h->name);
        remove_all();
    }
    printf("alive\n");
    return 0;
}

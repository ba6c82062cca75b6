/* System V IPC and POSIX message queues: a segment attached and detached, and hands that are held to and fro. */
#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include "bench.h"

#define TURNS 2000
#define ALL_TURNS (TURNS + TURNS / WARM_UP_SHARE + 1)

static void attach_row(void)
{
    int id = shmget(IPC_PRIVATE, 4096, 0600);

    bench_need(id >= 0, "shmget");
    MEASURE(5000)
    {
        char *at = shmat(id, NULL, 0);
        bench_need(at != (char *)-1, "shmat");
        shmdt(at);
    }
    shmctl(id, IPC_RMID, NULL);
}

static void take(int id, unsigned short n)
{
    bench_need(semop(id, &(struct sembuf){n, -1, 0}, 1) == 0, "semop");
}

static void give(int id, unsigned short n)
{
    bench_need(semop(id, &(struct sembuf){n, 1, 0}, 1) == 0, "semop");
}

static void semop_row(void)
{
    int id = semget(IPC_PRIVATE, 2, 0600);
    pid_t child;

    bench_need(id >= 0, "semget");
    if ((child = fork()) == 0) {
        for (int i = 0; i < ALL_TURNS; i++) {
            take(id, 0);
            give(id, 1);
        }
        _exit(0);
    }
    MEASURE(TURNS)
    {
        give(id, 0);
        take(id, 1);
    }
    bench_reap(child);
    semctl(id, 0, IPC_RMID);
}

static void msg_row(void)
{
    int id = msgget(IPC_PRIVATE, 0600);
    struct {
        long type;
        char text[64];
    } m = {.type = 1};
    pid_t child;

    bench_need(id >= 0, "msgget");
    if ((child = fork()) == 0) {
        for (int i = 0; i < ALL_TURNS; i++) {
            bench_need(msgrcv(id, &m, 64, 1, 0) == 64, "msgrcv");
            m.type = 2;
            bench_need(msgsnd(id, &m, 64, 0) == 0, "msgsnd");
        }
        _exit(0);
    }
    MEASURE(TURNS)
    {
        m.type = 1;
        bench_need(msgsnd(id, &m, 64, 0) == 0, "msgsnd");
        bench_need(msgrcv(id, &m, 64, 2, 0) == 64, "msgrcv");
    }
    bench_reap(child);
    msgctl(id, IPC_RMID, NULL);
}

static mqd_t open_queue(const char *name)
{
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 64};
    mqd_t q = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);

    bench_need(q >= 0, "mq_open");
    mq_unlink(name);
    return q;
}

static void mq_row(void)
{
    mqd_t to = open_queue("/bench-to"), fro = open_queue("/bench-fro");
    char text[64] = "";
    pid_t child;

    if ((child = fork()) == 0) {
        for (int i = 0; i < ALL_TURNS; i++) {
            bench_need(mq_receive(to, text, 64, NULL) == 64, "mq_receive");
            bench_need(mq_send(fro, text, 64, 0) == 0, "mq_send");
        }
        _exit(0);
    }
    MEASURE(TURNS)
    {
        bench_need(mq_send(to, text, 64, 0) == 0, "mq_send");
        bench_need(mq_receive(fro, text, 64, NULL) == 64, "mq_receive");
    }
    bench_reap(child);
    mq_close(to);
    mq_close(fro);
}

static const struct bench_row rows[] = {
    {"shmat_shmdt", attach_row},
    {"semop_ping_pong", semop_row},
    {"msg_ping_pong", msg_row},
    {"mq_ping_pong", mq_row},
};

BENCH_MAIN(rows)

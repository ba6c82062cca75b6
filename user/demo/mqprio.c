/* A POSIX message queue gives the most urgent first, and has an end to its patience. See mqprio.txt. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <string.h>
#include <time.h>

#include "demo.h"

#define ROOM 4
#define LONGEST 32

static mqd_t queue;

static void send(unsigned priority, const char *text)
{
    need(mq_send(queue, text, strlen(text) + 1, priority));
}

static void show_next(const char *expected)
{
    char text[LONGEST];
    unsigned priority;

    need(mq_receive(queue, text, sizeof(text), &priority));
    printf("  %2u %s\n", priority, text);
    claim(strcmp(text, expected) == 0);
}

/* A moment from now, as the calls want it: by the clock on the wall. */
static struct timespec soon(void)
{
    struct timespec t;

    need(clock_gettime(CLOCK_REALTIME, &t));
    t.tv_nsec += 50000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

/* One that finds the queue full sleeps until somebody takes. */
static void sleep_for_room(void)
{
    struct mq_attr now;
    pid_t child = fork_clean();

    if (child == 0) {
        send(9, "urgent, but late");
        _exit(0);
    }
    usleep(50000);
    need(mq_getattr(queue, &now));
    printf("a child sends one more and sleeps: still %ld messages\n", now.mq_curmsgs);
    claim(now.mq_curmsgs == ROOM && waitpid(child, NULL, WNOHANG) == 0);
    show_next("the roof is on fire");
    claim(end_of(child) == 0); /* the slot is its own now */
}

int main(void)
{
    struct mq_attr attr = {.mq_maxmsg = ROOM, .mq_msgsize = LONGEST}, now;
    struct timespec deadline;
    char name[32];
    int full;

    snprintf(name, sizeof(name), "/mqprio-%d", (int)getpid());
    queue = (mqd_t)need(mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr));
    send(1, "tea is ready");
    send(7, "the roof is on fire");
    send(1, "more tea");
    send(4, "somebody at the door");
    need(mq_getattr(queue, &now));
    printf("%ld messages of %ld, of up to %ld bytes\n", now.mq_curmsgs, now.mq_maxmsg,
           now.mq_msgsize);
    claim(now.mq_curmsgs == ROOM);
    deadline = soon();
    full = mq_timedsend(queue, "", 1, 0, &deadline) == -1 && errno == ETIMEDOUT;
    printf("who sends into the full queue until a deadline: %s\n",
           claim(full) ? "it passes" : "gets in?");
    sleep_for_room();
    printf("and then, the most urgent first, equals in their order:\n");
    show_next("urgent, but late");
    show_next("somebody at the door");
    show_next("tea is ready");
    show_next("more tea");
    deadline = soon();
    char text[LONGEST];
    claim(mq_timedreceive(queue, text, sizeof(text), NULL, &deadline) == -1 && errno == ETIMEDOUT);
    printf("nothing is left, and nobody sends: the deadline passes\n");
    need(mq_close(queue));
    need(mq_unlink(name));
    return shown();
}

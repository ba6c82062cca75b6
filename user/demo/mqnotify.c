/* A message queue tells by a signal that it is empty no more: once, and only if nobody waits. See mqnotify.txt. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "demo.h"

#define VALUE 42

static mqd_t queue;
static sigset_t usr1;

/* A child sends TEXT. */
static pid_t send_from_child(const char *text)
{
    pid_t child = fork_clean();

    if (child == 0) {
        need(mq_send(queue, text, strlen(text) + 1, 0));
        _exit(0);
    }
    claim(end_of(child) == 0);
    return child;
}

/* Ask for the signal; -1: somebody has asked already. */
static int ask(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};

    event.sigev_value.sival_int = VALUE;
    return mq_notify(queue, &event);
}

/* Is the signal pending? It is taken then. */
static int told(siginfo_t *info)
{
    struct timespec now = {0, 0};

    return sigtimedwait(&usr1, info, &now) == SIGUSR1;
}

static int take(void)
{
    char text[32];

    return mq_receive(queue, text, sizeof(text), NULL) > 0;
}

/* The first message into the empty queue. */
static void first_message(void)
{
    siginfo_t info;
    pid_t sender;
    int signalled;

    need(ask());
    printf("asked once; who asks again: %s\n",
           claim(ask() == -1 && errno == EBUSY) ? "somebody has" : "is welcome?");
    sender = send_from_child("one");
    signalled = told(&info);
    claim(signalled && info.si_code == SI_MESGQ && info.si_pid == sender);
    printf("a message into the empty queue: %s %d%s\n", signalled ? "a signal with" : "nothing?",
           info.si_value.sival_int, info.si_pid == sender ? ", from the sender" : "");
    claim(info.si_value.sival_int == VALUE);
    send_from_child("two");
    printf("one more: %s\n", claim(!told(&info)) ? "nothing, it was for once" : "a signal?");
}

/* Until process PID sleeps; proc(5) has its state behind its name in brackets. */
static void wait_until_asleep(pid_t pid)
{
    char path[32], line[128];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    do {
        usleep(1000);
        int fd = (int)need(open(path, O_RDONLY));
        line[need(read(fd, line, sizeof(line) - 1))] = '\0';
        close(fd);
    } while (!strstr(line, ") S"));
}

/* A child that waits in mq_receive is before who asked for a signal. */
static void with_receiver(void)
{
    siginfo_t info;
    pid_t receiver = fork_clean();

    if (receiver == 0)
        _exit(!take());
    wait_until_asleep(receiver);
    send_from_child("five");
    claim(end_of(receiver) == 0);
    printf("a receiver sleeps, a message comes: %s\n",
           claim(!told(&info)) ? "it is the receiver's, no signal" : "a signal?");
}

int main(void)
{
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 32};
    siginfo_t info;
    char name[32];

    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    need(sigprocmask(SIG_BLOCK, &usr1, NULL)); /* it shall be pending until we ask */
    snprintf(name, sizeof(name), "/mqnotify-%d", (int)getpid());
    queue = (mqd_t)need(mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr));
    first_message();
    need(ask());
    send_from_child("three");
    printf("asked again, into a queue that is not empty: %s\n",
           claim(!told(&info)) ? "nothing" : "a signal?");
    claim(take() && take() && take());
    send_from_child("four");
    printf("emptied, and then a message: %s\n", claim(told(&info)) ? "the signal" : "nothing?");
    claim(take());
    need(ask());
    with_receiver();
    need(mq_notify(queue, NULL));
    need(mq_close(queue));
    need(mq_unlink(name));
    return shown();
}

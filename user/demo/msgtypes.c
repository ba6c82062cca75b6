/* A System V queue is many queues: who receives says by a type which messages it wants. See msgtypes.txt. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#include "demo.h"

#define REQUEST 1
#define CLIENTS 3

static int queue;

struct message {
    long type; /* above 0 */
    char text[32];
};

static void send(long type, const char *text)
{
    struct message m = {.type = type};

    snprintf(m.text, sizeof(m.text), "%s", text);
    need(msgsnd(queue, &m, strlen(m.text) + 1, 0));
}

/* Take a message of those that TYPE means, and say which came; it should be EXPECTED. */
static void take(long type, int flags, const char *which, const char *expected)
{
    struct message m;

    need(msgrcv(queue, &m, sizeof(m.text), type, flags | IPC_NOWAIT));
    printf("%-27s %s, type %ld\n", which, m.text, m.type);
    claim(strcmp(m.text, expected) == 0);
}

/* What each way to ask for a type gives. */
static void choose(void)
{
    send(3, "first");
    send(3, "second");
    send(5, "third");
    send(2, "fourth");
    send(7, "fifth");
    take(5, 0, "the first of type 5:", "third");
    take(-4, 0, "the lowest type up to 4:", "fourth");
    take(3, MSG_EXCEPT, "the first but of type 3:", "fifth");
    take(0, 0, "the first of all:", "first");
    struct message m;
    int none = msgrcv(queue, &m, sizeof(m.text), 5, IPC_NOWAIT) == -1 && errno == ENOMSG;
    printf("%-27s %s\n", "one more of type 5:", claim(none) ? "there is none" : "there is one?");
    int too_long = msgrcv(queue, &m, 3, 0, IPC_NOWAIT) == -1 && errno == E2BIG;
    printf("%-27s %s\n", "into room for 3 bytes:", claim(too_long) ? "it stays where it is" : "?");
    long n = need(msgrcv(queue, &m, 3, 0, IPC_NOWAIT | MSG_NOERROR));
    printf("%-27s \"%.*s\", and the rest is lost\n", "the same with MSG_NOERROR:", (int)n, m.text);
    claim(n == 3);
}

/* Ask for the square of NUMBER; the answer's type is our own process id, so nobody else takes it. */
static int ask(int number)
{
    struct message m;
    char text[32];

    snprintf(text, sizeof(text), "%d %d", (int)getpid(), number);
    send(REQUEST, text);
    need(msgrcv(queue, &m, sizeof(m.text), getpid(), 0));
    return atoi(m.text) == number * number;
}

/* The server takes what has the type REQUEST, whoever sent it. */
static void answer(void)
{
    struct message m;
    int pid, number;
    char text[32];

    need(msgrcv(queue, &m, sizeof(m.text), REQUEST, 0));
    claim(sscanf(m.text, "%d %d", &pid, &number) == 2);
    snprintf(text, sizeof(text), "%d", number * number);
    send(pid, text);
}

int main(void)
{
    pid_t client[CLIENTS];
    int satisfied = 0;

    queue = (int)need(msgget(IPC_PRIVATE, IPC_CREAT | 0600));
    choose();
    for (int i = 0; i < CLIENTS; i++) {
        client[i] = fork_clean();
        if (client[i] == 0)
            _exit(!ask(10 + i));
    }
    for (int i = 0; i < CLIENTS; i++)
        answer();
    for (int i = 0; i < CLIENTS; i++)
        satisfied += end_of(client[i]) == 0;
    printf("%d clients asked through one queue, %d got their own answer\n", CLIENTS, satisfied);
    claim(satisfied == CLIENTS);
    need(msgctl(queue, IPC_RMID, NULL));
    return shown();
}

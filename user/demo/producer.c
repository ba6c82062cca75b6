/*
 * The bounded buffer by messages: a producer and a consumer that share no memory. Empty messages flow from the
 * consumer to the producer, full ones back; there are SLOTS of them, so the producer can never be more than so
 * far ahead. See producer.txt.
 */
#include <sys/socket.h>

#include "demo.h"

#define SLOTS 3
#define ITEMS 8

struct item {
    int number; /* -1: nothing in it */
};

/* Datagrams keep their boundaries: one send is one receive. */
static void put(int fd, struct item item)
{
    need(write(fd, &item, sizeof item));
}

static struct item get(int fd)
{
    struct item item;

    need(read(fd, &item, sizeof item));
    return item;
}

/* Wait for an empty one, fill it, send it back. */
static _Noreturn void produce(int fd)
{
    for (int i = 1; i <= ITEMS; i++) {
        struct item item = get(fd);
        item.number = i * i;
        put(fd, item);
    }
    _exit(0);
}

int main(void)
{
    int ends[2], sum = 0, empty = 0, out = 0, most = 0;
    pid_t child;

    need(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
    child = fork_clean();
    if (child == 0)
        produce(ends[1]);
    for (int consumed = 0; consumed < ITEMS; consumed++) {
        struct item item;
        for (; out < SLOTS && empty < ITEMS; out++, empty++) /* what is free here is sent at once */
            put(ends[0], (struct item){-1});
        most = out > most ? out : most;
        item = get(ends[0]);
        out--;
        sum += item.number;
        printf("consumed %d\n", item.number);
    }
    claim(end_of(child) == 0);
    printf("sum %d, and %d messages at most were on the way\n", sum, most);
    claim(sum == 204 && most == SLOTS);
    return shown();
}

/* What fork() does before and after: the prepare functions in reverse order, the others in the order they came. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "internal/thread.h"

struct handlers {
    void (*functions[3])(void); /* by FORK_PREPARE, FORK_PARENT, FORK_CHILD */
    struct handlers *next, *previous;
};

static struct lock lock; /* held from before a fork until after it */
static struct handlers *first, *last;

void __run_atfork(int when)
{
    if (when == FORK_PREPARE) {
        __lock_acquire(&lock);
        for (struct handlers *h = last; h; h = h->previous)
            if (h->functions[when])
                h->functions[when]();
        return;
    }
    for (struct handlers *h = first; h; h = h->next)
        if (h->functions[when])
            h->functions[when]();
    __lock_release(&lock);
}

int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    struct handlers *h = malloc(sizeof(*h));
    if (!h)
        return ENOMEM;
    __lock_acquire(&lock);
    *h = (struct handlers){{prepare, parent, child}, NULL, last};
    if (last)
        last->next = h;
    else
        first = h;
    last = h;
    __lock_release(&lock);
    return 0;
}

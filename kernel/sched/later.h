/*
 * Work that must wait until no lock is held: what a wake function would like to do but can't, being called
 * under somebody's lock. It is done very soon: on the way to user mode of the thread that asked, before its
 * call returns, or by a timer of the machine if that thread sleeps first.
 */
#pragma once

#include "lib/list.h"

struct later {
    struct list link; /* the queue's lock */
    void (*fn)(
        struct later *l); /* const: called with no lock held, perhaps in an interrupt handler */
};

#define LATER_INIT(name, fn)        \
    {                               \
        LIST_INIT((name).link), fn, \
    }

/* Have L's function called soon. From anywhere that may take RANK_LATER. L is never freed. */
void later(struct later *l);
/* Do what waits. No lock held. */
void later_run(void);

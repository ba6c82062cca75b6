/*
 * Received packets, between the driver and the protocols. A driver's interrupt handler, or the loopback in the
 * middle of somebody's sending, only puts a packet on its CPU's list. It is handled by backlog_run(), at the
 * outermost end of what the CPU was doing: there no lock is held, so a packet on its way up may take any
 * that it needs, and an answer to it that comes back by the loopback goes to the list's end and doesn't
 * nest.
 *
 * Who may call backlog_run() is easy to say: a call that has sent something, before it returns or
 * sleeps; a timer's function, at its end; a driver's interrupt handler, at its end (interrupts are off while a
 * spinlock is held, so a handler never interrupts somebody who holds one). Who forgets it leaves packets behind that
 * nobody may come for, which no test would reliably see: so a debug build panics as soon as somebody might sleep on a
 * CPU where the call is due.
 *
 * A list belongs to one CPU and is touched with interrupts off; it needs no lock. A flood doesn't keep
 * a CPU here for ever: after BATCH packets the rest waits for a timer, and whatever else wants the CPU gets it.
 */
#include "lib/list.h"
#include "net/netdev.h"
#include "net/packet.h"
#include "sched/lock.h"
#include "sched/timer.h"
#include "x86/clock.h"
#include "x86/event.h"

#define BACKLOG_MAX 2048u /* packets that may wait on one CPU; more are dropped */
#define BATCH 256u

struct backlog {
    struct list packets; /* this CPU only, as all here */
    unsigned count;
    bool running;         /* backlog_run() is at work: whoever calls it now need not */
    bool set_up;          /* the list and the timer are initialised */
    void (*at_end)(void); /* see backlog_await(); NULL: nobody awaits more */
    struct timer more;    /* what a flood has left over */
} aligned(64);

static struct backlog backlogs[MAX_CPUS];
static struct packet_handler *handlers; /* const after boot */

void (*packet_tap)(struct packet *p, bool outgoing);
unsigned packet_taps;

void packet_handler_register(struct packet_handler *h)
{
    h->next = handlers;
    handlers = h;
}

static void run_more(struct timer *t)
{
    (void)t;
    backlog_run();
}

/* This CPU's; interrupts are off. */
static struct backlog *this_backlog(void)
{
    struct backlog *b = &backlogs[cpu_id()];

    if (unlikely(!b->set_up)) {
        list_init(&b->packets);
        timer_init(&b->more, run_more);
        b->set_up = true;
    }
    return b;
}

bool backlog_put(struct packet *p)
{
    bool room;

    irq_push_off();
    struct backlog *b = this_backlog();
    room = b->count < BACKLOG_MAX;
    if (room) {
        list_push_back(&b->packets, &p->link);
        b->count++;
        if (!b->running)
            sleep_owes("backlog_run()");
    }
    irq_pop_off();
    return room;
}

void netdev_receive(struct netdev *dev, struct packet *p)
{
    struct netdev_counters *c = netdev_count(dev);

    p->dev = dev;
    event_note_timed(EVENT_PACKET_IN, p->len | (uint64_t)dev->index << EVENT_DEVICE_SHIFT);
    c->rx_packets++;
    c->rx_bytes += p->len;
    if (unlikely(!netdev_is_up(dev)) || !backlog_put(p)) {
        c->rx_dropped++;
        packet_free(p);
    }
}

bool backlog_is_empty(void)
{
    return this_backlog()->count == 0;
}

bool backlog_await(void (*fn)(void))
{
    struct backlog *b = this_backlog();

    if (!b->count)
        return false;
    b->at_end = fn;
    return true;
}

/* One packet, to whoever handles its kind. */
static void deliver(struct packet *p)
{
    struct netdev *dev = p->dev;

    if (unlikely(READ_ONCE(packet_taps)) && !p->looped)
        packet_tap(p, false);
    if (!p->looped && !dev->link_ops->parse(p)) {
        netdev_count(dev)->rx_errors++;
        packet_free(p);
        return;
    }
    for (struct packet_handler *h = handlers; h; h = h->next) {
        if (h->protocol == p->protocol) {
            h->input(p);
            return;
        }
    }
    packet_free(p); /* a protocol that nobody here speaks: no error */
}

/* Handle packets, at most MOST. How many there were. */
static unsigned deliver_some(struct backlog *b, unsigned most)
{
    unsigned n = 0;

    while (b->count > 0 && n < most) {
        struct packet *p = list_first(&b->packets, struct packet, link);
        list_remove(&p->link);
        b->count--;
        n++;
        deliver(p);
    }
    return n;
}

void backlog_run(void)
{
    unsigned left = BATCH;

    irq_push_off();
    struct backlog *b = this_backlog();
    if (b->running) {
        irq_pop_off();
        return;
    }
    b->running = true;
    do {
        left -= deliver_some(b, left);
        void (*at_end)(void) = b->at_end;
        b->at_end = NULL;
        if (unlikely(at_end))
            at_end();
    } while (b->count > 0 && left > 0);
    if (b->count > 0)
        timer_set(&b->more, clock_monotonic());
    sleep_owes(NULL);
    b->running = false;
    irq_pop_off();
}

/*
 * How well TCP uses a network: a link's rate is reached, and what is lost is repaired without waiting for a timeout.
 * Time is the simulation's, so the figures are the same on every machine.
 */
#include "tcp_programs.h"

struct trial {
    const char *name;
    const struct tcp_congestion *cong;
    bool sack;
    unsigned loss;    /* per mille */
    unsigned reorder; /* per mille */
    uint32_t bytes;
    unsigned share;    /* per cent of the rate that must be reached */
    unsigned timeouts; /* at most */
};

#define RATE 1000 /* bytes a millisecond: 8 Mbit/s */
#define DELAY (20 * NSEC_PER_MSEC)

static void prepare(struct host *h, const struct trial *t)
{
    h->out = (struct link){.delay = DELAY, .rate = RATE, .queue = 60000};
    h->mtu = 1500;
    h->tso = 65535;
    h->armed = 0;
    tcp_stack_init(&h->stack, &ops);
    h->stack.params.congestion = t->cong;
    h->stack.params.sack = t->sack;
    h->stack.params.time_wait = NSEC_PER_SEC;
}

/* The time that TRIAL takes, from call to the last byte read. */
static nsec_t run(const struct trial *t, struct plan *plan)
{
    nsec_t begun = now_ns, done = 0;
    struct app *l, *a;

    *plan = (struct plan){.abort_side = -1, .half_close = {true, true}};
    plan->bytes[0] = t->bytes;
    plan->piece[0] = plan->piece[1] = 16384;
    prepare(&hosts[0], t);
    prepare(&hosts[1], t);
    l = start_listener();
    a = new_app(&hosts[0]);
    call_for(a, plan);
    while (heap_len) {
        struct event e = pop();
        /* The handshake is left alone: it has only its timer. */
        bool fair = now_ns - begun > 3 * DELAY;
        hosts[0].out.loss = fair ? t->loss : 0;
        hosts[0].out.reorder = fair ? t->reorder : 0;
        handle(&e);
        if (plan->ended == 2 && !done) {
            done = now_ns;
            l->is_open = false;
            tcp_close(&l->c, false);
        }
    }
    need(done && list_empty(&apps) && host_live == 0, "it didn't come to an end");
    return done - begun;
}

int main(void)
{
    static const struct trial trials[] = {
        {"reno fills a clean link", &tcp_reno, true, 0, 0, 4000000, 85, 0},
        {"cubic fills a clean link", &tcp_cubic, true, 0, 0, 4000000, 85, 0},
        {"newreno without SACK fills it too", &tcp_reno, false, 0, 0, 4000000, 60, 0},
        {"cubic bears three losses in a thousand", &tcp_cubic, true, 3, 0, 4000000, 50, 0},
        {"reno bears three losses in a thousand", &tcp_reno, true, 3, 0, 4000000, 40, 0},
        {"cubic bears some disorder", &tcp_cubic, true, 0, 5, 4000000, 30, 0},
        {"cubic bears five in a hundred", &tcp_cubic, true, 50, 0, 1000000, 10, 5},
    };
    unsigned failed = 0;

    random_seed(1);
    host_on_panic = tell_all;
    packet_init_subsystem();
    hosts[0].address = net32(0x0a000001);
    hosts[1].address = net32(0x0a000002);
    now_ns = NSEC_PER_SEC;
    for (unsigned i = 0; i < ARRAY_SIZE(trials); i++) {
        const struct trial *t = &trials[i];
        static struct plan plan;
        nsec_t took = run(t, &plan);
        const struct tcp_counters *n = &hosts[0].stack.counters;
        unsigned share = (unsigned)(t->bytes * 100 / (took / NSEC_PER_MSEC) / RATE);
        bool good = share >= t->share && n->timeouts <= t->timeouts;
        failed += !good;
        printf(
            "%sok %u - %s\n# %u %% of the rate in %u ms, %lu sent again, %lu recoveries, %lu timeouts\n",
            good ? "" : "not ", i + 1, t->name, share, (unsigned)(took / NSEC_PER_MSEC),
            n->retrans_segs, n->fast_recoveries, n->timeouts);
    }
    free(heap);
    return failed != 0;
}

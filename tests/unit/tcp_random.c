/*
 * Many connections over a network that loses, duplicates, delays, reorders, damages and chokes, between two hosts with
 * random wishes: how much to send each way, in what pieces, how slowly to read, who closes first and how. Claimed:
 * every byte arrives, once, in order; both sides end; no error but where one side aborts; and all memory comes back.
 * In some rounds memory runs out now and then.
 *
 *     tcp_random [SEED [CONNECTIONS]]     also UNIT_SEED and TCP_CONNECTIONS of the environment
 */
#include "tcp_programs.h"

#define CONNECTIONS 100000
#define ROUND 100
#define STUCK (6 * 3600 * NSEC_PER_SEC)

/* --- rounds --- */

static void random_link(struct link *l)
{
    static const unsigned rates[] = {0, 0, 10, 100, 1000};

    *l = (struct link){.delay = 50000 + (nsec_t)draw(draw(2) ? 1000000 : 200000000)};
    if (draw(4)) {
        l->loss = draw(2) ? draw(30) : draw(200);
        l->dup = draw(2) ? draw(100) : 0;
        l->corrupt = draw(2) ? draw(50) : 0;
        l->reorder = draw(2) ? draw(200) : 0;
        l->jitter = draw(2) ? 1 + draw(5000000) : 0;
    }
    l->rate = rates[draw(ARRAY_SIZE(rates))];
    l->queue = 20000 + draw(100000);
}

static void random_host(struct host *h)
{
    static const uint32_t mtus[] = {576, 1400, 1500, 3500};
    struct tcp_params *p = &h->stack.params;

    random_link(&h->out);
    h->mtu = mtus[draw(ARRAY_SIZE(mtus))];
    h->tso = draw(2) ? 65535 : 0;
    h->armed = 0;
    tcp_stack_init(&h->stack, &ops);
    /* However bad the network, nobody is to give up: a connection that ends with an error is then a bug. */
    p->retries = p->syn_retries = p->synack_retries = p->orphan_retries = 200;
    p->rto_max = 20 * NSEC_PER_SEC;
    /* One whose peer's RST, or whose ACK of a cookie, was lost would wait for ever: so keepalive is on. */
    p->keep_idle = 60 * NSEC_PER_SEC;
    p->keep_interval = 10 * NSEC_PER_SEC;
    p->keep_count = 100;
    p->timestamps = draw(3) > 0;
    p->sack = draw(3) > 0;
    p->window_scaling = draw(4) > 0;
    p->congestion = draw(2) ? &tcp_cubic : &tcp_reno;
    p->syncookies = (uint8_t)draw(3);
    p->time_wait = draw(2) ? 60 * NSEC_PER_SEC : NSEC_PER_SEC;
    p->receive_default = draw(4) ? 131072 : 2000 + draw(10000);
    p->receive_max = max(p->receive_default, 6u << 20);
}

static uint32_t random_size(void)
{
    unsigned kind = draw(20);

    return kind == 0 ? draw(100000) : kind < 6 ? draw(16000) : draw(1000);
}

static void random_plan(struct plan *p, unsigned id)
{
    *p = (struct plan){.id = id, .abort_side = -1};
    for (int side = 0; side < 2; side++) {
        p->bytes[side] = random_size();
        p->piece[side] = draw(3) ? 1 + draw(5000) : 10 + draw(100);
        p->slow[side] = draw(5) ? 0 : 100 + draw(3000);
        p->half_close[side] = draw(2);
    }
    if (draw(10) == 0) {
        p->abort_side = (int)draw(2);
        p->abort_at = p->bytes[!p->abort_side] ? draw(p->bytes[!p->abort_side]) : 0;
    }
}

static void call(struct plan *p)
{
    struct app *a = NULL;

    while (!(a = new_app(&hosts[0])))
        ;
    tcp_set_option(&a->c, TCP_NODELAY, &(int){(int)draw(2)}, sizeof(int));
    tcp_set_keepalive(&a->c, true);
    if (draw(8) == 0)
        tcp_set_receive_limit(&a->c, 1000 + draw(20000));
    call_for(a, p);
}

/* How many plans have not ended. An abort, or a refusal, may leave a side that was never accepted. */
static unsigned unfinished(const struct plan *all, unsigned n)
{
    unsigned left = 0;

    for (unsigned i = 0; i < n; i++)
        left += all[i].ended < 2 && !all[i].aborted && !(all[i].ended && all[i].refused);
    return left;
}

static void round_of(unsigned first, unsigned n)
{
    static struct plan all[ROUND];
    unsigned started = 0, together = 1 + draw(40);

    random_host(&hosts[0]);
    random_host(&hosts[1]);
    host_fail_one_in = draw(5) ? 0 : 50 + draw(500);
    for (unsigned i = 0; i < n; i++)
        random_plan(&all[i], first + i);
    struct app *l = start_listener();
    nsec_t begun = now_ns;
    while (started < n || unfinished(all, n)) {
        if (started < n && unfinished(all, started) < together) {
            call(&all[started++]);
            continue;
        }
        need(heap_len, "nothing will happen any more, but %u connections have not ended",
             unfinished(all, n));
        struct event e = pop();
        handle(&e);
        need(now_ns - begun < STUCK, "a round takes for ever: %u of %u not ended",
             unfinished(all, n), n);
    }
    l->is_open = false;
    tcp_close(&l->c, false);
    while (heap_len) {
        struct event e = pop();
        handle(&e);
        need(now_ns - begun < 2 * STUCK, "it doesn't come to rest");
    }
    host_fail_one_in = 0;
    struct app *left = list_first(&apps, struct app, link);
    need(!left, "not freed: references %d, state %d, orphan %d, embryo %d, sent %u, received %u",
         left->c.ref.count, left->c.state, left->c.orphan, left->c.embryo, left->sent,
         left->received);
    need(hosts[0].stack.time_waits == 0 && hosts[1].stack.time_waits == 0, "TIME-WAIT lasts");
    need(host_live == 0, "%ld pieces of memory were not freed", host_live);
}

int main(int argc, char **argv)
{
    const char *given = argc > 1 ? argv[1] : getenv("UNIT_SEED");
    const char *count = argc > 2 ? argv[2] : getenv("TCP_CONNECTIONS");
    unsigned n = count ? (unsigned)strtoul(count, NULL, 0) : CONNECTIONS;

    if (given)
        seed = (uint32_t)strtoul(given, NULL, 0);
    else if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        abort();
    printf("seed %u\n", seed);
    random_seed(seed);
    host_on_panic = tell_all;
    packet_init_subsystem();
    hosts[0].address = net32(0x0a000001);
    hosts[1].address = net32(0x0a000002);
    now_ns = NSEC_PER_SEC;
    for (unsigned first = 0; first < n; first += ROUND)
        round_of(first, min(n - first, (unsigned)ROUND));
    free(heap);
    printf("ok 1 - %u connections, %llu packets, %llu bytes\n", n, (unsigned long long)packets_sent,
           (unsigned long long)bytes_moved);
    return 0;
}

/*
 * The steps of a script (tcp_script.h) besides segments, and running it.
 */
#pragma once

#include "tcp_script_claims.h"

#define WORDS_MAX 16

/* --- parameters --- */

static bool do_param(char **words)
{
    struct tcp_params *p = &stack.params;
    const char *name = words[0];
    long v = number(words[1]);

    struct {
        const char *name;
        nsec_t *time;
        unsigned *count;
        bool *on;
    } all[] = {
        {"rto_min", &p->rto_min, NULL, NULL},
        {"rto_initial", &p->rto_initial, NULL, NULL},
        {"rto_max", &p->rto_max, NULL, NULL},
        {"delack", &p->delack, NULL, NULL},
        {"time_wait", &p->time_wait, NULL, NULL},
        {"fin_timeout", &p->fin_timeout, NULL, NULL},
        {"retries", NULL, &p->retries, NULL},
        {"orphan_retries", NULL, &p->orphan_retries, NULL},
        {"syn_retries", NULL, &p->syn_retries, NULL},
        {"synack_retries", NULL, &p->synack_retries, NULL},
        {"challenge", NULL, &p->challenge_acks, NULL},
        {"receive", NULL, &p->receive_default, NULL},
        {"receive_max", NULL, &p->receive_max, NULL},
        {"send", NULL, &p->send_default, NULL},
        {"mtu", NULL, &path_mtu, NULL},
        {"tso", NULL, &path_tso, NULL},
        {"peer_isn", NULL, &peer_isn, NULL},
        {"ts", NULL, NULL, &p->timestamps},
        {"ws", NULL, NULL, &p->window_scaling},
        {"sack", NULL, NULL, &p->sack},
        {"reuse", NULL, NULL, &p->time_wait_reuse},
    };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (!is(all[i].name, name))
            continue;
        if (all[i].time)
            *all[i].time = v * NSEC_PER_MSEC;
        else if (all[i].count)
            *all[i].count = (unsigned)v;
        else
            *all[i].on = v;
        return true;
    }
    if (is(name, "cookies"))
        p->syncookies = (uint8_t)v;
    else if (is(name, "port"))
        p->port_low = p->port_high = (uint16_t)v; /* the only one for calls */
    else if (is(name, "cubic"))
        p->congestion = v ? &tcp_cubic : &tcp_reno;
    else
        return fail("no parameter %s", name);
    return true;
}

/* --- calls --- */

static void start(void)
{
    conn = new_app();
    conn->is_open = true;
    peer_port = PEER_PORT;
}

static bool do_bind(char **words)
{
    if (!conn)
        start();
    return returned(tcp_bind(&conn->c, LOCAL, (uint16_t)number(words[0])), words);
}

/* "connect self": the port 5000 here instead of the peer's. */
static bool do_connect(char **words)
{
    bool self = words[0] && is(words[0], "self");

    if (!conn)
        start();
    return returned(tcp_connect(&conn->c, self ? LOCAL : PEER, peer_port), words);
}

/* "listen any": at whatever port, instead of 80. */
static bool do_listen(char **words)
{
    bool any = words[0] && is(words[0], "any");

    if (!conn)
        start();
    listener = conn;
    conn = NULL;
    peer_port = PEER_PORT;
    our_port = 80;
    if (!any && list_empty(&listener->c.entry.bound_link))
        tcp_bind(&listener->c, 0, our_port);
    int result = tcp_listen(&listener->c, words[0] && !any ? (unsigned)number(words[0]) : 5);
    if (any)
        our_port = listener->c.entry.tuple.local_port;
    return returned(result, words);
}

static bool do_accept(char **words)
{
    struct tcp_conn *c = tcp_accept(&listener->c);

    if (words[0] && is(words[0], "none"))
        return c ? fail("there is one to accept") : true;
    if (!c)
        return fail("nothing to accept");
    conn = (struct app *)c;
    conn->is_open = true;
    c->quick_acks = 0;
    return true;
}

static bool has_word(char **words, const char *word)
{
    while (*words && !is(*words, word))
        words++;
    return *words != NULL;
}

static bool do_send(char **words)
{
    uint32_t n = (uint32_t)number(words[0]), left = n;
    struct list bufs = LIST_INIT(bufs);
    unsigned flags = (has_word(words, "more") ? TCP_SEND_MORE : 0) |
                     (has_word(words, "urgent") ? TCP_SEND_URGENT : 0);
    struct buf *b;

    host_fail_one_in = 0;
    while (left) {
        b = left <= 1024 ? buf_alloc_small(left) : buf_alloc();
        b->len = min(left, b->room);
        for (uint32_t i = 0; i < b->len; i++)
            b->base[i] = (char)pattern(conn->sent_pos + n - left + i);
        left -= b->len;
        list_push_back(&bufs, &b->link);
    }
    host_fail_one_in = memory_is_short;
    int result = tcp_send(&conn->c, &bufs, flags);
    if (!result)
        conn->sent_pos += n;
    while ((b = list_first(&bufs, struct buf, link))) {
        list_remove(&b->link);
        buf_free(b);
    }
    return returned(result, words);
}

/* Read N bytes and compare them. "held": without telling the engine. */
static bool do_read(char **words)
{
    uint32_t n = (uint32_t)number(words[0]), done = 0;
    struct buf *b;

    while (done < n && (b = list_first(&conn->rx, struct buf, link))) {
        for (; done < n && b->len; done++, b->off++, b->len--) {
            if ((uint8_t)b->base[b->off] != pattern(conn->read_pos++))
                return fail("byte %u is wrong", conn->read_pos - 1);
        }
        if (!b->len) {
            list_remove(&b->link);
            buf_free(b);
        }
    }
    if (done < n)
        return fail("only %u bytes to read", done);
    tcp_consumed(&conn->c, n);
    return true;
}

static bool do_unread(char **words)
{
    return same("unread", conn->c.rcv_unread, words[0]);
}

static bool do_readable(char **words)
{
    bool skip;
    uint32_t n = tcp_readable(&conn->c, conn->read_pos - 1, 1000000, &skip);

    if (skip != has_word(words, "skip"))
        return fail("skip is %d", skip);
    return same("readable", n, words[0]);
}

static bool do_oob(char **words)
{
    int result = tcp_read_urgent(&conn->c, has_word(words, "peek"));

    if (is(words[0], "="))
        return returned(result, words);
    return result == pattern((uint32_t)number(words[0])) ? true : fail("oob gave %d", result);
}

static bool do_mark(char **words)
{
    return same("mark", tcp_at_mark(&conn->c, conn->read_pos - 1), words[0]);
}

static bool do_shutdown(char **words)
{
    return returned(tcp_shutdown(&conn->c, strchr(words[0], 'r'), strchr(words[0], 'w')), words);
}

static bool close_app(struct app **a, bool by_abort)
{
    struct app *gone = *a;

    if (!gone || !gone->is_open)
        return fail("nothing to close");
    gone->is_open = false;
    if (a == &listener)
        listener = NULL;
    tcp_get(&gone->c);
    tcp_close(&gone->c, by_abort);
    bool last = ref_read(&gone->c.ref) == 1;
    tcp_put(&gone->c);
    if (last && a == &conn)
        conn = NULL;
    return true;
}

static bool do_close(char **words)
{
    return close_app(words[0] && is(words[0], "listener") ? &listener : &conn, false);
}

/*
 * close(2) with SO_LINGER, as the socket does it: it waits until the engine says, by TCP_EVENT_CLOSED, that there is
 * nothing more to wait for, or until the time is over.
 */
static bool do_linger(char **words)
{
    if (!tcp_linger(&conn->c))
        return close_app(&conn, false);
    conn->events &= ~TCP_EVENT_CLOSED;
    conn->linger_until = now_ns + number(words[0]) * NSEC_PER_MSEC;
    return true;
}

/* After each step: does the close that waits go on? */
static bool end_linger(void)
{
    if (!conn || !conn->linger_until)
        return true;
    bool over = conn->events & TCP_EVENT_CLOSED;
    if (over == tcp_is_lingering(&conn->c))
        return fail("it lingers in state %d, told %d", conn->c.state, over);
    if (!over && now_ns < conn->linger_until)
        return true;
    conn->linger_until = 0;
    return close_app(&conn, false);
}

/* closing: the call that closes has not returned yet; closed: it has. */
static bool do_closing(char **words)
{
    (void)words;
    return conn && conn->linger_until ? true : fail("close has returned");
}

static bool do_closed(char **words)
{
    (void)words;
    return !conn || !conn->is_open ? true : fail("close has not returned");
}

static bool do_abort(char **words)
{
    (void)words;
    return close_app(&conn, true);
}

static bool do_disconnect(char **words)
{
    (void)words;
    tcp_disconnect(&conn->c);
    conn->sent_pos = conn->read_pos = 1;
    return true;
}

#include "tcp_script_meanwhile.h"

/* --- settings and messages --- */

static bool do_opt(char **words)
{
    int v = (int)number(words[1]);
    const char *name = words[0];

    if (!conn)
        start();
    if (is(name, "congestion"))
        return returned(
            tcp_set_option(&conn->c, TCP_CONGESTION, words[1], (unsigned)strlen(words[1])), words);
    if (is(name, "keepalive"))
        tcp_set_keepalive(&conn->c, v);
    else if (is(name, "rcvbuf"))
        tcp_set_receive_limit(&conn->c, (uint32_t)v);
    else if (is(name, "sndbuf"))
        tcp_set_send_limit(&conn->c, (uint32_t)v);
    else if (is(name, "oobinline"))
        conn->c.oob_inline = v;
    else if (is(name, "recverr"))
        conn->c.tell_errors = v;
    else if (is(name, "reuseaddr"))
        conn->c.entry.reuse_address = v;
    else
        return returned(tcp_set_option(&conn->c, LOOKUP(int_options, name), &v, sizeof(v)), words);
    return true;
}

static bool do_icmp(char **words)
{
    struct tcp_tuple t = {LOCAL, PEER, our_port, peer_port};
    uint32_t seq = our_isn + (uint32_t)number(words[1]);

    if (is(words[0], "mtu"))
        tcp_path_mtu(&stack, &t, seq, (uint32_t)number(words[2]));
    else
        tcp_icmp_error(&stack, &t, seq, LOOKUP(errors, words[2]), is(words[0], "hard"));
    return true;
}

static bool do_memory(char **words)
{
    memory_is_short = host_fail_one_in = is(words[0], "none");
    return true;
}

static bool do_peer_port(char **words)
{
    peer_port = (uint16_t)number(words[0]);
    return true;
}

static bool run_lines(const char *script);
static bool repeating; /* what is sent meanwhile is looked at afterwards */

/* A connection that stands; what follows the word is the peer's SYN: win=, mss= ... */
static bool do_estab(char **words)
{
    static char script[300];
    const char *more = words[0] ? words[0] : "";
    const char *second = words[0] && words[1] ? words[1] : "";
    bool ts = stack.params.timestamps;

    snprintf(script, sizeof(script),
             "connect\n> S 0\n< SA 0 1 mss=1000 %s %s%s %s\n> A 1 1\nstate ESTABLISHED",
             stack.params.sack ? "sackok" : "", ts ? "ts=100,0 " : "", more, second);
    if (!run_lines(script))
        return false;
    conn->c.quick_acks = 0;
    conn->events = 0;
    return true;
}

static bool do_passive(char **words)
{
    (void)words;
    if (!run_lines("listen\n< S 0 0 mss=1000\n> SA 0 1\n< A 1 1\naccept\nstate ESTABLISHED"))
        return false;
    conn->events = 0;
    return true;
}

static bool do_drain(char **words)
{
    (void)words;
    num_outs = 0;
    return true;
}

/* repeat N STEP */
static bool do_repeat(char **words)
{
    static char line[200];

    line[0] = 0;
    for (char **w = words + 1; *w; w++)
        snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s ", *w);
    repeating = true;
    bool good = true;
    for (long n = number(words[0]); n > 0 && good; n--)
        good = run_lines(line);
    repeating = false;
    return good;
}

static const struct command {
    const char *name;
    bool (*run)(char **words);
} commands[] = {
    {"<", do_in},
    {">", do_out},
    {"loop", do_loop},
    {"repeat", do_repeat},
    {"sent", do_sent},
    {"memory", do_memory},
    {"param", do_param},
    {"bind", do_bind},
    {"connect", do_connect},
    {"listen", do_listen},
    {"accept", do_accept},
    {"send", do_send},
    {"read", do_read},
    {"unread", do_unread},
    {"readable", do_readable},
    {"oob", do_oob},
    {"mark", do_mark},
    {"shutdown", do_shutdown},
    {"close", do_close},
    {"abort", do_abort},
    {"linger", do_linger},
    {"closing", do_closing},
    {"closed", do_closed},
    {"disconnect", do_disconnect},
    {"meanwhile", do_meanwhile},
    {"state", do_state},
    {"error", do_error},
    {"event", do_event},
    {"room", do_room},
    {"gone", do_gone},
    {"time-waits", do_time_waits},
    {"info", do_info},
    {"opt", do_opt},
    {"icmp", do_icmp},
    {"peer-port", do_peer_port},
    {"estab", do_estab},
    {"passive", do_passive},
    {"drain", do_drain},
};

/* --- running --- */

static bool run_words(char **words)
{
    if (words[0][0] == '+') {
        if (num_outs)
            return fail("somebody has sent what wasn't expected, before time passed");
        pass(now_ns + number(words[0] + 1) * NSEC_PER_MSEC);
        return true;
    }
    bool takes =
        is(words[0], ">") || is(words[0], "drain") || is(words[0], "loop") || is(words[0], "sent");
    if (num_outs && !takes && !repeating) {
        char flags[8];
        say_flags(outs[0].flags, flags);
        return fail("before this, %s %u %u len=%u was sent and not expected", flags, outs[0].seq,
                    outs[0].ack, outs[0].len);
    }
    if (is(words[0], ">") && words[1] && is(words[1], "none"))
        return num_outs ? fail("something was sent") : true;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (is(commands[i].name, words[0]))
            return commands[i].run(words + 1);
    }
    return fail("no such step");
}

static bool run_lines(const char *script)
{
    char line[200], copy[200], *words[WORDS_MAX];

    while (*script) {
        const char *end = strchr(script, '\n');
        size_t len = min(end ? (size_t)(end - script) : strlen(script), sizeof(line) - 1);
        memcpy(line, script, len);
        line[len] = 0;
        memcpy(copy, line, sizeof(copy));
        script += len + (end != NULL);
        unsigned n = 0;
        for (char *at = line; *at && n < WORDS_MAX - 1;) {
            while (*at == ' ')
                *at++ = 0;
            if (*at)
                words[n++] = at;
            while (*at && *at != ' ')
                at++;
        }
        words[n] = NULL;
        if (n && (!run_words(words) || !end_linger())) {
            printf("# at \"%s\": %s\n", copy, why);
            return false;
        }
    }
    return true;
}

static void begin(void)
{
    now_ns = 1000 * NSEC_PER_SEC;
    num_outs = 0;
    memory_is_short = host_fail_one_in = 0;
    conn = listener = NULL;
    peer_isn = 1000000;
    stamp_known = false;
    our_stamp = our_isn = 0;
    our_port = 80;
    peer_port = PEER_PORT;
    path_mtu = 1040;
    path_tso = 0;
    stack_armed = 0;
    tcp_stack_init(&stack, &ops);
    stack.params.timestamps = stack.params.window_scaling = stack.params.sack = false;
    stack.params.congestion = &tcp_reno;
    stack.params.syncookies = 0;
    stack.params.receive_default = 10000;
    stack.params.receive_max = 10000;
}

static void end(void)
{
    struct app *a, *next;

    memory_is_short = host_fail_one_in = 0;
    if (listener && listener->is_open)
        close_app(&listener, true);
    list_for_each_safe (a, next, &apps, link) {
        tcp_get(&a->c);
        if (a->is_open) {
            a->is_open = false;
            tcp_close(&a->c, true);
        }
        if (a->c.state != TCP_CLOSED) {
            tcp_lock(&a->c);
            tcp_end(&a->c, 0);
            tcp_unlock(&a->c);
        }
        tcp_put(&a->c);
    }
    tcp_stack_drain(&stack);
    need(list_empty(&apps), "a connection was not freed");
    need(host_live == 0, "%ld pieces of memory were not freed", host_live);
}

static inline int run_cases(const struct case_ *cases, unsigned n, const char *only)
{
    unsigned failed = 0;

    packet_init_subsystem();
    for (unsigned i = 0; i < n; i++) {
        if (only && !strstr(cases[i].name, only))
            continue;
        begin();
        bool good = run_lines(cases[i].script) && run_lines("> none");
        printf("%sok %u - %s\n", good ? "" : "not ", i + 1, cases[i].name);
        failed += !good;
        end();
    }
    printf("1..%u\n", n);
    return failed != 0;
}

#define RUN_CASES(cases)                                                       \
    int main(int argc, char **argv)                                            \
    {                                                                          \
        return run_cases(cases, ARRAY_SIZE(cases), argc > 1 ? argv[1] : NULL); \
    }

/*
 * The steps of a script (tcp_script.h) that claim something of a connection.
 */
#pragma once

#include "tcp_script_names.h"

/* What a call returned, against "= NAME" at the end of its line; without it, 0. */
static bool returned(int result, char **words)
{
    int expected = 0;

    for (; *words; words++) {
        if (is(*words, "=") && words[1])
            expected = LOOKUP(errors, words[1]);
    }
    return result == -expected ? true : fail("it returned %d", result);
}

static bool do_state(char **words)
{
    enum tcp_state s = conn ? conn->c.state : TCP_CLOSED;

    return s == (enum tcp_state)LOOKUP(states, words[0]) ? true : fail("state is %d", s);
}

static bool do_error(char **words)
{
    int error = conn ? tcp_take_error(&conn->c) : 0;

    return error == LOOKUP(errors, words[0]) ? true : fail("error is %d", error);
}

static bool do_event(char **words)
{
    struct app *a = is(words[0], "accept") ? listener : conn;
    unsigned bit = (unsigned)LOOKUP(events, words[0]);
    bool there = a->events & bit;

    a->events &= ~bit;
    if (words[1] && is(words[1], "none"))
        return there ? fail("it was told of") : true;
    return there ? true : fail("it wasn't told of");
}

static bool do_room(char **words)
{
    ssize_t room = tcp_send_room(&conn->c);

    if (is(words[0], "="))
        return returned((int)room, words);
    return same("room", (uint32_t)room, words[0]);
}

static bool do_gone(char **words)
{
    (void)words;
    return conn ? fail("it is still there, in state %d", conn->c.state) : true;
}

static bool do_time_waits(char **words)
{
    return same("connections in TIME-WAIT", stack.time_waits, words[0]);
}

/* sent LOW HIGH: so many segments were, whichever; what they said isn't asked. */
static bool do_sent(char **words)
{
    unsigned n = num_outs;

    num_outs = 0;
    if (n < (unsigned)number(words[0]) || n > (unsigned)number(words[1]))
        return fail("%u segments were sent", n);
    return true;
}

static bool do_info(char **words)
{
    struct tcp_info i;
    unsigned len = sizeof(i);

    tcp_get_option(&conn->c, TCP_INFO, &i, &len);
    struct {
        const char *name;
        uint32_t value;
    } all[] = {
        {"cwnd", conn->c.cwnd},
        {"ssthresh", conn->c.ssthresh},
        {"rto", i.tcpi_rto / 1000},
        {"rtt", i.tcpi_rtt / 1000},
        {"rttvar", i.tcpi_rttvar / 1000},
        {"retrans", i.tcpi_total_retrans},
        {"ca", i.tcpi_ca_state},
        {"mss", i.tcpi_snd_mss},
        {"unacked", i.tcpi_unacked},
        {"sacked", i.tcpi_sacked},
        {"lost", i.tcpi_lost},
        {"pipe", tcp_pipe(&conn->c)},
        {"dsacks", i.tcpi_dsack_dups},
        {"notsent", i.tcpi_notsent_bytes},
        {"backoff", i.tcpi_backoff},
        {"probes", i.tcpi_probes},
        {"pmtu", i.tcpi_pmtu},
        {"options", i.tcpi_options},
        {"snd_wnd", i.tcpi_snd_wnd},
        {"acked", (uint32_t)i.tcpi_bytes_acked},
        {"received", (uint32_t)i.tcpi_bytes_received},
        {"sent", (uint32_t)i.tcpi_bytes_sent},
        {"resent", (uint32_t)i.tcpi_bytes_retrans},
        {"segs_in", i.tcpi_segs_in},
        {"segs_out", i.tcpi_segs_out},
        {"data_segs_in", i.tcpi_data_segs_in},
        {"data_segs_out", i.tcpi_data_segs_out},
        {"early", i.tcpi_rcv_ooopack},
        {"rcv_mss", i.tcpi_rcv_mss},
        {"advmss", i.tcpi_advmss},
        {"min_rtt", i.tcpi_min_rtt / 1000},
        {"ato", i.tcpi_ato / 1000},
        {"retransmits", i.tcpi_retransmits},
        {"last_sent", i.tcpi_last_data_sent},
        {"last_data", i.tcpi_last_data_recv},
        {"last_ack", i.tcpi_last_ack_recv},
        {"snd_scale", i.tcpi_snd_wscale},
        {"rcv_scale", i.tcpi_rcv_wscale},
        {"state", i.tcpi_state},
        {"delivered", i.tcpi_delivered},
        {"rate", (uint32_t)i.tcpi_delivery_rate},
        {"rate_limited", i.tcpi_delivery_rate_app_limited},
        {"busy", (uint32_t)i.tcpi_busy_time / 1000},
        {"rwnd_limited", (uint32_t)i.tcpi_rwnd_limited / 1000},
        {"sndbuf_limited", (uint32_t)i.tcpi_sndbuf_limited / 1000},
    };
    for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
        if (is(all[k].name, words[0]))
            return same(words[0], all[k].value, words[1]);
    }
    return fail("no %s in TCP_INFO", words[0]);
}

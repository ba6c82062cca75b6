/* /proc/net of the Internet family, in Linux's formats, which ifconfig, route, arp and netstat read. */
#include "net/inet_proc.h"

#include <abi/if.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "net/ethernet.h"
#include "net/inet_stream.h"
#include "net/netdev.h"
#include "net/raw.h"
#include "net/udp.h"
#include "x86/clock.h"

#define LINE 256
#define STATE_CLOSED 7 /* of those that know no states: as TCP's */
#define STATE_ESTABLISHED 1
#define TICK (NSEC_PER_SEC / 100)

struct out {
    net_emit *emit;
    void *ctx;
    unsigned number; /* of the line */
};

static void print(struct out *o, const char *format, ...) format_printf(2, 3);
static void print(struct out *o, const char *format, ...)
{
    char line[LINE];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    o->emit(o->ctx, line);
}

/* --- interfaces --- */

void net_dev_show(net_emit *emit, void *ctx)
{
    struct out o = {emit, ctx, 0};
    struct netdev *dev = NULL;

    print(&o, "Inter-|   Receive                                                |  Transmit\n");
    print(&o,
          " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
          "drop fifo colls carrier compressed\n");
    while ((dev = netdev_next(dev))) {
        struct netdev_counters c = netdev_counters(dev);
        print(&o,
              "%6s: %7lu %7lu %4lu %4lu    0     0          0 %9lu %8lu %7lu %4lu %4lu    0     0"
              "       0          0\n",
              dev->name, c.rx_bytes, c.rx_packets, c.rx_errors, c.rx_dropped, c.multicast,
              c.tx_bytes, c.tx_packets, c.tx_errors, c.tx_dropped);
    }
}

/* --- the address cache --- */

static void show_neighbor(void *ctx, const struct neighbor_info *n)
{
    const uint8_t *a = (const uint8_t *)&n->address, *s = n->station;
    char address[16];

    (void)snprintf(address, sizeof(address), "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
    print(ctx, "%-16s 0x1         0x%x         %02x:%02x:%02x:%02x:%02x:%02x     *        %s\n",
          address, n->known ? ATF_COM | (n->permanent ? ATF_PERM : 0) : 0, s[0], s[1], s[2], s[3],
          s[4], s[5], n->dev->name);
}

void net_arp_show(net_emit *emit, void *ctx)
{
    struct out o = {emit, ctx, 0};

    print(&o, "IP address       HW type     Flags       HW address            Mask     Device\n");
    arp_for_each(show_neighbor, &o);
}

/* --- routes: the main table's alone, as Linux --- */

static void show_route(void *ctx, const struct route *r)
{
    unsigned flags = RTF_UP | (r->gateway ? RTF_GATEWAY : 0) | (r->prefix == 32 ? RTF_HOST : 0);

    if (route_type_refuses(r->type))
        flags |= RTF_REJECT;
    if (r->type == ROUTE_UNICAST || route_type_refuses(r->type))
        print(ctx, "%s\t%08X\t%08X\t%04X\t0\t0\t%u\t%08X\t0\t0\t0\n", r->dev->name, r->destination,
              r->gateway, flags, r->metric, prefix_mask(r->prefix));
}

void net_route_show(net_emit *emit, void *ctx)
{
    struct out o = {emit, ctx, 0};

    print(&o,
          "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n");
    route_for_each(show_route, &o);
}

/* --- sockets --- */

static void show_datagram_socket(void *ctx, const struct inet_socket *i)
{
    struct out *o = ctx;

    print(o,
          "%5u: %08X:%04X %08X:%04X %02X %08X:%08X 00:00000000 00000000 %5u        0 %lu 2 "
          "0000000000000000 %u\n",
          o->number++, i->bound, i->local_port, i->remote, i->remote_port,
          i->remote_port ? STATE_ESTABLISHED : STATE_CLOSED, 0u, READ_ONCE(i->d.room_taken), i->uid,
          READ_ONCE(i->d.s.ino), READ_ONCE(i->d.dropped));
}

static void show_table(struct inet_table *t, net_emit *emit, void *ctx)
{
    struct out o = {emit, ctx, 0};

    print(&o, "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
              "timeout inode ref pointer drops\n");
    inet_table_for_each(t, show_datagram_socket, &o);
}

void net_udp_show(net_emit *emit, void *ctx)
{
    show_table(&udp_table, emit, ctx);
}

void net_raw_show(net_emit *emit, void *ctx)
{
    show_table(&raw_table, emit, ctx);
}

/* What a connection waits for, as Linux numbers it. */
enum { WAITS_FOR_NOTHING, WAITS_FOR_ACK, WAITS_FOR_PEER, WAITS_FOR_END, WAITS_FOR_WINDOW };

/* What C does next if nothing happens, and in *LEFT how long that is yet. It changes while we look. */
static unsigned waits_for(const struct tcp_conn *c, nsec_t *left)
{
    static const uint8_t kinds[TCP_TIMERS] = {
        [TCP_TIMER_RETRANSMIT] = WAITS_FOR_ACK,
        [TCP_TIMER_PROBE] = WAITS_FOR_ACK,
        [TCP_TIMER_KEEPALIVE] = WAITS_FOR_PEER,
        [TCP_TIMER_FIN] = WAITS_FOR_PEER,
    };
    unsigned kind = WAITS_FOR_NOTHING;
    nsec_t first = 0;

    for (unsigned k = 0; k < TCP_TIMERS; k++) {
        nsec_t when = READ_ONCE(c->deadline[k]);
        if (kinds[k] && when && (!first || when < first)) {
            first = when;
            kind = kinds[k];
        }
    }
    if (kind == WAITS_FOR_ACK && READ_ONCE(c->snd_nxt) == READ_ONCE(c->snd_una))
        kind = WAITS_FOR_WINDOW;
    *left = first ? max(first - clock_monotonic(), (nsec_t)0) : 0;
    return kind;
}

static void show_connection(void *ctx, const struct tcp_entry *e, enum tcp_state state, nsec_t left)
{
    const struct tcp_tuple *t = &e->tuple;
    unsigned sending = 0, unread = 0, waits = WAITS_FOR_END, again = 0, probes = 0;
    uint64_t inode = 0;
    struct out *o = ctx;

    if (!e->is_time_wait) {
        const struct tcp_conn *c = container_of(e, struct tcp_conn, entry);
        sending = READ_ONCE(c->send_bytes);
        unread = state == TCP_LISTEN ? READ_ONCE(c->num_ready) : READ_ONCE(c->rcv_unread);
        inode = READ_ONCE(container_of(c, struct stream_socket, c)->s.ino);
        waits = waits_for(c, &left);
        again = READ_ONCE(c->backoff);
        probes = READ_ONCE(c->keep_probes) + READ_ONCE(c->probes);
    }
    print(
        o,
        "%4u: %08X:%04X %08X:%04X %02X %08X:%08X %02X:%08lX %08X %5u %8u %lu 1 0000000000000000\n",
        o->number++, t->local, t->local_port, t->remote, t->remote_port, state, sending, unread,
        waits, (unsigned long)(left / TICK), again, e->uid, probes, inode);
}

void net_tcp_show(net_emit *emit, void *ctx)
{
    struct out o = {emit, ctx, 0};

    print(&o, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
              "timeout inode\n");
    tcp_for_each(&tcp_stack, show_connection, &o);
}

/* --- counters --- */

struct number {
    const char *name;
    int counter; /* enum net_counter, or CONSTANT + a number */
};
#define CONSTANT 1000

static void show_numbers(struct out *o, const char *protocol, const struct number *n,
                         unsigned count)
{
    print(o, "%s:", protocol);
    for (unsigned i = 0; i < count; i++)
        print(o, " %s", n[i].name);
    print(o, "\n%s:", protocol);
    for (unsigned i = 0; i < count; i++)
        print(o, " %lu",
              n[i].counter >= CONSTANT ? (uint64_t)(n[i].counter - CONSTANT)
                                       : net_counter((enum net_counter)n[i].counter));
    print(o, "\n");
}

static const struct number ip_numbers[] = {
    {"Forwarding", CONSTANT + 2},
    {"DefaultTTL", CONSTANT + IPV4_TTL},
    {"InReceives", IP_IN_RECEIVES},
    {"InHdrErrors", IP_IN_HDR_ERRORS},
    {"InAddrErrors", IP_IN_ADDR_ERRORS},
    {"ForwDatagrams", CONSTANT},
    {"InUnknownProtos", IP_IN_UNKNOWN_PROTOS},
    {"InDiscards", IP_IN_DISCARDS},
    {"InDelivers", IP_IN_DELIVERS},
    {"OutRequests", IP_OUT_REQUESTS},
    {"OutDiscards", IP_OUT_DISCARDS},
    {"OutNoRoutes", IP_OUT_NO_ROUTES},
    {"ReasmTimeout", IP_REASM_TIMEOUT},
    {"ReasmReqds", IP_REASM_REQDS},
    {"ReasmOKs", IP_REASM_OKS},
    {"ReasmFails", IP_REASM_FAILS},
    {"FragOKs", IP_FRAG_OKS},
    {"FragFails", IP_FRAG_FAILS},
    {"FragCreates", IP_FRAG_CREATES},
};
static const struct number icmp_numbers[] = {
    {"InMsgs", ICMP_IN_MSGS},
    {"InErrors", ICMP_IN_ERRORS},
    {"InCsumErrors", ICMP_IN_CSUM_ERRORS},
    {"OutMsgs", ICMP_OUT_MSGS},
    {"OutErrors", ICMP_OUT_ERRORS},
};
static const struct number udp_numbers[] = {
    {"InDatagrams", UDP_IN_DATAGRAMS},    {"NoPorts", UDP_NO_PORTS},
    {"InErrors", UDP_IN_ERRORS},          {"OutDatagrams", UDP_OUT_DATAGRAMS},
    {"RcvbufErrors", UDP_RCVBUF_ERRORS},  {"SndbufErrors", UDP_SNDBUF_ERRORS},
    {"InCsumErrors", UDP_IN_CSUM_ERRORS},
};

static void show_tcp_numbers(struct out *o)
{
    const struct tcp_counters *c = &tcp_stack.counters;

    print(
        o,
        "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets "
        "InSegs OutSegs RetransSegs InErrs OutRsts\n");
    print(o, "Tcp: 1 %lu %lu -1 %lu %lu %lu %lu %lu %lu %lu %lu %lu\n",
          (unsigned long)(tcp_stack.params.rto_min / NSEC_PER_MSEC),
          (unsigned long)(tcp_stack.params.rto_max / NSEC_PER_MSEC), c->active_opens,
          c->passive_opens, c->attempt_fails, c->estab_resets, c->in_segs, c->out_segs,
          c->retrans_segs, c->in_errs, c->out_rsts);
}

void net_snmp_show(net_emit *emit, void *ctx)
{
    struct out o = {emit, ctx, 0};

    show_numbers(&o, "Ip", ip_numbers, ARRAY_SIZE(ip_numbers));
    show_numbers(&o, "Icmp", icmp_numbers, ARRAY_SIZE(icmp_numbers));
    show_tcp_numbers(&o);
    show_numbers(&o, "Udp", udp_numbers, ARRAY_SIZE(udp_numbers));
}

/* What no RFC's table has a name for, under Linux's names. */
void net_netstat_show(net_emit *emit, void *ctx)
{
    const struct tcp_counters *c = &tcp_stack.counters;
    struct out o = {emit, ctx, 0};

    print(&o, "TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed PAWSEstab ListenOverflows "
              "TCPTimeouts TCPChallengeACK\n");
    print(&o, "TcpExt: %lu %lu %lu %lu %lu %lu %lu\n", c->cookies_sent, c->cookies_good,
          c->cookies_bad, c->paws_rejected, c->listen_overflows, c->timeouts, c->challenge_acks);
}

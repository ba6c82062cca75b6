/* /proc/sys/net: what can be adjusted of TCP while it runs, under Linux's names and in its units. */
#include "fs/procfs_internal.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/inet_stream.h"

#define USEC ((uint64_t)NSEC_PER_USEC)

/* The shortest retransmission timeout, in microseconds: of connections from their next measurement on. */
static int show_rto_min(struct seq *s, const struct subject *who)
{
    (void)who;
    seq_printf(s, "%lu\n", (uint64_t)READ_ONCE(tcp_stack.params.rto_min) / USEC);
    return 0;
}

static int write_rto_min(const struct subject *who, char *text, size_t n)
{
    uint64_t us;

    (void)who, (void)n;
    if (parse_u64(text, 0, &us) || us == 0 || us > (uint64_t)tcp_stack.params.rto_max / USEC)
        return -EINVAL;
    WRITE_ONCE(tcp_stack.params.rto_min, (nsec_t)(us * USEC));
    return 0;
}

/* 0: none; 1: when a listener's queue is full; 2: always. */
static int show_syncookies(struct seq *s, const struct subject *who)
{
    (void)who;
    seq_printf(s, "%u\n", (unsigned)READ_ONCE(tcp_stack.params.syncookies));
    return 0;
}

static int write_syncookies(const struct subject *who, char *text, size_t n)
{
    uint64_t when;

    (void)who, (void)n;
    if (parse_u64(text, 0, &when) || when > 2)
        return -EINVAL;
    WRITE_ONCE(tcp_stack.params.syncookies, (uint8_t)when);
    return 0;
}

static int show_port_range(struct seq *s, const struct subject *who)
{
    (void)who;
    seq_printf(s, "%u\t%u\n", INET_PORT_FIRST, INET_PORT_LAST);
    return 0;
}

static const struct proc_node ipv4_nodes[] = {
    PROC_FILE("ip_local_port_range", 0444, show_port_range),
    PROC_WRITABLE("tcp_rto_min_us", 0644, show_rto_min, write_rto_min),
    PROC_WRITABLE("tcp_syncookies", 0644, show_syncookies, write_syncookies),
};
static const struct proc_dir ipv4_dir = {
    .id = 18, .nodes = ipv4_nodes, .count = ARRAY_SIZE(ipv4_nodes)};
static const struct proc_node net_nodes[] = {PROC_DIR("ipv4", 0555, &ipv4_dir)};
const struct proc_dir proc_sys_net_dir = {
    .id = 19, .nodes = net_nodes, .count = ARRAY_SIZE(net_nodes)};

/*
 * The top of /proc: the table of what is about the machine as a whole, and the smaller files of it.
 */
#include <abi/limits.h>
#include <abi/sysmacros.h>

#include "dev/mem.h"
#include "dev/serial.h"
#include "fs/inode.h"
#include "fs/locks.h"
#include "fs/procfs_internal.h"
#include "lib/cmdline.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "net/inet_proc.h"
#include "net/socket.h"
#include "proc/proc.h"
#include "proc/system.h"
#include "sched/sched.h"
#include "tests/kernel/plant.h"
#include "x86/clock.h"
#include "x86/cpu.h"
#include "x86/irq.h"
#include "x86/report.h"

static int show_loadavg(struct seq *s, const struct subject *who)
{
    uint64_t avg[3], total;
    struct proc *p;
    unsigned threads = 0;
    int last;

    (void)who;
    spin_lock(&proc_tree_lock);
    list_for_each (p, &proc_list, all_link)
        threads += p->nthreads;
    spin_unlock(&proc_tree_lock);
    pid_counts(&last, &total);
    sched_loadavg(avg);
    for (int i = 0; i < 3; i++) {
        uint64_t v = avg[i] + 65536 / 200; /* rounded to a hundredth */
        seq_printf(s, "%lu.%02lu ", v >> 16, (v & 0xffff) * 100 >> 16);
    }
    seq_printf(s, "%u/%u %d\n", sched_running_count(), threads, last);
    return 0;
}

static void add_seconds(struct seq *s, nsec_t time, const char *end)
{
    seq_printf(s, "%lld.%02lld%s", (long long)(time / NSEC_PER_SEC),
               (long long)(time % NSEC_PER_SEC / (NSEC_PER_SEC / 100)), end);
}

static int show_uptime(struct seq *s, const struct subject *who)
{
    struct sched_cpu_stats c;
    nsec_t idle = 0;

    (void)who;
    for (int i = 0; i < num_cpus; i++) {
        sched_cpu_stats(i, &c);
        idle += c.idle;
    }
    add_seconds(s, clock_monotonic(), " ");
    add_seconds(s, idle, "\n");
    return 0;
}

static int show_version(struct seq *s, const struct subject *who)
{
    struct utsname names;

    (void)who;
    system_names(&names);
    seq_printf(s, "%s version %s (signalbox) (gcc %s) %s\n", names.sysname, names.release,
               __VERSION__, names.version);
    return 0;
}

static void emit_text(void *ctx, const char *text)
{
    seq_puts(ctx, text);
}

static int show_cpuinfo(struct seq *s, const struct subject *who)
{
    (void)who;
    for (int i = 0; i < num_cpus; i++)
        cpu_describe(i, emit_text, s);
    return 0;
}

static int show_kernel_cmdline(struct seq *s, const struct subject *who)
{
    (void)who;
    seq_puts(s, cmdline_text());
    seq_puts(s, "\n");
    return 0;
}

static void add_filesystem(void *ctx, const struct fs_type *t)
{
    seq_printf(ctx, "%s\t%s\n", t->nodev ? "nodev" : "", t->name);
}

static int show_filesystems(struct seq *s, const struct subject *who)
{
    (void)who;
    fs_for_each(add_filesystem, s);
    return 0;
}

/* NAME is "IO-APIC" and the handlers' names, or just words. Lines below 16 are the ISA bus's: edges. */
static void add_irq(void *ctx, const char *label, const char *name, const uint64_t *counts)
{
    static const char chip[] = "IO-APIC ";
    const size_t n = sizeof(chip) - 1;

    seq_printf(ctx, "%3s: ", label);
    for (int i = 0; i < num_cpus; i++)
        seq_printf(ctx, "%10lu ", counts[i]);
    if (strncmp(name, chip, n) == 0)
        seq_printf(ctx, " IO-APIC %3s-%-8s  %s\n", label,
                   strlen(label) < 2 || strcmp(label, "16") < 0 ? "edge" : "fasteoi", name + n);
    else
        seq_printf(ctx, "  %s\n", name);
}

static int show_interrupts(struct seq *s, const struct subject *who)
{
    (void)who;
    seq_puts(s, "           ");
    for (int i = 0; i < num_cpus; i++)
        seq_printf(s, "CPU%-8d", i);
    seq_puts(s, "\n");
    irq_for_each(add_irq, s);
    return 0;
}

/* Which majors have a device; each is listed once. */
static void mark_major(void *ctx, const struct chrdev *c)
{
    bool *seen = ctx;

    if (major(c->dev) < 256)
        seen[major(c->dev)] = true;
}

static int show_devices(struct seq *s, const struct subject *who)
{
    static const struct {
        unsigned major_nr;
        const char *name;
    } names[] = {{1, "mem"}, {4, "ttyS"}, {5, "/dev/tty"}, {5, "/dev/console"}};
    bool seen[256] = {false};

    (void)who;
    chrdev_for_each(mark_major, seen);
    seq_puts(s, "Character devices:\n");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (seen[names[i].major_nr])
            seq_printf(s, "%3u %s\n", names[i].major_nr, names[i].name);
    seq_puts(s, "\nBlock devices:\n");
    return 0;
}

static int show_partitions(struct seq *s, const struct subject *who)
{
    (void)who;
    seq_puts(s, "major minor  #blocks  name\n\n");
    return 0;
}

static int show_swaps(struct seq *s, const struct subject *who)
{
    (void)who;
    seq_puts(s, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    return 0;
}

struct lock_list {
    struct seq *s;
    unsigned n;
};

static void add_lock(void *ctx, const struct file_lock_info *l)
{
    struct lock_list *list = ctx;
    char end[24] = "EOF";

    if (l->end != INT64_MAX)
        snprintf(end, sizeof(end), "%ld", l->end);
    seq_printf(list->s, "%u: %-6s %s %s %d %02x:%02x:%lu %ld %s\n", ++list->n, l->kind, "ADVISORY ",
               l->write ? "WRITE" : "READ", l->pid, major(l->dev), minor(l->dev), l->ino, l->start,
               end);
}

static int show_locks(struct seq *s, const struct subject *who)
{
    struct lock_list list = {.s = s};

    (void)who;
    file_locks_for_each(add_lock, &list);
    return 0;
}

static void add_port(void *ctx, const struct serial_counters *c)
{
    seq_printf(ctx, "%d: uart:%s port:%08X irq:%u tx:%lu rx:%lu", c->line,
               c->fifo ? "16550A" : "16450", c->base, c->irq, c->sent, c->received);
    if (c->framing)
        seq_printf(ctx, " fe:%lu", c->framing);
    if (c->parity)
        seq_printf(ctx, " pe:%lu", c->parity);
    if (c->breaks)
        seq_printf(ctx, " brk:%lu", c->breaks);
    if (c->overruns)
        seq_printf(ctx, " oe:%lu", c->overruns);
    if (c->lost)
        seq_printf(ctx, " bo:%lu", c->lost);
    seq_puts(ctx, "\n");
}

static int show_serial(struct seq *s, const struct subject *who)
{
    (void)who;
    seq_puts(s, "serinfo:1.0 driver revision:\n");
    serial_for_each(add_port, s);
    return 0;
}

/* The letters of Linux's magic key that make sense here; others do nothing. */
static int write_sysrq(const struct subject *who, char *text, size_t n)
{
    (void)who, (void)n;
    switch (text[0]) {
    case 'c': panic("sysrq: asked to crash");
    case 'd': /* locks; */
    case 'l': /* where every CPU is; */
    case 't': /* threads; */
    case 'w': /* who waits: all of them are parts of one report */
        report_live(NULL, "sysrq");
        return 0;
#ifdef CONFIG_DEBUG
    case 'P': plant(text + 1); return 0;
#endif
    case 'b': machine_restart();
    case 'o': machine_power_off();
    default: return 0;
    }
}

static ssize_t readlink_self(const struct subject *who, char *buf, size_t size)
{
    (void)who;
    if (!current->proc)
        return -ENOENT;
    return snprintf(buf, size, "%d", current_proc()->pid->nr);
}

static ssize_t readlink_thread_self(const struct subject *who, char *buf, size_t size)
{
    (void)who;
    if (!current->proc)
        return -ENOENT;
    return snprintf(buf, size, "%d/task/%d", current_proc()->pid->nr, current->pid->nr);
}

static ssize_t readlink_mounts(const struct subject *who, char *buf, size_t size)
{
    (void)who;
    return snprintf(buf, size, "self/mounts");
}

static void emit_line(void *ctx, const char *line)
{
    seq_puts(ctx, line);
}

static int show_unix(struct seq *s, const struct subject *who)
{
    (void)who;
    seq_puts(s, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    unix_for_each(emit_line, s);
    return 0;
}

#define NET_FILE(name)                                               \
    static int show_##name(struct seq *s, const struct subject *who) \
    {                                                                \
        (void)who;                                                   \
        net_##name##_show(emit_line, s);                             \
        return 0;                                                    \
    }
NET_FILE(dev)
NET_FILE(arp)
NET_FILE(route)
NET_FILE(udp)
NET_FILE(tcp)
NET_FILE(raw)
NET_FILE(snmp)
NET_FILE(netstat)

static const struct proc_node net_nodes[] = {
    PROC_FILE("arp", 0444, show_arp),         PROC_FILE("dev", 0444, show_dev),
    PROC_FILE("netstat", 0444, show_netstat), PROC_FILE("raw", 0444, show_raw),
    PROC_FILE("route", 0444, show_route),     PROC_FILE("snmp", 0444, show_snmp),
    PROC_FILE("tcp", 0444, show_tcp),         PROC_FILE("udp", 0444, show_udp),
    PROC_FILE("unix", 0444, show_unix),
};
static const struct proc_dir net_dir = {
    .id = 14, .nodes = net_nodes, .count = ARRAY_SIZE(net_nodes)};
static const struct proc_node serial_nodes[] = {PROC_FILE("serial", 0400, show_serial)};
static const struct proc_dir serial_dir = {
    .id = 8, .nodes = serial_nodes, .count = ARRAY_SIZE(serial_nodes)};
static const struct proc_node tty_nodes[] = {PROC_DIR("driver", 0555, &serial_dir)};
static const struct proc_dir tty_dir = {
    .id = 7, .nodes = tty_nodes, .count = ARRAY_SIZE(tty_nodes)};

static const struct proc_node root_nodes[] = {
    PROC_LINK("self", readlink_self),
    PROC_LINK("thread-self", readlink_thread_self),
    PROC_LINK("mounts", readlink_mounts),
    PROC_DIR("net", 0555, &net_dir),
    PROC_DIR("sys", 0555, &proc_sys_dir),
    PROC_DIR("sysvipc", 0555, &proc_sysvipc_dir),
    PROC_DIR("tty", 0555, &tty_dir),
    PROC_FILE("cmdline", 0444, show_kernel_cmdline),
    PROC_FILE("cpuinfo", 0444, show_cpuinfo),
    PROC_FILE("devices", 0444, show_devices),
    PROC_FILE("filesystems", 0444, show_filesystems),
    PROC_FILE("interrupts", 0444, show_interrupts),
    {.name = "kmsg", .mode = S_IFREG | 0400, .fops = &kmsg_stream_ops},
    PROC_FILE("kstat", 0444, show_kstat),
    PROC_FILE("loadavg", 0444, show_loadavg),
    PROC_FILE("locks", 0444, show_locks),
    PROC_FILE("meminfo", 0444, show_meminfo),
    PROC_FILE("partitions", 0444, show_partitions),
    PROC_FILE("slabinfo", 0400, show_slabinfo),
    PROC_FILE("stat", 0444, show_stat),
    PROC_FILE("swaps", 0444, show_swaps),
    PROC_WRITABLE("sysrq-trigger", 0200, NULL, write_sysrq),
    PROC_FILE("uptime", 0444, show_uptime),
    PROC_FILE("version", 0444, show_version),
    PROC_FILE("vmstat", 0444, show_vmstat),
};

static const struct proc_node proc_number_node = PROC_DIR("PID", 0555, &proc_pid_dir);

const struct proc_dir proc_root_dir = {
    .id = 0,
    .nodes = root_nodes,
    .count = ARRAY_SIZE(root_nodes),
    .numbered = NUMBER_PROC,
    .number = &proc_number_node,
};

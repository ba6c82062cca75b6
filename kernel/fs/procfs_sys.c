/*
 * /proc/sys: the system's few adjustable values, and constants that programs ask for. Each is a line. procfs_sys_net.c
 * has those of the network.
 */
#include <abi/limits.h>
#include <abi/sysinfo.h>

#include "dev/random.h"
#include "fs/epoll.h"
#include "fs/file.h"
#include "fs/procfs_internal.h"
#include "ipc/pipe_limits.h"
#include "lib/atomic.h"
#include "lib/cmdline.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/reclaim.h"
#include "mm/vma.h"
#include "proc/cred.h"
#include "proc/pid.h"
#include "proc/proc.h"
#include "proc/system.h"

#define LINE(name, format, ...)                               \
    static int name(struct seq *s, const struct subject *who) \
    {                                                         \
        (void)who;                                            \
        seq_printf(s, format "\n", __VA_ARGS__);              \
        return 0;                                             \
    }

/* ---- kernel ---- */

static int add_name(struct seq *s, size_t offset)
{
    struct utsname names;

    system_names(&names);
    seq_printf(s, "%s\n", (const char *)&names + offset);
    return 0;
}

#define NAME(fn, field)                                      \
    static int fn(struct seq *s, const struct subject *who)  \
    {                                                        \
        (void)who;                                           \
        return add_name(s, offsetof(struct utsname, field)); \
    }
NAME(show_hostname, nodename)
NAME(show_domainname, domainname)
NAME(show_osrelease, release)
NAME(show_ostype, sysname)
NAME(show_osversion, version)

static int write_hostname(const struct subject *who, char *text, size_t n)
{
    (void)who;
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    return system_set_hostname(text, min(n, (size_t)64));
}

LINE(show_pid_max, "%d", PID_MAX)
LINE(show_threads_max, "%lu", max(page_total() / 16, 256ul))
LINE(show_ngroups_max, "%d", NGROUPS_MAX)
LINE(show_cap_last_cap, "%d", CAP_LAST)
LINE(show_core_pattern, "%s", "core")
LINE(show_printk, "%d\t%d\t%d\t%d", 4, 4, 1, 7)
LINE(show_randomize, "%d", cmdline_has("norandmaps") ? 0 : 2)
LINE(show_zero, "%d", 0)
LINE(show_overflow_id, "%d", 65534)

/* ---- kernel/random ---- */

static void add_uuid(struct seq *s, const uint8_t id[16])
{
    for (int i = 0; i < 16; i++)
        seq_printf(s, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", id[i]);
    seq_puts(s, "\n");
}

/* RFC 4122, section 4.4. */
static void make_uuid(uint8_t id[16])
{
    random_bytes(id, 16);
    id[6] = (id[6] & 0x0f) | 0x40;
    id[8] = (id[8] & 0x3f) | 0x80;
}

static int show_uuid(struct seq *s, const struct subject *who)
{
    uint8_t id[16];

    (void)who;
    make_uuid(id);
    add_uuid(s, id);
    return 0;
}

static struct spinlock boot_id_lock = SPINLOCK_INIT(RANK_PROC, "boot_id");
static uint8_t boot_id[16]; /* boot_id_lock; all zero until somebody asks */

static int show_boot_id(struct seq *s, const struct subject *who)
{
    uint8_t id[16];

    (void)who;
    spin_lock(&boot_id_lock);
    if (!boot_id[6])
        make_uuid(boot_id);
    memcpy(id, boot_id, sizeof(id));
    spin_unlock(&boot_id_lock);
    add_uuid(s, id);
    return 0;
}

LINE(show_entropy, "%d", 256)

/* ---- fs ---- */

LINE(show_file_nr, "%zu\t0\t%zu", file_count(), file_max)
LINE(show_epoll_max, "%zu", epoll_max_items())
LINE(show_file_max, "%zu", file_max)
LINE(show_nr_open, "%d", 1048576)
LINE(show_pipe_max, "%lu", READ_ONCE(pipe_sysctl.max_size))
LINE(show_pipe_soft, "%lu", READ_ONCE(pipe_sysctl.user_soft))
LINE(show_pipe_hard, "%lu", READ_ONCE(pipe_sysctl.user_hard))

static int write_pipe_max(const struct subject *who, char *text, size_t n)
{
    uint64_t size;

    (void)who, (void)n;
    return parse_u64(text, 0, &size) ? -EINVAL : pipe_set_max_size(size);
}

static int write_pages(char *text, uint64_t *limit)
{
    uint64_t pages;

    if (parse_u64(text, 0, &pages))
        return -EINVAL;
    WRITE_ONCE(*limit, pages);
    return 0;
}

static int write_pipe_soft(const struct subject *who, char *text, size_t n)
{
    (void)who, (void)n;
    return write_pages(text, &pipe_sysctl.user_soft);
}

static int write_pipe_hard(const struct subject *who, char *text, size_t n)
{
    (void)who, (void)n;
    return write_pages(text, &pipe_sysctl.user_hard);
}

/* ---- vm ---- */

LINE(show_max_map_count, "%d", MAX_AREAS)
LINE(show_mmap_min_addr, "%lu", MMAP_MIN_ADDR)

static int write_drop_caches(const struct subject *who, char *text, size_t n)
{
    (void)who, (void)n;
    if (text[0] < '1' || text[0] > '4' || text[1])
        return -EINVAL;
    memory_drain();
    return 0;
}

static const struct proc_node random_nodes[] = {
    PROC_FILE("boot_id", 0444, show_boot_id),
    PROC_FILE("entropy_avail", 0444, show_entropy),
    PROC_FILE("poolsize", 0444, show_entropy),
    PROC_FILE("uuid", 0444, show_uuid),
};
static const struct proc_dir random_dir = {
    .id = 12, .nodes = random_nodes, .count = ARRAY_SIZE(random_nodes)};

static const struct proc_node kernel_nodes[] = {
    PROC_FILE("cap_last_cap", 0444, show_cap_last_cap),
    PROC_FILE("core_pattern", 0444, show_core_pattern),
    PROC_FILE("dmesg_restrict", 0444, show_zero),
    PROC_FILE("domainname", 0444, show_domainname),
    PROC_WRITABLE("hostname", 0644, show_hostname, write_hostname),
    PROC_WRITABLE("msgmax", 0644, show_msgmax, write_msgmax),
    PROC_WRITABLE("msgmnb", 0644, show_msgmnb, write_msgmnb),
    PROC_WRITABLE("msgmni", 0644, show_msgmni, write_msgmni),
    PROC_FILE("ngroups_max", 0444, show_ngroups_max),
    PROC_FILE("osrelease", 0444, show_osrelease),
    PROC_FILE("ostype", 0444, show_ostype),
    PROC_FILE("overflowgid", 0444, show_overflow_id),
    PROC_FILE("overflowuid", 0444, show_overflow_id),
    PROC_FILE("pid_max", 0444, show_pid_max),
    PROC_FILE("printk", 0444, show_printk),
    PROC_DIR("random", 0555, &random_dir),
    PROC_FILE("randomize_va_space", 0444, show_randomize),
    PROC_WRITABLE("sem", 0644, show_sem_limits, write_sem_limits),
    PROC_WRITABLE("shmall", 0644, show_shmall, write_shmall),
    PROC_WRITABLE("shmmax", 0644, show_shmmax, write_shmmax),
    PROC_WRITABLE("shmmni", 0644, show_shmmni, write_shmmni),
    PROC_FILE("tainted", 0444, show_zero),
    PROC_FILE("threads-max", 0444, show_threads_max),
    PROC_FILE("version", 0444, show_osversion),
};
static const struct proc_node epoll_nodes[] = {
    PROC_FILE("max_user_watches", 0444, show_epoll_max),
};
static const struct proc_dir epoll_dir = {
    .id = 13, .nodes = epoll_nodes, .count = ARRAY_SIZE(epoll_nodes)};
static const struct proc_node fs_nodes[] = {
    PROC_DIR("epoll", 0555, &epoll_dir),
    PROC_FILE("file-max", 0444, show_file_max),
    PROC_FILE("file-nr", 0444, show_file_nr),
    PROC_DIR("inotify", 0555, &proc_inotify_dir),
    PROC_DIR("mqueue", 0555, &proc_mqueue_dir),
    PROC_FILE("nr_open", 0444, show_nr_open),
    PROC_FILE("overflowgid", 0444, show_overflow_id),
    PROC_FILE("overflowuid", 0444, show_overflow_id),
    PROC_WRITABLE("pipe-max-size", 0644, show_pipe_max, write_pipe_max),
    PROC_WRITABLE("pipe-user-pages-hard", 0644, show_pipe_hard, write_pipe_hard),
    PROC_WRITABLE("pipe-user-pages-soft", 0644, show_pipe_soft, write_pipe_soft),
};
static const struct proc_node vm_nodes[] = {
    PROC_WRITABLE("drop_caches", 0200, NULL, write_drop_caches),
    PROC_FILE("max_map_count", 0444, show_max_map_count),
    PROC_FILE("mmap_min_addr", 0444, show_mmap_min_addr),
    PROC_FILE("overcommit_memory", 0444, show_zero),
    PROC_FILE("swappiness", 0444, show_zero),
};
static const struct proc_dir kernel_dir = {
    .id = 9, .nodes = kernel_nodes, .count = ARRAY_SIZE(kernel_nodes)};
static const struct proc_dir fs_dir = {.id = 10, .nodes = fs_nodes, .count = ARRAY_SIZE(fs_nodes)};
static const struct proc_dir vm_dir = {.id = 11, .nodes = vm_nodes, .count = ARRAY_SIZE(vm_nodes)};

static const struct proc_node sys_nodes[] = {
    PROC_DIR("fs", 0555, &fs_dir),
    PROC_DIR("kernel", 0555, &kernel_dir),
    PROC_DIR("net", 0555, &proc_sys_net_dir),
    PROC_DIR("vm", 0555, &vm_dir),
};
const struct proc_dir proc_sys_dir = {.id = 1, .nodes = sys_nodes, .count = ARRAY_SIZE(sys_nodes)};

/*
 * Calls about the system as a whole: its names, its state, its log, its end. Programs that look at the
 * names expect Linux, whose interface this is; the release says which kernel it is behind it.
 */
#include "proc/system.h"

#include <abi/membarrier.h>
#include <abi/random.h>
#include <abi/reboot.h>
#include <abi/sysinfo.h>
#include <abi/syslog.h>

#include "dev/random.h"
#include "dev/tty.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/vmobject.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "signal/signal.h"
#include "x86/clock.h"
#include "x86/cpu.h"
#include "x86/uaccess.h"
#include <syscall_protos.h>

#define CAP_SYSLOG 34

/* --- names ------------------------------------------------------------------------------------------ */

static struct spinlock names_lock = SPINLOCK_INIT(RANK_PROC, "names");
static struct utsname names = {
    /* names_lock */
    .sysname = "Linux",           .nodename = "signalbox",
    .release = "6.1.0-signalbox", .version = "#1 SMP Signalbox",
    .machine = "x86_64",          .domainname = "(none)",
};

void system_names(struct utsname *out)
{
    spin_lock(&names_lock);
    *out = names;
    spin_unlock(&names_lock);
}

long sys_uname(struct utsname __user *name)
{
    struct utsname copy;

    system_names(&copy);
    return copy_to_user(name, &copy, sizeof(copy));
}

static int set_name(char *field, const char *name, size_t len)
{
    if (len > __NEW_UTS_LEN)
        return -EINVAL;
    spin_lock(&names_lock);
    memset(field, 0, __NEW_UTS_LEN + 1);
    memcpy(field, name, len);
    spin_unlock(&names_lock);
    return 0;
}

int system_set_hostname(const char *name, size_t len)
{
    return set_name(names.nodename, name, len);
}

static long set_name_from_user(char *field, const char __user *name, size_t len)
{
    char buf[__NEW_UTS_LEN];

    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (len > sizeof(buf))
        return -EINVAL;
    if (copy_from_user(buf, name, len))
        return -EFAULT;
    return set_name(field, buf, len);
}

long sys_sethostname(const char __user *name, size_t len)
{
    return set_name_from_user(names.nodename, name, len);
}

long sys_setdomainname(const char __user *name, size_t len)
{
    return set_name_from_user(names.domainname, name, len);
}

/* --- state ------------------------------------------------------------------------------------------ */

long sys_sysinfo(struct sysinfo __user *info)
{
    struct sysinfo s = {
        .uptime = DIV_ROUND_UP(clock_monotonic(), NSEC_PER_SEC),
        .totalram = page_total() * PAGE_SIZE,
        .freeram = page_free_count() * PAGE_SIZE,
        .sharedram = vmobject_total_pages() * PAGE_SIZE,
        .procs = (unsigned short)min(proc_count(), (size_t)UINT16_MAX),
        .mem_unit = 1,
    };
    uint64_t loads[3];

    sched_loadavg(loads);
    for (int i = 0; i < 3; i++)
        s.loads[i] = loads[i];
    return copy_to_user(info, &s, sizeof(s));
}

/* --- the log ---------------------------------------------------------------------------------------- */

static uint64_t read_pos;  /* atomic: where SYSLOG_ACTION_READ goes on */
static uint64_t clear_pos; /* atomic: where SYSLOG_ACTION_READ_ALL begins at the earliest */

#define LOG_LOOK_INTERVAL (100 * NSEC_PER_MSEC)
#define LOG_BUFFER_SIZE (64 * 1024)

/* Copy the log from *POS up to END, at most LEN bytes; how many. */
static long copy_log(uint64_t *pos, uint64_t end, char __user *buf, size_t len)
{
    char chunk[256];
    size_t done = 0;

    while (done < len && *pos < end) {
        size_t n = log_read(pos, chunk, min(len - done, sizeof(chunk)));
        if (!n)
            break;
        if (copy_to_user(buf + done, chunk, n))
            return done ? (long)done : -EFAULT;
        done += n;
    }
    return (long)done;
}

/*
 * Sleep until there is text that was not read yet. The log is written below any lock, so it can't wake
 * anybody: look ten times a second.
 */
static long log_consume(char __user *buf, size_t len)
{
    uint64_t pos;

    while ((pos = READ_ONCE(read_pos)) >= log_end()) {
        int error = sched_sleep_until(clock_monotonic() + LOG_LOOK_INTERVAL, WAIT_INTERRUPTIBLE);
        if (error)
            return error;
    }
    long n = copy_log(&pos, log_end(), buf, len);
    if (n > 0)
        WRITE_ONCE(read_pos, pos);
    return n;
}

/* The newest LEN bytes since the last clearing, from the beginning of a line. */
static long log_show(char __user *buf, size_t len, bool clear)
{
    uint64_t end = log_end();
    uint64_t pos = max(log_start(), READ_ONCE(clear_pos));

    if (end - pos > len) {
        char c = '\0';
        pos = end - len;
        while (pos < end && c != '\n' && log_read(&pos, &c, 1))
            ;
    }
    long n = copy_log(&pos, end, buf, len);
    if (clear && n >= 0)
        WRITE_ONCE(clear_pos, end);
    return n;
}

static bool may_read_log(int type)
{
    return type == SYSLOG_ACTION_READ_ALL || type == SYSLOG_ACTION_SIZE_BUFFER ||
           capable(CAP_SYSLOG) || capable(CAP_SYS_ADMIN);
}

long sys_syslog(int type, char __user *buf, int len)
{
    if (!may_read_log(type))
        return -EPERM;
    switch (type) {
    case SYSLOG_ACTION_CLOSE:
    case SYSLOG_ACTION_OPEN: return 0;
    case SYSLOG_ACTION_READ:
    case SYSLOG_ACTION_READ_ALL:
    case SYSLOG_ACTION_READ_CLEAR:
        if (!buf || len < 0)
            return -EINVAL;
        if (!len)
            return 0;
        if (!user_range_ok(buf, (size_t)len))
            return -EFAULT;
        return type == SYSLOG_ACTION_READ
                   ? log_consume(buf, (size_t)len)
                   : log_show(buf, (size_t)len, type == SYSLOG_ACTION_READ_CLEAR);
    case SYSLOG_ACTION_CLEAR: WRITE_ONCE(clear_pos, log_end()); return 0;
    case SYSLOG_ACTION_CONSOLE_OFF: /* the log is never written to the console */
    case SYSLOG_ACTION_CONSOLE_ON: return 0;
    case SYSLOG_ACTION_CONSOLE_LEVEL: return len < 1 || len > 8 ? -EINVAL : 0;
    case SYSLOG_ACTION_SIZE_UNREAD:
        return (long)(log_end() - max(log_start(), min(READ_ONCE(read_pos), log_end())));
    case SYSLOG_ACTION_SIZE_BUFFER: return LOG_BUFFER_SIZE;
    default: return -EINVAL;
    }
}

/* --- the end ---------------------------------------------------------------------------------------- */

static bool reboot_magic_is_right(unsigned magic1, unsigned magic2)
{
    return magic1 == LINUX_REBOOT_MAGIC1 &&
           (magic2 == LINUX_REBOOT_MAGIC2 || magic2 == LINUX_REBOOT_MAGIC2A ||
            magic2 == LINUX_REBOOT_MAGIC2B || magic2 == LINUX_REBOOT_MAGIC2C);
}

/* The last line of the log; and what programs have written is to leave the machine before it stops. */
static void say_goodbye(const char *what)
{
    log_info("%s", what);
    tty_flush_all();
}

long sys_reboot(unsigned int magic1, unsigned int magic2, unsigned int cmd, const void __user *arg)
{
    char command[256];

    if (!capable(CAP_SYS_BOOT))
        return -EPERM;
    if (!reboot_magic_is_right(magic1, magic2))
        return -EINVAL;
    switch (cmd) {
    case LINUX_REBOOT_CMD_CAD_ON: /* there is no keyboard to press it on */
    case LINUX_REBOOT_CMD_CAD_OFF: return 0;
    case LINUX_REBOOT_CMD_RESTART2:
        if (strncpy_from_user(command, arg, sizeof(command)) == -EFAULT)
            return -EFAULT;
        /* fall through */
    case LINUX_REBOOT_CMD_RESTART: say_goodbye("restarting"); machine_restart();
    case LINUX_REBOOT_CMD_POWER_OFF: say_goodbye("powering off"); machine_power_off();
    case LINUX_REBOOT_CMD_HALT: say_goodbye("halted"); machine_halt();
    default: return -EINVAL;
    }
}

/* --- odds and ends ---------------------------------------------------------------------------------- */

long sys_getrandom(void __user *buf, size_t count, unsigned int flags)
{
    uint8_t chunk[256];
    size_t done = 0;

    if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
        (flags & GRND_RANDOM && flags & GRND_INSECURE))
        return -EINVAL;
    count = min(count, (size_t)INT32_MAX);
    while (done < count) {
        size_t want = min(count - done, sizeof(chunk));
        random_bytes(chunk, want);
        size_t missed = copy_to_user_partial((char __user *)buf + done, chunk, want);
        done += want - missed;
        if (missed || (done % PAGE_SIZE == 0 && signal_pending(current)))
            break;
    }
    memset(chunk, 0, sizeof(chunk));
    asm volatile(""
                 :
                 : "r"(chunk)
                 : "memory"); /* not to be optimised away: they are somebody's secret */
    return done || !count ? (long)done : -EFAULT;
}

static void full_barrier(void *unused)
{
    (void)unused;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static long barrier_everywhere(void)
{
    full_barrier(NULL);
    irq_push_off();
    cpumask_t others = sched_online() & ~(1UL << cpu_id());
    if (others)
        cpu_call(others, full_barrier, NULL);
    irq_pop_off();
    return 0;
}

#define MEMBARRIER_SUPPORTED                                                                  \
    (MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                                \
     MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |            \
     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE | \
     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)

/* Every kind is the same here: an interrupt on every CPU is a full barrier and synchronises the core as well. */
long sys_membarrier(int cmd, unsigned int flags, int cpu)
{
    struct proc *p = current_proc();

    (void)cpu;
    if (flags)
        return -EINVAL;
    switch (cmd) {
    case MEMBARRIER_CMD_QUERY: return MEMBARRIER_SUPPORTED;
    case MEMBARRIER_CMD_GLOBAL:
    case MEMBARRIER_CMD_GLOBAL_EXPEDITED: return barrier_everywhere();
    case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED: return 0;
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
        WRITE_ONCE(p->membarrier_mm, current->mm);
        return 0;
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
        return READ_ONCE(p->membarrier_mm) == current->mm ? barrier_everywhere() : -EPERM;
    default: return -EINVAL;
    }
}

/*
 * /proc/PID: the table of a process's files, and the smaller ones among them. task/TID has the same table
 * but for task itself.
 */
#include <abi/auxv.h>
#include <abi/resource.h>

#include "fs/procfs_internal.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "proc/proc.h"
#include "sched/sched.h"

/* The bytes [START, END) of the process's memory, as far as they can be read. */
static int add_memory(struct seq *s, const struct subject *who, bool environment)
{
    struct mm *mm = proc_mm_get(who->proc);
    char buf[256];

    if (!mm)
        return 0;
    uintptr_t at = environment ? mm->env_start : mm->arg_start;
    uintptr_t end = environment ? mm->env_end : mm->arg_end;
    while (at < end && !s->error) {
        ssize_t n = mm_read(mm, at, buf, min((size_t)(end - at), sizeof(buf)));
        if (n <= 0)
            break;
        seq_write(s, buf, (size_t)n);
        at += (size_t)n;
    }
    mm_put(mm);
    return 0;
}

static int show_cmdline(struct seq *s, const struct subject *who)
{
    return add_memory(s, who, false);
}

static int show_environ(struct seq *s, const struct subject *who)
{
    return add_memory(s, who, true);
}

static int show_auxv(struct seq *s, const struct subject *who)
{
    struct mm *mm = proc_mm_get(who->proc);
    size_t n = 0;

    if (!mm)
        return 0;
    while (n + 2 < ARRAY_SIZE(mm->auxv) && mm->auxv[n] != AT_NULL)
        n += 2;
    seq_write(s, mm->auxv, (n + 2) * sizeof(mm->auxv[0]));
    mm_put(mm);
    return 0;
}

static int show_comm(struct seq *s, const struct subject *who)
{
    seq_printf(s, "%.15s\n", who->thread->comm);
    return 0;
}

/* The thread's name: its own process may change it. */
static int write_comm(const struct subject *who, char *text, size_t n)
{
    (void)n;
    if (who->proc != current_proc())
        return -EINVAL;
    strlcpy(who->thread->comm, text, sizeof(who->thread->comm));
    return 0;
}

static void add_limit(struct seq *s, uint64_t value)
{
    if (value == RLIM_INFINITY)
        seq_printf(s, "%-20s ", "unlimited");
    else
        seq_printf(s, "%-20lu ", value);
}

static int show_limits(struct seq *s, const struct subject *who)
{
    static const struct {
        int resource;
        const char *name, *unit;
    } rows[] = {
        {RLIMIT_CPU, "Max cpu time", "seconds"},
        {RLIMIT_FSIZE, "Max file size", "bytes"},
        {RLIMIT_DATA, "Max data size", "bytes"},
        {RLIMIT_STACK, "Max stack size", "bytes"},
        {RLIMIT_CORE, "Max core file size", "bytes"},
        {RLIMIT_RSS, "Max resident set", "bytes"},
        {RLIMIT_NPROC, "Max processes", "processes"},
        {RLIMIT_NOFILE, "Max open files", "files"},
        {RLIMIT_MEMLOCK, "Max locked memory", "bytes"},
        {RLIMIT_AS, "Max address space", "bytes"},
        {RLIMIT_LOCKS, "Max file locks", "locks"},
        {RLIMIT_SIGPENDING, "Max pending signals", "signals"},
        {RLIMIT_MSGQUEUE, "Max msgqueue size", "bytes"},
        {RLIMIT_NICE, "Max nice priority", NULL},
        {RLIMIT_RTPRIO, "Max realtime priority", NULL},
        {RLIMIT_RTTIME, "Max realtime timeout", "us"},
    };
    struct rlimit limits[RLIM_NLIMITS];

    spin_lock(&who->proc->limit_lock);
    memcpy(limits, who->proc->limits, sizeof(limits));
    spin_unlock(&who->proc->limit_lock);
    seq_printf(s, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        seq_printf(s, "%-25s ", rows[i].name);
        add_limit(s, limits[rows[i].resource].rlim_cur);
        add_limit(s, limits[rows[i].resource].rlim_max);
        if (rows[i].unit)
            seq_printf(s, "%-10s\n", rows[i].unit);
        else
            seq_puts(s, "\n");
    }
    return 0;
}

/* What the thread sleeps for: the text of the condition in the source. */
static int show_wchan(struct seq *s, const struct subject *who)
{
    const char *what = READ_ONCE(who->thread->waiting_for);

    seq_puts(s, what && READ_ONCE(who->thread->state) != THREAD_RUNNING ? what : "0");
    return 0;
}

/* As Linux: from its share of memory, 667 for one that has nearly none. */
static int show_oom_score(struct seq *s, const struct subject *who)
{
    struct mm *mm = proc_mm_get(who->proc);
    size_t share = 0;

    if (mm) {
        share = mm_rss(mm) * 1000 / page_total();
        mm_put(mm);
    }
    seq_printf(s, "%zu\n", mm ? (1000 + share) * 2 / 3 : 0);
    return 0;
}

static int show_personality(struct seq *s, const struct subject *who)
{
    seq_printf(s, "%08x\n", who->proc->personality);
    return 0;
}

static int show_cgroup(struct seq *s, const struct subject *who)
{
    (void)who;
    seq_puts(s, "0::/\n");
    return 0;
}

/* task/TID/children: those that this thread made. */
static int show_children(struct seq *s, const struct subject *who)
{
    struct proc *child;

    spin_lock(&proc_tree_lock);
    list_for_each (child, &who->proc->children, child_link)
        if (!who->thread->pid || child->parent_tid == who->thread->pid->nr)
            seq_printf(s, "%d ", child->pid->nr);
    spin_unlock(&proc_tree_lock);
    return 0;
}

#define COMMON_NODES                                                                          \
    PROC_DIR("fd", 0500, &proc_fd_dir), PROC_DIR("fdinfo", 0555, &proc_fdinfo_dir),           \
        PROC_SECRET("environ", 0400, show_environ), PROC_SECRET("auxv", 0400, show_auxv),     \
        PROC_FILE("status", 0444, show_pid_status),                                           \
        PROC_SECRET("personality", 0400, show_personality),                                   \
        PROC_FILE("limits", 0444, show_limits),                                               \
        PROC_WRITABLE("comm", 0644, show_comm, write_comm),                                   \
        PROC_FILE("cmdline", 0444, show_cmdline), PROC_FILE("stat", 0444, show_pid_stat),     \
        PROC_FILE("statm", 0444, show_statm), PROC_SECRET("maps", 0444, show_maps),           \
        PROC_MAGIC("cwd", readlink_cwd, follow_cwd),                                          \
        PROC_MAGIC("root", readlink_root, follow_root),                                       \
        PROC_MAGIC("exe", readlink_exe, follow_exe), PROC_FILE("mounts", 0444, show_mounts),  \
        PROC_FILE("mountinfo", 0444, show_mountinfo), PROC_SECRET("smaps", 0444, show_smaps), \
        PROC_SECRET("smaps_rollup", 0444, show_smaps_rollup),                                 \
        PROC_FILE("wchan", 0444, show_wchan), PROC_FILE("cgroup", 0444, show_cgroup),         \
        PROC_FILE("oom_score", 0444, show_oom_score),                                         \
    {                                                                                         \
        .name = "pagemap", .mode = S_IFREG | 0400, .inspect = true, .fops = &proc_pagemap_ops \
    }

static const struct proc_node pid_nodes[] = {
    PROC_DIR("task", 0555, &proc_task_dir),
    COMMON_NODES,
    PROC_SECRET("mountstats", 0400, show_mountstats),
};

static const struct proc_node thread_nodes[] = {
    COMMON_NODES,
    PROC_FILE("children", 0444, show_children),
};

const struct proc_dir proc_pid_dir = {.id = 2, .nodes = pid_nodes, .count = ARRAY_SIZE(pid_nodes)};
const struct proc_dir proc_thread_dir = {
    .id = 3, .nodes = thread_nodes, .count = ARRAY_SIZE(thread_nodes)};

static const struct proc_node thread_node = PROC_DIR("task", 0555, &proc_thread_dir);

const struct proc_dir proc_task_dir = {.id = 4, .numbered = NUMBER_THREAD, .number = &thread_node};

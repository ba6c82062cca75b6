/*
 * /proc/PID/stat and status: one line and one page about a process, or about one thread of it.
 *
 * What is shown is gathered first, each part under its own lock, and written down without any.
 */
#include <abi/resource.h>
#include <abi/signal.h>

#include "dev/tty.h"
#include "fs/fdtable.h"
#include "fs/path.h"
#include "fs/procfs_internal.h"
#include "mm/mm.h"
#include "proc/proc.h"
#include "proc/users.h"
#include "sched/sched.h"
#include "signal/signal.h"

#define FLAGS_SHOWN 0x400000 /* PF_RANDOMIZE */

/* Places in the tree: proc_tree_lock's. */
struct place {
    int pid, tid, parent, group, session, tty, foreground;
    unsigned nthreads;
    bool zombie;
};

static struct place place_of(const struct subject *who)
{
    const struct proc *p = who->proc;
    struct place at = {.tty = 0, .foreground = -1};

    spin_lock(&proc_tree_lock);
    at.pid = p->pid->nr;
    at.tid = who->whole || !who->thread->pid ? at.pid : who->thread->pid->nr;
    at.parent = p->parent ? p->parent->pid->nr : 0;
    at.group = p->group ? p->group->nr : 0;
    at.session = p->session ? p->session->nr : 0;
    at.nthreads = p->nthreads;
    at.zombie = p->zombie;
    if (p->tty) {
        at.tty = (int)p->tty->dev;
        at.foreground = p->tty->foreground ? p->tty->foreground->nr : -1;
    }
    spin_unlock(&proc_tree_lock);
    return at;
}

struct signals {
    ksigset_t pending, shared_pending, blocked, ignored, caught;
};

static struct signals signals_of(const struct subject *who)
{
    struct proc *p = who->proc;
    struct signals g = {0};

    spin_lock(&p->signal_lock);
    g.pending = who->thread->pending;
    g.shared_pending = p->pending;
    g.blocked = who->thread->blocked;
    struct sigactions *a = p->actions;
    if (a) {
        spin_lock(&a->lock);
        for (unsigned i = 0; i < 64; i++) {
            uintptr_t handler = (uintptr_t)a->action[i].handler;
            if (handler == (uintptr_t)SIG_IGN)
                g.ignored |= (ksigset_t)1 << i;
            else if (handler != (uintptr_t)SIG_DFL)
                g.caught |= (ksigset_t)1 << i;
        }
        spin_unlock(&a->lock);
    }
    spin_unlock(&p->signal_lock);
    return g;
}

static char state_letter(const struct subject *who, bool zombie)
{
    if (zombie)
        return 'Z';
    switch (READ_ONCE(who->thread->state)) {
    case THREAD_RUNNING: return 'R';
    case THREAD_SLEEPING: return 'S';
    case THREAD_STOPPED: return 'T';
    case THREAD_DEAD: return who->whole ? 'Z' : 'X';
    default: return 'D';
    }
}

static const char *state_name(char letter)
{
    switch (letter) {
    case 'R': return "R (running)";
    case 'S': return "S (sleeping)";
    case 'T': return "T (stopped)";
    case 'X': return "X (dead)";
    case 'Z': return "Z (zombie)";
    default: return "D (disk sleep)";
    }
}

struct usage {
    unsigned long minflt, majflt, children_minflt, children_majflt;
    unsigned long long user, system, children_user, children_system; /* ticks */
};

static unsigned long long ticks_of_timeval(const struct timeval *tv)
{
    return (unsigned long long)tv->tv_sec * 100 + (unsigned long long)tv->tv_usec / 10000;
}

static struct usage usage_of(const struct subject *who)
{
    struct rusage self, children;
    struct usage u = {0};
    nsec_t user, system;

    proc_children_rusage(who->proc, &children);
    u.children_minflt = (unsigned long)children.ru_minflt;
    u.children_majflt = (unsigned long)children.ru_majflt;
    u.children_user = ticks_of_timeval(&children.ru_utime);
    u.children_system = ticks_of_timeval(&children.ru_stime);
    if (who->whole) {
        proc_rusage(who->proc, &self);
        u.minflt = (unsigned long)self.ru_minflt;
        u.majflt = (unsigned long)self.ru_majflt;
        u.user = ticks_of_timeval(&self.ru_utime);
        u.system = ticks_of_timeval(&self.ru_stime);
    } else {
        thread_times(who->thread, &user, &system);
        u.minflt = who->thread->usage.minor_faults;
        u.majflt = who->thread->usage.major_faults;
        u.user = ticks_of(user);
        u.system = ticks_of(system);
    }
    return u;
}

static int shown_priority(const struct thread *t)
{
    return t->prio ? -1 - t->prio : 20 + t->nice;
}

/* Fields 23 to 28 and 45 to 51 of stat tell where things are in memory: for those who may look. */
static void add_memory(struct seq *s, const struct mm *mm, bool permitted, uint64_t rss_limit)
{
    unsigned long hidden = mm ? 1 : 0;

    seq_printf(s, " %lu %lu %lu %lu %lu %lu 0 0", mm ? mm->pages_mapped * PAGE_SIZE : 0,
               mm ? mm_rss(mm) : 0, rss_limit, permitted && mm ? mm->code_start : hidden,
               permitted && mm ? mm->code_end : hidden, permitted && mm ? mm->stack_top : 0);
}

static void add_more_memory(struct seq *s, const struct mm *mm, bool permitted)
{
    if (!mm || !permitted) {
        seq_puts(s, " 0 0 0 0 0 0 0");
        return;
    }
    seq_printf(s, " %lu %lu %lu %lu %lu %lu %lu", mm->data_start, mm->data_end, mm->brk_start,
               mm->arg_start, mm->arg_end, mm->env_start, mm->env_end);
}

/* As Linux's do_task_stat: see proc_pid_stat(5) for the 52 fields. */
int show_pid_stat(struct seq *s, const struct subject *who)
{
    struct place at = place_of(who);
    struct signals g = signals_of(who);
    struct usage u = usage_of(who);
    struct thread *t = who->thread;
    struct mm *mm = proc_mm_get(who->proc);
    bool permitted = proc_may_inspect(who->proc);
    char state = state_letter(who, at.zombie);
    bool waits = permitted && state != 'R' && state != 'Z';

    seq_printf(s, "%d (%.16s) %c %d %d %d %d %d %u %lu %lu %lu %lu", at.tid, t->comm, state,
               at.parent, at.group, at.session, at.tty, at.foreground, FLAGS_SHOWN, u.minflt,
               u.children_minflt, u.majflt, u.children_majflt);
    seq_printf(s, " %llu %llu %llu %llu %d %d %u 0 %llu", u.user, u.system, u.children_user,
               u.children_system, shown_priority(t), t->nice, at.nthreads,
               ticks_of(who->proc->start_time));
    add_memory(s, mm, permitted, who->proc->limits[RLIMIT_RSS].rlim_cur);
    /* Real-time signals don't fit in these old fields. */
    seq_printf(s, " %lu %lu %lu %lu %d 0 0 %d %d %d %d 0 0 0",
               (g.pending | g.shared_pending) & 0x7fffffff, g.blocked & 0x7fffffff,
               g.ignored & 0x7fffffff, g.caught & 0x7fffffff, waits,
               who->whole ? who->proc->exit_signal : -1, t->cpu, t->rt_priority, t->policy);
    add_more_memory(s, mm, permitted);
    seq_printf(s, " %d\n", permitted ? who->proc->exit_code : 0);
    if (mm)
        mm_put(mm);
    return 0;
}

static void add_ids(struct seq *s, const struct subject *who, const struct cred *c)
{
    unsigned size = 0;

    spin_lock(&who->proc->signal_lock);
    if (who->proc->fdtable)
        size = who->proc->fdtable->size;
    spin_unlock(&who->proc->signal_lock);
    seq_printf(s, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t%u\nGroups:\t", c->uid,
               c->euid, c->suid, c->fsuid, c->gid, c->egid, c->sgid, c->fsgid, size);
    for (unsigned i = 0; i < c->ngroups; i++)
        seq_printf(s, i ? " %u" : "%u", c->groups[i]);
    seq_puts(s, " \n");
}

/* Areas by what they are for. */
struct vm_sums {
    size_t data, stack, exec; /* pages */
};

static void add_area(void *ctx, const struct vma *v)
{
    struct vm_sums *sums = ctx;
    size_t pages = (v->end - v->start) >> PAGE_SHIFT;
    bool writable = v->prot & 2, executable = v->prot & 4; /* PROT_WRITE, PROT_EXEC */

    if (v->flags & VMA_GROWSDOWN)
        sums->stack += pages;
    else if (executable && !writable)
        sums->exec += pages;
    else if (writable && !(v->flags & VMA_SHARED))
        sums->data += pages;
}

static void add_vm(struct seq *s, struct mm *mm)
{
    struct vm_sums sums = {0};
    unsigned long kb = PAGE_SIZE / 1024;
    size_t text =
        (ALIGN_UP(mm->code_end, PAGE_SIZE) - ALIGN_DOWN(mm->code_start, PAGE_SIZE)) >> PAGE_SHIFT;

    mm_for_each_area(mm, add_area, &sums);
    text = min(text, sums.exec);
    size_t rss = mm_rss(mm); /* all files are in memory, so their pages are as those of tmpfs */
    seq_printf(s, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t%8u kB\n",
               mm->pages_mapped * kb, mm->pages_mapped * kb, mm->pages_locked * kb, 0);
    seq_printf(
        s,
        "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nRssAnon:\t%8lu kB\nRssFile:\t%8lu kB\nRssShmem:\t%8lu kB\n",
        max(mm->peak_rss, rss) * kb, rss * kb, mm->rss_anon * kb, 0UL, mm->rss_file * kb);
    seq_printf(s, "VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\nVmLib:\t%8lu kB\n",
               sums.data * kb, sums.stack * kb, text * kb, (sums.exec - text) * kb);
    seq_printf(
        s,
        "VmPTE:\t%8lu kB\nVmSwap:\t%8u kB\nHugetlbPages:\t%8u kB\nCoreDumping:\t0\nTHP_enabled:\t0\n",
        mm_tables(mm) * kb, 0, 0);
}

static void add_signals(struct seq *s, const struct subject *who, const struct cred *c)
{
    struct signals g = signals_of(who);

    seq_printf(s, "SigQ:\t%lu/%lu\n", user_count(USER_SIGNALS, c->uid),
               who->proc->limits[RLIMIT_SIGPENDING].rlim_cur);
    seq_printf(
        s, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
        g.pending, g.shared_pending, g.blocked, g.ignored, g.caught);
}

/* CPUs as a mask and as a list: "f", "0-3". */
static void add_cpus(struct seq *s, cpumask_t allowed)
{
    allowed &= num_cpus < 64 ? ((cpumask_t)1 << num_cpus) - 1 : ~(cpumask_t)0;
    seq_printf(s, "Cpus_allowed:\t%0*lx\nCpus_allowed_list:\t", (num_cpus + 3) / 4, allowed);
    const char *comma = "";
    for (int i = 0; i < num_cpus; i++) {
        if (!(allowed >> i & 1))
            continue;
        int last = i;
        while (last + 1 < num_cpus && allowed >> (last + 1) & 1)
            last++;
        seq_printf(s, last > i ? "%s%d-%d" : "%s%d", comma, i, last);
        comma = ",";
        i = last;
    }
    seq_puts(s, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

static void add_umask(struct seq *s, struct proc *p)
{
    spin_lock(&p->signal_lock);
    struct fs_context *c = p->fs;
    if (c)
        seq_printf(s, "Umask:\t%#04o\n", READ_ONCE(c->umask));
    spin_unlock(&p->signal_lock);
}

/* As Linux's proc_pid_status: see proc_pid_status(5). */
int show_pid_status(struct seq *s, const struct subject *who)
{
    struct place at = place_of(who);
    struct thread *t = who->thread;
    const struct cred *c = proc_cred_get(who->proc);
    struct mm *mm = proc_mm_get(who->proc);
    char comm[17] = {0};

    for (int i = 0; i < 16; i++)
        comm[i] = t->comm[i];
    seq_puts(s, "Name:\t");
    seq_escape(s, comm, "\n\\");
    seq_puts(s, "\n");
    add_umask(s, who->proc);
    seq_printf(s, "State:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
               state_name(state_letter(who, at.zombie)), at.pid, at.tid, at.parent);
    add_ids(s, who, c);
    seq_printf(s, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", at.pid, at.tid, at.group,
               at.session);
    if (mm) {
        add_vm(s, mm);
        mm_put(mm);
    }
    seq_printf(s, "Threads:\t%u\n", max(at.nthreads, 1u));
    add_signals(s, who, c);
    seq_printf(
        s, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\nCapAmb:\t%016lx\n",
        c->cap_inheritable, c->cap_permitted, c->cap_effective, c->cap_bounding, c->cap_ambient);
    seq_printf(s, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n", who->proc->no_new_privs);
    seq_puts(s,
             "Speculation_Store_Bypass:\tvulnerable\nSpeculationIndirectBranch:\talways enabled\n");
    add_cpus(s, t->allowed);
    seq_printf(s, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
               t->usage.voluntary_switches, t->usage.involuntary_switches);
    cred_put(c);
    return 0;
}

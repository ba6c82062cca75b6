/*
 * Processes as things in memory: made, found, counted, freed. How one begins is fork.c's, how it ends
 * exit.c's.
 *
 * References to a struct proc: one for the process itself, from birth until it has been waited for; one for
 * each struct thread of it, alive or not; and one for whoever found it with proc_find().
 */
#include "proc/proc.h"

#include "fs/fdtable.h"
#include "fs/path.h"
#include "ipc/sem.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "proc/life.h"
#include "proc/pidfd.h"
#include "sched/sched.h"
#include "signal/signal.h"
#include "x86/clock.h"

#define STACK_LIMIT (8UL << 20)
#define MEMLOCK_LIMIT (8UL << 20)
#define NOFILE_LIMIT 1024
#define NOFILE_LIMIT_MAX 1048576
#define MSGQUEUE_LIMIT 819200

struct list proc_list = LIST_INIT(proc_list); /* proc_tree_lock */
struct proc *init_proc;                       /* const after boot */
static size_t count;                          /* proc_tree_lock: processes in proc_list */
static struct slab_cache *proc_cache;         /* const after init */

void proc_init(void)
{
    proc_cache = slab_cache_create("proc", sizeof(struct proc), 64);
    pid_init();
}

struct proc *proc_alloc(void)
{
    struct proc *p = slab_zalloc(proc_cache);

    if (!p)
        return NULL;
    ref_init(&p->ref, 1);
    list_init(&p->all_link);
    list_init(&p->children);
    list_init(&p->child_link);
    list_init(&p->threads);
    list_init(&p->group_link);
    list_init(&p->session_link);
    list_init(&p->sigqueue);
    waitq_init(&p->child_wait, &proc_tree_lock);
    spin_init(&p->signal_lock, RANK_SIGNAL, "signal");
    waitq_init(&p->signal_wait, &p->signal_lock);
    waitq_init(&p->core_wait, &p->signal_lock);
    waitq_init(&p->exec_wait, &p->signal_lock);
    spin_init(&p->limit_lock, RANK_PROC, "limits");
    proc_timers_init(p);
    p->exit_signal = SIGCHLD;
    p->start_time = clock_monotonic();
    return p;
}

void proc_set_default_limits(struct proc *p)
{
    static const struct {
        int resource;
        struct rlimit limit;
    } finite[] = {
        {RLIMIT_STACK, {STACK_LIMIT, RLIM_INFINITY}},
        {RLIMIT_CORE, {0, RLIM_INFINITY}},
        {RLIMIT_NOFILE, {NOFILE_LIMIT, NOFILE_LIMIT_MAX}},
        {RLIMIT_MEMLOCK, {MEMLOCK_LIMIT, MEMLOCK_LIMIT}},
        {RLIMIT_MSGQUEUE, {MSGQUEUE_LIMIT, MSGQUEUE_LIMIT}},
        {RLIMIT_NICE, {0, 0}},
        {RLIMIT_RTPRIO, {0, 0}},
    };

    for (unsigned i = 0; i < RLIM_NLIMITS; i++)
        p->limits[i] = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    for (unsigned i = 0; i < ARRAY_SIZE(finite); i++)
        p->limits[finite[i].resource] = finite[i].limit;
    /* As Linux: what fills an eighth of memory with page tables and stacks. */
    rlim_t threads = max(page_total() / 32, 128UL);
    p->limits[RLIMIT_NPROC] = p->limits[RLIMIT_SIGPENDING] = (struct rlimit){threads, threads};
}

void proc_get(struct proc *p)
{
    ref_get(&p->ref);
}

void proc_put(struct proc *p)
{
    if (!ref_put(&p->ref))
        return;
    assert(list_empty(&p->all_link) && list_empty(&p->threads) && list_empty(&p->children));
    proc_free_parts(p);
    if (p->pid)
        pid_put(p->pid);
    slab_free(proc_cache, p);
}

/* What a process owns besides its place in the tree; also for one that never came to life. */
void proc_free_parts(struct proc *p)
{
    sem_undo_exit(p);
    if (p->fdtable)
        fdtable_put(p->fdtable);
    if (p->fs)
        fs_context_put(p->fs);
    if (p->mm)
        mm_put(p->mm);
    if (p->actions)
        sigactions_put(p->actions);
    if (p->cred)
        cred_put(p->cred);
    p->fdtable = NULL;
    p->fs = NULL;
    p->mm = NULL;
    p->actions = NULL;
    p->cred = NULL;
}

struct proc *proc_find(int nr)
{
    spin_lock(&proc_tree_lock);
    struct pid *pid = pid_find_locked(nr);
    struct proc *p = pid ? pid->proc : NULL;
    if (p)
        proc_get(p);
    spin_unlock(&proc_tree_lock);
    return p;
}

struct thread *thread_find(int tid)
{
    spin_lock(&proc_tree_lock);
    struct pid *pid = pid_find_locked(tid);
    struct thread *t = pid ? pid->thread : NULL;
    if (t)
        thread_get(t);
    spin_unlock(&proc_tree_lock);
    return t;
}

uint64_t proc_rlimit(int resource)
{
    struct proc *p = current->proc;
    return p ? READ_ONCE(p->limits[resource].rlim_cur) : RLIM_INFINITY;
}

size_t proc_count(void)
{
    return READ_ONCE(count);
}

static void join_group(struct proc *p, struct pid *group)
{
    pid_get(group);
    p->group = group;
    list_push_back(&group->group, &p->group_link);
}

static void join_session(struct proc *p, struct pid *session)
{
    pid_get(session);
    p->session = session;
    list_push_back(&session->session, &p->session_link);
}

void proc_leave_group(struct proc *p)
{
    list_remove(&p->group_link);
    pid_put_locked(p->group);
    p->group = NULL;
}

void proc_leave_session(struct proc *p)
{
    list_remove(&p->session_link);
    pid_put_locked(p->session);
    p->session = NULL;
}

void proc_set_group(struct proc *p, struct pid *group)
{
    assert(spin_is_held(&proc_tree_lock));
    pid_get(group); /* before the old one goes: it may be the same */
    if (p->group)
        proc_leave_group(p);
    join_group(p, group);
    pid_put_locked(group);
}

void proc_set_session(struct proc *p, struct pid *session)
{
    assert(spin_is_held(&proc_tree_lock));
    if (p->session)
        proc_leave_session(p);
    join_session(p, session);
}

void proc_link(struct proc *p, struct proc *parent)
{
    assert(spin_is_held(&proc_tree_lock));
    p->parent = parent;
    p->pid->proc = p;
    list_push_back(&proc_list, &p->all_link);
    if (parent)
        list_push_back(&parent->children, &p->child_link);
    count++;
}

void proc_unlink(struct proc *p)
{
    assert(spin_is_held(&proc_tree_lock));
    list_remove(&p->all_link);
    list_remove(&p->child_link);
    p->pid->proc = NULL;
    pidfd_wake(p->pid);
    p->parent = NULL;
    count--;
}

void thread_link(struct thread *t, struct proc *p)
{
    assert(spin_is_held(&proc_tree_lock) && spin_is_held(&p->signal_lock));
    t->pid->thread = t;
    list_push_back(&p->threads, &t->proc_link);
    p->nthreads++;
}

void thread_unlink(struct thread *t)
{
    struct proc *p = t->proc;

    assert(spin_is_held(&proc_tree_lock) && spin_is_held(&p->signal_lock));
    t->pid->thread = NULL;
    pidfd_wake(t->pid);
    list_remove(&t->proc_link);
    p->nthreads--;
}

/* All that process 1 owns; at boot there is no way to go on without. */
static struct proc *create_first_process(void)
{
    struct proc *p = proc_alloc();
    const struct cred *root = cred_create_root();

    if (!p || !root)
        panic("no memory for process 1");
    p->cred = root;
    p->actions = sigactions_create();
    p->fs = fs_context_create();
    p->fdtable = fdtable_create();
    if (!p->actions || !p->fs || !p->fdtable)
        panic("no memory for process 1");
    proc_set_default_limits(p);
    return p;
}

void proc_create_first(void (*fn)(void *))
{
    struct proc *p = create_first_process();
    struct thread *t = thread_alloc();
    struct pid *pid = pid_alloc();

    if (!t || is_err(pid))
        panic("no memory for process 1's thread");
    strlcpy(t->comm, "init", sizeof(t->comm));
    t->proc = p;
    proc_get(p);
    t->pid = pid;
    t->cred = p->cred;
    cred_get(t->cred);
    arch_thread_init_kernel(t, fn, NULL);

    spin_lock(&proc_tree_lock);
    spin_lock(&p->signal_lock);
    p->pid = pid;
    pid_get(pid);
    p->leader = t;
    thread_get(t);
    proc_set_group(p, pid);
    proc_set_session(p, pid);
    proc_link(p, NULL);
    thread_link(t, p);
    init_proc = p;
    spin_unlock(&p->signal_lock);
    spin_unlock(&proc_tree_lock);
    sched_start(t);
}

/*
 * The report's part about threads: each one's state, what it sleeps for, and the mutexes it holds.
 *
 * A sleeping thread is described by the innermost functions on its stack below those of the scheduler, and
 * by its wait queue: its address, and in a debug build the name of the lock that guards it. The lists of
 * processes and threads may be broken or half changed. All that is followed is first copied with care,
 * and the number of threads, and of steps along a list, has a limit.
 */
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "lib/symbols.h"
#include "proc/proc.h"
#include "x86/backtrace.h"
#include "x86/extable.h"
#include "x86/upcalls.h"

#define MAX_THREADS 200
#define MAX_STEPS 1000 /* along all lists together */
#define MAX_MUTEXES 8  /* of one thread */
#define DEPTH 16       /* frames that are looked at */
#define NAMES 5        /* and shown */

static unsigned threads_left, steps_left; /* who reports only, as the copies */
static struct proc proc_copy;
static struct thread thread_copy;

/* The element after LINK, or NULL at the list's end, at a link that can't be read, or after too many steps. */
static struct list *list_step(const struct list *link, const struct list *head)
{
    struct list copy;

    if (!steps_left || !kernel_read(&copy, link, sizeof(copy)))
        return NULL;
    steps_left--;
    return copy.next == head ? NULL : copy.next;
}

static int number_of(const struct pid *pid)
{
    struct pid copy;
    return kernel_read(&copy, pid, ALIGN_DOWN(sizeof(copy), 8)) ? copy.nr : -1;
}

/* A copy of what may be broken: as a bool, a byte that is neither 0 nor 1 would be the reporter's own fault. */
static bool is_set(const bool *flag)
{
    return *(const uint8_t *)flag != 0;
}

/* --- what it sleeps for --- */

/* How threads come to sleep says nothing about what for. */
static bool is_of_the_scheduler(const char *name)
{
    static const char *const names[] = {"context_switch", "switch_to", "schedule",
                                        "wait_sleep",     "wait_flag", "sched_sleep_until"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* "pipe_wait < pipe_read < sys_read" */
static void describe_stack(char *text, size_t size, const struct thread *copy)
{
    uintptr_t ips[DEPTH], offset;
    size_t depth = backtrace_sleeping(copy, ips, DEPTH), len = 0;
    unsigned shown = 0;

    text[0] = '\0';
    for (size_t i = 0; i < depth && shown < NAMES && len < size; i++) {
        const char *name = symbol_lookup(ips[i] - 1, &offset);
        if (!name || (!shown && is_of_the_scheduler(name)))
            continue;
        len += (size_t)snprintf(text + len, size - len, "%s%s", shown++ ? " < " : "", name);
    }
}

static void print_queue(const struct waitq *queue)
{
    struct waitq wq;
#ifdef CONFIG_DEBUG
    struct spinlock lock;
    char name[32];

    if (kernel_read(&wq, queue, sizeof(wq)) && kernel_read(&lock, wq.lock, sizeof(lock))) {
        kernel_read_text(name, lock.name, sizeof(name));
        log_at(LOG_EMERG, "      on wait queue %p, guarded by %s", (const void *)queue, name);
        return;
    }
#endif
    log_at(LOG_EMERG, "      on wait queue %p%s", (const void *)queue,
           kernel_read(&wq, queue, sizeof(wq)) ? "" : ", unreadable");
}

static void print_mutex(const char *what, const struct mutex *mutex)
{
    struct mutex m;
    struct thread *holder;
    uint64_t name[3] = {0};
    char text[80] = "";

    if (!kernel_read(&m, mutex, sizeof(m))) {
        log_at(LOG_EMERG, "      %s mutex %p: unreadable", what, (const void *)mutex);
        return;
    }
#ifdef CONFIG_DEBUG
    char called[32];
    kernel_read_text(called, m.name, sizeof(called));
    snprintf(text, sizeof(text), " (%s, rank %d), taken at %pS", called, m.rank, (void *)m.where);
#endif
    holder = (struct thread *)(m.holder & ~MUTEX_WAITERS);
    if (!kernel_read(name, holder->comm, sizeof(holder->comm)))
        name[0] = '?';
    log_at(LOG_EMERG, "      %s mutex %p%s, by thread %p (%s)", what, (const void *)mutex, text,
           (void *)holder, (const char *)name);
}

static void print_held(const struct thread *t)
{
#ifdef CONFIG_DEBUG
    const struct list *head = &t->held_mutexes, *link = head;

    for (unsigned i = 0; i < MAX_MUTEXES && (link = list_step(link, head)); i++)
        print_mutex("holds", list_entry(link, struct mutex, held));
#else
    (void)t;
#endif
}

/* --- threads --- */

static void print_thread(int pid, const struct thread *t)
{
    static const char *const states[] = {
        "runnable", "sleeps", "sleeps, but not for SIGKILL", "sleeps, deaf to signals",
        "stopped",  "dead"};
    const struct thread *copy = &thread_copy;
    char stack[200] = "";

    if (!kernel_read(&thread_copy, t, ALIGN_DOWN(sizeof(thread_copy), 8))) {
        log_at(LOG_EMERG, "  %d: thread %p: unreadable", pid, (const void *)t);
        return;
    }
    thread_copy.comm[sizeof(copy->comm) - 1] = '\0';
    int tid = number_of(copy->pid);
    const char *state =
        (unsigned)copy->state < ARRAY_SIZE(states) ? states[copy->state] : "in no known state";
    if (is_set(&copy->on_cpu)) {
        log_at(LOG_EMERG, "  %d/%d %s: runs on CPU %d", pid, tid, copy->comm, copy->cpu);
    } else {
        describe_stack(stack, sizeof(stack), copy);
        log_at(LOG_EMERG, "  %d/%d %s: %s: %s", pid, tid, copy->comm, state, stack);
        if (copy->waiting_on && copy->state != THREAD_RUNNING)
            print_queue(copy->waiting_on);
        if (copy->blocked_on)
            print_mutex("waits for", copy->blocked_on);
    }
    print_held(t);
}

static void print_proc(const struct proc *p)
{
    const struct list *head = &p->threads, *link = head;

    if (!kernel_read(&proc_copy, p, ALIGN_DOWN(sizeof(proc_copy), 8))) {
        log_at(LOG_EMERG, "  process %p: unreadable", (const void *)p);
        return;
    }
    int pid = number_of(proc_copy.pid);
    if (is_set(&proc_copy.zombie))
        log_at(LOG_EMERG, "  %d: a zombie, its parent hasn't waited", pid);
    while (threads_left && (link = list_step(link, head))) {
        print_thread(pid, list_entry(link, struct thread, proc_link));
        threads_left--;
    }
}

void report_threads(void)
{
    const struct list *link = &proc_list;

    threads_left = MAX_THREADS;
    steps_left = MAX_STEPS;
    log_at(LOG_EMERG, "threads (process/thread name: what it does):");
    while (threads_left && (link = list_step(link, &proc_list)))
        print_proc(list_entry(link, struct proc, all_link));
    if (!threads_left || !steps_left)
        log_at(LOG_EMERG, "  and more");
}

/*
 * When there is no memory left: one process goes, so that the others can go on. It is the one with
 * the most pages present, since its end gives back most. But where nobody stands out, because it is
 * many small ones that filled the memory, it is the youngest of those at least half as large: with
 * it the least is lost, and what its elders wait for, a shell above all, goes on. Process 1 is never
 * chosen, for without it the system is nothing. Until the victim is gone there is no second one.
 *
 * Whoever makes processes without end would never hear a no: each time the last one dies for the
 * next. So a parent that has lost many children in this way gets no more until memory is plentiful.
 */
#include "lib/log.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "proc/life.h"
#include "proc/proc.h"
#include "signal/signal.h"

#define MANY_CHILDREN 250

/* Pages that P's end would give back; 0 when it has none any more. */
static size_t size_of(struct proc *p)
{
    size_t pages = 0;

    spin_lock(&p->signal_lock);
    if (p->mm)
        pages = mm_footprint(p->mm);
    spin_unlock(&p->signal_lock);
    return pages;
}

/* The most pages that any process has; *DYING: somebody is on the way out already. */
static size_t largest_size_locked(bool *dying)
{
    struct proc *p;
    size_t largest = 0;

    list_for_each (p, &proc_list, all_link) {
        size_t size = p == init_proc ? 0 : size_of(p);
        if (!size)
            continue;
        if (READ_ONCE(p->exiting) || READ_ONCE(p->oom_victim))
            *dying = true;
        else
            largest = max(largest, size);
    }
    return largest;
}

/* Who is to go, with a reference; NULL and *DYING: somebody is on the way already. */
static struct proc *choose_victim(size_t *pages, bool *dying)
{
    struct proc *victim = NULL, *p;

    *pages = 0;
    *dying = false;
    spin_lock(&proc_tree_lock);
    size_t enough = (largest_size_locked(dying) + 1) / 2;
    list_for_each (p, &proc_list, all_link) { /* the youngest comes last */
        size_t size = *dying || p == init_proc ? 0 : size_of(p);
        if (size && size >= enough && !READ_ONCE(p->exiting)) {
            *pages = size;
            victim = p;
        }
    }
    if (victim) {
        proc_get(victim);
        atomic_add(&victim->parent->oom_children, 1);
    }
    spin_unlock(&proc_tree_lock);
    return victim;
}

bool oom_kill(void)
{
    size_t pages;
    bool dying;
    struct proc *victim = choose_victim(&pages, &dying);

    if (!victim)
        return dying;
    log_warn("out of memory: killing process %d (%s), %zu KiB", victim->pid->nr,
             victim->leader ? victim->leader->comm : "?", pages * (PAGE_SIZE / 1024));
    WRITE_ONCE(victim->oom_victim, true);
    signal_send_proc(victim, SIGKILL);
    proc_put(victim);
    return true;
}

bool oom_allows_child(struct proc *parent)
{
    if (likely(!atomic_load(&parent->oom_children)))
        return true;
    if (page_free_count() >= page_total() / 8)
        atomic_store(&parent->oom_children, 0);
    return atomic_load(&parent->oom_children) < MANY_CHILDREN;
}

/*
 * The planted faults of plant.h. Most never return to their caller.
 */
#include "tests/kernel/plant.h"

#include "lib/atomic.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "sched/lock.h"
#include "sched/runqueue.h"
#include "sched/timer.h"
#include "sched/wait.h"
#include "x86/cpu.h"

static struct spinlock planted_spinlock = SPINLOCK_INIT(RANK_WAIT, "planted spinlock");
static struct mutex planted_mutex; /* initialised by its first user */

static void plant_irqs(void)
{
    irq_disable();
    for (;;)
        asm volatile("");
}

static void plant_loop(void)
{
    for (;;)
        asm volatile("");
}

static struct mutex *the_mutex(void)
{
    static bool ready;

    spin_lock(&planted_spinlock);
    if (!ready)
        mutex_init(&planted_mutex, RANK_EXEC, "planted mutex");
    ready = true;
    spin_unlock(&planted_spinlock);
    return &planted_mutex;
}

static void plant_locks(void)
{
    mutex_lock(the_mutex());
    spin_lock(&planted_spinlock);
    panic("planted, with locks held");
}

static void plant_spin(void)
{
    spin_lock(&planted_spinlock);
    plant_loop();
}

static void plant_hold(void)
{
    mutex_lock(the_mutex());
    (void)sched_sleep_until(DEADLINE_NONE, WAIT_KILLABLE);
    mutex_unlock(&planted_mutex);
}

static void plant_wait(void)
{
    mutex_lock(the_mutex());
    mutex_unlock(&planted_mutex);
}

/* A list that leads nowhere, a thread that isn't there, a circle of one in which nothing is what it should be. */
static void plant_wild(void)
{
    static struct thread nonsense;

    irq_disable();
    memset(&nonsense, 0xff, sizeof(nonsense));
    list_init(&nonsense.proc_link);
    init_proc->threads.next = (struct list *)0xdeadbeef00000008UL;
    current_proc()->threads.next = &nonsense.proc_link;
    current->pid = (struct pid *)8;
    panic("planted, with broken lists");
}

static void plant_self(void)
{
    spin_lock(&planted_spinlock);
    spin_lock(&planted_spinlock);
}

/*
 * Two CPUs, each with a lock that the other wants. They are "nested", locks of one rank whose order is the
 * caller's affair, so a debug build does not refuse the second before it is waited for.
 */
static void plant_cycle(void)
{
    static struct spinlock locks[2] = {SPINLOCK_INIT(RANK_WAIT, "planted first"),
                                       SPINLOCK_INIT(RANK_WAIT, "planted second")};
    static unsigned here, taken;
    unsigned me = atomic_add(&here, 1) & 1;

    while (atomic_load(&here) < 2)
        cpu_relax();
    spin_lock(&locks[me]);
    atomic_add(&taken, 1);
    while (atomic_load(&taken) < 2)
        cpu_relax();
    spin_lock_nested(&locks[!me]);
}

/* A member of a structure that isn't there; nothing that the compiler's own checks would see. */
static void follow_null(struct timer *t)
{
    (void)t;
    (void)READ_ONCE(*(int *)8);
}

/* In the interrupt of a timer. */
static void plant_null(void)
{
    static struct timer timer;

    timer_init(&timer, follow_null);
    timer_set(&timer, 0);
    plant_loop();
}

/* Until the stack is at its end. */
static unsigned plant_deeper(volatile unsigned *above)
{
    volatile unsigned frame[64];

    frame[0] = *above + 1;
    return frame[0] == 0 ? 0 : plant_deeper(frame) + frame[0];
}

static void plant_overflow(void)
{
    volatile unsigned start = 0;

    (void)plant_deeper(&start);
}

/* Every CPU's run queue is a circle: who puts a thread there never ends, with its lock held. */
static void plant_queue(void)
{
    static struct thread fake;

    fake.rq_node.left = fake.rq_node.right = &fake.rq_node;
    for (int i = 0; i < num_cpus; i++)
        runqueues[i].queue.root = &fake.rq_node;
}

void plant(const char *what)
{
    static const struct {
        const char *name;
        void (*fn)(void);
    } faults[] = {{"irqs", plant_irqs}, {"loop", plant_loop},         {"locks", plant_locks},
                  {"spin", plant_spin}, {"hold", plant_hold},         {"wait", plant_wait},
                  {"wild", plant_wild}, {"self", plant_self},         {"cycle", plant_cycle},
                  {"null", plant_null}, {"overflow", plant_overflow}, {"queue", plant_queue}};

    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        if (strcmp(what, faults[i].name) == 0)
            faults[i].fn();
}

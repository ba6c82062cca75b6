/*
 * The planted faults of plant.h. Most never return to their caller.
 */
#include "tests/kernel/plant.h"

#include "lib/string.h"
#include "proc/proc.h"
#include "sched/lock.h"
#include "sched/sched.h"
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

/* A list that leads nowhere, a thread that isn't there, a circle. */
static void plant_wild(void)
{
    static struct list circle = LIST_INIT(circle);

    irq_disable();
    init_proc->threads.next = (struct list *)0xdeadbeef00000008UL;
    current_proc()->threads.next = &circle;
    current->pid = (struct pid *)8;
    panic("planted, with broken lists");
}

void plant(const char *what)
{
    static const struct {
        const char *name;
        void (*fn)(void);
    } faults[] = {{"irqs", plant_irqs}, {"loop", plant_loop}, {"locks", plant_locks},
                  {"spin", plant_spin}, {"hold", plant_hold}, {"wait", plant_wait},
                  {"wild", plant_wild}};

    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        if (strcmp(what, faults[i].name) == 0)
            faults[i].fn();
}

/*
 * Power off, restart, halt.
 *
 * Power off is ACPI's state S5: two register writes with numbers from the tables (acpi.c). Restart
 * tries what the tables name, then the chipset's reset register, the keyboard controller's reset
 * line, and at last a fault that can't be delivered. Each way that has no effect falls through to
 * the next.
 */
#include "x86/power.h"

#include "lib/atomic.h"
#include "lib/log.h"
#include "x86/acpi.h"
#include "x86/clock.h"
#include "x86/cpu.h"
#include "x86/io.h"
#include "x86/ipi.h"

#define PM1_SCI_ENABLE 1
#define PM1_SLEEP_TYPE_SHIFT 10
#define PM1_SLEEP_TYPE (7 << PM1_SLEEP_TYPE_SHIFT)
#define PM1_SLEEP_ENABLE (1 << 13)
#define ENABLE_TRIES 300

#define RESET_CONTROL 0xcf9
#define RESET_CONTROL_HARD 0x06
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_PULSE_RESET 0xfe

#define SETTLE (10 * NSEC_PER_MSEC)

static bool halting; /* atomic */

static _Noreturn void stop_for_good(void)
{
    for (;;)
        asm volatile("cli; hlt" ::: "memory");
}

void power_nmi(void)
{
    if (atomic_load(&halting))
        stop_for_good();
}

/* The firmware owns the power registers until it is asked to hand them over. */
static void acpi_take_over(void)
{
    const struct acpi_machine *m = &acpi_machine;

    if (inw(m->pm1a_control) & PM1_SCI_ENABLE || !m->smi_command || !m->acpi_enable)
        return;
    outb(m->smi_command, m->acpi_enable);
    for (unsigned i = 0; i < ENABLE_TRIES && !(inw(m->pm1a_control) & PM1_SCI_ENABLE); i++)
        clock_delay(NSEC_PER_MSEC);
}

static void sleep_write(uint16_t port, uint8_t type)
{
    unsigned value = inw(port) & ~(unsigned)PM1_SLEEP_TYPE;
    outw(port, (uint16_t)(value | (unsigned)type << PM1_SLEEP_TYPE_SHIFT | PM1_SLEEP_ENABLE));
}

void machine_power_off(void)
{
    const struct acpi_machine *m = &acpi_machine;

    irq_disable();
    if (m->can_power_off) {
        acpi_take_over();
        sleep_write(m->pm1a_control, m->sleep_a);
        if (m->pm1b_control)
            sleep_write(m->pm1b_control, m->sleep_b);
        clock_delay(SETTLE);
    }
    log_err("this machine can't be switched off");
    machine_halt();
}

void machine_restart(void)
{
    const struct acpi_machine *m = &acpi_machine;
    struct {
        uint16_t limit;
        uint64_t base;
    } packed no_idt = {0, 0};

    irq_disable();
    if (m->reset.address && m->reset.space == ACPI_SPACE_IO) {
        outb((uint16_t)m->reset.address, m->reset_value);
        clock_delay(SETTLE);
    }
    outb(RESET_CONTROL, RESET_CONTROL_HARD);
    clock_delay(SETTLE);
    outb(KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
    clock_delay(SETTLE);
    asm volatile("lidt %0; int3" : : "m"(no_idt));
    stop_for_good();
}

void machine_halt(void)
{
    irq_disable();
    atomic_store(&halting, true);
    ipi_stop_others();
    stop_for_good();
}

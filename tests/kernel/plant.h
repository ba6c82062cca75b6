/*
 * Faults on purpose, for the tests of panics, reports and the watchdog: in debug builds, by a letter
 * and a word written to /proc/sysrq-trigger.
 */
#pragma once

/*
 * "irqs": spin with interrupts off. "loop": spin in the kernel with them on. "locks": panic with a
 * mutex and a spinlock held. "spin": hold a spinlock that never comes free; the next to ask for it
 * spins. "hold": sleep for ever with a mutex held; "wait": ask for that mutex. "wild": panic with the list
 * of processes broken. "self": take a spinlock twice. "cycle", of two threads at once: two CPUs each of which
 * waits for the other's lock. "null": follow a null pointer in an interrupt. "overflow": call until the stack
 * is full. "queue": break the run queues. Others do nothing.
 */
void plant(const char *what);

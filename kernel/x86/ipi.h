/* Interrupts between processors. cpu_send_resched() and cpu_call() are in x86/cpu.h. */
#pragma once

#include "x86/cpu.h"

/* NMI to every online CPU but this one: for reports and the end of the machine. */
void ipi_stop_others(void);

/* Leaving the machine: machine_power_off() and its like are in x86/cpu.h. For kernel/x86 alone. */
#pragma once

#include "lib/types.h"

/* An NMI came. If this CPU is to stop because the machine halts, never returns. */
void power_nmi(void);

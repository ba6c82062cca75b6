/* The serial ports of a PC, as terminals ttyS0 to ttyS3. */
#pragma once

#include "lib/types.h"

void serial_init(void); /* after irq and vfs are up, before console_init */

/* For /proc/tty/driver/serial: one port. */
struct serial_counters {
    int line;
    uint16_t base;
    unsigned irq;
    bool fifo;
    uint64_t sent, received;
    uint64_t framing, parity, breaks, overruns; /* as the UART saw them */
    uint64_t lost;                              /* for lack of room in the terminal */
};
void serial_for_each(void (*emit)(void *ctx, const struct serial_counters *c), void *ctx);

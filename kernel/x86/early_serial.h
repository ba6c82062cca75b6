/*
 * The log's way out: the second serial port, and in a panic the first too. By polling, from the
 * first moment.
 */
#pragma once

#include "lib/types.h"

void early_serial_init(void);

/*
 * TEXT as it is to the first serial port: for the kernel's own tests, which run before the driver
 * does.
 */
void early_serial_console_write(const char *text, size_t len);

/* eventfd(2): a counter to wait for. */
#pragma once

#include <abi/eventfd.h>
#include <fcntl.h>
#include <stdint.h>

typedef uint64_t eventfd_t;

int eventfd(unsigned int count, int flags);
int eventfd_read(int fd, eventfd_t *value); /* 0, or -1 */
int eventfd_write(int fd, eventfd_t value);

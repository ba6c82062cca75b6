/* signalfd(2): signals to read. */
#pragma once

#include <abi/signalfd.h>
#include <signal.h>
#include <stdint.h>

int signalfd(int fd, const sigset_t *set, int flags); /* FD -1: a new one */

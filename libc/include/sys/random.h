/* <sys/random.h>. */
#pragma once

#include <abi/random.h>
#include <abi/types.h>

ssize_t getrandom(void *buf, size_t count, unsigned flags);

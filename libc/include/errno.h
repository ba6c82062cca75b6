/* <errno.h>: each thread has its own errno. */
#pragma once

#include <abi/errno.h>

extern __thread int errno;

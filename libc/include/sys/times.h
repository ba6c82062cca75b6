/* <sys/times.h>. */
#pragma once

#include <abi/times.h>

clock_t times(struct tms *buf);

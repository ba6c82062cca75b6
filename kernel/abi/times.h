/* times(2): processor time in ticks of AT_CLKTCK (100 a second). */
#pragma once

#include <abi/types.h>

#define USER_HZ 100

struct tms {
    clock_t tms_utime;
    clock_t tms_stime;
    clock_t tms_cutime;
    clock_t tms_cstime;
};

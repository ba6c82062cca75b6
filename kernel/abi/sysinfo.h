/* sysinfo(2): memory is counted in units of mem_unit bytes, loads are fixed point with 16 fraction bits. */
#pragma once

#include <abi/types.h>

#define SI_LOAD_SHIFT 16

struct sysinfo {
    long uptime;
    unsigned long loads[3];
    unsigned long totalram;
    unsigned long freeram;
    unsigned long sharedram;
    unsigned long bufferram;
    unsigned long totalswap;
    unsigned long freeswap;
    unsigned short procs;
    unsigned short __pad;
    unsigned long totalhigh;
    unsigned long freehigh;
    unsigned int mem_unit;
};

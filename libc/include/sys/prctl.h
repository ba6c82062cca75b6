/* <sys/prctl.h>. */
#pragma once

#include <abi/prctl.h>

int prctl(int option, ...);
int arch_prctl(int code, unsigned long addr);

/* <sys/sysinfo.h>. */
#pragma once

#include <abi/sysinfo.h>

int sysinfo(struct sysinfo *info);

/*
 * capget(2) and capset(2): the header says whose and which version, the data is two words a set for
 * version 3. Of the capabilities themselves only the numbers stand here.
 */
#pragma once

#include <abi/types.h>

#define _LINUX_CAPABILITY_VERSION_1 0x19980330
#define _LINUX_CAPABILITY_VERSION_2 0x20071026
#define _LINUX_CAPABILITY_VERSION_3 0x20080522
#define CAP_LAST_CAP 40

struct cap_user_header {
    uint32_t version;
    int pid;
};

struct cap_user_data {
    uint32_t effective;
    uint32_t permitted;
    uint32_t inheritable;
};

/* <sys/fsuid.h>. */
#pragma once

#include <abi/types.h>

int setfsuid(uid_t uid);
int setfsgid(gid_t gid);

/* <grp.h>: only the call that sets the supplementary groups. */
#pragma once

#include <abi/types.h>

int setgroups(size_t size, const gid_t *list);

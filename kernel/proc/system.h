/* The names of the system, for /proc. */
#pragma once

#include <abi/utsname.h>

#include "lib/types.h"

/* A consistent copy. */
void system_names(struct utsname *out);
/* 0 or -EINVAL when longer than __NEW_UTS_LEN. No permission check. */
int system_set_hostname(const char *name, size_t len);

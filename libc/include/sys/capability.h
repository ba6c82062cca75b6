/* <sys/capability.h>: the two calls as they are. */
#pragma once

#include <abi/capability.h>

int capget(struct cap_user_header *header, struct cap_user_data *data);
int capset(struct cap_user_header *header, const struct cap_user_data *data);

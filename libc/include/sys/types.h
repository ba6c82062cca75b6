/* <sys/types.h>. */
#pragma once

#include <abi/types.h>

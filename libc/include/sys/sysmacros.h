/* <sys/sysmacros.h>. */
#pragma once

#include <abi/sysmacros.h>

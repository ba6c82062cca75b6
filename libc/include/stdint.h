/* <stdint.h>: the compiler knows the widths. */
#pragma once

#include <stdint-gcc.h>

/* What a thread gets whose creator says nothing. */
#pragma once

#define STACK_DEFAULT (128UL << 10)
#define GUARD_DEFAULT 4096UL

/* <elf.h>: the 64-bit types, and the auxiliary vector's names. */
#pragma once

#include <abi/auxv.h>
#include <abi/elf.h>

/* <net/if.h>: network interfaces. */
#pragma once

#include <abi/if.h>

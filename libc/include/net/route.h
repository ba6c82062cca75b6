/* <net/route.h>: struct rtentry, for SIOCADDRT and SIOCDELRT. */
#pragma once

#include <abi/if.h>

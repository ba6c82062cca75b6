/* <net/if_arp.h>: struct arpreq, for SIOCSARP and SIOCDARP, and the kinds of hardware. */
#pragma once

#include <abi/if.h>

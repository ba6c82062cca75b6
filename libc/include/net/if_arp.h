/* <net/if_arp.h>: struct arpreq, for SIOCSARP and SIOCDARP, and the kinds of hardware. */
#pragma once

#include <abi/if.h>

/* What an ARP packet does (RFC 826). */
#define ARPOP_REQUEST 1
#define ARPOP_REPLY 2

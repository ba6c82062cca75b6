/* <net/ethernet.h>: Ethernet's lengths and types. */
#pragma once

#include <abi/if_packet.h>

#define ETHER_ADDR_LEN ETH_ALEN
#define ETHERTYPE_IP ETH_P_IP
#define ETHERTYPE_ARP ETH_P_ARP

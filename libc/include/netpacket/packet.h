/* <netpacket/packet.h>: packet sockets. */
#pragma once

#include <abi/if_packet.h>

/* <netinet/udp.h>: UDP's options. */
#pragma once

#include <abi/in.h>

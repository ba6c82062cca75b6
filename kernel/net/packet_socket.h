/* Packet sockets: see packet_socket.c. */
#pragma once

void packet_socket_init(void);

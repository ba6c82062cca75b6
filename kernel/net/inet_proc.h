/* What /proc/net shows of the Internet (inet_proc.c). Each calls EMIT with lines of text, maybe with a lock held. */
#pragma once

typedef void net_emit(void *ctx, const char *line);
void net_dev_show(net_emit *emit, void *ctx);
void net_arp_show(net_emit *emit, void *ctx);
void net_route_show(net_emit *emit, void *ctx);
void net_udp_show(net_emit *emit, void *ctx);
void net_tcp_show(net_emit *emit, void *ctx);
void net_raw_show(net_emit *emit, void *ctx);
void net_snmp_show(net_emit *emit, void *ctx);
void net_netstat_show(net_emit *emit, void *ctx);

/* Netlink sockets (netlink(7)) and the part of rtnetlink (rtnetlink(7)) that is here, as Linux has them. */
#pragma once

#include <abi/socket.h>

#define NETLINK_ROUTE 0

struct sockaddr_nl {
    unsigned short nl_family; /* AF_NETLINK */
    unsigned short nl_pad;
    unsigned int nl_pid; /* of a socket; 0: the kernel */
    unsigned int nl_groups;
};

/* Options of level SOL_NETLINK. */
#define SOL_NETLINK 270
#define NETLINK_ADD_MEMBERSHIP 1
#define NETLINK_DROP_MEMBERSHIP 2
#define NETLINK_PKTINFO 3
#define NETLINK_NO_ENOBUFS 5
#define NETLINK_LIST_MEMBERSHIPS 9
struct nl_pktinfo {
    unsigned int group; /* that the message was for; 0: for us alone */
};

/* Groups that a socket may join, to be told what changes. In nl_groups group N is bit N-1. */
#define RTNLGRP_LINK 1
#define RTNLGRP_NEIGH 3
#define RTNLGRP_IPV4_IFADDR 5
#define RTNLGRP_IPV4_ROUTE 7

struct nlmsghdr {
    unsigned int nlmsg_len; /* with this header, without what fills up to the next */
    unsigned short nlmsg_type;
    unsigned short nlmsg_flags; /* NLM_F_* */
    unsigned int nlmsg_seq;
    unsigned int nlmsg_pid;
};
#define NLMSG_ALIGN(len) (((len) + 3u) & ~3u)
#define NLMSG_HDRLEN ((unsigned)sizeof(struct nlmsghdr))

#define NLMSG_NOOP 1
#define NLMSG_ERROR 2
#define NLMSG_DONE 3
#define NLMSG_MIN_TYPE 16

#define NLM_F_REQUEST 0x1
#define NLM_F_MULTI 0x2
#define NLM_F_ACK 0x4
#define NLM_F_DUMP 0x300
#define NLM_F_REPLACE 0x100
#define NLM_F_EXCL 0x200
#define NLM_F_CREATE 0x400
#define NLM_F_APPEND 0x800

struct nlmsgerr {
    int error; /* -errno; 0: it is done */
    struct nlmsghdr msg;
};

/* Attributes: a header, and data that begin at the next multiple of four. */
struct rtattr {
    unsigned short rta_len; /* with this header */
    unsigned short rta_type;
};
#define RTA_ALIGN(len) (((len) + 3u) & ~3u)
#define RTA_LENGTH(len) (RTA_ALIGN(sizeof(struct rtattr)) + (unsigned)(len))
#define RTA_SPACE(len) RTA_ALIGN(RTA_LENGTH(len))

struct rtgenmsg {
    unsigned char rtgen_family;
};

#define RTM_BASE 16
#define RTM_NEWLINK 16
#define RTM_DELLINK 17
#define RTM_GETLINK 18
#define RTM_SETLINK 19
#define RTM_NEWADDR 20
#define RTM_DELADDR 21
#define RTM_GETADDR 22
#define RTM_NEWROUTE 24
#define RTM_DELROUTE 25
#define RTM_GETROUTE 26
#define RTM_NEWNEIGH 28
#define RTM_DELNEIGH 29
#define RTM_GETNEIGH 30
#define RTM_NEWRULE 32
#define RTM_GETRULE 34

/* --- interfaces --- */

struct ifinfomsg {
    unsigned char ifi_family, ifi_pad;
    unsigned short ifi_type;
    int ifi_index;
    unsigned int ifi_flags, ifi_change;
};
#define IFLA_ADDRESS 1
#define IFLA_BROADCAST 2
#define IFLA_IFNAME 3
#define IFLA_MTU 4
#define IFLA_QDISC 6
#define IFLA_STATS 7
#define IFLA_TXQLEN 13
#define IFLA_OPERSTATE 16
#define IFLA_LINKMODE 17
#define IFLA_STATS64 23
#define IFLA_GROUP 27
#define IFLA_NUM_TX_QUEUES 31
#define IFLA_NUM_RX_QUEUES 32
#define IFLA_CARRIER 33

/* Its state as RFC 2863 names it. */
#define IF_OPER_UNKNOWN 0
#define IF_OPER_DOWN 2
#define IF_OPER_UP 6

struct rtnl_link_stats64 {
    unsigned long long rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors;
    unsigned long long rx_dropped, tx_dropped, multicast, collisions;
    unsigned long long rx_details[6], tx_details[5], compressed[2], rx_nohandler;
};
struct rtnl_link_stats {
    unsigned int rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors;
    unsigned int rx_dropped, tx_dropped, multicast, collisions;
    unsigned int rx_details[6], tx_details[5], compressed[2], rx_nohandler;
};

/* --- addresses --- */

struct ifaddrmsg {
    unsigned char ifa_family, ifa_prefixlen, ifa_flags, ifa_scope;
    unsigned int ifa_index;
};
#define IFA_ADDRESS 1
#define IFA_LOCAL 2
#define IFA_LABEL 3
#define IFA_BROADCAST 4
#define IFA_F_SECONDARY 0x01
#define IFA_F_PERMANENT 0x80

/* --- routes --- */

struct rtmsg {
    unsigned char rtm_family, rtm_dst_len, rtm_src_len, rtm_tos;
    unsigned char rtm_table, rtm_protocol, rtm_scope, rtm_type;
    unsigned int rtm_flags;
};
#define RTN_UNICAST 1
#define RTN_LOCAL 2
#define RTN_BROADCAST 3
#define RTN_MULTICAST 5
#define RTN_BLACKHOLE 6
#define RTN_UNREACHABLE 7
#define RTN_PROHIBIT 8

#define RTPROT_UNSPEC 0
#define RTPROT_KERNEL 2
#define RTPROT_BOOT 3
#define RTPROT_STATIC 4

#define RT_SCOPE_UNIVERSE 0
#define RT_SCOPE_LINK 253
#define RT_SCOPE_HOST 254
#define RT_SCOPE_NOWHERE 255

#define RT_TABLE_UNSPEC 0
#define RT_TABLE_DEFAULT 253
#define RT_TABLE_MAIN 254
#define RT_TABLE_LOCAL 255

#define RTM_F_CLONED 0x200

#define RTA_DST 1
#define RTA_SRC 2
#define RTA_OIF 4
#define RTA_GATEWAY 5
#define RTA_PRIORITY 6
#define RTA_PREFSRC 7
#define RTA_METRICS 8
#define RTA_MULTIPATH 9
#define RTA_TABLE 15

/* --- rules: which table is asked when --- */

struct fib_rule_hdr {
    unsigned char family, dst_len, src_len, tos;
    unsigned char table, res1, res2, action;
    unsigned int flags;
};
#define FRA_PRIORITY 6
#define FRA_TABLE 15
#define FR_ACT_TO_TBL 1

/* --- neighbours --- */

struct ndmsg {
    unsigned char ndm_family, ndm_pad1;
    unsigned short ndm_pad2;
    int ndm_ifindex;
    unsigned short ndm_state;
    unsigned char ndm_flags, ndm_type;
};
#define NDA_DST 1
#define NDA_LLADDR 2
#define NUD_INCOMPLETE 0x01
#define NUD_REACHABLE 0x02
#define NUD_STALE 0x04
#define NUD_PROBE 0x10
#define NUD_FAILED 0x20
#define NUD_PERMANENT 0x80

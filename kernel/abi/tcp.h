/* TCP: the options of a socket and what TCP_INFO tells, as Linux has them. <netinet/tcp.h> is made of this. */
#pragma once

#include <abi/types.h>

#define TCP_NODELAY 1
#define TCP_MAXSEG 2
#define TCP_CORK 3
#define TCP_KEEPIDLE 4
#define TCP_KEEPINTVL 5
#define TCP_KEEPCNT 6
#define TCP_SYNCNT 7
#define TCP_LINGER2 8
#define TCP_DEFER_ACCEPT 9
#define TCP_WINDOW_CLAMP 10
#define TCP_INFO 11
#define TCP_QUICKACK 12
#define TCP_CONGESTION 13
#define TCP_USER_TIMEOUT 18
#define TCP_NOTSENT_LOWAT 25

#define TCP_CA_NAME_MAX 16

/* tcpi_options */
#define TCPI_OPT_TIMESTAMPS 1
#define TCPI_OPT_SACK 2
#define TCPI_OPT_WSCALE 4

/* tcpi_ca_state */
#define TCP_CA_Open 0
#define TCP_CA_Disorder 1
#define TCP_CA_CWR 2
#define TCP_CA_Recovery 3
#define TCP_CA_Loss 4

struct tcp_info {
    unsigned char tcpi_state;
    unsigned char tcpi_ca_state;
    unsigned char tcpi_retransmits;
    unsigned char tcpi_probes;
    unsigned char tcpi_backoff;
    unsigned char tcpi_options;
    unsigned char tcpi_snd_wscale : 4, tcpi_rcv_wscale : 4;
    unsigned char tcpi_delivery_rate_app_limited : 1, tcpi_fastopen_client_fail : 2;
    unsigned int tcpi_rto; /* microseconds, as all times that don't say otherwise */
    unsigned int tcpi_ato;
    unsigned int tcpi_snd_mss;
    unsigned int tcpi_rcv_mss;
    unsigned int tcpi_unacked; /* segments, as the next four */
    unsigned int tcpi_sacked;
    unsigned int tcpi_lost;
    unsigned int tcpi_retrans;
    unsigned int tcpi_fackets;
    unsigned int tcpi_last_data_sent; /* milliseconds, as the next three */
    unsigned int tcpi_last_ack_sent;
    unsigned int tcpi_last_data_recv;
    unsigned int tcpi_last_ack_recv;
    unsigned int tcpi_pmtu;
    unsigned int tcpi_rcv_ssthresh;
    unsigned int tcpi_rtt;
    unsigned int tcpi_rttvar;
    unsigned int tcpi_snd_ssthresh; /* segments */
    unsigned int tcpi_snd_cwnd;     /* segments */
    unsigned int tcpi_advmss;
    unsigned int tcpi_reordering;
    unsigned int tcpi_rcv_rtt;
    unsigned int tcpi_rcv_space;
    unsigned int tcpi_total_retrans;
    unsigned long tcpi_pacing_rate;
    unsigned long tcpi_max_pacing_rate;
    unsigned long tcpi_bytes_acked;
    unsigned long tcpi_bytes_received;
    unsigned int tcpi_segs_out;
    unsigned int tcpi_segs_in;
    unsigned int tcpi_notsent_bytes;
    unsigned int tcpi_min_rtt;
    unsigned int tcpi_data_segs_in;
    unsigned int tcpi_data_segs_out;
    unsigned long tcpi_delivery_rate;
    unsigned long tcpi_busy_time;
    unsigned long tcpi_rwnd_limited;
    unsigned long tcpi_sndbuf_limited;
    unsigned int tcpi_delivered;
    unsigned int tcpi_delivered_ce;
    unsigned long tcpi_bytes_sent;
    unsigned long tcpi_bytes_retrans;
    unsigned int tcpi_dsack_dups;
    unsigned int tcpi_reord_seen;
    unsigned int tcpi_rcv_ooopack;
    unsigned int tcpi_snd_wnd;
};

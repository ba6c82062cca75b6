/* Options of stream sockets: what each may be, what it does, and what TCP_INFO tells of a connection. */
#define _GNU_SOURCE
#include "inet.h"
#include "inet_stream.h"

#include <netinet/tcp.h>
#include <sys/time.h>

#define NUMBER(n) &(int){n}, sizeof(int)

/* An option of TCP that is on or off. */
static void is_a_switch(int name)
{
    int fd = inet_fresh(TCP);
    works(inet_set(fd, IPPROTO_TCP, name, 1));
    same(inet_option(fd, IPPROTO_TCP, name), 1);
    works(inet_set(fd, IPPROTO_TCP, name, 0));
    same(inet_option(fd, IPPROTO_TCP, name), 0);
    works(inet_set(fd, IPPROTO_TCP, name, 77));
    same(inet_option(fd, IPPROTO_TCP, name), 1);
    works(close(fd));
}

/* An option with a number from LOW to HIGH, USUAL at first. */
static void is_a_number(int name, int usual, int low, int high)
{
    int fd = inet_fresh(TCP);
    same(inet_option(fd, IPPROTO_TCP, name), usual);
    works(inet_set(fd, IPPROTO_TCP, name, low));
    same(inet_option(fd, IPPROTO_TCP, name), low);
    works(inet_set(fd, IPPROTO_TCP, name, high));
    same(inet_option(fd, IPPROTO_TCP, name), high);
    fails(inet_set(fd, IPPROTO_TCP, name, low - 1), EINVAL);
    same(inet_option(fd, IPPROTO_TCP, name), high);
    works(close(fd));
}

TEST(nodelay_is_a_switch)
{
    is_a_switch(TCP_NODELAY);
}

TEST(cork_is_a_switch)
{
    is_a_switch(TCP_CORK);
}

TEST(keepidle_is_seconds)
{
    is_a_number(TCP_KEEPIDLE, 7200, 1, 32767);
    fails(inet_set(inet_fresh(TCP), IPPROTO_TCP, TCP_KEEPIDLE, 32768), EINVAL);
}

TEST(keepintvl_is_seconds)
{
    is_a_number(TCP_KEEPINTVL, 75, 1, 32767);
    fails(inet_set(inet_fresh(TCP), IPPROTO_TCP, TCP_KEEPINTVL, 32768), EINVAL);
}

TEST(keepcnt_is_a_count)
{
    is_a_number(TCP_KEEPCNT, 9, 1, 127);
    fails(inet_set(inet_fresh(TCP), IPPROTO_TCP, TCP_KEEPCNT, 128), EINVAL);
}

TEST(syncnt_is_a_count)
{
    is_a_number(TCP_SYNCNT, 6, 1, 127);
    fails(inet_set(inet_fresh(TCP), IPPROTO_TCP, TCP_SYNCNT, 128), EINVAL);
}

TEST(user_timeout_is_milliseconds)
{
    is_a_number(TCP_USER_TIMEOUT, 0, 0, INT32_MAX);
}

TEST(linger2_is_seconds)
{
    int fd = inet_fresh(TCP);
    same(inet_option(fd, IPPROTO_TCP, TCP_LINGER2), 60);
    works(inet_set(fd, IPPROTO_TCP, TCP_LINGER2, 5));
    same(inet_option(fd, IPPROTO_TCP, TCP_LINGER2), 5);
    works(inet_set(fd, IPPROTO_TCP, TCP_LINGER2, -7));
    same(inet_option(fd, IPPROTO_TCP, TCP_LINGER2), -1);
}

TEST(maxseg_has_bounds)
{
    int fd = inet_fresh(TCP);
    same(inet_option(fd, IPPROTO_TCP, TCP_MAXSEG), 536);
    works(inet_set(fd, IPPROTO_TCP, TCP_MAXSEG, 1000));
    same(inet_option(fd, IPPROTO_TCP, TCP_MAXSEG), 1000);
    fails(inet_set(fd, IPPROTO_TCP, TCP_MAXSEG, 87), EINVAL);
    fails(inet_set(fd, IPPROTO_TCP, TCP_MAXSEG, 32768), EINVAL);
    works(inet_set(fd, IPPROTO_TCP, TCP_MAXSEG, 88));
    works(inet_set(fd, IPPROTO_TCP, TCP_MAXSEG, 0));
    same(inet_option(fd, IPPROTO_TCP, TCP_MAXSEG), 536);
}

TEST(window_clamp_has_a_least_value)
{
    int fd = inet_fresh(TCP), other, l = stream_listener(1);
    works(inet_set(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, 20000));
    same(inet_option(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP), 20000);
    works(inet_set(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, 1));
    check(inet_option(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP) > 1, "a window of one byte");
    works(inet_set(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, 0)); /* not connected: none */
    works(inet_connect(fd, LOOP, inet_port(l)));
    fails(inet_set(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, 0), EINVAL);
    other = works(accept(l, NULL, NULL));
    works(close(other));
}

TEST(congestion_has_names)
{
    int fd = inet_fresh(TCP);
    char name[16] = "";
    socklen_t len = sizeof(name);
    works(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
    works(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
    same_text(name, "reno");
    same(len, 16);
    works(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5));
    len = sizeof(name);
    works(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
    same_text(name, "cubic");
    fails(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "nobody's", 8), ENOENT);
    fails(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "", 0), EINVAL);
}

TEST(quickack_is_a_wish)
{
    int end[2];
    stream_pair(end);
    works(inet_set(end[0], IPPROTO_TCP, TCP_QUICKACK, 0));
    same(inet_option(end[0], IPPROTO_TCP, TCP_QUICKACK), 0);
    works(inet_set(end[0], IPPROTO_TCP, TCP_QUICKACK, 1));
    same(inet_option(end[0], IPPROTO_TCP, TCP_QUICKACK), 1);
}

TEST(notsent_lowat_is_kept)
{
    int fd = inet_fresh(TCP);
    works(inet_set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4096));
    same(inet_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 4096);
}

TEST(defer_accept_waits_for_data)
{
    int l = stream_listener(4), fd = inet_fresh(TCP);
    works(inet_set(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, 30));
    check(inet_option(l, IPPROTO_TCP, TCP_DEFER_ACCEPT) >= 30, "fewer seconds than wanted");
    works(inet_connect(fd, LOOP, inet_port(l)));
    same(inet_ready(l, 50), 0);
    same(write(fd, "x", 1), 1);
    inet_await(l);
    works(accept(l, NULL, NULL));
}

TEST(short_values_are_refused)
{
    int fd = inet_fresh(TCP);
    fails(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, "x", 1), EINVAL);
    fails(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, "xyz", 3), EINVAL);
    fails(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, NOWHERE, 4), EFAULT);
    fails(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, "abcd", (socklen_t)-1), EINVAL);
    fails(inet_set(fd, 200, 1, 1), ENOPROTOOPT);
}

TEST(getsockopt_gives_what_fits)
{
    int fd = inet_fresh(TCP), n = 0x01010101;
    socklen_t len = 2;
    works(inet_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 0x1234));
    works(getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &n, &len));
    same(len, 2);
    same(n, 0x01011234);
    len = (socklen_t)-1;
    fails(getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &n, &len), EINVAL);
    len = sizeof(n);
    fails(getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, NOWHERE, &len), EFAULT);
    fails(getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &n, NOWHERE), EFAULT);
    fails(getsockopt(fd, IPPROTO_TCP, 9999, &n, &len), ENOPROTOOPT);
}

TEST(a_socket_says_what_it_is)
{
    int fd = inet_fresh(TCP), l = stream_listener(1);
    same(inet_option(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    same(inet_option(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
    same(inet_option(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    same(inet_option(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
    same(inet_option(l, SOL_SOCKET, SO_ACCEPTCONN), 1);
    fails(inet_set(fd, SOL_SOCKET, SO_TYPE, SOCK_DGRAM), ENOPROTOOPT);
    fails(inet_set(fd, SOL_SOCKET, SO_ACCEPTCONN, 1), ENOPROTOOPT);
    fails(inet_set(fd, SOL_SOCKET, SO_ERROR, 0), ENOPROTOOPT);
}

TEST(switches_of_all_sockets)
{
    static const int names[] = {SO_REUSEADDR, SO_REUSEPORT, SO_KEEPALIVE,
                                SO_OOBINLINE, SO_BROADCAST, SO_DONTROUTE};
    int fd = inet_fresh(TCP);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        same(inet_option(fd, SOL_SOCKET, names[i]), 0);
        works(inet_set(fd, SOL_SOCKET, names[i], 5));
        same(inet_option(fd, SOL_SOCKET, names[i]), 1);
        works(inet_set(fd, SOL_SOCKET, names[i], 0));
        same(inet_option(fd, SOL_SOCKET, names[i]), 0);
    }
}

TEST(buffers_are_twice_what_is_asked)
{
    int fd = inet_fresh(TCP);
    works(inet_set(fd, SOL_SOCKET, SO_SNDBUF, 20000));
    same(inet_option(fd, SOL_SOCKET, SO_SNDBUF), 40000);
    works(inet_set(fd, SOL_SOCKET, SO_RCVBUF, 30000));
    same(inet_option(fd, SOL_SOCKET, SO_RCVBUF), 60000);
    works(inet_set(fd, SOL_SOCKET, SO_SNDBUF, 1));
    check(inet_option(fd, SOL_SOCKET, SO_SNDBUF) >= 2048, "a tiny buffer");
    works(inet_set(fd, SOL_SOCKET, SO_RCVBUF, 0));
    check(inet_option(fd, SOL_SOCKET, SO_RCVBUF) >= 2048, "a tiny buffer");
}

TEST(low_water_is_at_least_one)
{
    int fd = inet_fresh(TCP);
    same(inet_option(fd, SOL_SOCKET, SO_RCVLOWAT), 1);
    works(inet_set(fd, SOL_SOCKET, SO_RCVLOWAT, 100));
    same(inet_option(fd, SOL_SOCKET, SO_RCVLOWAT), 100);
    works(inet_set(fd, SOL_SOCKET, SO_RCVLOWAT, 0));
    same(inet_option(fd, SOL_SOCKET, SO_RCVLOWAT), 1);
    works(inet_set(fd, SOL_SOCKET, SO_RCVLOWAT, -1));
    check(inet_option(fd, SOL_SOCKET, SO_RCVLOWAT) > 100000, "no great number");
    same(inet_option(fd, SOL_SOCKET, SO_SNDLOWAT), 1);
    fails(inet_set(fd, SOL_SOCKET, SO_SNDLOWAT, 2), ENOPROTOOPT);
}

TEST(a_reader_waits_for_the_low_water)
{
    int end[2];
    char c[8];
    stream_pair(end);
    works(inet_set(end[1], SOL_SOCKET, SO_RCVLOWAT, 4));
    same(write(end[0], "ab", 2), 2);
    same(inet_ready(end[1], 30), POLLOUT);
    pid_t pid;
    CHILD (pid) {
        pause_a_little();
        same(write(end[0], "cdef", 4), 4);
    }
    same(read(end[1], c, 8), 6);
    exits(pid, 0);
}

TEST(time_limits_are_kept)
{
    int fd = inet_fresh(TCP);
    struct timeval tv = {3, 250000}, got;
    socklen_t len = sizeof(got);
    static const int names[] = {SO_RCVTIMEO, SO_SNDTIMEO};
    for (int i = 0; i < 2; i++) {
        works(setsockopt(fd, SOL_SOCKET, names[i], &tv, sizeof(tv)));
        works(getsockopt(fd, SOL_SOCKET, names[i], &got, &len));
        same(got.tv_sec, 3);
        check(got.tv_usec >= 250000 && got.tv_usec < 260000, "%ld us", (long)got.tv_usec);
        fails(setsockopt(fd, SOL_SOCKET, names[i], &(struct timeval){0, 1000000}, sizeof(tv)),
              EDOM);
        fails(setsockopt(fd, SOL_SOCKET, names[i], &tv, 4), EINVAL);
    }
}

TEST(linger_is_kept)
{
    int fd = inet_fresh(TCP);
    struct linger l = {7, 30}, got;
    socklen_t len = sizeof(got);
    works(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
    works(getsockopt(fd, SOL_SOCKET, SO_LINGER, &got, &len));
    same(got.l_onoff, 1);
    same(got.l_linger, 30);
    fails(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, 4), EINVAL);
}

TEST(tos_and_ttl_of_ip)
{
    int fd = inet_fresh(TCP);
    same(inet_option(fd, IPPROTO_IP, IP_TOS), 0);
    works(inet_set(fd, IPPROTO_IP, IP_TOS, 0x13));
    same(inet_option(fd, IPPROTO_IP, IP_TOS), 0x10); /* ECN's bits are TCP's own */
    fails(inet_set(fd, IPPROTO_IP, IP_TTL, 0), EINVAL);
    fails(inet_set(fd, IPPROTO_IP, IP_TTL, 256), EINVAL);
    works(inet_set(fd, IPPROTO_IP, IP_TTL, -1));
    same(inet_option(fd, IPPROTO_IP, IP_TTL), 64);
    int end[2];
    fails(getsockopt(fd, IPPROTO_IP, IP_MTU, end, &(socklen_t){sizeof(*end)}), ENOTCONN);
    stream_pair(end);
    same(inet_option(end[0], IPPROTO_IP, IP_MTU), stream_info(end[0]).tcpi_pmtu);
    fails(inet_set(end[0], IPPROTO_IP, IP_MTU, 1000), ENOPROTOOPT);
    same(inet_option(fd, IPPROTO_IP, IP_RECVERR), 0);
    works(inet_set(fd, IPPROTO_IP, IP_RECVERR, 7));
    same(inet_option(fd, IPPROTO_IP, IP_RECVERR), 1);
}

TEST(the_accepted_inherit)
{
    int l = stream_listener(1), fd = inet_fresh(TCP);
    struct linger linger = {1, 9};
    socklen_t len = sizeof(linger);
    works(inet_set(l, IPPROTO_TCP, TCP_NODELAY, 1));
    works(inet_set(l, IPPROTO_TCP, TCP_KEEPIDLE, 77));
    works(inet_set(l, SOL_SOCKET, SO_KEEPALIVE, 1));
    works(inet_set(l, SOL_SOCKET, SO_OOBINLINE, 1));
    works(inet_set(l, SOL_SOCKET, SO_SNDBUF, 30000));
    works(inet_set(l, IPPROTO_IP, IP_TTL, 33));
    works(inet_set(l, IPPROTO_IP, IP_RECVERR, 1));
    works(setsockopt(l, SOL_SOCKET, SO_LINGER, &linger, len));
    works(fcntl(l, F_SETFL, O_NONBLOCK));
    works(inet_connect(fd, LOOP, inet_port(l)));
    inet_await(l);
    int other = works(accept(l, NULL, NULL));
    same(inet_option(other, IPPROTO_TCP, TCP_NODELAY), 1);
    same(inet_option(other, IPPROTO_TCP, TCP_KEEPIDLE), 77);
    same(inet_option(other, SOL_SOCKET, SO_KEEPALIVE), 1);
    same(inet_option(other, SOL_SOCKET, SO_OOBINLINE), 1);
    same(inet_option(other, SOL_SOCKET, SO_SNDBUF), 60000);
    same(inet_option(other, IPPROTO_IP, IP_TTL), 33);
    same(inet_option(other, IPPROTO_IP, IP_RECVERR), 1);
    same(inet_option(other, SOL_SOCKET, SO_ACCEPTCONN), 0);
    works(getsockopt(other, SOL_SOCKET, SO_LINGER, &linger, &len));
    same(linger.l_linger, 9);
    same(fcntl(other, F_GETFL) & O_NONBLOCK, 0); /* not this */
}

TEST(maxseg_bounds_what_the_peer_sends)
{
    int l = stream_listener(1), fd = inet_fresh(TCP);
    works(inet_set(fd, IPPROTO_TCP, TCP_MAXSEG, 500));
    works(inet_connect(fd, LOOP, inet_port(l)));
    int other = works(accept(l, NULL, NULL));
    check(inet_option(other, IPPROTO_TCP, TCP_MAXSEG) <= 500, "larger segments than wanted");
    stream_move(other, fd, 100000);
    check(stream_info(other).tcpi_data_segs_out >= 200, "%u segments",
          stream_info(other).tcpi_data_segs_out);
}

TEST(cork_gathers)
{
    int end[2];
    char c[300];
    stream_pair(end);
    works(inet_set(end[0], IPPROTO_TCP, TCP_CORK, 1));
    for (int i = 0; i < 3; i++)
        same(write(end[0], c, 100), 100);
    fails(recv(end[1], c, sizeof(c), MSG_DONTWAIT), EAGAIN);
    works(inet_set(end[0], IPPROTO_TCP, TCP_CORK, 0));
    inet_await(end[1]);
    same(read(end[1], c, sizeof(c)), 300);
    same(stream_info(end[0]).tcpi_data_segs_out, 1);
}

TEST(more_gathers)
{
    int end[2];
    char c[300];
    stream_pair(end);
    same(send(end[0], c, 100, MSG_MORE), 100);
    same(send(end[0], c, 100, MSG_MORE), 100);
    fails(recv(end[1], c, sizeof(c), MSG_DONTWAIT), EAGAIN);
    same(send(end[0], c, 100, 0), 100);
    inet_await(end[1]);
    same(read(end[1], c, sizeof(c)), 300);
    same(stream_info(end[0]).tcpi_data_segs_out, 1);
}

TEST(info_of_who_is_not_connected)
{
    int fd = inet_fresh(TCP), l = stream_listener(5);
    same(stream_info(fd).tcpi_state, TCP_CLOSE);
    same(stream_info(l).tcpi_state, TCP_LISTEN);
}

TEST(info_counts_bytes)
{
    int end[2];
    stream_pair(end);
    stream_move(end[0], end[1], 50000);
    struct tcp_info i = stream_info(end[1]);
    same(i.tcpi_bytes_received, 50000);
    same(i.tcpi_state, TCP_ESTABLISHED);
    wait_until(stream_info(end[0]).tcpi_unacked == 0);
    i = stream_info(end[0]);
    same(i.tcpi_bytes_acked, 50001); /* our SYN is one */
    same(i.tcpi_bytes_sent, 50000);
    same(i.tcpi_notsent_bytes, 0);
    same(i.tcpi_total_retrans, 0);
    same(i.tcpi_ca_state, TCP_CA_Open);
    check(i.tcpi_rtt > 0, "no round trip was timed");
    check(i.tcpi_snd_cwnd >= 2, "%u segments in flight allowed", i.tcpi_snd_cwnd);
    check(i.tcpi_segs_out >= i.tcpi_data_segs_out, "segments");
}

TEST(info_counts_segments_that_arrived)
{
    int end[2];
    stream_pair(end);
    for (unsigned i = 0; i < 5; i++) {
        wait_until(stream_info(end[0]).tcpi_unacked == 0);
        wait_until(stream_info(end[1]).tcpi_unacked == 0);
        same(stream_info(end[0]).tcpi_delivered, 1 + i); /* our SYN is one */
        same(stream_info(end[1]).tcpi_delivered, 1);
        same(stream_info(end[0]).tcpi_delivered_ce, 0);
        stream_move(end[0], end[1], 100);
    }
}

TEST(info_tells_how_long_a_sender_was_busy)
{
    int end[2];
    struct tcp_info i;
    stream_pair(end);
    i = stream_info(end[0]);
    same(i.tcpi_busy_time, 0);
    same(i.tcpi_delivery_rate, 0);
    do { /* Linux counts in ticks: what begins and ends within one has taken no time */
        stream_move(end[0], end[1], 100000);
        wait_until(stream_info(end[0]).tcpi_unacked == 0);
        i = stream_info(end[0]);
    } while (!i.tcpi_busy_time);
    check(i.tcpi_busy_time >= i.tcpi_rwnd_limited + i.tcpi_sndbuf_limited, "%llu of %llu, %llu",
          (unsigned long long)i.tcpi_busy_time, (unsigned long long)i.tcpi_rwnd_limited,
          (unsigned long long)i.tcpi_sndbuf_limited);
    check(i.tcpi_delivery_rate > 0, "no rate of delivery");
    same(stream_info(end[0]).tcpi_busy_time, i.tcpi_busy_time); /* it is idle now */
    i = stream_info(end[1]);
    same(i.tcpi_busy_time, 0); /* who only receives isn't busy */
    same(i.tcpi_delivery_rate, 0);
}

TEST(info_tells_what_keeps_a_sender)
{
    char bytes[65536] = {0};
    int end[2];
    struct tcp_info i;
    stream_pair(end);
    while (send(end[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        ;
    wait_until(stream_info(end[0]).tcpi_rwnd_limited > 0); /* nobody reads */
    i = stream_info(end[0]);
    check(i.tcpi_notsent_bytes > 0, "all was sent");
    check(i.tcpi_rwnd_limited <= i.tcpi_busy_time, "%llu of %llu",
          (unsigned long long)i.tcpi_rwnd_limited, (unsigned long long)i.tcpi_busy_time);
    wait_until(stream_info(end[0]).tcpi_rwnd_limited > i.tcpi_rwnd_limited);
}

TEST(info_tells_of_no_pace)
{
    int end[2];
    stream_pair(end);
    struct tcp_info i = stream_info(end[0]);
    check(i.tcpi_max_pacing_rate == ~0UL, "%lu bytes a second", i.tcpi_max_pacing_rate);
    check(i.tcpi_pacing_rate > 0, "nothing may be sent");
    same(i.tcpi_fackets, 0);
    same(i.tcpi_last_ack_sent, 0);
}

TEST(info_tells_what_was_agreed_on)
{
    int end[2];
    stream_pair(end);
    struct tcp_info i = stream_info(end[0]);
    same(i.tcpi_options & (TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE),
         TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
    same(i.tcpi_snd_wscale, stream_info(end[1]).tcpi_rcv_wscale);
    same(i.tcpi_advmss, 65495 - 12); /* beside a timestamp */
    check(i.tcpi_pmtu == 65535 || i.tcpi_pmtu == 65536, "%u", i.tcpi_pmtu);
    same(stream_info(end[0]).tcpi_retransmits, 0);
}

TEST(info_may_be_cut_short)
{
    int fd = inet_fresh(TCP);
    unsigned char state[2] = {0, 99};
    socklen_t len = 1;
    works(getsockopt(fd, IPPROTO_TCP, TCP_INFO, state, &len));
    same(len, 1);
    same(state[0], TCP_CLOSE);
    same(state[1], 99);
}

int main(void)
{
    return tap_run("tcp_options");
}

/*
 * Options, attacks and silence: timestamps, blind attackers, SYN cookies, keepalive. See tcp_script.h.
 */
#include "tcp_script_run.h"

#define TS "param ts 1\nestab\n" /* the peer's clock stands at 100 */

static const struct case_ cases[] = {
    /* --- MSS: RFC 9293, section 3.7.1 --- */
    {"we announce what the interface takes (RFC 9293, 3.7.1)",
     "param mtu 1500\nconnect\n> S 0 0 mss=1460"},
    {"a peer that says nothing takes 536 (RFC 9293, 3.7.1)",
     "connect\n> S 0\n< SA 0 1\n> A 1 1\ninfo mss 536\nsend 600\n> A 1 1 len=536\n"
     "> A 537 1 len=64"},
    {"the smaller of both counts (RFC 6691, 2)",
     "connect\n> S 0\n< SA 0 1 mss=9000\n> A 1 1\ninfo mss 1000"},
    {"a peer's MSS of next to nothing isn't followed (Linux)",
     "connect\n> S 0\n< SA 0 1 mss=1\n> A 1 1\ninfo mss 48"},
    {"TCP_MAXSEG",
     "opt maxseg 500\nconnect\n> S 0 0 mss=500\n< SA 0 1 mss=1000\n> A 1 1\ninfo mss 500"},
    {"TCP_MAXSEG out of range", "opt maxseg 10 = EINVAL\nopt maxseg 40000 = EINVAL"},
    {"timestamps make data shorter (RFC 6691, 2)",
     TS "send 1000\n> A 1 1 len=988\n> A 989 1 len=12"},

    /* --- negotiation --- */
    {"all options are offered (RFC 7323, 1.3; RFC 2018, 2)",
     "param ts 1\nparam ws 1\nparam sack 1\nconnect\n> S 0 0 mss=1000 sackok ts=0,0 ws=0"},
    {"an answer offers only what the call did (RFC 7323, 1.3)",
     "param ts 1\nparam ws 1\nparam sack 1\nlisten\n< S 0 0 mss=1000 ws=2\n"
     "> SA 0 1 ws=0 nots nosackok"},
    {"timestamps alone", "param ts 1\nparam ws 1\nparam sack 1\nlisten\n< S 0 0 mss=1000 ts=7,0\n"
                         "> SA 0 1 nows nosackok ts=0,7"},
    {"what we don't want isn't offered", "connect\n> S 0 0 nows nots nosackok"},
    {"TCP_INFO tells what was agreed", "param sack 1\n" TS "info options 3"},

    /* --- timestamps: RFC 7323 --- */
    {"every segment has one, with the peer's last in it (RFC 7323, 3.2)",
     TS "send 10\n> A 1 1 ts=0,100\n+50\n< A 1 11 ts=150,0\nsend 10\n> A 11 1 ts=50,150"},
    {"the echo is of the oldest unacknowledged segment (RFC 7323, 4.3)",
     TS "< A 1 1 len=10 ts=200,0\n< A 11 1 len=10 ts=300,0\n+40\n> A 1 21 ts=40,200"},
    {"a segment before its turn isn't echoed (RFC 7323, 4.3)",
     TS "< A 11 1 len=10 ts=200,0\n> A 1 1 ts=0,100"},
    {"an old timestamp: dropped, and an ACK (RFC 7323, 5.3, R1)",
     TS "< A 1 1 len=10 ts=99,0\n> A 1 1\nunread 0"},
    {"an equal one is good (RFC 7323, 5.3)",
     TS "< A 1 1 len=10 ts=100,0\nunread 10\n+40\n> A 1 11"},
    {
        "timestamps wrap (RFC 7323, 5.2)",
        "param ts 1\nconnect\n> S 0\n< SA 0 1 mss=1000 ts=0xfffffff0,0\n> A 1 1",
    },
    {"an RST needs no timestamp (RFC 7323, 5.2)", TS "< R 1 0\nerror ECONNRESET"},
    {"another segment without one is dropped (RFC 7323, 3.2)",
     TS "< A 1 1 len=10\n> none\nunread 0"},
    {"after 24 days of silence an old one is believed (RFC 7323, 5.5)",
     "param ts 1\nestab\n+2073600000\n+1000\n< A 1 1 len=10 ts=50,0\nunread 10\n+40\n"
     "> A 1 11"},
    {"TIME-WAIT with timestamps: a younger SYN is a new call (RFC 6191, 2)",
     "param ts 1\nlisten\n< S 0 0 ts=100,0\n> SA 0 1\n< A 1 1 ts=100,0\naccept\n"
     "shutdown w\n> FA 1 1\n< FA 1 2 ts=101,0\n> A 2 2\nclose\n< S 1 0 ts=102,0\n"
     "> SA 0 2\ntime-waits 0"},
    {"an older one is not (RFC 6191, 2)",
     "param ts 1\nlisten\n< S 0 0 ts=100,0\n> SA 0 1\n< A 1 1 ts=100,0\naccept\n"
     "shutdown w\n> FA 1 1\n< FA 1 2 ts=101,0\n> A 2 2\nclose\n< S 9000 0 ts=50,0\n"
     "> A 2 2\ntime-waits 1"},
    {"our own new call may take the tuple after a second (RFC 6191; tcp_tw_reuse)",
     "param ts 1\nopt reuseaddr 1\nbind 4000\nestab\nshutdown w\n> FA 1 1\n"
     "< FA 1 2 ts=101,0\n> A 2 2\nclose\nopt reuseaddr 1\nbind 4000\n"
     "connect = EADDRNOTAVAIL\n+1001\nconnect\n> S 0\ntime-waits 0"},
    {"data in TIME-WAIT that is too old by its timestamp (RFC 7323, 5.3)",
     TS "shutdown w\n> FA 1 1\n< FA 1 2 ts=101,0\n> A 2 2\nclose\n< A 1 2 len=1 ts=5,0\n"
        "> A 2 2"},

    /* --- RFC 5961 --- */
    {"an ACK of what was never sent: challenge (RFC 5961, 5.2)",
     "estab\n< A 1 2 len=10\n> A 1 1\nunread 0"},
    {"an ACK of long ago: challenge (RFC 5961, 5.2)",
     "estab win=1000\nsend 1000\n> A 1 1\n< A 1 1001 win=1000\n< A 1 1 len=10\nunread 10\n"
     "< A 11 -1 len=10\n> A 1001 11\nunread 10"},
    {"an ACK within the largest window is good (RFC 5961, 5.2)",
     "estab win=1000\nsend 1000\n> A 1 1\n< A 1 1001\n< A 1 500 len=10\nunread 10\n+40\n"
     "> A 1001 11"},
    {"challenges are limited (RFC 5961, 7)",
     "param challenge 0\nestab\n< R 5 0\n> none\n< S 5 0\n> none\nstate ESTABLISHED"},
    {"ACKs to bare segments outside the window are limited (Linux)",
     "estab\n< A 20000 1\n> A 1 1\n< A 20000 1\n> none\n+500\n< A 20000 1\n> A 1 1"},
    {"data outside the window is always answered",
     "estab\n< A 20000 1 len=1\n> A 1 1\n< A 20000 1 len=1\n> A 1 1"},

    /* --- SYN cookies --- */
    {"a full backlog: a cookie, and the call succeeds",
     "param cookies 1\nlisten 1\n< S 0 0 mss=1000\n> SA 0 1\npeer-port 5001\n"
     "< S 0 0 mss=1000\n> SA 0 1\n< A 1 1\naccept\nstate ESTABLISHED\ninfo mss 536"},
    {"the cookie holds the MSS",
     "param cookies 2\nparam mtu 1500\nlisten\n< S 0 0 mss=1460\n> SA 0 1 mss=1460\n"
     "< A 1 1\naccept\ninfo mss 1460"},
    {"with a timestamp also scale and SACK",
     "param cookies 2\nparam ts 1\nparam ws 1\nparam sack 1\nlisten\n"
     "< S 0 0 mss=1000 sackok ws=5 ts=100,0\n> SA 0 1 sackok ws=0 ts=*,100\n"
     "< A 1 1 ts=101,0 win=10\naccept\ninfo options 7\ninfo snd_wnd 320"},
    {"without one there are none",
     "param cookies 2\nparam ws 1\nparam sack 1\nlisten\n< S 0 0 mss=1000 sackok ws=5\n"
     "> SA 0 1 nosackok nows\n< A 1 1\naccept\ninfo options 0"},
    {"data with the ACK of a cookie counts",
     "param cookies 2\nlisten\n< S 0 0\n> SA 0 1\n< A 1 1 len=10\n> A 1 11\naccept\n"
     "unread 10"},
    {"a wrong cookie is refused",
     "param cookies 2\nlisten\n< S 0 0\n> SA 0 1\n< A 1 20\n> R 20\naccept none"},
    {"a cookie for another number is refused",
     "param cookies 2\nlisten\n< S 0 0\n> SA 0 1\n< A 2 1\n> R 1\n< A 0 1\n> R 1\n"
     "accept none"},
    {"a cookie grows old", "param cookies 2\nlisten\n< S 0 0\n> SA 0 1\n+125000\n< A 1 1\n> R 1"},
    {"a listener that sent none believes none", "listen\n< A 1 1\n> R 1"},
    {"nothing is kept of a call with a cookie",
     "param cookies 2\nlisten\n< S 0 0\n> SA 0 1\n+1000\n> none\n+100000\n> none"},

    /* --- keepalive: RFC 9293, section 3.8.4 --- */
    {"after keepidle of silence an old number is sent (RFC 9293, 3.8.4)",
     "opt keepidle 10\nopt keepalive 1\nestab\n+9999\n> none\n+1\n> A 0 1 len=0"},
    {"an answer begins the wait anew",
     "opt keepidle 10\nopt keepintvl 2\nopt keepalive 1\nestab\n+10000\n> A 0 1\n< A 1 1\n"
     "+9999\n> none\n+1\n> A 0 1"},
    {"keepcnt probes without an answer: ETIMEDOUT",
     "opt keepidle 10\nopt keepintvl 2\nopt keepcnt 2\nopt keepalive 1\nestab\n+10000\n"
     "> A 0 1\n+2000\n> A 0 1\n+2000\n> RA 1 1\nerror ETIMEDOUT"},
    {"two hours by default (RFC 9293, 3.8.4)",
     "opt keepalive 1\nestab\n+7199999\n> none\n+1\n> A 0 1"},
    {"off by default (RFC 9293, 3.8.4)", "estab\n+100000000\n> none"},
    {"a keepalive is answered (RFC 9293, 3.8.4)", "estab\n< A 0 1\n> A 1 1"},
    {"one with a byte too", "estab\n< A 0 1 len=1\n> A 1 1\nunread 0"},
    {"TCP_USER_TIMEOUT instead of the count (RFC 5482)",
     "opt keepidle 10\nopt keepintvl 2\nopt keepalive 1\nestab\nopt usertimeout 13000\n"
     "+10000\n> A 0 1\n+2000\n> A 0 1\n+2000\n> RA 1 1\nerror ETIMEDOUT"},

    /* --- options of the socket --- */
    {"values out of range: EINVAL",
     "opt keepidle 0 = EINVAL\nopt keepidle 32768 = EINVAL\nopt keepintvl 0 = EINVAL\n"
     "opt keepcnt 128 = EINVAL\nopt syncnt 0 = EINVAL\nopt usertimeout -1 = EINVAL"},
    {"an option that isn't: ENOPROTOOPT", "opt nonsense 1 = ENOPROTOOPT"},
    {"TCP_INFO counts", "estab\nsend 1500\n> A 1 1\n> A 1001 1\ninfo unacked 2\n< A 1 1001 len=7\n"
                        "info acked 1001\ninfo received 7\ninfo unacked 1\n+40\n> A 1501 8"},
};
RUN_CASES(cases)

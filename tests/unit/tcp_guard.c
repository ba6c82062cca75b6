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
    {"an MTU with hardly room for headers makes no large packets",
     "param mtu 68\nestab\nsend 400\n> A 1 1 len=48\n> A 49 1 len=48\ndrain"},
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
    {"what is thrown away leaves no timestamp behind (RFC 5961, 5): an ACK of what was never sent",
     TS "< A 1 5000 ts=1000000,0\n> A 1 1\n< A 1 1 len=10 ts=101,0\nunread 10"},
    {"nor does a SYN", TS "< S 1 0 ts=1000000,0\n> A 1 1\n< A 1 1 len=10 ts=101,0\nunread 10"},
    {"nor a segment without ACK", TS "< . 1 0 ts=1000000,0\n< A 1 1 len=10 ts=101,0\nunread 10"},
    {"a SYN without one is answered all the same (RFC 5961, 4)", TS "< S 1 0\n> A 1 1"},
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

    {"an RST may be as old as it likes (RFC 7323, 5.2)", TS "< R 1 0 ts=5,0\nerror ECONNRESET"},
    {"PAWS in SYN-RECEIVED (RFC 7323, 5.3, R1)",
     "param ts 1\nlisten\n< S 0 0 ts=100,0\n> SA 0 1\n< A 1 1 ts=99,0\n> A 1 1\naccept none\n"
     "< A 1 1 ts=100,0\naccept"},
    {"PAWS in FIN-WAIT-1 and FIN-WAIT-2 (RFC 7323, 5.3, R1)",
     TS "shutdown w\n> FA 1 1\n< A 1 2 ts=99,0\n> A 2 1\nstate FIN-WAIT-1\n< A 1 2 ts=100,0\n"
        "state FIN-WAIT-2\n< FA 1 2 ts=99,0\n> A 2 1\nstate FIN-WAIT-2\n< FA 1 2 ts=101,0\n"
        "> A 2 2\ntime-waits 1"},
    {"PAWS in CLOSE-WAIT (RFC 7323, 5.3, R1)",
     TS "< FA 1 1 ts=101,0\n> A 1 2\nsend 10\n> A 1 2 len=10\n< A 2 11 ts=99,0\n> A 11 2\n"
        "info unacked 1\n< A 2 11 ts=102,0\ninfo unacked 0"},
    {"PAWS in CLOSING (RFC 7323, 5.3, R1)",
     TS "shutdown w\n> FA 1 1\n< FA 1 1 ts=101,0\n> A 2 2\n< A 2 2 ts=99,0\n> A 2 2\n"
        "state CLOSING\n< A 2 2 ts=102,0\nstate CLOSED\ntime-waits 1"},
    {"PAWS in LAST-ACK (RFC 7323, 5.3, R1)",
     TS "< FA 1 1 ts=101,0\n> A 1 2\nshutdown w\n> FA 1 2\n< A 2 2 ts=99,0\n> A 2 2\n"
        "state LAST-ACK\n< A 2 2 ts=102,0\nstate CLOSED"},
    {"timestamps on both sides of the wrap (RFC 7323, 5.2)",
     "param ts 1\nconnect\n> S 0\n< SA 0 1 mss=1000 ts=4294967280,0\n> A 1 1\n"
     "< A 1 1 len=10 ts=5,0\n> A 1 11 ts=*,5\nunread 10\n< A 11 1 len=10 ts=4294967288,0\n"
     "> A 1 11\nunread 10"},
    {"TIME-WAIT: of SYNs with the same timestamp the larger number is the new call (RFC 6191, 2)",
     "param ts 1\nlisten\n< S 0 0 ts=100,0\n> SA 0 1\n< A 1 1 ts=100,0\naccept\n"
     "shutdown w\n> FA 1 1\n< FA 1 2 ts=101,0\n> A 2 2\nclose\n< S 1 0 ts=101,0\n> A 2 2\n"
     "time-waits 1\n< S 9000 0 ts=101,0\n> SA 0 9001\ntime-waits 0"},
    {"and without timestamps in it too (RFC 1122, 4.2.2.13)",
     "param ts 1\nlisten\n< S 0 0 ts=100,0\n> SA 0 1\n< A 1 1 ts=100,0\naccept\n"
     "shutdown w\n> FA 1 1\n< FA 1 2 ts=101,0\n> A 2 2\nclose\n< S 1 0\n> A 2 2\n"
     "time-waits 1\n< S 9000 0\n> SA 0 9001\ntime-waits 0"},
    {"a FIN that is too old doesn't begin TIME-WAIT anew (RFC 7323, 5.3)",
     TS "shutdown w\n> FA 1 1\n< FA 1 2 ts=101,0\n> A 2 2\nclose\n+30000\n< FA 1 2 ts=50,0\n"
        "> A 2 2\n+29999\ntime-waits 1\n+1\ntime-waits 0"},

    /* --- LAND: from our own address and port --- */
    {"a SYN from ourselves makes no connection and no storm (RFC 9293, 3.10.7.4)",
     "listen\n< S 0 0 self\nloop\nloop\n> none\naccept none"},
    {"and its embryo dies like any other",
     "param synack_retries 1\nlisten 1\n< S 0 0 self\nloop\nloop\n+1000\nloop\nloop\n> none\n"
     "+2000\n> none\n< S 0 0\n> SA 0 1\n< A 1 1\naccept"},

    /* --- RFC 5961 --- */
    {"of SYNs outside the window one in half a second is answered (RFC 5961, 7)",
     "estab\n< S 50001 0\n> A 1 1\n< S 50001 0\n> none\n+499\n< S 60001 0\n> none\n+1\n< S 50001 0\n> A 1 1"},
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
    {"so many a second, but not exactly (RFC 5961, 7; CVE-2016-5696)",
     "param challenge 10\nestab\nrepeat 40 < R 5 0\nsent 5 15\n+999\nrepeat 40 < S 5 0\n"
     "sent 0 0\n+1\nrepeat 40 < A 1 2\nsent 5 15\nstate ESTABLISHED"},
    {"TIME-WAIT's answers to bare segments are counted among them (RFC 5961, 7)",
     "param challenge 10\nestab\nshutdown w\n> FA 1 1\n< FA 1 2\n> A 2 2\nclose\n"
     "repeat 40 < A 9 2\nsent 5 15\nrepeat 40 < A 9 2\nsent 0 0"},
    {"RST in SYN-RECEIVED that isn't exact is challenged (RFC 5961, 3.2)",
     "listen\n< S 0 0\n> SA 0 1\n< R 50 0\n> A 1 1\n< A 1 1\naccept"},
    {"SYN in SYN-RECEIVED with another number is challenged (RFC 5961, 4.2)",
     "listen\n< S 0 0\n> SA 0 1\n< S 50 0\n> A 1 1\n< A 1 1\naccept"},
    {"an RST with data counts as one without (RFC 9293, 3.10.7.4, second)",
     "estab\n< RA 1 1 len=20\nerror ECONNRESET\nunread 0"},
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
    {"a cookie is for one caller",
     "param cookies 2\nlisten\n< S 0 0\n> SA 0 1\npeer-port 5001\n< A 1 1\n> R 1\naccept none\n"
     "peer-port 5000\n< A 1 1\naccept"},
    {"a forged ACK is refused, however often",
     "param cookies 2\nlisten\n< S 0 0\n> SA 0 1\nrepeat 50 < A 1 4711\nsent 50 50\naccept none\n"
     "< A 1 1\naccept\nstate ESTABLISHED"},
    {"an ACK with a cookie that comes twice is one connection",
     "param cookies 2\nlisten\n< S 0 0\n> SA 0 1\n< A 1 1\n< A 1 1\naccept\naccept none"},
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

    {"data under way is as good as a keepalive (RFC 9293, 3.8.4)",
     "opt keepidle 1\nopt keepalive 1\nparam rto_min 3000\nestab\nsend 10\n> A 1 1\n+2999\n"
     "> none\n+1\n> A 1 1 len=10\n< A 1 11\n+999\n> none"},
    {"it is sent in CLOSE-WAIT too (RFC 9293, 3.8.4)",
     "opt keepidle 10\nopt keepalive 1\nestab\n< FA 1 1\n> A 1 2\n+10000\n> A 0 2"},
    {"the peer's RST to a keepalive ends it (RFC 9293, 3.8.4)",
     "opt keepidle 10\nopt keepalive 1\nestab\n+10000\n> A 0 1\n< R 1 0\nerror ECONNRESET"},
    {"switched on late it counts from the last segment",
     "opt keepidle 10\nestab\n+8000\nopt keepalive 1\n+1999\n> none\n+1\n> A 0 1"},

    /* --- TCP_USER_TIMEOUT --- */
    {"a window that stays closed so long ends it, though the peer answers (Linux)",
     "estab win=0\nopt usertimeout 1000\nsend 9\n+200\n> A 1 1\n< A 1 1 win=0\n+400\n> A 1 1\n"
     "< A 1 1 win=0\n+800\nstate CLOSED\nerror ETIMEDOUT"},
    {"what goes when it opens has all of that time again (RFC 5482, 3)",
     "estab win=0\nopt usertimeout 1000\nsend 9\n+200\n> A 1 1\n< A 1 1 win=0\n+400\n> A 1 1\n"
     "< A 1 1 win=5000\n> A 1 1 len=9\n+200\n> A 1 1\n+400\n> A 1 1\nstate ESTABLISHED\n+800\n"
     "error ETIMEDOUT"},
    {"an ACK of something begins it anew (RFC 5482, 3)",
     "param rto_max 200\nestab\nopt usertimeout 500\nsend 2000\n> A 1 1\n> A 1001 1\n+199\n"
     "< A 1 1001\n+200\n> A 1001 1\n+200\n> A 1001 1\nstate ESTABLISHED\n+200\nerror ETIMEDOUT"},
    {"it limits the call as well (RFC 5482, 3)",
     "opt usertimeout 2000\nconnect\n> S 0\n+1000\n> S 0\n+2000\nerror ETIMEDOUT"},

    /* --- options of the socket --- */
    {"values out of range: EINVAL",
     "opt keepidle 0 = EINVAL\nopt keepidle 32768 = EINVAL\nopt keepintvl 0 = EINVAL\n"
     "opt keepcnt 128 = EINVAL\nopt syncnt 0 = EINVAL\nopt usertimeout -1 = EINVAL"},
    {"an option that isn't: ENOPROTOOPT", "opt nonsense 1 = ENOPROTOOPT"},
    {"TCP_INFO counts", "estab\nsend 1500\n> A 1 1\n> A 1001 1\ninfo unacked 2\n< A 1 1001 len=7\n"
                        "info acked 1001\ninfo received 7\ninfo unacked 1\n+40\n> A 1501 8"},
    {"TCP_INFO tells what was sent again",
     "estab\nsend 1500\n> A 1 1\n> A 1001 1\ninfo sent 1500\ninfo data_segs_out 2\n"
     "info segs_out 4\n+200\n> A 1 1\ninfo retransmits 1\ninfo retrans 1\ninfo resent 1000\n"
     "info lost 1\ninfo backoff 1\ninfo rto 400\n< A 1 1501\ninfo retransmits 0\ninfo lost 0\n"
     "info sent 2500\ninfo segs_in 2"},
    {"TCP_INFO tells what has come",
     "estab\n< A 1 1 len=10\n< A 21 1 len=10\n> A 1 11\ninfo early 1\ninfo data_segs_in 2\n"
     "info received 10\ninfo rcv_mss 536\n+30\ninfo last_data 30\ninfo last_ack 30"},
    {"TCP_INFO tells times and what the sides take",
     "param ts 1\nparam ws 1\nconnect\n> S 0\n+80\n< SA 0 1 mss=900 ws=3 ts=100,0\n> A 1 1\n"
     "info state 1\ninfo snd_scale 3\ninfo rcv_scale 0\ninfo mss 888\ninfo advmss 988\n"
     "info pmtu 1040\ninfo ato 40\ninfo min_rtt 80\nsend 10\n> A 1 1\n+40\n< A 1 11 ts=101,0\n"
     "info min_rtt 40\n+25\ninfo last_sent 65\ninfo last_ack 25"},
    {"TCP_INFO tells of a closed window",
     "estab win=0\nsend 100\ninfo notsent 100\n+200\n> A 1 1 len=1\ninfo probes 1\n"
     "info snd_wnd 0\ninfo backoff 1\n< A 1 1 win=0\ninfo probes 0"},
    {"TCP_INFO counts what the peer has, our SYN with it",
     "param sack 1\nestab\ninfo delivered 1\nsend 3500\ndrain\ninfo delivered 1\n"
     "< A 1 1001\ninfo delivered 2\n< A 1 1001 sack=2001-3001\ninfo delivered 3\n+250\ndrain\n"
     "< A 1 3501\ninfo delivered 5\nsend 10\n> A 3501 1\n< A 1 3511\ninfo delivered 6"},
    {"a probe that was not taken is not delivered, one that was is",
     "estab win=0\nsend 100\n+200\n> A 1 1 len=1\n< A 1 1 win=0\n+400\n> A 1 1 len=1\n"
     "info delivered 1\n< A 1 2 win=1000\n> A 2 1 len=99\ninfo delivered 2\n< A 1 101\n"
     "info delivered 3\ninfo busy 600\ninfo rwnd_limited 600"},
    {"TCP_INFO tells how long data was on its way",
     "estab\n+500\ninfo busy 0\nsend 1000\n> A 1 1\n+30\ninfo busy 30\n< A 1 1001\n+500\n"
     "info busy 30\nsend 1000\n> A 1001 1\n+20\n< A 1 2001\ninfo busy 50\ninfo rwnd_limited 0\n"
     "info sndbuf_limited 0"},
    {"and how long the peer's window kept it back",
     "estab win=1500\nsend 3000\n> A 1 1 len=1000\n+30\ninfo rwnd_limited 30\n"
     "< A 1 1001 win=0\n+50\ninfo rwnd_limited 80\n< A 1 1001 win=5000\n> A 1001 1 len=1000\n"
     "> A 2001 1 len=1000\n+40\n< A 1 3001\ninfo rwnd_limited 80\ninfo busy 120"},
    {"and how long the send buffer did",
     "opt sndbuf 2000\nestab\nsend 2000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n+10\nroom 0\n"
     "< A 1 501\n+30\n< A 1 2001\ninfo sndbuf_limited 30\ninfo busy 40"},
    {"the rate of delivery is what was acknowledged in a round trip",
     "estab\nsend 2000\n> A 1 1\n> A 1001 1\n+100\n< A 1 1001\ninfo rate 10000\n"
     "info rate_limited 1\n< A 1 2001\nsend 10\n> A 2001 1\n+100\n< A 1 2011\ninfo rate 10000"},
    {"a rate of who has more to send replaces a faster one",
     "estab win=2000\nsend 2000\n> A 1 1\n> A 1001 1\n+100\n< A 1 2001 win=1000\ninfo rate 20000\n"
     "send 5000\n> A 2001 1 len=1000\n+100\n< A 1 3001 win=0\ninfo rate 10000\ninfo rate_limited 0"},
    {"a call anew after a disconnect counts from nothing",
     "estab\nsend 10\n> A 1 1\n+10\n< A 1 11\ninfo busy 10\ndisconnect\n> RA 11 1\ninfo busy 0\n"
     "info sent 0\ninfo segs_out 0\ninfo data_segs_out 0\ninfo delivered 0\ninfo rate 0"},
};
RUN_CASES(cases)

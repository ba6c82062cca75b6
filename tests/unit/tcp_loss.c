/*
 * Lost segments and crowded networks: retransmission, round trips, SACK, congestion windows. See tcp_script.h.
 */
#include "tcp_script_run.h"

/* Ten segments in flight: 1, 1001, ... 9001. */
#define TEN                                                                                \
    "> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n> A 3001 1 len=1000\n"    \
    "> A 4001 1 len=1000\n> A 5001 1 len=1000\n> A 6001 1 len=1000\n> A 7001 1 len=1000\n" \
    "> A 8001 1 len=1000\n> A 9001 1 len=1000\n"
#define FLIGHT "estab\nsend 30000\n" TEN
#define SACK_FLIGHT "param sack 1\nestab\nsend 30000\n" TEN

/* A router has told, a moment ago, that the path takes 1040 where the first hop takes 1540. */
#define NARROWED                                                                            \
    "param mtu 1540\nconnect\n> S 0\n< SA 0 1 mss=1500\n> A 1 1\nsend 10\n> A 1 1 len=10\n" \
    "icmp mtu 1 1040\n> A 1 1 len=10\n< A 1 11\ninfo mss 1000\n"

static const struct case_ cases[] = {
    /* --- RFC 6298: the timer --- */
    {"data is sent again after the timeout (RFC 6298, 5.4)",
     "estab\nsend 100\n> A 1 1 len=100\n+199\n> none\n+1\n> A 1 1 len=100\ninfo retrans 1"},
    {"each timeout doubles the next (RFC 6298, 5.5)",
     "estab\nsend 100\n> A 1 1\n+200\n> A 1 1\n+399\n> none\n+1\n> A 1 1\n+800\n> A 1 1\n"
     "+1600\n> A 1 1"},
    {"but not beyond rto_max (RFC 6298, 5.5)",
     "param rto_max 300\nestab\nsend 1\n> A 1 1\n+200\n> A 1 1\n+300\n> A 1 1\n+300\n"
     "> A 1 1"},
    {"an ACK of new data restarts the timer (RFC 6298, 5.3)",
     "estab\nsend 2000\n> A 1 1\n> A 1001 1\n+150\n< A 1 1001\n+199\n> none\n+1\n"
     "> A 1001 1 len=1000"},
    {"when all is acknowledged no timer runs (RFC 6298, 5.2)",
     "estab\nsend 100\n> A 1 1\n< A 1 101\n+10000\n> none"},
    {"the minimum may be a second, as the RFC has it (RFC 6298, 2.4)",
     "param rto_min 1000\nestab\nsend 100\n> A 1 1\n+999\n> none\n+1\n> A 1 1"},
    {"the first sample makes SRTT and RTTVAR (RFC 6298, 2.2)",
     "connect\n> S 0\n+80\n< SA 0 1\n> A 1 1\ninfo rtt 80\ninfo rttvar 40\ninfo rto 240"},
    {"later samples move them by an eighth and a quarter (RFC 6298, 2.3)",
     "connect\n> S 0\n+80\n< SA 0 1 mss=1000\n> A 1 1\nsend 10\n> A 1 1\n+160\n< A 1 11\n"
     "info rtt 90\ninfo rttvar 50\ninfo rto 290"},
    {"what was sent twice is no sample (Karn; RFC 6298, 3)",
     "connect\n> S 0\n+80\n< SA 0 1 mss=1000\n> A 1 1\nsend 10\n> A 1 1\n+240\n> A 1 1\n"
     "+5\n< A 1 11\ninfo rtt 80"},
    {"unless a timestamp tells which of the two was meant (RFC 7323, 4.1)",
     "param ts 1\nconnect\n> S 0\n+80\n< SA 0 1 mss=1000 ts=100,0\n> A 1 1\nsend 10\n"
     "> A 1 1 ts=80,100\n+240\n> A 1 1 ts=320,100\n+160\n< A 1 11 ts=200,320\ninfo rtt 90"},
    {"a SYN sent twice is no sample, and the timeout is 3 s (RFC 6298, 5.7)",
     "connect\n> S 0\n+1000\n> S 0\n+10\n< SA 0 1 mss=1000\n> A 1 1\ninfo rtt 0\n"
     "info rto 3000"},
    {"after two lost SYNs the window is one segment (RFC 6928, 2)",
     "connect\n> S 0\n+1000\n> S 0\n+2000\n> S 0\n< SA 0 1 mss=1000\n> A 1 1\n"
     "info cwnd 1000"},
    {"too many timeouts end the connection (RFC 9293, 3.8.3)",
     "param retries 2\nestab\nsend 1\n> A 1 1\n+200\n> A 1 1\n+400\n> A 1 1\n+800\n"
     "state CLOSED\nerror ETIMEDOUT"},
    {"TCP_USER_TIMEOUT ends it sooner (RFC 5482)",
     "estab\nopt usertimeout 500\nsend 1\n> A 1 1\n+200\n> A 1 1\n+400\nstate CLOSED\n"
     "error ETIMEDOUT"},
    {"what ICMP said is told in place of ETIMEDOUT (RFC 5461, 3)",
     "param retries 1\nestab\nsend 1\n> A 1 1\nicmp soft 1 EHOSTUNREACH\n"
     "state ESTABLISHED\n+200\n> A 1 1\n+400\nerror EHOSTUNREACH"},

    /* --- RFC 5681: slow start and congestion avoidance --- */
    {"the initial window is ten segments (RFC 6928, 2)", FLIGHT "> none"},
    {"but with large segments 14600 bytes (RFC 6928, 2)",
     "param mtu 4040\nconnect\n> S 0\n< SA 0 1 mss=4000\n> A 1 1\ninfo cwnd 14600"},
    {"slow start: each acknowledged segment lets two go (RFC 5681, 3.1)",
     FLIGHT "< A 1 2001\n> A 10001 1\n> A 11001 1\n> A 12001 1\n> A 13001 1\ninfo cwnd 12000"},
    {"congestion avoidance: one segment a round trip (RFC 5681, 3.1)",
     FLIGHT "+200\n> A 1 1\ninfo ssthresh 5000\ninfo cwnd 1000\n< A 1 10001\n> A 10001 1\n"
            "> A 11001 1\n> A 12001 1\n> A 13001 1\n> A 14001 1\ninfo cwnd 5000\n< A 1 12001\n"
            "> A 15001 1\n> A 16001 1\ninfo cwnd 5000\n< A 1 15001\n> A 17001 1\n> A 18001 1\n"
            "> A 19001 1\n> A 20001 1\ninfo cwnd 6000"},
    {"cwnd that wasn't used doesn't grow (RFC 5681, 3.1; RFC 7661)",
     "estab\nsend 100\n> A 1 1\n< A 1 101\ninfo cwnd 10000"},
    {"a timeout: ssthresh is half of what was in flight, cwnd one segment (RFC 5681, 3.1)",
     FLIGHT "+200\n> A 1 1 len=1000\ninfo cwnd 1000\ninfo ssthresh 5000\ninfo ca 4"},
    {"a second timeout of the same data leaves ssthresh (RFC 5681, 3.1)",
     FLIGHT "+200\n> A 1 1\n+400\n> A 1 1\ninfo ssthresh 5000"},
    {"ssthresh is never below two segments (RFC 5681, 3.1, equation 4)",
     "estab\nsend 100\n> A 1 1\n+200\n> A 1 1\ninfo ssthresh 2000"},
    {"after a timeout all is sent again, in slow start (RFC 5681, 3.1)",
     FLIGHT "+200\n> A 1 1\n< A 1 1001\n> A 1001 1\n> A 2001 1\n< A 1 3001\n> A 3001 1\n"
            "> A 4001 1\n> A 5001 1\n> A 6001 1"},
    {"an ACK of everything after a timeout ends the recovery",
     FLIGHT "+200\n> A 1 1\n< A 1 10001\ndrain\ninfo ca 0"},
    {"after a pause cwnd is the initial window again (RFC 5681, 4.1)",
     FLIGHT "< A 1 10001\ndrain\n< A 1 30001\ninfo cwnd 40000\n+5000\nsend 100\n> A 30001 1\n"
            "info cwnd 10000"},

    /* --- RFC 5681, 6582: fast retransmit and NewReno, without SACK --- */
    {"three duplicate ACKs: fast retransmit (RFC 5681, 3.2)",
     FLIGHT "< A 1 1\n> A 10001 1\n< A 1 1\n> A 11001 1\n< A 1 1\n> A 1 1 len=1000\ninfo ca 3"},
    {"the first two let one new segment go each (RFC 3042, 2)",
     FLIGHT "< A 1 1\n> A 10001 1 len=1000\n< A 1 1\n> A 11001 1 len=1000"},
    {"ssthresh is half of the flight (RFC 5681, 3.2, step 2)",
     FLIGHT "< A 1 1\ndrain\n< A 1 1\ndrain\n< A 1 1\n> A 1 1\ninfo ssthresh 6000\ninfo cwnd 6000"},
    {"each further duplicate says that a segment has left (RFC 5681, 3.2, step 4)",
     FLIGHT "< A 1 1\ndrain\n< A 1 1\ndrain\n< A 1 1\n> A 1 1\n< A 1 1\n< A 1 1\n< A 1 1\n"
            "> none\n< A 1 1\n> A 12001 1\n< A 1 1\n> A 13001 1"},
    {"an ACK of all ends the recovery at ssthresh at most (RFC 6582, 3.2, step 3)",
     FLIGHT "< A 1 1\ndrain\n< A 1 1\ndrain\n< A 1 1\n> A 1 1\n< A 1 12001\ndrain\ninfo ca 0\n"
            "info cwnd 2000"},
    {"a partial ACK shows the next hole, which is filled at once (RFC 6582, 3.2, step 3)",
     FLIGHT "< A 1 1\ndrain\n< A 1 1\ndrain\n< A 1 1\n> A 1 1\n< A 1 4001\n> A 4001 1 len=1000\n"
            "info ca 3"},
    {"duplicates of what recovery sent again start no new one (RFC 6582, 3.2, step 1)",
     FLIGHT "+200\n> A 1 1\n< A 1 10001\ndrain\n< A 1 10001\ndrain\n< A 1 10001\ndrain\n"
            "< A 1 10001\n> none\n< A 1 10001\n> none\ninfo ca 1"},
    {"an ACK with data is no duplicate (RFC 5681, 2)",
     FLIGHT "< A 1 1 len=10\n< A 11 1 len=10\n< A 21 1 len=10\n< A 31 1 len=10\ninfo ca 0\n+40\n"
            "> A 10001 41"},
    {"an ACK that changes the window is no duplicate (RFC 5681, 2)",
     FLIGHT "< A 1 1 win=60001\n< A 1 1 win=60002\n< A 1 1 win=60003\n< A 1 1 win=60004\n"
            "info ca 0"},
    {"with little in flight and nothing to send fewer duplicates do (RFC 5827, 3.1)",
     "estab\nsend 3000\n> A 1 1\n> A 1001 1\n> A 2001 1\n< A 1 1\n> none\n< A 1 1\n"
     "> A 1 1 len=1000"},

    /* --- RFC 2018, 6675: SACK --- */
    {"three segments sacked above a hole: it is lost (RFC 6675, 5, step 4)",
     SACK_FLIGHT "< A 1 1 sack=1001-2001\n> A 10001 1\n< A 1 1 sack=1001-3001\n> A 11001 1\n"
                 "< A 1 1 sack=1001-4001\n> A 1 1 len=1000\ninfo ca 3\ninfo sacked 3"},
    {"all at once does it too (RFC 6675, IsLost)",
     SACK_FLIGHT "< A 1 1 sack=1001-4001\n> A 1 1 len=1000\ninfo ca 3"},
    {"cwnd is half, and pipe counts what is sacked or lost as gone (RFC 6675, 4)",
     SACK_FLIGHT "< A 1 1 sack=1001-5001\n> A 1 1\ninfo cwnd 5000\ninfo pipe 6000\n"
                 "< A 1 1 sack=1001-7001\n> A 10001 1\ninfo pipe 5000"},
    {"two holes are filled in order (RFC 6675, NextSeg, rule 1)",
     SACK_FLIGHT "< A 1 1 sack=1001-2001,3001-9001\n> A 1 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 10001 1\n> A 11001 1"},
    {"then new data (RFC 6675, NextSeg, rule 2)",
     SACK_FLIGHT "< A 1 1 sack=1001-9001\n> A 1 1\n> A 10001 1\n> A 11001 1\n> A 12001 1"},
    {"without new data what may be lost (RFC 6675, NextSeg, rule 3)",
     "param sack 1\nestab\nsend 10000\n" TEN
     "< A 1 1 sack=1001-5001,6001-8001\n> A 1 1\n> A 5001 1 len=1000\ninfo pipe 4000"},
    {"and at last the tail (RFC 6675, NextSeg, rule 4)",
     "param sack 1\nestab\nsend 10000\n" TEN
     "< A 1 1 sack=1001-9001\n> A 1 1\n> A 9001 1 len=1000"},
    {"which isn't what has just been sent again",
     "param sack 1\nestab\nsend 10000\n" TEN "< A 1 1 sack=1001-10001\n> A 1 1 len=1000\n> none"},
    {"a hole isn't filled twice (RFC 6675, HighRxt)",
     SACK_FLIGHT "< A 1 1 sack=1001-4001\n> A 1 1\n< A 1 1 sack=1001-5001\n< A 1 1 sack=1001-6001\n"
                 "> none"},
    {"a partial ACK goes on without a timeout (RFC 6675, 5, step B)",
     SACK_FLIGHT "< A 1 1 sack=1001-2001,4001-8001\n> A 1 1\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=1000\n< A 1 2001 sack=4001-8001\n> A 10001 1\ninfo ca 3"},
    {"recovery ends when all that was in flight then is acknowledged (RFC 6675, 5, step A)",
     SACK_FLIGHT
     "< A 1 1 sack=1001-4001\n> A 1 1\n< A 1 10001\ndrain\ninfo ca 0\ninfo ssthresh 5000"},
    {"a block above SND.NXT is a lie (RFC 2018, 5)",
     SACK_FLIGHT "< A 1 1 sack=50001-60001\ninfo sacked 0"},
    {"a block below SND.UNA is old, or a duplicate's (RFC 2883, 4)",
     SACK_FLIGHT "< A 1 3001\ndrain\n< A 1 3001 sack=1-1001\ninfo sacked 0\ninfo dsacks 1"},
    {"an empty or reversed block is ignored",
     SACK_FLIGHT "< A 1 1 sack=4001-4001\n< A 1 1 sack=5001-4001\ninfo sacked 0"},
    {"after a timeout sacked data isn't sent again (RFC 6675, 5.1)",
     SACK_FLIGHT "< A 1 1 sack=1001-2001\n> A 10001 1\n+200\n> A 1 1\n< A 1 2001\n> A 2001 1\n"
                 "> A 3001 1\n> A 4001 1"},
    {"unless the receiver has thrown it away (RFC 2018, 8)",
     SACK_FLIGHT "< A 1 1 sack=1001-2001\n> A 10001 1\n< A 1 1001\n> A 11001 1\n> A 12001 1\n+200\n"
                 "> A 1001 1\n< A 1 2001\n> A 2001 1\n> A 3001 1"},
    {"blocks join (RFC 2018, 4)", SACK_FLIGHT
     "< A 1 1 sack=1001-2001\n> A 10001 1\n< A 1 1 sack=3001-4001,1001-2001\n> A 11001 1\n"
     "info sacked 2\n< A 1 1 sack=1001-4001\n> A 1 1\ninfo sacked 3"},
    {"without SACK-permitted blocks are ignored (RFC 2018, 2)",
     FLIGHT "< A 1 1 sack=1001-9001\n> A 10001 1\ninfo sacked 0"},

    /* --- RFC 8985, 7: the tail --- */
    {"the tail is probed after two round trips (RFC 8985, 7.2)",
     "param sack 1\nconnect\n> S 0\n+50\n< SA 0 1 mss=1000 sackok\n> A 1 1\nsend 3000\n"
     "> A 1 1\n> A 1001 1\n> A 2001 1\n+101\n> none\n+1\n> A 2001 1 len=1000\ninfo ca 0"},
    {"what the probe overtook is lost (RFC 8985, 7.4)",
     "param sack 1\nconnect\n> S 0\n+50\n< SA 0 1 mss=1000 sackok\n> A 1 1\nsend 3000\n"
     "> A 1 1\n> A 1001 1\n> A 2001 1\n+102\n> A 2001 1\n+50\n< A 1 1 sack=2001-3001\n"
     "> A 1 1\n> A 1001 1\ninfo ca 3"},
    {"a lost tail costs a congestion response (RFC 8985, 7.4.2)",
     "param sack 1\nconnect\n> S 0\n+50\n< SA 0 1 mss=1000 sackok\n> A 1 1\nsend 4000\n"
     "drain\n+50\n< A 1 3001\n+102\ndrain\n+98\ndrain\n< A 1 4001\ninfo ssthresh 2000"},
    {"unless DSACK shows that nothing was lost (RFC 8985, 7.4.2)",
     "param sack 1\nconnect\n> S 0\n+50\n< SA 0 1 mss=1000 sackok\n> A 1 1\nsend 3000\n"
     "drain\n+102\n> A 2001 1\n+50\n< A 1 3001 sack=2001-3001\ninfo cwnd 10000\ninfo ca 0"},

    /* --- RFC 9438: CUBIC --- */
    {"CUBIC: a loss leaves seven tenths (RFC 9438, 4.6)",
     "param cubic 1\n" SACK_FLIGHT
     "< A 1 1 sack=1001-4001\n> A 1 1\ninfo ssthresh 7000\ninfo cwnd 7000"},
    {"TCP_CONGESTION chooses",
     "opt congestion reno\nopt congestion cubic\nopt congestion bbr = ENOENT"},

    /* --- path MTU: RFC 1191, RFC 5927 --- */
    {"fragmentation needed: smaller segments, at once (RFC 1191, 6.2)",
     "param mtu 1540\nconnect\n> S 0\n< SA 0 1 mss=1500\n> A 1 1\nsend 3000\n"
     "> A 1 1 len=1500\n> A 1501 1 len=1500\nicmp mtu 1 1040\n> A 1 1 len=1000\n"
     "> A 1001 1 len=1000\n> A 2001 1 len=1000\ninfo mss 1000"},
    {"and the congestion window stays (RFC 1191, 6.5)",
     "param mtu 1540\nconnect\n> S 0\n< SA 0 1 mss=1500\n> A 1 1\nsend 3000\ndrain\n"
     "icmp mtu 1 1040\ndrain\ninfo ssthresh 14600"},
    {"a number that isn't in flight makes it a forgery (RFC 5927, 4.1)",
     "estab\nsend 10\n> A 1 1\nicmp mtu 50 600\ninfo mss 1000\nicmp mtu 0 600\n"
     "info mss 1000"},
    {"nor is one believed about what was acknowledged (RFC 5927, 4.1)",
     "estab\nsend 10\n> A 1 1\n< A 1 11\nicmp mtu 1 600\ninfo pmtu 1040\nicmp mtu 11 600\n"
     "info pmtu 1040"},
    {"nor that a call failed, about another's number (RFC 5927, 4.1)",
     "connect\n> S 0\nicmp hard 1 ECONNREFUSED\nicmp hard -1 ECONNREFUSED\nstate SYN-SENT"},
    {"a larger MTU than the path's changes nothing (RFC 1191, 3)",
     "estab\nsend 10\n> A 1 1\nicmp mtu 1 1500\ninfo pmtu 1040\n> none"},
    {"while data is being sent again the rest goes in smaller segments too (RFC 1191, 6.2)",
     "param mtu 1540\nparam sack 1\nconnect\n> S 0\n< SA 0 1 mss=1500 sackok\n> A 1 1\nsend 6000\n"
     "drain\n< A 1 1 sack=1501-6001\n> A 1 1 len=1500\nicmp mtu 1 1040\ninfo mss 1000\n+200\n"
     "> A 1 1 len=1000\n< A 1 1001 sack=1501-6001\n> A 1001 1 len=500"},
    {"an MTU below 552 isn't believed (Linux)",
     "estab\nsend 10\n> A 1 1\nicmp mtu 1 68\n> A 1 1\ninfo pmtu 552"},
    {"a router that tells no MTU: the next plateau (RFC 1191, 7)",
     "param mtu 1500\nconnect\n> S 0\n< SA 0 1 mss=1460\n> A 1 1\nsend 10\n> A 1 1\n"
     "icmp mtu 1 0\n> A 1 1\ninfo pmtu 1492"},
    {"after ten minutes what the first hop takes is tried (RFC 1191, 6.3)", NARROWED
     "+599900\ninfo pmtu 1040\n+100\ninfo pmtu 1540\ninfo mss 1500\n"
     "send 3000\n> A 11 1 len=1500\n< A 1 1511\n> A 1511 1 len=1500\n< A 1 3011\n+1200000\ninfo pmtu 1540"},
    {"a router that still takes less says so, for another ten (RFC 1191, 6.3)", NARROWED
     "+600000\nsend 1500\n> A 11 1 len=1500\nicmp mtu 11 1340\n> A 11 1 len=1300\n"
     "< A 1 1311\n> A 1311 1 len=200\n< A 1 1511\n+599900\ninfo pmtu 1340\n+100\ninfo pmtu 1540"},
    {"an interface that takes less now is asked when something is lost",
     "estab\nsend 1000\n> A 1 1 len=1000\nparam mtu 640\n+200\n> A 1 1 len=600\n< A 1 601\n> A 601 1 len=400"},
    {"however little that is", "estab\nsend 1000\n> A 1 1 len=1000\nparam mtu 340\n+200\n> A 1 1 len=300"},
    {"one that says nothing any more is found by what it swallows (RFC 8899, 4.3)",
     NARROWED "+600000\nsend 1500\n> A 11 1 len=1500\n+200\n> A 11 1 len=1500\n+400\n"
              "> A 11 1 len=1000\n< A 1 1011\n> A 1011 1 len=500\n< A 1 1511\ninfo pmtu 1040\n"
              "+599900\ninfo pmtu 1040\n+100\ninfo pmtu 1540"},
    {"an outage after it was never narrowed says nothing of sizes (RFC 8899, 4.3)",
     "estab\nsend 1000\n> A 1 1 len=1000\n+200\n> A 1 1 len=1000\n+400\n> A 1 1 len=1000\n"
     "info pmtu 1040"},
    {"what the peer takes stays the limit (RFC 9293, 3.7.1)",
     "param mtu 1540\nestab\nsend 10\n> A 1 1\nicmp mtu 1 700\n> A 1 1\n< A 1 11\ninfo mss 660\n"
     "+600000\ninfo pmtu 1540\ninfo mss 1000"},
    {"a hard error ends a call (RFC 5461, 4)",
     "connect\n> S 0\nicmp hard 0 ECONNREFUSED\nerror ECONNREFUSED"},
    {"a soft one does not (RFC 1122, 4.2.3.9)",
     "connect\n> S 0\nicmp soft 0 EHOSTUNREACH\nstate SYN-SENT"},
    {"no ICMP ends a connection that stands (RFC 5927, 5.2)",
     "estab\nsend 10\n> A 1 1\nicmp hard 1 ECONNREFUSED\nstate ESTABLISHED"},
    {"who asks for it hears of it at once, and it goes on (RFC 9293, 3.9.2.2)",
     "estab\nopt recverr 1\nsend 10\n> A 1 1\nicmp soft 1 EHOSTUNREACH\nerror EHOSTUNREACH\n"
     "state ESTABLISHED\n< A 1 11\nsend 10\n> A 11 1\nicmp hard 1 ECONNREFUSED\nerror 0\n"
     "icmp hard 11 ECONNREFUSED\nerror ECONNREFUSED\nopt recverr 0\n"
     "icmp hard 11 ECONNREFUSED\nerror 0"},
    {"and then it isn't remembered for the timeout (Linux)",
     "param retries 1\nestab\nopt recverr 1\nsend 1\n> A 1 1\nicmp soft 1 EHOSTUNREACH\n"
     "error EHOSTUNREACH\n+200\n> A 1 1\n+400\n"
     "error ETIMEDOUT"},
    {"a call of such a one ends with a soft error too (Linux)",
     "opt recverr 1\nconnect\n> S 0\nicmp soft 0 EHOSTUNREACH\nerror EHOSTUNREACH"},

    /* --- segmentation offload --- */
    {"a device that cuts gets whole multiples of a segment",
     "param tso 65535\nestab\nsend 9500\n> A 1 1 len=9000 tso=1000\n"
     "> A 9001 1 len=500 tso=0"},
    {"what is sent again is single segments",
     "param tso 65535\nestab\nsend 5000\n> A 1 1 len=5000 tso=1000\n+200\n"
     "> A 1 1 len=1000 tso=0"},
};
RUN_CASES(cases)

/*
 * The state machine of TCP: connections begin and end (RFC 9293, sections 3.5, 3.6 and 3.10). See tcp_script.h.
 */
#include "tcp_script_run.h"

/* Lines that many cases begin with. */
#define FIN_WAIT_1 "estab\nshutdown w\n> FA 1 1 len=0\nstate FIN-WAIT-1\n"
#define FIN_WAIT_2 FIN_WAIT_1 "< A 1 2\nstate FIN-WAIT-2\n"
#define CLOSE_WAIT "estab\n< FA 1 1\n> A 1 2\nstate CLOSE-WAIT\nevent eof\n"
#define TIME_WAIT FIN_WAIT_2 "< FA 1 2\n> A 2 2\nclose\ngone\ntime-waits 1\n"

static const struct case_ cases[] = {
    /* --- opening --- */
    {"an active open: SYN, SYN-ACK, ACK (RFC 9293, 3.5, figure 6)",
     "connect\n> S 0 0 len=0 mss=1000\nstate SYN-SENT\n< SA 0 1 mss=1000\n> A 1 1 len=0\n"
     "state ESTABLISHED\nevent connected"},
    {"a passive open (RFC 9293, 3.10.7.2)",
     "listen\n< S 0 0 mss=1000\n> SA 0 1 mss=1000\naccept none\n< A 1 1\nevent accept\n"
     "accept\nstate ESTABLISHED"},
    {"both call: SYN-RECEIVED by SYN in SYN-SENT (RFC 9293, 3.5, figure 7)",
     "connect\n> S 0\n< S 0 0 mss=1000\n> SA 0 1\nstate SYN-RECEIVED\n< SA 0 1 mss=1000\n"
     "state ESTABLISHED\nevent connected"},
    {"both call, and the ACK comes alone (RFC 9293, 3.5)",
     "connect\n> S 0\n< S 0 0 mss=1000\n> SA 0 1\n< A 1 1\nstate ESTABLISHED"},
    {"both call, and agree on options (RFC 7323, 1.3; RFC 2018, 2)",
     "param ts 1\nparam ws 1\nparam sack 1\nconnect\n> S 0 0 sackok ts=0,0 ws=0\n"
     "< S 0 0 mss=1000 sackok ws=2 ts=100,0\n> SA 0 1 sackok ts=0,100 ws=0\n"
     "< SA 0 1 mss=1000 sackok ws=2 ts=101,0 win=500\nstate ESTABLISHED\ninfo options 7\n"
     "info snd_scale 2"},
    {"both call, and SYN-ACK is repeated until answered (RFC 9293, 3.5)",
     "connect\n> S 0\n< S 0 0\n> SA 0 1\n+1000\n> SA 0 1\n< S 0 0\n> SA 0 1\n+2000\n> SA 0 1\n"
     "< A 1 1\nstate ESTABLISHED"},
    {"both call, and RST ends it (RFC 9293, 3.10.7.4, second)",
     "connect\n> S 0\n< S 0 0\n> SA 0 1\n< R 1 0\nstate CLOSED\nerror ECONNRESET"},
    {"both call, and data comes with the ACK (RFC 9293, 3.10.7.4)",
     "connect\n> S 0\n< S 0 0 mss=1000\n> SA 0 1\n< A 1 1 len=20\n> A 1 21\nstate ESTABLISHED\n"
     "read 20"},
    {"a call to oneself, as its segments come back (RFC 9293, 3.5, figure 7)",
     "bind 5000\nconnect self\nloop\nloop\nstate ESTABLISHED"},
    {"SYN is sent again after 1, 3, 7 seconds (RFC 6298, 2.1, 5.5)",
     "connect\n> S 0\n+999\n> none\n+1\n> S 0\n+1999\n> none\n+1\n> S 0\n+4000\n> S 0"},
    {"a call nobody answers ends with ETIMEDOUT (RFC 9293, 3.8.3)",
     "param syn_retries 2\nconnect\n> S 0\n+1000\n> S 0\n+2000\n> S 0\n+4000\n"
     "state CLOSED\nerror ETIMEDOUT\nevent error"},
    {"TCP_SYNCNT limits how often SYN is repeated",
     "opt syncnt 1\nconnect\n> S 0\n+1000\n> S 0\n+2000\nerror ETIMEDOUT"},
    {"SYN-ACK is sent again, then the embryo dies quietly (RFC 9293, 3.8.3)",
     "param synack_retries 1\nlisten\n< S 0 0\n> SA 0 1\n+1000\n> SA 0 1\n+2000\n< A 1 1\n"
     "> R 1\naccept none"},
    {"a repeated SYN makes SYN-ACK repeat (RFC 9293, 3.10.7.4)",
     "listen\n< S 0 0\n> SA 0 1\n< S 0 0\n> SA 0 1\n< A 1 1\naccept"},
    {"the last ACK may carry data (RFC 9293, 3.10.7.4)",
     "listen\n< S 0 0\n> SA 0 1\n< A 1 1 len=100\n> A 1 101\naccept\nunread 100\nread 100"},
    {"the last ACK may carry FIN (RFC 9293, 3.10.7.4)",
     "listen\n< S 0 0\n> SA 0 1\n< FA 1 1\n> A 1 2\naccept\nstate CLOSE-WAIT"},
    {"SYN-ACK may carry data (RFC 9293, 3.10.7.3)",
     "connect\n> S 0\n< SA 0 1 mss=1000 len=50\n> A 1 51\nread 0\nunread 50"},
    {"an RST with a good ACK refuses a call (RFC 9293, 3.10.7.3)",
     "connect\n> S 0\n< RA 0 1\nstate CLOSED\nerror ECONNREFUSED"},
    {"an RST without ACK doesn't refuse a call (RFC 9293, 3.10.7.3)",
     "connect\n> S 0\n< R 0 0\nstate SYN-SENT"},
    {"an RST with a wrong ACK doesn't refuse a call (RFC 9293, 3.10.7.3)",
     "connect\n> S 0\n< RA 0 2\nstate SYN-SENT\n< RA 0 0\nstate SYN-SENT"},
    {"a wrong ACK in SYN-SENT is answered by RST (RFC 9293, 3.5.2, figure 8)",
     "connect\n> S 0\n< A 300 100\n> R 100\nstate SYN-SENT\n< SA 0 100\n> R 100\n"
     "< SA 0 1 mss=1000\n> A 1 1\nstate ESTABLISHED"},
    {"an ACK without SYN does nothing in SYN-SENT (RFC 9293, 3.10.7.3, fifth)",
     "connect\n> S 0\n< A 0 1\nstate SYN-SENT"},
    {"a wrong ACK in SYN-RECEIVED is answered by RST (RFC 9293, 3.10.7.4)",
     "listen\n< S 0 0\n> SA 0 1\n< A 1 2\n> R 2\n< A 1 1\naccept"},
    {"an RST ends an embryo, and the listener listens on (RFC 9293, 3.10.7.4)",
     "listen\n< S 0 0\n> SA 0 1\n< R 1 0\n< A 1 1\n> R 1\n< S 0 0\n> SA 0 1\n< A 1 1\n"
     "accept"},
    {"a listener refuses an ACK (RFC 9293, 3.10.7.2)", "listen\n< A 7 9\n> R 9 len=0"},
    {"a listener ignores RST (RFC 9293, 3.10.7.2)", "listen\n< R 7 9\n< RA 7 9"},
    {"a listener ignores what has neither SYN, ACK nor RST (RFC 9293, 3.10.7.2)",
     "listen\n< F 7 0\n< . 7 0 len=3"},
    {"a listener ignores SYN with FIN (Linux)", "listen\n< SF 0 0"},
    {"SYN-ACK to a listener is refused (RFC 9293, 3.10.7.2)", "listen\n< SA 0 5\n> R 5"},
    {"two calls from two ports at once",
     "listen\n< S 0 0\n> SA 0 1\npeer-port 5001\n< S 0 0\n> SA 0 1\n< A 1 1\naccept\n"
     "accept none"},
    {"an embryo has no room when the backlog is full and cookies are off",
     "listen 1\n< S 0 0\n> SA 0 1\npeer-port 5001\n< S 0 0\n> none"},
    {"the accept queue holds backlog + 1; then the ACK is as if lost (Linux)",
     "listen 0\n< S 0 0\n> SA 0 1\n< A 1 1\npeer-port 5001\n< S 0 0\n> none\naccept\n"
     "< S 0 0\n> SA 0 1\n< A 1 1\naccept"},
    {"closing a listener resets those who wait (RFC 9293, 3.10.4)",
     "listen\n< S 0 0\n> SA 0 1\n< A 1 1\nclose listener\n> RA 1 1\n< A 1 1\n> R 1"},
    {"closing a listener resets embryos, and who answers later is refused",
     "listen\n< S 0 0\n> SA 0 1\nclose listener\n> RA 1 1\n< A 1 1\n> R 1"},
    {"so is one whose ACK found the queue full: he would send nothing more",
     "listen 2\n< S 0 0\n> SA 0 1\n< A 1 1\npeer-port 5001\n< S 0 0\n> SA 0 1\n< A 1 1\n"
     "peer-port 5002\n< S 0 0\n> SA 0 1\npeer-port 5003\n< S 0 0\n> SA 0 1\n< A 1 1\n"
     "peer-port 5002\n< S 0 0\n> SA 0 1\n< A 1 1\nclose listener\n> RA 1 1\n"
     "> RA * 1\n> RA * 1\n> RA * 1"},
    {"a child that was reset is accepted with its error (Linux)",
     "listen\n< S 0 0\n> SA 0 1\n< A 1 1\n< R 1 0\naccept\nstate CLOSED\nerror ECONNRESET"},
    {"TCP_DEFER_ACCEPT waits for data",
     "opt defer 5\nlisten\n< S 0 0\n> SA 0 1\n< A 1 1\naccept none\n< A 1 1 len=10\n"
     "> A 1 11\naccept"},
    {"a call while calling: EALREADY, while connected: EISCONN",
     "connect\n> S 0\nconnect = EALREADY\n< SA 0 1\n> A 1 1\nconnect = EISCONN"},
    {"data may not be sent before the connection stands",
     "connect\n> S 0\nroom 0\n< SA 0 1\n> A 1 1\nevent write\nroom 87040"},
    {"SYN's window is never scaled (RFC 7323, 2.2)",
     "param ws 1\nparam receive 200000\nparam receive_max 200000\nconnect\n"
     "> S 0 0 win=65535 ws=2\n< SA 0 1 mss=1000 ws=0\n> A 1 1 win=50000"},

    /* --- nobody there: sections 3.5.2 and 3.10.7.1 --- */
    {"SYN to a closed port: RST with ACK (RFC 9293, 3.5.2)", "< S 0 0\n> RA * 1 len=0"},
    {"data without ACK to a closed port: RST that acknowledges it (RFC 9293, 3.10.7.1)",
     "< . 10 0 len=5\n> RA * 15"},
    {"ACK to a closed port: RST with its number (RFC 9293, 3.10.7.1)", "< A 10 77 len=5\n> R 77"},
    {"RST to a closed port: nothing (RFC 9293, 3.10.7.1)", "< R 10 77\n< RA 10 77"},

    /* --- closing: section 3.6 --- */
    {"close: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT (RFC 9293, 3.6, figure 12)",
     FIN_WAIT_2 "< FA 1 2\n> A 2 2\nstate CLOSED\nevent eof\ntime-waits 1"},
    {"the peer closes: CLOSE-WAIT, LAST-ACK, CLOSED (RFC 9293, 3.6, figure 12)", CLOSE_WAIT
     "shutdown w\n> FA 1 2\nstate LAST-ACK\n< A 2 2\nstate CLOSED\nerror 0\ntime-waits 0"},
    {"both close at once: CLOSING (RFC 9293, 3.6, figure 13)",
     FIN_WAIT_1 "< FA 1 1\n> A 2 2\nstate CLOSING\n< A 2 2\nstate CLOSED\ntime-waits 1"},
    {"both close at once with their last data (RFC 9293, 3.6, figure 13)",
     "estab\nsend 10\n> A 1 1 len=10\nshutdown w\n> FA 11 1\n< FA 1 1 len=10\n> A 12 12\n"
     "state CLOSING\nread 10\n< A 12 12\nstate CLOSED\ntime-waits 1"},
    {"in CLOSING both FINs are repeated until acknowledged (RFC 9293, 3.10.7.4)",
     FIN_WAIT_1 "< FA 1 1\n> A 2 2\n+200\n> FA 1 2\n< FA 1 1\n> A 2 2\nstate CLOSING\n"
                "< A 2 2\ntime-waits 1"},
    {"FIN and the ACK of ours in one: straight to TIME-WAIT (RFC 9293, 3.3.2, figure 5)",
     FIN_WAIT_1 "< FA 1 2\n> A 2 2\nstate CLOSED\ntime-waits 1"},
    {"FIN goes after what is queued (RFC 9293, 3.10.4)",
     "estab win=1000\nsend 1500\n> A 1 1 len=1000\nshutdown w\n> none\n"
     "< A 1 1001 win=1000\n> FA 1001 1 len=500\nstate FIN-WAIT-1"},
    {"data comes in FIN-WAIT-1 and FIN-WAIT-2: half-close (RFC 9293, 3.6)",
     FIN_WAIT_1 "< A 1 1 len=100\n+40\n> A 2 101\n< A 101 2 len=100\nstate FIN-WAIT-2\n+40\n"
                "> A 2 201\nread 200\n< FA 201 2\n> A 2 202"},
    {"data goes in CLOSE-WAIT (RFC 9293, 3.6)",
     CLOSE_WAIT "send 100\n> A 1 2 len=100\n< A 2 101\nshutdown w\n> FA 101 2\n< A 2 102\n"
                "state CLOSED"},
    {"FIN is sent again until acknowledged (RFC 9293, 3.8.1)",
     FIN_WAIT_1 "+200\n> FA 1 1\n+400\n> FA 1 1\n< A 1 2\nstate FIN-WAIT-2"},
    {"FIN with data is acknowledged as one (RFC 9293, 3.4)",
     "estab\n< FA 1 1 len=10\n> A 1 12\nstate CLOSE-WAIT\nread 10"},
    {"a FIN that comes twice is acknowledged twice (RFC 9293, 3.10.7.4)",
     CLOSE_WAIT "< FA 1 1\n> A 1 2\nstate CLOSE-WAIT"},
    {"a FIN before its data waits (RFC 9293, 3.10.7.4)",
     "estab\n< FA 101 1 len=10\n> A 1 1\nstate ESTABLISHED\nevent eof none\n"
     "< A 1 1 len=100\n> A 1 112\nstate CLOSE-WAIT\nevent eof\nread 110"},
    {"a bare FIN before its data waits",
     "estab\n< FA 101 1\n> A 1 1\n< A 1 1 len=100\n> A 1 102\nstate CLOSE-WAIT\nread 100"},
    {"in CLOSE-WAIT nothing more is received", CLOSE_WAIT "< A 2 1 len=10\n> none\nunread 0"},
    {"no data after shutdown: EPIPE", FIN_WAIT_1 "send 1 = EPIPE\nroom = EPIPE"},
    {"shutdown without a connection: ENOTCONN", "bind 80\nshutdown w = ENOTCONN"},
    {"a call is ended by disconnect alone: shutdown is EINPROGRESS",
     "connect\n> S 0\nshutdown r = EINPROGRESS\nshutdown w = EINPROGRESS\nstate SYN-SENT\n"
     "disconnect\nstate CLOSED"},

    /* --- closing without a reader: RFC 1122, 4.2.2.13; RFC 2525, 2.17 --- */
    {"close with unread data sends RST (RFC 2525, 2.17)",
     "estab\n< A 1 1 len=10\nclose\n> RA 1 11\ngone"},
    {"data after close is answered by RST (RFC 1122, 4.2.2.13)",
     "estab\nclose\n> FA 1 1\n< A 1 2\n< A 1 2 len=10\n> RA 2 1\ngone"},
    {"a peer that never closes is not waited for for ever (Linux)",
     "estab\nclose\n> FA 1 1\n< A 1 2\n+59999\nstate FIN-WAIT-2\n+1\ngone"},
    {"TCP_LINGER2 shortens that", "opt linger2 2\nestab\nclose\n> FA 1 1\n< A 1 2\n+2000\ngone"},
    /* --- SO_LINGER with a time: socket(7); RFC 9293, 3.9.1.4 --- */
    {"a close that lingers returns when data and FIN are acknowledged",
     "estab win=100\nsend 150\n> A 1 1 len=100\nlinger 5000\nclosing\n+20\n< A 1 101\n"
     "> FA 101 1 len=50\nclosing\n< A 1 151\nclosing\n+20\n< A 1 152\nclosed\nstate FIN-WAIT-2"},
    {"it lingers while lost data is sent again",
     "estab\nsend 100\n> A 1 1\nlinger 5000\n> FA 101 1\n+200\n> FPA 1 1 len=100\nclosing\n"
     "< A 1 101\nclosing\n< A 1 102\nclosed"},
    {"when its time is over it returns, and what was sent is still sent again",
     "estab\nsend 100\n> A 1 1\nlinger 150\n> FA 101 1\n+149\nclosing\n+1\nclosed\n"
     "state FIN-WAIT-1\n+50\n> FPA 1 1 len=100\n< A 1 102\nstate FIN-WAIT-2"},
    {"with nothing on its way it lingers for the FIN alone",
     "estab\nlinger 5000\n> FA 1 1\nclosing\n< A 1 2\nclosed\nstate FIN-WAIT-2"},
    {"in LAST-ACK it lingers to the end",
     "estab\n< FA 1 1\n> A 1 2\nlinger 5000\n> FA 1 2\nstate LAST-ACK\nclosing\n< A 2 2\ngone"},
    {"when both close at once too",
     "estab\nlinger 5000\n> FA 1 1\n< FA 1 1\n> A 2 2\nstate CLOSING\nclosing\n< A 2 2\ngone\n"
     "time-waits 1"},
    {"a reset ends it at once",
     "estab\nsend 100\n> A 1 1\nlinger 5000\n> FA 101 1\nclosing\n< R 1 0\ngone"},
    {"so does giving up, when the peer never answers (RFC 9293, 3.8.3)",
     "param retries 2\nestab\nsend 100\n> A 1 1\nlinger 100000\n> FA 101 1\n+200\n> FPA 1 1\n+400\n"
     "> FPA 1 1\nclosing\n+800\ngone"},
    {"with unread data there is nothing to linger for (RFC 2525, 2.17)",
     "estab\n< A 1 1 len=10\nsend 5\n> A 1 11\nlinger 5000\n> RA 6 11\ngone"},
    {"nor is there when our side has closed and was acknowledged",
     "estab\nshutdown w\n> FA 1 1\n< A 1 2\nlinger 5000\nclosed\nstate FIN-WAIT-2"},
    {"nor for a call that was not answered", "connect\n> S 0\nlinger 5000\ngone"},

    {"abort sends RST (RFC 9293, 3.10.5)", "estab\nabort\n> RA 1 1\ngone"},
    {"abort drops what is queued (RFC 9293, 3.10.5)",
     "estab win=100\nsend 500\n> A 1 1 len=100\nabort\n> RA 101 1\ngone"},
    {"abort of a call sends nothing (RFC 9293, 3.10.5)", "connect\n> S 0\nabort\ngone"},
    {"what is closed still sends its data",
     "estab win=100\nsend 150\n> A 1 1 len=100\nclose\n< A 1 101\n> FA 101 1 len=50\n"
     "< A 1 152\nstate FIN-WAIT-2"},
    {"an orphan gives up after orphan_retries",
     "param orphan_retries 1\nestab\nclose\n> FA 1 1\n+200\n> FA 1 1\n+400\ngone"},
    {"abort in CLOSING and LAST-ACK sends nothing: all was said (RFC 9293, 3.10.5)",
     CLOSE_WAIT "shutdown w\n> FA 1 2\nabort\ngone\nestab\nshutdown w\n> FA 1 1\n< FA 1 1\n"
                "> A 2 2\nstate CLOSING\nabort\ngone"},
    {"but unread data is lost then too (RFC 2525, 2.17)",
     "estab\n< A 1 1 len=10\n< FA 11 1\n> A 1 12\nshutdown w\n> FA 1 12\nclose\n> RA 2 12\ngone"},
    {"and so is data that has not gone (RFC 9293, 3.10.5)",
     "estab win=100\n< FA 1 1 win=100\n> A 1 2\nsend 500\n> A 1 2 len=100\nshutdown w\n"
     "state LAST-ACK\nabort\n> RA 101 2\ngone"},
    {"abort in FIN-WAIT-2 sends RST (RFC 9293, 3.10.5)", FIN_WAIT_2 "abort\n> RA 2 1\ngone"},
    {"a refusal that finds its caller listening is too late",
     "param peer_isn 0\nconnect\n> S 0\nmeanwhile listen\n< RA 0 1\n> none\n"
     "< S 0 0 mss=1000\n> SA 0 1\n< A 1 1\naccept\nstate ESTABLISHED"},
    {"an RST to a call that has become another ends nothing",
     "param peer_isn 0\nestab\nmeanwhile listen\n< R 0 1\n> RA 1 1\n< S 0 0 mss=1000\n> SA 0 1"},
    {"a call that is dropped while it is taken is in no table afterwards",
     "listen\nmeanwhile drop\n< S 0 0 mss=1000\n> RA * 1\n< S 0 0 mss=1000\n> SA 0 1\n< A 1 1\naccept"},
    {"a SYN to a call that has become another is no answer to it",
     "connect\n> S 0\nmeanwhile call\n< S 0 0\n> S 0\n> RA * 1\nstate SYN-SENT"},
    {"what a router says of a call doesn't hurt the next",
     "connect\n> S 0\nmeanwhile call\nicmp hard 0 ECONNREFUSED\n> S 0\nstate SYN-SENT"},
    {"a SYN that finds its listener at another port is refused (RFC 9293, 3.10.7.1)",
     "listen any\nmeanwhile move\n< S 0 0\n> RA * 1\naccept none"},
    {"disconnect resets and is fresh again",
     "estab\ndisconnect\n> RA 1 1\nstate CLOSED\nestab\nsend 5\n> A 1 1 len=5"},

    /* --- RST: section 3.5.3, RFC 5961, section 3 --- */
    {"RST at RCV.NXT resets (RFC 5961, 3.2)",
     "estab\n< R 1 0\nstate CLOSED\nerror ECONNRESET\nerror 0"},
    {"RST elsewhere in the window is challenged (RFC 5961, 3.2)",
     "estab\n< R 2 0\n> A 1 1\nstate ESTABLISHED\n< R 10000 0\n> A 1 1\nstate ESTABLISHED"},
    {"RST outside the window is ignored (RFC 5961, 3.2)",
     "estab\n< R 0 0\n< R 10002 0\nstate ESTABLISHED"},
    {"RST in CLOSE-WAIT: EPIPE (Linux)", CLOSE_WAIT "< R 2 0\nerror EPIPE"},
    {"RST in FIN-WAIT-2: ECONNRESET", FIN_WAIT_2 "< R 1 0\nerror ECONNRESET"},
    {"RST in LAST-ACK ends it", CLOSE_WAIT "close\n> FA 1 2\n< R 2 0\ngone"},
    {"RST in CLOSING ends it", FIN_WAIT_1 "< FA 1 1\n> A 2 2\n< R 2 0\nstate CLOSED"},
    {"after a reset what came before can be read",
     "estab\n< A 1 1 len=10\n< R 11 0\nread 10\nsend 1 = EPIPE"},

    /* --- SYN where none belongs: RFC 5961, section 4 --- */
    {"SYN in the window is challenged (RFC 5961, 4.2)",
     "estab\n< S 1 0\n> A 1 1\nstate ESTABLISHED\n< S 100 0\n> A 1 1"},
    {"SYN outside the window gets an ACK (RFC 5961, 4.2)", "estab\n< S 50000 0\n> A 1 1"},
    {"the SYN-ACK of the handshake again gets an ACK (RFC 9293, 3.10.7.4)",
     "estab\n< SA 0 1\n> A 1 1\nstate ESTABLISHED"},
    {"an old connection's half finds out by RST (RFC 9293, 3.5.1, figure 9)",
     "estab\n< S 70000 0\n> A 1 1\n< R 1 0\nstate CLOSED"},

    /* --- TIME-WAIT: section 3.6, RFC 1337, RFC 6191 --- */
    {"TIME-WAIT ends after 2 MSL (RFC 9293, 3.6.1)",
     TIME_WAIT "+59999\ntime-waits 1\n+1\ntime-waits 0"},
    {"a FIN again in TIME-WAIT: ACK, and 2 MSL from now (RFC 9293, 3.10.7.4)",
     TIME_WAIT "+30000\n< FA 1 2\n> A 2 2\n+59999\ntime-waits 1\n+1\ntime-waits 0"},
    {"RST doesn't end TIME-WAIT (RFC 1337)", TIME_WAIT "< R 2 0\ntime-waits 1"},
    {"nor does the answer to an old duplicate bring one about (RFC 1337, 3)",
     TIME_WAIT "< A 1 1 len=1\n> A 2 2\n< R 2 0\n< A 0 0\n> A 2 2\n< R 2 0\ntime-waits 1\n"
               "< FA 1 2\n> A 2 2\n+59999\ntime-waits 1"},
    {"an ACK in TIME-WAIT that says nothing new needs no answer",
     TIME_WAIT "< A 2 2\ntime-waits 1"},
    {"old data in TIME-WAIT gets an ACK (RFC 9293, 3.10.7.4)", TIME_WAIT "< A 1 1 len=1\n> A 2 2"},
    {"an old SYN in TIME-WAIT gets an ACK (RFC 1122, 4.2.2.13)",
     TIME_WAIT "< S 0 0\n> A 2 2\ntime-waits 1"},
    {"a new SYN in TIME-WAIT without a listener gets an ACK: it is no call (RFC 1337)",
     TIME_WAIT "< S 100 0\n> A 2 2\ntime-waits 1"},
    {"nor is one with a FIN (RFC 1337)",
     "passive\nshutdown w\n> FA 1 1\n< FA 1 2\n> A 2 2\nclose\n< SF 100 0\n> A 2 2\ntime-waits 1"},
    {"a new SYN in TIME-WAIT makes a call, above the last numbers (RFC 1122, 4.2.2.13)",
     "passive\nshutdown w\n> FA 1 1\n< FA 1 2\n> A 2 2\nclose\ntime-waits 1\n< S 100 0\n"
     "> SA 0 101\ntime-waits 0\n< A 101 1\naccept\nstate ESTABLISHED"},
    {"a new call of ours may not take a TIME-WAIT's tuple without timestamps",
     "bind 4000\nestab\nshutdown w\n> FA 1 1\n< FA 1 2\n> A 2 2\nclose\n"
     "bind 4000 = EADDRINUSE"},

    /* --- ports --- */
    {"a port twice: EADDRINUSE", "listen\nbind 80 = EADDRINUSE"},
    {"a port that has a bound connection may be taken with SO_REUSEADDR on both",
     "opt reuseaddr 1\nbind 4000\nestab\nclose\n> FA 1 1\n< FA 1 2\n> A 2 2\n"
     "time-waits 1\nopt reuseaddr 1\nbind 4000"},
    {"to bind twice: EINVAL", "bind 4000\nbind 4001 = EINVAL"},
    {"the same call again from the same port: EADDRNOTAVAIL",
     "opt reuseaddr 1\nbind 4000\nconnect\n> S 0\nclose\nopt reuseaddr 1\nbind 4000\n"
     "connect\n> S 0"},
    {"a call to oneself meets itself (RFC 9293, 3.5)",
     "bind 5000\nconnect\n> S 0\n< S 0 0\n> SA 0 1\n< SA 0 1\nstate ESTABLISHED"},
    {"but is never made by chance",
     "param port 5000\nconnect self = EADDRNOTAVAIL\nparam port 5001\nconnect self\n> S 0"},
    {"only by who has asked for that port", "bind 5000\nconnect self\n> S 0"},
    {"the same port of another host is as good as any", "param port 5000\nconnect\n> S 0"},
};
RUN_CASES(cases)

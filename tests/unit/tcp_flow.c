/*
 * Data in and out: order, windows, delayed ACKs, small segments, probes, urgent data. See tcp_script.h.
 */
#include "tcp_script_run.h"

static const struct case_ cases[] = {
    /* --- segments --- */
    {"the peer's MSS holds where the device cuts nothing (RFC 9293, 3.7.1)",
     "param mtu 1500\nconnect\n> S 0\n< SA 0 1 mss=100\n> A 1 1\nsend 250\n> A 1 1 len=100\n> A 101 1 len=100\n"
     "> A 201 1 len=50"},

    /* --- order: RFC 9293, section 3.10.7.4, seventh; RFC 5681, section 4.2 --- */
    {"data is delivered in order (RFC 9293, 3.10.7.4)",
     "estab\n< A 1 1 len=100\nunread 100\nevent read\nread 100\n+40\n> A 1 101"},
    {"early data waits, with an ACK at once (RFC 5681, 4.2)",
     "estab\n< A 101 1 len=100\n> A 1 1\nunread 0\n< A 1 1 len=100\n> A 1 201\nread 200"},
    {"data that comes twice is delivered once (RFC 9293, 3.10.7.4)",
     "estab\n< A 1 1 len=100\n< A 1 1 len=100\n> A 1 101\nunread 100\nread 100"},
    {"data that overlaps old is cut in front (RFC 9293, 3.10.7.4)",
     "estab\n< A 1 1 len=100\n< A 51 1 len=100\n> A 1 151\nread 150"},
    {"data beyond the window is cut behind (RFC 9293, 3.10.7.4)",
     "param receive 2000\nestab\n< A 1 1 len=1500\n> A 1 1501 win=500\n"
     "< A 1501 1 len=1000\n> A 1 2001 win=0\nread 2000\n> A 1 2001 win=2000"},
    {"data wholly beyond the window gets an ACK (RFC 9293, 3.10.7.4)",
     "estab\n< A 10001 1 len=10\n> A 1 1\nunread 0"},
    {"early pieces that overlap each other",
     "estab\n< A 201 1 len=100\n> A 1 1\n< A 251 1 len=100\n> A 1 1\n< A 151 1 len=300\n"
     "> A 1 1\n< A 1 1 len=160\n> A 1 451\nread 450"},
    {"early pieces in reverse",
     "estab\n< A 301 1 len=100\n> A 1 1\n< A 201 1 len=100\n> A 1 1\n< A 101 1 len=100\n"
     "> A 1 1\n< A 1 1 len=100\n> A 1 401\nread 400"},
    {"an early piece that covers another",
     "estab\n< A 201 1 len=10\n> A 1 1\n< A 101 1 len=200\n> A 1 1\n< A 1 1 len=100\n"
     "> A 1 301\nread 300"},
    {"sequence numbers wrap (RFC 9293, 3.4)",
     "param peer_isn 0xfffffff0\nestab\n< A 1 1 len=100\n< A 101 1 len=900\n> A 1 1001\n"
     "read 1000"},
    {"a segment without ACK is dropped (RFC 9293, 3.10.7.4, fifth)",
     "estab\n< . 1 0 len=10\nunread 0"},
    {"a damaged segment is dropped (RFC 9293, 3.1)",
     "estab\n< A 1 1 len=10 bad\nunread 0\nstate ESTABLISHED"},
    {"a header longer than the packet is dropped",
     "estab\n< A 1 1 hlen=15\n< A 1 1 hlen=4\n> none"},
    {"malformed options end the list",
     "estab\n< A 1 1 len=10 raw=0200\nunread 10\n< A 11 1 len=10 raw=fe09\nunread 20\n"
     "+40\n> A 1 21"},
    {"unknown options are skipped (RFC 9293, 3.1)",
     "connect\n> S 0\n< SA 0 1 raw=fd0401020204012c\n> A 1 1\ninfo mss 300"},

    /* --- segments that were put together on the way --- */
    {"of early segments that come as one each has its duplicate ACK (RFC 5681, 4.2)",
     "estab\n< A 1001 1 len=3000 cut=1000\n> A 1 1 len=0\n> A 1 1 len=0\n> A 1 1 len=0\n"
     "info early 1\ninfo data_segs_in 3\n< A 1 1 len=1000\n> A 1 4001\nread 4000"},
    {"so a peer that counts them begins its fast retransmit (RFC 5681, 3.2)",
     "estab\n< A 1001 1 len=2500 cut=1000\n> A 1 1\n> A 1 1\n> A 1 1\n< A 3501 1 len=10\n"
     "> A 1 1"},
    {"with SACK one ACK says it all (RFC 2018, 3)",
     "param sack 1\nestab\n< A 1001 1 len=3000 cut=1000\n> A 1 1 sack=1001-4001"},
    {"in order they are acknowledged once (RFC 5681, 4.2)",
     "estab\n< A 1 1 len=3000 cut=1000\n> A 1 3001\ninfo data_segs_in 3\nread 3000"},
    {"and the peer's segments are not taken for larger than they were (RFC 1122, 4.2.3.2)",
     "estab\n< A 1 1 len=1800 cut=600\n> A 1 1801\ninfo rcv_mss 600\n< A 1801 1 len=600\n"
     "> none\n< A 2401 1 len=1\n> A 1 2402"},
    {"of what is cut in front or behind the rest counts (RFC 9293, 3.10.7.4)",
     "param receive 2000\nestab\n< A 1 1 len=1000\n+40\n> A 1 1001\n"
     "< A 501 1 len=3000 cut=1000\n> A 1 2001 win=0\nread 2000\n> A 1 2001"},
    {"what follows an early piece is put behind it (RFC 9293, 3.10.7.4)",
     "param sack 1\nestab\n< A 101 1 len=100\n> A 1 1 sack=101-201\n< A 201 1 len=100\n"
     "> A 1 1 sack=101-301\n< A 401 1 len=600 cut=200\n> A 1 1 sack=401-1001,101-301\n"
     "< A 301 1 len=100\n> A 1 1 sack=101-1001\n< A 1 1 len=100\n> A 1 1001 sack=\nread 1000"},

    /* --- SACK that we send: RFC 2018, 2883 --- */
    {"the first block is the newest (RFC 2018, 4)",
     "param sack 1\nestab\n< A 1001 1 len=500\n> A 1 1 sack=1001-1501\n"
     "< A 3001 1 len=500\n> A 1 1 sack=3001-3501,1001-1501\n< A 5001 1 len=500\n"
     "> A 1 1 sack=5001-5501,3001-3501,1001-1501"},
    {"at most four (RFC 2018, 3)",
     "param sack 1\nestab\n< A 1001 1 len=10\n> A\n< A 2001 1 len=10\n> A\n"
     "< A 3001 1 len=10\n> A\n< A 4001 1 len=10\n> A\n< A 5001 1 len=10\n"
     "> A 1 1 sack=5001-5011,4001-4011,3001-3011,2001-2011"},
    {"three with timestamps (RFC 7323, appendix A)",
     "param sack 1\nparam ts 1\nestab\n< A 1001 1 len=10 ts=101,0\n> A\n"
     "< A 2001 1 len=10 ts=101,0\n> A\n< A 3001 1 len=10 ts=101,0\n> A\n"
     "< A 4001 1 len=10 ts=101,0\n> A 1 1 sack=4001-4011,3001-3011,2001-2011"},
    {"neighbours become one block (RFC 2018, 4)",
     "param sack 1\nestab\n< A 1001 1 len=500\n> A\n< A 1501 1 len=500\n"
     "> A 1 1 sack=1001-2001"},
    {"a filled hole is no longer reported (RFC 2018, 4)",
     "param sack 1\nestab\n< A 101 1 len=100\n> A\n< A 301 1 len=100\n> A\n"
     "< A 1 1 len=100\n> A 1 201 sack=301-401\nread 200"},
    {"what came twice is said (RFC 2883, 4.1)",
     "param sack 1\nestab\n< A 1 1 len=100\n+40\n> A 1 101 sack=\n< A 1 1 len=100\n"
     "> A 1 101 sack=1-101"},
    {"what came twice above a hole is said first (RFC 2883, 4.2)",
     "param sack 1\nestab\n< A 101 1 len=100\n> A\n< A 101 1 len=100\n"
     "> A 1 1 sack=101-201,101-201"},
    {"and said once", "param sack 1\nestab\n< A 1 1 len=100\n+40\n> A\n< A 1 1 len=100\n"
                      "> A 1 101 sack=1-101\n< A 201 1 len=1\n> A 1 101 sack=201-202"},
    {"data carries blocks too, and is shorter for it",
     "param sack 1\nestab\n< A 101 1 len=100\n> A\nsend 2000\n"
     "> A 1 1 len=988 sack=101-201\n> A 989 1 len=988\n> A 1977 1 len=24"},

    /* --- delayed ACKs: RFC 9293, section 3.8.6.3 --- */
    {"one segment's ACK waits (RFC 9293, 3.8.6.3)",
     "estab\n< A 1 1 len=1000\n+39\n> none\n+1\n> A 1 1001"},
    {"two full segments' ACK does not (RFC 9293, 3.8.6.3)",
     "estab\n< A 1 1 len=1000\n< A 1001 1 len=1000\n> A 1 2001"},
    {"data carries the ACK (RFC 9293, 3.8.6.3)",
     "estab\n< A 1 1 len=10\nsend 5\n> A 1 11 len=5\n+40\n> none"},
    {"at the beginning ACKs are not delayed (Linux)",
     "connect\n> S 0\n< SA 0 1 mss=1000\n> A 1 1\n< A 1 1 len=10\n> A 1 11"},
    {"TCP_QUICKACK sends what waits",
     "estab\n< A 1 1 len=10\nopt quickack 1\n> A 1 11\n< A 11 1 len=10\n> A 1 21"},

    {"what was pushed is acknowledged when it has been read: the peer may wait for it",
     "estab\n< PA 1 1 len=500\n> none\nread 499\n> none\nread 1\n> A 1 501\n+40\n> none"},
    {"what wasn't is not", "estab\n< A 1 1 len=500\nread 500\n> none\n+40\n> A 1 501"},
    {"nor when the user answers: its data carries the ACK (RFC 1122, 4.2.3.2)",
     "estab\n< PA 1 1 len=10\nsend 5\n> A 1 11 len=5\nread 10\n< PA 11 6 len=10\nread 10\n"
     "> none\nsend 5\n> A 6 21 len=5"},
    {"until it hasn't for once",
     "estab\n< PA 1 1 len=10\nsend 5\n> A 1 11 len=5\nread 10\n< PA 11 6 len=10\nread 10\n"
     "+40\n> A 6 21\n< PA 21 6 len=10\nread 10\n> A 6 31"},
    {"TCP_NODELAY isn't needed where the peer's buffer is smaller than a segment",
     "opt sndbuf 500\nestab\nsend 500\n> A 1 1 len=500\nroom 0\n< A 1 501\nevent write\n"
     "send 500\n> A 501 1 len=500"},

    /* --- our window: RFC 9293, section 3.8.6.2.2 --- */
    {"the window is what can wait to be read (RFC 9293, 3.8.6)",
     "estab\n< A 1 1 len=1000\n< A 1001 1 len=1000\n> A 1 2001 win=8000"},
    {"a few bytes read don't open a closed window (RFC 9293, 3.8.6.2.2)",
     "param receive 2000\nestab\n< A 1 1 len=2000\n> A 1 2001 win=0\nread 500\n> none\n"
     "read 500\n> A 1 2001 win=1000"},
    {"the right edge never moves left (RFC 9293, 3.8.6)",
     "estab\nopt rcvbuf 3000\n< A 1 1 len=1000\n< A 1001 1 len=1000\n> A 1 2001 win=8000"},
    {"TCP_WINDOW_CLAMP", "opt clamp 2048\nconnect\n> S 0 0 win=2048"},
    {"a window over 64 KiB is scaled (RFC 7323, 2.3)",
     "param ws 1\nparam receive 1000000\nparam receive_max 1000000\nconnect\n"
     "> S 0 0 win=65535 ws=4\n< SA 0 1 mss=1000 ws=3\n> A 1 1 win=62500"},
    {"but not for a peer that can't (RFC 7323, 1.3)",
     "param ws 1\nparam receive 1000000\nparam receive_max 1000000\nconnect\n"
     "> S 0 0 ws=4\n< SA 0 1 mss=1000\n> A 1 1 win=65535"},
    {"its right edge doesn't creep beyond the limit, though it is told in units (RFC 9293, 3.8.6)",
     "param ws 1\nparam receive 1000000\nparam receive_max 1000000\nconnect\n> S 0\n< SA 0 1 mss=1000 ws=3\n"
     "> A 1 1 win=62500\n< A 1 1 len=15\n> A 1 16 win=62499\n< A 16 1 len=15\n> A 1 31 win=62498"},
    {"a peer's window is scaled (RFC 7323, 2.3)",
     "param ws 1\nconnect\n> S 0\n< SA 0 1 mss=1000 ws=3 win=100\n> A 1 1\n"
     "info snd_wnd 100\n< A 1 1 win=100\ninfo snd_wnd 800"},
    {"a scale over 14 is 14 (RFC 7323, 2.3)",
     "param ws 1\nconnect\n> S 0\n< SA 0 1 mss=1000 ws=15\n> A 1 1\n< A 1 1 win=2\n"
     "info snd_wnd 32768"},
    {"with a closed window a segment's ACK still counts (RFC 9293, 3.10.7.4)",
     "param receive 1000\nestab\nsend 10\n> A 1 1\n< A 1 1 len=1000\n+40\n"
     "> A 11 1001 win=0\n< A 1001 11 len=5\n> A 11 1001 win=0\ninfo unacked 0"},
    {"a bare FIN comes through a closed window",
     "param receive 1000\nestab\n< A 1 1 len=1000\n+40\n> A 1 1001 win=0\n< FA 1001 1\n"
     "> A 1 1002\nstate CLOSE-WAIT"},

    /* --- small segments: RFC 9293, section 3.7.4 --- */
    {"Nagle: the first small segment goes, the second waits (RFC 9293, 3.7.4)",
     "estab\nsend 10\n> A 1 1 len=10\nsend 10\nsend 10\n> none\n< A 1 11\n> A 11 1 len=20"},
    {"Nagle: a full segment does not wait (RFC 9293, 3.7.4)",
     "estab\nsend 10\n> A 1 1 len=10\nsend 990\n> none\nsend 10\n> A 11 1 len=1000"},
    {"TCP_NODELAY (RFC 9293, 3.7.4)",
     "estab\nopt nodelay 1\nsend 10\n> A 1 1 len=10\nsend 10\n> A 11 1 len=10"},
    {"switching it on sends what waits",
     "estab\nsend 10\n> A 1 1 len=10\nsend 10\nopt nodelay 1\n> A 11 1 len=10"},
    {"FIN sends what waits", "estab\nsend 10\n> A 1 1\nsend 10\nshutdown w\n> FA 11 1 len=10"},
    {"TCP_CORK holds a segment that isn't full",
     "estab\nopt cork 1\nsend 10\nsend 1000\n> A 1 1 len=1000\nopt cork 0\n"
     "> A 1001 1 len=10"},
    {"for 200 ms at most (tcp(7))", "estab\nopt cork 1\nsend 10\n+199\n> none\n+1\n> A 1 1 len=10"},
    {"MSG_MORE holds it until the next send",
     "estab\nsend 10 more\n> none\nsend 5\n> A 1 1 len=15"},
    {"but not when the send buffer is full: nothing more could come",
     "opt sndbuf 500\nestab\nsend 400 more\n> none\nsend 100 more\n> A 1 1 len=500"},
    {"nor when TCP_NOTSENT_LOWAT lets nobody write",
     "opt notsent 100\nestab\nsend 99 more\n> none\nsend 1 more\n> A 1 1 len=100"},
    {"PSH stands on the last of what was given (RFC 9293, 3.9.1.2)",
     "estab\nsend 2000\n> A 1 1 len=1000\n> PA 1001 1 len=1000"},

    /* --- the peer's window: RFC 9293, section 3.8.6 --- */
    {"no more than the window (RFC 9293, 3.8.6)",
     "estab win=1500\nsend 3000\n> A 1 1 len=1000\n> none\n< A 1 1001 win=1500\n"
     "> A 1001 1 len=1000"},
    {"a small window is used when it is half the largest (RFC 9293, 3.8.6.2.1)",
     "estab win=600\nsend 3000\n> A 1 1 len=600\n< A 1 601 win=299\n> none\n"
     "< A 1 601 win=300\n> A 601 1 len=300"},
    {"an old segment doesn't change the window (RFC 9293, 3.10.7.4, SND.WL1)",
     "estab\n< A 1 1 len=10 win=5000\n< A 1 1 win=100\n> A 1 11\ninfo snd_wnd 5000"},
    {"a closed window is probed with a byte (RFC 9293, 3.8.6.1)",
     "estab win=0\nsend 100\n> none\n+200\n> A 1 1 len=1\n+400\n> A 1 1 len=1\n+800\n"
     "> A 1 1 len=1"},
    {"which may be taken (RFC 9293, 3.8.6.1)",
     "estab win=0\nsend 100\n+200\n> A 1 1 len=1\n< A 1 2 win=5000\n> A 2 1 len=99\n"
     "< A 1 101"},
    {"when the window opens, data goes (RFC 9293, 3.8.6.1)",
     "estab win=0\nsend 100\n+200\n> A 1 1 len=1\n< A 1 1 win=5000\n> A 1 1 len=100"},
    {"a peer that answers is probed for ever (RFC 9293, 3.8.6.1)",
     "param retries 2\nparam rto_max 400\nestab win=0\nsend 9\n+200\n> A 1 1\n"
     "< A 1 1 win=0\n+400\n> A 1 1\n< A 1 1 win=0\n+400\n> A 1 1\n< A 1 1 win=0\n+400\n"
     "> A 1 1\n< A 1 1 win=0\nstate ESTABLISHED"},
    {"though not for an orphan, once the pauses don't grow",
     "param orphan_retries 2\nparam rto_max 400\nestab win=0\nsend 9\nclose\n+200\n> A 1 1\n< A 1 1 win=0\n+400\n"
     "> A 1 1\n< A 1 1 win=0\n+400\ngone"},
    {"one that doesn't is given up",
     "param retries 2\nestab win=0\nsend 9\n+200\n> A 1 1\n+400\n> A 1 1\n+800\n"
     "error ETIMEDOUT"},
    {"a lost FIN behind a closed window is probed for",
     "estab win=0\nshutdown w\n> none\n+200\n> FA 1 1\n< A 1 2 win=0\nstate FIN-WAIT-2"},
    {"a silly window is used after a while (RFC 9293, 3.8.6.2.1, condition 4)",
     "estab win=1000\nsend 1000\n> A 1 1 len=1000\n< A 1 1001 win=10\nsend 500\n> none\n"
     "+200\n> A 1001 1 len=10"},
    {"a peer that has a smaller window from now on isn't waited for each time",
     "estab win=1000\nsend 1000\n> A 1 1 len=1000\n< A 1 1001 win=100\nsend 500\n> none\n"
     "+200\n> A 1001 1 len=100\n< A 1 1101 win=100\n> A 1101 1 len=100\n"
     "< A 1 1201 win=49\n> none\n< A 1 1201 win=50\n> A 1201 1 len=50"},
    {"of two ACKs that changed places the one that opens the window counts",
     "param ts 1\nestab win=1000\nsend 900\n> A 1 1 len=900\n< A 1 901 win=0 ts=101,0\n"
     "info snd_wnd 0\n< A 1 901 win=1000 ts=101,0\n< A 1 901 win=0 ts=101,0\ninfo snd_wnd 1000\n"
     "send 10\n> A 901 1 len=10"},
    {"a window that is closed by an ACK with a newer timestamp is closed (RFC 9293, 3.8.6)",
     "param ts 1\nestab win=1000\nsend 900\n> A 1 1 len=900\n< A 1 901 win=1000 ts=101,0\n"
     "< A 1 901 win=0 ts=102,0\ninfo snd_wnd 0\nsend 10\n> none\n< A 1 901 win=500 ts=102,0\n"
     "> A 901 1 len=10"},
    {"and so it is when there are no timestamps",
     "estab win=1000\n< A 1 1 win=0\ninfo snd_wnd 0\nsend 10\n> none"},
    {"an ACK that is newer tells the window, be its data old",
     "estab win=1000\nsend 500\n> A 1 1 len=500\n< A 101 1 len=10 win=1000\n> A 501 1\n"
     "< A 1 501 len=100 win=700\n> A 501 111\ninfo snd_wnd 700"},
    {"a window that shrinks is no reason to send more (RFC 9293, 3.8.6)",
     "estab win=2000\nsend 5000\n> A 1 1\n> A 1001 1\n< A 1 1001 win=500\n> none\n"
     "< A 1 2001 win=2000\n> A 2001 1\n> A 3001 1"},
    {"an unacknowledged segment in a closed window is sent again (RFC 9293, 3.8.6)",
     "estab win=1000\nsend 1000\n> A 1 1\n< A 1 1 win=0\n+200\n> A 1 1 len=1000"},

    /* --- room --- */
    {"the send buffer has a limit", "opt sndbuf 5000\nestab win=0\nroom 5000\nsend 5000\nroom 0"},
    {"when a third is free the writer is told",
     "opt sndbuf 3000\nestab win=3000\nsend 3000\n> A 1 1\n> A 1001 1\n> A 2001 1\n"
     "room 0\n< A 1 501\nevent write none\n< A 1 1001\nevent write\nroom 1000"},
    {"TCP_NOTSENT_LOWAT", "opt notsent 100\nestab win=0\nsend 99\nroom 86941\nsend 1\nroom 0"},

    /* --- urgent data: RFC 9293, section 3.8.5; RFC 6093 --- */
    {"urgent data is pointed at (RFC 9293, 3.8.5)", "estab\nsend 3 urgent\n> UA 1 1 len=3 urg=3"},
    {"the pointer goes before the data can (RFC 9293, 3.8.5)",
     "estab win=1000\nsend 1000\n> A 1 1\nsend 10 urgent\n< A 1 501 win=600\n"
     "> UA 1001 1 len=10 urg=10"},
    {"urgent data in: an event, a mark, a byte out of line (RFC 6093, 3.1)",
     "estab\n< UA 1 1 len=5 urg=5\nevent urgent\nreadable 4\noob 5\nread 4\nmark 1\n"
     "readable 0 skip\n+40\n> A 1 6"},
    {"the byte is read once",
     "estab\n< UA 1 1 len=5 urg=5\noob 5 peek\noob 5\noob = EINVAL\n+40\n> A 1 6"},
    {"announced and not there yet: EAGAIN",
     "estab\n< UA 1 1 len=2 urg=5\noob = EAGAIN\n< A 3 1 len=3\noob 5\n+40\n> A 1 6"},
    {"it had come before it was announced (RFC 6093, 3)",
     "estab\n< A 3 1 len=3\n> A 1 1\n< UA 1 1 len=2 urg=5\n> A 1 6\noob 5"},
    {"none: EINVAL", "estab\noob = EINVAL\nmark 0"},
    {"SO_OOBINLINE leaves it in the stream",
     "estab\nopt oobinline 1\n< UA 1 1 len=5 urg=5\nreadable 4\nread 4\nreadable 1\n"
     "oob = EINVAL\nread 1\nmark 0\n+40\n> A 1 6"},
    {"a second urgent byte takes the place of the first, which stays in the stream (RFC 6093, 3.2)",
     "estab\n< UA 1 1 len=5 urg=5\n< UA 6 1 len=5 urg=5\nreadable 9\noob 10\nread 9\nmark 1\n"
     "readable 0 skip\n+40\n> A 1 11"},
    {"a pointer to old data is ignored",
     "estab\n< A 1 1 len=10\n< UA 11 1 len=1 urg=0\nevent urgent none\n+40\n> A 1 12"},
};
RUN_CASES(cases)

/*
 * When memory is short: nothing that must be said is forgotten, and what doesn't fit comes again. See tcp_script.h.
 * "memory none": the engine gets no memory at all, until "memory there".
 */
#include "tcp_script_run.h"

static const struct case_ cases[] = {
    /* --- what we owe --- */
    {"an ACK that can't be made goes out when the delayed one is due (RFC 1122, 4.2.3.2)",
     "estab\n< A 1 1 len=1000\n+10\nmemory none\n< A 1001 1 len=1000\n> none\n+29\n> none\n"
     "memory there\n+1\n> A 1 2001"},
    {"and again and again until there is memory (RFC 1122, 4.2.3.2)",
     "estab\nmemory none\n< A 1 1 len=1000\n< A 1001 1 len=1000\n+40\n> none\n+40\n> none\n"
     "memory there\n+40\n> A 1 2001\n+1000\n> none"},
    {"the ACK of a duplicate too (RFC 9293, 3.10.7.4, first)",
     "estab\n< A 1 1 len=100\n+40\n> A 1 101\nmemory none\n< A 1 1 len=100\n> none\n"
     "memory there\n+40\n> A 1 101"},
    {"the ACK of a FIN too (RFC 9293, 3.10.7.4, eighth)",
     "estab\nmemory none\n< FA 1 1\n> none\nstate CLOSE-WAIT\nmemory there\n+40\n> A 1 2"},
    {"a window that was opened is told of later (RFC 9293, 3.8.6)",
     "param receive 2000\nestab\n< A 1 1 len=2000\n> A 1 2001 win=0\nmemory none\nread 2000\n"
     "> none\nmemory there\n+40\n> A 1 2001 win=2000"},
    {"a challenge (RFC 5961, 4.2)",
     "estab\nmemory none\n< S 5 0\n> none\nmemory there\n+40\n> A 1 1\nstate ESTABLISHED"},
    {"data takes along what is owed (RFC 9293, 3.8.6.3)",
     "estab\nmemory none\n< A 1 1 len=1000\n< A 1001 1 len=1000\nmemory there\nsend 10\n"
     "> A 1 2001 len=10\n+40\n> none"},

    /* --- what we send --- */
    {"SYN (RFC 6298, 5.1)",
     "opt nodelay 1\nmemory none\nconnect\n> none\nmemory there\n+1000\n> S 0\nstate SYN-SENT"},
    {"the ACK of SYN-ACK: its sender repeats it (RFC 9293, 3.10.7.4)",
     "connect\n> S 0\nmemory none\n< SA 0 1 mss=1000\n> none\nmemory there\nstate ESTABLISHED\n"
     "< SA 0 1 mss=1000\n> A 1 1"},
    {"data that could not go is tried again (RFC 6298, 5.1)",
     "estab\nmemory none\nsend 100\n> none\nmemory there\n+200\n> A 1 1 len=100"},
    {"what is in flight doesn't wait for what could not go",
     "estab\nsend 1000\n> A 1 1 len=1000\nmemory none\nsend 1000\n> none\nmemory there\n"
     "< A 1 1001\n> A 1001 1 len=1000"},
    {"data that could not be sent again (RFC 6298, 5.5)",
     "estab\nsend 100\n> A 1 1\nmemory none\n+200\n> none\nmemory there\n+400\n> A 1 1 len=100"},
    {"a fast retransmission (RFC 5681, 3.2)",
     "estab\nsend 5000\ndrain\n< A 1 1\n< A 1 1\nmemory none\n< A 1 1\n> none\nmemory there\n"
     "< A 1 1\n> A 1 1 len=1000"},
    {"FIN (RFC 9293, 3.8.1)",
     "estab\nmemory none\nshutdown w\n> none\nstate FIN-WAIT-1\nmemory there\n+200\n> FA 1 1"},
    {"a probe of a closed window (RFC 9293, 3.8.6.1)",
     "estab win=0\nsend 10\nmemory none\n+200\n> none\nmemory there\n+200\n> A 1 1 len=1"},
    {"a keepalive (RFC 9293, 3.8.4)",
     "opt keepidle 10\nopt keepintvl 2\nopt keepalive 1\nestab\nmemory none\n+10000\n> none\n"
     "memory there\n+40\n> A 1 1\n+1960\n> A 0 1"},

    /* --- what we take --- */
    {"an early segment that there is no memory for comes again (RFC 2018, 8)",
     "param sack 1\nestab\nmemory none\n< A 101 1 len=100\nmemory there\n+40\n> A 1 1 sack=\n"
     "< A 1 1 len=100\n+40\n> A 1 101\n< A 101 1 len=100\n+40\n> A 1 201\nread 200"},
    {"and its FIN isn't believed before its data is there (RFC 9293, 3.10.7.4)",
     "estab\nmemory none\n< FA 101 1 len=100\nmemory there\n+40\n> A 1 1\n< A 1 1 len=100\n"
     "> A 1 101\nstate ESTABLISHED\n< FA 101 1 len=100\n> A 1 202\nstate CLOSE-WAIT\nread 200"},
    {"a call that there is no memory for calls again (RFC 6298, 5)",
     "listen\nmemory none\n< S 0 0\n> none\nmemory there\n< S 0 0\n> SA 0 1\n< A 1 1\naccept"},
    {"SYN-ACK that could not go is repeated (RFC 6298, 5)",
     "listen\n< S 0 0\n> SA 0 1\nmemory none\n< S 0 0\n> none\nmemory there\n+1000\n> SA 0 1\n"
     "< A 1 1\naccept"},
    {"without memory there is no TIME-WAIT, and nothing else is lost",
     "estab\nshutdown w\n> FA 1 1\n< A 1 2\nmemory none\n< FA 1 2\nmemory there\nstate CLOSED\n"
     "time-waits 0"},
};
RUN_CASES(cases)

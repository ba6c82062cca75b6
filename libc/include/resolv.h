/* <resolv.h>: questions to the domain name system, and the parts of its messages (RFC 1035, section 4). */
#pragma once

#include <arpa/nameser.h>
#include <netdb.h>

/*
 * Ask the servers of /etc/resolv.conf for records of TYPE of the name NAME as it stands. The length of the answer,
 * which is in ANSWER as far as it has room; -1 with h_errno. What is too long for a datagram comes by a connection.
 */
int res_query(const char *name, int class, int type, unsigned char *answer, int size);
/* The same with the endings of the line `search` tried in turn. */
int res_search(const char *name, int class, int type, unsigned char *answer, int size);
/* Write that question to MESSAGE: its length; -1: NAME is no name, or there is no room. OP must be 0 (QUERY). */
int res_mkquery(int op, const char *name, int class, int type, const unsigned char *data,
                int length, const unsigned char *unused, unsigned char *message, int size);
/*
 * The name at SOURCE in the message from MESSAGE to END, with dots, in NAME of SIZE bytes. How many bytes it takes at
 * SOURCE; -1: it leaves the message, goes in circles, is too long, or there is no room.
 */
int dn_expand(const unsigned char *message, const unsigned char *end, const unsigned char *source,
              char *name, int size);
/* How many bytes the name at SOURCE takes; -1: it goes beyond END. */
int dn_skipname(const unsigned char *source, const unsigned char *end);

/* Raw sockets: see raw.c. */
#pragma once

struct inet_table;
extern struct inet_table raw_table;

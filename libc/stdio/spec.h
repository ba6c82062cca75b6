/* What the conversion specifications of printf and scanf have in common. */
#pragma once

enum length { LENGTH_INT, LENGTH_CHAR, LENGTH_SHORT, LENGTH_LONG, LENGTH_LONG_DOUBLE };

/* Each moves *TEXT past what it reads. */
int __spec_parse_int(const char **text);      /* 0 when there is none, -1 when it is no int */
int __spec_parse_position(const char **text); /* N of "n$"; 0 when there is none */
enum length __spec_parse_length(const char **text);

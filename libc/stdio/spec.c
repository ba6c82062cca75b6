/* What the conversion specifications of printf and scanf have in common. */
#include "stdio/spec.h"

#include <stdbool.h>
#include <string.h>

int __spec_parse_int(const char **text)
{
    int n = 0;
    for (; **text >= '0' && **text <= '9'; ++*text)
        if (n >= 0 &&
            (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, **text - '0', &n)))
            n = -1;
    return n;
}

int __spec_parse_position(const char **text)
{
    const char *s = *text;
    int n = __spec_parse_int(&s);
    if (s == *text || *s != '$')
        return 0;
    *text = s + 1;
    return n;
}

enum length __spec_parse_length(const char **text)
{
    char c = **text;
    if (!c || !strchr("hljztL", c))
        return LENGTH_INT;
    bool twice = *++*text == c && (c == 'h' || c == 'l');
    *text += twice;
    if (c == 'h')
        return twice ? LENGTH_CHAR : LENGTH_SHORT;
    return c == 'L' ? LENGTH_LONG_DOUBLE : LENGTH_LONG;
}

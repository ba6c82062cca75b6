/* What regcomp's and regexec's errors mean. */
#include <regex.h>
#include <string.h>

size_t regerror(int error, const regex_t *restrict regex, char *restrict buf, size_t size)
{
    static const char *const texts[] = {
        "no error",
        "no match",
        "invalid expression",
        "invalid collating element",
        "unknown character class",
        "a backslash at the end",
        "no such group",
        "[ without ]",
        "( without )",
        "{ without }",
        "invalid contents of {}",
        "invalid end of a range",
        "out of memory",
        "nothing to repeat",
    };
    const char *text =
        (unsigned)error < sizeof(texts) / sizeof(texts[0]) ? texts[error] : "unknown error";
    size_t length = strlen(text);
    (void)regex;
    if (size > 0) {
        size_t n = length < size ? length : size - 1;
        memcpy(buf, text, n);
        buf[n] = '\0';
    }
    return length + 1;
}

/*
 * yes [WORD...]: the words, or y, again and again until whoever reads has enough.
 *
 * The line is repeated in a buffer first, so that one write(2) carries many lines. What ends the
 * program is the write that fails: a pipe without a reader kills it by SIGPIPE.
 */
#include "command.h"

int main(int argc, char **argv)
{
    size_t length = 0, filled = 0;
    char *buf;

    command_begin();
    if (argc > 1 && strcmp(argv[1], "--") == 0) {
        argv++;
        argc--;
    }
    for (int i = 1; i < argc; i++)
        length += strlen(argv[i]) + 1;
    if (length == 0)
        length = 2;
    size_t size = length < 32768 ? 32768 / length * length : length;
    buf = need_memory(malloc(size + 1));
    if (argc < 2)
        filled = (size_t)sprintf(buf, "y\n");
    for (int i = 1; i < argc; i++)
        filled += (size_t)sprintf(buf + filled, "%s%c", argv[i], i + 1 < argc ? ' ' : '\n');
    for (; filled < size; filled += length)
        memcpy(buf + filled, buf, length);
    while (write_all(STDOUT_FILENO, buf, size))
        ;
    err(1, "standard output");
}

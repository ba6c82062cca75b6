/*
 * Two pipes between a parent and its child, one for each direction: the parent sends lines, the child sends
 * them back in capitals. See pipe2.txt.
 */
#include <ctype.h>
#include <string.h>

#include "demo.h"

/* The child: what comes from FROM goes to TO in capitals, until the end of the file. */
static _Noreturn void serve(int from, int to)
{
    char buffer[64];
    ssize_t n;

    while ((n = need(read(from, buffer, sizeof buffer))) > 0) {
        for (ssize_t i = 0; i < n; i++)
            buffer[i] = (char)toupper((unsigned char)buffer[i]);
        need(write(to, buffer, (size_t)n));
    }
    _exit(7);
}

static void ask(int to, int from, const char *text, const char *expected)
{
    char answer[64];
    ssize_t n;

    need(write(to, text, strlen(text)));
    n = need(read(from, answer, sizeof answer));
    printf("parent: sent \"%s\", got \"%.*s\"\n", text, (int)n, answer);
    claim(n == (ssize_t)strlen(expected) && memcmp(answer, expected, (size_t)n) == 0);
}

int main(void)
{
    int there[2], back[2], status;
    pid_t child;

    need(pipe(there));
    need(pipe(back));
    child = fork_clean();
    if (child == 0) {
        need(close(there[1])); /* or the child itself would be a writer that never ends */
        need(close(back[0]));
        serve(there[0], back[1]);
    }
    need(close(there[0]));
    need(close(back[1]));
    ask(there[1], back[0], "hello", "HELLO");
    ask(there[1], back[0], "how are you?", "HOW ARE YOU?");
    need(close(there[1]));
    status = end_of(child);
    printf("parent: closed its end, the child ended with %d\n", status);
    claim(status == 7);
    return shown();
}

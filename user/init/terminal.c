/*
 * How large is the terminal at the other end of a serial line? The line doesn't say; the terminal does
 * when it is asked. The cursor is sent further down and right than any terminal is, which leaves it in
 * the last corner, and its place is asked for (ECMA-48: CUP, then DSR 6; the answer is CPR,
 * "ESC [ row ; column R"). What is no terminal, or a deaf one, doesn't answer in time, and the
 * size stays unknown.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

#define ASK \
    "\0337\033[999;999H\033[6n\0338" /* around it, DECSC and DECRC keep the cursor's place */
#define ANSWER_MILLISECONDS 1000
#define LARGEST 999

static long milliseconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Has something been typed ahead? That is for the shell, and an answer would come behind it. */
static int input_waits(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    return poll(&input, 1, 0) != 0;
}

/* Collect the answer up to its R into TEXT. */
static int read_answer(char *text, size_t size)
{
    long end = milliseconds_now() + ANSWER_MILLISECONDS;
    size_t length = 0;

    while (length < size - 1) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        long left = end - milliseconds_now();

        if (left <= 0 || poll(&input, 1, (int)left) <= 0 ||
            read(STDIN_FILENO, text + length, 1) != 1)
            return -1;
        if (text[length++] == 'R') {
            text[length] = '\0';
            return 0;
        }
    }
    return -1;
}

/* One number between 1 and LARGEST at *AT, followed by END; 0 when there is none. */
static unsigned short take_number(const char **at, char end)
{
    unsigned number = 0;

    while (**at >= '0' && **at <= '9' && number <= LARGEST)
        number = number * 10 + (unsigned)(*(*at)++ - '0');
    if (**at != end || number > LARGEST)
        return 0;
    (*at)++;
    return (unsigned short)number;
}

static void set_size(const char *answer)
{
    struct winsize size = {0};
    const char *at = strchr(answer, '\033');

    if (at == NULL || at[1] != '[')
        return;
    at += 2;
    size.ws_row = take_number(&at, ';');
    size.ws_col = take_number(&at, 'R');
    if (size.ws_row > 0 && size.ws_col > 0)
        ioctl(STDIN_FILENO, TIOCSWINSZ, &size);
}

void learn_window_size(void)
{
    struct termios before, raw;
    struct winsize size;
    char answer[32];

    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row > 0 ||
        tcgetattr(STDIN_FILENO, &before) < 0)
        return;
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    if (!input_waits() && write(STDOUT_FILENO, ASK, sizeof ASK - 1) == sizeof ASK - 1 &&
        read_answer(answer, sizeof answer) == 0)
        set_size(answer);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

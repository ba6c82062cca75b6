/*
 * The line being typed. The terminal is raw while we read it: each key comes at once, and we draw the line
 * ourselves: on one row, and of a line too long for that what is around the cursor.
 */
#include <sys/ioctl.h>
#include <termios.h>

#include "sh.h"

#define CONTROL(c) ((c)&31)
#define LINE_SIZE 4096 /* as the terminal itself has it when it makes the lines */

static char **history;
static size_t history_count;
static char line[LINE_SIZE];
static size_t length, cursor;

/* Draw the line behind a prompt of that many columns, and put the cursor in its place. */
static void draw(size_t prompt)
{
    struct winsize size = {0};
    ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    if (size.ws_col == 0)
        size.ws_col = 80; /* the terminal doesn't know */
    size_t room = size.ws_col > prompt + 10 ? size.ws_col - prompt - 1 : 10;
    size_t from = cursor > room ? cursor - room : 0;
    dprintf(STDERR_FILENO, "\x1b[%zuG%.*s\x1b[K\x1b[%zuG", prompt + 1, (int)room, line + from,
            prompt + 1 + cursor - from);
}

/* Put TEXT in the place of what is between FROM and TO, if there is room, and the cursor behind it. */
static void replace(size_t from, size_t to, const char *text)
{
    size_t added = strlen(text);
    if (length - (to - from) + added > LINE_SIZE - 2) /* the newline and the 0 */
        return;
    memmove(line + from + added, line + to, length - to + 1);
    memcpy(line + from, text, added);
    length += added - (to - from);
    cursor = from + added;
}

/* What a terminal sends as several bytes, ESC [ A or ESC [ 3 ~, is given as the control key of that sense. */
static int read_key(void)
{
    static const char bytes[] = "ABCDHF14783", keys[] = "PNFBAEAEAE?";
    unsigned char c = 0, number = 0;
    if (read(STDIN_FILENO, &c, 1) != 1)
        return -1;
    if (c != 27)
        return c;
    while (read(STDIN_FILENO, &c, 1) == 1 && (c == '[' || c == 'O' || (c >= '0' && c <= ';')))
        number = c;
    const char *found = memchr(bytes, c == '~' ? number : c, sizeof bytes - 1);
    return found != NULL ? CONTROL(keys[found - bytes]) : 0;
}

/* Do what KEY says; *AT is the line of the history that is shown. */
static void do_key(int key, size_t *at)
{
    switch (key) {
    case CONTROL('B'): cursor -= cursor > 0; break;
    case CONTROL('F'): cursor += cursor < length; break;
    case CONTROL('A'): cursor = 0; break;
    case CONTROL('E'): cursor = length; break;
    case CONTROL('U'): replace(0, cursor, ""); break;
    case CONTROL('K'): replace(cursor, length, ""); break;
    case CONTROL('D'):
    case CONTROL('?'): replace(cursor, cursor + (cursor < length), ""); break;
    case 127:
    case CONTROL('H'): replace(cursor - (cursor > 0), cursor, ""); break;
    case CONTROL('P'):
    case CONTROL('N'):
        *at += key == CONTROL('N') ? *at < history_count : -(size_t)(*at > 0);
        replace(0, length, *at < history_count ? history[*at] : "");
        break;
    default:
        if (key >= ' ')
            replace(cursor, cursor, (char[]){(char)key, '\0'});
    }
}

/* A line and its newline; "" at the end. The variable of that name is the prompt. */
char *edit_line(const char *name)
{
    static bool expanding; /* it stays so when that fails: then the prompt is not tried again */
    const char *prompt = expanding ? NULL : variable_get(name);
    struct termios saved, raw;
    size_t at = history_count;
    int key;
    expanding = true;
    prompt = expand(prompt != NULL ? prompt : name[2] == '1' ? "$ " : "> ", HERE);
    expanding = false;
    length = cursor = line[0] = 0;
    tcgetattr(STDIN_FILENO, &saved);
    raw = saved;
    raw.c_iflag &= (tcflag_t) ~(ICRNL | IXON);
    raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO | ISIG | IEXTEN);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    dprintf(STDERR_FILENO, "%s", prompt);
    do {
        draw(strlen(prompt));
        key = read_key();
        key = key == CONTROL('D') && length == 0 ? -1 : key;
        do_key(key, &at);
    } while (key >= 0 && key != '\r' && key != '\n' && key != CONTROL('C'));
    tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
    dprintf(STDERR_FILENO, key == CONTROL('C') ? "^C\n" : "\n");
    if (key == CONTROL('C'))
        abandon(128 + SIGINT);
    if (length > 0) {
        history = allocate(history, (history_count + 1) * sizeof *history);
        history[history_count++] = strcpy(allocate(NULL, length + 1), line);
    }
    strcpy(line + length, "\n");
    return key < 0 ? "" : line;
}

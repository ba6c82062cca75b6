/*
 * The line being typed. The terminal is raw while we read it: each key comes at once, and we draw the line
 * ourselves: on one row, and of a line too long for that what is around the cursor.
 */
#include <sys/ioctl.h>
#include <termios.h>

#include "sh.h"

#define HISTORY 500
#define CONTROL(c) ((c)&31)

static char *history[HISTORY];
static size_t history_count; /* ever added; the last HISTORY of them are kept */
static struct buffer line;
static size_t cursor;

/* Draw the line behind a prompt of that many columns, and put the cursor in its place. */
static void draw(size_t prompt)
{
    struct winsize size = {.ws_col = 80};
    ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    size_t room = size.ws_col > prompt + 10 ? size.ws_col - prompt - 1 : 10;
    size_t from = cursor > room ? cursor - room : 0;
    size_t shown = line.length - from < room ? line.length - from : room;
    dprintf(STDERR_FILENO, "\x1b[%zuG%.*s\x1b[K\x1b[%zuG", prompt + 1, (int)shown, line.data + from,
            prompt + 1 + cursor - from);
}

static void insert(char c)
{
    buffer_put(&line, c);
    memmove(line.data + cursor + 1, line.data + cursor, line.length - 1 - cursor);
    line.data[cursor++] = c;
}

/* Take out what is between A and B; the cursor is there then. */
static void cut(size_t a, size_t b)
{
    memmove(line.data + a, line.data + b, line.length - b);
    memset(line.data + line.length - (b - a), '\0', b - a);
    line.length -= b - a;
    cursor = a;
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

/* Do what KEY says; AT is the line of the history that is shown. Returns what AT is then. */
static size_t do_key(int key, size_t at)
{
    size_t oldest = history_count > HISTORY ? history_count - HISTORY : 0;
    switch (key) {
    case CONTROL('B'): cursor -= cursor > 0; break;
    case CONTROL('F'): cursor += cursor < line.length; break;
    case CONTROL('A'): cursor = 0; break;
    case CONTROL('E'): cursor = line.length; break;
    case CONTROL('U'): cut(0, cursor); break;
    case CONTROL('K'): cut(cursor, line.length); break;
    case CONTROL('D'):
    case CONTROL('?'): cut(cursor, cursor + (cursor < line.length)); break;
    case 127:
    case CONTROL('H'): cut(cursor - (cursor > 0), cursor); break;
    case CONTROL('P'):
    case CONTROL('N'):
        at += key == CONTROL('N') ? at < history_count : -(size_t)(at > oldest);
        cut(0, line.length);
        for (const char *s = at < history_count ? history[at % HISTORY] : ""; *s != '\0'; s++)
            insert(*s);
        break;
    default:
        if (key >= ' ' && key < 256)
            insert((char)key);
    }
    return at;
}

/* A line and its newline, on the stack; NULL at the end. The variable of that name is the prompt. */
char *edit_line(const char *name)
{
    static bool expanding; /* it stays so when that fails: then the prompt is not tried again */
    const char *prompt = expanding || variable_get(name) == NULL ? "> " : variable_get(name);
    struct termios saved, raw;
    size_t at = history_count;
    int key;
    expanding = true;
    prompt = expand(prompt, HERE);
    expanding = false;
    line = (struct buffer){.data = ""};
    cursor = 0;
    tcgetattr(STDIN_FILENO, &saved);
    raw = saved;
    raw.c_iflag &= (tcflag_t) ~(ICRNL | IXON);
    raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO | ISIG | IEXTEN);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    dprintf(STDERR_FILENO, "%s", prompt);
    do {
        draw(strlen(prompt));
        key = read_key();
        key = key == CONTROL('D') && line.length == 0 ? -1 : key;
        at = do_key(key, at);
    } while (key >= 0 && key != '\r' && key != '\n' && key != CONTROL('C'));
    tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
    dprintf(STDERR_FILENO, key == CONTROL('C') ? "^C\n" : "\n");
    if (key == CONTROL('C'))
        abandon(128 + SIGINT);
    if (line.length > 0) {
        free(history[history_count % HISTORY]);
        history[history_count++ % HISTORY] = strcpy(allocate(NULL, line.length + 1), line.data);
    }
    buffer_put(&line, '\n');
    return key < 0 ? NULL : line.data;
}

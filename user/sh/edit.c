/*
 * The line being typed. The terminal is raw while we read it: each key comes at once, and we draw the line
 * ourselves. Drawing is always the same: go to where the prompt began, write prompt and line, clear what is
 * behind, go to where the cursor is. A line longer than the terminal is wide wraps; then rows are counted.
 *
 *     left right home end ^B ^F ^A ^E   move       ^U ^K ^W   cut to the beginning, end, a word
 *     up down ^P ^N                     history    ^R         the newest line that has what is typed
 *     ^L  clear the screen   ^C  drop the line   ^D  end of input on an empty line   Tab  complete a file name
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sh.h"

#define HISTORY 500
#define CTRL_KEY(c) ((c)&31)

enum key { KEY_UP = 256, KEY_DOWN, KEY_RIGHT, KEY_LEFT, KEY_HOME, KEY_END, KEY_DELETE, KEY_NONE };

static char *history[HISTORY];
static size_t history_count; /* ever added; the last HISTORY of them are kept */

static struct {
    const char *prompt;
    struct buffer text;
    size_t cursor;
    size_t row; /* of the cursor, counted from the prompt's first */
} line;

/* --- drawing ---------------------------------------------------------------------------------------------------- */

/* Columns that LENGTH bytes of UTF-8 take. */
static size_t width(const char *s, size_t length)
{
    size_t columns = 0;

    for (size_t i = 0; i < length; i++)
        columns += ((unsigned char)s[i] & 0xc0) != 0x80;
    return columns;
}

static void draw(void)
{
    struct winsize size = {0};
    size_t prompt = width(line.prompt, strlen(line.prompt));
    size_t end = prompt + width(line.text.data, line.text.length);
    size_t at = prompt + width(line.text.data, line.cursor);

    ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    size_t columns = size.ws_col > 0 ? size.ws_col : 80;
    if (line.row > 0)
        dprintf(STDERR_FILENO, "\x1b[%zuA", line.row);
    dprintf(STDERR_FILENO, "\r%s%s%s\x1b[J", line.prompt, line.text.data,
            end > 0 && end % columns == 0 ? "\n\r" : "");
    line.row = at / columns;
    if (end / columns > line.row)
        dprintf(STDERR_FILENO, "\x1b[%zuA", end / columns - line.row);
    dprintf(STDERR_FILENO, "\r");
    if (at % columns > 0)
        dprintf(STDERR_FILENO, "\x1b[%zuC", at % columns);
}

/* --- changing the line ------------------------------------------------------------------------------------------- */

static void insert(const char *s, size_t length)
{
    buffer_add(&line.text, s, length);
    memmove(line.text.data + line.cursor + length, line.text.data + line.cursor,
            line.text.length - length - line.cursor);
    memcpy(line.text.data + line.cursor, s, length);
    line.cursor += length;
}

/* Take out what is between A and B; the cursor is there then. */
static void cut(size_t a, size_t b)
{
    memmove(line.text.data + a, line.text.data + b, line.text.length - b + 1);
    line.text.length -= b - a;
    line.cursor = a;
}

static size_t step(size_t from, int by)
{
    do {
        if ((by < 0 && from == 0) || (by > 0 && from == line.text.length))
            return from;
        from += (size_t)by;
    } while (((unsigned char)line.text.data[from] & 0xc0) == 0x80);
    return from;
}

static size_t word_start(void)
{
    size_t at = line.cursor;

    while (at > 0 && line.text.data[at - 1] == ' ')
        at--;
    while (at > 0 && line.text.data[at - 1] != ' ')
        at--;
    return at;
}

static void replace(const char *s)
{
    cut(0, line.text.length);
    insert(s, strlen(s));
}

/* Replace the word before the cursor by the longest beginning that the names of all files matching it share. */
static void complete(void)
{
    size_t start = word_start(), common = 0;
    char *typed = arena_string(&scratch, line.text.data + start, line.cursor - start + 1);
    struct word *found = NULL;

    typed[line.cursor - start] = '*';
    glob_names(&found, typed);
    for (struct word *w = found; w != NULL; w = w->next) {
        size_t same = 0;
        while (w->text[same] != '\0' && w->text[same] == found->text[same])
            same++;
        if (w == found || same < common)
            common = same;
    }
    if (common >= line.cursor - start && found != NULL) {
        cut(start, line.cursor);
        insert(found->text, common);
    }
}

/* --- history ------------------------------------------------------------------------------------------------------- */

static void history_add(const char *s)
{
    char **slot = &history[history_count % HISTORY];

    if (*s == '\0' || (history_count > 0 && strcmp(history[(history_count - 1) % HISTORY], s) == 0))
        return;
    free(*slot);
    *slot = copy_string(s);
    history_count++;
}

/* Show line AT of the history; behind the last is an empty one. Returns where we are then. */
static size_t history_show(size_t at)
{
    if (at > history_count || at + HISTORY < history_count)
        return at > history_count ? history_count : at + 1;
    replace(at == history_count ? "" : history[at % HISTORY]);
    return at;
}

static size_t history_search(size_t at)
{
    for (size_t i = at; i > 0 && i + HISTORY > history_count; i--) {
        if (strstr(history[(i - 1) % HISTORY], line.text.data) != NULL)
            return history_show(i - 1);
    }
    return at;
}

/* --- keys ------------------------------------------------------------------------------------------------------------ */

static int read_byte(void)
{
    unsigned char c;
    ssize_t got;

    do
        got = read(STDIN_FILENO, &c, 1);
    while (got < 0 && errno == EINTR);
    return got == 1 ? c : -1;
}

/* A byte, or a key that the terminal sends as several: ESC [ A, ESC O A, ESC [ 3 ~ */
static int read_key(void)
{
    int c = read_byte(), number = 0;

    if (c != 27)
        return c;
    c = read_byte();
    if (c != '[' && c != 'O')
        return KEY_NONE;
    while ((c = read_byte()) >= '0' && c <= ';')
        number = number * 10 + c - '0';
    switch (c) {
    case 'A': return KEY_UP;
    case 'B': return KEY_DOWN;
    case 'C': return KEY_RIGHT;
    case 'D': return KEY_LEFT;
    case 'H': return KEY_HOME;
    case 'F': return KEY_END;
    case '~':
        return number == 3                  ? KEY_DELETE
               : number == 1 || number == 7 ? KEY_HOME
               : number == 4 || number == 8 ? KEY_END
                                            : KEY_NONE;
    default: return KEY_NONE;
    }
}

static size_t do_key(int key, size_t at)
{
    char c = (char)key;

    switch (key) {
    case KEY_LEFT:
    case CTRL_KEY('B'): line.cursor = step(line.cursor, -1); break;
    case KEY_RIGHT:
    case CTRL_KEY('F'): line.cursor = step(line.cursor, 1); break;
    case KEY_HOME:
    case CTRL_KEY('A'): line.cursor = 0; break;
    case KEY_END:
    case CTRL_KEY('E'): line.cursor = line.text.length; break;
    case KEY_DELETE:
    case CTRL_KEY('D'): cut(line.cursor, step(line.cursor, 1)); break;
    case 127:
    case CTRL_KEY('H'): cut(step(line.cursor, -1), line.cursor); break;
    case CTRL_KEY('U'): cut(0, line.cursor); break;
    case CTRL_KEY('K'): cut(line.cursor, line.text.length); break;
    case CTRL_KEY('W'): cut(word_start(), line.cursor); break;
    case CTRL_KEY('L'):
        dprintf(STDERR_FILENO, "\x1b[H\x1b[J");
        line.row = 0;
        break;
    case KEY_UP:
    case CTRL_KEY('P'): return history_show(at > 0 ? at - 1 : 0);
    case KEY_DOWN:
    case CTRL_KEY('N'): return history_show(at + 1);
    case CTRL_KEY('R'): return history_search(at);
    case '\t': complete(); break;
    default:
        if (key >= ' ' && key < 256)
            insert(&c, 1);
    }
    return at;
}

/* Edit until Enter (true), the end of input or ^D on an empty line (false). */
static bool edit(void)
{
    size_t at = history_count;

    draw();
    for (;;) {
        int key = read_key();
        if (key == '\r' || key == '\n')
            break;
        if (key < 0 || (key == CTRL_KEY('D') && line.text.length == 0))
            return false;
        if (key == CTRL_KEY('C')) {
            dprintf(STDERR_FILENO, "^C");
            cut(0, line.text.length);
            sh.complained = true;
            return true;
        }
        at = do_key(key, at);
        draw();
    }
    line.cursor = line.text.length;
    draw();
    history_add(line.text.data);
    return true;
}

/* A line and its newline. */
char *edit_line(const char *prompt, size_t *length)
{
    struct termios saved, raw;
    bool good;

    line.prompt = prompt;
    line.text = (struct buffer){0};
    line.cursor = line.row = 0;
    buffer_add(&line.text, "", 0);
    tcgetattr(STDIN_FILENO, &saved);
    raw = saved;
    raw.c_iflag &= (tcflag_t) ~(ICRNL | IXON);
    raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    sh.complained = false;
    good = edit();
    tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
    dprintf(STDERR_FILENO, "\n");
    if (sh.complained)
        abandon(130);
    buffer_put(&line.text, '\n');
    *length = line.text.length;
    return good ? line.text.data : NULL;
}

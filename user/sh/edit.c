/*
 * The line being typed. The terminal is raw while we read it: each key comes at once, and we draw the line
 * ourselves. The prompt is written once; drawing goes back to its end, writes the line, clears what is behind
 * and goes to the cursor. A line longer than the terminal is wide wraps; then rows are counted.
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

static char *history[HISTORY];
static size_t history_count; /* ever added; the last HISTORY of them are kept */

static struct {
    struct buffer text;
    size_t cursor, prompt; /* columns of the prompt */
    size_t row;            /* of the cursor, counted from the prompt's first */
} line;

/* Columns that LENGTH bytes of UTF-8 take. */
static size_t width(const char *s, size_t length)
{
    size_t columns = 0;

    for (size_t i = 0; i < length; i++)
        columns += ((unsigned char)s[i] & 0xc0) != 0x80;
    return columns;
}

static void go(size_t count, char direction)
{
    if (count > 0)
        dprintf(STDERR_FILENO, "\x1b[%zu%c", count, direction);
}

/* Draw the line; of one that grew at its end by ADDED bytes only those. */
static void draw(size_t added)
{
    struct winsize size = {0};
    size_t end = line.prompt + width(line.text.data, line.text.length);
    size_t at = line.prompt + width(line.text.data, line.cursor), columns;

    ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    columns = size.ws_col > 0 ? size.ws_col : 80;
    if (added > 0 && at == end && at % columns != 0) {
        (void)!write(STDERR_FILENO, line.text.data + line.cursor - added, added);
        return;
    }
    go(line.row - line.prompt / columns, 'A');
    dprintf(STDERR_FILENO, "\r");
    go(line.prompt % columns, 'C');
    dprintf(STDERR_FILENO, "%s%s\x1b[J", line.text.data, end % columns == 0 ? "\n" : "");
    line.row = at / columns;
    go(end / columns - line.row, 'A');
    dprintf(STDERR_FILENO, "\r");
    go(at % columns, 'C');
}

/* --- changing the line ------------------------------------------------------------------------ */

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

/* Where the next character begins, or the one before. */
static size_t step(int by)
{
    size_t at = line.cursor;

    do {
        if (at == (by < 0 ? 0 : line.text.length))
            return at;
        at += (size_t)by;
    } while (((unsigned char)line.text.data[at] & 0xc0) == 0x80);
    return at;
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

/* Make the word before the cursor longer, as far as the names of the files that begin so agree. */
static void complete(void)
{
    size_t start = word_start(), typed = line.cursor - start, common = 0;
    char *pattern = arena_string(&scratch, line.text.data + start, typed + 1);
    struct word *found = NULL;

    pattern[typed] = '*';
    glob_names(&found, pattern);
    if (found != NULL)
        common = strlen(found->text);
    for (struct word *w = found; w != NULL; w = w->next)
        while (strncmp(w->text, found->text, common) != 0)
            common--;
    if (common > typed)
        insert(found->text + typed, common - typed);
}

/* Show line AT of the history; behind the last is an empty one. Returns where we are then. */
static size_t history_show(size_t at)
{
    if (at > history_count)
        return history_count;
    if (at + HISTORY < history_count)
        return at + 1;
    cut(0, line.text.length);
    if (at < history_count)
        insert(history[at % HISTORY], strlen(history[at % HISTORY]));
    return at;
}

static size_t history_search(size_t at)
{
    for (size_t i = at; i > 0 && i + HISTORY > history_count; i--)
        if (strstr(history[(i - 1) % HISTORY], line.text.data) != NULL)
            return history_show(i - 1);
    return at;
}

static void history_add(const char *s)
{
    if (*s == '\0' || (history_count > 0 && strcmp(history[(history_count - 1) % HISTORY], s) == 0))
        return;
    free(history[history_count % HISTORY]);
    history[history_count++ % HISTORY] = copy_string(s);
}

/* --- keys ------------------------------------------------------------------------------------- */

static int read_byte(void)
{
    unsigned char c;
    ssize_t got;

    do
        got = read(STDIN_FILENO, &c, 1);
    while (got < 0 && errno == EINTR);
    return got == 1 ? c : -1;
}

/* A byte. What a terminal sends as several, ESC [ A or ESC [ 3 ~, is given as the control key of that sense. */
static int read_key(void)
{
    static const char letters[] = "ABCDHF", numbers[] = "1478";
    int c = read_byte(), number = 0;
    const char *found;

    if (c != 27)
        return c;
    c = read_byte();
    if (c != '[' && c != 'O')
        return 0;
    while ((c = read_byte()) >= '0' && c <= ';')
        number = c;
    if (c == '~' && number == '3')
        return 256;
    if (c == '~' && number != 0 && (found = strchr(numbers, number)) != NULL)
        return CTRL_KEY("AEAE"[found - numbers]);
    found = c > 0 ? strchr(letters, c) : NULL;
    return found != NULL ? CTRL_KEY("PNFBAE"[found - letters]) : 0;
}

/* Do what KEY says; AT is the line of the history that is shown. */
static size_t do_key(int key, size_t at)
{
    char c = (char)key;

    switch (key) {
    case CTRL_KEY('B'): line.cursor = step(-1); break;
    case CTRL_KEY('F'): line.cursor = step(1); break;
    case CTRL_KEY('A'): line.cursor = 0; break;
    case CTRL_KEY('E'): line.cursor = line.text.length; break;
    case 256: /* delete */
    case CTRL_KEY('D'): cut(line.cursor, step(1)); break;
    case 127:
    case CTRL_KEY('H'): cut(step(-1), line.cursor); break;
    case CTRL_KEY('U'): cut(0, line.cursor); break;
    case CTRL_KEY('K'): cut(line.cursor, line.text.length); break;
    case CTRL_KEY('W'): cut(word_start(), line.cursor); break;
    case CTRL_KEY('P'): return history_show(at > 0 ? at - 1 : 0);
    case CTRL_KEY('N'): return history_show(at + 1);
    case CTRL_KEY('R'): return history_search(at);
    case '\t': complete(); break;
    default:
        if (key >= ' ' && key < 256)
            insert(&c, 1);
    }
    return at;
}

/* Edit until Enter or ^C: the key that ended it, or -1: the input did. */
static int edit(const char *prompt)
{
    size_t at = history_count, length;
    int key;

    dprintf(STDERR_FILENO, "%s", prompt);
    for (;;) {
        key = read_key();
        if (key < 0 || (key == CTRL_KEY('D') && line.text.length == 0))
            return -1;
        if (key == '\r' || key == '\n' || key == CTRL_KEY('C'))
            return key;
        if (key == CTRL_KEY('L')) {
            dprintf(STDERR_FILENO, "\x1b[H\x1b[J%s", prompt);
            line.row = 0;
        }
        length = line.text.length;
        at = do_key(key, at);
        draw(line.text.length == length + 1 && key >= ' ');
    }
}

/* A line and its newline, in malloc'ed memory; NULL at the end. */
char *edit_line(const char *prompt, size_t *length)
{
    struct termios saved, raw;
    int end;

    line.text = (struct buffer){0};
    line.cursor = line.row = 0;
    line.prompt = width(prompt, strlen(prompt));
    buffer_add(&line.text, "", 0);
    tcgetattr(STDIN_FILENO, &saved);
    raw = saved;
    raw.c_iflag &= (tcflag_t) ~(ICRNL | IXON);
    raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    end = edit(prompt);
    if (line.cursor != line.text.length) {
        line.cursor = line.text.length;
        draw(0);
    }
    tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
    dprintf(STDERR_FILENO, end == CTRL_KEY('C') ? "^C\n" : "\n");
    if (end == CTRL_KEY('C'))
        abandon(128 + SIGINT);
    history_add(line.text.data);
    buffer_put(&line.text, '\n');
    *length = line.text.length;
    return end < 0 ? NULL : line.text.data;
}

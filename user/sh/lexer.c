/*
 * Characters into tokens.
 *
 * A source holds the text of the command being read and gets more when the lexer runs off its end: a block
 * of a file, a line from the person at the terminal. A token is an operator, a newline or a word. A word
 * is a slice of the text with its quotes and dollars still in it; here we only find where it ends.
 *
 * That is the hard part: the end of "a $(case b in b) echo ")";; esac) c" can be found only by parsing
 * the command inside. So the lexer calls the parser for each $(, and throws its tree away; when the word is
 * expanded, the same functions find the same ends in the word's text.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

struct lexer lexer;

static const struct {
    const char *text;
    int token;
} long_operators[] = {
    {"<<-", T_HERE_TABS}, {"<<", T_HERE},    {"<&", T_IN_DUP},  {"<>", T_READ_WRITE},
    {">>", T_APPEND},     {">&", T_OUT_DUP}, {">|", T_CLOBBER}, {"&&", T_AND},
    {"||", T_OR},         {";;", T_DSEMI},
};

/* --- the source ------------------------------------------------------------------------------- */

struct source source_of_string(const char *text)
{
    size_t length = strlen(text);

    return (struct source){.fd = -1, .text = {(char *)text, length, length}, .line = sh.line};
}

/* Get more text; false at its end. Bytes of value 0 are dropped. */
static bool source_fill(struct source *s)
{
    char block[4096];
    char *line = block;
    ssize_t got;

    if (s->fd < 0 || s->ended)
        return false;
    if (s->edited) {
        const char *prompt = variable_get(s->at == 0 ? "PS1" : "PS2");
        size_t length = 0;
        line = edit_line(expand(prompt != NULL ? prompt : "", AS_HERE_DOCUMENT), &length);
        got = line != NULL ? (ssize_t)length : 0;
    } else {
        do
            got = read(s->fd, block, s->by_byte ? 1 : sizeof block);
        while (got < 0 && errno == EINTR);
    }
    if (got > 0 && sh.option['v'])
        (void)!write(STDERR_FILENO, line, (size_t)got);
    for (ssize_t i = 0; i < got; i++)
        if (line[i] != '\0')
            buffer_put(&s->text, line[i]);
    if (line != block)
        free(line);
    s->ended = got <= 0;
    return !s->ended;
}

static int peek_at(size_t ahead)
{
    struct source *s = lexer.source;

    while (s->at + ahead >= s->text.length)
        if (!source_fill(s))
            return EOF;
    return (unsigned char)s->text.data[s->at + ahead];
}

static int take(void)
{
    int c = peek_at(0);

    if (c != EOF)
        lexer.source->at++;
    if (c == '\n')
        lexer.source->line++;
    return c;
}

/* --- where things end ------------------------------------------------------------------------- */

static void scan_dollar(bool quoted);

static void scan_single_quotes(void)
{
    for (int c; (c = take()) != '\'';)
        if (c == EOF)
            fail("Syntax error: Unterminated quoted string");
}

/* Take everything up to the byte END that no quote or $ hides; in double quotes ' is a byte like others. */
static void scan_until(int end, bool quoted, bool single_quotes)
{
    for (int c; (c = take()) != end;) {
        if (c == EOF)
            fail("Syntax error: %s", end == '}'   ? "Missing '}'"
                                     : end == '`' ? "EOF in backquote substitution"
                                                  : "Unterminated quoted string");
        if (c == '\\')
            take();
        else if (end == '`')
            continue;
        else if (c == '\'' && single_quotes)
            scan_single_quotes();
        else if (c == '"')
            scan_until('"', true, false);
        else if (c == '`')
            scan_until('`', false, false);
        else if (c == '$')
            scan_dollar(quoted);
    }
}

/* Behind ${: a parameter, perhaps an operator, and words. In ${x#'y'} the quotes quote even inside "". */
static void scan_parameter(bool quoted)
{
    if (peek_at(0) == '#')
        take();
    if (isalnum(peek_at(0)) || peek_at(0) == '_')
        while (isalnum(peek_at(0)) || peek_at(0) == '_')
            take();
    else if (peek_at(0) != EOF && strchr("@*?$!-#", peek_at(0)) != NULL)
        take();
    scan_until('}', quoted, !quoted || peek_at(0) == '%' || peek_at(0) == '#');
}

static void scan_two_parentheses(void)
{
    for (int depth = 2; depth > 0;) {
        int c = take();
        if (c == EOF)
            fail("Syntax error: Missing '))'");
        depth += (c == '(') - (c == ')');
        if (c == '\\')
            take();
        else if (c == '$')
            scan_dollar(true);
        else if (c == '`')
            scan_until('`', false, false);
    }
}

/* Behind a $. */
static void scan_dollar(bool quoted)
{
    check_stack();
    if (peek_at(0) == '{') {
        take();
        scan_parameter(quoted);
    } else if (peek_at(0) == '(' && peek_at(1) == '(') {
        take();
        take();
        scan_two_parentheses();
    } else if (peek_at(0) == '(') {
        struct lexer outer = lexer;
        take();
        lexer = (struct lexer){.source = outer.source, .program = outer.program};
        parse_until(')');
        lexer = outer;
    }
}

/* How long the thing is that SCAN finds at the beginning of TEXT. */
static size_t scan_text(const char *text, bool quoted, void (*scan)(bool))
{
    struct lexer outer = lexer;
    struct source source = source_of_string(text);
    struct program thrown_away = {.arena = {NULL}};

    lexer = (struct lexer){.source = &source, .program = &thrown_away};
    scan(quoted);
    lexer = outer;
    arena_release(&thrown_away.arena, (struct mark){NULL, 0});
    return source.at;
}

static void scan_to_brace(bool quoted)
{
    scan_until('}', quoted, !quoted);
}

static void scan_arithmetic_text(bool quoted)
{
    (void)quoted;
    scan_two_parentheses();
}

size_t scan_braces(const char *text, bool quoted)
{
    return scan_text(text, quoted, scan_to_brace);
}

size_t scan_arithmetic(const char *text)
{
    return scan_text(text, true, scan_arithmetic_text);
}

/* --- tokens ----------------------------------------------------------------------------------- */

static void scan_word(void)
{
    for (;;) {
        int c = peek_at(0);
        if (c == EOF || strchr(" \t\n;&|<>()", c) != NULL)
            return;
        take();
        if (c == '\\')
            take();
        else if (c == '\'')
            scan_single_quotes();
        else if (c == '"' || c == '`')
            scan_until(c, c == '"', false);
        else if (c == '$')
            scan_dollar(false);
    }
}

/* The lines up to the delimiter; the end of the text is as good as the delimiter. */
static void read_here_document(struct redirect *r)
{
    struct buffer text = {0};
    char *delimiter = r->word;

    for (;;) {
        size_t start, length;
        bool continued =
            !r->quoted && text.length > 1 && strcmp(text.data + text.length - 2, "\\\n") == 0;
        while (r->type == T_HERE_TABS && peek_at(0) == '\t')
            take();
        if (peek_at(0) == EOF)
            break;
        start = lexer.source->at;
        for (int c; (c = take()) != '\n' && c != EOF;)
            ;
        length = lexer.source->at - start;
        const char *line = lexer.source->text.data + start;
        size_t bare = length - (line[length - 1] == '\n');
        if (!continued && bare == strlen(delimiter) && memcmp(line, delimiter, bare) == 0)
            break;
        buffer_add(&text, line, length);
    }
    r->word = arena_string(&lexer.program->arena, text.data != NULL ? text.data : "", text.length);
    free(text.data);
}

static void skip_blanks(void)
{
    for (;;) {
        int c = peek_at(0);
        if (c == ' ' || c == '\t') {
            take();
        } else if (c == '\\' && peek_at(1) == '\n') {
            take();
            take();
        } else if (c == '#') {
            while (peek_at(0) != '\n' && peek_at(0) != EOF)
                take();
        } else {
            return;
        }
    }
}

static int read_operator(void)
{
    for (size_t i = 0; i < sizeof long_operators / sizeof long_operators[0]; i++) {
        const char *text = long_operators[i].text;
        size_t length = 0;
        while (text[length] != '\0' && peek_at(length) == text[length])
            length++;
        if (text[length] != '\0')
            continue;
        while (length-- > 0)
            take();
        return long_operators[i].token;
    }
    return strchr("\n;&|()<>", peek_at(0)) != NULL ? take() : T_WORD;
}

static int read_token(void)
{
    struct source *s = lexer.source;
    int token;

    skip_blanks();
    lexer.start = s->at;
    lexer.io_number = -1;
    if (peek_at(0) == EOF)
        return T_END;
    if (isdigit(peek_at(0)) && (peek_at(1) == '<' || peek_at(1) == '>'))
        lexer.io_number = take() - '0';
    token = read_operator();
    if (token == T_WORD) {
        scan_word();
        lexer.text =
            arena_string(&lexer.program->arena, s->text.data + lexer.start, s->at - lexer.start);
    }
    for (; token == '\n' && lexer.here != NULL; lexer.here = lexer.here->next_here)
        read_here_document(lexer.here);
    return token;
}

/* The next token, which stays the next. */
int token_peek(void)
{
    if (!lexer.have)
        lexer.token = read_token();
    lexer.have = true;
    return lexer.token;
}

int token_take(void)
{
    int token = token_peek();

    lexer.have = false;
    return token;
}

/*
 * Characters into operators and words. The parser asks whether an operator or reserved word is next, or takes
 * a word: a slice of the text with its quotes and dollars still in it. Here we only find where it ends.
 *
 * That is the hard part: the end of "a $(case b in b) echo ")";; esac) c" can be found only by parsing
 * the command inside. So the lexer calls the parser for each $( and forgets its tree; when the word is
 * expanded, the same functions find the same ends in the word's text.
 */
#include "sh.h"

#define DELIMITERS " \t\n;&|<>()"

struct source *input;

/* The byte AHEAD of the next one. Get more text for it; bytes of value 0 are dropped. */
int peek(size_t ahead)
{
    while (input->at + ahead >= input->length) {
        char block[4096], *from = block;
        ssize_t got = 0;
        if (input->fd == STDIN_FILENO && sh.top != NULL)
            got = (ssize_t)strlen(from = edit_line(input->at == 0 ? "PS1" : "PS2"));
        else if (input->fd >= 0) /* what stands behind a command may be for it: byte by byte */
            got = read(input->fd, block, input->fd == STDIN_FILENO ? 1 : sizeof block);
        if (got <= 0) {
            input->fd = -1;
            return EOF;
        }
        input->text = allocate(input->text, (input->length + (size_t)got + 4095) & ~(size_t)4095);
        for (ssize_t i = 0; i < got; i++)
            if (from[i] != '\0')
                input->text[input->length++] = from[i];
    }
    return (unsigned char)input->text[input->at + ahead];
}

static int take(void)
{
    int c = peek(0);
    input->at += c != EOF;
    input->line += c == '\n';
    return c;
}

static void scan_dollar(bool quoted);

/* Behind the byte C: what it opens, up to its end. In double quotes ' is a byte like others. */
static void scan_opened(int c, bool quoted)
{
    if (c == EOF)
        fail("Syntax error: end of file in a quote or substitution");
    if (c == '`')
        fail("Syntax error: `...` is written $(...) here");
    if (c == '\\')
        take();
    else if (c == '$')
        scan_dollar(quoted);
    else if (c == '"' || (c == '\'' && !quoted))
        for (int next; (next = take()) != c;) /* in '' nothing hides the end */
            if (next == EOF || c == '"')
                scan_opened(next, true);
}

/* Behind a $. */
static void scan_dollar(bool quoted)
{
    struct redirect *here = input->here;
    int c = peek(0), depth = 0;
    check_stack();
    if (c == '(' && peek(1) == '(') {
        do {
            c = take();
            depth += (c == '(') - (c == ')');
            scan_opened(c, true);
        } while (depth > 0);
    } else if (c == '(') {
        take();
        input->here = NULL;
        parse_list(false);
        expect(")");
        input->here = here;
    } else if (c == '{') {
        take();
        take(); /* a name begins, or it is one byte, as of ${#} */
        while (isalnum(c = peek(0)) || c == '_')
            take();
        while ((c = take()) != '}')
            scan_opened(c, quoted);
    }
}

/* The length of what a $ before TEXT begins. */
size_t scan_expansion(const char *text, bool quoted)
{
    struct source *outer = input, source = {.fd = -1, .text = (char *)text, .length = strlen(text)};
    struct block *mark = newest;
    input = &source;
    scan_dollar(quoted);
    input = outer;
    stack_release(mark);
    return source.at;
}

void skip_blanks(void)
{
    int c;
    for (; (c = peek(0)) == ' ' || c == '\t' || (c == '\\' && peek(1) == '\n'); take())
        input->at += c == '\\';
    for (bool comment = c == '#'; comment && c != '\n' && c != EOF; c = peek(0))
        take();
}

/* Whether TEXT is next: a reserved word, an operator that is no part of a longer one, "" for the end. */
bool at(const char *text)
{
    size_t length = 0;
    for (skip_blanks(); text[length] != '\0' && peek(length) == text[length];)
        length++;
    if (text[length] != '\0' || *text == '\n')
        return text[length] == '\0';
    int next = peek(length);
    if (*text != '\0' && strchr(DELIMITERS, *text) != NULL)
        return length > 1 || next != *text || *text == '(' || *text == ')';
    return next == EOF || (length > 0 && strchr(DELIMITERS, next) != NULL);
}

/* The lines up to the delimiter; the end of the text is as good as the delimiter. */
static void read_here_document(struct redirect *r)
{
    struct buffer text = {.data = ""};
    for (;;) {
        while (r->op[2] == '-' && peek(0) == '\t')
            take();
        size_t start = input->at;
        for (int c; (c = take()) != '\n' && c != EOF;)
            ;
        char *line = stack_string(input->text + start, input->at - start);
        if (*line == '\0' || (strncmp(line, r->word, strlen(r->word)) == 0 &&
                              strchr("\n", line[strlen(r->word)]) != NULL))
            break;
        while (*line != '\0')
            buffer_put(&text, *line++);
    }
    r->word = text.data;
}

/* Take TEXT if it is next. Behind a newline the here-documents of its line are read. */
bool skip(const char *text)
{
    if (!at(text))
        return false;
    for (; *text != '\0'; text++)
        if (take() == '\n')
            for (; input->here != NULL; input->here = input->here->next_here)
                read_here_document(input->here);
    return true;
}

void unexpected(void)
{
    sh.line = input->line;
    const char *what = at("") ? "end of file" : at_word() ? take_word() : "operator";
    fail("Syntax error: %s unexpected", what);
}

void expect(const char *text)
{
    if (!skip(text))
        unexpected();
}

bool at_word(void)
{
    skip_blanks();
    return peek(0) != EOF && strchr(DELIMITERS, peek(0)) == NULL;
}

/* As it was typed. */
char *take_word(void)
{
    if (!at_word())
        unexpected();
    size_t start = input->at;
    while (peek(0) != EOF && strchr(DELIMITERS, peek(0)) == NULL)
        scan_opened(take(), false);
    return stack_string(input->text + start, input->at - start);
}

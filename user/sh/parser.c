/*
 * Tokens into a tree, by recursive descent: one function for each rule of the grammar of POSIX.
 *
 *     list      and_or { (; | & | newline) and_or }
 *     and_or    pipeline { (&& | ||) pipeline }
 *     pipeline  [!] command { | command }
 *     command   simple | compound with redirections | function definition
 *
 * A reserved word is one only where a command may begin, and only without quotes: the text of a word still
 * has its quotes, so comparing is enough. The tree of a line, its words included, lies in the arena of a
 * struct program. Functions outlive the line that defines them: they hold a reference to its program.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sh.h"

static struct node *parse_list(bool one_line);

static void *tree_alloc(size_t size)
{
    return arena_alloc(&lexer.program->arena, size);
}

static struct node *new_node(int type, struct node *a)
{
    struct node *n = tree_alloc(sizeof *n);

    n->type = type;
    n->line = lexer.source->line;
    n->a = a;
    return n;
}

static _Noreturn void unexpected(void)
{
    int token = token_peek();
    const char *text = lexer.text;

    if (token != T_WORD)
        text = arena_string(&scratch, lexer.source->text.data + lexer.start,
                            lexer.source->at - lexer.start);
    if (token == T_END)
        fail("Syntax error: end of file unexpected");
    fail("Syntax error: %s%s%s unexpected", token == '\n' ? "" : "\"",
         token == '\n' ? "newline" : text, token == '\n' ? "" : "\"");
}

static bool at_word(const char *text)
{
    return token_peek() == T_WORD && strcmp(lexer.text, text) == 0;
}

static bool accept_word(const char *text)
{
    bool found = at_word(text);

    if (found)
        token_take();
    return found;
}

static void expect_word(const char *text)
{
    if (!accept_word(text))
        unexpected();
}

static bool accept(int token)
{
    bool found = token_peek() == token;

    if (found)
        token_take();
    return found;
}

static char *take_word(void)
{
    if (token_peek() != T_WORD)
        unexpected();
    token_take();
    return lexer.text;
}

static void skip_newlines(void)
{
    while (accept('\n'))
        ;
}

static struct word **add_word(struct word **tail, char *text)
{
    *tail = tree_alloc(sizeof **tail);
    (*tail)->text = text;
    return &(*tail)->next;
}

/* What was typed from offset START up to the token that comes next. */
static char *typed_since(size_t start)
{
    const char *text = lexer.source->text.data;
    size_t end;

    token_peek();
    end = lexer.start;
    while (end > start && isspace((unsigned char)text[end - 1]))
        end--;
    return arena_string(&lexer.program->arena, text + start, end - start);
}

bool is_name(const char *s, size_t length)
{
    if (length == 0 || isdigit((unsigned char)s[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)s[i]) && s[i] != '_')
            return false;
    return true;
}

/* --- redirections ----------------------------------------------------------------------------- */

static bool accept_redirect(struct redirect ***tail)
{
    int token = token_peek();
    struct redirect *r;

    if (token != '<' && token != '>' && token < T_READ_WRITE)
        return false;
    r = tree_alloc(sizeof *r);
    r->type = token;
    r->fd = lexer.io_number;
    if (r->fd < 0)
        r->fd = token == '>' || token == T_APPEND || token == T_OUT_DUP || token == T_CLOBBER;
    token_take();
    r->word = take_word();
    if (token == T_HERE || token == T_HERE_TABS) {
        struct redirect **here = &lexer.here;
        while (*here != NULL)
            here = &(*here)->next_here;
        *here = r;
        r->quoted = strpbrk(r->word, "\\'\"") != NULL;
        r->word = remove_quotes(r->word);
        r->word = arena_string(&lexer.program->arena, r->word, strlen(r->word));
    }
    **tail = r;
    *tail = &r->next;
    return true;
}

/* --- commands --------------------------------------------------------------------------------- */

static struct node *parse_command(void);

/* The list inside a compound command, which may not be empty. */
static struct node *parse_body(void)
{
    struct node *list = parse_list(false);

    if (list == NULL)
        unexpected();
    return list;
}

static struct node *parse_if(void)
{
    struct node *n = new_node(N_IF, parse_body());

    expect_word("then");
    n->b = parse_body();
    if (accept_word("elif")) {
        n->c = parse_if();
        return n; /* the fi was taken by the inner one */
    }
    if (accept_word("else"))
        n->c = parse_body();
    expect_word("fi");
    return n;
}

static struct node *parse_do(void)
{
    struct node *body;

    expect_word("do");
    body = parse_body();
    expect_word("done");
    return body;
}

static struct node *parse_while(int type)
{
    struct node *n = new_node(type, parse_body());

    n->b = parse_do();
    return n;
}

static struct node *parse_for(void)
{
    struct node *n = new_node(N_FOR, NULL);
    struct word **tail = &n->words;

    n->name = take_word();
    if (!is_name(n->name, strlen(n->name)))
        fail("Syntax error: Bad for loop variable");
    skip_newlines();
    if (accept_word("in")) {
        while (token_peek() == T_WORD)
            tail = add_word(tail, take_word());
        if (!accept(';') && !accept('\n'))
            unexpected();
    } else {
        add_word(tail, "\"$@\"");
        accept(';');
    }
    skip_newlines();
    n->b = parse_do();
    return n;
}

static struct node *parse_case(void)
{
    struct node *n = new_node(N_CASE, NULL);
    struct node **items = &n->a;

    add_word(&n->words, take_word());
    skip_newlines();
    expect_word("in");
    for (skip_newlines(); !accept_word("esac"); skip_newlines()) {
        struct node *item = new_node(N_ITEM, NULL);
        struct word **patterns = &item->words;
        accept('(');
        do
            patterns = add_word(patterns, take_word());
        while (accept('|'));
        if (!accept(')'))
            unexpected();
        item->a = parse_list(false);
        *items = item;
        items = &item->next;
        if (!accept(T_DSEMI) && !at_word("esac"))
            unexpected();
    }
    return n;
}

static struct node *parse_function(char *name)
{
    struct node *n = new_node(N_FUNCTION, NULL);

    token_take();
    if (!accept(')'))
        unexpected();
    if (!is_name(name, strlen(name)))
        fail("Syntax error: Bad function name");
    skip_newlines();
    n->name = name;
    n->program = lexer.program;
    n->a = parse_command();
    return n;
}

static struct node *parse_simple(void)
{
    struct node *n = new_node(N_SIMPLE, NULL);
    struct word **words = &n->words, **assigns = &n->assigns;
    struct redirect **redirects = &n->redirects;

    for (;;) {
        if (accept_redirect(&redirects))
            continue;
        if (token_peek() == '(' && n->words != NULL && n->words->next == NULL &&
            n->assigns == NULL && n->redirects == NULL)
            return parse_function(n->words->text);
        if (token_peek() != T_WORD)
            break;
        char *text = take_word();
        const char *equals = strchr(text, '=');
        if (n->words == NULL && equals != NULL && is_name(text, (size_t)(equals - text)))
            assigns = add_word(assigns, text);
        else
            words = add_word(words, text);
    }
    if (n->words == NULL && n->assigns == NULL && n->redirects == NULL)
        unexpected();
    return n;
}

static struct node *parse_enclosed(int type)
{
    struct node *n = new_node(type, parse_body());

    if (type == N_SUBSHELL && !accept(')'))
        unexpected();
    if (type == N_GROUP)
        expect_word("}");
    return n;
}

/* The words that end a list come first. */
static const char *const reserved[] = {"then", "else",  "elif",  "fi",  "do", "done", "esac", "}",
                                       "if",   "while", "until", "for", "in", "case", "{",    "!"};

static bool is_one_of(const char *s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(s, reserved[i]) == 0)
            return true;
    return false;
}

bool is_reserved(const char *s)
{
    return is_one_of(s, sizeof reserved / sizeof reserved[0]);
}

static bool at_closing_word(void)
{
    return token_peek() == T_WORD && is_one_of(lexer.text, 8);
}

static struct node *parse_command(void)
{
    struct redirect **redirects;
    struct node *n;

    check_stack();
    if (at_closing_word())
        unexpected();
    if (accept('('))
        n = parse_enclosed(N_SUBSHELL);
    else if (accept_word("{"))
        n = parse_enclosed(N_GROUP);
    else if (accept_word("if"))
        n = parse_if();
    else if (accept_word("while"))
        n = parse_while(N_WHILE);
    else if (accept_word("until"))
        n = parse_while(N_UNTIL);
    else if (accept_word("for"))
        n = parse_for();
    else if (accept_word("case"))
        n = parse_case();
    else
        return parse_simple();
    for (redirects = &n->redirects; accept_redirect(&redirects);)
        ;
    return n;
}

/* --- pipelines and lists ---------------------------------------------------------------------- */

static struct node *parse_pipeline(void)
{
    bool inverted = false;
    struct node *n, **stages;
    size_t start;

    token_peek();
    start = lexer.start;
    while (accept_word("!"))
        inverted = !inverted;
    n = parse_command();
    if (token_peek() == '|') {
        n = new_node(N_PIPE, n);
        for (stages = &n->a->next; accept('|'); stages = &(*stages)->next) {
            skip_newlines();
            *stages = parse_command();
        }
    }
    n->text = typed_since(start);
    return inverted ? new_node(N_NOT, n) : n;
}

static struct node *parse_and_or(void)
{
    struct node *n = parse_pipeline();

    while (token_peek() == T_AND || token_peek() == T_OR) {
        n = new_node(token_take() == T_AND ? N_AND : N_OR, n);
        skip_newlines();
        n->b = parse_pipeline();
    }
    return n;
}

/* Commands until something that can't begin one, or (ONE_LINE) the end of the line; NULL: there is none. */
static struct node *parse_list(bool one_line)
{
    struct node *list = NULL, **tail = &list;

    for (;;) {
        size_t start;
        while (!one_line && accept('\n'))
            ;
        if (token_peek() == T_END || token_peek() == ')' || token_peek() == T_DSEMI ||
            token_peek() == '\n' || at_closing_word())
            break;
        start = lexer.start;
        *tail = parse_and_or();
        if (token_peek() == '&') {
            *tail = new_node(N_BACKGROUND, *tail);
            (*tail)->text = typed_since(start);
        }
        tail = &(*tail)->next;
        if (!accept(';') && !accept('&') && (one_line || token_peek() != '\n'))
            break;
    }
    if (list == NULL || list->next == NULL)
        return list;
    return new_node(N_LIST, list);
}

/* A list and the token END behind it. */
struct node *parse_until(int end)
{
    struct node *list = parse_list(false);

    if (!accept(end))
        unexpected();
    return list;
}

/* --- programs --------------------------------------------------------------------------------- */

static struct program *program_new(void)
{
    struct program *p = allocate(NULL, sizeof *p);

    *p = (struct program){.references = 1};
    return p;
}

void program_put(struct program *p)
{
    if (--p->references > 0)
        return;
    arena_release(&p->arena, (struct mark){NULL, 0});
    free(p);
}

/* The next line of commands; more lines than one when a command goes on. */
struct program *parse_line(struct source *source)
{
    struct lexer outer = lexer;
    struct program *p = program_new();
    int end;

    if (source->fd >= 0 && source->at > 0) { /* forget what was run */
        memmove(source->text.data, source->text.data + source->at,
                source->text.length - source->at);
        source->text.length -= source->at;
        source->at = 0;
    }
    lexer = (struct lexer){.source = source, .program = p};
    p->node = parse_list(true);
    end = token_take();
    if (end != '\n' && end != T_END) {
        lexer.have = true;
        unexpected();
    }
    lexer = outer;
    if (end == T_END && p->node == NULL) {
        program_put(p);
        return NULL;
    }
    return p;
}

/* The command of a substitution: TEXT up to END, ')' or T_END; USED says how much of TEXT it was. */
struct program *parse_substitution(const char *text, int end, size_t *used)
{
    struct lexer outer = lexer;
    struct source source = source_of_string(text);
    struct program *p = program_new();

    lexer = (struct lexer){.source = &source, .program = p};
    p->node = parse_until(end);
    *used = source.at;
    lexer = outer;
    return p;
}

/*
 * Text into a tree, by recursive descent: a function for each rule of the grammar of POSIX.
 *
 *     list      pipeline { (&& | || | ; | & | newline) pipeline }
 *     pipeline  [!] command { | command }
 *     command   simple | compound with redirections | function definition
 *
 * A reserved word is one only where a command may begin: nobody else asks for it.
 */
#include "sh.h"

static struct node *parse_command(void);

static struct node *new_node(enum kind kind, struct node *a)
{
    struct node *n = stack_alloc(sizeof *n);
    *n = (struct node){.kind = kind, .line = input->line, .a = a};
    return n;
}

static void skip_newlines(void)
{
    while (skip("\n"))
        ;
}

/* Take a word and put it behind the others of a list; returns the new end of that. */
static struct word **add_word(struct word **tail)
{
    *tail = stack_alloc(sizeof **tail);
    (*tail)->text = take_word();
    return &(*tail)->next;
}

/* Take all redirections that are next. */
static void take_redirects(struct redirect ***tail)
{
    static const char *const operators[] = {"<<-", "<<", "<&", "<>", "<", ">>", ">&", ">|", ">"};
    for (;;) {
        int i = 0, number = (skip_blanks(), peek(0));
        number = isdigit(number) && (peek(1) == '<' || peek(1) == '>') ? number - '0' : -1;
        input->at += number >= 0;
        if (peek(0) != '<' && peek(0) != '>')
            return;
        while (!skip(operators[i]))
            i++;
        struct redirect *r = **tail = stack_alloc(sizeof *r), **here = &input->here;
        *tail = &r->next;
        *r = (struct redirect){
            .op = operators[i], .fd = number >= 0 ? number : i > 4, .word = take_word()};
        if (i > 1)
            continue;
        r->quoted = strpbrk(r->word, "\\'\"") != NULL; /* nothing is expanded in the delimiter */
        for (char *from = r->word, *to = from; (*to = *from) != '\0'; from++)
            to += strchr("\\'\"", *from) == NULL;
        while (*here != NULL)
            here = &(*here)->next_here;
        *here = r;
    }
}

/* The list inside a compound command, which may not be empty, and the word END behind it, if any. */
static struct node *parse_body(const char *end)
{
    struct node *list = parse_list(false);
    if (list == NULL || (end != NULL && !skip(end)))
        unexpected();
    return list;
}

static struct node *parse_if(void)
{
    struct node *n = new_node(IF, parse_body("then"));
    n->b = parse_body(NULL);
    if (skip("elif"))
        n->c = parse_if();
    else if (skip("else"))
        n->c = parse_body("fi");
    else
        expect("fi");
    return n;
}

static struct node *parse_for(void)
{
    static struct word parameters = {.text = "\"$@\""};
    struct node *n = new_node(FOR, NULL);
    struct word **tail = add_word(&n->words);
    if (!is_name(n->words->text, strlen(n->words->text)))
        fail("Syntax error: Bad for loop variable");
    skip_newlines();
    if (!skip("in"))
        *tail = &parameters;
    while (*tail == NULL && at_word())
        tail = add_word(tail);
    skip(";");
    skip_newlines();
    expect("do");
    n->b = parse_body("done");
    return n;
}

/* Each item is a node of its own, with patterns and a list. */
static struct node *parse_case(void)
{
    struct node *n = new_node(CASE, NULL), *item = n;
    add_word(&n->words);
    skip_newlines();
    expect("in");
    for (skip_newlines(); !skip("esac"); skip_newlines()) {
        item = item->b = new_node(CASE, NULL);
        struct word **tail = &item->words;
        skip("(");
        do
            tail = add_word(tail);
        while (skip("|"));
        expect(")");
        item->a = parse_list(false);
        skip(";;");
    }
    return n;
}

/* Assignments, words and redirections; or NAME ( ) and the command that NAME becomes. */
static struct node *parse_simple(void)
{
    struct node *n = new_node(SIMPLE, NULL);
    struct word **words = &n->words, **assigns = &n->assigns;
    struct redirect **redirects = &n->redirects;
    while (take_redirects(&redirects), at_word()) {
        words = add_word(words);
        char *first = n->words->text;
        if (words != &n->words->next)
            continue;
        if (strchr(first, '=') != NULL && is_name(first, strcspn(first, "="))) {
            *assigns = n->words;
            assigns = words;
            n->words = NULL;
            words = &n->words;
        } else if (skip("(")) {
            expect(")");
            if (!is_name(first, strlen(first)))
                fail("Syntax error: Bad function name");
            skip_newlines();
            size_t start = input->at;
            parse_command();
            n->kind = FUNCTION;
            n->text = stack_string(input->text + start, input->at - start);
            return n;
        }
    }
    if (n->words == NULL && n->assigns == NULL && n->redirects == NULL)
        unexpected();
    return n;
}

static struct node *parse_command(void)
{
    bool subshell = skip("("), until;
    struct node *n;
    check_stack();
    if (subshell || skip("{")) {
        n = new_node(GROUP, parse_body(subshell ? ")" : "}"));
    } else if (skip("if")) {
        n = parse_if();
    } else if ((until = skip("until")) || skip("while")) {
        n = new_node(WHILE, parse_body("do"));
        n->a = until ? new_node(NOT, n->a) : n->a;
        n->b = parse_body("done");
    } else if (skip("for")) {
        n = parse_for();
    } else if (skip("case")) {
        n = parse_case();
    } else {
        return parse_simple();
    }
    struct redirect **redirects = &n->redirects;
    take_redirects(&redirects);
    return subshell ? new_node(PIPE, n) : n;
}

static struct node *parse_pipeline(void)
{
    if (skip("!"))
        return new_node(NOT, parse_pipeline());
    struct node *n = parse_command();
    if (skip("|")) {
        n = new_node(PIPE, n);
        skip_newlines();
        n->b = parse_pipeline();
    }
    return n;
}

/* Commands up to what can't begin one, or (ONE_LINE) the end of the line; NULL: there is none. */
struct node *parse_list(bool one_line)
{
    static const char *const closing[] = {"",     "\n", ")",  ";;",   "then", "else",
                                          "elif", "fi", "do", "done", "esac", "}"};
    struct node *list = NULL, **tail = &list;
    do {
        if (!one_line)
            skip_newlines();
        for (size_t i = 0; i < sizeof closing / sizeof closing[0]; i++)
            if (at(closing[i]))
                return list;
        struct node *n = parse_pipeline();
        for (bool and; (and = skip("&&")) || skip("||"); n->b = parse_pipeline()) {
            n = new_node(and? AND : OR, n);
            skip_newlines();
        }
        *tail = new_node(LIST, at("&") ? new_node(BACKGROUND, n) : n);
        tail = &(*tail)->b;
    } while (skip(";") || skip("&") || (!one_line && at("\n")));
    return list;
}

/* The next line of commands; more lines than one when a command goes on. False: there is none. */
bool parse_line(struct source *s, struct node **list)
{
    struct source *outer = input;
    s->length -= s->at; /* forget what was run */
    memmove(s->text, s->text + s->at, s->length);
    s->at = 0;
    input = s;
    s->here = NULL;
    *list = parse_list(true);
    bool more = at("") ? *list != NULL : (expect("\n"), true);
    for (; s->here != NULL; s->here = s->here->next_here) /* the text ends before its line does */
        s->here->word = "";
    sh.text = stack_string(s->text, s->at);
    sh.text[strcspn(sh.text, "\n")] = '\0';
    input = outer;
    return more;
}

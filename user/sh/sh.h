/*
 * sh: a shell small enough to be read in an evening, with POSIX's language but for `...`, ${x#y}, eval, trap and
 * the options of set. A line of text becomes processes in five steps:
 *
 *     lexer.c    characters into operators and words; a word keeps its quotes, as typed
 *     parser.c   those into a tree of struct node
 *     expand.c   the words of a command into arguments: $x, $(cmd), $((1+1)), splitting, * ? [..]
 *     exec.c     walk the tree: redirect, connect by pipes, run
 *     jobs.c     start children and wait for them: in the foreground, in the background, stopped
 *
 * Around them: memory.c, vars.c, arith.c, redirect.c, builtins.c, test.c, edit.c (the line being typed) and main.c
 * (start, options, errors). One thread, so nothing here has a lock.
 */
#pragma once

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct buffer { /* a string that grows, on the stack of memory.c; data begins as "" */
    char *data;
    size_t length, room;
};
extern struct block *newest; /* the mark */
void *stack_alloc(size_t size), *allocate(void *old, size_t size);
char *stack_string(const char *s, size_t length), *number_string(long long number);
void stack_release(struct block *mark), buffer_put(struct buffer *b, char c);

struct word {
    struct word *next;
    char *text; /* in the tree: as typed, with its quotes; after expansion: plain */
};
struct redirect {
    struct redirect *next, *next_here; /* next_here: the next here-document whose text is to come */
    const char *op;
    int fd;
    char *word; /* file name or descriptor; of a here-document the delimiter, later the text */
    bool quoted;
};
/*
 * assigns words    a | b, or ( a )    ! a    a && b    a || b    a; b    a &    { a }    if a then b else c
 * while a do b    for words[0] in words[1..] do b    case words in b, where b is: words) a ;; b    words() text
 */
enum kind { SIMPLE, PIPE, NOT, AND, OR, LIST, BACKGROUND, GROUP, IF, WHILE, FOR, CASE, FUNCTION };
struct node {
    enum kind kind;
    int line;
    struct node *a, *b, *c;
    struct word *words, *assigns;
    struct redirect *redirects;
    char *text;
};
struct source {            /* where text comes from */
    int fd;                /* -1: the rest of it is in text */
    char *text;            /* of the command being read, and perhaps more */
    size_t length, at;     /* at: the next byte to look at */
    struct redirect *here; /* here-documents whose text begins behind the next newline */
    int line;
};
extern struct source *input;
int peek(size_t ahead);
void skip_blanks(void), expect(const char *text), unexpected(void);
bool at(const char *text), skip(const char *text), at_word(void);
char *take_word(void);
size_t scan_expansion(const char *text, bool quoted);
struct node *parse_list(bool one_line);
bool parse_line(struct source *source, struct node **list);

/* BRACE: the unquoted word of ${x-word}, which is split too. HERE: a " is a byte like others. */
enum mode { PLAIN, ASSIGNMENT, BRACE, QUOTED, HERE };
struct variable {
    struct variable *next;
    char *value; /* NULL: not set */
    bool exported;
    char name[];
};
struct parameters { /* $1 $2 ... */
    char **values;
    int count;
    char **owned; /* to be freed when they are replaced; NULL: somebody else's */
};
struct word *expand_words(struct word *words), *split_fields(const char *line, bool raw, int count);
char *expand(const char *word, enum mode mode);         /* to one string */
char *expand_pattern(const char *word, enum mode mode); /* what was quoted has a backslash */
long long arithmetic(const char *expression);
size_t name_length(const char *s);
bool is_name(const char *s, size_t length);
const char *variable_get(const char *name);
struct variable *variable_set(const char *name, const char *value);
void variable_export(struct variable *v, bool exported), parameters_set(char **values, int count);
char *function_name(const char *name);

struct undo { /* what a command changed for itself */
    struct undo *next;
    struct variable *variable; /* NULL: no variable, but */
    const char *value;
    bool exported, is_parameters; /* if neither: a descriptor */
    struct parameters parameters;
    int fd, copy; /* copy: what it was, above 10; -1: it was closed */
};
int execute(struct node *n, bool last); /* last: this process has nothing to do afterwards */
int run_source(struct source *source, bool last), run_string(const char *text, bool last);
_Noreturn void exec_program(char **argv);
bool redirect(struct redirect *list, bool save);
void undo_push(struct undo state), undo_to(struct undo *mark), make_pipe(int ends[2]);
int move_high(int fd);

pid_t job_fork(pid_t *group, bool background);
int job_wait(pid_t group, bool background), exit_status(int status);
void jobs_report(bool all), job_control(void), signals_set(bool at_terminal);
char *edit_line(const char *name);

typedef int builtin(int argc, char **argv);
builtin *builtin_find(const char *name), builtin_exit, builtin_jobs, builtin_kill, builtin_test,
    builtin_wait;

extern struct shell {
    const char *name; /* $0 */
    struct parameters parameters;
    int status;            /* $? */
    pid_t pid, background; /* $$; $! or 0 */
    int line;              /* of the command that runs */
    char *text;            /* its first line, as typed */
    struct undo *undo;     /* newest first */
    int loops, levels;     /* that we are in; that break and continue still have to leave */
    int substitution;      /* status of the last $(...), for a command without words */
    volatile sig_atomic_t interrupted; /* Ctrl-C came */
    jmp_buf *top; /* NULL, or a person types the commands: where to go on after an error */
    enum { UNWIND_NONE, UNWIND_BREAK, UNWIND_CONTINUE, UNWIND_RETURN } unwind;
} sh;
_Noreturn void abandon(int status); /* to the prompt, or exit */
void check_stack(void);
/* Why something failed; its value is a status. */
#define complain(format, ...) \
    (dprintf(STDERR_FILENO, "%s: %d: " format "\n", sh.name, sh.line, ##__VA_ARGS__), sh.status = 2)
#define fail(...) (complain(__VA_ARGS__), abandon(2))

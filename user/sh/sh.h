/*
 * sh: a POSIX shell, small enough to be read in an evening.
 *
 * A line of text becomes processes in five steps, one file each:
 *
 *     source, lexer.c   characters into tokens; quotes stay in a word's text, as typed
 *     parser.c          tokens into a tree of struct node
 *     expand.c          the words of a command into arguments: $x $(cmd) $((1+1)), splitting, * ? [..]
 *     exec.c            walk the tree: fork, connect by pipes, redirect, run
 *     jobs.c            wait for what was started; foreground, background, stopped
 *
 * Around them: vars.c (variables, functions), arith.c, pattern.c, redirect.c, trap.c (signals),
 * builtins.c and test.c (commands that are no programs), edit.c (the line being typed), memory.c, main.c.
 *
 * One thread, so nothing here has a lock.
 */
#pragma once

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

/* --- memory.c: an arena gives memory that is freed all at once, back to a mark ---------------- */

struct arena {
    struct chunk *chunks; /* newest first */
};
struct mark {
    struct chunk *chunk;
    size_t used;
};
struct buffer { /* bytes that grow, with a NUL behind them once something was added */
    char *data;
    size_t length, room;
};

extern struct arena scratch; /* what one command needs while it runs */

void *allocate(void *old, size_t size); /* realloc that never returns NULL */
char *copy_string(const char *s);
void *arena_alloc(struct arena *a, size_t size);
char *arena_string(struct arena *a, const char *s, size_t length);
struct mark arena_mark(struct arena *a);
void arena_release(struct arena *a, struct mark mark);
void buffer_add(struct buffer *b, const char *s, size_t length);
void buffer_put(struct buffer *b, char c);
char *buffer_take(struct buffer *b); /* its text, in scratch; the buffer is empty again */

/* --- the tree --------------------------------------------------------------------------------- */

/* Tokens of one byte are that byte. Those that redirect come last. */
enum { T_END = 256, T_WORD, T_AND, T_OR, T_DSEMI };
enum { T_READ_WRITE = 512, T_HERE, T_HERE_TABS, T_IN_DUP, T_OUT_DUP, T_APPEND, T_CLOBBER };

enum { N_SIMPLE, N_PIPE, N_NOT, N_AND, N_OR, N_LIST, N_BACKGROUND, N_SUBSHELL };
enum { N_GROUP = N_SUBSHELL + 1, N_IF, N_WHILE, N_UNTIL, N_FOR, N_CASE, N_ITEM, N_FUNCTION };

struct word {
    struct word *next;
    char *text; /* in the tree: as typed, with its quotes; after expansion: plain */
};
struct redirect {
    struct redirect *next, *next_here; /* next_here: the next here-document whose text is to come */
    int type;                          /* < > or T_... */
    int fd;
    char *word; /* file name or descriptor; of a here-document the delimiter, later the text */
    bool quoted;
};
struct node {
    int type; /* N_... */
    int line;
    struct node *a, *b, *c; /* if a then b else c; while a do b; a && b; the one child a */
    struct node *next;      /* next of a list, of a pipeline's stages, of a case's items */
    struct word *words;   /* arguments; the list of for; the subject of case; an item's patterns */
    struct word *assigns; /* NAME=value before a command */
    struct redirect *redirects;
    char *name;              /* of a function, of the variable of for */
    char *text;              /* as typed, for the list of jobs */
    struct program *program; /* a function keeps the tree that it stands in */
};
struct program {
    struct arena arena;
    struct node *node;
    int references;
};

/* --- lexer.c, parser.c ------------------------------------------------------------------------ */

struct source { /* where the text comes from */
    int fd;     /* -1: all of it is in text */
    bool edited, by_byte, ended;
    struct buffer text; /* of the command being read, and perhaps more */
    size_t at;          /* the next byte to look at */
    int line;
};
struct lexer {
    struct source *source;
    struct program *program;
    int token;
    bool have;             /* token was looked at and not taken yet */
    char *text;            /* of a word */
    size_t start;          /* of the token in source->text */
    int io_number;         /* the digit before < or >, or -1 */
    struct redirect *here; /* here-documents whose text begins behind the next newline */
};
extern struct lexer lexer;

int token_peek(void);
int token_take(void);
struct source source_of_string(const char *text);
size_t scan_braces(const char *text, bool quoted); /* length of the rest of ${...}, } included */
size_t scan_arithmetic(const char *text);          /* the same for $((...)) */
bool is_reserved(const char *s);
bool is_name(const char *s, size_t length);
size_t name_length(const char *s);

struct node *parse_until(int end);
struct program *parse_line(struct source *source); /* NULL at the end */
struct program *parse_substitution(const char *text, int end, size_t *used);
void program_put(struct program *p);

/* --- expand.c, arith.c, pattern.c ------------------------------------------------------------- */

#define MARK '\001' /* in a pattern: the next byte was quoted and means itself */

enum expand_how { AS_STRING, AS_ASSIGNMENT, AS_PATTERN, AS_HERE_DOCUMENT };
struct word *expand_words(struct word *words);
char *expand(const char *word, enum expand_how how);
char *remove_quotes(const char *word);
long long arithmetic(const char *text);
bool pattern_match(const char *pattern, const char *s);
bool has_wildcards(const char *field);
struct word **glob_names(struct word **tail,
                         const char *field); /* append sorted matches, return the new tail */
char *unmark(char *field);

/* --- vars.c ----------------------------------------------------------------------------------- */

struct variable {
    struct variable *next;
    char *name;
    char *value; /* NULL: not set */
    bool exported, readonly;
};
struct function {
    struct function *next;
    char *name;
    struct node *body;
    struct program *program;
};
struct parameters { /* $1 $2 ... */
    char **values;
    int count;
    char **owned; /* what to free when they are replaced; NULL: they belong to somebody else */
};

const char *variable_get(const char *name);
struct variable *variable_find(const char *name);       /* made when it isn't there */
bool variable_set(const char *name, const char *value); /* NULL unsets. False, said why: readonly */
void variables_print(const char *prefix, char which);
char **environment(void);
void variables_import(char **environment);
size_t scope_enter(void);
void scope_local(const char *name); /* give it its value back when the scope ends */
void scope_leave(size_t scope);
struct function *function_find(const char *name);
void function_define(struct node *node);
void function_remove(const char *name);
void parameters_set(char **values, int count);

/* --- exec.c, redirect.c ----------------------------------------------------------------------- */

int execute(struct node *n, bool last); /* last: this process has nothing to do afterwards */
int run_source(struct source *source);
int run_string(const char *text);
char *find_program(const char *name); /* by PATH; NULL: there is none */
_Noreturn void exec_program(char **argv);
int call_function(struct function *f, int argc, char **argv);

int move_high(int fd); /* above the script's descriptors, closed on exec */
void make_pipe(int ends[2]);
bool redirect(struct redirect *list, bool save);
size_t redirect_depth(void);
void redirect_undo(size_t depth);

/* --- jobs.c, trap.c --------------------------------------------------------------------------- */

struct job;
struct job *job_new(const char *text);
pid_t job_fork(struct job *job, bool background); /* job NULL: no job, as for $(...) */
int job_wait(struct job *job);
int job_started(struct job *job); /* in the background */
void job_notices(void);
void job_control(bool on);
int wait_for(pid_t pid);

void trap_catch(int signal);
void trap_run(void);
void trap_exit(void);
void trap_in_child(void);
bool traps_are_set(void);
int trap_pending(void); /* a signal whose action is to be run, or 0 */
void signals_interactive(void);
int signal_number(const char *name);
const char *signal_name(int number);

/* --- builtins.c, edit.c, main.c --------------------------------------------------------------- */

struct builtin {
    const char *name;
    int (*run)(int argc, char **argv);
    bool special; /* an error in it ends a script, and assignments before it stay */
};
const struct builtin *builtin_find(const char *name);
int builtin_bg(int argc, char **argv), builtin_fg(int argc, char **argv),
    builtin_jobs(int argc, char **argv), builtin_kill(int argc, char **argv),
    builtin_test(int argc, char **argv), builtin_trap(int argc, char **argv),
    builtin_wait(int argc, char **argv), builtin_read(int argc, char **argv),
    builtin_cd(int argc, char **argv), builtin_pwd(int argc, char **argv);
const char *working_folder(void); /* $PWD if that is it */
bool option_set(char letter, bool on);
void print_quoted(const char *s);

char *edit_line(const char *prompt, size_t *length); /* in malloc'ed memory; NULL at the end */

enum unwind { UNWIND_NONE, UNWIND_BREAK, UNWIND_CONTINUE, UNWIND_RETURN };
#define OPTIONS "abCefhimnuvx"
struct shell {
    const char *name; /* $0 */
    struct parameters parameters;
    int status;       /* $? */
    pid_t pid;        /* $$ */
    pid_t background; /* $! or 0 */
    bool option[128]; /* by letter */
    bool pipefail;
    int line; /* of the command that runs */
    enum unwind unwind;
    int levels;       /* of loops that break and continue still have to leave */
    int loops;        /* that we are in */
    int calls;        /* functions and sourced files that return can leave */
    int tested;       /* a condition is evaluated: -e does not apply */
    int substitution; /* status of the last $(...), for a command without words */
    bool complained;
    bool child;           /* a subshell */
    jmp_buf *top;         /* where an interactive shell goes on after an error */
    struct buffer output; /* of a builtin, until it ends */
};
extern struct shell sh;

void out(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool flush(void);
/* Say what is wrong; returns 2. A special builtin that does so ends the script. */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void abandon(int status); /* back to the prompt, or exit */
_Noreturn void leave(int status);   /* run the exit trap and exit */
void check_stack(void);             /* fail before recursion overruns the stack */

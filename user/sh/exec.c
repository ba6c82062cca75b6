/*
 * Walking the tree; every function returns an exit status. What changes the shell itself (cd, x=1, { }) runs
 * in this process; programs, the stages of a pipeline, ( ) and what is put into the background run in
 * children. LAST: this process has nothing to do afterwards, so it becomes the program instead of making a
 * child. break, continue and return are found by all on their way out: sh.unwind says what is looked for.
 */
#include "sh.h"

/* Become the program that NAME and the folders of PATH name. */
_Noreturn void exec_program(char **argv)
{
    execvp(argv[0], argv);
    int status = errno == ENOENT || errno == ENOTDIR ? 127 : 126;
    complain("%s: %s", argv[0], errno == ENOENT ? "not found" : strerror(errno));
    abandon(status);
}

/* NAME=value words; TEMPORARY: only until the command ends, and for programs too. */
static void assign(struct word *w, bool temporary)
{
    for (; w != NULL; w = w->next) {
        size_t length = strcspn(w->text, "=");
        char *name = stack_string(w->text, length),
             *value = expand(w->text + length + 1, ASSIGNMENT);
        const char *old = variable_get(name);
        old = old != NULL ? stack_string(old, strlen(old)) : NULL;
        struct variable *v = variable_set(name, value);
        if (temporary) {
            undo_push((struct undo){.variable = v, .value = old, .exported = v->exported});
            variable_export(v, true);
        }
    }
}

static int execute_simple(struct node *n, bool last)
{
    struct word *words = expand_words(n->words);
    int argc = 0;
    for (struct word *w = words; w != NULL; w = w->next)
        argc++;
    char **argv = stack_alloc((size_t)(argc + 1) * sizeof *argv);
    for (int i = 0; i < argc; i++, words = words->next)
        argv[i] = words->text;
    const char *function = argc > 0 ? variable_get(function_name(argv[0])) : NULL;
    builtin *b = argc > 0 && function == NULL ? builtin_find(argv[0]) : NULL;
    pid_t group = 0;
    if (argc > 0 && function == NULL && b == NULL) {
        if (!last && job_fork(&group, false) != 0)
            return job_wait(group, false);
        if (!redirect(n->redirects, false))
            abandon(2);
        assign(n->assigns, true);
        exec_program(argv);
    }
    if (!redirect(n->redirects, argc == 0 || strcmp(argv[0], "exec") != 0))
        return 2;
    assign(n->assigns, argc > 0);
    if (function != NULL) {
        undo_push((struct undo){.is_parameters = true, .parameters = sh.parameters});
        sh.parameters = (struct parameters){argv + 1, argc - 1, NULL};
        return run_string(function, false);
    }
    return b != NULL ? b(argc, argv) : sh.substitution;
}

/* Start the stages of a pipeline, each in a child, all in one job. */
static int run_stages(struct node *n, bool background)
{ /* LAB jobs:pipeline begin */
    pid_t group = 0;
    int input = -1;
    for (struct node *next; n != NULL; n = next) {
        int ends[2] = {-1, -1};
        next = n->kind == PIPE ? n->b : NULL;
        if (next != NULL)
            make_pipe(ends);
        pid_t pid = job_fork(&group, background);
        if (pid == 0 && input >= 0)
            dup2(input, STDIN_FILENO);
        if (pid == 0 && next != NULL)
            dup2(ends[1], STDOUT_FILENO);
        close(input);
        close(ends[1]);
        if (pid == 0) {
            close(ends[0]);
            abandon(execute(n->kind == PIPE ? n->a : n, true));
        }
        input = ends[0];
    }
    return job_wait(group, background);
} /* LAB jobs:pipeline end */

/* while (its condition is a) and for (over WORDS): run b until that ends or a break comes. */
static int execute_loop(struct node *n, struct word *words)
{
    int status = 0;
    bool goes_on;
    sh.loops++;
    do {
        goes_on = n->a != NULL ? execute(n->a, false) == 0 : words != NULL;
        if (words != NULL)
            variable_set(n->words->text, words->text);
        words = words != NULL ? words->next : NULL;
        if (goes_on && sh.unwind == UNWIND_NONE)
            status = execute(n->b, false);
        if ((sh.unwind == UNWIND_BREAK || sh.unwind == UNWIND_CONTINUE) && --sh.levels <= 0) {
            goes_on = sh.unwind == UNWIND_CONTINUE;
            sh.unwind = UNWIND_NONE;
        }
    } while (goes_on && sh.unwind == UNWIND_NONE);
    sh.loops--;
    return sh.unwind == UNWIND_RETURN ? sh.status : status;
}

static int execute_node(struct node *n, bool last)
{
    switch (n->kind) {
    case SIMPLE: return execute_simple(n, last);
    case PIPE: /* ( ) where a child has nothing else to do is that child */
        return last && n->b == NULL ? execute(n->a, last) : run_stages(n, false);
    case BACKGROUND: return run_stages(n->a, true);
    case GROUP: return execute(n->a, last);
    case LIST:
        for (; n != NULL && sh.unwind == UNWIND_NONE; n = n->b)
            execute(n->a, last && n->b == NULL);
        return sh.status;
    case NOT: return (execute(n->a, false) == 0) == (sh.unwind == UNWIND_NONE);
    case AND:
    case OR:
        if ((execute(n->a, false) == 0) == (n->kind == AND) && sh.unwind == UNWIND_NONE)
            execute(n->b, last);
        return sh.status;
    case IF:
        n = execute(n->a, false) == 0 ? n->b : n->c;
        return sh.unwind == UNWIND_NONE ? execute(n, last) : sh.status;
    case WHILE: return execute_loop(n, NULL);
    case FOR: return execute_loop(n, expand_words(n->words->next));
    case CASE:
        for (char *subject = expand(n->words->text, PLAIN); (n = n->b) != NULL;)
            for (struct word *w = n->words; w != NULL; w = w->next)
                if (fnmatch(expand_pattern(w->text, PLAIN), subject, 0) == 0)
                    return execute(n->a, false);
        return 0;
    default: variable_set(function_name(n->words->text), n->text); return 0;
    }
}

int execute(struct node *n, bool last)
{
    struct block *mark = newest;
    struct undo *undo = sh.undo;
    check_stack();
    if (n == NULL)
        return sh.status = 0;
    bool simple = n->kind == SIMPLE;
    sh.substitution = 0;
    sh.line = n->line;
    last = last && (simple || n->redirects == NULL);
    sh.status = simple || redirect(n->redirects, true) ? execute_node(n, last) : 2;
    undo_to(undo);
    stack_release(mark);
    if (sh.interrupted)
        abandon(128 + SIGINT);
    return sh.status;
}

/* Run every line of SOURCE, or up to a return. */
int run_source(struct source *source, bool last)
{
    char *outer = sh.text;
    for (bool more = true; more && sh.unwind == UNWIND_NONE;) {
        struct block *mark = newest;
        struct node *list;
        if (source->fd == STDIN_FILENO && sh.top != NULL)
            jobs_report(false);
        more = parse_line(source, &list);
        if (list != NULL)
            execute(list, last && source->fd < 0 && source->at == source->length);
        stack_release(mark);
    }
    sh.text = outer;
    sh.unwind = sh.unwind == UNWIND_RETURN ? UNWIND_NONE : sh.unwind;
    return sh.status;
}

int run_string(const char *text, bool last)
{
    size_t length = strlen(text); /* a copy: what runs may change where TEXT came from */
    struct source source = {
        .fd = -1, .text = stack_string(text, length), .length = length, .line = sh.line};
    return run_source(&source, last);
}

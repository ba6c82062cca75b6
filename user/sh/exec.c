/*
 * Walking the tree. Every function here returns an exit status and leaves it in sh.status.
 *
 * Whatever changes the shell itself (cd, x=1, functions, { }) runs in this process; programs, the stages of
 * a pipeline, ( ) and what is put into the background run in children. LAST says that this process has
 * nothing to do afterwards: then it becomes the program instead of making a child for it.
 *
 * break, continue and return are found by every walker on its way out: sh.unwind says what is looked for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sh.h"

/* --- programs --------------------------------------------------------------------------------- */

char *find_program(const char *name)
{
    const char *path = variable_get("PATH");
    struct stat status;

    if (strchr(name, '/') != NULL)
        return access(name, X_OK) == 0 ? (char *)name : NULL;
    for (; path != NULL; path = strchr(path, ':') != NULL ? strchr(path, ':') + 1 : NULL) {
        size_t length = strcspn(path, ":");
        char *full = arena_alloc(&scratch, length + strlen(name) + 2);
        memcpy(full, path, length);
        if (length > 0)
            full[length++] = '/';
        strcpy(full + length, name);
        if (access(full, X_OK) == 0 && stat(full, &status) == 0 && S_ISREG(status.st_mode))
            return full;
    }
    return NULL;
}

/* Become the program. A file without a format that the kernel knows is a script of ours. */
_Noreturn void exec_program(char **argv)
{
    char *path = find_program(argv[0]);
    char **words;
    int count = 0;

    if (path == NULL)
        path = argv[0];
    if (strchr(path, '/') != NULL)
        execve(path, argv, environment());
    else
        errno = ENOENT;
    if (errno == ENOEXEC) {
        while (argv[count] != NULL)
            count++;
        words = arena_alloc(&scratch, (size_t)(count + 2) * sizeof *words);
        memcpy(words + 1, argv, (size_t)count * sizeof *words);
        words[0] = "sh";
        words[1] = path;
        execve("/proc/self/exe", words, environment());
    }
    int status = errno == ENOENT || errno == ENOTDIR ? 127 : 126;
    bool searched = errno == ENOENT && strchr(argv[0], '/') == NULL;
    complain("%s: %s", argv[0], searched ? "not found" : strerror(errno));
    abandon(status);
}

/* --- simple commands -------------------------------------------------------------------------- */

/* NAME=value words; LOCAL: only until the scope ends, and for programs too. */
static void assign(struct word *w, bool local)
{
    for (; w != NULL; w = w->next) {
        size_t length = strcspn(w->text, "=");
        char *name = arena_string(&scratch, w->text, length);
        char *value = expand(w->text + length + 1, AS_ASSIGNMENT);
        if (local)
            scope_local(name);
        if (!variable_set(name, value))
            abandon(2);
        if (local)
            variable_find(name)->exported = true;
        if (sh.option['x'])
            dprintf(STDERR_FILENO, "+ %s=%s\n", name, value);
    }
}

static void trace(char **argv)
{
    struct buffer line = {0};

    for (; *argv != NULL; argv++) {
        buffer_put(&line, ' ');
        buffer_add(&line, *argv, strlen(*argv));
    }
    dprintf(STDERR_FILENO, "+%s\n", buffer_take(&line));
}

int call_function(struct function *f, int argc, char **argv)
{
    struct parameters outer = sh.parameters;
    struct program *program = f->program;
    size_t scope = scope_enter();
    int loops = sh.loops;

    check_stack();
    sh.parameters = (struct parameters){argv + 1, argc - 1, NULL};
    sh.loops = 0;
    sh.calls++;
    program->references++;
    execute(f->body, false);
    program_put(program);
    sh.calls--;
    sh.loops = loops;
    if (sh.unwind == UNWIND_RETURN)
        sh.unwind = UNWIND_NONE;
    free(sh.parameters.owned);
    sh.parameters = outer;
    scope_leave(scope);
    return sh.status;
}

static int run_builtin(const struct builtin *b, struct node *n, int argc, char **argv, bool special)
{
    bool keep = strcmp(argv[0], "exec") == 0;
    size_t depth = redirect_depth(), scope = scope_enter();

    sh.complained = false;
    if (redirect(n->redirects, !keep)) {
        assign(n->assigns, !special);
        sh.status = b->run(argc, argv);
        if (!flush() && sh.status == 0)
            sh.status = complain("%s: I/O error", argv[0]) - 1;
    } else {
        sh.status = 2;
    }
    if (special && sh.complained)
        abandon(sh.status);
    if (!special) /* what local made belongs to the function */
        scope_leave(scope);
    redirect_undo(depth);
    return sh.status;
}

static int run_function(struct function *f, struct node *n, int argc, char **argv)
{
    size_t depth = redirect_depth(), scope = scope_enter();

    sh.status = 2;
    if (redirect(n->redirects, true)) {
        assign(n->assigns, true);
        call_function(f, argc, argv);
    }
    redirect_undo(depth);
    scope_leave(scope);
    return sh.status;
}

static int run_program(struct node *n, char **argv, bool last)
{
    if (!last || traps_are_set()) {
        struct job *job = job_new(n->text != NULL ? n->text : argv[0]);
        if (job_fork(job, false) != 0)
            return job_wait(job);
    }
    if (!redirect(n->redirects, false))
        leave(2);
    assign(n->assigns, true);
    exec_program(argv);
}

static char **expand_arguments(struct word *words, int *count)
{
    struct word *list = expand_words(words);
    char **argv, **next;

    *count = 0;
    for (struct word *w = list; w != NULL; w = w->next)
        ++*count;
    next = argv = arena_alloc(&scratch, (size_t)(*count + 1) * sizeof *argv);
    for (struct word *w = list; w != NULL; w = w->next)
        *next++ = w->text;
    return argv;
}

static int execute_simple(struct node *n, bool last)
{
    const struct builtin *b = NULL;
    struct function *f = NULL;
    bool direct = true; /* not by way of `command` */
    int argc;
    char **argv;

    sh.line = n->line;
    sh.substitution = 0;
    argv = expand_arguments(n->words, &argc);
    if (sh.option['x'] && argc > 0)
        trace(argv);
    while (argc > 1 && strcmp(argv[0], "command") == 0 && argv[1][0] != '-') {
        argv++;
        argc--;
        direct = false;
    }
    if (argc == 0) {
        size_t depth = redirect_depth();
        bool good = redirect(n->redirects, true);
        redirect_undo(depth);
        if (good)
            assign(n->assigns, false);
        return sh.status = good ? sh.substitution : 2;
    }
    b = builtin_find(argv[0]);
    if (direct && (b == NULL || !b->special))
        f = function_find(argv[0]);
    if (f != NULL)
        return run_function(f, n, argc, argv);
    if (b != NULL)
        return run_builtin(b, n, argc, argv, direct && b->special);
    return run_program(n, argv, last);
}

/* --- pipelines -------------------------------------------------------------------------------- */

/* Start each stage from STAGE on in a child, all of them one job. */
static int run_stages(struct node *stage, const char *text, bool background)
{
    struct job *job = job_new(text);
    int input = -1;

    for (; stage != NULL; stage = stage->next) {
        int ends[2] = {-1, -1};
        if (stage->next != NULL)
            make_pipe(ends);
        if (job_fork(job, background) == 0) {
            if (input >= 0)
                dup2(input, STDIN_FILENO);
            if (ends[1] >= 0)
                dup2(ends[1], STDOUT_FILENO);
            close(input);
            close(ends[0]);
            close(ends[1]);
            if (stage->type == N_SUBSHELL && redirect(stage->redirects, false))
                execute(stage->a, true);
            else if (stage->type != N_SUBSHELL)
                execute(stage, true);
            leave(sh.status);
        }
        close(input);
        close(ends[1]);
        input = ends[0];
    }
    return sh.status = background ? job_started(job) : job_wait(job);
}

/* --- compound commands ------------------------------------------------------------------------ */

static int execute_condition(struct node *n)
{
    sh.tested++;
    execute(n, false);
    sh.tested--;
    return sh.status;
}

/* After the body of a loop: whether the loop ends. */
static bool loop_ends(void)
{
    if (sh.unwind == UNWIND_NONE || sh.unwind == UNWIND_RETURN)
        return sh.unwind == UNWIND_RETURN;
    if (--sh.levels > 0)
        return true;
    bool ends = sh.unwind == UNWIND_BREAK;
    sh.unwind = UNWIND_NONE;
    return ends;
}

static int execute_while(struct node *n)
{
    int status = 0;

    sh.loops++;
    for (;;) {
        struct mark mark = arena_mark(&scratch);
        bool go_on = (execute_condition(n->a) == 0) == (n->type == N_WHILE);
        if (sh.unwind == UNWIND_NONE && go_on)
            status = execute(n->b, false);
        arena_release(&scratch, mark);
        if (loop_ends() || !go_on)
            break;
    }
    sh.loops--;
    return sh.unwind == UNWIND_RETURN ? sh.status : (sh.status = status);
}

static int execute_for(struct node *n)
{
    struct word *w = expand_words(n->words);

    sh.status = 0;
    sh.loops++;
    for (; w != NULL; w = w->next) {
        if (!variable_set(n->name, w->text))
            abandon(2);
        execute(n->b, false);
        if (loop_ends())
            break;
    }
    sh.loops--;
    return sh.status;
}

static int execute_case(struct node *n)
{
    char *subject = expand(n->words->text, AS_STRING);

    for (struct node *item = n->a; item != NULL; item = item->next)
        for (struct word *w = item->words; w != NULL; w = w->next)
            if (pattern_match(expand(w->text, AS_PATTERN), subject))
                return item->a != NULL ? execute(item->a, false) : (sh.status = 0);
    return sh.status = 0;
}

static int execute_if(struct node *n)
{
    if (execute_condition(n->a) == 0)
        return sh.unwind == UNWIND_NONE ? execute(n->b, false) : sh.status;
    if (sh.unwind == UNWIND_NONE)
        sh.status = n->c != NULL ? execute(n->c, false) : 0;
    return sh.status;
}

static int execute_node(struct node *n, bool last)
{
    struct node alone = *n; /* without what is next in its list */

    alone.next = NULL;
    switch (n->type) {
    case N_SIMPLE: return execute_simple(n, last);
    case N_PIPE: return run_stages(n->a, n->text, false);
    case N_SUBSHELL: return run_stages(&alone, n->text, false);
    case N_BACKGROUND: return run_stages(n->a->type == N_PIPE ? n->a->a : n->a, n->text, true);
    case N_GROUP: return execute(n->a, last && n->redirects == NULL);
    case N_NOT:
        execute_condition(n->a);
        return sh.unwind == UNWIND_NONE ? (sh.status = !sh.status) : sh.status;
    case N_AND:
    case N_OR:
        if ((execute_condition(n->a) == 0) == (n->type == N_AND) && sh.unwind == UNWIND_NONE)
            execute(n->b, last);
        return sh.status;
    case N_LIST:
        for (struct node *child = n->a; child != NULL && sh.unwind == UNWIND_NONE;
             child = child->next)
            execute(child, last && child->next == NULL);
        return sh.status;
    case N_IF: return execute_if(n);
    case N_WHILE:
    case N_UNTIL: return execute_while(n);
    case N_FOR: return execute_for(n);
    case N_CASE: return execute_case(n);
    default: function_define(n); return sh.status = 0;
    }
}

/* Run the tree N. */
int execute(struct node *n, bool last)
{
    struct mark mark = arena_mark(&scratch);
    size_t depth = redirect_depth();
    bool compound;

    check_stack();
    if (n == NULL || sh.option['n'])
        return sh.status = 0;
    compound = n->redirects != NULL && n->type != N_SIMPLE && n->type != N_SUBSHELL;
    if (compound && !redirect(n->redirects, true))
        sh.status = 2;
    else
        execute_node(n, last);
    redirect_undo(depth);
    arena_release(&scratch, mark);
    if (sh.status != 0 && sh.option['e'] && sh.tested == 0 &&
        (n->type == N_SIMPLE || n->type == N_PIPE || n->type == N_SUBSHELL))
        leave(sh.status);
    trap_run();
    return sh.status;
}

/* Run every line of SOURCE. */
int run_source(struct source *source)
{
    struct program *p;

    for (;;) {
        if (source->edited)
            job_notices();
        p = parse_line(source);
        if (p == NULL)
            return sh.status;
        if (p->node != NULL)
            execute(p->node, false);
        program_put(p);
        if (sh.unwind != UNWIND_NONE)
            return sh.status;
    }
}

int run_string(const char *text)
{
    char *copy = copy_string(text); /* what runs may change where TEXT came from */
    struct source source = source_of_string(copy);

    sh.status = run_source(&source);
    free(copy);
    return sh.status;
}

/*
 * Walking the tree; every function returns an exit status. What changes the shell itself (cd, x=1, { }) runs
 * in this process; programs, the stages of a pipeline, ( ) and what is put into the background run in
 * children. LAST: this process has nothing to do afterwards, so it becomes the program instead of making a
 * child. break, continue and return are found by all on their way out: sh.unwind says what is looked for.
 */
#include "sh.h"

/* PATH lists the folders for a name without a slash. NULL: there is no such program. */
char *find_program(const char *name)
{
    const char *path = strchr(name, '/') != NULL ? "" : variable_get("PATH");
    for (size_t length; path != NULL; path = path[length] != '\0' ? path + length + 1 : NULL) {
        struct stat status;
        length = strcspn(path, ":");
        char *full = stack_alloc(length + strlen(name) + 2);
        sprintf(full, "%.*s%s%s", (int)length, path, length > 0 ? "/" : "", name);
        if (access(full, X_OK) == 0 && stat(full, &status) == 0 && S_ISREG(status.st_mode))
            return full;
    }
    return NULL;
}

/* Become the program. A file without a format that the kernel knows is a script of ours. */
_Noreturn void exec_program(int argc, char **argv)
{
    char *path = find_program(argv[0]);
    errno = ENOENT;
    if (path != NULL || strchr(argv[0], '/') != NULL)
        execve(path != NULL ? path : argv[0], argv, environment());
    if (errno == ENOEXEC) {
        sh.name = path;
        parameters_set(argv + 1, argc - 1);
        argv[0] = path;
        builtin_find(".")->run(2, argv - 1);
        abandon(sh.status);
    }
    int status = errno == ENOENT || errno == ENOTDIR ? 127 : 126;
    complain("%s: %s", argv[0], path == NULL && errno == ENOENT ? "not found" : strerror(errno));
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
        if (temporary)
            undo_push((struct undo){.variable = v, .value = old, .exported = v->exported});
        v->exported |= temporary;
        if (sh.option['x'])
            dprintf(STDERR_FILENO, "+ %s=%s\n", name, value);
    }
}

static int call_function(const char *text, int argc, char **argv)
{
    int loops = sh.loops;
    undo_push((struct undo){.is_parameters = true, .parameters = sh.parameters});
    sh.parameters = (struct parameters){argv + 1, argc - 1, NULL};
    sh.loops = 0;
    run_string(text, false);
    sh.loops = loops;
    if (sh.unwind == UNWIND_RETURN)
        sh.unwind = UNWIND_NONE;
    return sh.status;
}

static int execute_simple(struct node *n, bool last)
{
    struct word *words = expand_words(n->words);
    int argc = 0;
    for (struct word *w = words; w != NULL; w = w->next, argc++)
        if (sh.option['x'])
            dprintf(STDERR_FILENO, "%s %s%s", argc == 0 ? "+" : "", w->text,
                    w->next == NULL ? "\n" : "");
    char **argv =
        (char **)stack_alloc((size_t)(argc + 2) * sizeof *argv) + 1; /* exec_program wants room */
    for (int i = 0; i < argc; i++, words = words->next)
        argv[i] = words->text;
    const char *function = argc > 0 ? variable_get(function_name(argv[0])) : NULL;
    bool plain = argc > 1 && strcmp(argv[0], "command") == 0; /* the name is no function's */
    argc -= plain;
    argv += plain;
    const struct builtin *b = argc > 0 ? builtin_find(argv[0]) : NULL;
    if (argc > 0 && function == NULL && b == NULL) {
        pid_t group = 0;
        if (!last && job_fork(&group, false) != 0)
            return job_wait(group, false);
        if (!redirect(n->redirects, false))
            abandon(2);
        assign(n->assigns, true);
        exec_program(argc, argv);
    }
    bool special = function == NULL && !plain && b != NULL && b->special;
    sh.complained = false;
    if (!redirect(n->redirects, argc == 0 || strcmp(argv[0], "exec") != 0)) {
        sh.status = 2;
    } else {
        assign(n->assigns, argc > 0 && !special);
        if (function != NULL)
            return call_function(function, argc, argv);
        sh.output = (struct buffer){.data = ""};
        sh.status = argc > 0 ? b->run(argc, argv) : sh.substitution;
        struct buffer out = sh.output;
        sh.output = (struct buffer){.data = ""};
        if (out.length > 0 && write(STDOUT_FILENO, out.data, out.length) < (ssize_t)out.length)
            sh.status = complain("%s: %s", argv[0], strerror(errno)) - 1;
    }
    if (special && sh.complained)
        abandon(sh.status);
    return sh.status;
}

/* Start the stages of a pipeline, each in a child, all in one job. */
static int run_stages(struct node *n, bool background)
{
    pid_t group = 0;
    int input = -1;
    for (struct node *next; n != NULL; n = next) {
        int ends[2] = {-1, -1};
        next = n->type == N_PIPE ? n->b : NULL;
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
            abandon(execute(n->type == N_PIPE ? n->a : n, true));
        }
        input = ends[0];
    }
    return job_wait(group, background);
}

/* Run the condition N: whether it holds. */
static bool holds(struct node *n)
{
    sh.tested++;
    execute(n, false);
    sh.tested--;
    return sh.status == 0;
}

/* while (its condition is a) and for (over WORDS): run b until that ends or a break comes. */
static int execute_loop(struct node *n, struct word *words)
{
    bool goes_on;
    int status = 0;
    sh.loops++;
    do {
        goes_on = n->a != NULL ? holds(n->a) : words != NULL;
        if (words != NULL) {
            variable_set(n->words->text, words->text);
            words = words->next;
        }
        if (goes_on && sh.unwind == UNWIND_NONE)
            status = execute(n->b, false);
        if ((sh.unwind == UNWIND_BREAK || sh.unwind == UNWIND_CONTINUE) && --sh.levels == 0) {
            goes_on = sh.unwind == UNWIND_CONTINUE;
            sh.unwind = UNWIND_NONE;
        }
    } while (goes_on && sh.unwind == UNWIND_NONE);
    sh.loops--;
    return sh.unwind == UNWIND_RETURN ? sh.status : status;
}

static int execute_node(struct node *n, bool last)
{
    switch (n->type) {
    case N_SIMPLE: return execute_simple(n, last);
    case N_PIPE: /* ( ) where a child has nothing else to do is that child */
        return last && n->b == NULL ? execute(n->a, last) : run_stages(n, false);
    case N_BACKGROUND: return run_stages(n->a, true);
    case N_GROUP: return execute(n->a, last);
    case N_LIST:
        for (; n != NULL && sh.unwind == UNWIND_NONE; n = n->b)
            execute(n->a, last && n->b == NULL);
        return sh.status;
    case N_NOT: return holds(n->a) == (sh.unwind == UNWIND_NONE);
    case N_AND:
    case N_OR:
        if (holds(n->a) == (n->type == N_AND) && sh.unwind == UNWIND_NONE)
            execute(n->b, last);
        return sh.status;
    case N_IF:
        n = holds(n->a) ? n->b : n->c;
        return sh.unwind == UNWIND_NONE ? execute(n, last) : sh.status;
    case N_WHILE: return execute_loop(n, NULL);
    case N_FOR: return execute_loop(n, expand_words(n->words->next));
    case N_CASE:
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
    if (n == NULL || sh.option['n'])
        return sh.status = 0;
    sh.substitution = 0;
    sh.line = n->line;
    if (n->type == N_SIMPLE || redirect(n->redirects, true))
        sh.status = execute_node(n, last && (n->redirects == NULL || n->type == N_SIMPLE));
    else
        sh.status = 2;
    undo_to(undo);
    stack_release(mark);
    if (sh.status != 0 && sh.option['e'] && sh.tested == 0 &&
        (n->type == N_SIMPLE || n->type == N_PIPE))
        builtin_exit(1, (char *[]){"exit"});
    if (sh.interrupted)
        abandon(128 + SIGINT);
    return sh.status;
}

/* Run every line of SOURCE. */
int run_source(struct source *source, bool last)
{
    char *outer = sh.text;
    struct node *list;
    for (bool more = true; more && sh.unwind == UNWIND_NONE;) {
        struct block *mark = newest;
        if (source->edited)
            jobs_report(false, STDERR_FILENO);
        more = parse_line(source, &list);
        if (list != NULL)
            execute(list, last && source->fd < 0 && source->at == source->length);
        stack_release(mark);
    }
    sh.text = outer;
    return sh.status;
}

int run_string(const char *text, bool last)
{
    size_t length = strlen(text); /* a copy: what runs may change where TEXT came from */
    struct source source = {
        .fd = -1, .text = stack_string(text, length), .length = length, .line = sh.line};
    return run_source(&source, last);
}

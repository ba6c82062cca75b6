/*
 * The words of a command into its arguments: tilde, parameters, $(commands), $((arithmetic)); then what came
 * out of an unquoted one is split at the bytes of IFS; then * ? [ are replaced by the names of files. One walk
 * along the text does all but the last: bytes are put one at a time to the field being made. A byte that a
 * pattern would understand gets a backslash when it was quoted, for fnmatch and glob; unmark takes it out.
 */
#include <glob.h>
#include <limits.h>
#include <sys/wait.h>

#include "sh.h"

struct expander {
    struct buffer out; /* the field being made */
    int fields_left;   /* the last takes what is left; 0: no splitting */
    bool started;      /* the field exists, even if it is empty */
    bool white;        /* the field before was ended by white space of IFS */
    bool globs;        /* * ? [ are replaced by names of files */
    bool nothing;      /* "$@" without parameters was seen in these quotes */
    const char *ifs;
    struct word **tail; /* where the next field goes */
};

static void expand_text(struct expander *e, const char *s, enum mode mode);

static struct expander new_expander(int fields, struct word **tail)
{
    const char *ifs = variable_get("IFS");
    ifs = ifs != NULL ? ifs : " \t\n";
    return (struct expander){{.data = ""}, .fields_left = fields, .ifs = ifs, .tail = tail};
}

/* Take the backslashes out. */
static char *unmark(const char *field)
{
    char *text = stack_string(field, strlen(field)), *to = text;
    for (const char *from = field; *from != '\0'; *to++ = *from++)
        from += *from == '\\' && from[1] != '\0';
    *to = '\0';
    return text;
}

static void put(struct expander *e, char c, bool quoted)
{
    if (c == '\\' || (quoted && strchr("*?[]-!^", c) != NULL))
        buffer_put(&e->out, '\\');
    buffer_put(&e->out, c);
    e->started = true;
    e->white = false;
}

/* The field is complete: one word, or if it is a pattern the names of the files that match. */
static void end_field(struct expander *e)
{
    glob_t found = {.gl_pathc = 0};
    if (e->globs && strpbrk(e->out.data, "*?[") != NULL)
        glob(e->out.data, 0, NULL, &found);
    for (size_t i = 0; i == 0 || i < found.gl_pathc; i++) {
        const char *name = found.gl_pathc > 0 ? found.gl_pathv[i] : unmark(e->out.data);
        struct word *w = *e->tail = stack_alloc(sizeof *w);
        w->text = stack_string(name, strlen(name));
        e->tail = &w->next;
    }
    globfree(&found);
    e->out = (struct buffer){.data = ""};
    e->started = false;
    e->fields_left--;
}

/* Put what came out of an expansion. "a : b" are two fields: the blanks belong to the colon. */
static void put_result(struct expander *e, const char *s, bool quoted)
{
    for (; *s != '\0'; s++) {
        bool white = isspace((unsigned char)*s);
        if (quoted || e->fields_left == 0 || strchr(e->ifs, *s) == NULL) {
            put(e, *s, quoted);
        } else if (!e->started && (white || e->white)) {
            e->white = e->white && white;
        } else if (e->fields_left == 1) {
            put(e, *s, false);
        } else {
            end_field(e);
            e->white = white;
        }
    }
}

char *expand_pattern(const char *s, enum mode mode)
{
    struct expander e = new_expander(0, NULL);
    expand_text(&e, s, mode);
    return e.out.data;
}

char *expand(const char *s, enum mode mode)
{
    return unmark(expand_pattern(s, mode));
}

/* How many bytes at S name a variable or another parameter. */
size_t name_length(const char *s)
{
    size_t length = 0;
    if (isdigit((unsigned char)*s))
        return strspn(s, "0123456789");
    while (isalnum((unsigned char)s[length]) || s[length] == '_')
        length++;
    return length > 0 || *s == '\0' ? length : strchr("@*#?$!", *s) != NULL;
}

/* The value of a parameter, of * and @ only whether there are some; NULL: it is not set. */
static const char *parameter(const char *name)
{
    struct parameters *p = &sh.parameters;
    int number = atoi(name);
    if (isdigit((unsigned char)*name))
        return number == 0 ? sh.name : number <= p->count ? p->values[number - 1] : NULL;
    switch (*name) {
    case '@':
    case '*': return p->count > 0 ? p->values[0] : NULL;
    case '#': return number_string(p->count);
    case '?': return number_string(sh.status);
    case '$': return number_string(sh.pid);
    case '!': return sh.background != 0 ? number_string(sh.background) : NULL;
    default: return variable_get(name);
    }
}

/* "$@" and both $@ and $* unquoted are a field for each parameter, "$*" is one field. */
static void put_parameters(struct expander *e, bool at, bool quoted)
{
    struct parameters *p = &sh.parameters;
    bool apart = e->fields_left > 0 && (at || !quoted);
    char separator = at ? ' ' : e->ifs[0];
    e->nothing = e->nothing || (at && quoted && p->count == 0);
    for (int i = 0; i < p->count; i++) {
        if (i > 0 && apart && (quoted || e->started))
            end_field(e);
        else if (i > 0 && !apart && separator != '\0')
            put(e, separator, quoted);
        put_result(e, p->values[i], quoted);
        e->started = e->started || quoted;
    }
}

/* The inside of ${...}, which may be that of $name too: a name, perhaps an operator and a word. */
static void expand_braces(struct expander *e, const char *s, bool quoted)
{
    bool want_length = *s == '#' && s[1] != '\0';
    size_t length = name_length(s += want_length);
    const char *name = stack_string(s, length), *value = parameter(name), *word = s + length;
    bool colon = *word == ':', missing = value == NULL || (colon && *value == '\0');
    char op = (word += colon)[0];
    enum mode mode = quoted ? QUOTED : BRACE;
    if (length == 0 || (op == '\0' ? colon : want_length) || strchr("-+=?", op) == NULL ||
        (op == '=' && !is_name(name, length)))
        fail("Bad substitution");
    word += op != '\0';
    if (want_length) {
        put_result(e, number_string(value != NULL ? (long long)strlen(value) : 0), quoted);
    } else if (op == '+' || (op == '-' && missing)) {
        if (missing == (op == '-'))
            expand_text(e, word, mode);
    } else if (op == '?' && missing) {
        word = expand(word, mode);
        fail("%s: %s", name, *word != '\0' ? word : "parameter not set");
    } else if (op == '=' && missing) {
        put_result(e, variable_set(name, expand(word, mode))->value, quoted);
    } else if (*name == '@' || *name == '*') {
        put_parameters(e, *name == '@', quoted);
    } else if (value != NULL) {
        put_result(e, value, quoted);
    }
}

/* Run COMMAND in a child and put what it writes, without the newlines at the end. */
static void expand_command(struct expander *e, const char *command, bool quoted)
{
    struct buffer text = {.data = ""};
    int ends[2], status = 0;
    make_pipe(ends);
    pid_t pid = job_fork(NULL, false);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        abandon(run_string(command, true));
    }
    close(ends[1]);
    char block[4096];
    for (ssize_t got; (got = read(ends[0], block, sizeof block)) != 0;)
        for (ssize_t i = 0; i < got; i++)
            if (block[i] != '\0')
                buffer_put(&text, block[i]);
    close(ends[0]);
    while (text.length > 0 && text.data[text.length - 1] == '\n')
        text.data[--text.length] = '\0';
    put_result(e, text.data, quoted);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    sh.status = sh.substitution = exit_status(status);
}

/* At a $; returns what is behind the expansion. */
static const char *expand_dollar(struct expander *e, const char *s, bool quoted)
{
    bool enclosed = *++s == '{' || *s == '(', digit = isdigit((unsigned char)*s);
    size_t length = enclosed ? scan_expansion(s, quoted) : digit ? 1 : name_length(s);
    char *name = stack_string(s + enclosed, length - 2 * enclosed);
    if (*s == '(' && *name == '(')
        put_result(e, number_string(arithmetic(expand(name, HERE))), quoted);
    else if (*s == '(')
        expand_command(e, name, quoted);
    else if (*s == '{' || length > 0)
        expand_braces(e, name, quoted);
    else
        put(e, '$', quoted);
    return s + length;
}

static void expand_text(struct expander *e, const char *s, enum mode mode)
{
    const char *start = s, *home = variable_get("HOME");
    const char *special = mode == HERE ? "$`\\" : mode == QUOTED ? "$`\\\"}" : "$`\\\"";
    bool quoted = mode >= QUOTED, single = false;
    for (; *s != '\0'; s++) {
        if (*s == '\'' && (single || !quoted)) {
            single = !single;
            e->started = true;
        } else if (single) {
            put(e, *s, true);
        } else if (*s == '$') {
            s = expand_dollar(e, s, quoted) - 1;
        } else if (*s == '\\') {
            s += s[1] != '\0' && (!quoted || s[1] == '\n' || strchr(special, s[1]) != NULL);
            if (*s != '\n')
                put(e, *s, true);
        } else if (*s == '"' && mode != HERE) {
            e->started = e->started || (quoted && !e->nothing);
            e->nothing = e->nothing && quoted;
            quoted = !quoted || mode == QUOTED;
        } else if (*s == '~' && !quoted && home != NULL && strchr("/:", s[1]) != NULL &&
                   (s == start || (mode == ASSIGNMENT && s[-1] == ':'))) {
            put_result(e, home, true);
        } else if (mode == BRACE && !quoted) {
            put_result(e, (char[]){*s, '\0'}, false);
        } else {
            put(e, *s, quoted);
        }
    }
}

/* Every field of every word. */
struct word *expand_words(struct word *words)
{
    struct word *fields = NULL, **tail = &fields;
    for (; words != NULL; words = words->next) {
        struct expander e = new_expander(INT_MAX, tail);
        e.globs = true;
        expand_text(&e, words->text, PLAIN);
        if (e.started)
            end_field(&e);
        tail = e.tail;
    }
    return fields;
}

/* What `read` makes of a line: at most COUNT fields. Not RAW, a backslash quotes. */
struct word *split_fields(const char *line, bool raw, int count)
{
    struct word *fields = NULL;
    struct expander e = new_expander(count, &fields);
    for (; *line != '\0'; line++) {
        bool quoted = !raw && *line == '\\' && line[1] != '\0';
        line += quoted;
        put_result(&e, (char[]){*line, '\0'}, quoted);
    }
    while (e.out.length > 0 && isspace((unsigned char)e.out.data[e.out.length - 1]) &&
           strchr(e.ifs, e.out.data[e.out.length - 1]) != NULL)
        e.out.data[--e.out.length] = '\0';
    end_field(&e);
    return fields;
}

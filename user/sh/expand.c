/*
 * The words of a command into its arguments, in the order of POSIX: tilde, parameters, $(commands) and
 * $((arithmetic)); then what came out of an unquoted one is split at the bytes of IFS; then * ? [ are
 * replaced by the names of files; then the quotes go.
 *
 * One walk along the text does all but the globbing: bytes are put one at a time to the field being made,
 * and an unquoted byte of IFS from an expansion ends it. A quoted byte that a pattern would understand is
 * put behind a MARK; globbing and pattern_match see those, and unmark removes them.
 */
#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

enum mode {
    PLAIN,
    BRACE,
    QUOTED,
    HERE
}; /* BRACE: the unquoted word of ${x-word}, which is split too */

struct expander {
    struct buffer out; /* the field being made */
    bool split;        /* there may be more fields than one */
    bool started;      /* the field exists, even if it is empty */
    bool white;        /* the field before was ended by white space of IFS */
    bool nothing;      /* "$@" without parameters was seen in these quotes */
    const char *ifs;
    struct word *fields, **tail;
};

static const char *expand_text(struct expander *e, const char *s, int stop, enum mode mode);

static void put(struct expander *e, char c, bool quoted)
{
    if (c == MARK || (quoted && strchr("*?[]-!^\\.", c) != NULL))
        buffer_put(&e->out, MARK);
    buffer_put(&e->out, c);
    e->started = true;
    e->white = false;
}

static void end_field(struct expander *e)
{
    *e->tail = arena_alloc(&scratch, sizeof **e->tail);
    (*e->tail)->text = buffer_take(&e->out);
    e->tail = &(*e->tail)->next;
    e->started = false;
}

/* A byte that came out of an expansion. "a : b" are two fields: the blanks belong to the colon. */
static void put_result(struct expander *e, char c, bool quoted)
{
    if (quoted || !e->split || strchr(e->ifs, c) == NULL) {
        put(e, c, quoted);
    } else if (isspace((unsigned char)c)) {
        if (e->started) {
            end_field(e);
            e->white = true;
        }
    } else if (e->white && !e->started) {
        e->white = false;
    } else {
        end_field(e);
    }
}

static void put_results(struct expander *e, const char *s, bool quoted)
{
    for (; *s != '\0'; s++)
        put_result(e, *s, quoted);
}

/* $* and $@: "$@" and both unquoted are a field for each parameter, "$*" is one field. */
static void put_parameters(struct expander *e, char name, bool quoted)
{
    bool apart = e->split && (name == '@' || !quoted);
    char separator = name == '@' ? ' ' : e->ifs[0];

    if (sh.parameters.count == 0)
        e->nothing = e->nothing || (name == '@' && quoted);
    for (int i = 0; i < sh.parameters.count; i++) {
        if (i > 0 && apart && (quoted || e->started))
            end_field(e);
        else if (i > 0 && !apart && separator != '\0')
            put(e, separator, quoted);
        put_results(e, sh.parameters.values[i], quoted);
        if (quoted)
            e->started = true;
    }
}

/* --- parameters ------------------------------------------------------------------------------- */

/* How many bytes at S name a parameter. */
size_t name_length(const char *s)
{
    size_t length = 0;

    if (isdigit((unsigned char)*s))
        return strspn(s, "0123456789");
    while (isalnum((unsigned char)s[length]) || s[length] == '_')
        length++;
    return length > 0 || *s == '\0' ? length : strchr("@*#?$!-", *s) != NULL;
}

/* The value of the parameter NAME, in scratch when it isn't a variable's; NULL: it is not set. */
static const char *parameter(struct expander *e, const char *name)
{
    struct expander all = {.ifs = e->ifs};
    long number = isdigit((unsigned char)*name) ? strtol(name, NULL, 10) : -1;
    char text[64] = "";

    if (isalpha((unsigned char)*name) || *name == '_')
        return variable_get(name);
    if (number == 0)
        return sh.name;
    if (number > 0)
        return number <= sh.parameters.count ? sh.parameters.values[number - 1] : NULL;
    switch (*name) {
    case '#': snprintf(text, sizeof text, "%d", sh.parameters.count); break;
    case '?': snprintf(text, sizeof text, "%d", sh.status); break;
    case '$': snprintf(text, sizeof text, "%d", sh.pid); break;
    case '!':
        if (sh.background == 0)
            return NULL;
        snprintf(text, sizeof text, "%d", sh.background);
        break;
    case '-':
        for (const char *o = OPTIONS; *o != '\0'; o++)
            if (sh.option[(int)*o])
                text[strlen(text)] = *o;
        break;
    default:
        if (sh.parameters.count == 0)
            return NULL;
        put_parameters(&all, *name, false);
        return unmark(buffer_take(&all.out));
    }
    return arena_string(&scratch, text, strlen(text));
}

static void put_parameter(struct expander *e, const char *name, const char *value, bool quoted)
{
    if (value == NULL && sh.option['u'] && strchr("@*", *name) == NULL)
        fail("%s: parameter not set", name);
    if (*name == '@' || *name == '*')
        put_parameters(e, *name, quoted);
    else if (value != NULL)
        put_results(e, value, quoted);
}

/* What is left of VALUE without the part that matches, at its beginning (#) or its end (%). */
static char *trim(const char *value, const char *pattern, bool end, bool longest)
{
    size_t length = strlen(value);

    for (size_t i = 0; i <= length; i++) {
        size_t cut = longest ? length - i : i; /* bytes that go */
        char *part = arena_string(&scratch, value, end ? length : cut);
        if (pattern_match(pattern, end ? part + length - cut : part))
            return arena_string(&scratch, end ? value : value + cut, length - cut);
    }
    return arena_string(&scratch, value, length);
}

static char *expand_part(struct expander *e, const char *s, int stop, enum mode mode)
{
    struct expander part = {.ifs = e->ifs};

    expand_text(&part, s, stop, mode);
    return buffer_take(&part.out);
}

/* ${NAME OPERATOR word}: WORD and what stands behind it. */
static void apply_operator(struct expander *e, char *name, bool colon, const char *s,
                           enum mode mode)
{
    const char *value = parameter(e, name);
    bool missing = value == NULL || (colon && *value == '\0');
    bool quoted = mode >= QUOTED;
    enum mode inner = quoted ? QUOTED : BRACE;
    const char *word = s + 1;

    switch (*s) {
    case '-':
    case '+':
        if (missing == (*s == '-'))
            expand_text(e, word, '}', inner);
        else if (*s == '-')
            put_parameter(e, name, value, quoted);
        break;
    case '=':
        if (missing) {
            if (!is_name(name, strlen(name)))
                fail("%s: bad variable name", name);
            if (!variable_set(name, unmark(expand_part(e, word, '}', inner))))
                abandon(2);
            value = variable_get(name);
        }
        put_parameter(e, name, value, quoted);
        break;
    case '?':
        if (missing) {
            char *text = unmark(expand_part(e, word, '}', inner));
            fail("%s: %s", name,
                 *text != '\0' ? text
                 : colon       ? "parameter not set or null"
                               : "parameter not set");
        }
        put_parameter(e, name, value, quoted);
        break;
    case '#':
    case '%':
        if (value == NULL)
            put_parameter(e, name, value, quoted);
        else
            put_results(e,
                        trim(value, expand_part(e, word + (*word == *s), '}', PLAIN), *s == '%',
                             *word == *s),
                        quoted);
        break;
    default: fail("Bad substitution");
    }
}

/* Behind ${; returns what is behind the }. */
static const char *expand_braces(struct expander *e, const char *s, enum mode mode)
{
    bool quoted = mode >= QUOTED;
    bool want_length = *s == '#' && name_length(s + 1) > 0 && s[1 + name_length(s + 1)] == '}';
    char *name = arena_string(&scratch, s + want_length, name_length(s + want_length));
    char digits[24];

    s += want_length + strlen(name);
    if (*name == '\0')
        fail("Bad substitution");
    if (want_length) {
        const char *value = parameter(e, name);
        if (value == NULL && sh.option['u'])
            fail("%s: parameter not set", name);
        snprintf(digits, sizeof digits, "%zu", value != NULL ? strlen(value) : 0);
        put_results(e, digits, quoted);
        return s + 1;
    }
    if (*s == '}') {
        put_parameter(e, name, parameter(e, name), quoted);
        return s + 1;
    }
    bool colon = *s == ':';
    const char *word = s + colon + 1;
    apply_operator(e, name, colon, s + colon, mode);
    return word + scan_braces(word, quoted && s[colon] != '#' && s[colon] != '%');
}

/* --- commands and arithmetic ------------------------------------------------------------------ */

/* Run P and put what it writes, without the newlines at the end. */
static void put_output(struct expander *e, struct program *p, bool quoted)
{
    int ends[2];
    char block[4096];
    size_t newlines = 0;
    pid_t pid;

    make_pipe(ends);
    pid = job_fork(NULL, false);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        leave(execute(p->node, true));
    }
    close(ends[1]);
    for (ssize_t got;
         (got = read(ends[0], block, sizeof block)) > 0 || (got < 0 && errno == EINTR);) {
        for (ssize_t i = 0; i < got; i++) {
            if (block[i] == '\n')
                newlines++;
            else if (block[i] != '\0') {
                for (; newlines > 0; newlines--)
                    put_result(e, '\n', quoted);
                put_result(e, block[i], quoted);
            }
        }
    }
    close(ends[0]);
    sh.status = sh.substitution = wait_for(pid);
    program_put(p);
}

/* Behind a backquote: up to the next one; \ quotes $ ` \ here, and " inside of "". */
static const char *expand_backquotes(struct expander *e, const char *s, bool quoted)
{
    struct buffer text = {0};
    size_t used;

    for (; *s != '`' && *s != '\0'; s++) {
        if (*s == '\\' && s[1] != '\0' && strchr(quoted ? "$`\\\"" : "$`\\", s[1]) != NULL)
            s++;
        buffer_put(&text, *s);
    }
    put_output(e, parse_substitution(buffer_take(&text), T_END, &used), quoted);
    return s + (*s == '`');
}

/* Behind $; returns what is behind the expansion. */
static const char *expand_dollar(struct expander *e, const char *s, enum mode mode)
{
    bool quoted = mode >= QUOTED;
    char digits[24];
    size_t length;

    if (*s == '{')
        return expand_braces(e, s + 1, mode);
    if (*s == '(' && s[1] == '(') {
        length = scan_arithmetic(s + 2);
        char *text = arena_string(&scratch, s + 2, length - 2);
        snprintf(digits, sizeof digits, "%lld",
                 arithmetic(unmark(expand_part(e, text, '\0', HERE))));
        put_results(e, digits, quoted);
        return s + 2 + length;
    }
    if (*s == '(') {
        put_output(e, parse_substitution(s + 1, ')', &length), quoted);
        return s + 1 + length;
    }
    length = isdigit((unsigned char)*s) ? 1 : name_length(s);
    if (length > 0) {
        char *name = arena_string(&scratch, s, length);
        put_parameter(e, name, parameter(e, name), quoted);
    } else {
        put(e, '$', quoted);
    }
    return s + length;
}

/* --- words ------------------------------------------------------------------------------------ */

/* In S, behind ~: put the home of whom it names. Returns what is behind the name, or NULL: no tilde. */
static const char *expand_tilde(struct expander *e, const char *s)
{
    size_t length = strcspn(s, "/:\\'\"$`}");
    const char *home;

    if (s[length] != '\0' && strchr("/:}", s[length]) == NULL)
        return NULL;
    if (length == 0) {
        home = variable_get("HOME");
    } else {
        struct passwd *user = getpwnam(arena_string(&scratch, s, length));
        home = user != NULL ? user->pw_dir : NULL;
    }
    if (home == NULL)
        return NULL;
    put_results(e, home, true);
    e->started = true;
    return s + length;
}

/* In double quotes, or a here-document, where \ is only itself before most bytes. */
static const char *expand_quoted_backslash(struct expander *e, const char *s, int stop,
                                           enum mode mode)
{
    const char *special = mode == HERE ? "$`\\" : "$`\\\"";

    if (s[1] == '\n')
        return s + 2;
    if (s[1] != '\0' && (strchr(special, s[1]) != NULL || s[1] == stop))
        s++;
    put(e, *s, true);
    return s + 1;
}

static const char *expand_double_quotes(struct expander *e, const char *s)
{
    e->nothing = false;
    s = expand_text(e, s, '"', QUOTED);
    if (!e->nothing)
        e->started = true;
    return s + (*s == '"');
}

/* Put TEXT up to an unquoted STOP; returns where that is. */
static const char *expand_text(struct expander *e, const char *s, int stop, enum mode mode)
{
    while (*s != '\0' && *s != stop) {
        if (*s == '$') {
            s = expand_dollar(e, s + 1, mode);
        } else if (*s == '`') {
            s = expand_backquotes(e, s + 1, mode == QUOTED);
        } else if (*s == '\\' && mode >= QUOTED) {
            s = expand_quoted_backslash(e, s, stop, mode);
        } else if (*s == '\\') {
            if (s[1] != '\n')
                put(e, s[1] != '\0' ? s[1] : '\\', true);
            s += s[1] != '\0' ? 2 : 1;
        } else if (*s == '\'' && mode < QUOTED) {
            for (s++; *s != '\'' && *s != '\0'; s++)
                put(e, *s, true);
            e->started = true;
            s += *s == '\'';
        } else if (*s == '"' && mode != HERE) {
            s = expand_double_quotes(e, s + 1);
        } else if (mode == BRACE) {
            put_result(e, *s++, false);
        } else {
            put(e, *s++, mode >= QUOTED);
        }
    }
    return s;
}

/* Tildes stand at the beginning, in an assignment behind = and : too. */
static void expand_with_tildes(struct expander *e, const char *s, bool assignment)
{
    const char *rest = *s == '~' ? expand_tilde(e, s + 1) : NULL;
    const char *colon;

    if (rest != NULL)
        s = rest;
    while (assignment && (colon = strstr(s, ":~")) != NULL &&
           strcspn(s, "'\"`$\\") > (size_t)(colon - s)) {
        for (; s <= colon; s++)
            put(e, *s, false);
        rest = expand_tilde(e, s + 1);
        s = rest != NULL ? rest : s;
        if (rest == NULL)
            put(e, *s++, false);
    }
    expand_text(e, s, '\0', PLAIN);
}

static const char *separators(void)
{
    const char *ifs = variable_get("IFS");

    return ifs != NULL ? ifs : " \t\n";
}

/* Every field of every word, as a list in scratch. */
struct word *expand_words(struct word *words)
{
    struct word *result = NULL, **tail = &result;

    for (; words != NULL; words = words->next) {
        struct expander e = {.split = true, .ifs = separators()};
        e.tail = &e.fields;
        expand_with_tildes(&e, words->text, false);
        if (e.started)
            end_field(&e);
        for (struct word *f = e.fields, *next; f != NULL; f = next) {
            struct word **end =
                sh.option['f'] || !has_wildcards(f->text) ? tail : glob_names(tail, f->text);
            next = f->next;
            if (end == tail) {
                unmark(f->text);
                *tail = f;
                end = &f->next;
                f->next = NULL;
            }
            tail = end;
        }
    }
    return result;
}

/* One word into one string, in scratch, without splitting and globbing. */
char *expand(const char *word, enum expand_how how)
{
    struct expander e = {.ifs = separators()};
    char *text;

    if (how == AS_HERE_DOCUMENT)
        expand_text(&e, word, '\0', HERE);
    else
        expand_with_tildes(&e, word, how == AS_ASSIGNMENT);
    text = buffer_take(&e.out);
    return how == AS_PATTERN ? text : unmark(text);
}

/* The delimiter of a here-document: nothing in it is expanded. */
char *remove_quotes(const char *word)
{
    struct buffer text = {0};
    char quote = '\0';

    for (; *word != '\0'; word++) {
        if (quote != '\0' ? *word == quote : *word == '\'' || *word == '"')
            quote = quote != '\0' ? '\0' : *word;
        else if (*word == '\\' && quote != '\'' && word[1] != '\0')
            buffer_put(&text, *++word);
        else
            buffer_put(&text, *word);
    }
    return buffer_take(&text);
}

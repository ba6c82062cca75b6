/*
 * Names: variables, functions, the positional parameters.
 *
 * A variable exists when it has a value or an attribute (export, readonly). `local`, and an assignment
 * before a command, keep the old state on a stack; leaving the scope puts it back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sh.h"

#define BUCKETS 64

static struct variable *variables[BUCKETS];
static struct saved {
    struct saved *next;
    struct variable *variable;
    struct variable old;
} * saved;
static size_t saved_count;
static struct function *functions;

struct variable *variable_find(const char *name)
{
    struct variable *v, **bucket;
    unsigned hash = 0;

    for (const char *s = name; *s != '\0'; s++)
        hash = hash * 31 + (unsigned char)*s;
    for (bucket = &variables[hash % BUCKETS]; *bucket != NULL; bucket = &(*bucket)->next)
        if (strcmp((*bucket)->name, name) == 0)
            return *bucket;
    v = *bucket = allocate(NULL, sizeof *v);
    *v = (struct variable){.name = copy_string(name)};
    return v;
}

const char *variable_get(const char *name)
{
    return variable_find(name)->value;
}

bool variable_set(const char *name, const char *value)
{
    struct variable *v = variable_find(name);
    char *old = v->value;

    if (v->readonly) {
        complain("%s: is read only", name);
        return false;
    }
    v->value = value != NULL ? copy_string(value) : NULL;
    v->exported = value != NULL && (v->exported || sh.option['a']);
    free(old);
    return true;
}

/* A value as the shell would read it again. */
void print_quoted(const char *s)
{
    out("'");
    for (; *s != '\0'; s++)
        out(*s == '\'' ? "'\"'\"'" : "%c", *s);
    out("'");
}

static int compare_variables(const void *a, const void *b)
{
    return strcmp((*(struct variable *const *)a)->name, (*(struct variable *const *)b)->name);
}

/* All variables, sorted by name, with a NULL behind them; in scratch. */
static struct variable **all_variables(void)
{
    struct variable **list = NULL;
    size_t count = 0;

    for (int round = 0; round < 2; round++) { /* first count, then list */
        if (round == 1)
            list = arena_alloc(&scratch, (count + 1) * sizeof *list);
        count = 0;
        for (size_t i = 0; i < BUCKETS; i++)
            for (struct variable *v = variables[i]; v != NULL; v = v->next, count++)
                if (list != NULL)
                    list[count] = v;
    }
    qsort(list, count, sizeof *list, compare_variables);
    return list;
}

/* Those that are set ('s'), exported ('e') or readonly ('r'), each behind PREFIX. */
void variables_print(const char *prefix, char which)
{
    for (struct variable **v = all_variables(); *v != NULL; v++) {
        if (!(which == 's' ? (*v)->value != NULL : which == 'e' ? (*v)->exported : (*v)->readonly))
            continue;
        out("%s%s", prefix, (*v)->name);
        if ((*v)->value != NULL) {
            out("=");
            print_quoted((*v)->value);
        }
        out("\n");
    }
}

/* What programs get: in scratch. */
char **environment(void)
{
    struct variable **v = all_variables();
    char **result, **next;
    size_t count = 0;

    while (v[count] != NULL)
        count++;
    result = next = arena_alloc(&scratch, (count + 1) * sizeof *result);
    for (; *v != NULL; v++) {
        if (!(*v)->exported || (*v)->value == NULL)
            continue;
        *next = arena_alloc(&scratch, strlen((*v)->name) + strlen((*v)->value) + 2);
        sprintf(*next++, "%s=%s", (*v)->name, (*v)->value);
    }
    return result;
}

void variables_import(char **e)
{
    for (; *e != NULL; e++) {
        size_t length = strcspn(*e, "=");
        char *name = arena_string(&scratch, *e, length);
        if ((*e)[length] == '=' && is_name(name, length) && variable_set(name, *e + length + 1))
            variable_find(name)->exported = true;
    }
}

size_t scope_enter(void)
{
    return saved_count;
}

void scope_local(const char *name)
{
    struct saved *s = allocate(NULL, sizeof *s);
    struct variable *v = variable_find(name);

    *s = (struct saved){saved, v, *v};
    if (v->value != NULL)
        s->old.value = copy_string(v->value);
    saved = s;
    saved_count++;
}

void scope_leave(size_t scope)
{
    for (; saved_count > scope; saved_count--) {
        struct saved *s = saved;
        saved = s->next;
        free(s->variable->value);
        s->old.next = s->variable->next; /* others may have come behind it */
        *s->variable = s->old;
        free(s);
    }
}

/* --- functions and parameters ----------------------------------------------------------------- */

struct function *function_find(const char *name)
{
    struct function *f = functions;

    while (f != NULL && strcmp(f->name, name) != 0)
        f = f->next;
    return f;
}

void function_remove(const char *name)
{
    for (struct function **f = &functions; *f != NULL; f = &(*f)->next) {
        struct function *gone = *f;
        if (strcmp(gone->name, name) != 0)
            continue;
        *f = gone->next;
        program_put(gone->program);
        free(gone->name);
        free(gone);
        return;
    }
}

void function_define(struct node *n)
{
    struct function *f = allocate(NULL, sizeof *f);

    function_remove(n->name);
    *f = (struct function){functions, copy_string(n->name), n->a, n->program};
    f->program->references++;
    functions = f;
}

/* Become $1 $2 ..., copied: one block holds the pointers and the bytes. */
void parameters_set(char **values, int count)
{
    size_t size = (size_t)count * sizeof *values + 1;
    char **block, *text;

    for (int i = 0; i < count; i++)
        size += strlen(values[i]) + 1;
    block = allocate(NULL, size);
    text = (char *)(block + count);
    for (int i = 0; i < count; i++) {
        block[i] = text;
        text = stpcpy(text, values[i]) + 1;
    }
    free(sh.parameters.owned);
    sh.parameters = (struct parameters){block, count, block};
}

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

struct saved {
    struct saved *next;
    struct variable *variable;
    char *value;
    bool exported, readonly;
};

static struct variable *variables[BUCKETS];
static struct saved *saved;
static size_t saved_count;
struct function *functions;

struct variable *variable_find(const char *name)
{
    struct variable *v, **bucket;
    unsigned hash = 0;

    for (const char *s = name; *s != '\0'; s++)
        hash = hash * 31 + (unsigned char)*s;
    for (bucket = &variables[hash % BUCKETS]; *bucket != NULL; bucket = &(*bucket)->next)
        if (strcmp((*bucket)->name, name) == 0)
            return *bucket;
    v = allocate(sizeof *v);
    v->name = copy_string(name);
    v->exported = sh.option['a'];
    return *bucket = v;
}

const char *variable_get(const char *name)
{
    return variable_find(name)->value;
}

bool variable_set(const char *name, const char *value)
{
    struct variable *v = variable_find(name);

    if (v->readonly) {
        complain("%s: is read only", name);
        return false;
    }
    char *copy = value != NULL ? copy_string(value) : NULL;
    free(v->value);
    v->value = copy;
    v->exported |= sh.option['a'];
    return true;
}

bool variable_unset(const char *name)
{
    if (!variable_set(name, NULL))
        return false;
    variable_find(name)->exported = false;
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
    struct variable **list;
    size_t count = 0;

    for (size_t i = 0; i < BUCKETS; i++)
        for (struct variable *v = variables[i]; v != NULL; v = v->next)
            count++;
    list = arena_alloc(&scratch, (count + 1) * sizeof *list);
    count = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct variable *v = variables[i]; v != NULL; v = v->next)
            list[count++] = v;
    qsort(list, count, sizeof *list, compare_variables);
    return list;
}

void variables_print(const char *prefix, bool (*wanted)(const struct variable *))
{
    for (struct variable **v = all_variables(); *v != NULL; v++) {
        if (!wanted(*v))
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
    struct variable **list = all_variables();
    size_t count = 0, size;
    char **result;

    while (list[count] != NULL)
        count++;
    result = arena_alloc(&scratch, (count + 1) * sizeof *result);
    count = 0;
    for (; *list != NULL; list++) {
        if (!(*list)->exported || (*list)->value == NULL)
            continue;
        size = strlen((*list)->name) + strlen((*list)->value) + 2;
        result[count] = arena_alloc(&scratch, size);
        snprintf(result[count++], size, "%s=%s", (*list)->name, (*list)->value);
    }
    return result;
}

void variables_import(char **environment)
{
    for (; *environment != NULL; environment++) {
        size_t length = strcspn(*environment, "=");
        if ((*environment)[length] != '=' || !is_name(*environment, length))
            continue;
        char *name = arena_string(&scratch, *environment, length);
        variable_set(name, *environment + length + 1);
        variable_find(name)->exported = true;
    }
}

/* --- scopes ----------------------------------------------------------------------------------- */

size_t scope_enter(void)
{
    return saved_count;
}

void scope_local(const char *name)
{
    struct saved *s = allocate(sizeof *s);

    s->variable = variable_find(name);
    s->value = s->variable->value != NULL ? copy_string(s->variable->value) : NULL;
    s->exported = s->variable->exported;
    s->readonly = s->variable->readonly;
    s->next = saved;
    saved = s;
    saved_count++;
}

void scope_leave(size_t scope)
{
    while (saved_count > scope) {
        struct saved *s = saved;
        free(s->variable->value);
        s->variable->value = s->value;
        s->variable->exported = s->exported;
        s->variable->readonly = s->readonly;
        saved = s->next;
        saved_count--;
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
    struct function *f = allocate(sizeof *f);

    function_remove(n->name);
    f->name = copy_string(n->name);
    f->body = n->a;
    f->program = n->program;
    f->program->references++;
    f->next = functions;
    functions = f;
}

/* Become $1 $2 ..., copied: one block holds the pointers and the bytes. */
void parameters_set(char **values, int count)
{
    size_t size = 0;
    char **block, *text;

    for (int i = 0; i < count; i++)
        size += strlen(values[i]) + 1;
    block = allocate((size_t)count * sizeof *block + size + 1);
    text = (char *)(block + count);
    for (int i = 0; i < count; i++) {
        block[i] = text;
        text = stpcpy(text, values[i]) + 1;
    }
    free(sh.parameters.owned);
    sh.parameters = (struct parameters){block, count, block};
}

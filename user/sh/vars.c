/*
 * Names. A variable is a name and a text; so is a function, whose name ends in () and whose text is a command.
 * Here are $1 $2 ... too.
 */
#include "sh.h"

static struct variable *variables;

bool is_name(const char *s, size_t length)
{
    return length > 0 && name_length(s) == length && (isalpha((unsigned char)*s) || *s == '_');
}

/* What was never used may have come from the environment. */
static struct variable *find(const char *name)
{
    for (struct variable *v = variables; v != NULL; v = v->next)
        if (strcmp(v->name, name) == 0)
            return v;
    struct variable *v = allocate(NULL, sizeof *v + strlen(name) + 1);
    const char *value = getenv(name);
    *v = (struct variable){.next = variables, .exported = value != NULL};
    v->value = value != NULL ? strdup(value) : NULL;
    strcpy(v->name, name);
    return variables = v;
}

const char *variable_get(const char *name)
{
    return find(name)->value;
}

/* Whether programs get it. What they get is the C library's environment, whose PATH execvp searches too. */
void variable_export(struct variable *v, bool exported)
{
    v->exported = exported;
    if (!exported || v->value == NULL)
        unsetenv(v->name);
    else if (setenv(v->name, v->value, true) < 0)
        fail("Out of space");
}

/* VALUE NULL unsets. */
struct variable *variable_set(const char *name, const char *value)
{
    struct variable *v = find(name);
    char *copy = value != NULL ? strcpy(allocate(NULL, strlen(value) + 1), value) : NULL;
    free(v->value);
    v->value = copy;
    variable_export(v, v->exported);
    return v;
}

char *function_name(const char *name)
{
    return strcat(strcpy(stack_alloc(strlen(name) + 3), name), "()");
}

/* Become $1 $2 ..., copied: one block holds the pointers and the bytes. */
void parameters_set(char **values, int count)
{
    size_t size = (size_t)count * sizeof *values + 1;
    for (int i = 0; i < count; i++)
        size += strlen(values[i]) + 1;
    char **block = allocate(NULL, size), *text = (char *)(block + count);
    for (int i = 0; i < count; i++) {
        block[i] = text;
        text = stpcpy(text, values[i]) + 1;
    }
    free(sh.parameters.owned);
    sh.parameters = (struct parameters){block, count, block};
}

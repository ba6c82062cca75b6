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

/* NULL: the name was never used, and MAKE is false. */
static struct variable *find(const char *name, bool make)
{
    for (struct variable *v = variables; v != NULL; v = v->next)
        if (strcmp(v->name, name) == 0)
            return v;
    if (!make)
        return NULL;
    struct variable *v = allocate(NULL, sizeof *v + strlen(name) + 1);
    *v = (struct variable){.next = variables};
    strcpy(v->name, name);
    return variables = v;
}

const char *variable_get(const char *name)
{
    struct variable *v = find(name, false);
    return v != NULL ? v->value : NULL;
}

/* VALUE NULL unsets. */
struct variable *variable_set(const char *name, const char *value)
{
    struct variable *v = find(name, true);
    char *copy = value != NULL ? strcpy(allocate(NULL, strlen(value) + 1), value) : NULL;
    free(v->value);
    v->value = copy;
    return v;
}

char *function_name(const char *name)
{
    return strcat(strcpy(stack_alloc(strlen(name) + 3), name), "()");
}

/* What a program gets. */
char **environment(void)
{
    size_t count = 1;
    for (struct variable *v = variables; v != NULL; v = v->next)
        count += v->exported && v->value != NULL;
    char **result = stack_alloc(count * sizeof *result), **next = result;
    for (struct variable *v = variables; v != NULL; v = v->next)
        if (v->exported && v->value != NULL) {
            *next = stack_alloc(strlen(v->name) + strlen(v->value) + 2);
            sprintf(*next++, "%s=%s", v->name, v->value);
        }
    return result;
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

/*
 * Long options, and operands that may stand between options. An option behind operands is read where it stands;
 * afterwards the words that it took are moved in front of them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "getopt.h"

static int complain(const char *options, const char *format, const char *program, const char *word)
{
    options += *options == '+' || *options == '-';
    if (opterr && *options != ':')
        fprintf(stderr, format, program, word);
    return '?';
}

/* The option whose name the LENGTH bytes at NAME are or begin. -1: none; -2: several that mean different things. */
static int find(const struct option *options, const char *name, size_t length)
{
    int found = -1;
    for (int i = 0; options[i].name; i++) {
        const struct option *o = &options[i];
        if (strncmp(o->name, name, length) != 0)
            continue;
        if (!o->name[length])
            return i;
        if (found == -1)
            found = i;
        else if (found >= 0 && (o->has_arg != options[found].has_arg ||
                                o->flag != options[found].flag || o->val != options[found].val))
            found = -2;
    }
    return found;
}

/* The word at optind is the option O; behind '=' stands VALUE, if it isn't NULL. */
static int take_long(int argc, char *const argv[], const char *letters, const struct option *o,
                     char *value)
{
    const char *colon = letters + (*letters == '+' || *letters == '-');
    optind++;
    optarg = value;
    optopt = o->flag ? 0 : o->val;
    if (value && o->has_arg == no_argument)
        return complain(letters, "%s: option '--%s' doesn't allow an argument\n", argv[0], o->name);
    if (!value && o->has_arg == required_argument) {
        if (optind >= argc) {
            complain(letters, "%s: option '--%s' requires an argument\n", argv[0], o->name);
            return *colon == ':' ? ':' : '?';
        }
        optarg = argv[optind++];
    }
    if (!o->flag)
        return o->val;
    *o->flag = o->val;
    return 0;
}

/* The option at optind, long or not. */
static int take(int argc, char *const argv[], const char *letters, const struct option *options,
                int *index, bool one_dash)
{
    char *word = argv[optind];
    bool two = word[1] == '-';
    if (__option_at || (two ? !word[2] : !one_dash))
        return getopt(argc, argv, letters);
    const char *name = word + 1 + two;
    size_t length = strcspn(name, "=");
    int i = find(options, name, length);
    if (i < 0 && !two && strchr(letters, *name))
        return getopt(argc, argv, letters);
    if (i >= 0) {
        if (index)
            *index = i;
        return take_long(argc, argv, letters, &options[i],
                         name[length] ? (char *)name + length + 1 : NULL);
    }
    optind++;
    optopt = 0;
    return complain(letters,
                    i == -1 ? "%s: unrecognized option '%s'\n" : "%s: option '%s' is ambiguous\n",
                    argv[0], word);
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1];
}

/* Move the words [from, to) in front of those that begin at START. */
static void move_words(char **argv, int start, int from, int to)
{
    for (; from < to; from++, start++) {
        char *word = argv[from];
        memmove(argv + start + 1, argv + start, (size_t)(from - start) * sizeof(*argv));
        argv[start] = word;
    }
}

static int getopt_any(int argc, char *const argv[], const char *letters,
                      const struct option *options, int *index, bool one_dash)
{
    optarg = NULL;
    if (optind == 0) {
        optind = 1;
        __option_at = 0;
    }
    int start = optind, from = start;
    if (optind >= argc || !argv[optind])
        return -1;
    if (*letters == '-' && !__option_at && !is_option(argv[optind])) {
        optarg = argv[optind++];
        return 1;
    }
    if (*letters != '+' && *letters != '-' && !getenv("POSIXLY_CORRECT"))
        while (from < argc && argv[from] && !is_option(argv[from]))
            from++;
    if (from >= argc || !argv[from] || !is_option(argv[from]))
        return -1;
    optind = from;
    int result = take(argc, argv, letters, options, index, one_dash);
    move_words((char **)argv, start, from, optind);
    optind = start + optind - from;
    return result;
}

int getopt_long(int argc, char *const argv[], const char *letters, const struct option *options,
                int *index)
{
    return getopt_any(argc, argv, letters, options, index, false);
}

int getopt_long_only(int argc, char *const argv[], const char *letters,
                     const struct option *options, int *index)
{
    return getopt_any(argc, argv, letters, options, index, true);
}

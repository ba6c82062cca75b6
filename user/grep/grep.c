/*
 * grep [-abchHiIlLnoqrRsvwxEFG] [-e PATTERN] [-f FILE] [-m COUNT] [-A N] [-B N] [-C N] [PATTERN] [FILE...]:
 * the lines in which a pattern is found.
 *
 *     -E, -F, -G  the patterns are extended expressions, plain text, basic expressions (the default)
 *     -i  a is A     -v  the lines without     -w, -x  as a whole word, as the whole line     -m  stop after so many
 *     -c  how many     -l, -L  in which files, in which not     -q  only the status     -o  only what was found
 *     -n, -b, -H, -h  with line numbers, offsets, file names, without     -s  no complaints about files
 *     -A, -B, -C  with so many lines behind, before, around     -r, -R  directories too (-R: through links)
 *     -a  all is text     -I  what isn't text has no such lines
 *
 * Exit status: 0 something was found, 1 nothing, 2 trouble.
 */
#include "../command.h"

#include <ctype.h>
#include <dirent.h>

#include "regex.h"

#define USAGE \
    "grep [-abcEFGhHiIlLnoqrRsvwx] [-e pattern | -f file | pattern] [-m count] [-A|-B|-C lines] [file...]"

static bool all_text, only_text, with_offset, counting, with_name, without_name, ignore_case, list,
    list_without;
static bool with_number, only_match, quiet, recursive, follow, silent, invert, word, whole;
static char kind = 'G';
static long long most = LLONG_MAX, context_behind, context_before;
static int status = 1;
/* What is searched when nothing is named: nobody wants ./ before every name. */
static const char here[] = ".";

/* Every pattern is an expression of its own, text too, with its signs made plain. */
static struct regex **patterns;
static size_t pattern_count;

/* A line; its newline is replaced by NUL. */
struct line {
    char *text;
    size_t room, length;
    long long number, offset;
    bool had_newline, has_nul;
};

/* --- patterns ----------------------------------------------------------------------------------------- */

/* TEXT, which has no newline, as a basic expression for just that. */
static char *make_plain(const char *text, size_t length)
{
    char *plain = need_memory(malloc(length * 2 + 1)), *to = plain;
    for (size_t i = 0; i < length; i++) {
        if (strchr("\\[.*^$", text[i]))
            *to++ = '\\';
        *to++ = text[i];
    }
    *to = '\0';
    return plain;
}

static void add_pattern(const char *text, size_t length)
{
    const char *error;
    int flags = (kind == 'E' ? REGEX_EXTENDED : 0) | (ignore_case ? REGEX_IGNORE_CASE : 0);
    char *expression = kind == 'F' ? make_plain(text, length) : need_memory(strndup(text, length));
    patterns = need_memory(realloc(patterns, (pattern_count + 1) * sizeof(*patterns)));
    patterns[pattern_count] = regex_compile(expression, flags, &error);
    if (!patterns[pattern_count++])
        errx(2, "%s: %s", expression, error);
    free(expression);
}

/* Several patterns may stand in a text, one on each line. */
static void add_patterns(const char *text)
{
    for (;;) {
        size_t length = strcspn(text, "\n");
        add_pattern(text, length);
        if (!text[length])
            return;
        text += length + 1;
    }
}

static void add_patterns_of(const char *name)
{
    FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    if (!f)
        err(2, "%s", name);
    while ((n = getline(&line, &room, f)) >= 0)
        add_pattern(line, (size_t)n - (line[n - 1] == '\n'));
    if (ferror(f))
        err(2, "%s", name);
    free(line);
}

/* --- matching ----------------------------------------------------------------------------------------- */

static bool is_word(const char *text, size_t length, size_t at)
{
    return at < length && (isalnum((unsigned char)text[at]) || text[at] == '_');
}

static bool search(const struct regex *re, const char *text, size_t length, size_t from, size_t to,
                   struct regex_match *m)
{
    enum regex_result result = regex_find(re, text, length, from, to, m);
    if (result == GIVEN_UP)
        errx(2, "out of memory, or of patience with \\1");
    return result == FOUND;
}

/*
 * The first match of RE in TEXT from FROM on and of those the longest, as -w and -x want it. A match that
 * is no word may have a shorter one in it that is: so look again, in less and less, and then further on.
 */
static bool find_one(const struct regex *re, const char *text, size_t length, size_t from,
                     struct regex_match *m)
{
    while (from <= length && search(re, text, length, from, length, m)) {
        if (whole)
            return m->from == 0 && m->to == length;
        if (!word)
            return true;
        size_t start = m->from;
        while (start == 0 || !is_word(text, length, start - 1)) {
            if (!is_word(text, length, m->to))
                return true;
            if (m->to <= start + 1 || !search(re, text, length, start, m->to - 1, m) ||
                m->from != start)
                break;
        }
        from = start + 1;
    }
    return false;
}

/* The best match of all patterns. With BEST NULL nobody asks where. */
static bool find(const char *text, size_t length, size_t from, struct regex_match *best)
{
    struct regex_match m, *where = best || word || whole ? &m : NULL;
    bool found = false;
    for (size_t i = 0; i < pattern_count; i++) {
        if (!find_one(patterns[i], text, length, from, where))
            continue;
        if (!best)
            return true;
        if (!found || m.from < best->from || (m.from == best->from && m.to > best->to))
            *best = m;
        found = true;
    }
    return found;
}

/* --- printing ----------------------------------------------------------------------------------------- */

static void print_prefix(const char *name, const struct line *line, long long offset, char sign)
{
    if (with_name)
        printf("%s%c", name, sign);
    if (with_number)
        printf("%lld%c", line->number, sign);
    if (with_offset)
        printf("%lld%c", offset, sign);
}

static void print_line(const char *name, const struct line *line, char sign)
{
    print_prefix(name, line, line->offset, sign);
    fwrite(line->text, 1, line->length, stdout);
    putchar('\n');
}

/* --- files -------------------------------------------------------------------------------------------- */

/* The lines before the present one that may still be printed, in a ring; and how many behind must be. */
struct context {
    struct line *ring;
    size_t count, next;
    long long behind, last_printed;
};

static bool read_line(FILE *f, struct line *line)
{
    long long after = line->offset + (long long)line->length + line->had_newline;
    ssize_t n = getline(&line->text, &line->room, f);
    if (n < 0)
        return false;
    line->had_newline = line->text[n - 1] == '\n';
    line->length = (size_t)n - line->had_newline;
    line->text[line->length] = '\0';
    line->has_nul = memchr(line->text, '\0', line->length) != NULL;
    line->offset = after;
    line->number++;
    return true;
}

static void keep_before(struct context *context, const struct line *line)
{
    if (context_before == 0)
        return;
    if (!context->ring)
        context->ring = need_memory(calloc((size_t)context_before, sizeof(*context->ring)));
    struct line *place = &context->ring[context->next++ % (size_t)context_before];
    free(place->text);
    *place = *line;
    place->text = need_memory(malloc(line->length + 1));
    memcpy(place->text, line->text, line->length + 1);
    context->count += context->count < (size_t)context_before;
}

static void print_with_context(struct context *context, const char *name, const struct line *line)
{
    long long first = line->number - (long long)context->count;
    if ((context_before || context_behind) && context->last_printed &&
        first > context->last_printed + 1)
        puts("--");
    for (size_t i = context->count; i > 0; i--)
        print_line(name, &context->ring[(context->next - i) % (size_t)context_before], '-');
    context->count = 0;
    if (!only_match) /* then the caller prints what was found */
        print_line(name, line, ':');
    context->last_printed = line->number;
    context->behind = context_behind;
}

/* Each match of the line on a line of its own. */
static void print_matches(const char *name, const struct line *line)
{
    struct regex_match m = {0};
    for (size_t from = 0; from <= line->length && find(line->text, line->length, from, &m);) {
        if (m.to > m.from) {
            print_prefix(name, line, line->offset + (long long)m.from, ':');
            fwrite(line->text + m.from, 1, m.to - m.from, stdout);
            putchar('\n');
        }
        from = m.to + (m.to == m.from);
    }
}

/* The selected lines of F, printed unless only their number counts. Returns it. */
static long long search_lines(FILE *f, const char *name)
{
    bool show = !quiet && !counting && !list && !list_without, binary = false;
    struct context context = {0};
    struct line line = {0};
    long long selected = 0;
    while ((selected < most || context.behind > 0) && read_line(f, &line)) {
        binary |= line.has_nul && !all_text;
        if (binary && only_text)
            break;
        if (selected < most && find(line.text, line.length, 0, NULL) != invert) {
            selected++;
            if (quiet || list || list_without)
                break;
            if (show && binary) {
                warnx("%s: binary file matches", name);
                break;
            }
            if (show)
                print_with_context(&context, name, &line);
            if (show && only_match && !invert)
                print_matches(name, &line);
        } else if (show && context.behind > 0) {
            if (!only_match)
                print_line(name, &line, '-');
            context.behind--;
            context.last_printed = line.number;
        } else if (show && !only_match) {
            keep_before(&context, &line);
        }
    }
    for (size_t i = 0; context.ring && i < (size_t)context_before; i++)
        free(context.ring[i].text);
    free(context.ring);
    free(line.text);
    return selected;
}

static void complain(const char *name)
{
    if (!silent)
        warn("%s", name);
    status = 2;
}

static void search_file(FILE *f, const char *name)
{
    long long selected = search_lines(f, name);
    if (ferror(f)) {
        complain(name);
        return;
    }
    if (selected > 0 && status == 1)
        status = 0;
    if (quiet && selected > 0)
        exit(0);
    if (counting && !list && !list_without) {
        if (with_name)
            printf("%s:", name);
        printf("%lld\n", selected);
    }
    if ((list && selected > 0) || (list_without && selected == 0))
        puts(name);
}

static void search_path(const char *name, bool operand);

static void search_directory(const char *name)
{
    DIR *dir = opendir(name);
    struct dirent *d;
    if (!dir) {
        complain(name);
        return;
    }
    while ((d = readdir(dir))) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        char *inner = name == here ? need_memory(strdup(d->d_name)) : path_join(name, d->d_name);
        search_path(inner, false);
        free(inner);
    }
    closedir(dir);
}

/* OPERAND: it was named, not found on the way; then links are followed and devices are read. */
static void search_path(const char *name, bool operand)
{
    struct stat st;
    if (operand && strcmp(name, "-") == 0) {
        search_file(stdin, "(standard input)");
        return;
    }
    if ((operand || follow ? stat(name, &st) : lstat(name, &st)) < 0) {
        complain(name);
        return;
    }
    if (S_ISDIR(st.st_mode) && recursive) {
        search_directory(name);
        return;
    }
    if (!operand && !S_ISREG(st.st_mode))
        return;
    FILE *f = fopen(name, "re");
    if (!f) {
        complain(name);
        return;
    }
    search_file(f, name);
    fclose(f);
}

/* --- options ------------------------------------------------------------------------------------------ */

static long long number(const char *text)
{
    long long n;
    if (!parse_count(text, &n))
        errx(2, "%s: not a count", text);
    return n;
}

static void take_option(int c)
{
    switch (c) {
    case 'a': all_text = true; break;
    case 'A': context_behind = number(optarg); break;
    case 'b': with_offset = true; break;
    case 'B': context_before = number(optarg); break;
    case 'c': counting = true; break;
    case 'C': context_before = context_behind = number(optarg); break;
    case 'E':
    case 'F':
    case 'G': kind = (char)c; break;
    case 'h': without_name = true, with_name = false; break;
    case 'H': with_name = true, without_name = false; break;
    case 'i':
    case 'y': ignore_case = true; break;
    case 'I': only_text = true; break;
    case 'l': list = true; break;
    case 'L': list_without = true; break;
    case 'm': most = number(optarg); break;
    case 'n': with_number = true; break;
    case 'o': only_match = true; break;
    case 'q': quiet = true; break;
    case 'R': follow = true; /* fall through */
    case 'r': recursive = true; break;
    case 's': silent = true; break;
    case 'v': invert = true; break;
    case 'w': word = true; break;
    case 'x': whole = true; break;
    case 'e':
    case 'f': break; /* when all options are known */
    default: usage(2, USAGE);
    }
}

#define OPTIONS "aA:bB:cC:e:Ef:FGhHiIlLm:noqrRsvwxy"

int main(int argc, char **argv)
{
    bool given = false;
    int c;

    command_begin();
    while ((c = getopt(argc, argv, OPTIONS)) != -1)
        take_option(c);
    for (optind = 1; (c = getopt(argc, argv, OPTIONS)) != -1;) {
        given |= c == 'e' || c == 'f';
        if (c == 'e')
            add_patterns(optarg);
        if (c == 'f')
            add_patterns_of(optarg);
    }
    if (!given && optind == argc)
        usage(2, USAGE);
    if (!given)
        add_patterns(argv[optind++]);
    char **names = argv + optind;
    if (argc - optind > 1 || recursive)
        with_name = !without_name;
    if (argc == optind && recursive) {
        search_path(here, true);
    } else if (argc == optind) {
        search_path("-", true);
    }
    for (; *names; names++)
        search_path(*names, true);
    return command_end_with(status, 2);
}

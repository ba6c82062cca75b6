/*
 * sort [-bcCdfimnrsu] [-k KEY]... [-o FILE] [-t CHAR] [FILE...]: the lines of all files, in order.
 *
 *     -n  by the number at the beginning     -f  a is A     -d, -i  only letters, digits and blanks, what prints
 *     -r  the other way round     -b  blanks at the beginning don't count     -u  of equal lines one
 *     -s  equal lines stay as they are     -m  the files are sorted: only merge     -o  into a file, maybe one of these
 *     -c, -C  don't sort, say (or don't) whether it is     -t  what separates fields, instead of blanks
 *     -k F[.C][bdfinr][,F[.C][bdfinr]]  compare from field F, character C, to the end of the line or that there
 *
 * The lines are read into memory and sorted by merging: two halves, each sorted, become one by always
 * taking the smaller of the first two. Of equal ones it takes the left, so their order stays (stable).
 */
#include "slurp.h"

#include <ctype.h>

#define USAGE "sort [-bcCdfimnrsu] [-k key]... [-o file] [-t char] [file...]"

struct line {
    const char *text;
    size_t length;
};

/* How to compare. What a -k doesn't say itself it has from the options before the files. */
struct order {
    bool blanks_begin, blanks_end, dictionary, fold, printing, numeric, reverse;
};

struct key {
    struct key *next;
    struct order order;
    bool has_own_order;
    size_t field, character;         /* from 1 on */
    size_t end_field, end_character; /* 0: to the end of the line; of the field */
};

static struct order global;
static struct key *keys, **last_key = &keys;
static int separator = -1;
static bool unique, stable;

/* --- keys --------------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* Behind the field that begins at P. Without -t the blanks before a field belong to it. */
static const char *field_end(const char *p, const char *end)
{
    if (separator >= 0) {
        const char *found = memchr(p, separator, (size_t)(end - p));
        return found ? found : end;
    }
    while (p < end && is_blank(*p))
        p++;
    while (p < end && !is_blank(*p))
        p++;
    return p;
}

/* Where field number N (from 1) begins. */
static const char *field_begin(const char *p, const char *end, size_t n)
{
    while (--n > 0 && p < end) {
        p = field_end(p, end);
        if (separator >= 0 && p < end)
            p++;
    }
    return p;
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && is_blank(*p))
        p++;
    return p;
}

static struct line key_text(const struct key *key, const struct line *line)
{
    const char *end = line->text + line->length;
    const char *from = field_begin(line->text, end, key->field), *to = end;
    if (key->order.blanks_begin)
        from = skip_blanks(from, end);
    from = (size_t)(end - from) < key->character - 1 ? end : from + key->character - 1;
    if (key->end_field > 0) {
        to = field_begin(line->text, end, key->end_field);
        if (key->end_character == 0) {
            to = field_end(to, end);
        } else {
            if (key->order.blanks_end)
                to = skip_blanks(to, end);
            to = (size_t)(end - to) < key->end_character ? end : to + key->end_character;
        }
    }
    return (struct line){from, to > from ? (size_t)(to - from) : 0};
}

/* --- comparing ---------------------------------------------------------------------------------------- */

/* A number as it stands there: its sign, its digits before and behind the point, without idle zeros. */
struct number {
    int sign; /* 0 for nought and for what is no number */
    const char *whole, *fraction;
    size_t whole_length, fraction_length;
};

static struct number parse_number(const struct line *line)
{
    const char *p = line->text, *end = p + line->length;
    struct number n = {.sign = 1};
    p = skip_blanks(p, end);
    if (p < end && *p == '-') {
        n.sign = -1;
        p++;
    }
    while (p < end && *p == '0')
        p++;
    for (n.whole = p; p < end && isdigit((unsigned char)*p); p++)
        n.whole_length++;
    n.fraction = p;
    if (p < end && *p == '.')
        for (n.fraction = ++p; p < end && isdigit((unsigned char)*p); p++)
            n.fraction_length++;
    while (n.fraction_length > 0 && n.fraction[n.fraction_length - 1] == '0')
        n.fraction_length--;
    if (n.whole_length + n.fraction_length == 0)
        n.sign = 0;
    return n;
}

static int compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

/* Digit by digit: numbers of any length, without rounding. */
static int compare_numbers(const struct line *a, const struct line *b)
{
    struct number x = parse_number(a), y = parse_number(b);
    if (x.sign != y.sign)
        return x.sign - y.sign;
    int order = (x.whole_length > y.whole_length) - (x.whole_length < y.whole_length);
    if (order == 0)
        order = memcmp(x.whole, y.whole, x.whole_length);
    if (order == 0)
        order = compare_bytes(x.fraction, x.fraction_length, y.fraction, y.fraction_length);
    return x.sign * order;
}

/* The next character that counts, -1 at the end. */
static int next_character(const char **p, const char *end, const struct order *order)
{
    while (*p < end) {
        unsigned char c = (unsigned char)*(*p)++;
        if ((order->dictionary && !isalnum(c) && !is_blank((char)c)) ||
            (order->printing && !isprint(c)))
            continue;
        return order->fold ? toupper(c) : c;
    }
    return -1;
}

static int compare_by(const struct order *order, const struct line *a, const struct line *b)
{
    if (order->numeric)
        return compare_numbers(a, b);
    if (!order->dictionary && !order->fold && !order->printing)
        return compare_bytes(a->text, a->length, b->text, b->length);
    const char *p = a->text, *q = b->text;
    for (;;) {
        int c = next_character(&p, a->text + a->length, order);
        int d = next_character(&q, b->text + b->length, order);
        if (c != d || c < 0)
            return c - d;
    }
}

/* By the keys; lines that are equal by them, by all their bytes, unless -s or -u want only the keys. */
static int compare(const struct line *a, const struct line *b)
{
    for (const struct key *key = keys; key; key = key->next) {
        struct line x = key_text(key, a), y = key_text(key, b);
        int order = compare_by(&key->order, &x, &y);
        if (order)
            return key->order.reverse ? -order : order;
    }
    if (stable || unique)
        return 0;
    int order = compare_bytes(a->text, a->length, b->text, b->length);
    return global.reverse ? -order : order;
}

/* Sort N lines; SPARE has room for as many. */
static void merge_sort(struct line *lines, struct line *spare, size_t n)
{
    size_t half = n / 2, left = 0, right = half, to = 0;
    if (n < 2)
        return;
    merge_sort(lines, spare, half);
    merge_sort(lines + half, spare, n - half);
    if (compare(&lines[half - 1], &lines[half]) <= 0)
        return;
    memcpy(spare, lines, half * sizeof(*lines));
    while (left < half)
        if (right < n && compare(&spare[left], &lines[right]) > 0)
            lines[to++] = lines[right++];
        else
            lines[to++] = spare[left++];
}

/* --- options ------------------------------------------------------------------------------------------ */

/* A letter of an order. END: behind the end of a key, where b means the other end. */
static bool set_order(struct order *order, char c, bool end)
{
    switch (c) {
    case 'b': *(end ? &order->blanks_end : &order->blanks_begin) = true; return true;
    case 'd': order->dictionary = true; return true;
    case 'f': order->fold = true; return true;
    case 'i': order->printing = true; return true;
    case 'n': order->numeric = true; return true;
    case 'r': order->reverse = true; return true;
    default: return false;
    }
}

/* F[.C][letters]. NULL: it isn't that. */
static const char *parse_position(const char *p, struct key *key, bool end)
{
    char *behind;
    size_t *field = end ? &key->end_field : &key->field,
           *character = end ? &key->end_character : &key->character;
    if (!isdigit((unsigned char)*p))
        return NULL;
    *field = strtoul(p, &behind, 10);
    *character = !end;
    if (*behind == '.') {
        if (!isdigit((unsigned char)behind[1]))
            return NULL;
        *character = strtoul(behind + 1, &behind, 10);
    }
    while (set_order(&key->order, *behind, end)) {
        key->has_own_order = true;
        behind++;
    }
    return *field == 0 || (!end && *character == 0) ? NULL : behind;
}

static void add_key(const char *text)
{
    struct key *key = need_memory(calloc(1, sizeof(*key)));
    const char *p = parse_position(text, key, false);
    if (p && *p == ',')
        p = parse_position(p + 1, key, true);
    if (!p || *p)
        errx(2, "%s: not a key", text);
    *last_key = key;
    last_key = &key->next;
}

/* Keys without letters of their own get the options; without any key, the whole line is one. */
static void complete_keys(void)
{
    if (!keys)
        add_key("1");
    for (struct key *key = keys; key; key = key->next) {
        if (key->has_own_order)
            continue;
        key->order = global;
        key->order.blanks_end = global.blanks_begin;
    }
}

/* --- files -------------------------------------------------------------------------------------------- */

static struct text input;

static void read_file(const char *name)
{
    ssize_t got;
    int fd = open_operand(name);
    if (fd < 0)
        exit(2);
    while ((got = text_read(&input, fd)) > 0)
        ;
    if (got < 0)
        err(2, "%s", name);
    close_operand(fd);
    if (input.length > 0 && input.data[input.length - 1] != '\n')
        input.data[input.length++] = '\n'; /* text_read leaves room */
}

static struct line *split_lines(size_t *count)
{
    struct line *lines;
    size_t n = 0;
    for (size_t i = 0; i < input.length; i++)
        n += input.data[i] == '\n';
    lines =
        need_memory(malloc(2 * (n + 1) * sizeof(*lines))); /* the second half is for merge_sort */
    const char *p = input.data;
    for (size_t i = 0; i < n; i++) {
        const char *end = memchr(p, '\n', input.length - (size_t)(p - input.data));
        lines[i] = (struct line){p, (size_t)(end - p)};
        p = end + 1;
    }
    *count = n;
    return lines;
}

static int check(const struct line *lines, size_t n, const char *name, bool silent)
{
    for (size_t i = 1; i < n; i++) {
        if (compare(&lines[i - 1], &lines[i]) < !unique)
            continue;
        if (!silent)
            warnx("%s:%zu: disorder: %.*s", name, i + 1, (int)lines[i].length, lines[i].text);
        return 1;
    }
    return 0;
}

static void write_lines(const struct line *lines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (unique && i > 0 && compare(&lines[i - 1], &lines[i]) == 0)
            continue;
        fwrite(lines[i].text, 1, lines[i].length, stdout);
        putchar('\n');
    }
}

static int checking; /* 'c' or 'C' */
static const char *output;

static void take_option(int c)
{
    switch (c) {
    case 'c':
    case 'C': checking = c; break;
    case 'k': add_key(optarg); break;
    case 'm': break; /* sorting what is sorted is merging */
    case 'o': output = optarg; break;
    case 's': stable = true; break;
    case 't':
        if (strcmp(optarg, "\\0") == 0)
            separator = '\0';
        else if (optarg[0] && !optarg[1])
            separator = (unsigned char)*optarg;
        else
            errx(2, "%s: more than one character", optarg);
        break;
    case 'u': unique = true; break;
    default:
        if (!set_order(&global, (char)c, false))
            usage(2, USAGE);
    }
}

int main(int argc, char **argv)
{
    char *standard_input[] = {"-", NULL};
    size_t n;
    int c;

    command_begin();
    while ((c = getopt(argc, argv, "bcCdfik:mno:rst:u")) != -1)
        take_option(c);
    complete_keys();
    char **names = optind < argc ? argv + optind : standard_input;
    if (checking && names[0] && names[1])
        usage(2, USAGE);
    for (char **name = names; *name; name++)
        read_file(*name);
    struct line *lines = split_lines(&n);
    if (checking)
        return check(lines, n, *names, checking == 'C');
    merge_sort(lines, lines + n + 1, n);
    /* Only now: the output may be one of the files. */
    if (output && !freopen(output, "w", stdout))
        err(2, "%s", output);
    write_lines(lines, n);
    return command_end_with(0, 2);
}

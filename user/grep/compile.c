/*
 * From an expression to a program (regex.h), in one pass, by recursive descent:
 *
 *      alternatives:  sequence | sequence ...
 *      sequence:      piece piece ...
 *      piece:         atom, then any number of * + ? {m,n}
 *      atom:          a byte, ., [set], ^, $, (alternatives), \escape
 *
 * Basic and extended expressions differ in which of these are written with a backslash, and in where *, ^
 * and $ are plain characters (POSIX, Base Definitions 9.3 and 9.4). next_token() knows that; the rest sees
 * tokens.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "regex.h"

#define PROGRAM_MAX 65536 /* instructions: x{255}{255} fits, a third level is refused */
#define DUP_MAX 255       /* POSIX's RE_DUP_MAX */
#define NEST_MAX 500

enum token {
    END,
    BYTE,
    DOT,
    BRACKET,
    OPEN,
    CLOSE,
    OR,
    STAR,
    PLUS,
    QUESTION,
    BRACE,
    BOL,
    EOL,
    ESCAPE
};

struct parser {
    const char *at; /* behind the token */
    enum token token;
    unsigned char byte; /* of BYTE and ESCAPE */
    bool extended;
    enum {
        INSIDE,
        BEHIND_ANCHOR,
        AT_START
    } place; /* of a sequence: * and ^ may be plain bytes there */
    int depth;
    int groups;      /* begun so far */
    bool closed[10]; /* which of the first groups have ended: only these can be referred to */
    const char *error;
    struct regex *re;
};

static void parse_alternatives(struct parser *p);

static void fail(struct parser *p, const char *error)
{
    if (!p->error)
        p->error = error;
    p->token = END;
    p->at = "";
}

/* --- tokens ------------------------------------------------------------------------------------------- */

/* In a basic expression $ is special only where something ends. */
static bool ends_here(const char *s)
{
    return !*s || (*s == '\\' && (s[1] == ')' || s[1] == '|'));
}

static enum token token_of_escape(struct parser *p, char c)
{
    static const char basic[] = "(){|+?",
                      extended_tokens[] = {OPEN, CLOSE, BRACE, OR, PLUS, QUESTION};
    const char *special = p->extended ? NULL : strchr(basic, c);
    if (special)
        return (enum token)extended_tokens[special - basic];
    return (c >= '1' && c <= '9') || strchr("<>bBwWsS", c) ? ESCAPE : BYTE;
}

static enum token token_of_byte(struct parser *p, char c)
{
    switch (c) {
    case '.': return DOT;
    case '[': return BRACKET;
    case '*': return !p->extended && p->place != INSIDE ? BYTE : STAR;
    case '^': return p->extended || p->place == AT_START ? BOL : BYTE;
    case '$': return p->extended || ends_here(p->at) ? EOL : BYTE;
    default: break;
    }
    if (!p->extended)
        return BYTE;
    switch (c) {
    case '(': return OPEN;
    case ')': return p->depth > 0 ? CLOSE : BYTE;
    case '|': return OR;
    case '+': return PLUS;
    case '?': return QUESTION;
    case '{': return BRACE;
    default: return BYTE;
    }
}

static void next_token(struct parser *p)
{
    if (p->error)
        return;
    char c = *p->at;
    p->token = END;
    if (!c)
        return;
    p->at++;
    if (c == '\\') {
        c = *p->at;
        if (!c) {
            fail(p, "a backslash at the end");
            return;
        }
        p->at++;
        p->token = token_of_escape(p, c);
    } else {
        p->token = token_of_byte(p, c);
    }
    p->byte = (unsigned char)c;
}

/* --- instructions ------------------------------------------------------------------------------------- */

/* Make room for N instructions at PLACE; what lies behind moves up. False: too large. */
static bool open_gap(struct parser *p, int place, int n)
{
    struct regex *re = p->re;
    if (n > PROGRAM_MAX - re->count) {
        fail(p, "too large");
        return false;
    }
    if (re->count + n > re->room) {
        int room = (re->count + n) * 2;
        struct instruction *code = realloc(re->code, (size_t)room * sizeof(*code));
        if (!code) {
            fail(p, "too large");
            return false;
        }
        re->code = code;
        re->room = room;
    }
    memmove(re->code + place + n, re->code + place,
            (size_t)(re->count - place) * sizeof(*re->code));
    re->count += n;
    return true;
}

static void insert(struct parser *p, int place, enum opcode op, int x, int y)
{
    if (open_gap(p, place, 1))
        p->re->code[place] = (struct instruction){op, x, y};
}

static void emit(struct parser *p, enum opcode op, int x, int y)
{
    insert(p, p->re->count, op, x, y);
}

static void emit_set(struct parser *p, const struct byte_set *set)
{
    struct regex *re = p->re;
    struct byte_set *sets = realloc(re->sets, (size_t)(re->set_count + 1) * sizeof(*sets));
    if (!sets) {
        fail(p, "too large");
        return;
    }
    re->sets = sets;
    sets[re->set_count] = *set;
    emit(p, SET, re->set_count++, 0);
}

static void add_byte(struct parser *p, struct byte_set *set, unsigned char c)
{
    set_add(set, c);
    if (p->re->ignore_case) {
        set_add(set, (unsigned char)tolower(c));
        set_add(set, (unsigned char)toupper(c));
    }
}

static void invert(struct byte_set *set)
{
    for (int i = 0; i < 4; i++)
        set->bits[i] = ~set->bits[i];
}

static void emit_byte(struct parser *p, unsigned char c)
{
    struct byte_set both = {0};
    if (!p->re->ignore_case || !isalpha(c)) {
        emit(p, CHAR, c, 0);
        return;
    }
    add_byte(p, &both, c);
    emit_set(p, &both);
}

/* --- [sets] ------------------------------------------------------------------------------------------- */

static bool add_class(struct parser *p, struct byte_set *set, const char *name, size_t length)
{
    static const struct {
        const char *name;
        int (*has)(int);
    } classes[] = {
        {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
        {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
        {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
    };
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (strlen(classes[i].name) != length || memcmp(classes[i].name, name, length) != 0)
            continue;
        for (int c = 0; c < 256; c++)
            if (classes[i].has(c))
                add_byte(p, set, (unsigned char)c);
        return true;
    }
    return false;
}

/* One end of a range: a byte, or [.x.]. -1: something else is wrong, and said so. */
static int range_end(struct parser *p)
{
    const char *s = p->at;
    if (!*s) {
        fail(p, "[ without ]");
        return -1;
    }
    if (s[0] != '[' || (s[1] != '.' && s[1] != '=')) {
        p->at++;
        return (unsigned char)*s;
    }
    if (!s[2] || s[3] != s[1] || s[4] != ']') {
        fail(p, "invalid collating element");
        return -1;
    }
    p->at += 5;
    return (unsigned char)s[2];
}

/* A member of a set: a class, a byte or a range. */
static void parse_member(struct parser *p, struct byte_set *set)
{
    if (p->at[0] == '[' && p->at[1] == ':') {
        const char *name = p->at + 2, *end = strstr(name, ":]");
        if (!end)
            fail(p, "[ without ]");
        else if (!add_class(p, set, name, (size_t)(end - name)))
            fail(p, "unknown character class");
        else
            p->at = end + 2;
        return;
    }
    int low = range_end(p), high = low;
    if (low >= 0 && p->at[0] == '-' && p->at[1] && p->at[1] != ']') {
        p->at++;
        high = range_end(p);
    }
    if (low < 0 || high < 0)
        return;
    if (high < low)
        fail(p, "invalid end of a range");
    for (int c = low; c <= high; c++)
        add_byte(p, set, (unsigned char)c);
}

/* Behind the [. A ] that stands first is a member. */
static void parse_bracket(struct parser *p)
{
    struct byte_set set = {0};
    bool inverted = *p->at == '^';
    p->at += inverted;
    do
        parse_member(p, &set);
    while (!p->error && *p->at && *p->at != ']');
    if (!p->error && !*p->at)
        fail(p, "[ without ]");
    if (p->error)
        return;
    p->at++;
    if (inverted)
        invert(&set);
    emit_set(p, &set);
}

/* --- atoms -------------------------------------------------------------------------------------------- */

static void parse_escape(struct parser *p)
{
    struct byte_set set = {0};
    int c = p->byte;
    switch (c) {
    case '<': emit(p, WORD_BEGIN, 0, 0); return;
    case '>': emit(p, WORD_END, 0, 0); return;
    case 'b': emit(p, WORD_EDGE, 0, 0); return;
    case 'B': emit(p, NO_WORD_EDGE, 0, 0); return;
    case 'w':
    case 'W':
        add_class(p, &set, "alnum", 5);
        set_add(&set, '_');
        break;
    case 's':
    case 'S': add_class(p, &set, "space", 5); break;
    default:
        if (!p->closed[c - '0'])
            fail(p, "no such group");
        p->re->has_back = true;
        emit(p, BACK, c - '0', 0);
        return;
    }
    if (isupper(c))
        invert(&set);
    emit_set(p, &set);
}

/* Only what \1 to \9 can mean is saved. */
static void parse_group(struct parser *p)
{
    int group = ++p->groups;
    if (++p->depth > NEST_MAX)
        fail(p, "too large");
    if (group < 10)
        emit(p, SAVE, 2 * group, 0);
    p->place = AT_START;
    next_token(p);
    parse_alternatives(p);
    if (p->token != CLOSE)
        fail(p, "( without )");
    p->depth--;
    if (group < 10) {
        emit(p, SAVE, 2 * group + 1, 0);
        p->closed[group] = true;
    }
}

/* The token's instructions. False: the token can't begin a piece. */
static bool parse_atom(struct parser *p)
{
    switch (p->token) {
    case BYTE: emit_byte(p, p->byte); return true;
    case ESCAPE: parse_escape(p); return true;
    case BRACKET: parse_bracket(p); return true;
    case OPEN: parse_group(p); return true;
    case BOL: emit(p, LINE_BEGIN, 0, 0); return true;
    case EOL: emit(p, LINE_END, 0, 0); return true;
    case DOT: emit(p, ANY, 0, 0); return true;
    default: return false;
    }
}

/* --- repetitions -------------------------------------------------------------------------------------- */

/* The piece from START on, at least once: go back behind it. */
static void make_plus(struct parser *p, int start)
{
    emit(p, SPLIT, start - p->re->count, 1);
}

static void make_optional(struct parser *p, int start)
{
    insert(p, start, SPLIT, 1, p->re->count - start + 1);
}

/* A copy, at the end, of LENGTH instructions from START on. */
static void copy_piece(struct parser *p, int start, int length)
{
    int end = p->re->count;
    if (open_gap(p, end, length))
        memcpy(p->re->code + end, p->re->code + start, (size_t)length * sizeof(*p->re->code));
}

/* x{LOW,HIGH} is x as often as it must be, and then (x(x(x)?)?)? or, with HIGH < 0, x+. */
static void repeat(struct parser *p, int start, int low, int high)
{
    int length = p->re->count - start;
    if (high == 0) {
        p->re->count = start;
        return;
    }
    for (int i = 1; i < low && !p->error; i++)
        copy_piece(p, start, length);
    if (high < 0) {
        make_plus(p, p->re->count - length);
        if (low == 0)
            make_optional(p, start);
        return;
    }
    /* Each further one may be left out, and with it all that follow: all jump to the same end. */
    int optional = low == 0 ? start : p->re->count, times = high - low;
    if (low == 0)
        make_optional(p, start);
    for (int i = low == 0; i < times && !p->error; i++) {
        emit(p, SPLIT, 1, 0);
        copy_piece(p, low == 0 ? start + 1 : start, length);
    }
    for (int i = 0; i < times && !p->error; i++) {
        int split = optional + i * (length + 1);
        p->re->code[split].y = p->re->count - split;
    }
}

static int parse_number(struct parser *p)
{
    int n = 0;
    if (!isdigit((unsigned char)*p->at))
        return -1;
    for (; isdigit((unsigned char)*p->at); p->at++)
        n = n > DUP_MAX ? n : n * 10 + (*p->at - '0');
    return n;
}

/* Behind the { of {m}, {m,} or {m,n}. */
static void parse_brace(struct parser *p, int start)
{
    int low = parse_number(p), high = low;
    if (*p->at == ',') {
        p->at++;
        low = low < 0 ? 0 : low; /* {,n}, as GNU has it */
        high = parse_number(p);
    }
    if (!p->extended && *p->at == '\\')
        p->at++;
    if (*p->at != '}')
        fail(p, *p->at ? "invalid contents of {}" : "{ without }");
    else if (low < 0 || low > DUP_MAX || high > DUP_MAX || (high >= 0 && high < low))
        fail(p, "invalid contents of {}");
    if (p->error)
        return;
    p->at++;
    repeat(p, start, low, high);
}

static void parse_piece(struct parser *p)
{
    int start = p->re->count;
    bool anchor = p->token == BOL;
    if (!parse_atom(p)) {
        fail(p, "nothing to repeat"); /* only a repetition is left, of nothing */
        return;
    }
    p->place = anchor ? BEHIND_ANCHOR : INSIDE;
    for (next_token(p); !p->error; next_token(p)) {
        switch (p->token) {
        case STAR: repeat(p, start, 0, -1); break;
        case PLUS: repeat(p, start, 1, -1); break;
        case QUESTION: repeat(p, start, 0, 1); break;
        case BRACE: parse_brace(p, start); break;
        default: p->place = INSIDE; return;
        }
    }
}

static void parse_sequence(struct parser *p)
{
    while (p->token != END && p->token != OR && p->token != CLOSE)
        parse_piece(p);
}

/*
 * Each alternative but the last begins with a SPLIT that leads to the next and ends with a JUMP behind
 * all of them. Where that is, is known at the end: until then y of each JUMP says where the last one is.
 */
static void parse_alternatives(struct parser *p)
{
    int last_jump = -1;
    for (;;) {
        int start = p->re->count;
        p->place = AT_START;
        parse_sequence(p);
        if (p->token != OR)
            break;
        insert(p, start, SPLIT, 1, p->re->count - start + 2);
        emit(p, JUMP, 0, last_jump);
        last_jump = p->re->count - 1;
        p->place = AT_START;
        next_token(p);
    }
    while (last_jump >= 0 && !p->error) {
        struct instruction *jump = p->re->code + last_jump;
        jump->x = p->re->count - last_jump;
        last_jump = jump->y;
    }
}

/* --- the whole ---------------------------------------------------------------------------------------- */

/* Which bytes can a match begin with? SEEN marks the instructions looked at. */
static bool collect_first(struct regex *re, int pc, unsigned char *seen)
{
    while (!seen[pc]) {
        const struct instruction *i = re->code + pc;
        seen[pc] = 1;
        switch (i->op) {
        case CHAR: set_add(&re->first, (unsigned char)i->x); return true;
        case SET:
            for (int w = 0; w < 4; w++)
                re->first.bits[w] |= re->sets[i->x].bits[w];
            return true;
        case SPLIT:
            if (!collect_first(re, pc + i->x, seen))
                return false;
            pc += i->y;
            break;
        case JUMP: pc += i->x; break;
        case ANY:
        case BACK:
        case MATCH: return false;
        default: pc++;
        }
    }
    return true;
}

struct regex *regex_compile(const char *pattern, int flags, const char **error)
{
    struct regex *re = calloc(1, sizeof(*re));
    *error = "out of memory";
    if (!re)
        return NULL;
    re->ignore_case = flags & REGEX_IGNORE_CASE;
    struct parser p = {
        .at = pattern, .extended = flags & REGEX_EXTENDED, .re = re, .place = AT_START};
    next_token(&p);
    parse_alternatives(&p);
    if (p.token == CLOSE)
        fail(&p, "( without )");
    emit(&p, MATCH, 0, 0);
    unsigned char *seen = p.error ? NULL : calloc((size_t)re->count, 1);
    if (seen) {
        re->first_known = collect_first(re, 0, seen);
        free(seen);
        return re;
    }
    if (p.error)
        *error = p.error;
    regex_free(re);
    return NULL;
}

void regex_free(struct regex *re)
{
    free(re->code);
    free(re->sets);
    free(re);
}

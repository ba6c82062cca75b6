/*
 * Running a program over a text: the leftmost match, and of those the longest (POSIX 9.1).
 *
 * Two machines run the same program. The first tries all ways at once: for each byte of the text it has
 * the list of instructions that some way has come to, each with the positions that this way has saved. No
 * instruction is listed twice for one byte: of two ways that meet, the one whose groups begin earlier and
 * are longer goes on. So time is bounded by instructions times bytes, whatever the expression.
 *
 * That can't do \1, which needs to know how it came here. Expressions with it get the second machine:
 * it follows one way, remembers at each fork the other, and goes back there. It looks at all ways, for the
 * longest, which may be very many; after STEPS_MAX it gives up with REG_ESPACE.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "regex/program.h"

#define STEPS_MAX 20000000

/* A fork to go back to, or (pc < 0) a saved value to put back. */
struct choice {
    int pc;
    int index;
    long value; /* the fork's position, or the value */
};

struct way_list {
    int count;
    int *order;  /* the instructions in the list */
    int *index;  /* of an instruction in `order`, if it is there */
    long *saved; /* saves of them for each instruction */
};

struct machine {
    const struct __regex *re;
    const unsigned char *text;
    long length;
    int flags;
    int saves; /* how many positions are of interest: 2 for each group wanted, the whole match too */
    long *now; /* what the way being followed has saved */
    long *best;
    bool matched;
    int error;
    struct choice *stack;
    size_t depth, room;
};

/* --- what both do ------------------------------------------------------------------------------------- */

static bool push(struct machine *m, int pc, int index, long value)
{
    if (m->depth == m->room) {
        size_t room = m->room ? m->room * 2 : 64;
        struct choice *stack = realloc(m->stack, room * sizeof(*stack));
        if (!stack) {
            m->error = REG_ESPACE;
            return false;
        }
        m->stack = stack;
        m->room = room;
    }
    m->stack[m->depth++] = (struct choice){pc, index, value};
    return true;
}

static bool is_word(const struct machine *m, long at)
{
    return at >= 0 && at < m->length && (isalnum(m->text[at]) || m->text[at] == '_');
}

/* Does what this instruction claims hold at the position? */
static bool holds(const struct machine *m, enum opcode op, long at)
{
    bool before = is_word(m, at - 1), behind = is_word(m, at), lines = m->re->flags & REG_NEWLINE;
    switch (op) {
    case LINE_BEGIN: return at == 0 ? !(m->flags & REG_NOTBOL) : lines && m->text[at - 1] == '\n';
    case LINE_END: return at == m->length ? !(m->flags & REG_NOTEOL) : lines && m->text[at] == '\n';
    case WORD_BEGIN: return !before && behind;
    case WORD_END: return before && !behind;
    case WORD_EDGE: return before != behind;
    default: return before == behind;
    }
}

/* Does the instruction take this byte? */
static bool takes(const struct __regex *re, const struct instruction *i, unsigned char c)
{
    switch (i->op) {
    case CHAR: return i->x == c;
    case ANY: return true;
    case SET: return set_has(&re->sets[i->x], c);
    default: return false;
    }
}

/* Is A better than B: begins each group earlier, or else is it longer there? Unset is -1, the worst. */
static bool is_better(const long *a, const long *b, int saves)
{
    for (int i = 0; i < saves; i += 2) {
        if (a[i] != b[i])
            return b[i] < 0 || (a[i] >= 0 && a[i] < b[i]);
        if (a[i + 1] != b[i + 1])
            return a[i + 1] > b[i + 1];
    }
    return false;
}

/* A way has come to its end at AT. */
static void take_match(struct machine *m, const long *saved, long at)
{
    size_t size = (size_t)m->saves * sizeof(*m->best);
    long end = m->saves ? saved[1] : 0;
    if (m->saves)
        ((long *)saved)[1] = at;
    if (!m->matched || is_better(saved, m->best, m->saves))
        memcpy(m->best, saved, size);
    if (m->saves)
        ((long *)saved)[1] = end;
    m->matched = true;
}

/* --- all ways at once --------------------------------------------------------------------------------- */

/* Is the way that has come to PC new to the list, or better than the one there? Then it is put there. */
static bool list_way(const struct machine *m, struct way_list *list, int pc)
{
    long *saved = list->saved + (long)pc * m->saves;
    int i = list->index[pc];
    bool is_there = i < list->count && list->order[i] == pc;
    if (is_there && !is_better(m->now, saved, m->saves))
        return false;
    if (!is_there) {
        list->index[pc] = list->count;
        list->order[list->count++] = pc;
    }
    memcpy(saved, m->now, (size_t)m->saves * sizeof(*saved));
    return true;
}

/* Put into LIST every instruction that can be reached from PC without taking a byte. */
static void follow(struct machine *m, struct way_list *list, int pc, long at)
{
    push(m, pc, 0, at);
    while (m->depth > 0 && !m->error) {
        struct choice choice = m->stack[--m->depth];
        if (choice.pc < 0) {
            m->now[choice.index] = choice.value;
            continue;
        }
        pc = choice.pc;
        while (list_way(m, list, pc)) {
            const struct instruction *i = m->re->code + pc;
            if (i->op <= BACK || i->op == MATCH)
                break;
            if (i->op == SPLIT) {
                if (!push(m, pc + i->y, 0, at))
                    return;
                pc += i->x;
            } else if (i->op == JUMP) {
                pc += i->x;
            } else {
                if (i->op == SAVE && i->x < m->saves) {
                    if (!push(m, -1, i->x, m->now[i->x]))
                        return;
                    m->now[i->x] = at;
                } else if (i->op != SAVE && !holds(m, i->op, at)) {
                    break;
                }
                pc++;
            }
        }
    }
}

/* Take the byte at AT, or, at the end of the text, only look for ways that have ended. */
static void step(struct machine *m, struct way_list *from, struct way_list *to, long at)
{
    to->count = 0;
    for (int n = 0; n < from->count; n++) {
        int pc = from->order[n];
        const struct instruction *i = m->re->code + pc;
        long *saved = from->saved + (long)pc * m->saves;
        if (i->op == MATCH) {
            take_match(m, saved, at);
        } else if (at < m->length && takes(m->re, i, m->text[at])) {
            memcpy(m->now, saved, (size_t)m->saves * sizeof(*saved));
            follow(m, to, pc + 1, at + 1);
        }
    }
}

static void start_at(struct machine *m, struct way_list *list, long at)
{
    for (int i = 0; i < m->saves; i++)
        m->now[i] = -1;
    if (m->saves)
        m->now[0] = at;
    follow(m, list, 0, at);
}

/* The next place where a match can begin. */
static long next_start(const struct machine *m, long at)
{
    if (m->re->first_known)
        while (at < m->length && !set_has(&m->re->first, m->text[at]))
            at++;
    return at;
}

static void run_all_ways(struct machine *m, void *memory)
{
    struct way_list lists[2], *here = &lists[0], *there = &lists[1];
    size_t count = (size_t)m->re->count;
    for (int i = 0; i < 2; i++) {
        lists[i].count = 0;
        lists[i].saved = (long *)memory + i * count * (size_t)m->saves;
        lists[i].order = (int *)((long *)memory + 2 * count * (size_t)m->saves) + i * 2 * count;
        lists[i].index = lists[i].order + count;
    }
    bool only_at_0 = m->re->code[0].op == LINE_BEGIN && !(m->re->flags & REG_NEWLINE);
    for (long at = 0; at <= m->length && !m->error; at++) {
        if (!m->matched && !(only_at_0 && at > 0)) {
            if (here->count == 0)
                at = next_start(m, at);
            start_at(m, here, at);
        } else if (here->count == 0) {
            break;
        }
        step(m, here, there, at);
        if (m->matched && m->saves == 0)
            break; /* nobody asks where */
        struct way_list *list = here;
        here = there;
        there = list;
    }
}

/* --- one way, and back -------------------------------------------------------------------------------- */

/* Where the text of the group stands again, behind it; -1: it doesn't, or the group has none. */
static long behind_group(const struct machine *m, int group, long at)
{
    long from = m->now[2 * group], length = m->now[2 * group + 1] - from;
    if (from < 0 || length < 0 || length > m->length - at)
        return -1;
    for (long i = 0; i < length; i++) {
        int a = m->text[from + i], b = m->text[at + i];
        if (a != b && !((m->re->flags & REG_ICASE) && tolower(a) == tolower(b)))
            return -1;
    }
    return at + length;
}

/*
 * One instruction of the way that is at *PC and *AT. False: it ends here. Behind the saves in `now` stands
 * for each instruction that repeats where it did so last: a repetition that took nothing isn't repeated.
 */
static bool advance(struct machine *m, int *pc, long *at)
{
    const struct instruction *i = m->re->code + *pc;
    int index = i->op == SAVE ? i->x : m->saves + *pc;
    switch (i->op) {
    case CHAR:
    case ANY:
    case SET: ++*pc; return *at < m->length && takes(m->re, i, m->text[(*at)++]);
    case BACK:
        *at = behind_group(m, i->x, *at);
        ++*pc;
        return *at >= 0;
    case SPLIT:
        if (i->x < 0 && m->now[index] == *at) {
            *pc += i->y;
            return true;
        }
        if (!push(m, *pc + i->y, 0, *at))
            return false;
        *pc += i->x;
        break;
    case SAVE: ++*pc; break;
    case JUMP: *pc += i->x; return true;
    case MATCH: take_match(m, m->now, *at); return false;
    default: return holds(m, i->op, *at) && ++*pc;
    }
    if (i->op == SPLIT && i->x > 0)
        return true;
    if (!push(m, -1, index, m->now[index]))
        return false;
    m->now[index] = *at;
    return true;
}

static void run_one_way(struct machine *m)
{
    long steps = 0;
    for (long start = 0; start <= m->length && !m->matched && !m->error; start++) {
        for (int i = 0; i < m->saves + m->re->count; i++)
            m->now[i] = -1;
        m->now[0] = start;
        push(m, 0, 0, start);
        while (m->depth > 0 && !m->error) {
            struct choice choice = m->stack[--m->depth];
            if (choice.pc < 0) {
                m->now[choice.index] = choice.value;
                continue;
            }
            do
                if (++steps > STEPS_MAX)
                    m->error = REG_ESPACE;
            while (!m->error && advance(m, &choice.pc, &choice.value));
        }
    }
}

/* --- the call ----------------------------------------------------------------------------------------- */

/*
 * Memory for either machine: what is saved now and best, and the lists or the repetitions' marks. After a match
 * it is the caller's to free, by its beginning, m->best.
 */
static int run(struct machine *m)
{
    size_t count = (size_t)m->re->count, saves = (size_t)m->saves;
    size_t lists = m->re->has_back ? 0 : 2 * count * (saves + 1) + 2 * count;
    long *memory = calloc(2 * saves + count + lists, sizeof(long));
    if (!memory)
        return REG_ESPACE;
    m->best = memory;
    m->now = memory + saves;
    if (m->re->has_back)
        run_one_way(m);
    else
        run_all_ways(m, memory + 2 * saves + count);
    free(m->stack);
    if (m->error || !m->matched) {
        free(memory);
        return m->error ? m->error : REG_NOMATCH;
    }
    return 0;
}

int regexec(const regex_t *restrict regex, const char *restrict text, size_t count,
            regmatch_t *restrict match, int flags)
{
    const struct __regex *re = regex->__program;
    long offset = flags & REG_STARTEND ? match[0].rm_so : 0;
    size_t groups = regex->re_nsub + 1;
    struct machine m = {
        .re = re,
        .text = (const unsigned char *)text + offset,
        .length = flags & REG_STARTEND ? match[0].rm_eo - offset : (long)strlen(text),
        .flags = flags,
    };
    if (re->flags & REG_NOSUB)
        count = 0;
    m.saves = 2 * (int)(re->has_back || count > groups ? groups : count);
    if (!re->has_back && next_start(&m, 0) == m.length && re->first_known)
        return REG_NOMATCH;
    int error = run(&m);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++) {
        bool is_set = i < groups && m.best[2 * i] >= 0 && m.best[2 * i + 1] >= 0;
        match[i].rm_so = is_set ? m.best[2 * i] + offset : -1;
        match[i].rm_eo = is_set ? m.best[2 * i + 1] + offset : -1;
    }
    free(m.best);
    return 0;
}

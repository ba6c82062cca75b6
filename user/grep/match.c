/*
 * Running a program over a text: the leftmost match, and of those the longest (POSIX 9.1).
 *
 * Two machines run the same program. The first tries all ways at once: for each byte of the text it has
 * the list of instructions that some way has come to, each with the position where this way began. No
 * instruction is listed twice for one byte: of two ways that meet, the one that began earlier goes on. So
 * time is bounded by instructions times bytes, whatever the expression.
 *
 * That can't do \1, which needs to know how it came here. Expressions with it get the second machine:
 * it follows one way, remembers at each fork the other, and goes back there. It looks at all ways, for the
 * longest, which may be very many; after STEPS_MAX it gives up.
 */
#include <ctype.h>
#include <stdlib.h>

#include "regex.h"

#define STEPS_MAX 20000000
#define SAVES 20 /* two for each group that \1 to \9 can mean */

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
    long *start; /* where its way began */
};

struct machine {
    const struct regex *re;
    const unsigned char *text;
    long length, from, to;
    bool only_whether; /* any match will do */
    bool matched, given_up;
    long start, end; /* of the best match so far */
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
            m->given_up = true;
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
    bool before = is_word(m, at - 1), behind = is_word(m, at);
    switch (op) {
    case LINE_BEGIN: return at == 0;
    case LINE_END: return at == m->length;
    case WORD_BEGIN: return !before && behind;
    case WORD_END: return before && !behind;
    case WORD_EDGE: return before != behind;
    default: return before == behind;
    }
}

/* Does the instruction take this byte? */
static bool takes(const struct regex *re, const struct instruction *i, unsigned char c)
{
    switch (i->op) {
    case CHAR: return i->x == c;
    case ANY: return true;
    case SET: return set_has(&re->sets[i->x], c);
    default: return false;
    }
}

/* A way that began at START has come to its end at AT. */
static void take_match(struct machine *m, long start, long at)
{
    if (!m->matched || start < m->start || (start == m->start && at > m->end)) {
        m->start = start;
        m->end = at;
    }
    m->matched = true;
}

/* --- all ways at once --------------------------------------------------------------------------------- */

/* Is the way that has come to PC new to the list, or better than the one there? Then it is put there. */
static bool list_way(struct way_list *list, int pc, long start)
{
    int i = list->index[pc];
    bool is_there = i < list->count && list->order[i] == pc;
    if (is_there && start >= list->start[pc])
        return false;
    if (!is_there) {
        list->index[pc] = list->count;
        list->order[list->count++] = pc;
    }
    list->start[pc] = start;
    return true;
}

/* Put into LIST every instruction that the way can reach from PC without taking a byte. */
static void follow(struct machine *m, struct way_list *list, int pc, long start, long at)
{
    push(m, pc, 0, 0);
    while (m->depth > 0 && !m->given_up) {
        pc = m->stack[--m->depth].pc;
        while (list_way(list, pc, start)) {
            const struct instruction *i = m->re->code + pc;
            if (i->op <= BACK || i->op == MATCH)
                break;
            if (i->op == SPLIT && !push(m, pc + i->y, 0, 0))
                return;
            if (i->op > SAVE && !holds(m, i->op, at))
                break;
            pc += i->op == SPLIT || i->op == JUMP ? i->x : 1;
        }
    }
}

/* Take the byte at AT, or, at the end, only look for ways that have ended. */
static void step(struct machine *m, struct way_list *from, struct way_list *to, long at)
{
    to->count = 0;
    for (int n = 0; n < from->count; n++) {
        int pc = from->order[n];
        const struct instruction *i = m->re->code + pc;
        if (i->op == MATCH)
            take_match(m, from->start[pc], at);
        else if (at < m->to && takes(m->re, i, m->text[at]))
            follow(m, to, pc + 1, from->start[pc], at + 1);
    }
}

/* The next place where a match can begin. */
static long next_start(const struct machine *m, long at)
{
    if (m->re->first_known)
        while (at < m->to && !set_has(&m->re->first, m->text[at]))
            at++;
    return at;
}

static void run_all_ways(struct machine *m)
{
    size_t count = (size_t)m->re->count;
    long *memory = calloc(4 * count, sizeof(long));
    if (!memory) {
        m->given_up = true;
        return;
    }
    struct way_list lists[2], *here = &lists[0], *there = &lists[1];
    for (size_t i = 0; i < 2; i++) {
        int *numbers = (int *)(memory + 2 * count) + 2 * i * count;
        lists[i] = (struct way_list){0, numbers, numbers + count, memory + i * count};
    }
    bool only_at_0 = m->re->code[0].op == LINE_BEGIN;
    for (long at = m->from; at <= m->to && !m->given_up; at++) {
        if (!m->matched && !(only_at_0 && at > 0)) {
            if (here->count == 0)
                at = next_start(m, at);
            follow(m, here, 0, at, at);
        } else if (here->count == 0) {
            break;
        }
        step(m, here, there, at);
        if (m->matched && m->only_whether)
            break;
        struct way_list *list = here;
        here = there;
        there = list;
    }
    free(memory);
}

/* --- one way, and back -------------------------------------------------------------------------------- */

/* Where the text of the group stands again, behind it; -1: it doesn't, or the group has none. */
static long behind_group(const struct machine *m, const long *now, int group, long at)
{
    long from = now[2 * group], length = now[2 * group + 1] - from;
    if (from < 0 || length < 0 || length > m->to - at)
        return -1;
    for (long i = 0; i < length; i++) {
        int a = m->text[from + i], b = m->text[at + i];
        if (a != b && !(m->re->ignore_case && tolower(a) == tolower(b)))
            return -1;
    }
    return at + length;
}

/*
 * One instruction of the way that is at *PC and *AT. False: it ends here. NOW is what it has saved, and behind that
 * for each instruction that repeats where it did so last: a repetition that took nothing isn't repeated.
 */
static bool advance(struct machine *m, long *now, int *pc, long *at)
{
    const struct instruction *i = m->re->code + *pc;
    int index = i->op == SAVE ? i->x : SAVES + *pc;
    switch (i->op) {
    case CHAR:
    case ANY:
    case SET: ++*pc; return *at < m->to && takes(m->re, i, m->text[(*at)++]);
    case BACK:
        *at = behind_group(m, now, i->x, *at);
        ++*pc;
        return *at >= 0;
    case SPLIT:
        if (i->x < 0 && now[index] == *at) {
            *pc += i->y;
            return true;
        }
        if (!push(m, *pc + i->y, 0, *at))
            return false;
        *pc += i->x;
        break;
    case SAVE: ++*pc; break;
    case JUMP: *pc += i->x; return true;
    case MATCH: take_match(m, now[0], *at); return false;
    default: return holds(m, i->op, *at) && ++*pc;
    }
    if (i->op == SPLIT && i->x > 0)
        return true;
    if (!push(m, -1, index, now[index]))
        return false;
    now[index] = *at;
    return true;
}

static void run_one_way(struct machine *m)
{
    long steps = 0, *now = calloc(SAVES + (size_t)m->re->count, sizeof(*now));
    m->given_up = !now;
    for (long start = m->from; start <= m->to && !m->matched && !m->given_up; start++) {
        for (int i = 0; i < SAVES + m->re->count; i++)
            now[i] = -1;
        now[0] = start;
        push(m, 0, 0, start);
        while (m->depth > 0 && !m->given_up) {
            struct choice choice = m->stack[--m->depth];
            if (choice.pc < 0) {
                now[choice.index] = choice.value;
                continue;
            }
            do
                if (++steps > STEPS_MAX)
                    m->given_up = true;
            while (!m->given_up && advance(m, now, &choice.pc, &choice.value));
        }
    }
    free(now);
}

enum regex_result regex_find(const struct regex *re, const char *text, size_t length, size_t from,
                             size_t to, struct regex_match *match)
{
    struct machine m = {.re = re,
                        .text = (const unsigned char *)text,
                        .length = (long)length,
                        .from = (long)from,
                        .to = (long)to,
                        .only_whether = !match};
    if (re->has_back)
        run_one_way(&m);
    else if (!re->first_known || next_start(&m, m.from) < m.to)
        run_all_ways(&m);
    free(m.stack);
    if (m.given_up)
        return GIVEN_UP;
    if (m.matched && match)
        *match = (struct regex_match){(size_t)m.start, (size_t)m.end};
    return m.matched ? FOUND : NOT_FOUND;
}

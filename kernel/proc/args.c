/*
 * exec's arguments. The strings are gathered in a chain of pages, one string after the other as they will
 * stand on the new stack; the pointers to them are made as the stack is written, since only then their
 * addresses are known.
 *
 *     stack_top   8 bytes of zero
 *                 the name of the file that runs            AT_EXECFN
 *                 environment strings
 *     arg_start   argument strings
 *                 "x86_64", 16 random bytes                 AT_PLATFORM, AT_RANDOM
 *                 auxiliary vector, ended by AT_NULL
 *                 pointers to the environment, NULL
 *                 pointers to the arguments, NULL
 *     sp          argc                                      (16-byte aligned)
 */
#include "proc/args.h"

#include <abi/auxv.h>
#include <abi/limits.h>
#include <abi/resource.h>

#include "dev/random.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "x86/uaccess.h"

#define STRING_MAX (32 * PAGE_SIZE)      /* one string: Linux's MAX_ARG_STRLEN */
#define LIMIT_LEAST (32 * PAGE_SIZE)     /* always allowed in all */
#define LIMIT_MOST ((8UL << 20) * 3 / 4) /* however large the stack limit */

static const char platform[] = "x86_64";

void args_init(struct exec_args *a)
{
    uint64_t limit = proc_rlimit(RLIMIT_STACK) / 4;

    memset(a, 0, sizeof(*a));
    list_init(&a->pages);
    a->limit = max(min(limit, LIMIT_MOST), LIMIT_LEAST);
}

void args_destroy(struct exec_args *a)
{
    struct page *p, *next;

    list_for_each_safe (p, next, &a->pages, link)
        page_put(p);
    while (a->nfront)
        kfree(a->front[--a->nfront]);
}

/* Count N more bytes against the limit. */
static int charge(struct exec_args *a, size_t n)
{
    a->size += n;
    return a->size > a->limit ? -E2BIG : 0;
}

/* Where the next byte goes, and how much room there is: NULL when out of memory. */
static char *tail(struct exec_args *a, size_t *room)
{
    size_t in_page = a->used % PAGE_SIZE;

    if (in_page == 0) {
        struct page *p = page_alloc(0, ALLOC_USER);
        if (!p)
            return NULL;
        list_push_back(&a->pages, &p->link);
    }
    *room = PAGE_SIZE - in_page;
    return (char *)page_to_virt(list_last(&a->pages, struct page, link)) + in_page;
}

static int append_user(struct exec_args *a, const char __user *s)
{
    size_t length = 0, room;

    for (;;) {
        char *to = tail(a, &room);
        if (!to)
            return -ENOMEM;
        long n = strncpy_from_user(to, s, room);
        size_t copied = n >= 0 ? (size_t)n + 1 : room;
        if (n < 0 && n != -ENAMETOOLONG)
            return (int)n;
        a->used += copied;
        length += copied;
        s += copied;
        if (length > STRING_MAX || charge(a, copied))
            return -E2BIG;
        if (n >= 0)
            return 0;
    }
}

static int append_kernel(struct exec_args *a, const char *s)
{
    size_t left = strlen(s) + 1, room;

    if (left > STRING_MAX || charge(a, left))
        return -E2BIG;
    while (left) {
        char *to = tail(a, &room);
        if (!to)
            return -ENOMEM;
        size_t n = min(left, room);
        memcpy(to, s, n);
        a->used += n;
        s += n;
        left -= n;
    }
    return 0;
}

static int copy_user_vector(struct exec_args *a, const char __user *const __user *v,
                            unsigned *count)
{
    const char __user *s;
    int error;

    if (!v)
        return 0;
    for (;; v++) {
        if (get_user(s, v))
            return -EFAULT;
        if (!s)
            return 0;
        if ((error = charge(a, sizeof(s))) || (error = append_user(a, s)))
            return error;
        ++*count;
    }
}

static int copy_kernel_vector(struct exec_args *a, char *const v[], unsigned *count)
{
    int error;

    for (; *v; v++) {
        if ((error = charge(a, sizeof(*v))) || (error = append_kernel(a, *v)))
            return error;
        ++*count;
    }
    return 0;
}

int args_copy_user(struct exec_args *a, const char __user *const __user *argv,
                   const char __user *const __user *envp)
{
    int error = copy_user_vector(a, argv, &a->argc);

    if (error)
        return error;
    if (a->argc == 0) { /* programs count on argv[0]: as Linux since 5.18 */
        if ((error = charge(a, sizeof(char *))) || (error = append_kernel(a, "")))
            return error;
        a->argc = 1;
    }
    return copy_user_vector(a, envp, &a->envc);
}

int args_copy_kernel(struct exec_args *a, char *const argv[], char *const envp[])
{
    int error = copy_kernel_vector(a, argv, &a->argc);
    return error ? error : copy_kernel_vector(a, envp, &a->envc);
}

/* A place in the strings: which page, how far into it. */
struct cursor {
    struct page *page;
    size_t pos; /* counted from the first page's start */
};

static struct cursor cursor_at(struct exec_args *a, size_t pos)
{
    struct cursor c = {list_first(&a->pages, struct page, link), 0};

    for (; c.pos + PAGE_SIZE <= pos; c.pos += PAGE_SIZE)
        c.page = list_entry(c.page->link.next, struct page, link);
    c.pos = pos;
    return c;
}

/* The bytes from C to the end of its page, and on to the next page once N of them are used. */
static const char *cursor_bytes(const struct cursor *c, size_t *room)
{
    *room = PAGE_SIZE - c->pos % PAGE_SIZE;
    return (const char *)page_to_virt(c->page) + c->pos % PAGE_SIZE;
}

static void cursor_advance(struct cursor *c, size_t n)
{
    c->pos += n;
    if (c->pos % PAGE_SIZE == 0)
        c->page = list_entry(c->page->link.next, struct page, link);
}

/* Step over one string; its size with the NUL. */
static size_t cursor_skip_string(struct cursor *c)
{
    size_t size = 0, room;

    for (;;) {
        const char *s = cursor_bytes(c, &room);
        size_t n = strnlen(s, room);
        bool ended = n < room;
        size += n + ended;
        cursor_advance(c, n + ended);
        if (ended)
            return size;
    }
}

void args_pop(struct exec_args *a)
{
    if (a->nfront) {
        kfree(a->front[--a->nfront]);
        return;
    }
    assert(a->argc > 0);
    struct cursor c = cursor_at(a, a->skip);
    a->skip += cursor_skip_string(&c);
    a->argc--;
}

int args_push(struct exec_args *a, const char *s)
{
    assert(a->nfront < ARGS_FRONT_MAX);
    if (charge(a, strlen(s) + 1 + sizeof(s)))
        return -E2BIG;
    char *copy = kstrdup(s);
    if (!copy)
        return -ENOMEM;
    a->front[a->nfront++] = copy;
    return 0;
}

size_t args_stack_size(const struct exec_args *a, const char *execfn)
{
    /* Beyond what is counted: name, platform, random bytes, the vector, three words, alignment. */
    return a->size + strlen(execfn) + 1 + sizeof(((struct mm *)0)->auxv) + 128;
}

/* Words written upwards on a stack that is not loaded, a block at a time. */
struct stack_writer {
    struct mm *mm;
    uintptr_t addr;
    unsigned n;
    int error;
    uint64_t word[64];
};

static void flush_words(struct stack_writer *w)
{
    size_t size = w->n * sizeof(w->word[0]);

    if (size && mm_write(w->mm, w->addr, w->word, size) != (ssize_t)size)
        w->error = -EFAULT;
    w->addr += size;
    w->n = 0;
}

static void put_word(struct stack_writer *w, uint64_t value)
{
    if (w->n == ARRAY_SIZE(w->word))
        flush_words(w);
    w->word[w->n++] = value;
}

/* The strings to [AT, ...). Returns where they end, or 0 on failure. */
static uintptr_t write_strings(struct exec_args *a, struct mm *mm, uintptr_t at)
{
    for (unsigned i = a->nfront; i-- > 0;) {
        size_t n = strlen(a->front[i]) + 1;
        if (mm_write(mm, at, a->front[i], n) != (ssize_t)n)
            return 0;
        at += n;
    }
    struct cursor c = cursor_at(a, a->skip);
    while (c.pos < a->used) {
        size_t room;
        const char *s = cursor_bytes(&c, &room);
        room = min(room, a->used - c.pos);
        if (mm_write(mm, at, s, room) != (ssize_t)room)
            return 0;
        at += room;
        cursor_advance(&c, room);
    }
    return at;
}

static size_t strings_size(const struct exec_args *a)
{
    size_t size = a->used - a->skip;
    for (unsigned i = 0; i < a->nfront; i++)
        size += strlen(a->front[i]) + 1;
    return size;
}

/* argc, argv, envp and the vector; the strings begin at mm->arg_start. */
static void write_pointers(struct stack_writer *w, struct exec_args *a, unsigned naux)
{
    uintptr_t string = w->mm->arg_start;

    put_word(w, a->argc + a->nfront);
    for (unsigned i = a->nfront; i-- > 0;) {
        put_word(w, string);
        string += strlen(a->front[i]) + 1;
    }
    struct cursor c = cursor_at(a, a->skip);
    for (unsigned i = 0; i < a->argc; i++) {
        put_word(w, string);
        string += cursor_skip_string(&c);
    }
    put_word(w, 0);
    w->mm->arg_end = w->mm->env_start = string;
    for (unsigned i = 0; i < a->envc; i++) {
        put_word(w, string);
        string += cursor_skip_string(&c);
    }
    put_word(w, 0);
    for (unsigned i = 0; i < naux; i++)
        put_word(w, w->mm->auxv[i]);
    flush_words(w);
}

/* Add an entry before AT_NULL; the number of words then. */
static unsigned add_aux(struct mm *mm, uint64_t type, uint64_t value)
{
    unsigned i = 0;

    while (mm->auxv[i] != AT_NULL)
        i += 2;
    assert(i + 4 <= ARRAY_SIZE(mm->auxv));
    mm->auxv[i] = type;
    mm->auxv[i + 1] = value;
    mm->auxv[i + 2] = AT_NULL;
    mm->auxv[i + 3] = 0;
    return i + 4;
}

int args_build_stack(struct exec_args *a, struct mm *mm, const char *execfn, uintptr_t *sp)
{
    struct {
        uint8_t random[16];
        char platform[sizeof(platform)];
    } fixed;
    size_t name_size = strlen(execfn) + 1;

    mm->env_end = mm->stack_top - 8 - name_size;
    mm->arg_start = mm->env_end - strings_size(a);
    if (mm_write(mm, mm->env_end, execfn, name_size) != (ssize_t)name_size ||
        write_strings(a, mm, mm->arg_start) != mm->env_end)
        return -EFAULT;

    uintptr_t fixed_at = ALIGN_DOWN(mm->arg_start - sizeof(fixed), 16);
    random_bytes(fixed.random, sizeof(fixed.random));
    memcpy(fixed.platform, platform, sizeof(platform));
    if (mm_write(mm, fixed_at, &fixed, sizeof(fixed)) != sizeof(fixed))
        return -EFAULT;

    add_aux(mm, AT_RANDOM, fixed_at);
    add_aux(mm, AT_EXECFN, mm->env_end);
    unsigned naux = add_aux(mm, AT_PLATFORM, fixed_at + sizeof(fixed.random));
    size_t words = 1 + a->nfront + a->argc + 1 + a->envc + 1 + naux;
    *sp = ALIGN_DOWN(fixed_at - words * sizeof(uint64_t), 16);
    struct stack_writer w = {.mm = mm, .addr = *sp};
    write_pointers(&w, a, naux);
    return w.error;
}

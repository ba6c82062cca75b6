/*
 * Mappings against a model: random mmap, munmap, mprotect, madvise, mremap, truncate and fork on a
 * small arena, with an array that says for each page what must be there. All pages are compared
 * again and again, as a program would see them and without dying of it: a page that can't be read
 * is asked for through a pipe.
 */
#define _GNU_SOURCE
#include "tap.h"

#include <sys/mman.h>

#define PAGES 96
#define ROUNDS 3000
#define RW (PROT_READ | PROT_WRITE)

enum kind { NOTHING, ANON, PRIVATE_FILE, SHARED_FILE };

struct model {
    enum kind kind;
    int prot;
    bool own;           /* private: the page has been copied */
    unsigned char byte; /* what it then holds */
    int file_page;
};

static struct model model[PAGES];
static unsigned char file_byte[PAGES];
static int file_pages; /* the file's length */
static int file, probe[2];
static unsigned char *arena;
static uint64_t random_state;

static unsigned draw(unsigned below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)((random_state >> 11) % below);
}

/* What reading the first byte of a page gives: -1 for EFAULT. */
static int expected(const struct model *m)
{
    if (m->kind == NOTHING || m->prot == PROT_NONE)
        return -1;
    if (m->kind == ANON)
        return m->own ? m->byte : 0;
    if (m->file_page >= file_pages)
        return -1;
    return m->own ? m->byte : file_byte[m->file_page];
}

static int seen(int page)
{
    unsigned char byte;
    if (write(probe[1], arena + page * PAGE, 1) != 1) {
        same(errno, EFAULT);
        return -1;
    }
    same(read(probe[0], &byte, 1), 1);
    return byte;
}

static void compare(const char *when)
{
    for (int i = 0; i < PAGES; i++) {
        int want = expected(&model[i]), got = seen(i);
        check(got == want, "%s: page %d (kind %d, prot %d): expected %d, got %d", when, i,
              model[i].kind, model[i].prot, want, got);
    }
}

static int random_prot(void)
{
    static const int prots[] = {PROT_NONE, PROT_READ, RW, RW, RW};
    return prots[draw(5)];
}

static void clear_model(int first, int n)
{
    memset(&model[first], 0, (size_t)n * sizeof(*model));
}

static void do_map(int first, int n)
{
    enum kind kind = ANON + draw(3);
    int prot = random_prot(), at = (int)draw(PAGES);
    int flags = MAP_FIXED | (kind == SHARED_FILE ? MAP_SHARED : MAP_PRIVATE);
    if (kind == ANON)
        flags |= MAP_ANONYMOUS | (draw(4) == 0 ? MAP_POPULATE : 0);
    void *p = mmap(arena + first * PAGE, (size_t)n * PAGE, prot, flags, kind == ANON ? -1 : file,
                   kind == ANON ? 0 : at * (off_t)PAGE);
    check(p == arena + first * PAGE, "mmap: %s", strerror(errno));
    for (int i = 0; i < n; i++)
        model[first + i] = (struct model){.kind = kind, .prot = prot, .file_page = at + i};
}

static void do_protect(int first, int n)
{
    int prot = random_prot();
    bool hole = false;
    errno = 0;
    int result = mprotect(arena + first * PAGE, (size_t)n * PAGE, prot);
    int error = errno;
    for (int i = first; i < first + n; i++) {
        hole |= model[i].kind == NOTHING;
        if (!hole) /* what comes before the first hole has been changed */
            model[i].prot = prot;
    }
    same(result, hole ? -1 : 0);
    same(error, hole ? ENOMEM : 0);
}

static void do_write(int first, int n)
{
    for (int i = first; i < first + n; i++) {
        struct model *m = &model[i];
        bool of_file = m->kind == PRIVATE_FILE || m->kind == SHARED_FILE;
        if (m->kind == NOTHING || !(m->prot & PROT_WRITE) ||
            (of_file && m->file_page >= file_pages))
            continue;
        unsigned char byte = (unsigned char)(1 + draw(255));
        arena[i * PAGE] = byte;
        if (m->kind == SHARED_FILE) {
            file_byte[m->file_page] = byte;
        } else {
            m->own = true;
            m->byte = byte;
        }
    }
}

static void do_forget(int first, int n)
{
    bool hole = false;
    for (int i = first; i < first + n; i++) {
        hole |= model[i].kind == NOTHING;
        model[i].own = false;
    }
    same(madvise(arena + first * PAGE, (size_t)n * PAGE, MADV_DONTNEED), hole ? -1 : 0);
}

/* Might the pages be one area? Newer kernels move several at once, older ones refuse. */
static bool is_uniform(int first, int n)
{
    for (int i = first + 1; i < first + n; i++)
        if (model[i].kind != model[first].kind || model[i].prot != model[first].prot ||
            (model[i].kind != ANON && model[i].file_page != model[first].file_page + i - first))
            return false;
    return true;
}

static void do_move(int first, int n)
{
    if (!is_uniform(first, n))
        n = 1;
    int to = (int)draw((unsigned)(PAGES - n + 1));
    if (to + n > first && first + n > to)
        return;
    unsigned char *target = arena + to * PAGE;
    void *p = mremap(arena + first * PAGE, (size_t)n * PAGE, (size_t)n * PAGE,
                     MREMAP_MAYMOVE | MREMAP_FIXED, target);
    if (p == MAP_FAILED) { /* several areas after all, or none: the target is gone all the same */
        same(errno, EFAULT);
        works(munmap(target, (size_t)n * PAGE));
        clear_model(to, n);
        return;
    }
    check(p == target, "mremap moved to another place");
    memmove(&model[to], &model[first], (size_t)n * sizeof(*model));
    clear_model(first, n);
}

static void do_truncate(void)
{
    int pages = (int)draw(PAGES + 1);
    works(ftruncate(file, pages * (off_t)PAGE));
    for (int i = pages; i < PAGES; i++)
        file_byte[i] = 0;
    for (int i = 0; i < PAGES; i++) /* copies of what lies behind the end are gone too */
        if (model[i].kind == PRIVATE_FILE && model[i].file_page >= pages)
            model[i].own = false;
    file_pages = pages;
}

/* A child sees the same, and what it does to private pages nobody else sees. */
static void do_fork(void)
{
    pid_t pid;
    CHILD (pid) {
        works(close(probe[0]));
        works(close(probe[1]));
        works(pipe(probe));
        compare("in a child");
        for (int i = 0; i < PAGES; i++)
            if (model[i].kind == ANON || model[i].kind == PRIVATE_FILE)
                do_write(i, 1);
        compare("in a child that has written");
    }
    exits(pid, 0);
}

static void play(uint64_t seed)
{
    random_state = seed;
    works(pipe(probe));
    file = works(open("backing", O_RDWR | O_CREAT | O_TRUNC, 0600));
    do_truncate();
    arena = mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(arena != MAP_FAILED, "mmap: %s", strerror(errno));
    for (int i = 0; i < PAGES; i++)
        model[i].kind = ANON;
    for (int round = 0; round < ROUNDS; round++) {
        int n = 1 + (int)draw(12), first = (int)draw((unsigned)(PAGES - n + 1));
        unsigned what = draw(100);
        if (what < 30)
            do_write(first, n);
        else if (what < 50)
            do_map(first, n);
        else if (what < 60) {
            works(munmap(arena + first * PAGE, (size_t)n * PAGE));
            clear_model(first, n);
        } else if (what < 75)
            do_protect(first, n);
        else if (what < 82)
            do_forget(first, n);
        else if (what < 93)
            do_move(first, draw(2) ? 1 : n);
        else if (what < 97)
            do_truncate();
        else
            do_fork();
        if (round % 16 == 0)
            compare("after some changes");
    }
    compare("in the end");
}

TEST(agrees_with_the_model)
{
    play(0x9e3779b97f4a7c15);
}
TEST(agrees_with_the_model_for_another_seed)
{
    play(88172645463325252);
}
TEST(agrees_with_the_model_for_a_third_seed)
{
    play(7);
}

int main(void)
{
    return tap_run("mapmodel");
}

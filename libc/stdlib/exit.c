/* How a program ends: atexit functions in reverse order, buffers written, destructors, exit_group. */
#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "internal/lock.h"
#include "internal/start.h"
#include "internal/syscall.h"

typedef void fini_fn(void);
extern fini_fn *const __fini_array_start[] __attribute__((weak, visibility("hidden")));
extern fini_fn *const __fini_array_end[] __attribute__((weak, visibility("hidden")));

typedef void exit_fn(void);
struct exit_list {
    exit_fn *functions[ATEXIT_MAX]; /* lock */
    int count;                      /* lock */
};

static struct lock lock;
static struct exit_list normal, quick;

/* stdio replaces this when the program uses it. */
__attribute__((weak)) void __flush_all(void) {}

static int add(struct exit_list *list, exit_fn *fn)
{
    int result = -1;
    __lock_acquire(&lock);
    if (list->count < ATEXIT_MAX) {
        list->functions[list->count++] = fn;
        result = 0;
    }
    __lock_release(&lock);
    return result;
}

/* A function may register another, which then runs next: the list is looked at afresh each time. */
static void run(struct exit_list *list)
{
    for (;;) {
        __lock_acquire(&lock);
        exit_fn *fn = list->count ? list->functions[--list->count] : NULL;
        __lock_release(&lock);
        if (!fn)
            return;
        fn();
    }
}

int atexit(exit_fn *fn)
{
    return add(&normal, fn);
}

int at_quick_exit(exit_fn *fn)
{
    return add(&quick, fn);
}

_Noreturn void _exit(int status)
{
    for (;;)
        syscall_raw(SYS_exit_group, status);
}

_Noreturn void _Exit(int status)
{
    _exit(status);
}

_Noreturn void quick_exit(int status)
{
    run(&quick);
    _exit(status);
}

_Noreturn void exit(int status)
{
    run(&normal);
    for (fini_fn *const *fn = __fini_array_end; fn > __fini_array_start;)
        (*--fn)();
    __flush_all();
    _exit(status);
}

/* SIGABRT, even if it is blocked, ignored, or its handler returns (C17 7.22.4.1). */
_Noreturn void abort(void)
{
    raise(SIGABRT);
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(SIGABRT, &action, NULL);
    sigset_t set = SIGMASK(SIGABRT);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(SIGABRT);
    for (;;)
        syscall_raw(SYS_exit_group, 127);
}

_Noreturn void __assert_fail(const char *expression, const char *file, int line,
                             const char *function)
{
    fprintf(stderr, "%s: %s:%d: %s: Assertion `%s' failed.\n", __progname, file, line, function,
            expression);
    abort();
}

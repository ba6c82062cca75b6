/*
 * Goes once through all of our library that is assembly, each time from a function of its own, for the debugger to look
 * back from every instruction of it (test_gdb_assembly.py).
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALONE __attribute__((noinline))

static jmp_buf place;
static sigjmp_buf place_and_mask;
static int ends[2];
static volatile int signals;

static ALONE void jump(int value)
{
    longjmp(place, value);
}

static ALONE void jump_and_come_back(void)
{
    if (setjmp(place) == 0)
        jump(1);
}

static ALONE void keep_the_mask(void)
{
    if (sigsetjmp(place_and_mask, 1) == 0)
        siglongjmp(place_and_mask, 1);
}

static ALONE void call_in_vain(void)
{
    if (close(-1) == 0 || errno != EBADF)
        exit(1);
}

static ALONE void call_and_sleep(void)
{
    char c = 0;

    if (write(ends[1], &c, 1) != 1 || read(ends[0], &c, 1) != 1)
        exit(1);
}

static ALONE void have_a_child(void)
{
    pid_t pid = vfork();

    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
}

static void on_usr1(int signo)
{
    signals += signo;
}

static ALONE void get_a_signal(void)
{
    signal(SIGUSR1, on_usr1);
    kill(getpid(), SIGUSR1);
}

static void *read_until_cancelled(void *unused)
{
    char c;

    read(ends[0], &c, 1);
    return unused;
}

static ALONE void cancel_a_thread(void)
{
    pthread_t thread;
    void *result;

    if (pthread_create(&thread, NULL, read_until_cancelled, NULL) || pthread_cancel(thread) ||
        pthread_join(thread, &result) || result != PTHREAD_CANCELED)
        exit(1);
}

int main(void)
{
    if (pipe(ends))
        return 1;
    jump_and_come_back();
    keep_the_mask();
    call_in_vain();
    call_and_sleep();
    have_a_child();
    get_a_signal();
    cancel_a_thread();
    printf("through it\n");
    return 0;
}

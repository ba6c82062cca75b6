/* The jump that leaves a signal handler: what sigsetjmp kept of the mask comes back first. */
#include <setjmp.h>
#include <signal.h>

_Noreturn void siglongjmp(sigjmp_buf env, int value)
{
    if (env->has_mask)
        sigprocmask(SIG_SETMASK, &env->mask, NULL);
    longjmp(env, value);
}

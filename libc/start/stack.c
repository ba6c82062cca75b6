/* Where a function jumps that finds the canary below its return address changed (-fstack-protector). */
#include <stdlib.h>

#include "internal/syscall.h"

_Noreturn void __stack_chk_fail(void);

_Noreturn void __stack_chk_fail(void)
{
    static const char text[] = "a function wrote past its variables: the stack is smashed\n";
    syscall_raw(SYS_write, 2, text, sizeof(text) - 1);
    abort();
}

/*
 * uname [-asnrvmpio]: what kernel this is, on what machine.
 *
 *     -s  the kernel (the default)   -n  the host's name   -r  its release   -v  its version
 *     -m  the machine   -p  the processor   -i  the hardware   -o  the operating system   -a  all
 *
 * They are printed in this order, whatever the order of the options.
 */
#include "command.h"

#include <sys/utsname.h>

#define USAGE "uname [-asnrvmpio]"

int main(int argc, char **argv)
{
    static const char letters[] = "snrvmpio";
    struct utsname u;
    unsigned wanted = 0;
    int c;

    command_begin();
    while ((c = getopt(argc, argv, "asnrvmpio")) != -1) {
        if (c == '?')
            usage(1, USAGE);
        /* -a leaves out the two that nobody can tell. */
        for (const char *letter = letters; *letter; letter++)
            if (c == *letter || (c == 'a' && *letter != 'p' && *letter != 'i'))
                wanted |= 1u << (letter - letters);
    }
    if (optind < argc)
        usage(1, USAGE);
    if (wanted == 0)
        wanted = 1;
    if (uname(&u) < 0)
        err(1, "uname");
    const char *texts[] = {u.sysname, u.nodename, u.release, u.version,
                           u.machine, "unknown",  "unknown", u.sysname};
    for (int i = 0; wanted; i++, wanted >>= 1)
        if (wanted & 1)
            printf("%s%c", texts[i], wanted == 1 ? '\n' : ' ');
    return command_end(0);
}

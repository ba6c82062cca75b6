/*
 * poweroff [-fn] [-d SECONDS]: switch the machine off.
 *
 *     -f  at once, without asking init     -n  without writing out what files hold     -d  after so many seconds
 *
 * The kernel does it when reboot(2) says so. The polite way is to ask process 1, which first ends
 * everybody else: SIGUSR2 means off to it. Called reboot or halt, this program asks for that.
 */
#include "command.h"

#include <signal.h>
#include <sys/reboot.h>

#define USAGE "poweroff [-fn] [-d seconds]"

static const struct way {
    const char *name;
    int command; /* for reboot(2) */
    int signal;  /* for init */
} ways[] = {
    {"poweroff", RB_POWER_OFF, SIGUSR2},
    {"reboot", RB_AUTOBOOT, SIGTERM},
    {"halt", RB_HALT_SYSTEM, SIGUSR1},
};

int main(int argc, char **argv)
{
    const struct way *way = ways;
    bool force = false, write_out = true;
    long long delay = 0;
    int c;

    command_begin();
    for (size_t i = 0; argc > 0 && i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(last_component(argv[0]), ways[i].name) == 0)
            way = &ways[i];
    while ((c = getopt(argc, argv, "d:fn")) != -1) {
        if (c == 'f')
            force = true;
        else if (c == 'n')
            write_out = false;
        else if (c != 'd' || !parse_count(optarg, &delay) || delay > INT_MAX)
            usage(1, USAGE);
    }
    if (optind < argc)
        usage(1, USAGE);
    for (unsigned left = (unsigned)delay; left > 0;)
        left = sleep(left);
    if (write_out)
        sync();
    if (force ? reboot(way->command) < 0 : kill(1, way->signal) < 0)
        err(1, "%s", force ? "reboot" : "init");
    return 0;
}

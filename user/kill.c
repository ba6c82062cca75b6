/*
 * kill [-s NAME|-NAME|-NUMBER] PID..., kill -l [STATUS|NAME...]: send a signal, TERM if none is named.
 *
 *     -l  the names of all signals; the name of the signal that ended a program with this exit status
 *
 * A PID below 0 is a process group, 0 our own group, -1 everybody. Signal 0 only asks whether we could.
 */
#include "command.h"

#include "signames.h"

#define USAGE "kill [-s name | -name | -number] pid... | -l [status | name]..."

static int list(char **operands)
{
    int status = 0;
    for (int i = 1; !*operands && i <= SIGRTMAX; i++)
        if (signal_name(i))
            printf("%s%s", signal_name(i), i == SIGRTMAX ? "\n" : " ");
    for (; *operands; operands++) {
        long n;
        bool numeric = parse_number(*operands, &n);
        int sig = numeric ? (int)(n > 128 ? n - 128 : n) : signal_number(*operands);
        if (sig < 0 || !signal_name(sig)) {
            warnx("%s: not a signal", *operands);
            status = 1;
        } else if (numeric) {
            puts(signal_name(sig));
        } else {
            printf("%d\n", sig);
        }
    }
    return command_end(status);
}

/* The signal that the options name, which getopt can't read: -9, -KILL and -s KILL. */
static int take_signal(char ***operands)
{
    char **p = *operands;
    const char *text = NULL;
    if (*p && strcmp(*p, "-s") == 0 && p[1]) {
        text = p[1];
        p += 2;
    } else if (*p && **p == '-' && (*p)[1] && strcmp(*p, "--") != 0) {
        text = *p + ((*p)[1] == 's' && signal_number(*p + 1) < 0 ? 2 : 1);
        p++;
    }
    if (*p && strcmp(*p, "--") == 0)
        p++;
    *operands = p;
    int sig = text ? signal_number(text) : SIGTERM;
    if (sig < 0) {
        warnx("%s: not a signal", text);
        usage(1, USAGE);
    }
    return sig;
}

int main(int argc, char **argv)
{
    int status = 0;
    char **operands = argv + 1;

    command_begin();
    if (argc > 1 && strcmp(*operands, "-l") == 0)
        return list(operands + 1);
    int sig = take_signal(&operands);
    if (argc < 2 || !*operands)
        usage(1, USAGE);
    for (; *operands; operands++) {
        long pid;
        if (!parse_number(*operands, &pid) || pid > INT_MAX || pid < INT_MIN) {
            warnx("%s: not a process", *operands);
            status = 1;
        } else if (kill((pid_t)pid, sig) < 0) {
            warn("%s", *operands);
            status = 1;
        }
    }
    return status;
}

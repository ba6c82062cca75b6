/*
 * kill [-s NAME|-NAME|-NUMBER] PID..., kill -l [STATUS|NAME...]: send a signal, TERM if none is named.
 *
 *     -l  the names of all signals; the name of the signal that ended a program with this exit status
 *
 * A PID below 0 is a process group, 0 our own group, -1 everybody. Signal 0 only asks whether we could.
 */
#include "command.h"

#include <signal.h>
#include <strings.h>

#define USAGE "kill [-s name | -name | -number] pid... | -l [status | name]..."
#define NAMES (sizeof(names) / sizeof(names[0]))

static const char *const names[] = {
    "EXIT", "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
    "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
    "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS",
};

/* The name of signal N; NULL: there is none. */
static const char *name_of(int n)
{
    static char text[32];
    if (n >= 0 && (size_t)n < NAMES)
        return names[n];
    if (n < SIGRTMIN || n > SIGRTMAX)
        return NULL;
    if (n == SIGRTMAX)
        return "RTMAX";
    snprintf(text, sizeof(text), n > SIGRTMIN ? "RTMIN+%d" : "RTMIN", n - SIGRTMIN);
    return text;
}

/* A number as a whole. */
static bool parse_number(const char *text, long *n)
{
    char *end;
    errno = 0;
    *n = strtol(text, &end, 10);
    return end != text && *end == '\0' && errno == 0;
}

/* The number of the signal called TEXT, with or without SIG, or by its number; -1. */
static int number_of(const char *text)
{
    long n;
    if (parse_number(text, &n))
        return n >= 0 && n <= SIGRTMAX ? (int)n : -1;
    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    for (int i = 0; i <= SIGRTMAX; i++)
        if (name_of(i) && strcasecmp(text, name_of(i)) == 0)
            return i;
    if (strncasecmp(text, "RTMAX-", 6) == 0 && parse_number(text + 6, &n) && n >= 0 &&
        n <= SIGRTMAX - SIGRTMIN)
        return SIGRTMAX - (int)n;
    return -1;
}

static int list(char **operands)
{
    int status = 0;
    for (int i = 1; !*operands && i <= SIGRTMAX; i++)
        if (name_of(i))
            printf("%s%s", name_of(i), i == SIGRTMAX ? "\n" : " ");
    for (; *operands; operands++) {
        long n;
        bool numeric = parse_number(*operands, &n);
        int sig = numeric ? (int)(n > 128 ? n - 128 : n) : number_of(*operands);
        if (sig < 0 || !name_of(sig)) {
            warnx("%s: not a signal", *operands);
            status = 1;
        } else if (numeric) {
            puts(name_of(sig));
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
        text = *p + ((*p)[1] == 's' && number_of(*p + 1) < 0 ? 2 : 1);
        p++;
    }
    if (*p && strcmp(*p, "--") == 0)
        p++;
    *operands = p;
    int sig = text ? number_of(text) : SIGTERM;
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

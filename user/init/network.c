/*
 * The network at boot: if there is an interface other than the loopback, a DHCP client has it set up. Whoever
 * sits at the machine doesn't wait for it; a program that tools/run runs finds it ready.
 */
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

#define CLIENT "/bin/dhcp"
#define MESSAGES "/dev/kmsg" /* what it complains about is in the kernel's log */

static char *const keep_argv[] = {"dhcp", "-f", NULL};
static char *const once_argv[] = {"dhcp", "-q", "-t", "60", NULL};

static int has_interface(void)
{
    struct if_nameindex *list = if_nameindex();
    int found = 0;

    if (list == NULL)
        return 0;
    for (struct if_nameindex *i = list; i->if_index != 0; i++)
        found |= strcmp(i->if_name, "lo") != 0;
    if_freenameindex(list);
    return found;
}

/* Start the client with these words, out of the terminal's way; its pid, or -1. */
static pid_t start_client(char *const argv[])
{
    pid_t pid = fork();
    int fd;

    if (pid != 0) {
        if (pid < 0)
            complain("fork");
        return pid;
    }
    unblock_signals();
    setsid();
    fd = open(MESSAGES, O_WRONLY);
    if (fd < 0)
        fd = open("/dev/null", O_RDWR);
    for (int i = STDIN_FILENO; fd >= 0 && i <= STDERR_FILENO; i++)
        dup2(fd, i);
    execv(CLIENT, argv);
    _exit(127);
}

void start_network(void)
{
    if (has_interface())
        start_client(keep_argv);
}

void await_network(void)
{
    pid_t pid = has_interface() ? start_client(once_argv) : -1;

    while (pid > 0 && waitpid(pid, NULL, 0) != pid)
        ;
}

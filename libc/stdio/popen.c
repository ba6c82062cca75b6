/* A command whose standard input or output is a FILE of ours: a pipe, a fork, and a shell. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stdio/file.h"

/* In the child: END becomes standard input or output, and no stream of another popen stays open (POSIX). */
_Noreturn static void run(const char *command, int end, int standard)
{
    for (FILE *f = __file_list; f; f = f->next)
        if (f->child && f->fd != standard)
            close(f->fd);
    if (end == standard)
        fcntl(end, F_SETFD, 0);
    else
        dup2(end, standard);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

FILE *popen(const char *command, const char *mode)
{
    bool reads = *mode == 'r';
    int fds[2], flags = strchr(mode, 'e') ? O_CLOEXEC : 0;
    if (!reads && *mode != 'w') {
        errno = EINVAL;
        return NULL;
    }
    if (pipe2(fds, O_CLOEXEC) < 0)
        return NULL;
    int ours = fds[!reads], theirs = fds[reads];
    FILE *f = __file_new(ours, reads ? O_RDONLY : O_WRONLY);
    if (!f) {
        close(ours);
        close(theirs);
        return NULL;
    }
    pid_t child = fork();
    if (child == 0)
        run(command, theirs, reads ? STDOUT_FILENO : STDIN_FILENO);
    close(theirs);
    if (child < 0) {
        int error = errno;
        fclose(f);
        errno = error;
        return NULL;
    }
    if (!flags)
        fcntl(ours, F_SETFD, 0);
    f->child = child;
    return f;
}

int pclose(FILE *f)
{
    pid_t child = f->child;
    int status;
    if (!child) {
        errno = ECHILD;
        return -1;
    }
    fclose(f);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

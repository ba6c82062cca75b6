/*
 * The exec family over execve: PATH is searched as POSIX says (an EACCES is remembered, the search
 * goes on), and a file that is no program is given to /bin/sh.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

int execv(const char *path, char *const argv[])
{
    return execve(path, argv, environ);
}

int fexecve(int fd, char *const argv[], char *const envp[])
{
    return execveat(fd, "", argv, envp, AT_EMPTY_PATH);
}

/* PATH is a script without "#!": sh PATH arguments. Comes back only with an error. */
static void exec_by_shell(const char *path, char *const argv[], char *const envp[])
{
    size_t n = 0;
    while (argv[n])
        n++;
    char *with_shell[n + 3];
    with_shell[0] = "sh";
    with_shell[1] = (char *)path;
    for (size_t i = 1; i <= n; i++)
        with_shell[i + 1] = argv[i];
    if (n == 0)
        with_shell[2] = NULL;
    execve("/bin/sh", with_shell, envp);
}

static void try_exec(const char *path, char *const argv[], char *const envp[])
{
    execve(path, argv, envp);
    if (errno == ENOEXEC)
        exec_by_shell(path, argv, envp);
}

int execvpe(const char *file, char *const argv[], char *const envp[])
{
    char path[PATH_MAX];
    bool denied = false;
    if (!*file) {
        errno = ENOENT;
        return -1;
    }
    if (strchr(file, '/')) {
        try_exec(file, argv, envp);
        return -1;
    }
    const char *dirs = "/bin:/usr/bin";
    for (char **e = environ; e && *e; e++)
        if (strncmp(*e, "PATH=", 5) == 0)
            dirs = *e + 5;
    for (;;) {
        size_t n = strcspn(dirs, ":");
        if (n + strlen(file) + 2 <= sizeof(path)) {
            memcpy(path, dirs, n);
            strcpy(path + n, n ? "/" : "");
            strcat(path, file);
            try_exec(path, argv, envp);
            if (errno == EACCES)
                denied = true;
            else if (errno != ENOENT && errno != ENOTDIR)
                return -1;
        }
        if (!dirs[n])
            break;
        dirs += n + 1;
    }
    if (denied)
        errno = EACCES;
    return -1;
}

int execvp(const char *file, char *const argv[])
{
    return execvpe(file, argv, environ);
}

/* How many arguments of a list that NULL ends, with the first. */
static size_t count(const char *first, va_list args)
{
    size_t n = 0;
    for (const char *arg = first; arg; arg = va_arg(args, const char *))
        n++;
    return n;
}

enum kind { PLAIN, SEARCH, WITH_ENVIRONMENT };

/* ARGS stand twice, since counting them uses one of the lists up. */
static int exec_list(enum kind kind, const char *file, const char *first, va_list args,
                     va_list again)
{
    size_t n = count(first, args);
    char *argv[n + 1];
    argv[0] = (char *)first;
    for (size_t i = 1; i <= n; i++)
        argv[i] = va_arg(again, char *);
    if (n == 0)
        argv[0] = NULL;
    if (kind == SEARCH)
        return execvp(file, argv);
    return execve(file, argv, kind == WITH_ENVIRONMENT ? va_arg(again, char **) : environ);
}

#define EXEC_LIST(kind, file)                                 \
    do {                                                      \
        va_list args, again;                                  \
        va_start(args, arg);                                  \
        va_start(again, arg);                                 \
        int result = exec_list(kind, file, arg, args, again); \
        va_end(again);                                        \
        va_end(args);                                         \
        return result;                                        \
    } while (0)

int execl(const char *path, const char *arg, ...)
{
    EXEC_LIST(PLAIN, path);
}
int execlp(const char *file, const char *arg, ...)
{
    EXEC_LIST(SEARCH, file);
}
int execle(const char *path, const char *arg, ...)
{
    EXEC_LIST(WITH_ENVIRONMENT, path);
}

/* A program that dies of its own mistake and leaves a core file: its memory at that moment. See crash.txt. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "demo.h"

static void third(int *where)
{
    *where = 42; /* where is NULL */
}

static void second(int *where)
{
    third(where);
}

/* In FOLDER, with core files allowed, do what must not be done. */
static _Noreturn void crash(const char *folder)
{
    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

    need(chdir(folder));
    setrlimit(RLIMIT_CORE, &unlimited);
    second(NULL);
    _exit(0);
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/crash-XXXXXX";
    pid_t child;
    int status;

    if (argc > 1)
        crash(argv[1]); /* for real: the core file stays in that folder */
    need(mkdtemp(folder) == NULL ? -1 : 0);
    child = fork_clean();
    if (child == 0)
        crash(folder);
    status = wait_for(child);
    printf("the child was killed by %s\n", claim(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV)
                                               ? "SIGSEGV"
                                               : "something else");
    need(chdir(folder));
    unlink("core");
    need(chdir("/"));
    rmdir(folder);
    return shown();
}

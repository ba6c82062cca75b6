/* asks QUESTION: run /bin/true, which a patch may change, with QUESTION, and report its answer. */
#include "lab.h"
#include <sys/wait.h>

int main(int argc, char **argv)
{
    int status;
    pid_t child;

    lab_must(child = fork());
    if (child == 0) {
        execv("/bin/true", argv);
        _exit(LAB_STOPPED);
    }
    lab_must(waitpid(child, &status, 0));
    lab_report("exited", "%d", WIFEXITED(status));
    if (argc > 1)
        lab_report("answer", "%d", WEXITSTATUS(status));
    return 3;
}

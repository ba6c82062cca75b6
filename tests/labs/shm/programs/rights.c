/*
 * rights UID GID MODE...: segments with these modes (octal), which user UID and group GID are made to own. Four
 * callers (the owner, one of the group, another user, root) attach each in four ways; what each attempt gave is
 * reported as 0 or an errno. And what memory lets be done with it that was attached in a certain way.
 */
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>

#include "lab.h"

#define STRANGER 54321

static const int ways[] = {SHM_RDONLY, 0, SHM_RDONLY | SHM_EXEC, SHM_EXEC};

/* In a child that is that user: the four results as a line. */
static void attempts(int id, uid_t uid, gid_t gid, char *line, size_t size)
{
    int ends[2];
    ssize_t length = 0, got;

    lab_must(pipe(ends));
    pid_t pid = fork();
    lab_must(pid);
    if (pid == 0) {
        char text[64] = "";
        if (setgroups(0, NULL) < 0 || setgid(gid) < 0 || setuid(uid) < 0)
            _exit(1);
        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
            long at = (long)shmat(id, NULL, ways[i]);
            snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d", at == -1 ? errno : 0);
        }
        _exit(write(ends[1], text, strlen(text)) < 0);
    }
    close(ends[1]);
    while (length < (ssize_t)size - 1 &&
           (got = read(ends[0], line + length, size - 1 - (size_t)length)) > 0)
        length += got;
    line[length] = '\0';
    close(ends[0]);
    waitpid(pid, NULL, 0);
}

/* How a child ends that does this with AT: 0, or the signal. */
static int outcome(void (*act)(unsigned char *at), unsigned char *at)
{
    int status;
    pid_t pid = fork();

    lab_must(pid);
    if (pid == 0) {
        act(at);
        _exit(0);
    }
    lab_must(waitpid(pid, &status, 0));
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void look(unsigned char *at)
{
    (void)*(volatile unsigned char *)at;
}

static void scribble(unsigned char *at)
{
    *(volatile unsigned char *)at = 1;
}

static void call(unsigned char *at)
{
    ((void (*)(void))at)();
}

static void report_memory(const char *key, int id, int flags)
{
    unsigned char *at = shmat(id, NULL, flags);

    lab_must((long)at == -1 ? -1 : 0);
    int reads = outcome(look, at), writes = outcome(scribble, at), runs = outcome(call, at);
    int granted = mprotect(at, 4096, PROT_READ | PROT_WRITE) < 0 ? errno : 0;
    lab_report(key, "%d %d %d %d", reads, writes, runs, granted);
}

int main(int argc, char **argv)
{
    uid_t uid = argc > 2 ? (uid_t)atoi(argv[1]) : 1;
    gid_t gid = argc > 2 ? (gid_t)atoi(argv[2]) : 1;
    char line[128];
    struct shmid_ds ds;
    int id;

    for (int i = 3; i < argc; i++) {
        lab_must(id = shmget(IPC_PRIVATE, 4096, 0));
        lab_must(shmctl(id, IPC_STAT, &ds));
        ds.shm_perm.uid = uid;
        ds.shm_perm.gid = gid;
        ds.shm_perm.mode = (mode_t)strtoul(argv[i], NULL, 8);
        lab_must(shmctl(id, IPC_SET, &ds));
        attempts(id, uid, STRANGER, line, sizeof(line));
        lab_report("owner", "%s", line);
        attempts(id, STRANGER, gid, line, sizeof(line));
        lab_report("group", "%s", line);
        attempts(id, STRANGER, STRANGER, line, sizeof(line));
        lab_report("other", "%s", line);
        attempts(id, 0, 0, line, sizeof(line));
        lab_report("root", "%s", line);
    }

    lab_must(id = shmget(IPC_PRIVATE, 4096, 0));
    attempts(id, STRANGER, STRANGER, line, sizeof(line));
    lab_must(shmctl(id, IPC_STAT, &ds));
    lab_report("refused", "%lld %d", (long long)ds.shm_atime, ds.shm_lpid);

    lab_must(id = shmget(IPC_PRIVATE, 4096, 0700));
    unsigned char *code = shmat(id, NULL, 0);
    lab_must((long)code == -1 ? -1 : 0);
    code[0] = code[1] = 0xc3; /* ret; and the writer's 1 goes to byte 0 */
    report_memory("plain", id, 0);
    code[0] = 0xc3;
    report_memory("readonly", id, SHM_RDONLY);
    code[0] = 0xc3;
    report_memory("exec", id, SHM_RDONLY | SHM_EXEC);
    return 0;
}

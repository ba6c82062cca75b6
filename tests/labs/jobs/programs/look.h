/* What /proc tells of processes: state, groups, descriptors; and who holds which end of which pipe. */
#pragma once

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIPES 24

struct status {
    char state;
    pid_t group, session, foreground; /* foreground: of its terminal, as it is now */
};

/* What /proc/PID/stat says; false: there is no such process. */
static inline bool status_of(pid_t pid, struct status *s)
{
    char path[64], text[512] = "", *end;
    int file;

    *s = (struct status){0};
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t got = read(file, text, sizeof(text) - 1);
    close(file);
    end = got > 0 ? strrchr(text, ')') : NULL;
    return end != NULL && sscanf(end + 1, " %c %*d %d %d %*d %d", &s->state, &s->group, &s->session,
                                 &s->foreground) == 4;
}

/* How many descriptors it has open. */
static inline int count_files(pid_t pid)
{
    char path[64];
    struct dirent *entry;
    int files = 0;

    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    DIR *folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL)
        files += entry->d_name[0] != '.';
    if (folder != NULL)
        closedir(folder);
    return files;
}

/* What a process is called here; TEXT: 16 bytes for a name that must be made. */
typedef const char *namer(pid_t pid, char *text);

static struct pipe {
    unsigned long number;
    char holders[128];
} pipes[PIPES];
static int pipe_count;

static inline void note_pipe(unsigned long number, const char *who, const char *fd, bool of_probe)
{
    int i = 0;

    while (i < pipe_count && pipes[i].number != number)
        i++;
    if (i == pipe_count) {
        if (!of_probe || i == PIPES)
            return;
        pipes[i].number = number;
        pipes[i].holders[0] = '\0';
        pipe_count++;
    }
    size_t length = strlen(pipes[i].holders);
    snprintf(pipes[i].holders + length, sizeof(pipes[i].holders) - length, "%s%s/%s",
             length > 0 ? "+" : "", who, fd);
}

/* The pipes that PID has open. */
static inline void look_at(pid_t pid, bool of_probe, namer *name)
{
    char path[300], target[64], text[16];
    struct dirent *entry;
    unsigned long number;

    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    DIR *folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, entry->d_name);
        ssize_t n = readlink(path, target, sizeof(target) - 1);
        target[n > 0 ? n : 0] = '\0';
        if (sscanf(target, "pipe:[%lu]", &number) == 1)
            note_pipe(number, name(pid, text), entry->d_name, of_probe);
    }
    if (folder != NULL)
        closedir(folder);
}

/*
 * For each pipe that one of the COUNT processes PIDS has, a word like a/1+b/0: who has it, by which descriptor; first
 * those, in their order, then whoever else there is but us.
 */
static inline void list_holders(const pid_t *pids, int count, namer *name, char *result,
                                size_t size)
{
    struct dirent *entry;
    size_t length = 0;

    pipe_count = 0;
    for (int i = 0; i < count; i++)
        look_at(pids[i], true, name);
    DIR *folder = opendir("/proc");
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;
        bool seen = pid == 0 || pid == getpid();
        for (int i = 0; i < count; i++)
            seen = seen || pids[i] == pid;
        if (!seen)
            look_at(pid, false, name);
    }
    if (folder != NULL)
        closedir(folder);
    result[0] = '\0';
    for (int i = 0; i < pipe_count; i++)
        length += (size_t)snprintf(result + length, size - length, "%s%s", i > 0 ? " " : "",
                                   pipes[i].holders);
}

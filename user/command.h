/*
 * What every command has in common: how it begins, how it reports what went wrong, how it ends.
 *
 *      int main(int argc, char **argv)
 *      {
 *          command_begin();
 *          ... getopt, usage(1, USAGE), the work: warn("%s", name) and status = 1 for each failure ...
 *          return command_end(status);
 *      }
 *
 * Output that could not be written is a failure like any other, and most writes happen late, when a
 * buffer is full or the program ends. So stdio keeps the error, and command_end asks for it once.
 *
 * To be included first: it asks the headers for all they have. The functions are inline because nearly every
 * command is one file, here and with any other C library: cc user/cat.c makes cat.
 */
#pragma once

#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Descriptors 0, 1 and 2 that whoever started us left closed: the next file we open would get that
 * number, and what we print would go into it. Something takes their place that fails with EBADF.
 */
static inline void command_begin(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* The exit status: STATUS, or FAILURE when something printed could not be written. */
static inline int command_end_with(int status, int failure)
{
    bool failed_before = ferror(stdout);
    if (fflush(stdout) != 0)
        warn("standard output");
    else if (failed_before)
        warnx("standard output: write error"); /* why, nobody remembers */
    else
        return status;
    return failure;
}

static inline int command_end(int status)
{
    return command_end_with(status, 1);
}

/* The command was called in a way it doesn't have. */
static inline _Noreturn void usage(int status, const char *text)
{
    fprintf(stderr, "usage: %s\n", text);
    exit(status);
}

/* All of the N bytes, however many the kernel takes at a time. */
static inline bool write_all(int fd, const void *data, size_t n)
{
    const char *next = data;
    while (n > 0) {
        ssize_t written = write(fd, next, n);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            next += written;
            n -= (size_t)written;
        }
    }
    return true;
}

/* What read(2) gives, but a signal in between doesn't count. */
static inline ssize_t read_some(int fd, void *data, size_t n)
{
    ssize_t got;
    do
        got = read(fd, data, n);
    while (got < 0 && errno == EINTR);
    return got;
}

/* FILE operands: "-" is standard input. -1: could not be opened, and said so. */
static inline int open_operand(const char *name)
{
    int fd = strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        warn("%s", name);
    return fd;
}

static inline void close_operand(int fd)
{
    if (fd > STDERR_FILENO)
        close(fd);
}

/* Memory, or the end. */
static inline void *need_memory(void *p)
{
    if (!p)
        err(2, NULL);
    return p;
}

/* The last component of PATH, slashes at its end not counted; in PATH, so with these slashes. */
static inline const char *last_component(const char *path)
{
    const char *last = path;
    for (const char *p = path; *p; p++)
        if (*p == '/' && p[1] && p[1] != '/')
            last = p + 1;
    return last;
}

/* DIRECTORY/NAME, allocated. */
static inline char *path_join(const char *directory, const char *name)
{
    size_t n = strlen(directory);
    char *path = need_memory(malloc(n + strlen(name) + 2));
    memcpy(path, directory, n);
    if (n > 0 && path[n - 1] != '/')
        path[n++] = '/';
    strcpy(path + n, name);
    return path;
}

/* What PATH is called inside DIRECTORY: its last component there, allocated. */
static inline char *path_into(const char *directory, const char *path)
{
    char *name = need_memory(strdup(last_component(path)));
    name[strcspn(name, "/")] = '\0';
    char *inside = path_join(directory, *name ? name : path);
    free(name);
    return inside;
}

static inline bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Ask the question on standard error and read a line: does it begin with y? */
static inline bool confirmed(const char *question, const char *name)
{
    fprintf(stderr, "%s %s? ", question, name);
    int first = getchar();
    for (int c = first; c != '\n' && c != EOF;)
        c = getchar();
    return first == 'y' || first == 'Y';
}

/* A count in decimal, perhaps with b (512), k, M or G behind it. False: it is no such thing. */
static inline bool parse_count(const char *text, long long *count)
{
    static const char suffixes[] = "bkKMG";
    static const long long factors[] = {512, 1024, 1024, 1 << 20, 1 << 30};
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *count = strtoll(text, &end, 10);
    const char *suffix = *end ? strchr(suffixes, *end) : NULL;
    if (suffix && end++)
        if (__builtin_mul_overflow(*count, factors[suffix - suffixes], count))
            return false;
    return *end == '\0' && errno == 0;
}

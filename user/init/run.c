/*
 * The half of init that serves tools/run: run one program, say how it ended, switch the machine off.
 *
 * tools/run puts a folder /.run into the initial file system:
 *
 *     nonce        32 letters that only it and we know
 *     path         the program to run        argv, env   its words, each ended by NUL
 *     stdin        what it reads, if anything
 *     tty          present when somebody types: the size of their terminal, "ROWS COLUMNS"
 *     fetch        files to bring out afterwards, each name ended by NUL
 *     network      present when the program is to find the network set up
 *     leak-check   present when the kernel's counters are to be compared
 *
 * We read the folder and remove it before the program starts, so the program can't know the nonce and
 * can't speak for us. The console gets a mark before the program's output and one after it; the status
 * channel, the third serial port, gets records when the program has ended and every other process too:
 *
 *     NONCE WORD NUMBER LENGTH\n   and LENGTH bytes
 *
 * exit STATUS, signal NUMBER, noexec ERRNO, error 0 (text), leak 0 (text), file 0 (content),
 * nofile ERRNO, and at last done 0: without that one tools/run believes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

#define STATUS_CHANNEL "/dev/ttyS2"
#define COUNTERS "/proc/kstat"
#define COUNTERS_MAX 16384
#define LEAK_RETRIES 200 /* of 10 ms: what the kernel frees late must be back by then */

/* What was in /.run: each file whole, with a NUL behind it; NULL when there was none. */
struct job {
    char *nonce;
    char *path;
    char **argv;
    char **env;
    char **fetch;
    char *tty;
    int leak_check;
    int network;
    int input;  /* the program's descriptor 0 */
    int status; /* the status channel */
};

extern char **environ;

static char counters_before[COUNTERS_MAX];
static char counters_after[COUNTERS_MAX];
static char leak_report[COUNTERS_MAX];

/* --- the status channel ----------------------------------------------------------------------------- */

static void write_all(int fd, const void *data, size_t length)
{
    const char *next = data;

    while (length > 0) {
        ssize_t written = write(fd, next, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        next += written;
        length -= (size_t)written;
    }
}

static void record(const struct job *job, const char *word, long number, const void *content,
                   size_t length)
{
    char head[128];
    int head_length =
        snprintf(head, sizeof head, "%s %s %ld %zu\n", job->nonce, word, number, length);

    write_all(job->status, head, (size_t)head_length);
    write_all(job->status, content, length);
}

static _Noreturn void finish(const struct job *job)
{
    record(job, "done", 0, NULL, 0);
    tcdrain(job->status);
    end_machine(RB_POWER_OFF);
}

/* Something of ours failed: errno says why. */
static _Noreturn void give_up(const struct job *job, const char *what)
{
    char text[256];
    int length = snprintf(text, sizeof text, "init: %s: %s", what, strerror(errno));

    record(job, "error", 0, text, (size_t)length);
    finish(job);
}

static int open_status_channel(void)
{
    struct termios mode;
    int fd = open(STATUS_CHANNEL, O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 || tcgetattr(fd, &mode) < 0)
        return fd;
    mode.c_iflag = 0;
    mode.c_oflag = 0;
    mode.c_lflag = 0;
    mode.c_cflag |= CLOCAL | CREAD;
    tcsetattr(fd, TCSANOW, &mode);
    return fd;
}

/* --- the job ------------------------------------------------------------------------------------------ */

/* All of FD with a NUL behind it, its length in *LENGTH; NULL with errno when that fails. */
static char *read_all(int fd, size_t *length)
{
    size_t size = 0;
    size_t room = 4096;
    char *data = malloc(room);

    while (data != NULL) {
        ssize_t got = read(fd, data + size, room - size - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            data[size] = '\0';
            *length = size;
            return data;
        }
        size += (size_t)got;
        if (room - size < 2) {
            char *larger = realloc(data, room * 2);
            if (larger == NULL)
                break;
            data = larger;
            room *= 2;
        }
    }
    free(data);
    return NULL;
}

/* The file NAME of the job, which is then removed. */
static char *take_file(const char *name, size_t *length)
{
    char path[64];
    char *data;
    int fd;

    snprintf(path, sizeof path, RUN_FOLDER "/%s", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    data = read_all(fd, length);
    close(fd);
    unlink(path);
    return data;
}

/* A file of words, each ended by NUL, as the vector that execve wants. */
static char **take_words(const char *name)
{
    size_t length = 0;
    size_t count = 0;
    char *data = take_file(name, &length);
    char **words;

    if (data == NULL)
        return NULL;
    for (size_t i = 0; i < length; i++)
        count += data[i] == '\0';
    words = calloc(count + 1, sizeof *words);
    if (words == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        words[i] = data;
        data += strlen(data) + 1;
    }
    return words;
}

static int open_input(const struct job *job)
{
    int fd;

    if (job->tty != NULL)
        return dup(STDIN_FILENO);
    fd = open(RUN_FOLDER "/stdin", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    unlink(RUN_FOLDER "/stdin");
    return fd;
}

static void take_job(struct job *job)
{
    size_t length;

    job->status = open_status_channel();
    job->nonce = take_file("nonce", &length);
    job->path = take_file("path", &length);
    job->tty = take_file("tty", &length);
    job->argv = take_words("argv");
    job->env = take_words("env");
    job->fetch = take_words("fetch");
    job->leak_check = unlink(RUN_FOLDER "/leak-check") == 0;
    job->network = unlink(RUN_FOLDER "/network") == 0;
    job->input = open_input(job);
    rmdir(RUN_FOLDER);
    if (job->status < 0) {
        complain(STATUS_CHANNEL);
        end_machine(RB_POWER_OFF);
    }
    if (job->nonce == NULL || job->path == NULL || job->argv == NULL || job->env == NULL ||
        job->fetch == NULL || job->input < 0)
        give_up(job, RUN_FOLDER);
}

/* --- the console -------------------------------------------------------------------------------------- */

/* Bytes must come out as the program wrote them, unless a person sits there. */
static void set_up_console(const struct job *job)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    struct termios mode;

    if (job->tty != NULL) {
        char *columns;
        size.ws_row = (unsigned short)strtol(job->tty, &columns, 10);
        size.ws_col = (unsigned short)strtol(columns, NULL, 10);
        ioctl(STDOUT_FILENO, TIOCSWINSZ, &size);
        return;
    }
    if (tcgetattr(STDOUT_FILENO, &mode) < 0)
        give_up(job, "the console");
    mode.c_oflag &= (tcflag_t)~OPOST;
    mode.c_lflag &= (tcflag_t) ~(ECHO | ECHONL);
    tcsetattr(STDOUT_FILENO, TCSANOW, &mode);
}

static void print_mark(const struct job *job, const char *which)
{
    char mark[80];
    int length = snprintf(mark, sizeof mark, "\x1e%s %s\x1e", which, job->nonce);

    write_all(STDOUT_FILENO, mark, (size_t)length);
}

/* The program may have left the console in any state. */
static void reclaim_console(const struct termios *mode)
{
    tcsetpgrp(STDOUT_FILENO, getpgrp());
    tcflow(STDOUT_FILENO, TCOON);
    tcsetattr(STDOUT_FILENO, TCSANOW, mode);
}

/*
 * The session is ours, not the program's: a terminal is hung up, and loses what it has not sent, when
 * the leader of its session ends. From here on we may speak to the console from the background.
 */
static void keep_terminal(void)
{
    sigset_t stop;

    sigemptyset(&stop);
    sigaddset(&stop, SIGTTOU);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    lead_session();
    tcsetpgrp(STDOUT_FILENO, getpgrp());
}

/* --- the program -------------------------------------------------------------------------------------- */

/* In the child: a group of its own in the terminal's foreground, the job's input, the job's words. */
static _Noreturn void become_program(const struct job *job, int failure)
{
    setpgid(0, 0);
    tcsetpgrp(STDOUT_FILENO, getpid());
    unblock_signals();
    dup2(job->input, STDIN_FILENO);
    if (job->tty != NULL)
        open_terminal();
    environ = job->env;
    if (strchr(job->path, '/') != NULL)
        execve(job->path, job->argv, job->env);
    else
        execvp(job->path, job->argv);
    write_all(failure, &errno, sizeof errno);
    _exit(127);
}

/* Start the program; returns its pid, or -1 with errno when it could not be started. */
static pid_t start_program(const struct job *job)
{
    int failure[2];
    int error = 0;
    pid_t pid;

    if (pipe2(failure, O_CLOEXEC) < 0)
        give_up(job, "pipe");
    pid = fork();
    if (pid < 0)
        give_up(job, "fork");
    if (pid == 0)
        become_program(job, failure[1]);
    close(failure[1]);
    if (read(failure[0], &error, sizeof error) == (ssize_t)sizeof error) {
        waitpid(pid, NULL, 0);
        pid = -1;
    }
    close(failure[0]);
    errno = error;
    return pid;
}

/* Reap everything until the program itself has ended; returns its wait status. */
static int wait_for_program(pid_t program)
{
    int status;

    for (;;) {
        pid_t pid = waitpid(-1, &status, 0);
        if (pid == program)
            return status;
    }
}

/* What the program left behind must not outlive it: it could write on the console or leak. */
static void end_leftovers(void)
{
    kill(-1, SIGKILL);
    for (;;) {
        pid_t pid = waitpid(-1, NULL, 0);
        if (pid < 0 && errno == ECHILD)
            return;
    }
}

/* --- leaks -------------------------------------------------------------------------------------------- */

static void read_counters(const struct job *job, char *text)
{
    size_t size = 0;
    ssize_t got;
    int fd = open(COUNTERS, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        give_up(job, COUNTERS);
    while ((got = read(fd, text + size, COUNTERS_MAX - 1 - size)) > 0)
        size += (size_t)got;
    close(fd);
    text[size] = '\0';
}

/* The value that TEXT, lines of "name value", gives the name of LENGTH bytes; 0 when it has none. */
static long long counter(const char *text, const char *name, size_t length)
{
    for (const char *line = text; line != NULL && *line != '\0';) {
        if (strncmp(line, name, length) == 0 && line[length] == ' ')
            return strtoll(line + length, NULL, 10);
        line = strchr(line, '\n');
        if (line != NULL)
            line++;
    }
    return 0;
}

/*
 * Compare both sets of counters: of a name that begins with free_ there must not be less now, of
 * everything else not more. Writes a line for each that differs and returns their length.
 */
static size_t compare_counters(void)
{
    size_t size = 0;

    for (const char *line = counters_after; line != NULL && *line != '\0';) {
        const char *space = strchr(line, ' ');
        if (space == NULL)
            break;
        size_t length = (size_t)(space - line);
        long long before = counter(counters_before, line, length);
        long long after = strtoll(space, NULL, 10);
        int is_free = strncmp(line, "free_", 5) == 0;

        if ((is_free ? after < before : after > before) && sizeof leak_report - size > length + 64)
            size +=
                (size_t)snprintf(leak_report + size, sizeof leak_report - size,
                                 "  %.*s was %lld and is %lld\n", (int)length, line, before, after);
        line = strchr(line, '\n');
        if (line != NULL)
            line++;
    }
    return size;
}

/*
 * Our own memory is no leak. The stack begins at a random place in its page, so one day in a few hundred the calls
 * behind the program would touch a page more than those before it; and the buffers for what comes behind it would be
 * touched for the first time there, so that where one look didn't do none would.
 */
static __attribute__((noinline)) void touch_memory(void)
{
    volatile char room[32768];

    for (size_t i = 0; i < sizeof room; i += 1024)
        room[i] = 0;
    memset(counters_after, 0, sizeof counters_after);
    memset(leak_report, 0, sizeof leak_report);
}

/* What a first fork, exit and look at the counters make the kernel keep is no leak. */
static void count_before(const struct job *job)
{
    touch_memory();
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    while (pid > 0 && waitpid(pid, NULL, 0) != pid)
        ;
    read_counters(job, counters_before);
    read_counters(job, counters_before);
}

static void report_leaks(const struct job *job)
{
    static const struct timespec pause_time = {0, 10 * 1000 * 1000};
    size_t length = 0;

    for (int i = 0; i < LEAK_RETRIES; i++) {
        read_counters(job, counters_after);
        length = compare_counters();
        if (length == 0)
            return;
        nanosleep(&pause_time, NULL);
    }
    record(job, "leak", 0, leak_report, length);
}

/* --- files that are brought out ------------------------------------------------------------------------- */

static void fetch_file(const struct job *job, const char *path)
{
    size_t length = 0;
    char *content = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0)
        content = read_all(fd, &length);
    if (content != NULL)
        record(job, "file", 0, content, length);
    else
        record(job, "nofile", errno, NULL, 0);
    free(content);
    if (fd >= 0)
        close(fd);
}

_Noreturn void run_for_tools(void)
{
    struct termios mode = {0};
    struct job job = {0};
    pid_t program;
    int error;
    int status = 0;

    take_job(&job);
    keep_terminal();
    set_up_console(&job);
    tcgetattr(STDOUT_FILENO, &mode);
    if (job.network)
        await_network();
    if (job.leak_check)
        count_before(&job);
    print_mark(&job, "begin");
    program = start_program(&job);
    error = errno;
    if (program > 0)
        status = wait_for_program(program);
    end_leftovers();
    reclaim_console(&mode);
    print_mark(&job, "end");
    tcdrain(STDOUT_FILENO);

    if (program < 0)
        record(&job, "noexec", error, NULL, 0);
    else if (WIFSIGNALED(status))
        record(&job, "signal", WTERMSIG(status), NULL, 0);
    else
        record(&job, "exit", WEXITSTATUS(status), NULL, 0);
    if (job.leak_check)
        report_leaks(&job);
    for (char **path = job.fetch; *path != NULL; path++)
        fetch_file(&job, *path);
    finish(&job);
}

/* musl: stdio's files: opening, buffering, positions, lines and blocks, memory, commands, locks. */
#define _GNU_SOURCE
#include <pthread.h>

#include "tap.h"

/* What the file holds now, as another reader sees it. */
static const char *contents(const char *path)
{
    static char text[20000];
    int fd = works(open(path, O_RDONLY));
    ssize_t n = works(read(fd, text, sizeof(text) - 1));
    text[n] = '\0';
    close(fd);
    return text;
}

static FILE *opened(const char *path, const char *mode)
{
    FILE *f = fopen(path, mode);
    check(f, "fopen(%s, %s): %s", path, mode, strerror(errno));
    return f;
}

#define is_null(expression, error)                                               \
    do {                                                                         \
        errno = 0;                                                               \
        check(!(expression), "%s: expected NULL", #expression);                  \
        check(errno == (error), "expected %s, got %s", #error, strerror(errno)); \
    } while (0)

TEST(fopen_modes)
{
    is_null(fopen("none", "r"), ENOENT);
    is_null(fopen("none", "r+"), ENOENT);
    is_null(fopen("none", "q"), EINVAL);
    FILE *f = opened("f", "w");
    same(fputs("12345", f), 0);
    same(fgetc(f), EOF);
    check(ferror(f), "reading a file opened for writing is an error");
    same(fclose(f), 0);
    is_null(fopen("f", "wx"), EEXIST);
    f = opened("f", "r+");
    same(fputc('x', f), 'x');
    same(fclose(f), 0);
    same_text(contents("f"), "x2345");
    f = opened("f", "a+");
    same(fputs("end", f) < 0, 0);
    rewind(f);
    same(fgetc(f), 'x');
    same(fputs("!", f) < 0, 0);
    same(fclose(f), 0);
    same_text(contents("f"), "x2345end!");
    f = opened("f", "w+");
    same(fclose(f), 0);
    same_text(contents("f"), "");
    f = opened("f", "re");
    same(fcntl(fileno(f), F_GETFD), FD_CLOEXEC);
    same(fputc('x', f), EOF);
    same(fclose(f), 0);
}

TEST(fdopen_takes_a_descriptor)
{
    int fd = works(open("f", O_RDWR | O_CREAT, 0644));
    FILE *f = fdopen(fd, "r+");
    check(f, "fdopen");
    same(fileno(f), fd);
    same(fputs("abc", f) < 0, 0);
    same(fclose(f), 0);
    fails(close(fd), EBADF);
    same_text(contents("f"), "abc");
    is_null(fdopen(1, "z"), EINVAL);
}

TEST(freopen_keeps_the_file)
{
    make_file("a", "A");
    make_file("b", "B");
    FILE *f = opened("a", "r");
    same(fgetc(f), 'A');
    check(freopen("b", "r+", f) == f, "freopen");
    same(fgetc(f), 'B');
    check(freopen("none/x", "r", f) == NULL, "freopen of what isn't there");
    f = opened("a", "r");
    check(freopen(NULL, "re", f) == f, "freopen without a name");
    same(fgetc(f), 'A');
    same(fclose(f), 0);
}

TEST(freopen_of_stdout_keeps_the_descriptor)
{
    pid_t pid;
    CHILD (pid) {
        check(freopen("out", "w", stdout) == stdout, "freopen");
        same(fileno(stdout), 1);
        printf("%d", 42);
        exit(0);
    }
    exits(pid, 0);
    same_text(contents("out"), "42");
}

TEST(full_buffering_waits)
{
    static char buf[2048];
    FILE *f = opened("f", "w");
    same(setvbuf(f, buf, _IOFBF, sizeof(buf)), 0);
    same(fputs("line\n", f) < 0, 0);
    same_text(contents("f"), "");
    same(fflush(f), 0);
    same_text(contents("f"), "line\n");
    for (int i = 0; i < 3000; i++)
        fputc('x', f);
    check(strlen(contents("f")) >= 2000, "a full buffer is written");
    same(fclose(f), 0);
    same(strlen(contents("f")), 3005);
}

TEST(line_buffering_writes_lines)
{
    FILE *f = opened("f", "w");
    setlinebuf(f);
    same(fputs("one", f) < 0, 0);
    same_text(contents("f"), "");
    same(fputs(" line\n", f) < 0, 0);
    same_text(contents("f"), "one line\n");
    fclose(f);
}

TEST(no_buffering_writes_at_once)
{
    FILE *f = opened("f", "w");
    setbuf(f, NULL);
    same(fputc('a', f), 'a');
    same_text(contents("f"), "a");
    same(fprintf(f, "%d%s", 1, "2"), 2);
    same_text(contents("f"), "a12");
    fclose(f);
    static char buf[BUFSIZ];
    f = opened("f", "w");
    setbuffer(f, buf, sizeof(buf));
    same(fputc('a', f), 'a');
    same_text(contents("f"), "");
    fclose(f);
}

TEST(fflush_null_and_exit_write_everything)
{
    FILE *a = opened("a", "w"), *b = opened("b", "w");
    fputs("A", a);
    fputs("B", b);
    same(fflush(NULL), 0);
    same_text(contents("a"), "A");
    same_text(contents("b"), "B");
    pid_t pid;
    CHILD (pid) {
        fputs("more", a);
        exit(3);
    }
    exits(pid, 3);
    same_text(contents("a"), "Amore");
}

TEST(exit_gives_back_what_was_read_ahead)
{
    make_file("f", "one\ntwo\n");
    int fd = works(open("f", O_RDONLY));
    pid_t pid;
    CHILD (pid) {
        char line[16];
        FILE *f = fdopen(fd, "r");
        same_text(fgets(line, sizeof(line), f), "one\n");
        fflush(f);
    }
    exits(pid, 0);
    char rest[8] = "";
    same(read(fd, rest, 7), 4);
    same_text(rest, "two\n");
}

TEST(characters)
{
    FILE *f = opened("f", "w+");
    same(fputc(0x1ff, f), 0xff);
    same(putc('b', f), 'b');
    rewind(f);
    same(fgetc(f), 0xff);
    same(getc(f), 'b');
    same(fgetc(f), EOF);
    check(feof(f) && !ferror(f), "the end is no error");
    same(ungetc('z', f), 'z');
    check(!feof(f), "ungetc takes the end back");
    same(fgetc(f), 'z');
    same(ungetc(EOF, f), EOF);
    clearerr(f);
    check(!feof(f), "clearerr");
    fclose(f);
}

TEST(the_end_is_remembered)
{
    int p[2];
    works(pipe(p));
    FILE *f = fdopen(p[0], "r");
    make_file("f", "");
    FILE *g = opened("f", "r");
    same(fgetc(g), EOF);
    make_file("f", "now there is something");
    same(fgetc(g), EOF);
    clearerr(g);
    same(fgetc(g), 'n');
    close(p[1]);
    char c;
    same(fread(&c, 1, 1, f), 0);
    check(feof(f), "a pipe's end");
}

TEST(ungetc_then_seek_forgets)
{
    make_file("f", "abc");
    FILE *f = opened("f", "r");
    same(getc(f), 'a');
    same(ungetc('x', f), 'x');
    same(ftell(f), 0);
    same(getc(f), 'x');
    same(ungetc('y', f), 'y');
    same(fseek(f, 1, SEEK_SET), 0);
    same(getc(f), 'b');
    fclose(f);
}

TEST(standard_streams)
{
    make_file("in", "q");
    pid_t pid;
    CHILD (pid) {
        works(dup2(works(open("in", O_RDONLY)), 0));
        works(dup2(works(open("out", O_WRONLY | O_CREAT, 0644)), 1));
        works(dup2(1, 2));
        setvbuf(stdout, NULL, _IOFBF, 0);
        same(getchar(), 'q');
        same(getchar_unlocked(), EOF);
        same(putchar('1'), '1');
        same(putchar_unlocked('2'), '2');
        check(puts("three") >= 0, "puts");
        check(fputs("error ", stderr) >= 0, "stderr");
        errno = ENOENT;
        perror("what");
        fflush(stdout);
    }
    exits(pid, 0);
    same_text(contents("out"), "error what: No such file or directory\n12three\n");
}

TEST(blocks)
{
    static int numbers[5000], back[5000];
    for (int i = 0; i < 5000; i++)
        numbers[i] = i * 7;
    FILE *f = opened("f", "w+");
    same(fwrite(numbers, sizeof(int), 5000, f), 5000);
    same(fwrite(numbers, 0, 7, f), 0);
    rewind(f);
    same(fread(back, sizeof(int), 3, f), 3);
    same(fread(back + 3, sizeof(int), 5000, f), 4997);
    check(feof(f), "the end");
    same(memcmp(numbers, back, sizeof(back)), 0);
    same(fseek(f, -6, SEEK_END), 0);
    same(fread(back, sizeof(int), 2, f), 1);
    fclose(f);
}

TEST(lines)
{
    make_file("f", "one\n\nlonger line\nlast");
    FILE *f = opened("f", "r");
    char s[8];
    same_text(fgets(s, sizeof(s), f), "one\n");
    same_text(fgets(s, sizeof(s), f), "\n");
    same_text(fgets(s, sizeof(s), f), "longer ");
    same_text(fgets(s, sizeof(s), f), "line\n");
    same_text(fgets(s, sizeof(s), f), "last");
    check(!fgets(s, sizeof(s), f), "the end");
    same_text(s, "last");
    fclose(f);
}

TEST(getline_grows)
{
    FILE *f = opened("f", "w+");
    for (int i = 0; i < 9000; i++)
        fputc('a' + i % 26, f);
    fputs("\nx:y:", f);
    rewind(f);
    char *line = NULL;
    size_t size = 0;
    same(getline(&line, &size, f), 9001);
    check(size > 9001 && line[9000] == '\n' && !line[9001], "the whole line");
    same(getdelim(&line, &size, ':', f), 2);
    same_text(line, "x:");
    same(getdelim(&line, &size, ':', f), 2);
    same(getdelim(&line, &size, ':', f), -1);
    check(feof(f), "the end");
    free(line);
    fclose(f);
}

TEST(positions)
{
    FILE *f = opened("f", "w+");
    fpos_t here;
    fputs("0123456789", f);
    same(ftell(f), 10);
    same(fseek(f, 3, SEEK_SET), 0);
    same(fgetc(f), '3');
    same(fgetpos(f, &here), 0);
    same(fseeko(f, 2, SEEK_CUR), 0);
    same(ftello(f), 6);
    same(fgetc(f), '6');
    same(fseek(f, -1, SEEK_END), 0);
    same(fgetc(f), '9');
    same(fsetpos(f, &here), 0);
    same(fgetc(f), '4');
    fails(fseek(f, -1, SEEK_SET), EINVAL);
    fails(fseek(f, 0, 99), EINVAL);
    rewind(f);
    same(ftell(f), 0);
    fclose(f);
    int p[2];
    works(pipe(p));
    f = fdopen(p[0], "r");
    fails(fseek(f, 0, SEEK_SET), ESPIPE);
    fails(ftell(f), ESPIPE);
    fclose(f);
}

TEST(reading_and_writing_take_turns)
{
    make_file("f", "abcdef");
    FILE *f = opened("f", "r+");
    same(fgetc(f), 'a');
    same(fseek(f, 0, SEEK_CUR), 0);
    same(fputc('X', f), 'X');
    same(fflush(f), 0);
    same(fgetc(f), 'c');
    same(fseek(f, 0, SEEK_CUR), 0);
    same(fputs("YZ", f) < 0, 0);
    same(fclose(f), 0);
    same_text(contents("f"), "aXcYZf");
}

TEST(a_write_error_is_told)
{
    FILE *f = opened("/dev/full", "w");
    same(fputs("text", f) < 0, 0);
    same(fflush(f), EOF);
    same(errno, ENOSPC);
    check(ferror(f), "ferror");
    fclose(f);
    f = opened("/dev/full", "w");
    setbuf(f, NULL);
    check(fputc('x', f) < 0, "without a buffer");
    fclose(f);
    f = opened("/dev/full", "w");
    fputs("text", f);
    same(fclose(f), EOF);
}

static void nothing(int sig)
{
    (void)sig;
}

TEST(an_interrupted_read_is_an_error)
{
    int p[2];
    works(pipe(p));
    struct sigaction action = {.sa_handler = nothing};
    works(sigaction(SIGALRM, &action, NULL));
    FILE *f = fdopen(p[0], "r");
    pid_t parent = getpid(), pid;
    CHILD (pid) {
        for (int i = 0; i < 200; i++) {
            pause_a_little();
            kill(parent, SIGALRM);
        }
    }
    errno = 0;
    same(fgetc(f), EOF);
    same(errno, EINTR);
    check(ferror(f) && !feof(f), "an error, not the end");
    kill(pid, SIGKILL);
    tap_reap(pid);
}

TEST(a_partial_write_goes_on)
{
    int p[2];
    static char bytes[300000];
    works(pipe(p));
    pid_t pid;
    CHILD (pid) {
        close(p[0]);
        FILE *f = fdopen(p[1], "w");
        memset(bytes, 'x', sizeof(bytes));
        same(fwrite(bytes, 1, sizeof(bytes), f), sizeof(bytes));
        same(fclose(f), 0);
    }
    close(p[1]);
    FILE *f = fdopen(p[0], "r");
    same(fread(bytes, 1, sizeof(bytes), f), sizeof(bytes));
    same(fgetc(f), EOF);
    exits(pid, 0);
}

TEST(temporary_files)
{
    FILE *f = tmpfile();
    check(f, "tmpfile");
    fputs("x", f);
    rewind(f);
    same(fgetc(f), 'x');
    struct stat st;
    works(fstat(fileno(f), &st));
    same(st.st_nlink, 0);
    fclose(f);
}

TEST(popen_reads_and_writes)
{
    char line[32];
    FILE *f = popen("echo hello; exit 3", "r");
    same_text(fgets(line, sizeof(line), f), "hello\n");
    int status = pclose(f);
    same(WEXITSTATUS(status), 3);
    f = popen("cat > out", "w");
    fputs("text", f);
    same(pclose(f), 0);
    same_text(contents("out"), "text");
    is_null(popen("true", "z"), EINVAL);
}

TEST(popen_closes_the_others)
{
    FILE *writer = popen("cat > out", "w");
    FILE *other = popen("read line", "w");
    fputs("x", writer);
    same(pclose(writer), 0); /* would wait for ever if the second command had the pipe too */
    same_text(contents("out"), "x");
    pclose(other);
}

TEST(remove_and_rename)
{
    make_file("a", "");
    works(mkdir("d", 0755));
    same(rename("a", "b"), 0);
    fails(rename("a", "b"), ENOENT);
    same(remove("b"), 0);
    same(remove("d"), 0);
    fails(remove("d"), ENOENT);
}

TEST(unlocked_functions)
{
    FILE *f = opened("f", "w+");
    char s[8];
    flockfile(f);
    flockfile(f);
    same(fputc_unlocked('a', f), 'a');
    same(putc_unlocked('b', f), 'b');
    same(fputs_unlocked("c\n", f) < 0, 0);
    same(fwrite_unlocked("xy", 1, 2, f), 2);
    same(fflush_unlocked(f), 0);
    rewind(f);
    same(fgetc_unlocked(f), 'a');
    same(getc_unlocked(f), 'b');
    same_text(fgets_unlocked(s, sizeof(s), f), "c\n");
    same(fread_unlocked(s, 1, 3, f), 2);
    check(feof_unlocked(f) && !ferror_unlocked(f), "the end");
    clearerr_unlocked(f);
    same(feof_unlocked(f), 0);
    check(fileno_unlocked(f) > 2, "fileno_unlocked");
    funlockfile(f);
    funlockfile(f);
    fclose(f);
}

static FILE *shared;

static void *try_lock(void *unused)
{
    (void)unused;
    int result = ftrylockfile(shared);
    if (result == 0)
        funlockfile(shared);
    return (void *)(long)(result != 0);
}

static void *write_lines(void *name)
{
    for (int i = 0; i < 500; i++)
        fprintf(shared, "%s%s\n", (char *)name, (char *)name);
    return NULL;
}

TEST(a_locked_file_is_mine)
{
    pthread_t thread;
    void *refused;
    shared = opened("f", "w+");
    flockfile(shared);
    same(ftrylockfile(shared), 0);
    same(pthread_create(&thread, NULL, try_lock, NULL), 0);
    same(pthread_join(thread, &refused), 0);
    same(refused, 1);
    funlockfile(shared);
    funlockfile(shared);
    same(pthread_create(&thread, NULL, try_lock, NULL), 0);
    same(pthread_join(thread, &refused), 0);
    same(refused, 0);
}

TEST(lines_of_threads_stay_whole)
{
    pthread_t thread;
    char line[16];
    shared = opened("f", "w+");
    same(pthread_create(&thread, NULL, write_lines, "a"), 0);
    write_lines("b");
    same(pthread_join(thread, NULL), 0);
    rewind(shared);
    for (int i = 0; i < 1000; i++) {
        check(fgets(line, sizeof(line), shared), "a line");
        check(!strcmp(line, "aa\n") || !strcmp(line, "bb\n"), "torn: %s", line);
    }
}

int main(void)
{
    return tap_run("libc_stdio");
}

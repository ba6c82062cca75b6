/*
 * One open file seen twice: through the library's buffer (FILE) and through the descriptor under it. A
 * library that reads ahead moves the kernel's offset further than the program has read, one that writes
 * late leaves it behind; so the offset betrays each system call. See fileapi.txt.
 */
#include <string.h>

#include "demo.h"

#define RECORD 8 /* bytes; each says where in the file it stands */
#define FILE_SIZE 8192

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* A file without a name, full of records; the offset at its start. */
static int make_file(void)
{
    char path[] = "/tmp/fileapi.XXXXXX";
    char record[RECORD + 1];
    int fd = mkstemp(path);

    if (fd < 0 || unlink(path) < 0)
        die(path);
    for (int at = 0; at < FILE_SIZE; at += RECORD) {
        sprintf(record, "[%06d]", at);
        if (write(fd, record, RECORD) != RECORD)
            die("write");
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static long offset_of(int fd)
{
    return (long)lseek(fd, 0, SEEK_CUR);
}

static void fread_then_read(void)
{
    char bytes[RECORD + 1] = "";
    int fd = make_file();
    FILE *file = fdopen(fd, "r");

    if (file == NULL)
        die("fdopen");
    if (fread(bytes, 1, RECORD, file) != RECORD)
        die("fread");
    printf("fread gets  %s, and the kernel's offset is %ld\n", bytes, offset_of(fd));
    if (read(fd, bytes, RECORD) != RECORD)
        die("read");
    printf("read gets   %s\n", bytes);
    if (fread(bytes, 1, RECORD, file) != RECORD)
        die("fread");
    printf("fread gets  %s\n", bytes);
    fclose(file);
}

static void fwrite_then_write(void)
{
    char bytes[64] = "";
    int fd = make_file();
    FILE *file = fdopen(fd, "r+");

    if (file == NULL || ftruncate(fd, 0) < 0)
        die("fdopen");
    fputs("[first, by fputs]", file);
    if (write(fd, "[second, by write]", 18) != 18)
        die("write");
    fflush(file);
    if (pread(fd, bytes, sizeof bytes - 1, 0) < 0)
        die("pread");
    printf("in the file: %s\n", bytes);
    fclose(file);
}

/* Read the whole file byte by byte through FILE: each move of the offset was one call of read. */
static int calls_of_getc(void)
{
    int fd = make_file(), calls = 0;
    FILE *file = fdopen(fd, "r");
    long offset = 0;

    if (file == NULL)
        die("fdopen");
    while (getc(file) != EOF) {
        calls += offset_of(fd) != offset;
        offset = offset_of(fd);
    }
    fclose(file);
    return calls + 1; /* the last found the end and moved nothing */
}

static int calls_of_read(void)
{
    int fd = make_file(), calls = 1;
    char byte;

    while (read(fd, &byte, 1) == 1)
        calls++;
    close(fd);
    return calls;
}

int main(void)
{
    int by_getc, by_read;

    puts("One file, two ways to read it:");
    fread_then_read();
    puts("One file, two ways to write it:");
    fwrite_then_write();
    printf("%d bytes, one at a time:\n", FILE_SIZE);
    by_getc = calls_of_getc();
    by_read = calls_of_read();
    printf("by getc  %4d system calls\n", by_getc);
    printf("by read  %4d system calls\n", by_read);
    claim(by_read == FILE_SIZE + 1 && by_getc < by_read);
    return shown();
}

/* <stdio.h>. */
#pragma once

#include <abi/types.h>
#include <stdarg.h>
#include <stddef.h>

typedef struct __file FILE;
typedef off_t fpos_t;

extern FILE *const stdin;
extern FILE *const stdout;
extern FILE *const stderr;
#define stdin stdin
#define stdout stdout
#define stderr stderr

#define EOF (-1)
#define BUFSIZ 4096
#define FILENAME_MAX 4096
#define FOPEN_MAX 1024
#define P_tmpdir "/tmp"
#define _IOFBF 0
#define _IOLBF 1
#define _IONBF 2

#ifndef SEEK_SET
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#endif

FILE *fopen(const char *restrict path, const char *restrict mode);
/* A command of the shell; F is what it writes ("r") or reads ("w"; "e": close-on-exec). Its wait status. */
FILE *popen(const char *command, const char *mode);
int pclose(FILE *f);
FILE *fdopen(int fd, const char *mode);
FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict f);
FILE *tmpfile(void);
int fclose(FILE *f);
int fflush(FILE *f);
int setvbuf(FILE *restrict f, char *restrict buf, int mode, size_t size);
void setbuf(FILE *restrict f, char *restrict buf);
void setbuffer(FILE *f, char *buf, size_t size);
void setlinebuf(FILE *f);
int fileno(FILE *f);
int feof(FILE *f);
int ferror(FILE *f);
void clearerr(FILE *f);

size_t fread(void *restrict p, size_t size, size_t n, FILE *restrict f);
size_t fwrite(const void *restrict p, size_t size, size_t n, FILE *restrict f);
int fgetc(FILE *f);
int getc(FILE *f);
int getchar(void);
int ungetc(int c, FILE *f);
char *fgets(char *restrict s, int size, FILE *restrict f);
ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict f);
ssize_t getdelim(char **restrict line, size_t *restrict size, int delimiter, FILE *restrict f);
int fputc(int c, FILE *f);
int putc(int c, FILE *f);
int putchar(int c);
int fputs(const char *restrict s, FILE *restrict f);
int puts(const char *s);

/* For who holds the file by flockfile. */
void flockfile(FILE *f);
int ftrylockfile(FILE *f);
void funlockfile(FILE *f);
int fgetc_unlocked(FILE *f);
int getc_unlocked(FILE *f);
int getchar_unlocked(void);
int fputc_unlocked(int c, FILE *f);
int putc_unlocked(int c, FILE *f);
int putchar_unlocked(int c);
char *fgets_unlocked(char *restrict s, int size, FILE *restrict f);
int fputs_unlocked(const char *restrict s, FILE *restrict f);
size_t fread_unlocked(void *restrict p, size_t size, size_t n, FILE *restrict f);
size_t fwrite_unlocked(const void *restrict p, size_t size, size_t n, FILE *restrict f);
int fflush_unlocked(FILE *f);
int feof_unlocked(FILE *f);
int ferror_unlocked(FILE *f);
int fileno_unlocked(FILE *f);
void clearerr_unlocked(FILE *f);

int fseek(FILE *f, long offset, int whence);
int fseeko(FILE *f, off_t offset, int whence);
long ftell(FILE *f);
off_t ftello(FILE *f);
int fgetpos(FILE *restrict f, fpos_t *restrict position);
int fsetpos(FILE *f, const fpos_t *position);
void rewind(FILE *f);

void perror(const char *prefix);
int remove(const char *path);
int rename(const char *oldpath, const char *newpath);
int renameat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath);
int renameat2(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, unsigned flags);

#define __printf(f, a) __attribute__((format(printf, f, a)))
int printf(const char *restrict format, ...) __printf(1, 2);
int fprintf(FILE *restrict f, const char *restrict format, ...) __printf(2, 3);
int dprintf(int fd, const char *restrict format, ...) __printf(2, 3);
int sprintf(char *restrict s, const char *restrict format, ...) __printf(2, 3);
int snprintf(char *restrict s, size_t size, const char *restrict format, ...) __printf(3, 4);
int asprintf(char **s, const char *format, ...) __printf(2, 3);
int vprintf(const char *restrict format, va_list args) __printf(1, 0);
int vfprintf(FILE *restrict f, const char *restrict format, va_list args) __printf(2, 0);
int vdprintf(int fd, const char *restrict format, va_list args) __printf(2, 0);
int vsprintf(char *restrict s, const char *restrict format, va_list args) __printf(2, 0);
int vsnprintf(char *restrict s, size_t size, const char *restrict format, va_list args)
    __printf(3, 0);
int vasprintf(char **s, const char *format, va_list args) __printf(2, 0);

#define __scanf(f, a) __attribute__((format(scanf, f, a)))
int scanf(const char *restrict format, ...) __scanf(1, 2);
int fscanf(FILE *restrict f, const char *restrict format, ...) __scanf(2, 3);
int sscanf(const char *restrict text, const char *restrict format, ...) __scanf(2, 3);
int vscanf(const char *restrict format, va_list args) __scanf(1, 0);
int vfscanf(FILE *restrict f, const char *restrict format, va_list args) __scanf(2, 0);
int vsscanf(const char *restrict text, const char *restrict format, va_list args) __scanf(2, 0);

/* One page of memory at two addresses, and what a private mapping sees of it. See sharemap.txt. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "demo.h"

static char *map(int fd, size_t page, int flags)
{
    char *at = mmap(NULL, page, PROT_READ | PROT_WRITE, flags, fd, 0);

    need((long)at);
    return at;
}

int main(void)
{
    size_t page = (size_t)need(sysconf(_SC_PAGESIZE));
    int fd = (int)need(memfd_create("sharemap", MFD_CLOEXEC));
    char text[32] = "";
    char *a, *b, *private;

    need(ftruncate(fd, (off_t)page));
    a = map(fd, page, MAP_SHARED);
    b = map(fd, page, MAP_SHARED);
    private = map(fd, page, MAP_PRIVATE);
    printf("the two addresses are %s\n", a == b ? "the same" : "different");
    strcpy(a, "written at a");
    printf("at b: \"%s\"\n", b);
    printf("private: \"%s\"\n", private);
    claim(a != b && strcmp(b, "written at a") == 0 && strcmp(private, "written at a") == 0);
    strcpy(private, "my own");
    printf("private has been written: \"%s\", at a still: \"%s\"\n", private, a);
    strcpy(b, "written at b");
    need(pread(fd, text, sizeof text - 1, 0));
    printf("at a: \"%s\", in the file: \"%s\", private: \"%s\"\n", a, text, private);
    claim(strcmp(a, "written at b") == 0 && strcmp(text, a) == 0 && strcmp(private, "my own") == 0);
    return shown();
}

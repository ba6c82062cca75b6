/* fork, and which pages parent and child share: /proc tells, page by page. See cowshow.txt. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "demo.h"

#define PAGES 8
#define PRESENT (1ULL << 63)
#define EXCLUSIVE (1ULL << 56) /* of pagemap: nobody else has this page mapped */

static char *memory;
static size_t page_size;

/* A letter a page: x only ours, s shared, - not there. */
static const char *pages(void)
{
    static char letters[PAGES + 1];
    uint64_t entry[PAGES];
    int fd = (int)need(open("/proc/self/pagemap", O_RDONLY));

    need(pread(fd, entry, sizeof entry, (off_t)((uintptr_t)memory / page_size * sizeof entry[0])));
    need(close(fd));
    for (int i = 0; i < PAGES; i++)
        letters[i] = !(entry[i] & PRESENT) ? '-' : entry[i] & EXCLUSIVE ? 'x' : 's';
    return letters;
}

/* The number of KiB behind NAME in smaps, of the area where our memory lies. */
static int smaps(const char *name)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    char line[512];
    int here = 0, value = -1;
    unsigned long from, to;

    if (file == NULL) {
        perror("/proc/self/smaps");
        exit(1);
    }
    while (value < 0 && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            here = from <= (uintptr_t)memory && (uintptr_t)memory < to;
        else if (here && strncmp(line, name, strlen(name)) == 0)
            value = atoi(line + strlen(name));
    }
    fclose(file);
    return value;
}

static void show(const char *who, const char *expected)
{
    const char *now = pages();

    printf("%-34s %s   private %2d KiB, shared %2d KiB\n", who, now, smaps("Private_Dirty:"),
           smaps("Shared_Dirty:"));
    fflush(stdout);
    claim(strcmp(now, expected) == 0);
}

int main(void)
{
    int to_child[2], to_parent[2];
    char go = 0;
    pid_t child;

    page_size = (size_t)need(sysconf(_SC_PAGESIZE));
    /* A forbidden page on either side, or it might become one area with what libc has mapped. */
    memory = mmap(NULL, (PAGES + 2) * page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need((long)memory);
    memory += page_size;
    need(mprotect(memory, PAGES * page_size, PROT_READ | PROT_WRITE));
    show("parent, before it was touched:", "--------");
    memset(memory, 'p', PAGES * page_size);
    show("parent, all written:", "xxxxxxxx");
    need(pipe(to_child));
    need(pipe(to_parent));
    child = fork_clean();
    if (child == 0) {
        show("child, after the fork:", "ssssssss");
        memory[2 * page_size] = memory[5 * page_size] = 'c';
        show("child, two pages written:", "ssxssxss");
        need(write(to_parent[1], &go, 1));
        need(read(to_child[0], &go, 1));
        _exit(shown());
    }
    need(read(to_parent[0], &go, 1));
    show("parent, meanwhile:", "ssxssxss");
    printf("page 2 begins with '%c' here\n", memory[2 * page_size]);
    claim(memory[2 * page_size] == 'p');
    need(write(to_child[1], &go, 1));
    claim(end_of(child) == 0);
    show("parent, when the child has ended:", "xxxxxxxx");
    return shown();
}

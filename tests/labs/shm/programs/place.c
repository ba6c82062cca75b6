/*
 * place OP...: attaches and what else makes the map of a window of memory, one operation after the other. The
 * window has WINDOW pages; 0 and up are its pages. Segment k (0 to 3) has k + 2 pages.
 *
 *     a:K:PAGE:ODD:FLAGS   shmat segment K at the page, ODD bytes further; r: SHM_RND, m: SHM_REMAP, o: SHM_RDONLY
 *     d:PAGE:ODD           shmdt there
 *     u:PAGE               munmap one page
 *     p:PAGE               map a private page there, whatever was there
 *     q:PAGE               make a page read-only by mprotect
 *     n:FLAGS              shmat of segment 0 at address 0, which the kernel may place anywhere
 *     h:ADDRESS            shmat of segment 0 at that address
 *     i:ID                 shmat with that number added to the id of segment 0; -: with the id -1
 *
 * After each, the result is reported (a page of the window, "somewhere", or an errno as -n), and what lies in each
 * page: its segment, p, or a dot for nothing; a read-only page of a segment as a letter (A for 0).
 */
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "lab.h"

#define WINDOW 24
#define PAGE 4096UL

static char *window;
static int ids[4];

static void show(char *map)
{
    char line[512], perms[8], name[64];
    unsigned long start, end, inode;
    FILE *maps = fopen("/proc/self/maps", "r");

    lab_must(maps ? 0 : -1);
    memset(map, '.', WINDOW);
    map[WINDOW] = '\0';
    while (fgets(line, sizeof(line), maps) != NULL) {
        name[0] = '\0';
        if (sscanf(line, "%lx-%lx %7s %*s %*s %lu %63s", &start, &end, perms, &inode, name) < 4)
            continue;
        char what = 'p';
        for (int k = 0; k < 4; k++)
            if (strncmp(name, "/SYSV", 5) == 0 && inode == (unsigned long)ids[k])
                what = perms[1] == 'w' ? (char)('0' + k) : (char)('A' + k);
        for (unsigned long at = start; at < end; at += PAGE)
            if (at >= (unsigned long)window && at < (unsigned long)window + WINDOW * PAGE)
                map[(at - (unsigned long)window) / PAGE] = what;
    }
    fclose(maps);
}

static int flags_of(const char *words)
{
    return (strchr(words, 'r') != NULL ? SHM_RND : 0) |
           (strchr(words, 'm') != NULL ? SHM_REMAP : 0) |
           (strchr(words, 'o') != NULL ? SHM_RDONLY : 0);
}

static void describe(char *text, size_t size, long at)
{
    unsigned long offset = (unsigned long)at - (unsigned long)window;

    if (at == -1)
        snprintf(text, size, "-%d", errno);
    else if (at == 0)
        snprintf(text, size, "0");
    else if (offset < WINDOW * PAGE && offset % PAGE == 0)
        snprintf(text, size, "%lu", offset / PAGE);
    else
        snprintf(text, size, "somewhere");
}

static long perform(char *op)
{
    char *word[5] = {"", "", "", "", ""};
    int count = 0;

    for (char *s = strtok(op, ":"); s != NULL && count < 5; s = strtok(NULL, ":"))
        word[count++] = s;
    char *place = window + strtoul(word[op[0] == 'a' ? 2 : 1], NULL, 0) * PAGE;
    switch (op[0]) {
    case 'a': return (long)shmat(ids[atoi(word[1])], place + atoi(word[3]), flags_of(word[4]));
    case 'd': return shmdt(place + atoi(word[2]));
    case 'u': return munmap(place, PAGE);
    case 'p':
        return (long)mmap(place, PAGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0);
    case 'q': return mprotect(place, PAGE, PROT_READ);
    case 'n': return (long)shmat(ids[0], NULL, flags_of(word[1]));
    case 'h': return (long)shmat(ids[0], (void *)strtoul(word[1], NULL, 0), 0);
    default: return (long)shmat(word[1][0] == '-' ? -1 : ids[0] + atoi(word[1]), NULL, 0);
    }
}

int main(int argc, char **argv)
{
    char map[WINDOW + 1], result[32];

    window = mmap(NULL, (WINDOW + 16) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    lab_must(window == MAP_FAILED ? -1 : 0);
    lab_must(munmap(window, (WINDOW + 16) * PAGE));
    window += 8 * PAGE;
    for (int k = 0; k < 4; k++)
        lab_must(ids[k] = shmget(IPC_PRIVATE, (size_t)(k + 2) * PAGE - 100, 0600));
    for (int i = 1; i < argc; i++) {
        describe(result, sizeof(result), perform(argv[i]));
        show(map);
        lab_report("op", "%s %s", result, map);
    }
    return 0;
}

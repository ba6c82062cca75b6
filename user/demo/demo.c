/* The list of all demos, and the page of one: the files NAME.txt that lie beside this program. See demo.txt. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGES_MAX 200
#define NAME_SIZE 64
#define LINE_SIZE 256
#define SUFFIX ".txt"

static char folder[4096];
static char names[PAGES_MAX][NAME_SIZE];
static size_t pages;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* Where this program lies: the kernel knows. */
static void find_folder(void)
{
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    char *slash;

    if (length < 0)
        die("demo: /proc/self/exe");
    folder[length] = '\0';
    slash = strrchr(folder, '/');
    if (slash != NULL)
        *slash = '\0';
}

static FILE *open_page(const char *name)
{
    char path[sizeof folder + NAME_SIZE + sizeof SUFFIX];

    snprintf(path, sizeof path, "%s/%s" SUFFIX, folder, name);
    return fopen(path, "r");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void find_pages(void)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    if (dir == NULL)
        die(folder);
    while ((entry = readdir(dir)) != NULL && pages < PAGES_MAX) {
        size_t length = strlen(entry->d_name);
        if (length <= strlen(SUFFIX) || length - strlen(SUFFIX) >= NAME_SIZE ||
            strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) != 0)
            continue;
        memcpy(names[pages++], entry->d_name, length - strlen(SUFFIX));
    }
    closedir(dir);
    qsort(names, pages, NAME_SIZE, by_name);
}

/* A page's first line is "NAME - what it is". */
static void print_list(void)
{
    char line[LINE_SIZE];

    find_pages();
    for (size_t i = 0; i < pages; i++) {
        FILE *page = open_page(names[i]);
        char *dash;
        if (page == NULL || fgets(line, sizeof line, page) == NULL)
            die(names[i]);
        dash = strstr(line, " - ");
        printf("%-12s %s", names[i], dash != NULL ? dash + 3 : "\n");
        fclose(page);
    }
}

static int print_page(const char *name)
{
    char line[LINE_SIZE];
    FILE *page = strchr(name, '/') == NULL && strlen(name) < NAME_SIZE ? open_page(name) : NULL;

    if (page == NULL) {
        fprintf(stderr, "demo: there is no demo %s; demo alone lists all\n", name);
        return 1;
    }
    while (fgets(line, sizeof line, page) != NULL)
        fputs(line, stdout);
    fclose(page);
    printf("\nTo run it now: %s/%s\n", folder, name);
    return 0;
}

int main(int argc, char **argv)
{
    int status = 0;

    find_folder();
    if (argc < 2)
        print_list();
    for (int i = 1; i < argc; i++)
        status |= print_page(argv[i]);
    if (fflush(stdout) != 0 || ferror(stdout))
        die("demo: standard output");
    return status;
}

/*
 * Users and groups: /etc/passwd and /etc/group are lines of fields with colons between them. A search reads
 * the file from the beginning; the line that was found stays until the next search of its kind.
 */
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS 7

struct table {
    const char *path;
    int count; /* fields of a line */
    char *line;
    size_t room;
    char *fields[MAX_FIELDS];
};

static struct table users = {.path = "/etc/passwd", .count = 7};
static struct table groups = {.path = "/etc/group", .count = 4};

/* Read the next line that has all its fields. */
static bool next_line(struct table *t, FILE *f)
{
    while (getline(&t->line, &t->room, f) > 0) {
        char *rest = t->line;
        int n = 0;
        rest[strcspn(rest, "\n")] = '\0';
        while (n < t->count && rest != NULL)
            t->fields[n++] = strsep(&rest, ":");
        if (n == t->count && rest == NULL)
            return true;
    }
    return false;
}

/* Find the line whose field WHICH is TEXT. */
static bool find(struct table *t, int which, const char *text)
{
    FILE *f = fopen(t->path, "re");
    bool found = false;

    if (f == NULL)
        return false;
    while (!found && next_line(t, f))
        found = strcmp(t->fields[which], text) == 0;
    fclose(f);
    return found;
}

static bool find_number(struct table *t, unsigned number)
{
    char text[16];

    snprintf(text, sizeof text, "%u", number);
    return find(t, 2, text);
}

static struct passwd *user(bool found)
{
    static struct passwd entry;
    char **f = users.fields;

    if (!found)
        return NULL;
    entry = (struct passwd){
        f[0], f[1], (uid_t)strtoul(f[2], NULL, 10), (gid_t)strtoul(f[3], NULL, 10), f[4],
        f[5], f[6]};
    return &entry;
}

struct passwd *getpwnam(const char *name)
{
    return user(find(&users, 0, name));
}

struct passwd *getpwuid(uid_t uid)
{
    return user(find_number(&users, uid));
}

static struct group *group(bool found)
{
    static struct group entry;
    static char **members;
    char **f = groups.fields;
    char *rest = f[3];
    size_t count = 0;
    char **list;

    if (!found)
        return NULL;
    list = realloc(members, (strlen(rest) / 2 + 2) * sizeof *list);
    if (list == NULL)
        return NULL;
    members = list;
    for (char *name; (name = strsep(&rest, ",")) != NULL;)
        if (*name != '\0')
            members[count++] = name;
    members[count] = NULL;
    entry = (struct group){f[0], f[1], (gid_t)strtoul(f[2], NULL, 10), members};
    return &entry;
}

struct group *getgrnam(const char *name)
{
    return group(find(&groups, 0, name));
}

struct group *getgrgid(gid_t gid)
{
    return group(find_number(&groups, gid));
}

int getgrouplist(const char *user_name, gid_t first, gid_t *list, int *count)
{
    FILE *f = fopen(groups.path, "re");
    int room = *count;
    int n = 0;

    if (n++ < room)
        list[0] = first;
    while (f != NULL && next_line(&groups, f)) {
        struct group *g = group(true);
        for (char **member = g != NULL ? g->gr_mem : (char *[]){NULL}; *member != NULL; member++) {
            if (strcmp(*member, user_name) != 0 || g->gr_gid == first)
                continue;
            if (n++ < room)
                list[n - 1] = g->gr_gid;
            break;
        }
    }
    if (f != NULL)
        fclose(f);
    *count = n;
    return n > room ? -1 : n;
}

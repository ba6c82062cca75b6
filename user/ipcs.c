/*
 * ipcs [-qmsa] [-tpclu]: the System V message queues, shared memory segments and semaphore arrays there are.
 *
 *     -q -m -s  only message queues; memory; semaphores (-a: all, as without)
 *     -t        when they were last used and changed
 *     -p        by which processes
 *     -c        who made them and who owns them
 *     -l        the limits of the system
 *     -u        how much there is in all
 *
 * All of it stands in /proc/sysvipc, a table a kind, whose first line names the columns.
 */
#include "command.h"

#include <grp.h>
#include <pwd.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <time.h>

#define USAGE "ipcs [-qmsa] [-tpclu]"
#define MAX_COLUMNS 20

enum kind { QUEUES, SEGMENTS, ARRAYS, KINDS };

/* A table of /proc/sysvipc: the names of its columns, and the row that was read last. */
struct table {
    FILE *file;
    char heading[512], *column[MAX_COLUMNS];
    long value[MAX_COLUMNS];
    int columns;
};

static bool table_open(struct table *t, const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/sysvipc/%s", name);
    t->file = fopen(path, "r");
    t->columns = 0;
    if (!t->file || !fgets(t->heading, sizeof(t->heading), t->file)) {
        warn("%s", path);
        if (t->file)
            fclose(t->file);
        return false;
    }
    for (char *word = strtok(t->heading, " \n"); word && t->columns < MAX_COLUMNS;
         word = strtok(NULL, " \n"))
        t->column[t->columns++] = word;
    return true;
}

static bool table_next(struct table *t)
{
    char line[512], *at = line;
    if (!fgets(line, sizeof(line), t->file))
        return false;
    for (int i = 0; i < t->columns; i++)
        t->value[i] = strtol(at, &at, strcmp(t->column[i], "perms") == 0 ? 8 : 10);
    return true;
}

static long value_of(const struct table *t, const char *column)
{
    for (int i = 0; i < t->columns; i++)
        if (strcmp(t->column[i], column) == 0)
            return t->value[i];
    return 0;
}

/* --- one column on the screen --- */

static void print_user(const struct table *t, const char *column)
{
    long id = value_of(t, column);
    struct passwd *user = getpwuid((uid_t)id);
    if (user)
        printf("%-10s ", user->pw_name);
    else
        printf("%-10ld ", id);
}

static void print_group(const struct table *t, const char *column)
{
    long id = value_of(t, column);
    struct group *group = getgrgid((gid_t)id);
    if (group)
        printf("%-10s ", group->gr_name);
    else
        printf("%-10ld ", id);
}

static void print_number(const struct table *t, const char *column)
{
    printf("%-10ld ", value_of(t, column));
}

static void print_size(const struct table *t, const char *column)
{
    printf("%-12ld ", value_of(t, column));
}

static void print_key(const struct table *t, const char *column)
{
    printf("0x%08x ", (unsigned)value_of(t, column));
}

static void print_mode(const struct table *t, const char *column)
{
    printf("%-10lo ", value_of(t, column) & 0777);
}

static void print_status(const struct table *t, const char *column)
{
    long mode = value_of(t, column);
    printf("%-6s %-6s", mode & SHM_DEST ? "dest" : " ", mode & SHM_LOCKED ? "locked" : " ");
}

static void print_time(const struct table *t, const char *column)
{
    time_t when = value_of(t, column);
    char text[32] = "Not set";
    if (when)
        strftime(text, sizeof(text), "%b %e %H:%M:%S", localtime(&when));
    printf("%-20s ", text);
}

static void print_date(const struct table *t, const char *column)
{
    time_t when = value_of(t, column);
    char text[32] = "Not set";
    if (when)
        strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", localtime(&when));
    printf("%-26s ", text);
}

/* --- the lists --- */

struct view {
    const char *title, *heading;
    struct {
        void (*print)(const struct table *t, const char *column);
        const char *column;
    } field[8];
};

#define OWNER_FIELDS                                                                         \
    {print_mode, "perms"}, {print_user, "cuid"}, {print_group, "cgid"}, {print_user, "uid"}, \
    {                                                                                        \
        print_group, "gid"                                                                   \
    }

static const char *const files[KINDS] = {"msg", "shm", "sem"};

static const struct view plain[KINDS] = {
    {"------ Message Queues --------",
     "key        msqid      owner      perms      used-bytes   messages",
     {{print_key, "key"},
      {print_number, "msqid"},
      {print_user, "uid"},
      {print_mode, "perms"},
      {print_size, "cbytes"},
      {print_size, "qnum"}}},
    {"------ Shared Memory Segments --------",
     "key        shmid      owner      perms      bytes      nattch     status",
     {{print_key, "key"},
      {print_number, "shmid"},
      {print_user, "uid"},
      {print_mode, "perms"},
      {print_number, "size"},
      {print_number, "nattch"},
      {print_status, "perms"}}},
    {"------ Semaphore Arrays --------",
     "key        semid      owner      perms      nsems",
     {{print_key, "key"},
      {print_number, "semid"},
      {print_user, "uid"},
      {print_mode, "perms"},
      {print_number, "nsems"}}},
};

static const struct view times[KINDS] = {
    {"------ Message Queues Send/Recv/Change Times --------",
     "msqid      owner      send                 recv                 change",
     {{print_number, "msqid"},
      {print_user, "uid"},
      {print_time, "stime"},
      {print_time, "rtime"},
      {print_time, "ctime"}}},
    {"------ Shared Memory Attach/Detach/Change Times --------",
     "shmid      owner      attached             detached             changed",
     {{print_number, "shmid"},
      {print_user, "uid"},
      {print_time, "atime"},
      {print_time, "dtime"},
      {print_time, "ctime"}}},
    {"------ Semaphore Operation/Change Times --------",
     "semid      owner      last-op                    last-changed",
     {{print_number, "semid"}, {print_user, "uid"}, {print_date, "otime"}, {print_date, "ctime"}}},
};

static const struct view processes[KINDS] = {
    {"------ Message Queues PIDs --------",
     "msqid      owner      lspid      lrpid",
     {{print_number, "msqid"},
      {print_user, "uid"},
      {print_number, "lspid"},
      {print_number, "lrpid"}}},
    {"------ Shared Memory Creator/Last-op PIDs --------",
     "shmid      owner      cpid       lpid",
     {{print_number, "shmid"},
      {print_user, "uid"},
      {print_number, "cpid"},
      {print_number, "lpid"}}},
    {NULL, NULL, {{NULL, NULL}}}, /* who used a semaphore last isn't in the table */
};

static const struct view owners[KINDS] = {
    {"------ Message Queues Creators/Owners --------",
     "msqid      perms      cuid       cgid       uid        gid",
     {{print_number, "msqid"}, OWNER_FIELDS}},
    {"------ Shared Memory Segment Creators/Owners --------",
     "shmid      perms      cuid       cgid       uid        gid",
     {{print_number, "shmid"}, OWNER_FIELDS}},
    {"------ Semaphore Arrays Creators/Owners --------",
     "semid      perms      cuid       cgid       uid        gid",
     {{print_number, "semid"}, OWNER_FIELDS}},
};

static bool list(enum kind kind, const struct view *views)
{
    const struct view *v = &views[kind];
    struct table t;
    if (!v->title)
        return true;
    if (!table_open(&t, files[kind]))
        return false;
    printf("\n%s\n%s\n", v->title, v->heading);
    while (table_next(&t)) {
        for (size_t i = 0; i < sizeof(v->field) / sizeof(v->field[0]) && v->field[i].print; i++)
            v->field[i].print(&t, v->field[i].column);
        putchar('\n');
    }
    fclose(t.file);
    return true;
}

/* --- limits --- */

/* Number I of a file in /proc/sys/kernel. */
static unsigned long limit(const char *name, int i)
{
    char path[64], line[256] = "", *at = line;
    unsigned long value = 0;
    snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, sizeof(line), file))
        warn("%s", path);
    if (file)
        fclose(file);
    for (; i >= 0; i--)
        value = strtoul(at, &at, 10);
    return value;
}

static void print_limits(enum kind kind)
{
    switch (kind) {
    case QUEUES:
        printf("\n------ Messages Limits --------\nmax queues system wide = %lu\n"
               "max size of message (bytes) = %lu\ndefault max size of queue (bytes) = %lu\n",
               limit("msgmni", 0), limit("msgmax", 0), limit("msgmnb", 0));
        break;
    case SEGMENTS:
        printf("\n------ Shared Memory Limits --------\nmax number of segments = %lu\n"
               "max seg size (kbytes) = %lu\nmax total shared memory (pages) = %lu\n"
               "min seg size (bytes) = 1\n",
               limit("shmmni", 0), limit("shmmax", 0) / 1024, limit("shmall", 0));
        break;
    default:
        printf("\n------ Semaphore Limits --------\nmax number of arrays = %lu\n"
               "max semaphores per array = %lu\nmax semaphores system wide = %lu\n"
               "max ops per semop call = %lu\nsemaphore max value = 32767\n",
               limit("sem", 3), limit("sem", 0), limit("sem", 1), limit("sem", 2));
    }
}

/* --- sums --- */

static bool print_sums(enum kind kind)
{
    long page = sysconf(_SC_PAGESIZE), objects = 0, first = 0, second = 0;
    struct table t;
    if (!table_open(&t, files[kind]))
        return false;
    for (; table_next(&t); objects++) {
        first += kind == QUEUES     ? value_of(&t, "qnum")
                 : kind == SEGMENTS ? (value_of(&t, "size") + page - 1) / page
                                    : value_of(&t, "nsems");
        second += kind == QUEUES ? value_of(&t, "cbytes") : value_of(&t, "rss") / page;
    }
    fclose(t.file);
    if (kind == QUEUES)
        printf("\n------ Messages Status --------\nallocated queues = %ld\nused headers = %ld\n"
               "used space = %ld bytes\n",
               objects, first, second);
    else if (kind == SEGMENTS)
        printf("\n------ Shared Memory Status --------\nsegments allocated %ld\n"
               "pages allocated %ld\npages resident  %ld\n",
               objects, first, second);
    else
        printf("\n------ Semaphore Status --------\nused arrays = %ld\n"
               "allocated semaphores = %ld\n",
               objects, first);
    return true;
}

int main(int argc, char **argv)
{
    bool wanted[KINDS] = {false};
    int what = 0, status = 0, c;
    command_begin();
    while ((c = getopt(argc, argv, "qmsatpclu")) != -1) {
        switch (c) {
        case 'q': wanted[QUEUES] = true; break;
        case 'm': wanted[SEGMENTS] = true; break;
        case 's': wanted[ARRAYS] = true; break;
        case 'a': wanted[QUEUES] = wanted[SEGMENTS] = wanted[ARRAYS] = true; break;
        case '?': usage(1, USAGE);
        default: what = c;
        }
    }
    if (optind < argc)
        usage(1, USAGE);
    bool all = !wanted[QUEUES] && !wanted[SEGMENTS] && !wanted[ARRAYS];
    const struct view *views = what == 't'   ? times
                               : what == 'p' ? processes
                               : what == 'c' ? owners
                                             : plain;
    for (enum kind kind = 0; kind < KINDS; kind++) {
        if (!all && !wanted[kind])
            continue;
        if (what == 'l')
            print_limits(kind);
        else if (!(what == 'u' ? print_sums(kind) : list(kind, views)))
            status = 1;
    }
    if (all || wanted[ARRAYS])
        putchar('\n');
    return command_end(status);
}

/*
 * ps [-AadeflN] [-o COLUMN[=TITLE],...] [-p PID,...] [-t TTY,...] [-u USER,...] [-U USER,...]: which
 * processes there are.
 *
 *     without options: those of this user on this terminal
 *     -A, -e  all     -d  all but the leaders of sessions     -a  of these, those with a terminal
 *     -p, -t, -u, -U  only these; of these terminals; of these users, effective or real
 *     -f, -l  more about each, still more     -o  these columns; TITLE is the rest of the word
 *
 *     aux  as BSD has it: all, and what they use
 *
 * There is no system call for this. The kernel shows each process as a directory of /proc, and this
 * program reads there what any other could: stat, cmdline. A process that ends meanwhile is left out.
 */
#include "command.h"

#include <ctype.h>
#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <time.h>

#define USAGE \
    "ps [-AadeflN] [-o column[=title],...] [-p pid,...] [-t tty,...] [-u user,...] [-U user,...] [aux]"
#define ARGUMENTS_MAX 4096

struct process {
    long pid;
    char name[64];
    char state;
    long ppid, group, session, terminal, foreground;
    unsigned long flags, user_ticks, system_ticks, bytes;
    long priority, nice, threads, start, pages;
    uid_t uid, real_uid;
    gid_t gid, real_gid;
    char arguments[ARGUMENTS_MAX];
};

static struct process *processes;
static size_t process_count;
static long tick_rate;
static double uptime;

/* --- /proc -------------------------------------------------------------------------------------------- */

/* The file PID/NAME, up to SIZE - 1 bytes of it. -1: gone. */
static ssize_t read_file(const char *pid, const char *name, char *buf, size_t size)
{
    char path[64];
    ssize_t got, n = 0;
    snprintf(path, sizeof(path), "/proc/%s%s%s", pid, *name ? "/" : "", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    while ((size_t)n < size - 1 && (got = read_some(fd, buf + n, size - 1 - (size_t)n)) > 0)
        n += got;
    close(fd);
    buf[n] = '\0';
    return n;
}

/* Fields of stat(5). The name is in parentheses and may hold anything, even those: the last one counts. */
static bool parse_stat(struct process *p, char *text)
{
    long unused[8];
    char *open = strchr(text, '('), *close = strrchr(text, ')');
    if (!open || !close)
        return false;
    size_t length = (size_t)(close - open - 1);
    length = length < sizeof(p->name) ? length : sizeof(p->name) - 1;
    memcpy(p->name, open + 1, length);
    p->state = close[1] ? close[2] : '?';
    if (!close[1] || !close[2])
        return false;
    long *fields[] = {&p->ppid,
                      &p->group,
                      &p->session,
                      &p->terminal,
                      &p->foreground,
                      (long *)&p->flags,
                      &unused[0],
                      &unused[1],
                      &unused[2],
                      &unused[3],
                      (long *)&p->user_ticks,
                      (long *)&p->system_ticks,
                      &unused[4],
                      &unused[5],
                      &p->priority,
                      &p->nice,
                      &p->threads,
                      &unused[6],
                      &p->start,
                      (long *)&p->bytes,
                      &p->pages};
    char *at = close + 3;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        *fields[i] = strtol(at, &at, 10);
    return true;
}

/* The four ids of a line of status(5), "Uid:" or "Gid:": real, effective, ... */
static void parse_ids(const char *status, const char *title, unsigned *real, unsigned *effective)
{
    const char *line = strstr(status, title);
    char *end;
    if (!line)
        return;
    *real = (unsigned)strtoul(line + 5, &end, 10);
    *effective = (unsigned)strtoul(end, NULL, 10);
}

/* The words of the command, with blanks between; what has none, the kernel's own threads, is [name]. */
static void read_arguments(struct process *p, const char *pid)
{
    ssize_t n = read_file(pid, "cmdline", p->arguments, sizeof(p->arguments));
    while (n > 0 && p->arguments[n - 1] == '\0')
        n--;
    for (ssize_t i = 0; i < n; i++)
        if (p->arguments[i] == '\0' || p->arguments[i] == '\n')
            p->arguments[i] = ' ';
    if (n <= 0)
        snprintf(p->arguments, sizeof(p->arguments), p->state == 'Z' ? "[%s] <defunct>" : "[%s]",
                 p->name);
}

static void read_process(const char *pid)
{
    static char buf[4096];
    if (process_count % 32 == 0)
        processes = need_memory(realloc(processes, (process_count + 32) * sizeof(*processes)));
    struct process *p = &processes[process_count];
    memset(p, 0, sizeof(*p));
    p->pid = strtol(pid, NULL, 10);
    if (read_file(pid, "stat", buf, sizeof(buf)) <= 0 || !parse_stat(p, buf))
        return;
    if (read_file(pid, "status", buf, sizeof(buf)) <= 0)
        return;
    parse_ids(buf, "\nUid:", &p->real_uid, &p->uid);
    parse_ids(buf, "\nGid:", &p->real_gid, &p->gid);
    read_arguments(p, pid);
    process_count++;
}

static int compare_pids(const void *a, const void *b)
{
    const struct process *p = a, *q = b;
    return (p->pid > q->pid) - (p->pid < q->pid);
}

static void read_processes(void)
{
    char text[64];
    DIR *dir = opendir("/proc");
    struct dirent *d;
    if (!dir)
        err(1, "/proc");
    while ((d = readdir(dir)))
        if (isdigit((unsigned char)d->d_name[0]))
            read_process(d->d_name);
    closedir(dir);
    qsort(processes, process_count, sizeof(*processes), compare_pids);
    tick_rate = sysconf(_SC_CLK_TCK);
    if (read_file("uptime", "", text, sizeof(text)) > 0)
        uptime = strtod(text, NULL);
}

/* --- columns ------------------------------------------------------------------------------------------ */

/* A device number of a terminal as the name in /dev. */
static void terminal_name(long device, char *text, size_t size)
{
    unsigned ma = major((dev_t)device), mi = minor((dev_t)device);
    if (device == 0)
        snprintf(text, size, "?");
    else if (ma == 4)
        snprintf(text, size, mi < 64 ? "tty%u" : "ttyS%u", mi < 64 ? mi : mi - 64);
    else if (ma >= 136 && ma < 144)
        snprintf(text, size, "pts/%u", (ma - 136) * 256 + mi);
    else if (ma == 5)
        snprintf(text, size, mi == 1 ? "console" : "tty");
    else
        snprintf(text, size, "%u,%u", ma, mi);
}

/* [days-]hh:mm:ss; where hours may be left out (etime), they are. */
static void time_text(long seconds, bool short_form, char *text, size_t size)
{
    long days = seconds / 86400, hours = seconds / 3600 % 24, minutes = seconds / 60 % 60;
    if (days > 0)
        snprintf(text, size, "%ld-%02ld:%02ld:%02ld", days, hours, minutes, seconds % 60);
    else if (short_form && hours == 0)
        snprintf(text, size, "%02ld:%02ld", minutes, seconds % 60);
    else
        snprintf(text, size, "%02ld:%02ld:%02ld", hours, minutes, seconds % 60);
}

static long age(const struct process *p)
{
    return (long)uptime - p->start / tick_rate;
}

static long cpu_seconds(const struct process *p)
{
    return (long)((p->user_ticks + p->system_ticks) / (unsigned long)tick_rate);
}

static double cpu_share(const struct process *p)
{
    double seconds = (double)(p->user_ticks + p->system_ticks) / (double)tick_rate,
           lived = (double)age(p);
    return lived >= 1 ? seconds * 100 / lived : 0;
}

/* The time of day when it began, or the day if it began long ago. */
static void start_text(const struct process *p, char *text, size_t size)
{
    time_t begin = time(NULL) - age(p);
    struct tm tm;
    localtime_r(&begin, &tm);
    text[strftime(text, size, age(p) < 86400 ? "%H:%M" : "%b%d", &tm)] = '\0';
}

static void state_text(const struct process *p, char *text)
{
    *text++ = p->state;
    if (p->nice != 0)
        *text++ = p->nice < 0 ? '<' : 'N';
    if (p->session == p->pid)
        *text++ = 's';
    if (p->threads > 1)
        *text++ = 'l';
    if (p->foreground == p->group)
        *text++ = '+';
    *text = '\0';
}

static void user_text(uid_t uid, char *text, size_t size)
{
    const struct passwd *user = getpwuid(uid);
    if (user)
        snprintf(text, size, "%s", user->pw_name);
    else
        snprintf(text, size, "%u", uid);
}

static void group_text(gid_t gid, char *text, size_t size)
{
    const struct group *group = getgrgid(gid);
    if (group)
        snprintf(text, size, "%s", group->gr_name);
    else
        snprintf(text, size, "%u", gid);
}

enum what {
    PID,
    PPID,
    PGID,
    SID,
    USER,
    RUSER,
    GROUP,
    RGROUP,
    UID,
    RUID,
    GID,
    RGID,
    TTY,
    STATE,
    STAT,
    TIME,
    LIVED,
    STIME,
    CPU,
    C,
    VSZ,
    RSS,
    SZ,
    NI,
    PRI,
    NLWP,
    FLAGS,
    ADDR,
    WCHAN,
    COMM,
    ARGS
};

/* What can be shown. Numbers stand at the right of their column. */
static const struct column {
    const char *name, *title;
    enum what what;
    int width; /* below 0: at the left */
} columns[] = {{"pid", "PID", PID, 7},
               {"ppid", "PPID", PPID, 7},
               {"pgid", "PGID", PGID, 7},
               {"pgrp", "PGRP", PGID, 7},
               {"sid", "SID", SID, 7},
               {"sess", "SESS", SID, 7},
               {"user", "USER", USER, -8},
               {"euser", "EUSER", USER, -8},
               {"ruser", "RUSER", RUSER, -8},
               {"group", "GROUP", GROUP, -8},
               {"rgroup", "RGROUP", RGROUP, -8},
               {"uid", "UID", UID, 5},
               {"euid", "EUID", UID, 5},
               {"ruid", "RUID", RUID, 5},
               {"gid", "GID", GID, 5},
               {"rgid", "RGID", RGID, 5},
               {"tty", "TT", TTY, -8},
               {"tname", "TTY", TTY, -8},
               {"s", "S", STATE, -1},
               {"state", "S", STATE, -1},
               {"stat", "STAT", STAT, -4},
               {"time", "TIME", TIME, 8},
               {"cputime", "TIME", TIME, 8},
               {"etime", "ELAPSED", LIVED, 11},
               {"stime", "STIME", STIME, 5},
               {"start", "START", STIME, 5},
               {"pcpu", "%CPU", CPU, 4},
               {"%cpu", "%CPU", CPU, 4},
               {"c", "C", C, 2},
               {"vsz", "VSZ", VSZ, 6},
               {"rss", "RSS", RSS, 5},
               {"sz", "SZ", SZ, 6},
               {"nice", "NI", NI, 3},
               {"ni", "NI", NI, 3},
               {"pri", "PRI", PRI, 3},
               {"nlwp", "NLWP", NLWP, 4},
               {"f", "F", FLAGS, 1},
               {"addr", "ADDR", ADDR, -4},
               {"wchan", "WCHAN", WCHAN, -6},
               {"comm", "COMMAND", COMM, -15},
               {"ucmd", "CMD", COMM, -15},
               {"args", "COMMAND", ARGS, -27},
               {"command", "COMMAND", ARGS, -27},
               {"cmd", "CMD", ARGS, -27}};

/* The columns that are shown. */
static struct shown {
    const struct column *column;
    const char *title;
    int width;
} shown[64];
static size_t shown_count;

static void number_text(const struct process *p, enum what what, char *text, size_t size)
{
    long page = sysconf(_SC_PAGESIZE), n;
    switch (what) {
    case PID: n = p->pid; break;
    case PPID: n = p->ppid; break;
    case PGID: n = p->group; break;
    case SID: n = p->session; break;
    case UID: n = p->uid; break;
    case RUID: n = p->real_uid; break;
    case GID: n = p->gid; break;
    case RGID: n = p->real_gid; break;
    case C: n = (long)cpu_share(p); break;
    case VSZ: n = (long)(p->bytes / 1024); break;
    case RSS: n = p->pages * page / 1024; break;
    case SZ: n = (long)p->bytes / page; break;
    case NI: n = p->nice; break;
    case PRI: n = 39 - p->priority; break;
    case NLWP: n = p->threads; break;
    default: n = (long)(p->flags >> 6 & 7); break;
    }
    snprintf(text, size, "%ld", n);
}

static void column_text(const struct process *p, enum what what, char *text, size_t size)
{
    char pid[32];
    switch (what) {
    case USER: user_text(p->uid, text, size); break;
    case RUSER: user_text(p->real_uid, text, size); break;
    case GROUP: group_text(p->gid, text, size); break;
    case RGROUP: group_text(p->real_gid, text, size); break;
    case TTY: terminal_name(p->terminal, text, size); break;
    case STATE: snprintf(text, size, "%c", p->state); break;
    case STAT: state_text(p, text); break;
    case TIME: time_text(cpu_seconds(p), false, text, size); break;
    case LIVED: time_text(age(p), true, text, size); break;
    case STIME: start_text(p, text, size); break;
    case CPU: snprintf(text, size, "%.1f", cpu_share(p)); break;
    case ADDR: snprintf(text, size, "-"); break;
    case WCHAN:
        snprintf(pid, sizeof(pid), "%ld", p->pid);
        if (read_file(pid, "wchan", text, size) <= 0 || strcmp(text, "0") == 0)
            snprintf(text, size, "-");
        break;
    case COMM: snprintf(text, size, p->state == 'Z' ? "%s <defunct>" : "%s", p->name); break;
    case ARGS: snprintf(text, size, "%s", p->arguments); break;
    default: number_text(p, what, text, size);
    }
}

/*
 * NAME or NAME=TITLE, or several with commas between. A title takes the rest of the word, but an empty one
 * only itself: pid=,comm= is what people write.
 */
static void show_columns(char *words)
{
    while (words) {
        char *word = words;
        const char *title = NULL;
        size_t length = strcspn(word, ",= ");
        words = word[length] ? word + length + 1 : NULL;
        if (word[length] == '=' && *words == ',') {
            title = "";
            words++;
        } else if (word[length] == '=') {
            title = words;
            words = NULL;
        }
        word[length] = '\0';
        if (length == 0)
            continue;
        const struct column *column = NULL;
        for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
            if (strcmp(columns[i].name, word) == 0)
                column = &columns[i];
        if (!column || shown_count == sizeof(shown) / sizeof(shown[0]))
            errx(1, "%s: no such column", word);
        int width = abs(column->width), title_width = title ? (int)strlen(title) : 0;
        shown[shown_count++] = (struct shown){column, title ? title : column->title,
                                              width < title_width ? title_width : width};
    }
}

/* --- which -------------------------------------------------------------------------------------------- */

/* What -p, -t, -u and -U name: the letter says what the word is compared with. */
static struct wanted {
    char letter;
    char word[48];
} wanted[256];
static size_t wanted_count;
static bool all, not_leaders, with_terminal, inverted;

static void want(char letter, const char *words)
{
    while (*words) {
        size_t length = strcspn(words, ", ");
        if (length >= sizeof(wanted[0].word) || wanted_count == sizeof(wanted) / sizeof(wanted[0]))
            errx(1, "%s: too much", words);
        const char *word = words;
        if (letter == 't' && strncmp(word, "/dev/", 5) == 0 && length > 5) {
            word += 5;
            length -= 5;
        }
        if (length > 0) {
            wanted[wanted_count].letter = letter;
            memcpy(wanted[wanted_count++].word, word, length);
        }
        words = word + length;
        words += *words != '\0';
    }
}

static bool is_wanted(const struct process *p, const struct wanted *w)
{
    char text[64];
    uid_t uid = w->letter == 'u' ? p->uid : p->real_uid;
    switch (w->letter) {
    case 'p': return p->pid == strtol(w->word, NULL, 10);
    case 't':
        terminal_name(p->terminal, text, sizeof(text));
        return strcmp(text, w->word) == 0 ||
               (strncmp(text, "tty", 3) == 0 && strcmp(text + 3, w->word) == 0);
    default:
        if (isdigit((unsigned char)w->word[0]))
            return uid == (uid_t)strtoul(w->word, NULL, 10);
        user_text(uid, text, sizeof(text));
        return strcmp(text, w->word) == 0;
    }
}

static bool is_selected(const struct process *p, const struct process *self)
{
    bool leader = p->session == p->pid;
    if (all || (not_leaders && !leader) || (with_terminal && !leader && p->terminal != 0))
        return true;
    for (size_t i = 0; i < wanted_count; i++)
        if (is_wanted(p, &wanted[i]))
            return true;
    if (not_leaders || with_terminal || wanted_count > 0)
        return false;
    return self && p->uid == geteuid() && p->terminal == self->terminal;
}

/* --- printing ----------------------------------------------------------------------------------------- */

/* Columns are as wide as they are, the last one as its text, but no line longer than the terminal. */
static void print_row(const struct process *p, int limit)
{
    char text[ARGUMENTS_MAX + 16], row[2 * ARGUMENTS_MAX];
    size_t at = 0;
    for (size_t i = 0; i < shown_count && at < sizeof(row) - 1; i++) {
        const struct shown *s = &shown[i];
        bool last = i + 1 == shown_count, left = s->column->width < 0;
        if (p)
            column_text(p, s->column->what, text, sizeof(text));
        else
            snprintf(text, sizeof(text), "%s", s->title);
        int width = last && left ? 0 : s->width;
        at += (size_t)snprintf(row + at, sizeof(row) - at, left ? "%-*s%s" : "%*s%s", width, text,
                               last ? "" : " ");
    }
    if (limit > 0)
        printf("%.*s\n", limit, row);
    else
        puts(row);
}

static int take_option(int c)
{
    switch (c) {
    case 'A':
    case 'e': all = true; break;
    case 'a': with_terminal = true; break;
    case 'd': not_leaders = true; break;
    case 'f':
    case 'l': return c;
    case 'N': inverted = true; break;
    case 'o': show_columns(optarg); break;
    case 'p':
    case 't':
    case 'u':
    case 'U': want((char)c, optarg); break;
    default: usage(1, USAGE);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static char short_form[] = "pid,tname,time,ucmd",
                full_form[] = "user,pid,ppid,c,stime,tname,time,cmd",
                user_form[] = "user,pid,pcpu,vsz,rss,tname,stat,start,time,command",
                long_form[] = "f,s,uid,pid,ppid,c,pri,ni,addr,sz,wchan,tname,time,ucmd";
    const struct process *self = NULL;
    struct winsize size;
    bool titles = false, any = false;
    int c, form = 0;

    command_begin();
    while ((c = getopt(argc, argv, "AadefNlo:p:t:u:U:")) != -1) {
        int given = take_option(c);
        form = given ? given : form;
    }
    /* BSD's way has no hyphen: ps aux, everybody, with what they use. */
    if (optind + 1 == argc && argv[optind][strspn(argv[optind], "aux")] == '\0') {
        all = true;
        form = strchr(argv[optind++], 'u') ? 'u' : form;
    }
    if (optind < argc)
        usage(1, USAGE);
    if (shown_count == 0)
        show_columns(form == 'u'   ? user_form
                     : form == 'f' ? full_form
                     : form == 'l' ? long_form
                                   : short_form);
    read_processes();
    for (size_t i = 0; i < process_count; i++)
        if (processes[i].pid == getpid())
            self = &processes[i];
    int limit = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
    for (size_t i = 0; i < shown_count; i++)
        titles |= *shown[i].title != '\0';
    if (titles)
        print_row(NULL, limit);
    for (size_t i = 0; i < process_count; i++) {
        if (is_selected(&processes[i], self) == inverted)
            continue;
        print_row(&processes[i], limit);
        any = true;
    }
    return command_end(!any);
}

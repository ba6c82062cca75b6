/*
 * ls [-aACcdFfgHhiklLmnopqRrSstux1] [FILE...]: what is in directories, and what files are.
 *
 *     -a, -A  names with a dot at the beginning too; not . and ..     -d  directories themselves, not what is in them
 *     -R  and the directories in them     -H, -L  follow symbolic links that are operands, all of them
 *     -l  all about each file: -n with numbers for owners, -g without owner, -o without group     -h  1.5K for 1536
 *     -i  inode numbers   -s  blocks (of 1 KiB)   -F  / behind directories, * programs, @ links, | FIFOs, = sockets
 *     -p  / behind directories     -q  ? for what doesn't print (the default on a terminal)
 *     -t, -S, -f  newest first, largest first, as they come     -r  the other way round
 *     -c, -u  not when it was changed but its inode, when it was read
 *     -1, -C, -x, -m  one on a line, in columns (the default on a terminal), in rows, with commas
 *
 * First a list is made, of the operands or of a directory's names, with all that is asked about them; it is
 * sorted; then it is printed in the form that was asked for.
 */
#include "mode.h"

#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <time.h>

#define USAGE "ls [-aACcdFfgHhiklLmnopqRrSstux1] [file...]"
#define HALF_A_YEAR (31556952L / 2)

struct file {
    char *name;
    char *target; /* of a symbolic link, with -l */
    struct stat st;
    bool is_directory; /* behind a link too, if links are followed */
};

struct list {
    struct file *files;
    size_t count;
};

/* How wide the columns of -l, -i and -s must be. */
struct widths {
    int inode, blocks, links, user, group, size, major, minor;
};

/* The options that are only flags, by their letters. */
static bool option[128];
static char form;  /* 'l', '1', 'C', 'x' or 'm' */
static char order; /* 't', 'S', 'f' or 0 */
static char which_time = 'm';
static time_t now;
static int status;
static bool printed; /* something: then a title gets an empty line before it */

static void complain(const char *name, int serious)
{
    warn("%s", name);
    status = status > serious ? status : serious;
}

/* --- lists -------------------------------------------------------------------------------------------- */

static const struct timespec *time_of(const struct stat *st)
{
    return which_time == 'c' ? &st->st_ctim : which_time == 'u' ? &st->st_atim : &st->st_mtim;
}

static int compare(const void *a, const void *b)
{
    const struct file *x = a, *y = b;
    long long difference = 0;
    if (order == 't') {
        const struct timespec *s = time_of(&x->st), *t = time_of(&y->st);
        difference = t->tv_sec - s->tv_sec;
        if (difference == 0)
            difference = t->tv_nsec - s->tv_nsec;
    } else if (order == 'S') {
        difference = y->st.st_size - x->st.st_size;
    }
    int result = difference ? (difference > 0) - (difference < 0) : strcmp(x->name, y->name);
    return option['r'] ? -result : result;
}

static void sort(struct list *list)
{
    if (order != 'f')
        qsort(list->files, list->count, sizeof(*list->files), compare);
}

static char *read_target(int dir, const char *name)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
    return n < 0 ? NULL : need_memory(strndup(target, (size_t)n));
}

/*
 * Add NAME, which is in the directory DIR, to the list, or what a link of this name leads to. False: that
 * isn't there, errno says why.
 */
static bool list_add(struct list *list, int dir, const char *name, bool follow)
{
    struct file file = {0};
    if (fstatat(dir, name, &file.st, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    if (S_ISLNK(file.st.st_mode) && form == 'l')
        file.target = read_target(dir, name);
    file.is_directory = S_ISDIR(file.st.st_mode);
    file.name = need_memory(strdup(name));
    if (list->count % 64 == 0)
        list->files = need_memory(realloc(list->files, (list->count + 64) * sizeof(file)));
    list->files[list->count++] = file;
    return true;
}

static void list_free(struct list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->files[i].name);
        free(list->files[i].target);
    }
    free(list->files);
}

static bool is_shown(const char *name)
{
    bool dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    return name[0] != '.' || option['a'] || (option['A'] && !dots);
}

static bool list_directory(struct list *list, const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *d;
    if (!dir)
        return false;
    for (errno = 0; (d = readdir(dir)); errno = 0) {
        if (!is_shown(d->d_name) || list_add(list, dirfd(dir), d->d_name, option['L']))
            continue;
        /* A link that leads nowhere is still a file. */
        if (!option['L'] || !list_add(list, dirfd(dir), d->d_name, false)) {
            char *full = path_join(path, d->d_name);
            complain(full, 1);
            free(full);
        }
    }
    if (errno != 0)
        complain(path, 1);
    closedir(dir);
    return true;
}

/* --- one file ----------------------------------------------------------------------------------------- */

/* How many columns the name takes: bytes that go on with a character of UTF-8 take none. */
static int name_width(const char *name)
{
    int width = 0;
    for (; *name; name++)
        width += (*name & 0xc0) != 0x80;
    return width;
}

static void print_name(const char *name)
{
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        putchar(option['q'] && (c < 32 || c == 127) ? '?' : c);
    }
}

/* The sign behind a name, 0 for none. */
static char sign_of(mode_t mode)
{
    if (S_ISDIR(mode))
        return option['F'] || option['p'] ? '/' : 0;
    if (!option['F'])
        return 0;
    switch (mode & S_IFMT) {
    case S_IFREG: return mode & 0111 ? '*' : 0;
    case S_IFLNK: return form == 'l' ? 0 : '@';
    case S_IFIFO: return '|';
    case S_IFSOCK: return '=';
    default: return 0;
    }
}

/* SIZE, with -h in at the most four characters, rounded up as GNU has it. */
static const char *size_text(unsigned long long size)
{
    static char text[32];
    const char *unit = "KMGTPE";
    unsigned long long divisor = 1024;
    if (!option['h'] || size < 1024) {
        snprintf(text, sizeof(text), "%llu", size);
        return text;
    }
    while (unit[1] && (size + divisor - 1) / divisor >= 1024) {
        divisor *= 1024;
        unit++;
    }
    unsigned long long whole = size / divisor, rest = size % divisor;
    unsigned long long tenths = (rest * 10 + divisor - 1) / divisor;
    if (whole * 10 + tenths <= 99)
        snprintf(text, sizeof(text), "%llu.%llu%c", whole + tenths / 10, tenths % 10, *unit);
    else
        snprintf(text, sizeof(text), "%llu%c", whole + (rest > 0), *unit);
    return text;
}

static const char *blocks_text(unsigned long long blocks)
{
    return size_text(option['h'] ? blocks * 512 : (blocks + 1) / 2);
}

static const char *number_text(unsigned long long n)
{
    static char text[32];
    snprintf(text, sizeof(text), "%llu", n);
    return text;
}

static const char *user_text(const struct stat *st)
{
    const struct passwd *user = option['n'] ? NULL : getpwuid(st->st_uid);
    return user ? user->pw_name : number_text(st->st_uid);
}

static const char *group_text(const struct stat *st)
{
    const struct group *group = option['n'] ? NULL : getgrgid(st->st_gid);
    return group ? group->gr_name : number_text(st->st_gid);
}

static bool is_device(const struct stat *st)
{
    return S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
}

static void widen(int *width, const char *text)
{
    int n = (int)strlen(text);
    if (n > *width)
        *width = n;
}

static struct widths find_widths(const struct list *list)
{
    struct widths w = {0};
    for (size_t i = 0; i < list->count; i++) {
        const struct stat *st = &list->files[i].st;
        if (option['i'])
            widen(&w.inode, number_text(st->st_ino));
        if (option['s'])
            widen(&w.blocks, blocks_text((unsigned long long)st->st_blocks));
        if (form != 'l')
            continue;
        widen(&w.links, number_text(st->st_nlink));
        widen(&w.user, user_text(st));
        widen(&w.group, group_text(st));
        if (is_device(st)) {
            widen(&w.major, number_text(major(st->st_rdev)));
            widen(&w.minor, number_text(minor(st->st_rdev)));
        } else {
            widen(&w.size, size_text((unsigned long long)st->st_size));
        }
    }
    /* A device's two numbers stand in the place of a size. */
    if (w.major > 0 && w.size < w.major + 2 + w.minor)
        w.size = w.major + 2 + w.minor;
    return w;
}

/* A date of the last half year has a time, others a year. */
static void print_time(const struct stat *st)
{
    char text[64];
    struct tm tm;
    time_t t = time_of(st)->tv_sec;
    bool recent = t <= now && t > now - HALF_A_YEAR;
    if (localtime_r(&t, &tm) &&
        strftime(text, sizeof(text), recent ? "%b %e %H:%M" : "%b %e  %Y", &tm) > 0)
        printf("%s ", text);
}

static void print_long(const struct file *file, const struct widths *w)
{
    const struct stat *st = &file->st;
    char mode[11];
    mode_string(st->st_mode, mode);
    printf("%s %*s ", mode, w->links, number_text(st->st_nlink));
    if (!option['g'])
        printf("%-*s ", w->user, user_text(st));
    if (!option['o'])
        printf("%-*s ", w->group, group_text(st));
    if (is_device(st)) {
        printf("%*s, ", w->size - w->minor - 2, number_text(major(st->st_rdev)));
        printf("%*s ", w->minor, number_text(minor(st->st_rdev)));
    } else {
        printf("%*s ", w->size, size_text((unsigned long long)st->st_size));
    }
    print_time(st);
}

/* How many columns the file takes, but with -l. */
static int file_width(const struct file *file, const struct widths *w)
{
    return (w->inode ? w->inode + 1 : 0) + (w->blocks ? w->blocks + 1 : 0) +
           name_width(file->name) + (sign_of(file->st.st_mode) != 0);
}

/* The file, in the present form. */
static void print_file(const struct file *file, const struct widths *w)
{
    char sign = sign_of(file->st.st_mode);
    if (option['i'])
        printf("%*s ", w->inode, number_text(file->st.st_ino));
    if (option['s'])
        printf("%*s ", w->blocks, blocks_text((unsigned long long)file->st.st_blocks));
    if (form == 'l')
        print_long(file, w);
    print_name(file->name);
    if (sign)
        putchar(sign);
    if (form == 'l' && file->target) {
        fputs(" -> ", stdout);
        print_name(file->target);
    }
}

/* --- forms -------------------------------------------------------------------------------------------- */

static int line_width(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    int width = columns ? atoi(columns) : 0;
    if (width <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    return width > 0 ? width : 80;
}

/* All columns are as wide as the widest file and two blanks. -C goes down, -x goes right. */
static void print_columns(const struct list *list, const struct widths *w)
{
    int widest = 0;
    for (size_t i = 0; i < list->count; i++) {
        int width = file_width(&list->files[i], w);
        widest = width > widest ? width : widest;
    }
    size_t columns = (size_t)(line_width() / (widest + 2)), rows;
    columns = columns ? columns : 1;
    rows = (list->count + columns - 1) / columns;
    for (size_t row = 0; row < rows; row++) {
        int pad = 0;
        for (size_t column = 0; column < columns; column++) {
            size_t i = form == 'C' ? column * rows + row : row * columns + column;
            if (i >= list->count)
                continue;
            printf("%*s", pad, "");
            print_file(&list->files[i], w);
            pad = widest + 2 - file_width(&list->files[i], w);
        }
        putchar('\n');
    }
}

static void print_with_commas(const struct list *list, const struct widths *w)
{
    int at = 0, width = line_width();
    for (size_t i = 0; i < list->count; i++) {
        int next = file_width(&list->files[i], w);
        if (at > 0) {
            bool full = at + next + 2 > width;
            fputs(full ? ",\n" : ", ", stdout);
            at = full ? 0 : at + 2;
        }
        print_file(&list->files[i], w);
        at += next;
    }
    if (list->count > 0)
        putchar('\n');
}

static void print_list(const struct list *list)
{
    struct widths w = find_widths(list);
    if (form == 'C' || form == 'x') {
        print_columns(list, &w);
    } else if (form == 'm') {
        print_with_commas(list, &w);
    } else {
        for (size_t i = 0; i < list->count; i++) {
            print_file(&list->files[i], &w);
            putchar('\n');
        }
    }
    printed |= list->count > 0;
}

/* --- directories -------------------------------------------------------------------------------------- */

/* The directories that we are in: a link back to one of them (-RL) would never end. */
struct above {
    const struct above *up;
    dev_t device;
    ino_t inode;
};

static void show_directory(const char *path, bool title, const struct above *up);

static void show_inner_directories(const char *path, const struct list *list,
                                   const struct above *here)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct file *file = &list->files[i];
        if (!file->is_directory || strcmp(file->name, ".") == 0 || strcmp(file->name, "..") == 0)
            continue;
        char *inner = path_join(path, file->name);
        const struct above *a = here;
        while (a && (a->device != file->st.st_dev || a->inode != file->st.st_ino))
            a = a->up;
        if (a) {
            warnx("%s: a loop of links", inner);
            status = 2;
        } else {
            show_directory(inner, true, here);
        }
        free(inner);
    }
}

static void show_directory(const char *path, bool title, const struct above *up)
{
    struct list list = {0};
    struct stat st = {0};
    if (!list_directory(&list, path)) {
        complain(path, up ? 1 : 2);
        return;
    }
    sort(&list);
    if (title) {
        if (printed)
            putchar('\n');
        print_name(path);
        puts(":");
        printed = true;
    }
    if (form == 'l' || option['s']) {
        unsigned long long blocks = 0;
        for (size_t i = 0; i < list.count; i++)
            blocks += (unsigned long long)list.files[i].st.st_blocks;
        printf("total %s\n", blocks_text(blocks));
    }
    print_list(&list);
    if (option['R'] && stat(path, &st) == 0) {
        struct above here = {up, st.st_dev, st.st_ino};
        show_inner_directories(path, &list, &here);
    }
    list_free(&list);
}

/* --- operands ----------------------------------------------------------------------------------------- */

/* A link that is an operand leads to its directory, unless the link itself is to be shown. */
static bool follows(const char *name)
{
    if (option['L'] || option['H'])
        return true;
    return !option['d'] && !option['F'] && form != 'l' && is_directory(name);
}

static void show_operands(char **names, int count)
{
    struct list all = {0}, files = {0};
    for (int i = 0; i < count; i++)
        if (!list_add(&all, AT_FDCWD, names[i], follows(names[i])))
            complain(names[i], 2);
    sort(&all);
    files.files = need_memory(calloc(all.count + 1, sizeof(*files.files)));
    for (size_t i = 0; i < all.count; i++)
        if (option['d'] || !all.files[i].is_directory)
            files.files[files.count++] = all.files[i];
    print_list(&files);
    for (size_t i = 0; i < all.count; i++)
        if (!option['d'] && all.files[i].is_directory)
            show_directory(all.files[i].name, count > 1 || option['R'], NULL);
    free(files.files);
    list_free(&all);
}

static void take_option(int c)
{
    switch (c) {
    case 'C':
    case 'l':
    case 'm':
    case 'x':
    case '1':
        /* -l shows one on a line, and so -1 changes nothing there. */
        if (c != '1' || form != 'l')
            form = (char)c;
        break;
    case 'g':
    case 'n':
    case 'o':
        form = 'l';
        option[c] = true;
        break;
    case 't':
    case 'S': order = (char)c; break;
    case 'f':
        order = 'f';
        option['a'] = true;
        break;
    case 'c':
    case 'u': which_time = (char)c; break;
    case 'k': break; /* as always */
    case '?': usage(1, USAGE);
    default: option[c] = true;
    }
}

int main(int argc, char **argv)
{
    char *here[] = {".", NULL};
    int c;

    command_begin();
    form = '1';
    if (isatty(STDOUT_FILENO)) {
        form = 'C';
        option['q'] = true;
    }
    while ((c = getopt(argc, argv, "aACcdFfgHhiklLmnopqRrSstux1")) != -1)
        take_option(c);
    /* -c and -u alone say what to sort by; with -l, only what to show. */
    if (which_time != 'm' && form != 'l' && order == 0)
        order = 't';
    now = time(NULL);
    if (optind < argc)
        show_operands(argv + optind, argc - optind);
    else
        show_operands(here, 1);
    return command_end_with(status, 2);
}

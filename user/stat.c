/*
 * stat [-fL] [-c FORMAT] FILE...: all that the kernel tells of a file.
 *
 *     -c  in this form     -L  of what a symbolic link leads to     -f  of the file system that it is on
 *
 * A format's letters are those of GNU: %n name, %N with what a link leads to, %s size, %F kind, %a %A mode,
 * %u %U %g %G owners, %i inode, %h links, %b %B %o blocks, their size, the best size to read,
 * %d %D device, %t %T a device's own number, %x %y %z %w when it was read, changed, its inode changed, born
 * (%X %Y %Z %W in seconds). Of -f: %t %T type, %b %f %a blocks, free, for users, %c %d files, free,
 * %i id, %l longest name, %s %S sizes of a block. Flags and widths stand in between as in printf.
 */
#include "mode.h"

#include <grp.h>
#include <pwd.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <time.h>

#define USAGE "stat [-fL] [-c format] file..."

static const char file_format[] = "  File: %?N\n"
                                  "  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\n"
                                  "Device: %Hd,%Ld\tInode: %-10i  Links: %h\n"
                                  "Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\n"
                                  "Access: %x\nModify: %y\nChange: %z\n Birth: %w";
static const char device_format[] =
    "  File: %?N\n"
    "  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\n"
    "Device: %Hd,%Ld\tInode: %-10i  Links: %-5h Device type: %Hr,%Lr\n"
    "Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\n"
    "Access: %x\nModify: %y\nChange: %z\n Birth: %w";
static const char system_format[] = "  File: \"%n\"\n"
                                    "    ID: %-8i Namelen: %-7l Type: %T\n"
                                    "Block size: %-10s Fundamental block size: %S\n"
                                    "Blocks: Total: %-10b Free: %-10f Available: %a\n"
                                    "Inodes: Total: %-10c Free: %d";

static bool follow;

/* One conversion: what stands between % and the letter, and how a value is printed so. */
struct conversion {
    char flags[32]; /* with the %, flags, width and precision */
    char part;      /* 'H' or 'L': of a device number, '?': the name as it is */
    char letter;
};

static void print_number(const struct conversion *c, const char *letter, unsigned long long n)
{
    char format[48];
    snprintf(format, sizeof(format), "%sll%s", c->flags, letter);
    printf(format, n);
}

static void print_text(const struct conversion *c, const char *text)
{
    char format[48];
    snprintf(format, sizeof(format), "%ss", c->flags);
    printf(format, text);
}

static const char *kind(const struct stat *st)
{
    switch (st->st_mode & S_IFMT) {
    case S_IFREG: return st->st_size > 0 ? "regular file" : "regular empty file";
    case S_IFDIR: return "directory";
    case S_IFLNK: return "symbolic link";
    case S_IFCHR: return "character special file";
    case S_IFBLK: return "block special file";
    case S_IFIFO: return "fifo";
    case S_IFSOCK: return "socket";
    default: return "weird file";
    }
}

static void print_time(const struct conversion *c, const struct timespec *t)
{
    char text[64], zone[16];
    struct tm tm;
    localtime_r(&t->tv_sec, &tm);
    size_t n = strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
    strftime(zone, sizeof(zone), "%z", &tm);
    snprintf(text + n, sizeof(text) - n, ".%09ld %s", t->tv_nsec, zone);
    print_text(c, text);
}

/* When the file was made; the old struct stat has no place for it, and not every file system knows. */
static void print_birth(const struct conversion *c, const char *name)
{
    struct timespec t = {0};
    bool known = false;
#ifdef STATX_BTIME
    struct statx sx;
    known = statx(AT_FDCWD, name, follow ? 0 : AT_SYMLINK_NOFOLLOW, STATX_BTIME, &sx) == 0 &&
            (sx.stx_mask & STATX_BTIME);
    if (known)
        t = (struct timespec){sx.stx_btime.tv_sec, sx.stx_btime.tv_nsec};
#else
    (void)name; /* nor does every C library */
#endif
    if (c->letter == 'W')
        print_number(c, "d", (unsigned long long)t.tv_sec);
    else if (known)
        print_time(c, &t);
    else
        print_text(c, "-");
}

static void print_name(const struct conversion *c, const char *name, const struct stat *st)
{
    char target[PATH_MAX], *text;
    const char *quote = c->part == '?' ? "" : "'";
    ssize_t n = S_ISLNK(st->st_mode) ? readlink(name, target, sizeof(target) - 1) : -1;
    if (n >= 0)
        target[n] = '\0';
    text = need_memory(malloc(strlen(name) + PATH_MAX + 16));
    sprintf(text, n < 0 ? "%s%s%s" : "%s%s%s -> %s%s%s", quote, name, quote, quote, target, quote);
    print_text(c, text);
    free(text);
}

static void print_device(const struct conversion *c, const char *letter, dev_t device)
{
    print_number(c, letter,
                 c->part == 'H'   ? major(device)
                 : c->part == 'L' ? minor(device)
                                  : device);
}

static void print_owner(const struct conversion *c, const struct stat *st)
{
    const struct passwd *user = c->letter == 'U' ? getpwuid(st->st_uid) : NULL;
    const struct group *group = c->letter == 'G' ? getgrgid(st->st_gid) : NULL;
    print_text(c, user ? user->pw_name : group ? group->gr_name : "UNKNOWN");
}

static void print_of_file(const struct conversion *c, const char *name, const void *data)
{
    const struct stat *st = data;
    char mode[11];
    switch (c->letter) {
    case 'a': print_number(c, "o", st->st_mode & 07777); break;
    case 'A': mode_string(st->st_mode, mode), print_text(c, mode); break;
    case 'b': print_number(c, "u", (unsigned long long)st->st_blocks); break;
    case 'B': print_number(c, "u", 512); break;
    case 'd': print_device(c, "u", st->st_dev); break;
    case 'D': print_device(c, "x", st->st_dev); break;
    case 'f': print_number(c, "x", st->st_mode); break;
    case 'F': print_text(c, kind(st)); break;
    case 'g': print_number(c, "u", st->st_gid); break;
    case 'U':
    case 'G': print_owner(c, st); break;
    case 'h': print_number(c, "u", st->st_nlink); break;
    case 'i': print_number(c, "u", st->st_ino); break;
    case 'n': print_text(c, name); break;
    case 'N': print_name(c, name, st); break;
    case 'o': print_number(c, "u", (unsigned long long)st->st_blksize); break;
    case 'r': print_device(c, "u", st->st_rdev); break;
    case 'R': print_device(c, "x", st->st_rdev); break;
    case 's': print_number(c, "d", (unsigned long long)st->st_size); break;
    case 't': print_number(c, "x", major(st->st_rdev)); break;
    case 'T': print_number(c, "x", minor(st->st_rdev)); break;
    case 'u': print_number(c, "u", st->st_uid); break;
    case 'w':
    case 'W': print_birth(c, name); break;
    case 'x': print_time(c, &st->st_atim); break;
    case 'X': print_number(c, "d", (unsigned long long)st->st_atim.tv_sec); break;
    case 'y': print_time(c, &st->st_mtim); break;
    case 'Y': print_number(c, "d", (unsigned long long)st->st_mtim.tv_sec); break;
    case 'z': print_time(c, &st->st_ctim); break;
    case 'Z': print_number(c, "d", (unsigned long long)st->st_ctim.tv_sec); break;
    default: print_text(c, "?");
    }
}

static const char *system_name(unsigned long type)
{
    switch (type) {
    case 0x01021994: return "tmpfs";
    case 0x858458f6: return "ramfs";
    case 0x9fa0: return "proc";
    case 0xef53: return "ext2/ext3";
    case 0x794c7630: return "overlayfs";
    case 0x62656572: return "sysfs";
    case 0x1cd1: return "devpts";
    case 0x50495045: return "pipefs";
    case 0x534f434b: return "sockfs";
    default: return "UNKNOWN";
    }
}

static void print_of_system(const struct conversion *c, const char *name, const void *data)
{
    const struct statfs *fs = data;
    unsigned words[2];
    switch (c->letter) {
    case 'a': print_number(c, "d", fs->f_bavail); break;
    case 'b': print_number(c, "u", fs->f_blocks); break;
    case 'c': print_number(c, "u", fs->f_files); break;
    case 'd': print_number(c, "d", fs->f_ffree); break;
    case 'f': print_number(c, "d", fs->f_bfree); break;
    case 'i':
        memcpy(words, &fs->f_fsid, sizeof(words));
        print_number(c, "x", (unsigned long long)words[0] << 32 | words[1]);
        break;
    case 'l': print_number(c, "u", (unsigned long long)fs->f_namelen); break;
    case 'n': print_text(c, name); break;
    case 's': print_number(c, "u", (unsigned long long)fs->f_bsize); break;
    case 'S':
        print_number(c, "u", (unsigned long long)(fs->f_frsize ? fs->f_frsize : fs->f_bsize));
        break;
    case 't': print_number(c, "x", (unsigned long)fs->f_type); break;
    case 'T': print_text(c, system_name((unsigned long)fs->f_type)); break;
    default: print_text(c, "?");
    }
}

typedef void print_fn(const struct conversion *c, const char *name, const void *data);

static void print(const char *format, const char *name, print_fn *convert, const void *data)
{
    for (; *format; format++) {
        struct conversion c = {0};
        size_t n = strspn(format + 1, "-+ #0123456789.");
        if (*format != '%' || n > sizeof(c.flags) - 2) {
            putchar(*format);
            continue;
        }
        memcpy(c.flags, format, n + 1);
        format += n + 1;
        if (*format && strchr("HL?", *format) && format[1])
            c.part = *format++;
        c.letter = *format;
        if (!c.letter)
            break;
        if (c.letter == '%')
            putchar('%');
        else
            convert(&c, name, data);
    }
    putchar('\n');
}

static int show_file(const char *name, const char *format)
{
    struct stat st;
    bool standard_input = strcmp(name, "-") == 0;
    int result = standard_input ? fstat(STDIN_FILENO, &st)
                 : follow       ? stat(name, &st)
                                : lstat(name, &st);
    if (result < 0) {
        warn("%s", name);
        return 1;
    }
    bool device = S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode);
    print(format ? format : device ? device_format : file_format, name, print_of_file, &st);
    return 0;
}

static int show_system(const char *name, const char *format)
{
    struct statfs fs;
    if (statfs(name, &fs) < 0) {
        warn("%s", name);
        return 1;
    }
    print(format ? format : system_format, name, print_of_system, &fs);
    return 0;
}

int main(int argc, char **argv)
{
    const char *format = NULL;
    bool systems = false;
    int c, status = 0;

    command_begin();
    while ((c = getopt(argc, argv, "c:fL")) != -1) {
        if (c == '?')
            usage(1, USAGE);
        systems |= c == 'f';
        follow |= c == 'L';
        if (c == 'c')
            format = optarg;
    }
    if (optind == argc)
        usage(1, USAGE);
    for (; optind < argc; optind++)
        status |= systems ? show_system(argv[optind], format) : show_file(argv[optind], format);
    return command_end(status);
}

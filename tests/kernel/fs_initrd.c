/*
 * The reader of cpio archives, fed good and bad ones. The archive ends where a kernel stack ends,
 * below a guard page: reading beyond it panics.
 */
#include <abi/stat.h>

#include "fs/vfs.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/kstack.h"
#include "tests/kernel/ktest.h"

struct archive {
    char *end; /* of the memory */
    char text[3072];
    size_t len;
};

static void append(struct archive *a, const void *data, size_t n)
{
    memcpy(a->text + a->len, data, n);
    a->len += n;
}

static void pad(struct archive *a)
{
    while (a->len % 4)
        a->text[a->len++] = '\0';
}

static void entry(struct archive *a, const char *name, unsigned mode, unsigned ino, unsigned nlink,
                  const void *body, size_t size)
{
    char header[111];
    snprintf(header, sizeof(header), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
             ino, mode, 5u, 6u, nlink, 1000u, (unsigned)size, 0u, 0u, 1u, 3u,
             (unsigned)strlen(name) + 1, 0u);
    append(a, header, 110);
    append(a, name, strlen(name) + 1);
    pad(a);
    append(a, body, size);
    pad(a);
}

static void trailer(struct archive *a)
{
    entry(a, "TRAILER!!!", 0, 0, 1, "", 0);
}

/* Unpack the first LEN bytes, standing at the very end of memory that may be read. */
static int unpack(struct archive *a, size_t len)
{
    char *at = a->end - len;
    memcpy(at, a->text, len);
    return initrd_unpack(at, len);
}

static struct stat stat_of(const char *name)
{
    struct stat st = {0};
    struct path p;
    if (path_lookup(AT_FDCWD, name, 0, &p))
        return st;
    inode_stat(p.dentry->inode, &st);
    path_put(&p);
    return st;
}

static bool file_says(const char *name, const char *text)
{
    char buf[64];
    struct file *f = file_open(AT_FDCWD, name, O_RDONLY, 0);
    if (is_err(f))
        return false;
    ssize_t n = file_read_kernel(f, buf, sizeof(buf), 0);
    file_put(f);
    return n == (ssize_t)strlen(text) && !memcmp(buf, text, (size_t)n);
}

static const char *const made[] = {"kt/a",    "kt/b",     "kt/link", "kt/null",
                                   "kt/fifo", "kt/sub/c", "kt/sub"};

static void clean_up(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(made); i++)
        if (fs_unlink(AT_FDCWD, made[i]) == -EISDIR)
            fs_rmdir(AT_FDCWD, made[i]);
    fs_rmdir(AT_FDCWD, "kt");
}

static void fill(struct archive *a)
{
    entry(a, "kt", S_IFDIR | 0750, 1, 2, "", 0);
    entry(a, "kt/sub", S_IFDIR | 0700, 2, 2, "", 0);
    entry(a, "kt/a", S_IFREG | 04711, 3, 2, "", 0);
    entry(a, "kt/b", S_IFREG | 04711, 3, 2, "both", 4);
    entry(a, "kt/link", S_IFLNK | 0777, 4, 1, "a", 1);
    entry(a, "kt/null", S_IFCHR | 0666, 5, 1, "", 0);
    entry(a, "kt/fifo", S_IFIFO | 0600, 6, 1, "", 0);
    entry(a, "kt/sub/c", S_IFREG | 0644, 7, 1, "hello", 5);
    trailer(a);
}

KTEST(initrd, every_kind_of_file_arrives)
{
    char *stack = kstack_alloc();
    struct archive *a =
        (struct archive *)stack; /* the text is below what the archive is copied to */
    *a = (struct archive){.end = stack + KSTACK_SIZE};
    fill(a);
    KEXPECT_EQ(unpack(a, a->len), 0);
    KEXPECT(file_says("kt/a", "both"));
    KEXPECT(file_says("kt/sub/c", "hello"));
    KEXPECT_EQ(stat_of("kt").st_mode, S_IFDIR | 0750);
    KEXPECT_EQ(stat_of("kt").st_mtim.tv_sec, 1000);
    KEXPECT_EQ(stat_of("kt/a").st_ino, stat_of("kt/b").st_ino);
    KEXPECT_EQ(stat_of("kt/b").st_nlink, 2);
    KEXPECT_EQ(stat_of("kt/b").st_mode, S_IFREG | 04711);
    KEXPECT_EQ(stat_of("kt/b").st_uid, 5);
    KEXPECT_EQ(stat_of("kt/link").st_mode, S_IFLNK | 0777);
    KEXPECT_EQ(stat_of("kt/null").st_rdev, 0x103);
    KEXPECT_EQ(stat_of("kt/fifo").st_mode, S_IFIFO | 0600);
    clean_up();
    kstack_free(stack);
}

KTEST(initrd, a_later_archive_adds_and_replaces)
{
    char *stack = kstack_alloc();
    struct archive *a = (struct archive *)stack;
    *a = (struct archive){.end = stack + KSTACK_SIZE};
    entry(a, "kt", S_IFDIR | 0755, 1, 2, "", 0);
    entry(a, "kt/a", S_IFREG | 0644, 2, 1, "first", 5);
    entry(a, "kt/b", S_IFDIR | 0755, 3, 2, "", 0);
    trailer(a);
    memset(a->text + a->len, 0, 300);
    a->len += 300;
    entry(a, "kt/a", S_IFREG | 0600, 2, 1, "2nd", 3);
    entry(a, "kt/b", S_IFLNK | 0777, 3, 1, "a", 1);
    trailer(a);
    KEXPECT_EQ(unpack(a, a->len), 0);
    KEXPECT(file_says("kt/a", "2nd"));
    KEXPECT(file_says("kt/b", "2nd"));
    clean_up();
    kstack_free(stack);
}

KTEST(initrd, a_truncated_archive_ends_with_an_error)
{
    char *stack = kstack_alloc();
    struct archive *a = (struct archive *)stack;
    *a = (struct archive){.end = stack + KSTACK_SIZE};
    entry(a, "kt", S_IFDIR | 0755, 1, 2, "", 0);
    size_t good = a->len;
    entry(a, "kt/a", S_IFREG | 0644, 2, 1, "0123456789", 10);
    size_t body_end = a->len - 2; /* padding may be missing */
    for (size_t len = good + 1; len < body_end; len++)
        if (unpack(a, len) != -EINVAL)
            KEXPECT_EQ(len, 0);
    KEXPECT_EQ(unpack(a, body_end), 0);
    KEXPECT(file_says("kt/a", "0123456789"));
    clean_up();
    kstack_free(stack);
}

KTEST(initrd, damaged_bytes_do_no_harm)
{
    char *stack = kstack_alloc();
    struct archive *a = (struct archive *)stack;
    *a = (struct archive){.end = stack + KSTACK_SIZE};
    entry(a, "kt", S_IFDIR | 0755, 1, 2, "", 0);
    entry(a, "kt/a", S_IFREG | 0644, 2, 2, "0123456789", 10);
    entry(a, "kt/b", S_IFREG | 0644, 2, 2, "", 0);
    static const char bad[] = {'\0', '/', 'f', (char)0xff};
    for (size_t at = 0; at < a->len; at++) {
        char was = a->text[at];
        if (at < 110 + 4) /* the first entry's name stays: all below is in kt */
            continue;
        a->text[at] = bad[at % sizeof(bad)];
        unpack(a, a->len); /* whatever it says, it comes back */
        a->text[at] = was;
    }
    clean_up();
    kstack_free(stack);
}

KTEST(initrd, compressed_archives_are_named_and_refused)
{
    KEXPECT_EQ(initrd_unpack("\x1f\x8b\x08\x00", 4), -EINVAL);
    KEXPECT_EQ(initrd_unpack("\x28\xb5\x2f\xfd", 4), -EINVAL);
    KEXPECT_EQ(initrd_unpack("070707", 6), -EINVAL);
    KEXPECT_EQ(initrd_unpack("", 0), 0);
    KEXPECT_EQ(initrd_unpack("\0\0\0\0\0", 5), 0);
}

/*
 * The initial file system: cpio archives of the "newc" kind (cpio(5)), as GNU cpio writes them and
 * Linux reads them, unpacked into the root. Several may stand one after another, with zeroes
 * between; later ones add to and replace what earlier ones brought.
 *
 *   header: magic "070701", 13 numbers of 8 digits | name, NUL, padding to 4 | data, padding to 4
 *
 * A file with several names appears once for each; the first makes it, the others become links to
 * that, and whichever of them brings data fills it. Everything read is checked against the end of
 * the archive: what is wrong with it ends the unpacking with what was good in place.
 */
#include <abi/sysmacros.h>

#include "fs/vfs.h"
#include "lib/log.h"
#include "mm/slab.h"
#include "sched/lock.h"

#define HEADER_SIZE 110
#define FIELD(i) (6 + 8 * (i))

struct entry {
    uint32_t ino, mode, uid, gid, nlink, mtime, body_size, dev_major, dev_minor, rdev_major,
        rdev_minor, name_size;
    const char *name; /* ends with NUL */
    const uint8_t *body;
    size_t size; /* of all of it, padding included (cut at the end of the archive) */
};

/* A file that more names are to come for. */
struct linked {
    struct linked *next;
    uint32_t ino, dev_major, dev_minor;
    char *name;
};

/* A directory whose time is set when all is in it. */
struct dir_time {
    struct dir_time *next;
    struct path path;
    uint32_t mtime;
};

struct unpack {
    struct linked *links;
    struct dir_time *dirs;
};

/* ---- parsing ---- */

static bool parse_hex(const uint8_t *p, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < 8; i++) {
        uint8_t c = p[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

static const char *parse_header(const uint8_t *p, struct entry *e)
{
    uint32_t *const fields[] = {&e->ino,       &e->mode,       &e->uid,        &e->gid,
                                &e->nlink,     &e->mtime,      &e->body_size,  &e->dev_major,
                                &e->dev_minor, &e->rdev_major, &e->rdev_minor, &e->name_size};
    if (memcmp(p, "070701", 6) && memcmp(p, "070702", 6))
        return memcmp(p, "070707", 6) ? "no cpio header" : "an old (odc) cpio archive: use newc";
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (!parse_hex(p + FIELD(i), fields[i]))
            return "a header with a bad number";
    return NULL;
}

/* Read the entry at P, of LEFT bytes: what is wrong with it, or NULL. */
static const char *parse_entry(const uint8_t *p, size_t left, struct entry *e)
{
    if (left < HEADER_SIZE)
        return "a truncated header";
    const char *wrong = parse_header(p, e);
    if (wrong)
        return wrong;
    if (e->name_size == 0 || e->name_size > PATH_MAX || e->name_size > left - HEADER_SIZE)
        return "a name that is too long or truncated";
    e->name = (const char *)p + HEADER_SIZE;
    if (strnlen(e->name, e->name_size) != e->name_size - 1)
        return "a name without an end";
    size_t body_at = ALIGN_UP((size_t)HEADER_SIZE + e->name_size, 4UL);
    if (e->body_size && (body_at > left || e->body_size > left - body_at))
        return "a truncated file";
    e->body = p + body_at;
    e->size = min(ALIGN_UP(body_at + e->body_size, 4UL), left);
    return NULL;
}

/* A compressed archive's name, by its first bytes; NULL when it is none that we know. */
static const char *compression(const uint8_t *p, size_t left)
{
    static const struct {
        const char *magic;
        size_t len;
        const char *name;
    } known[] = {
        {"\x1f\x8b", 2, "gzip"},
        {"\x1f\x9e", 2, "gzip"},
        {"BZh", 3, "bzip2"},
        {"\x5d\0\0", 3, "lzma"},
        {"\xfd"
         "7zXZ",
         5, "xz"},
        {"\x89LZO", 4, "lzo"},
        {"\x02\x21\x4c\x18", 4, "lz4"},
        {"\x28\xb5\x2f\xfd", 4, "zstd"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (left >= known[i].len && !memcmp(p, known[i].magic, known[i].len))
            return known[i].name;
    return NULL;
}

/* ---- making ---- */

/* Remove what stands at NAME unless it is of type KEEP. */
static void clear_name(const char *name, mode_t keep)
{
    struct path p;
    if (path_lookup(AT_FDCWD, name, 0, &p))
        return;
    mode_t type = p.dentry->inode->mode & S_IFMT;
    path_put(&p);
    if (type == keep)
        return;
    if (type == S_IFDIR)
        fs_rmdir(AT_FDCWD, name);
    else
        fs_unlink(AT_FDCWD, name);
}

/* Owner, mode and time of what stands at NAME now. */
static int set_attributes(struct unpack *u, const struct entry *e)
{
    struct path p;
    int error = path_lookup(AT_FDCWD, e->name, 0, &p);
    if (error)
        return error;
    struct inode *i = p.dentry->inode;
    error = fs_chown(&p, i, e->uid, e->gid);
    if (!error && !S_ISLNK(i->mode))
        error = fs_chmod(&p, i, e->mode);
    spin_lock(&i->spin);
    i->atime = i->mtime = (struct timespec){e->mtime, 0};
    spin_unlock(&i->spin);
    struct dir_time *d = S_ISDIR(i->mode) ? kmalloc(sizeof(*d)) : NULL;
    if (d) {
        *d = (struct dir_time){u->dirs, p, e->mtime};
        u->dirs = d;
    } else {
        path_put(&p);
    }
    return error;
}

/* NAME is one more name of a file that came before: link it. 0, -ENOENT when none came, -errno. */
static int link_to_first(struct unpack *u, const struct entry *e)
{
    if (e->nlink < 2)
        return -ENOENT;
    for (struct linked *l = u->links; l; l = l->next)
        if (l->ino == e->ino && l->dev_major == e->dev_major && l->dev_minor == e->dev_minor) {
            if (!strcmp(l->name, e->name))
                return 0;
            clear_name(e->name, 0);
            return fs_link(AT_FDCWD, l->name, AT_FDCWD, e->name, 0);
        }
    struct linked *l = kmalloc(sizeof(*l));
    char *name = kstrdup(e->name);
    if (!l || !name) {
        kfree(l);
        kfree(name);
        return -ENOMEM;
    }
    *l = (struct linked){u->links, e->ino, e->dev_major, e->dev_minor, name};
    u->links = l;
    return -ENOENT;
}

static void forget_links(struct unpack *u)
{
    while (u->links) {
        struct linked *l = u->links;
        u->links = l->next;
        kfree(l->name);
        kfree(l);
    }
}

static int make_file(const struct entry *e, bool linked)
{
    unsigned flags = O_WRONLY | O_CREAT | (linked ? 0 : O_TRUNC);
    struct file *f = file_open(AT_FDCWD, e->name, flags, e->mode & 07777);
    if (is_err(f))
        return (int)ptr_err(f);
    ssize_t done = 0;
    if (e->body_size) {
        struct iovec one;
        struct uio u;
        uio_init_kernel(&u, &one, (void *)e->body, e->body_size);
        done = file_pwrite(f, &u, 0);
    }
    file_put(f);
    if (done < 0)
        return (int)done;
    return (size_t)done == e->body_size ? 0 : -ENOSPC;
}

static int make_link(const struct entry *e)
{
    if (e->body_size == 0 || e->body_size >= PATH_MAX)
        return -EINVAL;
    char *target = kmalloc(e->body_size + 1UL);
    if (!target)
        return -ENOMEM;
    memcpy(target, e->body, e->body_size);
    target[e->body_size] = '\0';
    clear_name(e->name, 0);
    int error = fs_symlink(target, AT_FDCWD, e->name);
    kfree(target);
    return error;
}

static int make_directory(const struct entry *e)
{
    clear_name(e->name, S_IFDIR);
    int error = fs_mkdir(AT_FDCWD, e->name, e->mode & 07777);
    return error == -EEXIST ? 0 : error;
}

static int make_entry(struct unpack *u, const struct entry *e)
{
    int error = -ENOENT;
    if (!S_ISDIR(e->mode) && (error = link_to_first(u, e)) && error != -ENOENT)
        return error;
    bool linked = !error;
    switch (e->mode & S_IFMT) {
    case S_IFREG:
        if (!linked)
            clear_name(e->name, S_IFREG);
        error = linked && !e->body_size ? 0 : make_file(e, linked);
        break;
    case S_IFLNK: error = linked ? 0 : make_link(e); break;
    case S_IFDIR: error = make_directory(e); break;
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
        if (linked)
            return 0;
        clear_name(e->name, 0);
        error = fs_mknod(AT_FDCWD, e->name, e->mode, makedev(e->rdev_major, e->rdev_minor));
        break;
    default: error = -EINVAL;
    }
    return error ? error : set_attributes(u, e);
}

/* ---- the whole ---- */

static int unpack_all(struct unpack *u, const uint8_t *data, size_t size)
{
    size_t pos = 0, count = 0;
    while (pos < size) {
        if (!data[pos]) {
            pos++;
            continue;
        }
        struct entry e;
        const char *wrong = parse_entry(data + pos, size - pos, &e);
        if (wrong) {
            const char *method = compression(data + pos, size - pos);
            if (method)
                log_err("initrd: compressed by %s at byte %zu: only plain newc archives are read",
                        method, pos);
            else
                log_err("initrd: %s at byte %zu, after %zu files", wrong, pos, count);
            return -EINVAL;
        }
        pos += e.size;
        if (!strcmp(e.name, "TRAILER!!!")) {
            forget_links(u);
            continue;
        }
        int error = make_entry(u, &e);
        if (error == -ENOMEM || error == -ENOSPC) {
            log_err("initrd: out of memory at %s", e.name);
            return error;
        }
        if (error)
            log_warn("initrd: can't make %s: error %d", e.name, -error);
        count++;
    }
    log_info("initrd: %zu files", count);
    return 0;
}

int initrd_unpack(const void *data, size_t size)
{
    struct unpack u = {0};
    int error = unpack_all(&u, data, size);
    forget_links(&u);
    while (u.dirs) {
        struct dir_time *d = u.dirs;
        u.dirs = d->next;
        struct inode *i = d->path.dentry->inode;
        spin_lock(&i->spin);
        i->atime = i->mtime = (struct timespec){d->mtime, 0};
        spin_unlock(&i->spin);
        path_put(&d->path);
        kfree(d);
    }
    return error;
}

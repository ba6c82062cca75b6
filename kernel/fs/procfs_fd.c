/*
 * What a process has open and where it stands: /proc/PID/fd, fdinfo, cwd, root, exe, mounts, mountinfo.
 *
 * The links are magic: following one doesn't walk the text it shows but goes straight to the object, which
 * may have no name any more. A pipe gets a name for the occasion ("pipe:[7]"), so that it can be opened again.
 */
#include <abi/sysmacros.h>

#include "fs/fdtable.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/path.h"
#include "fs/procfs_internal.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "proc/proc.h"

/* P as the reader sees it, from the front of BUF. */
static ssize_t path_text(const struct path *p, char *buf, size_t size)
{
    struct path root;

    path_of_root(&root);
    char *text = path_format(p, &root, buf, size);
    path_put(&root);
    if (is_err(text))
        return ptr_err(text);
    size_t n = strlen(text);
    memmove(buf, text, n);
    return (ssize_t)n;
}

/* ---- cwd, root, exe ---- */

static int context_paths(const struct subject *who, struct path *root, struct path *cwd)
{
    spin_lock(&who->proc->signal_lock);
    struct fs_context *c = who->proc->fs;
    if (c)
        fs_context_get(c);
    spin_unlock(&who->proc->signal_lock);
    if (!c)
        return -ENOENT;
    fs_context_paths(c, root, cwd);
    fs_context_put(c);
    return 0;
}

int follow_cwd(const struct subject *who, struct path *out)
{
    struct path root;
    int error = context_paths(who, &root, out);

    if (!error)
        path_put(&root);
    return error;
}

int follow_root(const struct subject *who, struct path *out)
{
    struct path cwd;
    int error = context_paths(who, out, &cwd);

    if (!error)
        path_put(&cwd);
    return error;
}

int follow_exe(const struct subject *who, struct path *out)
{
    struct mm *mm = proc_mm_get(who->proc);
    int error = -ENOENT;

    if (!mm)
        return -ENOENT;
    if (mm->exe && mm->exe->path) {
        *out = *mm->exe->path;
        path_get(out);
        error = 0;
    }
    mm_put(mm);
    return error;
}

static ssize_t followed_text(int error, struct path *p, char *buf, size_t size)
{
    if (error)
        return error;
    ssize_t n = path_text(p, buf, size);
    path_put(p);
    return n;
}

ssize_t readlink_cwd(const struct subject *who, char *buf, size_t size)
{
    struct path p;

    return followed_text(follow_cwd(who, &p), &p, buf, size);
}

ssize_t readlink_root(const struct subject *who, char *buf, size_t size)
{
    struct path p;

    return followed_text(follow_root(who, &p), &p, buf, size);
}

ssize_t readlink_exe(const struct subject *who, char *buf, size_t size)
{
    struct path p;

    return followed_text(follow_exe(who, &p), &p, buf, size);
}

/* ---- descriptors ---- */

/* What an open file without a path is called. */
static size_t anonymous_name(const struct file *f, char *buf, size_t size)
{
    if (f->inode && S_ISFIFO(f->inode->mode))
        return (size_t)snprintf(buf, size, "pipe:[%lu]", f->inode->ino);
    if (f->inode && S_ISSOCK(f->inode->mode))
        return (size_t)snprintf(buf, size, "socket:[%lu]", f->inode->ino);
    return (size_t)snprintf(buf, size, "anon_inode:%s", f->ops->name ? f->ops->name : "[file]");
}

static ssize_t readlink_fd(const struct subject *who, char *buf, size_t size)
{
    struct file *f = fd_get_of(who->proc, (unsigned)who->fd, NULL);
    ssize_t n;

    if (!f)
        return -ENOENT;
    if (f->path)
        n = path_text(f->path, buf, size);
    else
        n = (ssize_t)min(anonymous_name(f, buf, size), size);
    file_put(f);
    return n;
}

static int follow_fd(const struct subject *who, struct path *out)
{
    struct file *f = fd_get_of(who->proc, (unsigned)who->fd, NULL);
    char name[40];
    int error = 0;

    if (!f)
        return -ENOENT;
    if (f->path) {
        *out = *f->path;
        path_get(out);
    } else if (f->inode) {
        anonymous_name(f, name, sizeof(name));
        error = path_of_anon(f->inode, name, out);
    } else {
        error = -ENXIO;
    }
    file_put(f);
    return error;
}

static void emit_text(void *ctx, const char *text)
{
    seq_puts(ctx, text);
}

static int mount_id_of(const struct file *f)
{
    return f->path ? f->path->mnt->id : 0;
}

int show_fdinfo(struct seq *s, const struct subject *who)
{
    bool cloexec = false;
    struct file *f = fd_get_of(who->proc, (unsigned)who->fd, &cloexec);

    if (!f)
        return -ENOENT;
    unsigned flags = f->flags & ~(unsigned)(O_CLOEXEC | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC);
    seq_printf(s, "pos:\t%lld\nflags:\t0%o\nmnt_id:\t%d\nino:\t%lu\n", (long long)f->pos,
               flags | (cloexec ? O_CLOEXEC : 0), mount_id_of(f), f->inode ? f->inode->ino : 0);
    if (f->ops->show_fdinfo)
        f->ops->show_fdinfo(f, emit_text, s);
    file_put(f);
    return 0;
}

static const struct proc_node fd_node = {
    .name = "fd",
    .mode = S_IFLNK | 0777,
    .readlink = readlink_fd,
    .follow = follow_fd,
    .inspect = true,
};
static const struct proc_node fdinfo_node = PROC_SECRET("fdinfo", 0444, show_fdinfo);

const struct proc_dir proc_fd_dir = {.id = 5, .numbered = NUMBER_FD, .number = &fd_node};
const struct proc_dir proc_fdinfo_dir = {.id = 6, .numbered = NUMBER_FD, .number = &fdinfo_node};

/* ---- mounts ---- */

struct mount_flag {
    unsigned flag;
    const char *name;
};

static void add_mount_flags(struct seq *s, unsigned flags)
{
    static const struct mount_flag names[] = {
        {MS_NOSUID, ",nosuid"},   {MS_NODEV, ",nodev"},           {MS_NOEXEC, ",noexec"},
        {MS_NOATIME, ",noatime"}, {MS_NODIRATIME, ",nodiratime"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (flags & names[i].flag)
            seq_puts(s, names[i].name);
    if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
        seq_puts(s, ",relatime");
}

static void add_sb_flags(struct seq *s, unsigned flags)
{
    if (flags & MS_SYNCHRONOUS)
        seq_puts(s, ",sync");
    if (flags & MS_DIRSYNC)
        seq_puts(s, ",dirsync");
}

static void add_mount(void *ctx, const struct mount_info *m)
{
    struct seq *s = ctx;

    seq_escape(s, m->source, " \t\n\\#");
    seq_puts(s, " ");
    seq_escape(s, m->point, " \t\n\\");
    seq_printf(s, " %s %s", m->type, m->flags & MS_RDONLY ? "ro" : "rw");
    add_sb_flags(s, m->flags);
    add_mount_flags(s, m->flags);
    seq_puts(s, m->options);
    seq_puts(s, " 0 0\n");
}

static void add_mountinfo(void *ctx, const struct mount_info *m)
{
    struct seq *s = ctx;
    const char *access = m->flags & MS_RDONLY ? "ro" : "rw";

    seq_printf(s, "%d %d %u:%u ", m->id, m->parent_id, major(m->dev), minor(m->dev));
    seq_escape(s, m->root, " \t\n\\");
    seq_puts(s, " ");
    seq_escape(s, m->point, " \t\n\\");
    seq_printf(s, " %s", access);
    add_mount_flags(s, m->flags);
    seq_printf(s, " - %s ", m->type);
    seq_escape(s, m->source, " \t\n\\");
    seq_printf(s, " %s", access);
    add_sb_flags(s, m->flags);
    seq_puts(s, m->options);
    seq_puts(s, "\n");
}

static void add_mountstats(void *ctx, const struct mount_info *m)
{
    struct seq *s = ctx;

    seq_puts(s, "device ");
    seq_escape(s, m->source, " \t\n\\");
    seq_puts(s, " mounted on ");
    seq_escape(s, m->point, " \t\n\\");
    seq_printf(s, " with fstype %s\n", m->type);
}

static int show_all_mounts(struct seq *s, const struct subject *who,
                           void (*add)(void *ctx, const struct mount_info *m))
{
    struct path root;
    int error = follow_root(who, &root);

    if (error)
        return -EINVAL;
    mount_for_each(&root, add, s);
    path_put(&root);
    return 0;
}

int show_mounts(struct seq *s, const struct subject *who)
{
    return show_all_mounts(s, who, add_mount);
}

int show_mountinfo(struct seq *s, const struct subject *who)
{
    return show_all_mounts(s, who, add_mountinfo);
}

int show_mountstats(struct seq *s, const struct subject *who)
{
    return show_all_mounts(s, who, add_mountstats);
}
